package waitlimit

import (
	"testing"
	"time"
)

func TestALimitIsAsLongAsForUsersOrLonger(t *testing.T) {
	for _, test := range []struct{ extended, want time.Duration }{
		{0, time.Second}, {time.Millisecond, time.Second}, {time.Minute, time.Minute},
	} {
		Extend(test.extended)
		if got := Of(time.Second); got != test.want {
			t.Errorf("extended to %v: %v, want %v", test.extended, got, test.want)
		}
	}
}
