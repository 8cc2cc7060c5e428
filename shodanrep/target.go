package shodanrep

import (
	"strconv"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
)

// A manner is in which way a scan asks about its addresses, as far as it says so.
type manner struct {
	source  lookup.Source // empty where it names none
	history *bool         // nil in tables that have no such column, too
	minify  *bool
	policy  string // as source
}

// A subject is an address of a scan with the manner in which it is asked about: what a row is about.
type subject struct {
	address
	manner
	answer *lookup.Answer // where it is known already, because a dataset was listed
}

// question is what to ask about the subject. A source that the table itself names goes before.
func (s *subject) question(want lookup.Question) lookup.Question {
	want.Addr = s.addr
	if want.Source == "" {
		want.Source = s.source
	}
	if s.minify != nil && *s.minify {
		want.Banners, want.History = false, false
	} else if s.history != nil && *s.history {
		want.History = true
	}
	return want
}

// mannersOf returns the manners in which quals ask: quals that the SDK has split ask in one.
func mannersOf(quals map[string]*proto.Quals) []manner {
	manners := []manner{{}}
	expand := func(column string, set func(*manner, string)) {
		asked := equals(quals[column])
		if asked == nil {
			return
		}
		texts, _ := textsOf(asked)
		var expanded []manner
		for _, m := range manners {
			for _, text := range texts {
				set(&m, text)
				expanded = append(expanded, m)
			}
		}
		manners = expanded
	}
	expand("source", func(m *manner, text string) { m.source = lookup.Source(text) })
	expand("history", func(m *manner, text string) { m.history = truthOf(text) })
	expand("policy", func(m *manner, text string) { m.policy = text })
	expand("minify", func(m *manner, text string) { m.minify = truthOf(text) })
	return manners
}

// subjectsOf returns what quals ask for: each address in each manner.
func subjectsOf(quals map[string]*proto.Quals) []*subject {
	manners := mannersOf(quals)
	texts, _ := textsOf(equals(quals["ip"]))
	subjects := make([]*subject, 0, len(texts)*len(manners))
	for _, text := range texts {
		for _, m := range manners {
			subjects = append(subjects, &subject{address: parseAddress(text), manner: m})
		}
	}
	return subjects
}

// truthOf reads a truth value, or returns nil for a text that is none.
func truthOf(text string) *bool {
	value, err := strconv.ParseBool(text)
	if err != nil {
		return nil
	}
	return &value
}
