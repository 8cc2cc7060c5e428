package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"net/netip"
	"os"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A targetList is the addresses and networks of the inputs, each once, in the order in which they were found. It holds
// some 60 bytes for each.
type targetList struct {
	entries []targetEntry
	byIPv4  map[[4]byte]uint32 // addresses, by their number in entries
	byIPv6  map[[16]byte]uint32
	byNet   map[netip.Prefix]uint32
	// countable is how many count towards api_lookup_limit.
	countable int
}

// A targetEntry is an address or a network, with how often and where it was found. It has no pointers, which the garbage
// collector would have to follow in millions.
type targetEntry struct {
	addr [16]byte
	hits int64
	line int64 // 0 where it is an argument
	bits int8  // of the network, as for IPv6; -1 for an address
	is4  bool
}

func newTargetList() *targetList {
	return &targetList{byIPv4: map[[4]byte]uint32{}, byIPv6: map[[16]byte]uint32{}, byNet: map[netip.Prefix]uint32{}}
}

func (l *targetList) len() int { return len(l.entries) }

// add counts an address or a network, which is masked.
func (l *targetList) add(p netip.Prefix, hits, line int64) {
	addr := p.Addr()
	number := uint32(len(l.entries))
	var i uint32
	var known bool
	switch {
	case !p.IsSingleIP():
		if i, known = l.byNet[p]; !known {
			l.byNet[p] = number
		}
	case addr.Is4():
		if i, known = l.byIPv4[addr.As4()]; !known {
			l.byIPv4[addr.As4()] = number
		}
	default:
		if i, known = l.byIPv6[addr.As16()]; !known {
			l.byIPv6[addr.As16()] = number
		}
	}
	if known {
		l.entries[i].hits += hits
		return
	}
	e := targetEntry{addr: addr.As16(), is4: addr.Is4(), hits: hits, line: line, bits: -1}
	if !p.IsSingleIP() {
		e.bits = int8(p.Bits())
	}
	l.entries = append(l.entries, e)
	if scan.Countable(p) {
		l.countable++
	}
}

func (e targetEntry) prefix() netip.Prefix {
	addr := netip.AddrFrom16(e.addr)
	if e.is4 {
		addr = addr.Unmap()
	}
	if e.bits < 0 {
		return netip.PrefixFrom(addr, addr.BitLen())
	}
	return netip.PrefixFrom(addr, int(e.bits))
}

// all returns the targets in order.
func (l *targetList) all() iter.Seq[netip.Prefix] {
	return func(yield func(netip.Prefix) bool) {
		for _, e := range l.entries {
			if !yield(e.prefix()) {
				return
			}
		}
	}
}

// csv returns the targets as a CSV file with the column ip.
func (l *targetList) csv() io.Reader {
	var b bytes.Buffer
	b.WriteString("ip\n")
	for p := range l.all() {
		b.WriteString(networkText(p) + "\n")
	}
	return &b
}

// expanded returns the list with the addresses of networks in place of the networks, of those that have no more than a
// limit.
func (l *targetList) expanded(limit int) *targetList {
	if len(l.byNet) == 0 {
		return l
	}
	all := newTargetList()
	for _, e := range l.entries {
		p := e.prefix()
		if size, ok := networkSize(p); p.IsSingleIP() || !ok || size > int64(limit) {
			all.add(p, e.hits, e.line)
			continue
		}
		for addr := p.Addr(); addr.IsValid() && p.Contains(addr); addr = addr.Next() {
			all.add(netip.PrefixFrom(addr, addr.BitLen()), e.hits, e.line)
		}
	}
	return all
}

// networkSize returns how many addresses a network has, and false where there are more than an int64 holds.
func networkSize(p netip.Prefix) (int64, bool) {
	bits := p.Addr().BitLen() - p.Bits()
	return 1 << min(bits, 62), bits <= 62
}

// readTargets finds the addresses of the inputs. An input that is not there is an error before any is read.
func (a *app) readTargets(inputs []string) (*targetList, error) {
	list := newTargetList()
	if len(inputs) == 0 {
		inputs = []string{"-"}
	}
	type source struct {
		name string
		file *os.File // nil for standard input
		text []iptext.Match
	}
	var sources []source
	defer func() {
		for _, s := range sources {
			if s.file != nil {
				s.file.Close()
			}
		}
	}()
	for _, input := range inputs {
		if input == "-" {
			sources = append(sources, source{name: "standard input"})
			continue
		}
		matches, whole := matchesOf(input)
		if whole {
			sources = append(sources, source{name: input, text: matches})
			continue
		}
		file, err := openInput(input)
		switch {
		case err == nil:
			sources = append(sources, source{name: input, file: file})
		case errors.Is(err, fs.ErrNotExist) && len(matches) > 0:
			sources = append(sources, source{name: input, text: matches})
		case errors.Is(err, fs.ErrNotExist):
			return nil, fmt.Errorf("%s: there is no such file, and it is no address", input)
		default:
			return nil, err
		}
	}
	for _, s := range sources {
		if s.text != nil {
			for _, m := range s.text {
				list.add(m.Prefix, 1, 0)
			}
			continue
		}
		reader := a.stdin
		if s.file != nil {
			reader = s.file
		}
		if err := list.read(reader); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return list, nil
}

// openInput opens a file.
func openInput(name string) (*os.File, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("%s is a directory: name its files", name)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// matchesOf returns the addresses of an argument, and whether it is one address or network and nothing else.
func matchesOf(argument string) (matches []iptext.Match, whole bool) {
	for m := range iptext.Find([]byte(argument)) {
		matches = append(matches, m)
	}
	return matches, len(matches) == 1 && matches[0].Text == argument
}

// read adds the addresses of a text.
func (l *targetList) read(source io.Reader) error {
	text, err := iptext.NewReader(source)
	if err != nil {
		return err
	}
	defer text.Close()
	for m, err := range iptext.NewScanner(text).All() {
		if err != nil {
			return err
		}
		l.add(m.Prefix, 1, m.Line)
	}
	return nil
}
