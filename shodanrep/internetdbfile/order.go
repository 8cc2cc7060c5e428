package internetdbfile

import (
	"net/netip"
	"slices"
	"strconv"
)

// textRanks are the places that the numbers of an IPv4 address have in the order of texts, in which 10 and 100 come
// before 2.
var textRanks = func() (ranks [256]byte) {
	var texts []string
	for n := range len(ranks) {
		texts = append(texts, strconv.Itoa(n)+".")
	}
	slices.Sort(texts)
	for n := range ranks {
		rank, _ := slices.BinarySearch(texts, strconv.Itoa(n)+".")
		ranks[n] = byte(rank)
	}
	return ranks
}()

// order returns the indexes of addresses in the order in which the index of the file has them, as far as it has values of
// one form, or nearly so: those of IPv4 first.
func (l *layout) order(addrs []netip.Addr) []int32 {
	order := make([]int32, 0, len(addrs))
	keys := make([]uint64, 0, len(addrs)) // of IPv4 addresses: the rank, then the index
	for i, addr := range addrs {
		if addr.Is4() {
			keys = append(keys, uint64(l.rank(addr))<<32|uint64(i))
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		order = append(order, int32(uint32(key)))
	}
	for i, addr := range addrs {
		if !addr.Is4() {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order[len(keys):], func(a, b int32) int { return addrs[a].Compare(addrs[b]) })
	return order
}

// rank returns the rank of an IPv4 address in the order of the file. Either way the addresses of a /24 have consecutive ranks.
func (l *layout) rank(addr netip.Addr) (rank uint32) {
	if l.forms[0] != textForm {
		return uint32(numberOf(addr))
	}
	for _, number := range addr.As4() {
		rank = rank<<8 | uint32(textRanks[number])
	}
	return rank
}
