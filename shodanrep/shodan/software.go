package shodan

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
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

// Software returns the names of the software that answers, by Shodan or by its own response.
func (b *Banner) Software() []string {
	var software []string
	if product := strings.TrimSpace(string(b.Product)); product != "" {
		software = append(software, product)
	}
	for _, found := range b.findDatabases() {
		software = append(software, found.database)
	}
	return software
}

// DatabaseMarks returns the texts in the response by which [Banner.Software] finds a database that speaks HTTP. In place
// of the response they give the same result.
func (b *Banner) DatabaseMarks() []string {
	var marks []string
	for _, found := range b.findDatabases() {
		marks = append(marks, found.mark)
	}
	return marks
}

// A databaseMark is a text that was found in a response.
type databaseMark struct{ database, mark string }

// findDatabases returns the databases whose marks are in the response, each with the first of them.
func (b *Banner) findDatabases() (found []databaseMark) {
	if b.Raw == nil {
		return withMarks(b.Marks)
	}
	if b.HTTP == nil && !strings.HasPrefix(string(b.Module), "http") {
		return nil
	}
	var response *string
	for _, database := range httpDatabases {
		if !bytes.Contains(b.Raw, []byte(database.hint)) {
			continue // nearly all banners end here, without being decoded again
		}
		if response == nil {
			response = new(responseOf(b))
		}
		for _, mark := range database.marks {
			if strings.Contains(*response, mark) {
				found = append(found, databaseMark{database.name, mark})
				break
			}
		}
	}
	return found
}

// withMarks returns the databases that have marks.
func withMarks(marks []string) (found []databaseMark) {
	for _, mark := range marks {
		for _, database := range httpDatabases {
			if slices.Contains(database.marks, mark) {
				found = append(found, databaseMark{database.name, mark})
			}
		}
	}
	return found
}

// responseOf returns the response of a web server: headers and page. Old banners have the page in another field.
func responseOf(b *Banner) string {
	var raw struct {
		Data Text `json:"data"`
		HTML Text `json:"html"`
		HTTP struct {
			HTML Text `json:"html"`
		} `json:"http"`
	}
	_ = json.Unmarshal(b.Raw, &raw) // a field of another type stays empty, and the rest is read
	return string(raw.Data) + "\n" + string(raw.HTTP.HTML) + "\n" + string(raw.HTML)
}
