package upstream

import "time"

// A stopwatch calls a function when it has run for so long, the time aside in which it was stopped.
type stopwatch struct {
	timer *time.Timer
	left  time.Duration
	since time.Time // when it was last started
	used  time.Duration
}

func newStopwatch(d time.Duration, f func()) *stopwatch {
	return &stopwatch{timer: time.AfterFunc(d, f), left: d, since: time.Now()}
}

func (s *stopwatch) stop() {
	s.timer.Stop()
	s.used += time.Since(s.since)
}

func (s *stopwatch) start() {
	s.since = time.Now()
	s.timer.Reset(max(0, s.left-s.used))
}
