package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/dustin/go-humanize"
)

// processorTime returns for how many seconds the processor worked for a page until it was loaded, laid out and painted.
// It is not the time on the clock, which depends on what else the machine does.
func processorTime(t *testing.T, file string) float64 {
	t.Helper()
	p := open(t, file, width(1280), command(performance.Enable, performance.EnableParams{TimeDomain: performance.EnableTimeDomainThreadTicks}))
	p.do(chromedp.Evaluate[chromedp.Void](`new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))`, chromedp.EvalAwaitPromise))
	result := get(p, func(ctx context.Context, t *chromedp.Target) (performance.GetMetricsResult, error) {
		return cdp.Call(ctx, t, performance.GetMetrics, cdp.Empty{})
	})
	for _, metric := range result.Metrics {
		if metric.Name == "TaskDuration" {
			return metric.Value
		}
	}
	t.Fatal("the browser does not count the time of tasks")
	return 0
}

// maxTimes is how many times as long as an empty page a page of ten thousand addresses may take. An empty page takes
// some ten milliseconds, so it is two seconds.
const maxTimes = 200

func TestTenThousandAddressesAreAPageThatOpensSoon(t *testing.T) {
	banners, addresses := manyBanners(10_000)
	file := report(t, datasetOf(t, banners), strings.Join(addresses, "\n"))
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() >= 10_000_000 {
		t.Errorf("the page has %d bytes", info.Size())
	}
	empty := filepath.Join(t.TempDir(), "empty.html")
	if err := os.WriteFile(empty, []byte("<!DOCTYPE html><title>Empty</title>"), 0o600); err != nil {
		t.Fatal(err)
	}
	least := func(file string) float64 { return min(processorTime(t, file), processorTime(t, file)) }
	forPage, forEmpty := least(file), least(empty)
	t.Logf("%d bytes; %.3f s for the page, %.3f s for an empty one", info.Size(), forPage, forEmpty)
	if forPage > maxTimes*forEmpty {
		t.Errorf("the page takes %.0f times as long as an empty one, want %d at most", forPage/forEmpty, maxTimes)
	}
	p := open(t, file, width(1280))
	p.screenshot("many")
	rows, cards := value[int](p, `document.querySelectorAll("#list tbody tr").length`), value[int](p, `document.querySelectorAll("article").length`)
	bad := value[int](p, `document.querySelectorAll("tr.critical, tr.high").length`)
	if rows != 10_000 || cards < 1_500 || cards > bad {
		t.Errorf("%d rows, and %d cards of %d", rows, cards, bad)
	}
	// The page says of each card that did not fit that it is missing, and no row links to it.
	if notice := value[string](p, `document.querySelector(".notice").textContent`); cards < bad && !strings.Contains(notice, fmt.Sprintf("The details of %s critical or high addresses", humanize.Comma(int64(bad-cards)))) {
		t.Errorf("the notice is %s", notice)
	}
	if links := value[int](p, `document.querySelectorAll("#list tbody a").length`); links != cards {
		t.Errorf("%d links to %d cards", links, cards)
	}
	p.do(chromedp.Click(header(1)), chromedp.Click("#find"), chromedp.KeyEvent("number 299"), chromedp.Click("#reset"), chromedp.Click("#all"))
	first := value[string](p, `document.querySelector("#list tbody tr").cells[0].textContent`)
	if shown := value[int](p, `document.querySelectorAll("#list tbody tr:not([hidden], .later)").length`); shown != 10_000 || first != addresses[0] {
		t.Errorf("%d rows, the first %s", shown, first)
	}
}
