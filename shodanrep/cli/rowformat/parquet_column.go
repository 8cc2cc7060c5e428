package rowformat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

// A parquetColumn is a column of a result. Its type is known if it is a column of the plugin's. The values of others,
// such as those of expressions, can be of any type in SQLite: their type is that of the first rows.
type parquetColumn struct {
	parquetField
	declared string // the type of the column in Steampipe's database
	// Of a column whose type is not known yet:
	seen     map[parquetKind]bool
	hasLarge bool // a whole number that a float64 cannot hold
}

// newParquetColumns returns the columns of a result.
func newParquetColumns(columns []embedded.Column, o Options) []*parquetColumn {
	names := parquetNames(columns)
	list := make([]*parquetColumn, len(columns))
	for i, c := range columns {
		list[i] = &parquetColumn{parquetField: parquetField{name: names[i]}, declared: c.Type}
		if i < len(o.Origins) && o.Origins[i].Table != "" {
			list[i].kind = declaredParquetType(c.Type)
			if c.Type == "jsonb" && o.JSONType != nil {
				list[i].kind = parquetTypeOf(o.JSONType(o.Origins[i]))
			}
			continue
		}
		list[i].seen = map[parquetKind]bool{}
	}
	return list
}

// parquetNames returns the names of columns. Readers do not tell names apart that differ in case only, and want a name
// for each column.
func parquetNames(columns []embedded.Column) []string {
	names, used := make([]string, len(columns)), map[string]bool{}
	for i, c := range columns {
		name := strings.ToValidUTF8(c.Name, "\ufffd")
		if name == "" {
			name = "column"
		}
		for n, base := 2, name; used[strings.ToLower(name)]; n++ {
			name = base + "_" + strconv.Itoa(n)
		}
		used[strings.ToLower(name)] = true
		names[i] = name
	}
	return names
}

// declaredParquetType returns the type of values of a type of Steampipe's database.
func declaredParquetType(declared string) *parquetType {
	switch declared {
	case "bool":
		return &parquetType{kind: parquetBool}
	case "int8":
		return &parquetType{kind: parquetInt}
	case "float8":
		return &parquetType{kind: parquetDouble}
	case "timestamptz":
		return &parquetType{kind: parquetTime}
	case "bytea":
		return &parquetType{kind: parquetBytes}
	case "jsonb":
		return &parquetType{kind: parquetJSON}
	}
	return &parquetType{kind: parquetText}
}

// see takes note of a value of a column whose type is not known yet.
func (c *parquetColumn) see(v any) {
	switch v := v.(type) {
	case nil:
	case bool:
		c.seen[parquetBool] = true
	case int64:
		c.seen[parquetInt] = true
		c.hasLarge = c.hasLarge || !isExact(v)
	case float64:
		c.seen[parquetDouble] = true
	case []byte:
		c.seen[parquetBytes] = true
	case json.RawMessage:
		c.seen[parquetJSON] = true
	default:
		c.seen[parquetText] = true
	}
}

// decide sets the type of a column by the values that were seen: whole and other numbers together are numbers, and
// other mixtures text. Without a value it is the declared type.
func (c *parquetColumn) decide() {
	if c.kind != nil {
		return
	}
	isTime := c.declared == "timestamptz"
	switch {
	case len(c.seen) == 0 || len(c.seen) == 1 && c.seen[parquetText] && isTime:
		c.kind = declaredParquetType(c.declared)
	case len(c.seen) == 2 && c.seen[parquetInt] && c.seen[parquetDouble] && !c.hasLarge:
		c.kind = &parquetType{kind: parquetDouble}
	case len(c.seen) > 1:
		c.kind = &parquetType{kind: parquetText}
	default:
		for kind := range c.seen {
			c.kind = &parquetType{kind: kind}
		}
	}
}

// add adds a value to a row.
func (c *parquetColumn) add(row parquetRow, v any, number int64) error {
	decoded := v
	if raw, ok := v.(json.RawMessage); ok && c.kind.isNested() {
		decoder := json.NewDecoder(bytes.NewReader(raw))
		decoder.UseNumber()
		if err := decoder.Decode(&decoded); err != nil {
			return fmt.Errorf("column %q of row %d: %w", c.name, number, err)
		}
	}
	if err := row.add(c.kind, decoded, 0, 0, 0); err != nil {
		advice := ""
		if c.seen != nil {
			advice = fmt.Sprintf(", which the first rows have: select cast(%s as text) as %[1]s", sqlName(c.name))
		}
		return fmt.Errorf("column %q of row %d: %w%s", c.name, number, err, advice)
	}
	return nil
}

// sqlName returns the name of a column in quotes.
func sqlName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
