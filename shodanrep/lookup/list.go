package lookup

import (
	"context"
	"iter"
	"net/netip"
)

// A Listed is an address of a list of all, with its answer.
type Listed struct {
	Addr   netip.Addr // invalid for a row of the file whose address cannot be read
	Answer Answer
}

// CanList reports whether a source can be listed whole: the dataset, and InternetDB if the connection has a file of it.
func (e *Engine) CanList(source Source) bool {
	return source == Dataset || source == InternetDB && e.file != nil
}

// ListDataset yields the hosts of the dataset that have what a question about them needs. An error is the last element.
func (e *Engine) ListDataset(ctx context.Context, need Question) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		data, err := e.Dataset(ctx)
		if err != nil {
			yield(Listed{}, err)
			return
		}
		list := data.AllSummaries
		if need.Banners || need.Raw {
			list = data.All
		}
		for host, err := range list(ctx) {
			if err != nil {
				yield(Listed{}, err)
				return
			}
			if need.RequireBanners && host.Banners == nil {
				continue
			}
			if !yield(Listed{host.Addr, Answer{Status: Indexed, Source: Dataset, Host: host}}, nil) {
				return
			}
		}
	}
}

// ListInternetDB yields what the file of InternetDB has, in the order of the file. An error is the last element.
func (e *Engine) ListInternetDB(ctx context.Context) iter.Seq2[Listed, error] {
	return func(yield func(Listed, error) bool) {
		progress, read := ProgressFrom(ctx), 0
		if progress != nil {
			defer func() { progress.tally.countPlain(read, nil) }()
		}
		for row, err := range e.file.All(ctx) {
			if err != nil {
				yield(Listed{}, wrapFileError(err))
				return
			}
			answer := fileAnswer(row.Addr, row.Result, row.Time)
			switch {
			case answer.failure == nil:
				read++
			case progress != nil:
				progress.tally.countFailure(answer.failure)
			}
			if !yield(Listed{row.Addr, answer}, nil) {
				return
			}
		}
	}
}
