package shodanrep

import (
	"github.com/turbot/steampipe-plugin-sdk/v5/plugin"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// protocolObjects are the objects of a banner that hold what Shodan read from one protocol. Each is a column of the name,
// with the object as Shodan has it.
var protocolObjects = []struct{ column, field, description string }{
	{"cassandra", "cassandra", "The data that Shodan read from Apache Cassandra: the cluster, its keyspaces and version."},
	{"coap", "coap", "The data that Shodan read by CoAP: the resources that the device offers."},
	{"db2", "db2", "The data that Shodan read from IBM Db2: the server name, instance and version."},
	{"dns", "dns", "The data that Shodan read by DNS: if the server resolves recursively, its software and host name."},
	{"docker", "docker", "The data that Shodan read from Docker: the version of the engine, and its containers."},
	{"elastic", "elastic", "The data that Shodan read from Elasticsearch: the cluster, its nodes and indices."},
	{"etcd", "etcd", "The data that Shodan read from etcd: the name, id and version of the member."},
	{"ethernet_ip", "ethernetip", "The data that Shodan read by EtherNet/IP: the vendor, product and serial number of the device."},
	{"ftp", "ftp", "The data that Shodan read by FTP: the features that the server lists, and if it allows anonymous logins."},
	{"hive", "hive", "The data that Shodan read from Apache Hive: the databases and their tables."},
	{"http", "http", "The data that Shodan read by HTTP: the status, title, server, headers, components and redirects of the web page."},
	{"influxdb", "influx_db", "The data that Shodan read from InfluxDB: the version and the databases."},
	{"isakmp", "isakmp", "The data that Shodan read by ISAKMP, the key exchange of IPsec: the proposals and vendor ids."},
	{"lantronix", "lantronix", "The data that Shodan read from a Lantronix device: its type, addresses and version."},
	{"minecraft", "minecraft", "The data that Shodan read from a Minecraft server: its version, description and players."},
	{"monero", "monero", "The data that Shodan read from a Monero node: its height, difficulty and connections."},
	{"mongodb", "mongodb", "The data that Shodan read from MongoDB: the build, the databases, and if it requires a password."},
	{"mqtt", "mqtt", "The data that Shodan read by MQTT: the messages that the broker sent, and its return code."},
	{"netbios", "netbios", "The data that Shodan read by NetBIOS: the host's names, shares and MAC address."},
	{"ntp", "ntp", "The data that Shodan read by NTP: the variables of the server, and its clients."},
	{"opts", "opts", "The results that Shodan stores separately, such as those of tests for vulnerabilities."},
	{"redis", "redis", "The data that Shodan read from Redis: the server's statistics, settings and keys."},
	{"rip", "rip", "The data that Shodan read by RIP: the routes that the router announces."},
	{"rsync", "rsync", "The data that Shodan read by rsync: the modules, and if they require a password."},
	{"smb", "smb", "The data that Shodan read by SMB: the shares, the operating system, and if anonymous users can log in."},
	{"snmp", "snmp", "The data that Shodan read by SNMP: the contact, description, location and name of the system."},
	{"ssh", "ssh", "The data that Shodan read by SSH: the host key and its fingerprint, the ciphers, and the HASSH fingerprint."},
	{"ssl", "ssl", "The data that Shodan read by TLS: the certificate and its chain, the ciphers, versions and fingerprints."},
	{"vertx", "vertx", "The data that Shodan read from a VertX access controller: its name, type, MAC address and firmware."},
}

// protocolColumns are the columns of protocolObjects. They are null where the banner has no such object.
func protocolColumns[R any](of func(R) *shodan.Banner) []*plugin.Column {
	columns := make([]*plugin.Column, 0, len(protocolObjects))
	for _, object := range protocolObjects {
		columns = append(columns, jsonb(object.column, object.description, func(r R) any {
			if b := of(r); b != nil {
				return string(b.Object(object.field))
			}
			return nil
		}))
	}
	return columns
}
