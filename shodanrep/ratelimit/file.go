// Package ratelimit limits how fast a service is sent requests: by this process, by the processes of a machine, which
// share a file, and by machines, which share a Coordinator. It lowers the rate when the service refuses requests, and
// keeps to bans.
package ratelimit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filelock"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/waitlimit"
)

const (
	// FileName is the name of the file within its folder.
	FileName = "rate-limits.json"
	// lockTimeout is how long an update waits for the lock. The lock is held for microseconds, and the operating system
	// releases that of a process that ends. Only a process that was stopped in that moment, or a hanging network file
	// system, keeps it for longer.
	lockTimeout = 500 * time.Millisecond
	// maxBytes bounds the file. A larger one is damaged: a record has a few hundred bytes.
	maxBytes = 1 << 20
	// keepUnused is how long a record stays in the file after its last update.
	keepUnused = 7 * 24 * time.Hour
)

// A File is a file of named records that processes share. Its methods may be called concurrently.
type File struct {
	path        string
	lockTimeout time.Duration

	mu      sync.Mutex
	blocked *filelock.TimeoutError // of an update that gave up and may still wait for the lock
}

// content is what is in the file.
type content struct {
	Records map[string]record `json:"records"`
	Cleared time.Time         `json:"cleared,omitzero"` // when all records were last removed on purpose
}

type record struct {
	Updated time.Time       `json:"updated"`
	Value   json.RawMessage `json:"value"`
}

// Open returns the file in the first of the folders in which it can be written. It makes the folder and the file where
// they are missing, for their owner only. Empty names are skipped.
func Open(folders ...string) (*File, error) {
	err := errors.New("no folder for it is known")
	for _, folder := range folders {
		if folder == "" {
			continue
		}
		var path string
		if path, err = filepath.Abs(filepath.Join(folder, FileName)); err != nil {
			continue
		}
		if err = os.MkdirAll(folder, 0o700); err != nil {
			continue
		}
		var file *os.File
		if file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
			continue
		}
		if err = file.Close(); err == nil {
			return &File{path: path, lockTimeout: waitlimit.Of(lockTimeout)}, nil
		}
	}
	return nil, fmt.Errorf("the file %s cannot be written: %w", FileName, err)
}

// Path is where the file is.
func (f *File) Path() string { return f.path }

// Update replaces the named record by what change returns for it, while no other process reads or writes the file. The
// record is empty where there is none, and where the file is damaged. Change also gets the time of the last Clear, so that
// it can tell a record that was lost from one that was removed. Where change returns nil the file stays as it is. Change is
// not called where Update returns an error before the file could be read.
func (f *File) Update(name string, change func(record []byte, cleared time.Time) []byte) error {
	return f.locked(func(file *lockedfile.File) error {
		before, err := io.ReadAll(io.LimitReader(file, maxBytes))
		if err != nil {
			return err
		}
		c, now := parse(before), time.Now()
		value := change(c.Records[name].Value, c.Cleared)
		if value == nil {
			return nil
		}
		for other, r := range c.Records {
			if now.Sub(r.Updated) > keepUnused {
				delete(c.Records, other)
			}
		}
		c.Records[name] = record{Updated: now.UTC(), Value: value}
		return write(file, c, before)
	})
}

// Clear removes all records.
func (f *File) Clear() error {
	return f.locked(func(file *lockedfile.File) error { return write(file, content{Cleared: time.Now().UTC()}, nil) })
}

// locked calls use with the locked file. It gives up after the timeout, and then never calls it.
func (f *File) locked(use func(*lockedfile.File) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.blocked != nil {
		select {
		case <-f.blocked.Ended:
			f.blocked = nil
		default:
			return f.blocked
		}
	}
	file, err := filelock.Open(context.Background(), f.path, os.O_RDWR, f.lockTimeout)
	if err != nil {
		errors.As(err, &f.blocked)
		return err
	}
	return errors.Join(use(file), file.Close())
}

// parse returns what is in the file. It ignores what it did not write.
func parse(text []byte) content {
	var c content
	// The decoder stops after the first value: a process that was killed while it wrote may leave the end of a longer one.
	if err := json.NewDecoder(bytes.NewReader(text)).Decode(&c); err != nil {
		c = content{}
	}
	if c.Records == nil {
		c.Records = map[string]record{}
	}
	return c
}

// An overwritable is a file that is written over.
type overwritable interface {
	io.WriterAt
	Truncate(size int64) error
}

// write replaces what was in the file before. Where that fails it writes the old content back: a full disk may have taken
// a part of the new one, which nobody could read, and the bans of all services would be forgotten.
func write(file overwritable, c content, before []byte) error {
	data, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if err := overwrite(file, data); err != nil {
		return errors.Join(err, overwrite(file, before))
	}
	return nil
}

// overwrite replaces what is in the file. The new content comes first, in one call, and then the old one's end goes: a
// process that is killed in between leaves a file that can be read.
func overwrite(file overwritable, data []byte) error {
	if _, err := file.WriteAt(data, 0); err != nil {
		return err
	}
	return file.Truncate(int64(len(data)))
}
