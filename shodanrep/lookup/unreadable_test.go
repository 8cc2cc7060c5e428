package lookup_test

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// TestARecordThatCannotBeReadIsNotAnAddressWithoutOne has data files with a record of an address that cannot be read.
// From the dataset alone the address has failed. Any other source answers as always.
func TestARecordThatCannotBeReadIsNotAnAddressWithoutOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "1.json")
	text := `{"ip_str":"11.0.0.1","port":80,"timestamp":"2026-01-15T12:00:00","data":""}
{"ip_str":"11.0.0.1","port":"none"}
{"ip_str":"11.0.0.9","port":"none"}
{"ip_str":"10.0.0.1","port":"none"}
`
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	bubble(t, func(t *testing.T) {
		cfg := withKey(shodantest.NewHandler())
		cfg.DataFiles = []string{path}
		e := start(t, cfg)
		for _, tt := range []struct {
			addr   string
			source lookup.Source
			status lookup.Status
			from   lookup.Source
		}{
			{"11.0.0.1", lookup.Dataset, lookup.Indexed, lookup.Dataset},
			{"11.0.0.8", lookup.Dataset, lookup.NotIndexed, lookup.Dataset},
			{"11.0.0.9", lookup.Dataset, lookup.Failed, lookup.Dataset},
			{"::ffff:11.0.0.9", lookup.Dataset, lookup.Failed, lookup.Dataset},
			{"10.0.0.1", lookup.Dataset, lookup.Failed, lookup.Dataset},
			{"11.0.0.9", lookup.Auto, lookup.NotIndexed, lookup.Shodan},
			{"11.0.0.9", lookup.InternetDB, lookup.NotIndexed, lookup.InternetDB},
			{"10.0.0.1", lookup.Auto, lookup.Reserved, ""},
		} {
			q := lookup.Question{Addr: netip.MustParseAddr(tt.addr), Source: tt.source}
			b := e.Batch(t.Context(), 1)
			b.Add(q)
			a := answers(t.Context(), t, b, q)[0]
			if a.Status != tt.status || a.Source != tt.from {
				t.Errorf("%s from %s: %s from %q: %s", tt.addr, tt.source, a.Status, a.Source, a.Error)
			}
			if tt.status == lookup.Failed && !strings.Contains(a.Error, path+", line ") {
				t.Errorf("%s: %q", tt.addr, a.Error)
			}
		}
	})
}
