package embedded_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// example is a statement of the page, and its row in a comment after it.
var example = regexp.MustCompile(`(?m)^(select .+);\n-- (.+)$`)

func TestTheExamplesOfThePageOfFunctions(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/sql-functions.md")
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, 0)
	examples := example.FindAllStringSubmatch(string(page), -1)
	if want := strings.Count(string(page), "\nselect "); len(examples) != want || want == 0 {
		t.Errorf("%d examples with a result, of %d", len(examples), want)
	}
	for _, e := range examples {
		if got := f.query(t, e[1]); got != e[2] {
			t.Errorf("%s: got %s, the page says %s", e[1], got, e[2])
		}
	}
	for _, function := range regexp.MustCompile("`(regexp_\\w+)`").FindAllStringSubmatch(string(page), -1) {
		if got := f.query(t, "select count(*) > 0 from pragma_function_list where name = '"+function[1]+"'"); got != "1" {
			t.Errorf("there is no function %s", function[1])
		}
	}
}
