package history

import (
	"context"
	"errors"
)

type postgresBackend struct{ opts Options }

func newPostgres(opts Options) *postgresBackend { return &postgresBackend{opts} }

func (b *postgresBackend) write(ctx context.Context, sightings []*sighting) error {
	return errors.ErrUnsupported
}
func (b *postgresBackend) states(ctx context.Context, f Filter, yield func(State) bool) error {
	return errors.ErrUnsupported
}
func (b *postgresBackend) stats(ctx context.Context) (Stats, error) {
	return Stats{}, errors.ErrUnsupported
}
func (b *postgresBackend) close() error { return nil }
