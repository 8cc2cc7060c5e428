package cli

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

type mispTestAttribute struct {
	UUID, Type, Category, Value, Comment string
	Relation                             string `json:"object_relation"`
	ToIDS                                bool   `json:"to_ids"`
	Tag                                  []struct{ Name string }
}

type mispTestEvent struct {
	UUID, Info, Date, Timestamp string
	Threat                      string `json:"threat_level_id"`
	Analysis                    string
	Count                       string `json:"attribute_count"`
	Attribute                   []mispTestAttribute
	Object                      []struct {
		Name, UUID      string
		Attribute       []mispTestAttribute
		ObjectReference []struct {
			UUID   string
			Object string `json:"object_uuid"`
			Target string `json:"referenced_uuid"`
		}
	}
}

// parseMISP returns an event. It checks that each id is there once, and that what is referred to is there.
func parseMISP(t *testing.T, text string) mispTestEvent {
	t.Helper()
	var document struct{ Event mispTestEvent }
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	e := document.Event
	ids, count := map[string]bool{}, 0
	add := func(id string) {
		if len(id) != 36 || ids[id] {
			t.Errorf("the id %q is wrong or there twice", id)
		}
		ids[id] = true
	}
	add(e.UUID)
	for _, a := range e.Attribute {
		add(a.UUID)
		count++
	}
	for _, o := range e.Object {
		add(o.UUID)
		for _, a := range o.Attribute {
			add(a.UUID)
			count++
			if a.Value == "" || a.Relation == "" {
				t.Errorf("%s has an empty attribute: %+v", o.Name, a)
			}
		}
		if len(o.Attribute) == 0 {
			t.Errorf("an object is empty: %+v", o)
		}
	}
	for _, o := range e.Object {
		for _, r := range o.ObjectReference {
			if add(r.UUID); !ids[r.Target] || r.Object != o.UUID {
				t.Errorf("%s has a reference to nothing: %+v", o.Name, r)
			}
		}
	}
	if fmt.Sprint(count) != e.Count {
		t.Errorf("%d attributes, and the event says %s", count, e.Count)
	}
	return e
}

// validateMISP checks an event by the schema of the platform. The schema does not have objects, so the attributes of
// objects are checked by the schema of attributes, without their relation.
func validateMISP(t *testing.T, text string) {
	t.Helper()
	const url = "https://github.com/MISP/MISP/blob/2.4/format/2.4/schema.json"
	schema, err := schemaFolder{"/", schemasOf(t, "misp") + "/"}.Load("/schema.json")
	if err != nil {
		t.Fatal(err)
	}
	// A list in the place of a schema, which is meant for the object around it.
	sharing := schema.(map[string]any)["defs"].(map[string]any)["sharing_group"].(map[string]any)
	delete(sharing["properties"].(map[string]any), "required")
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(schemaFolder{url, filepath.Join(schemasOf(t, "misp"), "nothing")})
	if err := compiler.AddResource(url, schema); err != nil {
		t.Fatal(err)
	}
	event, err := compiler.Compile(url)
	if err != nil {
		t.Fatal(err)
	}
	attribute, err := compiler.Compile(url + "#/defs/attribute")
	if err != nil {
		t.Fatal(err)
	}
	var document struct{ Event map[string]any }
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		t.Fatal(err)
	}
	objects := document.Event["Object"].([]any)
	delete(document.Event, "Object")
	if err := event.Validate(map[string]any{"Event": document.Event}); err != nil {
		t.Errorf("%v\n%s", err, text)
	}
	for _, object := range objects {
		for _, a := range object.(map[string]any)["Attribute"].([]any) {
			delete(a.(map[string]any), "object_relation")
			if err := attribute.Validate(a); err != nil {
				t.Errorf("%v: %v", err, a)
			}
		}
	}
}

func TestEventsFollowTheSchemaOfMISP(t *testing.T) {
	validateMISP(t, runCheck(t, sampleConnection, goldenList, "check", "--output", "misp").stdout)
	validateMISP(t, runCheck(t, sampleConnection, "v1.2.3.4\n", "check", "--output", "misp").stdout)
	validateMISP(t, runCheck(t, hostileConnection(t), hostileAddress, "check", "--output", "misp").stdout)
}

func TestTheEventOfMISP(t *testing.T) {
	const list = "198.51.100.66 203.0.113.10 2001:db8:bad::10 192.0.2.222 10.0.0.1 192.0.2.201"
	text := runCheck(t, sampleConnection, list, "check", "--output", "misp").stdout
	e := parseMISP(t, text)
	if e.Threat != "1" || e.Analysis != "2" || e.Info != "shodanrep: 6 addresses by the policy extended, 0 not checked" {
		t.Errorf("got %+v", e)
	}
	for i, want := range []struct {
		value, level, status string
		toIDS                bool
	}{
		{"198.51.100.66", "critical", "indexed", true}, {"203.0.113.10", "critical", "indexed", true}, {"2001:db8:bad::10", "critical", "indexed", true},
		{"192.0.2.222", "low", "indexed", false}, {"10.0.0.1", "unknown", "reserved", false}, {"192.0.2.201", "unknown", "reserved", false},
	} {
		a := e.Attribute[i]
		if a.Value != want.value || a.ToIDS != want.toIDS || a.Type != "ip-dst" || len(a.Tag) != 3 ||
			a.Tag[0].Name != `shodanrep:level="`+want.level+`"` || a.Tag[1].Name != `shodanrep:status="`+want.status+`"` {
			t.Errorf("got %+v, want %+v", a, want)
		}
	}
	kinds := map[string]int{}
	for _, o := range e.Object {
		kinds[o.Name]++
		for _, a := range o.Attribute {
			if want := a.Relation == "ip-dst" && a.Value != "192.0.2.222"; a.ToIDS != want {
				t.Errorf("%s: to_ids is %v: %+v", o.Name, a.ToIDS, a)
			}
		}
	}
	// Two of the hosts share a certificate, and vulnerabilities are there once.
	if kinds["ip-port"] != 4 || kinds["x509"] == 0 || kinds["vulnerability"] < 13 {
		t.Errorf("got %v", kinds)
	}
	only := parseMISP(t, runCheck(t, sampleConnection, list, "check", "--output", "misp", "--only", "low").stdout)
	if len(only.Attribute) != 1 || !only.Attribute[0].ToIDS || only.UUID == e.UUID || only.Threat != "3" {
		t.Errorf("got %+v", only)
	}
}

func TestTheEventSaysThatAnAddressWasNotChecked(t *testing.T) {
	got := runCheck(t, failingConnection(t), "93.184.216.34", "check", "--output", "misp", "--only", "low")
	e := parseMISP(t, got.stdout)
	if e.Threat != "4" || e.Analysis != "1" || len(e.Object) != 0 || len(e.Attribute) != 1 || e.Attribute[0].ToIDS ||
		!strings.Contains(e.Attribute[0].Comment, "not checked: ") || e.Attribute[0].Tag[1].Name != `shodanrep:status="error"` {
		t.Errorf("got %+v", got)
	}
}

func TestHostileTextStaysTextInAMISPEvent(t *testing.T) {
	e := parseMISP(t, runCheck(t, hostileConnection(t), hostileAddress, "check", "--output", "misp").stdout)
	var names []string
	for _, o := range e.Object {
		for _, a := range o.Attribute {
			if a.Type == "hostname" || a.Type == "vulnerability" {
				names = append(names, a.Value)
			}
		}
	}
	if !slices.Equal(names, []string{"fine.example", "CVE-2021-40438"}) {
		t.Errorf("got %q", names)
	}
}
