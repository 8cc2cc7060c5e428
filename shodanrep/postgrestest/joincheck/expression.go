package joincheck

import (
	"maps"
	"slices"
)

// dependencies returns the scans that an expression depends on, and checks the subqueries in it.
func (sc *scope) dependencies(c *checker, expression any) names {
	found := names{}
	switch expression := expression.(type) {
	case []any:
		for _, part := range expression {
			maps.Copy(found, sc.dependencies(c, part))
		}
	case node:
		if ref := as(expression, "ColumnRef"); ref != nil {
			return sc.resolve(fieldsOf(ref))
		}
		if link := as(expression, "SubLink"); link != nil {
			return sc.subquery(c, link)
		}
		for _, field := range slices.Sorted(maps.Keys(expression)) {
			maps.Copy(found, sc.dependencies(c, expression[field]))
		}
	}
	return found
}

// subquery checks a subquery in an expression, and returns the scans that the expression depends on because of it.
func (sc *scope) subquery(c *checker, link node) names {
	selected := as(link["subselect"], "SelectStmt")
	found := sc.dependencies(c, link["testexpr"])
	switch text(link, "subLinkType") {
	case "EXISTS_SUBLINK":
		// Its conditions become those of a join, and are added by the query itself.
		if _, inner := c.query(selected, sc, inExists); inner.fence {
			maps.Copy(found, inner.outer)
		}
	case "ANY_SUBLINK", "ALL_SUBLINK":
		result, inner := c.query(selected, sc, inFrom)
		maps.Copy(found, result.all())
		maps.Copy(found, inner.outer)
	default:
		_, inner := c.query(selected, sc, inValue)
		maps.Copy(found, inner.outer)
	}
	return found
}
