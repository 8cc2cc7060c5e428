package cli

import (
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/annotate"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A lookupRound is the lookups of a part of the text.
type lookupRound struct {
	lookups           *scan.Lookups
	began             time.Time
	addresses, groups int
}

// A knownAddress is an address or a network that is looked up.
type knownAddress struct {
	prefix netip.Prefix
	round  *lookupRound
	target *scan.Target
	note   *note // nil until the writing goroutine needs it
	// expires is until when the note may be reused, in nanoseconds; 0 until there is one. Both goroutines use it.
	expires atomic.Int64
}

func (n *annotation) startRound(size int) {
	progress := lookup.NewProgress()
	if !n.quiet {
		progress.OnUnpacking(unpackingMessages(n.say))
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last != nil {
		n.ended = merged(n.ended, n.last.Summary())
	}
	n.last, n.current = n.current, progress
	n.round = &lookupRound{lookups: n.checker.Lookups(lookup.WithProgress(n.ctx, progress), size), began: time.Now()}
}

// lookUp finds the addresses of a group and starts to look up those that are not known.
func (n *annotation) lookUp(group *recordGroup, size int) {
	if r := n.round; r.groups >= minRoundGroups && (r.addresses >= roundAddresses || time.Since(r.began) > roundTime) {
		n.startRound(size)
	}
	n.round.groups++
	var fresh []*knownAddress
	var prefixes []netip.Prefix
	now := time.Now().UnixNano()
	group.addresses = make([][]*knownAddress, len(group.records))
	for i, record := range group.records {
		if record.Kind == annotate.Verbatim || record.Kind == annotate.CSVHeader {
			continue
		}
		for m := range iptext.Find(record.Text) {
			address, ok := n.known.Get(m.Prefix)
			if ok {
				expires := address.expires.Load()
				ok = expires == 0 || now < expires
			}
			if !ok {
				address = &knownAddress{prefix: m.Prefix, round: n.round}
				n.known.Add(m.Prefix, address)
				fresh, prefixes = append(fresh, address), append(prefixes, m.Prefix)
			}
			if !slices.Contains(group.addresses[i], address) {
				group.addresses[i] = append(group.addresses[i], address)
			}
		}
	}
	if len(fresh) > 0 {
		n.found.Store(true)
	}
	n.round.addresses += len(fresh)
	for i, target := range n.round.lookups.Add(prefixes) {
		fresh[i].target = target
	}
}

// wait waits for the verdict on an address and returns its note. An error is about all addresses.
func (n *annotation) wait(address *knownAddress) (*note, error) {
	if address.note != nil {
		return address.note, nil
	}
	v, err := address.round.lookups.Verdict(n.ctx, address.target)
	switch {
	case err == nil:
		address.note = newNote(v)
	case n.ctx.Err() != nil:
		address.note = failedNote(address.prefix.Addr().String(), "interrupted before it was looked up")
	default:
		return nil, err
	}
	keep := reuseFor
	if address.note.status == lookup.Failed {
		keep = reuseFailedFor
	}
	if address.note.network {
		n.networks++
		if !scan.Fits(address.prefix, n.checker.NetworkLimit()) {
			n.largeNetworks++
		}
	}
	address.expires.Store(time.Now().Add(keep).UnixNano())
	return address.note, nil
}
