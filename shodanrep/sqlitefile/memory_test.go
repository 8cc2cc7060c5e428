package sqlitefile_test

import (
	"errors"
	"testing"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// run runs a statement, and returns an error where memory is out.
func run(db *sqlite3.Conn, sql string) (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	return db.Exec(sql)
}

func TestAnErrorTakesThePlaceOfThePanic(t *testing.T) {
	t.Parallel()
	db, err := sqlite3.OpenContext(sqlite3.WithMaxMemory(t.Context(), 4<<20), ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.CreateFunction("large", 0, 0, func(ctx sqlite3.Context, _ ...sqlite3.Value) {
		var err error
		func() {
			defer sqlitefile.CatchOutOfMemoryInCallback(&err)
			ctx.ResultBlob(make([]byte, 8<<20))
		}()
		ctx.ResultError(err)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{"select zeroblob(8000000) || 'x'", "select large()"} {
		if err := run(db, sql); !errors.Is(err, sqlitefile.ErrOutOfMemory) {
			t.Errorf("%s: got %v", sql, err)
		}
		// The connection is none the worse for it.
		if err := run(db, "create table if not exists t (n); insert into t values (1)"); err != nil {
			t.Errorf("after %s: %v", sql, err)
		}
	}
}

func TestEveryOtherPanicGoesOn(t *testing.T) {
	t.Parallel()
	for _, reason := range []any{errors.New("a fault"), "a text"} {
		for name, catch := range map[string]func(*error){
			"a caller": sqlitefile.CatchOutOfMemory, "a callback": sqlitefile.CatchOutOfMemoryInCallback,
		} {
			func() {
				defer func() {
					if got := recover(); got != reason {
						t.Errorf("%s: recovered %v", name, got)
					}
				}()
				var err error
				defer catch(&err)
				panic(reason)
			}()
		}
	}
}
