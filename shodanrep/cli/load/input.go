package load

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/pgtext"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// An Input is what to load: addresses that are read one after the other, never all at once.
type Input struct {
	// Texts are the addresses and networks of texts. It may be nil.
	Texts iter.Seq2[netip.Prefix, error]
	// Query is a query of the database that returns one column of addresses. It may be empty.
	Query string
	// Expand says that the addresses of networks are loaded. NetworkLimit is how many addresses such a network may have.
	Expand       bool
	NetworkLimit int
}

// Found counts what an input has.
type Found struct {
	Addresses int64 // different ones
	Networks  int64 // which were not expanded
	Large     int64 // networks among them with more addresses than the NetworkLimit
	Invalid   int64 // values of the query that are not addresses
	Example   string
}

// addressTable is a temporary table of the different addresses of the input.
const addressTable = "pg_temp.shodanrep_address"

// stage writes the addresses of the input to addressTable.
func (d Database) stage(ctx context.Context, conn *pgx.Conn, in Input) (Found, error) {
	var found Found
	_, err := conn.Exec(ctx, `drop table if exists pg_temp.shodanrep_input, `+addressTable+`; create temporary table shodanrep_input (ip inet not null)`)
	if err != nil {
		return found, fmt.Errorf("a temporary table for the addresses: %w", d.wrapError(err))
	}
	if in.Texts != nil {
		if err := d.copyInput(ctx, conn, in.addresses(in.Texts, &found)); err != nil {
			return found, err
		}
	}
	if in.Query != "" {
		source, err := d.connectSource(ctx)
		if err != nil {
			return found, err
		}
		defer closeConn(source)
		if err := d.copyInput(ctx, conn, in.addresses(d.queryAddresses(ctx, source, in.Query, &found), &found)); err != nil {
			return found, err
		}
	}
	for _, sql := range []string{
		"create temporary table shodanrep_address as select distinct ip from pg_temp.shodanrep_input",
		"drop table pg_temp.shodanrep_input",
		"analyze " + addressTable,
	} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return found, d.wrapError(err)
		}
	}
	err = conn.QueryRow(ctx, "select count(*) from "+addressTable).Scan(&found.Addresses)
	return found, d.wrapError(err)
}

// copyInput copies addresses into the temporary table of the input.
func (d Database) copyInput(ctx context.Context, conn *pgx.Conn, addresses iter.Seq2[netip.Addr, error]) error {
	next, stop := iter.Pull2(addresses)
	defer stop()
	source := &addressSource{next: next}
	_, err := conn.CopyFrom(ctx, pgx.Identifier{"pg_temp", "shodanrep_input"}, []string{ipColumn}, source)
	if source.err != nil {
		return source.err
	}
	return d.wrapError(err)
}

// An addressSource is addresses to copy.
type addressSource struct {
	next func() (netip.Addr, error, bool)
	addr netip.Addr
	err  error
}

func (s *addressSource) Next() bool {
	var ok bool
	s.addr, s.err, ok = s.next()
	return ok && s.err == nil
}

func (s *addressSource) Values() ([]any, error) { return []any{s.addr}, nil }
func (s *addressSource) Err() error             { return s.err }

// recentAddresses is how many addresses are remembered to leave out those that a log repeats. The database finds all.
const recentAddresses = 1 << 14

// addresses returns the single addresses of an input, and counts the networks that it leaves out.
func (in Input) addresses(prefixes iter.Seq2[netip.Prefix, error], found *Found) iter.Seq2[netip.Addr, error] {
	return func(yield func(netip.Addr, error) bool) {
		recent := make([]netip.Addr, recentAddresses)
		for p, err := range prefixes {
			if err != nil {
				yield(netip.Addr{}, err)
				return
			}
			addr := p.Addr().Unmap().WithZone("")
			if p.IsSingleIP() {
				bytes := addr.As16()
				slot := 0
				for _, b := range bytes {
					slot = (slot*31 + int(b)) % recentAddresses
				}
				if recent[slot] == addr {
					continue
				}
				if recent[slot] = addr; !yield(addr, nil) {
					return
				}
				continue
			}
			fits := scan.Fits(p, in.NetworkLimit)
			if !fits {
				found.Large++
			}
			if !fits || !in.Expand {
				found.Networks++
				continue
			}
			for addr := p.Masked().Addr(); p.Contains(addr); addr = addr.Next() {
				if !yield(addr, nil) {
					return
				}
			}
		}
	}
}

// connectSource opens a connection for the query of the input. It keeps the server's timeouts.
func (d Database) connectSource(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, d.config.Copy())
	if err == nil {
		err = pgtext.AllowAnyBytes(ctx, conn)
	}
	return conn, d.wrapError(err)
}

// addressTypes are the types that the column of a query may have.
var addressTypes = []string{"inet", "cidr", "text", "varchar", "bpchar", "name", "unknown"}

// queryAddresses returns the addresses of a query, which may not change the database. Null is not an address to look up;
// texts that are not addresses are counted.
func (d Database) queryAddresses(ctx context.Context, conn *pgx.Conn, query string, found *Found) iter.Seq2[netip.Prefix, error] {
	return func(yield func(netip.Prefix, error) bool) {
		fail := func(err error) {
			var server *pgconn.PgError
			if errors.As(err, &server) && server.Code == codeReadOnly {
				err = fmt.Errorf("%s: the query may only read", server.Message)
			}
			yield(netip.Prefix{}, fmt.Errorf("--from-query: %w", d.wrapError(err)))
		}
		tx, err := conn.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
		if err != nil {
			fail(err)
			return
		}
		defer tx.Rollback(context.WithoutCancel(ctx))
		rows, err := tx.Query(ctx, query, pgx.QueryExecModeDescribeExec, pgx.QueryResultFormats{pgx.TextFormatCode})
		if err != nil {
			fail(err)
			return
		}
		defer rows.Close()
		if err := checkQueryColumns(conn, rows); err != nil {
			fail(err)
			return
		}
		for rows.Next() {
			value := rows.RawValues()[0]
			if value == nil {
				continue
			}
			p, ok := ipaddr.Parse(string(value))
			if !ok {
				if found.Invalid++; found.Example == "" {
					found.Example = string(value)
				}
				continue
			}
			if !yield(p, nil) {
				return
			}
		}
		if err := rows.Err(); err != nil {
			fail(err)
		}
	}
}

// checkQueryColumns returns an error unless a query has one column that can have addresses.
func checkQueryColumns(conn *pgx.Conn, rows pgx.Rows) error {
	columns := rows.FieldDescriptions()
	if len(columns) == 0 {
		if rows.Close(); rows.Err() != nil {
			return rows.Err()
		}
		return errors.New("the query must return one column of addresses, and returns none")
	}
	if len(columns) != 1 {
		var names []string
		for _, c := range columns {
			names = append(names, c.Name)
		}
		return fmt.Errorf("the query must return one column of addresses, and returns %d (%s): select the one with the addresses", len(names), strings.Join(names, ", "))
	}
	if kind, known := conn.TypeMap().TypeForOID(columns[0].DataTypeOID); known && !slices.Contains(addressTypes, kind.Name) {
		return fmt.Errorf("the column %s has the type %s: select a column of the type inet, cidr or text", columns[0].Name, kind.Name)
	}
	return nil
}
