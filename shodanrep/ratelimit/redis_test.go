package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/processtest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/redistest"
)

// testStatus takes a Redis to be away after the first command that failed.
type testStatus struct {
	away   atomic.Bool
	safeAt time.Time
}

func (s *testStatus) Ready() bool       { return !s.away.Load() }
func (s *testStatus) Failed(error)      { s.away.Store(true) }
func (s *testStatus) SafeAt() time.Time { return s.safeAt }

// prefixes keeps the keys of tests that share a server apart.
var prefixes atomic.Int64

func openRedis(t *testing.T, s *redistest.Server) *Redis {
	return openRedisAs(t, s, fmt.Sprintf("test:%d:", prefixes.Add(1)))
}

func openRedisAs(t *testing.T, s *redistest.Server, prefix string) *Redis {
	t.Helper()
	client := s.Client()
	t.Cleanup(func() { client.Close() })
	return NewRedis(client, prefix, &testStatus{})
}

// joinRedis opens the Redis of a test in another process.
func joinRedis(address, prefix string) (*Redis, error) {
	opts, err := redis.ParseURL(address)
	if err != nil {
		return nil, err
	}
	return NewRedis(redis.NewClient(opts), prefix, &testStatus{}), nil
}

// arriveScript takes down when a request arrives, and ARGV[1], which is when its process asked for its slot.
var arriveScript = redis.NewScript(`
local time = redis.call('TIME')
return redis.call('RPUSH', KEYS[1], string.format('%.0f %s', time[1] * 1000000 + time[2], ARGV[1]))
`)

// An askedHook notes when a command is sent, in the variable that the context has.
type askedHook struct{}

type askedKey struct{}

func (askedHook) DialHook(next redis.DialHook) redis.DialHook { return next }

func (askedHook) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (askedHook) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if asked, ok := ctx.Value(askedKey{}).(*time.Time); ok {
			*asked = time.Now()
		}
		return next(ctx, cmd)
	}
}

// takeSlots makes requests to Redis at a rate that others share, until all together have made so many.
func takeSlots(ctx context.Context, args []string) error {
	address, prefix, rateName, perSecond, total := args[0], args[1], args[2], args[3], args[4]
	r, err := joinRedis(address, prefix)
	if err != nil {
		return err
	}
	defer r.client.Close()
	r.client.AddHook(askedHook{})
	rate, _ := strconv.ParseFloat(perSecond, 64)
	enough, _ := strconv.ParseInt(total, 10, 64)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arrivals := prefix + "arrivals:" + rateName
	go func() {
		for ctx.Err() == nil && r.client.LLen(ctx, arrivals).Val() < enough {
			_ = sleep(ctx, 20*time.Millisecond, nil)
		}
		cancel()
	}()
	// Several at once in each process, as a batch of addresses has them.
	requests := make(chan error)
	for range 3 {
		go func() {
			for {
				var asked time.Time
				_, err := r.Take(context.WithValue(ctx, askedKey{}, &asked), rateName, rate, 1)
				if err == nil {
					err = arriveScript.Run(context.WithoutCancel(ctx), r.client, []string{arrivals}, asked.UnixMicro()).Err()
				}
				requests <- err
				if err != nil {
					return
				}
			}
		}()
	}
	for ended := 0; ended < 3; {
		switch err := <-requests; {
		case err == nil:
		case errors.Is(err, context.Canceled):
			ended++
		default:
			return err
		}
	}
	return nil
}

