package embedded_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestTextsOfTimesAreWarnedOf compares times with a column of texts that stands on the left, whose collation SQLite uses.
func TestTextsOfTimesAreWarnedOf(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "logs.csv")
	text := "ip,spaced,iso,word,day\n192.0.2.1,2026-01-02 01:00:00,2026-01-02T01:00:00Z,soon,2026-01-02\n192.0.2.1,2026-01-02 02:00:00,2026-01-02T02:00:00Z,late,2026-01-01\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	const advice = " compares texts, because SQLite compares as the column on the left does: write the time on the left, or datetime(…) on both sides"
	for sql, want := range map[string]string{
		"select count(*) from l join fake_event e on l.spaced < e.at":                                                      "fake_event: at > '2026-01-02 01:00:00'" + advice,
		"select count(*) from l join fake_event e on l.iso < e.at":                                                         "",
		"select count(*) from l join fake_event e on e.at > l.spaced":                                                      "",
		"select count(*) from l join fake_event e on datetime(l.spaced) < datetime(e.at)":                                  "",
		"select count(*) from l join fake_event e on l.spaced = e.at":                                                      "",
		"select count(*) from l join fake_event e on l.day < e.at":                                                         "",
		"select count(*) from l join fake_event e on l.word < e.at":                                                        "fake_event: at > 'soon' compares texts, because this is not a time: ",
		"select count(*) from l join fake_address a on a.ip = l.ip and l.spaced < a.checked_at":                            "fake_address: checked_at > '2026-01-02 01:00:00'" + advice,
		"select count(*) from l join fake_address a on a.ip = l.ip and l.iso < a.checked_at":                               "",
		"select count(*) from l join fake_address a on a.ip = l.ip and l.spaced <> a.checked_at":                           "fake_address: checked_at <> '2026-01-02 01:00:00'" + advice,
		"select count(*) from l left join fake_address a on a.ip = l.ip and l.spaced = a.checked_at":                       "fake_address: checked_at = '2026-01-02 01:00:00'" + advice,
		"select count(*) from l join fake_address a on a.ip = l.ip and a.checked_at in (select spaced from l)":             "",
		"select count(*) from l join fake_address a on a.ip = l.ip and a.checked_at > '2026-01-01 00:00:00'":               "",
		"select count(*) from l join fake_address a on a.ip = l.ip where l.word < a.checked_at":                            "fake_address: checked_at > 'soon'" + advice,
		"select count(*) from l, fake_address a where a.ip in (select ip from l) and l.ip = a.ip and l.iso < a.checked_at": "",
	} {
		f := open(t, 3)
		if err := f.AttachCSV("l", path); err != nil {
			t.Fatal(err)
		}
		f.query(t, sql)
		got := strings.Join(f.warnings, "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%s\ngot  %q\nwant %q", sql, got, want)
		}
	}
}
