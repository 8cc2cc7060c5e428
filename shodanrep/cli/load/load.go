// Package load writes verdicts into a table of PostgreSQL. Several processes share the work through a second table, the
// queue: a process claims addresses by locking their rows, so that a claim ends with its connection.
//
// [Database.Load] is one load, and worker.go the work on one claim after the other.
package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/pgtext"
)

const (
	// workers is how many claims a process works on at a time: while one writes, the other looks up. Each has a connection,
	// so there is one where the first claim takes all addresses.
	workers = 2
	// waitTime is the time between two looks at addresses that only other processes have claimed, at first and at most.
	waitTime, maxWaitTime = 200 * time.Millisecond, 5 * time.Second
	// countTime is the time between two counts of the queue, for the progress.
	countTime = 5 * time.Second
)

// Options are how to load.
type Options struct {
	Table  Name
	Policy string        // the policy of the verdicts; rows of another policy count as old
	MaxAge time.Duration // the age from which a row is old
	Check  checkFunc
	// Limit is the argument api_lookup_limit: how many addresses need to be counted.
	Limit int
	// Found and Left are told what the input has, and how many addresses are left in the queue, now and then. They may be
	// nil.
	Found func(Found)
	Left  func(int64)
}

// A run is one load.
type run struct {
	Options
	db         Database
	name       Name // with the schema
	table      string
	queue      string
	encoding   pgtext.Encoding
	policy     string // as the database can hold it
	upsert     string
	listLength int
	id         int64     // of this process in the queue
	began      time.Time // by the clock of the server
	olderThan  time.Time
	check      checkFunc

	written, failed atomic.Int64
	lookupErr       atomic.Pointer[lookupError]
}

// Load looks up the addresses of an input that are not in the table, or whose rows are old, and writes their rows. It
// shares the work with all other processes that load into the table, and returns when all addresses of its input are
// done, by any of them. After an error the summary has what this process wrote.
func (d Database) Load(ctx context.Context, in Input, o Options) (Summary, error) {
	conn, err := d.connect(ctx)
	if err != nil {
		return Summary{}, err
	}
	defer closeConn(conn)
	encoding := pgtext.Of(conn)
	r := &run{Options: o, db: d, encoding: encoding, policy: encoding.Text(o.Policy), check: o.Check, id: rand.Int64()}
	if r.name, err = d.prepareTable(ctx, conn, o.Table); err != nil {
		return Summary{}, err
	}
	r.table, r.queue = r.name.quoted(), r.name.queue().quoted()
	r.upsert = upsertSQL(r.table)
	s := Summary{Table: r.name}
	if s.Found, err = d.stage(ctx, conn, in); err != nil {
		return s, err
	}
	if o.Found != nil {
		o.Found(s.Found)
	}
	err = r.begin(ctx, conn, &s)
	if err == nil {
		err = r.work(ctx, conn)
	}
	s.Written, s.Failed = r.written.Load(), r.failed.Load()
	if err != nil {
		r.giveBack(ctx)
		return s, d.wrapError(err)
	}
	s.Groups, err = r.count(ctx, conn)
	return s, d.wrapError(err)
}

// begin fixes what is old, and counts the addresses to look up.
func (r *run) begin(ctx context.Context, conn *pgx.Conn, s *Summary) error {
	err := conn.QueryRow(ctx, "select now(), now() - make_interval(secs => $1)", r.MaxAge.Seconds()).Scan(&r.began, &r.olderThan)
	if err != nil {
		return err
	}
	if s.Old, err = r.countWanted(ctx, conn); err != nil {
		return err
	}
	var queued int64
	if queued, err = r.countQueue(ctx, conn, int64(r.Limit)+1); err != nil {
		return err
	}
	// The size of the work decides which source is used.
	r.listLength = int(min(max(s.Old, queued), int64(r.Limit)+1))
	return nil
}

