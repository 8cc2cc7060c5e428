package report

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// This file has the format of an event of MISP, and what writes it.

// The categories of attributes.
const (
	mispNetwork  = "Network activity"
	mispAnalysis = "External analysis"
	mispOther    = "Other"
)

// mispInherit is the distribution of what is as visible as its event.
const mispInherit = "5"

// A mispEvent is an event without its attributes and objects, which are written after it.
type mispEvent struct {
	UUID           string           `json:"uuid"`
	Info           string           `json:"info"`
	Date           string           `json:"date"`
	Timestamp      string           `json:"timestamp"`
	ThreatLevel    string           `json:"threat_level_id"`
	Analysis       string           `json:"analysis"`
	Distribution   string           `json:"distribution"`
	Published      bool             `json:"published"`
	AttributeCount string           `json:"attribute_count"`
	Creator        mispOrganization `json:"Orgc"`
	Tags           []mispTag        `json:"Tag"`
}

type mispOrganization struct {
	UUID string `json:"uuid"`
	Name string `json:"name"`
}

type mispTag struct {
	Name string `json:"name"`
}

type mispAttribute struct {
	UUID          string    `json:"uuid"`
	Relation      string    `json:"object_relation,omitempty"`
	Type          string    `json:"type"`
	Category      string    `json:"category"`
	Value         string    `json:"value"`
	ToIDS         bool      `json:"to_ids"`
	NoCorrelation bool      `json:"disable_correlation"`
	Distribution  string    `json:"distribution"`
	Timestamp     string    `json:"timestamp"`
	Comment       string    `json:"comment,omitempty"`
	Tags          []mispTag `json:"Tag,omitempty"`
}

// A mispTemplate is a definition of objects.
type mispTemplate struct {
	Name         string `json:"name"`
	MetaCategory string `json:"meta-category"`
	UUID         string `json:"template_uuid"`
	Version      string `json:"template_version"`
}

type mispObject struct {
	mispTemplate
	ID           string           `json:"uuid"`
	Distribution string           `json:"distribution"`
	Timestamp    string           `json:"timestamp"`
	Attributes   []*mispAttribute `json:"Attribute"`
	References   []mispReference  `json:"ObjectReference,omitempty"`
}

type mispReference struct {
	UUID     string `json:"uuid"`
	Object   string `json:"object_uuid"`
	Target   string `json:"referenced_uuid"`
	Relation string `json:"relationship_type"`
}

var (
	mispIPPort        = mispTemplate{"ip-port", "network", "9f8cea74-16fe-4968-a2b4-026676949ac6", "10"}
	mispX509          = mispTemplate{"x509", "network", "d1ab756a-26b5-4349-9f43-765630f0911c", "14"}
	mispVulnerability = mispTemplate{"vulnerability", "vulnerability", "81650945-f186-437b-8945-9f31715d32da", "12"}
)

// A mispKind is what attributes of an object have in common: their relation to it, their type and their category.
type mispKind struct{ relation, kind, category string }

var (
	mispAddress     = &mispKind{"ip-dst", "ip-dst", mispNetwork}
	mispPort        = &mispKind{"dst-port", "port", mispNetwork}
	mispHostname    = &mispKind{"hostname", "hostname", mispNetwork}
	mispAS          = &mispKind{"AS", "AS", mispNetwork}
	mispCountry     = &mispKind{"country-code", "text", mispAnalysis}
	mispLastSeen    = &mispKind{"last-seen", "datetime", mispOther}
	mispText        = &mispKind{"text", "text", mispOther}
	mispSHA256      = &mispKind{"x509-fingerprint-sha256", "x509-fingerprint-sha256", mispNetwork}
	mispSHA1        = &mispKind{"x509-fingerprint-sha1", "x509-fingerprint-sha1", mispNetwork}
	mispSerial      = &mispKind{"serial-number", "text", mispOther}
	mispSubject     = &mispKind{"subject", "text", mispOther}
	mispIssuer      = &mispKind{"issuer", "text", mispOther}
	mispNotAfter    = &mispKind{"validity-not-after", "datetime", mispOther}
	mispCVE         = &mispKind{"id", "vulnerability", mispAnalysis}
	mispDescription = &mispKind{"description", "text", mispOther}
)

// A mispField is the value of an attribute of an object.
type mispField struct {
	*mispKind
	value string
}

// isCommon reports whether many hosts have such values, which are not correlated.
func (k *mispKind) isCommon() bool {
	switch k.kind {
	case "port", "text", "datetime", "AS":
		return true
	}
	return false
}

// mispThreatLevels are the threat levels of the platform: high, medium, low and undefined.
var mispThreatLevels = map[reputation.Level]int{
	reputation.Critical: 1, reputation.High: 1, reputation.Medium: 2, reputation.Low: 3, reputation.Unknown: 4,
}

