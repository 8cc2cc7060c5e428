package report

import "strings"

// class returns the class of the colours of a result.
func (r Result) class() string {
	if IsUnchecked(r.Verdict) {
		return "unchecked"
	}
	return string(r.Level())
}

// An htmlRow is a row of the table.
type htmlRow struct {
	Card                                                                       int // the number of its card, or 0
	Order                                                                      int // of the address among all addresses
	Class, IP, Level, Score, Confidence, Reasons, Organization, Country, Ports string
}

// newHTMLRow returns the row of a result, without its order and the number of its card. It refers to no text of the result.
func newHTMLRow(r Result) *htmlRow {
	return &htmlRow{
		Class: r.class(), IP: strings.Clone(shortened(r.IP(), 100)), Level: string(r.Level()), Score: r.score(), Confidence: r.confidence(),
		Reasons: strings.Clone(shortened(r.reasonText(), 200)), Organization: strings.Clone(shortened(r.organization(), 80)),
		Country: strings.Clone(shortened(r.country(), 20)), Ports: r.ports(6),
	}
}

// size returns at least how many bytes the row has.
func (r *htmlRow) size() int {
	return textSize(r.Class, r.IP, r.Level, r.Score, r.Confidence, r.Reasons, r.Organization, r.Country, r.Ports)
}
