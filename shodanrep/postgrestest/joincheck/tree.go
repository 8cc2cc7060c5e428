package joincheck

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// A node is a part of libpg_query's parse tree: an object whose only field is its kind, or the fields of such an
// object.
type node = map[string]any

func decode(text string) (any, error) {
	var tree any
	if err := json.Unmarshal([]byte(text), &tree); err != nil {
		return nil, fmt.Errorf("read the parse tree: %w", err)
	}
	return tree, nil
}

// find returns the outermost nodes of a kind, in order.
func find(tree any, kind string) []node {
	var found []node
	switch tree := tree.(type) {
	case []any:
		for _, part := range tree {
			found = append(found, find(part, kind)...)
		}
	case node:
		if n := as(tree, kind); n != nil {
			return []node{n}
		}
		for _, field := range slices.Sorted(maps.Keys(tree)) {
			found = append(found, find(tree[field], kind)...)
		}
	}
	return found
}

// as returns the fields of a node of a kind, or nil if it has another kind.
func as(tree any, kind string) node {
	n, _ := tree.(node)
	fields, _ := n[kind].(node)
	return fields
}

// list returns the nodes of a field that is a list.
func list(n node, field string) []node {
	items, _ := n[field].([]any)
	var nodes []node
	for _, item := range items {
		if n, ok := item.(node); ok {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// child returns a field that is a node, or nil.
func child(n node, field string) node {
	c, _ := n[field].(node)
	return c
}

func text(n node, field string) string {
	s, _ := n[field].(string)
	return s
}

// aliasOf returns the alias of an item of a FROM clause, and its column aliases.
func aliasOf(n node, name string) (string, []string) {
	alias := child(n, "alias")
	if given := text(alias, "aliasname"); given != "" {
		name = given
	}
	var columns []string
	for _, column := range list(alias, "colnames") {
		columns = append(columns, text(as(column, "String"), "sval"))
	}
	return name, columns
}

// fieldsOf returns the parts of a column reference. "*" stands for all columns.
func fieldsOf(ref node) []string {
	var fields []string
	for _, field := range list(ref, "fields") {
		if name := as(field, "String"); name != nil {
			fields = append(fields, text(name, "sval"))
		} else {
			fields = append(fields, "*")
		}
	}
	return fields
}

// columnsOf returns the column references of an expression.
func columnsOf(expression any) [][]string {
	var found [][]string
	for _, ref := range find(expression, "ColumnRef") {
		found = append(found, fieldsOf(ref))
	}
	return found
}

// conjuncts splits a condition into the parts that PostgreSQL may separate. It extracts common parts from alternatives,
// so their parts count as well.
func conjuncts(condition node) []node {
	b := as(condition, "BoolExpr")
	if b == nil {
		if condition == nil {
			return nil
		}
		return []node{condition}
	}
	var parts []node
	for _, arg := range list(b, "args") {
		parts = append(parts, conjuncts(arg)...)
	}
	if text(b, "boolop") == "OR_EXPR" && len(parts) == len(list(b, "args")) {
		return []node{condition}
	}
	return parts
}

// isEquality reports whether a condition is =, in (…) or = any (…).
func isEquality(condition node) bool {
	e := as(condition, "A_Expr")
	if e == nil || !slices.Contains([]string{"AEXPR_OP", "AEXPR_OP_ANY", "AEXPR_IN"}, text(e, "kind")) {
		return false
	}
	names := list(e, "name")
	return len(names) == 1 && text(as(names[0], "String"), "sval") == "="
}
