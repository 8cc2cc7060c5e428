package report

// The objects of a STIX bundle, with their properties in the order of the specification.

// A stixObject has what all objects have.
type stixObject struct {
	Type        string `json:"type"`
	SpecVersion string `json:"spec_version"`
	ID          string `json:"id"`
}

// A stixDomainObject has what all objects have that are not observables.
type stixDomainObject struct {
	stixObject
	CreatedBy string `json:"created_by_ref,omitempty"`
	Created   string `json:"created"`
	Modified  string `json:"modified"`
}

type stixIdentity struct {
	stixDomainObject
	Name        string `json:"name"`
	Description string `json:"description"`
	Class       string `json:"identity_class"`
}

type stixAddress struct {
	stixObject
	Value  string `json:"value"`
	Score  *int   `json:"x_opencti_score,omitempty"`
	Status string `json:"x_shodanrep_status,omitempty"`
}

type stixInfrastructure struct {
	stixDomainObject
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Types       []string `json:"infrastructure_types"`
}

type stixAutonomousSystem struct {
	stixObject
	Number int64 `json:"number"`
}

type stixDomainName struct {
	stixObject
	Value string `json:"value"`
}

type stixCertificate struct {
	stixObject
	Hashes       map[string]string `json:"hashes,omitempty"`
	SerialNumber string            `json:"serial_number,omitempty"`
	Subject      string            `json:"subject,omitempty"`
	Issuer       string            `json:"issuer,omitempty"`
	NotAfter     string            `json:"validity_not_after,omitempty"`
	IsSelfSigned bool              `json:"is_self_signed,omitempty"`
}

type stixReference struct {
	Source string `json:"source_name"`
	ID     string `json:"external_id"`
}

type stixVulnerability struct {
	stixDomainObject
	Name       string          `json:"name"`
	References []stixReference `json:"external_references,omitempty"`
}

type stixIndicator struct {
	stixDomainObject
	Name        string   `json:"name"`
	Description string   `json:"description"`
	Types       []string `json:"indicator_types"`
	Pattern     string   `json:"pattern"`
	PatternType string   `json:"pattern_type"`
	ValidFrom   string   `json:"valid_from"`
	ValidUntil  string   `json:"valid_until"`
	Confidence  *int     `json:"confidence,omitempty"`
	Labels      []string `json:"labels"`
	Score       int      `json:"x_opencti_score"`
}

type stixNote struct {
	stixDomainObject
	Abstract   string   `json:"abstract"`
	Content    string   `json:"content"`
	Authors    []string `json:"authors"`
	ObjectRefs []string `json:"object_refs"`
	Confidence *int     `json:"confidence,omitempty"`
	Labels     []string `json:"labels"`
	Status     string   `json:"x_shodanrep_status"`
	Level      string   `json:"x_shodanrep_level"`
	Score      *int     `json:"x_shodanrep_score,omitempty"`
	Policy     string   `json:"x_shodanrep_policy"`
	Source     string   `json:"x_shodanrep_source,omitempty"`
}

type stixRelationship struct {
	stixDomainObject
	Kind   string `json:"relationship_type"`
	Source string `json:"source_ref"`
	Target string `json:"target_ref"`
}
