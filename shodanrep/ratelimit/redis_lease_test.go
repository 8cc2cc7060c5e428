package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/redistest"
)

const leased = "192.0.2.1:shodan"

// countUnderLease adds to a number, in two steps that no other process may come between.
func countUnderLease(ctx context.Context, args []string) error {
	r, err := joinRedis(args[0], args[1])
	if err != nil {
		return err
	}
	defer r.client.Close()
	number := args[1] + "number"
	for done := 0; done < 10; {
		release, got, err := r.Lease(ctx, leased, time.Minute)
		if err != nil {
			return err
		}
		if !got {
			if err := r.WaitFor(ctx, leased); err != nil {
				return err
			}
			continue
		}
		n, _ := r.client.Get(ctx, number).Int()
		time.Sleep(time.Millisecond)
		if err := r.client.Set(ctx, number, n+1, 0).Err(); err != nil {
			return err
		}
		release()
		done++
	}
	return nil
}

func TestLeaseIsOneProcessAtATime(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "")
	r := openRedis(t, s)
	args := []string{s.Address(), r.prefix}
	processtest.RunAll(t, "count under lease", args, args, args, args)
	if got, _ := r.client.Get(t.Context(), r.prefix+"number").Int(); got != 40 {
		t.Errorf("counted to %d, want 40: two had the lease at once", got)
	}
}

// shortTerm is for the lease of a process that dies.
const shortTerm = 300 * time.Millisecond

// holdLease takes the lease, says so, and never lets go.
func holdLease(ctx context.Context, args []string) error {
	r, err := joinRedis(args[0], args[1])
	if err != nil {
		return err
	}
	r.leaseTerm = shortTerm // the kill comes before the first renewal
	if _, got, err := r.Lease(ctx, leased, time.Minute); !got || err != nil {
		return fmt.Errorf("no lease: %w", err)
	}
	fmt.Println("got it")
	<-ctx.Done()
	return ctx.Err()
}

func TestLeaseOfAProcessThatDiesRunsOut(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "")
	r := openRedis(t, s)
	cmd := processtest.Command(t, "hold a lease", s.Address(), r.prefix)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.Read(make([]byte, 1))
	cmd.Process.Kill()
	if left := r.client.PTTL(t.Context(), r.leaseKey(leased)).Val(); left > shortTerm {
		t.Errorf("the lease of a process that was killed lasts for %v", left)
	}
	if err := r.WaitFor(t.Context(), leased); err != nil {
		t.Fatal(err)
	}
	if _, got, err := r.Lease(t.Context(), leased, time.Second); !got || err != nil {
		t.Errorf("Lease: %v, %v, want it", got, err)
	}
	cmd.Wait()
}

