package embedded

import (
	"bytes"
	"encoding/json"
	"math"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// columnTypes maps every column type of the SDK to the name of the type in Steampipe's database and to the type that is
// declared to SQLite. The declared type identifies the type in a result. Its affinity prevents that SQLite converts
// text that looks like a number: a type with "TEXT" in its name stays text.
var columnTypes = map[proto.ColumnType]struct{ steampipe, declared string }{
	proto.ColumnType_BOOL:      {"bool", "BOOLEAN"},
	proto.ColumnType_INT:       {"int8", "BIGINT"},
	proto.ColumnType_DOUBLE:    {"float8", "DOUBLE"},
	proto.ColumnType_STRING:    {"text", "TEXT"},
	proto.ColumnType_JSON:      {"jsonb", "JSON TEXT"},
	proto.ColumnType_TIMESTAMP: {"timestamptz", "TIMESTAMP TEXT"},
	proto.ColumnType_IPADDR:    {"inet", "INET TEXT"},
	proto.ColumnType_INET:      {"inet", "INET TEXT"},
	proto.ColumnType_CIDR:      {"cidr", "CIDR TEXT"},
	proto.ColumnType_LTREE:     {"ltree", "LTREE TEXT"},
}

// timestampFormats are the formats of a timestamp in a condition. The ones without a zone are UTC, as in SQLite. PostgreSQL
// reads 20060102 as well, and writes a zone of whole hours as +00.
var timestampFormats = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999Z07", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02T15:04", "2006-01-02T15:04Z07:00",
	"2006-01-02", "20060102",
}

// timestampText is RFC 3339 in UTC, with microseconds if there are any, as PostgreSQL stores them.
const timestampText = "2006-01-02T15:04:05.999999Z07:00"

// isNetwork reports whether values of the type are addresses or networks.
func isNetwork(t proto.ColumnType) bool {
	return t == proto.ColumnType_INET || t == proto.ColumnType_CIDR || t == proto.ColumnType_IPADDR
}

// canHold reports whether a column of the network type t can hold the text in the SDK. A row with a text that it cannot
// hold fails the whole query.
func canHold(t proto.ColumnType, text string) bool {
	if t != proto.ColumnType_CIDR && net.ParseIP(text) != nil {
		return true
	}
	_, _, err := net.ParseCIDR(text)
	return err == nil && t != proto.ColumnType_IPADDR
}

// conditionText returns the text of a value in a condition on a column of type t. It returns false if no value of that
// column can equal it: for NULL, a blob, or text in a column of numbers.
func conditionText(t proto.ColumnType, v sqlite3.Value) (string, bool) {
	switch v.Type() {
	case sqlite3.NULL, sqlite3.BLOB:
		return "", false
	}
	text := v.Text()
	switch t {
	case proto.ColumnType_INT:
		text = wholeNumber(text)
	case proto.ColumnType_DOUBLE:
		text = strings.TrimSpace(text)
	}
	_, ok := qualValue(t, text)
	return text, ok
}

// wholeNumber returns a whole number as results have it. In a condition on a column of numbers SQLite takes '07', ' 7' and
// '7.0' for 7, as a column of texts from a CSV file has them. It returns any other text as it is.
func wholeNumber(text string) string {
	number := strings.TrimSpace(text)
	if i, err := strconv.ParseInt(number, 10, 64); err == nil {
		return strconv.FormatInt(i, 10)
	}
	const exact = 1 << 53
	f, err := strconv.ParseFloat(number, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > exact || !isDecimal(number) {
		return text
	}
	return strconv.FormatInt(int64(f), 10)
}

// isDecimal reports whether a text has only what a decimal number can have.
func isDecimal(text string) bool { return strings.Trim(text, "0123456789.+-eE") == "" }

// qualValue returns the value of a condition on a column of type t, as Steampipe's foreign data wrapper sends it. It
// returns false if the text is not a value of that type. An address or network that the SDK cannot hold is sent as a
// string, so that the plugin can say what is wrong with it.
func qualValue(t proto.ColumnType, text string) (*proto.QualValue, bool) {
	switch t {
	case proto.ColumnType_BOOL:
		b, err := strconv.ParseBool(strings.ToLower(text))
		return &proto.QualValue{Value: &proto.QualValue_BoolValue{BoolValue: b}}, err == nil
	case proto.ColumnType_INT:
		i, err := strconv.ParseInt(text, 10, 64)
		return &proto.QualValue{Value: &proto.QualValue_Int64Value{Int64Value: i}}, err == nil
	case proto.ColumnType_DOUBLE:
		f, err := strconv.ParseFloat(text, 64)
		return &proto.QualValue{Value: &proto.QualValue_DoubleValue{DoubleValue: f}}, err == nil
	case proto.ColumnType_TIMESTAMP:
		at, ok := parseTimestamp(text)
		return &proto.QualValue{Value: &proto.QualValue_TimestampValue{TimestampValue: timestamppb.New(at)}}, ok
	case proto.ColumnType_JSON:
		return &proto.QualValue{Value: &proto.QualValue_JsonbValue{JsonbValue: text}}, json.Valid([]byte(text))
	case proto.ColumnType_LTREE:
		return &proto.QualValue{Value: &proto.QualValue_LtreeValue{LtreeValue: text}}, true
	case proto.ColumnType_INET, proto.ColumnType_CIDR, proto.ColumnType_IPADDR:
		if canHold(t, text) {
			return &proto.QualValue{Value: &proto.QualValue_InetValue{InetValue: inet(text)}}, true
		}
	}
	return &proto.QualValue{Value: &proto.QualValue_StringValue{StringValue: text}}, true
}

// inet keeps the text unchanged, because a plugin returns it in its rows.
func inet(text string) *proto.Inet {
	address, bits, _ := strings.Cut(text, "/")
	version, mask := grpc.IPv6, 128
	if ip := net.ParseIP(address); ip != nil && !strings.Contains(address, ":") {
		version, mask = grpc.IPv4, 32
	}
	if n, err := strconv.Atoi(bits); err == nil {
		mask = n
	}
	return &proto.Inet{Mask: int32(mask), Addr: text, Cidr: text, ProtocolVersion: version}
}

func parseTimestamp(text string) (time.Time, bool) {
	for _, format := range timestampFormats {
		if at, err := time.Parse(format, text); err == nil {
			return at, true
		}
	}
	return numericTime(text)
}

// The numbers that are Julian days, as unixepoch() and others of SQLite's functions take them with the modifier auto, but
// only from the year 0 on: smaller numbers are more likely seconds.
const minJulianDay, maxJulianDay = 1721059.5, 5373484.5

// unixJulianDay is the Julian day of the time 0 of Unix.
const unixJulianDay = 2440587.5

// The seconds of the first and the last time that a condition can have.
const minUnix, maxUnix = -62135596800, 253402300799

// numericTime returns the time of a number, in the text that SQLite makes of it: seconds since 1970, as unixepoch()
// returns, or a Julian day, as julianday() does. SQLite would compare the number with the text of a time, and every time
// would be greater than the seconds of today. A number of four digits is a year, which is compared with the text.
func numericTime(text string) (time.Time, bool) {
	if text == "" || len(text) == len("2006") && isDigits(text) || !isDecimal(text) {
		return time.Time{}, false
	}
	number, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return time.Time{}, false
	}
	if number >= minJulianDay && number < maxJulianDay {
		number = (number - unixJulianDay) * 24 * 60 * 60
	}
	number = min(max(number, minUnix), maxUnix)
	seconds := math.Floor(number)
	return time.Unix(int64(seconds), int64((number-seconds)*1e9)).UTC().Round(time.Microsecond), true
}

