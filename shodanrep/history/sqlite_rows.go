package history

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// sqliteTransaction is a transaction that writes to a SQLite file.
type sqliteTransaction struct{ *sqlitefile.Conn }

// recordColumns are the columns of a record, in the order in which readRecord reads them.
const recordColumns = `s.id, s.ip_order, s.source, s.first_checked, s.last_checked, s.checks, s.last_update, s.summary, s.services, s.facts`

const (
	selectBefore = `SELECT ` + recordColumns + ` FROM history s WHERE ip_order = ? AND source = ? AND first_checked <= ?
		ORDER BY first_checked DESC, id DESC LIMIT 1`
	selectAfter = `SELECT ` + recordColumns + ` FROM history s WHERE ip_order = ? AND source = ? AND first_checked > ?
		ORDER BY first_checked, id LIMIT 1`
)

func (t sqliteTransaction) neighbors(sightings []*sighting) ([]neighbors, error) {
	around := make([]neighbors, len(sightings))
	for i, s := range sightings {
		for _, q := range []struct {
			text string
			to   **record
		}{{selectBefore, &around[i].before}, {selectAfter, &around[i].after}} {
			err := t.Rows(q.text, []any{orderOf(s.addr), s.source, s.at.UnixMicro()}, func(row *sqlite3.Stmt) (_ bool, err error) {
				*q.to, err = readRecord(row)
				return false, err
			})
			if err != nil {
				return nil, err
			}
		}
	}
	return around, nil
}

func (t sqliteTransaction) save(records []*record) error {
	for _, r := range records {
		if err := t.saveRecord(r); err != nil {
			return err
		}
	}
	return nil
}

