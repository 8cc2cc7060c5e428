package main

import "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"

// sample is every host, under the level that the baseline policy gives it.
var sample = []struct {
	level reputation.Level
	hosts []host
}{
	{reputation.Critical, critical},
	{reputation.High, high},
	{reputation.Medium, medium},
	{reputation.Low, low},
}

var (
	apacheOld = []string{
		"CVE-2021-26690", "CVE-2021-26691", "CVE-2021-33193", "CVE-2021-34798", "CVE-2021-39275", "CVE-2021-40438", "CVE-2021-41773",
		"CVE-2021-42013", "CVE-2021-44224", "CVE-2021-44790", "CVE-2022-22719", "CVE-2022-22720", "CVE-2022-31813", "CVE-2023-25690",
	}
	sshOld = []string{"CVE-2016-20012", "CVE-2018-15473", "CVE-2020-14145", "CVE-2020-15778", "CVE-2021-36368", "CVE-2021-41617", "CVE-2023-38408"}
	// exchange is the mail server that everyone had to patch in 2021.
	exchange = []string{"CVE-2021-26855", "CVE-2021-31207", "CVE-2021-34473", "CVE-2021-34523", "CVE-2022-41040", "CVE-2022-41082"}
	fortios  = []string{"CVE-2022-40684", "CVE-2022-42475", "CVE-2023-27997", "CVE-2024-21762", "CVE-2024-23113", "CVE-2023-44487"}
)

// beacon is what a command-and-control server shows on a port.
func beacon(port int) service {
	s := banner(port, "https-simple-new", "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n")
	s.tls, s.http = &updates, &page{status: 404}
	return s.of("Cobalt Strike Beacon", "", "", "c2", "malware", "self-signed").
		key("cobalt_strike_beacon", map[string]any{"x64": map[string]any{
			"beacon_type": "HTTPS", "port": port, "sleeptime": 60000, "http-get.uri": "updates.cdn-sync.example,/pixel.gif", "watermark": 305419896,
		}})
}

var critical = []host{
	{
		addr: "203.0.113.10", about: "Command-and-control server behind a redirector", owner: offshore, place: sofia, seen: "2026-05-14",
		names: []string{"updates.cdn-sync.example"}, os: "Linux",
		services: []service{ssh("8.4p1 Debian-5", sshOld...), beacon(443), beacon(4444), beacon(50050)},
	},
	{
		addr: "203.0.113.11", about: "Web server with an open proxy, unpatched since 2021", owner: hosting, place: amsterdam, seen: "2026-05-12",
		names: []string{"legacy.example.org", "www.legacy.example.org"}, os: "Ubuntu", tags: []string{"eol-product"},
		services: []service{
			{
				port: 80, module: "http", product: "Apache httpd", version: "2.4.49", cpe: "apache:http_server", vulns: apacheOld, verified: "CVE-2021-41773",
				http: &page{200, "Index of /", "Apache/2.4.49 (Unix)"}, data: "HTTP/1.1 200 OK\r\nServer: Apache/2.4.49 (Unix)\r\n\r\n",
			},
			banner(8080, "http-simple-new", "HTTP/1.1 400 Bad Request\r\nServer: squid/3.5.27\r\n\r\n").of("Squid http proxy", "3.5.27", "squid-cache:squid", "proxy"),
		},
	},
	{
		addr: "198.51.100.23", about: "Mail server, unpatched since 2021, last seen in 2021", owner: retail, place: ashburn, seen: "2021-11-03",
		names: []string{"owa.example.com", "autodiscover.example.com"}, os: "Windows Server 2012 R2", tags: []string{"self-signed", "eol-os"},
		services: []service{
			secure(443, "Microsoft-IIS/8.5", "Outlook", own("owa.example.com", "schannel"), exchange...),
			banner(445, "smb", "SMB Status:\n  Authentication: enabled\n  SMB Version: 1\n").with("CVE-2017-0144", "CVE-2020-0796"),
			banner(3389, "rdp", "Remote Desktop Protocol\n\x03\x00\x00\x13\x0e\xd0\n").of("Remote Desktop Protocol", "", "").with("CVE-2019-0708"),
			web(80, "Microsoft-IIS/8.5", "IIS Windows Server", "CVE-2014-0160", "CVE-2021-44228"),
		},
	},
	{
		addr: "198.51.100.66", about: "Compromised shared host: more than 20 ports, IRC, many vulnerabilities", owner: cloudOrg, place: singapore, seen: "2026-05-15",
		names: []string{"shared-66.hosting.example.net"}, os: "Linux", tags: []string{"cloud", "compromised"}, cloud: &cloud{"Example Cloud", "ap-southeast-1", "compute"},
		services: append([]service{
			ssh("7.4", sshOld...), web(80, "Apache/2.4.41", "Webmail", apacheOld[:6]...), secure(443, "Apache/2.4.41", "Webmail", valid("shared-66.hosting.example.net")),
			banner(6667, "irc", ":irc.example.net NOTICE AUTH :*** Looking up your hostname...\r\n").of("UnrealIRCd", "", "unrealircd:unrealircd"),
			smtp(25, "shared-66.hosting.example.net", nil), banner(21, "ftp", "220 ProFTPD Server ready.\r\n").of("ProFTPD", "1.3.5", "proftpd:proftpd"),
		}, ports(110, 143, 465, 587, 993, 995, 2077, 2078, 2079, 2080, 2082, 2083, 2086, 2087, 2095, 2096, 3306)...),
	},
	{
		addr: "2001:db8:bad::10", about: "The same command-and-control server on IPv6", owner: transit, place: tokyo, seen: "2026-05-13",
		services: []service{ssh("8.4p1 Debian-5", sshOld...), beacon(8443)},
	},
}

