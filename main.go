// Command shodanrep scores IP addresses with Shodan's data. Started by Steampipe it serves the plugin's
// protocol; otherwise it is a command line.
package main

import (
	"os"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/shared"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/spcfile"
)

func main() {
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
