package scan

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// withColumns is what SQL sees of a table.
func withColumns(names ...string) *plugin.Table {
	t := &plugin.Table{Name: "t"}
	for _, name := range names {
		t.Columns = append(t.Columns, &plugin.Column{Name: name, Type: proto.ColumnType_STRING})
	}
	return t
}

func noNeeds(Columns) lookup.Question { return lookup.Question{} }

func TestOnlyColumnsThatAreNoEchoesWaitForTheLookup(t *testing.T) {
	got := Define(withColumns("ip", "score", "title"), Table{
		Keys: plugin.KeyColumnSlice{AnyOf("ip")}, Echoes: []string{"ip", "title"}, Scores: true, Action: "host", Rows: OnePerTarget(noNeeds),
	}, nil)
	var waiting, keys []string
	for _, c := range got.Columns {
		if c.Hydrate != nil {
			waiting = append(waiting, c.Name)
		}
	}
	for _, k := range got.List.KeyColumns {
		keys = append(keys, k.Name)
	}
	if diff := cmp.Diff([][]string{{"score"}, {"ip", "policy"}}, [][]string{waiting, keys}); diff != "" || got.Cache.Enabled {
		t.Error(diff)
	}
	list, lookUp := got.List, got.HydrateConfig[0]
	if list.Tags["action"] != "list" || lookUp.Tags["action"] != "host" || list.Tags["service"] != "shodan" {
		t.Errorf("the tags are %v and %v", list.Tags, lookUp.Tags)
	}
	// The SDK takes two functions whose names end in the same word for one function.
	name := func(f plugin.HydrateFunc) string {
		full := runtime.FuncForPC(reflect.ValueOf(f).Pointer()).Name()
		return full[strings.LastIndex(full, ".")+1:]
	}
	if a, b := name(list.Hydrate), name(lookUp.Func); a == b {
		t.Errorf("List and the hydrate function are both called %s", a)
	}
}

func TestAnEchoThatIsNoColumnIsRefused(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("the table was defined")
		}
	}()
	Define(withColumns("ip"), Table{Echoes: []string{"adress"}, Rows: OnePerTarget(noNeeds)}, nil)
}

func TestPagesYieldEachItemOnce(t *testing.T) {
	failure := errors.New("failed")
	for name, tt := range map[string]struct {
		pages [][]int // the last is Last
		stuck bool    // no page is Last
		fails bool    // the page after those fails
		want  []int
		read  int
	}{
		"one page":                      {pages: [][]int{{1, 2}}, want: []int{1, 2}, read: 1},
		"items that move":               {pages: [][]int{{1, 2}, {2, 3}, {3, 4, 4}}, want: []int{1, 2, 3, 4}, read: 3},
		"pages that repeat":             {pages: [][]int{{1, 2}, {1, 2}, {3}}, stuck: true, want: []int{1, 2}, read: 2},
		"an empty list":                 {pages: [][]int{{}}, read: 1},
		"a page that cannot be fetched": {pages: [][]int{{1}}, stuck: true, fails: true, want: []int{1}, read: 2},
	} {
		t.Run(name, func(t *testing.T) {
			read := 0
			fetch := func(number int) (Page[int], error) {
				if read++; number != read+6 {
					t.Errorf("page %d is number %d", read, number)
				}
				if read > len(tt.pages) {
					return Page[int]{}, failure
				}
				return Page[int]{Items: tt.pages[read-1], Last: !tt.stuck && read == len(tt.pages)}, nil
			}
			var got []int
			var err error
			for page, failed := range Pages(7, fetch, func(n *int) string { return fmt.Sprint(*n) }) {
				got, err = append(got, page.Items...), failed
			}
			if !slices.Equal(got, tt.want) || read != tt.read || (err != nil) != tt.fails {
				t.Errorf("%v of %d pages, error %v", got, read, err)
			}
		})
	}
}

func TestListsOfSeveralColumnsAreCombined(t *testing.T) {
	add := func(column string) Field[string] {
		return Field[string]{column, func(s *string, text string) error {
			if text == "bad" {
				return context.Canceled
			}
			*s = (*s + "      ")[:3*(column[0]-'a')] + text
			return nil
		}}
	}
	q := quals{"a": {"a1", "a2"}, "c": {"c1", "c2"}, "e": nil}
	got, err := combine(q, add("a"), add("b"), add("c"))
	if diff := cmp.Diff([]string{"a1    c1", "a1    c2", "a2    c1", "a2    c2"}, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if got, err := combine(q, add("a"), add("e")); len(got) != 0 || err != nil {
		t.Errorf("an empty list: %q, %v", got, err)
	}
	q["b"] = []string{"bad"}
	if _, err := combine(q, add("a"), add("b")); err == nil {
		t.Error("a wrong value is taken")
	}
}

// A value that is not known must fail the scan before the calls for the others run, since nothing would wait for them.
func TestNoCallOfListRunsWhereOneOfThemCannot(t *testing.T) {
	t.Parallel()
	ran := make(chan string, 2)
	seen := Define(withColumns("network"), Table{
		Keys: plugin.KeyColumnSlice{Required("network")}, ReadBy: "network",
		Rows: FromPages(func(_ context.Context, c *ListCall, _ func(string) bool) error {
			ran <- c.Texts("network")[0]
			return nil
		}),
	}, nil)
	one := func(value *proto.QualValue) *proto.QualValue {
		return &proto.QualValue{Value: &proto.QualValue_ListValue{ListValue: &proto.QualValueList{Values: []*proto.QualValue{
			{Value: &proto.QualValue_StringValue{StringValue: "11.0.0.0/30"}}, value,
		}}}}
	}
	for name, value := range map[string]*proto.QualValue{
		"known": {Value: &proto.QualValue_StringValue{StringValue: "11.0.0.4/30"}}, "not known": {},
	} {
		d := &plugin.QueryData{Table: seen, QueryContext: &plugin.QueryContext{}, EqualsQuals: map[string]*proto.QualValue{"network": one(value)}}
		definedAs(seen).scanOf(t.Context(), d).connect = func() {}
		err := ReaderOf(seen)(t.Context(), d, nil, func([]*proto.Column) {})
		if isKnown := name == "known"; isKnown != (err == nil) || isKnown != (len(ran) == 2) {
			t.Errorf("%s: %d calls, error %v", name, len(ran), err)
		}
		for len(ran) > 0 {
			<-ran
		}
	}
}
