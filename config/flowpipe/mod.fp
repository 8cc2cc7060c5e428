mod "shodanrep" {
  title         = "IP Reputation"
  description   = "Tell of addresses that have newly got a bad reputation, once each."
  documentation = file("./README.md")
  categories    = ["networking", "security"]

  require {
    flowpipe {
      min_version = "1.0.0"
    }
  }
}
