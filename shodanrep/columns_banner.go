package shodanrep

import (
	"time"

	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// bannerColumns are the columns of a service but for its address and port, for every table whose rows have a banner.
// They are null where a row has none.
func bannerColumns[R any](of func(R) *shodan.Banner) []*plugin.Column {
	ssl := func(r R) *shodan.SSL {
		if b := of(r); b != nil {
			return b.SSL
		}
		return nil
	}
	http := func(r R) *shodan.HTTP {
		if b := of(r); b != nil {
			return b.HTTP
		}
		return nil
	}
	banner := func(get func(*shodan.Banner) any) func(R) any { return ofPart(of, get) }
	tls := func(get func(*shodan.SSL) any) func(R) any { return ofPart(ssl, get) }
	web := func(get func(*shodan.HTTP) any) func(R) any { return ofPart(http, get) }
	return []*plugin.Column{
		text("transport", "The transport protocol, tcp or udp.", banner(func(b *shodan.Banner) any { return string(b.Transport) })),
		text("product", "The name of the software, if the service reveals it.", banner(func(b *shodan.Banner) any { return string(b.Product) })),
		text("version", "The version of the software.", banner(func(b *shodan.Banner) any { return string(b.Version) })),
		text("info", "The other details that the software reveals about itself, such as its operating system.", banner(func(b *shodan.Banner) any { return string(b.Info) })),
		text("devicetype", "The type of device, such as router or webcam, if the service reveals it.", banner(func(b *shodan.Banner) any { return string(b.DeviceType) })),
		text("module", "The protocol that Shodan's crawler used, such as https or ssh.", banner(func(b *shodan.Banner) any { return string(b.Module) })),
		text("banner", "The first 200 characters of the service's response.", banner(func(b *shodan.Banner) any { return shorten(string(b.Data)) })),
		text("data", "The full response of the service.", banner(func(b *shodan.Banner) any { return string(b.Data) })),
		jsonb("cpes", "The products found, as CPE names.", banner(func(b *shodan.Banner) any { return b.CPEs() })),
		jsonb("vulns", "The CVE ids of the vulnerabilities found, sorted. The raw column has the details of each.", banner(func(b *shodan.Banner) any { return b.Vulns.IDs() })),
		jsonb("hostnames", "The host names of the service.", banner(func(b *shodan.Banner) any { return b.Hostnames })),
		jsonb("domains", "The domains of the host names.", banner(func(b *shodan.Banner) any { return b.Domains })),
		jsonb("tags", "The tags that Shodan assigned to the service.", banner(func(b *shodan.Banner) any { return b.Tags })),
		integer("hash", "The hash of the data column. Services with the same response have the same hash. It is often negative.", banner(func(b *shodan.Banner) any { return b.Hash.Ptr() })),
		timestamp("timestamp", "Time when Shodan saw the service.", ofPart(of, func(b *shodan.Banner) time.Time { return b.Timestamp.Time })),
		jsonb("ssl_subject", "The subject of the certificate, such as {\"CN\": \"example.com\"}.", tls(func(s *shodan.SSL) any { return s.Cert.Subject })),
		jsonb("ssl_issuer", "The issuer of the certificate.", tls(func(s *shodan.SSL) any { return s.Cert.Issuer })),
		text("ssl_subject_cn", "The common name (CN) in the subject of the certificate.", tls(func(s *shodan.SSL) any { return string(s.Cert.Subject["CN"]) })),
		timestamp("ssl_expires", "Time when the certificate expires.", ofPart(ssl, func(s *shodan.SSL) time.Time { return s.Cert.Expires.Time })),
		boolean("ssl_expired", "True if the certificate had expired when Shodan saw it.", tls(func(s *shodan.SSL) any { return s.Cert.Expired.Ptr() })),
		text("ssl_serial", "The serial number of the certificate, as text in decimal digits, because most do not fit a bigint.", tls(func(s *shodan.SSL) any { return string(s.Cert.Serial) })),
		text("ssl_fingerprint_sha1", "The SHA-1 fingerprint of the certificate.", tls(func(s *shodan.SSL) any { return string(s.Cert.Fingerprint.SHA1) })),
		text("ssl_fingerprint_sha256", "The SHA-256 fingerprint of the certificate.", tls(func(s *shodan.SSL) any { return string(s.Cert.Fingerprint.SHA256) })),
		jsonb("ssl_versions", "The TLS versions that the crawler tried. A version with a leading - is not supported by the server.", tls(func(s *shodan.SSL) any { return s.Versions })),
		text("ssl_jarm", "The JARM fingerprint of the TLS server.", tls(func(s *shodan.SSL) any { return string(s.JARM) })),
		text("ssl_ja3s", "The JA3S fingerprint of the TLS server.", tls(func(s *shodan.SSL) any { return string(s.JA3S) })),
		text("http_title", "The title of the web page.", web(func(h *shodan.HTTP) any { return string(h.Title) })),
		text("http_server", "The name in the web server's Server header.", web(func(h *shodan.HTTP) any { return string(h.Server) })),
		integer("http_status", "The HTTP status code of the web server's response.", web(func(h *shodan.HTTP) any { return h.Status.Ptr() })),
		integer("http_favicon_hash", "The hash of the site's icon (favicon). Sites with the same icon have the same hash.", web(func(h *shodan.HTTP) any { return h.Favicon.Hash.Ptr() })),
		text("link", "The type of network link of the host, such as Ethernet or modem.", banner(func(b *shodan.Banner) any { return string(b.Link) })),
		integer("uptime", "The number of minutes since the host started, if TCP reveals it.", banner(func(b *shodan.Banner) any { return b.Uptime.Ptr() })),
		text("cloud_provider", "The cloud provider that the address belongs to.", banner(func(b *shodan.Banner) any { return string(b.Cloud.Provider) })),
		text("cloud_region", "The region of the cloud provider.", banner(func(b *shodan.Banner) any { return string(b.Cloud.Region) })),
		jsonb("raw", "The complete banner of the service, as Shodan returned it.", banner(func(b *shodan.Banner) any { return string(b.Raw) })),
	}
}
