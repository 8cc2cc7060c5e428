package cli

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The summary of a report in Markdown quotes what a service sent, which must be no markup there either.
func TestTheSummaryInMarkdownHasNoMarkupOfAService(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(400)
		_ = json.NewEncoder(w).Encode(map[string]string{"error": "x <img src=x> [a](javascript:b) `c` ##[error]d\n::error::e"})
	}))
	t.Cleanup(server.Close)
	got := runCheck(t, "internetdb_url = \""+server.URL+"\"\ncache = \"off\"\nhistory_store = \"off\"\n", "", "check", "--output", "markdown", "11.0.0.1")
	_, summary, _ := strings.Cut(got.stdout, "\n\n")
	if want := "x &lt;img src=x&gt; \\[a\\](javascript:b) \\`c\\` ##\\[error\\]d ::error::e"; !strings.Contains(summary, want) || strings.Contains(summary, "\n::") {
		t.Errorf("%s\n%s", got.stdout, got.stderr)
	}
}
