package report

import (
	"encoding/json"
	"strconv"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// appendJSON appends a value as encoding/json does, with a quote of its own.
func appendJSON(b []byte, q rowformat.Quote, value any) []byte {
	switch v := value.(type) { // the usual types, without reflection
	case []string:
		return q.AppendStrings(b, v)
	case shodan.Texts:
		return q.AppendStrings(b, v)
	case []int:
		return rowformat.AppendInts(b, v)
	case shodan.Ints:
		return rowformat.AppendInts(b, v)
	case []reputation.Factor:
		return appendFactors(b, q, v)
	case reputation.Evidence:
		return appendEvidence(b, q, v)
	}
	text, err := json.Marshal(value)
	if err != nil {
		return append(b, "null"...) // no value of a column fails
	}
	return q.Append(b, text)
}

// appendFactors appends factors as encoding/json does.
func appendFactors(b []byte, q rowformat.Quote, factors []reputation.Factor) []byte {
	if factors == nil {
		return append(b, "null"...)
	}
	b = append(b, '[')
	for i := range factors {
		f := &factors[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = q.AppendString(appendKey(append(b, '{'), q, "factor"), f.Factor)
		b = strconv.AppendInt(appendKey(append(b, ','), q, "points"), int64(f.Points), 10)
		b = q.AppendString(appendKey(append(b, ','), q, "detail"), f.Detail)
		b = append(appendJSON(appendKey(append(b, ','), q, "evidence"), q, f.Evidence), '}')
	}
	return append(b, ']')
}

// appendEvidence appends evidence as its MarshalJSON does.
func appendEvidence(b []byte, q rowformat.Quote, evidence reputation.Evidence) []byte {
	b = append(b, '{')
	for i, fact := range evidence {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendKey(b, q, fact.Fact)
		if fact.Ports != nil {
			b = rowformat.AppendInts(b, fact.Ports)
		} else {
			b = q.AppendStrings(b, fact.Texts)
		}
	}
	return append(b, '}')
}

// appendKey appends the key of an object, which is plain, and a colon.
func appendKey(b []byte, q rowformat.Quote, key string) []byte {
	return append(append(append(append(b, q...), key...), q...), ':')
}
