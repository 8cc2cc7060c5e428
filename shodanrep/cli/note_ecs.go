package cli

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// ecsFields are the fields of the Elastic Common Schema that ecsMembers adds to an event.
var ecsFields = []string{"threat.indicator", "threat.enrichments", "host.risk"}

// ecsMembers returns the members of the Elastic Common Schema that are added to a JSON object. Their names have dots,
// which Elasticsearch reads as nested objects, so they do not collide with an object host or threat of the event.
// Members that the schema does not have begin with the name of --field.
func ecsMembers(field, policy string, notes []*note) []byte {
	worst := worstOf(notes)
	var b bytes.Buffer
	for _, m := range ecsIndicator(worst) {
		appendMember(&b, "threat.indicator."+m.name, m.value)
	}
	if len(notes) > 1 {
		enrichments := make([]json.RawMessage, len(notes))
		for i, n := range notes {
			var indicator, enrichment bytes.Buffer
			indicator.WriteByte('{')
			for _, m := range ecsIndicator(n) {
				appendMember(&indicator, m.name, m.value)
			}
			indicator.WriteByte('}')
			enrichment.WriteByte('{')
			appendMember(&enrichment, "indicator", json.RawMessage(indicator.Bytes()))
			enrichment.WriteByte('}')
			enrichments[i] = enrichment.Bytes()
		}
		appendMember(&b, "threat.enrichments", rawList(enrichments))
	}
	appendMember(&b, "host.risk.static_level", strings.ToUpper(worst.level[:1])+worst.level[1:])
	if worst.score != nil {
		appendMember(&b, "host.risk.static_score", int64(*worst.score))
		appendMember(&b, "host.risk.static_score_norm", int64(min(*worst.score, 100)))
	}
	appendMember(&b, field+".status", string(worst.status))
	appendMember(&b, field+".policy", policy)
	appendMember(&b, field+".unchecked", uncheckedOf(notes))
	if worst.err != "" {
		appendMember(&b, field+".error", worst.err)
	}
	return b.Bytes()
}

type ecsMember struct {
	name  string
	value any
}

// ecsIndicator returns a note as fields of an indicator.
func ecsIndicator(n *note) []ecsMember {
	kind := "ipv4-addr"
	address, _, _ := strings.Cut(n.ip, "/")
	if addr, err := netip.ParseAddr(address); err == nil && addr.Is6() {
		kind = "ipv6-addr"
	}
	members := []ecsMember{{"type", kind}}
	if !n.network { // the field is an address
		members = append(members, ecsMember{"ip", n.ip})
	}
	members = append(members, ecsMember{"name", n.ip}, ecsMember{"confidence", ecsConfidence(n)})
	if len(n.reasons) > 0 {
		members = append(members, ecsMember{"description", strings.Join(n.reasons, "; ")})
	}
	if n.source != "" {
		members = append(members, ecsMember{"provider", n.source})
	}
	for _, f := range []struct{ name, column string }{
		{"last_seen", "last_update"}, {"geo.country_iso_code", "country_code"}, {"as.organization.name", "organization"},
	} {
		if value, ok := n.fields[f.column]; ok {
			members = append(members, ecsMember{f.name, value})
		}
	}
	return members
}

// ecsConfidence returns the confidence in the schema's words.
func ecsConfidence(n *note) string {
	confidence, ok := n.fields["confidence"].(float64)
	if !ok || n.status != lookup.Indexed {
		return report.ECSConfidence(nil)
	}
	return report.ECSConfidence(&confidence)
}
