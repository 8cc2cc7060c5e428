# The default policy. It does not change, so that scores of different days can be compared.
policy "baseline" {
  description = "Counts vulnerabilities, open ports and tags. The default; it does not change."

  level "critical" { at_least = 50 }
  level "high"     { at_least = 35 }
  level "medium"   { at_least = 15 }

  factor "vulnerabilities" {
    count = "vulnerabilities"
    over "10" { points = 40 }
    over "5"  { points = 25 }
    over "0"  { points = 10 }
    detail     = "{count} known vulnerabilities, more than {over}"
    detail_one = "{count} known vulnerability, more than {over}"
  }

  factor "suspicious_ports" {
    match "ports" {
      values = [4444, 5555, 6666, 8888, 9090, 1234, 31337, 6667, 6697, 8080, 8443, 3128, 1080]
    }
    points     = 15
    detail     = "{count} ports open that seldom serve a good purpose"
    detail_one = "{count} port open that seldom serves a good purpose"
  }

  factor "tags" {
    match "tags" {
      values = ["self-signed", "cloud", "vpn", "proxy", "tor"]
    }
    points = 10
    detail = "tagged {values}"
  }

  factor "open_ports" {
    count = "ports"
    over "20" { points = 15 }
    detail     = "{count} open ports, more than {over}"
    detail_one = "{count} open port, more than {over}"
  }

  # The confidence does not change the score.
  confidence {
    sources     = { shodan = 0.95, dataset = 0.95, internetdb = 0.8 }
    unverified  = 0.8 # vulnerabilities are inferred from versions, and none is verified
    honeypot    = 0.5 # its services may be bait
    unknown_age = 0.9 # InternetDB does not say when it saw the host; it is updated weekly

    older_than "30"  { times = 0.9 }
    older_than "90"  { times = 0.7 }
    older_than "365" { times = 0.4 }
  }
}
