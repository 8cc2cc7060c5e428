package spcfile

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestAKeyThatOthersMayReadIsAWarning(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("files have no mode there")
	}
	const withKey = "connection \"shodanrep\" {\n  plugin = \"shodanrep\"\n  api_key = \"0123456789abcdefghijABCDEFGHIJ01\"\n}\n"
	for name, tt := range map[string]struct {
		text string
		mode os.FileMode
		want int
	}{
		"all may read it":                {withKey, 0o644, 1},
		"the group may read it":          {withKey, 0o640, 1},
		"all may write it":               {withKey, 0o602, 1},
		"only the owner may read it":     {withKey, 0o600, 0},
		"the owner may only read it":     {withKey, 0o400, 0},
		"the key is a comment":           {strings.Replace(withKey, "api_key", "# api_key", 1), 0o644, 0},
		"the key is empty":               {strings.Replace(withKey, "0123456789abcdefghijABCDEFGHIJ01", "", 1), 0o644, 0},
		"there is no key":                {"connection \"shodanrep\" {\n  plugin = \"shodanrep\"\n}\n", 0o644, 0},
		"the key is of another plugin":   {strings.Replace(withKey, `plugin = "shodanrep"`, `plugin = "shodan"`, 1), 0o644, 0},
		"two connections have keys":      {withKey + strings.Replace(withKey, `connection "shodanrep"`, `connection "work"`, 1), 0o644, 1},
		"the plugin is named by a block": {"plugin \"x\" {\n  source = \"shodanrep\"\n}\n" + strings.Replace(withKey, `plugin = "shodanrep"`, `plugin = plugin.x`, 1), 0o644, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("STEAMPIPE_INSTALL_DIR", dir)
			path := filepath.Join(dir, "config", "shodanrep.spc")
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}

			var warnings []string
			if _, err := Connections([]string{path}, func(w string) { warnings = append(warnings, w) }); err != nil && tt.want > 0 {
				t.Fatal(err)
			}
			if len(warnings) != tt.want {
				t.Errorf("the command line: got %q, want %d", warnings, tt.want)
			}
			for _, w := range warnings {
				if !strings.Contains(w, path) || !strings.Contains(w, "chmod 600") || strings.Contains(w, "0123456789") {
					t.Errorf("got %q", w)
				}
			}

			var log bytes.Buffer
			LogReadableKeys(&log)
			if got := bytes.Count(log.Bytes(), []byte("\n")); got != tt.want {
				t.Fatalf("the plugin: got %d lines, want %d: %s", got, tt.want, log.String())
			}
			if tt.want == 0 {
				return
			}
			var line map[string]any
			if err := json.Unmarshal(log.Bytes(), &line); err != nil || line["@level"] != "warn" || line["@message"] != warnings[0] {
				t.Errorf("the plugin: %v: %s, want %q", err, log.String(), warnings[0])
			}
		})
	}
}
