// Package filestate tells whether a file is still as it was, without reading it.
package filestate

import "os"

// A State identifies the content of a file. States of one path that are equal are of the same content.
type State struct {
	Size     int64
	Modified int64 // nanoseconds since 1970
	// Changed is when the system last changed the file in any way, in nanoseconds since 1970, and 0 where the system does
	// not say. A program can set the time of the modification: cp -p and rsync give a file that of another one.
	Changed int64
}

// Of returns the state of a file.
func Of(info os.FileInfo) State {
	return State{Size: info.Size(), Modified: info.ModTime().UnixNano(), Changed: changed(info)}
}
