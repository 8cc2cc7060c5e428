package embeddedtest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin/transform"
)

// An address is a row of fake_address. Its score is the length of the address as it is written, and has a hydrate
// function.
type address struct {
	IP        *string
	Source    string
	Status    string
	Error     *string
	Public    bool
	Ratio     float64
	Network   *string
	CheckedAt time.Time
	Tags      []string
	Word      string
}

// Checked is the time in every row of fake_address.
var Checked = time.Date(2026, 1, 2, 3, 4, 5, 600_000_000, time.UTC)

func (p *Plugin) addressTable() *plugin.Table {
	return &plugin.Table{
		Name:        "fake_address",
		Description: "One row an address.",
		List: &plugin.ListConfig{
			Hydrate: p.listAddresses,
			KeyColumns: plugin.KeyColumnSlice{
				{Name: "ip", Operators: []string{"="}, Require: plugin.AnyOf},
				{Name: "source", Operators: []string{"="}, Require: plugin.AnyOf},
			},
		},
		Columns: []*plugin.Column{
			{Name: "ip", Type: proto.ColumnType_INET, Description: "The address as it was asked for.", Transform: transform.FromField("IP")},
			{Name: "source", Type: proto.ColumnType_STRING, Description: "Who answered."},
			{Name: "status", Type: proto.ColumnType_STRING},
			{Name: "error", Type: proto.ColumnType_STRING},
			{Name: "score", Type: proto.ColumnType_INT, Hydrate: p.score, Transform: transform.FromValue()},
			{Name: "public", Type: proto.ColumnType_BOOL},
			{Name: "ratio", Type: proto.ColumnType_DOUBLE},
			{Name: "network", Type: proto.ColumnType_CIDR},
			{Name: "checked_at", Type: proto.ColumnType_TIMESTAMP},
			{Name: "tags", Type: proto.ColumnType_JSON},
			{Name: "word", Type: proto.ColumnType_STRING, Description: "What the connection is configured with."},
		},
	}
}

func (p *Plugin) listAddresses(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
	p.note(d)
	source, asked := "fake", d.EqualsQuals["ip"]
	if q := d.EqualsQuals["source"]; q.GetStringValue() != "" {
		source = q.GetStringValue()
	}
	if asked == nil {
		if source != "dataset" {
			return nil, fmt.Errorf("source = '%s' needs an address", source)
		}
		for i := range p.Rows {
			d.StreamListItem(ctx, p.address(d, fmt.Sprintf("198.51.%d.%d", i/256, i%256), source))
		}
		return nil, nil
	}
	// The SDK does not divide lists if there is more than one.
	ips, sources := strings.Split(text(asked), ","), []string{source}
	if q := d.EqualsQuals["source"]; q.GetListValue() != nil {
		sources = strings.Split(text(q), ",")
	}
	for _, ip := range ips {
		for _, source := range sources {
			d.StreamListItem(ctx, p.address(d, ip, source))
		}
	}
	return nil, nil
}

func (p *Plugin) address(d *plugin.QueryData, ip, source string) address {
	a := address{Source: source, Status: "indexed", Public: len(ip)%2 == 0, Ratio: 0.5, CheckedAt: Checked, Tags: []string{"a", "b"}}
	if c, ok := d.Connection.Config.(Config); ok && c.Word != nil {
		a.Word = *c.Word
	}
	if _, _, err := net.ParseCIDR(ip); net.ParseIP(ip) == nil && err != nil {
		problem := fmt.Sprintf("%q is not an address", ip)
		a.Status, a.Error = "error", &problem
		return a
	}
	network := strings.Split(ip, "/")[0] + "/32"
	if !strings.Contains(ip, ":") {
		a.Network = &network
	}
	a.IP = &ip
	return a
}

