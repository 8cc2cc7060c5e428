package joincheck

import (
	"maps"
	"slices"
)

// names are the scans that an expression depends on. The scan other stands for everything else.
type names map[*scan]bool

// A relation is a table, subquery or function in a FROM clause, with the dependencies of its columns. The dependencies
// of unknown columns are in rest, which is nil if all columns are known.
type relation struct {
	name    string
	scan    *scan // if it is a table of the plugin
	columns map[string]names
	order   []string
	rest    names
}

// opaque returns a relation without columns of the plugin.
func opaque(name string) *relation { return &relation{name: name, rest: names{other: true}} }

// A scope is one SELECT: the relations in its FROM clause, and its outer query.
type scope struct {
	parent    *scope
	relations []*relation
	ctes      map[string]node
	fence     bool  // PostgreSQL does not merge it into the outer query
	outer     names // the scans of outer queries that it refers to
	equal     [][2]column
}

// A column is a column of a relation.
type column struct {
	of   *relation
	name string
}

// hides reports whether a scan of an outer query is behind a fence, where its columns are parameters.
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

// cte returns the common table expression of a name, and its scope.
func (sc *scope) cte(name string) (node, *scope) {
	for at := sc; at != nil; at = at.parent {
		switch cte := at.ctes[name]; {
		case cte == nil:
		case cte["ctequery"] == nil: // inside the expression itself, its name means something else
			at = at.parent
		default:
			return cte, at
		}
	}
	return nil, nil
}

// resolve returns the scans that a column reference depends on, and adds them to outer of each scope in between.
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

// own resolves a column reference in this scope only.
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

// columnNamed returns the column of a qualified reference in this scope.
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
