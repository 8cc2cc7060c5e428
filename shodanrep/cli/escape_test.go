package cli

import (
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// hostile has what would move a terminal's cursor, change its colours or hide a text, in each of its characters.
const hostile = `select 'a' || char(27) || '[31m' || char(155) || '1m' || char(8) || char(13) || char(127) || char(8238) || char(917505) || 'é' as "b` + "\x1b" + `[2J", json_object('k', char(27) || char(155)) as j`

// What goes to a file or a program is as it is.
func TestWhatGoesToAFileIsNotEscaped(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"csv", "json"} {
		got := run(t, &embeddedtest.Plugin{}, "", "query", "--output", format, hostile)
		if got.status != exitDone || !strings.Contains(got.stdout, "\x7f\u202e") {
			t.Errorf("%s: %+v", format, got)
		}
	}
}
