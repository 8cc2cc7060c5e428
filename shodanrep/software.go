package shodanrep

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// An httpDatabase is a database that speaks HTTP itself. Shodan's crawler takes many of them for web servers, and names
// no product; their own responses do.
type httpDatabase struct {
	name string
	hint string // stands in the banner's JSON where one of the marks can
	// marks are texts of which any, in the headers or in the page, is the database's own.
	marks []string
}

var httpDatabases = []httpDatabase{
	{"Elasticsearch", "You Know, for Search", []string{`"You Know, for Search"`}},
	{"OpenSearch", "The OpenSearch Project", []string{`"The OpenSearch Project: https://opensearch.org/"`}},
	{"CouchDB", "ouch", []string{`{"couchdb":"Welcome"`, "\nServer: CouchDB/"}},
	{"InfluxDB", "X-Influxdb-", []string{"\nX-Influxdb-Version: "}},
	{"ClickHouse", "X-ClickHouse-", []string{"\nX-ClickHouse-"}},
}

// softwareOf returns what answers, as Shodan names it or as it names itself.
func softwareOf(b *shodan.Banner) (software []string) {
	if product := strings.TrimSpace(string(b.Product)); product != "" {
		software = append(software, product)
	}
	if b.HTTP == nil && !strings.HasPrefix(string(b.Module), "http") {
		return software
	}
	var response *string
	for _, database := range httpDatabases {
		if !bytes.Contains(b.Raw, []byte(database.hint)) {
			continue // nearly all banners end here, without being decoded again
		}
		if response == nil {
			response = new(string(b.Data) + "\n" + pageOf(b))
		}
		for _, mark := range database.marks {
			if strings.Contains(*response, mark) {
				software = append(software, database.name)
				break
			}
		}
	}
	return software
}

// pageOf returns the page of a web server, which old banners have in another place.
func pageOf(b *shodan.Banner) string {
	var raw struct {
		HTML shodan.Text `json:"html"`
		HTTP struct {
			HTML shodan.Text `json:"html"`
		} `json:"http"`
	}
	_ = json.Unmarshal(b.Raw, &raw) // a field of another type stays empty, and the rest is read
	return string(raw.HTTP.HTML) + "\n" + string(raw.HTML)
}
