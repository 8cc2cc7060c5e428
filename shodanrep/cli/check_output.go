package cli

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"go4.org/netipx"
)

// write writes the result, to standard output or a file.
func (c *check) write() error {
	if c.flags.file == "" {
		return c.writeTo(c.stdout)
	}
	return replaceFile(c.flags.file, c.writeTo)
}

// writeTo writes the result in its format.
func (c *check) writeTo(w io.Writer) error {
	if c.flags.output == "table" {
		return c.writeReport(w)
	}
	out := newFlushedWriter(w)
	defer out.stop()
	if err := c.writeFormat(out); err != nil {
		out.flush()
		return err
	}
	return out.flush()
}

func (c *check) writeFormat(out io.Writer) error {
	findings := c.findings()
	if c.flags.sort || c.flags.output == "markdown" {
		list, err := sorted(findings)
		if err != nil {
			return err
		}
		findings = func(yield func(finding, error) bool) {
			for _, f := range list {
				if !yield(f, nil) {
					return
				}
			}
		}
	}
	shown := *c.app
	shown.stdout = out
	switch c.flags.output {
	case "list":
		for f, err := range findings {
			if err != nil {
				return err
			}
			if _, err := fmt.Fprintln(out, f.IP()); err != nil {
				return err
			}
		}
		return nil
	case "cidr":
		return writeNetworks(out, findings)
	case "nft":
		return writeNft(out, findings)
	case "markdown":
		return c.writeMarkdown(out, findings)
	}
	rows, stop := c.rows(findings)
	defer stop()
	if err := shown.print(c.flags.output, rows); err != nil {
		return err
	}
	return rows.Err()
}

// networks returns the smallest set of networks that covers exactly what was found.
func networks(findings iter.Seq2[finding, error]) ([]netip.Prefix, error) {
	var b netipx.IPSetBuilder
	for f, err := range findings {
		if err != nil {
			return nil, err
		}
		b.AddPrefix(mustPrefix(f.IP()))
	}
	set, err := b.IPSet()
	if err != nil {
		return nil, err
	}
	return set.Prefixes(), nil
}

// mustPrefix returns the network of a verdict, which is an address or a network.
func mustPrefix(text string) netip.Prefix {
	if addr, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(addr, addr.BitLen())
	}
	return netip.MustParsePrefix(text)
}

func networkText(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

func writeNetworks(w io.Writer, findings iter.Seq2[finding, error]) error {
	list, err := networks(findings)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, p := range list {
		fmt.Fprintln(&b, p)
	}
	_, err = b.WriteTo(w)
	return err
}

// writeNft writes a table of nftables with a set of each family, which "nft -f" loads.
func writeNft(w io.Writer, findings iter.Seq2[finding, error]) error {
	list, err := networks(findings)
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
			if p.Addr().Is4() == family.is4 {
				elements = append(elements, "\t\t\t"+networkText(p))
			}
		}
		if len(elements) > 0 { // an empty list of elements is a syntax error
			b.WriteString("\t\telements = {\n" + strings.Join(elements, ",\n") + "\n\t\t}\n")
		}
		b.WriteString("\t}\n")
	}
	b.WriteString("}\n")
	_, err = b.WriteTo(w)
	return err
}

// replaceFile writes a file that replaces the old one only when it is complete. What is no file, such as a device or a
// pipe, is written to.
func replaceFile(name string, write func(io.Writer) error) error {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target // the link stays
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return writeInPlace(name, write)
	}
	file, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	defer os.Remove(file.Name()) // it is not there any more where all went well
	if err := write(file); err != nil {
		file.Close()
		return err
	}
	mode := os.FileMode(0o644)
	if info, err := os.Stat(name); err == nil {
		mode = info.Mode().Perm()
	}
	err = file.Chmod(mode)
	if sync := file.Sync(); err == nil {
		err = sync
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), name)
	}
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	return nil
}

// writeInPlace writes to what is there.
func writeInPlace(name string, write func(io.Writer) error) error {
	file, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("%s cannot be written: %w", name, err)
	}
	if err := write(file); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}

// flushAfter is how long a result waits for others to be written with it.
const flushAfter = 100 * time.Millisecond

// A flushedWriter collects what is written, and writes it soon: many results at once where they come fast, each at once
// where they come slowly.
type flushedWriter struct {
	below io.Writer
	mu    sync.Mutex
	out   *bufio.Writer
	timer *time.Timer
	err   error
}

func newFlushedWriter(w io.Writer) *flushedWriter {
	f := &flushedWriter{below: w, out: bufio.NewWriterSize(w, 64<<10)}
	f.timer = time.AfterFunc(time.Hour, func() { f.flush() })
	f.timer.Stop()
	return f
}

func (f *flushedWriter) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err != nil {
		return 0, f.err
	}
	if f.out.Buffered() == 0 {
		f.timer.Reset(flushAfter)
	}
	n, err := f.out.Write(b)
	f.err = err
	return n, err
}

func (f *flushedWriter) flush() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.out.Flush(); f.err == nil {
		f.err = err
	}
	return f.err
}

func (f *flushedWriter) stop() { f.timer.Stop() }

// Fd returns the descriptor behind the writer, so that a terminal is still known for one.
func (f *flushedWriter) Fd() uintptr { return descriptorOf(f.below) }
