// Command manual writes the man pages and the shell completions of the command line, as a release has them.
//
//	go run ./shodanrep/tools/manual -version 1.2.3 -date 1767225600 build/manual
package main

import (
	"flag"
	"fmt"
	"os"
	"time"
)

func main() {
	version := flag.String("version", "", "the `VERSION` that the pages name")
	date := flag.Int64("date", time.Now().Unix(), "the date of the pages, in `SECONDS` since 1970")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: manual [-version VERSION] [-date SECONDS] FOLDER")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 1 {
		flag.Usage()
		os.Exit(2)
	}
	if err := write(flag.Arg(0), *version, time.Unix(*date, 0).UTC()); err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(1)
	}
}
