package internetdbfile

import (
	"bytes"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// The columns of columnNames.
const (
	columnPorts = iota + 1
	columnTags
	columnCPEs
	columnVulns
	columnHostnames
)

// A rowReader reads the rows of one address. There should be one; the lists of several are joined.
type rowReader struct {
	addr  netip.Addr
	found bool
	lists shodan.InternetDBLists
	err   error
}

// add reads the row that a statement is at.
func (r *rowReader) add(row *sqlite3.Stmt) {
	r.found = true
	r.addPorts(row.ColumnRawText(columnPorts))
	r.lists.Tags = appendValues(r.lists.Tags, row.ColumnRawText(columnTags))
	r.lists.Vulns = appendValues(r.lists.Vulns, row.ColumnRawText(columnVulns))
	r.lists.Hostnames = appendValues(r.lists.Hostnames, row.ColumnRawText(columnHostnames))
	begin := len(r.lists.CPEs)
	r.lists.CPEs = joinCPEs(appendValues(r.lists.CPEs, row.ColumnRawText(columnCPEs)), begin)
}

// addPorts reads a list of ports. One that cannot be read makes the row an error: a host whose ports are unknown must not
// look like one without ports.
func (r *rowReader) addPorts(text []byte) {
	for item := range bytes.SplitSeq(text, []byte{','}) {
		if item = bytes.TrimSpace(item); len(item) == 0 {
			continue
		}
		port, err := strconv.Atoi(string(item))
		if err != nil || port < 0 || port >= 1<<16 {
			r.err = fmt.Errorf("the file has the port %.40q of %s, which is not a port: copy or download the file again", item, r.addr)
			return
		}
		r.lists.Ports = append(r.lists.Ports, port)
	}
}

// result returns what was read.
func (r *rowReader) result() Result {
	switch {
	case r.err != nil:
		return Result{Err: r.err}
	case !r.found:
		return Result{}
	}
	return Result{Host: r.lists.Host(r.addr)}
}

// appendValues appends the values of a text with commas between them. All share the memory of one text. What PostgreSQL
// cannot hold is replaced, as [shodan.Clean] does in responses.
func appendValues(list []string, raw []byte) []string {
	if len(raw) == 0 {
		return list
	}
	text := string(raw)
	if !utf8.ValidString(text) || strings.IndexByte(text, 0) >= 0 {
		text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
	}
	if list == nil {
		list = make([]string, 0, strings.Count(text, ",")+1)
	}
	for value := range strings.SplitSeq(text, ",") {
		if value = strings.TrimSpace(value); value != "" {
			list = append(list, value)
		}
	}
	return list
}

// joinCPEs joins again what a comma within a CPE name has split, from an index on.
func joinCPEs(list []string, begin int) []string {
	joined := list[:begin]
	for i, value := range list[begin:] {
		if i > 0 && !strings.HasPrefix(value, "cpe:") {
			joined[len(joined)-1] += "," + value
			continue
		}
		joined = append(joined, value)
	}
	return joined
}
