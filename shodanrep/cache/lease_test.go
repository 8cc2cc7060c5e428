package cache

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"
)

var leased = Key{Service: "shodan https://api.shodan.io", Target: "192.0.2.1", Options: "minify"}

// countUnderLease adds to a number, in two steps that no other process may come between, and returns how often.
func countUnderLease(ctx context.Context, args []string) (any, error) {
	r, err := joinRedis(ctx, args[0], args[1])
	if err != nil {
		return nil, err
	}
	defer r.Close()
	number := args[1] + "number"
	for done := 0; done < 10; {
		release, got, err := r.Lease(ctx, leased, time.Minute)
		if err != nil {
			return nil, err
		}
		if !got {
			if err := r.WaitFor(ctx, leased); err != nil {
				return nil, err
			}
			continue
		}
		n, _ := r.store.client.Get(ctx, number).Int()
		time.Sleep(time.Millisecond)
		if err := r.store.client.Set(ctx, number, n+1, 0).Err(); err != nil {
			return nil, err
		}
		release()
		done++
	}
	return 10, nil
}

func TestLeaseIsOneProcessAtATime(t *testing.T) {
	t.Parallel()
	s := startRedis(t, "")
	r := openTestRedis(t, s, Options{})
	args := []string{s.address(), r.store.prefix}
	run[int](t, "count under lease", args, args, args, args)
	if got, _ := r.store.client.Get(t.Context(), r.store.prefix+"number").Int(); got != 40 {
		t.Errorf("counted to %d, want 40: two had the lease at once", got)
	}
}

// holdLease takes the lease, says so, and never lets go.
func holdLease(ctx context.Context, args []string) (any, error) {
	r, err := joinRedis(ctx, args[0], args[1])
	if err != nil {
		return nil, err
	}
	if _, got, err := r.Lease(ctx, leased, 300*time.Millisecond); !got || err != nil {
		return nil, fmt.Errorf("no lease: %w", err)
	}
	fmt.Println("got it")
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestLeaseOfAProcessThatDiesRunsOut(t *testing.T) {
	t.Parallel()
	s := startRedis(t, "")
	r := openTestRedis(t, s, Options{})
	cmd := command(t, "hold a lease", s.address(), r.store.prefix)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.Read(make([]byte, 1))
	cmd.Process.Kill()
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
	s := startRedis(t, "")
	t.Run("is not released by who no longer has it", func(t *testing.T) {
		t.Parallel()
		r := openTestRedis(t, s, Options{})
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
	t.Run("is released also where its query was cancelled", func(t *testing.T) {
		t.Parallel()
		r := openTestRedis(t, s, Options{})
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
		r := openTestRedis(t, s, Options{})
		const n = 2500
		var wg sync.WaitGroup
		for i := range n {
			key := leased
			key.Target = strconv.Itoa(i)
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
		r := openTestRedis(t, s, Options{})
		if _, got, err := r.Lease(t.Context(), leased, time.Minute); !got || err != nil {
			t.Fatal(got, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer cancel()
		if err := r.WaitFor(ctx, leased); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("WaitFor: %v, want %v", err, context.DeadlineExceeded)
		}
		eventually(t, "that nobody looks any more", func() bool {
			r.room.mu.Lock()
			defer r.room.mu.Unlock()
			return r.room.waiting == nil
		})
	})
	t.Run("ends for those who wait when Redis goes", func(t *testing.T) {
		t.Parallel()
		s := startRedis(t, "")
		r := openTestRedis(t, s, Options{})
		if _, got, err := r.Lease(t.Context(), leased, time.Minute); !got || err != nil {
			t.Fatal(got, err)
		}
		waited := make(chan error)
		go func() { waited <- r.WaitFor(t.Context(), leased) }()
		s.kill()
		if err := <-waited; !errors.Is(err, ErrAway) {
			t.Errorf("WaitFor: %v, want %v", err, ErrAway)
		}
	})
}
