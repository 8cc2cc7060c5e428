variable "database" {
  type        = connection.steampipe
  description = "The Steampipe database with the tables of your cloud and of shodanrep."
  default     = connection.steampipe.default
}

variable "notifier" {
  type        = notifier
  description = "Whom to tell."
  default     = notifier.default
}

variable "schedule" {
  type        = string
  description = "When to look: a cron expression, or an interval such as 12h or daily."
  default     = "daily"
}

variable "alarm_levels" {
  type        = list(string)
  description = "The levels of reputation to tell of: critical, high, medium, low."
  default     = ["critical", "high"]
}
