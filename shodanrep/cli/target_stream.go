package cli

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/netip"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
)

// streamTargets returns the addresses and networks of inputs, as often as they occur, without keeping them. It counts the
// malformed lines.
func streamTargets(stdin io.Reader, names []string, await awaiter, malformed *malformedLines) iter.Seq2[netip.Prefix, error] {
	return func(yield func(netip.Prefix, error) bool) {
		errStop := errors.New("stop")
		send := func(m iptext.Match) error {
			if !yield(m.Prefix, nil) {
				return errStop
			}
			return nil
		}
		err := readInputs(stdin, names, await, func(name string, matches []iptext.Match) error {
			malformed.addArgument(name)
			for _, m := range matches {
				if err := send(m); err != nil {
					return err
				}
			}
			return nil
		}, func(source io.Reader, name string) error {
			text, err := iptext.NewTextReader(source)
			if err != nil {
				return err
			}
			defer text.Close()
			for m, err := range iptext.NewScanner(malformed.reader(text, name)).All() {
				if err != nil {
					return err
				}
				if err := send(m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStop) {
			yield(netip.Prefix{}, err)
		}
	}
}

// partLength is how many targets are handed over at a time.
const partLength = 512

// interruptible returns a sequence that ends with the context, even if its source blocks, as a pipe can.
func interruptible(ctx context.Context, targets iter.Seq2[netip.Prefix, error]) iter.Seq2[netip.Prefix, error] {
	type part struct {
		prefixes []netip.Prefix
		err      error
	}
	return func(yield func(netip.Prefix, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		parts := make(chan part)
		send := func(p part) {
			select {
			case parts <- p:
			case <-ctx.Done():
			}
		}
		go func() {
			defer close(parts)
			var prefixes []netip.Prefix
			for prefix, err := range targets {
				if err != nil {
					send(part{prefixes, err})
					return
				}
				if prefixes = append(prefixes, prefix); len(prefixes) == partLength {
					send(part{prefixes, nil})
					prefixes = nil
				}
				if ctx.Err() != nil {
					return
				}
			}
			send(part{prefixes, nil})
		}()
		for {
			select {
			case p, ok := <-parts:
				for _, prefix := range p.prefixes {
					if !yield(prefix, nil) {
						return
					}
				}
				if p.err != nil {
					yield(netip.Prefix{}, p.err)
				}
				if p.err != nil || !ok {
					return
				}
			case <-ctx.Done():
				yield(netip.Prefix{}, context.Cause(ctx))
				return
			}
		}
	}
}
