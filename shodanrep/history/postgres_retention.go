package history

import (
	"context"
	"errors"
	"time"

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
	return due || b.isSizeDue() || b.evicted != nil, err
}

func (b *postgresBackend) isSizeDue() bool { return b.opts.Now().Sub(b.sized).Abs() >= sizeEvery }

// prune deletes what is too old or too much, after a write.
func (b *postgresBackend) prune(ctx context.Context) {
	b.pruning.run(ctx, b.opts.Logger, func() (more bool, err error) {
		more, err = b.pruneSome(ctx)
		return more, b.wrapError(err)
	})
}

// pruneSome deletes some of the states that are too old or, if there are no more, some of the oldest where the table is
// larger than its bound. It reports whether there may be more.
func (b *postgresBackend) pruneSome(ctx context.Context) (more bool, err error) {
	do := func(some func(postgresTransaction) (bool, error)) error {
		return b.transact(ctx, func(t postgresTransaction) (err error) {
			more, err = some(t)
			return err
		})
	}
	if err := do(b.deleteOld); err != nil || more {
		return more, err
	}
	if b.isSizeDue() {
		// Not in a transaction, for whose end other processes wait: a large table takes a second.
		if b.evicted, err = lastExcess(ctx, b.writer, b.opts.MaxBytes); err != nil {
			return false, err
		}
		err := do(func(t postgresTransaction) (bool, error) {
			return false, b.changeFailures(t, func(t postgresTransaction) error { return t.evictFailures(b.opts.MaxBytes) })
		})
		if err != nil {
			return false, err
		}
		b.sized = b.opts.Now()
	}
	if b.evicted == nil {
		return false, nil
	}
	if err = do(b.evict); err == nil && !more {
		b.evicted = nil
	}
	return more, err
}

// deleteOld deletes some of the states that are too old, if it is due, and reports whether there may be more. The retention
// stays due until all are deleted.
func (b *postgresBackend) deleteOld(t postgresTransaction) (more bool, err error) {
	next, due, err := b.nextRetention(t)
	if err != nil || !due {
		return false, err
	}
	before := next.before(b.opts.Keep)
	deleted, err := t.Exec(t.ctx, `delete from shodanrep_history where id in (
		select id from shodanrep_history where last_checked < $1 order by last_checked limit $2)`, before, b.pruning.atOnce)
	if err != nil || deleted.RowsAffected() == int64(b.pruning.atOnce) {
		return true, err
	}
	if err := b.changeFailures(t, func(t postgresTransaction) error { return t.pruneFailures(before) }); err != nil {
		return false, err
	}
	_, err = t.Exec(t.ctx, `update shodanrep_history_retention set ran = $1, until = $2`, next.ran, next.until)
	return false, err
}

// A rowAge is the place of a row among all by when they were last checked.
type rowAge struct {
	lastChecked time.Time
	id          int64
}

// lastExcess returns the newest of the rows that are too much: without those up to it, the others take up nine tenths of a
// bound. It returns nil where all together are not larger than the bound. The size of the table itself says little:
// PostgreSQL keeps the room of deleted rows for new ones.
func lastExcess(ctx context.Context, conn *pgx.Conn, bound int64) (*rowAge, error) {
	const perRow = 28 // the header of a row and its pointer
	var size int64
	err := conn.QueryRow(ctx, `select pg_total_relation_size('shodanrep_history')`).Scan(&size)
	if err != nil || size <= bound {
		return nil, err
	}
	err = conn.QueryRow(ctx, `select coalesce(sum(pg_column_size(s.*) + $1), 0)::bigint from shodanrep_history s`, perRow).Scan(&size)
	if err != nil || size <= bound {
		return nil, err
	}
	var last rowAge
	err = conn.QueryRow(ctx, `select last_checked, id from (
			select last_checked, id, sum(pg_column_size(s.*) + $1) over (order by last_checked, id) as total from shodanrep_history s
		) oldest where total >= $2 order by last_checked, id limit 1`, perRow, size-bound/10*9).Scan(&last.lastChecked, &last.id)
	if errors.Is(err, pgx.ErrNoRows) { // others have deleted them
		return nil, nil
	}
	return &last, err
}

// evict deletes some of the rows that are too much, and reports whether there may be more. Processes that do so at once
// delete the same rows, and none that was checked since they were counted.
func (b *postgresBackend) evict(t postgresTransaction) (more bool, err error) {
	deleted, err := t.Exec(t.ctx, `delete from shodanrep_history where id in (
		select id from shodanrep_history where last_checked <= $1 and (last_checked < $1 or id <= $2) order by last_checked, id limit $3)`,
		b.evicted.lastChecked, b.evicted.id, b.pruning.atOnce)
	return deleted.RowsAffected() == int64(b.pruning.atOnce), err
}
