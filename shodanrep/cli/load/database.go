package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/pgtext"
)

// applicationName is what pg_stat_activity shows, unless the connection string sets another.
const applicationName = "shodanrep load"

// connectTimeout bounds the time for a connection, unless the connection string sets another.
const connectTimeout = 15 * time.Second

// A Database is where to connect to.
type Database struct{ config *pgx.ConnConfig }

// ParseDatabase parses a connection string, as a URL or as keywords and values. What it leaves out is taken from the
// environment (PGPASSWORD and so on), ~/.pgpass and the service file. No error quotes it: it may have a password.
func ParseDatabase(text string) (Database, error) {
	config, err := pgx.ParseConfig(text)
	if err != nil {
		const advice = "use postgres://USER@HOST:PORT/DATABASE, in which special characters are written as %40 for @ and so on"
		var file *fs.PathError
		if errors.As(err, &file) {
			return Database{}, fmt.Errorf("the connection string names a file that cannot be read: %w", file)
		}
		return Database{}, errors.New("not a connection string of PostgreSQL: " + advice)
	}
	config.RuntimeParams["application_name"] = cmp.Or(config.RuntimeParams["application_name"], applicationName)
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, connectTimeout)
	pgtext.UseUTF8(config)
	return Database{config}, nil
}

// sessionSettings keep the server from ending a session that waits for lookups, and let it notice soon that this
// machine is gone: its claims end then. Processes share the queue by statements that each see what others have committed.
// To compile the many short statements would take longer than to run them. Unknown settings are those of newer servers,
// and are left out.
const sessionSettings = `select set_config(name, value, false) from (values
	('statement_timeout', '0'), ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'), ('idle_session_timeout', '0'),
	('default_transaction_isolation', 'read committed'), ('jit', 'off'), ('tcp_keepalives_idle', '30'), ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3')
	) as s (name, value) where exists (select from pg_settings p where p.name = s.name)`

// connect opens a connection for lookups.
func (d Database) connect(ctx context.Context) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, d.config.Copy())
	if err != nil {
		return nil, d.wrapError(err)
	}
	if _, err := conn.Exec(ctx, sessionSettings); err != nil {
		closeConn(conn)
		return nil, d.wrapError(err)
	}
	return conn, nil
}

// closeTimeout bounds the time for saying goodbye to the server.
const closeTimeout = 2 * time.Second

func closeConn(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	_ = conn.Close(ctx)
}
