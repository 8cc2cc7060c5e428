//go:build unix

package main

import (
	"cmp"
	"fmt"
	"time"
)

// measureWarm looks up many addresses with SQL from a warm cache file.
func measureWarm(b *bench) ([]figure, error) {
	const addresses, reach = 100_000, 4 * time.Second
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
	query, err := b.query(connection, list)
	if err = cmp.Or(err, query.want(addresses, "indexed")); err != nil {
		return nil, err
	}
	askedAgain := s.Count("") - asked
	return []figure{{
		what:     "100,000 addresses from a warm cache file through query",
		measured: fmt.Sprintf("%s, %d requests", seconds(query.wall), askedAgain),
		bound:    "no requests",
		reach:    fmt.Sprintf("≤ %s, 0 requests", seconds(reach)),
		reached:  query.wall <= reach && askedAgain == 0,
		notes:    []string{fmt.Sprintf("%s of processor time, %s of memory", seconds(query.cpu), megabytes(query.peak))},
	}}, nil
}