func TestTakeHoldsARateAmongProcesses(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "")
	r := openRedis(t, s)
	rates := map[string]float64{"slow": 1, "fast": 5}
	processes := map[string]int{"slow": 10, "fast": 3}
	var args [][]string
	for name, perSecond := range rates {
		total := fmt.Sprint(6 * perSecond) // takes six seconds, or longer where the processes start late
		for range processes[name] {
			args = append(args, []string{s.Address(), r.prefix, name, fmt.Sprint(perSecond), total})
		}
	}
	processtest.RunAll(t, "take slots", args...)
	for name, perSecond := range rates {
		list, err := r.client.LRange(t.Context(), r.prefix+"arrivals:"+name, 0, -1).Result()
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(list) // by when they arrived: the numbers are equally long
		at, late := make([]int64, len(list)), make([]int64, len(list))
		for i, text := range list {
			var asked int64
			if _, err := fmt.Sscan(text, &at[i], &asked); err != nil {
				t.Fatal(err)
			}
			late[i] = at[i] - asked
		}
		inWindow := int(perSecond)
		for i := range max(0, len(at)-inWindow) {
			// A process that has to wait for a processor sends its request late, and the next may follow soon after.
			const margin = (redisMargin - 1) * 1e6
			if took := at[i+inWindow] - at[i]; took < 1_000_000 && slices.Max(late[i:i+inWindow+1]) < margin {
				t.Errorf("%s: %d requests within %d µs", name, inWindow+1, took)
			}
		}
		if len(at) < 2 {
			t.Fatalf("%s: %d requests", name, len(at))
		}
		got := float64(len(at)-1) / (float64(at[len(at)-1]-at[0]) / 1e6)
		// How near the rate they come is for `make bench` to say: it hangs on what else this machine does.
		t.Logf("%s: %d requests, %.3f a second of %g", name, len(at), got, perSecond)
	}
}

// plan has n callers come, and returns how long after the first each one's turn is. How long the calls took is by how
// much that can be too long. All calls come before the second turn: on a machine that is too busy for that, other
// callers come again, at a rate of their own.
func plan(t *testing.T, r *Redis, name string, perSecond float64, burst, n int) (away []time.Duration, took time.Duration) {
	t.Helper()
	for try := range 100 {
		first := time.Now()
		away = make([]time.Duration, n)
		for i := range away {
			q := &redisRate{}
			admitted, err := r.takeOnce(t.Context(), q, fmt.Sprint(name, try), perSecond, burst)
			if err != nil {
				t.Fatal(err)
			}
			if !admitted {
				away[i] = q.due.Sub(first)
			}
		}
		if took = time.Since(first); took.Seconds() < 1/perSecond {
			return away, took
		}
	}
	t.Fatal("a hundred times, the callers did not come before the second turn")
	return nil, 0
}

