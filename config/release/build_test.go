// Package release_test tests how shodanrep is released: archives, packages, the container image and the GitHub Action.
package release_test

import (
	"debug/elf"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
)

// root is the folder of the repository.
const root = "../.."

// buildFolder is where the tests build, and the version of what they build.
var buildFolder string

const buildVersion = "1.2.3-test"

func TestMain(m *testing.M) {
	os.Exit(func() int {
		var err error
		if buildFolder, err = os.MkdirTemp("", "shodanrep-release-"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(buildFolder)
		return m.Run()
	}())
}

// built builds the program once, by the instruction of the Dockerfile.
var built = sync.OnceValues(func() (string, error) {
	instructions, err := readDockerfile()
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(instructions, func(in instruction) bool { return in.name == "RUN" && strings.Contains(in.text, "go build") })
	if i < 0 {
		return "", fmt.Errorf("no instruction of the Dockerfile builds anything")
	}
	const image = "/image/root/"
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(instructions[i].text, image, buildFolder+"/"))
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH, "VERSION="+buildVersion)
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return filepath.Join(buildFolder, "usr/bin/shodanrep"), nil
})

// program returns the path of the program that the Dockerfile builds.
func program(t *testing.T) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("the image and the packages are for Linux")
	}
	path, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTheBuildIsStatic holds the build to what runs in an empty image, and on any distribution.
func TestTheBuildIsStatic(t *testing.T) {
	t.Parallel()
	path := program(t)
	checkStatic(t, path)
	checkRuns(t, path, buildVersion)
}

func checkStatic(t *testing.T, path string) {
	t.Helper()
	file, err := elf.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	libraries, err := file.ImportedLibraries()
	if err != nil || len(libraries) > 0 {
		t.Errorf("%s needs %q: %v", path, libraries, err)
	}
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP {
			t.Errorf("%s needs a dynamic linker", path)
		}
	}
}

// checkRuns runs a program, without an environment, on the sample.
func checkRuns(t *testing.T, path, version string) {
	t.Helper()
	run := func(args ...string) string {
		cmd := exec.Command(path, args...)
		cmd.Dir = root
		cmd.Env = []string{"HOME=" + t.TempDir()}
		output, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s %q: %v: %s", path, args, err, output)
		}
		return string(output)
	}
	if got := run("--version"); !strings.HasPrefix(got, "shodanrep "+version+",") {
		t.Errorf("the version is %q, want %s", got, version)
	}
	got := run("query", "--config", "config/sample/sample.spc", "--output", "csv",
		"select status, level from shodan_ip_reputation where ip = '198.51.100.66'")
	if got != "status,level\nindexed,critical\n" {
		t.Errorf("the sample is %q", got)
	}
}

// TestTheVersionIsInOnePlace holds all builds to the variable that has the version.
func TestTheVersionIsInOnePlace(t *testing.T) {
	t.Parallel()
	variable := regexp.MustCompile(`(?m)^PACKAGE := (.*)$`).FindStringSubmatch(read(t, "Makefile"))[1] + ".version="
	for file, builds := range map[string]int{".goreleaser.yml": 2, "Dockerfile": 1} {
		if n := strings.Count(read(t, file), "-X "+variable); n != builds {
			t.Errorf("%s sets %s in %d builds, not %d", file, variable, n, builds)
		}
	}
}

// read returns the text of a file of the repository.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
