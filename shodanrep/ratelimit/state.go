package ratelimit

import (
	"encoding/json"
	"time"
)

const (
	// memberTimeout is how long a process counts as one that sends requests after it last said so. A process that was
	// killed keeps its place in the window for no longer.
	memberTimeout = 900 * time.Millisecond
	// heartbeat is how often a process that has requests under way, or waits to send one, says so.
	heartbeat = 250 * time.Millisecond
	// maxCeilingTTL bounds how long a rate that was refused is not tried again.
	maxCeilingTTL = 24 * time.Hour
	// maxLatency bounds the latency that is read from a file: no request takes longer.
	maxLatency = 5 * time.Minute
)

// state is what is known of how fast a service may be sent requests. The processes of a machine share it as JSON.
type state struct {
	Tokens   float64   `json:"tokens"` // requests that may be sent at once, as of TokensAt
	TokensAt time.Time `json:"tokens_at,omitzero"`

	Current    float64       `json:"current,omitempty"`   // the rate after a refusal, 0 where it is the highest allowed
	Changed    time.Time     `json:"changed,omitzero"`    // when Current was last raised or lowered
	Ceiling    float64       `json:"ceiling,omitempty"`   // recovery ends here; 0 where it ends at the configured rate
	LoweredAt  time.Time     `json:"lowered_at,omitzero"` // when Ceiling was last changed
	CeilingTTL time.Duration `json:"ceiling_ttl"`         // how long Ceiling stays, see ceilingTTL

	Paused   time.Time `json:"paused,omitzero"`    // no request is sent before this
	Banned   time.Time `json:"banned,omitzero"`    // every request fails before this
	Refusal  time.Time `json:"refusal,omitzero"`   // when the last one came
	Refusals int       `json:"refusals,omitempty"` // in a row

	Latency   time.Duration `json:"latency"`        // of a response, a moving average
	Since     time.Time     `json:"since,omitzero"` // when the requests began, or may go on after the last refusal
	MinWindow int           `json:"min_window"`     // how many may be under way whatever the rate

	Updated time.Time `json:"updated,omitzero"`
	// Members are the processes that send requests now or wait to, by an ID of their own.
	Members map[string]member `json:"members,omitempty"`
}

// member is a process among those that share a rate.
type member struct {
	Seen      time.Time `json:"seen"`
	UnderWay  int       `json:"under_way"`
	PerSecond float64   `json:"per_second"`        // the rate that it is configured with
	Waiting   time.Time `json:"waiting,omitzero"`  // since when it has waited to send its next request
	Writing   bool      `json:"writing,omitempty"` // a request has its slot and is not yet written
}

func newState() state {
	return state{CeilingTTL: ceilingTTL, MinWindow: minWindow}
}

// readState reads a record of the file. What cannot be read is as good as nothing known.
func readState(record []byte, now time.Time) state {
	s := newState()
	if len(record) > 0 && json.Unmarshal(record, &s) != nil {
		s = newState()
	}
	s.bound(now)
	return s
}

// bound replaces what cannot be true. The file may be damaged or forged, and the clock may have been set back: no value
// in it may stop requests for longer than a ban lasts, or let more of them go than a new process would.
func (s *state) bound(now time.Time) {
	for _, t := range []*time.Time{&s.TokensAt, &s.Changed, &s.LoweredAt, &s.Refusal, &s.Updated} {
		if t.After(now) {
			*t = now
		}
	}
	if latest := now.Add(LongestBan); s.Banned.After(latest) {
		s.Banned = latest
	}
	// A longer pause is a ban, for which no query waits.
	for _, t := range []*time.Time{&s.Paused, &s.Since} {
		if latest := now.Add(longestWait); t.After(latest) {
			*t = latest
		}
	}
	s.Tokens = max(0, s.Tokens)
	s.Latency = min(max(0, s.Latency), maxLatency)
	s.CeilingTTL = min(max(ceilingTTL, s.CeilingTTL), maxCeilingTTL)
	s.Refusals = min(max(0, s.Refusals), 1000)
	if s.MinWindow != 1 {
		s.MinWindow = minWindow
	}
	for _, rate := range []*float64{&s.Current, &s.Ceiling} {
		if *rate != 0 {
			*rate = max(minRate, *rate)
		}
	}
	for id, m := range s.Members {
		if age := now.Sub(m.Seen); age > memberTimeout || age < -memberTimeout || m.UnderWay < 0 || !(m.PerSecond > 0) {
			delete(s.Members, id)
		}
	}
	// What a service refused long ago says little of now.
	if len(s.Members) == 0 && now.Sub(s.Updated) > ceilingTTL && now.Sub(s.Refusal) > LongestBan {
		*s = state{CeilingTTL: ceilingTTL, MinWindow: minWindow, Paused: s.Paused, Banned: s.Banned}
	}
}
