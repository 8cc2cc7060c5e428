package dataset

import (
	"context"
	"io"
	"time"

	"github.com/hashicorp/go-hclog"
)

// insertRecords inserts the banners of a file and counts its records.
func (c conn) insertRecords(ctx context.Context, e *entry, r io.Reader, logger hclog.Logger) error {
	started, lastLog := time.Now(), time.Now()
	packer := &packer{mtime: e.Modified, latest: started.Add(24 * time.Hour).UnixMicro()}
	defer packer.close()
	pivots := &pivotWriter{conn: c, file: e.id}
	err := parse(ctx, r, packer, func(b *batch) error {
		for _, p := range b.parsed {
			if e.badLines == 0 {
				e.badLine, e.badReason = p.number, p.err.Error()
			}
			e.badLines += 1 + p.more
			if err := c.insertUnreadable(e.id, p); err != nil {
				return err
			}
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
		e.newest = e.Modified / 1000 // no banner has a time
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
	for _, table := range []string{"pivot", "unreadable"} {
		if err := c.Run("delete from "+table+" where file = ?", e.id); err != nil {
			return err
		}
	}
	return c.Run("update file set stored = 0, first_host = 0, last_host = 0 where id = ?", e.id)
}
