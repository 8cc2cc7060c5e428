package changes

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
)

// A Summary counts addresses, whether or not they are selected.
type Summary struct {
	Policy string
	Since  time.Time
	// Checked is how many addresses were checked since the time, and Changed how many of them changed.
	Checked, Changed int
	// Oldest and Newest are the times of the oldest and the newest among their last responses, without the addresses
	// whose later lookups failed. Now is the time of the command.
	Oldest, Newest, Now time.Time
	// Worse and Better are how many of them have a worse or better level after a change, and New how many were checked
	// for the first time.
	Worse, Better, New int
	// Unchecked is how many of the addresses that were named were not checked since the time, and Never how many of
	// them never were.
	Unchecked, Never int
	// LookupsFailed is how many addresses had failed lookups after their last response, or without one. Some of them
	// were checked since the time.
	LookupsFailed int
	// Unreadable is how many addresses have facts in the history that cannot be read.
	Unreadable int
	// UncheckedNetworks is how many of the networks that were named have no address that was checked since the time.
	UncheckedNetworks int
	// Reserved is how many of the addresses that were named can never be checked.
	Reserved int
	// Shown is how many addresses are selected.
	Shown int
	// unknownUnchanged is how many addresses were checked since the time and have no change, but had failed lookups then, or
	// have facts that cannot be read.
	unknownUnchanged int
}

// Count counts a result with all its changes.
func (s *Summary) Count(r Result) {
	if r.Reserved {
		s.Reserved++
		return
	}
	if r.LookupsFailed {
		s.LookupsFailed++
	}
	if r.Unreadable {
		s.Unreadable++
	}
	if r.Checked.IsZero() {
		s.Unchecked++
		if r.NotChecked.Last.IsZero() {
			s.Never++
		}
		return
	}
	s.Checked++
	if !r.LookupsFailed && (s.Oldest.IsZero() || r.Checked.Before(s.Oldest)) {
		s.Oldest = r.Checked
	}
	if !r.LookupsFailed && r.Checked.After(s.Newest) {
		s.Newest = r.Checked
	}
	if len(r.Changes) == 0 {
		if r.LookupsFailed || r.Unreadable {
			s.unknownUnchanged++
		}
		return
	}
	s.Changed++
	var worse, better, first int
	for _, change := range r.Changes {
		switch {
		case change.IsWorse():
			worse = 1
		case change.IsBetter():
			better = 1
		}
		if change.Before == nil {
			first = 1
		}
	}
	s.Worse, s.Better, s.New = s.Worse+worse, s.Better+better, s.New+first
}

// sameRun is how far apart responses may be, and how long ago, without a mention.
const sameRun = time.Hour

// LastResponses says when the addresses were last checked, unless all were just now: a schedule that did not run, or
// found the responses in the cache, leaves them as they were.
func (s Summary) LastResponses() string {
	switch {
	case s.Oldest.IsZero():
		return ""
	case s.Newest.Sub(s.Oldest) >= sameRun:
		return "Last responses: from " + minute(s.Oldest) + " to " + minute(s.Newest) +
			" UTC; the addresses with older ones were not looked up since then"
	case s.Now.Sub(s.Newest) >= sameRun:
		return "Last responses: " + minute(s.Newest) + " UTC; nothing was looked up since then"
	}
	return ""
}

// Text returns the summary as sentences, each a line.
func (s Summary) Text() []string {
	count := func(n int) string { return humanize.Comma(int64(n)) }
	first := fmt.Sprintf("Since %s UTC: %s checked, %s changed", minute(s.Since), display.Plural(int64(s.Checked), "address"), count(s.Changed))
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{s.Worse, "worse"}, {s.Better, "better"}, {s.New, "checked for the first time"}} {
		if part.n > 0 {
			parts = append(parts, count(part.n)+" "+part.what)
		}
	}
	if len(parts) > 0 {
		first += " (" + strings.Join(parts, ", ") + ")"
	}
	lines := []string{first + ", by the policy " + display.Printable(s.Policy)}
	if last := s.LastResponses(); last != "" {
		lines = append(lines, last)
	}
	if s.Unchecked > 0 {
		text := "Not checked since then: " + display.Plural(int64(s.Unchecked), "address")
		if s.Never > 0 {
			text += ", " + count(s.Never) + " of them never"
		}
		lines = append(lines, text)
	}
	if s.LookupsFailed > 0 {
		lines = append(lines, "Last lookup failed: "+display.Plural(int64(s.LookupsFailed), "address")+"; changes since then are not known")
	}
	if s.Unreadable > 0 {
		lines = append(lines, "Facts that cannot be read: "+display.Plural(int64(s.Unreadable), "address")+"; not all their changes are known")
	}
	if s.UncheckedNetworks > 0 {
		lines = append(lines, "Networks without an address that was checked since then: "+count(s.UncheckedNetworks))
	}
	if s.Reserved > 0 {
		lines = append(lines, "Never checked, because reserved: "+display.Plural(int64(s.Reserved), "address"))
	}
	if total := s.Changed + s.Unchecked + s.Reserved + s.unknownUnchanged; s.Shown < total {
		lines = append(lines, "Shown: "+count(s.Shown))
	}
	return lines
}

// write writes the summary as paragraphs of a width.
func (s Summary) write(b *bytes.Buffer, width int) {
	for _, text := range s.Text() {
		for _, line := range display.Wrap(text, width) {
			b.WriteString(line + "\n")
		}
	}
}
