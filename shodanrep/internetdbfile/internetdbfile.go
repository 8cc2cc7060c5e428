// Package internetdbfile looks up hosts in Shodan's file internetdb.sqlite, which has what InternetDB knows of every
// address. A lookup takes microseconds and no request.
//
// The file has a table data with one row per address, whose columns ip, ports, tags, cpes, vulns and hostnames are lists
// with commas between the values. It is read only, by several connections in parallel, and opened again when it was
// replaced. A compressed file is unpacked once.
package internetdbfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filestate"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/homedir"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// Options configure a File.
type Options struct {
	// Path is the file: internetdb.sqlite, or the same compressed with bzip2, zstd or gzip. A leading ~ is the home
	// directory.
	Path string
	// Dir is the folder for the copy of a compressed file. It may not exist yet.
	Dir string
	// Logger gets how far the unpacking is.
	Logger hclog.Logger
	// OnUnpack is called now and then while a call unpacks, with the context of the call. It may be nil.
	OnUnpack func(context.Context, Unpacking)
}

// A File is an internetdb.sqlite. It is opened with the first lookup, and again after it was replaced. Its methods may be
// called concurrently.
type File struct {
	path    string // absolute
	options Options
	pathErr error // why there is no absolute path

	current atomic.Pointer[database]
	// opening holds a token while a call opens the file.
	opening chan struct{}
	// replacing says that a new version is unpacked while lookups still use the old one, and failed why the last attempt
	// to do so failed.
	replacing atomic.Bool
	failed    atomic.Pointer[failure]
	// open ends when the file is closed.
	open  context.Context
	close context.CancelFunc
}

// A failure says why a version of the file cannot be unpacked.
type failure struct {
	source version
	err    error
	// retryAt is from when on lookups try again, if the disk was full: everything else stays as it is until the file changes.
	retryAt time.Time
}

// minRetry and maxRetry bound how long after a full disk another attempt is made. In between it is retryShare times as long
// as the attempt took, because each one reads and writes gigabytes.
const (
	minRetry, maxRetry = time.Minute, time.Hour
	retryShare         = 4
)

// newFailure returns the failure of an attempt that took so long.
func newFailure(source version, err error, took time.Duration) *failure {
	f := &failure{source: source, err: err}
	if sqlitefile.MayBeFull(err) {
		wait := min(max(minRetry, retryShare*took), maxRetry)
		f.retryAt = time.Now().Add(wait)
		f.err = fmt.Errorf("%w: make room on its disk; the first lookup after %s tries again", err, f.retryAt.UTC().Format("15:04 UTC"))
	}
	return f
}

// isOver reports whether another attempt is due.
func (f *failure) isOver() bool { return !f.retryAt.IsZero() && !time.Now().Before(f.retryAt) }

// New makes a File, and opens nothing.
func New(o Options) *File {
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	f := &File{options: o, opening: make(chan struct{}, 1)}
	f.open, f.close = context.WithCancel(context.Background())
	if f.path, f.pathErr = homedir.Expand(o.Path); f.pathErr == nil {
		f.path, f.pathErr = filepath.Abs(f.path)
	}
	return f
}

// An Info describes a File.
type Info struct {
	Path string
	// Time is when the file was last changed: its data is not newer.
	Time time.Time
	// Size is the size of the database in bytes, and 0 if Copy does not exist yet.
	Size int64
	// Copy is where the content of a compressed file is, and empty for a file that is not compressed.
	Copy string
}

// Inspect opens the file and checks that it can be used. A compressed file that is not unpacked yet stays so.
func (f *File) Inspect(ctx context.Context) (Info, error) {
	v, err := f.stat()
	if err != nil {
		return Info{}, err
	}
	info := Info{Path: f.path, Time: v.time()}
	compressed, err := isCompressed(f.path)
	if err != nil {
		return info, f.wrapError(err)
	}
	if compressed {
		if info.Copy, err = f.copyPath(v); err != nil {
			return info, f.wrapError(err)
		}
		if !hasCopy(info.Copy) {
			return info, nil
		}
	}
	d, err := f.database(ctx)
	if err != nil {
		return info, err
	}
	info.Size = d.version.state.Size
	return info, nil
}

// A version identifies the content of a file.
type version struct {
	os.FileInfo
	state filestate.State
}

func (v version) time() time.Time { return time.Unix(0, v.state.Modified).UTC() }

