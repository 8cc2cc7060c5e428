package internetdbfile

import (
	"context"
	"errors"
	"fmt"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// indexName is the name of the index that AddIndex adds.
const indexName = "shodanrep_data_ip"

// AddIndex adds the index that lookups need to a file that is not compressed, and reports whether it was missing. If it
// is interrupted, the file is as before.
func AddIndex(ctx context.Context, path string) (added bool, err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	if _, err := statFile(path); err != nil {
		return false, fmt.Errorf("%q: %w", path, err)
	}
	if compressed, err := isCompressed(path); err != nil || compressed {
		if err == nil {
			err = errors.New("it is compressed, and gets its index when it is unpacked: internetdb_file may name it as it is")
		}
		return false, fmt.Errorf("%q: %w", path, err)
	}
	if _, err := readHeader(path); err != nil {
		return false, fmt.Errorf("%q: %w", path, err)
	}
	added, err = addIndex(ctx, path)
	if err != nil {
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		return false, fmt.Errorf("%q: %w", path, withAdvice(err))
	}
	return added, nil
}

func addIndex(ctx context.Context, path string) (added bool, err error) {
	c, err := sqlitefile.OpenForeign(path)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, c.Discard()) }()
	c.SetInterrupt(ctx)
	var l layout
	if err := l.readColumns(c); err != nil { // which also undoes what an interrupted program left
		return false, err
	}
	if indexed, err := l.isIndexed(c); err != nil || indexed {
		return false, err
	}
	return true, c.Exec(fmt.Sprintf("CREATE INDEX %s ON %s (%s)", indexName, tableName, l.ip))
}
