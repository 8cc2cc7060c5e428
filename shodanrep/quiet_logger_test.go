package shodanrep

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

// A lineBuffer collects what a process logs, but for the lines of go-plugin's that are no log.
type lineBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lineBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

var logLine = regexp.MustCompile(`(?m)^\[(WARN|ERROR)\].*$`)

func (b *lineBuffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return logLine.FindAllString(b.text.String(), -1)
}

func TestAQueryThatALimitEndsEarlyLogsNothing(t *testing.T) {
	t.Setenv("STEAMPIPE_LOG_LEVEL", "") // so that the level is the default one
	sim := simulate(t, shodantest.WithLatency(time.Millisecond))
	var ips []string
	for _, addr := range sim.Generate(400) {
		ips = append(ips, addr.String())
	}
	logged := &lineBuffer{}
	client, _, _ := startPluginLogging(t, logged)
	if _, err := client.SetAllConnectionConfigs(&proto.SetAllConnectionConfigsRequest{
		MaxCacheSizeMb: 1,
		Configs:        []*proto.ConnectionConfig{{Connection: "test", Plugin: "shodanrep", Config: keyed(sim) + "max_concurrency = 4\n"}},
	}); err != nil {
		t.Fatal(err)
	}
	for _, table := range []string{"shodan_ip_reputation", "shodan_service", "shodan_vulnerability", "shodan_reputation_factor"} {
		stream, _, cancel, err := client.Execute(&proto.ExecuteRequest{
			Table: table, Connection: "test", CallId: fmt.Sprint("limit-", table),
			QueryContext: &proto.QueryContext{Columns: []string{"ip", "source", "error"}, Quals: map[string]*proto.Quals{"ip": {Quals: []*proto.Qual{
				{FieldName: "ip", Operator: &proto.Qual_StringValue{StringValue: "="}, Value: inets(ips...)},
			}}}},
			ExecuteConnectionData: map[string]*proto.ExecuteConnectionData{"test": {}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if _, err := stream.Recv(); err != nil {
				t.Fatal(err)
			}
		}
		cancel() // as Steampipe does when it has the rows of its LIMIT
		// What the cancelled query logs comes before the end of further ones.
		lookUpIn(t, client, fmt.Sprint("after-", table), inets(ips[:50]...), 50)
		lookUpIn(t, client, fmt.Sprint("later-", table), inets(ips[50:100]...), 50)
		if lines := logged.lines(); len(lines) > 0 {
			t.Fatalf("%s: %d lines, such as\n%s", table, len(lines), strings.Join(lines[:min(5, len(lines))], "\n"))
		}
	}
}
