package main

var medium = []host{
	{
		addr: "203.0.113.50", about: "Tor exit", owner: privacy, place: amsterdam, seen: "2026-05-15", names: []string{"exit1.onion.example.net"}, tags: []string{"tor"},
		services: []service{
			web(80, "", "This is a Tor Exit Router"), web(8080, "", ""),
			secure(9001, "", "", certificate{cn: "www.ykqvxjv3h4ov.example", issued: "2026-05-01", expires: "2026-09-01", stack: "tor", issuer: "www.3hdjfpq2.example"}),
		},
	},
	{
		addr: "192.0.2.20", about: "VPN service", owner: privacy, place: london, seen: "2026-05-14", names: []string{"gb-lon-20.privacy.example"}, tags: []string{"vpn"},
		services: []service{
			banner(1194, "openvpn", "OpenVPN\n").over("udp").of("OpenVPN", "", "openvpn:openvpn"),
			banner(500, "ike", "VPN (IKE)\n\nInitiator SPI: 31323334\n").over("udp"), ssh("9.2p1 Debian-2", "CVE-2024-6387"),
		},
	},
	{
		addr: "198.51.100.12", about: "MongoDB open to everyone, with a ransom note", owner: cloudOrg, place: singapore, seen: "2026-05-15", tags: []string{"cloud"},
		cloud: &cloud{"Example Cloud", "ap-southeast-1", "compute"},
		services: []service{
			banner(27017, "mongodb", "MongoDB Server Information\n{\n    \"version\": \"4.0.28\"\n}\n").of("MongoDB", "4.0.28", "mongodb:mongodb", "database", "compromised", "eol-product").
				key("mongodb", map[string]any{"authentication": false, "listDatabases": map[string]any{
					"databases": []any{map[string]any{"empty": false, "name": "READ__ME_TO_RECOVER_YOUR_DATA", "sizeOnDisk": 32768}}, "ok": 1, "totalSize": 32768,
				}}),
			ssh("8.9p1 Ubuntu-3", "CVE-2023-48795"),
		},
	},
	{
		addr: "198.51.100.13", about: "Redis open to everyone", owner: cloudOrg, place: frankfurt, seen: "2026-05-13", tags: []string{"cloud"}, cloud: &cloud{"Example Cloud", "", "compute"},
		services: []service{
			banner(6379, "redis", "# Server\nredis_version:5.0.14\nos:Linux 4.19.0 x86_64\nconnected_clients:3\n").of("Redis key-value store", "5.0.14", "redislabs:redis", "database").
				with("CVE-2022-0543").key("redis", map[string]any{"keys": map[string]any{"data": []string{"session:1", "session:2"}, "more": true}}),
		},
	},
	{
		addr: "192.0.2.81", about: "Honeypot with more than 20 open ports", owner: campus, place: tokyo, seen: "2026-05-15", tags: []string{"honeypot"},
		services: append(ports(21, 23, 25, 81, 102, 110, 135, 143, 389, 445, 502, 1433, 1883, 3306, 3389, 5060, 5432, 5555, 5900, 6379, 9200, 27017), ssh("9.2p1 Debian-2")),
	},
	{
		addr: "203.0.113.99", about: "Proxy of many sites, with outdated software", owner: hosting, place: frankfurt, seen: "2026-05-08", names: []string{"edge99.hosting.example.net"},
		services: []service{web(80, "nginx/1.14.0", "502 Bad Gateway", "CVE-2021-23017", "CVE-2023-44487"), ssh("7.6p1 Ubuntu-4", sshOld[:6]...)},
	},
	{
		addr: "192.0.2.99", about: "Developer's machine in a cloud", owner: cloudOrg, place: ashburn, seen: "2026-05-12", tags: []string{"cloud"}, cloud: &cloud{"Example Cloud", "us-east-1", ""},
		services: []service{secure(8443, "nginx/1.26.1", "code-server login", valid("dev.example.com")), ssh("9.6")},
	},
	{
		addr: "198.51.100.150", about: "Controller of a water plant", owner: industry, place: nowhere, seen: "2026-04-30", tags: []string{"ics", "eol-product"},
		services: []service{
			banner(502, "modbus", "Unit ID: 0\n-- Device Identification: Example Controls PLC-200 V2.11\n"),
			secure(443, "", "Process View", own("hmi-01", "old"), "CVE-2014-0160").of("Example Controls HMI", "2.11", "", "self-signed"),
		},
	},
	{
		addr: "2001:db8:40::8", about: "Test system on IPv6 in a cloud", owner: cloudOrg, place: frankfurt, seen: "2026-05-05", tags: []string{"cloud"}, onlyIPv6: true,
		cloud: &cloud{"Example Cloud", "eu-central-1", "compute"}, services: []service{web(8080, "nginx/1.26.1", "Staging")},
	},
	{
		addr: "203.0.113.140", about: "Chat server", owner: campus, place: london, seen: "2026-05-15", names: []string{"irc.example.edu"},
		services: []service{banner(6697, "irc", ":irc.example.edu NOTICE * :*** Checking Ident\r\n"), ssh("9.6")},
	},
	{
		addr: "192.0.2.130", about: "Server with the certificate of the command-and-control servers", owner: broadband, place: saoPaulo, seen: "2026-05-11",
		services: []service{
			secure(443, "nginx/1.18.0", "", updates).of("nginx", "1.18.0", "f5:nginx", "self-signed"), ssh("9.2p1 Debian-2", "CVE-2024-6387"),
			// What was there before the certificate.
			web(443, "nginx/1.18.0", "Welcome to nginx!").at("2025-12-24"),
		},
	},
}
