package cli

import (
	"cmp"
	"slices"
	"sync"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/report"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A checkedPart is what is written and counted of results that follow each other.
type checkedPart struct {
	outcomes []countedOutcome
	written  writtenLevels
	// text are the results that are selected, in a format that has an Appender. If they are collected, or in a format that
	// has a Reducer, they are reduced. In other formats they are results.
	text    *[]byte
	reduced []reducedResult
	results []report.Result
}

// A reducedResult is what is written of a result. It is much smaller than the response that the result refers to.
type reducedResult struct {
	rank int
	text []byte       // in a format that has an Appender
	add  func() error // in a format that has a Reducer
}

func (r reducedResult) write(out report.Writer) error {
	if r.add != nil {
		return r.add()
	}
	return out.(report.Appender).WriteText(r.text)
}

// A collection is the results that are written worst first.
type collection struct {
	reduced []reducedResult
	results []report.Result
}

// add adds the results of a part.
func (c *collection) add(p *checkedPart) {
	c.reduced = append(c.reduced, p.reduced...)
	c.results = append(c.results, p.results...)
}

// write writes the results. Only one of the lists has any.
func (c *collection) write(out report.Writer) error {
	slices.SortStableFunc(c.reduced, func(a, b reducedResult) int { return cmp.Compare(b.rank, a.rank) })
	for i := range c.reduced {
		if err := c.reduced[i].write(out); err != nil {
			return err
		}
		c.reduced[i] = reducedResult{} // so that its memory is free
	}
	report.WorstFirst(c.results)
	for _, r := range c.results {
		if err := out.Write(r); err != nil {
			return err
		}
	}
	return nil
}

// A countedOutcome is how many results have an outcome.
type countedOutcome struct {
	report.Outcome
	n int
}

// partTexts are buffers for the texts of parts.
var partTexts = sync.Pool{New: func() any { return new([]byte) }}

// converter returns what makes parts of verdicts. It runs on several processors at a time: all that takes long is done
// there, and only counting and writing remain.
func (c *check) converter(out report.Writer) scan.VerdictConverter[*checkedPart] {
	appender, isAppender := out.(report.Appender)
	reducer, isReducer := out.(report.Reducer)
	collects := c.collects()
	// What is written at once is not reduced: that would only take time.
	isReducer = isReducer && (collects || c.output.AtEnd)
	convert := func(first int, verdicts []*scan.Verdict) *checkedPart {
		p := &checkedPart{}
		if isAppender && !collects {
			p.text = partTexts.Get().(*[]byte)
			*p.text = (*p.text)[:0]
		}
		for i, v := range verdicts {
			p.count(report.OutcomeOf(v, c.checker.NetworkLimit()))
			if !c.shows(v) && !(c.output.KeepsUnchecked && report.IsUnchecked(v)) {
				continue
			}
			if c.output.AddressesOnly {
				p.written.add(v.Level(), 1)
			}
			r := c.result(first+i, v)
			switch {
			case p.text != nil:
				*p.text = appender.Append(*p.text, r)
			case isAppender:
				p.reduced = append(p.reduced, reducedResult{rank: r.Rank(), text: appender.Append(nil, r)})
			case isReducer:
				p.reduced = append(p.reduced, reducedResult{rank: r.Rank(), add: reducer.Reduce(r)})
			default:
				p.results = append(p.results, r)
			}
		}
		return p
	}
	return scan.VerdictConverter[*checkedPart]{Convert: convert, Keeps: !isAppender && !isReducer} // other formats refer to the verdicts
}

// result returns the result of a target with a number.
func (c *check) result(number int, v *scan.Verdict) report.Result {
	entry := c.list.entry(number)
	return report.Result{
		Verdict: v, Hits: entry.hits, Line: entry.line, Input: c.list.inputOf(entry), SeveralInputs: len(c.list.inputs) > 1,
		NetworkLimit: c.checker.NetworkLimit(),
	}
}

// count counts a result. There are only a few different outcomes.
func (p *checkedPart) count(o report.Outcome) {
	for i := range p.outcomes {
		if p.outcomes[i].Outcome == o {
			p.outcomes[i].n++
			return
		}
	}
	p.outcomes = append(p.outcomes, countedOutcome{o, 1})
}

// write writes a part that is not collected.
func (p *checkedPart) write(out report.Writer) error {
	if p.text != nil {
		defer partTexts.Put(p.text)
		if len(*p.text) == 0 {
			return nil
		}
		return out.(report.Appender).WriteText(*p.text)
	}
	for _, r := range p.reduced {
		if err := r.write(out); err != nil {
			return err
		}
	}
	for _, r := range p.results {
		if err := out.Write(r); err != nil {
			return err
		}
	}
	return nil
}

// count counts the results of a part.
func (c *check) count(p *checkedPart) {
	for _, o := range p.outcomes {
		c.failOn.countSeveral(string(o.Level), string(o.Status), o.n)
		c.summary.Add(o.Outcome, o.n)
		c.checked.add(o.Status, int64(o.n))
	}
	for level, n := range p.written {
		c.written.add(level, n)
	}
}
