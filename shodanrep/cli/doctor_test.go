package cli

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile/internetdbtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// runDoctor runs doctor on a connection, and returns its lines, each with single spaces.
func runDoctor(t *testing.T, connection string) (lines []string, stderr string, status int) {
	t.Helper()
	spc := filepath.Join(t.TempDir(), "test.spc")
	text := "connection \"shodanrep\" {\n  plugin = \"shodanrep\"\n" + shodantest.Patient(connection) + "\n}\n"
	if err := os.WriteFile(spc, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	status = Main([]string{"doctor", "--config", spc}, strings.NewReader(""), &out, &errs)
	for _, line := range strings.Split(out.String(), "\n") {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	return lines, errs.String(), status
}

// says reports whether lines have a text. Spaces and the ends of lines do not count, because a path that is longer than a
// line is divided anywhere, and how long the path of a temporary folder is depends on the machine.
func says(lines []string, text string) bool {
	joined := func(text string) string { return strings.Join(strings.Fields(text), "") }
	return strings.Contains(joined(strings.Join(lines, " ")), joined(text))
}

func TestAnInterruptedDoctorHasNoResultOfTheCheckThatItWasIn(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}))
	defer server.Close()
	config := writeFile(t, "doctor.spc", fmt.Sprintf("connection \"a\" {\n plugin = \"shodanrep\"\n internetdb_url = %[1]q\n cvedb_url = %[1]q\n cache = \"off\"\n history_store = \"off\"\n}\n", server.URL))
	var stdout, stderr bytes.Buffer
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr}
	status := a.run(ctx, []string{"doctor", "--config", config})
	if status != exitInterrupted || stderr.String() != "shodanrep: interrupted\n" || !strings.Contains(stdout.String(), "ok       version") || strings.Contains(stdout.String(), "InternetDB        ") {
		t.Errorf("status %d, %q, %q", status, stdout.String(), stderr.String())
	}
}

func TestACacheThatIsOffHasNoResponsesToCount(t *testing.T) {
	t.Parallel()
	const arguments = "cache = \"off\"\nhistory_store = \"off\"\ninternetdb_url = %[1]q\ncvedb_url = %[1]q\n"
	lines, _, _ := runDoctor(t, fmt.Sprintf(arguments, closedPort))
	if !says(lines, "ok cache off: responses are not kept") || says(lines, "0 responses") {
		t.Errorf("%q", lines)
	}
	config := writeFile(t, "off.spc", "connection \"a\" {\n plugin = \"shodanrep\"\n cache = \"off\"\n}\n")
	const dropped, why = "0 responses dropped\n", "shodanrep: the cache is off, so it has no responses\n"
	for _, test := range []struct {
		args           []string
		stdout, stderr string
	}{
		{nil, "location  off: responses are not kept, and each lookup sends a request\n", ""},
		{[]string{"clear", "--yes"}, dropped, why},
		{[]string{"clear", "11.0.0.1"}, dropped, why},
		{[]string{"prune"}, dropped, why},
	} {
		var stdout, stderr bytes.Buffer
		status := Main(slices.Concat([]string{"cache", "--config", config}, test.args), strings.NewReader(""), &stdout, &stderr)
		if status != exitDone || stdout.String() != test.stdout || stderr.String() != test.stderr {
			t.Errorf("%q: status %d, %q, %q", test.args, status, stdout.String(), stderr.String())
		}
	}
}

// closedPort is an address at which nothing listens: no server of another test is given this port.
const closedPort = "http://127.0.0.1:1"

