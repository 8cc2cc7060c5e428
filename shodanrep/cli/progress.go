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
)

// A progress shows how far the look-ups of a query are.
type progress struct {
	meter *lookup.Meter
	stop  chan struct{}
	once  sync.Once
	done  sync.WaitGroup
}

// showProgress begins to show progress on standard error, where that is a terminal on which nothing else appears
// meanwhile. The caller must end it.
func (a *app) showProgress(output string) *progress {
	p := &progress{meter: lookup.NewMeter(), stop: make(chan struct{})}
	streams := output == "csv" || output == "line" // and would mix with the bar on a terminal
	if isTerminal(a.stderr) && !(streams && isTerminal(a.stdout)) {
		p.done.Go(func() { p.show(a.stderr) })
	}
	return p
}

// listContext makes the look-ups of a scan count.
func (p *progress) listContext(ctx context.Context, values int) context.Context {
	p.meter.Expect(values)
	return lookup.WithMeter(shodanrep.WithListLength(ctx, values), p.meter)
}

// end takes the bar away.
func (p *progress) end() {
	p.once.Do(func() { close(p.stop) })
	p.done.Wait()
}

// before returns a writer that takes the bar away before anything is written to w: both may be the same terminal.
func (p *progress) before(w io.Writer) io.Writer { return resultWriter{w, p} }

type resultWriter struct {
	io.Writer
	progress *progress
}

func (w resultWriter) Write(b []byte) (int, error) {
	w.progress.end()
	return w.Writer.Write(b)
}

// Fd returns the descriptor behind the writer, so that a terminal is still known for one.
func (w resultWriter) Fd() uintptr {
	if file, ok := w.Writer.(descriptor); ok {
		return file.Fd()
	}
	return ^uintptr(0) // no file has it
}

func (p *progress) show(w io.Writer) {
	select {
	case <-p.stop:
		return
	case <-time.After(progressAfter):
	}
	bar := progressbar.NewOptions64(-1, progressbar.OptionSetWriter(w), progressbar.OptionShowCount(), progressbar.OptionSetPredictTime(false), progressbar.OptionClearOnFinish(), progressbar.OptionSetWidth(30))
	ticker := time.NewTicker(progressEvery)
	defer ticker.Stop()
	for {
		if now := p.meter.Progress(); now.Total > 0 {
			bar.ChangeMax64(max(now.Total, now.Done))
			bar.Describe(describe(now))
			_ = bar.Set64(now.Done)
		}
		select {
		case <-p.stop:
			_ = bar.Clear()
			return
		case <-ticker.C:
		}
	}
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
