# The tags of every control; each control adds its own service.
locals {
  common_tags = {
    category = "IP Reputation"
    plugin   = "shodanrep"
  }
}

variable "alarm_levels" {
  type        = list(string)
  description = "The reputation levels that cause an alarm: critical, high, medium, low."
  default     = ["critical", "high"]
}

variable "alarm_score" {
  type        = number
  description = "The lowest score that causes an alarm, for any level. 0 means that only the levels count."
  default     = 0
}

variable "newly_bad_days" {
  type        = number
  description = "The number of days during which an address counts as newly bad. Set it to the time between two runs."
  default     = 1
}

variable "allowed_addresses" {
  type        = list(string)
  description = "The addresses and networks that are not looked up, such as those of a partner. Their addresses get the status skip."
  default     = []
}

variable "suspicious_ports" {
  type        = list(number)
  description = "The suspicious ports, which rarely have a legitimate use."
  default     = [1080, 1234, 3128, 4444, 5555, 6666, 6667, 6697, 8080, 8443, 8888, 9090, 31337]
}

variable "database_ports" {
  type        = list(number)
  description = "The ports of databases."
  default     = [1433, 1521, 3306, 5432, 5984, 6379, 7474, 8086, 9042, 9200, 11211, 27017]
}

variable "open_to_all_masklen" {
  type        = number
  description = "The longest mask of a network that counts as open to everyone: 0 means only 0.0.0.0/0 and ::/0, 8 means any network of /8 and wider."
  default     = 0
}

variable "verified_vulnerabilities_only" {
  type        = bool
  description = "True if only vulnerabilities that Shodan has verified cause an alarm. The others, which are inferred from a version, then get the status info."
  default     = false
}

variable "alarm_epss" {
  type        = number
  description = "The lowest EPSS score (probability, 0 to 1) that causes an alarm for a vulnerability that is not known to be exploited. 0 turns this off."
  default     = 0
}

variable "certificate_days" {
  type        = number
  description = "The number of days before its expiry when a certificate gets the status info."
  default     = 30
}

variable "aws_dimensions" {
  type        = list(string)
  description = "The columns that the AWS controls return in addition to the address: account_id, region, connection_name."
  default     = ["account_id", "region"]
}

variable "azure_dimensions" {
  type        = list(string)
  description = "The columns that the Azure controls return in addition to the address: subscription_id, resource_group, region, connection_name."
  default     = ["subscription_id", "resource_group", "region"]
}

variable "gcp_dimensions" {
  type        = list(string)
  description = "The columns that the GCP controls return in addition to the address: project, location, connection_name."
  default     = ["project", "location"]
}

variable "tag_dimensions" {
  type        = list(string)
  description = "The tags of the resources that the controls of public addresses return in addition to the address."
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
