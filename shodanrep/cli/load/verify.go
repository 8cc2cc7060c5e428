package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/pgerror"
)

// prepareTable finds the table and its queue, or creates what is missing, and returns the name with the schema.
func (d Database) prepareTable(ctx context.Context, conn *pgx.Conn, n Name) (Name, error) {
	if n.Schema == "" {
		var err error
		if n.Schema, err = schemaOf(ctx, conn, n.Table); err != nil {
			return n, d.wrapError(err)
		}
	}
	// Processes that start at the same time create the table once.
	tx, err := conn.Begin(ctx)
	if err != nil {
		return n, d.wrapError(err)
	}
	defer tx.Rollback(context.WithoutCancel(ctx))
	if _, err := tx.Exec(ctx, "select pg_advisory_xact_lock(hashtext('shodanrep load'), hashtext($1))", n.quoted()); err != nil {
		return n, d.wrapError(err)
	}
	for _, part := range []struct {
		name    Name
		columns []Column
		create  string
		key     []string
		rights  []string
	}{
		{n, Columns(), createTableSQL(n), []string{ipColumn}, []string{"select", "insert", "update"}},
		{n.queue(), queueColumns, createQueueSQL(n), []string{"policy", ipColumn}, []string{"select", "insert", "update", "delete"}},
	} {
		found, err := readTable(ctx, tx, part.name, part.rights)
		if err != nil {
			return n, d.wrapError(err)
		}
		if found == nil {
			if _, err := tx.Exec(ctx, part.create); err != nil {
				return n, d.wrapCreateError(n, err)
			}
			continue
		}
		if err := found.check(part.name, part.columns, part.key); err != nil {
			return n, err
		}
		if len(found.lacks) > 0 {
			rights := strings.Join(found.lacks, ", ")
			return n, fmt.Errorf("the role %s may not %s in the table %s: ask its owner for grant %[2]s on %[3]s to %[1]s", d.config.User, rights, part.name)
		}
	}
	return n, d.wrapError(tx.Commit(ctx))
}

// schemaOf returns the schema of the search path that has the table, or the one in which PostgreSQL creates tables.
func schemaOf(ctx context.Context, conn *pgx.Conn, table string) (string, error) {
	var schema *string
	err := conn.QueryRow(ctx, `select coalesce((
		select n.nspname from unnest(current_schemas(false)) with ordinality as s (name, i)
		join pg_namespace n on n.nspname = s.name join pg_class c on c.relnamespace = n.oid and c.relname = $1
		order by i limit 1), current_schema())`, table).Scan(&schema)
	if err == nil && schema == nil {
		return "", errors.New("the search path of the connection has no schema that exists: write --table SCHEMA.NAME")
	}
	if err != nil {
		return "", err
	}
	return *schema, nil
}

// wrapCreateError returns why a table could not be created, and what to do.
func (d Database) wrapCreateError(n Name, err error) error {
	var server *pgconn.PgError
	switch {
	case errors.As(err, &server) && server.Code == codeNoSchema:
		return fmt.Errorf("there is no schema %s: create it with create schema %s", n.Schema, quote(n.Schema))
	case errors.As(err, &server) && server.Code == pgerror.CodeNoRight:
		return fmt.Errorf("the role %s may not create the tables %s and %s (%s): let a role that may run what shodanrep load --print-sql --table %[2]s prints, "+
			"and grant select, insert, update, delete on both", d.config.User, n, n.queue(), server.Message)
	}
	return fmt.Errorf("creating the table %s: %w", n, d.wrapError(err))
}

// An existingTable is what the catalog says of a table.
type existingTable struct {
	kind    string            // pg_class.relkind
	types   map[string]string // of the columns
	needs   []string          // columns that must have a value and have no default
	uniques [][]string        // the columns of unique indexes, sorted
	lacks   []string          // the rights on the table that the role lacks
}

