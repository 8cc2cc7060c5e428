package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/annotate"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

const (
	// readAhead is how many groups of records are looked up before they are written, besides the one that is being read
	// and the one that is being written.
	readAhead = 2
	// sizeText is how much of a file is read to know how many addresses it has.
	sizeText = 1 << 20
	// rememberedAddresses is how many verdicts are used again without a lookup, for so long.
	rememberedAddresses = 10_000
	rememberFor         = time.Hour
	rememberFailureFor  = time.Minute
	// A round of lookups ends when it has so many addresses, or is so old: what is counted of them needs memory, and
	// the age of a host's data is counted up to the beginning. minRoundGroups is more groups than there are at a time.
	roundAddresses = 100_000
	roundTime      = time.Hour
	minRoundGroups = readAhead + 4
)

// An annotation is one run of the annotate command. One goroutine reads, finds addresses and begins to look them up;
// another one waits for the verdicts and writes. Fields are used by only one of them unless they say otherwise.
type annotation struct {
	*app
	ctx     context.Context
	flags   *annotateFlags
	input   textInput
	checker *scan.Checker
	watch   *watch
	groups  chan recordGroup

	// The reading goroutine's:
	remembered *simplelru.LRU[netip.Prefix, *knownAddress]
	round      *lookupRound // which only this goroutine changes
	found      atomic.Bool  // there was an address or a network
	readErr    error        // for the other one when groups is closed

	// What a summary is of: the current round, the one before, and the sum of the earlier ones, all lookups of which have
	// ended. The reading goroutine may still wait for input when the summary is made.
	mu            sync.Mutex
	last, current *lookup.Progress
	ended         lookup.Summary

	// The writing goroutine's:
	problems lineProblems
	networks int
	lastLine int64
}

// A recordGroup is some records with the addresses of each.
type recordGroup struct {
	reader    *annotate.Reader
	records   []annotate.Record
	addresses [][]*knownAddress
	hasBOM    bool
}

// A lookupRound is the lookups of a part of the text.
type lookupRound struct {
	lookups          *scan.Lookups
	began            time.Time
	addresses, group int
}

// A knownAddress is an address or a network that is looked up.
type knownAddress struct {
	prefix netip.Prefix
	round  *lookupRound
	target *scan.Target
	note   *note // nil until the writing goroutine needs it
	// expires is until when the note may be used, in nanoseconds; 0 until there is one. Both goroutines use it.
	expires atomic.Int64
}

func newAnnotation(ctx context.Context, a *app, flags *annotateFlags, input textInput, checker *scan.Checker, w *watch) *annotation {
	remembered, err := simplelru.NewLRU[netip.Prefix, *knownAddress](rememberedAddresses, nil)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &annotation{app: a, ctx: ctx, flags: flags, input: input, checker: checker, watch: w, remembered: remembered, groups: make(chan recordGroup, readAhead)}
}

// hasAddress reports whether a text has an address or a network.
func hasAddress(text []byte) bool {
	for range iptext.Find(text) {
		return true
	}
	return false
}

// read reads the text to its end and sends its records, until stop is closed.
func (n *annotation) read(stop <-chan struct{}) error {
	text, err := iptext.NewReader(n.input)
	if err != nil {
		return err
	}
	defer text.Close()
	reader := annotate.NewReader(text, n.flags.readerOptions(n.input.name))
	size, read, err := n.size(reader)
	n.startRound(size)
	for hasBOM := text.HasBOM; ; {
		for _, records := range read {
			group := recordGroup{reader: reader, records: n.uncut(records), hasBOM: hasBOM}
			hasBOM = false
			n.lookUp(&group, size)
			select {
			case n.groups <- group:
			case <-stop:
				return nil
			}
		}
		if err != nil {
			if err == io.EOF {
				return nil
			}
			return fmt.Errorf("%s: %w", n.input.name, err)
		}
		var records []annotate.Record
		records, err = reader.Next()
		read = [][]annotate.Record{records}
	}
}

