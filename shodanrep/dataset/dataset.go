// Package dataset looks up hosts in files of Shodan's data: banners as `shodan download` writes them, and saved responses
// for hosts, searches and InternetDB, in any layout, compressed or not. It reads the files into an index, a SQLite file,
// once and again when they change.
package dataset

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sqlitefile"
)

// Options configure a Dataset.
type Options struct {
	// Files are globs or folders; a leading ~ is the home directory. Each has to match a file.
	Files []string
	// Window is how much older than the newest file of a pattern or a folder one may be that still counts, 0 without a
	// limit: see withinWindow.
	Window time.Duration
	// Dir is the folder of the index. Datasets of several processes share it, and the rows of files that they have in
	// common. Where it is empty the index is a temporary file, which Close removes.
	Dir string
	// Logger gets a warning for each file with records that cannot be read.
	Logger hclog.Logger
}

// Stats describe what a Dataset holds.
type Stats struct {
	Files      int
	Banners    int64         // including older ones of the same service, and summaries of hosts
	Hosts      int64         // different addresses
	BadRecords int64         // that cannot be read
	ReadTime   time.Duration // how long the last Open or Refresh took to read files, 0 where none had changed
}

// Omissions are what of the files a Dataset does not hold.
type Omissions struct {
	FirstBad string   // the first record that cannot be read: its file, line and reason
	LeftOut  []string // the files that Options.Window leaves out
	Foreign  []string // why the files of a pattern or a folder are left out that have no banner in them
}

// A Dataset has the hosts of some data files. Of the banners with the same port, transport and requested host name the
// newest counts. Its methods may be called concurrently.
type Dataset struct {
	globs  []string
	window time.Duration
	index  *index // the newest; the holder of refreshing changes it
	logger hclog.Logger
	temp   *tempDir // of a temporary index

	current atomic.Pointer[state]
	// refreshing holds a token while a call brings the index up to date.
	refreshing chan struct{}

	closing    context.Context // ends when the Dataset is closed
	close      context.CancelFunc
	background sync.WaitGroup // the calls of vacuumLater that run
	vacuuming  sync.Mutex     // held by the one that works
}

// maxUnused is how long the rows of a file stay in the index after its last use, and recheck how often its use is noted.
const (
	maxUnused = 30 * 24 * time.Hour
	recheck   = 24 * time.Hour
)

