package homedir

import (
	"path/filepath"
	"testing"
)

func TestOnlyTheUsersOwnHomeIsExpanded(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home) // on Windows
	for path, want := range map[string]string{
		"~": home, "~/": home, "~/shodan/*.json.gz": filepath.Join(home, "shodan", "*.json.gz"),
		"~other/x": "~other/x", "x/~": "x/~", "/x": "/x", "./~x": "./~x", "": "",
	} {
		if got, err := Expand(path); got != want || err != nil {
			t.Errorf("%q: %q, %v, want %q", path, got, err, want)
		}
	}
	t.Setenv("HOME", "")
	t.Setenv("USERPROFILE", "")
	if got, err := Expand("~/x"); got != "~/x" || err == nil {
		t.Errorf("without a home directory: %q, %v", got, err)
	}
	if got, err := Expand("/x"); got != "/x" || err != nil {
		t.Errorf("a path without ~ needs no home directory: %q, %v", got, err)
	}
}
