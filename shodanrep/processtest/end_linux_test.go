package processtest

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// panics is the variable by which the test has its own program start a process that does not end, and panic.
const panics = "PROCESSTEST_PANICS"

func TestMain(m *testing.M) {
	if os.Getenv(panics) != "" {
		endless := exec.Command("tail", "-f", "/dev/null")
		endless.Stdout = os.Stdout
		EndWithTests(endless, syscall.SIGKILL)
		if err := endless.Start(); err != nil {
			panic(err)
		}
		panic("as a test does")
	}
	os.Exit(m.Run())
}

func TestAProcessEndsWithTestsThatPanic(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	output, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer output.Close()
	var stderr bytes.Buffer
	tests := exec.CommandContext(ctx, os.Args[0])
	tests.Env = append(os.Environ(), panics+"=1")
	tests.Stdout, tests.Stderr = write, &stderr
	if err := tests.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	if err := tests.Wait(); err == nil || !bytes.Contains(stderr.Bytes(), []byte("as a test does")) {
		t.Fatalf("%v, %s", err, stderr.Bytes())
	}
	// The process has the other end of the pipe as long as it runs.
	if err := output.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(output); err != nil {
		t.Errorf("the process still runs: %v", err)
	}
}
