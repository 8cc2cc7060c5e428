package dataset

import (
	"bytes"
	"context"
	"io"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// parsed is what a line of a file is: a banner, or the reason why it is none.
type parsed struct {
	number int64 // of the line, from 1
	banner *shodan.Banner
	err    error
}

// parse calls f on every line of a file but empty ones, in their order. A damaged end of the file counts as one line.
func parse(ctx context.Context, r io.Reader, f func(parsed) error) error {
	lines := newLineReader(r)
	var buf []byte
	for number := int64(1); ; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		buf, err = lines.next(buf[:0])
		p := parsed{number: number}
		switch {
		case err == io.EOF:
			return nil
		case err == errTooLong || err == errBroken:
			p.err = err
		case err != nil:
			return err
		case len(bytes.TrimSpace(buf)) == 0:
			continue
		default:
			p.banner, p.err = shodan.ParseBanner(buf)
		}
		if ferr := f(p); ferr != nil || err == errBroken {
			return ferr
		}
	}
}
