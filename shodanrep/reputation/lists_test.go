package reputation_test

import (
	"cmp"
	"fmt"
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
)

// listsOf makes lists of entries for each.
func listsOf(t *testing.T, allow, deny []string) *reputation.Lists {
	t.Helper()
	lists := &reputation.Lists{}
	for list, entries := range map[reputation.List][]string{reputation.Allow: allow, reputation.Deny: deny} {
		for _, entry := range entries {
			if err := lists.Add(list, entry); err != nil {
				t.Fatal(err)
			}
		}
	}
	return lists
}

func TestTheMoreSpecialEntryDecides(t *testing.T) {
	t.Parallel()
	lists := listsOf(t,
		[]string{"203.0.113.7 our scanner", "2001:db8:1::/48 our office", "AS64496", "192.0.2.0/24 a partner", "::ffff:198.51.100.9 a server"},
		[]string{"203.0.113.0/24\t attacked us ", "2001:db8::/32", "192.0.2.0/24 no longer", "AS64496 left", "as64497 spam", "198.51.100.9/25", "AS64498 x"},
	)
	for _, tt := range []struct{ addr, asn, want string }{
		{"203.0.113.7", "", "allow|203.0.113.7|our scanner"},
		{"203.0.113.8", "", "deny|203.0.113.0/24|attacked us"},
		{"203.0.114.7", "", "||"},
		{"2001:db8:1:2::3", "", "allow|2001:db8:1::/48|our office"},
		{"2001:db8:2::3", "", "deny|2001:db8::/32|2001:db8::/32"},
		{"192.0.2.1", "", "deny|192.0.2.0/24|no longer"},
		{"::ffff:203.0.113.7", "", "allow|203.0.113.7|our scanner"},
		{"198.51.100.9", "", "allow|::ffff:198.51.100.9|a server"},
		{"198.51.100.1", "", "deny|198.51.100.9/25|198.51.100.9/25"},
		{"9.9.9.9", "AS64496", "deny|AS64496|left"},
		{"9.9.9.9", "AS64497", "deny|as64497|spam"},
		{"203.0.113.7", "AS64498", "allow|203.0.113.7|our scanner"},
		{"9.9.9.9", "AS64499", "||"},
		{"", "AS64498", "deny|AS64498|x"},
		{"", "", "||"},
	} {
		addr, _ := netip.ParseAddr(tt.addr)
		got := lists.Find(addr, tt.asn)
		if text := fmt.Sprintf("%s|%s|%s", got.List, got.Entry, got.Reason); text != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.addr, tt.asn, text, tt.want)
		}
	}
	var none *reputation.Lists
	if got := none.Find(netip.MustParseAddr("192.0.2.1"), "AS64496"); got != (reputation.Listing{}) {
		t.Errorf("without lists: %+v", got)
	}
}

func TestAWrongEntrySaysWhatIsAllowed(t *testing.T) {
	t.Parallel()
	for _, entry := range []string{"example.com bad", "203.0.113.0/33", "203.0.113", "AS", "ASX", "AS0", "64496", "fe80::1%eth0", "::ffff:0.0.0.0/90", "", "203.0.113.1-203.0.113.9"} {
		err := (&reputation.Lists{}).Add(reputation.Deny, entry)
		if err == nil || !strings.Contains(err.Error(), `use an address, a network or an autonomous system, and a reason after a space, such as "203.0.113.0/24 our scanners"`) {
			t.Errorf("%q: %v", entry, err)
		}
	}
}

