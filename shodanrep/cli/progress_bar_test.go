package cli

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

func TestBar(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		progress lookup.ProgressState
		width    int
		want     string
	}{
		"at the start": {lookup.ProgressState{Total: 200}, 80, "looking up 0/200 [                    ] 0%"},
		"under way": {lookup.ProgressState{Total: 5000, Done: 450, FromCache: 199, Failed: 2, Left: 469 * time.Second}, 200,
			"looking up 450/5,000 [=                   ] 9%, 7m49s left, 199 from cache, 2 failed"},
		"a narrow terminal": {lookup.ProgressState{Total: 5000, Done: 450, FromCache: 199, Failed: 2, Left: 469 * time.Second}, 80,
			"looking up 450/5,000 [=                   ] 9%, 7m49s left, 199 from cache, 2 f"},
		"at the end":            {lookup.ProgressState{Total: 200, Done: 200}, 80, "looking up 200/200 [====================] 100%"},
		"more than was known":   {lookup.ProgressState{Total: 200, Done: 300}, 80, "looking up 300/300 [====================] 100%"},
		"no terminal's columns": {lookup.ProgressState{Total: 2, Done: 1}, 0, "looking up 1/2 [==========          ] 50%"},
	} {
		got := bar(tt.progress, tt.width)
		if got != tt.want || tt.width > 0 && text.StringWidth(got) >= tt.width {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

// The bar makes room for messages, and never comes back after its end.
func TestTheBarMakesRoom(t *testing.T) {
	t.Parallel()
	var screen bytes.Buffer
	progress := lookup.NewProgress()
	p := &progressBar{progress: progress, state: progress.State, stop: make(chan struct{}), terminal: &screen}
	p.progress.AddTotal(2)
	p.draw()
	io.WriteString(p.above(&screen), "a message\n")
	io.WriteString(p.above(&screen), "another\n")
	p.draw()
	p.done.Go(p.show)
	p.end()
	p.mu.Lock()
	p.clear()
	p.mu.Unlock()
	io.WriteString(p.before(&screen), "a result\n")
	drawn := "\r\x1b[Klooking up 0/2 [" + strings.Repeat(" ", 20) + "] 0%"
	if want := drawn + "\r\x1b[Ka message\nanother\n" + drawn + "\r\x1b[Ka result\n"; screen.String() != want {
		t.Errorf("got %q", screen.String())
	}
}

// A load that a service stopped soon after it began has an estimate that no time.Duration holds.
func TestALoadHasNoEstimateOfCenturies(t *testing.T) {
	t.Parallel()
	p := newLoadProgress()
	for ago, want := range map[time.Duration]time.Duration{time.Second: 1e6 * time.Second, 10 * time.Hour: 0} {
		p.firstLeft, p.total, p.firstCount = 1e6+1, 1e6, time.Now().Add(-ago)
		if left := p.state().Left; left < want || left > 2*want {
			t.Errorf("one of a million took %v: %v left, want about %v", ago, left, want)
		}
	}
}
