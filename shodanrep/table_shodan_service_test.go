package shodanrep

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/turbot/steampipe-plugin-sdk/v5/grpc/proto"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func services(ips ...string) query {
	return query{table: "shodan_service", quals: map[string]*proto.QualValue{"ip": inets(ips...)}}
}

func TestServicesOfInternetDBAreItsPorts(t *testing.T) {
	sim := simulate(t)
	rows := mustConnect(t, free(sim)).mustRun(t, services(bad))
	if len(rows) != 3 {
		t.Fatalf("%d rows for three ports", len(rows))
	}
	for _, r := range rows {
		for column, value := range r {
			known := map[string]bool{"ip": true, "source": true, "status": true, "port": true, "title": true}[column]
			if known == (value == nil) {
				t.Errorf("%s is %v", column, value)
			}
		}
	}
}

func TestAnAddressWithoutServicesOrWithoutAnAnswerIsOneRow(t *testing.T) {
	t.Parallel()
	sim := simulate(t)
	sim.Fault(shodantest.Fault{Target: good, Status: 502, Body: shodantest.BodyPage(502)})
	for ip, status := range map[string]string{empty: "indexed", "11.0.0.9": "not_indexed", "10.0.0.1": "reserved", "11.0.0.0/24": "not_a_host", good: "error"} {
		rows := mustRunInTime(t, free(sim), "5s", services(ip))
		if len(rows) != 1 || rows[0]["ip"] != ip || rows[0]["status"] != status || rows[0]["port"] != nil || (rows[0]["error"] != nil) != (status == "error") {
			t.Errorf("%s: %v", ip, rows)
		}
	}
}

// captures returns the folder of what the services really answered, which is beside the project where it is developed.
func captures(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "shared", "captures")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("the captured answers are not here: ", err)
	}
	return dir
}

// onCapturedHosts runs a test on each captured answer about a host, which the services of the simulator give as it is.
// Its body is without NULs: PostgreSQL cannot have them, so the rows do not.
func onCapturedHosts(t *testing.T, test func(t *testing.T, server server, ip string, body []byte)) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(captures(t), "host", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatal("no captured hosts", err)
	}
	sim := shodantest.New(t)
	server := mustConnect(t, keyed(sim))
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			test(t, server, sim.AddCapture(t, file).String(), bytes.ReplaceAll(body, []byte(`\u0000`), nil))
		})
	}
}

// TestServicesAgreeWithCapturedHosts reads the captured answers on its own, without the product's types, and holds
// every column to them.
func TestServicesAgreeWithCapturedHosts(t *testing.T) {
	onCapturedHosts(t, func(t *testing.T, server server, ip string, body []byte) {
		var host map[string]any
		if err := json.Unmarshal(body, &host); err != nil {
			t.Fatal(err)
		}
		rows := server.mustRun(t, services(ip))
		banners := host["data"].([]any)
		if len(banners) == 0 {
			if ports := host["ports"].([]any); len(rows) != len(ports) || len(ports) == 0 {
				t.Errorf("%d rows for %d ports without banners", len(rows), len(ports))
			}
			for _, r := range rows {
				if r["port"] == nil || r["transport"] != nil || r["status"] != "indexed" {
					t.Errorf("a port without a banner: %v", r)
				}
			}
			return
		}
		if len(rows) != len(banners) {
			t.Fatalf("%d rows for %d banners", len(rows), len(banners))
		}
		numbers := serials(t, body)
		for i, banner := range banners {
			want := expectedService(ip, banner.(map[string]any), numbers[i])
			// The SDK gives rows in any order.
			at := slices.IndexFunc(rows, func(r row) bool { return r["title"] == want["title"] })
			if at < 0 {
				t.Errorf("no row of %s", want["title"])
				continue
			}
			if diff := cmp.Diff(want, withoutRaw(rows[at])); diff != "" {
				t.Errorf("banner %d: %s", i, diff)
			}
			if diff := cmp.Diff(banner, rows[at]["raw"]); diff != "" {
				t.Errorf("raw of banner %d: %s", i, diff)
			}
		}
	})
}

