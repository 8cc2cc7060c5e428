//go:build !windows

package stdio

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/symlink"
)

// descriptorNamed returns the number of the open file of this process that a name such as /dev/stdout or /dev/fd/63 is, or
// that a link to one is. A file that the shell has opened must not be replaced: what is in it already would be lost, and
// so would what the shell writes after it. A pipe has no other name.
func descriptorNamed(name string) (number int, ok bool) {
	folders := []string{"/dev/fd", "/proc/self/fd", "/proc/thread-self/fd", fmt.Sprintf("/proc/%d/fd", os.Getpid())}
	streams := []string{"/dev/stdin", "/dev/stdout", "/dev/stderr"} // by their numbers
	path, err := filepath.Abs(name)
	for range symlink.MaxLinks {
		if err != nil {
			return 0, false
		}
		if number := slices.Index(streams, path); number >= 0 {
			return number, true
		}
		if slices.Contains(folders, filepath.Dir(path)) {
			number, err := strconv.ParseUint(filepath.Base(path), 10, 31)
			return int(number), err == nil
		}
		path, err = symlink.Follow(path)
	}
	return 0, false
}

// openDescriptor returns another handle of an open file that the process was started with, which has the same position in
// it. The files that the process has opened itself, such as its cache, are closed in processes that it starts.
func openDescriptor(number int, name string) (*os.File, error) {
	closedOnExec, err := unix.FcntlInt(uintptr(number), unix.F_GETFD, 0)
	if err != nil {
		return nil, err
	}
	flags, err := unix.FcntlInt(uintptr(number), unix.F_GETFL, 0)
	if err != nil {
		return nil, err
	}
	if closedOnExec&unix.FD_CLOEXEC != 0 || flags&unix.O_ACCMODE == unix.O_RDONLY {
		return nil, unix.EBADF // as a write would say, but before the lookups
	}
	const first = 3 // the standard streams keep their numbers
	handle, err := unix.FcntlInt(uintptr(number), unix.F_DUPFD_CLOEXEC, first)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(handle), name), nil
}
