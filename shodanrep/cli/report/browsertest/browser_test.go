// Package browsertest opens the pages of package report in Chromium, which it starts once. It skips its tests where
// there is no Chromium; "make packages" installs it on Debian.
package browsertest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

var (
	update      = flag.Bool("update", false, "write the golden files anew")
	screenshots = flag.String("screenshots", "", "write screenshots to this folder")
)

// browser is the context of the running Chromium, and noBrowser why there is none. Tests share a tab, because a new one
// is a new process, which takes longer to start than most pages take to load.
var (
	browser   context.Context
	noBrowser string
	shared    *tab
)

// patience is how long anything may take. It is far more than is needed, for machines that are busy.
const patience = 5 * time.Minute

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(processtest.RunInTempDir(func(dir string) int { return run(m, dir) }))
}

// run starts Chromium, if there is one, and runs the tests. The folder is where both may write.
func run(m *testing.M, dir string) int {
	// No key, cache or history of the developer's own gets into a test.
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "SHODANREP_CACHE_DIR"} {
		os.Setenv(name, dir)
	}
	os.Setenv("SHODAN_API_KEY", "")
	path, err := exec.LookPath("chromium")
	if err != nil {
		path, err = exec.LookPath("google-chrome")
	}
	if err != nil {
		noBrowser = "Chromium is not installed; make packages installs it on Debian: " + err.Error()
		return m.Run()
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.WSURLReadTimeout(patience),
		// Nothing may leave this machine, whatever a page does: no name is resolved.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"),
		chromedp.Flag("disable-gpu", true))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium refuses to run as root with it
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	defer stop()
	var end context.CancelFunc
	browser, end = chromedp.NewContext(allocator)
	defer end()
	if err := chromedp.Do(browser); err != nil {
		fmt.Fprintln(os.Stderr, "Chromium does not start:", err)
		return 1
	}
	return m.Run()
}

// An action is something that is done in a tab.
type action = chromedp.Action[chromedp.Void]

// A tab is a tab of the browser, with what was noticed in it since it loaded the page.
type tab struct {
	t     *testing.T
	tab   context.Context // which is closed with it
	close context.CancelFunc
	ctx   context.Context // the time that the test has

	mu       sync.Mutex
	requests []request
	messages []string
}

// A request is a request that the browser did not block.
type request struct {
	id  network.RequestID
	url string
}

// open opens a file in the tab that tests share, in place of what is there. The actions, such as the size of the screen, come
// first.
func open(t *testing.T, file string, before ...action) *tab {
	t.Helper()
	if shared == nil {
		shared = newTab(t)
	}
	p := shared
	t.Cleanup(func() {
		if t.Failed() && p == shared { // it may be in any state
			p.close()
			shared = nil
		}
	})
	p.load(t, file, before...)
	return p
}

// openAlone opens a file in a tab of its own.
func openAlone(t *testing.T, file string, before ...action) *tab {
	t.Helper()
	p := newTab(t)
	t.Cleanup(p.close)
	p.load(t, file, before...)
	return p
}

// newTab opens a tab.
func newTab(t *testing.T) *tab {
	t.Helper()
	if browser == nil {
		t.Skip(noBrowser)
	}
	p := &tab{t: t}
	p.tab, p.close = chromedp.NewContext(browser, chromedp.WithListener(p.notice))
	p.ctx = p.tab // its first use opens the tab, which lives as long as this context
	p.do(command(network.Enable, network.EnableParams{}), command(log.Enable, cdp.Empty{}))
	return p
}

// load opens a file for a test. It ends what an earlier one set, and forgets what it noticed.
func (p *tab) load(t *testing.T, file string, before ...action) {
	t.Helper()
	ctx, cancel := context.WithTimeout(p.tab, patience)
	t.Cleanup(cancel)
	p.t, p.ctx = t, ctx
	p.do(
		command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{}),
		command(emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{}),
		chromedp.Navigate("about:blank"))
	p.mu.Lock()
	p.requests, p.messages = nil, nil
	p.mu.Unlock()
	p.do(before...)
	p.do(chromedp.Navigate(addressOf(file)))
}

