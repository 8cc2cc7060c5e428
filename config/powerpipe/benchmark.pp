# Needs the plugins of all three clouds; those of one cloud alone are its own benchmark.
benchmark "ip_reputation" {
  title         = "IP Reputation"
  description   = "The reputation of the addresses that firewalls let in and out, and of your own public addresses, in all clouds."
  documentation = file("./docs/ip_reputation.md")
  children = [
    benchmark.aws_ip_reputation,
    benchmark.azure_ip_reputation,
    benchmark.gcp_ip_reputation
  ]

  tags = merge(local.common_tags, {
    type = "Benchmark"
  })
}
