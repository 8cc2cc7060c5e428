package main

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/big"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A host is an address and its services.
type host struct {
	addr  string
	about string // a few words for the README
	owner
	place    place
	names    []string
	os       string
	tags     []string // of every banner
	cloud    *cloud
	onlyIPv6 bool   // the banners have the key ipv6 in place of ip and ip_str
	seen     string // of the first service; each further one is some minutes later
	services []service
}

// An owner is who an address belongs to. An empty ASN leaves the key out.
type owner struct{ org, isp, asn string }

// A place is where an address is; an empty city is null.
type place struct {
	city, code, country string
	latitude, longitude float64
}

// A cloud is the cloud of an address; what is empty is null.
type cloud struct{ provider, region, service string }

// A service is one banner.
type service struct {
	port      int
	transport string // tcp where empty
	module    string
	product   string
	version   string
	data      string
	cpe       string // vendor:product; the version is appended
	tags      []string
	vulns     []string
	verified  string // the one of vulns that was tested
	http      *page
	tls       *certificate
	more      map[string]any // the protocol's own keys
	seen      string         // where it was not seen with the others
}

// A page is what a web server answers. An empty title or server is null.
type page struct {
	status        int
	title, server string
}

// lines returns the host's banners, each as a line.
func (h host) lines() [][]byte {
	seen, err := time.Parse(time.DateOnly, h.seen)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", h.addr, err))
	}
	lines := make([][]byte, len(h.services))
	for i, s := range h.services {
		at := seen.Add(time.Duration(digest(h.addr, i)%3600)*time.Second + time.Duration(i)*17*time.Minute)
		if s.seen != "" {
			at, _ = time.Parse(time.DateOnly, s.seen)
		}
		b := h.banner(s)
		b["timestamp"] = at.Format("2006-01-02T15:04:05.") + fmt.Sprintf("%06d", digest(h.addr, s.port)%1_000_000)
		if lines[i], err = json.Marshal(b); err != nil {
			panic(err)
		}
	}
	return lines
}

// banner returns one of the host's services. The first keys are those that every banner has.
func (h host) banner(s service) map[string]any {
	b := map[string]any{
		"_shodan": map[string]any{
			"crawler": hexOf(sha1.Sum([]byte(h.place.code))), "id": uuid(h.addr, s.port, s.seen), "module": s.module,
			"options": map[string]any{}, "ptr": len(h.names) > 0, "region": "na",
		},
		"data":      s.data,
		"domains":   domains(h.names),
		"hash":      int32(digest(s.data)),
		"hostnames": list(h.names),
		"ip_str":    h.addr,
		"isp":       h.isp,
		"location": map[string]any{
			"area_code": nil, "city": orNull(h.place.city), "country_code": h.place.code, "country_name": h.place.country,
			"latitude": h.place.latitude, "longitude": h.place.longitude, "region_code": nil,
		},
		"opts":      map[string]any{},
		"org":       h.org,
		"os":        orNull(h.os),
		"port":      s.port,
		"transport": "tcp",
	}
	addr := netip.MustParseAddr(h.addr)
	b["ip"] = new(big.Int).SetBytes(addr.AsSlice())
	if addr.Is6() {
		b["ipv6"] = h.addr
	}
	if h.onlyIPv6 {
		delete(b, "ip")
		delete(b, "ip_str")
	}
	if s.transport != "" {
		b["transport"] = s.transport
	}
	if h.asn != "" {
		b["asn"] = h.asn
	}
	if tags := slices.Concat(h.tags, s.tags); len(tags) > 0 {
		b["tags"] = tags
	}
	if h.cloud != nil {
		b["cloud"] = map[string]any{"provider": orNull(h.cloud.provider), "region": orNull(h.cloud.region), "service": orNull(h.cloud.service)}
	}
	if s.product != "" {
		b["product"] = s.product
	}
	if s.version != "" {
		b["version"] = s.version
	}
	if s.cpe != "" {
		cpe := s.cpe
		if s.version != "" {
			cpe += ":" + strings.ToLower(strings.Fields(s.version)[0])
		}
		b["cpe"], b["cpe23"] = []string{"cpe:/a:" + cpe}, []string{"cpe:2.3:a:" + cpe}
	}
	if len(s.vulns) > 0 {
		b["vulns"] = vulnerabilities(s.vulns, s.verified, h.seen < "2024")
	}
	if s.http != nil {
		b["http"] = h.page(s)
	}
	if s.tls != nil {
		b["ssl"] = s.tls.handshake()
	}
	for key, value := range s.more {
		b[key] = value
	}
	return b
}

