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
	"strings"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/scan"
)

// A targetList is the addresses and networks of the inputs, each once and in the order in which they were found. It
// takes about 60 bytes per target.
type targetList struct {
	entries []targetEntry
	byIPv4  map[[4]byte]uint32 // the index in entries
	byIPv6  map[[16]byte]uint32
	byNet   map[netip.Prefix]uint32
	// countable is how many count towards api_lookup_limit.
	countable int
	// inputs are the inputs that have been read, see targetEntry.input.
	inputs []string
}

// A targetEntry is an address or a network, with how often and where it was found. It has no pointers, so that the
// garbage collector does not have to follow millions of them.
type targetEntry struct {
	addr  [16]byte
	hits  int64
	line  int64 // 0 if it is an argument
	input int32 // the index in inputs of the input with the line
	bits  int8  // of the network; -1 for an address
	is4   bool
}

func newTargetList() *targetList {
	return &targetList{byIPv4: map[[4]byte]uint32{}, byIPv6: map[[16]byte]uint32{}, byNet: map[netip.Prefix]uint32{}}
}

func (l *targetList) len() int { return len(l.entries) }

// complete frees what only add needs: a third of the memory of a long list.
func (l *targetList) complete() { l.byIPv4, l.byIPv6 = nil, nil }

// inputOf returns the input that has the line of an entry, and "" for an argument.
func (l *targetList) inputOf(e targetEntry) string {
	if e.line == 0 {
		return ""
	}
	return l.inputs[e.input]
}

// add counts an address or a network, which is masked.
func (l *targetList) add(p netip.Prefix, hits, line int64, input int32) {
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
	e := targetEntry{addr: addr.As16(), is4: addr.Is4(), hits: hits, line: line, input: input, bits: -1}
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
		text := p.String()
		if p.IsSingleIP() {
			text = p.Addr().String()
		}
		b.WriteString(text + "\n")
	}
	return &b
}

// expanded returns the list with networks of up to limit addresses replaced by their addresses.
func (l *targetList) expanded(limit int) *targetList {
	if len(l.byNet) == 0 {
		return l
	}
	all := newTargetList()
	all.inputs = l.inputs
	for _, e := range l.entries {
		p := e.prefix()
		if bits := p.Addr().BitLen() - p.Bits(); bits == 0 || bits > 62 || 1<<bits > int64(limit) {
			all.add(p, e.hits, e.line, e.input)
			continue
		}
		for addr := p.Addr(); addr.IsValid() && p.Contains(addr); addr = addr.Next() {
			all.add(netip.PrefixFrom(addr, addr.BitLen()), e.hits, e.line, e.input)
		}
	}
	return all
}

// An input is an argument of a command that reads addresses.
type input struct {
	name    string
	file    *os.File       // nil for standard input and for an argument that has the addresses itself
	matches []iptext.Match // of the argument itself
}

// openInputs opens the inputs. An input that does not exist is an error before any input is read. The caller must close
// the files, also after an error.
func openInputs(names []string) (inputs []input, err error) {
	for _, name := range names {
		if name == "-" {
			inputs = append(inputs, input{name: name})
			continue
		}
		matches, whole := matchesOf(name)
		if whole {
			inputs = append(inputs, input{name: name, matches: matches})
			continue
		}
		file, err := openInput(name)
		switch {
		case err == nil:
			inputs = append(inputs, input{name: name, file: file})
		case errors.Is(err, fs.ErrNotExist) && len(matches) > 0:
			inputs = append(inputs, input{name: name, matches: matches})
		case errors.Is(err, fs.ErrNotExist):
			return inputs, fmt.Errorf("%s: no such file, and not an address", name)
		default:
			return inputs, err
		}
	}
	return inputs, nil
}

// readInputs calls one of two functions for each input in order: for an argument that has addresses itself, and for a
// text to read. Without names it reads standard input.
func readInputs(stdin io.Reader, names []string, argument func([]iptext.Match) error, text func(source io.Reader, name string) error) error {
	if len(names) == 0 {
		names = []string{"-"}
	}
	inputs, err := openInputs(names)
	defer func() {
		for _, in := range inputs {
			if in.file != nil {
				in.file.Close()
			}
		}
	}()
	if err != nil {
		return err
	}
	for _, in := range inputs {
		if in.matches != nil {
			if err := argument(in.matches); err != nil {
				return err
			}
			continue
		}
		reader := stdin
		if in.file != nil {
			reader = in.file
		}
		if err := text(reader, in.name); err != nil {
			return fmt.Errorf("%s: %w", inputNames([]string{in.name}), err)
		}
	}
	return nil
}

// readTargets finds the addresses of inputs; without names, of standard input.
func readTargets(stdin io.Reader, names []string) (*targetList, error) {
	list := newTargetList()
	err := readInputs(stdin, names, func(matches []iptext.Match) error {
		for _, m := range matches {
			list.add(m.Prefix, 1, 0, 0)
		}
		return nil
	}, list.read)
	if err != nil {
		return nil, err
	}
	return list, nil
}

// inputNames returns the names of inputs for a message.
func inputNames(inputs []string) string {
	if len(inputs) == 0 || len(inputs) == 1 && inputs[0] == "-" {
		return "standard input"
	}
	if len(inputs) > 3 {
		return fmt.Sprintf("the %d inputs", len(inputs))
	}
	return strings.Join(inputs, ", ")
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

// read adds the addresses of an input.
func (l *targetList) read(source io.Reader, name string) error {
	text, err := iptext.NewReader(source)
	if err != nil {
		return err
	}
	defer text.Close()
	number := int32(len(l.inputs))
	l.inputs = append(l.inputs, name)
	for m, err := range iptext.NewScanner(text).All() {
		if err != nil {
			return err
		}
		l.add(m.Prefix, 1, m.Line, number)
	}
	return nil
}
