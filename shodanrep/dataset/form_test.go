package dataset_test

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/dataset"
)

func TestAFileWithoutABannerIsAnError(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":                          {"", "it is empty"},
		"blank lines":                      {"\n \n", "it is empty"},
		"nothing, packed":                  {packed.String(), "it is empty"},
		"nothing, in zstd":                 {"\x28\xb5\x2f\xfd\x04\x00\x01\x00\x00\x99\xe9\xd8\x51", "it is empty"},
		"xz":                               {"\xfd7zXZ\x00\x00\x04\xe6\xd6\xb4\x46", "it is xz; line 1: "},
		"a ZIP archive":                    {"PK\x03\x04\x14\x00\x00\x00", "it is a ZIP archive; line 1: "},
		"an internetdb.sqlite":             {"SQLite format 3\x00\x10\x00", "it is a SQLite database; line 1: "},
		"an error page":                    {"<html>\n<body>502</body>", "it is HTML or XML; line 1: "},
		"a host answer":                    {"{\n \"last_update\": null,\n \"data\": [{\"port\": 80}],\n \"ports\": [80]\n}\n", "it is a host response; line 1: the response has no address"},
		"a search answer":                  {"{\"matches\": [\n {}], \"total\": 1}", "it is a search response; line 1: matches[0]: the banner has no address or no port"},
		"a search without matches":         {"{\"matches\": [], \"total\": 0}", "it is a search response; data_files are"},
		"a JSON array":                     {"[\n{\"ip_str\": \"192.0.2.1\"}]", "it is a JSON array; line 2: the banner has no address or no port"},
		"an empty JSON array":              {"[]\n", "it is a JSON array; data_files are"},
		"a JSON array of numbers":          {"[1,\n2]\n", "it is a JSON array; line 1: the text is not a JSON object"},
		"an unknown address":               {"{\"error\": \"No information available for that IP.\"}", `it is an error response ("No information available for that IP."); line 1: the banner has no address or no port`},
		"an unknown address of InternetDB": {"{\"detail\": \"No information available\"}\n", `it is an error response ("No information available"); line 1: `},
		"a refused request":                {"{\"detail\": [{\"loc\": [\"path\", \"ip\"]}]}", "it is an error response; line 1: "},
		"the very start of gzip data":      {packed.String()[:5], "line 1: the file breaks off"},
		"something else":                   {"ip,port\n192.0.2.1,80\n", "line 1: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "x.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second finds the file in the index
				d, err := dataset.Open(t.Context(), dataset.Options{Files: []string{path}, Dir: filepath.Join(dir, "index")})
				if err == nil {
					d.Close()
					t.Fatal("no error")
				}
				if !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "has no banner in it: "+tt.want) {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}
