package report

import (
	"io"
	"strconv"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// WriteRelatedSTIX writes related hosts as a STIX bundle: each address with its verdict, each shared value as an
// infrastructure of which the addresses are parts, and the relationships.
func WriteRelatedSTIX(out io.Writer, r RelatedHosts) error {
	w := newSTIXWriter(out, Options{Now: r.Now}).(*stixWriter)
	addresses := map[string]string{r.IP: w.relatedAddress(r.IP, nil)}
	for _, h := range r.Hosts {
		addresses[h.IP] = w.relatedAddress(h.IP, &h)
	}
	written := map[string]bool{}
	relate := func(kind, source, target string) {
		if key := kind + source + target; !written[key] {
			written[key] = true
			w.relationship(kind, source, target)
		}
	}
	for _, h := range r.Hosts {
		shared := w.infrastructure(h)
		if object := w.sharedObservable(h); object != "" {
			relate("consists-of", shared, object)
		}
		relate("consists-of", shared, addresses[h.From])
		relate("consists-of", shared, addresses[h.IP])
		relate("related-to", addresses[h.From], addresses[h.IP])
		w.relatedNote(r, h, []string{addresses[h.IP], shared})
	}
	return w.Close()
}

// relatedAddress adds an address. The one that the others are related to has no verdict.
func (w *stixWriter) relatedAddress(ip string, h *RelatedHost) string {
	object := stixAddress{stixObject: observable(kindOf(ip), map[string]any{"value": ip}), Value: ip}
	if h != nil {
		object.Status = h.Status
		if h.Score != nil {
			object.Score = new(min(int(*h.Score), 100))
		}
	}
	w.add(object)
	return object.ID
}

// infrastructure adds the value that a host shares.
func (w *stixWriter) infrastructure(h RelatedHost) string {
	name := string(h.Pivot) + " " + h.Value
	object := stixInfrastructure{
		stixDomainObject: w.domainObject("infrastructure", stixCreated, name),
		Name:             name, Description: "Hosts that share the " + name, Types: []string{"unknown"},
	}
	w.addShared(object.ID, object)
	return object.ID
}

// sharedObservable adds the observable that the shared value is, if STIX has one, and returns its id.
func (w *stixWriter) sharedObservable(h RelatedHost) string {
	var id string
	var object any
	switch h.Pivot {
	case shodan.FingerprintSHA256, shodan.CertSerial:
		c := certificate{}
		if h.Pivot == shodan.CertSerial {
			c.serial = matching(serialForm, h.Value)
		} else {
			c.sha256 = matching(sha256Form, h.Value)
		}
		if c.serial+c.sha256 == "" {
			return ""
		}
		found := newSTIXCertificate(c)
		id, object = found.ID, found
	case shodan.ASN:
		number, err := strconv.ParseInt(strings.TrimPrefix(strings.ToUpper(h.Value), "AS"), 10, 64)
		if err != nil {
			return ""
		}
		found := stixAutonomousSystem{observable("autonomous-system", map[string]any{"number": number}), number}
		id, object = found.ID, found
	case shodan.SubjectCN:
		name, err := shodan.HostName(h.Value)
		if err != nil {
			return ""
		}
		found := stixDomainName{observable("domain-name", map[string]any{"value": name}), name}
		id, object = found.ID, found
	default:
		return ""
	}
	w.addShared(id, object)
	return id
}

// relatedNote adds what a host shares, and its verdict. The note is not that of a check, which has the reasons.
func (w *stixWriter) relatedNote(r RelatedHosts, h RelatedHost, refs []string) {
	labels := h.labels()
	object := stixNote{
		stixDomainObject: w.domainObject("note", r.day(), "related", h.From, h.IP, h.Policy),
		Abstract:         h.abstract(), Content: h.relation(), Authors: []string{"shodanrep"}, ObjectRefs: refs, Labels: labels,
		Status: h.Status, Level: strings.TrimPrefix(labels[0], "level:"), Policy: h.Policy,
	}
	if h.Score != nil {
		object.Score = new(int(*h.Score))
	}
	w.add(object)
}
