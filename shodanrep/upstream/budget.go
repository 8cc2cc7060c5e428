package upstream

import (
	"context"
	"io"
	"net/http"

	"golang.org/x/sync/semaphore"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// budgetBytes is how many bytes of large responses this process reads and parses at once. With what parsing makes of it
	// a response takes about four times its length, so that all together take about 256 MB.
	budgetBytes = 64 << 20
	// smallBytes is how long a response may be without being counted. Nearly all are shorter, and as few are under way at
	// once as max_concurrency allows.
	smallBytes = shodan.LargeBody
	// longestBytes is what is reserved for a response whose length is not known: package shodan reads no more.
	longestBytes = shodan.MaxBody
)

// responses is the budget of this process.
var responses = newBudget(budgetBytes, smallBytes)

// A budget bounds how many bytes of responses are in memory.
//
// A response that turns out to be large waits until there is room for all of it, so that no two can wait for each other,
// each with a part. One that is larger than the whole budget waits until it is alone.
type budget struct {
	total, small int64
	free         *semaphore.Weighted
}

func newBudget(total, small int64) *budget {
	return &budget{total: total, small: small, free: semaphore.NewWeighted(total)}
}

// A share is the part of a budget that the response to one request has. It is the caller's until release.
type share struct {
	budget *budget // nil before the response turned out to be large
	bytes  int64
	clock  *stopwatch // of what the request may take, which the wait for room is no part of
}

type shareKey struct{}

// acquire waits until there is room for so many bytes.
func (s *share) acquire(ctx context.Context, b *budget, bytes int64) error {
	bytes = min(bytes, b.total)
	s.clock.stop()
	defer s.clock.start()
	if err := b.free.Acquire(ctx, bytes); err != nil {
		return err
	}
	s.budget, s.bytes = b, bytes
	return nil
}

// shrink gives back what the response did not need.
func (s *share) shrink(bytes int64) {
	if s.budget != nil && bytes < s.bytes {
		s.budget.free.Release(s.bytes - bytes)
		s.bytes = bytes
	}
}

// release gives back the whole share.
func (s *share) release() {
	if s.budget != nil {
		s.budget.free.Release(s.bytes)
		s.budget, s.bytes = nil, 0
	}
}

// budgeted makes large responses wait for their share of a budget. A request without a share in its context does not.
type budgeted struct {
	next   http.RoundTripper
	budget *budget
}

// RoundTrip implements http.RoundTripper.
func (t budgeted) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if s, ok := req.Context().Value(shareKey{}).(*share); ok && err == nil {
		resp.Body = &budgetedBody{ReadCloser: resp.Body, ctx: req.Context(), budget: t.budget, share: s, length: resp.ContentLength}
	}
	return resp, err
}

// budgetedBody is a response's body that is read only as far as the budget has room for it.
type budgetedBody struct {
	io.ReadCloser
	ctx    context.Context
	budget *budget
	share  *share
	length int64 // negative where it is not known
	read   int64
}

// Read implements io.Reader.
func (b *budgetedBody) Read(p []byte) (int, error) {
	if b.share.budget == nil && b.read >= b.budget.small {
		length := int64(longestBytes)
		if b.length >= 0 {
			length = min(length, b.length)
		}
		if err := b.share.acquire(b.ctx, b.budget, length); err != nil {
			return 0, err
		}
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if err != nil {
		b.share.shrink(b.read)
	}
	return n, err
}
