package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filestate"
)

// An update is what bringing the index up to date has found.
type update struct {
	within  []match // the files that count
	entries []entry // of them, without those that another process deleted meanwhile
	outside []match // the files that the window leaves out
	read    int     // how many files were read
	rest    bool    // whether the log of the index is left to vacuumLater
}

// update brings the index up to date with the files, and deletes the rows of files that are gone or left out.
func (x *index) update(ctx context.Context, matches []match, window time.Duration, logger hclog.Logger) (u update, err error) {
	known, err := x.entries(ctx)
	if err != nil {
		return u, err
	}
	// Each file is read once: only then is it known when its newest banner was seen.
	changed, err := x.readFiles(ctx, matches, func(m match) bool { return known[m.path].file != m.file }, logger)
	if err != nil {
		return u, err
	}
	if changed > 0 {
		if known, err = x.entries(ctx); err != nil {
			return u, err
		}
	}
	within, outside := withinWindow(matches, window, known)
	restored, err := x.readFiles(ctx, within, func(m match) bool { return !known[m.path].isStored }, logger)
	u.read, u.within, u.outside = changed+restored, within, outside
	if err != nil {
		return u, err
	}
	for _, m := range within {
		if e, now := known[m.path], time.Now(); now.Sub(time.Unix(e.used, 0)) > recheck {
			err := x.write(ctx, func(c conn) error { return c.Run("update file set used = ? where id = ?", now.Unix(), e.id) })
			if err != nil {
				return u, err
			}
		}
	}
	deleted, err := x.deleteUnused(ctx, matches, outside, known)
	if err != nil {
		return u, err
	}
	if u.read > 0 || deleted || x.LogSize() > maxLog {
		if u.rest, err = x.shrink(ctx); err != nil {
			return u, err
		}
	}
	if known, err = x.entries(ctx); err != nil {
		return u, err
	}
	for _, m := range within {
		if e, ok := known[m.path]; ok { // else the next query has it read again
			u.entries = append(u.entries, e)
		}
	}
	return u, nil
}

// shrink gives the free pages of the index back to the file system. It reports whether the log is still there: where no
// page is free, as in a new index, no query has to wait until the log is copied.
func (x *index) shrink(ctx context.Context) (rest bool, err error) {
	var free int64
	err = x.read(ctx, func(c conn) error {
		free, err = c.Number("pragma freelist_count")
		return err
	})
	if err != nil || free == 0 {
		return true, err
	}
	complete, err := x.Vacuum(ctx)
	return !complete, x.wrapError(err)
}

// readFiles reads the files that need it into the index.
func (x *index) readFiles(ctx context.Context, matches []match, isNeeded func(match) bool, logger hclog.Logger) (read int, err error) {
	for _, m := range matches {
		if !isNeeded(m) {
			continue
		}
		if x.LogSize() > maxLog { // else it would grow by each file
			if err := x.wrapError(x.Checkpoint(ctx)); err != nil {
				return read, err
			}
		}
		n, err := x.replace(ctx, m.path, logger)
		if err != nil {
			return read, err
		}
		read += n
	}
	return read, nil
}

// deleteUnused deletes the files that are gone or that no Dataset has used for long, and the rows of those that the window
// leaves out, unless another Dataset uses them.
func (x *index) deleteUnused(ctx context.Context, matches, outside []match, known map[string]entry) (deleted bool, err error) {
	known = maps.Clone(known)
	unused := func(e entry) time.Duration { return time.Since(time.Unix(e.used, 0)) }
	for _, m := range outside {
		if e := known[m.path]; !e.isStored || unused(e) < 2*recheck {
			continue
		}
		err := x.write(ctx, func(c conn) error {
			now, err := c.entries() // another process may have read the file since
			if e := now[m.path]; err == nil && e.isStored && unused(e) >= 2*recheck {
				err, deleted = c.dropRows(e), true
			}
			return err
		})
		if err != nil {
			return deleted, err
		}
	}
	for _, m := range matches {
		delete(known, m.path)
	}
	for _, e := range known {
		_, err := os.Stat(e.path)
		if !errors.Is(err, fs.ErrNotExist) && unused(e) < maxUnused {
			continue // another Dataset uses it
		}
		if err := x.write(ctx, func(c conn) error { return c.drop(e.path) }); err != nil {
			return deleted, err
		}
		deleted = true
	}
	return deleted, nil
}

// replace reads a file into the index, in place of its old rows, and returns 1, or 0 where another process has done so
// meanwhile. Queries see the old rows until all new ones are there.
func (x *index) replace(ctx context.Context, path string, logger hclog.Logger) (read int, err error) {
	err = x.write(ctx, func(c conn) error {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Errorf("data file %q: %w", path, cause(err))
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			return fmt.Errorf("data file %q: %w", path, cause(err))
		}
		now := file{path, filestate.Of(info)}
		known, err := c.entries()
		if e := known[path]; err != nil || e.file == now && e.isStored {
			return err
		}
		read = 1
		if err := c.drop(path); err != nil {
			return err
		}
		// The row is inserted first for its ID, and updated when the counts are known.
		e := entry{file: now, used: time.Now().Unix()}
		if err := c.Run(`insert into file (path, size, mtime, ctime, used, first_host, last_host, banners, newest, stored, bad_lines, bad_line, bad_reason)
			values (?, ?, ?, ?, ?, 0, 0, 0, 0, 1, 0, 0, '')`, e.path, e.Size, e.Modified, e.Changed, e.used); err != nil {
			return err
		}
		e.id = c.LastInsertRowID()
		if err := c.insertRecords(ctx, &e, f, logger); err != nil {
			return fmt.Errorf("data file %q: %w", path, cause(err))
		}
		return c.Run(`update file set first_host = ?, last_host = ?, banners = ?, newest = ?, bad_lines = ?, bad_line = ?, bad_reason = ? where id = ?`,
			e.firstHost, e.lastHost, e.banners, e.newest, e.badLines, e.badLine, e.badReason, e.id)
	})
	return read, err
}

// countHosts returns how many addresses the files have. It stores the number in the index: counting reads every row.
func (x *index) countHosts(ctx context.Context, entries []entry) (hosts int64, err error) {
	ids := make([]int64, len(entries))
	for i, e := range entries {
		ids[i] = e.id
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return 0, err
	}
	err = x.read(ctx, func(c conn) error {
		hosts, err = c.Number("select hosts from hosts where files = ?", string(list))
		return err
	})
	if err != nil || hosts > 0 {
		return hosts, err
	}
	err = x.readLong(ctx, func(c conn) error {
		hosts, err = c.Number(`select count(*) from (select distinct addr from host indexed by host_addr
			where file in (select value from json_each(?)))`, string(list))
		return err
	})
	if err != nil {
		return 0, err
	}
	return hosts, x.write(ctx, func(c conn) error { return c.Run("insert or replace into hosts values (?, ?)", string(list), hosts) })
}
