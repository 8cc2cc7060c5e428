package embedded

import (
	"errors"
	"net/netip"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
)

// registerFunctions adds SQL functions for addresses and networks. But for iporder they have the names of the functions of
// ncruces' ipaddr extension. They parse addresses as the ip column of a table does, and return NULL for an invalid address:
// a bad cell of a file must not fail a query.
func registerFunctions(conn *sqlite3.Conn) error {
	const flags = sqlite3.DETERMINISTIC | sqlite3.INNOCUOUS
	one := func(name string, f func(sqlite3.Context, netip.Prefix)) error {
		return conn.CreateFunction(name, 1, flags, func(ctx sqlite3.Context, args ...sqlite3.Value) {
			if p, ok := ipaddr.Parse(args[0].Text()); ok {
				f(ctx, p)
			}
		})
	}
	two := func(name string, f func(a, b netip.Prefix) bool) error {
		return conn.CreateFunction(name, 2, flags, func(ctx sqlite3.Context, args ...sqlite3.Value) {
			a, okA := ipaddr.Parse(args[0].Text())
			if b, okB := ipaddr.Parse(args[1].Text()); okA && okB {
				ctx.ResultBool(f(a, b))
			}
		})
	}
	return errors.Join(
		two("ipcontains", func(a, b netip.Prefix) bool { return a.Bits() <= b.Bits() && a.Contains(b.Addr()) }),
		two("ipoverlaps", func(a, b netip.Prefix) bool { return a.Overlaps(b) }),
		one("ipfamily", func(ctx sqlite3.Context, p netip.Prefix) {
			if p.Addr().Is4() {
				ctx.ResultInt(4)
			} else {
				ctx.ResultInt(6)
			}
		}),
		one("iphost", func(ctx sqlite3.Context, p netip.Prefix) { ctx.ResultText(p.Addr().String()) }),
		one("ipmasklen", func(ctx sqlite3.Context, p netip.Prefix) { ctx.ResultInt(p.Bits()) }),
		one("ipnetwork", func(ctx sqlite3.Context, p netip.Prefix) { ctx.ResultText(p.Masked().String()) }),
		one("iporder", func(ctx sqlite3.Context, p netip.Prefix) { ctx.ResultBlob(orderKey(p)) }),
	)
}

// orderKey returns bytes that sort as PostgreSQL sorts values of the type inet: IPv4 before IPv6, by the network, a
// network before its addresses. SQLite sorts the texts of addresses: 9.0.0.1 after 10.0.0.1.
func orderKey(p netip.Prefix) []byte {
	key := []byte{6}
	if p.Addr().Is4() {
		key[0] = 4
	}
	key = append(key, p.Masked().Addr().AsSlice()...)
	key = append(key, byte(p.Bits()))
	return append(key, p.Addr().AsSlice()...)
}
