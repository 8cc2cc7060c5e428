package history

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// prune deletes states that are too old, now and then, and the oldest where the table is larger than its bound.
func (b *postgresBackend) prune(t postgresTransaction) error {
	ctx, tx := t.ctx, t.Tx
	var last retention
	if err := tx.QueryRow(ctx, `select ran, until from shodanrep_history_retention`).Scan(&last.ran, &last.until); err != nil {
		return err
	}
	now := b.opts.Now()
	if next, due := last.next(now); due {
		if _, err := tx.Exec(ctx, `update shodanrep_history_retention set ran = $1, until = $2`, next.ran, next.until); err != nil {
			return err
		}
		before := next.before(b.opts.Keep)
		if err := t.pruneFailures(before); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `delete from shodanrep_history where last_checked < $1`, before); err != nil {
			return err
		}
	}
	if now.Sub(b.sized) < sizeEvery {
		return nil
	}
	b.sized = now
	if err := t.evictFailures(b.opts.MaxBytes); err != nil {
		return err
	}
	return evictRows(ctx, tx, b.opts.MaxBytes)
}

// evictRows deletes the rows that were checked longest ago where all together are larger than a bound. The size of the
// table itself says little: PostgreSQL keeps the room of deleted rows for new ones.
func evictRows(ctx context.Context, tx pgx.Tx, bound int64) error {
	const perRow = 28 // the header of a row and its pointer
	var size int64
	err := tx.QueryRow(ctx, `select pg_total_relation_size('shodanrep_history')`).Scan(&size)
	if err != nil || size <= bound {
		return err
	}
	err = tx.QueryRow(ctx, `select coalesce(sum(pg_column_size(s.*) + $1), 0)::bigint from shodanrep_history s`, perRow).Scan(&size)
	if err != nil || size <= bound {
		return err
	}
	_, err = tx.Exec(ctx, `delete from shodanrep_history using (
			select id, sum(pg_column_size(s.*) + $1) over (order by last_checked desc, id desc) as total from shodanrep_history s
		) newest where shodanrep_history.id = newest.id and newest.total > $2`, perRow, bound/10*9)
	return err
}
