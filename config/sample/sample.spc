# The invented sample as a dataset: what the demonstration and the examples of the documentation run on.
connection "shodanrep" {
  plugin     = "shodanrep"
  data_files = ["config/sample/hosts.json.gz"]
  cache      = "memory"
}
