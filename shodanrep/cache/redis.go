package cache

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// getBatch is how many entries one round trip gets: so many large ones still arrive within the timeout.
	getBatch = 200
	// putBatch and putBytes bound what one run of a script stores: Redis does nothing else meanwhile.
	putBatch = 500
	putBytes = 1 << 20
	// scanBatch is how many keys one round trip scans, and scanBound how many of them the statistics do.
	scanBatch = 1000
	scanBound = 200_000
)

// redisStore is the store in Redis while that is reachable.
type redisStore struct {
	client           *redis.Client
	prefix, location string
	opts             Options
	bound            int64        // the statistics of more keys are an estimate
	hits, misses     atomic.Int64 // counted and not yet sent
	sent             atomic.Int64 // when they last were, in Unix seconds
}

var _ backend = (*redisStore)(nil)

// open checks that Redis can be written to: a replica or a full one cannot be used.
func (s *redisStore) open(ctx context.Context) error {
	return s.wrapError(s.client.Set(ctx, s.prefix+"alive", 1, time.Minute).Err())
}

// targetKey returns the key of the hash with the entries about a target.
func (s *redisStore) targetKey(target string) string {
	return s.prefix + "answers:" + url.QueryEscape(target)
}

// entryName returns the name of an entry in the hash of its target. The parts are escaped, so they contain no ":".
func entryName(k Key) string { return url.QueryEscape(k.Service) + ":" + url.QueryEscape(k.Options) }

func (s *redisStore) countKey() string { return s.prefix + "count" }

func (s *redisStore) Get(ctx context.Context, keys []Key) (map[Key]Entry, error) {
	found := make(map[Key]Entry, len(keys))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := s.opts.Now()
	names := map[[2]string]string{} // a batch has one or two
	for batch := range slices.Chunk(keys, getBatch) {
		hashes, args := make([]string, len(batch)), make([]any, 1, len(batch)+1)
		args[0] = MaxBody
		for i, k := range batch {
			name, ok := names[[2]string{k.Service, k.Options}]
			if !ok {
				name = entryName(k)
				names[[2]string{k.Service, k.Options}] = name
			}
			hashes[i], args = s.targetKey(k.Target), append(args, name)
		}
		rows, err := getScript.Run(ctx, s.client, hashes, args...).Slice()
		if err != nil {
			return nil, s.wrapError(err)
		}
		for i, row := range rows {
			fields, _ := row.([]any)
			if e, ok := parseEntry(batch[i], fields); ok && e.Expires.After(now) {
				found[batch[i]] = e
			}
		}
	}
	return found, nil
}

