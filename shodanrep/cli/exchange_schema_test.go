package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// schemaFolder loads schemas from a folder by the end of their URLs. Nothing is loaded from the network.
type schemaFolder struct{ url, dir string }

func (f schemaFolder) Load(url string) (any, error) {
	name, _ := strings.CutPrefix(url, f.url)
	file, err := os.Open(filepath.Join(f.dir, filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return jsonschema.UnmarshalJSON(file)
}

// schemasOf returns the folder with the schemas of a platform. It skips the test where there is none.
func schemasOf(t *testing.T, platform string) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "schemas", platform)
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the schemas are not here: ", err)
	}
	return dir
}

// validate checks a JSON text against a schema.
func validate(t *testing.T, schema *jsonschema.Schema, text string) {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if err := schema.Validate(value); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
}
