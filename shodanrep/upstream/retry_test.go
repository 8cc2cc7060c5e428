package upstream

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// The last try may have milliseconds left. That it got no response in them says less than the response before.
func TestATryThatIsCutShortDoesNotHideWhyTheOneBeforeFailed(t *testing.T) {
	for name, test := range map[string]struct {
		faults []shodantest.Fault
		want   string
	}{
		"a page, then no response": {[]shodantest.Fault{{Status: 502, Times: 1}, {Kind: shodantest.Hang}}, "HTTP 502"},
		"no response":              {[]shodantest.Fault{{Kind: shodantest.Hang}}, "no response within 10s"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				sim := shodantest.NewHandler()
				for _, f := range test.faults {
					sim.Fault(f)
				}
				c := client(internetDB(sim), cache.Off{}, 1)
				got := lookUp(t.Context(), c, []netip.Addr{netip.MustParseAddr("11.0.0.1")})
				if err := got[0].Err; err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %s", err, test.want)
				}
			})
		})
	}
}
