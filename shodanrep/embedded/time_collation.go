package embedded

import (
	"bytes"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

// timeCollation is the collation of the columns of times. SQLite has no type for times, and would compare them as texts:
// 2026-01-31T06:00:00Z is then not before 2026-01-31 07:00:00, the form of its own function datetime.
const timeCollation = "TIMESTAMP"

const binaryCollation = "BINARY"

// registerCollation registers timeCollation.
func registerCollation(conn *sqlite3.Conn) error {
	return conn.CreateCollation(timeCollation, compareTimes)
}

// compareTimes compares two texts as times, if both are, and else as texts.
func compareTimes(a, b []byte) int {
	if isWholeSecond(a) && isWholeSecond(b) {
		return bytes.Compare(a, b)
	}
	at, ok := parseTimestamp(string(a))
	var other time.Time
	if ok {
		other, ok = parseTimestamp(string(b))
	}
	if !ok {
		return bytes.Compare(a, b)
	}
	return at.Compare(other)
}

// isWholeSecond reports whether a text has the form of a time in a result without a fraction, such as
// 2026-01-31T06:00:00Z: most have. Such times are in the order of their texts.
func isWholeSecond(text []byte) bool {
	return len(text) == len("2026-01-31T06:00:00Z") && text[len(text)-1] == 'Z' && text[len("2026-01-31")] == 'T'
}

// isPlainCollation reports whether a comparison on a column by a collation is one that the plugin's conditions make:
// that of the column's type.
func isPlainCollation(c TableColumn, collation string) bool {
	return collation == binaryCollation || collation == timeCollation && c.kind == proto.ColumnType_TIMESTAMP
}
