//go:build !unix

package postgrestest

import "os/exec"

// runAs does nothing, because only Unix has root.
func runAs(*exec.Cmd, account) {}
