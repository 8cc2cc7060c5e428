package shodanrep

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestAWrongArgumentFailsTheQueriesOfItsConnection(t *testing.T) {
	t.Setenv("SHODAN_API_KEY", "")
	for spc, want := range map[string]string{
		`source = "shodn"`:                           `source = "shodn": use "auto", "dataset", "shodan", "internetdb"`,
		`source = "shodan"`:                          `source = "shodan" needs a key: set api_key, or the environment variable SHODAN_API_KEY`,
		`source = "dataset"`:                         `source = "dataset" needs files: set data_files`,
		`api_key = "with-a-hyphen"`:                  `api_key holds characters that no key has (the value is not shown)`,
		`api_key = "with\\\\backslash"`:              `api_key holds characters that no key has (the value is not shown)`,
		`api_key = "with space inside"`:              `api_key holds characters that no key has (the value is not shown)`,
		`api_lookup_limit = -1`:                      `api_lookup_limit = -1: use a whole number from 0 to 1000000`,
		`bulk_lookup = "yes"`:                        `bulk_lookup = "yes": use "auto", "on", "off"`,
		`correlation_limit = 0`:                      `correlation_limit = 0: use a whole number from 1 to 10000`,
		`search_limit = 0`:                           `search_limit = 0: use a whole number from 1 to 1000000`,
		`network_limit = -1`:                         `network_limit = -1: use a whole number from 1 to 1000000`,
		`requests_per_second = 0`:                    `requests_per_second = 0: use a number of requests a second greater than 0`,
		`internetdb_requests_per_second = -2`:        `internetdb_requests_per_second = -2: use a number`,
		`max_concurrency = 0`:                        `max_concurrency = 0: use a whole number from 1 to 1000`,
		`timeout = "10"`:                             `timeout = "10": use a time such as "10s", "5m" or "24h"`,
		`timeout = "-1s"`:                            `timeout = "-1s": use a time`,
		`cache = "of"`:                               `cache = "of": use "on", "memory", "off", a path`,
		`cache = "C:\temp\\c.sqlite"`:                `cache = "C:\temp\\c.sqlite": the path has a control character: write / or \\ for each \ of it`,
		`cache = "redis://:secret@/0"`:               `cache is no Redis address (it is not shown, it may hold a password)`,
		`data_files = ["C:\temp\\*.json.gz"]`:        `data_files = "C:\temp\\*.json.gz": the path has a control character: write / or \\ for each \ of it`,
		`policy = "C:\temp\\p.hcl"`:                  `policy = "C:\temp\\p.hcl": the path has a control character`,
		`allow_list = ["@C:\temp\\ours.txt"]`:        `allow_list = "C:\temp\\ours.txt": the path has a control character`,
		`cache_ttl = "1 day"`:                        `cache_ttl = "1 day": use a time`,
		`cache_max_size = "12 apples"`:               `cache_max_size = "12 apples": use a size of at least 1MB`,
		`history_store = "of"`:                       `history_store = "of": use "on", "off", a path`,
		`history_store = ""`:                         `history_store = "": use "on", "off", a path`,
		`history_store = "C:\temp\\h.sqlite"`:        `history_store = "C:\temp\\h.sqlite": the path has a control character: write / or \\ for each \ of it`,
		`history_store = "postgres://u:secret@h:p"`:  `history_store is no PostgreSQL address (it is not shown, it may hold a password)`,
		`history_store = "redis://:secret@h"`:        `history_store is no PostgreSQL address`,
		`history_store = "postgresql:u:secret@h/d"`:  `history_store is no PostgreSQL address (it is not shown, it may hold a password)`,
		`history_store = "host=a.b password=secret"`: `history_store is no PostgreSQL address (it is not shown, it may hold a password)`,
		`cache = "redis:/u:secret@h:6379"`:           `cache is no Redis address (it is not shown, it may hold a password)`,
		`history_keep = "400"`:                       `history_keep = "400": use a time of at least an hour, such as "400d", "36h" or "1d12h"`,
		`history_keep = "-1d"`:                       `history_keep = "-1d": use a time`,
		`history_keep = "10m"`:                       `history_keep = "10m": use a time`,
		`history_keep = "0d"`:                        `history_keep = "0d": use a time`,
		`history_keep = "40000d"`:                    `history_keep = "40000d": use a time`,
		`history_keep = "1d-24h"`:                    `history_keep = "1d-24h": use a time`,
		`history_max_size = "1KB"`:                   `history_max_size = "1KB": use a size of at least 1MB`,
		`policy = "extendd"`:                         `policy = "extendd": there is no policy of that name: did you mean "extended"?`,
		`policy = "strict"`:                          `policy = "strict": there is no policy of that name: use "baseline", "extended", or the path of a file such as "./policy.hcl"`,
		`policy = "/none/x.hcl"`:                     `policy = "/none/x.hcl": stat /none/x.hcl: no such file`,
		`policy = "../config/shodanrep.spc"`:         `policy = "../config/shodanrep.spc": ../config/shodanrep.spc:1: the file has no block connection: blocks are policy`,
		`allow_list = ["example.com ours"]`:          `allow_list: "example.com ours": use an address, a network or an autonomous system, and a reason after a space, such as "203.0.113.0/24 our scanners" or "AS64496 our provider", or a file of such lines, as "@~/list.txt"`,
		`policy = "/dev/zero"`:                       `policy = "/dev/zero": read /dev/zero: is not a file`, // it never ends
		`deny_list = ["@/dev/zero"]`:                 `deny_list: read /dev/zero: is not a file`,
		`deny_list = ["@/none/deny.txt"]`:            `deny_list: stat /none/deny.txt: no such file`,
		`deny_list = ["@../config/shodanrep.spc"]`:   `deny_list: ../config/shodanrep.spc:1: "connection`,
		`deny_list = "192.0.2.1"`:                    `deny_list = "192.0.2.1": use a list of texts, such as ["203.0.113.0/24 attacked us"]`,
		`api_url = "api.shodan.io"`:                  `api_url = "api.shodan.io": use an address such as "https://api.shodan.io"`,
		`internetdb_url = "ftp://x"`:                 `internetdb_url = "ftp://x": use an address such as "https://internetdb.shodan.io"`,
		`api_url = "https://host.test/#"`:            `api_url = "https://host.test/#": use an address such as "https://api.shodan.io"`,
		`api_url = "https://host.test?"`:             `api_url is no such address (it is not shown, it may hold a key or a password): use an address`,
		`internetdb_url = "http://:8080"`:            `internetdb_url = "http://:8080": use an address such as "https://internetdb.shodan.io"`,
		`api_url = "https://me:secret@host.test"`:    `api_url is no such address (it is not shown, it may hold a key or a password): use an address`,
		`api_url = "https://secret@host.test"`:       `api_url is no such address (it is not shown, it may hold a key or a password): use an address`,
		`api_url = "https://me:secret@host.test/%z"`: `api_url is no such address (it is not shown, it may hold a key or a password): use an address`,
		`api_url = "https://host.test/?key=secret"`:  `api_url is no such address (it is not shown, it may hold a key or a password): use an address`,

		// Arguments that there are not. Their values may be a key, and are not shown.
		`nonesuch = "secret"`:          `there is no argument "nonesuch": the arguments are allow_list, api_key,`,
		`apikey = "secret"`:            `there is no argument "apikey": did you mean "api_key"?`,
		`API_KEY = "secret"`:           `there is no argument "API_KEY": did you mean "api_key"?`,
		`request_per_second = 1`:       `there is no argument "request_per_second": did you mean "requests_per_second"?`,
		`internet_db_url = "http://x"`: `there is no argument "internet_db_url": did you mean "internetdb_url"?`,
		"block {\n}":                   `Blocks are not allowed here`,

		// Values of the wrong type, and what is no value.
		`max_concurrency = "many"`:                  `max_concurrency = "many": use a whole number from 1 to 1000`,
		`max_concurrency = 1.5`:                     `max_concurrency = 1.5: use a whole number from 1 to 1000`,
		`max_concurrency = [1]`:                     `max_concurrency = [1]: use a whole number from 1 to 1000`,
		`max_concurrency = true`:                    `max_concurrency = true: use a whole number from 1 to 1000`,
		`network_limit = 99999999999999999999`:      `network_limit = 99999999999999999999: use a whole number`,
		`requests_per_second = "fast"`:              `requests_per_second = "fast": use a number of requests a second greater than 0, up to 1000000`,
		`requests_per_second = { a = 1 }`:           `requests_per_second = {`,
		`data_window = "30 days"`:                   `data_window = "30 days": use a time of at least an hour, such as "400d", "36h" or "1d12h"`,
		`data_files = "x.json"`:                     `data_files = "x.json": use a list of texts, such as ["~/shodan/*.json.gz"]`,
		`data_files = ["x.json", null]`:             `data_files = ["x.json", null]: use a list of texts`,
		`data_files = { a = "x.json" }`:             `data_files = {`,
		`allow_list = 7`:                            `allow_list = 7: use a list of texts`,
		`timeout = ["10s"]`:                         `timeout = ["10s"]: use a time such as "10s", "5m" or "24h"`,
		`cache_ttl = {}`:                            `cache_ttl = {}: use a time`,
		`cache_max_size = ["1GB"]`:                  `cache_max_size = ["1GB"]: use a size of at least 1MB`,
		`source = ["auto"]`:                         `source = ["auto"]: use "auto", "dataset", "shodan", "internetdb"`,
		`policy = ["baseline"]`:                     `policy = ["baseline"]: use "baseline", "extended", or the path of a file such as "./policy.hcl"`,
		`api_key = ["secret"]`:                      `api_key = (a value that is not shown): use the key from https://account.shodan.io, in quotes`,
		`cache = ["redis://:secret@h"]`:             `cache = (a value that is not shown): use "on", "memory", "off", a path`,
		`history_store = ["postgres://u:secret@h"]`: `history_store = (a value that is not shown): use "on", "off", a path`,
		`history_keep = 400`:                        `history_keep = "400": use a time`,
		`api_url = ["http://me:secret@h"]`:          `api_url = (a value that is not shown): use an address such as "https://api.shodan.io"`,
		`source = auto`:                             `source has no value: Variables not allowed; write a text in quotes, as in source = "…"`,
		`api_key = secret`:                          `api_key has no value: Variables not allowed; write a text in quotes`,
		`api_key = env("SHODAN_KEY")`: `api_key has no value: Function calls not allowed; write a text in quotes, as in api_key = "…", ` +
			`or leave the argument out and set the environment variable SHODAN_API_KEY`,
		`timeout = upper("x")`: `timeout has no value: Function calls not allowed`,
	} {
		s := mustConnect(t, spc)
		rows, err := s.run(t, query{table: "shodan_ip_reputation", columns: []string{"ip"}, quals: map[string]*proto.QualValue{"ip": inets(bad)}})
		if len(rows) != 0 || err != nil && strings.Count(err.Error(), "connection test") != 1 {
			t.Errorf("%s: %d rows, error %v, which has to name the connection once", spc, len(rows), err)
		}
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "space inside") {
			t.Errorf("%s: error %v, want %s", spc, err, want)
		}
	}
}