func TestTakePlansTurns(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "")
	for name, test := range map[string]struct {
		perSecond float64
		burst     int
		want      []time.Duration
	}{
		"one a second":           {1, 1, []time.Duration{0, 1060, 2120, 3180}},
		"one in two seconds":     {0.5, 1, []time.Duration{0, 2120, 4240, 6360}},
		"ten a second":           {10, 1, []time.Duration{0, 106, 212, 318}},
		"a burst":                {1, 3, []time.Duration{0, 0, 0, 1060, 2120}},
		"no burst at all is one": {1, 0, []time.Duration{0, 1060}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, took := plan(t, openRedis(t, s), "rate", test.perSecond, test.burst, len(test.want))
			for i, want := range test.want {
				want *= time.Millisecond
				if d := got[i] - want; d < -time.Millisecond || d > took+time.Millisecond {
					t.Errorf("turn %d is after %v, want %v", i, got[i], want)
				}
			}
		})
	}
	t.Run("each rate has its own", func(t *testing.T) {
		r := openRedis(t, s)
		plan(t, r, "one", 0.01, 1, 3)
		if _, err := r.Take(t.Context(), "other", 0.01, 1); err != nil {
			t.Error(err)
		}
	})
	t.Run("who is late holds up those who come after, and no more than it has to", func(t *testing.T) {
		r := openRedis(t, s)
		var name string
		come := func(q *redisRate) bool {
			admitted, err := r.takeOnce(t.Context(), q, name, 5, 1)
			if err != nil {
				t.Fatal(err)
			}
			return admitted
		}
		var first, late, next redisRate
		for try := range 100 { // until all have come before the second turn
			name, first, late, next = fmt.Sprint("rate", try), redisRate{}, redisRate{}, redisRate{}
			start := time.Now()
			admitted := []bool{come(&first), come(&late), come(&next)}
			if time.Since(start) >= 200*time.Millisecond {
				continue
			}
			if !slices.Equal(admitted, []bool{true, false, false}) {
				t.Fatal("want the first admitted, and the others to wait")
			}
			break
		}
		time.Sleep(time.Until(late.due) + 150*time.Millisecond)
		before := time.Now()
		if !come(&late) {
			t.Error("who is late is not admitted")
		}
		time.Sleep(time.Until(next.due))
		asked := time.Now()
		if come(&next) {
			if took := time.Since(before); took < 212*time.Millisecond {
				t.Errorf("the next is admitted %v after", took)
			}
			return // the machine is so busy that the turn has come
		}
		// The time that the response takes is added to when it is due.
		if wait := time.Until(next.due); wait > 212*time.Millisecond+time.Since(asked) {
			t.Errorf("the next waits for %v more, want one interval after the late one at most", wait)
		}
	})
	t.Run("a turn that was used late delays the next by as much", func(t *testing.T) {
		r := openRedis(t, s)
		var name string
		var next redisRate
		var took time.Duration
		const delay = 30 * time.Second
		for try, inTime := 0, false; !inTime; try++ { // until all has been done before the second turn
			name, next = fmt.Sprint("rate", try), redisRate{}
			if admitted, err := r.takeOnce(t.Context(), &redisRate{}, name, 1, 1); !admitted || err != nil {
				t.Fatal(admitted, err)
			}
			asked := time.Now()
			admitted, err := r.takeOnce(t.Context(), &next, name, 1, 1)
			if err != nil || try == 100 {
				t.Fatal(admitted, err)
			}
			took = time.Since(asked)
			r.Delay(t.Context(), name, delay)
			inTime = !admitted && time.Now().Before(next.due)
		}
		due := next.due
		time.Sleep(time.Until(due))
		if admitted, err := r.takeOnce(t.Context(), &next, name, 1, 1); admitted || err != nil {
			t.Fatalf("admitted %v, %v: it came when it was due, before the delay", admitted, err)
		}
		// The time that a response takes is added to when it is due.
		if later := next.due.Sub(due); later < delay-took || later > delay+10*time.Millisecond+time.Since(due) {
			t.Errorf("%v later, want %v", later, delay)
		}
	})
	t.Run("no limit is none", func(t *testing.T) {
		r := openRedis(t, s)
		for range 100 {
			if _, err := r.Take(t.Context(), "rate", 0, 1); err != nil {
				t.Fatal(err)
			}
		}
	})
	t.Run("none at first where others may not know yet that Redis is back", func(t *testing.T) {
		r := openRedis(t, s)
		r.status.(*testStatus).safeAt = time.Now().Add(2 * time.Minute)
		for _, name := range []string{"one", "burst"} {
			q := &redisRate{}
			if admitted, err := r.takeOnce(t.Context(), q, name, 1, len(name)); admitted || err != nil {
				t.Fatal(admitted, err)
			}
			if wait := time.Until(q.due); wait < 115*time.Second || wait > 2*time.Minute {
				t.Errorf("%s: the first turn is in %v, want 2 minutes", name, wait)
			}
		}
	})
}

