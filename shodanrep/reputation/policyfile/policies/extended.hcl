# The policy for people who act on a score: it uses all data on a host, and says how sure the score is. Each factor has
# a reference that supports it. docs/policies.md explains the factors.
policy "extended" {
  description = "Weighs malice, exposure, vulnerabilities, hosting, history and your own lists."

  # History needs no more requests, but the responses are several times larger. To use it, write a policy with
  # base = "extended" and history = true. Without it the factors of history find nothing.
  history = false

  level "critical" { at_least = 50 }
  level "high"     { at_least = 35 }
  level "medium"   { at_least = 15 }

  # ---- Malice: hosts that Shodan recognized as those of attackers, or as compromised.

  factor "malice" {
    match "tags" {
      values = {
        c2           = { points = 50, reason = "answers as a command-and-control server" }
        malware      = { points = 50, reason = "answers as malware does" }
        doublepulsar = { points = 50, reason = "has the DoublePulsar backdoor" }
        compromised  = { points = 35, reason = "shows signs of a break-in" }
        scanner      = { points = 15, reason = "scans the internet" }
      }
    }
    cap       = 60
    detail    = "tagged {values}"
    reference = "https://attack.mitre.org/tactics/TA0011/"
  }

  # Shodan names the software of attackers like any other, and does not always tag it.
  factor "malicious_software" {
    match "software" {
      values = {
        "Cobalt Strike*" = { points = 50, reason = "controls what attackers have taken over" }
        "*trojan"        = { points = 50, reason = "controls what it has infected" }
        "*Trojan"        = { points = 50, reason = "controls what it has infected" }
      }
    }
    cap       = 50
    detail    = "attackers' software answers: {values}"
    reference = "https://attack.mitre.org/software/S0154/"
  }

  # ---- Vulnerabilities: by how likely they are to be exploited, and not by their number.

  factor "known_exploited" {
    match "vulnerabilities" {
      known_exploited = true
    }
    points     = 20
    each       = 5
    cap        = 35
    detail     = "{count} vulnerabilities that are known to be exploited: {values}"
    detail_one = "a vulnerability that is known to be exploited: {values}"
    reference  = "https://www.cisa.gov/known-exploited-vulnerabilities-catalog"
  }

  factor "likely_exploited" {
    match "vulnerabilities" {
      epss_over = 0.5
    }
    points     = 10
    each       = 2
    cap        = 20
    detail     = "{count} vulnerabilities more likely than not to be exploited within 30 days: {values}"
    detail_one = "a vulnerability more likely than not to be exploited within 30 days: {values}"
    reference  = "https://www.first.org/epss/model"
  }

  factor "verified_vulnerabilities" {
    match "vulnerabilities" {
      verified = true
    }
    points     = 15
    each       = 5
    cap        = 30
    detail     = "{count} vulnerabilities that Shodan tested: {values}"
    detail_one = "a vulnerability that Shodan tested: {values}"
    reference  = "https://help.shodan.io/mastery/vulnerability-assessment"
  }

  factor "vulnerabilities" {
    count = "vulnerabilities"
    only  = "with_details"
    over "10" { points = 15 }
    over "5"  { points = 10 }
    over "0"  { points = 5 }
    detail     = "{count} known vulnerabilities, more than {over}"
    detail_one = "{count} known vulnerability"
    reference  = "https://help.shodan.io/mastery/vulnerability-assessment"
  }

  # Vulnerabilities without EPSS and KEV, such as all from InternetDB and in old banners. Only their number is known, so it
  # counts more.
  factor "unweighed_vulnerabilities" {
    count = "vulnerabilities"
    only  = "without_details"
    over "10" { points = 35 }
    over "5"  { points = 20 }
    over "0"  { points = 10 }
    detail     = "{count} known vulnerabilities, more than {over}; the source does not say how bad they are"
    detail_one = "{count} known vulnerability; the source does not say how bad it is"
    reference  = "https://internetdb.shodan.io/"
  }

  # ---- Exposure: services that should not face the internet. The number of a port counts only if its service is unknown
  # (unidentified). Otherwise the protocol, the product or the page decides.

  factor "exposed_databases" {
    match "ports" {
      unidentified = true
      values = {
        1433  = "Microsoft SQL Server"
        1521  = "Oracle Database"
        3306  = "MySQL"
        5432  = "PostgreSQL"
        5984  = "CouchDB"
        6379  = "Redis, which asks for no password by itself"
        7000  = "Cassandra between its nodes"
        8086  = "InfluxDB"
        9042  = "Cassandra"
        9200  = "Elasticsearch"
        9300  = "Elasticsearch between its nodes"
        11211 = "memcached, which asks for no password and amplifies attacks"
        27017 = "MongoDB"
        27018 = "MongoDB"
      }
    }
    match "protocols" {
      values = [
        "mongodb", "redis", "elastic", "mysql", "postgresql", "mssql", "ms-sql-monitor", "oracle-tns", "couchdb", "cassandra", "memcache",
        "memcache-udp", "memcached", "influxdb", "clickhouse",
      ]
    }
    # Some databases use HTTP themselves, and the crawler names only that.
    match "software" {
      values = [
        "Elastic", "Elasticsearch*", "OpenSearch", "CouchDB*", "Apache CouchDB*", "InfluxDB*", "ClickHouse*", "MongoDB*", "MySQL*", "MariaDB*", "PostgreSQL*",
        "Redis", "Redis key-value store", "Memcached*", "Cassandra*", "Apache Cassandra*", "Microsoft SQL Server*", "Oracle Database*", "Oracle TNS*",
      ]
    }
    match "products" {
      values = [
        "mongodb:mongodb", "redis:redis", "redislabs:redis", "elastic:elasticsearch", "elasticsearch:elasticsearch", "mysql:mysql", "oracle:mysql",
        "mariadb:mariadb", "postgresql:postgresql", "microsoft:sql_server", "memcached:memcached", "apache:couchdb", "apache:cassandra",
        "influxdata:influxdb", "clickhouse:clickhouse",
      ]
    }
    match "tags" {
      values = ["database"]
    }
    points    = 20
    each      = 5
    cap       = 30
    detail    = "a database faces the internet: {values}"
    reference = "https://owasp.org/Top10/A05_2021-Security_Misconfiguration/"
  }

  factor "remote_administration" {
    match "ports" {
      unidentified = true
      values = {
        23    = "Telnet, in the clear"
        135   = "Windows RPC"
        139   = "NetBIOS"
        445   = "SMB, the way of worms such as WannaCry"
        512   = "rexec, in the clear"
        513   = "rlogin, in the clear"
        514   = "rsh, in the clear"
        623   = "IPMI"
        2375  = "Docker without TLS: root for everyone"
        3389  = "RDP, a favourite of ransomware"
        4786  = "Cisco Smart Install"
        5555  = "Android Debug Bridge"
        5800  = "VNC in a browser"
        5900  = "VNC"
        5901  = "VNC"
        5985  = "WinRM without TLS"
        5986  = "WinRM"
        6443  = "Kubernetes"
        7547  = "TR-069, the way of Mirai"
        10250 = "Kubernetes kubelet"
      }
    }
    match "protocols" {
      values = [
        "telnet", "telnets", "rdp", "vnc", "rfb", "smb", "netbios", "msrpc", "winrm", "adb", "docker", "kubernetes", "ipmi", "rexec", "rlogin", "rsh",
        "cisco-smi", "cwmp",
      ]
    }
    match "software" {
      values = ["Docker", "Docker Engine*", "Kubernetes*", "*VNC", "*CWMP*", "*TR-069*"]
    }
    points    = 15
    each      = 5
    cap       = 25
    detail    = "remote administration faces the internet: {values}"
    reference = "https://www.cisa.gov/news-events/directives/binding-operational-directive-23-02"
  }

  factor "industrial_protocols" {
    match "ports" {
      unidentified = true
      values = {
        102   = "Siemens S7"
        502   = "Modbus"
        789   = "Red Lion Crimson"
        1911  = "Niagara Fox"
        1962  = "PCWorx"
        2404  = "IEC 60870-5-104"
        4911  = "Niagara Fox with TLS"
        9600  = "OMRON FINS"
        18245 = "GE SRTP"
        20000 = "DNP3"
        20547 = "ProConOS"
        44818 = "EtherNet/IP"
        47808 = "BACnet"
      }
    }
    match "protocols" {
      values = [
        "s7", "modbus", "fox", "secure-fox", "dnp3", "ethernetip", "ethernetip-udp", "bacnet", "iec-104", "iec-61850", "codesys", "pcworx", "omron-tcp",
        "general-electric-srtp", "melsec-q-tcp", "melsec-q-udp", "redlion-crimson3", "proconos",
      ]
    }
    match "tags" {
      values = ["ics"]
    }
    points    = 25
    each      = 5
    cap       = 35
    detail    = "a control system faces the internet: {values}"
    reference = "https://www.cisa.gov/topics/industrial-control-systems"
  }

  factor "suspicious_ports" {
    match "ports" {
      unidentified = true
      values = {
        1080  = "SOCKS proxy"
        1234  = "a usual port of trojans"
        1337  = "a usual port of backdoors"
        3128  = "Squid proxy"
        4444  = "the listener of Metasploit"
        6666  = "IRC, also of botnets"
        6667  = "IRC, also of botnets"
        6697  = "IRC with TLS, also of botnets"
        9050  = "the SOCKS port of Tor"
        12345 = "NetBus"
        31337 = "Back Orifice"
        50050 = "the team server of Cobalt Strike"
      }
    }
    match "protocols" {
      values = { socks = "SOCKS proxy", socks4 = "SOCKS proxy", socks5 = "SOCKS proxy", irc = "IRC, also of botnets", "irc-ssl" = "IRC with TLS, also of botnets" }
    }
    match "software" {
      values = { "Squid*" = "Squid proxy" }
    }
    points    = 10
    each      = 3
    cap       = 15
    detail    = "what seldom serves a good purpose: {values}"
    reference = "https://attack.mitre.org/techniques/T1571/"
  }

  factor "end_of_life" {
    match "tags" {
      values = { eol-product = "gets no fixes any more", eol-os = "its system gets no fixes any more" }
    }
    points    = 10
    each      = 5
    detail    = "out of support: {values}"
    reference = "https://www.cisa.gov/stopransomware/bad-practices"
  }

  factor "certificates" {
    match "certificates" {
      values = ["expired", "self-signed"]
    }
    match "tags" {
      values = ["self-signed"]
    }
    points    = 5
    each      = 3
    detail    = "certificates that no one vouches for: {values}"
    reference = "https://attack.mitre.org/techniques/T1587/003/"
  }

  factor "default_pages" {
    match "titles" {
      values = [
        "Welcome to nginx!*", "Apache2 Ubuntu Default Page: It works", "Apache2 Debian Default Page: It works", "IIS Windows Server", "IIS7",
        "Test Page for*", "Welcome to CentOS", "Apache Tomcat/*", "Welcome to OpenResty!", "phpinfo()", "Index of /*", "Default Web Site Page", "XAMPP*",
      ]
    }
    points    = 5
    detail    = "a page that nobody set up: {values}"
    reference = "https://owasp.org/Top10/A05_2021-Security_Misconfiguration/"
  }

  factor "open_ports" {
    count = "ports"
    over "50" { points = 15 }
    over "20" { points = 10 }
    detail     = "{count} open ports, more than {over}"
    detail_one = "{count} open port, more than {over}"
    reference  = "https://www.cisa.gov/news-events/directives/binding-operational-directive-23-02"
  }

  # ---- Hosting: who may use the address.

  factor "hosting_type" {
    match "hosting_type" {
      values = { bulletproof = 30, tor = 20, proxy = 15, vpn = 10, cloud = 5 }
    }
    detail    = "the type of hosting: {values}"
    reference = "https://attack.mitre.org/techniques/T1583/"
  }

  # ---- History, if your policy uses it.

  factor "past_malice" {
    match "past_tags" {
      values = ["c2", "malware", "doublepulsar", "compromised"]
    }
    points    = 15
    each      = 5
    cap       = 20
    detail    = "in the past tagged {values}"
    reference = "https://attack.mitre.org/techniques/T1584/"
  }

  factor "changing_services" {
    count = "closed_ports"
    over "20" { points = 10 }
    over "5"  { points = 5 }
    detail     = "{count} ports were open in the past and are not now, more than {over}"
    detail_one = "{count} port was open in the past and is not now, more than {over}"
    reference  = "https://attack.mitre.org/techniques/T1583/003/"
  }

  # ---- Geography: empty, for your own list of countries. The country of an address says little about who uses it.

  factor "geography" {
    match "country" {
      values = []
    }
    points    = 5
    detail    = "registered in {values}"
    reference = "https://attack.mitre.org/techniques/T1090/"
  }

  # ---- Reasons to trust the score less.

  # It adds no points. It says that the rest may be out of date.
  factor "stale_data" {
    count = "age_days"
    over "90" { points = 0 }
    detail    = "last seen {count} days ago, more than {over}: what it says may no longer hold"
    reference = "https://help.shodan.io/the-basics/on-demand-scanning"
  }

  # The services of a honeypot are bait, and count less.
  factor "honeypot" {
    match "tags" {
      values = { honeypot = "pretends to be vulnerable, to watch attackers" }
    }
    points    = -20
    detail    = "tagged {values}"
    reference = "https://honeyscore.shodan.io/"
  }

  # ---- Your own lists decide last.

  factor "deny_list" {
    match "listed" {
      values = ["deny"]
    }
    lift_to   = "critical"
    detail    = "on the deny list: {reasons}"
    reference = "https://csrc.nist.gov/pubs/sp/800/41/r1/final"
  }

  factor "allow_list" {
    match "listed" {
      values = ["allow"]
    }
    cap_to    = "low"
    detail    = "on the allow list: {reasons}"
    reference = "https://csrc.nist.gov/pubs/sp/800/41/r1/final"
  }

  confidence {
    sources     = { shodan = 0.95, dataset = 0.95, internetdb = 0.7 }
    unverified  = 0.8 # vulnerabilities are inferred from versions, and none is verified
    honeypot    = 0.5 # its services may be bait
    unknown_age = 0.9 # InternetDB does not say when it saw the host; it is updated weekly

    older_than "30"  { times = 0.9 }
    older_than "90"  { times = 0.7 }
    older_than "365" { times = 0.4 }
  }
}
