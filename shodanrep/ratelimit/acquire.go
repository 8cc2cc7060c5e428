package ratelimit

import (
	"context"
	"errors"
	"time"
)

// Acquire waits until a request may be sent. The caller must end the slot with Done, Refused or Abandon. Acquire
// returns a *BannedError where no request may be sent, or the context's error. The coordinator is nil where machines
// share nothing.
func (l *Limiter) Acquire(ctx context.Context, machines Coordinator) (*Slot, error) {
	select {
	case l.acquiring <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	s := &Slot{limiter: l, machines: machines, acquiring: true}
	err := s.wait(ctx)
	if err != nil || !l.limits.Exact {
		s.release()
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// wait waits until the slot's request may be sent.
func (s *Slot) wait(ctx context.Context) error {
	l := s.limiter
	local := s.machines == nil // whether this process decides by itself
	for {
		l.mu.Lock()
		wait, err := l.admit(s, local)
		now := time.Now()
		perSecond, burst, changed := l.pace(now), l.burst(now), l.changed
		l.mu.Unlock()
		switch {
		case err != nil:
			return err
		case !s.begun.IsZero():
			return nil
		case wait > 0:
			local, s.coordinated = s.machines == nil, false // the place among the machines is too old then
			err = sleep(ctx, wait, changed)
		default:
			local, err = s.takeAmongMachines(ctx, perSecond, burst)
		}
		if err != nil {
			return err
		}
	}
}

// takeAmongMachines waits for the slot's place in the rate of all machines. It reports whether they are out of reach.
func (s *Slot) takeAmongMachines(ctx context.Context, perSecond float64, burst int) (away bool, err error) {
	l := s.limiter
	peers, err := s.machines.Take(ctx, l.name, perSecond, burst)
	away = errors.Is(err, ErrAway)
	if err != nil && !away {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if away {
		l.machinePeers = max(l.machinePeers, peers)
	} else {
		l.machinePeers = peers
	}
	s.coordinated = !away
	return away, nil
}

// admit begins the slot's request where it may be sent. Otherwise it returns how long to wait, 0 where only the place
// among the machines is missing. The caller holds the lock.
func (l *Limiter) admit(s *Slot, local bool) (wait time.Duration, err error) {
	if local && l.spendLocal() {
		l.underWay++
		s.begun = time.Now()
		return 0, nil
	}
	l.update(func(now time.Time) {
		if now.Before(l.Banned) {
			err = &BannedError{Until: l.Banned, Unavailable: !l.Unavailable.Before(l.Banned), ClientRefused: !l.ClientRefused.Before(l.Banned)}
			return
		}
		if l.Since.IsZero() {
			l.Since = now
		}
		wait = l.Paused.Sub(now)
		if others, _, _ := l.others(); wait <= 0 && l.underWay+others >= l.window(now) {
			if wait = pollEvery; others > 0 { // else the end of an own one ends the wait
				wait = pollOften
			}
		}
		if wait <= 0 && local {
			wait = l.take(now, s.machines != nil)
		}
		switch {
		case wait <= 0 && (local || s.coordinated):
			l.underWay++
			l.writing = l.limits.Exact
			l.waiting = time.Time{}
			s.begun = now
		case l.waiting.IsZero():
			l.waiting = now
		}
	})
	if l.file != nil {
		wait = min(wait, pollEvery)
	}
	return max(0, wait), err
}

// take takes a token if there is one: then it returns 0, else how long to wait. The tokens are a share of the rate where
// the file, or the other machines, are out of reach. The caller holds the lock.
func (l *Limiter) take(now time.Time, withoutMachines bool) (wait time.Duration) {
	limit, share := l.pace(now)/margin, 1
	if l.away {
		share = max(share, l.peers)
	}
	if withoutMachines {
		share = max(share, l.machinePeers)
	}
	limit /= float64(share)
	interval := func(n float64) time.Duration {
		return time.Duration(min(n/limit, longestInterval.Seconds()) * float64(time.Second))
	}
	tokens := float64(l.burst(now))
	if !l.TokensAt.IsZero() {
		tokens = min(tokens, l.Tokens+now.Sub(l.TokensAt).Seconds()*limit)
	}
	wait = interval(1 - tokens)
	_, waitLonger, writing := l.others()
	if waitLonger {
		// Another process has waited for longer. It gets a moment to take the token.
		wait = l.TokensAt.Add(interval(1 - l.Tokens + grace)).Sub(now)
	}
	if writing {
		wait = max(wait, pollOften)
	}
	if wait > 0 {
		return wait
	}
	l.setTokens(tokens-1, now)
	l.takeLocal(now)
	return 0
}
