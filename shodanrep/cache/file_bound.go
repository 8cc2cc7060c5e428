package cache

import (
	"context"
	"fmt"
	"time"
)

const deleteExpired = `DELETE FROM answer WHERE id IN (SELECT id FROM answer INDEXED BY answer_age WHERE expires <= ?)`

// pages is the state of the file as SQLite knows it without a look at any row.
type pages struct{ size, count, free int64 }

func (p pages) used() int64 { return (p.count - p.free) * p.size }

func (f *File) pages() (p pages, err error) {
	for _, q := range []struct {
		pragma string
		to     *int64
	}{{"PRAGMA page_size", &p.size}, {"PRAGMA page_count", &p.count}, {"PRAGMA freelist_count", &p.free}} {
		if *q.to, err = f.writer.number(q.pragma); err != nil {
			return p, err
		}
	}
	return p, nil
}

// evict makes room where the file has outgrown its bound: what has expired goes first, then what was checked longest
// ago. It goes down to nine tenths, so that not each Put has to. It runs within the Put's transaction.
func (f *File) evict() error {
	p, err := f.pages()
	if err != nil || p.used() <= f.opts.MaxBytes {
		return err
	}
	if _, err := f.writer.exec(deleteExpired, f.opts.Now().UnixMicro()); err != nil {
		return err
	}
	target := f.opts.MaxBytes / 10 * 9
	for {
		if p, err = f.pages(); err != nil {
			return err
		}
		if p.used() <= target {
			break
		}
		if n, err := f.deleteOldest(p.used() - target); err != nil {
			return err
		} else if n == 0 {
			break // what is left are the tables themselves
		}
	}
	// Pages that came free are used again by the next answers. Only what is above the bound goes back to the disk, as
	// when the bound was lowered.
	if surplus := min(p.count-f.opts.MaxBytes/p.size, p.free); surplus > 0 {
		return f.writer.db.Exec(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", surplus))
	}
	return nil
}

// deleteOldest deletes entries that take up some bytes, and returns how many entries that were.
func (f *File) deleteOldest(bytes int64) (int, error) {
	const perRow = 64 // the row's numbers, and its places in the indexes beside the key itself
	s, err := f.writer.stmt(`SELECT id, coalesce(octet_length(body), 0), octet_length(subject) + octet_length(service) +
		octet_length(asked) FROM answer INDEXED BY answer_age ORDER BY checked_at`)
	if err != nil {
		return 0, err
	}
	var ids []int64
	for bytes > 0 && s.Step() {
		ids = append(ids, s.ColumnInt64(0))
		bytes -= s.ColumnInt64(1) + 2*s.ColumnInt64(2) + perRow
	}
	if err := s.Err(); err != nil {
		return 0, err
	}
	if err := s.Reset(); err != nil {
		return 0, err
	}
	for _, id := range ids {
		if _, err := f.writer.exec(`DELETE FROM answer WHERE id = ?`, id); err != nil {
			return 0, err
		}
	}
	return len(ids), nil
}

// counts are hits and misses on their way to the file.
type counts struct{ hits, misses int64 }

func (f *File) takeCounts() counts {
	f.flushed.Store(time.Now().Unix())
	return counts{f.hits.Swap(0), f.misses.Swap(0)}
}

func (f *File) putBack(c counts) {
	f.hits.Add(c.hits)
	f.misses.Add(c.misses)
}

func (c counts) write(to *conn) error {
	if c == (counts{}) {
		return nil
	}
	_, err := to.exec(`UPDATE count SET hits = hits + ?, misses = misses + ?`, c.hits, c.misses)
	return err
}

// flush writes the counts. They are not worth a failure: what cannot be written stays for the next time.
func (f *File) flush(ctx context.Context) {
	c := f.takeCounts()
	if c == (counts{}) {
		return
	}
	if f.present() != nil || f.writer.write(ctx, func() error { return c.write(f.writer) }) != nil {
		f.putBack(c)
	}
}

// flushNowAndThen writes the counts of a process that only reads, and does not wait for those who write.
func (f *File) flushNowAndThen() {
	if time.Now().Unix()-f.flushed.Load() < int64(flushEvery/time.Second) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	f.flush(ctx)
}
