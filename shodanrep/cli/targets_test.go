package cli

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// An address that must be given is read as check reads it.
func TestAddressOf(t *testing.T) {
	t.Parallel()
	for argument, want := range map[string]string{
		"192.0.2.1":             "192.0.2.1",
		" 192.0.2.1\n":          "192.0.2.1",
		"192.0[.]2[.]1":         "192.0.2.1",
		"192[dot]0[dot]2[dot]1": "192.0.2.1",
		"hxxp://192.0.2.1/x":    "192.0.2.1",
		"192.0.2.1:443":         "192.0.2.1",
		"192.0.2.1/32":          "192.0.2.1",
		"::ffff:192.0.2.1":      "192.0.2.1",
		"2001:db8[:]5::1":       "2001:db8:5::1",
		"[2001:db8::1]:443":     "2001:db8::1",
		"fe80::1%eth0":          "fe80::1",
		"d3::c4":                "d3::c4",
		"192.0.2.0/24":          `"192.0.2.0/24" is a network, and an address is needed`,
		"192.0.2.1, 192.0.2.2":  `"192.0.2.1, 192.0.2.2" has several addresses, and one is needed`,
		"192.0.2.1/33":          "192.0.2.1/33 is not a network: a number up to 32 or a mask such as 255.255.255.0 must follow the slash",
		"192.0.2.300":           "192.0.2.300 is not an address: its numbers must be up to 255",
		"example.com":           `"example.com" is not an IP address; the names of hosts are not resolved: pass their addresses, as from dig +short example.com`,
		"curl/192.0.2.1":        `"curl/192.0.2.1" is not an IP address`,
	} {
		addr, err := addressOf(argument)
		got := addr.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", argument, got, want)
		}
	}
}

// The shells of Windows hand patterns over as they are, and a name that no file can have has an error of its own.
func TestInputsOnWindows(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var files []string
	for _, name := range []string{"a.log", "b.log", "c.txt"} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	names := []string{filepath.Join(dir, "*.log"), "-", filepath.Join(dir, "*.csv"), "198.51.100.*", "http://198.51.100.66/?a=[", files[2]}
	want := slices.Concat(files[:2], names[1:])
	if got := expandInputs("windows", names); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := expandInputs("linux", names); !slices.Equal(got, names) {
		t.Errorf("a shell has expanded them: got %q", got)
	}
	for name, want := range map[string]bool{
		`\\198.51.100.66\x`: true, "//198.51.100.66/x/*.log": true, `\\198.51.100.66@8080\x`: true, `\\10.0.0.5\logs\x.log`: false, `\\server\x`: false, "198.51.100.66/x": false, "-": false,
	} {
		if got := isForeignShare("windows", name); got != want || isForeignShare("linux", name) {
			t.Errorf("%s: %t, want %t", name, got, want)
		}
	}
	invalid := &fs.PathError{Op: "open", Path: "http://198.51.100.66/", Err: syscall.Errno(123)}
	if !isNoFile("windows", invalid) || isNoFile("linux", invalid) || !isNoFile("linux", fs.ErrNotExist) || isNoFile("windows", fs.ErrPermission) {
		t.Error("a name that no file can have is not told from another error")
	}
}
