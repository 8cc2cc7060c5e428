package reputation_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
)

func TestTheTypeOfHosting(t *testing.T) {
	t.Parallel()
	names := func(names ...string) reputation.Host { return reputation.Host{Hostnames: names} }
	tags := func(tags ...string) reputation.Host { return reputation.Host{Tags: tags} }
	for name, tt := range map[string]struct {
		host reputation.Host
		want string // type and reason
	}{
		"nothing gives it away":                  {reputation.Host{ASN: "AS64496", Tags: []string{"starttls"}, Hostnames: []string{"www.example.com"}}, "unknown"},
		"the tag of Tor":                         {tags("cloud", "vpn", "tor"), "tor tag tor"},
		"a proxy in a cloud":                     {tags("cloud", "proxy"), "proxy tag proxy"},
		"a VPN in a cloud":                       {tags("cloud", "vpn"), "vpn tag vpn"},
		"a CDN in a cloud":                       {tags("cloud", "cdn"), "cdn tag cdn"},
		"a cloud by its tag":                     {reputation.Host{Tags: []string{"cloud"}, Cloud: "Example Cloud"}, "cloud tag cloud"},
		"a cloud by a banner":                    {reputation.Host{Cloud: "Example Cloud"}, "cloud cloud Example Cloud"},
		"a cloud by its autonomous system":       {reputation.Host{ASN: "AS24940"}, "cloud AS24940 Hetzner Online, on the list cloud"},
		"a VPN's autonomous system before a tag": {reputation.Host{ASN: "AS9009", Tags: []string{"cloud"}}, "vpn AS9009 M247, on the list vpn"},
		"bulletproof before all else":            {reputation.Host{ASN: "AS206728", Tags: []string{"tor"}}, "bulletproof AS206728 Media Land, on the list bulletproof"},
		"a household by its provider":            {reputation.Host{ASN: "AS7922"}, "residential AS7922 Comcast, on the list residential"},
		"a business with the same provider":      {reputation.Host{ASN: "AS7922", Hostnames: []string{"50-1-2-3-static.hfc.isp.example"}}, "business name 50-1-2-3-static.hfc.isp.example"},
		"the word cloud in a name":               {names("cloud.email.partnerships.example.com", "cloud-9-9.cloud.example.com"), "unknown"},
		"static pages":                           {names("static.example.com", "static.shop.example.com", "static2.shop.example.com"), "unknown"},
		"customers":                              {names("cust.example.com", "customer.app.example.com", "home.office.example.com"), "unknown"},
		"a business line":                        {names("203-0-113-5.static.isp.example"), "business name 203-0-113-5.static.isp.example"},
		"a line with one number":                 {names("customer21.isp.example"), "residential name customer21.isp.example"},
		"a customer's line":                      {names("host-203-0.cust.isp.example"), "residential name host-203-0.cust.isp.example"},
		"a household by its name":                {names("p5b0.dip44.dsl.isp.example"), "residential name p5b0.dip44.dsl.isp.example"},
		"digits beside a word":                   {names("dsl44.isp.example.net"), "residential name dsl44.isp.example.net"},
		"capital letters":                        {names("44.DSL.isp.example"), "residential name 44.dsl.isp.example"},
		"a word within another":                  {names("adslx.isp.example.net"), "unknown"},
		"a word of the domain itself":            {names("cable.example"), "unknown"},
		"a Tor exit by two words":                {names("tor-exit-4.example.net"), "tor name tor-exit-4.example.net"},
		"a town is no exit":                      {names("tor.example.net"), "unknown"},
		"a domain":                               {names("ec2-1-2-3-4.compute.amazonaws.com"), "cloud name ec2-1-2-3-4.compute.amazonaws.com"},
		"the domain itself":                      {names("amazonaws.com"), "cloud name amazonaws.com"},
		"a domain that only ends like it":        {names("notamazonaws.com"), "unknown"},
		"of two names that fit, the first":       {names("b.dsl.isp.example", "a.dsl.isp.example"), "residential name a.dsl.isp.example"},
		"odd names":                              {names("", ".", "..", "a", "-.-.-", "ß.dsl.isp.example"), "residential name ß.dsl.isp.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// The type does not depend on the policy, as long as that has no rules of its own.
			for _, policy := range []*reputation.Policy{policyfile.Baseline(), policyfile.Extended()} {
				got := policy.Score(tt.host).Hosting
				if text := strings.TrimSpace(got.Type + " " + got.Reason); text != tt.want {
					t.Errorf("%s: %s, want %s", policy.Name, text, tt.want)
				}
			}
		})
	}
}

func TestAPolicysOwnRulesForHostingComeFirst(t *testing.T) {
	t.Parallel()
	policy, err := policyfile.Parse([]byte(`policy "ours" {
  base = "baseline"
  hosting "business" {
    asns      = ["AS24940 Our own servers"]
    words     = ["ours"]
    line_words = ["port"]
    domains   = ["example.org"]
    tags      = ["devops"]
  }
  hosting "bulletproof" { cloud = true }
}`), "ours.hcl")
	if err != nil {
		t.Fatal(err)
	}
	for want, h := range map[string]reputation.Host{
		"business AS24940 Our own servers":          {ASN: "AS24940"},
		"business name a.ours.example.net":          {Hostnames: []string{"a.ours.example.net"}},
		"business name port-7-8.example.net":        {Hostnames: []string{"port.example.net", "port-7-8.example.net"}},
		"business name www.example.org":             {Hostnames: []string{"www.example.org"}},
		"business tag devops":                       {Tags: []string{"devops", "tor"}},
		"bulletproof cloud Example":                 {Cloud: "Example", Tags: []string{"tor"}},
		"tor tag tor":                               {Tags: []string{"tor"}},
		"cloud AS16276 OVH, on the list cloud":      {ASN: "AS16276"},
		"residential name 44.dsl.broadband.example": {Hostnames: []string{"44.dsl.broadband.example"}},
	} {
		if got := policy.Score(h).Hosting; got.Type+" "+got.Reason != want {
			t.Errorf("%+v, want %s", got, want)
		}
	}
}

func TestTheListsOfAutonomousSystems(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("data/*.csv")
	if err != nil || len(files) != len(reputation.ASNLists()) {
		t.Fatalf("%d files for the lists %v, error %v", len(files), reputation.ASNLists(), err)
	}
	seen := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		r := csv.NewReader(strings.NewReader(string(text)))
		r.Comment = '#'
		records, err := r.ReadAll()
		if err != nil || len(records) < 2 {
			t.Fatalf("%s: %d lines, error %v", file, len(records), err)
		}
		for _, record := range records[1:] {
			asn, kind, source, date := record[0], record[2], record[3], record[4]
			n, err := strconv.Atoi(strings.TrimPrefix(asn, "AS"))
			if err != nil || n >= 64496 && n <= 131071 || n >= 4_200_000_000 {
				t.Errorf("%s: %s is no autonomous system of the internet: it is for documentation or for private use", file, asn)
			}
			if kind+".csv" != filepath.Base(file) || !regexp.MustCompile(`^https://rdap\.org/autnum/`+strconv.Itoa(n)+`$|\d{4}`).MatchString(source) {
				t.Errorf("%s: %v: the kind is not the file's, or the source is none", file, record)
			}
			if _, err := time.Parse(time.DateOnly, date); err != nil {
				t.Errorf("%s: %v: %v", file, record, err)
			}
			if seen[asn] != "" {
				t.Errorf("%s is in %s and in %s", asn, seen[asn], file)
			}
			seen[asn] = file
		}
	}
}
