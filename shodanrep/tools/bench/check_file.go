//go:build unix

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
)

// measureCheckFile checks a million addresses with a file of InternetDB, and looks them up in a plain loop in Python.
func measureCheckFile(b *bench) ([]figure, error) {
	const addresses, reach, memoryReach = 1_000_000, 2.0, 250_000_000
	file, list, err := b.internetDBFile(addresses, addresses)
	if err != nil {
		return nil, err
	}
	spc, err := b.config([]string{fmt.Sprintf("internetdb_file = %q", file), `source = "internetdb"`, `cache = "memory"`})
	if err != nil {
		return nil, err
	}
	check, loop, err := inTurn(func() (result, error) {
		r, out, err := b.runToFile("check", "--config", spc, "--output", "csv", list)
		if err != nil {
			return r, err
		}
		defer os.Remove(out.Name()) // it has hundreds of MB
		defer out.Close()
		return r, wantIndexed(out, addresses)
	}, func() (result, error) { return pythonLoop(file, list) })
	if err != nil {
		return nil, err
	}
	perSecond, loopPerSecond := addresses/check.wall.Seconds(), addresses/loop.wall.Seconds()
	ratio := perSecond / loopPerSecond
	return []figure{{
		what:     "check --output csv of 1,000,000 addresses with internetdb_file",
		measured: fmt.Sprintf("%s: %.0f addresses a second, scored, %s", seconds(check.wall), perSecond, megabytes(check.peak)),
		bound:    fmt.Sprintf("a plain loop in Python over the file: %.0f lookups a second", loopPerSecond),
		ratio:    times(ratio),
		reach:    fmt.Sprintf("≥ %s, ≤ %s", times(reach), megabytes(memoryReach)),
		reached:  ratio >= reach && check.peak <= memoryReach,
		notes:    []string{fmt.Sprintf("%s of processor time, from the start of the process to its end; all columns are written", seconds(check.cpu))},
	}}, nil
}

// wantIndexed returns an error unless so many lines of the output of check have an indexed address.
func wantIndexed(out *os.File, want int) error {
	lines, indexed := bufio.NewScanner(out), 0
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if bytes.Contains(lines.Bytes(), []byte(",internetdb,indexed,")) {
			indexed++
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if indexed != want {
		return fmt.Errorf("%d lines have an indexed address, want %d", indexed, want)
	}
	return nil
}
