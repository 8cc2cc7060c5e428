package matrix

import (
	"bytes"
	"sync/atomic"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// keyFinder is a log at its lowest level that remembers whether the API key was written to it.
type keyFinder struct{ shown atomic.Bool }

func (k *keyFinder) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(shodantest.Key)) {
		k.shown.Store(true)
	}
	return len(line), nil
}

func (k *keyFinder) found() bool { return k.shown.Load() }

// logger logs what the plugin itself writes. The SDK's own lines, below info level, hold the connection's arguments.
func (k *keyFinder) logger() hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{Level: hclog.Info, Output: k})
}
