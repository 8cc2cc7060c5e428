//go:build unix

package stdio

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
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