// readTable returns nil if there is no such table. The rights are those that the role needs.
func readTable(ctx context.Context, tx pgx.Tx, n Name, rights []string) (*existingTable, error) {
	var found existingTable
	var oid uint32
	err := tx.QueryRow(ctx, "select c.oid, c.relkind::text from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $1 and c.relname = $2",
		n.Schema, n.Table).Scan(&oid, &found.kind)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(ctx, `select attname, format_type(atttypid, atttypmod), attnotnull and not atthasdef and attidentity = '' and attgenerated = ''
		from pg_attribute where attrelid = $1 and attnum > 0 and not attisdropped`, oid)
	if err != nil {
		return nil, err
	}
	found.types = map[string]string{}
	var name, kind string
	var needed bool
	if _, err := pgx.ForEachRow(rows, []any{&name, &kind, &needed}, func() error {
		if found.types[name] = kind; needed {
			found.needs = append(found.needs, name)
		}
		return nil
	}); err != nil {
		return nil, err
	}
	rows, err = tx.Query(ctx, `select array(select attname::text from pg_attribute where attrelid = indrelid and attnum = any(indkey) order by attname)
		from pg_index where indrelid = $1 and indisunique and indisvalid and indpred is null and indexprs is null`, oid)
	if err != nil {
		return nil, err
	}
	if found.uniques, err = pgx.CollectRows(rows, pgx.RowTo[[]string]); err != nil {
		return nil, err
	}
	// A lack is found before addresses are looked up for nothing. A right on columns is enough, but to delete.
	rows, err = tx.Query(ctx, `select p from unnest($2::text[]) with ordinality as r (p, i)
		where not case p when 'delete' then has_table_privilege($1::oid, p) else has_any_column_privilege($1::oid, p) end order by i`, oid, rights)
	if err != nil {
		return nil, err
	}
	found.lacks, err = pgx.CollectRows(rows, pgx.RowTo[string])
	return &found, err
}

// check returns an error that says what a table lacks, and how to mend it.
func (t *existingTable) check(n Name, columns []Column, key []string) error {
	if t.kind != "r" && t.kind != "p" {
		return fmt.Errorf("%s is not a table but another kind of relation, such as a view: choose another name with --table", n)
	}
	var problems, mends []string
	for _, c := range columns {
		switch found := t.types[c.Name]; found {
		case c.Type:
		case "":
			problems = append(problems, fmt.Sprintf("the column %s (%s) is missing", c.Name, c.Type))
			mends = append(mends, fmt.Sprintf("add column %s %s", quote(c.Name), c.Type))
		default:
			problems = append(problems, fmt.Sprintf("the column %s has the type %s and not %s", c.Name, found, c.Type))
			mends = append(mends, fmt.Sprintf("alter column %s type %s using %[1]s::text::%[2]s", quote(c.Name), c.Type))
		}
	}
	for _, name := range t.needs {
		if !slices.ContainsFunc(columns, func(c Column) bool { return c.Name == name }) {
			problems = append(problems, fmt.Sprintf("the column %s must have a value, which load does not know", name))
			mends = append(mends, fmt.Sprintf("alter column %s drop not null", quote(name)))
		}
	}
	key = slices.Sorted(slices.Values(key))
	if !slices.ContainsFunc(t.uniques, func(unique []string) bool { return slices.Equal(unique, key) }) {
		problems = append(problems, fmt.Sprintf("there is no primary key or unique index on exactly %s", strings.Join(key, ", ")))
		mends = append(mends, fmt.Sprintf("add unique (%s)", strings.Join(key, ", ")))
	}
	if len(problems) == 0 {
		return nil
	}
	if len(problems) > len(columns)/2 {
		return fmt.Errorf("the table %s exists, and is not one that shodanrep load created (%s, and %d more): choose another name with --table", n, problems[0], len(problems)-1)
	}
	return fmt.Errorf("the table %s exists, and load cannot write to it: %s. Mend it with: alter table %s %s; or choose another name with --table",
		n, strings.Join(problems, "; "), n.quoted(), strings.Join(mends, ", "))
}
