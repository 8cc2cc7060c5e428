// Package contrib_test runs the programs of this folder as their platforms do, against the simulator.
package contrib_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// The addresses of the tests.
const (
	badAddress   = "11.0.1.1"
	cleanAddress = "11.0.1.2"
	noData       = "11.0.1.3"
	brokenHost   = "11.0.1.4"
	private      = "10.0.0.1"
)

// asProgram is the environment variable with which this test's binary is the program shodanrep.
const asProgram = "SHODANREP_TEST_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		os.Exit(cli.Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	os.Exit(processtest.RunInTempDir(func(string) int { return m.Run() }))
}

// interpreter finds Python itself. What is called python3 in PATH may be a script of a version manager, which takes longer
// than the scripts under test.
var interpreter = sync.OnceValues(func() (string, error) {
	path, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	return strings.TrimSpace(string(path)), err
})

// python skips the test where there is no Python.
func python(t *testing.T) string {
	t.Helper()
	path, err := interpreter()
	if errors.Is(err, exec.ErrNotFound) {
		t.Skip("needs the program python3")
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// environment returns the environment of a program that runs shodanrep on a simulator.
func environment(t *testing.T) []string {
	t.Helper()
	sim := shodantest.New(t)
	sim.AddHost(shodantest.Host{
		IP: badAddress, Ports: []int{22, 4444}, Hostnames: []string{"bad.example.com"}, Tags: []string{"c2", "malware"}, Vulns: []string{"CVE-2021-44228"},
	})
	sim.AddHost(shodantest.Host{IP: cleanAddress, Ports: []int{443}})
	sim.Fault(shodantest.Fault{Target: brokenHost, Status: http.StatusBadRequest, Body: `{"error": "Invalid IP"}`}) // not sent again
	config := filepath.Join(t.TempDir(), "test.spc")
	arguments := fmt.Sprintf("  internetdb_url = %q\n  api_url = %q\n  cache = \"memory\"\n", sim.InternetDBURL(), sim.APIURL())
	text := "connection \"shodanrep\" {\n  plugin = \"shodanrep\"\n" + shodantest.Patient(arguments) + "}\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return append(os.Environ(), asProgram+"=1", "SHODANREP_BINARY="+os.Args[0], "SHODANREP_CONFIG="+config, "SHODAN_API_KEY=",
		"XDG_DATA_HOME="+t.TempDir(), "PYTHONDONTWRITEBYTECODE=1")
}

// A cortexReport is what Cortex reads of a report.
type cortexReport struct {
	Success      *bool
	ErrorMessage string
	Input        map[string]any
	Summary      struct {
		Taxonomies []struct{ Level, Namespace, Predicate, Value string }
	}
	Full      map[string]any
	Artifacts []struct {
		DataType, Data string
		Tags           []string
	}
}

// runAnalyzer runs the analyzer with an input, in a folder as Cortex 3 does or on its streams as Cortex 2 does.
func runAnalyzer(t *testing.T, env []string, input string, inFolder bool) (report cortexReport, text string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python(t), "cortex/Shodanrep/shodanrep_analyzer.py")
	cmd.Env = env
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = strings.NewReader(input), &stderr
	job := t.TempDir()
	if inFolder {
		if err := os.MkdirAll(filepath.Join(job, "input"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(job, "input", "input.json"), []byte(input), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd.Stdin = nil
	}
	cmd.Args = append(cmd.Args, job)
	output, err := cmd.Output()
	if inFolder {
		if len(output) > 0 {
			t.Errorf("standard output has %s", output)
		}
		if output, err = os.ReadFile(filepath.Join(job, "output", "output.json")); err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
	}
	if err := json.Unmarshal(output, &report); err != nil || report.Success == nil || stderr.Len() > 0 {
		t.Fatalf("%v: %s%s", err, output, stderr.String())
	}
	if !inFolder && (err == nil) != *report.Success {
		t.Errorf("%v with the report %s", err, output)
	}
	return report, string(output)
}

func TestTheAnalyzerOfCortexReports(t *testing.T) {
	t.Parallel()
	env := environment(t)
	for address, want := range map[string]struct {
		success    bool
		taxonomies string
		message    string
	}{
		badAddress:   {true, "malicious level=critical, malicious score=", ""},
		cleanAddress: {true, "safe level=low, safe score=0", ""},
		noData:       {true, "info status=not_indexed", ""},
		private:      {true, "info status=reserved", ""},
		brokenHost:   {false, "info status=not checked", "not checked: "},
	} {
		for _, inFolder := range []bool{true, false} {
			if !inFolder && address != badAddress && address != brokenHost {
				continue // the streams make no difference to the report
			}
			got, text := runAnalyzer(t, env, fmt.Sprintf(`{"dataType": "ip", "data": %q, "tlp": 2, "pap": 2, "config": {"check_tlp": true, "max_tlp": 2, "check_pap": true}}`, address), inFolder)
			var taxonomies []string
			for _, x := range got.Summary.Taxonomies {
				taxonomies = append(taxonomies, x.Level+" "+x.Predicate+"="+x.Value)
			}
			list := strings.Join(taxonomies, ", ")
			if *got.Success != want.success || !strings.HasPrefix(list, want.taxonomies) || !strings.HasPrefix(got.ErrorMessage, want.message) ||
				(got.ErrorMessage == "") != want.success || got.Full["ip"] != address {
				t.Errorf("%s: got %s", address, text)
			}
			if address != cleanAddress && strings.Contains(text, `"safe"`) {
				t.Errorf("%s looks safe: %s", address, text)
			}
			isHost := func(data string) bool {
				for _, a := range got.Artifacts {
					if a.DataType == "fqdn" && a.Data == data {
						return true
					}
				}
				return false
			}
			if isHost("bad.example.com") != (address == badAddress) {
				t.Errorf("%s has the artifacts %+v", address, got.Artifacts)
			}
		}
	}
}

func TestTheAnalyzerOfCortexRefuses(t *testing.T) {
	t.Parallel()
	env := environment(t)
	file := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(file, []byte(badAddress), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, input := range map[string]string{
		"The input is not JSON":             `{`,
		"The input is not an object":        `[1]`,
		"This data type is not supported":   `{"dataType": "domain", "data": "example.com"}`,
		"is not an IP address":              `{"dataType": "ip", "data": "` + file + `"}`,
		"'11.0.0.0/8' is not an IP address": `{"dataType": "ip", "data": "11.0.0.0/8"}`,
		"None is not an IP address":         `{"dataType": "ip"}`,
		"TLP is higher than allowed":        `{"dataType": "ip", "data": "11.0.1.1", "tlp": 3, "config": {"check_tlp": true}}`,
		"PAP is higher than allowed":        `{"dataType": "ip", "data": "11.0.1.1", "pap": 1, "config": {"check_pap": true, "max_pap": 0}}`,
		"is not the name of a policy":       `{"dataType": "ip", "data": "11.0.1.1", "config": {"policy": "` + file + `"}}`,
		"there is no policy":                `{"dataType": "ip", "data": "11.0.1.1", "config": {"policy": "strict"}}`,
		"is not a source":                   `{"dataType": "ip", "data": "11.0.1.1", "config": {"source": "--config"}}`,
		"needs an API key":                  `{"dataType": "ip", "data": "11.0.1.1", "config": {"source": "shodan"}}`,
	} {
		got, text := runAnalyzer(t, env, input, true)
		if *got.Success || !strings.Contains(got.ErrorMessage, want) || len(got.Summary.Taxonomies) > 0 {
			t.Errorf("%s: got %s, want %q", input, text, want)
		}
	}
	got, text := runAnalyzer(t, env, `{"dataType": "ip", "data": "x", "config": {"api_key": "THE-KEY"}}`, true)
	if *got.Success || strings.Contains(text, "THE-KEY") || got.Input["data"] != "x" {
		t.Errorf("got %s", text)
	}
	got, text = runAnalyzer(t, append(env, "SHODANREP_BINARY=/nowhere/shodanrep"), `{"dataType": "ip", "data": "11.0.1.1"}`, true)
	if *got.Success || !strings.Contains(got.ErrorMessage, "/nowhere/shodanrep cannot be started") {
		t.Errorf("got %s", text)
	}
	if got, text = runAnalyzer(t, append(env, "SHODANREP_BINARY=echo"), `{"dataType": "ip", "data": "11.0.1.1"}`, true); *got.Success || !strings.Contains(got.ErrorMessage, "did not write a report") {
		t.Errorf("got %s", text)
	}
}

// Whatever the input is, there is a report, and it shows no key and no password.
func TestTheAnalyzerOfCortexReportsOnHostileInput(t *testing.T) {
	t.Parallel()
	env := environment(t)
	const job = `{"dataType": "ip", "data": "11.0.1.1", `
	for input, want := range map[string]string{
		"\xff":                                          "The input is not JSON",
		strings.Repeat("[", 100_000):                    "The input is not JSON",
		`{"dataType": "ip", "data": "\ud800"}`:          "is not an IP address",
		job + `"config": ["SECRET"]}`:                   "The settings are not an object",
		job + `"tlp": "9", "config": {"check_tlp": 1}}`: "TLP is not a number",
		job + `"config": {"api_key": 5}}`:               "The setting api_key is not a text",
		job + `"config": {"api_key": "SECRET\u0000"}}`:  "The setting api_key is not a text",
		job + `"config": {"source": "x", "proxy": {"https": "http://u:SECRET@p:1"}, "proxy_http": "http://u:SECRET@p:1"}}`: "is not a source",
		job + `"config": {"proxy": {"http": ["SECRET"]}}}`:                                                                 "The setting http is not a text",
		job + `"config": {"policy": 5}}`:                                                                                   "there is no policy",
	} {
		got, text := runAnalyzer(t, env, input, true)
		if *got.Success || !strings.Contains(got.ErrorMessage, want) || strings.Contains(text, "SECRET") {
			t.Errorf("%.80s: got %.300s, want %q", input, text, want)
		}
	}
	// A zone can be any text, also another address.
	if got, text := runAnalyzer(t, env, `{"dataType": "ip", "data": "fe80::1% `+badAddress+`"}`, true); !*got.Success || got.Full["ip"] != "fe80::1" {
		t.Errorf("got %s", text)
	}
}

func TestTheModuleOfMISPAnswersHostileRequests(t *testing.T) {
	t.Parallel()
	wants := map[string]string{
		strings.Repeat("[", 100_000):                                     "the request is not JSON",
		mispRequest("ip-dst", badAddress, `["SECRET"]`):                  "the settings are not an object",
		mispRequest("ip-dst", badAddress, `{"api_key": ["SECRET"]}`):     "the setting api_key is not a text",
		mispRequest("ip-dst", badAddress, `{"api_key": "SECRET\u0000"}`): "the setting api_key is not a text",
		mispRequest("ip-dst", badAddress, `{"api_key": "SECRET\ud800"}`): "the setting api_key is not a text",
		mispRequest("ip-dst", badAddress, `{"policy": 5}`):               "there is no policy",
	}
	requests := append(slices.Collect(maps.Keys(wants)), mispRequest("ip-dst", "fe80::1% "+badAddress, `{}`))
	_, answers := askModule(t, environment(t), requests...)
	for i, request := range requests[:len(wants)] {
		got, want := answers[i], wants[request]
		if got.Results != nil || !strings.Contains(got.Error, want) || strings.Contains(got.Error, "SECRET") {
			t.Errorf("%.80s: got %+v, want %q", request, got, want)
		}
	}
	if got := answers[len(wants)].Results; got == nil || !strings.HasPrefix(got.Attribute[0].Comment, "fe80::1: unknown (reserved)") {
		t.Errorf("got %+v", answers[len(wants)])
	}
}

func TestTheDefinitionOfTheAnalyzerIsComplete(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("cortex/Shodanrep/Shodanrep.json")
	if err != nil {
		t.Fatal(err)
	}
	var definition struct {
		Name, Version, Author, URL, License, Description, BaseConfig, Command string
		DataTypeList                                                          []string
		ConfigurationItems                                                    []struct {
			Name, Description, Type string
			Multi, Required         *bool
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(content))
	if err := decoder.Decode(&definition); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{definition.Name, definition.Version, definition.Author, definition.URL, definition.License, definition.Description, definition.BaseConfig} {
		if value == "" {
			t.Errorf("a value is missing: %+v", definition)
		}
	}
	info, err := os.Stat(filepath.Join("cortex", definition.Command))
	if err != nil || info.Mode()&0o111 == 0 || !slices.Equal(definition.DataTypeList, []string{"ip"}) {
		t.Errorf("%v: the command cannot be run: %+v", err, definition)
	}
	for _, item := range definition.ConfigurationItems {
		if item.Name == "" || item.Description == "" || item.Type != "string" || item.Multi == nil || item.Required == nil {
			t.Errorf("an item is not complete: %+v", item)
		}
	}
}

// mispServer loads modules from a folder as misp-modules does with --custom, answers queries with the function handler
// and encodes what it returns. It prints the list of modules, and then an answer per line of standard input.
const mispServer = `
import importlib.util, json, pathlib, sys
root = pathlib.Path(sys.argv[1])
handlers = {}
for kind in root.iterdir():
    if not kind.is_dir() or kind.name not in ("expansion", "export_mod", "import_mod", "action_mod"):
        continue
    for file in kind.iterdir():
        if file.is_file() and file.name.endswith(".py") and not file.name.startswith("_"):
            spec = importlib.util.spec_from_file_location(file.stem, str(file))
            module = importlib.util.module_from_spec(spec)
            sys.modules[file.stem] = module
            spec.loader.exec_module(module)
            handlers[file.stem] = (kind.name, module)
print(json.dumps([{"name": name, "type": kind, "mispattributes": m.introspection(), "meta": m.version()} for name, (kind, m) in handlers.items()]))
for line in sys.stdin.buffer:
    payload = line.rstrip(b"\n")
    module = handlers["shodanrep"][1]
    try:
        answer = module.dict_handler(request=json.loads(payload))
    except AttributeError:
        answer = module.handler(q=payload)
    print(json.dumps(answer))
`

type mispAttribute struct {
	UUID, Type, Value, Comment, Category string
	Relation                             string `json:"object_relation"`
	ToIDS                                bool   `json:"to_ids"`
	Tag                                  []struct{ Name string }
}

// A mispAnswer is what a module answers.
type mispAnswer struct {
	Error   string
	Results *struct {
		Attribute []mispAttribute
		Object    []struct {
			UUID, Name      string
			Attribute       []mispAttribute
			ObjectReference []struct {
				UUID, ObjectUUID string
				Target           string `json:"referenced_uuid"`
				Relation         string `json:"relationship_type"`
			}
		}
	}
}

// askModule sends requests to the module, and returns the list of modules and the answers.
func askModule(t *testing.T, env []string, requests ...string) (modules []map[string]any, answers []mispAnswer) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python(t), "-c", mispServer, "misp")
	cmd.Env, cmd.Stdin = env, strings.NewReader(strings.Join(requests, "\n")+"\n")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%v: %s", err, stderr.String())
	}
	list, lines, _ := strings.Cut(string(output), "\n")
	if err := json.Unmarshal([]byte(list), &modules); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(lines) {
		var answer mispAnswer
		if err := json.Unmarshal([]byte(line), &answer); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if (answer.Error == "") == (answer.Results == nil) {
			t.Errorf("an answer is an error or has results: %s", line)
		}
		answers = append(answers, answer)
	}
	if len(answers) != len(requests) {
		t.Fatalf("%d answers to %d requests: %s", len(answers), len(requests), lines)
	}
	return modules, answers
}

const attributeID = "5c4b4b8e-1b7a-4f0e-9d5b-1d3b2f1a0001"

func mispRequest(kind, value, config string) string {
	return fmt.Sprintf(`{"module": "shodanrep", "attribute": {"type": %q, "uuid": %q, "value": %q, "category": "Payload delivery", "to_ids": false}, "config": %s}`, kind, attributeID, value, config)
}

func TestTheModuleOfMISPSaysWhatItIs(t *testing.T) {
	t.Parallel()
	modules, _ := askModule(t, os.Environ(), `{}`)
	if len(modules) != 1 || modules[0]["name"] != "shodanrep" || modules[0]["type"] != "expansion" {
		t.Fatalf("%v", modules)
	}
	attributes, meta := modules[0]["mispattributes"].(map[string]any), modules[0]["meta"].(map[string]any)
	if attributes["format"] != "misp_standard" || !slices.Contains(attributes["input"].([]any), any("ip-dst")) {
		t.Errorf("%v", attributes)
	}
	for _, name := range []string{"version", "author", "description", "module-type", "name", "requirements", "features", "references", "input", "output", "config"} {
		if value, ok := meta[name]; !ok || value == "" {
			t.Errorf("%s is %v", name, value)
		}
	}
}

func TestTheModuleOfMISPExpandsAnAddress(t *testing.T) {
	t.Parallel()
	requests := []string{
		mispRequest("ip-dst", badAddress, `{}`), mispRequest("ip-src|port", badAddress+"|4444", `{}`), mispRequest("ip-dst", cleanAddress, `{"policy": "baseline"}`),
		mispRequest("ip-dst", noData, `null`), mispRequest("ip-src", private, `{}`), mispRequest("ip-src", brokenHost, `{}`),
	}
	_, answers := askModule(t, environment(t), requests...)
	if last := answers[5]; last.Results != nil || !strings.Contains(last.Error, "not checked: ") {
		t.Errorf("a failed lookup is %+v", last)
	}
	for i, want := range []struct{ kind, value, tags, comment, objects string }{
		{"ip-dst", badAddress, `shodanrep:level="critical" shodanrep:status="indexed" shodanrep:policy="extended"`, badAddress + ": critical, score ", "ip-port vulnerability"},
		{"ip-src|port", badAddress + "|4444", `shodanrep:level="critical" shodanrep:status="indexed" shodanrep:policy="extended"`, badAddress + ": critical, score ", "ip-port vulnerability"},
		{"ip-dst", cleanAddress, `shodanrep:level="low" shodanrep:status="indexed" shodanrep:policy="baseline"`, cleanAddress + ": low, score 0", "ip-port"},
		{"ip-dst", noData, `shodanrep:level="unknown" shodanrep:status="not_indexed" shodanrep:policy="extended"`, noData + ": unknown (not_indexed): ", ""},
		{"ip-src", private, `shodanrep:level="unknown" shodanrep:status="reserved" shodanrep:policy="extended"`, private + ": unknown (reserved): ", ""},
	} {
		got := answers[i].Results
		if got == nil || len(got.Attribute) != 1 {
			t.Errorf("%s: got %+v", requests[i], answers[i])
			continue
		}
		a := got.Attribute[0]
		var tags, objects []string
		for _, tag := range a.Tag {
			tags = append(tags, tag.Name)
		}
		ids := map[string]bool{attributeID: true}
		for _, o := range got.Object {
			objects = append(objects, o.Name)
			ids[o.UUID] = true
		}
		if a.UUID != attributeID || a.Type != want.kind || a.Value != want.value || a.ToIDS || a.Category != "Payload delivery" ||
			strings.Join(tags, " ") != want.tags || !strings.HasPrefix(a.Comment, want.comment) || strings.Join(objects, " ") != want.objects {
			t.Errorf("%s: got %+v", requests[i], *got)
		}
		isRelated := false
		for _, o := range got.Object {
			for _, reference := range o.ObjectReference {
				if !ids[reference.Target] {
					t.Errorf("%s: %s refers to %s, which is not there", requests[i], o.Name, reference.Target)
				}
				isRelated = isRelated || reference.Target == attributeID
			}
		}
		if isRelated != (want.objects != "") {
			t.Errorf("%s: the objects are not related to the attribute: %+v", requests[i], got.Object)
		}
	}
	_, again := askModule(t, environment(t), requests[0], strings.ReplaceAll(requests[0], attributeID, "5c4b4b8e-1b7a-4f0e-9d5b-1d3b2f1a0002"))
	if answers[0].Results.Object[0].UUID != again[0].Results.Object[0].UUID || again[0].Results.Object[0].UUID == again[1].Results.Object[0].UUID {
		t.Errorf("the ids of objects do not depend on the attribute alone: %+v, %+v", again[0].Results.Object, again[1].Results.Object)
	}
}

func TestTheModuleOfMISPRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "secret.txt")
	if err := os.WriteFile(file, []byte(badAddress), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ request, want string }{
		{`{`, "not JSON"},
		{`[]`, `needs an "attribute"`},
		{`{"attribute": {"type": "ip-dst", "value": "11.0.1.1"}}`, `needs an "attribute"`},
		{mispRequest("domain", "example.com", `{}`), "type domain are not supported"},
		{mispRequest("ip-dst", file, `{}`), "is not an IP address"},
		{mispRequest("ip-dst", "11.0.0.0/8", `{}`), "is not an IP address"},
		{mispRequest("ip-dst", badAddress, `{"policy": "`+file+`"}`), "is not the name of a policy"},
		{mispRequest("ip-dst", badAddress, `{"policy": "strict"}`), "there is no policy"},
		{mispRequest("ip-dst", badAddress, `{"source": "--config"}`), "is not a source"},
		{mispRequest("ip-dst", badAddress, `{"source": "shodan"}`), "needs an API key"},
		{strings.ReplaceAll(mispRequest("ip-dst", badAddress, `{}`), attributeID, "x"), "uuid of its attribute is not one"},
	}
	var requests []string
	for _, test := range tests {
		requests = append(requests, test.request)
	}
	_, answers := askModule(t, environment(t), requests...)
	for i, test := range tests {
		if !strings.Contains(answers[i].Error, test.want) {
			t.Errorf("%s: got %+v, want %q", test.request, answers[i], test.want)
		}
	}
	for binary, want := range map[string]string{"/nowhere/shodanrep": "cannot be started", "echo": "did not write an event"} {
		if _, answers := askModule(t, append(environment(t), "SHODANREP_BINARY="+binary), mispRequest("ip-dst", badAddress, `{}`)); !strings.Contains(answers[0].Error, want) {
			t.Errorf("%s: got %+v", binary, answers[0])
		}
	}
}
