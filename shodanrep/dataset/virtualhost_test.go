package dataset

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func TestBannersOfAPortThatDifferInHostNameAreAllCurrent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	asked := func(name string) map[string]any { return map[string]any{"options": map[string]any{"hostname": name}} }
	data := write(t, in(dir, "a.json"),
		line("192.0.2.50", 443, "2026-05-01T10:00:00", "_shodan", asked("a.example.com"), "data", "older a", "ssl", tls("old.example", "", "", "")),
		line("192.0.2.50", 443, "2026-05-01T11:00:00", "_shodan", asked("A.example.com"), "data", "a"),
		line("192.0.2.50", 443, "2026-05-01T10:00:00", "_shodan", asked("b.example.com"), "data", "b", "tags", []string{"c2"}, "ssl", tls("b.example", "", "", "")),
		line("192.0.2.50", 443, "2026-05-01T10:30:00", "data", "no name"),
	)
	again := write(t, in(dir, "b.json"), line("192.0.2.50", 443, "2026-05-01T10:00:00", "_shodan", asked("b.example.com"), "data", "b", "tags", []string{"c2"}))
	d := open(t, t.TempDir(), data, again)
	want := []string{"443/tcp no name", "443/tcp a", "443/tcp b"}
	if diff := cmp.Diff(want, hosts(t, d, "192.0.2.50")["192.0.2.50"]); diff != "" {
		t.Errorf("Hosts: %s", diff)
	}
	for h, err := range d.All(t.Context()) {
		if err != nil || len(h.Banners) != 3 || !cmp.Equal(h.Tags, shodan.Texts{"c2"}) || !cmp.Equal(h.Ports, shodan.Ints{443}) {
			t.Errorf("All: %+v, %v", h, err)
		}
	}
	addr := netip.MustParseAddr("192.0.2.50")
	found, err := d.Hosts(t.Context(), []netip.Addr{addr}, true)
	if err != nil || len(found[addr].Banners) != 4 {
		t.Errorf("with the history: %+v, %v", found[addr], err)
	}
	for cn, want := range map[string]int{"old.example": 0, "b.example": 1} {
		if found, err := d.Related(t.Context(), shodan.SubjectCN, cn, netip.Addr{}, 100); err != nil || len(found) != want {
			t.Errorf("%s relates %d services, %v, want %d", cn, len(found), err, want)
		}
	}
}