var high = []host{
	{
		addr: "203.0.113.12", about: "Command-and-control server in a cloud", owner: cloudOrg, place: frankfurt, seen: "2026-05-15", tags: []string{"cloud"},
		cloud: &cloud{"Example Cloud", "eu-central-1", ""}, services: []service{ssh("9.2p1 Debian-2", "CVE-2023-48795", "CVE-2024-6387"), beacon(443), beacon(4444)},
	},
	{
		addr: "203.0.113.25", about: "VPN gateway with known-exploited vulnerabilities", owner: industry, place: london, seen: "2026-05-10",
		names: []string{"vpn.industries.example"}, tags: []string{"vpn"},
		services: []service{
			secure(443, "xxxxxxxx-xxxxx", "Please Login", valid("vpn.industries.example"), fortios...).of("Fortinet FortiGate", "", "fortinet:fortios"),
			banner(500, "ike", "VPN (IKE)\n\nInitiator SPI: 61626364\n").over("udp"),
		},
	},
	{
		addr: "198.51.100.40", about: "Elasticsearch open to everyone", owner: cloudOrg, place: ashburn, seen: "2026-05-11", tags: []string{"cloud"},
		cloud: &cloud{"Example Cloud", "us-east-1", "compute"},
		services: []service{
			banner(9200, "elastic", "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\nElastic Indices:\n    customers\n    orders-2026\n    read_me\n").
				of("Elastic", "1.4.2", "elastic:elasticsearch", "database", "eol-product").with("CVE-2015-1427", "CVE-2021-44228").
				key("elastic", map[string]any{"cluster": map[string]any{"cluster_name": "production", "nodes": map[string]any{"count": map[string]any{"total": 1}}}}),
			web(9090, "", ""),
		},
	},
	{
		addr: "192.0.2.44", about: "Open proxy in a household", owner: broadband, place: saoPaulo, seen: "2026-05-15", names: []string{"44.dsl.broadband.example"},
		services: []service{
			banner(1080, "socks", "SOCKS5 Proxy: no authentication\n").of("", "", "", "proxy"),
			banner(3128, "http-simple-new", "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").of("Squid http proxy", "4.6", "squid-cache:squid", "proxy"),
			ssh("9.2p1 Debian-2", "CVE-2023-48795"),
		},
	},
	{
		addr: "192.0.2.77", about: "University web server with many vulnerabilities", owner: campus, place: nowhere, seen: "2023-06-02", os: "CentOS",
		names: []string{"www.dept.example.edu"}, tags: []string{"eol-product"},
		services: []service{web(80, "Apache/2.4.6", "Department of Examples", apacheOld[:12]...), ssh("9.6")},
	},
	{
		addr: "198.51.100.90", about: "Build server open to everyone", owner: retail, place: frankfurt, seen: "2026-05-09", names: []string{"ci.example.com"}, tags: []string{"devops"},
		services: []service{
			web(8080, "Jetty(9.4.45.v20220203)", "Dashboard [Jenkins]", "CVE-2023-27898", "CVE-2024-23897", "CVE-2023-44487", "CVE-2021-44228"),
			ssh("8.9p1 Ubuntu-3", "CVE-2023-38408", "CVE-2023-48795", "CVE-2024-6387"),
		},
	},
	{
		addr: "2001:db8:20::5", about: "Mail server on IPv6, unpatched", owner: industry, place: frankfurt, seen: "2026-04-28", names: []string{"mx6.industries.example"},
		services: []service{
			secure(443, "Microsoft-IIS/10.0", "Outlook", own("EX01", "schannel"), exchange...).of("Microsoft IIS httpd", "10.0", "microsoft:internet_information_services", "self-signed"),
			smtp(25, "mx6.industries.example", &mail),
		},
	},
}