// Open reads the files that match into the index, unless they are in it already. Several processes may do so at once:
// one reads, the others wait for it.
func Open(ctx context.Context, opts Options) (*Dataset, error) {
	globs, err := absolute(opts.Files)
	if err != nil {
		return nil, err
	}
	d := &Dataset{globs: globs, window: opts.Window, logger: opts.Logger, refreshing: make(chan struct{}, 1)}
	d.closing, d.close = context.WithCancel(context.Background())
	if d.logger == nil {
		d.logger = hclog.NewNullLogger()
	}
	if err := d.openIndex(ctx, opts.Dir); err != nil {
		return nil, err
	}
	d.current.Store(&state{index: d.index})
	if err := d.Refresh(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// openIndex opens the index in a folder. Where that fails it logs a warning, and opens a temporary index: results are the
// same.
func (d *Dataset) openIndex(ctx context.Context, dir string) (err error) {
	if dir != "" {
		if err = os.MkdirAll(dir, 0o700); err == nil {
			d.index, err = openIndex(ctx, filepath.Join(dir, indexName), d.logger)
		}
		if err == nil {
			removeUnused(dir)
		}
		if err == nil || ctx.Err() != nil {
			return err
		}
		d.logger.Warn("the index of the data files cannot be stored, so it is made for this process only", "folder", dir, "error", err)
	}
	if d.temp, err = makeTempDir(os.TempDir()); err != nil {
		return err
	}
	if d.index, err = openIndex(ctx, filepath.Join(d.temp.path, indexName), d.logger); err != nil {
		return errors.Join(err, d.temp.remove())
	}
	return nil
}

// removeUnused removes the indexes of other versions that no process has used for so long that their rows would be
// deleted too, and damaged indexes that were set aside that long ago. What cannot be removed does no harm.
func removeUnused(dir string) {
	paths, _ := filepath.Glob(filepath.Join(dir, "dataset-v*.sqlite"))
	damaged, _ := filepath.Glob(filepath.Join(dir, "dataset-v*.sqlite"+sqlitefile.DamagedSuffix))
	for _, path := range append(paths, damaged...) {
		files := []string{path + "-wal", path + "-shm", path}
		if filepath.Base(path) == indexName || slices.ContainsFunc(files, func(file string) bool {
			info, err := os.Stat(file)
			return err == nil && time.Since(info.ModTime()) < maxUnused
		}) {
			continue
		}
		for _, file := range files {
			_ = os.Remove(file)
		}
	}
}

// Refresh reads the files again that have changed. It takes microseconds where none has.
func (d *Dataset) Refresh(ctx context.Context) error {
	if fresh, err := d.isFresh(); fresh || err != nil {
		return err
	}
	select {
	case d.refreshing <- struct{}{}:
		defer func() { <-d.refreshing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	// The call that had the token before may have done it.
	if fresh, err := d.isFresh(); fresh || err != nil {
		return err
	}
	files, err := find(d.globs)
	if err != nil {
		return err
	}
	old, started := d.current.Load(), time.Now()
	u, hosts, err := d.update(ctx, files)
	if err != nil {
		return err
	}
	foreign, err := d.checkForeign(ctx, files, u.entries)
	if err != nil {
		return err
	}
	s := newState(u, foreign)
	s.index, s.files, s.checked, s.stats.Hosts = d.index, files, started, hosts
	if u.read > 0 {
		s.stats.ReadTime = time.Since(started)
	}
	d.logState(s, old, u)
	d.current.Store(s)
	if old.index != d.index {
		_ = old.index.Close() // it is damaged or was removed
	}
	return nil
}

// update brings the index up to date, and counts its hosts. A damaged index is replaced by a new one.
func (d *Dataset) update(ctx context.Context, files []match) (u update, hosts int64, err error) {
	for replaced := false; ; replaced = true {
		if !d.index.Stale() {
			u, err = d.index.update(ctx, files, d.window, d.logger)
			if err == nil {
				hosts, err = d.index.countHosts(ctx, u.entries)
			}
			if err == nil && u.rest {
				d.vacuumLater(d.index)
			}
		}
		if !d.index.Stale() || replaced {
			return u, hosts, err
		}
		// Queries go on with the old index until the new one has the files.
		x, err := d.index.reopen(ctx)
		if err != nil {
			return u, 0, err
		}
		if d.index != d.current.Load().index {
			_ = d.index.Close() // an earlier attempt to replace the damaged one
		}
		d.index = x
	}
}

// vacuumLater copies the log of the index into its file, and removes it when no query uses it. Meanwhile queries read both.
func (d *Dataset) vacuumLater(x *index) {
	d.background.Go(func() {
		d.vacuuming.Lock()
		defer d.vacuuming.Unlock()
		err := x.Checkpoint(context.Background())
		for complete := false; err == nil && !complete; {
			if complete, err = x.Vacuum(context.Background()); complete {
				return
			}
			select {
			case <-time.After(time.Second):
			case <-d.closing.Done(): // to close the index removes the log
				return
			}
		}
		if err != nil && !errors.Is(err, sqlitefile.ErrClosed) {
			// Nothing is lost: the rows are in the log. Where the index is damaged, the next query says so.
			d.logger.Warn("the log of the index of the data files cannot be copied into it; this is tried again", "error", x.wrapError(err))
		}
	})
}

// isFresh reports whether the files are unchanged since the last update.
func (d *Dataset) isFresh() (bool, error) {
	s := d.current.Load()
	if time.Since(s.checked) > recheck || s.index.Stale() || s.lacksRows.Load() {
		return false, nil
	}
	files, err := find(d.globs)
	return slices.Equal(files, s.files), err
}

// Stats returns what the Dataset held after the last Open or Refresh.
func (d *Dataset) Stats() Stats { return d.current.Load().stats }

// Omissions returns what the Dataset left out in the last Open or Refresh.
func (d *Dataset) Omissions() Omissions { return d.current.Load().omissions }

// Close closes the index, and removes a temporary one. The Dataset must no longer be in use.
func (d *Dataset) Close() error {
	d.close()
	d.background.Wait()
	err := d.index.Close()
	if old := d.current.Load().index; old != d.index { // it was damaged, and the new one could not get the files
		err = errors.Join(err, old.Close())
	}
	if d.temp != nil {
		err = errors.Join(err, d.temp.remove())
	}
	return err
}
