package history

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/pgerror"
)

// postgresFailureSchema makes the table of failures with the first one: tables that an earlier version made lack it.
const postgresFailureSchema = `
create table shodanrep_failure (
	ip inet not null,
	source text collate "C" not null,
	first_failed timestamptz not null,
	last_failed timestamptz not null,
	lookups bigint not null,
	reason text not null,
	primary key (ip, source)
);
comment on table shodanrep_failure is 'The lookups that failed since a service last responded; see docs/history.md of shodanrep';
`

// respondedPostgres is the condition that the source has responded since the last failure.
const respondedPostgres = `exists (select from shodanrep_history h where h.ip = f.ip and h.source = f.source and h.last_checked >= f.last_failed)`

// postgresSaveFailure adds to the failures of an address, or begins again where the source has responded since then.
const postgresSaveFailure = `insert into shodanrep_failure as f (ip, source, first_failed, last_failed, lookups, reason)
	values ($1, $2, $3, $4, $5, $6) on conflict (ip, source) do update set
		first_failed = case when ` + respondedPostgres + ` then excluded.first_failed else least(f.first_failed, excluded.first_failed) end,
		lookups = case when ` + respondedPostgres + ` then excluded.lookups else f.lookups + excluded.lookups end,
		reason = case when excluded.last_failed >= f.last_failed then excluded.reason else f.reason end,
		last_failed = greatest(f.last_failed, excluded.last_failed)`

// A rowQuerier is a connection or a transaction.
type rowQuerier interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

func hasPostgresFailures(ctx context.Context, q rowQuerier) (exists bool, err error) {
	err = q.QueryRow(ctx, `select to_regclass('shodanrep_failure') is not null`).Scan(&exists)
	return exists, err
}

func (t postgresTransaction) saveFailures(failures []Failure) error {
	if len(failures) == 0 {
		return nil
	}
	exists, err := hasPostgresFailures(t.ctx, t)
	if err == nil && !exists {
		_, err = t.Exec(t.ctx, postgresFailureSchema)
	}
	if err != nil {
		return err
	}
	var batch pgx.Batch
	for _, f := range failures {
		batch.Queue(postgresSaveFailure, f.Addr, f.Source, f.First, f.Last, f.Lookups, t.encoding.Text(f.Reason))
	}
	return t.SendBatch(t.ctx, &batch).Close()
}

// changeFailures calls do, which writes to the table of failures, unless the user has no right to: tables of an earlier
// version lack that table, and a user who may write states may not be allowed to make it, or to write to it. What else the
// transaction does stays.
func (b *postgresBackend) changeFailures(t postgresTransaction, do func(postgresTransaction) error) error {
	err := pgx.BeginFunc(t.ctx, t.Tx, func(tx pgx.Tx) error { return do(postgresTransaction{t.ctx, tx, t.encoding}) })
	var failure *pgconn.PgError
	if !errors.As(err, &failure) || failure.Code != pgerror.CodeNoRight {
		return err
	}
	if !b.denied {
		b.denied = true
		b.opts.Logger.Warn("failed lookups are not recorded: grant the rights on the table shodanrep_failure, which docs/history.md explains",
			"error", b.wrapError(err))
	}
	return nil
}

func (b *postgresBackend) failures(ctx context.Context, addrs []netip.Addr, since time.Time, yield func(Failure) bool) error {
	query := `select ip, source, first_failed, last_failed, lookups, reason from shodanrep_failure f
		where last_failed between $1 and $2 and not ` + respondedPostgres
	args := []any{since, b.opts.Now().Add(clockSkew)}
	if len(addrs) > 0 {
		query += ` and f.ip = any($3)`
		args = append(args, addressesOf(addrs))
	}
	return b.read(ctx, func(conn *pgx.Conn) error {
		if exists, err := hasPostgresFailures(ctx, conn); !exists {
			return err
		}
		rows, err := conn.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var f Failure
			if err := rows.Scan(&f.Addr, &f.Source, &f.First, &f.Last, &f.Lookups, &f.Reason); err != nil {
				return err
			}
			f.First, f.Last = f.First.UTC(), f.Last.UTC()
			if !yield(f) {
				return nil
			}
		}
		return rows.Err()
	})
}

// pruneFailures deletes the failures that say nothing any more.
func (t postgresTransaction) pruneFailures(before time.Time) error {
	exists, err := hasPostgresFailures(t.ctx, t)
	if exists {
		_, err = t.Exec(t.ctx, `delete from shodanrep_failure f where last_failed < $1 or `+respondedPostgres, before)
	}
	return err
}

// evictFailures keeps the newest failures.
func (t postgresTransaction) evictFailures(bound int64) error {
	exists, err := hasPostgresFailures(t.ctx, t)
	if exists {
		_, err = t.Exec(t.ctx, `delete from shodanrep_failure where (ip, source) in (select ip, source from shodanrep_failure
			order by last_failed desc offset $1)`, bound/failureShare/failureBytes)
	}
	return err
}
