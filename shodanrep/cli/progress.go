package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/text"
	"golang.org/x/term"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

const (
	// progressAfter is how long a query runs before its progress is shown: a bar that flashes by says nothing.
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
	barWidth      = 20 // which leaves room for the words in 80 columns
	// eraseLine goes to the beginning of the terminal's line and erases it.
	eraseLine = "\r\x1b[K"
)

// A progress shows how far the look-ups of a query are.
type progress struct {
	meter *lookup.Progress
	stop  chan struct{}
	once  sync.Once
	done  sync.WaitGroup

	mu     sync.Mutex
	screen io.Writer // the terminal; nil where nothing is shown
	shown  bool      // the bar stands on the terminal's last line
}

// showProgress begins to show progress on standard error, where that is a terminal on which nothing else appears
// meanwhile. The caller must end it.
func (a *app) showProgress(output string, quiet bool) *progress {
	p := &progress{meter: lookup.NewProgress(), stop: make(chan struct{})}
	streams := slices.Contains([]string{"csv", "tsv", "jsonl", "line", "markdown"}, output) // and would mix with the bar on a terminal
	if !quiet && takesEscapes(a.stderr) && !(streams && isTerminal(a.stdout)) {
		screen := a.stderr
		if messages, ok := screen.(messageWriter); ok {
			screen = messages.Writer // the bar has to move the cursor
		}
		p.screen = screen
		p.done.Go(p.show)
	}
	return p
}

// listContext makes the look-ups of a scan count. A scan of one value, of which a join makes many, says nothing of how
// many there will be.
func (p *progress) listContext(ctx context.Context, values int) context.Context {
	if values > 1 {
		p.meter.AddTotal(values)
		ctx = scan.WithListLength(ctx, values)
	}
	return lookup.WithProgress(ctx, p.meter)
}

// end takes the bar away for good.
func (p *progress) end() {
	p.once.Do(func() { close(p.stop) })
	p.done.Wait()
}

// before returns a writer for results. Where they go to a terminal, the bar ends before anything is written: it is the
// same terminal.
func (p *progress) before(w io.Writer) io.Writer {
	if !isTerminal(w) {
		return w
	}
	return barlessWriter{w, p.end}
}

// above returns a writer for messages, for which the bar makes room.
func (p *progress) above(w io.Writer) io.Writer {
	return barlessWriter{w, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.clear()
	}}
}

// A barlessWriter takes the bar away before it writes.
type barlessWriter struct {
	io.Writer
	clear func()
}

func (w barlessWriter) Write(b []byte) (int, error) {
	w.clear()
	return w.Writer.Write(b)
}

// Fd returns the descriptor behind the writer, so that a terminal is still known for one.
func (w barlessWriter) Fd() uintptr { return descriptorOf(w.Writer) }

// clear takes the bar away until it is drawn again. The caller holds the lock.
func (p *progress) clear() {
	if p.shown {
		_, _ = io.WriteString(p.screen, eraseLine)
		p.shown = false
	}
}

func (p *progress) show() {
	select {
	case <-p.stop:
		return
	case <-time.After(progressAfter):
	}
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		p.draw()
		select {
		case <-p.stop:
			p.mu.Lock()
			defer p.mu.Unlock()
			p.clear()
			return
		case <-ticker.C:
		}
	}
}

// draw draws the bar on one line of the terminal.
func (p *progress) draw() {
	now := p.meter.State()
	if now.Total == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.screen, eraseLine+bar(now, widthOf(p.screen)))
	p.shown = true
}

// bar is how far look-ups are, in so many columns; 0 is no limit. The last column stays free: some terminals go to the
// next line there.
func bar(p lookup.ProgressState, width int) string {
	total := max(p.Total, p.Done, 1)
	filled := int(p.Done * barWidth / total)
	line := fmt.Sprintf("looking up %s/%s [%s%s] %d%%", humanize.Comma(p.Done), humanize.Comma(total),
		strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), p.Done*100/total)
	if p.Left > 0 {
		line += fmt.Sprintf(", %v left", p.Left)
	}
	if p.FromCache > 0 {
		line += fmt.Sprintf(", %s from cache", humanize.Comma(p.FromCache))
	}
	if p.Failed > 0 {
		line += fmt.Sprintf(", %s failed", humanize.Comma(p.Failed))
	}
	if width > 0 {
		line = text.Trim(line, width-1)
	}
	return line
}

// A descriptor is a file, or what stands for one.
type descriptor interface{ Fd() uintptr }

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(descriptor)
	return ok && term.IsTerminal(int(file.Fd()))
}

// widthOf returns how wide a terminal is, and 0 where a stream is none.
func widthOf(stream any) int {
	if !isTerminal(stream) {
		return 0
	}
	width, _, err := term.GetSize(int(stream.(descriptor).Fd()))
	if err != nil {
		return 0
	}
	return width
}
