package report

import (
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// mispPivots are the types of attributes for shared values, and the form that MISP wants of them. Others are text.
var mispPivots = map[shodan.Pivot]struct {
	kind string
	form *regexp.Regexp
}{
	shodan.FingerprintSHA256: {"x509-fingerprint-sha256", sha256Form},
	shodan.JARM:              {"jarm-fingerprint", regexp.MustCompile(`^[0-9a-f]{62}$`)},
	shodan.Favicon:           {"favicon-mmh3", regexp.MustCompile(`^-?\d{1,10}$`)},
	shodan.SSHHostKey:        {"ssh-fingerprint", regexp.MustCompile(`^[0-9a-f]{2}(:[0-9a-f]{2}){15}$`)},
	shodan.HASSH:             {"hasshserver-md5", regexp.MustCompile(`^[0-9a-f]{32}$`)},
	shodan.ASN:               {"AS", regexp.MustCompile(`^as\d{1,10}$`)},
}

// mispValue returns a shared value as an attribute: as text, it has the name of the pivot before it.
func mispValue(pivot shodan.Pivot, value string) (kind, category, text string) {
	if p, ok := mispPivots[pivot]; ok {
		if text = matching(p.form, value); text != "" {
			return p.kind, mispNetwork, strings.TrimPrefix(text, "as")
		}
	}
	return "text", mispOther, string(pivot) + " " + value
}

// WriteRelatedMISP writes related hosts as a MISP event: the addresses and the shared values as attributes, and an
// object per host that refers to them.
func WriteRelatedMISP(out io.Writer, r RelatedHosts) error {
	event := newMISPEvent(r.Policy, append([]string{"related event", r.Policy}, r.addresses()...)...)
	parts := mispParts{mispIDs: event.ids()}
	ids := map[string]string{r.IP: parts.attribute(r, "ip-dst", mispNetwork, r.IP, "the address that the others are related to").UUID}
	worst, unchecked := reputation.Unknown, 0
	for _, h := range r.Hosts {
		level := reputation.Unknown
		if h.Score != nil {
			level = reputation.Level(h.Level)
		}
		if mispThreatLevels[level] < mispThreatLevels[worst] {
			worst = level
		}
		if h.isUnchecked() {
			unchecked++
		}
		a := parts.attribute(r, "ip-dst", mispNetwork, h.IP, h.abstract()+"; "+strings.ReplaceAll(h.relation(), "\n", "; "))
		a.Tags = newMISPTags(level, h.Status, h.Policy)
		ids[h.IP] = a.UUID
	}
	for _, h := range r.Hosts {
		name := string(h.Pivot) + " " + h.Value
		if ids[name] == "" {
			kind, category, value := mispValue(h.Pivot, h.Value)
			ids[name] = parts.attribute(r, kind, category, value, "the "+string(h.Pivot)+" that hosts share").UUID
		}
		fields := []mispField{{mispAddress, h.IP}}
		if h.Port > 0 {
			fields = append(fields, mispField{mispPort, strconv.FormatInt(h.Port, 10)})
		}
		object := parts.newObject(mispIPPort, r.day(), h.IP, append(fields, mispField{mispText, h.relation()}))
		parts.refer(object, ids[h.From])
		parts.refer(object, ids[name])
		parts.objects = append(parts.objects, object)
	}
	event.Info = fmt.Sprintf("shodanrep: %s to %s by the policy %s, %d not checked", display.Plural(int64(len(r.Hosts)), "related host"), r.IP, r.Policy, unchecked)
	event.complete(r.day(), worst, unchecked == 0 && r.Complete, parts.count())
	return parts.write(newMISPEventWriter(rowformat.JSONOutput(out), event))
}

// mispParts are the parts of an event about related hosts.
type mispParts struct {
	mispIDs
	attributes []*mispAttribute
	objects    []*mispObject
}

// attribute adds an attribute that is not an indicator.
func (p *mispParts) attribute(r RelatedHosts, kind, category, value, comment string) *mispAttribute {
	a := &mispAttribute{
		UUID: p.id(kind, value), Type: kind, Category: category, Value: value, NoCorrelation: kind == "text" || kind == "AS",
		Distribution: mispInherit, Timestamp: mispTime(r.day()), Comment: comment,
	}
	p.attributes = append(p.attributes, a)
	return a
}

// count returns the number of attributes of the event and of its objects.
func (p *mispParts) count() int {
	count := len(p.attributes)
	for _, object := range p.objects {
		count += len(object.Attributes)
	}
	return count
}

func (p *mispParts) write(w *mispEventWriter) error {
	for _, a := range p.attributes {
		w.attribute(a)
	}
	for _, object := range p.objects {
		w.object(object)
	}
	return w.close()
}
