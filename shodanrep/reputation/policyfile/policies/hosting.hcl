# The type of hosting of a host's network. The first rule that applies decides. A policy's own rules come before these.
#
# The order is by importance to an analyst: networks that protect crime, then networks that hide their users, then shared
# networks, then all others.

hosting "bulletproof" {
  asn_lists = ["bulletproof"]
}

hosting "tor" {
  tags      = ["tor"]
  asn_lists = ["tor"]
  words     = ["tor-exit", "torexit", "tor-relay", "torrelay", "tor-node", "exit-tor"]
  domains   = ["torservers.net"]
}

hosting "proxy" {
  tags  = ["proxy"]
  words = ["proxy", "socks"]
}

hosting "vpn" {
  tags      = ["vpn"]
  asn_lists = ["vpn"]
  words     = ["vpn", "openvpn", "wireguard"]
  domains   = ["mullvad.net", "nordvpn.com", "protonvpn.net"]
}

hosting "cdn" {
  tags      = ["cdn"]
  asn_lists = ["cdn"]
  domains   = ["akamaitechnologies.com", "akamai.net", "cloudfront.net", "fastly.net", "cloudflare.com"]
}

hosting "cloud" {
  tags      = ["cloud"]
  cloud     = true
  asn_lists = ["cloud"]
  words     = ["vps"]
  domains = [
    "amazonaws.com", "googleusercontent.com", "cloudapp.net", "cloudapp.azure.com", "linodeusercontent.com", "vultrusercontent.com",
    "your-server.de", "contaboserver.net", "oraclevcn.com",
  ]
}

# Business lines are in networks of providers that also serve households. Their host names tell. Words that are also names
# of servers count only in the name of a numbered line: 203-0-113-5.static.isp.example.
hosting "business" {
  line_words = ["static", "business", "biz", "corp", "office"]
}

hosting "residential" {
  asn_lists = ["residential"]
  words     = ["dsl", "adsl", "vdsl", "dyn", "dynamic", "dhcp", "ppp", "pppoe", "ftth", "broadband", "dialup", "residential"]
  line_words = [
    "pool", "cable", "fiber", "cust", "customer", "client", "home", "res", "mobile", "lte", "wireless",
  ]
  domains = ["comcast.net", "t-ipconnect.de", "rr.com", "verizon.net", "btcentralplus.com", "wanadoo.fr", "proxad.net"]
}
