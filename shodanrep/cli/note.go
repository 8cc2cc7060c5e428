package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/display"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/rowformat"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/lookup"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// noteFields are the columns of verdicts that annotated lines have.
var noteFields = []string{
	"ip", "level", "score", "confidence", "status", "error", "source", "organization", "asn", "country_code", "listed",
	"list_reason", "last_update", "checked_at",
}

// A note is what is added to each line that has an address. It does not hold the host.
type note struct {
	ip, level, source, err string
	status                 lookup.Status
	score                  *int
	reasons                []string
	network                bool
	fields                 map[string]any // by column; without nulls
	json                   json.RawMessage
}

func newNote(v *shodanrep.Verdict) *note {
	n := &note{
		ip: v.IP(), level: string(v.Level()), status: v.Status(), source: string(v.Answer().Source), err: v.Answer().Error,
		network: v.IsNetwork(), fields: map[string]any{},
	}
	if r := v.Result(); r != nil {
		score := r.Score
		n.score = &score
	}
	if n.network {
		n.reasons = []string{"not checked: a network"}
	} else {
		n.reasons = report.Reasons(v)
	}
	for _, column := range shodanrep.VerdictColumns() {
		if value := report.Value(column, v); value != nil && slices.Contains(noteFields, column.Name) {
			n.fields[column.Name] = value
		}
	}
	return n
}

// failedNote returns the note on an address whose lookup did not end.
func failedNote(ip, problem string) *note {
	return &note{
		ip: ip, level: string(reputation.Unknown), status: lookup.Failed, err: problem, reasons: []string{"not checked: " + problem},
		fields: map[string]any{"ip": ip, "level": string(reputation.Unknown), "status": string(lookup.Failed), "error": problem},
	}
}

// unchecked reports whether the address was not checked.
func (n *note) unchecked() bool { return n.status == lookup.Failed || n.network }

// rank orders the notes of a line: the one with the highest rank is the verdict of the line. An address that could not
// be checked ranks above one that is low, or the line would look harmless.
func (n *note) rank() int {
	switch {
	case n.level == string(reputation.Low):
		return 3
	case n.score != nil:
		return 1000 + *n.score
	case n.status == lookup.Failed:
		return 5
	case n.network:
		return 4
	case n.status == lookup.NotIndexed:
		return 2
	}
	return 1
}

// worstOf returns the note that is the verdict of a line.
func worstOf(notes []*note) *note {
	return slices.MaxFunc(notes, func(a, b *note) int { return cmp.Compare(a.rank(), b.rank()) })
}

func uncheckedOf(notes []*note) int64 {
	var count int64
	for _, n := range notes {
		if n.unchecked() {
			count++
		}
	}
	return count
}

// text returns the note for a suffix, such as "198.51.100.66 critical 80".
func (n *note) text() string {
	switch {
	case n.score != nil:
		return n.ip + " " + n.level + " " + strconv.Itoa(*n.score)
	case n.status == lookup.Failed:
		return n.ip + " error: " + display.Printable(n.err)
	}
	return n.ip + " " + string(n.status)
}

func textsOfNotes(notes []*note) string {
	texts := make([]string, len(notes))
	for i, n := range notes {
		texts[i] = n.text()
	}
	return strings.Join(texts, ", ")
}

// suffix returns what is added to a line of text.
func suffix(field string, notes []*note) string {
	return " [" + field + " " + textsOfNotes(notes) + "]"
}

// noteColumns are the columns that are added to CSV, after the field's name and an underscore.
var noteColumns = []string{"ip", "level", "score", "confidence", "status", "source", "policy", "reasons", "unchecked", "verdicts"}

// noteValues returns the values of noteColumns. They are empty for a record without addresses.
func noteValues(policy string, notes []*note) []string {
	values := make([]string, len(noteColumns))
	if len(notes) == 0 {
		return values
	}
	worst := worstOf(notes)
	for i, column := range noteColumns {
		switch column {
		case "policy":
			values[i] = policy
		case "reasons":
			values[i] = display.Printable(strings.Join(worst.reasons, "; "))
		case "unchecked":
			values[i] = strconv.FormatInt(uncheckedOf(notes), 10)
		case "verdicts":
			values[i] = textsOfNotes(notes)
		default:
			if value, ok := worst.fields[column]; ok {
				values[i] = rowformat.Text(value)
			}
		}
	}
	return values
}

// appendMember appends a member to the members of a JSON object. A raw value must have no line endings.
func appendMember(b *bytes.Buffer, name string, value any) {
	if b.Len() > 0 && b.Bytes()[b.Len()-1] != '{' {
		b.WriteByte(',')
	}
	rowformat.AppendJSON(b, name)
	b.WriteByte(':')
	if raw, ok := value.(json.RawMessage); ok {
		b.Write(raw)
		return
	}
	rowformat.AppendJSON(b, value)
}

// rawList returns raw values as an array.
func rawList(values []json.RawMessage) json.RawMessage {
	list := json.RawMessage{'['}
	for i, value := range values {
		if i > 0 {
			list = append(list, ',')
		}
		list = append(list, value...)
	}
	return append(list, ']')
}

// object returns the note as a JSON object. It is made once, because a log has the same address in many lines.
func (n *note) object() json.RawMessage {
	if n.json != nil {
		return n.json
	}
	var b bytes.Buffer
	b.WriteByte('{')
	for _, name := range noteFields {
		if value, ok := n.fields[name]; ok {
			appendMember(&b, name, value)
		}
	}
	appendMember(&b, "reasons", n.reasons)
	b.WriteByte('}')
	n.json = b.Bytes()
	return n.json
}

// scoreValue returns the score as a value of JSON.
func (n *note) scoreValue() any {
	if n.score == nil {
		return nil
	}
	return int64(*n.score)
}

// fieldMember returns the member that is added to a JSON object.
func fieldMember(field, policy string, notes []*note) []byte {
	worst := worstOf(notes)
	var b bytes.Buffer
	b.WriteByte('{')
	appendMember(&b, "level", worst.level)
	appendMember(&b, "score", worst.scoreValue())
	appendMember(&b, "ip", worst.ip)
	appendMember(&b, "status", string(worst.status))
	appendMember(&b, "policy", policy)
	appendMember(&b, "unchecked", uncheckedOf(notes))
	verdicts := make([]json.RawMessage, len(notes))
	for i, n := range notes {
		verdicts[i] = n.object()
	}
	appendMember(&b, "verdicts", rawList(verdicts))
	b.WriteByte('}')
	var member bytes.Buffer
	appendMember(&member, field, json.RawMessage(b.Bytes()))
	return member.Bytes()
}