func TestATimeMayHaveDays(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"1d": 24 * time.Hour, "400d": 400 * 24 * time.Hour, "1d12h": 36 * time.Hour, "36h": 36 * time.Hour, "0d90m": 90 * time.Minute,
		"36500d": 36500 * 24 * time.Hour,
	} {
		var r argumentReader
		if got := r.days("history_keep", &text, time.Minute); got != want || r.err != nil {
			t.Errorf("%s is %v, %v, want %v", text, got, r.err, want)
		}
	}
}

func TestTheKeyAndTheAddressComeFromTheEnvironmentWhereTheConnectionHasNone(t *testing.T) {
	sim := simulate(t)
	t.Setenv("SHODAN_API_KEY", " "+shodantest.Key+" ")
	t.Setenv("SHODAN_API_URL", sim.APIURL())
	rows := mustConnect(t, `source = "shodan"`+"\n"+`cache = "off"`+"\n"+`requests_per_second = 100`).mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad)}})
	if r := byIP(t, rows, bad); r["source"] != "shodan" || r["status"] != "indexed" {
		t.Errorf("%v", r)
	}
}

func TestWhatIsAroundAKeyIsNoPartOfIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"KEY": "KEY", " KEY\r\n": "KEY", "\ufeffKEY\n": "KEY", "\ufeff\"KEY\"\r\n": "KEY", `"KEY"`: "KEY", " 'KEY' ": "KEY", `" KEY "`: "KEY",
		`"KEY`: `"KEY`, `"KEY'`: `"KEY'`, "\u00a0KEY": "KEY", `""`: "", `"`: `"`, "": "", "\ufeff": "",
	} {
		if got := cleanKey(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestAnErrorOfTheKeySaysWhereTheKeyIsFrom(t *testing.T) {
	sim := simulate(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(home, ".config"))
	file := filepath.Join(home, ".config", "shodan", "api_key")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		argument, variable, file string // the key in each
		want                     string
	}{
		"the argument, refused": {"WRONGKEY", "OTHERKEY", "OTHERKEY\n", "Shodan refused the API key from the argument api_key (HTTP 401"},
		"the variable, refused": {"", "WRONGKEY", "OTHERKEY\n", "Shodan refused the API key from the environment variable SHODAN_API_KEY (HTTP 401"},
		"the file, refused":     {"", "", "WRONGKEY\n", "Shodan refused the API key from the file " + file + " of Shodan's command line (HTTP 401"},
		"the file, in UTF-16":   {"", "", "\xff\xfeW\x00R\x00O\x00N\x00G\x00K\x00E\x00Y\x00\r\x00\n\x00", "Shodan refused the API key from the file " + file + " of Shodan's command line (HTTP 401"},
		"the argument, odd":     {"WRONG-KEY", "OTHERKEY", "OTHERKEY\n", "connection test: api_key holds characters"},
		"the variable, odd":     {"", "WRONG-KEY", "OTHERKEY\n", "connection test: the API key from the environment variable SHODAN_API_KEY holds characters"},
		"the file, odd":         {"", "", "WRONG-KEY\n", "connection test: the API key from the file " + file + " of Shodan's command line holds characters"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SHODAN_API_KEY", test.variable)
			if err := os.WriteFile(file, []byte(test.file), 0o600); err != nil {
				t.Fatal(err)
			}
			spc := free(sim) + "source = \"shodan\"\n"
			if test.argument != "" {
				spc += fmt.Sprintf("api_key = %q\n", test.argument)
			}
			_, err := mustConnect(t, spc).run(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": inets(bad)}})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "WRONG") {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func TestQueriesThatCannotBeAnsweredSayHowToAsk(t *testing.T) {
	sim := simulate(t)
	s := mustConnect(t, free(sim))
	nothing := &proto.QualValue{}
	for name, tt := range map[string]struct {
		quals map[string]*proto.QualValue
		want  string
	}{
		"no key column":                            {nil, "missing"},
		"a value known only when the query runs":   {map[string]*proto.QualValue{"ip": nothing}, "cross join lateral (select * from shodan_ip_reputation where ip = any(u.ips) offset 0)"},
		"a source without addresses":               {map[string]*proto.QualValue{"source": texts("internetdb")}, "only the dataset can be listed whole"},
		"a dataset that the connection has not":    {map[string]*proto.QualValue{"source": texts("dataset")}, `source "dataset" needs files: set data_files`},
		"the REST API without a key":               {map[string]*proto.QualValue{"ip": inets(bad), "source": texts("shodan")}, `source "shodan" needs an API key: set api_key`},
		"a source that there is not":               {map[string]*proto.QualValue{"ip": inets(bad), "source": texts("censys")}, `"censys" is no source: use dataset, shodan or internetdb`},
		"auto, which is a choice and not a source": {map[string]*proto.QualValue{"ip": inets(bad), "source": texts("auto")}, "leave source out"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, table := range []string{"shodan_ip_reputation", "shodan_service"} {
				rows, err := s.run(t, query{table: table, quals: tt.quals})
				want := strings.ReplaceAll(tt.want, "shodan_ip_reputation", table)
				if err == nil || !strings.Contains(err.Error(), want) || len(rows) != 0 {
					t.Errorf("%s: %d rows, error %v", table, len(rows), err)
				}
			}
		})
	}
	if sim.Count("") != 0 {
		t.Errorf("%d requests", sim.Count(""))
	}
}

func TestAddressesInOtherForms(t *testing.T) {
	sim := simulate(t)
	s := mustConnect(t, free(sim))
	for given, status := range map[string]string{
		bad + "/32":            "indexed",
		"::ffff:" + bad:        "indexed",
		"::ffff:11.0.0.1/128":  "indexed",
		"2001:db8::1":          "reserved",
		"fe80::1":              "reserved",
		"255.255.255.255":      "reserved",
		"11.0.0.0/31":          "not_a_host",
		"0.0.0.0/0":            "not_a_host",
		"2606:4700:4700::1111": "not_indexed",
	} {
		// As text, which is how a generic plan and the embedded engine hand an address over.
		rows := s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": texts(given)}})
		if len(rows) != 1 || rows[0]["ip"] != given || rows[0]["status"] != status {
			t.Errorf("%s: %v", given, rows)
		}
	}
	for _, given := range []string{"999.1.1.1", "example.com", "", "1.2.3", "fe80::1%", "1.1.1.1/33", "1.1.1.1-1.1.1.9"} {
		rows := s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": texts(given)}})
		if len(rows) != 1 || rows[0]["ip"] != nil || rows[0]["status"] != "error" || rows[0]["level"] != "unknown" || !strings.Contains(rows[0]["error"].(string), "is not an IP address") {
			t.Errorf("%q: %v", given, rows)
		}
	}
	// An inet column holds no zone: the embedded engine shows the text that was asked for.
	zoned := s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": texts("fe80::1%eth0")}})
	if len(zoned) != 1 || zoned[0]["ip"] != nil || zoned[0]["status"] != "reserved" || zoned[0]["error"] != nil {
		t.Errorf("an address with a zone: %v", zoned)
	}
	rows := s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": texts(bad, "example.com", good)}})
	if len(rows) != 3 {
		t.Errorf("a value that is no address costs the others their rows: %v", rows)
	}
	if list := (&proto.QualValue{Value: &proto.QualValue_ListValue{ListValue: &proto.QualValueList{}}}); len(s.mustRun(t, query{table: "shodan_ip_reputation", quals: map[string]*proto.QualValue{"ip": list}})) != 0 {
		t.Error("an empty list has rows")
	}
}
