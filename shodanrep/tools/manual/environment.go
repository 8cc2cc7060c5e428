package main

import "strings"

// environment are the environment variables of the command line, for the page of the program. The page of the
// documentation on the command line has the same list.
var environment = []struct{ names, meaning string }{
	{"SHODAN_API_KEY", "the API key, unless the connection has one"},
	{"SHODAN_API_URL", "the URL of the REST API, unless the connection has one"},
	{"SHODANREP_CONFIG", "the configuration files, separated as in PATH, if --config is not set"},
	{"SHODANREP_CACHE_DIR", "the folder of the cache and of the rates"},
	{"SHODANREP_LOG", "how much is logged to standard error: trace, debug, info, warn, error or off"},
	{"SHODANREP_PAGER, PAGER", "the pager for long tables, by default less"},
	{"STEAMPIPE_INSTALL_DIR", "the folder of Steampipe, in place of ~/.steampipe"},
	{"XDG_CACHE_HOME, XDG_DATA_HOME", "on Linux, the folders in which the cache and the history have theirs"},
	{"NO_COLOR", "if it is not empty, no colours"},
	{"COLUMNS", "the width of a table that is not on a terminal"},
	{"HTTPS_PROXY, ALL_PROXY, NO_PROXY", "the proxy, the proxy if the first is not set, and the hosts that are reached without one"},
	{"SSL_CERT_FILE, SSL_CERT_DIR", "the certificates of authorities to trust; on Windows and macOS those of the system are used instead"},
	{"PGHOST, PGPASSWORD", "and the others of libpq: for load, what --to leaves out"},
}

// environmentSection returns the section of the page of the program.
func environmentSection() string {
	var b strings.Builder
	b.WriteString("\n.SH ENVIRONMENT\n")
	for _, variable := range environment {
		b.WriteString(".TP\n\\fB" + variable.names + "\\fP\n" + variable.meaning + "\n\n")
	}
	return b.String()
}
