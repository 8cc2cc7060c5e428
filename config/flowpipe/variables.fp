variable "database" {
  type        = connection.steampipe
  description = "The Steampipe database with the tables of your cloud and of shodanrep."
  default     = connection.steampipe.default
}

variable "notifier" {
  type        = notifier
  description = "The notifier for the message."
  default     = notifier.default
}

variable "schedule" {
  type        = string
  description = "The schedule: a cron expression, or an interval such as 12h or daily."
  default     = "daily"
}

variable "alarm_levels" {
  type        = list(string)
  description = "The reputation levels to report: critical, high, medium, low."
  default     = ["critical", "high"]
}

variable "window" {
  type        = string
  description = "The time during which an address counts as newly bad, as an interval of PostgreSQL. Set it to the time between two runs."
  default     = "1 day"
}
