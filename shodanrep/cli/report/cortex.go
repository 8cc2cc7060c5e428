package report

import (
	"slices"
	"strconv"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// The levels of taxonomies, by which TheHive colours them.
const (
	cortexInfo       = "info"
	cortexSafe       = "safe"
	cortexSuspicious = "suspicious"
	cortexMalicious  = "malicious"
)

// cortexLevels are the levels of taxonomies by those of verdicts. Without a score it is info, never safe.
var cortexLevels = map[reputation.Level]string{
	reputation.Critical: cortexMalicious, reputation.High: cortexMalicious, reputation.Medium: cortexSuspicious,
	reputation.Low: cortexSafe, reputation.Unknown: cortexInfo,
}

// A cortexReport is the report of a job of an analyzer.
type cortexReport struct {
	Success      bool             `json:"success"`
	ErrorMessage string           `json:"errorMessage,omitempty"`
	Summary      cortexSummary    `json:"summary"`
	Full         cortexFull       `json:"full"`
	Artifacts    []cortexArtifact `json:"artifacts"`
	Operations   []struct{}       `json:"operations"`
}

type cortexSummary struct {
	Taxonomies []cortexTaxonomy `json:"taxonomies"`
}

type cortexTaxonomy struct {
	Level     string `json:"level"`
	Namespace string `json:"namespace"`
	Predicate string `json:"predicate"`
	Value     string `json:"value"`
}

// A cortexArtifact is an observable that TheHive offers to add to the case.
type cortexArtifact struct {
	DataType string   `json:"dataType"`
	Data     string   `json:"data"`
	Tags     []string `json:"tags"`
}

type cortexFull struct {
	IP              string   `json:"ip"`
	Status          string   `json:"status"`
	Level           string   `json:"level"`
	Score           *int     `json:"score"`
	Confidence      *float64 `json:"confidence"`
	Policy          string   `json:"policy"`
	Source          string   `json:"source"`
	Reasons         []string `json:"reasons"`
	Organization    string   `json:"organization"`
	AS              string   `json:"asn"`
	Country         string   `json:"country_code"`
	Ports           []int    `json:"ports"`
	Hostnames       []string `json:"hostnames"`
	Tags            []string `json:"tags"`
	Vulnerabilities []string `json:"vulns"`
	LastSeen        string   `json:"last_seen"`
}

// newCortexReport returns the report of a result. One that was not checked is the report of a failed job, which Cortex
// does not use again for the next job about the same address.
func newCortexReport(_ Options, r Result) cortexReport {
	report := cortexReport{
		Success: true, Artifacts: []cortexArtifact{}, Operations: []struct{}{},
		Full: cortexFull{
			IP: r.value(), Status: string(r.Status()), Level: string(r.Level()), Policy: r.PolicyName(), Source: string(r.Answer().Source),
			Reasons: r.pointedReasons(), Ports: []int{}, Hostnames: []string{}, Tags: []string{}, Vulnerabilities: []string{},
		},
	}
	level := cortexLevels[r.Level()]
	add := func(predicate, value string) {
		report.Summary.Taxonomies = append(report.Summary.Taxonomies, cortexTaxonomy{level, "shodanrep", predicate, value})
	}
	switch {
	case r.Score() != nil:
		add("level", string(r.Level()))
		add("score", strconv.Itoa(r.Score().Score))
		report.Full.Score, report.Full.Confidence = new(r.Score().Score), r.Score().Confidence
		report.addHost(r)
	case IsUnchecked(r.Verdict):
		report.Success, report.ErrorMessage = false, r.reasonText()
		add("status", "not checked")
	default:
		add("status", string(r.Status()))
	}
	return report
}

// addHost adds what Shodan knows about the host.
func (c *cortexReport) addHost(r Result) {
	h := r.Host()
	c.Full.Organization, c.Full.AS, c.Full.Country = r.organization(), string(h.ASN), r.country()
	c.Full.Ports = append(c.Full.Ports, h.Ports...)
	c.Full.Hostnames = append(c.Full.Hostnames, domains(h)...)
	c.Full.Tags = append(c.Full.Tags, h.Tags...)
	c.Full.Vulnerabilities = append(c.Full.Vulnerabilities, h.Vulns.IDs()...)
	if isUsable(h.LastUpdate.Time) {
		c.Full.LastSeen = timestamp(h.LastUpdate.Time)
	}
	add := func(dataType, data string) {
		c.Artifacts = append(c.Artifacts, cortexArtifact{dataType, data, []string{"shodanrep"}})
	}
	for _, name := range domains(h) {
		add("fqdn", name)
	}
	for _, name := range domains(&shodan.Host{Hostnames: h.Domains}) {
		if !slices.Contains(c.Full.Hostnames, name) {
			add("domain", name)
		}
	}
	if number, ok := r.asn(); ok {
		add("autonomous-system", "AS"+strconv.FormatInt(number, 10))
	}
}
