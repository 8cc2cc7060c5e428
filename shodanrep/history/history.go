// Package history stores what the services said of addresses, and when, so that one can see later what has changed. It
// stores facts, such as open ports, and no responses. An observation that says the same as the one before adds no row.
package history

import (
	"net/netip"
	"time"

	"github.com/hashicorp/go-hclog"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// An Observation is what a service said of an address at a time.
type Observation struct {
	Addr   netip.Addr
	Source string // "shodan" or "internetdb"
	// Host is the response, nil where the service has nothing about the address. It is not changed. A host with ports
	// and without banners says nothing of its services: the store keeps what it knows of them.
	Host      *shodan.Host
	CheckedAt time.Time
	// Past says that the banners of the host are those of all times. Only those that are current count.
	Past bool
}

// A State is what a service said of an address, unchanged, from FirstChecked to LastChecked.
type State struct {
	Addr   netip.Addr
	Source string
	// Host is made of the stored facts, nil where the service had nothing about the address. Its Banners are nil where no
	// response had the services, which does not mean that there were none.
	Host *shodan.Host
	// HostUnread says that the service had something, which the filter leaves out.
	HostUnread bool
	// Problem says why the facts cannot be read, because a disk has changed them. Host is nil then, and what the service
	// had is not known. It is empty for facts that can be read.
	Problem                   string
	FirstChecked, LastChecked time.Time
	Checks                    int64
}

// Indexed reports whether the service had something about the address.
func (s *State) Indexed() bool { return s.Host != nil || s.HostUnread }

// A Filter chooses states. The zero value chooses all.
type Filter struct {
	Addrs   []netip.Addr          // all if empty
	Wants   func(netip.Addr) bool // chooses addresses, all if nil
	Sources []string              // all if empty
	// Since and Until choose the states whose LastChecked is not before Since and whose FirstChecked is not after Until.
	// A zero time sets no limit. With the first of them for an address and source comes the one before it, unless
	// WithoutBefore is set: what was new can be told only beside it.
	Since, Until  time.Time
	WithoutBefore bool
	// WithoutHosts leaves out the hosts: to read their facts takes most of the time.
	WithoutHosts bool
}

// wants reports whether the filter chooses the states of an address.
func (f Filter) wants(addr netip.Addr) bool { return f.Wants == nil || f.Wants(addr) }

// Stats describe a store.
type Stats struct {
	Location  string // "off", a path, or an address without its password
	States    int64
	Addresses int64
	Bytes     int64
	Oldest    time.Time // when a state was first checked, and when one was last checked; zero where there is none
	Newest    time.Time
}

// Options configure a store.
type Options struct {
	// Location is "on" or nothing for the default file, "off", a path, or an address that begins with postgres:// or
	// postgresql://.
	Location string
	// Keep is for how long a state is kept after it was last checked: 400 days where it is not positive.
	Keep time.Duration
	// MaxBytes bounds the size of the store, 1 GB where it is not positive. What was checked longest ago is deleted first.
	MaxBytes int64
	// Logger gets one warning where the store cannot be used.
	Logger hclog.Logger
	// Now is the clock, time.Now where it is nil.
	Now func() time.Time
}

const (
	// DefaultKeep and DefaultMaxBytes are the values of Options that are not positive.
	DefaultKeep     = 400 * 24 * time.Hour
	DefaultMaxBytes = 1_000_000_000
)

func (o Options) withDefaults() Options {
	if o.Keep <= 0 {
		o.Keep = DefaultKeep
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.Logger == nil {
		o.Logger = hclog.NewNullLogger()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
