package dataset

import (
	"os"
	"testing"
	"testing/synctest"

	"github.com/hashicorp/go-hclog"
)

func TestTheLogOfAnIndexIsRemovedWhenNoQueryNeedsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		d := open(t, dir, write(t, in(dir, "a.json"), manyLines(300)...))
		d.background.Wait()
		if size := d.index.LogSize(); size != 0 {
			t.Errorf("nothing reads, and the log has %d bytes", size)
		}

		reading, done := make(chan struct{}), make(chan struct{})
		go func() {
			err := d.index.readLong(t.Context(), func(c conn) error {
				if _, err := c.entries(); err != nil { // a transaction sees the file as it is at its first read
					return err
				}
				close(reading)
				<-done
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}()
		<-reading
		if err := d.index.write(t.Context(), func(c conn) error { return c.Run("delete from hosts") }); err != nil {
			t.Fatal(err)
		}
		d.vacuumLater(d.index)
		synctest.Wait()
		if d.index.LogSize() == 0 {
			t.Error("the log was removed while a query needs it")
		}
		close(done)
		d.background.Wait()
		if size := d.index.LogSize(); size != 0 {
			t.Errorf("nothing reads any more, and the log has %d bytes", size)
		}
	})
}

// A process that is killed leaves the log as it is.
func TestTheRowsOfAnIndexAreThereBeforeTheLogIsCopied(t *testing.T) {
	t.Parallel()
	dir, killed := t.TempDir(), t.TempDir()
	data := write(t, in(dir, "a.json.gz"), manyLines(3000)...)
	x, err := openIndex(t.Context(), in(dir, indexName), hclog.NewNullLogger())
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	files, err := find([]string{data})
	if err != nil {
		t.Fatal(err)
	}
	if u, err := x.update(t.Context(), files, 0, hclog.NewNullLogger()); err != nil || !u.rest {
		t.Fatalf("%+v, %v: want the log left", u, err)
	}
	for _, name := range []string{indexName, indexName + "-wal"} {
		content, err := os.ReadFile(in(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(in(killed, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := open(t, killed, data)
	if s := d.Stats(); s.Hosts == 0 || s.Banners != 3000 || s.ReadTime != 0 {
		t.Errorf("got %+v, want all banners without reading the file again", s)
	}
}
