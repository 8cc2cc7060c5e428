package dataset

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// fill sets everything in a value, each to something else.
func fill(v reflect.Value, n *int) {
	*n++
	switch at := v.Addr().Interface().(type) {
	case *netip.Addr:
		*at = netip.AddrFrom4([4]byte{192, 0, 2, byte(*n)})
		return
	case *shodan.Time:
		at.Time = time.Date(2026, 1, 2, 3, 4, *n, 5, time.UTC)
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(-*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) / 8)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8:
		v.SetUint(uint64(*n))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range 2 {
			value := reflect.New(v.Type().Elem()).Elem()
			fill(value, n)
			v.SetMapIndex(reflect.ValueOf(fmt.Sprint("key ", *n)), value)
		}
	default:
		panic(fmt.Sprint("no value for ", v.Type()))
	}
}

func TestARowHasAllThatASummaryHas(t *testing.T) {
	t.Parallel()
	var full shodan.Banner
	n := 0
	fill(reflect.ValueOf(&full).Elem(), &n)
	host := shodan.Host{}
	fill(reflect.ValueOf(&host).Elem(), &n)
	host.Banners, host.Raw, host.MaxAge = nil, nil, 0
	empty := shodan.Host{Ports: shodan.Ints{}, Tags: shodan.Texts{}, Vulns: shodan.VulnMap{}}
	want := []item{
		{seen: -5, name: "www.example.com", banner: full.Summary(), text: textRef{1, 2, 3}, file: 7},
		{file: 7, banner: &shodan.Banner{SSL: &shodan.SSL{}, Tags: shodan.Texts{}}},
		{kind: hostResponse, seen: 1 << 60, host: &host, file: 7},
		{kind: internetDBResponse, host: &empty, file: 7},
	}
	row := string(new(codec).encodeItems(want))
	got, err := decodeItems(nil, 7, row)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v\ngot  %+v\nwant %+v", err, got, want)
	}
	for length := range row {
		if items, err := decodeItems(nil, 7, row[:length]); err == nil && len(items) == len(want) {
			t.Errorf("%d of %d bytes are a whole row", length, len(row))
		}
	}
}

func FuzzARowOfAnyBytesIsReadWithoutHarm(f *testing.F) {
	f.Add(new(codec).encodeItems([]item{bannerItem(&shodan.Banner{ASN: "AS64496", ISP: "AS64496"}), {kind: hostResponse, host: &shodan.Host{}}}))
	f.Fuzz(func(t *testing.T, row []byte) {
		items, err := decodeItems(nil, 1, string(row))
		if err != nil {
			return
		}
		again, err := decodeItems(nil, 1, string(new(codec).encodeItems(items)))
		if err != nil || len(again) != len(items) {
			t.Errorf("%d items, and %d when they are written and read again: %v", len(items), len(again), err)
		}
	})
}

// summarized returns a host with the summaries of its banners.
func summarized(h *shodan.Host) *shodan.Host {
	if h == nil {
		return nil
	}
	short := *h
	if h.Banners != nil {
		short.Banners = make(shodan.Banners, len(h.Banners))
		short.Vulns = (&shodan.Banner{Vulns: h.Vulns}).Summary().Vulns
	}
	for i := range short.Banners {
		short.Banners[i] = *h.Banners[i].Summary()
	}
	return &short
}

func TestSummariesAreTheHostsWithoutTexts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := []string{
		filepath.Join("..", "..", "config", "sample", "hosts.json.gz"),
		write(t, in(dir, "a.json.gz"), manyLines(1200)...), write(t, in(dir, "b.json"), manyLines(300)...),
		write(t, in(dir, "c.json"), minified, response1, internet2),
	}
	captures := 0
	for _, pattern := range []string{"host/*.json", "search/*.json", "internetdb/*.json"} {
		// The responses of the real services are not in the repository.
		paths, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "captures", pattern))
		files, captures = append(files, paths...), captures+len(paths)
	}
	if captures == 0 {
		t.Log("the captures of the real services are not here: they are left out")
	}
	d := open(t, "", files...)
	var full, short []*shodan.Host
	var addrs []netip.Addr
	for h, err := range d.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		full, addrs = append(full, h), append(addrs, h.Addr)
	}
	for h, err := range d.AllSummaries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		short = append(short, h)
	}
	hosts, err := d.Hosts(t.Context(), addrs, false)
	if err != nil {
		t.Fatal(err)
	}
	summaries, err := d.Summaries(t.Context(), addrs)
	if err != nil || len(full) != len(short) || len(full) < 300 {
		t.Fatalf("%d hosts, %d summaries: %v", len(full), len(short), err)
	}
	opts := cmp.Options{cmpopts.EquateComparable(netip.Addr{})}
	for i, h := range full {
		for name, pair := range map[string][2]*shodan.Host{
			"listed": {summarized(h), short[i]}, "found": {summarized(hosts[h.Addr]), summaries[h.Addr]}, "in full": {h, hosts[h.Addr]},
		} {
			if !reflect.DeepEqual(pair[0], pair[1]) {
				t.Fatalf("%v, %s: %s", h.Addr, name, cmp.Diff(pair[0], pair[1], opts))
			}
		}
	}
	if !slices.IsSortedFunc(addrs, netip.Addr.Compare) {
		t.Error("the hosts are not in order of address")
	}
}
