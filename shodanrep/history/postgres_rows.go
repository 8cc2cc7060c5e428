package history

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/pgtext"
)

// postgresTransaction is a transaction that writes to PostgreSQL. It needs few round trips, however many sightings.
type postgresTransaction struct {
	ctx context.Context
	pgx.Tx
	encoding pgtext.Encoding
}

const postgresColumns = `s.id, s.ip, s.source, s.first_checked, s.last_checked, s.checks, s.last_update, s.summary, s.services, s.facts`

// postgresNeighbor is the query for one neighbor of each sighting; its verbs are a comparison and an order.
const postgresNeighbor = `select k.position, ` + postgresColumns + ` from unnest($1::inet[], $2::text[], $3::timestamptz[])
	with ordinality k (ip, source, at, position) cross join lateral (select * from shodanrep_history h where h.ip = k.ip and h.source = k.source
	and h.first_checked %s k.at order by h.first_checked %s, h.id %[2]s limit 1) s`

func (t postgresTransaction) neighbors(sightings []*sighting) ([]neighbors, error) {
	around := make([]neighbors, len(sightings))
	addrs, sources, times := make([]netip.Addr, len(sightings)), make([]string, len(sightings)), make([]time.Time, len(sightings))
	for i, s := range sightings {
		addrs[i], sources[i], times[i] = s.addr, s.source, s.at
	}
	for _, q := range []struct {
		text string
		set  func(*neighbors, *record)
	}{
		{fmt.Sprintf(postgresNeighbor, "<=", "desc"), func(n *neighbors, r *record) { n.before = r }},
		{fmt.Sprintf(postgresNeighbor, ">", "asc"), func(n *neighbors, r *record) { n.after = r }},
	} {
		rows, err := t.Query(t.ctx, q.text, addrs, sources, times)
		if err != nil {
			return nil, err
		}
		for rows.Next() {
			var position int64
			r, err := scanRecord(rows, &position)
			if err != nil {
				rows.Close()
				return nil, err
			}
			q.set(&around[position-1], r)
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return around, nil
}

func (t postgresTransaction) save(records []*record) error {
	var batch pgx.Batch
	for _, r := range records {
		if r.id != 0 && r.columns == nil {
			batch.Queue(`update shodanrep_history set first_checked = $1, last_checked = $2, checks = $3, last_update = $4 where id = $5`,
				r.first, r.last, r.checks, momentOrNil(r.lastUpdate), r.id)
			continue
		}
		c, e := r.columns, t.encoding
		args := []any{
			r.addr, r.source, r.first, r.last, r.checks, c.indexed, momentOrNil(r.lastUpdate), c.ports, e.Texts(c.vulns), e.Texts(c.tags), e.Texts(c.hostnames),
			textOrNil(e.Text(c.organization)), textOrNil(e.Text(c.asn)), textOrNil(e.Text(c.countryCode)), e.Texts(c.certificates), r.summary, r.services, r.packed,
		}
		if r.id == 0 {
			batch.Queue(`insert into shodanrep_history (ip, source, first_checked, last_checked, checks, indexed, last_update, ports,
				vulns, tags, hostnames, organization, asn, country_code, certificates, summary, services, facts)
				values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`, args...)
			continue
		}
		batch.Queue(`update shodanrep_history set ip = $1, source = $2, first_checked = $3, last_checked = $4, checks = $5, indexed = $6,
			last_update = $7, ports = $8, vulns = $9, tags = $10, hostnames = $11, organization = $12, asn = $13, country_code = $14,
			certificates = $15, summary = $16, services = $17, facts = $18 where id = $19`, append(args, r.id)...)
	}
	return t.SendBatch(t.ctx, &batch).Close()
}

// scanRecord reads a row of postgresColumns, and what stands before them.
func scanRecord(rows pgx.Rows, position *int64) (*record, error) {
	r := &record{}
	var lastUpdate *time.Time
	err := rows.Scan(position, &r.id, &r.addr, &r.source, &r.first, &r.last, &r.checks, &lastUpdate, &r.summary, &r.services, &r.packed)
	r.setUTC(lastUpdate)
	return r, err
}

// stateColumnsPostgres returns the columns of a state, in the order in which scanState reads them.
func stateColumnsPostgres(f Filter) string {
	const columns = `s.ip, s.source, s.first_checked, s.last_checked, s.checks, s.last_update, s.facts`
	if f.WithoutHosts {
		return columns + ` is not null`
	}
	return columns
}

// scanState reads a row of stateColumnsPostgres, and reports whether the filter chooses its address.
func scanState(rows pgx.Rows, f Filter, now time.Time) (_ State, wanted bool, err error) {
	r := &record{}
	var lastUpdate *time.Time
	var hasFacts bool
	to := []any{&r.addr, &r.source, &r.first, &r.last, &r.checks, &lastUpdate, &r.packed}
	if f.WithoutHosts {
		to[len(to)-1] = &hasFacts
	}
	if err := rows.Scan(to...); err != nil || !f.wants(r.addr) {
		return State{}, false, err
	}
	r.setUTC(lastUpdate)
	if f.WithoutHosts {
		return r.stateWithoutHost(now, hasFacts), true, nil
	}
	return r.state(now), true, nil
}

// setUTC sets the times of a record to UTC, as those of a SQLite file are.
func (r *record) setUTC(lastUpdate *time.Time) {
	r.first, r.last = r.first.UTC(), r.last.UTC()
	if lastUpdate != nil {
		r.lastUpdate = lastUpdate.UTC()
	}
}

func momentOrNil(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// postgresQuery returns the query for the chosen states.
func postgresQuery(f Filter, now time.Time) (string, []any) {
	until := now.Add(clockSkew)
	if !f.Until.IsZero() && f.Until.Before(until) {
		until = f.Until
	}
	args := []any{until}
	where := []string{`s.first_checked <= $1`}
	add := func(condition string, arg any) {
		args = append(args, arg)
		where = append(where, strings.ReplaceAll(condition, "$N", fmt.Sprintf("$%d", len(args))))
	}
	if len(f.Addrs) > 0 {
		add(`s.ip = any($N)`, addressesOf(f.Addrs))
	}
	if len(f.Sources) > 0 {
		add(`s.source = any($N)`, f.Sources)
	}
	from := `shodanrep_history s`
	if !f.Since.IsZero() {
		since := `s.last_checked >= $N`
		if !f.WithoutBefore {
			since = `(s.last_checked >= $N or s.id = (select b.id from shodanrep_history b where b.ip = s.ip and b.source = s.source
			and b.last_checked < $N order by b.first_checked desc, b.id desc limit 1))`
		}
		add(since, f.Since)
		from = fmt.Sprintf(`(select distinct ip, source from shodanrep_history where last_checked >= $%d and first_checked <= $1) k
			join shodanrep_history s using (ip, source)`, len(args))
	}
	return `select ` + stateColumnsPostgres(f) + ` from ` + from + ` where ` + strings.Join(where, ` and `) +
		` order by s.ip, s.source, s.first_checked, s.id`, args
}
