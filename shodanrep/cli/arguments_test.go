package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

func TestSQLThatBeginsWithACommentIsNoFlag(t *testing.T) {
	t.Parallel()
	for name, sql := range map[string]string{
		"a comment and SQL":           "-- x\nselect 1 as a",
		"no blank":                    "--x\nselect 1 as a",
		"a flag's name":               "--output\nselect 1 as a",
		"an assignment":               "--x=1\nselect 1 as a",
		"an assignment after a blank": "-- x=1\nselect 1 as a",
		"an empty comment":            "--\nselect 1 as a",
		"a line of dashes":            "-----\nselect 1 as a",
		"a comment of another kind":   "/* x */ select 1 as a",
	} {
		for _, args := range [][]string{{"query", sql, "--output", "csv"}, {"query", "--output", "csv", sql}, {"query", "--output", "csv", "--", sql}} {
			if got := run(t, &embeddedtest.Plugin{}, "", args...); got != (result{"a\n1\n", "", 0}) {
				t.Errorf("%s: %q: %+v", name, args, got)
			}
		}
	}
}

func TestCheckMayBeLeftOut(t *testing.T) {
	t.Parallel()
	root := (&app{plugin: new(embeddedtest.Plugin).Func}).command()
	for _, args := range [][]string{
		{"192.0.2.1"},
		{"192.0.2.1", "--output", "csv"},
		{"--output", "csv", "192.0.2.1"},
		{"--output=csv", "--expand", "192.0.2.1"},
		{"-o", "file", "192.0.2.1"},
		{"-ofile", "192.0.2.1"},
		{"--config", "192.0.2.1.spc", "hxxp://192.0.2.1/"},
	} {
		if got := insertCheck(root, args); !slices.Equal(got, append([]string{checkName}, args...)) {
			t.Errorf("%q: got %q", args, got)
		}
	}
	for _, args := range [][]string{
		{}, {"-"}, {"--"}, {"--help"}, {"--version"}, {"-h", "192.0.2.1"}, {"--output"}, {"--output", "192.0.2.1"}, {"--colour", "192.0.2.1"},
		{"query", "select '192.0.2.1'"}, {"--output", "csv", "query", "select '192.0.2.1'"}, {"--output", "csv", "example.com"},
	} {
		if got := insertCheck(root, args); !slices.Equal(got, args) {
			t.Errorf("%q: got %q", args, got)
		}
	}
}

func TestFlagsAreNoSQL(t *testing.T) {
	t.Parallel()
	cmd := newQueryCommand(&app{plugin: new(embeddedtest.Plugin).Func})
	for _, args := range [][]string{
		{"query", "--attach=f=a b.csv", "select 1"},
		{"query", "--config=a\nb", "select 1"},
		{"query", "--colour", "select 1"},
		{"query", "--colour=a b"},
		{"query", "--"},
		{"tables", "-- x\nselect 1"},
		nil,
	} {
		if got := separateSQL(cmd, args); !slices.Equal(got, args) {
			t.Errorf("%q: got %q", args, got)
		}
	}
}

func TestQueryOfAFile(t *testing.T) {
	t.Parallel()
	file := writeFile(t, "check.sql", "\ufeff-- a check\nselect 1 as a;\n")
	noSuffix := writeFile(t, "check", "select 2 as a")
	empty := writeFile(t, "empty.sql", "-- nothing\n")
	wide := writeFile(t, "wide.sql", "\xff\xfes\x00e\x00l\x00e\x00c\x00t\x00 \x003\x00 \x00a\x00s\x00 \x00a\x00\r\x00\n\x00")
	folder := t.TempDir()
	for name, tt := range map[string]struct {
		arg  string
		want result
	}{
		"a file":             {file, result{"a\n1\n", "", 0}},
		"in UTF-16":          {wide, result{"a\n3\n", "", 0}},
		"without a suffix":   {noSuffix, result{"a\n2\n", "", 0}},
		"an empty file":      {empty, result{"", "shodanrep: query needs SQL, and there is no statement in " + empty + "\nRun 'shodanrep query --help' for usage.\n", 2}},
		"one that is not":    {"/nowhere/check.SQL", result{"", "shodanrep: open /nowhere/check.SQL: no such file or directory\n", 1}},
		"a path":             {"./none/hosts.txt", result{"", "shodanrep: open ./none/hosts.txt: no such file or directory\n", 1}},
		"a comment":          {"/**/select/**/1", result{"1\n1\n", "", 0}},
		"a folder":           {folder, result{"", "shodanrep: read " + folder + ": is a directory\n", 1}},
		"neither SQL nor it": {"chekc", result{"", "shodanrep: near \"chekc\": syntax error, at: chekc\n", 1}},
		"a short SQL":        {"select(1)/2", result{"(1)/2\n0\n", "", 0}},
		"a very long SQL":    {"select 1 as a --" + strings.Repeat("x", 5000), result{"a\n1\n", "", 0}},
	} {
		if got := run(t, &embeddedtest.Plugin{}, "", "query", "--output", "csv", tt.arg); got != tt.want {
			t.Errorf("%s: got  %+v\nwant %+v", name, got, tt.want)
		}
	}
}
