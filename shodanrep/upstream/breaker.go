package upstream

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

const (
	// downAfter is how many lookups in a row have to fail, each after all its tries, before a service is taken to be down.
	// No other lookup may have had a response meanwhile: targets that always fail are tried for longest, and end in a row
	// when all others have their responses. downTime is how long no request is then sent to the service. Thousands of
	// addresses would otherwise each wait for nothing.
	downAfter = 20
	downTime  = 10 * time.Second
	// blockedAfter is how many requests in a row have to get a page with a status that refuses the client before that is
	// taken for what it says. One page may be of something in between, and pass.
	blockedAfter = 20
)

// A breaker is the circuit breaker of a service.
type breaker struct {
	mu        sync.Mutex
	responses int       // so far
	failures  int       // of lookups that began after the last response
	pages     int       // that refuse the client, since the last response
	paused    time.Time // when the service first asked for a pause since the last response, zero where it did not
	last      error
	until     time.Time
}

// errDown begins the error of a request that is not sent because the service is down.
var errDown = errors.New("not requested")

// begin returns the number of responses before a lookup, for fail. It returns an error while the service is taken to be
// down.
func (b *breaker) begin(name string) (responses int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < downAfter || !time.Now().Before(b.until) {
		return b.responses, nil
	}
	return 0, fmt.Errorf("%w: the last %d lookups failed, the newest with: %w; requests to %s resume at %s", errDown, b.failures, b.last, name, b.until.UTC().Format(time.RFC3339))
}

func (b *breaker) succeed() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.responses++
	b.failures, b.pages, b.paused = 0, 0, time.Time{}
}

// pausedSince returns since when the service has only asked for pauses, where it asks for one now.
func (b *breaker) pausedSince(now time.Time) time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.paused.IsZero() {
		b.paused = now
	}
	return b.paused
}

// isBlocked counts a failed request, and reports whether all of the last ones were refused with a page.
func (b *breaker) isBlocked(failure *shodan.Error) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if failure.Kind != shodan.Unavailable || failure.Status != http.StatusForbidden {
		return false
	}
	b.pages++
	return b.pages > blockedAfter
}

// fail counts a lookup that has failed after all its tries, unless another had a response since it began.
func (b *breaker) fail(err error, responses int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.responses > responses {
		return
	}
	b.last = err
	if b.failures++; b.failures >= downAfter {
		b.until = time.Now().Add(downTime)
	}
}