func TestAFileOfAList(t *testing.T) {
	t.Parallel()
	lists := &reputation.Lists{}
	text := "\ufeff# ours\r\n203.0.113.0/24 case #12 # of May\r\n\r\n  AS64496\tour provider\n\t# more\n2001:db8::7\n192.0.2.1 là#2\u00a0# a comment"
	if err := lists.AddFile(reputation.Allow, "ours.txt", []byte(text)); err != nil {
		t.Fatal(err)
	}
	for want, got := range map[string]reputation.Listing{
		"allow|203.0.113.0/24|case":     lists.Find(netip.MustParseAddr("203.0.113.9"), ""),
		"allow|AS64496|our provider":    lists.Find(netip.Addr{}, "AS64496"),
		"allow|192.0.2.1|là#2":          lists.Find(netip.MustParseAddr("192.0.2.1"), ""),
		"allow|2001:db8::7|2001:db8::7": lists.Find(netip.MustParseAddr("2001:db8::7"), ""),
	} {
		if text := fmt.Sprintf("%s|%s|%s", got.List, got.Entry, got.Reason); text != want {
			t.Errorf("%s, want %s", text, want)
		}
	}
	err := lists.AddFile(reputation.Allow, "ours.txt", []byte("203.0.113.1\n# x\nnonsense here\n"))
	if err == nil || !strings.HasPrefix(err.Error(), `ours.txt:3: "nonsense here": use an address`) {
		t.Errorf("%v", err)
	}
	if err := lists.AddFile(reputation.Allow, "ours.txt", []byte(strings.Repeat("x", 1<<20))); err == nil {
		t.Error("a line without end is read")
	}
}

// commentStart is where a comment of a list begins.
var commentStart = regexp.MustCompile(`(^|[\s\v\p{Z}\x{85}])#`)

// FuzzList looks for entries that end the program, and for addresses of which another entry is found than by going through
// all lines.
func FuzzList(f *testing.F) {
	f.Add("203.0.113.0/24 our scanners\n# a comment\nAS64496 x # y\n2001:db8::/32", []byte{203, 0, 113, 255})
	f.Add("::ffff:1.2.3.4/120\n0.0.0.0/0\n::/0\n\ufeff", []byte{1, 2, 3, 128})
	f.Add("10.0.0.0/8 a\n10.1.0.0/16 à#b\n10.1.2.3/9 c\n10.0.0.0/8 d", []byte{10, 1, 2, 3})
	f.Fuzz(func(t *testing.T, text string, bytes []byte) {
		lists := &reputation.Lists{}
		if err := lists.AddFile(reputation.Deny, "fuzz", []byte(text)); err != nil {
			return
		}
		entries := map[netip.Prefix]reputation.Listing{}
		var probes []netip.Addr
		if addr, ok := netip.AddrFromSlice(bytes); ok {
			probes = append(probes, addr)
		}
		for line := range strings.SplitSeq(text, "\n") {
			line = strings.TrimPrefix(line, "\ufeff")
			if at := commentStart.FindStringIndex(line); at != nil {
				line = line[:at[0]]
			}
			fields := strings.Fields(line)
			if len(fields) == 0 {
				continue
			}
			network, err := netip.ParsePrefix(fields[0])
			if addr, addrErr := netip.ParseAddr(fields[0]); addrErr == nil {
				network, err = netip.PrefixFrom(addr, addr.BitLen()), nil
			}
			if err != nil {
				continue // an autonomous system
			}
			if addr := network.Addr(); addr.Is4In6() {
				network = netip.PrefixFrom(addr.Unmap(), network.Bits()-96)
			}
			network = network.Masked()
			probes = append(probes, network.Addr(), network.Addr().Prev())
			if _, found := entries[network]; !found {
				reason := strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), fields[0]))
				entries[network] = reputation.Listing{List: reputation.Deny, Entry: fields[0], Reason: cmp.Or(reason, fields[0])}
			}
		}
		for _, addr := range probes {
			var want reputation.Listing
			longest := -1
			for network, listing := range entries {
				if network.Contains(addr.Unmap()) && network.Bits() > longest {
					longest, want = network.Bits(), listing
				}
			}
			if got := lists.Find(addr, ""); got != want {
				t.Errorf("%v: %+v, want %+v", addr, got, want)
			}
		}
	})
}