func TestDoctorChecksKeyPlanAndServices(t *testing.T) {
	key := fmt.Sprintf("api_key = %q", shodantest.Key)
	for name, test := range map[string]struct {
		plan      string
		arguments string
		close     bool // the services
		status    int
		want      []string
	}{
		"without a key": {"dev", "", false, exitDone, []string{
			"ok API key none:", "ok 1 address is looked up in internetdb", "ok 101 addresses are looked up in internetdb", "ok InternetDB http://", "ok clock agrees", "ok cache memory",
		}},
		"with a key": {"dev", key, false, exitDone, []string{
			"ok API key from the argument api_key", "ok plan dev; 10,000 query credits left", "ok 1 address is looked up in shodan", "ok 101 addresses are looked up in internetdb", "ok REST API http://",
		}},
		"with a free key": {"oss", key, false, exitDone, []string{"warning plan oss", "ok 1 address is looked up in internetdb"}},
		"with a wrong key": {"dev", `api_key = "WRONG"`, false, exitFailed, []string{
			"error API key the information on the API key failed: Shodan refused the API key",
		}},
		"with services that cannot be reached": {"dev", "", true, exitFailed, []string{"error InternetDB http://127.0.0.1", "warning CVEDB http://127.0.0.1", "ok cache memory"}},
		"with a wrong argument":                {"dev", "max_concurrency = 0", false, exitFailed, []string{"error connection", "max_concurrency = 0: use"}},
		"with a history":                       {"dev", fmt.Sprintf("history_store = %q", filepath.Join(t.TempDir(), "h.sqlite")), false, exitDone, []string{"h.sqlite: 0 addresses, 0 states"}},
		"without a history":                    {"dev", `history_store = "off"`, false, exitDone, []string{"ok history off"}},
		"with a history that cannot be used":   {"dev", fmt.Sprintf("history_store = %q", os.DevNull+"/h.sqlite"), false, exitDone, []string{"warning history history file"}},
		"with a dataset":                       {"dev", fmt.Sprintf("data_files = [%q]", filepath.Join("..", "..", "config", "sample", "hosts.json.gz")), false, exitDone, []string{"ok data_files 44 hosts", "ok 1 address is looked up in the files of data_files"}},
	} {
		t.Run(name, func(t *testing.T) {
			sim := shodantest.New(t, shodantest.WithPlan(test.plan))
			connection := to(sim, fmt.Sprintf("cvedb_url = %q", sim.CVEDBURL()), test.arguments)
			if test.close {
				connection = strings.ReplaceAll(connection, strings.TrimSuffix(sim.APIURL(), shodantest.APIPath), closedPort)
			}
			lines, stderr, status := runDoctor(t, connection)
			if status != test.status || (status == exitFailed) != strings.Contains(stderr, "at least one check failed") {
				t.Errorf("exit status %d, want %d: %s\n%s", status, test.status, stderr, strings.Join(lines, "\n"))
			}
			all := strings.Join(lines, "\n")
			for _, want := range test.want {
				if !says(lines, want) {
					t.Errorf("no %q in:\n%s", want, all)
				}
			}
			if strings.Contains(all+stderr, shodantest.Key) || strings.Contains(all+stderr, "WRONG") {
				t.Errorf("the API key is shown:\n%s", all)
			}
		})
	}
}

