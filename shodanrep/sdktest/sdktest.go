// Package sdktest keeps the servers of Steampipe's SDK small in tests. A test program imports it for its effect.
package sdktest

import (
	_ "unsafe" // for go:linkname

	_ "github.com/dgraph-io/ristretto" // has the variable
)

// setBufSize is how many writes wait in the cache that the SDK makes for each connection. It is 32,768 otherwise, and the SDK
// never closes a cache: the tests of a package have hundreds, of which each took 256 KB, and the garbage collector read
// them again and again.
//
//go:linkname setBufSize github.com/dgraph-io/ristretto.setBufSize
var setBufSize int

func init() { setBufSize = 64 }
