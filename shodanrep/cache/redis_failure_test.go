package cache

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ratelimit"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/redistest"
)

func TestRedisGoesAndComesBack(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "")
	c := newClock()
	var w warnings
	r := openTestRedis(t, s, Options{Now: c.now, Logger: w.logger()})
	before := c.entry("192.0.2.1", "before")
	mustPut(t, r, before)

	s.Kill()
	start := time.Now()
	entries := c.batch(1500, 100)
	mustPut(t, r, entries...)
	for range 1000 {
		if got := mustGet(t, r, entries[7].Key, before.Key); len(got) != 1 {
			t.Fatalf("got %v, want what was put since Redis went", got)
		}
	}
	if took := time.Since(start); took > patience { // 120 ms a call: none of them waits
		t.Errorf("a thousand calls without Redis took %v", took)
	}
	if r.Available() {
		t.Error("the coordination is said to work")
	}
	if _, err := r.Take(t.Context(), "rate", 1, 1); !errors.Is(err, ratelimit.ErrAway) {
		t.Errorf("Take: %v, want %v", err, ratelimit.ErrAway)
	}
	if _, got, err := r.Lease(t.Context(), before.Key.String(), time.Second); got || !errors.Is(err, ratelimit.ErrAway) {
		t.Errorf("Lease: %v, %v, want %v", got, err, ratelimit.ErrAway)
	}
	if err := r.WaitFor(t.Context(), before.Key.String()); !errors.Is(err, ratelimit.ErrAway) {
		t.Errorf("WaitFor: %v, want %v", err, ratelimit.ErrAway)
	}
	if got, want := mustStats(t, r).Location, "memory, in place of redis://127.0.0.1:"+s.Port()+"/0"; got != want {
		t.Errorf("the location is %q, want %q", got, want)
	}
	w.wantOne(t, "cache redis://127.0.0.1:"+s.Port()+"/0: ", "check that it runs and can be reached from here")

	if !s.Restart(t) {
		t.Fatal("Redis does not start again")
	}
	eventually(t, "the return of Redis", r.Available)
	eventually(t, "that Redis is handed what was put meanwhile", func() bool {
		other := openRedisAs(t, s, r.store.prefix, Options{Now: c.now})
		defer other.Close()
		return len(mustGet(t, other, keysOf(entries)...)) == len(entries)
	})
	w.wantOne(t)
}

func TestRedisThatIsAwayAtFirst(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "")
	s.Kill()
	var w warnings
	r := openTestRedis(t, s, Options{Logger: w.logger()})
	e := newClock().entry("192.0.2.1", "a")
	mustPut(t, r, e)
	w.wantOne(t, "connection refused")
	if !s.Restart(t) {
		t.Fatal("Redis does not start")
	}
	eventually(t, "the return of Redis", r.Available)
	eventually(t, "that Redis is handed the entry", func() bool { return len(mustGet(t, r, e.Key)) == 1 })
}

func TestRedisWithAPassword(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "secret-word")
	e := newClock().entry("192.0.2.1", "a")
	t.Run("the right one", func(t *testing.T) {
		r := openTestRedis(t, s, Options{})
		mustPut(t, r, e)
		if got, want := mustStats(t, r).Location, "redis://127.0.0.1:"+s.Port()+"/0"; got != want {
			t.Errorf("the location is %q, want %q", got, want)
		}
	})
	for name, test := range map[string]struct{ user, want string }{
		"a wrong one": {":wrong-word@", "check the user and the password in its address"},
		"none":        {"", "put the password in its address"},
	} {
		t.Run(name, func(t *testing.T) {
			var w warnings
			r := Open(t.Context(), s.AddressAs(test.user), Options{Logger: w.logger()})
			defer r.Close()
			mustPut(t, r, e)
			if got := mustGet(t, r, e.Key); len(got) != 1 {
				t.Errorf("got %v, want the entry", got)
			}
			w.wantOne(t, test.want)
			if strings.Contains(w.lines()[0], "-word") {
				t.Errorf("the warning has the password: %s", w.lines()[0])
			}
		})
	}
	t.Run("in an address that cannot be read", func(t *testing.T) {
		var w warnings
		Open(t.Context(), "redis://:secret/word@127.0.0.1", Options{Logger: w.logger()})
		w.wantOne(t, "percent-encoded")
		if strings.Contains(w.lines()[0], "secret") {
			t.Errorf("the warning has the password: %s", w.lines()[0])
		}
	})
}

func TestRedisThatTakesNoWrite(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "")
	client := s.Client()
	defer client.Close()
	e := newClock().entry("192.0.2.1", strings.Repeat("a", 1000))
	for name, test := range map[string]struct{ set, to, back, want string }{
		"a full one": {"maxmemory", "1", "0", "raise its maxmemory"},
		"a replica":  {"replicaof", "127.0.0.1 1", "no one", "set the cache to the address of the primary"},
	} {
		t.Run(name, func(t *testing.T) {
			set := func(to string) {
				args := []any{"config", "set", test.set, to}
				if test.set == "replicaof" {
					host, port, _ := strings.Cut(to, " ")
					args = []any{"replicaof", host, port}
				}
				if err := client.Do(t.Context(), args...).Err(); err != nil {
					t.Fatal(err)
				}
			}
			var w warnings
			r := openTestRedis(t, s, Options{Logger: w.logger()})
			set(test.to)
			for range 3 {
				mustPut(t, r, e)
				if got := mustGet(t, r, e.Key); len(got) != 1 {
					t.Errorf("got %v, want the entry", got)
				}
			}
			w.wantOne(t, test.want)
			set(test.back)
			eventually(t, "the return of Redis", r.Available)
		})
	}
}

func TestRedisThatHangs(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	start := time.Now()
	var w warnings
	s := Open(t.Context(), "redis://"+l.Addr().String()+"?read_timeout=50ms", Options{Logger: w.logger()})
	e := newClock().entry("192.0.2.1", "a")
	mustPut(t, s, e)
	if got := mustGet(t, s, e.Key); len(got) != 1 {
		t.Errorf("got %v, want the entry", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	w.wantOne(t, "i/o timeout")
	if took := time.Since(start); took > patience { // an address without a timeout has a longer one in a test
		t.Errorf("it took %v", took)
	}
}

// Not in parallel with others, whose goroutines would be counted.
func TestRedisLeavesNoGoroutines(t *testing.T) {
	s := redistest.Start(t, "")
	before := runtime.NumGoroutine()
	for range 3 {
		r := openTestRedis(t, s, Options{})
		e := newClock().entry("192.0.2.1", "a")
		mustPut(t, r, e)
		if _, got, err := r.Lease(t.Context(), e.Key.String(), time.Minute); !got || err != nil {
			t.Fatal(got, err)
		}
		waited := make(chan error)
		go func() { waited <- r.WaitFor(t.Context(), e.Key.String()) }()
		r.Close()
		if err := <-waited; !errors.Is(err, ratelimit.ErrAway) {
			t.Errorf("WaitFor: %v, want %v", err, ratelimit.ErrAway)
		}
	}
	s.Kill()
	eventually(t, "the end of all goroutines", func() bool { return runtime.NumGoroutine() <= before })
}
