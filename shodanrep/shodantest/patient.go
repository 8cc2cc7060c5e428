package shodantest

import "regexp"

// Patient gives the arguments of a connection without a timeout a long one: on a busy machine a response may need longer
// than a user would wait, and a request that is sent again is one more than a test counts.
func Patient(arguments string) string {
	if hasTimeout.MatchString(arguments) {
		return arguments
	}
	return "timeout = \"5m\"\n" + arguments
}

var hasTimeout = regexp.MustCompile(`(?m)^\s*timeout\b`)
