package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// waiting is a stream that tells when someone begins to wait for it, for ever.
type waiting struct{ began func() }

func (w waiting) Read([]byte) (int, error) { w.began(); select {} }

func TestAnInterruptEndsAWait(t *testing.T) {
	t.Parallel()
	config := writeFile(t, "fake.spc", `connection "fake" { plugin = "shodanrep" }`)
	for name, args := range map[string][]string{
		"for SQL on standard input":       {"query", "--config", config},
		"for addresses on standard input": {"policy", "diff", "baseline", "extended", "--config", config},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		var stdout, stderr bytes.Buffer
		a := app{plugin: new(embeddedtest.Plugin).Func, stdin: waiting{cancel}, stdout: &stdout, stderr: &stderr}
		if status := a.run(ctx, args); status != exitInterrupted || stderr.String() != "shodanrep: interrupted\n" || stdout.Len() > 0 {
			t.Errorf("%s: status %d, %q, %q", name, status, stdout.String(), stderr.String())
		}
	}
}

// The limit of a write that nobody reads passes at once in the bubble, and not before what can run has run.
func TestAnInterruptEndsAWaitForWhoReadsStandardOutput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"version"}, {"policy", "show"}} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			read := make(chan struct{})
			defer close(read)
			var stderr bytes.Buffer
			a := app{plugin: new(embeddedtest.Plugin).Func, stdin: strings.NewReader(""), stdout: unread{cancel, read}, stderr: &stderr}
			status := a.run(ctx, args)
			if status != exitInterrupted || stderr.String() != "shodanrep: interrupted\n" {
				t.Errorf("%q: status %d, %q", args, status, stderr.String())
			}
		})
	}
}

// unread is a stream that tells when someone begins to write, and that nobody reads before read is closed.
type unread struct {
	began func()
	read  chan struct{}
}

func (u unread) Write(p []byte) (int, error) {
	u.began()
	<-u.read
	return len(p), nil
}

func TestAnInterruptSaysWhatIsKept(t *testing.T) {
	const addresses, answered = 300, 40
	for cache, want := range map[string]string{
		filepath.Join(t.TempDir(), "cache.sqlite"): "are cached: run the same command again to continue",
		"memory": "",
		"off":    "",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		sim := shodantest.New(t)
		sim.Generate(addresses)
		rows := &counting{after: answered, then: cancel}
		var stderr bytes.Buffer
		a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: rows, stderr: &stderr}
		config := writeFile(t, "test.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+shodantest.Patient(fmt.Sprintf(
			" internetdb_url = %q\n internetdb_requests_per_second = 1\n cache = %q\n", sim.InternetDBURL(), cache))+"}")
		var ips []string
		for i := range addresses {
			ips = append(ips, fmt.Sprintf("'11.0.%d.%d'", (i+1)/256, (i+1)%256))
		}
		status := a.run(ctx, []string{"query", "--config", config, "--output", "csv", "select ip, level from shodan_ip_reputation where ip in (" + strings.Join(ips, ", ") + ")"})
		cancel()
		var kept, total int
		if want == "" {
			if status != exitInterrupted || stderr.String() != "shodanrep: interrupted\n" {
				t.Errorf("cache %s: status %d, %q", cache, status, stderr.String())
			}
			continue
		}
		n, _ := fmt.Sscanf(stderr.String(), "shodanrep: interrupted: %d of %d responses "+want+"\n", &kept, &total)
		if n != 2 || status != exitInterrupted || total != addresses || kept < answered || kept > sim.Count("") {
			t.Errorf("status %d, %d requests, %q", status, sim.Count(""), stderr.String())
		}
	}
}

// counting discards what is written, and calls then after so many lines.
type counting struct {
	lines, after int
	then         func()
}

func (c *counting) Write(p []byte) (int, error) {
	if c.lines += bytes.Count(p, []byte("\n")); c.lines > c.after {
		c.then()
	}
	return len(p), nil
}

// timeout(1) sends its signal twice, and the second one must not end the process before the caches are written.
func TestASignalThatIsSentTwiceIsOneInterrupt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		signals, stopped := make(chan os.Signal, 1), make(chan time.Time, 1)
		ctx, cancel := withInterrupt(t.Context(), signals, func() { stopped <- time.Now() })
		defer cancel()
		synctest.Wait()
		if ctx.Err() != nil {
			t.Error("it ended without a signal")
		}
		signals <- os.Interrupt
		<-ctx.Done()
		began := time.Now()
		signals <- os.Interrupt // the channel has room, so that the signal is received and has no effect
		if after := (<-stopped).Sub(began); after != oneInterrupt {
			t.Errorf("signals end the process after %s, want %s", after, oneInterrupt)
		}
	})
	stopped := make(chan struct{})
	_, cancel := withInterrupt(t.Context(), nil, func() { close(stopped) })
	cancel()
	<-stopped
}
