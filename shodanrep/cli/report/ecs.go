package report

import (
	"math/big"
	"strings"
	"time"
)

// ecsVersion is the version of the Elastic Common Schema.
const ecsVersion = "8.17.0"

type ecsEvent struct {
	Timestamp string `json:"@timestamp"`
	ECS       struct {
		Version string `json:"version"`
	} `json:"ecs"`
	Message string `json:"message"`
	Event   struct {
		ID       string   `json:"id"`
		Dataset  string   `json:"dataset"`
		Kind     string   `json:"kind"`
		Category []string `json:"category"`
		Type     []string `json:"type"`
		Outcome  string   `json:"outcome"`
		Reason   string   `json:"reason"`
	} `json:"event"`
	Error         *ecsError         `json:"error,omitempty"`
	Threat        *ecsThreat        `json:"threat,omitempty"`
	Host          ecsHost           `json:"host"`
	Related       *ecsRelated       `json:"related,omitempty"`
	Vulnerability *ecsVulnerability `json:"vulnerability,omitempty"`
	TLS           *ecsTLS           `json:"tls,omitempty"`
	Own           ecsOwn            `json:"shodanrep"`
}

type ecsError struct {
	Message string `json:"message"`
}

type ecsThreat struct {
	Feed struct {
		Name      string `json:"name"`
		Reference string `json:"reference"`
	} `json:"feed"`
	Indicator struct {
		Type        string  `json:"type"`
		IP          string  `json:"ip"`
		Name        string  `json:"name"`
		Confidence  string  `json:"confidence"`
		Description string  `json:"description"`
		Provider    string  `json:"provider,omitempty"`
		LastSeen    string  `json:"last_seen"`
		ModifiedAt  string  `json:"modified_at"`
		Geo         *ecsGeo `json:"geo,omitempty"`
		AS          *ecsAS  `json:"as,omitempty"`
	} `json:"indicator"`
}

type ecsGeo struct {
	Country string `json:"country_iso_code"`
}

type ecsAS struct {
	Number       int64            `json:"number,omitempty"`
	Organization *ecsOrganization `json:"organization,omitempty"`
}

type ecsOrganization struct {
	Name string `json:"name"`
}

type ecsHost struct {
	IP   []string `json:"ip,omitempty"`
	Geo  *ecsGeo  `json:"geo,omitempty"`
	Risk struct {
		Level     string `json:"static_level"`
		Score     *int   `json:"static_score,omitempty"`
		ScoreNorm *int   `json:"static_score_norm,omitempty"`
	} `json:"risk"`
}

type ecsRelated struct {
	IP    []string `json:"ip,omitempty"`
	Hosts []string `json:"hosts,omitempty"`
}

type ecsVulnerability struct {
	ID             []string  `json:"id"`
	Enumeration    string    `json:"enumeration,omitempty"`
	Classification string    `json:"classification,omitempty"`
	Score          *ecsScore `json:"score,omitempty"`
}

type ecsScore struct {
	Base float64 `json:"base"`
}

type ecsTLS struct {
	Server struct {
		Hash struct {
			SHA1   []string `json:"sha1,omitempty"`
			SHA256 []string `json:"sha256,omitempty"`
		} `json:"hash"`
		X509 []ecsX509 `json:"x509"`
	} `json:"server"`
}

type ecsX509 struct {
	SerialNumber string   `json:"serial_number,omitempty"`
	Subject      *ecsName `json:"subject,omitempty"`
	Issuer       *ecsName `json:"issuer,omitempty"`
	NotAfter     string   `json:"not_after,omitempty"`
}

type ecsName struct {
	DistinguishedName string `json:"distinguished_name"`
}

// ecsOwn has what the schema has no fields for.
type ecsOwn struct {
	IP         string   `json:"ip"`
	Status     string   `json:"status"`
	Level      string   `json:"level"`
	Policy     string   `json:"policy"`
	Source     string   `json:"source,omitempty"`
	Confidence *float64 `json:"confidence,omitempty"`
	Ports      []int    `json:"ports,omitempty"`
	Reasons    []string `json:"reasons"`
}