func TestTakeOfACancelledCallLeavesItsTurnToTheNext(t *testing.T) {
	t.Parallel()
	r := openRedis(t, redistest.Start(t, ""))
	var name string
	var start time.Time
	for try := range 100 { // until a call is cancelled after it has its turn, and before that comes
		name, start = fmt.Sprint("rate", try), time.Now()
		if _, err := r.Take(t.Context(), name, 5, 1); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err := r.Take(ctx, name, 5, 1)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) && !r.rates[name].due.IsZero() {
			break
		}
	}
	for range 20 {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Millisecond)
		_, err := r.Take(ctx, name, 5, 1)
		cancel()
		if time.Since(start) > 200*time.Millisecond {
			break // the machine is so busy that the turn has come
		}
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("Take: %v, want %v", err, context.DeadlineExceeded)
		}
	}
	if _, err := r.Take(t.Context(), name, 5, 1); err != nil {
		t.Fatal(err)
	}
	// Twenty turns that nobody used would be four seconds.
	asked, next := time.Now(), &redisRate{}
	if admitted, err := r.takeOnce(t.Context(), next, name, 5, 1); err != nil {
		t.Fatal(err)
	} else if wait := time.Until(next.due); !admitted && wait > 2*212*time.Millisecond+time.Since(asked) {
		t.Errorf("the turn after 20 cancelled calls and one that was admitted is in %v: the cancelled calls took turns", wait)
	}
	t.Run("and no more when it has gone by", func(t *testing.T) {
		q := r.rates[name]
		q.due = time.Now().Add(-time.Second)
		start := time.Now()
		for range 2 {
			if _, err := r.Take(t.Context(), name, 5, 1); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(start); took < 200*time.Millisecond {
			t.Errorf("two turns of five a second took %v", took)
		}
	})
}

func TestTakeReturnsHowManyProcessesShareARate(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "")
	one := openRedis(t, s)
	two := openRedisAs(t, s, one.prefix)
	for i, want := range [][2]int{{1, 2}, {2, 2}} {
		for j, r := range []*Redis{one, two} {
			if got, err := r.Take(t.Context(), "rate", 1000, 1); got != want[j] || err != nil {
				t.Errorf("time %d: %d processes, %v, want %d", i, got, err, want[j])
			}
		}
	}
}

// What is in Redis may be of a bug, or of a server whose clock was wrong.
func TestWhatRedisSaysOfARateIsBounded(t *testing.T) {
	t.Parallel()
	s := redistest.Start(t, "")
	year9999 := strconv.FormatInt(time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro(), 10)
	for name, test := range map[string]struct{ planned, admitted string }{
		"planned until the year 9999":  {year9999, "1"},
		"admitted until the year 9999": {"1", year9999},
		"beyond any number":            {"1e308", "1e308"},
		"infinite":                     {"inf", "inf"},
		"no number":                    {"nan", "nan"},
		"a text":                       {"x", ""},
		"negative":                     {"-1e300", "-1e300"},
		"in 1970":                      {"1", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := openRedis(t, s)
			if err := r.client.HSet(t.Context(), r.prefix+"rate:rate", "planned", test.planned, "admitted", test.admitted).Err(); err != nil {
				t.Fatal(err)
			}
			r.Delay(t.Context(), "rate", time.Millisecond)
			const perSecond = 0.01 // so low that the next must wait, however busy the machine is
			var rate redisRate
			if _, err := r.takeOnce(t.Context(), &rate, "rate", perSecond, 1); err != nil {
				t.Fatal(err)
			}
			if wait := time.Until(rate.due); wait > 2*time.Minute+time.Second {
				t.Errorf("it waits for %v", wait)
			}
			var next redisRate
			if admitted, err := r.takeOnce(t.Context(), &next, "rate", perSecond, 1); admitted || err != nil || time.Until(next.due) > 5*time.Minute {
				t.Errorf("the next is admitted: %t, %v, due %v", admitted, err, next.due)
			}
		})
	}
	t.Run("processes of the future", func(t *testing.T) {
		r := openRedis(t, s)
		for i := range 1000 {
			if err := r.client.ZAdd(t.Context(), r.prefix+"peers:rate", redis.Z{Score: 1e18, Member: i}).Err(); err != nil {
				t.Fatal(err)
			}
		}
		if n, err := r.Take(t.Context(), "rate", 1000, 1); n != 1 || err != nil {
			t.Errorf("%d processes, %v", n, err)
		}
	})
}
