package main

var low = []host{
	{addr: "192.0.2.1", about: "Router", owner: telecom, place: frankfurt, seen: "2026-05-01", services: []service{banner(179, "bgp", "BGP: closed\n")}},
	{
		addr: "192.0.2.25", about: "Mail server", owner: hosting, place: amsterdam, seen: "2026-05-14", names: []string{"mail.example.net"},
		services: []service{smtp(25, "mail.example.net", &mail), smtp(587, "mail.example.net", &mail), banner(993, "imap-ssl", "* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n")},
	},
	{
		addr: "192.0.2.53", about: "DNS resolver, on TCP and UDP", owner: telecom, place: frankfurt, seen: "2026-05-15", names: []string{"dns1.telecom.example"},
		services: []service{dns("udp", "9.18.28"), dns("tcp", "9.18.28")},
	},
	{
		addr: "198.51.100.53", about: "Second DNS resolver", owner: telecom, place: london, seen: "2026-05-15", names: []string{"dns2.telecom.example"},
		services: []service{dns("udp", ""), dns("tcp", "")},
	},
	{
		addr: "192.0.2.80", about: "Company website", owner: retail, place: ashburn, seen: "2026-05-15", names: []string{"example.com", "www.example.com"},
		services: []service{
			web(80, "nginx/1.26.1", "301 Moved Permanently"), secure(443, "nginx/1.26.1", "Example Retail", valid("www.example.com")),
			// An older banner of the first port, which the newer one replaces.
			web(80, "nginx/1.10.3", "Coming soon", "CVE-2021-23017").at("2024-02-29"),
		},
	},
	{
		addr: "198.51.100.80", about: "Website that reveals nothing about itself", owner: hosting, place: nowhere, seen: "2026-05-07",
		services: []service{{port: 80, module: "http", http: &page{}, data: "HTTP/1.0 200 OK\r\n\r\n"}},
	},
	{
		addr: "192.0.2.150", about: "Time server", owner: campus, place: tokyo, seen: "2026-05-15", names: []string{"ntp.example.edu"},
		services: []service{banner(123, "ntp", "NTP\nprotocolversion: 3\nstratum: 1\n").over("udp").key("ntp", map[string]any{"monlist": map[string]any{"connections": []any{}, "more": false}})},
	},
	{
		addr: "198.51.100.161", about: "Printer that answers SNMP", owner: campus, place: tokyo, seen: "2026-03-18", tags: []string{"iot"},
		services: []service{banner(161, "snmp", "Example Printer 4000 series\n").over("udp").key("snmp", map[string]any{"contact": "", "description": "Example Printer 4000 series", "versions": []int{1, 2}})},
	},
	{
		addr: "198.51.100.200", about: "Web shop with an expired certificate", owner: hosting, place: saoPaulo, seen: "2026-05-12", names: []string{"store.example.net"},
		services: []service{secure(443, "nginx/1.26.1", "Store", certificate{
			cn: "store.example.net", issuer: "Example TLS CA 1", issued: "2025-01-10", expires: "2025-04-10", expired: true, stack: "nginx",
		})},
	},
	{
		addr: "203.0.113.200", about: "Content delivery network", owner: cloudOrg, place: singapore, seen: "2026-05-15", names: []string{"edge-200.cdn.example"}, tags: []string{"cdn", "cloud"},
		cloud: &cloud{"Example Cloud", "global", "cdn"}, services: []service{web(80, "", ""), secure(443, "", "", valid("*.cdn.example"))},
	},
	{
		addr: "203.0.113.201", about: "Machine with no data except its cloud", owner: cloudOrg, place: ashburn, seen: "2026-05-02", tags: []string{"cloud"}, cloud: &cloud{},
		services: []service{ssh("9.6")},
	},
	{
		addr: "192.0.2.180", about: "Shop, first of three with the same name", owner: retail, place: ashburn, seen: "2026-05-15", names: []string{"eu.shop.example.com"},
		services: []service{secure(443, "nginx/1.26.1", "Shop", shop("eu"))},
	},
	{
		addr: "198.51.100.180", about: "Shop, second of three", owner: hosting, place: frankfurt, seen: "2026-05-15", names: []string{"de.shop.example.com"},
		services: []service{secure(443, "nginx/1.26.1", "Shop", shop("de"))},
	},
	{
		addr: "203.0.113.180", about: "Shop, third of three", owner: owner{"Example Shop Asia", "Example Transit", "AS65538"}, place: singapore, seen: "2026-05-14", names: []string{"sg.shop.example.com"},
		services: []service{secure(443, "nginx/1.26.1", "Shop", shop("sg"))},
	},
	{
		addr: "198.51.100.210", about: "Camera", owner: broadband, place: saoPaulo, seen: "2026-04-19", tags: []string{"iot"},
		services: []service{banner(554, "rtsp-tcp", "RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\nWWW-Authenticate: Digest realm=\"IP Camera\"\r\n\r\n"), web(81, "", "WEB SERVICE")},
	},
	{
		addr: "192.0.2.210", about: "Game server", owner: hosting, place: frankfurt, seen: "2026-05-15", tags: []string{"videogame"},
		services: []service{banner(25565, "minecraft", "Minecraft Server:\n\tVersion: 1.21.4\n\tOnline Players: 0\n").of("Minecraft", "1.21.4", "mojang:minecraft").
			key("minecraft", map[string]any{"description": "A Minecraft Server", "players": map[string]any{"max": 20, "online": 0}, "version": map[string]any{"name": "1.21.4", "protocol": 769}})},
	},
	{
		addr: "203.0.113.210", about: "Machine with little data; its banner has NUL bytes", owner: owner{org: "Example Networks", isp: "Example Networks"}, place: nowhere, seen: "2026-01-31",
		services: []service{banner(10001, "auto", "\x00\x01\x00\x00status\x00ok\x00\r\n")},
	},
	{
		addr: "192.0.2.222", about: "Network storage in a household", owner: broadband, place: london, seen: "2026-05-03", os: "Linux", tags: []string{"self-signed"},
		services: []service{secure(5001, "nginx", "NAS login", own("nas.local.example", "nas"))},
	},
	{
		addr: "198.51.100.222", about: "Server with one verified vulnerability", owner: hosting, place: amsterdam, seen: "2026-05-13",
		services: []service{{
			port: 443, module: "https", product: "OpenSSL", version: "1.0.1f", cpe: "openssl:openssl", data: "HTTP/1.1 403 Forbidden\r\n\r\n",
			vulns: []string{"CVE-2014-0160"}, verified: "CVE-2014-0160", http: &page{status: 403, title: "Forbidden"},
			tls: &certificate{cn: "files.example.org", issuer: "Example TLS CA 1", issued: "2026-02-01", expires: "2026-08-01", stack: "openssl", old: true},
		}},
	},
	{
		addr: "2001:db8::80", about: "Website on IPv6", owner: retail, place: ashburn, seen: "2026-05-15", names: []string{"www.example.com"},
		services: []service{web(80, "nginx/1.26.1", "301 Moved Permanently"), secure(443, "nginx/1.26.1", "Example Retail", valid("www.example.com"))},
	},
	{
		addr: "2001:db8:1::53", about: "DNS resolver on IPv6", owner: telecom, place: frankfurt, seen: "2026-05-15", names: []string{"dns1.telecom.example"},
		services: []service{dns("udp", "9.18.28")},
	},
}