// work puts the addresses of the input into the queue and works on the queue, until all addresses of the input are done.
// What another process has claimed comes back if that process ends.
func (r *run) work(ctx context.Context, conn *pgx.Conn) error {
	var pool []*worker
	defer func() {
		for _, w := range pool {
			closeConn(w.conn)
		}
	}()
	wait := waitTime
	for {
		if err := r.followClock(ctx, conn); err != nil {
			return err
		}
		left, err := r.countWanted(ctx, conn)
		if err != nil || left == 0 {
			return err
		}
		if _, err := conn.Exec(ctx, "insert into "+r.queue+" (policy, ip, older_than, added_at, added_by) select $1::text, a.ip, $2::timestamptz, $3::timestamptz, $4::bigint from "+addressTable+" as a where "+
			r.isWanted("a", "$2::timestamptz", "$3::timestamptz")+" order by a.ip on conflict do nothing", r.policy, r.olderThan, r.began, r.id); err != nil {
			return err
		}
		needed := workers
		if left <= firstClaim {
			needed = 1 // which claims all of them
		}
		for len(pool) < needed {
			w, err := r.newWorker(ctx)
			if err != nil {
				return err
			}
			pool = append(pool, w)
		}
		before := r.written.Load()
		if err := r.workAll(ctx, conn, pool); err != nil {
			return err
		}
		if r.written.Load() > before {
			wait = waitTime
			continue
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
			wait = min(2*wait, maxWaitTime)
		}
	}
}

// followClock begins the load again, by the clock of the server, if that was set back: what is written after that would
// seem to be older than the load, and be looked up without end.
func (r *run) followClock(ctx context.Context, conn *pgx.Conn) error {
	var now time.Time
	if err := conn.QueryRow(ctx, "select now()").Scan(&now); err != nil {
		return err
	}
	if back := r.began.Sub(now); back > 0 {
		r.began, r.olderThan = now, r.olderThan.Add(-back)
	}
	return nil
}

// workAll has all workers work, and counts the queue meanwhile. The first error ends all.
func (r *run) workAll(ctx context.Context, conn *pgx.Conn, pool []*worker) error {
	working, cancel := context.WithCancel(ctx)
	defer cancel()
	errs := make([]error, len(pool))
	var group sync.WaitGroup
	for i, w := range pool {
		w.claimed = beforeAll
		group.Go(func() {
			if errs[i] = w.work(working); errs[i] != nil {
				cancel()
			}
		})
	}
	done := make(chan struct{})
	go func() { group.Wait(); close(done) }()
	countErr := r.reportLeft(working, conn, done)
	if countErr != nil {
		cancel()
	}
	<-done
	var canceled error
	for _, err := range append(errs, countErr) {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
		if err != nil {
			canceled = err
		}
	}
	return canceled
}

// reportLeft counts the queue now and then, until the workers are done.
func (r *run) reportLeft(ctx context.Context, conn *pgx.Conn, done <-chan struct{}) error {
	if r.Left == nil {
		return nil
	}
	ticker := time.NewTicker(countTime)
	defer ticker.Stop()
	for {
		left, err := r.countQueue(ctx, conn, 0)
		if err != nil {
			return err
		}
		r.Left(left)
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
}

// giveBack removes from the queue what this process put there and nobody has claimed, after an interrupt or an error:
// the next process must not go on with the input of this one. A process with the same addresses adds them again.
func (r *run) giveBack(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	conn, err := r.db.connect(ctx)
	if err != nil {
		return // they stay in the queue
	}
	defer closeConn(conn)
	_, _ = conn.Exec(ctx, fmt.Sprintf("delete from %s as q using (select policy, ip from %[1]s where added_by = $1 for update skip locked) as own where q.policy = own.policy and q.ip = own.ip", r.queue), r.id)
}

// upsertSQL returns the statement that writes verdicts into the table. A lookup that failed does not replace the verdict
// of an earlier one: it only says when and why it failed.
func upsertSQL(table string) string {
	var set, values []string
	for _, c := range Columns() {
		name := quote(c.Name)
		switch c.Name {
		case failedAtColumn:
			values = append(values, fmt.Sprintf("case when v.status = '%s' then v.loaded_at end", lookup.Failed))
		case freshFromColumn:
			values = append(values, fmt.Sprintf("case when v.status <> '%s' then least(v.fresh_from, v.loaded_at) end", lookup.Failed))
		default:
			values = append(values, "v."+name)
		}
		switch c.Name {
		case ipColumn:
		case failedAtColumn, failureColumn:
			set = append(set, fmt.Sprintf("%s = excluded.%[1]s", name))
		default:
			set = append(set, fmt.Sprintf("%s = case when excluded.status = '%s' and t.status <> '%[2]s' then t.%[1]s else excluded.%[1]s end", name, lookup.Failed))
		}
	}
	return "insert into " + table + " as t (" + names(Columns()) + ") select " + strings.Join(values, ", ") + " from " + verdictTable +
		" as v order by v.ip on conflict (ip) do update set " + strings.Join(set, ", ")
}
