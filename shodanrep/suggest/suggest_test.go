package suggest

import "testing"

func TestNearest(t *testing.T) {
	t.Parallel()
	tables := []string{"shodan_host", "shodan_ip_reputation", "shodan_port", "shodan_reputation_factor", "shodan_search"}
	columns := []string{"ip", "level", "score", "organization", "country_name", "country_code", "isp"}
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