// Count adds to the numbers of hits and misses, and sends them now and then. What cannot be sent is sent the next time.
func (s *redisStore) Count(hits, misses int64) {
	s.hits.Add(hits)
	s.misses.Add(misses)
	if time.Now().Unix()-s.sent.Load() < int64(flushEvery/time.Second) {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = s.sendCounts(ctx)
}

// isWrongType reports whether a key holds something other than what we keep there.
func isWrongType(err error) bool { return redis.HasErrorPrefix(err, "WRONGTYPE") }

// parseEntry parses the two fields of an entry. It returns false where they are not ours.
func parseEntry(k Key, fields []any) (Entry, bool) {
	if len(fields) != 2 {
		return Entry{}, false
	}
	about, ok1 := fields[0].(string)
	body, ok2 := fields[1].(string)
	numbers := strings.Fields(about)
	if !ok1 || !ok2 || len(numbers) != 3 || numbers[2] != strconv.Itoa(len(body)) {
		return Entry{}, false
	}
	checkedAt, err1 := strconv.ParseInt(numbers[0], 10, 64)
	expires, err2 := strconv.ParseInt(numbers[1], 10, 64)
	if err1 != nil || err2 != nil {
		return Entry{}, false
	}
	e := Entry{Key: k, CheckedAt: timeOf(checkedAt), Expires: timeOf(expires)}
	if body != "" {
		e.Body = []byte(body)
	}
	return e, true
}

func (s *redisStore) Put(ctx context.Context, entries []Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	now := s.opts.Now()
	for len(entries) > 0 {
		var keys []string
		var args []any
		for bytes := 0; len(keys) < min(len(entries), putBatch) && bytes < putBytes; {
			e := entries[len(keys)]
			about := fmt.Sprint(e.CheckedAt.UnixMicro(), e.Expires.UnixMicro(), len(e.Body))
			keys = append(keys, s.targetKey(e.Target))
			args = append(args, entryName(e.Key), about, e.Body, e.Expires.Sub(now).Milliseconds())
			bytes += len(e.Body)
		}
		if err := putScript.Run(ctx, s.client, keys, args...).Err(); err != nil && !errors.Is(err, redis.Nil) {
			return s.wrapError(err)
		}
		entries = entries[len(keys):]
	}
	return nil
}

func (s *redisStore) Clear(ctx context.Context, target string) (int64, error) {
	if target != "" {
		n, err := clearScript.Run(ctx, s.client, []string{s.targetKey(target)}).Int64()
		return n, s.wrapError(err)
	}
	s.hits.Store(0)
	s.misses.Store(0)
	if err := s.client.Del(ctx, s.countKey()).Err(); err != nil {
		return 0, s.wrapError(err)
	}
	return s.sum(ctx, clearScript)
}

func (s *redisStore) Prune(ctx context.Context) (int64, error) {
	return s.sum(ctx, pruneScript, s.opts.Now().UnixMicro())
}

// sum runs a script on all entries, and adds up what it returns.
func (s *redisStore) sum(ctx context.Context, script *redis.Script, args ...any) (total int64, err error) {
	_, err = s.scan(ctx, 0, func(keys []string) error {
		n, err := script.Run(ctx, s.client, keys, args...).Int64()
		total += n
		return err
	})
	return total, s.wrapError(err)
}

// scan calls fn with the keys of all entries, a batch at a time, and returns how many keys of any kind it scanned. It
// stops after bound of those, where bound is positive.
func (s *redisStore) scan(ctx context.Context, bound int64, fn func(keys []string) error) (scanned int64, err error) {
	// The prefix has no character that is special in a pattern.
	pattern := s.prefix + "answers:*"
	var cursor uint64
	for {
		var keys []string
		if keys, cursor, err = s.client.Scan(ctx, cursor, pattern, scanBatch).Result(); err != nil {
			return scanned, err
		}
		scanned += scanBatch
		if len(keys) > 0 {
			if err := fn(keys); err != nil {
				return scanned, err
			}
		}
		if cursor == 0 {
			return scanned, nil
		}
		if bound > 0 && scanned >= bound {
			return scanned, nil
		}
	}
}

// Stats describes what Redis holds. Of a very large one it scans a part, and estimates the whole from that.
func (s *redisStore) Stats(ctx context.Context) (Stats, error) {
	stats := Stats{Location: s.location}
	var oldest, newest int64
	seen := map[string]bool{} // a scan may return a key twice
	scanned, err := s.scan(ctx, s.bound, func(keys []string) error {
		keys = slices.DeleteFunc(keys, func(k string) bool {
			twice := seen[k]
			seen[k] = true
			return twice
		})
		row, err := statsScript.Run(ctx, s.client, keys, s.opts.Now().UnixMicro()).Int64Slice()
		if err != nil {
			return err
		}
		if row[0] > 0 {
			if stats.Entries == 0 || row[3] < oldest {
				oldest = row[3]
			}
			newest = max(newest, row[4])
		}
		stats.Entries += row[0]
		stats.Expired += row[1]
		stats.Bytes += row[2]
		return nil
	})
	if err != nil {
		return Stats{}, s.wrapError(err)
	}
	if stats.Entries > 0 {
		stats.Oldest, stats.Newest = timeOf(oldest), timeOf(newest)
	}
	if scanned >= s.bound {
		size, err := s.client.DBSize(ctx).Result()
		if err != nil {
			return Stats{}, s.wrapError(err)
		}
		if part := float64(size) / float64(scanned); part > 1 {
			for _, n := range []*int64{&stats.Entries, &stats.Expired, &stats.Bytes} {
				*n = int64(float64(*n) * part)
			}
		}
	}
	_ = s.sendCounts(ctx) // fails also where the counts are not ours
	counts, err := s.client.HMGet(ctx, s.countKey(), "hits", "misses").Result()
	if err != nil {
		if isWrongType(err) {
			err = nil
		}
		return stats, s.wrapError(err)
	}
	for i, n := range []*int64{&stats.Hits, &stats.Misses} {
		text, _ := counts[i].(string)
		*n, _ = strconv.ParseInt(text, 10, 64)
	}
	return stats, nil
}

// sendCounts adds what this process has counted to the counts of all machines.
func (s *redisStore) sendCounts(ctx context.Context) error {
	s.sent.Store(time.Now().Unix())
	hits, misses := s.hits.Swap(0), s.misses.Swap(0)
	if hits == 0 && misses == 0 {
		return nil
	}
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.HIncrBy(ctx, s.countKey(), "hits", hits)
		p.HIncrBy(ctx, s.countKey(), "misses", misses)
		return nil
	})
	if err != nil {
		s.hits.Add(hits)
		s.misses.Add(misses)
	}
	return s.wrapError(err)
}

func (s *redisStore) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s.sendCounts(ctx) // the counts are not worth a failure
	return s.wrapError(s.client.Close())
}
