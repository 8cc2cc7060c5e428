package internetdbfile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// tableName is the table with one row per address.
const tableName = "data"

// columnNames are the columns that are read, in the order of the statements. The file may have them in any order, and
// others.
var columnNames = []string{"ip", "ports", "tags", "cpes", "vulns", "hostnames"}

// A form is how a column ip holds an address.
type form int

const (
	textForm    form = iota // 198.51.100.7, 2001:db8::7
	numberForm              // 3325256711, for IPv4 only
	decimalForm             // the same number as text
)

// A layout is how a file holds its data.
type layout struct {
	columns string // the names with that of the table, quoted, with commas between them
	ip      string // the name of the column, quoted
	forms   []form // of the column ip: a file can have numbers for IPv4 and texts for IPv6
}

// readLayout reads how a file holds its data. It returns an error if lookups would not find what is there.
func readLayout(path string) (l layout, err error) {
	c, err := sqlitefile.OpenImmutable(path)
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, c.Discard()) }()
	if err := c.Exec("PRAGMA automatic_index = off"); err != nil {
		return l, err
	}
	if err := l.readColumns(c); err != nil {
		return l, err
	}
	indexed, err := l.isIndexed(c)
	if err != nil {
		return l, err
	}
	if !indexed {
		return l, fmt.Errorf("it has no index on the column ip, without which a lookup reads the whole file: add one with: shodanrep dataset index %s",
			shellQuoted(path))
	}
	return l, l.readForms(c)
}

// readColumns finds the table and its columns by their names.
func (l *layout) readColumns(c *sqlitefile.Conn) error {
	tables, err := texts(c, "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY name")
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(tables, func(name string) bool { return strings.EqualFold(name, tableName) }) {
		return fmt.Errorf("it has no table %q: %s; internetdb_file is Shodan's internetdb.sqlite", tableName, itHas("table", tables))
	}
	columns, err := texts(c, "SELECT name FROM pragma_table_info(?)", tableName)
	if err != nil {
		return err
	}
	var quoted, missing []string
	for _, want := range columnNames {
		i := slices.IndexFunc(columns, func(name string) bool { return strings.EqualFold(name, want) })
		if i < 0 {
			missing = append(missing, want)
			continue
		}
		quoted = append(quoted, sqlite3.QuoteIdentifier(columns[i]))
	}
	if len(missing) > 0 {
		return fmt.Errorf("its table %q has no column %s: %s; internetdb_file is Shodan's internetdb.sqlite",
			tableName, strings.Join(missing, ", "), itHas("column", columns))
	}
	// A column of another name may be called as one that a statement adds.
	l.ip, l.columns = quoted[0], tableName+"."+strings.Join(quoted, ", "+tableName+".")
	return nil
}

// maxListed is how many names an error lists.
const maxListed = 20

// itHas lists what there is in place of what is missing.
func itHas(what string, names []string) string {
	switch n := len(names); {
	case n == 0:
		return "it has no " + what
	case n == 1:
		return "it has the " + what + " " + names[0]
	case n > maxListed:
		names = append(names[:maxListed:maxListed], fmt.Sprintf("and %d more", n-maxListed))
	}
	return "it has the " + what + "s " + strings.Join(names, ", ")
}

// isIndexed reports whether a lookup finds its row without reading the whole table.
func (l *layout) isIndexed(c *sqlitefile.Conn) (bool, error) {
	indexed := false
	err := c.Rows("EXPLAIN QUERY PLAN "+l.selectOne(), nil, func(row *sqlite3.Stmt) (bool, error) {
		indexed = strings.HasPrefix(row.ColumnText(3), "SEARCH ")
		return false, nil
	})
	return indexed, err
}

// selectOne selects the row of one address.
func (l *layout) selectOne() string {
	return "SELECT " + l.columns + " FROM " + tableName + " WHERE " + l.ip + " = ?"
}

// readForms reads the lowest and the highest value of ip in the order of the index: numbers come before texts.
func (l *layout) readForms(c *sqlitefile.Conn) error {
	for _, query := range []string{
		// The highest text that begins with a digit up to 2 is an IPv4 address, or an IPv6 address in use.
		"SELECT min(%[1]s) FROM %[2]s",
		"SELECT max(%[1]s) FROM %[2]s",
		"SELECT max(%[1]s) FROM %[2]s WHERE %[1]s < ''",
		"SELECT min(%[1]s) FROM %[2]s WHERE %[1]s >= ''",
		"SELECT max(%[1]s) FROM %[2]s WHERE %[1]s < '2:'",
	} {
		var read bool
		err := c.Rows(fmt.Sprintf(query, l.ip, tableName), nil, func(row *sqlite3.Stmt) (bool, error) {
			read = row.ColumnType(0) != sqlite3.NULL
			if !read {
				return false, nil
			}
			_, form, err := parseIP(row, 0)
			if err == nil && !slices.Contains(l.forms, form) {
				l.forms = append(l.forms, form)
			}
			return false, err
		})
		if err != nil {
			return err
		}
	}
	if len(l.forms) == 0 {
		return fmt.Errorf("its table %q has no row with an address", tableName)
	}
	return nil
}

// parseIP reads the address in a column, and how it is held. An address that is written in another way than a lookup
// writes it is an error: it would never be found.
func parseIP(row *sqlite3.Stmt, column int) (netip.Addr, form, error) {
	switch kind := row.ColumnType(column); kind {
	case sqlite3.INTEGER, sqlite3.FLOAT:
		n := row.ColumnInt64(column)
		if addr := shodan.AddrFromNumber(n); addr.IsValid() && (kind == sqlite3.INTEGER || row.ColumnFloat(column) == float64(n)) {
			return addr, numberForm, nil
		}
	case sqlite3.TEXT:
		text := row.ColumnText(column)
		if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
			if addr := shodan.AddrFromNumber(n); addr.IsValid() {
				return addr, decimalForm, nil
			}
		}
		if addr, err := netip.ParseAddr(text); err == nil && addr.String() == text && addr == canonical(addr) {
			return addr, textForm, nil
		}
	case sqlite3.BLOB:
		return netip.Addr{}, 0, errors.New("its column ip has a value of the type blob: it must be a text such as 198.51.100.7, or a number for IPv4")
	}
	return netip.Addr{}, 0, fmt.Errorf("its column ip has the value %q: it must be a text such as 198.51.100.7 or 2001:db8::7, or a number from 0 to 4294967295",
		row.ColumnText(column))
}

// numberOf returns the number of an IPv4 address.
func numberOf(addr netip.Addr) int64 {
	b := addr.As4()
	return int64(binary.BigEndian.Uint32(b[:]))
}

// canonical returns the form of an address that lookups use.
func canonical(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// texts returns the first column of a query.
func texts(c *sqlitefile.Conn, query string, args ...any) (list []string, err error) {
	err = c.Rows(query, args, func(row *sqlite3.Stmt) (bool, error) {
		list = append(list, row.ColumnText(0))
		return true, nil
	})
	return list, err
}
