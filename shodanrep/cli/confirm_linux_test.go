package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
)

func TestTheCacheIsClearedOnlyAfterYesOnATerminal(t *testing.T) {
	const question = "Drop all 2 responses in "
	for name, tt := range map[string]struct {
		typed   string
		args    []string
		asks    bool
		dropped string
	}{
		"no":         {"n\n", nil, true, ""},
		"nothing":    {"\n", nil, true, ""},
		"the end":    {"\x04", nil, true, ""},
		"yes":        {"y\n", nil, true, "2 responses dropped"},
		"by a flag":  {"", []string{"--yes"}, false, "2 responses dropped"},
		"an address": {"", []string{"11.0.0.1"}, false, "1 response dropped"},
	} {
		file := filepath.Join(t.TempDir(), "cache.db")
		config := writeFile(t, "cache.spc", fmt.Sprintf("connection \"a\" {\n plugin = \"shodanrep\"\n cache = %q\n}\n", file))
		store, err := shodanrep.OpenCache(t.Context(), "a", fmt.Sprintf("cache = %q", file), (&app{}).logger(false))
		if err != nil {
			t.Fatal(err)
		}
		var entries []cache.Entry
		for _, ip := range []string{"11.0.0.1", "11.0.0.2"} {
			entries = append(entries, cache.Entry{Key: cache.Key{Service: "internetdb", Target: ip}, CheckedAt: time.Now(), Expires: time.Now().Add(time.Hour)})
		}
		if err := errors.Join(store.Put(t.Context(), entries), store.Close()); err != nil {
			t.Fatal(err)
		}
		tty, written := terminal(t, 80, tt.typed)
		a := app{plugin: shodanrep.Plugin, stdin: tty, stdout: tty, stderr: tty}
		status := a.run(t.Context(), append([]string{"cache", "clear", "--config", config}, tt.args...))
		got := written()
		kept := strings.Contains(got, "nothing was dropped")
		if status != exitDone || kept != (tt.dropped == "") || strings.Contains(got, question) != tt.asks || !strings.Contains(got, tt.dropped) {
			t.Errorf("%s: exit status %d: %s", name, status, got)
		}
	}
}
