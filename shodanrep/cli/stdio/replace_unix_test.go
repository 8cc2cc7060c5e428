//go:build unix

package stdio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A pipe that the user names is a file: that its reader has gone is a failure, and not the quiet end of "| head".
func TestAPipeIsWrittenInPlace(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	reader, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0) // does not wait for the writer
	if err != nil {
		t.Fatal(err)
	}
	err = ReplaceFile(t.Context(), pipe, func(w io.Writer) error {
		if _, err := io.WriteString(w, "a line\n"); err != nil {
			t.Error(err)
		}
		line := make([]byte, 100)
		if n, err := reader.Read(line); string(line[:n]) != "a line\n" {
			t.Errorf("read %q, %v", line[:n], err)
		}
		reader.Close()
		_, err := io.WriteString(w, "another line\n")
		return err
	})
	if err == nil || IsBrokenPipe(err) || strings.Count(err.Error(), pipe+" cannot be written: ") != 1 {
		t.Errorf("got %v, want a failure that names the pipe", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err = ReplaceFile(ctx, pipe, func(io.Writer) error { return errors.New("nobody reads") })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("without a reader: got %v, want the interrupt", err)
	}
}

// Such as the pipe of ">(gzip)", and a file to which a shell writes before and after the command.
func TestAnOpenFileIsWrittenInPlace(t *testing.T) {
	dir := t.TempDir()
	file, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	reader, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer pipe.Close()
	nameOf := func(f *os.File) string { return fmt.Sprintf("/dev/fd/%d", f.Fd()) }
	write := func(w io.Writer) error {
		_, err := io.WriteString(w, "result\n")
		return err
	}
	for _, f := range []*os.File{file, pipe} {
		if err := ReplaceFile(t.Context(), nameOf(f), write); err == nil || err.Error() != nameOf(f)+" cannot be written: bad file descriptor" {
			t.Errorf("a file that the process has opened itself: %v", err)
		}
		if _, err := unix.FcntlInt(f.Fd(), unix.F_SETFD, 0); err != nil { // as if it was started with it
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(nameOf(file), link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{nameOf(file), link, fmt.Sprintf("/proc/%d/fd/%d", os.Getpid(), file.Fd())} {
		if _, err := file.WriteString("before\n"); err != nil {
			t.Fatal(err)
		}
		if err := ReplaceFile(t.Context(), name, write); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := file.WriteString("after\n"); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file.Name()); err != nil || string(text) != strings.Repeat("before\nresult\n", 3)+"after\n" {
		t.Errorf("%q, %v", text, err)
	}
	if err := ReplaceFile(t.Context(), nameOf(pipe), write); err != nil {
		t.Error(err)
	}
	pipe.Close()
	if text, err := io.ReadAll(reader); err != nil || string(text) != "result\n" {
		t.Errorf("the pipe has %q, %v", text, err)
	}
	for _, name := range []string{nameOf(reader), "/dev/fd/1000000"} {
		err := ReplaceFile(t.Context(), name, func(io.Writer) error { return errors.New("looked up without success") })
		if want := name + " cannot be written: bad file descriptor"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for name, want := range map[string]int{"/dev/stdout": 1, "/dev/../dev/stderr": 2, "/proc/self/fd/63": 63} {
		if number, ok := descriptorNamed(name); !ok || number != want {
			t.Errorf("%s: %d, %v", name, number, ok)
		}
	}
	for _, name := range []string{"/dev/null", "/dev/fd", "/dev/fd/x", "/dev/fd/-1", "stdout", "/proc/1/fd/1", filepath.Join(dir, "file")} {
		if number, ok := descriptorNamed(name); ok {
			t.Errorf("%s is the descriptor %d", name, number)
		}
	}
}

// A file that the user may write to cannot be replaced in a folder where no file can be made.
func TestAResultThatCannotBeMadeNamesTheFolder(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "missing")
	err := ReplaceFile(t.Context(), filepath.Join(missing, "a.csv"), nil)
	if want := missing + "/a.csv cannot be written: there is no folder " + missing; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("there is no folder where root cannot make a file:", err)
	}
	err = ReplaceFile(t.Context(), "/proc/self/status", nil)
	if want := "/proc/self/status cannot be written: no file can be made in the folder "; err == nil || !strings.HasPrefix(strings.Replace(err.Error(), "/proc/"+strconv.Itoa(os.Getpid()), "/proc/self", 1), want) {
		t.Errorf("got %v, want %s…", err, want)
	}
}

func TestAResultHasTheModeOfTheUmaskOrOfTheFileItReplaces(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027)) // parallel tests do not run beside this one
	result := filepath.Join(t.TempDir(), "result")
	for _, mode := range []os.FileMode{0o640, 0o604} {
		if err := ReplaceFile(t.Context(), result, func(io.Writer) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(result); err != nil || info.Mode() != mode {
			t.Errorf("the mode is %v, want %v (%v)", info.Mode(), mode, err)
		}
		if err := os.Chmod(result, 0o604); err != nil {
			t.Fatal(err)
		}
	}
}

// In a folder that all may write to, the system follows no link of another user (protected_symlinks of Linux). A result
// must not go where such a link leads.
func TestALinkOfAnotherUserInASharedFolderIsNotFollowed(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can make a link of another user")
	}
	shared, target := t.TempDir(), filepath.Join(t.TempDir(), "target")
	link := filepath.Join(shared, "result")
	if err := errors.Join(os.WriteFile(target, []byte("old"), 0o600), os.Symlink(target, link), os.Lchown(link, 65534, 65534),
		os.Chmod(shared, os.ModeSticky|0o777)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(link); err == nil {
		t.Skip("this system follows such links")
	}
	err := ReplaceFile(t.Context(), link, func(w io.Writer) error {
		_, err := w.Write([]byte("new"))
		return err
	})
	if text, _ := os.ReadFile(target); err == nil || string(text) != "old" {
		t.Errorf("%v, %q", err, text)
	}
}
