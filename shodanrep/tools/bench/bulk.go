//go:build unix

package main

import (
	"cmp"
	"fmt"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// measureBulk looks up addresses with a REST API that allows one request per second, and a plan that allows many
// addresses per request.
func measureBulk(b *bench) ([]figure, error) {
	const addresses, requests, reach = 1_000, 10, 12 * time.Second
	s, err := simulate(shodantest.WithPlan("corp"), shodantest.WithRateLimit(shodantest.Shodan, 1, 1))
	if err != nil {
		return nil, err
	}
	defer s.close()
	list, err := b.list(s.Generate(addresses))
	if err != nil {
		return nil, err
	}
	r, err := b.query(s.rest(fmt.Sprintf("cache = %q", b.path(".sqlite"))), list)
	if err = cmp.Or(err, r.want(addresses, "indexed")); err != nil {
		return nil, err
	}
	asked, refused, peak := s.Count(""), s.refused(), s.PeakPerSecond(shodantest.Shodan)
	bound := (requests - 1) * time.Second
	return []figure{{
		what:     "1,000 addresses on the REST API at 1 request a second, bulk plan",
		measured: fmt.Sprintf("%s, %d requests", seconds(r.wall), asked),
		bound:    fmt.Sprintf("%d requests, %s", requests, seconds(bound)),
		ratio:    times(r.wall.Seconds() / bound.Seconds()),
		reach:    "≤ " + seconds(reach),
		reached:  r.wall <= reach && asked == requests && refused == 0 && peak <= 1,
		notes:    []string{fmt.Sprintf("%d refused, at most %d in any second; the service allows none above its rate", refused, peak)},
	}}, nil
}