func (p *Plugin) score(_ context.Context, _ *plugin.QueryData, h *plugin.HydrateData) (any, error) {
	a := h.Item.(address)
	ip := ""
	if a.IP != nil {
		ip = *a.IP
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hydrated = append(p.hydrated, ip)
	return len(ip), nil
}

// An event is a row of fake_event: a table that can be listed, with optional conditions.
type event struct {
	N    int
	Name string
	At   time.Time
}

func (p *Plugin) eventTable() *plugin.Table {
	return &plugin.Table{
		Name:        "fake_event",
		Description: "A row a number.",
		List: &plugin.ListConfig{
			Hydrate: p.listEvents,
			KeyColumns: plugin.KeyColumnSlice{
				{Name: "n", Operators: []string{"=", "<", "<=", ">", ">=", "<>"}, Require: plugin.Optional},
				{Name: "name", Operators: []string{"=", "~~", "~~*"}, Require: plugin.Optional},
				{Name: "at", Operators: []string{"=", ">"}, Require: plugin.Optional},
			},
		},
		Columns: []*plugin.Column{
			{Name: "n", Type: proto.ColumnType_INT},
			{Name: "name", Type: proto.ColumnType_STRING},
			{Name: "at", Type: proto.ColumnType_TIMESTAMP},
		},
	}
}

// listEvents applies only the condition n = and the LIMIT, as a plugin may.
func (p *Plugin) listEvents(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
	p.note(d)
	for n := range p.Rows {
		if q := d.EqualsQuals["n"]; q != nil && q.GetInt64Value() != int64(n) {
			continue
		}
		if d.RowsRemaining(ctx) == 0 {
			return nil, nil
		}
		p.streamed.Add(1)
		p.notify("row")
		d.StreamListItem(ctx, event{n, fmt.Sprintf("Event %d", n), Checked.Add(time.Duration(n) * time.Hour)})
	}
	return nil, nil
}

func (p *Plugin) pairTable() *plugin.Table {
	return &plugin.Table{
		Name:        "fake_pair",
		Description: "A row for two values that are both needed.",
		List: &plugin.ListConfig{
			Hydrate:    p.listPairs,
			KeyColumns: plugin.AllColumns([]string{"kind", "size"}),
		},
		Columns: []*plugin.Column{
			{Name: "kind", Type: proto.ColumnType_STRING, Transform: transform.FromQual("kind")},
			{Name: "size", Type: proto.ColumnType_INT, Transform: transform.FromQual("size")},
		},
	}
}

func (p *Plugin) listPairs(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
	p.note(d)
	d.StreamListItem(ctx, struct{}{})
	return nil, nil
}

func (p *Plugin) failureTable() *plugin.Table {
	return &plugin.Table{
		Name:        "fake_failure",
		Description: "Fails in the way that is asked for.",
		List:        &plugin.ListConfig{Hydrate: p.listFailures, KeyColumns: plugin.SingleColumn("way")},
		Columns: []*plugin.Column{
			{Name: "way", Type: proto.ColumnType_STRING, Transform: transform.FromValue()},
			{Name: "value", Type: proto.ColumnType_STRING, Hydrate: p.failValue, Transform: transform.FromValue()},
		},
	}
}

func (p *Plugin) listFailures(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
	p.note(d)
	way := d.EqualsQualString("way")
	switch way {
	case "list":
		return nil, errors.New("the key is wrong, set api_key")
	case "panic":
		panic("list out of order")
	}
	for range max(p.Rows, 1) {
		d.StreamListItem(ctx, way)
	}
	if way == "late" {
		return nil, errors.New("the service went away")
	}
	return nil, nil
}

func (p *Plugin) failValue(_ context.Context, _ *plugin.QueryData, h *plugin.HydrateData) (any, error) {
	switch h.Item {
	case "column":
		return nil, errors.New("no credits are left")
	case "column panic":
		panic("column out of order")
	}
	return h.Item, nil
}

// wideColumns is more than the 64 columns that SQLite can report as used.
const wideColumns = 70

func (p *Plugin) wideTable() *plugin.Table {
	t := &plugin.Table{Name: "fake_wide", Description: "Has many columns.", List: &plugin.ListConfig{Hydrate: p.listWide}}
	for i := range wideColumns {
		t.Columns = append(t.Columns, &plugin.Column{
			Name: fmt.Sprintf("c%d", i), Type: proto.ColumnType_INT, Transform: transform.FromConstant(i),
		})
	}
	return t
}

func (p *Plugin) listWide(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
	p.note(d)
	d.StreamListItem(ctx, struct{}{})
	return nil, nil
}

func (p *Plugin) blockTable() *plugin.Table {
	return &plugin.Table{
		Name:        "fake_block",
		Description: "Answers never for an id that begins with \"never\", and at once for any other.",
		List:        &plugin.ListConfig{Hydrate: p.listBlocks, KeyColumns: plugin.SingleColumn("id")},
		Columns: []*plugin.Column{
			{Name: "id", Type: proto.ColumnType_STRING, Transform: transform.FromValue()},
			{Name: "value", Type: proto.ColumnType_STRING, Hydrate: p.block, Transform: transform.FromValue()},
		},
	}
}

func (p *Plugin) listBlocks(ctx context.Context, d *plugin.QueryData, _ *plugin.HydrateData) (any, error) {
	p.note(d)
	d.StreamListItem(ctx, d.EqualsQualString("id"))
	return nil, nil
}

func (p *Plugin) block(ctx context.Context, _ *plugin.QueryData, h *plugin.HydrateData) (any, error) {
	id := h.Item.(string)
	if strings.HasPrefix(id, "never") {
		p.mu.Lock()
		p.hydrated = append(p.hydrated, id)
		p.mu.Unlock()
		p.notify("block")
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return id, nil
}