func isDigits(text string) bool { return strings.Trim(text, "0123456789") == "" }

// matchKey returns a text that is the same for all texts of one value of type t: "8.8.8.8" and "8.8.8.8/32" are the
// same address, "2024-05-01" and "2024-05-01T00:00:00Z" the same time.
func matchKey(t proto.ColumnType, text string) string {
	switch t {
	case proto.ColumnType_BOOL:
		if b, err := strconv.ParseBool(strings.ToLower(text)); err == nil {
			return strconv.FormatBool(b)
		}
	case proto.ColumnType_DOUBLE:
		if f, err := strconv.ParseFloat(text, 64); err == nil {
			return strconv.FormatFloat(f, 'g', -1, 64)
		}
	case proto.ColumnType_TIMESTAMP:
		if at, ok := parseTimestamp(text); ok {
			return at.UTC().Format(timestampText)
		}
	case proto.ColumnType_JSON:
		var compact bytes.Buffer
		if json.Compact(&compact, []byte(text)) == nil {
			return compact.String()
		}
	case proto.ColumnType_INET, proto.ColumnType_CIDR, proto.ColumnType_IPADDR:
		if addr, err := netip.ParseAddr(text); err == nil {
			return addr.Unmap().String()
		}
		if network, err := netip.ParsePrefix(text); err == nil {
			if network.IsSingleIP() {
				return network.Addr().Unmap().String()
			}
			return network.String()
		}
	}
	return text
}

// isNull reports whether a column of a row has no value, or is missing.
func isNull(c *proto.Column) bool {
	switch c.GetValue().(type) {
	case nil, *proto.Column_NullValue:
		return true
	}
	return false
}

// columnText returns a column's value as text, as SQLite shows it.
func columnText(c *proto.Column) string {
	switch v := c.GetValue().(type) {
	case *proto.Column_BoolValue:
		return strconv.FormatBool(v.BoolValue)
	case *proto.Column_IntValue:
		return strconv.FormatInt(v.IntValue, 10)
	case *proto.Column_DoubleValue:
		return strconv.FormatFloat(v.DoubleValue, 'g', -1, 64)
	case *proto.Column_StringValue:
		return v.StringValue
	case *proto.Column_JsonValue:
		return string(v.JsonValue)
	case *proto.Column_TimestampValue:
		return v.TimestampValue.AsTime().Format(timestampText)
	case *proto.Column_IpAddrValue:
		return v.IpAddrValue
	case *proto.Column_CidrRangeValue:
		return v.CidrRangeValue
	case *proto.Column_LtreeValue:
		return v.LtreeValue
	}
	return ""
}

// jsonSubtype marks a text as JSON for SQLite's JSON functions, which would otherwise quote it as a string.
const jsonSubtype = 'J'

// setResult sets a column's value as the result of a SQLite call.
func setResult(ctx sqlite3.Context, c *proto.Column) {
	switch v := c.GetValue().(type) {
	case nil, *proto.Column_NullValue:
		ctx.ResultNull()
	case *proto.Column_BoolValue:
		ctx.ResultBool(v.BoolValue)
	case *proto.Column_IntValue:
		ctx.ResultInt64(v.IntValue)
	case *proto.Column_DoubleValue:
		if math.IsNaN(v.DoubleValue) {
			ctx.ResultNull()
			return
		}
		ctx.ResultFloat(v.DoubleValue)
	case *proto.Column_JsonValue:
		ctx.ResultRawText(v.JsonValue)
		ctx.ResultSubtype(jsonSubtype)
	default:
		ctx.ResultText(columnText(c))
	}
}
