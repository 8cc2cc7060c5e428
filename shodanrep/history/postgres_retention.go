package history

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// nextRetention returns the next retention, and whether it is due.
func (b *postgresBackend) nextRetention(t postgresTransaction) (next retention, due bool, err error) {
	if err := t.QueryRow(t.ctx, `select ran, until from shodanrep_history_retention`).Scan(&next.ran, &next.until); err != nil {
		return next, false, err
	}
	next, due = next.next(b.opts.Now())
	return next, due, nil
}

// isPruneDue reports whether to look for something to delete. It runs within the transaction that writes.
func (b *postgresBackend) isPruneDue(t postgresTransaction) (bool, error) {
	_, due, err := b.nextRetention(t)
	return due || b.isSizeDue(), err
}

func (b *postgresBackend) isSizeDue() bool { return b.opts.Now().Sub(b.sized).Abs() >= sizeEvery }

// prune deletes what is too old or too much, after a write.
func (b *postgresBackend) prune(ctx context.Context) {
	b.opts.prune(ctx, pruneFor, &b.notPruned, func() (more bool, err error) {
		err = b.transact(ctx, func(t postgresTransaction) (err error) {
			more, err = b.pruneSome(t)
			return err
		})
		return more, b.wrapError(err)
	})
}

// pruneSome is one transaction of prune: it deletes some of the states that are too old or, if there are no more, the oldest
// where the table is larger than its bound. It reports whether there may be more that are too old. The retention stays due
// until all of these are deleted.
func (b *postgresBackend) pruneSome(t postgresTransaction) (more bool, err error) {
	next, due, err := b.nextRetention(t)
	if err != nil {
		return false, err
	}
	if due {
		const most = 10 * prunedAtOnce // a server deletes faster than a file
		before := next.before(b.opts.Keep)
		deleted, err := t.Exec(t.ctx, `delete from shodanrep_history where id in (
			select id from shodanrep_history where last_checked < $1 order by last_checked limit $2)`, before, most)
		if err != nil || deleted.RowsAffected() == most {
			return true, err
		}
		if err := t.pruneFailures(before); err != nil {
			return false, err
		}
		if _, err := t.Exec(t.ctx, `update shodanrep_history_retention set ran = $1, until = $2`, next.ran, next.until); err != nil {
			return false, err
		}
	}
	if !b.isSizeDue() {
		return false, nil
	}
	b.sized = b.opts.Now()
	if err := t.evictFailures(b.opts.MaxBytes); err != nil {
		return false, err
	}
	return false, evictRows(t.ctx, t.Tx, b.opts.MaxBytes)
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
