package history

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A Kind is a kind of change.
type Kind string

// The kinds of change. Compare does not return Level, which depends on a policy.
const (
	Level                Kind = "level"
	Indexed              Kind = "indexed"
	NotIndexed           Kind = "not_indexed"
	PortOpened           Kind = "port_opened"
	PortClosed           Kind = "port_closed"
	VulnerabilityAdded   Kind = "vulnerability_added"
	VulnerabilityRemoved Kind = "vulnerability_removed"
	TagAdded             Kind = "tag_added"
	TagRemoved           Kind = "tag_removed"
	Organization         Kind = "organization"
	Certificate          Kind = "certificate"
)

// Kinds returns all kinds of change, in the order in which Compare returns them.
func Kinds() []Kind {
	return []Kind{
		Level, Indexed, NotIndexed, PortOpened, PortClosed, VulnerabilityAdded, VulnerabilityRemoved, TagAdded, TagRemoved,
		Organization, Certificate,
	}
}

// A Change is one difference between two states of an address.
type Change struct {
	Kind Kind
	// Old and New are the values before and after. What was not there before has no Old, what is gone has no New.
	Old, New string
	// Port is the port that the change is about, nil if it is about the host.
	Port *int
}

// Compare returns how a host changed from one state to the next, as one source has them. Without a state before, the
// host is new.
//
// What a source does not say is no change: a host that is not indexed may have had the same ports all along, so it
// appears and disappears as a whole.
func Compare(before *State, after State) []Change {
	switch {
	case after.Host == nil && before == nil:
		return []Change{{Kind: NotIndexed}}
	case after.Host == nil && before.Host == nil:
		return nil
	case after.Host == nil:
		return []Change{{Kind: NotIndexed, Old: portList(before.Host.Ports)}}
	case before == nil || before.Host == nil:
		return []Change{{Kind: Indexed, New: portList(after.Host.Ports)}}
	}
	was, is := before.Host, after.Host
	var changes []Change
	for _, port := range missing(was.Ports, is.Ports) {
		changes = append(changes, Change{Kind: PortOpened, New: strconv.Itoa(port), Port: &port})
	}
	for _, port := range missing(is.Ports, was.Ports) {
		changes = append(changes, Change{Kind: PortClosed, Old: strconv.Itoa(port), Port: &port})
	}
	for _, id := range missing(was.Vulns.IDs(), is.Vulns.IDs()) {
		changes = append(changes, Change{Kind: VulnerabilityAdded, New: id})
	}
	for _, id := range missing(is.Vulns.IDs(), was.Vulns.IDs()) {
		changes = append(changes, Change{Kind: VulnerabilityRemoved, Old: id})
	}
	for _, tag := range missing(was.Tags, is.Tags) {
		changes = append(changes, Change{Kind: TagAdded, New: tag})
	}
	for _, tag := range missing(is.Tags, was.Tags) {
		changes = append(changes, Change{Kind: TagRemoved, Old: tag})
	}
	if old, new := string(was.Organization), string(is.Organization); old != "" && new != "" && old != new {
		changes = append(changes, Change{Kind: Organization, Old: old, New: new})
	}
	return append(changes, certificates(was, is)...)
}

// portList lists ports for people.
func portList(ports []int) string {
	texts := make([]string, len(ports))
	for i, port := range ports {
		texts[i] = strconv.Itoa(port)
	}
	return strings.Join(texts, ", ")
}

// missing returns the items of a list that another one lacks, sorted and each once.
func missing[T cmp.Ordered](from, list []T) []T {
	known := make(map[T]bool, len(from))
	for _, item := range from {
		known[item] = true
	}
	var items []T
	for _, item := range list {
		if !known[item] {
			known[item] = true
			items = append(items, item)
		}
	}
	slices.Sort(items)
	return items
}

// certificates returns the services that have a certificate in both states, and another one now. A fingerprint is
// compared with one of the same kind only.
func certificates(was, is *shodan.Host) []Change {
	before, after := fingerprints(was), fingerprints(is)
	var changes []Change
	for _, key := range slices.SortedFunc(maps.Keys(after), shodan.ServiceKey.Compare) {
		old, new := before[key], after[key]
		if old == "" || new == "" || len(old) != len(new) || old == new {
			continue
		}
		port := int(key.Port)
		change := Change{Kind: Certificate, Old: old, New: new, Port: &port}
		// The host names of one server often have one certificate.
		if !slices.ContainsFunc(changes, func(c Change) bool { return *c.Port == port && c.Old == old && c.New == new }) {
			changes = append(changes, change)
		}
	}
	return changes
}

// fingerprints returns the fingerprints of the certificates of a host, by service.
func fingerprints(host *shodan.Host) map[shodan.ServiceKey]string {
	found := map[shodan.ServiceKey]string{}
	for i := range host.Banners {
		b := &host.Banners[i]
		if b.SSL == nil || !b.Port.Valid {
			continue
		}
		prints := b.SSL.Cert.Fingerprint
		found[b.ServiceKey()] = strings.ToLower(string(cmp.Or(prints.SHA256, prints.SHA1)))
	}
	return found
}
