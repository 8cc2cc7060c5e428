package stdio

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/robustio"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filelock"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/symlink"
)

const (
	// newMark is in the name of a file that is being written, between the name of the result and a random number.
	newMark = ".shodanrep-new-"
	// maxBase is how much of the name of the result is in it: a name may have 255 bytes.
	maxBase = 200
	// minAbandoned is how long a file must not have been written to before it is removed, in case its process could not
	// lock it.
	minAbandoned = time.Hour
	// maxNewAttempts is how often to make a file that another process removes before it is locked.
	maxNewAttempts = 5
)

// ReplaceFile writes a file that replaces the old one only when it is complete. A device, a pipe or an open file of the
// process, such as /dev/stdout, is written to in place, until the context ends: a pipe without a reader blocks.
func ReplaceFile(ctx context.Context, name string, write func(io.Writer) error) error {
	// The system follows no link that another user made in a shared folder such as /tmp. To read where it leads is no way
	// around that.
	if _, err := os.Stat(name); errors.Is(err, os.ErrPermission) {
		return writeError(name, err)
	}
	if number, ok := descriptorNamed(name); ok {
		return writeInPlace(ctx, name, func() (*os.File, error) { return openDescriptor(number, name) }, write)
	}
	name = symlink.Target(name) // the link stays
	if info, err := os.Stat(name); err == nil {
		if !info.Mode().IsRegular() {
			return writeInPlace(ctx, name, func() (*os.File, error) { return os.OpenFile(name, os.O_WRONLY, 0) }, write)
		}
		if err := checkReplaceable(name, info); err != nil {
			return writeError(name, err)
		}
	}
	removeAbandoned(name)
	file, unlock, err := createNew(name)
	if err != nil {
		return createError(name, err)
	}
	defer os.Remove(file.Name()) // fails if the file was renamed, as it should be
	defer unlock()
	if err := write(namedFile{file, name}); err != nil {
		file.Close()
		return err
	}
	if info, statErr := os.Stat(name); statErr == nil {
		err = file.Chmod(info.Mode().Perm())
	}
	if sync := file.Sync(); err == nil {
		err = sync
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = robustio.Rename(file.Name(), name)
	}
	if err != nil {
		return writeError(name, err)
	}
	return nil
}

// canLock says that a process can write to a file that it has locked by another handle. On Windows it cannot. There no
// lock is needed: a file that a process has open cannot be removed.
const canLock = runtime.GOOS != "windows"

// newPrefix returns the beginning of the names of the files that will replace another one. They must not be longer than
// a file system allows, so that files with long names can share one.
func newPrefix(name string) string {
	base := filepath.Base(name)
	return "." + strings.ToValidUTF8(base[:min(len(base), maxBase)], "") + newMark
}

// createNew makes the file that will replace another one, and locks it. A file system may have no locks: the file is
// then not locked. It can be read by those that the umask allows, unless it replaces a file, whose mode it gets later.
func createNew(name string) (file *os.File, unlock func(), err error) {
	mode := os.FileMode(0o666)
	if _, err := os.Stat(name); err == nil {
		mode = 0o600
	}
	for range maxNewAttempts {
		number := strconv.FormatUint(rand.Uint64(), 10)
		file, err = os.OpenFile(filepath.Join(filepath.Dir(name), newPrefix(name)+number), os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if errors.Is(err, os.ErrExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if !canLock {
			return file, func() {}, nil
		}
		release, lockErr := filelock.Try(file.Name(), os.O_RDWR)
		if lockErr == nil {
			return file, func() { _ = release() }, nil
		}
		if !errors.Is(lockErr, filelock.ErrLocked) && !errors.Is(lockErr, os.ErrNotExist) {
			return file, func() {}, nil
		}
		err = lockErr // another process has found the file
		_ = file.Close()
		_ = os.Remove(file.Name())
	}
	return nil, nil, err
}

// removeAbandoned removes the files that processes left that were killed while they wrote the same file. What cannot be
// removed does no harm.
func removeAbandoned(name string) {
	entries, err := os.ReadDir(filepath.Dir(name))
	if err != nil {
		return
	}
	prefix := newPrefix(name)
	for _, entry := range entries {
		number, isNew := strings.CutPrefix(entry.Name(), prefix)
		if !isNew || number == "" || strings.Trim(number, "0123456789") != "" || !entry.Type().IsRegular() {
			continue
		}
		info, err := entry.Info()
		if err != nil || time.Since(info.ModTime()) < minAbandoned {
			continue
		}
		path := filepath.Join(filepath.Dir(name), entry.Name())
		if !canLock {
			_ = os.Remove(path)
		} else if unlock, err := filelock.Try(path, os.O_RDWR); err == nil {
			_ = os.Remove(path)
			_ = unlock()
		}
	}
}

// writeInPlace writes to what open opens, which may block.
func writeInPlace(ctx context.Context, name string, open func() (*os.File, error), write func(io.Writer) error) error {
	file, err := Within(ctx, open)
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		return err
	}
	if err != nil {
		return writeError(name, err)
	}
	writer := NewWriter(ctx, namedFile{file, name}, name)
	writer.isFile = true
	if err := write(writer); err != nil {
		file.Close()
		return err
	}
	if err := file.Close(); err != nil {
		return writeError(name, err)
	}
	return nil
}
