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
	w.set.AddPrefix(r.prefix())
	return nil
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

// An nftWriter writes an nftables table with a set per address family, which "nft -f" loads.
type nftWriter struct{ networkSet }

func newNftWriter(out io.Writer, _ Options) Writer { return &nftWriter{networkSet{out: out}} }

func (w *nftWriter) Close() error {
	list, err := w.networks()
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString("table inet shodanrep {\n")
	for _, family := range []struct {
		name, kind string
		is4        bool
	}{{"addresses4", "ipv4_addr", true}, {"addresses6", "ipv6_addr", false}} {
		fmt.Fprintf(&b, "\tset %s {\n\t\ttype %s\n\t\tflags interval\n", family.name, family.kind)
		var elements []string
		for _, p := range list {
			if p.Addr().Is4() != family.is4 {
				continue
			}
			element := p.String()
			if p.IsSingleIP() {
				element = p.Addr().String()
			}
			elements = append(elements, "\t\t\t"+element)
		}
		if len(elements) > 0 { // an empty list of elements is a syntax error
			b.WriteString("\t\telements = {\n" + strings.Join(elements, ",\n") + "\n\t\t}\n")
		}
		b.WriteString("\t}\n")
	}
	b.WriteString("}\n")
	_, err = b.WriteTo(w.out)
	return err
}
