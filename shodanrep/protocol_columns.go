package shodanrep

import (
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// protocolObjects are the objects of a banner that hold what Shodan read from one protocol. Each is a column of the name,
// with the object as Shodan has it.
var protocolObjects = []struct{ column, field, description string }{
	{"cassandra", "cassandra", "Apache Cassandra: the cluster, its keyspaces and version."},
	{"coap", "coap", "CoAP: the resources that the device offers."},
	{"db2", "db2", "IBM Db2: the server's name, instance and version."},
	{"dns", "dns", "DNS: whether it resolves recursively, its software and host name."},
	{"docker", "docker", "Docker: the version of the engine, and its containers."},
	{"elastic", "elastic", "Elasticsearch: the cluster, its nodes and indices."},
	{"etcd", "etcd", "etcd: the name, id and version of the member."},
	{"ethernet_ip", "ethernetip", "EtherNet/IP: the vendor, product and serial number of the device."},
	{"ftp", "ftp", "FTP: the features that the server lists, and whether it allows anonymous logins."},
	{"hive", "hive", "Apache Hive: the databases and their tables."},
	{"http", "http", "HTTP: the status, title, server, headers, components and redirects of the web page."},
	{"influxdb", "influx_db", "InfluxDB: the version and the databases."},
	{"isakmp", "isakmp", "ISAKMP, the key exchange of IPsec: the proposals and vendor ids."},
	{"lantronix", "lantronix", "Lantronix: the device's type, addresses and version."},
	{"minecraft", "minecraft", "Minecraft: the version, description and players of the server."},
	{"monero", "monero", "Monero: the height, difficulty and connections of the node."},
	{"mongodb", "mongodb", "MongoDB: the build, the databases and whether it asks for a password."},
	{"mqtt", "mqtt", "MQTT: the messages that the broker sent, and its return code."},
	{"netbios", "netbios", "NetBIOS: the host's names, shares and MAC address."},
	{"ntp", "ntp", "NTP: the variables of the server, and its clients."},
	{"opts", "opts", "Results that Shodan keeps apart, such as of tests for vulnerabilities."},
	{"redis", "redis", "Redis: the server's figures, settings and keys."},
	{"rip", "rip", "RIP: the routes that the router announces."},
	{"rsync", "rsync", "rsync: the modules, and whether they ask for a password."},
	{"smb", "smb", "SMB: the shares, the operating system and whether anonymous users may log in."},
	{"snmp", "snmp", "SNMP: the contact, description, location and name of the system."},
	{"ssh", "ssh", "SSH: the host key and its fingerprint, the ciphers, and the HASSH fingerprint."},
	{"ssl", "ssl", "TLS: the certificate and its chain, the ciphers, versions and fingerprints."},
	{"vertx", "vertx", "VertX access controllers: the name, type, MAC address and firmware."},
}

// protocolColumns are the columns of protocolObjects. They are null where the banner has no such object.
func protocolColumns[R any](of func(R) *shodan.Banner) []*plugin.Column {
	columns := make([]*plugin.Column, 0, len(protocolObjects))
	for _, object := range protocolObjects {
		columns = append(columns, list(object.column, object.description, func(r R) any {
			if b := of(r); b != nil {
				return string(b.Object(object.field))
			}
			return nil
		}))
	}
	return columns
}