func TestLease(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "")
	t.Run("is not released by who no longer has it", func(t *testing.T) {
		t.Parallel()
		r := openRedis(t, s)
		release, got, err := r.Lease(t.Context(), leased, time.Millisecond)
		if !got || err != nil {
			t.Fatal(got, err)
		}
		if err := r.WaitFor(t.Context(), leased); err != nil {
			t.Fatal(err)
		}
		if _, got, err = r.Lease(t.Context(), leased, time.Minute); !got || err != nil {
			t.Fatal(got, err)
		}
		release()
		if _, got, err = r.Lease(t.Context(), leased, time.Minute); got || err != nil {
			t.Errorf("Lease: %v, %v, want none: another has it", got, err)
		}
	})
	t.Run("is renewed until it is released", func(t *testing.T) {
		t.Parallel()
		r := openRedis(t, s)
		r.renewEvery = time.Millisecond
		release, got, err := r.Lease(t.Context(), leased, time.Hour)
		if !got || err != nil {
			t.Fatal(got, err)
		}
		left := func() time.Duration { return r.client.PTTL(t.Context(), r.leaseKey(leased)).Val() }
		for before, now := left(), left(); now <= before; before, now = now, left() { // until it has more time than it had
			if now < 0 || now > leaseTerm {
				t.Fatalf("the lease lasts for %v", now)
			}
		}
		release()
		if now := left(); now > 0 {
			t.Errorf("a lease that was released lasts for %v", now)
		}
	})
	t.Run("is not renewed for longer than its time", func(t *testing.T) {
		t.Parallel()
		r := openRedis(t, s)
		r.leaseTerm, r.renewEvery = 5*time.Millisecond, time.Millisecond
		if _, got, err := r.Lease(t.Context(), leased, 50*time.Millisecond); !got || err != nil {
			t.Fatal(got, err)
		}
		if err := r.WaitFor(t.Context(), leased); err != nil {
			t.Error(err)
		}
	})
	t.Run("is released also where its query was cancelled", func(t *testing.T) {
		t.Parallel()
		r := openRedis(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		release, got, err := r.Lease(ctx, leased, time.Minute)
		if !got || err != nil {
			t.Fatal(got, err)
		}
		cancel()
		release()
		release()
		if err := r.WaitFor(t.Context(), leased); err != nil {
			t.Error(err)
		}
	})
	t.Run("waits for thousands at once, and for none that nobody has", func(t *testing.T) {
		t.Parallel()
		r := openRedis(t, s)
		const n = 2500
		var wg sync.WaitGroup
		for i := range n {
			key := strconv.Itoa(i)
			var release func()
			if i%10 == 0 {
				var got bool
				var err error
				if release, got, err = r.Lease(t.Context(), key, time.Minute); !got || err != nil {
					t.Fatal(got, err)
				}
			}
			wg.Go(func() {
				if err := r.WaitFor(t.Context(), key); err != nil {
					t.Error(err)
				}
			})
			if release != nil {
				wg.Go(release)
			}
		}
		wg.Wait()
	})
	t.Run("is waited for until ctx ends", func(t *testing.T) {
		t.Parallel()
		r := openRedis(t, s)
		if _, got, err := r.Lease(t.Context(), leased, time.Minute); !got || err != nil {
			t.Fatal(got, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := r.WaitFor(ctx, leased); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("WaitFor: %v, want %v", err, context.DeadlineExceeded)
		}
	})
	t.Run("ends for those who wait when Redis goes", func(t *testing.T) {
		t.Parallel()
		s := redistest.Start(t, "")
		r := openRedis(t, s)
		if _, got, err := r.Lease(t.Context(), leased, time.Minute); !got || err != nil {
			t.Fatal(got, err)
		}
		waited := make(chan error)
		go func() { waited <- r.WaitFor(t.Context(), leased) }()
		s.Kill()
		if err := <-waited; !errors.Is(err, ErrAway) {
			t.Errorf("WaitFor: %v, want %v", err, ErrAway)
		}
	})
}

func TestNoLeaseIsWaitedForLongerThanItsTime(t *testing.T) {
	t.Parallel()
	r := openRedis(t, redistest.Start(t, ""))
	const ttl = 50 * time.Millisecond
	for name, plant := range map[string]func() error{
		"without an end":  func() error { return r.client.Set(t.Context(), r.leaseKey(leased), "x", 0).Err() },
		"of a year":       func() error { return r.client.Set(t.Context(), r.leaseKey(leased), "x", 8760*time.Hour).Err() },
		"of another type": func() error { return r.client.HSet(t.Context(), r.leaseKey(leased), "x", "y").Err() },
	} {
		if err := plant(); err != nil {
			t.Fatal(err)
		}
		if _, got, err := r.Lease(t.Context(), leased, ttl); got || err != nil {
			t.Fatal(name, got, err)
		}
		if err := r.WaitFor(t.Context(), leased); err != nil {
			t.Error(name, err)
		}
		release, got, err := r.Lease(t.Context(), leased, time.Minute)
		if !got || err != nil {
			t.Fatal(name, got, err)
		}
		release()
	}
}