func TestTheKeyOfShodansCommandLineIsUsedWhereThereIsNoOther(t *testing.T) {
	for _, file := range []string{".config/shodan/api_key", ".shodan/api_key"} {
		sim := shodantest.New(t)
		home := t.TempDir()
		t.Setenv("HOME", home)
		t.Setenv("XDG_CONFIG_HOME", "")
		path := filepath.Join(home, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(shodantest.Key+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		lines, _, status := runDoctor(t, to(sim, fmt.Sprintf("cvedb_url = %q", sim.CVEDBURL())))
		if all := strings.Join(lines, " "); status != exitDone || !strings.Contains(all, "ok plan dev") || !strings.Contains(all, "of Shodan's command line") {
			t.Errorf("%s: exit status %d: %s", file, status, all)
		}
		// What the connection or the environment says comes first.
		t.Setenv("SHODAN_API_KEY", "OTHERkey")
		lines, _, _ = runDoctor(t, to(sim, fmt.Sprintf("cvedb_url = %q", sim.CVEDBURL())))
		if all := strings.Join(lines, " "); !strings.Contains(all, "from the environment variable SHODAN_API_KEY") {
			t.Errorf("%s: %s", file, all)
		}
		t.Setenv("SHODAN_API_KEY", "")
	}
}

func TestAKeyFileThatCannotBeReadIsSaid(t *testing.T) {
	sim := shodantest.New(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	// A folder cannot be read as a file, not even by root.
	if err := os.MkdirAll(filepath.Join(home, ".shodan", "api_key"), 0o700); err != nil {
		t.Fatal(err)
	}
	const why = "warning API key the key file of Shodan's command line cannot be read: "
	lines, _, _ := runDoctor(t, to(sim, fmt.Sprintf("cvedb_url = %q", sim.CVEDBURL())))
	if !says(lines, why) || !says(lines, "ok API key none:") {
		t.Errorf("%q", lines)
	}
	t.Setenv("HOME", os.DevNull)
	lines, _, _ = runDoctor(t, to(sim, fmt.Sprintf("cvedb_url = %q", sim.CVEDBURL())))
	if says(lines, why) {
		t.Errorf("without a home: %q", lines)
	}
}

func TestDoctorChecksTheFileOfInternetDB(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "internetdb.sqlite")
	if err := internetdbtest.Write(path, slices.Values([]internetdbtest.Row{{IP: "11.0.0.1", Ports: "22"}})); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	g := gzip.NewWriter(&zipped)
	if _, err := g.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	packed, old, cache := filepath.Join(dir, "packed.gz"), filepath.Join(dir, "old.sqlite"), filepath.Join(dir, "cache", "c.sqlite")
	for file, content := range map[string][]byte{packed: zipped.Bytes(), old: content} {
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	at := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	if err := os.Chtimes(old, at, at); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		file   string
		status int
		want   []string
	}{
		"a file":            {path, exitDone, []string{"ok internetdb_file " + path + ", of ", "12 kB; it answers in place of InternetDB"}},
		"a compressed file": {packed, exitDone, []string{"it is compressed, and unpacked to " + filepath.Dir(cache), "by the first lookup"}},
		"an old file":       {old, exitDone, []string{"warning internetdb_file " + old + ", of 2026-01-05 (", "Shodan makes a new file every week: download it again"}},
		"no file":           {filepath.Join(dir, "x"), exitFailed, []string{"error internetdb_file", "there is no such file"}},
	} {
		t.Run(name, func(t *testing.T) {
			// InternetDB cannot be reached, and need not.
			lines, stderr, status := runDoctor(t, fmt.Sprintf("internetdb_file = %q\ncache = %q\ninternetdb_url = %[3]q\ncvedb_url = %[3]q\nhistory_store = \"off\"\n", tt.file, cache, closedPort))
			text := strings.Join(lines, " ")
			for _, want := range append(tt.want, "warning InternetDB http://127.0.0.1") {
				if !says(lines, want) {
					t.Errorf("%q is not in %q (%s)", want, text, stderr)
				}
			}
			if status != tt.status {
				t.Errorf("exit status %d, want %d: %s", status, tt.status, text)
			}
		})
	}
}

// What is left out of the data files is in their line, and not only in the log.
func TestDoctorSaysWhatIsLeftOutOfTheDataFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	banner := func(ip, day string) string {
		return fmt.Sprintf(`{"ip_str":%q,"port":80,"transport":"tcp","timestamp":%q,"data":""}`+"\n", ip, day+"T00:00:00")
	}
	write("0.json", banner("11.0.0.1", "2025-01-01"))
	write("1.json", banner("11.0.0.2", "2026-01-01"))
	sim := shodantest.New(t)
	connection := to(sim, fmt.Sprintf("cvedb_url = %q", sim.CVEDBURL()), fmt.Sprintf("data_files = [%q]", filepath.Join(dir, "*.json")), `data_window = "30d"`)
	lines, _, status := runDoctor(t, connection)
	want := "ok data_files 1 host in " + filepath.Join(dir, "*.json") + "; data_window leaves out 1 file: " + filepath.Join(dir, "0.json")
	if status != exitDone || !says(lines, want) {
		t.Errorf("exit status %d: no %q in %q", status, want, lines)
	}
	write("2.json", banner("11.0.0.3", "2026-01-02")+"{\n{}\nnothing\n")
	lines, _, status = runDoctor(t, connection)
	t.Setenv("TMPDIR", t.TempDir())
	_, stderr, _ := runDoctor(t, connection+"\napi_key = \""+shodantest.Key+`"`)
	if n := strings.Count(stderr, "records that cannot be read"); n != 1 {
		t.Errorf("the files are read %d times: %s", n, stderr)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("it leaves %v: %v", left, err)
	}
	if status != exitDone || !says(lines, "warning data_files 2 hosts in ") || !says(lines, " records cannot be read, the first in "+filepath.Join(dir, "2.json")+", line 2: ") {
		t.Errorf("exit status %d: %q", status, lines)
	}
}

// A file of another kind in a folder takes nothing away from the others, and doctor says that it is there.
func TestDoctorNamesAFileWithoutBanners(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"0.json": `{"ip_str":"11.0.0.1","port":80,"transport":"tcp","timestamp":"2025-01-01T00:00:00","data":""}` + "\n",
		"1.json": "<html>502 Bad Gateway</html>\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sim := shodantest.New(t)
	connection := to(sim, fmt.Sprintf("cvedb_url = %q", sim.CVEDBURL()), fmt.Sprintf("data_files = [%q]", dir))
	lines, _, status := runDoctor(t, connection)
	want := "warning data_files 1 host in " + dir + "; 1 file without a banner left out, the first: data file "
	if status != exitDone || !says(lines, want) || !says(lines, "1.json") || !says(lines, "it is HTML or XML") {
		t.Errorf("exit status %d: no %q in %q", status, want, lines)
	}
	got := runCheck(t, connection+"\n", "", "check", "11.0.0.1")
	if got.status != exitDone || !strings.Contains(got.stdout, "11.0.0.1") || !strings.Contains(got.stderr, "1.json") {
		t.Errorf("check: %+v", got)
	}
}

func TestDoctorNamesTheConfigurationOfTheEnvironment(t *testing.T) {
	sim := shodantest.New(t)
	connection := fmt.Sprintf("internetdb_url = %q\ncvedb_url = %q\ncache = \"memory\"\nhistory_store = \"off\"\n", sim.InternetDBURL(), sim.CVEDBURL())
	got := runCheck(t, connection, "", "doctor")
	// A long path is wrapped.
	want := "configuration" + os.Getenv(configVariable) + "ok"
	if !strings.Contains(strings.Join(strings.Fields(got.stdout), ""), want) || strings.Contains(got.stdout, "does not exist") {
		t.Errorf("no %q in %s", want, got.stdout)
	}
}

func TestDoctorSaysThatThereIsNoHomeFolder(t *testing.T) {
	for _, variable := range []string{"HOME", "USERPROFILE", "STEAMPIPE_INSTALL_DIR", configVariable} {
		t.Setenv(variable, "")
	}
	var got []string
	new(doctor).configuration(func(result, name, format string, args ...any) {
		got = append(got, result+" "+name+" "+fmt.Sprintf(format, args...))
	})
	if want := "ok configuration $HOME is not set, so no file is read and every argument has its default; --config names a file"; len(got) != 1 || got[0] != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// checkedServices are a service for each argument of a connection, and the connection. The handler gets "InternetDB",
// "CVEDB", "REST API" or "API key" for the request that it serves.
func checkedServices(t *testing.T, serve func(request string, r *http.Request)) (connection string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := map[string]string{"/internetdb/": "InternetDB", "/cvedb/": "CVEDB", "/api/": "REST API", "/api/api-info": "API key"}[r.URL.Path]
		serve(request, r)
		if request == "API key" {
			fmt.Fprint(w, `{"plan": "dev", "query_credits": 100}`)
		}
	}))
	t.Cleanup(server.Close)
	return fmt.Sprintf("connection \"a\" {\n plugin = \"shodanrep\"\n api_key = %q\n api_url = \"%[2]s/api\"\n internetdb_url = \"%[2]s/internetdb\"\n"+
		" cvedb_url = \"%[2]s/cvedb\"\n timeout = \"5m\"\n cache = \"off\"\n history_store = \"off\"\n}\n", shodantest.Key, server.URL)
}

