package dataset

import (
	"encoding/binary"
	"fmt"
	"maps"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// errDamagedRow makes the index be built anew.
var errDamagedRow = fmt.Errorf("a row cannot be read: %w", sqlite3.CORRUPT)

// A codec writes the values of a row of the index, or reads them: one function says for both what a row has. Most fields
// of banners are empty, and the banners of a host repeat each other: an empty value takes one byte, and so does a text
// that stands in the row already.
//
// A change to what is written needs a new schemaVersion.
type codec struct {
	isReading bool
	in        string // what is left to read
	out       []byte
	err       error

	texts   []string        // those that were read
	known   map[string]int  // those that were written
	banners []shodan.Banner // its capacity is memory for banners that are read
}

func (c *codec) fail() { c.in, c.err = "", errDamagedRow }

func (c *codec) uint(v *uint64) {
	if !c.isReading {
		c.out = binary.AppendUvarint(c.out, *v)
		return
	}
	*v = 0
	for i := 0; i < len(c.in) && i < binary.MaxVarintLen64; i++ {
		*v |= uint64(c.in[i]&0x7f) << (7 * i)
		if c.in[i] < 0x80 {
			c.in = c.in[i+1:]
			return
		}
	}
	*v = 0
	c.fail()
}

func (c *codec) int(v *int64) {
	zigzag := uint64(*v<<1) ^ uint64(*v>>63)
	c.uint(&zigzag)
	*v = int64(zigzag>>1) ^ -int64(zigzag&1)
}

// length writes or reads how many items a list has. It tells a list that is missing from one that is empty.
func (c *codec) length(n int, isNil bool) (length int, missing bool) {
	v := uint64(n) + 1
	if isNil {
		v = 0
	}
	c.uint(&v)
	if v > uint64(len(c.in))+1 && c.isReading { // each item takes a byte at least
		c.fail()
		return 0, true
	}
	return int(v) - 1, v == 0
}

func (c *codec) bool(v *bool) {
	bit := uint64(0)
	if *v {
		bit = 1
	}
	c.uint(&bit)
	*v = bit != 0
}

func (c *codec) float(v *float64) {
	if !c.isReading {
		c.out = binary.LittleEndian.AppendUint64(c.out, math.Float64bits(*v))
		return
	}
	if len(c.in) < 8 {
		c.fail()
		return
	}
	*v = math.Float64frombits(binary.LittleEndian.Uint64([]byte(c.in[:8])))
	c.in = c.in[8:]
}

// str writes or reads a text: 0 for an empty one, an odd number for the length of a new one, an even number for the
// place of one that the row has already.
func str[T ~string](c *codec, v *T) {
	if c.isReading {
		*v = T(c.readText())
		return
	}
	s := string(*v)
	if s == "" {
		c.out = append(c.out, 0)
		return
	}
	if at, isKnown := c.known[s]; isKnown {
		c.out = binary.AppendUvarint(c.out, uint64(2*at+2))
		return
	}
	c.known[s] = len(c.known)
	c.out = append(binary.AppendUvarint(c.out, uint64(2*len(s)+1)), s...)
}

func (c *codec) readText() (s string) {
	var code uint64
	c.uint(&code)
	switch n := code / 2; {
	case code == 0:
	case code%2 == 1 && n <= uint64(len(c.in)):
		s, c.in = c.in[:n], c.in[n:]
		c.texts = append(c.texts, s)
	case code%2 == 0 && n <= uint64(len(c.texts)):
		return c.texts[n-1]
	default:
		c.fail()
	}
	return s
}

func strs[T ~[]string](c *codec, v *T) {
	n, missing := c.length(len(*v), *v == nil)
	if missing {
		return
	}
	if c.isReading {
		*v = make(T, n)
	}
	for i := range *v {
		str(c, &(*v)[i])
	}
}

func ints(c *codec, v *shodan.Ints) {
	n, missing := c.length(len(*v), *v == nil)
	if missing {
		return
	}
	if c.isReading {
		*v = make(shodan.Ints, n)
	}
	for i := range *v {
		number := int64((*v)[i])
		c.int(&number)
		(*v)[i] = int(number)
	}
}

// null writes or reads a value that may be missing.
func null[T int64 | float64 | bool](c *codec, v *shodan.Null[T]) {
	if c.bool(&v.Valid); !v.Valid {
		return
	}
	switch value := any(&v.V).(type) {
	case *int64:
		c.int(value)
	case *float64:
		c.float(value)
	case *bool:
		c.bool(value)
	}
}

func (c *codec) time(v *shodan.Time) {
	isSet := !v.IsZero()
	if c.bool(&isSet); !isSet {
		return
	}
	seconds, nanoseconds := v.Unix(), uint64(v.Nanosecond())
	c.int(&seconds)
	c.uint(&nanoseconds)
	if c.isReading {
		v.Time = time.Unix(seconds, int64(nanoseconds)).UTC()
	}
}

func (c *codec) addr(v *netip.Addr) {
	bytes := string(v.AsSlice())
	str(c, &bytes)
	if c.isReading {
		*v, _ = netip.AddrFromSlice([]byte(bytes))
	}
}

// names writes or reads the names in a certificate.
func (c *codec) names(v *map[string]shodan.Text) {
	n, missing := c.length(len(*v), *v == nil)
	if missing {
		return
	}
	keys := slices.Sorted(maps.Keys(*v))
	if c.isReading {
		*v, keys = make(map[string]shodan.Text, n), make([]string, n)
	}
	for _, key := range keys {
		str(c, &key)
		value := (*v)[key]
		str(c, &value)
		(*v)[key] = value
	}
}

func (c *codec) vulns(v *shodan.VulnMap) {
	n, missing := c.length(len(*v), *v == nil)
	if missing {
		return
	}
	ids := slices.Sorted(maps.Keys(*v))
	if c.isReading {
		*v, ids = make(shodan.VulnMap, n), make([]string, n)
	}
	for _, id := range ids {
		str(c, &id)
		vuln := (*v)[id]
		c.vuln(&vuln)
		(*v)[id] = vuln
	}
}

// vuln is all of a vulnerability but its Summary.
func (c *codec) vuln(v *shodan.Vuln) {
	null(c, &v.Verified)
	null(c, &v.CVSS)
	null(c, &v.CVSSVersion)
	null(c, &v.EPSS)
	null(c, &v.RankingEPSS)
	null(c, &v.KEV)
}
