package joincheck

import (
	"fmt"
	"maps"
	"slices"
)

// A place is the place of a subquery. It decides whether PostgreSQL merges the subquery into the outer query.
type place int

const (
	inFrom   place = iota // in FROM, in a CTE, or after in
	inExists              // after exists
	inValue               // as a value, which is never merged
)

// fenced reports whether PostgreSQL does not merge a subquery.
func fenced(selected node, at place) bool {
	has := func(fields ...string) bool {
		return slices.ContainsFunc(fields, func(field string) bool { return selected[field] != nil })
	}
	switch at {
	case inValue:
		return true
	case inExists: // PostgreSQL drops clauses that do not decide whether there is a row
		return has("limitOffset", "havingClause")
	default:
		return has("limitOffset", "limitCount", "groupClause", "havingClause", "distinctClause")
	}
}

// query checks a SELECT and returns its result as a relation.
func (c *checker) query(selected node, parent *scope, at place) (*relation, *scope) {
	sc := &scope{parent: parent, ctes: map[string]node{}, outer: names{}, fence: fenced(selected, at)}
	for _, item := range list(child(selected, "withClause"), "ctes") {
		cte := as(item, "CommonTableExpr")
		sc.ctes[text(cte, "ctename")] = cte
	}
	result := &relation{columns: map[string]names{}}
	if left := child(selected, "larg"); left != nil { // of union, intersect and except
		result, _ = c.query(left, sc, at)
		right, _ := c.query(child(selected, "rarg"), sc, at)
		if result.rest != nil || right.rest != nil { // the order of the columns is unknown
			result.rest = result.all()
			maps.Copy(result.rest, right.all())
		}
		for i, name := range result.order {
			if i < len(right.order) {
				maps.Copy(result.columns[name], right.columns[right.order[i]])
			}
		}
	}
	for _, item := range list(selected, "fromClause") {
		c.from(item, sc)
	}
	for _, field := range []string{"whereClause", "havingClause"} {
		c.conditions(child(selected, field), sc)
	}
	c.targets(selected, sc, result)
	for _, field := range []string{"sortClause", "groupClause", "valuesLists", "limitCount", "limitOffset"} {
		sc.dependencies(c, selected[field])
	}
	c.sharedKeys(sc)
	c.limit(selected, sc)
	c.materialized(selected, sc)
	if sc.fence {
		result = &relation{rest: names{other: true}}
	}
	return result, sc
}

// targets adds the columns of a query to its result.
func (c *checker) targets(selected node, sc *scope, result *relation) {
	for _, item := range list(selected, "targetList") {
		target := as(item, "ResTarget")
		value := child(target, "val")
		depends := sc.dependencies(c, value)
		ref := as(value, "ColumnRef")
		name := text(target, "name")
		if ref != nil {
			fields := fieldsOf(ref)
			if name == "" {
				name = fields[len(fields)-1]
			}
			if name == "*" {
				for _, r := range sc.relations {
					if len(fields) > 1 && r.name != fields[len(fields)-2] {
						continue
					}
					for _, column := range r.order {
						result.add(column, r.columns[column])
					}
					if r.rest != nil {
						result.rest = maps.Clone(r.rest)
					}
				}
				continue
			}
		}
		if name == "" {
			name = fmt.Sprintf("?%d?", len(result.order))
		}
		result.add(name, depends)
	}
}

// add adds a column to a relation.
func (r *relation) add(name string, depends names) {
	if _, twice := r.columns[name]; !twice {
		r.order = append(r.order, name)
		r.columns[name] = names{}
	}
	maps.Copy(r.columns[name], depends)
}

// from adds an item of a FROM clause to a scope, with the conditions of its joins.
func (c *checker) from(item node, sc *scope) {
	switch {
	case item["RangeVar"] != nil:
		c.table(as(item, "RangeVar"), sc)
	case item["RangeSubselect"] != nil:
		sub := as(item, "RangeSubselect")
		parent := sc
		if sub["lateral"] == nil {
			parent = &scope{parent: sc.parent, ctes: sc.ctes, outer: sc.outer, fence: sc.fence}
		}
		result, _ := c.query(as(sub["subquery"], "SelectStmt"), parent, inFrom)
		sc.include(result, sub, "")
	case item["JoinExpr"] != nil:
		join := as(item, "JoinExpr")
		first := len(sc.relations)
		c.from(child(join, "larg"), sc)
		second := len(sc.relations)
		c.from(child(join, "rarg"), sc)
		c.conditions(child(join, "quals"), sc)
		for _, using := range list(join, "usingClause") {
			c.using(text(as(using, "String"), "sval"), sc, first, second)
		}
		if join["isNatural"] != nil {
			c.using("natural", sc, first, second)
			c.using("join", sc, first, second)
		}
	default: // a function
		sc.dependencies(c, item)
		for _, fields := range item {
			n, _ := fields.(node)
			name, _ := aliasOf(n, "")
			if name == "" {
				for _, call := range find(n, "FuncCall") {
					parts := list(call, "funcname")
					name = text(as(parts[len(parts)-1], "String"), "sval")
				}
			}
			sc.relations = append(sc.relations, opaque(name))
		}
	}
}

