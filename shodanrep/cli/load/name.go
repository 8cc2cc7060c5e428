package load

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
)

// maxNameLength is PostgreSQL's limit of 63 bytes, less the longest suffix of the names that are derived from a table's.
const maxNameLength = 63 - len("_ip_network")

// namePattern is the form of a table's name. Other characters would need quotes in every query.
var namePattern = regexp.MustCompile(`^(?:([A-Za-z_][A-Za-z0-9_]*)\.)?([A-Za-z_][A-Za-z0-9_]*)$`)

// A Name is the name of a table.
type Name struct {
	Schema string // empty for the first schema of the search path that has the table
	Table  string
}

// ParseName parses the name of a table, in which PostgreSQL would not need quotes. Like PostgreSQL it changes capitals
// to lower case.
func ParseName(text string) (Name, error) {
	m := namePattern.FindStringSubmatch(text)
	if m == nil {
		return Name{}, fmt.Errorf("%q is not the name of a table: use NAME or SCHEMA.NAME, of letters, digits and _", text)
	}
	if len(m[1]) > maxNameLength || len(m[2]) > maxNameLength {
		return Name{}, fmt.Errorf("the name of the table, %q, is too long: use at most %d characters", text, maxNameLength)
	}
	return Name{strings.ToLower(m[1]), strings.ToLower(m[2])}, nil
}

// String returns the name as in SQL.
func (n Name) String() string {
	if n.Schema == "" {
		return n.Table
	}
	return n.Schema + "." + n.Table
}

// queue returns the name of the table of the addresses that are still to be looked up.
func (n Name) queue() Name { return Name{n.Schema, n.Table + "_queue"} }

// quoted returns the name with quotes, which a reserved word such as "user" needs.
func (n Name) quoted() string {
	if n.Schema == "" {
		return quote(n.Table)
	}
	return quote(n.Schema) + "." + quote(n.Table)
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }
