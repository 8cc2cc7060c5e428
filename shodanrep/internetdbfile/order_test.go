package internetdbfile

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// TestAddressesAreReadInTheOrderOfTheIndex holds that neighbours in the order are on the same pages of the file.
func TestAddressesAreReadInTheOrderOfTheIndex(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(1, 2))
	var addrs []netip.Addr
	for range 2000 {
		n := chance.Uint32()
		addrs = append(addrs, netip.AddrFrom4([4]byte{byte(n >> 24 % 3), byte(n >> 16), byte(n >> 8 % 12), byte(n)}))
	}
	addrs = append(addrs, addrs[:100]...) // repeated
	v6 := netip.MustParseAddr("2606:4700::1")
	addrs = slices.Insert(addrs, 1000, v6)
	for name, test := range map[string]struct {
		layout  layout
		compare func(a, b netip.Addr) int
	}{
		"texts":             {layout{forms: []form{textForm}}, func(a, b netip.Addr) int { return strings.Compare(a.String(), b.String()) }},
		"numbers":           {layout{forms: []form{numberForm}}, netip.Addr.Compare},
		"numbers and texts": {layout{forms: []form{numberForm, textForm}}, netip.Addr.Compare},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			order := test.layout.order(addrs)
			if got := slices.Sorted(slices.Values(order)); len(got) != len(addrs) || len(slices.Compact(got)) != len(addrs) {
				t.Fatalf("%d indexes of %d addresses, or some twice", len(order), len(addrs))
			}
			if last := addrs[order[len(order)-1]]; last != v6 {
				t.Errorf("%s is the last, want the IPv6 address", last)
			}
			if !slices.IsSortedFunc(order[:len(order)-1], func(a, b int32) int { return test.compare(addrs[a], addrs[b]) }) {
				t.Error("the order is not that of the index")
			}
		})
	}
}