// orderOfChecks is the order of the lines of a connection of checkedServices, by their names.
var orderOfChecks = []string{
	"version", "configuration", "connection", "API key", "plan", "1 address", "101 addresses", "InternetDB", "CVEDB", "REST API", "clock", "cache", "history",
}

func TestDoctorAsksAllServicesAtOnce(t *testing.T) {
	t.Parallel()
	var asked sync.WaitGroup
	asked.Add(4)
	connection := checkedServices(t, func(string, *http.Request) {
		asked.Done()
		asked.Wait() // no service answers before all were asked
	})
	var stdout, stderr bytes.Buffer
	status := Main([]string{"doctor", "--config", writeFile(t, "doctor.spc", connection)}, strings.NewReader(""), &stdout, &stderr)
	var names []string
	for line := range strings.Lines(stdout.String()) {
		if result, rest := line[:checkWidth], line[checkWidth:]; strings.TrimSpace(result) != "" {
			names = append(names, strings.TrimSpace(rest[:nameWidth]))
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "certificates" }) // of the environment
	if status != exitDone || !slices.Equal(names, orderOfChecks) {
		t.Errorf("status %d, %q\n%s%s", status, names, stdout.String(), stderr.String())
	}
}

// A lineWatcher closes a channel when what was written has a text.
type lineWatcher struct {
	bytes.Buffer
	text string
	seen chan struct{}
}

func (w *lineWatcher) Write(p []byte) (int, error) {
	had := strings.Contains(w.String(), w.text)
	n, err := w.Buffer.Write(p)
	if !had && strings.Contains(w.String(), w.text) {
		close(w.seen)
	}
	return n, err
}

// A service that does not answer holds up its own line and those after it, and none before.
func TestDoctorPrintsALineAsSoonAsThoseBeforeItAreKnown(t *testing.T) {
	for slow, before := range map[string]string{"API key": "API key", "InternetDB": "101 addresses", "CVEDB": "InternetDB", "REST API": "CVEDB"} {
		t.Run(slow, func(t *testing.T) {
			t.Parallel()
			stdout := lineWatcher{text: before, seen: make(chan struct{})}
			connection := checkedServices(t, func(request string, r *http.Request) {
				if request == slow {
					select {
					case <-stdout.seen:
					case <-r.Context().Done():
						t.Errorf("no line of %s before %s answered", before, slow)
					}
				}
			})
			var stderr bytes.Buffer
			status := Main([]string{"doctor", "--config", writeFile(t, "doctor.spc", connection)}, strings.NewReader(""), &stdout, &stderr)
			if status != exitDone {
				t.Errorf("status %d, %s%s", status, stdout.String(), stderr.String())
			}
		})
	}
}
