package joincheck

import (
	"maps"
	"slices"
)

// names are the scans that an expression depends on, and other for all else.
type names map[*scan]bool

// A relation is what a query selects from: its columns by name, with what each depends on, and what all further columns
// depend on, which is nil where there are none.
type relation struct {
	name    string
	scan    *scan // where it is a table of the plugin itself
	columns map[string]names
	order   []string
	rest    names
}

// opaque is a relation of which nothing is the plugin's any more.
func opaque(name string) *relation { return &relation{name: name, rest: names{other: true}} }

// A scope is one SELECT: what it selects from, and the query around it.
type scope struct {
	parent    *scope
	relations []*relation
	ctes      map[string]node
	fence     bool  // PostgreSQL does not merge it into the query around it
	outer     names // what it names of the queries around it
	equal     [][2]column
}

// A column is a column of a relation.
type column struct {
	of   *relation
	name string
}

// hides reports whether a scan of a query around this one is behind a fence, where its columns are parameters.
func (sc *scope) hides(s *scan) bool {
	fenced := false
	for at := sc; at != nil; at = at.parent {
		if at == s.scope {
			return fenced
		}
		fenced = fenced || at.fence
	}
	return false
}

// cte returns the common table expression of a name, and the scope that it belongs to.
func (sc *scope) cte(name string) (node, *scope) {
	for at := sc; at != nil; at = at.parent {
		switch cte := at.ctes[name]; {
		case cte == nil:
		case cte["ctequery"] == nil: // it is this one that is being expanded, and its name means something else in it
			at = at.parent
		default:
			return cte, at
		}
	}
	return nil, nil
}

// resolve returns what a column reference depends on, and notes in each scope what it names of those around it.
func (sc *scope) resolve(fields []string) names {
	for at := sc; at != nil; at = at.parent {
		found, ok := at.own(fields)
		if !ok {
			continue
		}
		for inner := sc; inner != at; inner = inner.parent {
			maps.Copy(inner.outer, found)
		}
		return found
	}
	return names{other: true}
}

// own resolves a column reference among the relations of this scope alone.
func (sc *scope) own(fields []string) (names, bool) {
	name := fields[len(fields)-1]
	found, ok := names{}, false
	for _, r := range sc.relations {
		if len(fields) > 1 && r.name != fields[len(fields)-2] {
			continue
		}
		if name == "*" || len(fields) == 1 && name == r.name {
			for _, depends := range r.columns {
				maps.Copy(found, depends)
			}
			maps.Copy(found, r.rest)
			ok = true
			continue
		}
		if depends, known := r.columns[name]; known {
			return depends, true
		}
		if r.rest != nil {
			maps.Copy(found, r.rest)
			ok = true
		}
		ok = ok || len(fields) > 1
	}
	return found, ok
}

// columnNamed returns the column that a reference names in this scope, where it is one of a relation with a name.
func (sc *scope) columnNamed(fields []string) (column, bool) {
	if len(fields) < 2 {
		return column{}, false
	}
	i := slices.IndexFunc(sc.relations, func(r *relation) bool { return r.name == fields[len(fields)-2] })
	if i < 0 {
		return column{}, false
	}
	return column{sc.relations[i], fields[len(fields)-1]}, true
}
