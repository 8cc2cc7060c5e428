package internetdbfile

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/dustin/go-humanize"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filelock"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
)

// An Unpacking is how far the unpacking of a compressed file is.
type Unpacking struct {
	Path  string
	Done  int64 // bytes of the compressed file
	Total int64
	// Waiting says that another process unpacks it, and Indexing that all is unpacked and gets its index.
	Waiting, Indexing bool
	// Ended says that it is complete or failed.
	Ended bool
}

// String says how far the unpacking is.
func (u Unpacking) String() string {
	switch {
	case u.Waiting:
		return fmt.Sprintf("another process is unpacking %s", u.Path)
	case u.Indexing:
		return fmt.Sprintf("adding an index to the copy of %s", u.Path)
	}
	return fmt.Sprintf("unpacking %s: %s of %s", u.Path, humanize.Bytes(uint64(u.Done)), humanize.Bytes(uint64(u.Total)))
}

// compressions are the first bytes of the compressed files that are read.
var compressions = [][]byte{{0x1f, 0x8b, 8}, {0x28, 0xb5, 0x2f, 0xfd}, []byte("BZh")}

// isCompressed reports whether a file is compressed, by its content.
func isCompressed(path string) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, cause(err)
	}
	defer file.Close()
	head := make([]byte, 4)
	n, err := io.ReadFull(file, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, cause(err)
	}
	for _, mark := range compressions {
		if bytes.HasPrefix(head[:n], mark) {
			return true, nil
		}
	}
	return false, nil
}

// copyPath returns where the copy of a version is. Its name has the version, so that a copy is never taken for that of
// another one.
func (f *File) copyPath(v version) (string, error) {
	if f.options.Dir == "" {
		return "", errors.New("it is compressed, and there is no folder to unpack it to: unpack it, or set the argument cache to a path")
	}
	name, err := f.versionName(v)
	if err != nil {
		return "", err
	}
	return filepath.Join(f.options.Dir, name+".sqlite"), nil
}

// versionEnds is how many bytes at each end of a file are part of the name of a version.
const versionEnds = 4096

// versionName names a version in the folder of the copies. Another file can have the same size and time, where times are
// copied or all alike. The ends of a compressed file have its checksum, and the first page of SQLite counts its changes.
func (f *File) versionName(v version) (string, error) {
	file, err := os.Open(f.path)
	if err != nil {
		return "", cause(err)
	}
	defer file.Close()
	ends := sha256.New()
	for _, from := range []int64{0, max(0, v.state.Size-versionEnds)} {
		if _, err := io.Copy(ends, io.NewSectionReader(file, from, versionEnds)); err != nil {
			return "", cause(err)
		}
	}
	return fmt.Sprintf("%s-%d-%x-%.6x", f.copyPrefix(), v.state.Size, v.state.Modified, ends.Sum(nil)), nil
}

// copyPrefix is the beginning of the names of all copies of the file.
func (f *File) copyPrefix() string {
	return fmt.Sprintf("internetdb-%.12x", sha256.Sum256([]byte(f.path)))
}

const (
	// unpackTimeout is how long to wait for another process that unpacks.
	unpackTimeout = 24 * time.Hour
	// waitBeforeReport is how long to wait for the lock before that is reported.
	waitBeforeReport = time.Second
	// reportEvery is how often progress is reported, and logEvery how often it is logged.
	reportEvery = 200 * time.Millisecond
	logEvery    = 10 * time.Second
)

// unpack makes the copy of a version unless it exists, and returns its path. One process does so, others wait for it.
func (f *File) unpack(ctx context.Context, v version) (path string, err error) {
	path, err = f.copyPath(v)
	if err != nil {
		return "", err
	}
	if hasCopy(path) {
		return path, nil
	}
	if err := os.MkdirAll(f.options.Dir, 0o700); err != nil {
		return "", fmt.Errorf("there is no folder to unpack it to: %w", err)
	}
	u := &unpacker{file: f, ctx: ctx, state: Unpacking{Path: f.path, Total: v.state.Size}}
	defer u.end()
	unlock, err := u.lock(filepath.Join(f.options.Dir, f.copyPrefix()+".lock"))
	if err != nil {
		return "", fmt.Errorf("it cannot be unpacked: %w", err)
	}
	defer unlock()
	if hasCopy(path) { // another process was faster
		return path, nil
	}
	f.removePartials()
	if err := u.write(path); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("it cannot be unpacked to the folder %s: %w", f.options.Dir, cause(err))
	}
	f.removeOthers(path)
	return path, nil
}

