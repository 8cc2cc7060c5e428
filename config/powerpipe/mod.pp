mod "shodanrep" {
  title         = "IP Reputation"
  description   = "Check the reputation of the addresses that firewalls allow in and out, and of your own public addresses, in AWS, Azure and GCP."
  color         = "#C83237"
  documentation = file("./docs/index.md")
  icon          = "/images/mods/shodanrep/shodanrep.svg"
  categories    = ["aws", "azure", "gcp", "networking", "public cloud", "security"]

  opengraph {
    title       = "Powerpipe Mod for IP Reputation"
    description = "Check the reputation of the addresses that firewalls allow in and out, and of your own public addresses, in AWS, Azure and GCP."
    image       = "/images/mods/shodanrep/shodanrep-social-graphic.png"
  }
}
