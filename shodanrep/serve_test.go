package shodanrep

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	goplugin "github.com/hashicorp/go-plugin"

	"github.com/hashicorp/go-hclog"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/shared"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/history"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
	_ "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/sdktest"
)

// servePlugin is the variable by which a test has the test's own program serve the plugin.
const servePlugin = "SHODANREP_TEST_SERVE"

func TestMain(m *testing.M) {
	if os.Getenv(servePlugin) != "" {
		Serve()
		return
	}
	os.Exit(processtest.RunInTempDir(func(dir string) int {
		// No test shares a cache or rate limits with processes of the developer's own, nor with other tests, which would
		// wait for the lock of one file: a folder below a file cannot be made.
		file := filepath.Join(dir, "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			panic(err)
		}
		os.Setenv("SHODANREP_CACHE_DIR", filepath.Join(file, "none"))
		os.Setenv("XDG_DATA_HOME", dir)
		// The SDK's lines, a dozen per row, cost a fifth of the processor time of the tests.
		os.Setenv("STEAMPIPE_LOG_LEVEL", "off")
		return m.Run()
	}))
}

// startPlugin starts the plugin as a process of its own, as Steampipe does.
func startPlugin(t *testing.T) (client *grpc.PluginClient, process *os.Process) {
	t.Helper()
	client, process, _ = startPluginLogging(t, io.Discard)
	return client, process
}

// startPluginLogging is startPlugin with a place for what the process writes to its log. It also returns what ends the
// process as Steampipe does, but waits until it has ended: Steampipe kills it after two seconds.
func startPluginLogging(t *testing.T, lines io.Writer) (client *grpc.PluginClient, process *os.Process, end func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), servePlugin+"=1")
	c := goplugin.NewClient(&goplugin.ClientConfig{
		HandshakeConfig:  shared.Handshake,
		Plugins:          map[string]goplugin.Plugin{pluginName: &shared.WrapperPlugin{}},
		Cmd:              cmd,
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
		Stderr:           lines,
	})
	t.Cleanup(c.Kill)
	client, err := grpc.NewPluginClient(c, pluginName)
	if err != nil {
		t.Fatal(err)
	}
	return client, cmd.Process, func() {
		connection, err := c.Client()
		if err == nil {
			err = connection.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		for !c.Exited() {
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// residentMB returns the memory of a process that is in RAM.
func residentMB(t *testing.T, process *os.Process) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	kB, err := strconv.Atoi(string(regexp.MustCompile(`VmRSS:\s+(\d+) kB`).FindSubmatch(status)[1]))
	if err != nil {
		t.Fatal(err)
	}
	return kB / 1024
}

// lookUpIn looks addresses up in the plugin's process, and reads the rows.
func lookUpIn(t *testing.T, client *grpc.PluginClient, callID string, ips *proto.QualValue, want int) {
	t.Helper()
	stream, _, cancel, err := client.Execute(&proto.ExecuteRequest{
		Table: "shodan_ip_reputation", Connection: "test", CallId: callID,
		QueryContext: &proto.QueryContext{Columns: []string{"ip", "status", "factors"}, Quals: map[string]*proto.Quals{"ip": {Quals: []*proto.Qual{
			{FieldName: "ip", Operator: &proto.Qual_StringValue{StringValue: "="}, Value: ips},
		}}}},
		ExecuteConnectionData: map[string]*proto.ExecuteConnectionData{"test": {CacheEnabled: true, CacheTtl: 300}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer cancel()
	rows := 0
	for {
		response, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if response.Row.Columns["status"].GetStringValue() != "indexed" {
			t.Fatalf("%v", response)
		}
		rows++
	}
	if rows != want {
		t.Fatalf("%d rows, want %d", rows, want)
	}
}

func TestThePluginsProcessDoesNotAllocateTheQueryCacheThatItDoesNotUse(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the memory of a process is read from /proc")
	}
	sim := simulate(t)
	client, process := startPlugin(t)
	if _, err := client.SetAllConnectionConfigs(&proto.SetAllConnectionConfigsRequest{
		MaxCacheSizeMb: -1, // as Steampipe does, which calls SetCacheOptions next
		Configs:        []*proto.ConnectionConfig{{Connection: "test", Plugin: "shodanrep", Config: free(sim)}},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.SetCacheOptions(&proto.SetCacheOptionsRequest{Enabled: true, Ttl: 300}); err != nil {
		t.Fatal(err)
	}
	// Queries make garbage, and how much of it may pile up depends on how much memory the process has in use.
	var ips []string
	for _, addr := range sim.Generate(200) {
		ips = append(ips, addr.String())
	}
	for i := range 40 {
		lookUpIn(t, client, fmt.Sprint("memory-", i), inets(ips...), len(ips))
	}
	mb := residentMB(t, process)
	t.Logf("%d MB resident", mb)
	if mb > 200 {
		t.Errorf("%d MB resident, want less than 200", mb)
	}
}

// TestAProcessThatEndsRecordsWhatItLookedUp ends the process at once after a query, as "steampipe query" does.
func TestAProcessThatEndsRecordsWhatItLookedUp(t *testing.T) {
	t.Parallel()
	sim := simulate(t)
	addr := sim.Generate(1)[0]
	path := filepath.Join(t.TempDir(), "history.sqlite")
	client, _, end := startPluginLogging(t, io.Discard)
	if _, err := client.SetAllConnectionConfigs(&proto.SetAllConnectionConfigsRequest{
		Configs: []*proto.ConnectionConfig{{Connection: "test", Plugin: "shodanrep", Config: free(sim) + fmt.Sprintf("history_store = %q\n", path)}},
	}); err != nil {
		t.Fatal(err)
	}
	lookUpIn(t, client, "end", inets(addr.String()), 1)
	end()
	store := history.Open(history.Options{Location: path})
	defer store.Close()
	var recorded []netip.Addr
	for state, err := range store.States(t.Context(), history.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		recorded = append(recorded, state.Addr)
	}
	if !slices.Equal(recorded, []netip.Addr{addr}) {
		t.Errorf("the history has %v, want %v", recorded, addr)
	}
}
