package shodantest

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"time"
)

// service is the default service of a port.
type service struct {
	module, transport, product, version, data, cpe string
}

var services = map[int]service{
	21:    {"ftp", "tcp", "vsftpd", "3.0.3", "220 (vsFTPd 3.0.3)\r\n", "cpe:/a:vsftpd:vsftpd:3.0.3"},
	22:    {"ssh", "tcp", "OpenSSH", "8.9p1", "SSH-2.0-OpenSSH_8.9p1 Ubuntu-3ubuntu0.10\n", "cpe:/a:openbsd:openssh:8.9p1"},
	53:    {"dns-udp", "udp", "", "", "\nRecursion: enabled", ""},
	80:    {"http", "tcp", "nginx", "1.18.0", httpData, "cpe:/a:f5:nginx:1.18.0"},
	443:   {"https", "tcp", "nginx", "1.18.0", httpData, "cpe:/a:f5:nginx:1.18.0"},
	3306:  {"mysql", "tcp", "MySQL", "8.0.36", "MySQL:\n  Protocol Version: 10\n  Version: 8.0.36\n", "cpe:/a:mysql:mysql:8.0.36"},
	3389:  {"rdp", "tcp", "Remote Desktop Protocol", "", "Remote Desktop Protocol\n", ""},
	6379:  {"redis", "tcp", "Redis key-value store", "6.0.16", "# Server\nredis_version:6.0.16\n", "cpe:/a:redislabs:redis:6.0.16"},
	8080:  {"http-simple-new", "tcp", "Apache Tomcat", "9.0.30", httpData, "cpe:/a:apache:tomcat:9.0.30"},
	27017: {"mongodb", "tcp", "MongoDB", "4.4.6", "MongoDB Server Information\n", "cpe:/a:mongodb:mongodb:4.4.6"},
}

const httpData = "HTTP/1.1 200 OK\r\nServer: nginx/1.18.0\r\nDate: Thu, 15 Jan 2026 12:00:00 GMT\r\nContent-Type: text/html\r\n\r\n"

// complete returns a copy of a banner with the keys that every real one has. If only the port is given, it has the
// fields of the port's default service as well.
func (h Host) complete(given map[string]any, addr netip.Addr) map[string]any {
	port := integer(given["port"])
	usual, known := services[port]
	if !known {
		usual = service{module: "auto", transport: "tcp", data: fmt.Sprintf("220 service on port %d\r\n", port)}
	}
	banner := map[string]any{}
	if len(given) == 1 {
		usual.describe(banner)
	} else {
		usual.data, _ = given["data"].(string)
	}
	if len(h.Tags) > 0 {
		banner["tags"] = slices.Clone(h.Tags)
	}
	data := usual.data
	identity := fmt.Sprintf("%v %d %s", addr, port, data)
	maps.Copy(banner, map[string]any{
		"_shodan": map[string]any{
			"crawler": hexSHA1("crawler")[:40], "id": uuid(identity), "module": usual.module, "options": map[string]any{},
			"ptr": true, "region": "eu",
		},
		"asn": h.ASN, "data": data, "domains": distinct(h.Domains), "hash": hash32(data), "hostnames": distinct(h.Hostnames),
		"ip": number(addr), "ip_str": addr.String(), "isp": h.ISP,
		"location": map[string]any{
			"area_code": nil, "city": orNull(h.City), "country_code": h.CountryCode, "country_name": h.CountryName,
			"latitude": h.Latitude, "longitude": h.Longitude, "region_code": orNull(h.RegionCode),
		},
		"opts": map[string]any{}, "org": h.Org, "os": orNull(h.OS), "port": port,
		"timestamp": h.LastUpdate.UTC().Format(timestampLayout), "transport": usual.transport,
	})
	if addr.Is6() {
		banner["ipv6"] = addr.String()
	}
	maps.Copy(banner, given)
	return banner
}

// describe adds the fields that Shodan derives from the data of a service.
func (s service) describe(banner map[string]any) {
	if s.product != "" {
		banner["product"] = s.product
	}
	if s.version != "" {
		banner["version"] = s.version
	}
	if s.cpe != "" {
		banner["cpe"] = []string{s.cpe}
	}
	if s.data == httpData {
		banner["http"] = HTTP("Welcome to nginx!", "nginx/1.18.0")
	}
}

