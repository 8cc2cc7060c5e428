package lookup

import (
	"context"
	"net/netip"
	"slices"
	"sync"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// chunkSize is how many questions are taken to the dataset and the cache at once: enough that their round trips do not
// count, few enough that the first look-ups are under way at once and a long list is not all in memory.
const chunkSize = 500

// A Batch is the questions of one query. They are handed over as they become known, looked up side by side, and each
// answered on its own.
type Batch struct {
	engine *Engine
	ctx    context.Context
	size   int

	mu        sync.Mutex
	items     map[Question]*item
	running   int                  // goroutines that look up
	announced map[announcement]int // how often, and not yet withdrawn

	refusal error // why the REST API is not asked for the rest of the batch

	ready    chan struct{} // closed when it is known whether the services can be asked at all
	readyErr error         // why they cannot
	readied  sync.Once
	meter    *Progress
}

// An item is a question of a batch.
type item struct {
	asked    int // how often it was asked and not yet answered
	answered chan struct{}
	answer   Answer
}

// Batch begins a batch for a list of so many different addresses: the length decides whether Auto asks the REST API.
// The batch ends with its context.
func (e *Engine) Batch(ctx context.Context, size int) *Batch {
	b := &Batch{
		engine: e, ctx: ctx, size: size, meter: ProgressFrom(ctx),
		items: map[Question]*item{}, announced: map[announcement]int{}, ready: make(chan struct{}),
	}
	if b.meter == nil {
		b.meter = newLoggedProgress(e.cfg.Logger, size)
	}
	return b
}

// Add hands questions over, and returns at once. Each question asked must be taken with one Answer, which lets go of
// what is known of the host: a batch must not keep thousands of hosts until its end.
func (b *Batch) Add(questions ...Question) {
	b.mu.Lock()
	var fresh []Question
	for _, q := range questions {
		q = q.canonical()
		if it := b.items[q]; it != nil {
			it.asked++
			continue
		}
		b.items[q] = &item{asked: 1, answered: make(chan struct{})}
		fresh = append(fresh, q)
	}
	b.mu.Unlock()
	if len(fresh) == 0 {
		return
	}
	b.spawn(func() { b.run(fresh) })
}

// spawn runs f beside its caller. The last to end, which need not be the last of the batch, writes the answers: the
// next query must find in the cache what this one has asked, in this process and in others.
func (b *Batch) spawn(f func()) {
	b.mu.Lock()
	b.running++
	b.mu.Unlock()
	go func() {
		f()
		b.mu.Lock()
		b.running--
		last := b.running == 0
		if last {
			b.withdrawAll()
		}
		b.mu.Unlock()
		if last {
			_ = b.engine.store.flush(context.WithoutCancel(b.ctx))
		}
	}()
}

// AddTotal says that so many more addresses will be asked for than the list is long.
func (b *Batch) AddTotal(addresses int) { b.meter.AddTotal(addresses) }

// canonical gives equal questions one form.
func (q Question) canonical() Question {
	q.Addr = q.Addr.Unmap().WithZone("")
	if q.Source == "" {
		q.Source = Auto
	}
	return q
}

// Ready waits until it is known whether the services can be asked at all. An error means that no question of the
// batch will be answered, because the key is refused or its plan too low for the source that was named.
func (b *Batch) Ready(ctx context.Context) error {
	select {
	case <-b.ready:
		return b.readyErr
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Answer waits for the answer to a question that was asked. It fails only where the context ends, or the batch's.
func (b *Batch) Answer(ctx context.Context, q Question) (Answer, error) {
	q = q.canonical()
	b.mu.Lock()
	it := b.items[q]
	b.mu.Unlock()
	if it == nil {
		b.Add(q)
		return b.Answer(ctx, q)
	}
	select {
	case <-it.answered:
	case <-ctx.Done():
		return Answer{}, ctx.Err()
	case <-b.ctx.Done():
		return Answer{}, b.ctx.Err()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	// Who takes an answer that others have taken must not let go of the question that they have asked anew since.
	if it.asked--; it.asked <= 0 && b.items[q] == it {
		delete(b.items, q)
	}
	return it.answer, nil
}

// settle answers a question. The answer's text, as large as all that was read of it, goes only to who asks for it.
func (b *Batch) settle(q Question, answer Answer) {
	if answer.Host != nil && answer.Host.Raw != nil && !q.Raw {
		host := *answer.Host // others may have asked for it
		host.Raw = nil
		answer.Host = &host
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if it := b.items[q]; it != nil {
		it.answer = answer
		close(it.answered)
		b.meter.count(b, q, answer)
	}
}

// fail answers a question with what went wrong.
func (b *Batch) fail(q Question, source Source, err error) {
	b.settle(q, Answer{Status: Failed, Source: source, Error: err.Error(), failure: err})
}

// setReady says that the services can be asked, or why not. Only the first call counts.
func (b *Batch) setReady(err error) {
	b.readied.Do(func() {
		b.readyErr = err
		close(b.ready)
	})
}

// run answers questions: from the dataset, from what is known of reserved addresses, from the cache, and then from the
// services.
func (b *Batch) run(questions []Question) {
	defer b.setReady(nil)
	if !slices.ContainsFunc(questions, func(q Question) bool { return b.source(q) == Shodan }) {
		b.setReady(nil) // there is no key to be refused
	}
	for chunk := range slices.Chunk(questions, chunkSize) {
		if b.ctx.Err() != nil {
			return
		}
		var free []Question
		paid := map[shodan.HostOptions][]Question{}
		for _, q := range b.withoutReserved(b.withoutDataset(chunk)) {
			if b.source(q) == InternetDB {
				free = append(free, q)
			} else {
				paid[q.options()] = append(paid[q.options()], q)
			}
		}
		b.askInternetDB(free)
		for _, alike := range paid { // of what is asked in different ways no request can ask both
			b.askREST(b.withoutCached(b.engine.rest, alike))
		}
	}
}

// source chooses whom to ask, the dataset aside.
func (b *Batch) source(q Question) Source {
	e := b.engine
	if named := b.named(q); named != Auto {
		return named
	}
	switch {
	case q.RequireBanners && e.rest == nil:
		return Dataset
	case q.RequireBanners:
		return Shodan
	case q.SkipREST || e.rest == nil || b.size > e.cfg.APILookupLimit:
		return InternetDB
	}
	if b.refused() != nil {
		return InternetDB
	}
	return Shodan
}

// named returns the one source that a question is for, by the query or by the connection, or Auto.
func (b *Batch) named(q Question) Source {
	if q.Source != Auto {
		return q.Source
	}
	return b.engine.cfg.Source
}

// withoutDataset answers what the dataset has, and returns the rest.
func (b *Batch) withoutDataset(questions []Question) []Question {
	addrs := map[bool][]netip.Addr{} // by whether the history is asked for
	for _, q := range questions {
		if b.mayUseDataset(q) {
			addrs[q.History] = append(addrs[q.History], q.Addr)
		}
	}
	if len(addrs) == 0 {
		return questions
	}
	data, err := b.engine.Dataset(b.ctx)
	hosts := map[bool]map[netip.Addr]*shodan.Host{}
	for history, list := range addrs {
		if err == nil {
			hosts[history], err = data.Hosts(b.ctx, list, history)
		}
	}
	var rest []Question
	for _, q := range questions {
		host := hosts[q.History][q.Addr]
		switch {
		case !b.mayUseDataset(q):
			rest = append(rest, q)
		case err != nil:
			b.fail(q, Dataset, err)
		case host != nil:
			b.settle(q, Answer{Status: Indexed, Source: Dataset, Host: host})
		default:
			rest = append(rest, q)
		}
	}
	return rest
}

// mayUseDataset reports whether the dataset is among what a question may be answered from.
func (b *Batch) mayUseDataset(q Question) bool {
	named := b.named(q)
	return b.engine.dataset != nil && (named == Auto || named == Dataset)
}

// withoutReserved answers what no service needs to be asked, and returns the rest.
func (b *Batch) withoutReserved(questions []Question) []Question {
	var rest []Question
	for _, q := range questions {
		switch {
		case IsReserved(q.Addr):
			b.settle(q, Answer{Status: Reserved})
		case b.source(q) == Dataset:
			b.settle(q, Answer{Status: NotIndexed, Source: Dataset})
		default:
			rest = append(rest, q)
		}
	}
	return rest
}

// whole asks for all but the history. Such an answer has the summary too.
var whole shodan.HostOptions

// mayTakeWhole reports whether more than was asked for will do. Who wants the answer itself wants no other.
func (q Question) mayTakeWhole() bool { return q.options().Minify && !q.Raw }

// withoutCached answers what the cache has, and returns the rest. It also learns of a ban there.
func (b *Batch) withoutCached(s *service, questions []Question) []Question {
	if len(questions) == 0 {
		return nil
	}
	asked := make([]cache.Key, len(questions))
	for i, q := range questions {
		asked[i] = s.key(q.Addr, q.options())
	}
	b.announce(s, asked)
	keys := make([]cache.Key, 0, len(questions)+1)
	for i, q := range questions {
		keys = append(keys, asked[i])
		if full := s.key(q.Addr, whole); q.mayTakeWhole() && full != asked[i] {
			keys = append(keys, full)
		}
	}
	kept := b.engine.cachedHosts(b.ctx, append(keys, s.banKey()), s.banKey())
	s.heedBan(kept)
	var missing []Question
	for i, q := range questions {
		entry, ok := kept[s.key(q.Addr, whole)]
		if !ok || !q.mayTakeWhole() {
			entry, ok = kept[asked[i]]
		}
		if ok {
			if o, readable := s.read(q.Addr, entry); readable {
				b.meter.cached.Add(1)
				answer := o.answer(s.source)
				answer.fromCache = true
				b.settle(q, answer)
				b.withdraw(s, asked[i])
				continue
			}
		}
		missing = append(missing, q)
	}
	b.engine.store.store.Count(int64(len(questions)-len(missing)), int64(len(missing)))
	return missing
}
