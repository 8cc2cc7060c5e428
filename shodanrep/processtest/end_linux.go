package processtest

import (
	"os/exec"
	"syscall"
)

// EndWithTests has a process that is not started yet get the signal when the process of the tests ends, however that
// ends: a panic and the timeout of go test run no cleanup. Elsewhere than on Linux it does nothing.
func EndWithTests(cmd *exec.Cmd, signal syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = signal
}
