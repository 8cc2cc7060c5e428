package cli

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

const (
	// progressAfter is how long a query runs before its progress is shown: a bar that flashes by says nothing.
	progressAfter = time.Second
	progressEvery = 200 * time.Millisecond
	barWidth      = 20 // which leaves room for the words in 80 columns
)

// A progress shows how far the look-ups of a query are.
type progress struct {
	meter *lookup.Meter
	stop  chan struct{}
	once  sync.Once
	done  sync.WaitGroup

	mu  sync.Mutex               // for the terminal
	bar *progressbar.ProgressBar // nil while there is none to be seen
}

// showProgress begins to show progress on standard error, where that is a terminal on which nothing else appears
// meanwhile. The caller must end it.
func (a *app) showProgress(output string, quiet bool) *progress {
	p := &progress{meter: lookup.NewMeter(), stop: make(chan struct{})}
	streams := output == "csv" || output == "line" // and would mix with the bar on a terminal
	if !quiet && isTerminal(a.stderr) && !(streams && isTerminal(a.stdout)) {
		screen := a.stderr
		if messages, ok := screen.(messageWriter); ok {
			screen = messages.Writer // the bar has to move the cursor
		}
		p.done.Go(func() { p.show(screen) })
	}
	return p
}

// listContext makes the look-ups of a scan count. A scan of one value, of which a join makes many, says nothing of how
// many there will be.
func (p *progress) listContext(ctx context.Context, values int) context.Context {
	if values > 1 {
		p.meter.Expect(values)
		ctx = shodanrep.WithListLength(ctx, values)
	}
	return lookup.WithMeter(ctx, p.meter)
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
	if p.bar != nil {
		_ = p.bar.Clear()
	}
}

func (p *progress) show(w io.Writer) {
	select {
	case <-p.stop:
		return
	case <-time.After(progressAfter):
	}
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		p.draw(w)
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

// draw draws the bar. The library is given no chance to draw by itself: it would do so from a goroutine of its own
// where it does not know the total, and end the bar where all that is known of is done.
func (p *progress) draw(w io.Writer) {
	now := p.meter.Progress()
	if now.Total == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	total := max(now.Total, now.Done+1)
	if p.bar == nil {
		p.bar = progressbar.NewOptions64(total, progressbar.OptionSetWriter(w), progressbar.OptionShowCount(),
			progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false), progressbar.OptionSetWidth(barWidth),
			progressbar.OptionSetSpinnerChangeInterval(0))
	}
	p.bar.ChangeMax64(total)
	p.bar.Describe(describe(now))
	_ = p.bar.Set64(now.Done)
}

// describe says what the bar itself does not show.
func describe(p lookup.Progress) string {
	text := "looking up"
	if p.FromCache > 0 {
		text += fmt.Sprintf(", %d from cache", p.FromCache)
	}
	if p.Failed > 0 {
		text += fmt.Sprintf(", %d failed", p.Failed)
	}
	if p.Left > 0 {
		text += fmt.Sprintf(", %v left", p.Left)
	}
	return text
}

// A descriptor is a file, or what stands for one.
type descriptor interface{ Fd() uintptr }

// isTerminal reports whether a stream is a terminal.
func isTerminal(stream any) bool {
	file, ok := stream.(descriptor)
	return ok && term.IsTerminal(int(file.Fd()))
}
