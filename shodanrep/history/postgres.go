package history

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/pgerror"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/pgtext"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

const (
	// connectTimeout is how long a server may take to accept a connection, unless the address says otherwise.
	connectTimeout = 5 * time.Second
	// lockTimeout is how long a transaction waits for a lock that another has, unless the database, the role or the address
	// says otherwise. A query of Steampipe can wait for itself: if the history is in Steampipe's own database, and the
	// transaction of the query has changed its tables. PostgreSQL does not notice, nor does the query's statement_timeout.
	lockTimeout = 30 * time.Second
	// sizeEvery is how often a process looks at the size of the table.
	sizeEvery = time.Hour
)

// postgresSchema makes the tables, which docs/history.md explains.
const postgresSchema = `
create table shodanrep_history (
	id bigint generated always as identity primary key,
	ip inet not null,
	source text collate "C" not null,
	first_checked timestamptz not null,
	last_checked timestamptz not null,
	checks bigint not null,
	indexed boolean not null,
	last_update timestamptz,
	ports integer[],
	vulns text[],
	tags text[],
	hostnames text[],
	organization text,
	asn text,
	country_code text,
	certificates text[],
	summary bytea not null,
	services bytea,
	facts bytea
);
create index shodanrep_history_state on shodanrep_history (ip, source, first_checked, id);
create index shodanrep_history_age on shodanrep_history (last_checked);
create table shodanrep_history_retention (version integer not null, ran timestamptz not null, until timestamptz not null);
insert into shodanrep_history_retention values (1, now(), now());
comment on table shodanrep_history is 'What Shodan''s services said of addresses, and when; see docs/history.md of shodanrep';
`

// lockHistory makes a transaction the only one that writes to the history.
const lockHistory = `select pg_advisory_xact_lock(1397905513)`

// setLockTimeout sets the lock timeout of a transaction, in milliseconds, unless it has one.
const setLockTimeout = `select set_config('lock_timeout', $1, true) where current_setting('lock_timeout') = '0'`

// codeLockTimeout is PostgreSQL's code of a statement that has waited for a lock for longer than the lock timeout.
const codeLockTimeout = "55P03"

// afterLock begins a transaction whose statements see what others have committed until it has the lock. A database or a
// role can have another default.
var afterLock = pgx.TxOptions{IsoLevel: pgx.ReadCommitted}

// postgresBackend stores states in a table of PostgreSQL, which the machines of a team share.
type postgresBackend struct {
	address string // as it may be shown
	config  *pgx.ConnConfig
	err     error // why the address cannot be read
	opts    Options

	lockTimeout time.Duration

	mu     sync.Mutex
	writer *pgx.Conn // nil until it is connected; one call of write uses it at a time
	ready  bool      // the tables are there
	sized  time.Time // when the size was last looked at
	// evicted is the newest of the rows that were too much by then, nil where none is left.
	evicted *rowAge
	denied  bool // it was logged that failures cannot be written
	pruning pruning
}

func newPostgres(opts Options) *postgresBackend {
	b := &postgresBackend{address: shownAddress(opts.Location), opts: opts, lockTimeout: waitlimit.Of(lockTimeout), pruning: pruning{atOnce: prunedByServer, longest: pruneFor}}
	if b.config, b.err = pgx.ParseConfig(opts.Location); b.err != nil {
		b.err = CheckLocation(opts.Location)
		return b
	}
	if b.config.ConnectTimeout == 0 {
		b.config.ConnectTimeout = connectTimeout
	}
	pgtext.UseUTF8(b.config)
	if b.config.RuntimeParams["application_name"] == "" {
		b.config.RuntimeParams["application_name"] = "shodanrep"
	}
	return b
}

func (b *postgresBackend) connect(ctx context.Context) (*pgx.Conn, error) {
	if b.err != nil {
		return nil, b.err
	}
	return pgx.ConnectConfig(ctx, b.config)
}

// begin calls do in a transaction that does not wait for a lock for ever.
func (b *postgresBackend) begin(ctx context.Context, conn *pgx.Conn, options pgx.TxOptions, do func(pgx.Tx) error) error {
	return pgx.BeginTxFunc(ctx, conn, options, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, setLockTimeout, strconv.FormatInt(b.lockTimeout.Milliseconds(), 10)); err != nil {
			return err
		}
		return do(tx)
	})
}

// prepare makes the tables where they are missing.
func (b *postgresBackend) prepare(ctx context.Context, conn *pgx.Conn) error {
	b.mu.Lock()
	ready := b.ready
	b.mu.Unlock()
	if ready {
		return nil
	}
	err := b.begin(ctx, conn, afterLock, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockHistory); err != nil {
			return err
		}
		var exists bool
		// "create table if not exists" needs the right to create tables where there is nothing to create.
		if err := tx.QueryRow(ctx, `select to_regclass('shodanrep_history') is not null`).Scan(&exists); err != nil {
			return err
		}
		if !exists {
			_, err := tx.Exec(ctx, postgresSchema)
			return err
		}
		var version int
		if err := tx.QueryRow(ctx, `select version from shodanrep_history_retention`).Scan(&version); err != nil {
			return err
		}
		if version > schemaVersion {
			return errNewerTables
		}
		return nil
	})
	if err == nil {
		b.mu.Lock()
		b.ready = true
		b.mu.Unlock()
	}
	return err
}