// uncut leaves out the part of a line with which an interrupted text ends.
func (n *annotation) uncut(records []annotate.Record) []annotate.Record {
	if last := len(records) - 1; last >= 0 && n.ctx.Err() != nil && !bytes.HasSuffix(records[last].Text, []byte("\n")) {
		return records[:last]
	}
	return records
}

// size returns how many different addresses a text has, and what it has read to know it. Of a text that is long, or that
// may still be written, that is not known.
func (n *annotation) size(reader *annotate.Reader) (size int, read [][]annotate.Record, err error) {
	if !n.input.whole {
		return scan.UnknownSize, nil, nil
	}
	seen := map[netip.Prefix]bool{}
	for length := 0; length <= sizeText; {
		var records []annotate.Record
		if records, err = reader.Next(); err != nil {
			return len(seen), read, err
		}
		read = append(read, records)
		for _, record := range records {
			length += len(record.Text)
			for m := range iptext.Find(record.Text) {
				if scan.Countable(m.Prefix) {
					seen[m.Prefix] = true
				}
			}
		}
		if len(seen) > n.checker.APILookupLimit() {
			break
		}
	}
	return scan.UnknownSize, read, nil
}

func (n *annotation) startRound(size int) {
	meter := lookup.NewProgress()
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.last != nil {
		n.ended = merged(n.ended, n.last.Summary())
	}
	n.last, n.current = n.current, meter
	n.round = &lookupRound{lookups: n.checker.Lookups(lookup.WithProgress(n.ctx, meter), size), began: time.Now()}
}

