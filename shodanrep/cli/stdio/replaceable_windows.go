package stdio

import (
	"errors"
	"io/fs"

	"golang.org/x/sys/windows"
)

// checkReplaceable returns an error if a file exists and cannot be replaced. Windows replaces neither a file that a
// program has open, as a spreadsheet has, nor one that is read-only. Without the check that would show only when the
// result is complete, which is then lost.
func checkReplaceable(name string, info fs.FileInfo) error {
	if info.Mode().Perm()&0o200 == 0 {
		return errors.New("it is read-only: make it writable, or name another file")
	}
	path, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	file, err := windows.CreateFile(path, windows.DELETE, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE,
		nil, windows.OPEN_EXISTING, windows.FILE_ATTRIBUTE_NORMAL, 0)
	switch {
	case errors.Is(err, windows.ERROR_SHARING_VIOLATION):
		return errors.New("it is open, in another program or as the input of this one: close it there, or name another file")
	case err != nil:
		return nil // the rename says what is wrong
	}
	return windows.CloseHandle(file)
}
