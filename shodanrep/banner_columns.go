package shodanrep

import (
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// bannerColumns are the columns of a service but for its address and port, for every table whose rows have a banner.
// They are null where a row has none.
func bannerColumns[R any](of func(R) *shodan.Banner) []*plugin.Column {
	banner := func(get func(*shodan.Banner) any) func(R) any {
		return func(r R) any {
			if b := of(r); b != nil {
				return get(b)
			}
			return nil
		}
	}
	tls := func(get func(*shodan.SSL) any) func(R) any {
		return banner(func(b *shodan.Banner) any {
			if b.SSL == nil {
				return nil
			}
			return get(b.SSL)
		})
	}
	web := func(get func(*shodan.HTTP) any) func(R) any {
		return banner(func(b *shodan.Banner) any {
			if b.HTTP == nil {
				return nil
			}
			return get(b.HTTP)
		})
	}
	return []*plugin.Column{
		text("transport", "The transport protocol, tcp or udp.", banner(func(b *shodan.Banner) any { return string(b.Transport) })),
		text("product", "The software that answers, as far as it says so.", banner(func(b *shodan.Banner) any { return string(b.Product) })),
		text("version", "The version of that software.", banner(func(b *shodan.Banner) any { return string(b.Version) })),
		text("info", "What else the software says of itself, such as its system.", banner(func(b *shodan.Banner) any { return string(b.Info) })),
		text("devicetype", "The kind of device, such as router or webcam, where the service gives it away.", banner(func(b *shodan.Banner) any { return string(b.DeviceType) })),
		text("module", "The protocol that Shodan's crawler spoke, such as https or ssh.", banner(func(b *shodan.Banner) any { return string(b.Module) })),
		text("banner", "The first 200 characters of what the service answered.", banner(func(b *shodan.Banner) any { return shorten(string(b.Data)) })),
		text("data", "All that the service answered.", banner(func(b *shodan.Banner) any { return string(b.Data) })),
		list("cpes", "The products found, as CPE names.", banner(func(b *shodan.Banner) any { return b.CPEs() })),
		list("vulns", "The CVE ids of the vulnerabilities found, sorted. The raw column has what is known of each.", banner(func(b *shodan.Banner) any { return b.Vulns.IDs() })),
		list("hostnames", "The names that lead to the service.", banner(func(b *shodan.Banner) any { return b.Hostnames })),
		list("domains", "The domains of those names.", banner(func(b *shodan.Banner) any { return b.Domains })),
		list("tags", "Shodan's tags of the service.", banner(func(b *shodan.Banner) any { return b.Tags })),
		integer("hash", "A hash of data: services with the same answer have the same. Often negative.", banner(func(b *shodan.Banner) any { return b.Hash.Ptr() })),
		moment("timestamp", "When Shodan saw the service.", banner(func(b *shodan.Banner) any { return b.Timestamp.Ptr() })),
		list("ssl_subject", "Whom the certificate is for, such as {\"CN\": \"example.com\"}.", tls(func(s *shodan.SSL) any { return s.Cert.Subject })),
		list("ssl_issuer", "Who issued the certificate.", tls(func(s *shodan.SSL) any { return s.Cert.Issuer })),
		text("ssl_subject_cn", "The common name that the certificate is for.", tls(func(s *shodan.SSL) any { return string(s.Cert.Subject["CN"]) })),
		moment("ssl_expires", "When the certificate expires.", tls(func(s *shodan.SSL) any { return s.Cert.Expires.Ptr() })),
		boolean("ssl_expired", "Whether the certificate had expired when Shodan saw it.", tls(func(s *shodan.SSL) any { return s.Cert.Expired.Ptr() })),
		text("ssl_serial", "The certificate's serial number, in decimal digits: most do not fit a bigint.", tls(func(s *shodan.SSL) any { return string(s.Cert.Serial) })),
		text("ssl_fingerprint_sha1", "The SHA-1 fingerprint of the certificate.", tls(func(s *shodan.SSL) any { return string(s.Cert.Fingerprint.SHA1) })),
		text("ssl_fingerprint_sha256", "The SHA-256 fingerprint of the certificate.", tls(func(s *shodan.SSL) any { return string(s.Cert.Fingerprint.SHA256) })),
		list("ssl_versions", "The TLS versions tried; one with a leading - is not supported.", tls(func(s *shodan.SSL) any { return s.Versions })),
		text("ssl_jarm", "The JARM fingerprint of the TLS server.", tls(func(s *shodan.SSL) any { return string(s.JARM) })),
		text("ssl_ja3s", "The JA3S fingerprint of the TLS server.", tls(func(s *shodan.SSL) any { return string(s.JA3S) })),
		text("http_title", "The title of the web page.", web(func(h *shodan.HTTP) any { return string(h.Title) })),
		text("http_server", "What the web server calls itself.", web(func(h *shodan.HTTP) any { return string(h.Server) })),
		integer("http_status", "The HTTP status that the web server answered.", web(func(h *shodan.HTTP) any { return h.Status.Ptr() })),
		integer("http_favicon_hash", "The hash of the site's icon: sites with the same icon have the same.", web(func(h *shodan.HTTP) any { return h.Favicon.Hash.Ptr() })),
		text("link", "What carries the address, such as Ethernet or modem.", banner(func(b *shodan.Banner) any { return string(b.Link) })),
		integer("uptime", "For how many minutes the host has been up, where TCP gave it away.", banner(func(b *shodan.Banner) any { return b.Uptime.Ptr() })),
		text("cloud_provider", "The cloud that the address belongs to.", banner(func(b *shodan.Banner) any { return string(b.Cloud.Provider) })),
		text("cloud_region", "The region of that cloud.", banner(func(b *shodan.Banner) any { return string(b.Cloud.Region) })),
		list("raw", "All that Shodan says of the service, as it says it.", banner(func(b *shodan.Banner) any { return string(b.Raw) })),
	}
}