func (t sqliteTransaction) saveRecord(r *record) error {
	if r.id != 0 && r.columns == nil {
		return t.Run(`UPDATE history SET first_checked = ?, last_checked = ?, checks = ?, last_update = ? WHERE id = ?`,
			r.first.UnixMicro(), r.last.UnixMicro(), r.checks, timeOrNil(r.lastUpdate), r.id)
	}
	c := r.columns
	indexed := int64(0)
	if c.indexed {
		indexed = 1
	}
	args := []any{
		r.addr.String(), orderOf(r.addr), r.source, r.first.UnixMicro(), r.last.UnixMicro(), r.checks, indexed, timeOrNil(r.lastUpdate),
		listOrNil(c.ports), listOrNil(c.vulns), listOrNil(c.tags), listOrNil(c.hostnames), textOrNil(c.organization),
		textOrNil(c.asn), textOrNil(c.countryCode), listOrNil(c.certificates), r.summary, blobOrNil(r.services), blobOrNil(r.packed),
	}
	if r.id == 0 {
		return t.Run(`INSERT INTO history (ip, ip_order, source, first_checked, last_checked, checks, indexed, last_update,
			ports, vulns, tags, hostnames, organization, asn, country_code, certificates, summary, services, facts)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, args...)
	}
	return t.Run(`UPDATE history SET ip = ?, ip_order = ?, source = ?, first_checked = ?, last_checked = ?, checks = ?, indexed = ?,
		last_update = ?, ports = ?, vulns = ?, tags = ?, hostnames = ?, organization = ?, asn = ?, country_code = ?,
		certificates = ?, summary = ?, services = ?, facts = ? WHERE id = ?`, append(args, r.id)...)
}

// readRecord reads a row of recordColumns.
func readRecord(row *sqlite3.Stmt) (*record, error) {
	addr, err := readAddress(row)
	if err != nil {
		return nil, err
	}
	r := readTimes(row, addr)
	r.summary, r.services, r.packed = row.ColumnBlob(7, nil), blobOrNone(row, 8), blobOrNone(row, 9)
	return r, nil
}

// stateColumns returns the columns of a state, in the order in which readState reads them. SQLite tells from the head of a
// row whether it has facts, without reading the pages that they are on.
func stateColumns(f Filter) string {
	const columns = `s.id, s.ip_order, s.source, s.first_checked, s.last_checked, s.checks, s.last_update, s.facts`
	if f.WithoutHosts {
		return columns + ` IS NOT NULL`
	}
	return columns
}

// readState reads a row of stateColumns, and reports whether the filter chooses its address.
func readState(row *sqlite3.Stmt, f Filter, now time.Time) (_ State, wanted bool, err error) {
	addr, err := readAddress(row)
	if err != nil || !f.wants(addr) {
		return State{}, false, err
	}
	r := readTimes(row, addr)
	if f.WithoutHosts {
		return r.stateWithoutHost(now, row.ColumnBool(7)), true, nil
	}
	r.packed = blobOrNone(row, 7)
	return r.state(now), true, nil
}

// readAddress reads the address of a row.
func readAddress(row *sqlite3.Stmt) (netip.Addr, error) {
	order := row.ColumnRawBlob(1)
	addr, ok := netip.AddrFromSlice(order[min(1, len(order)):])
	if !ok {
		return addr, fmt.Errorf("row %d has no address", row.ColumnInt64(0))
	}
	return addr, nil
}

// readTimes reads the first columns of a row, without the facts.
func readTimes(row *sqlite3.Stmt, addr netip.Addr) *record {
	r := &record{
		id: row.ColumnInt64(0), key: key{addr, row.ColumnText(2)}, first: timeOf(row.ColumnInt64(3)), last: timeOf(row.ColumnInt64(4)),
		checks: row.ColumnInt64(5),
	}
	if row.ColumnType(6) != sqlite3.NULL {
		r.lastUpdate = timeOf(row.ColumnInt64(6))
	}
	return r
}

func blobOrNone(row *sqlite3.Stmt, column int) []byte {
	if row.ColumnType(column) == sqlite3.NULL {
		return nil
	}
	return row.ColumnBlob(column, nil)
}

// orderOf returns the text by which addresses sort as netip.Addr.Compare sorts them.
func orderOf(addr netip.Addr) []byte {
	if addr.Is4() {
		return append([]byte{4}, addr.AsSlice()...)
	}
	return append([]byte{6}, addr.AsSlice()...)
}

func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

func timeOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

func textOrNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func blobOrNil(blob []byte) any {
	if blob == nil {
		return nil
	}
	return blob
}

// listOrNil returns a list as JSON, nil for nil.
func listOrNil[T int | string](list []T) any {
	if list == nil {
		return nil
	}
	text, err := json.Marshal(list)
	if err != nil {
		return nil // numbers and texts always have a JSON form
	}
	return string(text)
}

// A sqliteQuery is a query with its arguments.
type sqliteQuery struct {
	text string
	args []any
}

// sqliteQueries returns the queries for the chosen states. Together their rows are in order.
func sqliteQueries(f Filter, now time.Time) []sqliteQuery {
	until := now.Add(clockSkew)
	if !f.Until.IsZero() && f.Until.Before(until) {
		until = f.Until
	}
	where, args := ` WHERE s.first_checked <= ?`, []any{until.UnixMicro()}
	from := `history s`
	if !f.Since.IsZero() {
		since := f.Since.UnixMicro()
		if len(f.Addrs) == 0 {
			from = `(SELECT DISTINCT ip_order, source FROM history INDEXED BY history_age WHERE last_checked >= ? AND first_checked <= ?) k
				CROSS JOIN history s ON s.ip_order = k.ip_order AND s.source = k.source`
			args = append([]any{since, until.UnixMicro()}, args...)
		}
		if f.WithoutBefore {
			where += ` AND s.last_checked >= ?`
			args = append(args, since)
		} else {
			where += ` AND (s.last_checked >= ? OR s.id = (SELECT b.id FROM history b WHERE b.ip_order = s.ip_order AND b.source = s.source
			AND b.last_checked < ? ORDER BY b.first_checked DESC, b.id DESC LIMIT 1) AND EXISTS (SELECT 1 FROM history n
			WHERE n.ip_order = s.ip_order AND n.source = s.source AND n.last_checked >= ? AND n.first_checked <= ?))`
			args = append(args, since, since, since, until.UnixMicro())
		}
	}
	if len(f.Sources) > 0 {
		where += ` AND s.source IN (?` + strings.Repeat(`, ?`, len(f.Sources)-1) + `)`
		for _, source := range f.Sources {
			args = append(args, source)
		}
	}
	const order = ` ORDER BY s.ip_order, s.source, s.first_checked, s.id`
	if len(f.Addrs) == 0 {
		return []sqliteQuery{{`SELECT ` + stateColumns(f) + ` FROM ` + from + where + order, args}}
	}
	var queries []sqliteQuery
	for _, addr := range addressesOf(f.Addrs) {
		queries = append(queries, sqliteQuery{
			`SELECT ` + stateColumns(f) + ` FROM ` + from + where + ` AND s.ip_order = ?` + order, append(slices.Clone(args), orderOf(addr)),
		})
	}
	return queries
}

// addressesOf returns addresses as they are stored, in order and each once.
func addressesOf(addrs []netip.Addr) []netip.Addr {
	stored := make([]netip.Addr, 0, len(addrs))
	for _, addr := range addrs {
		stored = append(stored, addr.Unmap().WithZone(""))
	}
	slices.SortFunc(stored, netip.Addr.Compare)
	return slices.Compact(stored)
}
