package main

import (
	"fmt"
	"strings"
)

// The services that many hosts have.

func ssh(version string, vulns ...string) service {
	return service{
		port: 22, module: "ssh", product: "OpenSSH", version: version, cpe: "openbsd:openssh", vulns: vulns,
		data: "SSH-2.0-OpenSSH_" + version + "\nKey type: ssh-ed25519\nFingerprint: " + uuid("ssh", version) + "\n",
		more: map[string]any{"info": "protocol 2.0", "ssh": map[string]any{"hassh": uuid("hassh", version)[:8], "type": "ssh-ed25519"}},
	}
}

// web is a web server on a port. Of "nginx/1.24.0" the version is 1.24.0.
func web(port int, server, title string, vulns ...string) service {
	s := service{
		port: port, module: "http", vulns: vulns, http: &page{status: 200, title: title, server: server},
		data: "HTTP/1.1 200 OK\r\nServer: " + server + "\r\nContent-Type: text/html\r\n\r\n",
	}
	products := []struct{ prefix, product, cpe string }{
		{"nginx/", "nginx", "f5:nginx"}, {"Apache/", "Apache httpd", "apache:http_server"}, {"Jetty(", "Jetty", "eclipse:jetty"},
		{"Microsoft-IIS/", "Microsoft IIS httpd", "microsoft:internet_information_services"},
	}
	for _, p := range products {
		if n := len(p.prefix); len(server) > n && server[:n] == p.prefix {
			s.product, s.version, s.cpe = p.product, strings.TrimSuffix(server[n:], ")"), p.cpe
		}
	}
	return s
}

// secure is a web server behind TLS.
func secure(port int, server, title string, cert certificate, vulns ...string) service {
	s := web(port, server, title, vulns...)
	s.module, s.tls = "https", &cert
	return s
}

func dns(transport, version string) service {
	s := service{
		port: 53, transport: transport, module: "dns-" + transport, data: "\nRecursion: enabled",
		more: map[string]any{"dns": map[string]any{"recursive": true, "resolver_hostname": nil, "resolver_id": nil, "software": orNull(version)}},
	}
	if version != "" {
		s.product, s.version, s.cpe = "ISC BIND", version, "isc:bind"
	}
	return s
}

func smtp(port int, name string, cert *certificate) service {
	return service{
		port: port, module: "smtp", product: "Postfix smtpd", cpe: "postfix:postfix", tls: cert, tags: []string{"starttls"},
		data: "220 " + name + " ESMTP Postfix\r\n250-" + name + "\r\n250-STARTTLS\r\n250 8BITMIME\r\n",
	}
}

// banner is a service of which no more is known than what it said.
func banner(port int, module, data string) service {
	return service{port: port, module: module, data: data}
}

// ports are services that only answer, as a honeypot's do.
func ports(numbers ...int) []service {
	list := make([]service, len(numbers))
	for i, number := range numbers {
		list[i] = banner(number, "auto", fmt.Sprintf("220 service %d ready\r\n", number))
	}
	return list
}

// of gives a service a product.
func (s service) of(product, version, cpe string, tags ...string) service {
	s.product, s.version, s.cpe, s.tags = product, version, cpe, append(s.tags, tags...)
	return s
}

// with gives a service vulnerabilities.
func (s service) with(vulns ...string) service {
	s.vulns = append(s.vulns, vulns...)
	return s
}

// key gives a service a key of its protocol.
func (s service) key(name string, value any) service {
	s.more = map[string]any{name: value}
	return s
}

// over sets a service's transport.
func (s service) over(transport string) service {
	s.transport = transport
	return s
}

// at sets when a service was seen.
func (s service) at(date string) service {
	s.seen = date
	return s
}

// The owners and places that many hosts share.
var (
	hosting   = owner{"Example Hosting", "Example Hosting", "AS64496"}
	cloudOrg  = owner{"Example Cloud", "Example Cloud", "AS64497"}
	telecom   = owner{"Example Telecom", "Example Telecom", "AS64498"}
	offshore  = owner{"Example Offshore Servers", "Example Offshore Servers", "AS64499"}
	privacy   = owner{"Example Privacy VPN", "Example Hosting", "AS64496"}
	campus    = owner{"Example University", "Example University", "AS64501"}
	industry  = owner{"Example Industries", "Example Telecom", "AS64498"}
	retail    = owner{"Example Retail", "Example Cloud", "AS64497"}
	broadband = owner{"Example Broadband", "Example Broadband", "AS65537"}
	transit   = owner{"Example Transit", "Example Transit", "AS65538"}

	amsterdam = place{"Amsterdam", "NL", "Netherlands", 52.37403, 4.88969}
	ashburn   = place{"Ashburn", "US", "United States", 39.04372, -77.48749}
	frankfurt = place{"Frankfurt am Main", "DE", "Germany", 50.11552, 8.68417}
	london    = place{"London", "GB", "United Kingdom", 51.50853, -0.12574}
	saoPaulo  = place{"São Paulo", "BR", "Brazil", -23.5475, -46.63611}
	singapore = place{"Singapore", "SG", "Singapore", 1.28967, 103.85007}
	sofia     = place{"Sofia", "BG", "Bulgaria", 42.69751, 23.32415}
	tokyo     = place{"Tokyo", "JP", "Japan", 35.6895, 139.69171}
	nowhere   = place{"", "US", "United States", 37.751, -97.822} // the middle of a country: no more is known
)

// The certificates that hosts share.
var (
	// updates is on command-and-control servers of four organizations, as one key pair copied from host to host is.
	updates = certificate{cn: "updates.cdn-sync.example", org: "CDN Sync", issued: "2026-03-02", expires: "2027-03-02", stack: "beacon"}
	// mail is on the mail servers of two.
	mail = certificate{cn: "mail.example.net", issuer: "Example TLS CA 1", issued: "2026-04-11", expires: "2026-07-10", stack: "postfix"}
)

// shop is one name with a certificate of its own on each host.
func shop(key string) certificate {
	return certificate{cn: "*.shop.example.com", issuer: "Example TLS CA 1", issued: "2026-04-20", expires: "2026-07-19", key: key, stack: "nginx"}
}

// valid is an ordinary certificate.
func valid(cn string) certificate {
	return certificate{cn: cn, issuer: "Example TLS CA 1", issued: "2026-04-01", expires: "2026-06-30", stack: "nginx"}
}

// own is a certificate that no one but its owner signed.
func own(cn, stack string) certificate {
	return certificate{cn: cn, issued: "2024-01-01", expires: "2034-01-01", stack: stack}
}
