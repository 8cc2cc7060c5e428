package spcfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
)

func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestReadConfig(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []embedded.Connection
	}{
		"a connection without arguments": {
			`connection "a" { plugin = "shodanrep" }`,
			[]embedded.Connection{{Name: "a"}},
		},
		"arguments are handed over as they are written, without Steampipe's own": {
			"connection \"a\" {\n  plugin = \"local/shodanrep\"\n  # a comment\n  word  = \"w\" # another\n  import_schema = \"enabled\"\n" +
				"  list = [\n    1,\n    2,\n  ]\n  text = <<EOT\n  x\nEOT\n}\n",
			[]embedded.Connection{{Name: "a", Config: "word  = \"w\"\nlist = [\n    1,\n    2,\n  ]\ntext = <<EOT\n  x\nEOT\n"}},
		},
		"blocks are handed over, for the plugin to refuse, without Steampipe's own": {
			"connection \"a\" {\n  plugin = \"shodanrep\"\n  word = 1\n  block {\n    a = 1\n  }\n  options \"connection\" {\n    cache = true\n  }\n}",
			[]embedded.Connection{{Name: "a", Config: "word = 1\nblock {\n    a = 1\n  }\n"}},
		},
		"the ways to name the plugin": {
			`connection "a" { plugin = "hub.steampipe.io/plugins/someone/shodanrep@latest" }
			connection "b" { plugin = "shodanrep@^1" }
			connection "c" { plugin = plugin.shodanrep }
			connection "d" { plugin = plugin.other_label }
			connection "e" { plugin = "other_label" }
			plugin "other_label" {
			  source = "local/shodanrep"
			  limiter "x" { max_concurrency = 1 }
			}`,
			[]embedded.Connection{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}, {Name: "e"}},
		},
		"connections of other plugins are passed over": {
			`connection "a" { plugin = "aws" }
			connection "b" { plugin = "notshodanrep" }
			connection "c" { plugin = plugin.aws }
			connection "d" { plugin = 7 }
			connection "e" { word = "none" }`,
			nil,
		},
		"other blocks are passed over": {
			`options "database" { cache = true }
			workspace "w" {}
			connection "a" {
			  plugin = "shodanrep"
			  word = "w"
			  options "connection" { cache = true }
			}`,
			[]embedded.Connection{{Name: "a", Config: "word = \"w\"\n"}},
		},
		"an aggregator has the members that its patterns fit": {
			`connection "all" {
			  plugin = "shodanrep"
			  type = "aggregator"
			  connections = ["work_*", "home"]
			}
			connection "home" { plugin = "shodanrep" }
			connection "work_a" { plugin = "shodanrep" }
			connection "work_b" { plugin = "aws" }
			connection "work_c" { plugin = "shodanrep" }
			connection "other" { plugin = "shodanrep" }`,
			[]embedded.Connection{
				{Name: "all", Members: []string{"home", "work_a", "work_c"}},
				{Name: "home"}, {Name: "work_a"}, {Name: "work_c"}, {Name: "other"},
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, _, err := read([]string{writeFile(t, "x.spc", tt.text)}, func(string) {})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReadConfigRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ text, want string }{
		"text that is no HCL":       {"connection \"a\" {\n", "x.spc:1,16-17: Unclosed configuration block; There is no closing brace for this block before the end of the file. This may be caused by incorrect brace nesting elsewhere in this file."},
		"a path of Windows":         {`connection "a" { cache = "C:\data\c.sqlite" }`, `x.spc:1,29-31: Invalid escape sequence; The symbol "d" is not a valid escape sequence selector: write / or \\ for each \ of a path`},
		"a connection without name": {`connection { plugin = "shodanrep" }`, "x.spc:1,1-11: a connection needs one name, of lower-case letters, digits and underscores"},
		"a name with other letters": {`connection "a-b" { plugin = "shodanrep" }`, "x.spc:1,1-17: a connection needs one name, of lower-case letters, digits and underscores"},
		"a name twice":              {"connection \"a\" {\n plugin = \"shodanrep\"\n}\nconnection \"a\" {\n plugin = \"shodanrep\"\n}", `x.spc:4,1-15: there is a connection "a" already, at x.spc:1,1-15`},
		"an aggregator of nothing":  {"connection \"a\" {\n plugin = \"shodanrep\"\n type = \"aggregator\"\n}", `x.spc:1,1-15: an aggregator needs connections, a list of names or patterns such as ["work_*"]`},
		"an aggregator of a number": {"connection \"a\" {\n plugin = \"shodanrep\"\n type = \"aggregator\"\n connections = [1]\n}", `x.spc:1,1-15: an aggregator needs connections, a list of names or patterns such as ["work_*"]`},
		"an aggregator of no one":   {"connection \"a\" {\n plugin = \"shodanrep\"\n type = \"aggregator\"\n connections = [\"b*\"]\n}", "x.spc:1,1-15: no connection matches the aggregator's argument connections"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := writeFile(t, "x.spc", tt.text)
			_, _, err := read([]string{path}, func(string) {})
			if want := strings.ReplaceAll(tt.want, "x.spc", path); err == nil || err.Error() != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

func TestConnectionsOfSeveralFiles(t *testing.T) {
	t.Parallel()
	one := writeFile(t, "one.spc", `connection "a" { plugin = "label" }`)
	two := writeFile(t, "two.spc", `plugin "label" { source = "shodanrep" }`)
	got, err := Connections([]string{one, two}, func(string) {})
	if want := []embedded.Connection{{Name: "a"}}; err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	if _, err := Connections([]string{two}, func(string) {}); err == nil || err.Error() != two+`: there is no connection with plugin = "shodanrep" in it` {
		t.Errorf("got %v", err)
	}
	if _, err := Connections([]string{two + ".missing"}, func(string) {}); !os.IsNotExist(err) {
		t.Errorf("got %v", err)
	}
}

func TestSteampipesConfigurationIsTheDefault(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("STEAMPIPE_INSTALL_DIR", dir)
	expect := func(want ...embedded.Connection) {
		t.Helper()
		if got, err := Connections(nil, func(string) {}); err != nil || !cmp.Equal(got, want) {
			t.Errorf("got %v, %v", got, err)
		}
	}
	expect(embedded.Connection{Name: "shodanrep"})
	if err := os.Mkdir(filepath.Join(dir, "config"), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "config", "shodanrep.spc")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# nothing but a comment\n")
	expect(embedded.Connection{Name: "shodanrep"})
	write(`connection "mine" { plugin = "shodanrep" }`)
	expect(embedded.Connection{Name: "mine"})
	for text, want := range map[string]string{
		`connection "mine" { plugin = "shodan" }`: "warning: " + file + `: there is no connection with plugin = "shodanrep" in it, so every argument has its default`,
		`plugin "shodan" {}`:                      "",
	} {
		write(text)
		var warnings []string
		got, err := Connections(nil, func(warning string) { warnings = append(warnings, warning) })
		if warned := strings.Join(warnings, "\n"); err != nil || len(got) != 1 || got[0].Name != "shodanrep" || warned != want {
			t.Errorf("%s: got %v, %v, %q", text, got, err, warned)
		}
	}
	write(`connection "mine" {`)
	if _, err := Connections(nil, func(string) {}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
	t.Setenv("STEAMPIPE_INSTALL_DIR", "")
	t.Setenv("HOME", dir)
	expect(embedded.Connection{Name: "shodanrep"})
}

// What is handed to the plugin must parse as the body that it was cut out of did.
func FuzzParseConfig(f *testing.F) {
	for _, seed := range []string{
		"", "connection \"a\" {\n  plugin = \"shodanrep\"\n  word = \"w\"\n}\n",
		"connection \"a\" {\n  plugin = plugin.x\n  t = <<-E\n  a\n  E\n  l = [\"${b}\", /* c */ 1]\n}\nplugin \"x\" {\n source = \"shodanrep\" }",
		"connection \"a\" {\n plugin = \"shodanrep\"\n type = \"aggregator\"\n connections = [\"*\"]\n}",
		"connection \"a\" { plugin = x[0] }", "connection \"a\" { plugin = null\n }", "\xff", "connection a b {}",
		"connection \"a\" {\n connections = tolist(1)\n type = \"aggregator\" }",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		sources := make(map[string]string)
		found, err := parse(text, "x.spc", sources)
		if err != nil {
			return
		}
		for _, c := range found {
			if _, diagnostics := hclsyntax.ParseConfig([]byte(c.Config), "body", hcl.InitialPos); diagnostics.HasErrors() {
				t.Errorf("%q: %v", c.Config, diagnostics)
			}
		}
		if _, err := resolve(found, sources); err != nil {
			return
		}
	})
}
