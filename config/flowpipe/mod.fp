mod "shodanrep" {
  title         = "IP Reputation"
  description   = "Report each address once when its reputation becomes bad."
  documentation = file("./README.md")
  categories    = ["networking", "security"]

  require {
    flowpipe {
      min_version = "1.0.0"
    }
  }
}
