# What every control has as tags; each adds its own service.
locals {
  common_tags = {
    category = "IP Reputation"
    plugin   = "shodanrep"
  }
}

variable "alarm_levels" {
  type        = list(string)
  description = "The levels of reputation that are an alarm: critical, high, medium, low."
  default     = ["critical", "high"]
}

variable "alarm_score" {
  type        = number
  description = "The score from which on an address is an alarm, whatever its level. 0 leaves that to the levels."
  default     = 0
}

variable "allowed_addresses" {
  type        = list(string)
  description = "Addresses and networks that are not looked up, such as those of a partner. What is in them is skipped."
  default     = []
}

variable "suspicious_ports" {
  type        = list(number)
  description = "Ports that seldom serve a good purpose."
  default     = [1080, 1234, 3128, 4444, 5555, 6666, 6667, 6697, 8080, 8443, 8888, 9090, 31337]
}

variable "database_ports" {
  type        = list(number)
  description = "Ports that databases listen on."
  default     = [1433, 1521, 3306, 5432, 5984, 6379, 7474, 8086, 9042, 9200, 11211, 27017]
}

variable "open_to_all_masklen" {
  type        = number
  description = "How wide a network is as good as everyone: 0 is 0.0.0.0/0 and ::/0 alone, 8 any network of /8 and wider."
  default     = 0
}

variable "verified_vulnerabilities_only" {
  type        = bool
  description = "Whether only vulnerabilities that Shodan has verified are an alarm. Others are inferred from a version, and then for information."
  default     = false
}

variable "alarm_epss" {
  type        = number
  description = "The probability (EPSS, 0 to 1) from which on a vulnerability is an alarm without being known to be exploited. 0 leaves that out."
  default     = 0
}

variable "certificate_days" {
  type        = number
  description = "How many days ahead a certificate that expires is worth a note."
  default     = 30
}

variable "aws_dimensions" {
  type        = list(string)
  description = "Columns that the controls of AWS return beside the address: account_id, region, connection_name."
  default     = ["account_id", "region"]
}

variable "azure_dimensions" {
  type        = list(string)
  description = "Columns that the controls of Azure return beside the address: subscription_id, resource_group, region, connection_name."
  default     = ["subscription_id", "resource_group", "region"]
}

variable "gcp_dimensions" {
  type        = list(string)
  description = "Columns that the controls of GCP return beside the address: project, location, connection_name."
  default     = ["project", "location"]
}

variable "tag_dimensions" {
  type        = list(string)
  description = "Tags of the resources that the controls of public addresses return beside the address."
  default     = []
}

# The dimensions as SQL.
locals {
  aws_dimensions_sql   = join("", [for column in var.aws_dimensions : ", r.${column}"])
  azure_dimensions_sql = join("", [for column in var.azure_dimensions : ", r.${column}"])
  gcp_dimensions_sql   = join("", [for column in var.gcp_dimensions : ", r.${column}"])
  tag_dimensions_sql = join("", [
    for tag in var.tag_dimensions : ", r.tags ->> '${replace(tag, "'", "''")}' as \"${replace(tag, "\"", "\"\"")}\""
  ])
}
