package lookup

import (
	"errors"
	"net/netip"
	"slices"
	"sync"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/dataset"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/upstream"
)

// chunkSize is how many questions are looked up in the dataset and the cache at once: enough that their round trips do
// not count, few enough that the first requests are sent at once and a long list is not all in memory.
const chunkSize = 500

// lookup answers questions: from the dataset, from what is known of reserved addresses, from the cache, and then from
// the services.
func (b *Batch) lookup(questions []Question) {
	var requesting sync.WaitGroup
	defer func() {
		requesting.Wait()
		b.setReady(nil)
	}()
	if !slices.ContainsFunc(questions, func(q Question) bool {
		source := b.source(q)
		return source == Shodan || source == InternetDB && b.engine.file != nil
	}) {
		b.setReady(nil) // there is no key to be refused, and no file that cannot be used
	}
	probing := false // whether the first chunk finds out if the key may be used
	for chunk := range slices.Chunk(questions, chunkSize) {
		if probing {
			_ = b.Ready(b.ctx)
		}
		if b.window.Acquire(b.ctx, int64(len(chunk))) != nil {
			return
		}
		forms := map[requestForm][]Question{} // no request can be for questions of more than one form
		for _, q := range b.withoutReserved(b.withoutDataset(chunk)) {
			form := b.form(q)
			forms[form] = append(forms[form], q)
		}
		for form, alike := range forms {
			probing = probing || form.source == Shodan
			requesting.Add(1)
			b.spawn(func() {
				defer requesting.Done()
				b.request(form, alike)
			})
		}
	}
}

// A datasetForm is what of a host is read from the dataset.
type datasetForm struct{ texts, history bool }

func datasetFormOf(q Question) datasetForm {
	return datasetForm{texts: q.Banners || q.Raw || q.History, history: q.History}
}

// withoutDataset answers the questions whose address the dataset has, and returns the rest.
func (b *Batch) withoutDataset(questions []Question) []Question {
	addrs := map[datasetForm][]netip.Addr{}
	for _, q := range questions {
		if b.mayUseDataset(q) {
			form := datasetFormOf(q)
			addrs[form] = append(addrs[form], q.Addr)
		}
	}
	if len(addrs) == 0 {
		return questions
	}
	data, err := b.engine.Dataset(b.ctx)
	hosts, withoutPast := map[datasetForm]map[netip.Addr]*shodan.Host{}, map[netip.Addr]*shodan.Host{}
	for form, list := range addrs {
		switch {
		case err != nil:
		case form.texts:
			hosts[form], err = data.Hosts(b.ctx, list, form.history)
		default:
			hosts[form], err = data.Summaries(b.ctx, list)
		}
		if list = without(list, hosts[form]); err == nil && form.history && len(list) > 0 {
			withoutPast, err = data.Hosts(b.ctx, list, false)
		}
	}
	var rest []Question
	for _, q := range questions {
		host := hosts[datasetFormOf(q)][q.Addr]
		if host == nil && b.source(q) != Shodan { // no other source has a past
			host = withoutPast[q.Addr]
		}
		switch {
		case !b.mayUseDataset(q):
			rest = append(rest, q)
		case err != nil:
			b.fail(q, Dataset, err)
		case host != nil && (host.Banners != nil || !q.RequireBanners):
			b.resolve(q, Answer{Status: Indexed, Source: Dataset, Host: host})
		default:
			rest = append(rest, q)
		}
	}
	if err != nil {
		return rest
	}
	return b.withoutUnreadable(data, rest)
}

// withoutUnreadable answers the questions about addresses of which the dataset has only records that cannot be read, and
// returns the rest. They are not looked up elsewhere, and "not_indexed" would say that the files do not have them.
func (b *Batch) withoutUnreadable(data *dataset.Dataset, questions []Question) []Question {
	isLast := func(q Question) bool { return b.mayUseDataset(q) && b.source(q) == Dataset }
	var addrs []netip.Addr
	for _, q := range questions {
		if isLast(q) {
			addrs = append(addrs, q.Addr)
		}
	}
	if len(addrs) == 0 {
		return questions
	}
	reasons, err := data.Unreadable(b.ctx, addrs)
	var rest []Question
	for _, q := range questions {
		reason := reasons[q.Addr]
		switch {
		case !isLast(q) || err == nil && reason == "":
			rest = append(rest, q)
		case err == nil:
			b.fail(q, Dataset, errors.New(reason))
		default:
			b.fail(q, Dataset, err)
		}
	}
	return rest
}

