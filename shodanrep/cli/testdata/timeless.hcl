# The policy extended without what depends on the day.
policy "timeless" {
  base    = "extended"
  without = ["stale_data"]
  confidence {
    sources    = { shodan = 0.95, dataset = 0.95, internetdb = 0.7 }
    unverified = 0.8
  }
}
