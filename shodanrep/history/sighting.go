package history

import (
	"crypto/sha256"
	"encoding/json"
	"net/netip"
	"time"
)

// A key names the states that follow one another.
type key struct {
	addr   netip.Addr
	source string
}

// facts are what is stored of an observation.
type facts struct {
	packed []byte // the document; nil where the service had nothing about the address
	// summary is a hash of the facts on the host, and services one of those on its services. services is nil where the
	// response did not have them; those in the document are then from an earlier response.
	summary, services []byte
	lastUpdate        time.Time // when the service last saw the host, zero if it does not say
	columns           *columns  // nil where the row in the store has them already
}

// columns are the facts that SQL can read without the document.
type columns struct {
	indexed                        bool
	ports                          []int
	vulns, tags, hostnames         []string
	organization, asn, countryCode string
	certificates                   []string
}

// A sighting is an observation in the form in which it is stored.
type sighting struct {
	key
	facts    // without what pack adds
	at       time.Time
	document *document // nil where the service had nothing about the address
}

// newSighting makes a sighting of an observation. Times are in whole microseconds, as they are stored.
func newSighting(o Observation) (*sighting, error) {
	o.Addr = o.Addr.Unmap().WithZone("")
	s := &sighting{key: key{o.Addr, o.Source}, at: o.CheckedAt.UTC().Truncate(time.Microsecond), document: newDocument(o)}
	if o.Host != nil {
		s.lastUpdate = o.Host.LastUpdate.UTC().Truncate(time.Microsecond)
	}
	return s, s.setHashes()
}

// hashSize is the length of a hash, of which there are millions at most.
const hashSize = 16

// setHashes sets the hashes of the facts.
func (s *sighting) setHashes() error {
	var err error
	if s.summary, err = s.document.summary(); err != nil || s.document == nil || s.document.Services == nil {
		return err
	}
	text, err := appendLasting(nil, s.document.Services)
	if err != nil {
		return err
	}
	s.services = hash(text)
	return nil
}

// summary returns a hash of the facts on the host, without its services.
func (d *document) summary() ([]byte, error) {
	var host document // what is hashed where the service has nothing: no host is without an address
	if d != nil {
		host = *d
	}
	host.Services = nil
	text, err := json.Marshal(host)
	return hash(text), err
}

func hash(text []byte) []byte {
	sum := sha256.Sum256(text)
	return sum[:hashSize]
}

// pack returns what is stored of a sighting with a document, which is its own but for services.
func (s *sighting) pack(d *document) (facts, error) {
	f := s.facts
	f.columns = d.columns()
	var err error
	f.packed, err = d.pack()
	return f, err
}

// columns returns the columns of a document, which is nil where the service has nothing about the address.
func (d *document) columns() *columns {
	if d == nil {
		return &columns{}
	}
	return &columns{
		indexed: true, ports: d.Ports, vulns: d.Vulns, tags: d.Tags, hostnames: d.Hostnames, organization: d.Organization,
		asn: d.ASN, countryCode: d.CountryCode, certificates: d.certificates(),
	}
}
