// Package lookup looks IP addresses up. It picks the source of each address, and looks addresses up in parallel and
// each only once: in a dataset, in the cache, and through package upstream. It also searches. It knows nothing of
// SQL.
package lookup

import (
	"net/netip"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// A Status is the result of looking an address up.
type Status string

// The statuses. Only Indexed comes with a host. With the others nothing is known of the address, which does not mean
// that nothing is wrong with it.
const (
	Indexed    Status = "indexed"
	NotIndexed Status = "not_indexed"
	Reserved   Status = "reserved"
	Failed     Status = "error"
)

// A Question is one address to look up.
type Question struct {
	Addr netip.Addr
	// Source names the source. Auto, or nothing, leaves the choice to the Engine.
	Source Source
	// Banners says that the answer's banners are needed, not only the host's summary.
	Banners bool
	// Facts says that the banners are needed without their long texts, see shodan.Banner.Summary: a score needs no more.
	// A dataset reads them in a fraction of the time.
	Facts bool
	// History says that the banners of all times are needed, not only the newest of each service. InternetDB has neither.
	History bool
	// Minify says that the REST API's response is to have no banners, even if they are needed. A dataset has them anyway.
	Minify bool
	// Raw says that the response itself is needed as well, see shodan.Host.
	Raw bool
	// RequireBanners says that InternetDB's response is of no use: Auto then chooses between the dataset and the REST API,
	// see Engine.CheckBanners.
	RequireBanners bool
	// SkipREST says that Auto chooses between the dataset and InternetDB, even with a key: a network soon has thousands of
	// addresses, and the REST API allows one request a second.
	SkipREST bool
}

// canonical gives equal questions one form.
func (q Question) canonical() Question {
	q.Addr = q.Addr.Unmap().WithZone("")
	if q.Source == "" {
		q.Source = Auto
	}
	return q
}

// An Answer is the result of a Question.
type Answer struct {
	Status Status
	// Source is where the answer comes from, or nothing if no source was used.
	Source Source
	// Error says what failed and what to do, where Status is Failed.
	Error string
	// Host is what is known, where Status is Indexed. It is shared: do not change it.
	Host *shodan.Host
	// CheckedAt is when the service sent the response, or the time of the file of InternetDB. It is zero if neither was used.
	CheckedAt time.Time
	// FreshUntil is until when the response is cached, so that no new request is sent. It is zero if the lookup failed
	// or needed no service.
	FreshUntil time.Time
	// failure is the error behind Error.
	failure error
	// fromCache says that no request was sent for it now, and fromFile that a file answered in place of InternetDB.
	fromCache, fromFile bool
}

// fail makes an answer one of a lookup that failed.
func (a *Answer) fail(err error) { a.Status, a.Error, a.failure = Failed, err.Error(), err }
