package changes

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// An event is what one check found changed of an address, or an address that was not checked: a line of a table.
type event struct {
	*scan.Observed
	before    *scan.Observed // nil if the address was not checked before
	changes   []*scan.Change // selected ones
	unchecked string
}

// events returns the events of a result in order of time.
func events(r Result) []event {
	var found []event
	for _, change := range r.Changes {
		if n := len(found); n > 0 && found[n-1].Observed == change.Observed {
			found[n-1].changes = append(found[n-1].changes, change)
			continue
		}
		found = append(found, event{Observed: change.Observed, before: change.Before, changes: []*scan.Change{change}})
	}
	if r.Unchecked != "" {
		found = append(found, event{Observed: r.NotChecked, unchecked: r.Unchecked})
	}
	return found
}

// An order is where an event stands among others: those with a worse level come first, then the highest score, then the
// newest. Addresses that were not checked come last.
type order struct {
	group, score int
	first        time.Time
}

// orderOf returns where an event stands.
func orderOf(e event) order {
	o := order{group: 1, score: -1, first: e.First}
	switch {
	case e.unchecked != "":
		o.group = 2
	case e.changes[0].IsWorse():
		o.group = 0
	}
	if e.Score() != nil {
		o.score = e.Score().Score
	}
	return o
}

func (o order) compare(other order) int {
	return cmp.Or(cmp.Compare(o.group, other.group), cmp.Compare(other.score, o.score), other.first.Compare(o.first))
}

// was returns the level before.
func (e event) was() string {
	switch {
	case e.unchecked != "":
		return "-"
	case e.before == nil:
		return "new"
	}
	return string(e.before.Level())
}

// score returns the score, and the one before if it is another.
func (e event) score() string {
	text := func(o *scan.Observed) string {
		if o == nil || o.Score() == nil {
			return "-"
		}
		return strconv.Itoa(o.Score().Score)
	}
	is, was := text(e.Observed), text(e.before)
	if e.before == nil || is == was || is == "-" {
		return is
	}
	return was + " -> " + is
}

// seen returns when the change was found.
func (e event) seen() string {
	if e.unchecked != "" {
		return "-"
	}
	return minute(e.First)
}

// minute formats a time for people.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// maxValues is how many values of one kind of change are named.
const maxValues = 5

// text says what changed.
func (e event) text() string {
	if e.unchecked != "" {
		return e.unchecked
	}
	byKind := map[history.Kind][]*scan.Change{}
	for _, c := range e.changes {
		byKind[c.Kind] = append(byKind[c.Kind], c)
	}
	var texts []string
	for _, kind := range history.Kinds() {
		// The levels have columns of their own.
		if same := byKind[kind]; len(same) > 0 && (kind != history.Level || len(byKind) == 1) {
			texts = append(texts, phrase(same))
		}
	}
	return strings.Join(texts, "; ")
}

// phrase says what changes of one kind are about.
func phrase(same []*scan.Change) string {
	c, n := same[0], len(same)
	switch c.Kind {
	case history.Level:
		return "level " + cmp.Or(c.Old, "not known") + " -> " + c.New
	case history.Indexed:
		if c.Before == nil {
			return "first checked: " + ports(c.New)
		}
		return "indexed: " + ports(c.New)
	case history.NotIndexed:
		if c.Before == nil {
			return "first checked: not indexed"
		}
		return "no longer indexed, had " + ports(c.Old)
	case history.Organization:
		return "organization " + c.Old + " -> " + c.New
	case history.Certificate:
		if n == 1 {
			return fmt.Sprintf("another certificate on port %d", *c.Port)
		}
		return fmt.Sprintf("%d other certificates", n)
	}
	values := make([]string, n)
	for i, c := range same {
		values[i] = cmp.Or(c.New, c.Old)
	}
	noun, verb, _ := strings.Cut(string(c.Kind), "_") // port_opened
	if n > 1 {
		noun = map[string]string{"port": "ports", "vulnerability": "vulnerabilities", "tag": "tags"}[noun]
	}
	return noun + " " + verb + ": " + some(values)
}

// some lists the first values, and how many more there are.
func some(values []string) string {
	if n := len(values); n > maxValues {
		values = append(slices.Clone(values[:maxValues]), fmt.Sprintf("+%d", n-maxValues))
	}
	return strings.Join(values, ", ")
}

// ports names a list of ports.
func ports(list string) string {
	values := strings.Split(list, ", ")
	switch {
	case list == "":
		return "no ports"
	case len(values) == 1:
		return "port " + list
	}
	return "ports " + some(values)
}
