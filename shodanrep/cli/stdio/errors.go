package stdio

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// writeError says that a file or a stream cannot be written, by the name that the user knows. The error of the system
// has another one: that of a file which would replace the result, or /dev/stdout.
func writeError(name string, err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		err = path.Err
	case errors.As(err, &link):
		err = link.Err
	}
	return fmt.Errorf("%s cannot be written: %w", name, err)
}

// createError says that the new file of a result cannot be made. It names the folder: the file itself may be there, and
// may be one that the user can write to.
func createError(name string, err error) error {
	dir := filepath.Dir(name)
	if _, statErr := os.Stat(dir); errors.Is(statErr, fs.ErrNotExist) {
		return fmt.Errorf("%s cannot be written: there is no folder %s", name, dir)
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%s cannot be written: no file can be made in the folder %s: %w", name, dir, err)
}

// A namedFile is a file of results whose errors have the name of the result.
type namedFile struct {
	*os.File
	name string
}

func (f namedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if err != nil {
		err = writeError(f.name, err)
	}
	return n, err
}

// ReadFrom hides the method of the file, whose errors have another name.
func (f namedFile) ReadFrom(r io.Reader) (int64, error) {
	return io.Copy(struct{ io.Writer }{f}, r)
}

// WriteString hides the method of the file, whose errors have another name.
func (f namedFile) WriteString(s string) (int, error) { return f.Write([]byte(s)) }