// page returns the http key of a banner.
func (h host) page(s service) map[string]any {
	html := "<html><head><title>" + s.http.title + "</title></head><body></body></html>"
	page := map[string]any{
		"headers_hash": int32(digest(s.data)), "host": h.addr, "html": html, "html_hash": int32(digest(html)), "location": "/",
		"redirects": []any{}, "robots": nil, "robots_hash": nil, "securitytxt": nil, "securitytxt_hash": nil,
		"server": orNull(s.http.server), "sitemap": nil, "sitemap_hash": nil, "title": orNull(s.http.title),
	}
	if s.http.status != 0 {
		page["status"] = s.http.status
	}
	if s.http.title != "" {
		page["components"] = map[string]any{}
		page["favicon"] = map[string]any{"data": "", "hash": int32(digest("favicon", s.http.title)), "location": "http://" + h.addr + "/favicon.ico"}
	}
	return page
}

// A certificate is what a TLS handshake shows. Those of equal facts are the same certificate.
type certificate struct {
	cn, org         string // of the subject
	issuer          string // the subject itself where empty
	issued, expires string // dates
	expired         bool
	key             string // sets certificates apart that are otherwise equal
	stack           string // the TLS server, which decides JARM and JA3S
	old             bool   // speaks old versions only, which the answer does not list
}

// handshake returns the ssl key of a banner.
func (c certificate) handshake() map[string]any {
	identity := fmt.Sprint(c.cn, c.issuer, c.issued, c.key)
	name := func(cn, org string) map[string]any {
		n := map[string]any{"CN": cn}
		if org != "" {
			n["O"] = org
		}
		return n
	}
	issuer := name(c.issuer, "Example Trust Services")
	if c.issuer == "" {
		issuer = name(c.cn, c.org)
	}
	fingerprint := sha256.Sum256([]byte(identity))
	versions := []string{"-TLSv1", "-SSLv2", "-SSLv3", "-TLSv1.1", "TLSv1.2", "TLSv1.3"}
	if c.old {
		versions = []string{}
	}
	date := func(s string) string { return strings.ReplaceAll(s, "-", "") + "081500Z" }
	jarm := hexOf(sha256.Sum256([]byte("jarm" + c.stack)))[:62]
	return map[string]any{
		"acceptable_cas": []any{}, "alpn": []string{"http/1.1"}, "chain": []any{},
		"chain_sha256": []string{hexOf(fingerprint)},
		"cert": map[string]any{
			"expired": c.expired, "expires": date(c.expires), "extensions": []any{}, "issued": date(c.issued), "issuer": issuer,
			"fingerprint": map[string]any{"sha1": hexOf(sha1.Sum([]byte(identity))), "sha256": hexOf(fingerprint)},
			"pubkey":      map[string]any{"bits": 2048, "type": "rsa"},
			// Most serials are longer than 64 bits.
			"serial": new(big.Int).SetBytes(append([]byte{4}, fingerprint[:16]...)), "sig_alg": "sha256WithRSAEncryption",
			"subject": name(c.cn, c.org), "version": 2,
		},
		"cipher": map[string]any{"bits": 256, "name": "TLS_AES_256_GCM_SHA384", "version": "TLSv1.3"}, "dhparams": nil,
		"handshake_states": []string{"before SSL initialization", "SSL negotiation finished successfully"},
		"ja3s":             hexOf(md5.Sum([]byte("ja3s" + c.stack))), "jarm": jarm, "ocsp": map[string]any{}, "tlsext": []any{},
		"trust": map[string]any{"browser": nil, "revoked": false}, "versions": versions,
	}
}

// digest makes a number of anything that looks random and is always the same.
func digest(of ...any) uint32 {
	sum := sha256.Sum256(fmt.Append(nil, of...))
	return binary.BigEndian.Uint32(sum[:])
}

func uuid(of ...any) string {
	sum := sha256.Sum256(fmt.Append(nil, of...))
	text := hex.EncodeToString(sum[:16])
	return text[:8] + "-" + text[8:12] + "-4" + text[13:16] + "-8" + text[17:20] + "-" + text[20:]
}

func hexOf[T [16]byte | [20]byte | [32]byte](sum T) string { return fmt.Sprintf("%x", sum) }

// orNull returns nil for no text.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// list returns an empty list for none, which JSON writes as [] and not as null.
func list(texts []string) []string { return append([]string{}, texts...) }

// domains returns the last two labels of each name.
func domains(names []string) []string {
	found := []string{}
	for _, name := range names {
		labels := strings.Split(name, ".")
		if domain := strings.Join(labels[max(0, len(labels)-2):], "."); !slices.Contains(found, domain) {
			found = append(found, domain)
		}
	}
	return found
}
