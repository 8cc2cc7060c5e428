package suggest

import "testing"

func TestNearest(t *testing.T) {
	t.Parallel()
	tables := []string{"shodan_host", "shodan_ip_reputation", "shodan_port", "shodan_reputation_factor", "shodan_search"}
	columns := []string{"ip", "level", "score", "organization", "country_name", "country_code", "isp"}
	arguments := []string{
		"allow_list", "api_key", "api_lookup_limit", "api_url", "bulk_lookup", "cache", "cache_max_size", "cache_ttl", "correlation_limit", "cvedb_url",
		"data_files", "data_window", "deny_list", "exploits_url", "history_keep", "history_max_size", "history_store", "internetdb_file",
		"internetdb_requests_per_second", "internetdb_url", "max_concurrency", "network_limit", "policy", "requests_per_second", "search_limit", "source", "timeout",
	}
	flags := []string{"--output", "--output-file", "--only", "--no-color"}
	tests := []struct {
		name       string
		candidates []string
		want       string
	}{
		{"shodan_hst", tables, "shodan_host"},
		{"SHODAN_HOSTS", tables, "shodan_host"},
		{"host", tables, "shodan_host"},
		{"shodan_reputation", tables, "shodan_ip_reputation"},
		{"shodan_foo", tables, ""}, // as far from shodan_port as it is from nothing
		{"shodan_", tables, ""},
		{"", tables, ""},
		{"customers", tables, ""},
		{"shodan_host_services", tables, "shodan_host"},
		{"shodan_factor", tables, "shodan_reputation_factor"},
		{"reputation_factors", tables, "shodan_reputation_factor"},
		{"shodan_ports", tables, "shodan_port"},
		{"cache_path", arguments, "cache"},
		{"cache_dir", arguments, "cache"},
		{"cache_location", arguments, "cache"},
		{"cahce", arguments, "cache"},
		{"cache_size", arguments, "cache_max_size"},
		{"cache_max", arguments, "cache_max_size"},
		{"cache_maxsize", arguments, "cache_max_size"},
		{"cache_tll", arguments, "cache_ttl"},
		{"cache_ttl_seconds", arguments, "cache_ttl"},
		{"ttl", arguments, "cache_ttl"},
		{"key", arguments, "api_key"},
		{"apikey", arguments, "api_key"},
		{"api-key", arguments, "api_key"},
		{"api_token", arguments, "api_key"},
		{"policy_file", arguments, "policy"},
		{"polcy", arguments, "policy"},
		{"source_name", arguments, "source"},
		{"timeout_seconds", arguments, "timeout"},
		{"time_out", arguments, "timeout"},
		{"data_file", arguments, "data_files"},
		{"datafiles", arguments, "data_files"},
		{"window", arguments, "data_window"},
		{"history_size", arguments, "history_max_size"},
		{"store", arguments, "history_store"},
		{"concurrency", arguments, "max_concurrency"},
		{"requests_per_sec", arguments, "requests_per_second"},
		{"internetdb", arguments, "internetdb_url"},
		{"internetdb_path", arguments, "internetdb_file"},
		{"allowlist", arguments, "allow_list"},
		{"lookup_limit", arguments, "api_lookup_limit"},
		{"bulk", arguments, "bulk_lookup"},
		{"correlations_limit", arguments, "correlation_limit"},
		{"limit", arguments, "search_limit"},
		{"--output-format", flags, "--output"},
		{"--color", flags, "--no-color"},
		{"--onyl", flags, "--only"},
		{"country_id", columns, "country_code"},
		{"ip_address", []string{"ip", "isp", "port"}, "ip"},
		{"name", columns, "country_name"},
		{"levle", columns, "level"},
		{"org", columns, "organization"},
		{"Country", columns, "country_name"}, // the first of two that are as long
		{"ipp", columns, "ip"},
		{"xy", columns, ""},
		{"co", columns, ""},
		{"level", nil, ""},
		{"basline", []string{"baseline"}, "baseline"},
		{"extendde", []string{"baseline", "extended"}, "extended"},
		{"größe", []string{"Größe", "weite"}, "Größe"},
		{"x", []string{"", "a"}, ""},
	}
	for _, tt := range tests {
		if got := Nearest(tt.name, tt.candidates); got != tt.want {
			t.Errorf("Nearest(%q) = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	t.Parallel()
	if got := DidYouMean("hgih", []string{"high", "low"}); got != `: did you mean "high"?` {
		t.Error(got)
	}
	if got := DidYouMean("purple", []string{"high", "low"}); got != "" {
		t.Error(got)
	}
}
