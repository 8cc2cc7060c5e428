// Package sqlitefile opens, reads, writes and closes the SQLite files that this module keeps. Several processes may
// use a file at the same time. A damaged file is set aside, and a new one takes its place.
package sqlitefile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/symlink"
)

var (
	// ErrClosed says that the file was closed by this process.
	ErrClosed = errors.New("it is closed")
	// ErrForeign says that the file is not one of ours. It is left unchanged.
	ErrForeign = errors.New("it is a database of another application")
	// ErrNewer says that this version cannot read the file.
	ErrNewer = errors.New("it was made by a newer version of shodanrep")
	// ErrNotAFile says that the path leads to a folder, a pipe or a device.
	ErrNotAFile = errors.New("it is not a file")
	// ErrReplaced says that the path leads to another file, or to none.
	ErrReplaced = errors.New("it was deleted or replaced while it was in use")
	// ErrSetAside is ErrReplaced where the file is at its damaged path.
	ErrSetAside = errors.New("another process found it damaged and set it aside")
)

// maxReaders is how many calls of Read run at a time. Each needs a connection, which takes up some MB.
const maxReaders = 4

// maxAttempts is how often Open tries where the file is damaged, or is set aside between two steps.
const maxAttempts = 5

// Options describe a kind of file.
type Options struct {
	Name          string        // of the file in the log, such as "the cache file"
	ApplicationID int64         // in the header of the file, 0 for none
	Version       int64         // of the schema
	Schema        string        // the statements that make the tables of a new file
	Pragmas       string        // the statements that set up each connection
	BusyTimeout   time.Duration // how long a call waits for another process that writes, 0 for as long as its context
	Logger        hclog.Logger  // gets the warning that a damaged file was set aside
}

// A File is an open SQLite file. It belongs to one file on disk: where the path leads to another one later, [File.Reopen]
// opens that. Its methods may be called concurrently.
type File struct {
	path     string // absolute, and no link
	options  Options
	identity os.FileInfo
	stale    atomic.Bool // see Stale

	writer  chan *Conn    // holds the connection that writes while no call uses it
	readers chan struct{} // holds a token for each call of Read that runs

	mu     sync.Mutex
	idle   []*Conn // those that read
	closed bool
}

// Open opens the file at a path, and makes it, for its owner only, where it is missing. It sets a damaged file aside and
// makes a new one.
func Open(ctx context.Context, path string, options Options) (*File, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	// SQLite has the log beside the file that a link names, and so has the lock to be: another process may know only that.
	path = symlink.Target(path)
	// Other processes may set the file aside at the same time, and make the new one.
	for attempt := 1; ; attempt++ {
		f := &File{
			path: path, options: options, writer: make(chan *Conn, 1), readers: make(chan struct{}, maxReaders),
		}
		err = f.open(ctx)
		switch isGone := errors.Is(err, fs.ErrNotExist); {
		case err == nil:
			return f, nil
		case attempt == maxAttempts || !isGone && !IsDamaged(err):
			return nil, err
		case !isGone:
			if err := f.setAside(ctx); err != nil {
				return nil, err
			}
		}
	}
}

// Reopen opens the file at the path again, where a call failed. It sets the file aside first where that is damaged. f
// stays open until Close.
func (f *File) Reopen(ctx context.Context) (*File, error) {
	if f.Stale() {
		if err := f.setAside(ctx); err != nil {
			return nil, err
		}
	}
	return Open(ctx, f.path, f.options)
}

// open makes the file where it is missing, and connects to it.
func (f *File) open(ctx context.Context) error {
	_, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = f.create(ctx)
	}
	if err != nil {
		return err
	}
	return locked(ctx, f.path, os.O_RDONLY, func() (err error) {
		if f.identity, err = os.Stat(f.path); err != nil {
			return err
		}
		if !f.identity.Mode().IsRegular() { // to open a pipe would wait for ever
			return ErrNotAFile
		}
		c, err := connect(f.path, f.options)
		if err != nil {
			return err
		}
		if err := c.prepare(ctx, f.options); err != nil {
			return errors.Join(err, c.closeLocked())
		}
		f.writer <- c
		return nil
	})
}

