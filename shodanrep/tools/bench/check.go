//go:build unix

package main

import (
	"cmp"
	"fmt"
)

// checkMemoryReach is how much memory a check of 100,000 addresses may take.
const checkMemoryReach = 200_000_000

// measureCheck checks many addresses from a warm cache file, and queries the same in SQL.
func measureCheck(l *lab) ([]figure, error) {
	const addresses, reach = 100_000, 0.5
	s, err := simulate()
	if err != nil {
		return nil, err
	}
	defer s.close()
	list, err := l.list(s.Generate(addresses))
	if err != nil {
		return nil, err
	}
	connection := s.internetDB(append(lifted, fmt.Sprintf("cache = %q", l.path(".sqlite")))...)
	if _, err := l.check(connection, list); err != nil { // which fills the cache
		return nil, err
	}
	asked := s.Count("")
	query, err := l.query(connection, list)
	if err = cmp.Or(err, query.want(addresses, "indexed")); err != nil {
		return nil, err
	}
	check, err := l.check(connection, list)
	if err = cmp.Or(err, check.wantRows(addresses)); err != nil {
		return nil, err
	}
	askedAgain := s.Count("") - asked
	ratio := check.wall.Seconds() / query.wall.Seconds()
	return []figure{{
		what:     "check --output csv of 100,000 addresses from a warm cache file",
		measured: fmt.Sprintf("%s, %s, %d requests", seconds(check.wall), megabytes(check.peak), askedAgain),
		bound:    "query, SQL over the same: " + seconds(query.wall),
		ratio:    times(ratio),
		reach:    fmt.Sprintf("≤ %s, ≤ %s, 0 requests", times(reach), megabytes(checkMemoryReach)),
		reached:  ratio <= reach && check.peak <= checkMemoryReach && askedAgain == 0,
		notes: []string{
			fmt.Sprintf("check writes all columns, the query eight; processor time %s and %s", seconds(check.cpu), seconds(query.cpu)),
		},
	}}, nil
}

// check runs the binary on the addresses of a file.
func (l *lab) check(connection []string, list string) (result, error) {
	spc, err := l.config(connection)
	if err != nil {
		return result{}, err
	}
	return l.run("check", "--config", spc, "--output", "csv", list)
}

// wantRows returns an error where there are not so many rows.
func (r result) wantRows(n int) error {
	if len(r.rows) != n {
		return fmt.Errorf("%d rows, want %d", len(r.rows), n)
	}
	return nil
}
