package joincheck

import (
	"fmt"
	"slices"
	"strings"
)

// sharedKeys reports tables of the plugin that are joined by their keys with the same column of a third table. Each can
// only be scanned after the other, so neither gets its key.
func (c *checker) sharedKeys(sc *scope) {
	class := map[column]int{}
	for i, pair := range sc.equal {
		class[pair[0]], class[pair[1]] = i, i
	}
	for changed := true; changed; {
		changed = false
		for _, pair := range sc.equal {
			if least := min(class[pair[0]], class[pair[1]]); class[pair[0]] != least || class[pair[1]] != least {
				class[pair[0]], class[pair[1]], changed = least, least, true
			}
		}
	}
	for i := range sc.equal {
		relations := map[*relation]bool{}
		var keyed []string
		for col, of := range class {
			if of != i {
				continue
			}
			relations[col.of] = true
			if s := col.of.scan; s != nil && !s.fixed && slices.Contains(s.keys, col.name) {
				keyed = append(keyed, col.of.name)
			}
		}
		if len(relations) > 2 && len(keyed) > 1 {
			slices.Sort(keyed)
			c.shared = append(c.shared, fmt.Sprintf("%s are joined with the same column: Steampipe looks up neither", strings.Join(keyed, " and ")))
		}
	}
}
