package shodanrep_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/shodanrep/steampipe-plugin-shodanrep"

// packagesInArchitecture returns the packages that each package may import, as the table of the page says. Paths are
// those of folders from the root of the repository.
func packagesInArchitecture(t *testing.T) map[string][]string {
	t.Helper()
	_, table, found := strings.Cut(read(t, "docs/development/architecture.md"), "\n| package | what it does | may import |\n|---|---|---|\n")
	if !found {
		t.Fatal("the page has no table of packages")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	code := regexp.MustCompile("`([^`]+)`")
	may := map[string][]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 {
			t.Fatalf("a row of the table has %d cells, want 3: %s", len(cells)-2, line)
		}
		var imports []string
		for _, name := range code.FindAllStringSubmatch(cells[3], -1) {
			if _, err := os.Stat(name[1]); err != nil {
				name[1] = "shodanrep/" + name[1]
			}
			imports = append(imports, name[1])
		}
		for _, name := range code.FindAllStringSubmatch(cells[1], -1) {
			if may[name[1]] != nil {
				t.Errorf("the table has %s twice", name[1])
			}
			may[name[1]] = append([]string{}, imports...)
		}
	}
	return may
}

func TestThePackagesImportWhatTheArchitectureSays(t *testing.T) {
	atRoot(t)
	listed, err := exec.Command("go", "list", "-pgo=off", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatal(err)
	}
	folder := func(importPath string) string {
		return strings.TrimPrefix(strings.TrimPrefix(importPath, module), "/")
	}
	may := packagesInArchitecture(t)
	for decoder := json.NewDecoder(bytes.NewReader(listed)); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		name := filepath.ToSlash(filepath.Clean(folder(p.ImportPath)))
		imports, named := may[name]
		if !named {
			t.Errorf("docs/development/architecture.md does not name the package %s", name)
		}
		delete(may, name)
		for _, path := range p.Imports {
			if strings.HasPrefix(path, module) && !slices.Contains(imports, folder(path)) {
				t.Errorf("%s imports %s, which docs/development/architecture.md does not allow", name, folder(path))
			}
		}
	}
	for name := range may {
		t.Errorf("docs/development/architecture.md names the package %s, which does not exist", name)
	}
}

// The files and functions that the pages for developers name exist.
func TestThePagesForDevelopersNameWhatExists(t *testing.T) {
	atRoot(t)
	file := regexp.MustCompile("`((?:[a-z_]+/)*[a-z_]+\\.(?:go|sql|spc|md))(?:`|:)")
	link := regexp.MustCompile(`\]\(([^)#:]+)`)
	for _, page := range []string{"CONTRIBUTING.md", "docs/development/architecture.md", "docs/development/adding-a-table.md", "docs/development/glossary.md"} {
		text := read(t, page)
		for _, m := range file.FindAllStringSubmatch(text, -1) {
			if exists(m[1]) || exists("shodanrep/"+m[1]) || exists("config/"+m[1]) || strings.Contains(m[1], "saved_query_tag") {
				continue
			}
			t.Errorf("%s names the file %s, which does not exist", page, m[1])
		}
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if !exists(filepath.Join(filepath.Dir(page), m[1])) {
				t.Errorf("%s links to %s, which does not exist", page, m[1])
			}
		}
	}
}

// A row of "Where to find it" that names a function after a file says that the function is declared there.
func TestFunctionsAreWhereTheArchitectureSays(t *testing.T) {
	atRoot(t)
	named := regexp.MustCompile("`((?:[a-z_]+/)*[a-z_]+\\.go)`, `(?:([A-Za-z]+)\\.)?([A-Za-z]+)`")
	_, table, _ := strings.Cut(read(t, "docs/development/architecture.md"), "\n## Where to find it\n")
	table, _, _ = strings.Cut(table, "\n## ")
	found := named.FindAllStringSubmatch(table, -1)
	if len(found) < 10 {
		t.Errorf("the table names %d functions", len(found))
	}
	for _, m := range found {
		declaration := `(?m)^func ` + m[3] + `\b`
		if m[2] != "" {
			declaration = `(?m)^func \(\w+ \*?` + m[2] + `\) ` + m[3] + `\(`
		}
		if !regexp.MustCompile(declaration).MatchString(read(t, "shodanrep/"+m[1])) {
			t.Errorf("%s is not declared in %s", strings.TrimPrefix(m[2]+"."+m[3], "."), m[1])
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
