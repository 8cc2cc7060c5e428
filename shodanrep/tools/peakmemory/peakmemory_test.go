//go:build unix

package peakmemory

import (
	"os"
	"runtime"
	"testing"
)

func TestTheFileOfTheKernelIsRead(t *testing.T) {
	t.Parallel()
	if got := highWater([]byte("Name:\tshodanrep\nVmPeak:\t  900 kB\nVmHWM:\t  2048 kB\nVmRSS:\t  1000 kB\n")); got != 2<<20 {
		t.Errorf("the highest memory is %d", got)
	}
	if got := highWater(nil); got != 0 {
		t.Errorf("the highest memory of no process is %d", got)
	}
}

func TestTheMemoryOfAProcessIsWatched(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux has /proc")
	}
	if got := Watch(os.Getpid())(); got < 1<<20 {
		t.Errorf("this process takes %d bytes", got)
	}
}
