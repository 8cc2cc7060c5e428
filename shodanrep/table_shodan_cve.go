package shodanrep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func tableShodanCVE(context.Context) *plugin.Table {
	type row = *cveRow
	return newTable(&plugin.Table{
		Name:        "shodan_cve",
		Description: "The vulnerabilities in CVEDB, Shodan's free CVE database, with their severity, the likelihood of exploitation and the affected products.",
		Columns: []*plugin.Column{
			text("cve_id", "The id of the CVE, such as CVE-2021-44228.", func(r row) any { return r.id }),
			text("summary", "The description of the vulnerability.", func(r row) any { return string(r.cve.Summary) }),
			number("cvss", "The CVSS score in the newest CVSS version that has one, from 0 to 10. 10 is the most severe.", func(r row) any { return r.cve.CVSS.Ptr() }),
			number("cvss_version", "The version of CVSS that the cvss column uses.", func(r row) any { return r.cve.CVSSVersion.Ptr() }),
			number("cvss_v2", "The CVSS 2 score.", func(r row) any { return r.cve.CVSSv2.Ptr() }),
			number("cvss_v3", "The CVSS 3 score.", func(r row) any { return r.cve.CVSSv3.Ptr() }),
			number("cvss_v4", "The CVSS 4 score.", func(r row) any { return r.cve.CVSSv4.Ptr() }),
			number("epss", epssDescription, func(r row) any { return r.cve.EPSS.Ptr() }),
			number("ranking_epss", rankingDescription, func(r row) any { return r.cve.RankingEPSS.Ptr() }),
			boolean("kev", "True if the vulnerability is known to be exploited: it is in CISA's catalog.", func(r row) any { return r.cve.KEV.Ptr() }),
			text("propose_action", "The recommended action, if the vulnerability is known to be exploited.", func(r row) any { return string(r.cve.ProposeAction) }),
			text("ransomware_campaign", "The use by ransomware campaigns: Known or Unknown. Null if the vulnerability is not known to be exploited.", func(r row) any { return string(r.cve.RansomwareCampaign) }),
			jsonb("reference_urls", "The links to more information. CVEDB calls them references, which is a reserved word in SQL.", func(r row) any { return r.cve.References }),
			timestamp("published_time", "Time when the vulnerability was published.", func(r row) time.Time { return r.cve.PublishedTime.Time }),
			jsonb("cpes", "The affected products, as CPE names. Null in lists, which do not have them; query by cve_id to get them.", func(r row) any { return r.cve.CPEs }),
			text("cpe23", "The product and version in the query's condition, as a CPE name. Null if the query has no such condition.", func(r row) any { return r.cpe }),
			text("affected_vendor", "The vendor that CVEDB names in lists, by its name in CPEs. Null if cve_id is the only condition of the query: cpes has all products then.", func(r row) any { return string(r.cve.Vendor) }),
			text("affected_product", "The product that CVEDB names in lists, by its name in CPEs. Null if cve_id is the only condition of the query.", func(r row) any { return string(r.cve.Product) }),
			text("affected_version", "The version that CVEDB names in lists. Null if cve_id is the only condition of the query.", func(r row) any { return string(r.cve.Version) }),
			text("product", "The product in the query's condition, by its name in CPEs, such as nginx. Null if the query has no such condition.", func(r row) any { return r.product }),
			timestamp("checked_at", "Time when the data was requested from CVEDB; a cached response keeps the time of its request.", func(r row) time.Time { return r.checkedAt }),
			text("title", "The display name of the row: the id.", func(r row) any { return r.id }),
		},
	}, scan.Table{
		Keys: plugin.KeyColumnSlice{
			scan.Optional("cve_id"), scan.Optional("cpe23"), scan.Optional("product"), scan.Optional("kev"),
			{Name: "published_time", Require: plugin.Optional, Operators: []string{">=", ">", "<=", "<"}},
		},
		Service:  "cvedb",
		Action:   "cve",
		Findings: []string{"kev"},
		Rows:     scan.FromPages(listCVEs),
	})
}

const (
	epssDescription    = "The probability that the vulnerability is exploited within the next 30 days (EPSS), from 0 to 1."
	rankingDescription = "The share of all CVEs whose epss is the same or lower, from 0 to 1."
)

// A cveRow is a CVE with the conditions of the query that found it.
type cveRow struct {
	cve              *shodan.CVE
	id, cpe, product string
	checkedAt        time.Time
}

