//go:build !unix

package postgrestest

import "os/exec"

// runAs does nothing: where there is no root, nobody has to run as another user.
func runAs(*exec.Cmd, account) {}
