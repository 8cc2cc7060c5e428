package cli

import (
	"fmt"
	"syscall"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cli/stdio"
)

// Only standard output may be closed: a database that goes away in the middle of a write is a failure.
func TestABrokenConnectionIsAFailure(t *testing.T) {
	t.Parallel()
	broken := fmt.Errorf("the server went away: %w", &writeError{})
	if status, message := exitStatus(t.Context(), failed(broken)); status != exitFailed || message != broken.Error() {
		t.Errorf("a broken connection: status %d, %q", status, message)
	}
	if err := (&failOn{}).outcome(broken); err == nil || stdio.IsBrokenPipe(err) {
		t.Errorf("with --fail-on: %v", err)
	}
	_, err := stdio.NewWriter(t.Context(), brokenPipe{}, "standard output").Write([]byte("a line\n"))
	if status, message := exitStatus(t.Context(), failed(fmt.Errorf("writing: %w", err))); status != exitDone || message != "" {
		t.Errorf("standard output: status %d, %q, for %v", status, message, err)
	}
	if status, _ := exitStatus(t.Context(), failed(syscall.EPIPE)); status != exitFailed {
		t.Errorf("the error of the system: status %d", status)
	}
}
