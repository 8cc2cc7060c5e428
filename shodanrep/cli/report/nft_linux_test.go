package report

import (
	"bytes"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A list that is loaded every day loses what it no longer has, and takes a network around what it had. Rules stay.
func TestNftLoadsAListAgain(t *testing.T) {
	t.Parallel()
	if err := exec.Command("unshare", "-rn", "nft", "list", "ruleset").Run(); err != nil {
		t.Skip("nft cannot be run in a network namespace of its own: ", err)
	}
	dir := t.TempDir()
	for name, list := range map[string]string{"1": "192.0.2.0/32 192.0.2.9/32 2001:db8::1/128", "2": "192.0.2.0/31 2001:db8::/128", "3": ""} {
		var text bytes.Buffer
		w := &nftWriter{networkSet{out: &text}}
		for _, network := range strings.Fields(list) {
			w.set.AddPrefix(netip.MustParsePrefix(network))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	load := exec.Command("unshare", "-rn", "sh", "-ec", `nft -f 1; nft add chain inet shodanrep in '{ type filter hook input priority 0; }'
nft add rule inet shodanrep in ip saddr @addresses4 drop; nft -f 2; nft -f 2; nft list ruleset; echo; nft -f 3; nft list ruleset`)
	load.Dir = dir
	out, err := load.CombinedOutput()
	second, third, _ := strings.Cut(string(out), "\n\ntable")
	if err != nil || !strings.Contains(second, "elements = { 192.0.2.0/31 }") || !strings.Contains(second, "elements = { 2001:db8:: }") ||
		strings.Contains(third, "elements") || !strings.Contains(third, "@addresses4 drop") {
		t.Errorf("%v: %s", err, out)
	}
}