// lookUp finds the addresses of a group and begins to look up those that are not known.
func (n *annotation) lookUp(group *recordGroup, size int) {
	if r := n.round; r.group >= minRoundGroups && (r.addresses >= roundAddresses || time.Since(r.began) > roundTime) {
		n.startRound(size)
	}
	n.round.group++
	var fresh []*knownAddress
	var prefixes []netip.Prefix
	now := time.Now().UnixNano()
	group.addresses = make([][]*knownAddress, len(group.records))
	for i, record := range group.records {
		if record.Kind == annotate.Verbatim || record.Kind == annotate.CSVHeader {
			continue
		}
		for m := range iptext.Find(record.Text) {
			address, ok := n.remembered.Get(m.Prefix)
			if ok {
				expires := address.expires.Load()
				ok = expires == 0 || now < expires
			}
			if !ok {
				address = &knownAddress{prefix: m.Prefix, round: n.round}
				n.remembered.Add(m.Prefix, address)
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

// noteOf waits for the verdict on an address. An error is about all addresses.
func (n *annotation) noteOf(address *knownAddress) (*note, error) {
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
	keep := rememberFor
	if address.note.status == lookup.Failed {
		keep = rememberFailureFor
	}
	if address.note.network {
		n.networks++
	}
	address.expires.Store(time.Now().Add(keep).UnixNano())
	return address.note, nil
}

// write writes the text with its notes. Where no more input is ready, everything that is ready has been written.
func (n *annotation) write(w io.Writer) (err error) {
	out := newFlushedWriter(w)
	defer out.stop()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		defer close(n.groups)
		n.readErr = n.read(stop)
	}()
	defer func() {
		if flushed := out.flush(); err == nil {
			err = flushed
		}
	}()
	for group := range n.groups {
		if group.hasBOM {
			if _, err := io.WriteString(out, "\ufeff"); err != nil {
				return err
			}
		}
		for i, record := range group.records {
			if err := n.writeRecord(out, group.reader, record, group.addresses[i]); err != nil {
				return err
			}
		}
		if len(n.groups) == 0 {
			if err := out.flush(); err != nil {
				return err
			}
		}
	}
	if n.readErr == nil {
		return n.ctx.Err()
	}
	return n.readErr
}

// writeRecord writes a record with the notes on its addresses.
func (n *annotation) writeRecord(out io.Writer, reader *annotate.Reader, record annotate.Record, addresses []*knownAddress) error {
	var notes []*note
	for _, address := range addresses {
		note, err := n.noteOf(address)
		if err != nil {
			return err
		}
		n.watch.see(note.level, string(note.status))
		if n.selects(note) {
			notes = append(notes, note)
		}
	}
	text := record.Text
	switch {
	case record.Problem != "":
		n.problems.add(record)
		n.watch.see("", string(lookup.Failed))
	case record.Kind == annotate.CSVHeader:
		names := make([]string, len(noteColumns))
		for i, column := range noteColumns {
			if names[i] = n.flags.field + "_" + column; slices.Contains(reader.Columns(), names[i]) {
				return fmt.Errorf("%s has a column %s already: choose another name with --field", n.input.name, names[i])
			}
		}
		text = reader.AppendCSV(nil, record, names)
	case record.Kind == annotate.CSVRecord:
		text = reader.AppendCSV(nil, record, noteValues(n.checker.Policy(), notes))
	case len(notes) == 0:
	case record.Kind == annotate.TextLine:
		text = annotate.AppendText(nil, record.Text, suffix(n.flags.field, notes))
	case record.Kind == annotate.JSONLine && n.flags.ecs:
		text = annotate.AppendJSON(nil, record.Text, ecsMembers(n.flags.field, n.checker.Policy(), notes))
	case record.Kind == annotate.JSONLine:
		text = annotate.AppendJSON(nil, record.Text, fieldMember(n.flags.field, n.checker.Policy(), notes))
	}
	_, err := out.Write(text)
	n.lastLine = record.Line + int64(max(0, bytes.Count(record.Text, []byte("\n"))-1))
	return err
}

// selects reports whether a note is to be written. What could not be checked always is.
func (n *annotation) selects(note *note) bool {
	if !n.flags.hasOnly || note.status == lookup.Failed {
		return true
	}
	_, ok := n.flags.selected.match(note.level, string(note.status))
	return ok
}

// summary tells what came of the lookups so far.
func (n *annotation) summary() lookup.Summary {
	n.mu.Lock()
	defer n.mu.Unlock()
	sum := n.ended
	for _, meter := range []*lookup.Progress{n.last, n.current} {
		if meter != nil {
			sum = merged(sum, meter.Summary())
		}
	}
	return sum
}

// merged adds summaries up.
func merged(summaries ...lookup.Summary) (sum lookup.Summary) {
	add := func(reasons, more []lookup.Reason) []lookup.Reason {
		for _, reason := range more {
			i := slices.IndexFunc(reasons, func(r lookup.Reason) bool { return r.Text == reason.Text })
			if i < 0 {
				reasons = append(reasons, reason)
				continue
			}
			reasons[i].Addresses += reason.Addresses
		}
		slices.SortStableFunc(reasons, func(a, b lookup.Reason) int { return b.Addresses - a.Addresses })
		return reasons
	}
	for _, s := range summaries {
		sum.Addresses += s.Addresses
		sum.Failed += s.Failed
		sum.Cached += s.Cached
		sum.Failures = add(sum.Failures, s.Failures)
		sum.Fallbacks = add(sum.Fallbacks, s.Fallbacks)
	}
	return sum
}

// lineProblems are the lines that could not be annotated, by the reason.
type lineProblems struct {
	texts  []string
	counts map[string]int
	first  map[string]int64
}

func (p *lineProblems) add(record annotate.Record) {
	if p.counts == nil {
		p.counts, p.first = map[string]int{}, map[string]int64{}
	}
	if p.counts[record.Problem]++; p.counts[record.Problem] == 1 {
		p.texts = append(p.texts, record.Problem)
		p.first[record.Problem] = record.Line
	}
}

// err says which lines were left as they are, or is nil.
func (p *lineProblems) err() error {
	if len(p.texts) == 0 {
		return nil
	}
	var parts []string
	for _, text := range p.texts {
		part := fmt.Sprintf("line %d: %s", p.first[text], text)
		if more := p.counts[text] - 1; more > 0 {
			part += fmt.Sprintf(", and %d more", more)
		}
		parts = append(parts, part)
	}
	return errors.New("lines were left as they are, and their addresses not looked up (" + strings.Join(parts, "; ") + ")")
}
