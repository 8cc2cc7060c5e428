package release_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// snapshot is the folder of what "make release-snapshot" built, and its version. The tests of it are skipped where
// there is none: to build it takes minutes.
func snapshot(t *testing.T) (folder, version string) {
	t.Helper()
	folder = filepath.Join(root, "dist")
	text, err := os.ReadFile(filepath.Join(folder, "metadata.json"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no release was built: make release-snapshot builds and tests one")
	}
	var metadata struct{ Version string }
	if err == nil {
		err = json.Unmarshal(text, &metadata)
	}
	if err != nil {
		t.Fatal(err)
	}
	if sums, _ := filepath.Glob(filepath.Join(folder, "*_SHA256SUMS")); len(sums) != 1 {
		t.Skipf("the release in %s is not complete: make release-snapshot builds one", folder)
	}
	return folder, metadata.Version
}

// one returns the only file of a folder whose name fits a pattern.
func one(t *testing.T, folder, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d files of %s fit %s: %q, %v", len(found), folder, pattern, found, err)
	}
	return found[0]
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// The release has all files that the documentation promises, and a right checksum of each.
func TestAReleaseIsWhole(t *testing.T) {
	t.Parallel()
	folder, version := snapshot(t)
	var want []string
	for _, system := range []string{"linux", "darwin", "windows"} {
		for _, arch := range []string{"amd64", "arm64"} {
			ending := ".tar.gz"
			if system == "windows" {
				ending = ".zip"
			} else {
				want = append(want, "steampipe-plugin-shodanrep_"+system+"_"+arch+".gz")
			}
			want = append(want, "shodanrep_"+version+"_"+system+"_"+arch+ending)
		}
	}
	for _, pattern := range []string{"*_amd64.deb", "*_arm64.deb", "*.x86_64.rpm", "*.aarch64.rpm"} {
		want = append(want, filepath.Base(one(t, folder, pattern)))
	}
	var got []string
	for line := range strings.Lines(string(readFile(t, one(t, folder, "*_SHA256SUMS")))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		got = append(got, name)
		if actual := sha256.Sum256(readFile(t, filepath.Join(folder, name))); hex.EncodeToString(actual[:]) != sum {
			t.Errorf("the checksum of %s is not %s", name, sum)
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the release has %q\nwant %q", got, want)
	}
}

// manual are files that archives and packages have for people and shells.
var manual = []string{"man/shodanrep.1.gz", "man/shodanrep-query.1.gz", "completions/bash/shodanrep", "completions/zsh/_shodanrep", "completions/fish/shodanrep.fish"}

// contrib are the programs for other platforms, which have a page each.
var contrib = []string{"contrib/cortex/README.md", "contrib/cortex/Shodanrep/Shodanrep.json", "contrib/cortex/Shodanrep/shodanrep_analyzer.py",
	"contrib/misp/README.md", "contrib/misp/expansion/shodanrep.py"}

func TestAnArchiveRuns(t *testing.T) {
	t.Parallel()
	folder, version := snapshot(t)
	name := "shodanrep_" + version + "_" + runtime.GOOS + "_" + runtime.GOARCH
	packed, err := gzip.NewReader(bytes.NewReader(readFile(t, filepath.Join(folder, name+".tar.gz"))))
	if err != nil {
		t.Fatal(err)
	}
	into := t.TempDir()
	for archive := tar.NewReader(packed); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil || !filepath.IsLocal(header.Name) {
			t.Fatalf("%+v: %v", header, err)
		}
		if header.Typeflag == tar.TypeReg {
			unpack(t, archive, filepath.Join(into, header.Name), header.FileInfo().Mode())
		}
	}
	for _, file := range slices.Concat([]string{"LICENSE", "README.md", "shodanrep.spc"}, manual, contrib) {
		one(t, filepath.Join(into, name), file)
	}
	if runtime.GOOS == "linux" {
		checkStatic(t, filepath.Join(into, name, "shodanrep"))
	}
	checkRuns(t, filepath.Join(into, name, "shodanrep"), version)
	checkManual(t, filepath.Join(into, name, "man"), version)
}

func unpack(t *testing.T, from io.Reader, path string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	content, err := io.ReadAll(from)
	if err == nil {
		err = os.WriteFile(path, content, mode)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// checkManual looks at the man pages of a folder.
func checkManual(t *testing.T, folder, version string) {
	t.Helper()
	packed, err := gzip.NewReader(bytes.NewReader(readFile(t, filepath.Join(folder, "shodanrep-query.1.gz"))))
	if err != nil {
		t.Fatal(err)
	}
	page, err := io.ReadAll(packed)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"shodanrep " + version, ".SH NAME", "Run SQL over the plugin", `\fB--fail-on\fP`, ".SH EXAMPLE"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page of query lacks %s: %s", want, page)
		}
	}
}

func TestADebianPackageRuns(t *testing.T) {
	t.Parallel()
	folder, version := snapshot(t)
	if runtime.GOOS != "linux" {
		t.Skip("a Debian package is for Linux")
	}
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		t.Skip("dpkg-deb is not installed, so no package was unpacked")
	}
	into := t.TempDir()
	deb := one(t, folder, "*_"+runtime.GOARCH+".deb")
	if output, err := exec.Command("dpkg-deb", "--extract", deb, into).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	for _, file := range []string{
		"usr/share/man/man1/shodanrep-query.1.gz", "usr/share/bash-completion/completions/shodanrep",
		"usr/share/zsh/vendor-completions/_shodanrep", "usr/share/fish/vendor_completions.d/shodanrep.fish",
		"usr/share/doc/shodanrep/copyright", "usr/share/doc/shodanrep/shodanrep.spc",
	} {
		if info, err := os.Stat(filepath.Join(into, file)); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o644 {
			t.Errorf("%s: %+v, %v", file, info, err)
		}
	}
	for _, file := range contrib {
		info, err := os.Stat(filepath.Join(into, "usr/share/shodanrep", file))
		if isProgram := strings.HasSuffix(file, "_analyzer.py"); err != nil || (info.Mode().Perm()&0o111 != 0) != isProgram {
			t.Errorf("%s: %+v, %v", file, info, err)
		}
	}
	checkStatic(t, filepath.Join(into, "usr/bin/shodanrep"))
	checkRuns(t, filepath.Join(into, "usr/bin/shodanrep"), version)
	checkManual(t, filepath.Join(into, "usr/share/man/man1"), version)
	fields, err := exec.Command("dpkg-deb", "--field", deb, "Package", "Architecture", "Depends", "Recommends").Output()
	want := "Package: shodanrep\nArchitecture: " + runtime.GOARCH + "\nRecommends: ca-certificates\n"
	if err != nil || string(fields) != want {
		t.Errorf("the package says %q, %v", fields, err)
	}
}

