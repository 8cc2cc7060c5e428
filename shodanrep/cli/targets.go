package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/ipaddr"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/iptext"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// An input is an argument of a command that reads addresses.
type input struct {
	name    string
	file    *os.File       // nil for standard input and for an argument that has the addresses itself
	matches []iptext.Match // of the argument itself
}

// openInputs opens the inputs. An input that does not exist is an error before any input is read. The caller must close
// the files, also after an error.
func openInputs(names []string, await awaiter) (inputs []input, err error) {
	for _, name := range names {
		if isForeignShare(runtime.GOOS, name) {
			return nil, fmt.Errorf("%s is a file of another machine, which this command does not contact: pass its address alone to check that, or a copy of the file", name)
		}
	}
	for _, name := range expandInputs(runtime.GOOS, names) {
		if name == "-" {
			inputs = append(inputs, input{name: name})
			continue
		}
		matches, whole := matchesOf(name)
		if whole {
			inputs = append(inputs, input{name: name, matches: matches})
			continue
		}
		file, err := openInput(name, await)
		if err == nil {
			inputs = append(inputs, input{name: name, file: file})
			continue
		}
		// An address and a slash is a path below a file that is named as the address, if there is one.
		if !isNoFile(runtime.GOOS, err) {
			return inputs, err
		}
		if err := malformedArgument(name); err != nil {
			return inputs, err
		}
		if len(matches) == 0 {
			return inputs, fmt.Errorf("%s: no such file, and not an address%s", name, adviceOnName(name))
		}
		inputs = append(inputs, input{name: name, matches: matches})
	}
	return inputs, nil
}

// errInvalidName is the error of Windows about a name that no file can have, such as http://198.51.100.66/ and "*.txt".
const errInvalidName = syscall.Errno(123)

// isNoFile reports whether an error says that there is no file of a name, by the system.
func isNoFile(goos string, err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || goos == "windows" && errors.Is(err, errInvalidName)
}

// isForeignShare reports whether Windows would connect to a public address to open a file, as to that of
// \\198.51.100.66\x. It would log in there, and who holds a bad address would see that, and the user's hashed password.
func isForeignShare(goos, name string) bool {
	path, isShare := strings.CutPrefix(strings.ReplaceAll(name, `\`, "/"), "//")
	if goos != "windows" || !isShare {
		return false
	}
	host, _, _ := strings.Cut(path, "/")
	host, _, _ = strings.Cut(host, "@") // a port follows
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsGlobalUnicast() && !addr.IsPrivate()
}

// expandInputs replaces the patterns of files among the inputs by the files that match, where the shells of the system do
// not: those of Windows leave it to the programs. What matches no file stays as it is.
func expandInputs(goos string, names []string) (expanded []string) {
	if goos != "windows" {
		return names
	}
	for _, name := range names {
		files, err := []string(nil), error(nil)
		if strings.ContainsAny(name, "*?") && !isForeignShare(goos, name) {
			files, err = filepath.Glob(name)
		}
		if err != nil || len(files) == 0 {
			files = []string{name}
		}
		expanded = append(expanded, files...)
	}
	return expanded
}

// fileEndings are the ends of names that are those of files, and not of hosts.
var fileEndings = map[string]bool{"txt": true, "csv": true, "tsv": true, "log": true, "json": true, "jsonl": true, "ndjson": true, "xml": true,
	"eml": true, "gz": true, "zst": true, "bz2": true, "list": true, "lst": true, "ip": true, "ips": true, "conf": true, "spc": true, "yaml": true,
	"yml": true, "md": true, "html": true, "sql": true, "hcl": true, "parquet": true, "sqlite": true}

// adviceOnName says what to do if an argument is the name of a host, also in a URL.
func adviceOnName(argument string) string {
	name := argument
	if at, err := url.Parse(argument); err == nil && at.Host != "" {
		name = at.Hostname()
	}
	name, err := shodan.HostName(name)
	dot := strings.LastIndexByte(name, '.')
	if err != nil || dot < 0 || fileEndings[strings.ToLower(name[dot+1:])] {
		return ""
	}
	return "; the names of hosts are not resolved: pass their addresses, as from dig +short " + name
}

// readInputs calls one of two functions for each input in order: for an argument that has addresses itself, and for a
// text to read. Without names it reads standard input.
func readInputs(stdin io.Reader, names []string, await awaiter, argument func(name string, matches []iptext.Match) error, text func(source io.Reader, name string) error) error {
	if len(names) == 0 {
		names = []string{"-"}
	}
	inputs, err := openInputs(names, await)
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
			if err := argument(in.name, in.matches); err != nil {
				return err
			}
			continue
		}
		reader := stdin
		if in.file != nil {
			reader = in.file
		}
		shown := inputNames([]string{in.name})
		if err := text(await.reader(reader, shown), in.name); err != nil {
			return fmt.Errorf("%s: %w", shown, err)
		}
	}
	return nil
}

// readTargets finds the addresses of inputs; without names, of standard input.
func readTargets(stdin io.Reader, names []string, await awaiter) (*targetList, error) {
	list := newTargetList()
	err := readInputs(stdin, names, await, func(name string, matches []iptext.Match) error {
		list.malformed.addArgument(name)
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

// openInput opens a file. A pipe is open when another process writes to it.
func openInput(name string, await awaiter) (*os.File, error) {
	defer await.start(name)()
	file, err := os.Open(name)
	if err != nil {
		return nil, explainInput(name, err)
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

// explainInput says of a file that cannot be opened what it is, where the error of the system does not.
func explainInput(name string, err error) error {
	if info, statErr := os.Stat(name); statErr == nil && info.Mode()&fs.ModeSocket != 0 {
		return fmt.Errorf("%s is a socket, which cannot be read as a file", name)
	}
	if target, linkErr := os.Readlink(name); linkErr == nil && errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is a link to %s, and there is no such file", name, target)
	}
	return err
}

// addressOf returns the address in an argument that must have one. It may be written as in any text: defanged, with a
// port or in a URL. It is the address of the host, see [ipaddr.Host].
func addressOf(argument string) (netip.Addr, error) {
	if addr, err := netip.ParseAddr(strings.TrimSpace(argument)); err == nil {
		return ipaddr.Host(addr), nil
	}
	if err := malformedArgument(argument); err != nil {
		return netip.Addr{}, err
	}
	switch matches, _ := matchesOf(argument); {
	case len(matches) == 0:
		return netip.Addr{}, fmt.Errorf("%q is not an IP address%s", argument, adviceOnName(argument))
	case len(matches) > 1:
		return netip.Addr{}, fmt.Errorf("%q has several addresses, and one is needed", argument)
	case !matches[0].Prefix.IsSingleIP():
		return netip.Addr{}, fmt.Errorf("%q is a network, and an address is needed", argument)
	default:
		return matches[0].Prefix.Addr(), nil
	}
}

// matchesOf returns the addresses of an argument, and whether it is one address or network and nothing else.
func matchesOf(argument string) (matches []iptext.Match, whole bool) {
	for m := range iptext.Find([]byte(argument)) {
		matches = append(matches, m)
	}
	return matches, len(matches) == 1 && matches[0].Text == argument
}