// table adds a table or a common table expression to a scope.
func (c *checker) table(from node, sc *scope) {
	table := text(from, "relname")
	if cte, owner := sc.cte(table); cte != nil && text(from, "schemaname") == "" {
		if text(cte, "ctematerialized") == "CTEMaterializeAlways" {
			sc.include(opaque(table), from, table)
			return
		}
		sc.include(c.expand(cte, owner), from, table)
		return
	}
	s := c.newScan(table, sc)
	if s == nil {
		sc.include(opaque(table), from, table)
		return
	}
	r := &relation{scan: s, columns: map[string]names{}}
	if len(c.tables[table].Columns) == 0 {
		r.rest = names{s: true}
	}
	for _, column := range c.tables[table].Columns {
		r.add(column.Name, names{s: true})
	}
	for _, column := range []string{"_ctx", "sp_connection_name", "sp_ctx"} {
		r.add(column, names{s: true})
	}
	sc.include(r, from, table)
}

// expand checks a common table expression where it is used, because PostgreSQL inlines it.
func (c *checker) expand(cte node, owner *scope) *relation {
	inner := &scope{parent: owner, ctes: map[string]node{text(cte, "ctename"): {}}, outer: names{}}
	result, _ := c.query(as(cte["ctequery"], "SelectStmt"), inner, inFrom)
	return result
}

// materialized checks the materialized common table expressions.
func (c *checker) materialized(selected node, sc *scope) {
	for _, item := range list(child(selected, "withClause"), "ctes") {
		cte := as(item, "CommonTableExpr")
		if text(cte, "ctematerialized") == "CTEMaterializeAlways" {
			c.expand(cte, sc)
		}
	}
}

// include adds a relation to a scope by its name in the query.
func (sc *scope) include(r *relation, from node, name string) {
	alias, columns := aliasOf(from, name)
	named := &relation{name: alias, scan: r.scan, columns: r.columns, order: r.order, rest: r.rest}
	if len(columns) > 0 && len(columns) <= len(r.order) {
		named.columns, named.order = map[string]names{}, nil
		for i, column := range r.order {
			if i < len(columns) {
				column = columns[i]
			}
			named.add(column, r.columns[r.order[i]])
		}
	}
	sc.relations = append(sc.relations, named)
}

// conditions adds each part of a condition.
func (c *checker) conditions(condition node, sc *scope) {
	for _, part := range conjuncts(condition) {
		c.condition(part, sc)
		if e := as(part, "A_Expr"); e != nil && isEquality(part) && text(e, "kind") == "AEXPR_OP" {
			left, right := as(e["lexpr"], "ColumnRef"), as(e["rexpr"], "ColumnRef")
			if left == nil || right == nil {
				continue
			}
			a, found := sc.columnNamed(fieldsOf(left))
			b, too := sc.columnNamed(fieldsOf(right))
			if found && too {
				sc.equal = append(sc.equal, [2]column{a, b})
			}
		}
	}
}

// using adds a condition of a join that names a column of both sides.
func (c *checker) using(name string, sc *scope, first, second int) {
	both := names{}
	for i, r := range sc.relations[first:] {
		depends, known := r.columns[name]
		if !known {
			depends = r.rest
			if name == "natural" || name == "join" {
				depends = r.all()
			}
		}
		if first+i < second || len(depends) > 0 {
			maps.Copy(both, depends)
		}
	}
	for s := range both {
		if s != other && len(both) > 1 {
			s.conditions = append(s.conditions, name)
		}
	}
}

// all returns the scans that any of the columns depends on.
func (r *relation) all() names {
	found := maps.Clone(r.rest)
	if found == nil {
		found = names{}
	}
	for _, depends := range r.columns {
		maps.Copy(found, depends)
	}
	return found
}
