//go:build unix

package main

import (
	"cmp"
	"fmt"
)

// measureFile looks up many addresses with SQL in a file of InternetDB, and with a plain loop in Python.
func measureFile(b *bench) ([]figure, error) {
	const rows, addresses, reach = 1_000_000, 200_000, 0.75
	file, list, err := b.internetDBFile(rows, addresses)
	if err != nil {
		return nil, err
	}
	connection := []string{fmt.Sprintf("internetdb_file = %q", file), `source = "internetdb"`, `cache = "memory"`}
	query, loop, err := inTurn(func() (result, error) {
		r, err := b.queryFor("ip, status, score, level", connection, list)
		return r, cmp.Or(err, r.want(addresses, "indexed"))
	}, func() (result, error) { return pythonLoop(file, list) })
	if err != nil {
		return nil, err
	}
	perSecond := addresses / query.wall.Seconds()
	loopPerSecond := addresses / loop.wall.Seconds()
	ratio := perSecond / loopPerSecond
	return []figure{{
		what:     "query of 200,000 addresses, score and level, with an internetdb_file of 1,000,000",
		measured: fmt.Sprintf("%.0f addresses a second", perSecond),
		bound:    fmt.Sprintf("a plain loop in Python over the file: %.0f lookups a second", loopPerSecond),
		ratio:    times(ratio),
		reach:    "≥ " + times(reach),
		reached:  ratio >= reach,
		notes: []string{
			fmt.Sprintf("%s of processor time, %s of memory, with the start of the process, reading the list and scoring", seconds(query.cpu), megabytes(query.peak)),
		},
	}}, nil
}
