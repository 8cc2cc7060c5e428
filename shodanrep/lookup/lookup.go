// Package lookup is what an address costs: it chooses the source that is asked, asks it for many addresses side by
// side and for each only once, keeps within the services' limits, and remembers the answers. It knows nothing of SQL.
package lookup

import (
	"net/netip"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// Source is where an answer comes from.
type Source string

// The sources. Auto is a choice, never an answer: a dataset that has the address, else the REST API where a key is set
// and its plan allows it, else InternetDB.
const (
	Auto       Source = "auto"
	Dataset    Source = "dataset"
	Shodan     Source = "shodan"
	InternetDB Source = "internetdb"
)

// Status is what became of an address.
type Status string

// The statuses. Only Indexed comes with a host; the others say that nothing is known, which is not the same as clean.
const (
	Indexed    Status = "indexed"
	NotIndexed Status = "not_indexed"
	Reserved   Status = "reserved"
	Failed     Status = "error"
)

// A Question is one address to look up.
type Question struct {
	Addr netip.Addr
	// Source is the source to ask. Auto, or nothing, leaves the choice to the Engine.
	Source Source
	// Banners says that the answer's banners are needed, not only the host's summary.
	Banners bool
	// History says that the banners of all times are needed, not only the newest of each service. InternetDB has neither.
	History bool
	// Raw says that the answer itself is needed as well, see shodan.Host.
	Raw bool
	// RequireBanners says that InternetDB's answer is no use: Auto then chooses between the dataset and the REST API, see CheckRich.
	RequireBanners bool
	// SkipREST says that Auto chooses between the dataset and InternetDB, whether there is a key or not: the addresses of a
	// network are soon thousands, and the REST API takes one a second.
	SkipREST bool
}

// An Answer is what became of a Question.
type Answer struct {
	Status Status
	// Source is the one that was asked, or nothing where none was.
	Source Source
	// Error says what failed and what to do, where Status is Failed.
	Error string
	// Host is what is known, where Status is Indexed. It is shared: do not change it.
	Host *shodan.Host
	// CheckedAt is when the service was asked, zero where none was.
	CheckedAt time.Time
	// FreshUntil is until when the answer is kept and the service not asked again, zero where none was asked or it failed.
	FreshUntil time.Time
	// failure is the error behind Error.
	failure error
	// fromCache says that no service was asked for it now.
	fromCache bool
}
