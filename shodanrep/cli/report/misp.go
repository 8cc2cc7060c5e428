package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// A mispWriter writes one event with all results. The ids of attributes depend on the event, because a platform has each
// id once; the id of the event depends on the policy and the addresses. So nothing can be written before Close: until then
// the writer keeps of each result only what the event has of it.
type mispWriter struct {
	out        io.Writer
	options    Options
	results    []*mispResult
	attributes int       // of the results and of all objects
	changed    time.Time // the newest time of a verdict
	worst      reputation.Level
	unchecked  int
	// shared are the certificates and vulnerabilities, which several hosts can have, in the order in which they were added,
	// and numbers are their indexes by their names.
	shared  []mispShared
	numbers map[string]int32
}

// A mispResult is what the event has of a result.
type mispResult struct {
	value, comment string
	at             time.Time
	isIndicator    bool
	isUnchecked    bool
	level          reputation.Level
	status, policy string
	host           *mispHost // nil if nothing is known
}

// A mispHost is what the event has of a host: the fields of its object, and the objects to which that one refers. Those
// from the number first on are new with this host.
type mispHost struct {
	fields     []mispField
	references []int32
	first      int32
}

// A mispShared is an object that several hosts can have.
type mispShared struct {
	template mispTemplate
	name     string
	fields   []mispField
}

func newMISPWriter(out io.Writer, o Options) Writer {
	return &mispWriter{out: rowformat.JSONOutput(out), options: o, worst: reputation.Unknown, numbers: map[string]int32{}}
}

func (w *mispWriter) Write(r Result) error {
	return w.Reduce(r)()
}

func (w *mispWriter) Reduce(r Result) (add func() error) {
	m := &mispResult{
		value: r.value(), comment: r.abstract() + ": " + r.reasonText(), at: w.options.eventTime(r), isIndicator: w.options.isIndicator(r),
		isUnchecked: IsUnchecked(r.Verdict), level: r.Level(), status: string(r.Status()), policy: r.PolicyName(),
	}
	if r.Host() == nil {
		return func() error { return w.add(m, nil) }
	}
	m.host = &mispHost{fields: w.fields(r)}
	var shared []mispShared
	for _, c := range certificates(r.Host()) {
		shared = append(shared, c.mispObject())
	}
	for _, id := range r.Host().Vulns.IDs() {
		shared = append(shared, mispVulnerabilityOf(strings.Clone(id)))
	}
	return func() error { return w.add(m, shared) }
}

// add adds a result, and the objects to which its host refers.
func (w *mispWriter) add(m *mispResult, shared []mispShared) error {
	w.results = append(w.results, m)
	w.attributes++
	if m.at.After(w.changed) {
		w.changed = m.at
	}
	if m.isUnchecked {
		w.unchecked++
	}
	if mispThreatLevels[m.level] < mispThreatLevels[w.worst] {
		w.worst = m.level
	}
	if m.host == nil {
		return nil
	}
	w.attributes += len(m.host.fields)
	m.host.first, m.host.references = int32(len(w.shared)), make([]int32, len(shared))
	for i, object := range shared {
		number, isKnown := w.numbers[object.name]
		if !isKnown {
			number = int32(len(w.shared))
			w.numbers[object.name] = number
			w.shared = append(w.shared, object)
			w.attributes += len(object.fields)
		}
		m.host.references[i] = number
	}
	return nil
}

// fields returns the fields of the object about a host.
func (w *mispWriter) fields(r Result) []mispField {
	h := r.Host()
	fields := []mispField{{mispAddress, r.value()}}
	for _, port := range h.Ports {
		fields = append(fields, mispField{mispPort, strconv.Itoa(port)})
	}
	for _, name := range domains(h) {
		fields = append(fields, mispField{mispHostname, strings.Clone(name)})
	}
	if number, ok := r.asn(); ok {
		fields = append(fields, mispField{mispAS, strconv.FormatInt(number, 10)})
	}
	return notEmpty(append(fields,
		mispField{mispCountry, strings.Clone(r.country())},
		mispField{mispLastSeen, timestamp(w.options.observedAt(r))},
		mispField{mispText, strings.Join(r.pointedReasons(), "\n")},
	))
}

// notEmpty returns the fields that are not empty, in no more memory than they need.
func notEmpty(fields []mispField) []mispField {
	return slices.Clip(slices.DeleteFunc(fields, func(f mispField) bool { return f.value == "" }))
}

// mispObject returns the object of a certificate.
func (c certificate) mispObject() mispShared {
	fields := []mispField{
		{mispSHA256, c.sha256},
		{mispSHA1, c.sha1},
		{mispSerial, strings.Clone(c.serial)},
		{mispSubject, c.subject},
		{mispIssuer, c.issuer},
	}
	if !c.expires.IsZero() {
		fields = append(fields, mispField{mispNotAfter, timestamp(c.expires)})
	}
	return mispShared{mispX509, c.sha256 + " " + c.sha1, notEmpty(fields)}
}

// mispVulnerabilityOf returns the object of a vulnerability.
func mispVulnerabilityOf(id string) mispShared {
	field := mispField{mispCVE, id}
	if !isCVE(id) { // the type is for CVE ids
		field = mispField{mispDescription, id}
	}
	return mispShared{mispVulnerability, id, []mispField{field}}
}

func (w *mispWriter) Close() error {
	summary := w.options.Summary()
	addresses := []string{summary.Policy}
	for _, m := range w.results {
		addresses = append(addresses, m.value)
	}
	slices.Sort(addresses[1:])
	event := newMISPEvent(summary.Policy, append([]string{"event"}, addresses...)...)
	event.Info = fmt.Sprintf("shodanrep: %s by the policy %s, %d not checked", display.Plural(int64(len(w.results)), "address"), summary.Policy, w.unchecked)
	if w.changed.IsZero() {
		w.changed = w.options.Now.UTC().Truncate(24 * time.Hour)
	}
	event.complete(w.changed, w.worst, w.unchecked == 0, w.attributes)
	e, ids := newMISPEventWriter(w.out, event), event.ids()
	for _, m := range w.results {
		e.attribute(&mispAttribute{
			UUID: ids.id("ip-dst", m.value), Type: "ip-dst", Category: mispNetwork, Value: m.value, ToIDS: m.isIndicator,
			Distribution: mispInherit, Timestamp: mispTime(m.at), Comment: m.comment, Tags: newMISPTags(m.level, m.status, m.policy),
		})
	}
	for _, m := range w.results {
		if m.host == nil {
			continue
		}
		object := ids.newObject(mispIPPort, m.at, m.value, m.host.fields)
		object.Attributes[0].ToIDS = m.isIndicator
		for _, number := range m.host.references {
			ids.refer(object, ids.objectID(w.shared[number].template, w.shared[number].name))
		}
		e.object(object)
		for _, number := range m.host.references {
			if number >= m.host.first {
				e.object(ids.newObject(w.shared[number].template, m.at, w.shared[number].name, w.shared[number].fields))
			}
		}
	}
	return e.close()
}
