package load

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/pgtext"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

const (
	// A claim has as many addresses as are looked up within claimTime, within these limits. What a killed process has
	// looked up of its last claim is lost, so a claim is short; it is one transaction, so it is not too short.
	minClaim, maxClaim = 20, 5000
	firstClaim         = 100
	claimTime          = 3 * time.Second
	// writeTimeout is how long an interrupted process may take to write the verdicts that it has.
	writeTimeout = 20 * time.Second
)

// verdictTable is a temporary table of the verdicts of a claim.
const verdictTable = "pg_temp.shodanrep_verdict"

// A worker claims addresses of the queue, looks them up and writes the verdicts, on a connection of its own. A claim is
// a transaction that locks rows of the queue: other workers skip them, and they are free again when the connection ends.
type worker struct {
	*run
	conn *pgx.Conn
	// claimed is the last address that was claimed: the next claim begins behind it, so as not to read again what others
	// have locked or deleted.
	claimed netip.Prefix
	size    int
}

// beforeAll sorts before each address.
var beforeAll = netip.PrefixFrom(netip.IPv4Unspecified(), 0)

// newWorker makes a worker. The caller must close its connection.
func (r *run) newWorker(ctx context.Context) (*worker, error) {
	conn, err := r.db.connect(ctx)
	if err != nil {
		return nil, err
	}
	w := &worker{run: r, conn: conn, claimed: beforeAll, size: firstClaim}
	var columns strings.Builder
	for _, c := range copied() {
		fmt.Fprintf(&columns, "%s %s, ", quote(c.Name), c.Type)
	}
	_, err = conn.Exec(ctx, "create temporary table shodanrep_verdict ("+columns.String()+loadedAtColumn+
		" timestamptz not null default clock_timestamp()) on commit delete rows")
	if err != nil {
		closeConn(conn)
		return nil, r.db.wrapError(err)
	}
	return w, nil
}

// work claims until there is nothing left that nobody has claimed.
func (w *worker) work(ctx context.Context) error {
	fromStart := w.claimed == beforeAll
	for {
		claimed, err := w.claim(ctx)
		switch {
		case err != nil:
			return w.db.wrapError(err)
		case claimed > 0:
		case fromStart:
			return nil
		default:
			w.claimed, fromStart = beforeAll, true // what others have given back since
			continue
		}
		fromStart = false
	}
}

// A claimedRow is a locked row of the queue. Its ctid finds it again without an index, also if the server has no
// statistics of the queue yet and would read all of it.
type claimedRow struct {
	IP   netip.Addr
	CTID string
	// Wanted says that the address has still to be looked up: another process can have done so in the meantime.
	Wanted bool
}

// claim claims addresses, looks them up and writes the verdicts. It returns how many it claimed. If the context ends,
// it writes the verdicts that it has, and gives the other addresses back.
func (w *worker) claim(ctx context.Context) (int, error) {
	tx, err := w.conn.Begin(ctx)
	if err != nil {
		return 0, err
	}
	writing, stop := withGrace(ctx)
	defer stop()
	defer tx.Rollback(writing)
	claimed, err := w.lock(ctx, tx)
	if err != nil || len(claimed) == 0 {
		return 0, err
	}
	last := claimed[len(claimed)-1].IP
	w.claimed = netip.PrefixFrom(last, last.BitLen())
	var wanted []netip.Addr
	for _, row := range claimed {
		if row.Wanted {
			wanted = append(wanted, row.IP)
		}
	}
	began := time.Now()
	written, failed, err := w.lookUp(ctx, writing, tx, wanted)
	if err != nil {
		return 0, err
	}
	if _, err := tx.Exec(writing, w.upsert); err != nil {
		return 0, err
	}
	if _, err := tx.Exec(writing, "delete from "+w.queue+" where ctid = any($1::text[]::tid[])", done(claimed, written)); err != nil {
		return 0, err
	}
	if err := tx.Commit(writing); err != nil {
		return 0, err
	}
	w.written.Add(int64(written))
	w.failed.Add(int64(failed))
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err := w.lookupErr.Load(); err != nil {
		return 0, err
	}
	if written > 0 {
		w.size = nextSize(w.size, time.Since(began))
	}
	return len(claimed), nil
}

