package browsertest

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"
)

func TestThePageLoadsNothingAndReportsNoErrors(t *testing.T) {
	file := sampleReport(t)
	for _, screen := range [][]action{{width(1280)}, {width(390)}, {width(1280), dark()}} {
		p := open(t, file, screen...)
		p.do(chromedp.Click("#list thead th:nth-child(1) button"), chromedp.SendKeys("#find", "apache"))
		requests, messages := p.noticed()
		if !slices.Equal(requests, []string{addressOf(file)}) || len(messages) > 0 {
			t.Errorf("requests %q, messages %q", requests, messages)
		}
	}
}

func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("the flag -screenshots names no folder")
	}
	file := sampleReport(t)
	open(t, file, width(1280)).screenshot("1280")
	open(t, file, width(390)).screenshot("390")
	open(t, file, width(1280), dark()).screenshot("1280-dark")
	open(t, file, width(390), dark()).screenshot("390-dark")
	open(t, file, width(820)).screenshot("820")
	pdf := get(open(t, file, width(1280), dark()), chromedp.PrintToPDF(chromedp.PDFPrintBackground(), chromedp.PDFPreferCSSPageSize()))
	if err := os.WriteFile(filepath.Join(*screenshots, "print.pdf"), pdf, 0o600); err != nil {
		t.Fatal(err)
	}
}
