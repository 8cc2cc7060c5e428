package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// A stixTestObject is an object of a bundle.
type stixTestObject struct {
	Type, ID, Name, Value, Pattern, Content string
	Created, Modified                       string
	ValidFrom                               string   `json:"valid_from"`
	ValidUntil                              string   `json:"valid_until"`
	ObjectRefs                              []string `json:"object_refs"`
	Kind                                    string   `json:"relationship_type"`
	Source                                  string   `json:"source_ref"`
	Target                                  string   `json:"target_ref"`
	Status                                  string   `json:"x_shodanrep_status"`
	Score                                   *int     `json:"x_opencti_score"`
	Subject, Issuer                         string
}

// stixObjects returns the objects of a bundle. It checks that each object that is referred to is in it, and each once.
func stixObjects(t *testing.T, bundle string) []stixTestObject {
	t.Helper()
	var b struct {
		Objects []stixTestObject
		ID      string
	}
	if err := json.Unmarshal([]byte(bundle), &b); err != nil {
		t.Fatalf("%v: %s", err, bundle)
	}
	ids := map[string]bool{"": true}
	for _, o := range b.Objects {
		if ids[o.ID] {
			t.Errorf("%s is there twice", o.ID)
		}
		ids[o.ID] = true
	}
	for _, o := range b.Objects {
		for _, ref := range append([]string{o.Source, o.Target}, o.ObjectRefs...) {
			if !ids[ref] {
				t.Errorf("%s refers to %s, which is missing", o.ID, ref)
			}
		}
		if o.Created > o.Modified {
			t.Errorf("%s was modified before it was created", o.ID)
		}
		if o.ValidFrom > o.ValidUntil {
			t.Errorf("%s is never valid", o.ID)
		}
	}
	return b.Objects
}

