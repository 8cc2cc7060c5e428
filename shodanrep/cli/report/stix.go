package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"hash"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
)

// observableSpace is STIX's namespace of the ids of observables.
var observableSpace = uuid.MustParse("00abedb4-aa42-466c-9c01-fed23315a9b7")

// stixCreated is when all objects were created. All versions of an object must have the same time, and the ids are the
// same in all checks.
var stixCreated = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// A stixWriter writes a bundle as results arrive. The id of the bundle comes last, because it depends on the objects.
type stixWriter struct {
	out      io.Writer
	options  Options
	identity string
	shared   map[string]bool // the ids of the written objects that several addresses can have
	objects  int
	content  hash.Hash // of all objects
	b        bytes.Buffer
}

func newSTIXWriter(out io.Writer, o Options) Writer {
	w := &stixWriter{out: rowformat.JSONOutput(out), options: o, shared: map[string]bool{}, content: sha256.New()}
	w.b.WriteString("{\n \"type\": \"bundle\",\n \"objects\": [")
	identity := stixIdentity{
		stixDomainObject: w.domainObject("identity", stixCreated, "shodanrep"),
		Name:             "shodanrep", Description: "Scores IP addresses from Shodan's data: " + projectURL, Class: "system",
	}
	w.identity = identity.ID
	w.add(identity)
	return w
}

func (w *stixWriter) Write(r Result) error {
	address := w.address(r)
	refs := []string{address}
	if w.options.isIndicator(r) {
		indicator := w.indicator(r)
		w.relationship("based-on", indicator, address)
		refs = append(refs, indicator)
	}
	w.note(r, refs)
	w.related(r, address)
	_, err := w.b.WriteTo(w.out)
	return err
}

func (w *stixWriter) Close() error {
	id := "bundle--" + uuid.NewSHA1(idSpace, w.content.Sum(nil)).String()
	w.b.WriteString("\n ],\n \"id\": ")
	rowformat.AppendJSON(&w.b, id)
	w.b.WriteString("\n}\n")
	_, err := w.b.WriteTo(w.out)
	return err
}

// addShared writes an object that several addresses can have, unless it is written.
func (w *stixWriter) addShared(id string, object any) {
	if !w.shared[id] {
		w.shared[id] = true
		w.add(object)
	}
}

// add writes an object.
func (w *stixWriter) add(object any) {
	if w.objects++; w.objects > 1 {
		w.b.WriteByte(',')
	}
	w.b.WriteString("\n  ")
	start := w.b.Len()
	rowformat.AppendJSON(&w.b, object)
	w.content.Write(w.b.Bytes()[start:])
}

// domainObject returns what an object has that is about something with a name.
func (w *stixWriter) domainObject(kind string, modified time.Time, name ...string) stixDomainObject {
	if modified.Before(stixCreated) {
		modified = stixCreated
	}
	return stixDomainObject{
		stixObject: stixObject{kind, "2.1", kind + "--" + idOf(append([]string{kind}, name...)...).String()},
		CreatedBy:  w.identity, Created: timestamp(stixCreated), Modified: timestamp(modified),
	}
}

// observable returns what an observable has. Its id is made as the specification says: of the properties by which it is
// known, as JSON with sorted keys.
func observable(kind string, properties map[string]any) stixObject {
	name, err := json.Marshal(properties)
	if err != nil {
		panic(err) // texts and numbers
	}
	return stixObject{kind, "2.1", kind + "--" + uuid.NewSHA1(observableSpace, name).String()}
}

// labels returns level, status and policy.
func (r Result) labels() []string {
	return []string{"level:" + string(r.Level()), "status:" + string(r.Status()), "policy:" + r.PolicyName()}
}

func (w *stixWriter) address(r Result) string {
	object := stixAddress{
		stixObject: observable(r.kindOf(), map[string]any{"value": r.value()}),
		Value:      r.value(), Score: r.percent(), Status: string(r.Status()),
	}
	w.add(object)
	return object.ID
}

func (w *stixWriter) indicator(r Result) string {
	from := w.options.observedAt(r)
	object := stixIndicator{
		stixDomainObject: w.domainObject("indicator", w.options.scoredAt(r), r.value(), r.PolicyName()),
		Name:             r.value(), Description: r.abstract(), Types: indicatorTypes(r),
		Pattern: r.pattern(), PatternType: "stix",
		ValidFrom: timestamp(from), ValidUntil: timestamp(from.Add(currentFor)),
		Confidence: r.confidencePercent(), Labels: r.labels(), Score: *r.percent(),
	}
	w.add(object)
	return object.ID
}

