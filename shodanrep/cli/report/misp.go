package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// The categories of attributes.
const (
	mispNetwork  = "Network activity"
	mispAnalysis = "External analysis"
	mispOther    = "Other"
)

// mispInherit is the distribution of what is as visible as its event.
const mispInherit = "5"

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
	Attributes     []*mispAttribute `json:"Attribute"`
	Objects        []*mispObject    `json:"Object"`
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

// A mispWriter writes one event with all results. The ids of attributes depend on the event, because a platform has each
// id once; the id of the event depends on the policy and the addresses.
type mispWriter struct {
	out     io.Writer
	options Options
	results []Result
	// Of Close:
	event   mispEvent
	changed time.Time              // the newest time of a verdict
	shared  map[string]*mispObject // certificates and vulnerabilities, by their names
}

func newMISPWriter(out io.Writer, o Options) Writer {
	return &mispWriter{out: rowformat.JSONOutput(out), options: o, shared: map[string]*mispObject{}}
}

func (w *mispWriter) Write(r Result) error {
	w.results = append(w.results, r)
	return nil
}

func (w *mispWriter) Close() error {
	summary := w.options.Summary()
	addresses := []string{summary.Policy}
	for _, r := range w.results {
		addresses = append(addresses, r.value())
	}
	slices.Sort(addresses[1:])
	w.event = newMISPEvent(summary.Policy, append([]string{"event"}, addresses...)...)
	worst, unchecked := reputation.Unknown, 0
	for _, r := range w.results {
		if IsUnchecked(r.Verdict) {
			unchecked++
		}
		if mispThreatLevels[r.Level()] < mispThreatLevels[worst] {
			worst = r.Level()
		}
		w.add(r)
	}
	w.event.Info = fmt.Sprintf("shodanrep: %s by the policy %s, %d not checked", display.Plural(int64(len(w.results)), "address"), summary.Policy, unchecked)
	if w.changed.IsZero() {
		w.changed = w.options.Now.UTC().Truncate(24 * time.Hour)
	}
	w.event.Date, w.event.Timestamp = w.changed.UTC().Format(time.DateOnly), mispTime(w.changed)
	return w.writeEvent(worst, unchecked == 0)
}

// newMISPEvent returns an event without attributes, with an id for its parts.
func newMISPEvent(policy string, idParts ...string) mispEvent {
	return mispEvent{
		UUID: idOf(idParts...).String(), Distribution: "0", Creator: mispOrganization{idOf("organization").String(), "shodanrep"},
		Tags: []mispTag{newMISPTag("policy", policy)}, Attributes: []*mispAttribute{}, Objects: []*mispObject{},
	}
}

// writeEvent completes the event with the worst level, and whether the analysis is complete, and writes it.
func (w *mispWriter) writeEvent(worst reputation.Level, isComplete bool) error {
	w.event.Analysis = "2"
	if !isComplete {
		w.event.Analysis = "1"
	}
	w.event.ThreatLevel = strconv.Itoa(mispThreatLevels[worst])
	w.event.AttributeCount = strconv.Itoa(w.countAttributes())
	var b bytes.Buffer
	rowformat.AppendJSON(&b, map[string]any{"Event": w.event})
	b.WriteByte('\n')
	_, err := b.WriteTo(w.out)
	return err
}