// Vuln returns a vulnerability for the "vulns" of a banner.
func Vuln(id string) map[string]any {
	return map[string]any{
		"cvss": 7.5, "cvss_v2": 5.0, "cvss_version": 3, "epss": 0.5, "ranking_epss": 0.97, "verified": false,
		"references": []string{}, "summary": "Invented for a test: " + id,
	}
}

// HTTP returns the "http" of a banner.
func HTTP(title, server string) map[string]any {
	return map[string]any{
		"components": map[string]any{}, "favicon": nil, "headers_hash": hash32(server), "host": "", "html": "<title>" + title + "</title>",
		"html_hash": hash32(title), "location": "/", "redirects": []any{}, "robots": nil, "robots_hash": nil, "securitytxt": nil,
		"securitytxt_hash": nil, "server": server, "sitemap": nil, "sitemap_hash": nil, "status": 200, "title": title, "waf": nil,
	}
}

// TLS returns the "ssl" of a banner, with a certificate for cn that expires at the given time. The same name and time
// give the same certificate. Its serial number does not fit 64 bits, like most real ones.
func TLS(cn string, expires time.Time) map[string]any {
	identity := cn + expires.UTC().Format(time.RFC3339)
	sum := sha256.Sum256([]byte(identity))
	ja3s := hexSHA1("ja3s " + cn)[:32]
	return map[string]any{
		"acceptable_cas": []any{}, "alpn": []any{},
		"cert": map[string]any{
			"expired": expires.Before(defaultLastUpdate), "expires": expires.UTC().Format("20060102150405Z"), "extensions": []any{},
			"fingerprint": map[string]any{"sha1": hexSHA1(identity), "sha256": hex.EncodeToString(sum[:])},
			"issued":      expires.UTC().AddDate(0, -3, 0).Format("20060102150405Z"),
			"issuer":      map[string]any{"C": "US", "CN": "R3", "O": "Let's Encrypt"},
			"pubkey":      map[string]any{"bits": 2048, "type": "rsa"},
			"serial":      json.Number(new(big.Int).SetBytes(append([]byte{1}, sum[:16]...)).String()),
			"sig_alg":     "sha256WithRSAEncryption", "subject": map[string]any{"CN": cn}, "version": 2,
		},
		"chain": []any{}, "chain_sha256": []any{hex.EncodeToString(sum[:])},
		"cipher": map[string]any{"bits": 256, "name": "TLS_AES_256_GCM_SHA384", "version": "TLSv1.3"}, "dhparams": nil,
		"handshake_states": []any{}, "ja3s": ja3s, "jarm": (hexSHA1("jarm "+cn) + hexSHA1(ja3s))[:62], "ocsp": map[string]any{},
		"tlsext": []any{}, "trust": map[string]any{"browser": nil, "revoked": false},
		"versions": []string{"-SSLv2", "-SSLv3", "-TLSv1", "-TLSv1.1", "TLSv1.2", "TLSv1.3"},
	}
}

func hexSHA1(s string) string {
	sum := sha1.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

func uuid(identity string) string {
	h := hexSHA1(identity)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:32]
}

// hash32 returns a hash in the form of Shodan's: signed 32 bits, 0 for an empty text.
func hash32(s string) int32 {
	if s == "" {
		return 0
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(s))
	return int32(h.Sum32())
}

// number returns the "ip" of an address. It is null for IPv6, because no capture shows one.
func number(addr netip.Addr) any {
	if !addr.Is4() {
		return nil
	}
	b := addr.As4()
	return uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// without returns the items of a list that are not in another.
func without(list, other []string) []string {
	return slices.DeleteFunc(distinct(list), func(s string) bool { return slices.Contains(other, s) })
}

// decode reads a JSON object and keeps numbers as written.
func decode(raw []byte) (map[string]any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var doc map[string]any
	if err := dec.Decode(&doc); err != nil {
		return nil, err
	}
	if doc == nil {
		return nil, errors.New("no JSON object")
	}
	return doc, nil
}

// integer reads a number of any type. It returns 0 for anything else.
func integer(value any) int {
	n, err := strconv.Atoi(fmt.Sprint(value))
	if err != nil {
		return 0
	}
	return n
}

// texts returns a copy of a list of strings of any type.
func texts(value any) []string {
	switch list := value.(type) {
	case []string:
		return slices.Clone(list)
	case []any:
		var out []string
		for _, item := range list {
			if s, ok := item.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}

// vulnIDs returns the ids of a list or of an object by id.
func vulnIDs(value any) []string {
	if byID, ok := value.(map[string]any); ok {
		return slices.Sorted(maps.Keys(byID))
	}
	return texts(value)
}
