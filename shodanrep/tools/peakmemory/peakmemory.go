//go:build unix

// Package peakmemory measures the most memory that a process takes, for the tools that measure the program.
package peakmemory

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// interval is the time between two readings.
const interval = 10 * time.Millisecond

// Watch reads the peak memory of a process until its caller calls the function that Watch returns, after the end of the
// process. That function returns the peak in bytes, or 0 if the process ended before the first reading. Watch polls, because
// the peak is unknown after the end: the value of wait4 includes the memory that the parent had before exec.
func Watch(pid int) (peak func() int64) {
	ended, result := make(chan struct{}), make(chan int64, 1)
	go func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		path, highest := fmt.Sprintf("/proc/%d/status", pid), int64(0)
		for {
			if status, err := os.ReadFile(path); err == nil {
				highest = max(highest, highWater(status))
			}
			select {
			case <-ended:
				result <- highest
				return
			case <-ticker.C:
			}
		}
	}()
	return func() int64 {
		close(ended)
		return <-result
	}
}

// highWater reads the highest resident size from a process's status file.
func highWater(status []byte) int64 {
	for line := range bytes.Lines(status) {
		if value, found := strings.CutPrefix(string(line), "VmHWM:"); found {
			kilobytes, _ := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kilobytes << 10
		}
	}
	return 0
}
