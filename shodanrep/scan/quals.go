package scan

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	sdkquals "github.com/turbot/steampipe-plugin-sdk/v5/plugin/quals"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
)

// quals are the values that key columns must equal, as text.
type quals map[string][]string

// scanQuals returns the quals of the whole scan. A join with a list compares a column both with the value of the other
// table and with the list: then the column has the values that all of them have, and repeated has it as well.
func scanQuals(d *plugin.QueryData) (all, repeated quals) {
	all, repeated = quals{}, quals{}
	for column, list := range d.QueryContext.UnsafeQuals {
		for _, qual := range list.GetQuals() {
			if qual.GetStringValue() != "=" || qual.GetValue().GetValue() == nil {
				continue
			}
			texts, ok := textsOf(qual.GetValue())
			if !ok {
				continue
			}
			if before, again := all[column]; again {
				texts = intersect(before, texts)
				repeated[column] = texts
			}
			all[column] = texts
		}
	}
	return all, repeated
}

// allow reports whether a List call has a value of each column that it compares, and of those that several conditions
// compare one that all of them have. If it has not, PostgreSQL would drop its rows.
func (q quals) allow(own quals) bool {
	for column, texts := range own {
		if values, several := q[column]; several {
			texts = intersect(texts, values)
		}
		if len(texts) == 0 {
			return false
		}
	}
	return true
}

// intersect returns the values of a list that another has as well, each once. It takes an address and the network of only
// that address for equal, as PostgreSQL does.
func intersect(texts, others []string) []string {
	comparable := func(text string) string {
		if prefix, ok := ipaddr.Parse(text); ok {
			return prefix.String()
		}
		return text
	}
	wanted := make(map[string]bool, len(others))
	for _, other := range others {
		wanted[comparable(other)] = true
	}
	common := []string{}
	for _, text := range texts {
		if key := comparable(text); wanted[key] {
			wanted[key] = false
			common = append(common, text)
		}
	}
	return common
}

// callQuals returns the quals of one List call: those of the scan, with one value of the list that the SDK has split. The
// SDK leaves out a column that two conditions compare if none of them or both have a list, as in ip in (…) and ip in (…):
// then the call has the values that all conditions have.
func callQuals(d *plugin.QueryData) (quals, error) {
	own := quals{}
	for column, value := range d.EqualsQuals {
		texts, ok := textsOf(value)
		if !ok {
			return nil, errUnknown(d.Table.Name, column)
		}
		own[column] = texts
	}
	for column, compared := range d.Quals {
		if _, has := own[column]; has || slices.ContainsFunc(compared.Quals, func(q *sdkquals.Qual) bool { return q.Operator != sdkquals.QualOperatorEqual }) {
			continue
		}
		for i, qual := range compared.Quals {
			texts, ok := textsOf(qual.Value)
			if !ok {
				return nil, errUnknown(d.Table.Name, column)
			}
			if i > 0 {
				texts = intersect(own[column], texts)
			}
			own[column] = texts
		}
	}
	return own, nil
}

// errUnknown returns the error about a value that is missing because it is known only when the query runs.
func errUnknown(table, column string) error {
	return fmt.Errorf("%s: %s is compared with a value that is only known when the query runs, or with NULL (leave those out: where … is not null): %s", table, column, workingForms(table, column))
}

// workingForms names the ways to give a table values for a column that work in Steampipe.
func workingForms(table, column string) string {
	if column != "ip" {
		return fmt.Sprintf("write the values out (%[1]s in ('…', '…')), or join on a column of the same type without a cast (on t.%[1]s = x.%[1]s)", column)
	}
	return fmt.Sprintf("list the addresses (ip in ('198.51.100.7', '203.0.113.9')), join on a column of type inet, or take them from a subquery with "+
		"cross join lateral (select * from %s where ip = any(u.ips) offset 0)", table)
}

// textsOf returns the values of a qual, of one value or of a list.
func textsOf(v *proto.QualValue) ([]string, bool) {
	list, isList := v.GetValue().(*proto.QualValue_ListValue)
	if !isList {
		text, ok := textOf(v)
		if !ok {
			return nil, false
		}
		return []string{text}, true
	}
	texts := make([]string, 0, len(list.ListValue.GetValues()))
	for _, item := range list.ListValue.GetValues() {
		text, ok := textOf(item)
		if !ok {
			return nil, false
		}
		texts = append(texts, text)
	}
	return texts, true
}

// unknownText is the text that Steampipe's foreign data wrapper passes instead of one that is known only when the query
// runs, such as that of (select …). PostgreSQL would drop all rows about it, without an error.
const unknownText = "?"

// textOf returns a qual's value as text: an address as given, a text as it is, a time as RFC 3339. It returns false for a
// missing value, which is how Steampipe passes one that is known only when the query runs.
func textOf(v *proto.QualValue) (string, bool) {
	switch value := v.GetValue().(type) {
	case *proto.QualValue_InetValue:
		return inetText(value.InetValue)
	case *proto.QualValue_StringValue:
		return value.StringValue, value.StringValue != unknownText
	case *proto.QualValue_JsonbValue:
		return value.JsonbValue, true
	case *proto.QualValue_Int64Value:
		return strconv.FormatInt(value.Int64Value, 10), true
	case *proto.QualValue_DoubleValue:
		return strconv.FormatFloat(value.DoubleValue, 'f', -1, 64), true
	case *proto.QualValue_BoolValue:
		return strconv.FormatBool(value.BoolValue), true
	case *proto.QualValue_TimestampValue:
		return value.TimestampValue.AsTime().Format(time.RFC3339Nano), true
	}
	return "", false
}

// inetText returns an inet or cidr value in a form that PostgreSQL takes for the same value when it compares the row
// with the query again.
func inetText(inet *proto.Inet) (string, bool) {
	// Steampipe's foreign data wrapper writes an IPv4-mapped IPv6 address as an IPv4 address: ::ffff:198.51.100.7 arrives
	// as 198.51.100.7 with a mask of 128 bits. Only the protocol version tells the two apart.
	if addr, err := netip.ParseAddr(inet.GetAddr()); err == nil && addr.Is4() && inet.GetProtocolVersion() == grpc.IPv6 {
		text := netip.AddrFrom16(addr.As16()).String()
		if inet.GetMask() != 128 {
			text += "/" + strconv.Itoa(int(inet.GetMask()))
		}
		return text, true
	}
	// A host arrives as 198.51.100.7/32 in Cidr and as it was written in Addr.
	if inet.GetAddr() != "" && (inet.GetCidr() == "" || ParseAddress(inet.GetCidr()).Addr.IsValid()) {
		return inet.GetAddr(), true
	}
	return inet.GetCidr(), inet.GetCidr() != ""
}

// A Field sets a field of a T to the value of a key column.
type Field[T any] struct {
	Column string
	Set    func(*T, string) error
}

// combine returns a T for each combination of the values of the key columns. The SDK splits a list, but where several
// columns have one a List call has them whole.
func combine[T any](q quals, fields ...Field[T]) ([]T, error) {
	all := make([]T, 1)
	for _, field := range fields {
		texts, found := q[field.Column]
		if !found {
			continue
		}
		var each []T
		for _, item := range all {
			for _, text := range texts {
				if err := field.Set(&item, text); err != nil {
					return nil, err
				}
				each = append(each, item)
			}
		}
		all = each
	}
	return all, nil
}
