package cli

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/postgrestest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// runLoad runs "shodanrep load" over a connection.
func runLoad(t *testing.T, connection, stdin string, args ...string) result {
	t.Helper()
	config := writeFile(t, "load.spc", "connection \"shodanrep\" {\n plugin = \"shodanrep\"\n"+shodantest.Patient(connection)+"}\n")
	var stdout, stderr bytes.Buffer
	a := app{plugin: shodanrep.Plugin, stdin: strings.NewReader(stdin), stdout: &stdout, stderr: &stderr}
	status := a.run(t.Context(), append([]string{"load", "--config", config}, args...))
	took := regexp.MustCompile(`in [0-9.]+(ms|s)\n`)
	return result{stdout.String(), took.ReplaceAllString(stderr.String(), "in N\n"), status}
}

func TestLoadWritesOneRowPerAddress(t *testing.T) {
	db := postgrestest.New(t)
	want := result{status: exitDone, stderr: "shodanrep: 5 addresses in the table public.reputation by the policy extended: 2 critical, unknown (3 reserved)\n" +
		"shodanrep: 0 up to date, 5 to look up; this process looked up 5 in N\n"}
	if got := runLoad(t, sampleConnection, someText, "--to", db.URL()); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	rows := db.Query(`select ip, source, status, score, level, ports[1:2], tags, jsonb_typeof(factors), failed_at, fresh_from <= loaded_at from reputation order by ip`)
	if diff := cmp.Diff([][]string{
		{"10.0.0.1", "<null>", "reserved", "<null>", "unknown", "<null>", "<null>", "<null>", "<null>", "t"},
		{"192.0.2.200", "<null>", "reserved", "<null>", "unknown", "<null>", "<null>", "<null>", "<null>", "t"},
		{"192.0.2.201", "<null>", "reserved", "<null>", "unknown", "<null>", "<null>", "<null>", "<null>", "t"},
		{"198.51.100.66", "dataset", "indexed", "135", "critical", "{21,22}", "{cloud,compromised,starttls}", "array", "<null>", "t"},
		{"203.0.113.10", "dataset", "indexed", "139", "critical", "{22,443}", "{c2,malware,self-signed}", "array", "<null>", "t"},
	}, rows); diff != "" {
		t.Error(diff)
	}
	if left := db.Query("select count(*) from reputation_queue"); left[0][0] != "0" {
		t.Errorf("%s addresses are left in the queue", left[0][0])
	}
}
