//go:build unix

package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// machine says what the figures were measured on.
func machine() string {
	model := runtime.GOARCH
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(name) == "model name" {
				model = strings.TrimSpace(value)
				break
			}
		}
	}
	return fmt.Sprintf("%d cores (%s), %s, %s/%s, %s", runtime.NumCPU(), model, runtime.Version(), runtime.GOOS, runtime.GOARCH, time.Now().Format(time.DateOnly))
}

// disturbance returns how many processors others use from now until the function that it returns is called: what this
// program and those that it started did not use of what was used.
func disturbance() (others func() float64) {
	begun, used := time.Now(), othersTime()
	return func() float64 {
		return max(0, (othersTime()-used).Seconds()/time.Since(begun).Seconds())
	}
}

// othersTime is the processor time that others than this program and its ended children have used.
func othersTime() time.Duration {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	used := usedTime(string(stat))
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var usage syscall.Rusage
		_ = syscall.Getrusage(who, &usage) // fails for a bad argument only
		used -= time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	}
	return used
}

// tick is the unit of /proc/stat, the same on every Linux that Go runs on.
const tick = 10 * time.Millisecond

// usedTime reads the time that processes have used of all processors, and that of processors which other virtual
// machines have used, from the text of /proc/stat. Interrupts are counted to the process that they interrupt as well.
func usedTime(stat string) time.Duration {
	line, _, _ := strings.Cut(stat, "\n")
	fields := strings.Fields(line)
	var used time.Duration
	for _, i := range []int{1, 2, 3, 8} { // user, nice, system, steal
		if i < len(fields) {
			ticks, _ := strconv.ParseInt(fields[i], 10, 64)
			used += time.Duration(ticks) * tick
		}
	}
	return used
}
