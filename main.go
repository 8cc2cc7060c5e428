// Command shodanrep scores IP addresses with Shodan's data. Started by Steampipe it serves the plugin's
// protocol; otherwise it is a command line.
package main

import (
	"os"
	"runtime"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/shared"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/spcfile"
)

// heapReserve is memory that is counted and never used, so it takes no memory of the machine. Go collects garbage when the
// heap is twice as large as after the last collection. That of a short command is small: without the reserve a fifth of the
// processor time would go into collecting it again and again.
const heapReserve = 24 << 20

func main() {
	reserve := make([]byte, heapReserve)
	defer runtime.KeepAlive(reserve)
	if len(os.Args) == 1 && isStartedAsPlugin() {
		spcfile.LogReadableKeys(os.Stderr)
		shodanrep.Serve()
		return
	}
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// isStartedAsPlugin reports whether the environment has the cookie of the plugin handshake, which Steampipe sets.
func isStartedAsPlugin() bool {
	return os.Getenv(shared.Handshake.MagicCookieKey) == shared.Handshake.MagicCookieValue
}
