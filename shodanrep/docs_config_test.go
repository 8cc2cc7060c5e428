package shodanrep

import (
	"maps"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// withoutDefault are the arguments of which the documents show an example and not a default.
var withoutDefault = []string{"api_key", "data_files", "internetdb_file", "allow_list", "deny_list"}

// arguments returns the names of a connection's arguments, sorted.
func arguments() []string {
	var names []string
	for field := range reflect.TypeFor[connectionConfig]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("hcl"), ",")
		names = append(names, name)
	}
	return slices.Sorted(slices.Values(names))
}

// shippedArguments reads config/shodanrep.spc: the value of each argument in it, all of which are commented out.
func shippedArguments(t *testing.T) map[string]string {
	t.Helper()
	return matches(t, "../config/shodanrep.spc", `(?m)^  # ([a-z_]+) += (.+)$`)
}

// documentedArguments reads the table of arguments of docs/index.md: the default of each, "none" where it has none.
func documentedArguments(t *testing.T) map[string]string {
	t.Helper()
	text := matches(t, "../docs/index.md", "(?m)^\\| `([a-z_]+)` \\| (none|`[^`|]+`) \\| ")
	for name, value := range text {
		text[name] = strings.Trim(value, "`")
	}
	return text
}

// matches returns the two groups that a pattern finds in a file, as name and value.
func matches(t *testing.T, file, pattern string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, m := range regexp.MustCompile(pattern).FindAllStringSubmatch(string(text), -1) {
		if found[m[1]] != "" {
			t.Errorf("%s has %s twice", file, m[1])
		}
		found[m[1]] = m[2]
	}
	return found
}

// spcOf writes arguments as the body of a connection.
func spcOf(values map[string]string, except ...string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(except, name) {
			b.WriteString(name + " = " + values[name] + "\n")
		}
	}
	return b.String()
}

// settingsOf reads the body of a connection as the plugin does.
func settingsOf(t *testing.T, spc string) scan.Settings {
	t.Helper()
	file, diagnostics := hclsyntax.ParseConfig([]byte(spc), "test.spc", hcl.InitialPos)
	if diagnostics.HasErrors() {
		t.Fatalf("%v\n%s", diagnostics, spc)
	}
	s, err := readSettings(&plugin.Connection{Name: "test", Config: connectionBody{file.Body}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTheDocumentsNameEveryArgumentWithItsDefault(t *testing.T) {
	t.Setenv("SHODAN_API_KEY", "")
	t.Setenv("SHODAN_API_URL", "")
	for name, read := range map[string]func(*testing.T) map[string]string{
		"config/shodanrep.spc": shippedArguments,
		"docs/index.md":        documentedArguments,
	} {
		t.Run(name, func(t *testing.T) {
			values := read(t)
			if diff := cmp.Diff(arguments(), slices.Sorted(maps.Keys(values))); diff != "" {
				t.Errorf("the arguments of the plugin (-) and of the document (+) differ: %s", diff)
			}
			spc := spcOf(values, withoutDefault...)
			if got, want := settingsOf(t, spc), settingsOf(t, ""); !reflect.DeepEqual(got, want) {
				t.Errorf("the defaults are %+v, the document says %+v", want, got)
			}
			mustConnect(t, spc)
		})
	}
}

func TestTheShippedConfigurationConnects(t *testing.T) {
	t.Setenv("SHODAN_API_KEY", "")
	text, err := os.ReadFile("../config/shodanrep.spc")
	if err != nil {
		t.Fatal(err)
	}
	uncommented := regexp.MustCompile(`(?m)^  # ([a-z_]+ += .+)$`).ReplaceAllString(string(text), "  $1")
	uncommented = strings.ReplaceAll(uncommented, "YOUR_API_KEY", shodantest.Key) // a key has no underscore
	for name, spc := range map[string]string{"as it is": string(text), "with all that is commented out": uncommented} {
		t.Run(name, func(t *testing.T) {
			file, diagnostics := hclsyntax.ParseConfig([]byte(spc), "shodanrep.spc", hcl.InitialPos)
			if diagnostics.HasErrors() {
				t.Fatal(diagnostics)
			}
			blocks := file.Body.(*hclsyntax.Body).Blocks
			if len(blocks) != 1 || blocks[0].Type != "connection" {
				t.Fatalf("%d blocks, want one connection", len(blocks))
			}
			body := blocks[0].Body
			var arguments strings.Builder
			for name, attribute := range body.Attributes {
				if name != "plugin" { // which is Steampipe's
					arguments.Write(attribute.SrcRange.SliceBytes([]byte(spc)))
					arguments.WriteByte('\n')
				}
			}
			mustConnect(t, arguments.String())
		})
	}
}
