//go:build unix

package main

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// strictBursts are how many requests the strict service lets come at once. That it allows 20 a second does not say, so
// all of these are tried, from the strictest on, and the slowest is the figure.
var strictBursts = []int{1, 20, 100}

// measureStrictService looks up addresses with an InternetDB that allows less than the engine is configured for, and
// bans clients that ignore it.
func measureStrictService(b *bench) ([]figure, error) {
	const (
		addresses, allowed, told = 1_000, 20, 50
		reach                    = 80 * time.Second
	)
	type outcome struct {
		result
		refused, bans int
		err           error
	}
	outcomes := make([]outcome, len(strictBursts))
	var running sync.WaitGroup
	for i, burst := range strictBursts {
		running.Go(func() {
			o := &outcomes[i]
			s, err := simulate(shodantest.WithRateLimit(shodantest.InternetDB, allowed, burst), shodantest.WithBan(10, time.Minute), shodantest.WithLatency(50*time.Millisecond))
			if err != nil {
				o.err = err
				return
			}
			defer s.close()
			list, err := b.list(s.Generate(addresses))
			if err == nil {
				o.result, err = b.query(s.internetDB(fmt.Sprintf("internetdb_requests_per_second = %d", told), fmt.Sprintf("cache = %q", b.path(".sqlite"))), list)
			}
			o.refused, o.bans = s.refused(), s.Bans()
			if o.err = err; err == nil && o.bans == 0 {
				o.err = o.want(addresses, "indexed")
			}
		})
	}
	running.Wait()
	var (
		slowest time.Duration
		bans    int
		each    []string
		err     error
	)
	for i, o := range outcomes {
		err = cmp.Or(err, o.err)
		slowest = max(slowest, o.wall)
		bans += o.bans
		each = append(each, fmt.Sprintf("%d at once: %s, %d refused", strictBursts[i], seconds(o.wall), o.refused))
	}
	if err != nil {
		return nil, err
	}
	bound := addresses / allowed * time.Second
	noBan := "no ban"
	if bans > 0 {
		noBan = fmt.Sprintf("%d bans", bans)
	}
	return []figure{{
		what:     "1,000 addresses against an InternetDB that allows 20 a second and bans for a minute after ten 429s, engine told 50 a second",
		measured: seconds(slowest) + ", " + noBan,
		bound:    fmt.Sprintf("1,000 / 20 a second = %s", seconds(bound)),
		ratio:    times(slowest.Seconds() / bound.Seconds()),
		reach:    fmt.Sprintf("≤ %s, no ban", seconds(reach)),
		reached:  slowest <= reach && bans == 0,
		notes:    []string{"the slowest of services that let come " + strings.Join(each, "; ")},
	}}, nil
}
