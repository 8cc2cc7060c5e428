package report

import (
	"bytes"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"go4.org/netipx"
)

// A networkSet collects addresses and networks.
type networkSet struct {
	out io.Writer
	set netipx.IPSetBuilder
}

func (w *networkSet) Write(r Result) error {
	return w.Reduce(r)()
}

func (w *networkSet) Reduce(r Result) (add func() error) {
	p := r.prefix()
	return func() error {
		w.set.AddPrefix(p)
		return nil
	}
}

// networks returns the smallest set of networks that covers exactly what was added.
func (w *networkSet) networks() ([]netip.Prefix, error) {
	set, err := w.set.IPSet()
	if err != nil {
		return nil, err
	}
	return set.Prefixes(), nil
}

// A cidrWriter writes one network per line.
type cidrWriter struct{ networkSet }

func newCIDRWriter(out io.Writer, _ Options) Writer { return &cidrWriter{networkSet{out: out}} }

func (w *cidrWriter) Close() error {
	list, err := w.networks()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, p := range list {
		fmt.Fprintln(&b, p)
	}
	_, err = b.WriteTo(w.out)
	return err
}

// An nftWriter writes an nftables table with a set per address family, which "nft -f" loads. It empties the sets first: a
// set that is loaded again would keep what is no longer in the list, and refuse a network that has one of its elements.
// Rules of the table stay. nft loads a file as one transaction, so the sets are never seen empty.
type nftWriter struct{ networkSet }

func newNftWriter(out io.Writer, _ Options) Writer { return &nftWriter{networkSet{out: out}} }

func (w *nftWriter) Close() error {
	list, err := w.networks()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString(nftSets)
	for _, family := range []struct {
		name string
		is4  bool
	}{{"addresses4", true}, {"addresses6", false}} {
		var elements []string
		for _, p := range list {
			if p.Addr().Is4() != family.is4 {
				continue
			}
			element := p.String()
			if p.IsSingleIP() {
				element = p.Addr().String()
			}
			elements = append(elements, "\t"+element)
		}
		if len(elements) > 0 { // an empty list of elements is a syntax error
			fmt.Fprintf(&b, "add element inet shodanrep %s {\n%s\n}\n", family.name, strings.Join(elements, ",\n"))
		}
	}
	_, err = b.WriteTo(w.out)
	return err
}

// nftSets makes the sets, if they do not exist, and empties them.
const nftSets = `table inet shodanrep {
	set addresses4 {
		type ipv4_addr
		flags interval
	}
	set addresses6 {
		type ipv6_addr
		flags interval
	}
}
flush set inet shodanrep addresses4
flush set inet shodanrep addresses6
`