// without returns the addresses that hosts does not have.
func without(addrs []netip.Addr, hosts map[netip.Addr]*shodan.Host) []netip.Addr {
	return slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return hosts[a] != nil })
}

// withoutReserved answers the questions that need no request, and returns the rest. A file of InternetDB may have
// a reserved address, as a dataset may.
func (b *Batch) withoutReserved(questions []Question) []Question {
	var rest []Question
	for _, q := range questions {
		switch source := b.source(q); {
		case source == InternetDB && b.engine.file != nil:
			rest = append(rest, q)
		case IsReserved(q.Addr):
			b.resolve(q, Answer{Status: Reserved})
		case source == Dataset:
			b.resolve(q, Answer{Status: NotIndexed, Source: Dataset})
		default:
			rest = append(rest, q)
		}
	}
	return rest
}

// A requestForm is what the questions of one request have in common.
type requestForm struct {
	source  Source // InternetDB or Shodan
	options shodan.HostOptions
	orWhole bool // a response with the banners will do as well
}

// form returns how a question is requested. Raw questions need their own response.
func (b *Batch) form(q Question) requestForm {
	if b.source(q) == InternetDB {
		return requestForm{source: InternetDB}
	}
	options := shodan.HostOptions{Minify: q.Minify || !q.Banners && !q.Facts && !q.History, History: q.History}
	return requestForm{source: Shodan, options: options, orWhole: options.Minify && !q.Raw}
}

// request answers questions from a service. Those that the plan of the REST API's key does not allow are refused.
func (b *Batch) request(form requestForm, questions []Question) {
	if form.source == InternetDB && b.engine.file != nil {
		b.readFile(questions)
		return
	}
	client, how := b.engine.internetDB, upstream.Hosts{}
	if form.source == Shodan {
		client = b.engine.rest
		how = upstream.Hosts{Options: form.options, OrWhole: form.orWhole, Refused: b.refused, Ready: b.setReady}
		defer b.setReady(nil)
	}
	addrs := make([]netip.Addr, len(questions))
	for i, q := range questions {
		addrs[i] = q.Addr
	}
	client.Hosts(b.ctx, addrs, how, func(results []upstream.Result) {
		var refused []Question
		var refusal error
		for _, r := range results {
			if q := questions[r.Index]; upstream.IsRefusal(r.Err) {
				refused, refusal = append(refused, q), r.Err
			} else {
				a := b.answer(form.source, r)
				if a.Status == Failed && b.ctx.Err() == nil {
					b.engine.recordFailure(q.Addr, a.Source, a.failure)
				}
				b.resolve(q, a)
			}
		}
		if len(refused) > 0 {
			b.refuse(refused, refusal)
		}
	})
}

// refused returns why the REST API is not used, or nil.
func (b *Batch) refused() error {
	if refusal := b.engine.rest.Refusal(); refusal != nil {
		return refusal
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.refusal
}

// refuse handles questions that the key's plan does not allow: where their source was named the query fails, the others
// go to InternetDB.
func (b *Batch) refuse(questions []Question, refusal error) {
	if !b.engine.rest.Allowed() {
		b.mu.Lock()
		b.refusal = refusal
		b.mu.Unlock()
	}
	var rest []Question
	for _, q := range questions {
		if b.named(q) == Auto && !q.RequireBanners {
			rest = append(rest, q)
			continue
		}
		b.setReady(refusal)
		b.fail(q, Shodan, refusal)
	}
	b.setReady(nil)
	if len(rest) > 0 {
		b.spawn(func() { b.request(requestForm{source: InternetDB}, rest) })
	}
}

// answer makes an answer of a result, and counts it if it comes from the cache.
func (b *Batch) answer(source Source, r upstream.Result) Answer {
	a := Answer{Status: Indexed, Source: source, CheckedAt: r.CheckedAt, FreshUntil: r.FreshUntil, fromCache: r.FromCache}
	switch {
	case shodan.IsKind(r.Err, shodan.NotFound):
		a.Status = NotIndexed
	case r.Err != nil:
		a.fail(r.Err)
	default:
		a.Host = r.Value.(*shodan.Host)
	}
	if a.fromCache {
		b.progress.cached.Add(1)
	}
	return a
}
