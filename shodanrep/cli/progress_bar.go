package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

const (
	// progressDelay is how long a command runs before the bar is shown.
	progressDelay    = time.Second
	progressInterval = 200 * time.Millisecond
	barWidth         = 20 // leaves room for the text in 80 columns
	// eraseLine moves the cursor to the beginning of the line and erases the line.
	eraseLine = "\r\x1b[K"
)

// A progressBar shows the progress of lookups on a terminal.
type progressBar struct {
	progress *lookup.Progress
	state    func() lookup.ProgressState // nil for that of progress
	stop     chan struct{}
	once     sync.Once
	done     sync.WaitGroup

	mu       sync.Mutex
	terminal io.Writer // nil if the bar is not shown
	visible  bool      // the bar is on the terminal's last line
}

// newProgressBar starts a bar on standard error if that is a terminal. Streams says that results are written while
// lookups run: on a terminal they would mix with the bar, which is then not shown. The caller must call end.
func newProgressBar(a *app, streams, quiet bool) *progressBar {
	return newProgressBarOf(a, lookup.NewProgress(), nil, streams, quiet)
}

// newProgressBarOf is newProgressBar for a given progress, or for a state that is not that of one Progress.
func newProgressBarOf(a *app, progress *lookup.Progress, state func() lookup.ProgressState, streams, quiet bool) *progressBar {
	p := &progressBar{progress: progress, state: state, stop: make(chan struct{})}
	if !quiet && stdio.TakesEscapes(a.stderr) && !(streams && stdio.IsTerminal(a.stdout)) {
		p.terminal = a.stderr
		if messages, ok := a.stderr.(stdio.MessageWriter); ok {
			p.terminal = messages.Writer // it would escape what moves the cursor
		}
		p.done.Go(p.show)
	} else if !quiet {
		p.progress.OnUnpacking(unpackingMessages(a.say))
	}
	return p
}

// unpackedEvery is after how many percent a message says how far the unpacking of a file is.
const unpackedEvery = 10

// unpackingMessages returns a function that says in messages how far the unpacking of a file is, where no bar shows it.
func unpackingMessages(say func(string)) func(internetdbfile.Unpacking) {
	var mu sync.Mutex
	last, next := "", int64(0)
	return func(u internetdbfile.Unpacking) {
		mu.Lock()
		defer mu.Unlock()
		phase := ""
		switch {
		case u.Ended:
			return
		case u.Waiting, u.Indexing:
			phase = u.String()
		case u.Done*100 < next*u.Total:
			return
		default:
			next = u.Done*100/max(u.Total, 1)/unpackedEvery*unpackedEvery + unpackedEvery
		}
		if phase == "" || phase != last {
			say(u.String())
		}
		last = phase
	}
}

// listContext returns the context of a scan, in which lookups are counted. A scan of one value does not count towards
// the total: a join makes an unknown number of them.
func (p *progressBar) listContext(ctx context.Context, values int) context.Context {
	if values > 1 {
		p.progress.AddTotal(values)
		ctx = scan.WithListLength(ctx, values)
	}
	return lookup.WithProgress(ctx, p.progress)
}

// end removes the bar for good.
func (p *progressBar) end() {
	p.once.Do(func() { close(p.stop) })
	p.done.Wait()
}

// before returns a writer for results. If it is a terminal, the bar ends before the first result.
func (p *progressBar) before(w io.Writer) io.Writer {
	if !stdio.IsTerminal(w) {
		return w
	}
	return barlessWriter{w, p.end}
}

// above returns a writer for messages, which are written above the bar.
func (p *progressBar) above(w io.Writer) io.Writer {
	return barlessWriter{w, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.clear()
	}}
}

// A barlessWriter removes the bar before it writes.
type barlessWriter struct {
	io.Writer
	clear func()
}

func (w barlessWriter) Write(b []byte) (int, error) {
	w.clear()
	return w.Writer.Write(b)
}

// Fd returns the descriptor of the wrapped stream, so that a terminal is recognized.
func (w barlessWriter) Fd() uintptr { return stdio.Fd(w.Writer) }

// clear removes the bar until it is drawn again. The caller holds the lock.
func (p *progressBar) clear() {
	if p.visible {
		_, _ = io.WriteString(p.terminal, eraseLine)
		p.visible = false
	}
}

func (p *progressBar) show() {
	select {
	case <-p.stop:
		return
	case <-time.After(progressDelay):
	}
	ticker := time.NewTicker(progressInterval)
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

// current returns the state to draw.
func (p *progressBar) current() lookup.ProgressState {
	if p.state != nil {
		return p.state()
	}
	return p.progress.State()
}

// draw draws the bar on one line of the terminal.
func (p *progressBar) draw() {
	width := stdio.Width(p.terminal)
	now := p.current()
	line := bar(now, width)
	if unpacking := p.progress.Unpacking(); unpacking != nil {
		line = unpackingBar(*unpacking, width)
	} else if now.Total == 0 {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.terminal, eraseLine+line)
	p.visible = true
}

// bar returns the text of the bar for a terminal of a width; 0 is unlimited. The last column stays free, because some
// terminals wrap there.
func bar(p lookup.ProgressState, width int) string {
	total := max(p.Total, p.Done, 1)
	line := fmt.Sprintf("looking up %s/%s %s", humanize.Comma(p.Done), humanize.Comma(total), boxes(p.Done, total))
	if p.Left > 0 {
		line += fmt.Sprintf(", %v left", p.Left)
	}
	if p.FromCache > 0 {
		line += fmt.Sprintf(", %s from cache", humanize.Comma(p.FromCache))
	}
	if p.Failed > 0 {
		line += fmt.Sprintf(", %s failed", humanize.Comma(p.Failed))
	}
	return fitted(line, width)
}

// unpackingBar returns the text of the bar while a file is unpacked.
func unpackingBar(u internetdbfile.Unpacking, width int) string {
	line := u.String()
	if !u.Waiting && !u.Indexing {
		line += " " + boxes(u.Done, max(u.Total, u.Done, 1))
	}
	return fitted(line, width)
}

// boxes draws how much of a total is done.
func boxes(done, total int64) string {
	filled := int(done * barWidth / total)
	return fmt.Sprintf("[%s%s] %d%%", strings.Repeat("=", filled), strings.Repeat(" ", barWidth-filled), done*100/total)
}

// fitted cuts a line to a width; 0 is unlimited.
func fitted(line string, width int) string {
	if width > 0 {
		return text.Trim(line, width-1)
	}
	return line
}
