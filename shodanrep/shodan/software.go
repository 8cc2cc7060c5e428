package shodan

import (
	"encoding/json"
	"slices"
	"strings"
)

// An httpDatabase is a database that speaks HTTP itself. Shodan's crawler takes many of them for web servers, and names
// no product; their own responses do.
type httpDatabase struct {
	name string
	// marks are texts of which any, in the headers or in the page, is the database's own.
	marks []string
}

var httpDatabases = []httpDatabase{
	{"Elasticsearch", []string{`"You Know, for Search"`}},
	{"OpenSearch", []string{`"The OpenSearch Project: https://opensearch.org/"`}},
	{"CouchDB", []string{`{"couchdb":"Welcome"`, "\nServer: CouchDB/"}},
	{"InfluxDB", []string{"\nX-Influxdb-Version: "}},
	{"ClickHouse", []string{"\nX-ClickHouse-"}},
}

// Where a mark is in a banner's JSON, an escape of a quotation mark or a line break is before its first word, or the string
// begins there. So few strings need to be decoded to look for marks. markWords are the first words, as long as nothing in
// them is escaped as a rule; markFirst are their first bytes, and markBytes all that the marks have: any of them may be
// written as \u and four digits.
var markWords, markFirst, markBytes = findMarkWords()

func findMarkWords() (words []string, first, all [256]bool) {
	for _, database := range httpDatabases {
		for _, mark := range database.marks {
			word := strings.TrimLeft(mark, "{\"\n")
			if end := strings.IndexAny(word, `"/`); end >= 0 {
				word = word[:end]
			}
			words = append(words, word)
			first[word[0]] = true
			for _, c := range []byte(mark) {
				all[c] = true
			}
		}
	}
	return words, first, all
}

// mayBeMark reports whether a part of a string begins with the first word of a mark.
func mayBeMark(text []byte) bool {
	if len(text) == 0 || !markFirst[text[0]] {
		return false
	}
	return slices.ContainsFunc(markWords, func(word string) bool {
		return len(text) >= len(word) && string(text[:len(word)]) == word
	})
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
	s := scanner{text: b.Raw}
	if _ = s.skip(); !s.marked { // nearly all banners end here, without being decoded again
		return nil
	}
	response := responseOf(b)
	for _, database := range httpDatabases {
		for _, mark := range database.marks {
			if strings.Contains(response, mark) {
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
