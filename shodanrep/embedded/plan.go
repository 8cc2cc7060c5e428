package embedded

import (
	"encoding/json"
	"slices"

	"github.com/ncruces/go-sqlite3"
)

// A plan is what BestIndex passes to Filter: which columns the query uses, and what the arguments of Filter mean.
type plan struct {
	Used uint64
	Args []planArg
}

// A planArg is an argument of Filter. Op is an operator of the SDK, opLimit or opOffset.
type planArg struct {
	Column int
	Op     string
	// In says that the argument is a whole list.
	In bool
	// AsText says that SQLite compares the texts of times, because the other side of the condition decides how.
	AsText bool
	// Unsent says that the condition is not for the plugin.
	Unsent bool
}

const (
	opEqual  = "="
	opLimit  = "limit"
	opOffset = "offset"
)

// operators maps SQLite's operators to the SDK's. LIKE is the SDK's ILIKE, because both ignore case. The SDK has no
// GLOB, REGEXP and MATCH.
var operators = map[sqlite3.IndexConstraintOp]string{
	sqlite3.INDEX_CONSTRAINT_EQ:        opEqual,
	sqlite3.INDEX_CONSTRAINT_GT:        ">",
	sqlite3.INDEX_CONSTRAINT_GE:        ">=",
	sqlite3.INDEX_CONSTRAINT_LT:        "<",
	sqlite3.INDEX_CONSTRAINT_LE:        "<=",
	sqlite3.INDEX_CONSTRAINT_NE:        "<>",
	sqlite3.INDEX_CONSTRAINT_LIKE:      "~~*",
	sqlite3.INDEX_CONSTRAINT_ISNULL:    "is null",
	sqlite3.INDEX_CONSTRAINT_ISNOTNULL: "is not null",
	sqlite3.INDEX_CONSTRAINT_LIMIT:     opLimit,
	sqlite3.INDEX_CONSTRAINT_OFFSET:    opOffset,
}

// comparisons are the operators of the order of values.
var comparisons = []string{opEqual, ">", ">=", "<", "<=", "<>"}

// The costs, in SQLite's units, tell the planner that a call of the plugin is expensive, that a batch is one call, and
// that a table without conditions may be endless. SQLite then looks up a list as one batch and joins afterwards,
// instead of one value at a time.
const (
	callCost, callRows = 10_000, 10
	listCost, listRows = 11_000, 100
	scanCost, scanRows = 1e8, 1_000_000
)

// A planner makes a plan of the conditions of a query on a table.
type planner struct {
	plan
	table *Table
	index *sqlite3.IndexInfo
	given map[condition]bool // those that are passed to the plugin
	// exact says that the plugin returns exactly the rows of the query, so that the query's LIMIT applies to them.
	exact bool
	// hasList and hasOne say that a column equals one of a list, or one value.
	hasList, hasOne bool
	limits          map[string]int // the LIMIT and the OFFSET, by their operators
}

// A condition is a column with an operator.
type condition struct{ column, operator string }

// planScan fills in idx for BestIndex. It reports false if the plugin cannot list the table with the usable conditions.
func planScan(t *Table, idx *sqlite3.IndexInfo) bool {
	p := &planner{
		plan: plan{Used: idx.ColumnsUsed}, table: t, index: idx, given: make(map[condition]bool), limits: make(map[string]int),
		exact: len(idx.OrderBy) == 0 && len(t.connection.Members) == 0,
	}
	for i, c := range idx.Constraint {
		p.add(i, c)
	}
	if !t.satisfied(func(column, operator string) bool { return p.given[condition{column, operator}] }) {
		return false
	}
	if p.exact {
		p.addLimit()
	}
	switch {
	case len(p.given) == 0:
		idx.EstimatedCost, idx.EstimatedRows = scanCost, scanRows
	case p.hasList && !p.hasOne:
		idx.EstimatedCost, idx.EstimatedRows = listCost, listRows
	default:
		idx.EstimatedCost, idx.EstimatedRows = callCost, callRows
	}
	text, _ := json.Marshal(p.plan) // it has only integers, strings and booleans
	idx.IdxStr = string(text)
	return true
}

// add adds a condition of the query, or leaves it to SQLite.
func (p *planner) add(i int, c sqlite3.IndexConstraint) {
	operator := operators[c.Op]
	switch {
	case operator == opLimit || operator == opOffset:
		p.limits[operator] = i
		p.exact = p.exact && c.Usable
		return
	case c.Column < 0: // the rowid, which the plugin does not know
		p.exact = false
		return
	}
	column, collation := p.table.Columns[c.Column], p.index.Collation(i)
	equal := operator == opEqual
	in := c.Usable && equal && p.index.In(i, -1)
	asText := c.Usable && slices.Contains(comparisons, operator) && comparesTexts(column, collation)
	if !c.Usable || operator == "" || !p.table.accepts(c.Column, operator) || equal && !isPlainCollation(column, collation) {
		p.exact = false
		// The value is only looked at. It is not known to a table that is read before the one of the texts, and for each
		// value of a list SQLite would run a scan.
		if asText && !in {
			p.addArg(i, planArg{Column: c.Column, Op: operator, AsText: true, Unsent: true}, false)
		}
		return
	}
	if in {
		p.index.In(i, 1)
	}
	p.hasList, p.hasOne = p.hasList || in, p.hasOne || equal && !in
	// Conditions by equality are checked again for every row, by the rules of the column's type, which SQLite does not
	// know. Other operators are hints: the plugin may ignore them, and SQLite checks them.
	p.addArg(i, planArg{Column: c.Column, Op: operator, In: in, AsText: asText && !equal}, equal)
	p.exact = p.exact && equal
	p.given[condition{column.Name, operator}] = true
}

// addArg passes the value of a condition to Filter. With omit SQLite does not check the condition itself.
func (p *planner) addArg(constraint int, arg planArg, omit bool) {
	p.Args = append(p.Args, arg)
	p.index.ConstraintUsage[constraint] = sqlite3.IndexConstraintUsage{ArgvIndex: len(p.Args), Omit: omit}
}

// addLimit passes the LIMIT of the query to Filter, if there is one.
func (p *planner) addLimit() {
	limit, hasLimit := p.limits[opLimit]
	if !hasLimit {
		return
	}
	p.addArg(limit, planArg{Op: opLimit}, false)
	if offset, hasOffset := p.limits[opOffset]; hasOffset { // SQLite itself skips the rows before it
		p.addArg(offset, planArg{Op: opOffset}, false)
	}
}
