package reputation

// Most hosts have the factors of others: of an open port, or of a tag. The sentence and the evidence of such a factor are
// made once.
const (
	// maxKeyHits is how many hits a cached factor has at most.
	maxKeyHits = 4
	// maxFactors is how many factors are cached.
	maxFactors = 512
)

// A factorKey is what a factor depends on: its rule, and the values of the policy that the host has. A rule shares no
// value with another, and neither does a match.
type factorKey struct {
	rule *Rule
	hits [maxKeyHits]*Value
}

// factorKey returns the key of the factor that the hits of a rule give, and whether the factor depends on nothing else.
func (f *facts) factorKey(r *Rule) (key factorKey, ok bool) {
	if len(f.hits) > maxKeyHits {
		return key, false
	}
	key.rule = r
	for i := range f.hits {
		h := &f.hits[i]
		if h.value == nil || h.value.isPattern() || h.fact.evidence != nil || h.fact.why != nil {
			return key, false
		}
		key.hits[i] = h.value
	}
	return key, true
}

// cacheFactor keeps a factor for other hosts, unless there are many.
func (f *facts) cacheFactor(key factorKey, factor Factor) {
	if f.factors == nil {
		f.factors = map[factorKey]Factor{}
	}
	if len(f.factors) < maxFactors {
		f.factors[key] = factor
	}
}