// command makes an action of a command.
func command[P, R any](cmd cdp.Command[P, R], params P) action {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, cmd, params)
		return err
	})
}

// addressOf returns the URL of a file.
func addressOf(file string) string { return "file://" + filepath.ToSlash(file) }

// notice collects requests, errors and messages.
func (p *tab) notice(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, request{event.RequestID, event.Request.URL})
	case *network.EventWebSocketCreated:
		p.requests = append(p.requests, request{event.RequestID, event.URL})
	case *network.EventLoadingFailed:
		if event.BlockedReason == network.BlockedReasonCsp {
			p.requests = slices.DeleteFunc(p.requests, func(r request) bool { return r.id == event.RequestID })
		}
	case *runtime.EventExceptionThrown:
		p.messages = append(p.messages, event.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		p.messages = append(p.messages, fmt.Sprintf("console.%s", event.Type))
	case *log.EventEntryAdded:
		p.messages = append(p.messages, event.Entry.Text)
	}
}

// noticed returns the requests and the messages so far.
func (p *tab) noticed() (requests, messages []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, r := range p.requests {
		requests = append(requests, r.url)
	}
	return requests, slices.Clone(p.messages)
}

// do runs actions.
func (p *tab) do(actions ...action) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatal(err)
	}
}

// get returns the result of an action.
func get[T any](p *tab, a chromedp.Action[T]) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, a)
	if err != nil {
		p.t.Fatal(err)
	}
	return v
}

// value returns the value of an expression in the page.
func value[T any](p *tab, expression string) T {
	p.t.Helper()
	return get(p, chromedp.Evaluate[T](expression))
}

// screenshot writes a picture of the whole page, or the beginning of a long one, if the flag says so.
func (p *tab) screenshot(name string) {
	p.t.Helper()
	if *screenshots == "" {
		return
	}
	size := value[[]int64](p, `[innerWidth, document.documentElement.scrollHeight]`)
	p.do(chromedp.EmulateViewport(size[0], min(size[1], 15_000)))
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), get(p, chromedp.CaptureScreenshot()), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

// width makes the screen as wide as this, such as that of a telephone.
func width(pixels int64) action {
	if pixels < 600 {
		return chromedp.EmulateViewport(pixels, 900, chromedp.EmulateMobile, chromedp.EmulatePortrait)
	}
	return chromedp.EmulateViewport(pixels, 900)
}

// dark makes the system prefer dark colours.
func dark() action {
	return command(emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
}

// report runs the report command on a dataset, and returns the path of the page.
func report(t *testing.T, dataset, input string, args ...string) string {
	t.Helper()
	return reportOn(t, fmt.Sprintf("data_files = [%q]", dataset), input, append([]string{"--source", "dataset"}, args...)...)
}

// reportOn runs the report command on a connection with the arguments, and returns the path of the page.
func reportOn(t *testing.T, arguments, input string, args ...string) string {
	t.Helper()
	if noBrowser != "" {
		t.Skip(noBrowser)
	}
	dir := t.TempDir()
	spc, page := filepath.Join(dir, "test.spc"), filepath.Join(dir, "report.html")
	text := "connection \"shodanrep\" {\n  plugin = \"shodanrep\"\n  cache = \"memory\"\n" + shodantest.Patient(arguments) + "\n}\n"
	if err := os.WriteFile(spc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	args = append([]string{"report", "--quiet", "--config", spc, "-o", page}, args...)
	if status := cli.Main(args, strings.NewReader(input), &stdout, &stderr); status != 0 || stdout.Len()+stderr.Len() > 0 {
		t.Fatalf("exit status %d, %s%s", status, stdout.String(), stderr.String())
	}
	return page
}

// sampleReport is the report of the demonstration.
func sampleReport(t *testing.T, args ...string) string {
	t.Helper()
	text, err := os.ReadFile("../../../../config/sample/incident.txt")
	if err != nil {
		t.Fatal(err)
	}
	dataset, err := filepath.Abs("../../../../config/sample/hosts.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	return report(t, dataset, string(text), args...)
}

// quoted returns a text as a literal of JavaScript.
func quoted(text string) string {
	literal, err := json.Marshal(text)
	if err != nil {
		panic(err) // texts can be marshalled
	}
	return string(literal)
}
