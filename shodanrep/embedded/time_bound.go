package embedded

import (
	"cmp"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
)

// A timeBound is a condition on the order of times. SQLite would compare them as texts, for which 2026-01-31T06:00:00Z is
// not before 2026-01-31 07:00:00, the form of its own function datetime, and nothing is within the hours of a time zone.
type timeBound struct {
	at       int // the column's place in a row
	operator string
	text     string
	moment   time.Time
	isMoment bool
}

// hasTimeBound reports whether an operator on a column makes a timeBound.
func (t *Table) hasTimeBound(column int, operator string) bool {
	if column < 0 || column >= len(t.Columns) {
		return false
	}
	return t.Columns[column].kind == proto.ColumnType_TIMESTAMP && strings.Trim(operator, "<>=") == "" && operator != opEqual && operator != "<>"
}

// addBound adds a condition on the order of times. Nothing is before or after NULL.
func (r *request) addBound(at int, operator string, value sqlite3.Value) {
	if value.Type() == sqlite3.NULL {
		r.none = true
		return
	}
	b := timeBound{at: at, operator: operator, text: value.Text()}
	b.moment, b.isMoment = parseTimestamp(b.text)
	r.bounds = append(r.bounds, b)
}

// matches reports whether a row satisfies the condition. With a text that is no time it compares texts, as SQLite does.
func (b timeBound) matches(r row) bool {
	if isNull(r[b.at]) {
		return false
	}
	text := columnText(r[b.at])
	order := cmp.Compare(text, b.text)
	if moment, ok := parseTimestamp(text); ok && b.isMoment {
		order = moment.Compare(b.moment)
	}
	switch b.operator {
	case "<":
		return order < 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	}
	return order >= 0
}
