package report

import (
	"regexp"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// The numbers of the Open Cybersecurity Schema Framework.
const (
	ocsfVersion   = "1.5.0"
	ocsfDiscovery = 5    // the category
	ocsfOSINT     = 5021 // the class OSINT Inventory Info
	ocsfCollect   = 2    // the activity
	ocsfAddress   = 1    // the type of an indicator
	ocsfOther     = 99
	ocsfSTIX      = 1 // the type of a pattern
)

// An ocsfCode is a number of the schema with its name.
type ocsfCode struct {
	id   int
	name string
}

// ocsfLevels are the severity and the reputation of levels. No level is safe: low says only that nothing was found.
var ocsfLevels = map[reputation.Level]struct{ severity, reputation ocsfCode }{
	reputation.Critical: {ocsfCode{5, "Critical"}, ocsfCode{9, "Probably Malicious"}},
	reputation.High:     {ocsfCode{4, "High"}, ocsfCode{7, "Suspicious/Risky"}},
	reputation.Medium:   {ocsfCode{3, "Medium"}, ocsfCode{6, "Exercise Caution"}},
	reputation.Low:      {ocsfCode{2, "Low"}, ocsfCode{4, "Leans Safe"}},
	reputation.Unknown:  {ocsfCode{0, "Unknown"}, ocsfCode{0, "Unknown"}},
}

var ocsfConfidences = map[string]int{"Low": 1, "Medium": 2, "High": 3}

type ocsfEvent struct {
	ActivityID   int          `json:"activity_id"`
	ActivityName string       `json:"activity_name"`
	CategoryUID  int          `json:"category_uid"`
	CategoryName string       `json:"category_name"`
	ClassUID     int          `json:"class_uid"`
	ClassName    string       `json:"class_name"`
	TypeUID      int          `json:"type_uid"`
	Time         int64        `json:"time"`
	SeverityID   int          `json:"severity_id"`
	Severity     string       `json:"severity"`
	StatusID     int          `json:"status_id"`
	Status       string       `json:"status"`
	StatusDetail string       `json:"status_detail,omitempty"`
	Message      string       `json:"message"`
	Metadata     ocsfMetadata `json:"metadata"`
	OSINT        ocsfInfo     `json:"osint"`
	Unmapped     ocsfUnmapped `json:"unmapped"`
}

type ocsfMetadata struct {
	UID     string `json:"uid"`
	Version string `json:"version"`
	Product struct {
		Name   string `json:"name"`
		Vendor string `json:"vendor_name"`
		URL    string `json:"url_string"`
	} `json:"product"`
}

type ocsfInfo struct {
	UID          string                `json:"uid"`
	TypeID       int                   `json:"type_id"`
	Type         string                `json:"type"`
	Value        string                `json:"value"`
	Subnet       string                `json:"subnet,omitempty"`
	Vendor       string                `json:"vendor_name"`
	Description  string                `json:"desc"`
	Labels       []string              `json:"labels"`
	SeverityID   int                   `json:"severity_id"`
	Severity     string                `json:"severity"`
	ConfidenceID int                   `json:"confidence_id"`
	Confidence   string                `json:"confidence"`
	RiskScore    *int                  `json:"risk_score,omitempty"`
	Reputation   *ocsfReputation       `json:"reputation,omitempty"`
	Modified     int64                 `json:"modified_time"`
	Expires      int64                 `json:"expiration_time,omitempty"`
	Pattern      string                `json:"detection_pattern,omitempty"`
	PatternType  int                   `json:"detection_pattern_type_id,omitempty"`
	AS           *ocsfAutonomousSystem `json:"autonomous_system,omitempty"`
	Location     *ocsfLocation         `json:"location,omitempty"`
	Vulns        []ocsfVulnerability   `json:"vulnerabilities,omitempty"`
}

type ocsfReputation struct {
	BaseScore float64 `json:"base_score"`
	ScoreID   int     `json:"score_id"`
	Score     string  `json:"score"`
	Provider  string  `json:"provider"`
}

type ocsfAutonomousSystem struct {
	Number int64 `json:"number"`
}

type ocsfLocation struct {
	Country string `json:"country"`
}

type ocsfVulnerability struct {
	CVE struct {
		UID string `json:"uid"`
	} `json:"cve"`
	IsExploited bool `json:"is_exploit_available,omitempty"`
}

// ocsfUnmapped has what the schema has no fields for.
type ocsfUnmapped struct {
	Status     string   `json:"status"`
	Level      string   `json:"level"`
	Policy     string   `json:"policy"`
	Source     string   `json:"source,omitempty"`
	Confidence *float64 `json:"confidence,omitempty"`
	Hostnames  []string `json:"hostnames,omitempty"`
	Ports      []int    `json:"ports,omitempty"`
	Reasons    []string `json:"reasons"`
}

// newOCSFEvent returns an event of the class OSINT Inventory Info.
func newOCSFEvent(o Options, r Result) ocsfEvent {
	at := o.eventTime(r)
	level := ocsfLevels[r.Level()]
	e := ocsfEvent{
		ActivityID: ocsfCollect, ActivityName: "Collect", CategoryUID: ocsfDiscovery, CategoryName: "Discovery",
		ClassUID: ocsfOSINT, ClassName: "OSINT Inventory Info", TypeUID: ocsfOSINT*100 + ocsfCollect,
		Time: at.UnixMilli(), SeverityID: level.severity.id, Severity: level.severity.name, Message: r.abstract(),
		OSINT: ocsfInfoOf(o, r),
		Unmapped: ocsfUnmapped{
			Status: string(r.Status()), Level: string(r.Level()), Policy: r.PolicyName(), Source: string(r.Answer().Source),
			Hostnames: domains(r.Host()), Reasons: r.Reasons(),
		},
	}
	switch {
	case r.Score() != nil:
		e.StatusID, e.Status = 1, "Success"
		e.Unmapped.Confidence, e.Unmapped.Ports = r.Score().Confidence, r.Host().Ports
	case IsUnchecked(r.Verdict):
		e.StatusID, e.Status, e.StatusDetail = 2, "Failure", r.reasonText()
	default:
		e.StatusID, e.Status, e.StatusDetail = 0, "Unknown", r.reasonText()
	}
	e.Metadata.UID, e.Metadata.Version = idOf("event", r.value(), r.PolicyName(), timestamp(at)).String(), ocsfVersion
	e.Metadata.Product.Name, e.Metadata.Product.Vendor, e.Metadata.Product.URL = "shodanrep", "shodanrep", projectURL
	e.OSINT.Modified = at.UnixMilli()
	return e
}

// countryForm is the form of country codes in the schema.
var countryForm = regexp.MustCompile(`^[A-Z]{2}$`)

// ocsfInfoOf returns what is known of the address. An address without a score has no reputation.
func ocsfInfoOf(o Options, r Result) ocsfInfo {
	level := ocsfLevels[r.Level()]
	info := ocsfInfo{
		UID: idOf("osint", r.value(), r.PolicyName()).String(), TypeID: ocsfAddress, Type: "IP Address", Value: r.value(), Vendor: "shodanrep",
		Description: r.reasonText(), Labels: r.labels(), SeverityID: level.severity.id, Severity: level.severity.name, Confidence: "Unknown",
	}
	if r.IsNetwork() {
		info.TypeID, info.Type, info.Subnet = ocsfOther, "Subnet", r.value()
	}
	s := r.Score()
	if s == nil {
		return info
	}
	if s.Confidence != nil {
		info.Confidence = ECSConfidence(s.Confidence)
		info.ConfidenceID = ocsfConfidences[info.Confidence]
	}
	info.RiskScore = new(s.Score)
	info.Reputation = &ocsfReputation{float64(s.Score), level.reputation.id, level.reputation.name, "shodanrep"}
	if o.isIndicator(r) {
		info.Labels = append(info.Labels, "indicator")
		info.Expires = o.observedAt(r).Add(currentFor).UnixMilli()
		info.Pattern, info.PatternType = r.pattern(), ocsfSTIX
	}
	if number, ok := r.asn(); ok {
		info.AS = &ocsfAutonomousSystem{number}
	}
	if country := r.country(); countryForm.MatchString(country) {
		info.Location = &ocsfLocation{country}
	}
	for _, id := range r.Host().Vulns.IDs() {
		if !isCVE(id) {
			continue
		}
		v := ocsfVulnerability{IsExploited: isExploited(r.Host(), id)}
		v.CVE.UID = id
		info.Vulns = append(info.Vulns, v)
	}
	return info
}

// isExploited reports whether a banner says that a vulnerability is known to be exploited.
func isExploited(h *shodan.Host, id string) bool {
	return slices.ContainsFunc(h.Banners, func(b shodan.Banner) bool { return b.Vulns[id].KEV.V })
}