var errNewerTables = errors.New("its tables were made by a newer version of shodanrep: update shodanrep, or use another database")

// open connects for writing, where that is needed. One call of it or of write runs at a time.
func (b *postgresBackend) open(ctx context.Context) error {
	if b.writer == nil || b.writer.IsClosed() {
		conn, err := b.connect(ctx)
		if err != nil {
			return b.wrapError(err)
		}
		b.writer = conn
	}
	return b.wrapError(b.prepare(ctx, b.writer))
}

func (b *postgresBackend) write(ctx context.Context, sightings []*sighting, failures []Failure) error {
	err := b.open(ctx)
	due := false
	if err == nil {
		err = b.transact(ctx, func(t postgresTransaction) (err error) {
			if err := add(t, sightings, b.opts.Now()); err != nil {
				return err
			}
			if err := b.changeFailures(t, func(t postgresTransaction) error { return t.saveFailures(failures) }); err != nil {
				return err
			}
			due, err = b.isPruneDue(t)
			return err
		})
	}
	if err == nil && due {
		b.prune(ctx)
	}
	if isMissingTable(err) {
		b.mu.Lock()
		b.ready = false // it was dropped: the next write makes it again
		b.mu.Unlock()
	}
	return b.wrapError(err)
}

// transact calls do in a transaction, while no other process writes to the history.
func (b *postgresBackend) transact(ctx context.Context, do func(postgresTransaction) error) error {
	return b.begin(ctx, b.writer, afterLock, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, lockHistory); err != nil {
			return err
		}
		return do(postgresTransaction{ctx, tx, pgtext.Of(b.writer)})
	})
}

// isMissingTable reports whether an error says that there is no such table.
func isMissingTable(err error) bool {
	var failure *pgconn.PgError
	return errors.As(err, &failure) && failure.Code == "42P01"
}

// read calls fn with a connection of its own, in a transaction, and with the tables in place.
func (b *postgresBackend) read(ctx context.Context, fn func(*pgx.Conn) error) error {
	conn, err := b.connect(ctx)
	if err != nil {
		return b.wrapError(err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) // nothing was written
	if err := b.prepare(ctx, conn); err != nil {
		return b.wrapError(err)
	}
	return b.wrapError(b.begin(ctx, conn, pgx.TxOptions{AccessMode: pgx.ReadOnly}, func(pgx.Tx) error { return fn(conn) }))
}

func (b *postgresBackend) states(ctx context.Context, f Filter, yield func(State) bool) error {
	return b.read(ctx, func(conn *pgx.Conn) error {
		query, args := postgresQuery(f, b.opts.Now())
		rows, err := conn.Query(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			state, wanted, err := scanState(rows, f, b.opts.Now())
			if err != nil {
				return err
			}
			if !wanted {
				continue
			}
			if !yield(state) {
				// Else rows.Close would read what is left, which can be hundreds of megabytes.
				_ = conn.PgConn().Conn().Close()
				return nil
			}
		}
		return rows.Err()
	})
}

func (b *postgresBackend) stats(ctx context.Context) (Stats, error) {
	s := Stats{Location: b.address}
	err := b.read(ctx, func(conn *pgx.Conn) error {
		var oldest, newest *time.Time
		err := conn.QueryRow(ctx, `select count(*), count(distinct ip), min(first_checked), max(last_checked),
			pg_total_relation_size('shodanrep_history') from shodanrep_history`).Scan(&s.States, &s.Addresses, &oldest, &newest, &s.Bytes)
		if err == nil && oldest != nil {
			s.Oldest, s.Newest = oldest.UTC(), newest.UTC()
		}
		return err
	})
	return s, err
}

func (b *postgresBackend) close() error {
	if b.writer == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	return b.wrapError(b.writer.Close(ctx))
}

// wrapError adds to an error which database it is about, in one line. The error of a connection has no password.
func (b *postgresBackend) wrapError(err error) error {
	var wrapped *postgresError
	switch {
	case err == nil || errors.As(err, &wrapped):
		return err
	case errors.Is(err, context.Canceled): // by a caller that did not wait: nothing is wrong with the database
		return fmt.Errorf("history at %s: the server had not responded yet: %w", b.address, context.Canceled)
	}
	return &postgresError{b.address, err}
}

// A postgresError is the failure of a database.
type postgresError struct {
	address string // without a password
	err     error
}

func (e *postgresError) Error() string {
	var server *pgconn.PgError
	if errors.As(e.err, &server) && server.Code == codeLockTimeout {
		return fmt.Sprintf("history at %s: another transaction has locked the tables, perhaps the one of this query: end it, and try again (%s)",
			e.address, server.Message)
	}
	return fmt.Sprintf(`history at %s: %s: check that the server runs and that its user may write to the tables, or set history_store to a path or "off"`,
		e.address, pgerror.Reason(e.err))
}

func (e *postgresError) Unwrap() error { return e.err }