// create makes an empty file and its folder. SQLite would make the file readable to all.
func (f *File) create(ctx context.Context) error {
	if err := os.MkdirAll(filepath.Dir(f.path), 0o700); err != nil {
		return err
	}
	return locked(ctx, f.path, os.O_RDWR, func() error {
		if _, err := os.Stat(f.path); !errors.Is(err, fs.ErrNotExist) { // another process was faster
			return err
		}
		// A log that is left is that of a deleted file, which a process may still use.
		for _, name := range []string{f.path + "-wal", f.path + "-shm"} {
			if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		file, err := os.OpenFile(f.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		return file.Close()
	})
}

// Check returns [ErrReplaced] or [ErrSetAside] where the path no longer leads to this file: what is written to it then
// is lost.
func (f *File) Check() error {
	if info, err := os.Stat(f.path); err == nil && os.SameFile(info, f.identity) {
		return nil
	}
	if aside, err := os.Stat(damagedPath(f.path)); err == nil && os.SameFile(aside, f.identity) {
		return ErrSetAside
	}
	return ErrReplaced
}

// Stale reports whether a call failed because the file is damaged or was replaced: [File.Reopen] is needed.
func (f *File) Stale() bool { return f.stale.Load() }

// Read calls fn in a transaction that sees one state of the file. It waits while too many other calls read.
func (f *File) Read(ctx context.Context, fn func(*Conn) error) error {
	select {
	case f.readers <- struct{}{}:
		defer func() { <-f.readers }()
		return f.ReadLong(ctx, fn)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ReadLong is [File.Read] for a call that may take long, and so never makes another one wait.
func (f *File) ReadLong(ctx context.Context, fn func(*Conn) error) error {
	c, err := f.take(ctx)
	if err == nil {
		err = c.transact(ctx, "BEGIN", fn)
		f.put(c)
	}
	return f.markStale(err)
}

// Write calls fn in a transaction, while no other call and no other process writes.
func (f *File) Write(ctx context.Context, fn func(*Conn) error) error {
	return f.useWriter(ctx, func(c *Conn) error { return c.transact(ctx, "BEGIN IMMEDIATE", fn) })
}

// Vacuum gives free space and the write-ahead log back to the file system. What another connection uses at this moment is
// left for the next time: then the result is not complete.
func (f *File) Vacuum(ctx context.Context) (complete bool, err error) {
	err = f.useWriter(ctx, func(c *Conn) (err error) {
		complete, err = c.vacuum(ctx, f.options.BusyTimeout)
		return err
	})
	return complete, err
}

// Checkpoint copies the write-ahead log into the file, while other calls read and write. It is for files whose Pragmas turn
// off the checkpoint that SQLite makes after a write, which keeps the caller waiting.
func (f *File) Checkpoint(ctx context.Context) error {
	c, err := f.take(ctx)
	if err == nil {
		err = c.checkpoint(ctx)
		f.put(c)
	}
	return f.markStale(err)
}

// LogSize returns the bytes of the write-ahead log, with those that are in the file already.
func (f *File) LogSize() int64 {
	info, err := os.Stat(f.path + "-wal")
	if err != nil { // there is none
		return 0
	}
	return info.Size()
}

func (f *File) useWriter(ctx context.Context, fn func(*Conn) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case c := <-f.writer:
		defer func() { f.writer <- c }()
		if c == nil {
			return ErrClosed
		}
		return f.markStale(fn(c))
	case <-ctx.Done():
		return ctx.Err()
	}
}

// markStale records whether an error says that the file has to be opened again.
func (f *File) markStale(err error) error {
	if IsDamaged(err) || errors.Is(err, ErrReplaced) || errors.Is(err, ErrSetAside) {
		f.stale.Store(true)
	}
	return err
}

// take returns a connection that reads.
func (f *File) take(ctx context.Context) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil, ErrClosed
	}
	if n := len(f.idle); n > 0 {
		c := f.idle[n-1]
		f.idle = f.idle[:n-1]
		f.mu.Unlock()
		return c, nil
	}
	f.mu.Unlock()
	var c *Conn
	err := locked(ctx, f.path, os.O_RDONLY, func() (err error) {
		if err = f.Check(); err == nil {
			c, err = connect(f.path, f.options)
		}
		return err
	})
	return c, err
}

// put gives a connection back.
func (f *File) put(c *Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.idle) < maxReaders && !f.closed {
		f.idle = append(f.idle, c)
		return
	}
	_ = c.close() // it has written nothing
}

// Close waits for a call that writes, and closes the file. Calls that read end by themselves.
func (f *File) Close() error {
	c := <-f.writer
	defer func() { f.writer <- nil }()
	if c == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	var errs []error
	for _, idle := range append(f.idle, c) {
		errs = append(errs, idle.close())
	}
	f.idle = nil
	return errors.Join(errs...)
}

// setAside renames the damaged file, and warns, unless another process has done it.
func (f *File) setAside(ctx context.Context) error {
	if id, err := applicationID(f.path); err == nil && id != 0 && id != f.options.ApplicationID {
		return ErrForeign // its owner may be able to mend it
	}
	moved, err := setAside(ctx, f.path, f.identity)
	if err != nil {
		return fmt.Errorf("it is damaged and cannot be renamed to %s: %w", damagedPath(f.path), err)
	}
	if moved {
		f.options.Logger.Warn(f.options.Name+" was damaged: it was set aside, and a new one begun",
			"file", f.path, "damaged", damagedPath(f.path))
	}
	return nil
}
