package shodanrep

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
)

// An address is a value of the ip column as it was asked for.
type address struct {
	// given is the text as given, which the row has to echo: PostgreSQL checks the row against the query again.
	given string
	// addr is what is looked up; it is invalid where the text is no address of a host.
	addr netip.Addr
	// network says that the text is a network, and problem what is wrong with a text that is neither.
	network bool
	problem string
}

// parseAddress reads an address. A mask of the full length makes a host, a wider one a network.
func parseAddress(text string) address {
	a := address{given: text}
	if prefix, ok := ipaddr.Parse(text); ok {
		if prefix.IsSingleIP() {
			a.addr = prefix.Addr()
		} else {
			a.network = true
		}
		return a
	}
	a.problem = fmt.Sprintf("%q is not an IP address: write it like 198.51.100.7 or 2001:db8::7", text)
	return a
}

// echo is the value of the ip column: the text as given, or nil where an inet column cannot hold it.
func (a address) echo() any {
	if net.ParseIP(a.given) == nil {
		if _, _, err := net.ParseCIDR(a.given); err != nil {
			return nil
		}
	}
	return a.given
}

// textOf returns a qual's value as text: an address as given, a text as it is, a moment as RFC 3339. It returns false for a value that is
// not there, which is how Steampipe hands over one that is only known when the query runs.
func textOf(v *proto.QualValue) (string, bool) {
	switch value := v.GetValue().(type) {
	case *proto.QualValue_InetValue:
		return inetText(value.InetValue)
	case *proto.QualValue_StringValue:
		return value.StringValue, true
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
	if inet.GetAddr() != "" && (inet.GetCidr() == "" || parseAddress(inet.GetCidr()).addr.IsValid()) {
		return inet.GetAddr(), true
	}
	return inet.GetCidr(), inet.GetCidr() != ""
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
