package internetdbfile

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// columnPorts is the first column of columnNames after the address.
const columnPorts = 1

// fields are the texts of a row, in the order of columnNames: ports, tags, cpes, vulns and hostnames.
type fields [5]string

// fieldsOf returns the texts of the row that a statement is at.
func fieldsOf(row *sqlite3.Stmt) (f fields) {
	for i := range f {
		f[i] = row.ColumnText(columnPorts + i)
	}
	return f
}

// A rowReader reads the rows of one address. There should be one; the lists of several are joined.
type rowReader struct {
	addr   netip.Addr
	memory *Memory
	found  bool
	lists  shodan.InternetDBLists
	err    error
}

// add reads a row.
func (r *rowReader) add(row fields) {
	r.found = true
	r.addPorts(row[0])
	// The lists share the memory of one list.
	values := 0
	for _, text := range row[1:] {
		if text != "" {
			values += strings.Count(text, ",") + 1
		}
	}
	all := r.memory.texts.take(values)[:0]
	for i, list := range []*[]string{&r.lists.Tags, &r.lists.CPEs, &r.lists.Vulns, &r.lists.Hostnames} {
		begin := len(all)
		all = appendValues(all, row[1+i])
		added := all[begin:len(all):len(all)]
		if list == &r.lists.CPEs {
			added = joinCPEs(added)
		}
		if *list == nil {
			*list = added
		} else {
			*list = append(*list, added...)
		}
	}
}

// addPorts reads a list of ports. One that cannot be read makes the row an error: a host whose ports are unknown must not
// look like one without ports.
func (r *rowReader) addPorts(text string) {
	if r.lists.Ports == nil {
		r.lists.Ports = r.memory.ports.take(strings.Count(text, ",") + 1)[:0]
	}
	for more := text != ""; more; {
		var item string
		item, text, more = strings.Cut(text, ",")
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		port, err := strconv.Atoi(item)
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
	host := &r.memory.hosts.take(1)[0]
	r.lists.SetHost(host, r.addr)
	return Result{Host: host}
}

// appendValues appends the values of a text with commas between them. All share the memory of the text. What PostgreSQL
// cannot hold is replaced, as [shodan.Clean] does in responses.
func appendValues(list []string, text string) []string {
	if strings.IndexByte(text, 0) >= 0 || !utf8.ValidString(text) {
		text = strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "")
	}
	for more := text != ""; more; {
		var value string
		value, text, more = strings.Cut(text, ",")
		if value = strings.TrimSpace(value); value != "" {
			list = append(list, value)
		}
	}
	return list
}

// joinCPEs joins again what a comma within a CPE name has split.
func joinCPEs(list []string) []string {
	joined := list[:0]
	for i, value := range list {
		if i > 0 && !strings.HasPrefix(value, "cpe:") {
			joined[len(joined)-1] += "," + value
			continue
		}
		joined = append(joined, value)
	}
	return joined
}
