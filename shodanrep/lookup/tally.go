package lookup

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A Summary counts the results of lookups: of addresses, each once, and of what else was looked up.
type Summary struct {
	Addresses int
	// Failed is how many could not be checked, and Failures why, the most frequent reason first.
	Failed   int
	Failures []Reason
	// Fallbacks are why addresses were looked up in InternetDB instead of the REST API.
	Fallbacks []Reason
	// Cached is how many responses are in a cache that outlasts the process.
	Cached int
	// Names are host names and domains, and Details those of vulnerabilities in CVEDB.
	Names, Details TextSummary
}

// NothingChecked reports whether there were addresses or names to check, and not one could be checked.
func (s Summary) NothingChecked() bool {
	failed := s.Failed + s.Names.Failed
	return failed > 0 && failed == s.Addresses+s.Names.Count
}

// A Reason is a reason that some addresses have in common.
type Reason struct {
	Text      string
	Addresses int
}

// A tally counts results by address. It has some 40 bytes for each, and nothing of its host.
type tally struct {
	mu        sync.Mutex
	addresses map[[16]byte]addressResult
	invalid   map[string]bool // texts that are no address
	failures  reasons
	fallbacks reasons
	cached    int
	plain     int // addresses that are only counted
}

// An addressResult has the numbers of the reasons for an address, 0 for none.
type addressResult struct {
	failure, fallback uint8
	cached            bool
}

// notAnAddress is the reason for all texts that are no address: the text itself is in the row's error.
const notAnAddress = "not an IP address"

// countInvalid counts a text that is not an address.
func (t *tally) countInvalid(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.invalid == nil {
		t.invalid = map[string]bool{}
	}
	if !t.invalid[text] {
		t.invalid[text] = true
		t.failures.count(t.failures.number(notAnAddress, notAnAddress))
	}
}

// countAnswer counts the answer to a question: the first failure and the first fallback of its address, and whether its
// response is cached.
func (t *tally) countAnswer(addr netip.Addr, failure error, fallback string, cached bool) {
	key := addr.As16()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.addresses == nil {
		t.addresses = map[[16]byte]addressResult{}
	}
	f := t.addresses[key]
	if failure != nil && !errors.Is(failure, context.Canceled) {
		number := t.failures.number(reasonOf(failure))
		if f.failure == 0 {
			f.failure = number
			t.failures.count(number)
		}
	}
	if fallback != "" && f.fallback == 0 {
		f.fallback = t.fallbacks.number(fallback, fallback)
		t.fallbacks.count(f.fallback)
	}
	if cached && !f.cached {
		f.cached = true
		t.cached++
	}
	t.addresses[key] = f
}

// countPlain counts addresses without a failure, and the fallbacks of some of them. It does not remember them: an address
// that is counted again counts twice.
func (t *tally) countPlain(n int, fallbacks map[string]int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.plain += n
	for fallback, addresses := range fallbacks {
		t.fallbacks.list[t.fallbacks.number(fallback, fallback)-1].Addresses += addresses
	}
}

// countFailure counts something that cannot be checked and may have no address. It does not remember it.
func (t *tally) countFailure(failure error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.plain++
	t.failures.count(t.failures.number(reasonOf(failure)))
}

func (t *tally) summary() Summary {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := Summary{
		Addresses: len(t.addresses) + len(t.invalid) + t.plain, Cached: t.cached,
		Failures: t.failures.sorted(), Fallbacks: t.fallbacks.sorted(),
	}
	for _, failure := range s.Failures {
		s.Failed += failure.Addresses
	}
	return s
}

// maxReasons is how many different reasons are told apart: one byte holds their numbers.
const maxReasons = 255

// reasons are counted texts, numbered from 1 on.
type reasons struct {
	numbers map[string]uint8 // by what makes reasons the same
	list    []Reason
}

// number returns the number of a reason, whose newest text counts.
func (r *reasons) number(key, text string) uint8 {
	if r.numbers == nil {
		r.numbers = map[string]uint8{}
	}
	number, known := r.numbers[key]
	switch {
	case known:
		r.list[number-1].Text = text
	case len(r.list) < maxReasons:
		if len(r.list) == maxReasons-1 {
			text = "other reasons"
		}
		r.list = append(r.list, Reason{Text: text})
		number = uint8(len(r.list))
		r.numbers[key] = number
	default:
		number = maxReasons
	}
	return number
}

func (r *reasons) count(number uint8) { r.list[number-1].Addresses++ }

// sorted returns the reasons that were counted, the most frequent first.
func (r *reasons) sorted() []Reason {
	list := slices.DeleteFunc(slices.Clone(r.list), func(reason Reason) bool { return reason.Addresses == 0 })
	slices.SortStableFunc(list, func(a, b Reason) int { return cmp.Compare(b.Addresses, a.Addresses) })
	return list
}

// reasonOf returns a key that failures with the same reason share, and a text. A time or a port number in the text does
// not make another reason.
func reasonOf(err error) (key, text string) {
	var banned *ratelimit.BannedError
	var failure *shodan.Error
	switch {
	case errors.As(err, &banned) && banned.Unavailable:
		return "unavailable " + banned.Service, fmt.Sprintf("%s is unavailable until %s", banned.Service, clockTime(banned.Until, time.Now()))
	case banned != nil && banned.ClientRefused:
		return "refusal " + banned.Service, fmt.Sprintf("%s refuses requests from here until %s", banned.Service, clockTime(banned.Until, time.Now()))
	case banned != nil:
		return "ban " + banned.Service, fmt.Sprintf("%s refuses further requests until %s", banned.Service, clockTime(banned.Until, time.Now()))
	case errors.As(err, &failure) && failure.Err != nil:
		return fmt.Sprintf("%s %v %d %s %v", failure.Service, failure.Kind, failure.Status, failure.Message, innermost(failure.Err)), failure.Error()
	case failure != nil:
		return failure.Error(), failure.Error()
	}
	return err.Error(), err.Error()
}

// innermost returns the error at the end of a chain.
func innermost(err error) error {
	for next := err; next != nil; next = errors.Unwrap(next) {
		err = next
	}
	return err
}

// clockTime formats a moment, as a time of day if that is clear enough.
func clockTime(moment, now time.Time) string {
	moment = moment.UTC()
	if moment.Sub(now) < 12*time.Hour {
		return moment.Format("15:04 UTC")
	}
	return moment.Format("2006-01-02 15:04 UTC")
}

// fallback returns why a question was looked up in InternetDB instead of the REST API, or "".
func (b *Batch) fallback(q Question, answered Source) string {
	e := b.engine
	switch {
	case answered != InternetDB || e.rest == nil || q.SkipREST || b.named(q) != Auto:
		return ""
	case b.size == UnknownSize:
		return fmt.Sprintf("the list may be longer than api_lookup_limit (%d): its length is not known before its end", e.cfg.APILookupLimit)
	case b.size > e.cfg.APILookupLimit:
		return fmt.Sprintf("the list is longer than api_lookup_limit (%d)", e.cfg.APILookupLimit)
	}
	if err := e.rest.LastRefusal(); err != nil {
		return err.Error()
	}
	return "the API key is refused"
}
