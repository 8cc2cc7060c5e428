package shodanrep

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/filestate"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/homedir"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/reputation/policyfile"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/suggest"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/textfile"
)

// fileCache is what was read from files, as long as they do not change: a connection's arguments are read with every
// scan, and a join in Steampipe makes a scan of each address.
var fileCache struct {
	sync.Mutex
	byKey map[string]cachedFile
}

// A cachedFile is what was read from files, and their state then.
type cachedFile struct {
	state string
	value any
	err   error
}

// readCached calls read, or returns what it returned before if the files have not changed. A pipe can be read only once:
// it changes when it is written to, and what was read of it stays. That a file could not be read is not kept: the reason,
// such as too many open files, may pass without a change of the file.
func readCached[T any](key string, paths []string, read func() (T, error)) (T, error) {
	var state strings.Builder
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			var none T
			return none, err
		}
		if info.Mode().IsRegular() {
			fmt.Fprintln(&state, path, filestate.Of(info))
		} else {
			fmt.Fprintln(&state, path, info.Mode().Type())
		}
	}
	fileCache.Lock()
	defer fileCache.Unlock()
	m, found := fileCache.byKey[key]
	if !found || m.state != state.String() {
		value, err := read()
		var unread *fs.PathError
		if errors.As(err, &unread) {
			return value, err
		}
		m = cachedFile{state.String(), value, err}
		if fileCache.byKey == nil {
			fileCache.byKey = map[string]cachedFile{}
		}
		fileCache.byKey[key] = m
	}
	return m.value.(T), m.err
}

// readPolicy returns a policy that is built in, by its name, or that of a file, by its path: of a regular one, or one of
// an allowed type. Errors do not name it.
func readPolicy(nameOrPath string, allowed fs.FileMode) (*reputation.Policy, error) {
	if policy := policyfile.BuiltIn(nameOrPath); policy != nil {
		return policy, nil
	}
	if !strings.ContainsAny(nameOrPath, `/\.`) {
		if hint := suggest.DidYouMean(nameOrPath, policyfile.Names()); hint != "" {
			return nil, errors.New("there is no policy of that name" + hint)
		}
		return nil, fmt.Errorf(`there is no policy of that name: use "%s", or the path of a file such as "./policy.hcl"`, strings.Join(policyfile.Names(), `", "`))
	}
	path, err := homedir.Expand(nameOrPath)
	if err != nil {
		return nil, err
	}
	return readCached("policy "+path, []string{path}, func() (*reputation.Policy, error) {
		text, err := readFile(path, allowed)
		if err != nil {
			return nil, err
		}
		return policyfile.Parse(text, path)
	})
}

// ReadPolicy returns a policy that is built in, by its name, or that of a file, by its path. Errors name it. The file may
// be a pipe, as --policy <(…) is, and reading it then waits for who writes to it.
func ReadPolicy(nameOrPath string) (*reputation.Policy, error) {
	policy, err := readPolicy(nameOrPath, fs.ModeNamedPipe)
	var problems policyfile.Problems
	var path *fs.PathError
	switch {
	case err == nil:
		return policy, nil
	case errors.As(err, &problems): // they begin with the file and the line
		return nil, err
	case errors.As(err, &path):
		err = path.Err
	}
	return nil, fmt.Errorf("policy %s: %w", nameOrPath, err)
}

// policy reads the policy of a connection, which is no pipe: each process reads it, and nothing ends the wait for one that
// nobody writes to. [ReadPolicy] may have read a pipe of that name already.
func (r *argumentReader) policy(value *string) *reputation.Policy {
	if r.mistyped("policy", `"`+strings.Join(policyfile.Names(), `", "`)+`", or the path of a file such as "./policy.hcl"`) || value == nil {
		return policyfile.Baseline()
	}
	if r.hasControl("policy", *value) {
		return policyfile.Baseline()
	}
	policy, err := readPolicy(*value, 0)
	if err != nil {
		r.wrong("policy = %q: %w", *value, err)
	}
	return policy
}

// lists reads the lists of a connection, or returns nil if it has none. Entries that begin with @ are files.
func (r *argumentReader) lists(allow, deny []string) *reputation.Lists {
	allow = r.texts("allow_list", allow, `["203.0.113.0/24 our scanners"]`)
	deny = r.texts("deny_list", deny, `["203.0.113.0/24 attacked us"]`)
	if len(allow) == 0 && len(deny) == 0 {
		return nil
	}
	arguments := []struct {
		name    string
		list    reputation.List
		entries []string
	}{{"allow_list", reputation.Allow, allow}, {"deny_list", reputation.Deny, deny}}
	var paths []string
	for _, a := range arguments {
		for _, entry := range a.entries {
			path, isFile := listFile(entry)
			if !isFile {
				continue
			}
			if r.hasControl(a.name, path) {
				return nil
			}
			if _, err := os.Stat(path); err != nil {
				r.wrong("%s: %w", a.name, err)
				return nil
			}
			paths = append(paths, path)
		}
	}
	lists, err := readCached(fmt.Sprintf("lists %q %q", allow, deny), paths, func() (*reputation.Lists, error) {
		lists := &reputation.Lists{}
		for _, a := range arguments {
			for _, entry := range a.entries {
				if err := addTo(lists, a.list, entry); err != nil {
					return nil, fmt.Errorf("%s: %w", a.name, err)
				}
			}
		}
		return lists, nil
	})
	if err != nil {
		r.wrong("%w", err)
	}
	return lists
}

// listFile returns the path of an entry of allow_list or deny_list that is a file.
func listFile(entry string) (path string, isFile bool) {
	path, isFile = strings.CutPrefix(strings.TrimSpace(entry), "@")
	if expanded, err := homedir.Expand(path); err == nil {
		path = expanded
	}
	return path, isFile
}

// addTo puts an entry, or those of a file, on a list.
func addTo(lists *reputation.Lists, list reputation.List, entry string) error {
	path, isFile := listFile(entry)
	if !isFile {
		if err := lists.Add(list, entry); err != nil {
			return fmt.Errorf(`%w, or a file of such lines, as "@~/list.txt"`, err)
		}
		return nil
	}
	text, err := readFile(path, 0)
	if err != nil {
		return err
	}
	return lists.AddFile(list, path, text)
}

// readFile reads a regular file, or one of an allowed type. A device may never end, and a pipe that nobody writes blocks.
func readFile(path string, allowed fs.FileMode) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if kind := info.Mode().Type() &^ allowed; kind != 0 && kind != fs.ModeDir { // the error of a folder says what it is
		return nil, &fs.PathError{Op: "read", Path: path, Err: errors.New("is not a file")}
	}
	return textfile.Read(path)
}