// lock locks the next rows of the queue that nobody has locked.
func (w *worker) lock(ctx context.Context, tx pgx.Tx) ([]claimedRow, error) {
	rows, err := tx.Query(ctx, "select ip, ctid::text, older_than, added_at from "+w.queue+" where policy = $1 and ip > $2 order by ip limit $3 for update skip locked",
		w.policy, w.claimed, w.size)
	if err != nil {
		return nil, err
	}
	var claimed []claimedRow
	var addrs []netip.Addr
	var olderThan, addedAt []time.Time
	var row claimedRow
	var older, added time.Time
	if _, err := pgx.ForEachRow(rows, []any{&row.IP, &row.CTID, &older, &added}, func() error {
		claimed, addrs = append(claimed, row), append(addrs, row.IP)
		olderThan, addedAt = append(olderThan, older), append(addedAt, added)
		return nil
	}); err != nil || len(claimed) == 0 {
		return nil, err
	}
	// A second statement sees what others have committed before the rows were locked.
	rows, err = tx.Query(ctx, "select c.i from unnest($2::inet[], $3::timestamptz[], $4::timestamptz[]) with ordinality as c (ip, older_than, added_at, i) where "+
		w.isWanted("c", "c.older_than", "c.added_at"), w.policy, addrs, olderThan, addedAt)
	if err != nil {
		return nil, err
	}
	var i int
	_, err = pgx.ForEachRow(rows, []any{&i}, func() error {
		claimed[i-1].Wanted = true
		return nil
	})
	return claimed, err
}

// done returns the rows whose addresses need no further lookup: those that are not wanted, and the first of the others,
// which were written.
func done(claimed []claimedRow, written int) []string {
	var ctids []string
	for _, row := range claimed {
		if row.Wanted {
			if written--; written < 0 {
				continue
			}
		}
		ctids = append(ctids, row.CTID)
	}
	return ctids
}

// nextSize returns how many addresses to claim after a claim that took some time.
func nextSize(size int, took time.Duration) int {
	next := float64(size) * float64(claimTime) / float64(max(took, time.Millisecond))
	return int(max(minClaim, min(next, 2*float64(size), maxClaim)))
}

// lookUp looks addresses up, and copies each verdict into the database as soon as it is there.
func (w *worker) lookUp(ctx, writing context.Context, tx pgx.Tx, addrs []netip.Addr) (written, failed int, err error) {
	if len(addrs) == 0 {
		return 0, 0, nil
	}
	next, stop := iter.Pull2(w.check(ctx, addrs, w.listLength))
	defer stop()
	columns := copied()
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	values := make([]any, len(columns))
	_, err = tx.CopyFrom(writing, pgx.Identifier{"pg_temp", "shodanrep_verdict"}, names, pgx.CopyFromFunc(func() ([]any, error) {
		v, err, ok := next()
		if !ok || ctx.Err() != nil {
			return nil, nil
		}
		if err != nil {
			// It is about all addresses. What is looked up already is written first.
			w.lookupErr.Store(&lookupError{err})
			return nil, nil
		}
		for i, c := range columns {
			if values[i], err = c.value(v); err != nil {
				return nil, fmt.Errorf("%s: column %s: %w", v.IP(), c.Name, err)
			}
			values[i] = held(w.encoding, values[i])
		}
		written++
		if v.Status() == lookup.Failed {
			failed++
		}
		return values, nil
	}))
	return written, failed, err
}

// held returns a value of a column that the encoding of the database can hold.
func held(e pgtext.Encoding, value any) any {
	switch value := value.(type) {
	case string:
		return e.Text(value)
	case []string:
		return e.Texts(value)
	case json.RawMessage:
		return json.RawMessage(e.JSON(value))
	}
	return value
}

// withGrace returns a context that ends some time after ctx.
func withGrace(ctx context.Context) (context.Context, context.CancelFunc) {
	grace, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(writeTimeout, cancel) })
	return grace, func() { stop(); cancel() }
}

// A checkFunc looks addresses up and scores them, see [scan.Checker.Check].
type checkFunc func(ctx context.Context, addrs []netip.Addr, size int) iter.Seq2[*scan.Verdict, error]