// countAttributes returns the number of attributes of the event and of its objects.
func (w *mispWriter) countAttributes() int {
	count := len(w.event.Attributes)
	for _, object := range w.event.Objects {
		count += len(object.Attributes)
	}
	return count
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

// id returns the id of a part of the event.
func (w *mispWriter) id(name ...string) string {
	return uuid.NewSHA1(uuid.MustParse(w.event.UUID), []byte(strings.Join(name, "\x00"))).String()
}

// add adds a result: the address as an attribute, and what is known of the host as objects.
func (w *mispWriter) add(r Result) {
	at := w.options.eventTime(r)
	if at.After(w.changed) {
		w.changed = at
	}
	isIndicator := w.options.isIndicator(r)
	w.event.Attributes = append(w.event.Attributes, &mispAttribute{
		UUID: w.id("ip-dst", r.value()), Type: "ip-dst", Category: mispNetwork, Value: r.value(), ToIDS: isIndicator,
		Distribution: mispInherit, Timestamp: mispTime(at), Comment: r.abstract() + ": " + r.reasonText(),
		Tags: []mispTag{newMISPTag("level", string(r.Level())), newMISPTag("status", string(r.Status())), newMISPTag("policy", r.PolicyName())},
	})
	h := r.Host()
	if h == nil {
		return
	}
	object := w.object(mispIPPort, at, r.value())
	object.add(w, "ip-dst", "ip-dst", mispNetwork, r.value())
	object.Attributes[0].ToIDS = isIndicator
	for _, port := range h.Ports {
		object.add(w, "dst-port", "port", mispNetwork, strconv.Itoa(port))
	}
	for _, name := range domains(h) {
		object.add(w, "hostname", "hostname", mispNetwork, name)
	}
	if number, ok := r.asn(); ok {
		object.add(w, "AS", "AS", mispNetwork, strconv.FormatInt(number, 10))
	}
	object.add(w, "country-code", "text", mispAnalysis, r.country())
	object.add(w, "last-seen", "datetime", mispOther, timestamp(w.options.observedAt(r)))
	object.add(w, "text", "text", mispOther, strings.Join(r.pointedReasons(), "\n"))
	for _, c := range certificates(h) {
		w.refer(object, w.certificate(c, at))
	}
	for _, id := range h.Vulns.IDs() {
		w.refer(object, w.vulnerability(id, at))
	}
}

// object adds an object about something with a name.
func (w *mispWriter) object(template mispTemplate, at time.Time, name string) *mispObject {
	object := &mispObject{
		mispTemplate: template, ID: w.id(template.Name, name), Distribution: mispInherit, Timestamp: mispTime(at),
	}
	w.event.Objects = append(w.event.Objects, object)
	return object
}

// add adds an attribute, unless it is empty. Values that many hosts have are not correlated. An object can have several
// ports and host names; of the others it has one, whose id stays the same when its value changes.
func (o *mispObject) add(w *mispWriter, relation, kind, category, value string) {
	if value == "" {
		return
	}
	isCommon := slices.Contains([]string{"port", "text", "datetime", "AS"}, kind)
	id := w.id(o.ID, relation)
	if kind == "port" || kind == "hostname" {
		id = w.id(o.ID, relation, value)
	}
	o.Attributes = append(o.Attributes, &mispAttribute{
		UUID: id, Relation: relation, Type: kind, Category: category, Value: value, NoCorrelation: isCommon,
		Distribution: mispInherit, Timestamp: o.Timestamp,
	})
}

// refer adds a reference from an object to another one.
func (w *mispWriter) refer(from, to *mispObject) {
	from.References = append(from.References, mispReference{w.id("reference", from.ID, to.ID), from.ID, to.ID, "related-to"})
}

// certificate returns the object of a certificate, which several hosts can have.
func (w *mispWriter) certificate(c certificate, at time.Time) *mispObject {
	name := c.sha256 + " " + c.sha1
	object := w.shared[name]
	if object == nil {
		object = w.object(mispX509, at, name)
		w.shared[name] = object
		object.add(w, "x509-fingerprint-sha256", "x509-fingerprint-sha256", mispNetwork, c.sha256)
		object.add(w, "x509-fingerprint-sha1", "x509-fingerprint-sha1", mispNetwork, c.sha1)
		object.add(w, "serial-number", "text", mispOther, c.serial)
		object.add(w, "subject", "text", mispOther, c.subject)
		object.add(w, "issuer", "text", mispOther, c.issuer)
		if !c.expires.IsZero() {
			object.add(w, "validity-not-after", "datetime", mispOther, timestamp(c.expires))
		}
	}
	return object
}

// vulnerability returns the object of a vulnerability, which several hosts can have.
func (w *mispWriter) vulnerability(id string, at time.Time) *mispObject {
	object := w.shared[id]
	if object == nil {
		object = w.object(mispVulnerability, at, id)
		w.shared[id] = object
		if isCVE(id) {
			object.add(w, "id", "vulnerability", mispAnalysis, id)
		} else { // the type is for CVE ids
			object.add(w, "description", "text", mispOther, id)
		}
	}
	return object
}