// partialSuffix follows the name of a copy that is not complete.
const partialSuffix = ".partial"

// removePartials removes what a process left that was killed while it unpacked this version or another one, also the
// journal of SQLite, which does not belong to the next copy. The caller holds the lock.
func (f *File) removePartials() {
	partials, _ := filepath.Glob(filepath.Join(f.options.Dir, f.copyPrefix()+"-*.sqlite"+partialSuffix+"*"))
	for _, partial := range partials {
		_ = os.Remove(partial)
	}
}

// removeOthers removes the copies of other versions. Processes that read one still can, where the system allows that;
// elsewhere it stays until the next time.
func (f *File) removeOthers(path string) {
	copies, _ := filepath.Glob(filepath.Join(filepath.Dir(path), f.copyPrefix()+"-*.sqlite"))
	for _, other := range copies {
		if other != path {
			_ = os.Remove(other)
		}
	}
}

// An unpacker unpacks a file, and reports how far it is.
type unpacker struct {
	file     *File
	ctx      context.Context
	state    Unpacking
	reported time.Time
	logged   time.Time
}

// lock waits until no other process unpacks the file.
func (u *unpacker) lock(path string) (unlock func(), err error) {
	timer := time.AfterFunc(waitBeforeReport, func() {
		if report := u.file.options.OnUnpack; report != nil {
			report(u.ctx, Unpacking{Path: u.file.path, Waiting: true})
		}
		u.file.options.Logger.Info("another process is unpacking the file of InternetDB", "file", u.file.path)
	})
	defer timer.Stop()
	lock, err := filelock.Open(u.ctx, path, os.O_RDWR, unpackTimeout)
	if err != nil {
		return nil, err
	}
	return func() { _ = lock.Close() }, nil // nothing was written
}

// write unpacks to a path, where the file appears when it is complete.
func (u *unpacker) write(path string) (err error) {
	source, err := os.Open(u.file.path)
	if err != nil {
		return err
	}
	defer source.Close()
	reader, err := iptext.NewReader(&countingReader{source, u})
	if err != nil {
		return err
	}
	defer reader.Close()
	partial := path + partialSuffix
	target, err := os.OpenFile(partial, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		_ = target.Close() // a second time is an error, which does not matter
		if err != nil {
			_ = os.Remove(partial)
		}
	}()
	head := make([]byte, headerSize)
	n, err := io.ReadFull(reader, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return err
	}
	if !bytes.HasPrefix(head[:n], []byte(headerMagic)) {
		return fmt.Errorf("what is compressed is no SQLite database: internetdb_file is Shodan's internetdb.sqlite%s", looksLike(head[:n]))
	}
	if _, err := target.Write(head[:n]); err != nil {
		return err
	}
	if _, err := io.CopyBuffer(target, reader, make([]byte, 1<<20)); err != nil {
		return err
	}
	if err := errors.Join(target.Sync(), target.Close()); err != nil {
		return err
	}
	// The copy is ours, so that nobody else can add the index that it may lack.
	u.state.Indexing = true
	u.report(true)
	if _, err := AddIndex(u.ctx, partial); err != nil {
		return err
	}
	info, err := os.Stat(partial)
	if err == nil {
		err = checkHeader(partial, info.Size())
	}
	if err != nil {
		return err
	}
	return os.Rename(partial, path)
}

// hasCopy reports whether a copy exists and is complete. One that is not was complete when it was made: it is made again.
func hasCopy(path string) bool {
	info, err := os.Stat(path)
	return err == nil && checkHeader(path, info.Size()) == nil
}

// A countingReader counts what is read, and ends with the context.
type countingReader struct {
	io.Reader
	u *unpacker
}

func (r *countingReader) Read(b []byte) (int, error) {
	if err := r.u.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.Reader.Read(b)
	r.u.state.Done += int64(n)
	r.u.report(false)
	return n, err
}

// report reports how far the unpacking is, if that is due or it must be.
func (u *unpacker) report(now bool) {
	if at := time.Now(); now || at.Sub(u.reported) >= reportEvery {
		u.reported = at
		if report := u.file.options.OnUnpack; report != nil {
			report(u.ctx, u.state)
		}
		if now || at.Sub(u.logged) >= logEvery {
			u.logged = at
			u.file.options.Logger.Info(u.state.String())
		}
	}
}

// end reports that nothing is unpacked any more.
func (u *unpacker) end() {
	u.state.Ended = true
	if report := u.file.options.OnUnpack; report != nil {
		report(u.ctx, u.state)
	}
}
