package cli

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
)

// TestATargetListHasEachTargetOnce compares a list that grows many times with a map.
func TestATargetListHasEachTargetOnce(t *testing.T) {
	t.Parallel()
	chance := rand.New(rand.NewPCG(1, 2))
	list := newTargetList()
	list.inputs = []string{"a", "b"}
	hits := map[netip.Prefix]int64{}
	lines := map[netip.Prefix]string{}
	var want []netip.Prefix
	for line := range int64(60_000) {
		n := chance.IntN(30_000)
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{11, byte(n >> 16), byte(n >> 8), byte(n)}), 32)
		switch n % 10 {
		case 0:
			p = netip.PrefixFrom(p.Addr(), 24).Masked()
		case 1:
			p = netip.MustParsePrefix(fmt.Sprintf("2606:4700::%x/128", n))
		case 2: // another target than the IPv4 address
			p = netip.PrefixFrom(netip.AddrFrom16(p.Addr().As16()), 128)
		case 3:
			p = netip.MustParsePrefix(fmt.Sprintf("2606:4700:%x::/48", n))
		}
		if hits[p] == 0 {
			want = append(want, p)
			lines[p] = fmt.Sprint(list.inputs[line%2], line+1)
		}
		hits[p] += 2
		list.add(p, 2, line+1, int(line%2))
	}
	if got := slices.Collect(list.all()); !slices.Equal(got, want) || list.len() != len(want) {
		t.Fatalf("%d targets, want %d", len(got), len(want))
	}
	countable, networks := 0, 0
	for i, p := range want {
		e := list.entry(i)
		if at := fmt.Sprint(list.inputOf(e), e.line); e.hits != hits[p] || at != lines[p] {
			t.Errorf("%s: %d hits, first at %s; want %d, %s", p, e.hits, at, hits[p], lines[p])
		}
		if p.IsSingleIP() {
			countable++
		} else {
			networks++
		}
	}
	if list.countable != countable || list.networks != networks {
		t.Errorf("%d countable and %d networks, want %d and %d", list.countable, list.networks, countable, networks)
	}
	list.add(want[0], 1, 0, 0)
	if e := list.entry(0); e.hits != hits[want[0]]+1 || e.line == 0 {
		t.Errorf("found again as an argument: %+v", e)
	}
}