// listCVEs lists the CVEs of one call: by their ids, or in a list.
func listCVEs(ctx context.Context, c *scan.ListCall, emit func(*cveRow) bool) error {
	bounds, err := c.Bounds("published_time")
	if err != nil {
		return err
	}
	for _, text := range c.AllTexts("cve_id") {
		if isMistypedCVE(text) {
			return fmt.Errorf("cve_id = %q is not the id of a CVE: write it like CVE-2021-44228, or leave it out", text)
		}
	}
	ids, cpes, products, kev := c.Texts("cve_id"), c.Texts("cpe23"), c.Texts("product"), c.Texts("kev")
	spellings := spellingsOf(ids)
	matches := func(row *cveRow) bool {
		known := row.cve.KEV
		return (len(kev) == 0 || known.Valid && slices.Contains(kev, strconv.FormatBool(known.V))) &&
			scan.Within(row.cve.PublishedTime.Time, bounds)
	}
	list := shodan.CVEQuery{KEV: len(kev) == 1 && kev[0] == "true", Limit: cvePage}
	list.Start, list.End = scan.Span(bounds)
	if len(ids) == 0 {
		// A shorter page than a hundred spares little, and is soon too short where the conditions leave few of its rows.
		list.Limit = max(100, c.Limit(cvePage))
	}
	switch {
	case len(cpes) > 0 && len(products) > 0:
		return errors.New("CVEDB lists the CVEs of a product or of a cpe23, not of both: leave one out")
	case len(cpes) > 0:
		for _, text := range cpes {
			cpe, ok := shodan.CanonicalCPE(text)
			if !ok {
				return fmt.Errorf("cpe23 = %q is no CPE with a version: write it like cpe:2.3:a:f5:nginx:1.18.0, or ask for the product instead", text)
			}
			list.CPE23 = cpe
			if more, err := listPages(ctx, c, list, spellings, cveRow{cpe: text}, matches, emit); err != nil || !more {
				return err
			}
		}
	case len(products) > 0:
		for _, product := range products {
			if strings.TrimSpace(product) == "" { // CVEDB would list all that it has
				return fmt.Errorf("product = %q is empty: write the product as CPEs do, such as nginx", product)
			}
			list.Product = product
			if more, err := listPages(ctx, c, list, spellings, cveRow{product: product}, matches, emit); err != nil || !more {
				return err
			}
		}
	case len(ids) > 0:
		return lookUpCVEs(ctx, c, ids, matches, emit)
	case !list.KEV && len(bounds) == 0 && !c.HasLimit():
		return errors.New("shodan_cve has hundreds of thousands of rows: ask for some by cve_id, product, cpe23, kev = true or published_time (published_time > '2026-01-01'), or for the newest with a limit and no order by")
	default:
		_, err = listPages(ctx, c, list, nil, cveRow{}, matches, emit)
	}
	return err
}

// cvePage is how many CVEs CVEDB lists in one answer.
const cvePage = 1000

// isMistypedCVE reports whether a text is meant to be the id of a CVE, and is none. An id of another scheme is not, such as
// MS15-034 or ALAS2-2021-1722: a join with the findings of other tools passes them all, and CVEDB has no row of them.
func isMistypedCVE(text string) bool {
	id, ok := shodan.CanonicalCVE(text)
	return !ok && (id == "" || strings.HasPrefix(id, "CVE") || '0' <= id[0] && id[0] <= '9')
}

// lookUpCVEs makes the rows of CVEs by their ids, in parallel. One that CVEDB does not know has none.
func lookUpCVEs(ctx context.Context, c *scan.ListCall, ids []string, matches, emit func(*cveRow) bool) error {
	ctx, cancel := context.WithCancel(ctx) // ends requests whose rows are not needed any more
	defer cancel()
	type found struct {
		reply lookup.Reply[*shodan.CVE]
		err   error
	}
	answers := make([]chan found, len(ids))
	for i, text := range ids {
		answers[i] = make(chan found, 1)
		go func() {
			id, ok := shodan.CanonicalCVE(text)
			if !ok { // of another scheme, which CVEDB does not have
				answers[i] <- found{}
				return
			}
			reply, err := lookup.Request(ctx, c.Engine(), shodan.FindCVE(id))
			answers[i] <- found{reply, err}
		}()
	}
	for i, text := range ids {
		answer := <-answers[i]
		switch {
		case shodan.IsKind(answer.err, shodan.NotFound), answer.err == nil && answer.reply.Value == nil:
			continue
		case answer.err != nil:
			return answer.err
		}
		row := &cveRow{cve: answer.reply.Value, id: text, checkedAt: answer.reply.CheckedAt}
		if matches(row) && !emit(row) {
			return nil
		}
	}
	return nil
}

// listPages makes the rows of a list, page by page until the scan has enough: of all its CVEs, or of those
// that the query spells in some way. It reports whether the scan needs more.
func listPages(ctx context.Context, c *scan.ListCall, list shodan.CVEQuery, spellings map[string][]string, row cveRow, matches, emit func(*cveRow) bool) (more bool, err error) {
	fetch := func(number int) (scan.Page[shodan.CVE], error) {
		list.Skip = number * list.Limit
		reply, err := lookup.Request(ctx, c.Engine(), shodan.FindCVEs(list))
		if shodan.IsKind(err, shodan.NotFound) { // which is how CVEDB says that there are none
			return scan.Page[shodan.CVE]{Last: true}, nil
		}
		return scan.Page[shodan.CVE]{Items: reply.Value, Last: len(reply.Value) < list.Limit, CheckedAt: reply.CheckedAt}, err
	}
	for page, err := range scan.Pages(0, fetch, func(c *shodan.CVE) string { return string(c.ID) }) {
		if err != nil {
			return false, err
		}
		for i := range page.Items {
			cve := &page.Items[i]
			if cve.ID == "" {
				continue
			}
			ids := []string{string(cve.ID)}
			if len(spellings) > 0 {
				ids = spellings[strings.ToUpper(ids[0])]
			}
			for _, id := range ids {
				found := row
				found.cve, found.id, found.checkedAt = cve, id, page.CheckedAt
				if matches(&found) && !emit(&found) {
					return false, nil
				}
			}
		}
	}
	return true, nil
}

// spellingsOf returns the texts that are the id of a CVE, by the id. A text of another scheme is by itself: CVEDB has none of
// that, and a query for nothing else has no rows.
func spellingsOf(texts []string) map[string][]string {
	found := map[string][]string{}
	for _, text := range texts {
		id, _ := shodan.CanonicalCVE(text)
		found[id] = append(found[id], text)
	}
	return found
}