func withoutRaw(r row) row {
	copied := maps.Clone(r)
	delete(copied, "raw")
	return copied
}

// expectedService is a row as the facts in the banner make it.
func expectedService(ip string, b map[string]any, serial any) row {
	at := func(path ...string) any {
		var value any = b
		for _, key := range path {
			object, ok := value.(map[string]any)
			if !ok {
				return nil
			}
			value = object[key]
		}
		return value
	}
	textAt := func(path ...string) any {
		if s, ok := at(path...).(string); ok && s != "" {
			return s
		}
		return nil
	}
	intAt := func(path ...string) any {
		if f, ok := at(path...).(float64); ok {
			return int64(f)
		}
		return nil
	}
	timeAt := func(layout string, path ...string) any {
		s, ok := at(path...).(string)
		if !ok {
			return nil
		}
		moment, err := time.Parse(layout, s)
		if err != nil {
			return nil
		}
		return moment.UTC().Format(time.RFC3339)
	}
	r := row{}
	for _, object := range protocolObjects {
		if value, ok := at(object.field).(map[string]any); ok {
			r[object.column] = value
		} else {
			r[object.column] = nil
		}
	}
	maps.Copy(r, row{
		"ip": ip, "source": "shodan", "status": "indexed", "error": nil,
		"port": intAt("port"), "transport": textAt("transport"), "product": textAt("product"), "version": textAt("version"), "module": textAt("_shodan", "module"),
		"info": textAt("info"), "devicetype": textAt("devicetype"), "link": textAt("link"), "uptime": intAt("uptime"), "domains": at("domains"),
		"data": textAt("data"), "banner": nil, "cpes": at("cpe"), "vulns": nil, "hostnames": at("hostnames"), "tags": at("tags"), "hash": intAt("hash"),
		"timestamp":   timeAt("2006-01-02T15:04:05", "timestamp"),
		"ssl_subject": at("ssl", "cert", "subject"), "ssl_issuer": at("ssl", "cert", "issuer"), "ssl_subject_cn": textAt("ssl", "cert", "subject", "CN"),
		"ssl_expires": timeAt("20060102150405Z", "ssl", "cert", "expires"), "ssl_expired": at("ssl", "cert", "expired"), "ssl_serial": serial,
		"ssl_fingerprint_sha1": textAt("ssl", "cert", "fingerprint", "sha1"), "ssl_fingerprint_sha256": textAt("ssl", "cert", "fingerprint", "sha256"),
		"ssl_versions": at("ssl", "versions"), "ssl_jarm": textAt("ssl", "jarm"), "ssl_ja3s": textAt("ssl", "ja3s"),
		"http_title": textAt("http", "title"), "http_server": textAt("http", "server"), "http_status": intAt("http", "status"), "http_favicon_hash": intAt("http", "favicon", "hash"),
		"cloud_provider": textAt("cloud", "provider"), "cloud_region": textAt("cloud", "region"),
		"title": fmt.Sprintf("%s %v/%v", ip, at("port"), at("transport")),
	})
	if data, ok := r["data"].(string); ok {
		runes := []rune(data)
		r["banner"] = string(runes[:min(200, len(runes))])
	}
	return r
}

// serials returns the serial number of each banner's certificate in all its digits, which a float64 does not have.
func serials(t *testing.T, body []byte) []any {
	t.Helper()
	var host struct {
		Data []struct {
			SSL *struct {
				Cert struct {
					Serial json.Number `json:"serial"`
				} `json:"cert"`
			} `json:"ssl"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &host); err != nil {
		t.Fatal(err)
	}
	list := make([]any, len(host.Data))
	for i, banner := range host.Data {
		if banner.SSL != nil {
			list[i] = banner.SSL.Cert.Serial.String()
		}
	}
	return list
}