// No program of this machine runs what is for other systems: the tests look at what kind of program it is.
func TestTheOtherFilesAreProgramsOfTheirKind(t *testing.T) {
	t.Parallel()
	folder, version := snapshot(t)
	begin := func(content []byte, want string) {
		t.Helper()
		if !bytes.HasPrefix(content, []byte(want)) {
			t.Errorf("it begins with %q, not %q", content[:min(8, len(content))], want)
		}
	}
	for _, arch := range []string{"amd64", "arm64"} {
		archive, err := zip.OpenReader(filepath.Join(folder, "shodanrep_"+version+"_windows_"+arch+".zip"))
		if err != nil {
			t.Fatal(err)
		}
		defer archive.Close()
		file, err := archive.Open(path.Join("shodanrep_"+version+"_windows_"+arch, "shodanrep.exe"))
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		begin(content, "MZ")
		for system, want := range map[string]string{"linux": "\x7fELF", "darwin": "\xcf\xfa\xed\xfe"} {
			packed, err := gzip.NewReader(bytes.NewReader(readFile(t, filepath.Join(folder, "steampipe-plugin-shodanrep_"+system+"_"+arch+".gz"))))
			if err != nil {
				t.Fatal(err)
			}
			if content, err = io.ReadAll(packed); err != nil {
				t.Fatal(err)
			}
			begin(content, want)
		}
	}
	for _, pattern := range []string{"*.x86_64.rpm", "*.aarch64.rpm"} {
		begin(readFile(t, one(t, folder, pattern)), "\xed\xab\xee\xdb")
	}
}
