package embedded

import (
	"bytes"
	"slices"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

// timeCollation is the collation of the columns of times. SQLite has no type for times, and would compare them as texts:
// 2026-01-31T06:00:00Z is then not before 2026-01-31 07:00:00, the form of its own function datetime.
const timeCollation = "TIMESTAMP"

const binaryCollation = "BINARY"

// registerCollation registers timeCollation. A comparison of a time with a text that is no time is recorded.
func (db *DB) registerCollation() error {
	return db.conn.CreateCollation(timeCollation, func(a, b []byte) int {
		order, mixed := compareTimes(a, b)
		if mixed {
			db.statement.comparedTexts(string(a), string(b))
		}
		return order
	})
}

// compareTimes compares two texts as times, if both are, and else as texts. Mixed says that one is a time, and one is not.
func compareTimes(a, b []byte) (order int, mixed bool) {
	if isWholeSecond(a) && isWholeSecond(b) {
		return bytes.Compare(a, b), false
	}
	at, isTime := parseTimestamp(string(a))
	other, otherIsTime := parseTimestamp(string(b))
	if !isTime || !otherIsTime {
		return bytes.Compare(a, b), isTime != otherIsTime
	}
	return at.Compare(other), false
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

// comparesTexts reports whether a comparison on a column by a collation is one of the texts of times: the other side of
// the condition is a column of texts, such as one of a CSV file, that stands on the left.
func comparesTexts(c TableColumn, collation string) bool {
	return collation == binaryCollation && c.kind == proto.ColumnType_TIMESTAMP
}

// isComparable reports whether a text is a time in the form of results, or a date. Such times are in the order of their
// texts, but for fractions of a second.
func isComparable(text string) bool {
	at, ok := parseTimestamp(text)
	return ok && slices.Contains([]string{at.UTC().Format(timestampText), at.Format(time.DateOnly)}, text)
}
