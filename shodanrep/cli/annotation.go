package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/annotate"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

const (
	// readAhead is how many groups of records are looked up ahead, besides the group that is being read and the group
	// that is being written.
	readAhead = 2
	// countedText is how much of a file is read ahead to count its addresses.
	countedText = 1 << 20
	// knownAddresses is how many verdicts are reused, and for how long.
	knownAddresses = 10_000
	reuseFor       = time.Hour
	reuseFailedFor = time.Minute
	// A round of lookups ends after so many addresses or so much time: its counters need memory, and the age of a
	// host's data is relative to the start of the round. minRoundGroups is more groups than exist at a time.
	roundAddresses = 100_000
	roundTime      = time.Hour
	minRoundGroups = readAhead + 4
)

// An annotation is one run of an annotateCommand. One goroutine reads, finds addresses and starts to look them up;
// another waits for the verdicts and writes. A field is used by only one of them unless its comment says otherwise.
type annotation struct {
	*annotateCommand
	ctx     context.Context
	input   textInput
	checker *scan.Checker
	groups  chan recordGroup

	// Of the reading goroutine:
	known   *simplelru.LRU[netip.Prefix, *knownAddress]
	round   *lookupRound // which only this goroutine changes
	found   atomic.Bool  // there was an address or a network; the other goroutine reads it
	cutOff  int64        // the line of a record that an error cut off and that is written as it is, or 0
	partial bool         // a record was cut off and left out; the other goroutine reads it after groups is closed
	// The other goroutine reads these after groups is closed. encoded are the parts of emails that have no notes.
	readErr error
	encoded lineProblems

	// The progress of the current round and the last one, and the summary of the earlier ones, whose lookups have
	// ended. The reading goroutine may still wait for input when the summary is made.
	mu            sync.Mutex
	last, current *lookup.Progress
	ended         lookup.Summary

	// Of the writing goroutine:
	problems lineProblems
	checked  checkedCount
	// networks are those that were found, and largeNetworks those with more addresses than network_limit.
	networks, largeNetworks int

	lastLine int64
	leftOut  bool // partial, when it is known
}

// A recordGroup is some records with the addresses of each.
type recordGroup struct {
	reader    *annotate.Reader
	records   []annotate.Record
	addresses [][]*knownAddress
	hasBOM    bool
}

func newAnnotation(ctx context.Context, c *annotateCommand, input textInput, checker *scan.Checker) *annotation {
	known, err := simplelru.NewLRU[netip.Prefix, *knownAddress](knownAddresses, nil)
	if err != nil {
		panic(err) // the size is a constant
	}
	return &annotation{annotateCommand: c, ctx: ctx, input: input, checker: checker, known: known, groups: make(chan recordGroup, readAhead)}
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
	text, err := iptext.NewTextReader(n.input)
	if err != nil {
		return fmt.Errorf("%s: %w", n.input.name, err)
	}
	defer text.Close()
	whole := iptext.FindMailParts(text, func(line int64) {
		n.encoded.add(annotate.Record{Line: line, Problem: "an encoded part of an email begins (check decodes it)"})
	})
	reader := annotate.NewReader(whole, n.readerOptions(n.input.name))
	size, read, err := n.count(reader)
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
			if n.cutOff > 0 {
				err = fmt.Errorf("%w: line %d is cut off and was left as it is, and its addresses not looked up", err, n.cutOff)
			}
			return fmt.Errorf("%s: %w", n.input.name, err)
		}
		var records []annotate.Record
		records, err = reader.Next()
		read = [][]annotate.Record{records}
	}
}

// uncut leaves out the record that an interrupt cut off at the end of the text, and remembers one that another error cut
// off. A last line that only has no line ending is complete.
func (n *annotation) uncut(records []annotate.Record) []annotate.Record {
	last := len(records) - 1
	switch {
	case last < 0 || !records[last].Partial:
	case n.ctx.Err() != nil:
		n.partial = true
		return records[:last]
	default:
		n.cutOff = records[last].Line
	}
	return records
}

// count returns how many different addresses a text has, and the records that it read to count them. The count is
// unknown if the text is long or may still be written.
func (n *annotation) count(reader *annotate.Reader) (addresses int, read [][]annotate.Record, err error) {
	if !n.input.complete {
		return scan.UnknownSize, nil, nil
	}
	seen := map[netip.Prefix]bool{}
	for length := 0; length <= countedText; {
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

// write writes the text with its notes. While it waits for input, everything that is ready has been written.
func (n *annotation) write(w io.Writer) (err error) {
	out := stdio.NewBufferedWriter(w)
	defer out.Stop()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		defer close(n.groups)
		n.readErr = n.read(stop)
	}()
	defer func() {
		if flushed := out.Flush(); err == nil {
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
			if err := out.Flush(); err != nil {
				return err
			}
		}
	}
	n.leftOut = n.partial
	n.problems.merge(n.encoded)
	for range n.encoded.texts {
		n.failOn.count("", string(lookup.Failed))
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
		note, err := n.wait(address)
		if err != nil {
			return err
		}
		n.failOn.count(note.level, string(note.status))
		n.checked.add(note.status, 1)
		if n.selectsNote(note) {
			notes = append(notes, note)
		}
	}
	text := record.Text
	switch {
	case record.Problem != "":
		n.problems.add(record)
		n.failOn.count("", string(lookup.Failed))
	case record.Kind == annotate.CSVHeader:
		names := make([]string, len(noteColumns))
		for i, column := range noteColumns {
			if names[i] = n.field + "_" + column; slices.Contains(reader.Columns(), names[i]) {
				return fmt.Errorf("%s has a column %s already: choose another name with --field", n.input.name, names[i])
			}
		}
		text = reader.AppendCSV(nil, record, names)
	case record.Kind == annotate.CSVRecord:
		text = reader.AppendCSV(nil, record, noteValues(n.checker.Policy(), notes))
	case len(notes) == 0:
	case record.Kind == annotate.TextLine:
		text = annotate.AppendText(nil, record.Text, suffix(n.field, notes))
	case record.Kind == annotate.JSONLine && n.ecs:
		text = annotate.AppendJSON(nil, record.Text, ecsMembers(n.field, n.checker.Policy(), notes))
	case record.Kind == annotate.JSONLine:
		text = annotate.AppendJSON(nil, record.Text, fieldMember(n.field, n.checker.Policy(), notes))
	}
	_, err := out.Write(text)
	n.lastLine = record.Line + int64(max(0, bytes.Count(record.Text, []byte("\n"))-1))
	return err
}

// selectsNote reports whether a note is written. A note on an address that could not be checked always is.
func (n *annotation) selectsNote(note *note) bool {
	return note.status == lookup.Failed || n.selects(note.level, string(note.status))
}

// summary returns the summary of the lookups so far.
func (n *annotation) summary() lookup.Summary {
	n.mu.Lock()
	defer n.mu.Unlock()
	sum := n.ended
	for _, progress := range []*lookup.Progress{n.last, n.current} {
		if progress != nil {
			sum = merged(sum, progress.Summary())
		}
	}
	return sum
}