func newECSEvent(o Options, r Result) ecsEvent {
	at, outcome := o.eventTime(r), "success"
	switch {
	case IsUnchecked(r.Verdict):
		outcome = "failure"
	case r.Score() == nil:
		outcome = "unknown"
	}
	var e ecsEvent
	e.Timestamp, e.ECS.Version, e.Message = timestamp(at), ecsVersion, r.abstract()
	e.Event.ID = idOf("event", r.value(), r.PolicyName(), timestamp(at)).String()
	e.Event.Dataset, e.Event.Kind, e.Event.Category, e.Event.Type = "shodanrep.check", "event", []string{"host"}, []string{"info"}
	e.Event.Outcome, e.Event.Reason = outcome, r.reasonText()
	if text := r.Answer().Error; text != "" {
		e.Error = &ecsError{text}
	}
	if o.isIndicator(r) {
		e.Event.Kind, e.Event.Category, e.Event.Type = "enrichment", []string{"threat"}, []string{"indicator"}
		e.Threat = ecsThreatOf(o, r)
	}
	e.Host = ecsHostOf(r)
	if len(e.Host.IP) > 0 {
		e.Related = &ecsRelated{e.Host.IP, domains(r.Host())}
	}
	e.Vulnerability = ecsVulnerabilityOf(r)
	e.TLS = ecsTLSOf(r)
	e.Own = ecsOwn{
		IP: r.value(), Status: string(r.Status()), Level: string(r.Level()), Policy: r.PolicyName(), Source: string(r.Answer().Source),
		Reasons: r.Reasons(),
	}
	if s := r.Score(); s != nil {
		e.Own.Confidence, e.Own.Ports = s.Confidence, r.Host().Ports
	}
	return e
}

func ecsThreatOf(o Options, r Result) *ecsThreat {
	var t ecsThreat
	t.Feed.Name, t.Feed.Reference = "shodanrep", projectURL
	i := &t.Indicator
	i.Type, i.IP, i.Name, i.Description, i.Provider = r.kindOf(), r.value(), r.value(), r.reasonText(), string(r.Answer().Source)
	i.Confidence = ECSConfidence(r.Score().Confidence)
	i.LastSeen, i.ModifiedAt = timestamp(o.observedAt(r)), timestamp(o.scoredAt(r))
	i.Geo = ecsGeoOf(r)
	number, hasNumber := r.asn()
	if hasNumber || r.organization() != "" {
		i.AS = &ecsAS{Number: number}
		if name := r.organization(); name != "" {
			i.AS.Organization = &ecsOrganization{name}
		}
	}
	return &t
}

func ecsGeoOf(r Result) *ecsGeo {
	if r.country() == "" {
		return nil
	}
	return &ecsGeo{r.country()}
}

func ecsHostOf(r Result) ecsHost {
	var h ecsHost
	if !r.IsNetwork() { // the field is for addresses
		h.IP = []string{r.value()}
	}
	h.Geo = ecsGeoOf(r)
	level := string(r.Level())
	h.Risk.Level = strings.ToUpper(level[:1]) + level[1:]
	if s := r.Score(); s != nil {
		h.Risk.Score, h.Risk.ScoreNorm = new(s.Score), r.percent()
	}
	return h
}

func ecsVulnerabilityOf(r Result) *ecsVulnerability {
	if r.Host() == nil || len(r.Host().Vulns) == 0 {
		return nil
	}
	v := &ecsVulnerability{ID: r.Host().Vulns.IDs(), Enumeration: "CVE"}
	for _, id := range v.ID {
		if !isCVE(id) {
			v.Enumeration = ""
		}
	}
	if highest := r.VulnerabilitySummary().MaxCVSS; highest != nil {
		v.Classification, v.Score = "CVSS", &ecsScore{*highest}
	}
	return v
}

// ecsTLSOf returns the certificates, in upper case as the schema says.
func ecsTLSOf(r Result) *ecsTLS {
	list := certificates(r.Host())
	if len(list) == 0 {
		return nil
	}
	var t ecsTLS
	for _, c := range list {
		if c.sha1 != "" {
			t.Server.Hash.SHA1 = append(t.Server.Hash.SHA1, strings.ToUpper(c.sha1))
		}
		if c.sha256 != "" {
			t.Server.Hash.SHA256 = append(t.Server.Hash.SHA256, strings.ToUpper(c.sha256))
		}
		var x ecsX509
		if serial, ok := new(big.Int).SetString(c.serial, 10); ok {
			x.SerialNumber = strings.ToUpper(serial.Text(16))
		}
		if c.subject != "" {
			x.Subject = &ecsName{c.subject}
		}
		if c.issuer != "" {
			x.Issuer = &ecsName{c.issuer}
		}
		if !c.expires.IsZero() {
			x.NotAfter = c.expires.Format(time.RFC3339)
		}
		t.Server.X509 = append(t.Server.X509, x)
	}
	return &t
}

// ECSConfidence returns a confidence, nil if it is unknown, in the words of the Elastic Common Schema.
func ECSConfidence(confidence *float64) string {
	switch {
	case confidence == nil:
		return "Not Specified"
	case *confidence >= 0.7:
		return "High"
	case *confidence >= 0.4:
		return "Medium"
	}
	return "Low"
}
