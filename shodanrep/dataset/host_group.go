package dataset

import "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"

// A hostGroup is some hosts of a list: enough to be cheap to pass on, few enough to take little memory.
type hostGroup struct {
	rows  [][]hostRows // by host; nil where the items have been read already
	items [][]item     // by host, with their texts; nil where no texts are needed
	bytes int          // in rows and texts
	hosts []*shodan.Host
	made  chan error // says that the hosts are there
}

// hostRows is a row of the index.
type hostRows struct {
	file  int64
	items string
}

const (
	groupHosts = 128
	groupBytes = 1 << 20
)

func newHostGroup() *hostGroup { return &hostGroup{made: make(chan error, 1)} }

func (g *hostGroup) isFull() bool {
	return len(g.rows)+len(g.items) >= groupHosts || g.bytes >= groupBytes
}

// addRows adds a host by its rows.
func (g *hostGroup) addRows(rows []hostRows) {
	g.rows = append(g.rows, rows)
	for _, row := range rows {
		g.bytes += len(row.items)
	}
}

// addItems adds a host by its items, with their texts.
func (g *hostGroup) addItems(items []item) {
	g.items = append(g.items, items)
	for i := range items {
		g.bytes += len(items[i].raw)
	}
}

// makeHosts makes the hosts of a group.
func (g *hostGroup) makeHosts() error {
	c := codec{banners: make([]shodan.Banner, 0, 64)} // merge copies them
	var items []item
	for _, rows := range g.rows {
		var err error
		if items, err = decodeRows(&c, items, rows); err != nil {
			return err
		}
		g.hosts = append(g.hosts, merge(items))
		c.banners = c.banners[:0]
	}
	for _, items := range g.items {
		if err := parseTexts(items); err != nil {
			return err
		}
		g.hosts = append(g.hosts, merge(items))
	}
	g.rows, g.items = nil, nil
	return nil
}
