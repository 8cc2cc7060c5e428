package embedded

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/ext/regexp"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// Options says what a [DB] serves.
type Options struct {
	// PluginFunc makes the plugin, as main hands it to the SDK.
	PluginFunc plugin.PluginFunc
	// Connections are the plugin's connections. The tables of the first one need no name before theirs; those of every
	// one are also in a schema of the connection's name. Without any, there is one of the name "default".
	Connections []Connection
	// Logger takes what the plugin logs, and from debug level on what the SDK logs as well. The default is none.
	Logger hclog.Logger
	// Warn is told what a user should know about a result that has no errors: above all, that nothing was looked up.
	Warn func(message string)
	// ListContext, where it is set, is given the context of a scan and how many values the scan asks for. The context
	// that it returns is the one in which the plugin's functions run. The plugin is handed a long list in slices, so
	// this is how it can know of the whole.
	ListContext func(ctx context.Context, values int) context.Context
}

// Connection is a connection of the plugin: its name, and its arguments as the text of a connection block's body.
// Members makes it an aggregator, whose rows are those of the named connections.
type Connection struct {
	Name    string
	Config  string
	Members []string
}

// DB is an SQLite database in memory with the plugin's tables in it. Its methods may be called from several goroutines,
// and run one after the other.
type DB struct {
	mu          sync.Mutex
	conn        *sqlite3.Conn
	server      *server
	tables      []*Table
	warn        func(string)
	listContext func(context.Context, int) context.Context

	// running counts the scans that have not ended.
	running sync.WaitGroup

	// What follows belongs to the statement that is being run.
	ctx       context.Context
	statement *statement
}

// closeWait is how long Close waits for calls under way. A plugin whose functions heed their context needs far less.
const closeWait = 5 * time.Second

// maxAttached is how many schemas SQLite can attach.
const maxAttached = 10

// Open starts the plugin and makes its tables. A connection with a wrong argument is an error in the plugin's words.
func Open(ctx context.Context, opts Options) (db *DB, err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	if len(opts.Connections) == 0 {
		opts.Connections = []Connection{{Name: "default"}}
	}
	if opts.Logger == nil {
		opts.Logger = hclog.NewNullLogger()
	}
	if opts.Warn == nil {
		opts.Warn = func(string) {}
	}
	server, err := startServer(opts.PluginFunc, opts.Connections, opts.Logger)
	if err != nil {
		return nil, err
	}
	conn, err := sqlite3.OpenContext(ctx, ":memory:")
	if err != nil {
		return nil, err
	}
	db = &DB{conn: conn, server: server, warn: opts.Warn, listContext: opts.ListContext, statement: &statement{}, ctx: ctx}
	if err := db.setUp(opts.Connections); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return db, nil
}

// setUp registers the functions and makes the tables of every connection.
func (db *DB) setUp(connections []Connection) error {
	//lint:ignore SA1019 the method that replaces it needs Go 1.27
	err := sqlite3.CreateModule(db.conn, moduleName, db.connect, db.connect)
	if err := errors.Join(err, regexp.Register(db.conn), registerFunctions(db.conn)); err != nil {
		return err
	}
	for i, c := range connections {
		reserved := strings.EqualFold(c.Name, "main") || strings.EqualFold(c.Name, "temp")
		switch {
		case reserved && i > 0:
			return fmt.Errorf("connection %q: SQLite has a schema of that name already, so rename the connection", c.Name)
		case i >= maxAttached:
			db.warn(fmt.Sprintf("connection %q is left out: SQLite can have no more than %d", c.Name, maxAttached))
			continue
		}
		if !reserved {
			if err := db.conn.Exec("ATTACH ':memory:' AS " + sqlite3.QuoteIdentifier(c.Name)); err != nil {
				return fmt.Errorf("connection %q: %w", c.Name, sqlError(err))
			}
		}
		if err := db.createTables(c, i == 0, !reserved); err != nil {
			return err
		}
	}
	return nil
}

// createTables makes the tables of a connection: in the schema of its name, and where inMain says so in the main one.
func (db *DB) createTables(c Connection, inMain, named bool) error {
	schema, err := db.server.schema(c.Name)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(schema)) {
		t := newTable(name, schema[name], c, db.server.plugin.TableMap[name])
		db.tables = append(db.tables, t)
		var schemas []string
		if inMain {
			schemas = append(schemas, "main")
		}
		if named {
			schemas = append(schemas, c.Name)
		}
		for _, schema := range schemas {
			create := fmt.Sprintf("CREATE VIRTUAL TABLE %s.%s USING %s(%d)",
				sqlite3.QuoteIdentifier(schema), sqlite3.QuoteIdentifier(name), moduleName, len(db.tables)-1)
			if err := db.conn.Exec(create); err != nil {
				return fmt.Errorf("table %s.%s: %w", c.Name, name, sqlError(err))
			}
		}
	}
	return nil
}

// Tables returns the tables of the first connection, in the order of their names.
func (db *DB) Tables() []*Table {
	var tables []*Table
	for _, t := range db.tables {
		if t.connection.Name == db.tables[0].connection.Name {
			tables = append(tables, t)
		}
	}
	return tables
}

// Close ends what is under way and frees the database.
func (db *DB) Close() (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	db.mu.Lock()
	defer db.mu.Unlock()
	ended := make(chan struct{})
	go func() { db.running.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(closeWait):
	}
	return db.conn.Close()
}