// same reports whether nothing has changed since an earlier version.
func (v version) same(earlier version) bool {
	return v.state == earlier.state && os.SameFile(v.FileInfo, earlier.FileInfo)
}

// stat returns the version of the file at the path.
func (f *File) stat() (version, error) {
	if f.pathErr != nil {
		return version{}, fmt.Errorf("%q: %w", f.options.Path, f.pathErr)
	}
	v, err := statFile(f.path)
	return v, f.wrapError(err)
}

func statFile(path string) (version, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return version{}, errors.New("there is no such file")
	case err != nil:
		return version{}, cause(err)
	case info.IsDir():
		return version{}, errors.New("it is a folder: name the file internetdb.sqlite in it")
	case !info.Mode().IsRegular(): // to open a pipe would wait for ever
		return version{}, errors.New("it is not a file")
	}
	return version{info, filestate.Of(info)}, nil
}

// cause removes the path from an error of package os: the message names it already.
func cause(err error) error {
	var pathError *os.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// wrapError names the file.
func (f *File) wrapError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%q: %w", f.path, err)
}

// database returns the open file, and opens it if it is not open or was replaced.
func (f *File) database(ctx context.Context) (*database, error) {
	v, err := f.stat()
	if err != nil {
		return nil, err
	}
	d := f.current.Load()
	switch {
	case d != nil && d.source.same(v):
		return d, nil
	case d != nil && d.path != f.path:
		return f.replaceCopy(ctx, d, v)
	}
	return f.openLocked(ctx)
}

// replaceCopy begins to unpack a new version, which can take an hour, and returns the old one until that is done.
func (f *File) replaceCopy(ctx context.Context, old *database, v version) (*database, error) {
	if failed := f.failed.Load(); failed != nil && failed.source.same(v) && !failed.isOver() {
		return nil, failed.err
	}
	if !f.replacing.CompareAndSwap(false, true) {
		return old, nil
	}
	go func() {
		defer f.replacing.Store(false)
		began := time.Now()
		ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
		defer cancel()
		defer context.AfterFunc(f.open, cancel)()
		if _, err := f.openLocked(ctx); err != nil && f.open.Err() == nil {
			f.failed.Store(newFailure(v, err, time.Since(began)))
		}
	}()
	return old, nil
}

// openLocked opens the file while no other call does.
func (f *File) openLocked(ctx context.Context) (*database, error) {
	select {
	case f.opening <- struct{}{}:
		defer func() { <-f.opening }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return f.openNewest(ctx)
}

// maxAttempts is how often a call tries again where the file changes meanwhile.
const maxAttempts = 5

// openNewest opens the file, unless the call that held the token before has done so. The caller holds the token.
func (f *File) openNewest(ctx context.Context) (*database, error) {
	for attempt := 1; ; attempt++ {
		v, err := f.stat()
		if err != nil {
			return nil, err
		}
		old := f.current.Load()
		if old != nil && old.source.same(v) {
			return old, nil
		}
		if f.open.Err() != nil {
			return nil, f.wrapError(errClosed)
		}
		d, err := f.openVersion(ctx, v)
		if ctx.Err() != nil {
			if d != nil {
				d.retire()
			}
			return nil, ctx.Err()
		}
		now, statErr := f.stat()
		if changed := statErr == nil && !now.same(v); changed && attempt < maxAttempts {
			if d != nil {
				d.retire()
			}
			continue
		}
		if err != nil {
			return nil, f.wrapError(err)
		}
		f.current.Store(d)
		if old != nil {
			old.retire()
		}
		return d, nil
	}
}

// openVersion opens a version of the file, or its copy if it is compressed.
func (f *File) openVersion(ctx context.Context, v version) (*database, error) {
	compressed, err := isCompressed(f.path)
	if err != nil {
		return nil, err
	}
	if !compressed {
		return openDatabase(f.path, v)
	}
	path, err := f.unpack(ctx, v)
	if err != nil {
		return nil, err
	}
	return openDatabase(path, v)
}

// errClosed says that the file was closed by this process.
var errClosed = errors.New("it is closed")

// Close closes the file. Calls that still use it end by themselves.
func (f *File) Close() error {
	f.close()
	f.opening <- struct{}{}
	defer func() { <-f.opening }()
	if d := f.current.Swap(nil); d != nil {
		d.retire()
	}
	return nil
}