// indicatorTypes returns the words of STIX for what Shodan's tags and the type of hosting say.
func indicatorTypes(r Result) []string {
	var types []string
	add := func(kind string, has bool) {
		if has {
			types = append(types, kind)
		}
	}
	hasTag := func(tags ...string) bool {
		return slices.ContainsFunc(tags, func(tag string) bool { return slices.Contains(r.Host().Tags, tag) })
	}
	add("malicious-activity", hasTag("c2", "malware"))
	add("compromised", hasTag("compromised"))
	add("anonymization", slices.Contains([]string{"tor", "proxy", "vpn"}, r.Score().Hosting.Type))
	if len(types) == 0 {
		types = []string{"unknown"}
	}
	return types
}

// note writes the reasons. A note on an address that was not checked has an id of its own: it must not replace the
// verdict of another day, nor be newer than the next one.
func (w *stixWriter) note(r Result, refs []string) {
	modified, about := w.options.eventTime(r), "verdict"
	lines := r.pointedReasons()
	if IsUnchecked(r.Verdict) {
		about = "not checked"
		lines = append(lines, "time: "+timestamp(modified))
	}
	object := stixNote{
		stixDomainObject: w.domainObject("note", modified, about, r.value(), r.PolicyName()),
		Abstract:         r.abstract(), Content: strings.Join(lines, "\n"), Authors: []string{"shodanrep"}, ObjectRefs: refs,
		Confidence: r.confidencePercent(), Labels: r.labels(),
		Status: string(r.Status()), Level: string(r.Level()), Policy: r.PolicyName(), Source: string(r.Answer().Source),
	}
	if s := r.Score(); s != nil {
		object.Score = new(s.Score)
	}
	w.add(object)
}

func (w *stixWriter) relationship(kind, source, target string) {
	object := stixRelationship{
		stixDomainObject: w.domainObject("relationship", stixCreated, kind, source, target),
		Kind:             kind, Source: source, Target: target,
	}
	w.add(object)
}

// related writes what Shodan knows about the host, and how it is related to the address.
func (w *stixWriter) related(r Result, address string) {
	h := r.Host()
	if h == nil {
		return
	}
	if number, ok := r.asn(); ok {
		object := stixAutonomousSystem{observable("autonomous-system", map[string]any{"number": number}), number}
		w.addShared(object.ID, object)
		w.relationship("belongs-to", address, object.ID)
	}
	for _, name := range domains(h) {
		object := stixDomainName{observable("domain-name", map[string]any{"value": name}), name}
		w.addShared(object.ID, object)
		w.relationship("resolves-to", object.ID, address)
	}
	for _, c := range certificates(h) {
		object := newSTIXCertificate(c)
		w.addShared(object.ID, object)
		w.relationship("related-to", address, object.ID)
	}
	for _, id := range h.Vulns.IDs() {
		object := stixVulnerability{stixDomainObject: w.domainObject("vulnerability", stixCreated, id), Name: id}
		if isCVE(id) {
			object.References = []stixReference{{"cve", id}}
		}
		w.addShared(object.ID, object)
		w.relationship("related-to", address, object.ID)
	}
}

func newSTIXCertificate(c certificate) stixCertificate {
	hashes, known := map[string]string{}, map[string]any{}
	if c.serial != "" {
		known["serial_number"] = c.serial
	}
	for _, h := range []struct{ algorithm, value string }{{"SHA-256", c.sha256}, {"SHA-1", c.sha1}} {
		if h.value != "" {
			hashes[h.algorithm] = h.value
			known["hashes"] = map[string]string{h.algorithm: h.value} // the last one, as the specification says
		}
	}
	object := stixCertificate{
		stixObject: observable("x509-certificate", known), Hashes: hashes, SerialNumber: c.serial,
		Subject: c.subject, Issuer: c.issuer, IsSelfSigned: c.isSelfSigned,
	}
	if !c.expires.IsZero() {
		object.NotAfter = timestamp(c.expires)
	}
	return object
}