func mispTime(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

// newMISPTag returns a tag of the tool.
func newMISPTag(name, value string) mispTag {
	return mispTag{"shodanrep:" + name + `="` + strings.ReplaceAll(value, `"`, "'") + `"`}
}

// newMISPTags returns the tags of an address.
func newMISPTags(level reputation.Level, status, policy string) []mispTag {
	return []mispTag{newMISPTag("level", string(level)), newMISPTag("status", status), newMISPTag("policy", policy)}
}

// newMISPEvent returns an event with an id for its parts.
func newMISPEvent(policy string, idParts ...string) mispEvent {
	return mispEvent{
		UUID: idOf(idParts...).String(), Distribution: "0", Creator: mispOrganization{idOf("organization").String(), "shodanrep"},
		Tags: []mispTag{newMISPTag("policy", policy)},
	}
}

// complete adds when the newest verdict is from, the worst level, whether the analysis is complete, and how many
// attributes the event and its objects have.
func (e *mispEvent) complete(changed time.Time, worst reputation.Level, isComplete bool, attributes int) {
	e.Date, e.Timestamp = changed.UTC().Format(time.DateOnly), mispTime(changed)
	e.Analysis = "2"
	if !isComplete {
		e.Analysis = "1"
	}
	e.ThreatLevel = strconv.Itoa(mispThreatLevels[worst])
	e.AttributeCount = strconv.Itoa(attributes)
}

// mispIDs makes the ids of the parts of an event.
type mispIDs struct{ event uuid.UUID }

// ids returns what makes the ids of the parts of the event.
func (e *mispEvent) ids() mispIDs { return mispIDs{uuid.MustParse(e.UUID)} }

// id returns the id of a part.
func (s mispIDs) id(name ...string) string {
	return uuid.NewSHA1(s.event, []byte(strings.Join(name, "\x00"))).String()
}

// objectID returns the id of an object about something with a name.
func (s mispIDs) objectID(template mispTemplate, name string) string {
	return s.id(template.Name, name)
}

// newObject returns an object about something with a name. It can have several ports and host names; of other fields it
// has one, and the id of its attribute stays the same when its value changes.
func (s mispIDs) newObject(template mispTemplate, at time.Time, name string, fields []mispField) *mispObject {
	object := &mispObject{
		mispTemplate: template, ID: s.objectID(template, name), Distribution: mispInherit, Timestamp: mispTime(at),
		Attributes: make([]*mispAttribute, len(fields)),
	}
	for i, f := range fields {
		id := []string{object.ID, f.relation}
		if f.mispKind == mispPort || f.mispKind == mispHostname {
			id = append(id, f.value)
		}
		object.Attributes[i] = &mispAttribute{
			UUID: s.id(id...), Relation: f.relation, Type: f.kind, Category: f.category, Value: f.value, NoCorrelation: f.isCommon(),
			Distribution: mispInherit, Timestamp: object.Timestamp,
		}
	}
	return object
}

// refer adds a reference from an object to another part.
func (s mispIDs) refer(from *mispObject, to string) {
	from.References = append(from.References, mispReference{s.id("reference", from.ID, to), from.ID, to, "related-to"})
}

// mispFlush is how much of an event is made before it is written.
const mispFlush = 64 << 10

// A mispEventWriter writes an event, its attributes and then its objects.
type mispEventWriter struct {
	out     io.Writer
	b       bytes.Buffer
	parts   int  // of the list that is being written
	objects bool // whether it is the list of objects
	err     error
}

func newMISPEventWriter(out io.Writer, event mispEvent) *mispEventWriter {
	w := &mispEventWriter{out: out}
	w.b.WriteString(`{"Event":`)
	rowformat.AppendJSON(&w.b, event)
	w.b.Truncate(w.b.Len() - len("}"))
	w.b.WriteString(`,"Attribute":[`)
	return w
}

// write writes an element of the list.
func (w *mispEventWriter) write(part any) {
	if w.parts++; w.parts > 1 {
		w.b.WriteByte(',')
	}
	rowformat.AppendJSON(&w.b, part)
	if w.b.Len() >= mispFlush {
		w.flush()
	}
}

// flush writes what was made. After an error it drops it.
func (w *mispEventWriter) flush() {
	if w.err == nil {
		_, w.err = w.b.WriteTo(w.out)
	}
	w.b.Reset()
}

// attribute writes an attribute of the event. All attributes must be written before the first object.
func (w *mispEventWriter) attribute(a *mispAttribute) {
	w.write(a)
}

// object writes an object.
func (w *mispEventWriter) object(o *mispObject) {
	w.beginObjects()
	w.write(o)
}

func (w *mispEventWriter) beginObjects() {
	if !w.objects {
		w.b.WriteString(`],"Object":[`)
		w.objects, w.parts = true, 0
	}
}

// close completes the event, and returns the first error of writing it.
func (w *mispEventWriter) close() error {
	w.beginObjects()
	w.b.WriteString("]}}\n")
	w.flush()
	return w.err
}
