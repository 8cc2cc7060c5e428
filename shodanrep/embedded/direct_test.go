package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/turbot/steampipe-plugin-sdk/v5/version"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/embedded/embeddedtest"
)

// A fakeReader reads fake_address, whose score it makes -1, and records its calls.
type fakeReader struct {
	mu    sync.Mutex
	calls []string
}

func (f *fakeReader) of(table *plugin.Table) embedded.Reader {
	if table.Name != "fake_address" {
		return nil
	}
	return f.read
}

func (f *fakeReader) read(ctx context.Context, d *plugin.QueryData, columns []*plugin.Column, send func([]*proto.Column)) error {
	values := []*proto.QualValue{d.EqualsQuals["ip"]}
	if list := values[0].GetListValue(); list != nil {
		values = list.Values
	}
	f.mu.Lock()
	f.calls = append(f.calls, fmt.Sprintf("%s: %d values, limit %d", d.Connection.Name, len(values), d.QueryContext.GetLimit()))
	f.mu.Unlock()
	for _, value := range values {
		ip := value.GetInetValue().GetAddr()
		if ip == "" {
			return errors.New("out of order: " + value.GetStringValue())
		}
		row := []*proto.Column{}
		for _, c := range columns {
			switch c.Name {
			case "ip":
				row = append(row, &proto.Column{Value: &proto.Column_CidrRangeValue{CidrRangeValue: ip}})
			case "score":
				row = append(row, &proto.Column{Value: &proto.Column_IntValue{IntValue: -1}})
			default:
				row = append(row, nil)
			}
		}
		send(row)
	}
	if values[0].GetInetValue().GetAddr() == endless {
		<-ctx.Done()
	}
	return nil
}

// endless is an address after which the reader waits for the end of its context.
const endless = "192.0.2.255"

// openWithReader opens a database whose fake_address has a reader.
func openWithReader(t *testing.T) (*fixture, *fakeReader) {
	t.Helper()
	f, reader := &fixture{plugin: &embeddedtest.Plugin{Rows: 1}}, &fakeReader{}
	db, err := embedded.Open(t.Context(), embedded.Options{
		PluginFunc: f.plugin.Func, Readers: reader.of,
		Connections: []embedded.Connection{{Name: "one"}, {Name: "two"}, {Name: "both", Members: []string{"one", "two"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	f.DB = db
	return f, reader
}

func TestATableWithAReaderIsReadWithoutTheServer(t *testing.T) {
	t.Parallel()
	f, reader := openWithReader(t)
	context := `{"connection_name":"one","steampipe":{"sdk_version":"` + version.String() + `"}}`
	for _, tt := range []struct{ sql, want, calls string }{
		{"select score, ip, word from fake_address where ip = '192.0.2.1'", "-1|192.0.2.1|<nil>", "one: 1 values, limit -1"},
		{"select count(*) from fake_address where ip in ('192.0.2.1', '192.0.2.2')", "2", "one: 2 values, limit -1"},
		{"select ip from fake_address where ip in ('192.0.2.1', '192.0.2.2') limit 1", "192.0.2.1", "one: 1 values, limit 1"},
		{"select sp_connection_name, _ctx, sp_ctx from fake_address where ip = '192.0.2.1'", "one|" + context + "|" + context, "one: 1 values, limit -1"},
		{"select distinct score from both.fake_address where ip = '192.0.2.1'", "-1", "one: 1 values, limit -1\ntwo: 1 values, limit -1"},
		{"select sp_connection_name from both.fake_address where ip = '192.0.2.1' and sp_connection_name = 'two'", "two", "two: 1 values, limit -1"},
		{"select ip from both.fake_address where ip = '192.0.2.1' and sp_connection_name = 'three'", "", ""},
		{"select count(*), sum(score) from fake_address where ip in " + list(1200), "1200|-1200", strings.Repeat("one: 500 values, limit -1\n", 2) + "one: 200 values, limit -1"},
		{"select name from fake_event", "Event 0", ""}, // it has no reader
	} {
		reader.calls = nil
		got := f.query(t, tt.sql)
		slices.Sort(reader.calls)
		if calls := strings.Join(reader.calls, "\n"); got != tt.want || calls != sortedLines(tt.calls) {
			t.Errorf("%.100s: got %q by calls %q, want %q by %q", tt.sql, got, calls, tt.want, tt.calls)
		}
	}
	if calls := f.plugin.Calls("fake_address"); len(calls) > 0 {
		t.Errorf("the server was called: %v", calls)
	}
}

func sortedLines(text string) string {
	lines := strings.Split(text, "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestAReaderFailsOrIsStopped(t *testing.T) {
	t.Parallel()
	f, _ := openWithReader(t)
	if _, err := f.run(t.Context(), "select * from fake_address where ip in ('192.0.2.1', 'nothing')"); err == nil || err.Error() != "out of order: nothing" {
		t.Errorf("the error is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := f.Query(ctx, "select ip from fake_address where ip = '"+endless+"'", func(rows *embedded.Rows) error {
		for rows.Next() {
			cancel() // the reader waits for it
		}
		return rows.Err()
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the error of a query that is canceled is %v", err)
	}
	if got := f.query(t, "select ip from fake_address where ip in ('"+endless+"') limit 1"); got != endless {
		t.Errorf("after it: %q", got)
	}
}

func TestDiagnosticsComeFromTheServer(t *testing.T) {
	t.Setenv(plugin.EnvDiagnosticsLevel, "all")
	f, reader := openWithReader(t)
	if got := f.query(t, "select _ctx -> 'diagnostics' is null from fake_address where ip = '192.0.2.1'"); got != "0" || reader.calls != nil {
		t.Errorf("got %s, and the reader was called %d times", got, len(reader.calls))
	}
}
