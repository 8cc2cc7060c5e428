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
	// getBatch is how many answers one round trip asks for: as many large ones still come within the time-out.
	getBatch = 200
	// putBatch and putBytes bound what one script run keeps: Redis does nothing else meanwhile.
	putBatch = 500
	putBytes = 1 << 20
	// scanBatch is how many keys one round trip walks over, and scanBound how many of them the statistics do.
	scanBatch = 1000
	scanBound = 200_000
)

// redisStore is the store in Redis as long as that is there.
type redisStore struct {
	client           *redis.Client
	prefix, location string
	opts             Options
	bound            int64        // after how many keys the statistics are an estimate
	hits, misses     atomic.Int64 // counted and not yet sent
	sent             atomic.Int64 // when they last were, in Unix seconds
}

var _ backend = (*redisStore)(nil)

// open tries whether Redis takes a write: one that does not, such as a replica or a full one, is of no use.
func (s *redisStore) open(ctx context.Context) error {
	return s.wrapError(s.client.Set(ctx, s.prefix+"alive", 1, time.Minute).Err())
}

// subjectKey is the key of the hash with the answers about a subject.
func (s *redisStore) subjectKey(subject string) string {
	return s.prefix + "answers:" + url.QueryEscape(subject)
}

// answerName names an answer within its subject's hash. Escaped, the parts have no ":" of their own.
func answerName(k Key) string { return url.QueryEscape(k.Service) + ":" + url.QueryEscape(k.Options) }

func (s *redisStore) countKey() string { return s.prefix + "count" }

func (s *redisStore) Get(ctx context.Context, keys []Key) (map[Key]Entry, error) {
	found := make(map[Key]Entry, len(keys))
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	now := s.opts.Now()
	names := map[[2]string]string{} // a batch has one or two
	for batch := range slices.Chunk(keys, getBatch) {
		answers := make([]*redis.SliceCmd, len(batch))
		_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i, k := range batch {
				name, ok := names[[2]string{k.Service, k.Options}]
				if !ok {
					name = answerName(k)
					names[[2]string{k.Service, k.Options}] = name
				}
				answers[i] = p.HMGet(ctx, s.subjectKey(k.Target), "@"+name, "#"+name)
			}
			return nil
		})
		if err != nil && !isWrongType(err) {
			return nil, s.wrapError(err)
		}
		for i, k := range batch {
			if err := answers[i].Err(); err != nil && !isWrongType(err) {
				return nil, s.wrapError(err)
			}
			if e, ok := readAnswer(k, answers[i].Val()); ok && e.Expires.After(now) {
				found[k] = e
			}
		}
	}
	return found, nil
}

// isWrongType reports whether a key holds something else than what we keep there: such an entry is missing.
func isWrongType(err error) bool { return redis.HasErrorPrefix(err, "WRONGTYPE") }

// Count counts questions, and sends the counts now and then. What cannot be sent is sent with the next.
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

// readAnswer makes an entry of the two fields of an answer. Whatever is no answer of ours is none.
func readAnswer(k Key, fields []any) (Entry, bool) {
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
			keys = append(keys, s.subjectKey(e.Target))
			args = append(args, answerName(e.Key), about, e.Body, e.Expires.Sub(now).Milliseconds())
			bytes += len(e.Body)
		}
		if err := putScript.Run(ctx, s.client, keys, args...).Err(); err != nil && !errors.Is(err, redis.Nil) {
			return s.wrapError(err)
		}
		entries = entries[len(keys):]
	}
	return nil
}

func (s *redisStore) Clear(ctx context.Context, subject string) (int64, error) {
	if subject != "" {
		n, err := clearScript.Run(ctx, s.client, []string{s.subjectKey(subject)}).Int64()
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

// sum runs a script over all answers and adds up what it returns.
func (s *redisStore) sum(ctx context.Context, script *redis.Script, args ...any) (total int64, err error) {
	_, err = s.scan(ctx, 0, func(keys []string) error {
		n, err := script.Run(ctx, s.client, keys, args...).Int64()
		total += n
		return err
	})
	return total, s.wrapError(err)
}

// scan hands the keys of all answers to fn, a batch at a time, and returns how many keys of any kind it walked over.
// It stops after bound of those, where bound is positive.
func (s *redisStore) scan(ctx context.Context, bound int64, fn func(keys []string) error) (walked int64, err error) {
	// The prefix is ours and has nothing in it that a pattern would read otherwise.
	pattern := s.prefix + "answers:*"
	var cursor uint64
	for {
		var keys []string
		if keys, cursor, err = s.client.Scan(ctx, cursor, pattern, scanBatch).Result(); err != nil {
			return walked, err
		}
		walked += scanBatch
		if len(keys) > 0 {
			if err := fn(keys); err != nil {
				return walked, err
			}
		}
		if cursor == 0 {
			return walked, nil
		}
		if bound > 0 && walked >= bound {
			return walked, nil
		}
	}
}

// Stats says what Redis holds. Of a very large one it looks at a part, and estimates the whole from that.
func (s *redisStore) Stats(ctx context.Context) (Stats, error) {
	stats := Stats{Location: s.location}
	var oldest, newest int64
	seen := map[string]bool{} // a walk may come by a key twice
	walked, err := s.scan(ctx, s.bound, func(keys []string) error {
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
	if walked >= s.bound {
		size, err := s.client.DBSize(ctx).Result()
		if err != nil {
			return Stats{}, s.wrapError(err)
		}
		if part := float64(size) / float64(walked); part > 1 {
			for _, n := range []*int64{&stats.Entries, &stats.Expired, &stats.Bytes} {
				*n = int64(float64(*n) * part)
			}
		}
	}
	if err := s.sendCounts(ctx); err != nil {
		return Stats{}, err
	}
	counts, err := s.client.HGetAll(ctx, s.countKey()).Result()
	stats.Hits, _ = strconv.ParseInt(counts["hits"], 10, 64)
	stats.Misses, _ = strconv.ParseInt(counts["misses"], 10, 64)
	return stats, s.wrapError(err)
}

// sendCounts adds what was counted to the counts of all machines.
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
