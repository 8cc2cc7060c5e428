# This benchmark needs the plugins of all three clouds. Each cloud also has its own benchmark.
benchmark "ip_reputation" {
  title         = "IP Reputation"
  description   = "The reputation of the addresses that firewalls allow in and out, and of your own public addresses, in all clouds."
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
