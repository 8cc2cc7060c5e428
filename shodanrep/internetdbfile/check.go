package internetdbfile

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"golang.org/x/sync/errgroup"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// ensureFindable returns an error if a lookup would not find an address that the file has, because its value of ip is
// written in another way: without a row of it the address would look as if the file did not have it. readForms sees the
// ends of the index only, so the first lookup without a row reads some of each of its parts. The result is kept for later
// processes.
func (f *File) ensureFindable(ctx context.Context, d *database) error {
	select {
	case d.checking <- struct{}{}:
		defer func() { <-d.checking }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if d.isChecked {
		return d.checkErr
	}
	marker := f.checkedMarker(d)
	if _, err := os.Stat(marker); marker == "" || err != nil {
		if err := checkValues(ctx, d); err != nil && !errors.As(err, &valueError{}) {
			return err // the next lookup tries again
		} else if d.checkErr = err; err == nil && marker != "" && d.isUnchanged() {
			f.keepChecked(marker)
		}
	}
	d.isChecked = true
	return d.checkErr
}

// checkedSuffix ends the name of the file that says that a version was checked.
const checkedSuffix = ".checked"

// checkedMarker returns the path of the file that says that a database was checked, or "" if there can be none: there is
// no folder for it, or another file is at the path by now, whose ends would be in its name.
func (f *File) checkedMarker(d *database) string {
	name, err := f.versionName(d.source)
	if now, statErr := f.stat(); f.options.Dir == "" || err != nil || statErr != nil || !now.same(d.source) {
		return ""
	}
	return filepath.Join(f.options.Dir, name+checkedSuffix)
}

// keepChecked makes the file that says that a version was checked, and removes those of other versions. Where it cannot
// be made, the next process checks again.
func (f *File) keepChecked(marker string) {
	if os.MkdirAll(f.options.Dir, 0o700) != nil || os.WriteFile(marker, nil, 0o600) != nil {
		return
	}
	markers, _ := filepath.Glob(filepath.Join(f.options.Dir, f.copyPrefix()+"-*"+checkedSuffix))
	for _, other := range markers {
		if other != marker {
			_ = os.Remove(other)
		}
	}
}

// A valueError says which value of ip no lookup finds.
type valueError struct{ error }

func (e valueError) Unwrap() error { return e.error }

// checkedValues is how many values of each range are read, in order: all ranges together take half a second. All values of
// Shodan's file, of some hundred million hosts, would take minutes.
const checkedValues = 20_000

// checkValues reads texts of ip with several connections. Numbers are in order: readForms has seen their ends.
func checkValues(ctx context.Context, d *database) error {
	// Each range begins with another two digits. None of the bounds is a number, with which SQLite compares in another way.
	bounds := []string{""}
	for n := 10; n < 100; n++ {
		bounds = append(bounds, fmt.Sprintf("%d/", n))
	}
	ranges := make(chan [2]string, len(bounds))
	for i, bound := range bounds {
		ranges <- [2]string{bound, slices.Concat(bounds, []string{"\U0010FFFF"})[i+1]}
	}
	close(ranges)
	reading, ctx := errgroup.WithContext(ctx)
	for range min(runtime.GOMAXPROCS(0), maxConns) {
		reading.Go(func() error { return d.checkRanges(ctx, ranges) })
	}
	return reading.Wait()
}

// checkRanges checks ranges of values with one connection. A new one could be to another file, or to none: the path may
// lead there by now.
func (d *database) checkRanges(ctx context.Context, ranges <-chan [2]string) (err error) {
	defer sqlitefile.CatchOutOfMemory(&err)
	c, err := d.take(ctx)
	if err != nil {
		return err
	}
	defer d.put(c)
	c.SetInterrupt(ctx)
	defer c.SetInterrupt(context.Background())
	query := fmt.Sprintf("SELECT %[1]s FROM %[2]s WHERE %[1]s >= ? AND %[1]s < ? ORDER BY %[1]s LIMIT %[3]d", d.layout.ip, tableName, checkedValues)
	for bounds := range ranges {
		err := c.Rows(query, []any{bounds[0], bounds[1]}, func(row *sqlite3.Stmt) (bool, error) {
			if isIPv4Text(row.ColumnRawText(0)) && slices.Contains(d.layout.forms, textForm) {
				return true, nil // nearly all
			}
			_, form, err := parseIP(row, 0)
			if err == nil && !slices.Contains(d.layout.forms, form) {
				err = fmt.Errorf("its column ip has the value %q, in another form than the others", row.ColumnText(0))
			}
			if err == nil {
				return true, nil
			}
			found, findErr := d.findsText(c.Conn, row.ColumnText(0))
			if found || findErr != nil {
				return true, findErr
			}
			return false, valueError{err}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// findsText reports whether a lookup finds the row of a text that is written in another way, because the column compares
// so, as one without case does. A text that is no address in any way is not looked up.
func (d *database) findsText(c *sqlitefile.Conn, text string) (found bool, err error) {
	addr, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil {
		return false, nil
	}
	err = c.Rows(d.layout.selectOne(), []any{canonical(addr).String()}, func(row *sqlite3.Stmt) (bool, error) {
		found = row.ColumnText(0) == text
		return !found, nil
	})
	return found, err
}

// isIPv4Text reports whether a text is an IPv4 address as lookups write it.
func isIPv4Text(text []byte) bool {
	parts, digits, value := 1, 0, 0
	for _, b := range text {
		switch {
		case b >= '0' && b <= '9' && digits < 3 && (digits == 0 || value > 0):
			digits, value = digits+1, value*10+int(b-'0')
		case b == '.' && digits > 0 && value <= 255:
			parts, digits, value = parts+1, 0, 0
		default:
			return false
		}
	}
	return parts == 4 && digits > 0 && value <= 255
}
