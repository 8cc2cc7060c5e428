// Command shodanrep scores IP addresses by what Shodan knows of them. Started without arguments, as Steampipe does, it
// serves the plugin's protocol; with arguments it is a command line.
package main

import (
	"os"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
)

func main() {
	if len(os.Args) == 1 {
		shodanrep.Serve()
		return
	}
	os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
