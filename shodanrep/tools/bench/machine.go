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

// machine describes the machine of the figures.
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

// disturbance returns a function that returns how many processors other programs have used since.
func disturbance() (others func() float64) {
	begun, used := time.Now(), othersTime()
	return func() float64 {
		return max(0, (othersTime()-used).Seconds()/time.Since(begun).Seconds())
	}
}

// othersTime is the processor time that other programs than this one and its ended children have used.
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

// usedTime returns the processor time of all processes and of other virtual machines, from the text of /proc/stat.
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
