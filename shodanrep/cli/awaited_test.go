package cli

import (
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a reader whose first read takes a time.
type slow struct {
	io.Reader
	first time.Duration
}

func (s *slow) Read(p []byte) (int, error) {
	time.Sleep(s.first)
	s.first = 0
	return s.Reader.Read(p)
}

func TestALongWaitForAnInputIsSaid(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		first time.Duration
		want  []string
	}{
		"soon": {waitNotice / 2, nil},
		"late": {time.Hour, []string{"waiting for a pipe"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var said []string
				await := awaiter(func(message string) { said = append(said, message) })
				r := await.reader(&slow{strings.NewReader("a\nb\n"), test.first}, "a pipe")
				if text, err := io.ReadAll(r); string(text) != "a\nb\n" || err != nil {
					t.Errorf("%q, %v", text, err)
				}
				time.Sleep(time.Hour) // nothing is said later
				synctest.Wait()
				if !slices.Equal(said, test.want) {
					t.Errorf("said %q", said)
				}
			})
		})
	}
	// Without a terminal nothing is said, and the reader stays as it is.
	source := strings.NewReader("a")
	if got := (&app{stderr: io.Discard}).awaiter().reader(source, "a pipe"); got != io.Reader(source) {
		t.Errorf("got %T", got)
	}
	(&app{stderr: io.Discard}).awaiter().start("a pipe")()
}
