package ratelimit

import (
	"encoding/json"
	"time"
)

// state is what is known of how fast a service may be sent requests. The processes of a machine share it as JSON.
type state struct {
	Tokens   float64   `json:"tokens"` // requests that may be sent at once, as of TokensAt
	TokensAt time.Time `json:"tokens_at,omitzero"`

	Lowered    float64       `json:"lowered,omitempty"`  // the rate just after the last refusal, 0 where none lowered it
	Ceiling    float64       `json:"ceiling,omitempty"`  // recovery ends here for CeilingTTL after the last refusal
	CeilingTTL time.Duration `json:"ceiling_ttl"`        // see ceilingShare
	Refusal    time.Time     `json:"refusal,omitzero"`   // when the last one came
	Refusals   int           `json:"refusals,omitempty"` // in a row

	Paused time.Time `json:"paused,omitzero"` // no request is sent before this
	Banned time.Time `json:"banned,omitzero"` // every request fails before this
	// Unavailable is until when the service is unavailable, as it says. A ban that ends then is not for too many requests.
	Unavailable time.Time `json:"unavailable,omitzero"`
	// ClientRefused is the same of a ban that began because the service, or what is between, refuses this client.
	ClientRefused time.Time `json:"client_refused,omitzero"`
	Since         time.Time `json:"since,omitzero"` // when the requests began, or may go on after the last refusal

	// Members are the other processes that send requests now or wait to, by an ID of their own.
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

func newState() state { return state{CeilingTTL: ceilingTTL} }

// readState reads a record of the file. One that cannot be read counts as empty.
func readState(record []byte, now time.Time) state {
	s := newState()
	if len(record) > 0 && json.Unmarshal(record, &s) != nil {
		s = newState()
	}
	s.bound(now)
	return s
}

// bound replaces what cannot be true. The file may be damaged or forged, and the clock may have been set back: no value
// in it may stop requests for longer than a ban lasts, or let more of them go than a new process would. See
// TestWhatTheFileSaysOfARateIsBounded.
func (s *state) bound(now time.Time) {
	s.TokensAt, s.Refusal = earlier(s.TokensAt, now), earlier(s.Refusal, now)
	s.Banned, s.Since = earlier(s.Banned, now.Add(LongestBan)), earlier(s.Since, now.Add(LongestBan))
	s.Unavailable, s.ClientRefused = earlier(s.Unavailable, now.Add(LongestBan)), earlier(s.ClientRefused, now.Add(LongestBan))
	s.Paused = earlier(s.Paused, now.Add(LongestWait)) // a longer pause is a ban, for which no query waits
	s.Tokens = max(0, s.Tokens)
	s.CeilingTTL = min(max(ceilingTTL, s.CeilingTTL), LongestBan)
	s.Refusals = min(max(0, s.Refusals), 1000)
	for _, rate := range []*float64{&s.Lowered, &s.Ceiling} {
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
	if len(s.Members) == 0 && now.Sub(s.TokensAt) > ceilingTTL && now.Sub(s.Refusal) > LongestBan {
		*s = state{
			Tokens: s.Tokens, TokensAt: s.TokensAt, // of a very low rate the next request may still be hours away
			CeilingTTL: ceilingTTL, Paused: s.Paused, Banned: s.Banned, Unavailable: s.Unavailable, ClientRefused: s.ClientRefused,
		}
	}
}
