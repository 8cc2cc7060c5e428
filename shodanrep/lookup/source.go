package lookup

// A Source is where an answer comes from.
type Source string

// The sources. Auto is a choice, never an answer: a dataset that has the address, else the REST API where a key is set
// and its plan allows it, else InternetDB, the service or the file of it that the connection names.
const (
	Auto       Source = "auto"
	Dataset    Source = "dataset"
	Shodan     Source = "shodan"
	InternetDB Source = "internetdb"
)

// source returns the source of a question whose address the dataset does not have.
func (b *Batch) source(q Question) Source {
	e := b.engine
	if named := b.named(q); named != Auto {
		return named
	}
	switch {
	case q.RequireBanners && e.rest == nil:
		return Dataset
	case q.RequireBanners:
		return Shodan
	case q.SkipREST || e.rest == nil || b.size > e.cfg.APILookupLimit:
		return InternetDB
	}
	if b.refused() != nil {
		return InternetDB
	}
	return Shodan
}

// named returns the one source that a question is for, by the query or by the connection, or Auto.
func (b *Batch) named(q Question) Source {
	if q.Source != Auto {
		return q.Source
	}
	return b.engine.cfg.Source
}

// mayUseDataset reports whether the dataset may answer a question.
func (b *Batch) mayUseDataset(q Question) bool {
	named := b.named(q)
	return b.engine.dataset != nil && (named == Auto || named == Dataset)
}
