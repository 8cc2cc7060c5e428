//go:build unix

package main

import (
	"cmp"
	"fmt"
)

// checkMemoryReach is how much memory a check of 100,000 addresses may use.
const checkMemoryReach = 200_000_000

// measureCheck checks many addresses from a warm cache file, and runs the same in SQL.
func measureCheck(b *bench) ([]figure, error) {
	const addresses, reach = 100_000, 1.0
	s, err := simulate()
	if err != nil {
		return nil, err
	}
	defer s.close()
	connection, list, err := b.warmCache(s, addresses)
	if err != nil {
		return nil, err
	}
	asked := s.Count("")
	query, err := b.queryFor("*", connection, list)
	if err = cmp.Or(err, query.wantRows(addresses)); err != nil {
		return nil, err
	}
	check, err := runCheck(b, connection, list)
	if err = cmp.Or(err, check.wantRows(addresses)); err != nil {
		return nil, err
	}
	askedAgain := s.Count("") - asked
	ratio := check.wall.Seconds() / query.wall.Seconds()
	return []figure{{
		what:     "check --output csv of 100,000 addresses from a warm cache file",
		measured: fmt.Sprintf("%s, %s, %d requests", seconds(check.wall), megabytes(check.peak), askedAgain),
		bound:    "query, select * over the same: " + seconds(query.wall),
		ratio:    times(ratio),
		reach:    fmt.Sprintf("≤ %s, ≤ %s, 0 requests", times(reach), megabytes(checkMemoryReach)),
		reached:  ratio <= reach && check.peak <= checkMemoryReach && askedAgain == 0,
		notes: []string{
			fmt.Sprintf("processor time %s and %s", seconds(check.cpu), seconds(query.cpu)),
		},
	}}, nil
}

// runCheck runs the check command on the addresses of a file.
func runCheck(b *bench, connection []string, list string) (result, error) {
	spc, err := b.config(connection)
	if err != nil {
		return result{}, err
	}
	return b.run("check", "--config", spc, "--output", "csv", list)
}

// warmCache returns a connection to a service with a cache file that has the responses about so many addresses, and the
// file that lists them.
func (b *bench) warmCache(s *service, addresses int) (connection []string, list string, err error) {
	if list, err = b.list(s.Generate(addresses)); err != nil {
		return nil, "", err
	}
	connection = s.internetDB(append(lifted, fmt.Sprintf("cache = %q", b.path(".sqlite")))...)
	_, err = runCheck(b, connection, list)
	return connection, list, err
}