// stixSchemas returns a function that validates a bundle, and each of its objects by the schema of its type.
func stixSchemas(t *testing.T) func(t *testing.T, bundle string) {
	t.Helper()
	const url = "http://raw.githubusercontent.com/oasis-open/cti-stix2-json-schemas/stix2.1/schemas/"
	folder := schemaFolder{url, filepath.Join(schemasOf(t, "stix2.1"), "schemas")}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(folder)
	find := func(kind string) *jsonschema.Schema {
		files, err := filepath.Glob(filepath.Join(folder.dir, "*", kind+".json"))
		if err != nil || len(files) != 1 {
			t.Fatalf("%s: %v, %v", kind, files, err)
		}
		name, err := filepath.Rel(folder.dir, files[0])
		if err != nil {
			t.Fatal(err)
		}
		schema, err := compiler.Compile(url + filepath.ToSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		return schema
	}
	return func(t *testing.T, bundle string) {
		t.Helper()
		var b struct {
			Type    string            `json:"type"`
			ID      string            `json:"id"`
			Objects []json.RawMessage `json:"objects"`
		}
		if err := json.Unmarshal([]byte(bundle), &b); err != nil {
			t.Fatal(err)
		}
		for _, raw := range b.Objects {
			var o stixTestObject
			if err := json.Unmarshal(raw, &o); err != nil {
				t.Fatal(err)
			}
			validate(t, find(o.Type), string(raw))
		}
		// The schema of bundles does not have the type note, and rejects it as a custom object.
		b.Objects = slices.DeleteFunc(b.Objects, func(raw json.RawMessage) bool { return strings.HasPrefix(string(raw), `{"type":"note"`) })
		text, err := json.Marshal(b)
		if err != nil {
			t.Fatal(err)
		}
		validate(t, find("bundle"), string(text))
	}
}

func TestBundlesFollowTheSchemasOfSTIX(t *testing.T) {
	validateBundle := stixSchemas(t)
	got := runCheck(t, sampleConnection, goldenList, "check", "--output", "stix")
	validateBundle(t, got.stdout)
	kinds := map[string]int{}
	for _, o := range stixObjects(t, got.stdout) {
		kinds[o.Type]++
	}
	for _, kind := range []string{
		"identity", "ipv4-addr", "ipv6-addr", "autonomous-system", "x509-certificate", "domain-name", "vulnerability", "indicator", "note", "relationship",
	} {
		if kinds[kind] == 0 {
			t.Errorf("there is no %s to validate", kind)
		}
	}
	validateBundle(t, runCheck(t, sampleConnection, "v1.2.3.4\n", "check", "--output", "stix").stdout)
	validateBundle(t, runCheck(t, sampleConnection, "", "check", "--output", "stix", hostileBanner(t)).stdout)
	validateBundle(t, runCheck(t, hostileConnection(t), hostileAddress, "check", "--output", "stix").stdout)
}

func TestANoteThatAnAddressWasNotCheckedHasTheTimeOfTheCheck(t *testing.T) {
	notes := func() []stixTestObject {
		text := runCheck(t, sampleConnection, "198.51.100.66 192.0.2.0/24", "check", "--output", "stix").stdout
		return slices.DeleteFunc(stixObjects(t, text), func(o stixTestObject) bool { return o.Type != "note" })
	}
	first, second := notes(), notes()
	if len(first) != 2 || len(second) != 2 || first[1].ID != second[1].ID ||
		!strings.HasPrefix(first[1].Content, "not checked: ") || !strings.HasSuffix(first[1].Content, "time: "+first[1].Modified) {
		t.Errorf("%+v became %+v", first, second)
	}
}

func TestIndicatorsAreOfTheLevelsOfOnly(t *testing.T) {
	const list = "198.51.100.66 203.0.113.10 192.0.2.44 192.0.2.222 10.0.0.1 192.0.2.200 192.0.2.0/24"
	for name, test := range map[string]struct {
		args []string
		want []string // the indicators
		all  []string // the addresses
	}{
		"critical and high": {nil, []string{"198.51.100.66", "203.0.113.10", "192.0.2.44"},
			[]string{"198.51.100.66", "203.0.113.10", "192.0.2.44", "192.0.2.222", "10.0.0.1", "192.0.2.200", "192.0.2.0/24"}},
		"a level":  {[]string{"--only", "low"}, []string{"192.0.2.222"}, []string{"192.0.2.222", "192.0.2.0/24"}},
		"a status": {[]string{"--only", "reserved"}, nil, []string{"10.0.0.1", "192.0.2.200", "192.0.2.0/24"}},
		"a score":  {[]string{"--min-score", "136"}, []string{"203.0.113.10"}, []string{"203.0.113.10", "192.0.2.0/24"}},
	} {
		got := runCheck(t, sampleConnection, list, append([]string{"check", "--output", "stix"}, test.args...)...)
		var indicators, addresses []string
		for _, o := range stixObjects(t, got.stdout) {
			switch o.Type {
			case "indicator":
				indicators = append(indicators, o.Name)
				if want := "[ipv4-addr:value = '" + o.Name + "']"; o.Pattern != want {
					t.Errorf("%s: the pattern is %s", name, o.Pattern)
				}
			case "ipv4-addr":
				addresses = append(addresses, o.Value)
			}
		}
		if !slices.Equal(indicators, test.want) || !slices.Equal(addresses, test.all) {
			t.Errorf("%s: indicators %q, addresses %q", name, indicators, addresses)
		}
	}
}

// failingConnection is a connection whose lookups fail.
func failingConnection(t *testing.T) string {
	t.Helper()
	sim := shodantest.New(t)
	sim.Fault(shodantest.Fault{Status: 500, Body: "out of order"})
	return fmt.Sprintf("internetdb_url = %q\ncache = \"memory\"\ntimeout = \"200ms\"\n", sim.InternetDBURL())
}

func TestAnAddressThatWasNotCheckedIsInTheBundle(t *testing.T) {
	got := runCheck(t, failingConnection(t), "93.184.216.34", "check", "--output", "stix", "--only", "low")
	found := 0
	for _, o := range stixObjects(t, got.stdout) {
		switch o.Type {
		case "indicator":
			t.Errorf("there is an indicator: %+v", o)
		case "ipv4-addr":
			if found++; o.Status != "error" || o.Score != nil {
				t.Errorf("got %+v", o)
			}
		case "note":
			if found++; o.Status != "error" || !strings.HasPrefix(o.Content, "not checked: ") || !strings.Contains(o.Content, "\ntime: 2") {
				t.Errorf("got %+v", o)
			}
		}
	}
	if found != 2 {
		t.Errorf("got %s", got.stdout)
	}
}

// hostileAddress is an address whose banner tries to break out of every format.
const hostileAddress = "198.51.100.250"

const hostileText = "\"}],\\u0000\n\x1b[2J</script>' OR 1=1 \u202e,CN=trusted"

// hostileBanner writes a file with a banner that an attacker wrote.
func hostileBanner(t *testing.T) string {
	t.Helper()
	text, err := json.Marshal(map[string]any{
		"ip_str": hostileAddress, "port": 443, "timestamp": "2026-05-14T01:28:36.257", "transport": "tcp", "org": hostileText, "asn": "AS1" + hostileText,
		"hostnames": []string{hostileText, "fine.example"}, "tags": []string{"c2", hostileText}, "location": map[string]any{"country_code": hostileText},
		"vulns": map[string]any{hostileText: map[string]any{"verified": true}, "CVE-2021-40438": map[string]any{"cvss": 9.8}}, "product": hostileText,
		"ssl": map[string]any{"cert": map[string]any{
			"fingerprint": map[string]any{"sha256": strings.Repeat("0a", 32), "sha1": hostileText}, "serial": hostileText,
			"subject": map[string]any{"CN": hostileText, hostileText: "x"}, "issuer": map[string]any{"CN": hostileText},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return writeFile(t, "hostile.json", string(text)+"\n")
}

func hostileConnection(t *testing.T) string {
	t.Helper()
	return fmt.Sprintf("data_files = [%q]\ncache = \"memory\"\n", hostileBanner(t))
}

func TestHostileTextStaysTextInABundle(t *testing.T) {
	got := runCheck(t, hostileConnection(t), hostileAddress, "check", "--output", "stix")
	var names, certificates []string
	for _, o := range stixObjects(t, got.stdout) {
		switch o.Type {
		case "domain-name":
			names = append(names, o.Value)
		case "x509-certificate":
			certificates = append(certificates, o.Subject)
		case "autonomous-system":
			t.Errorf("it has a number: %+v", o)
		}
	}
	if !slices.Equal(names, []string{"fine.example"}) || len(certificates) != 1 || !strings.Contains(certificates[0], `\,CN\=trusted`) {
		t.Errorf("names %q, certificates %q: %s", names, certificates, got.stdout)
	}
}
