package cli

import (
	"context"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// A sqlRow is a row of a result by column.
type sqlRow map[string]any

// text returns a column that holds text, and "" where it is null.
func (r sqlRow) text(column string) string {
	text, _ := r[column].(string)
	return text
}

// number returns a column that holds a whole number, and 0 where it is null.
func (r sqlRow) number(column string) int64 {
	n, _ := r[column].(int64)
	return n
}

// queryRows runs SQL and returns all rows.
func queryRows(ctx context.Context, db *embedded.DB, sql string) ([]sqlRow, error) {
	var found []sqlRow
	err := db.Query(ctx, sql, func(rows *embedded.Rows) error {
		for rows.Next() {
			row := sqlRow{}
			for i, v := range rows.Values() {
				row[rows.Columns()[i].Name] = v
			}
			found = append(found, row)
		}
		return rows.Err()
	})
	return found, err
}

// quoteSQL writes a text as an SQL literal.
func quoteSQL(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// quoteAll writes texts as SQL literals with commas between them.
func quoteAll(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = quoteSQL(text)
	}
	return strings.Join(quoted, ", ")
}
