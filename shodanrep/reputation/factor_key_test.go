package reputation

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRememberedFactorsAreThoseOfTheHost compares the factors of invented rules and hosts with those that are made for
// each host alone.
func TestRememberedFactorsAreThoseOfTheHost(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(17, 18))
	found, remembered := 0, 0
	for range Fewer(60) {
		p := randomPolicy(t, rng)
		factors := map[factorKey]Factor{}
		for range 60 {
			h := inventedHost(rng)
			f := p.factsOf(&h)
			for _, rule := range p.Factors {
				f.factors = nil
				want, applies := rule.apply(f)
				f.factors = factors
				known := len(factors)
				got, ok := rule.apply(f)
				if ok != applies || !reflect.DeepEqual(want, got) {
					t.Fatalf("%+v of %+v (-alone +remembered)\n%s", rule, h, cmp.Diff(want, got))
				}
				if ok {
					found++
				}
				if key, isKey := f.factorKey(rule); ok && isKey && rule.count == nil && factors[key].Factor != "" && len(factors) == known {
					remembered++
				}
			}
			f.factors = nil
			f.release()
		}
	}
	if remembered < found/4 {
		t.Errorf("%d of %d factors were remembered: the test compares little", remembered, found)
	}
}
