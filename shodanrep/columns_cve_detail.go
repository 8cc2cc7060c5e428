package shodanrep

import (
	"context"
	"fmt"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A detail is what is known of a vulnerability in one or two columns, which are always of the same source: a score must
// not go with the version of another.
type detail struct {
	columns []string
	// some and whole report whether a vulnerability has the detail, or all of it.
	some, whole func(*shodan.Vuln) bool
	copy        func(to, from *shodan.Vuln)
}

var details = []detail{
	{
		columns: []string{"cvss", "cvss_version"},
		some:    func(v *shodan.Vuln) bool { return v.CVSS.Valid },
		whole:   func(v *shodan.Vuln) bool { return v.CVSS.Valid && v.CVSSVersion.Valid },
		copy:    func(to, from *shodan.Vuln) { to.CVSS, to.CVSSVersion = from.CVSS, from.CVSSVersion },
	}, {
		columns: []string{"epss", "ranking_epss"},
		some:    func(v *shodan.Vuln) bool { return v.EPSS.Valid },
		whole:   func(v *shodan.Vuln) bool { return v.EPSS.Valid && v.RankingEPSS.Valid },
		copy:    func(to, from *shodan.Vuln) { to.EPSS, to.RankingEPSS = from.EPSS, from.RankingEPSS },
	}, {
		columns: []string{"kev"},
		some:    func(v *shodan.Vuln) bool { return v.KEV.Valid },
		whole:   func(v *shodan.Vuln) bool { return v.KEV.Valid },
		copy:    func(to, from *shodan.Vuln) { to.KEV = from.KEV },
	}, {
		columns: []string{"summary"},
		some:    func(v *shodan.Vuln) bool { return v.Summary != "" },
		whole:   func(v *shodan.Vuln) bool { return v.Summary != "" },
		copy:    func(to, from *shodan.Vuln) { to.Summary = from.Summary },
	},
}

// selectedDetails returns those that a scan selects columns of. The columns on their source concern all of them.
func selectedDetails(selected scan.Columns) []detail {
	if selected.Any("detail_source", "detail_error") {
		return details
	}
	return slices.DeleteFunc(slices.Clone(details), func(d detail) bool { return !selected.Any(d.columns...) })
}

// improve takes the details that a vulnerability lacks from another account of it, and reports whether there were any.
func improve(v, from *shodan.Vuln) (improved bool) {
	for _, d := range details {
		if !d.whole(v) && d.some(from) && (d.whole(from) || !d.some(v)) {
			d.copy(v, from)
			improved = true
		}
	}
	return improved
}

// A cveDetail is what CVEDB says of a CVE. The rest of its answer is not kept: of some CVEs it lists thousands of
// products.
type cveDetail struct {
	ready chan struct{} // closed when the others are set
	vuln  shodan.Vuln
	err   error
}

// requestCVEDetail requests a CVE from CVEDB, in the background and once in a scan.
func requestCVEDetail(ctx context.Context, c *scan.ListCall, id string) *cveDetail {
	detail, _ := scan.Once(c, "detail of "+id, func() (*cveDetail, error) {
		d := &cveDetail{ready: make(chan struct{})}
		go func() {
			defer close(d.ready)
			d.vuln, d.err = findCVE(ctx, c.Engine(), id)
		}()
		return d, nil
	})
	return detail
}

// findCVE requests a CVE from CVEDB, and returns what a banner could say of it as well.
func findCVE(ctx context.Context, engine *lookup.Engine, id string) (shodan.Vuln, error) {
	canonical, ok := shodan.CanonicalCVE(id)
	if !ok {
		return shodan.Vuln{}, fmt.Errorf("%s is not the id of a CVE, and CVEDB has only those", id)
	}
	reply, err := lookup.Request(ctx, engine, shodan.FindCVE(canonical))
	if shodan.IsKind(err, shodan.NotFound) {
		lookup.CountDetails(ctx, canonical, nil)
	} else {
		lookup.CountDetails(ctx, canonical, err)
	}
	if err != nil {
		return shodan.Vuln{}, err
	}
	c := reply.Value
	return shodan.Vuln{CVSS: c.CVSS, CVSSVersion: c.CVSSVersion, EPSS: c.EPSS, RankingEPSS: c.RankingEPSS, KEV: c.KEV, Summary: c.Summary}, nil
}
