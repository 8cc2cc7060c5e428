package dataset

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/ncruces/go-sqlite3"
)

// entry is a data file in the index.
type entry struct {
	file
	id                         int64
	used                       int64
	firstHost, lastHost        int64
	newest                     int64 // Unix microseconds
	isStored                   bool
	banners, badLines, badLine int64
	badReason                  string
}

const selectFiles = `select id, path, size, mtime, used, first_host, last_host, banners, bad_lines, bad_line, bad_reason, newest, stored from file`

// entries returns the files of the index by path.
func (c conn) entries() (map[string]entry, error) {
	found := map[string]entry{}
	err := c.Rows(selectFiles, nil, func(row *sqlite3.Stmt) (bool, error) {
		e := entry{
			file:      file{path: row.ColumnText(1), size: row.ColumnInt64(2), mtime: row.ColumnInt64(3)},
			id:        row.ColumnInt64(0),
			used:      row.ColumnInt64(4),
			firstHost: row.ColumnInt64(5), lastHost: row.ColumnInt64(6),
			banners: row.ColumnInt64(7), badLines: row.ColumnInt64(8), badLine: row.ColumnInt64(9),
			badReason: row.ColumnText(10), newest: row.ColumnInt64(11), isStored: row.ColumnInt64(12) != 0,
		}
		found[e.path] = e
		return true, nil
	})
	return found, err
}

// An update is what bringing the index up to date has found.
type update struct {
	entries []entry // of the files that count
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
	u.read, u.outside = changed+restored, outside
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
		if u.rest, err = x.giveBack(ctx); err != nil {
			return u, err
		}
	}
	if known, err = x.entries(ctx); err != nil {
		return u, err
	}
	for _, m := range within {
		if e, ok := known[m.path]; ok { // else it was deleted meanwhile, and the next update says so
			u.entries = append(u.entries, e)
		}
	}
	return u, nil
}

// giveBack gives the free pages of the index back to the file system. It reports whether the log is still there: where no
// page is free, as in a new index, no query has to wait until the log is copied.
func (x *index) giveBack(ctx context.Context) (rest bool, err error) {
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

// entries returns the files of the index by path.
func (x *index) entries(ctx context.Context) (known map[string]entry, err error) {
	err = x.read(ctx, func(c conn) error {
		known, err = c.entries()
		return err
	})
	return known, err
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
		now := file{path: path, size: info.Size(), mtime: info.ModTime().UnixNano()}
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
		if err := c.Run(`insert into file (path, size, mtime, used, first_host, last_host, banners, newest, stored, bad_lines, bad_line, bad_reason)
			values (?, ?, ?, ?, 0, 0, 0, 0, 1, 0, 0, '')`, e.path, e.size, e.mtime, e.used); err != nil {
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

// drop deletes a file and its rows.
func (c conn) drop(path string) error {
	known, err := c.entries()
	if err != nil {
		return err
	}
	e, ok := known[path]
	if !ok {
		return c.Run("delete from hosts")
	}
	if err := c.dropRows(e); err != nil {
		return err
	}
	return c.Run("delete from file where id = ?", e.id)
}

// dropRows deletes the rows of a file.
func (c conn) dropRows(e entry) error {
	if err := c.Run("delete from hosts"); err != nil {
		return err
	}
	if err := c.Run("delete from host where id between ? and ?", e.firstHost, e.lastHost); err != nil {
		return err
	}
	if err := c.Run("delete from block where id between ? and ?", blockID(e.id, 0), blockID(e.id+1, 0)-1); err != nil {
		return err
	}
	if err := c.Run("delete from pivot where file = ?", e.id); err != nil {
		return err
	}
	return c.Run("update file set stored = 0, first_host = 0, last_host = 0 where id = ?", e.id)
}

// insertRecords inserts the banners of a file and counts its records.
func (c conn) insertRecords(ctx context.Context, e *entry, r io.Reader, logger hclog.Logger) error {
	started, lastLog := time.Now(), time.Now()
	packer := &packer{mtime: e.mtime, latest: started.Add(24 * time.Hour).UnixMicro()}
	defer packer.close()
	pivots := &pivotWriter{conn: c, file: e.id}
	err := parse(ctx, r, packer, func(b *batch) error {
		for _, p := range b.parsed {
			if e.badLines == 0 {
				e.badLine, e.badReason = p.number, p.err.Error()
			}
			e.badLines += 1 + p.more
		}
		if b.number == 1 && packer.dictionary != nil {
			if err := c.insertDictionary(e.id, packer.dictionary); err != nil {
				return err
			}
		}
		if err := c.insertBatch(e, b); err != nil {
			return err
		}
		if time.Since(lastLog) > 5*time.Second {
			lastLog = time.Now()
			logger.Info("reading a data file", "file", e.path, "banners", e.banners, "for", time.Since(started).Round(time.Second))
		}
		return pivots.add(b.rows.pivots)
	})
	if err != nil {
		return err
	}
	if e.newest == 0 {
		e.newest = e.mtime / 1000 // no banner has a time
	}
	return pivots.flush()
}

// insertDictionary inserts the dictionary of a file as its first block.
func (c conn) insertDictionary(file int64, dictionary []byte) error {
	encoder, err := newEncoder(nil, 1)
	if err != nil {
		return err
	}
	defer encoder.Close()
	return c.Run("insert into block values (?, ?)", blockID(file, 0), encoder.EncodeAll(dictionary, nil))
}

// insertBatch inserts the rows of a batch.
func (c conn) insertBatch(e *entry, b *batch) error {
	for i, block := range b.rows.blocks {
		if err := c.Run("insert into block values (?, ?)", blockID(e.id, blockNumber(b.number, i)), block); err != nil {
			return err
		}
	}
	for _, host := range b.rows.hosts {
		if err := c.Run("insert into host (file, addr, items) values (?, ?, ?)", e.id, addrKey(host.addr), host.items); err != nil {
			return err
		}
		e.lastHost = c.LastInsertRowID()
		if e.firstHost == 0 {
			e.firstHost = e.lastHost
		}
	}
	e.banners += b.rows.banners
	e.newest = max(e.newest, b.rows.newest)
	return nil
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
