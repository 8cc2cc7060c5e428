package lookup

import "github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"

// awaited is a question that queries have looked for in the cache, in vain, and will ask when its turn comes. What one
// of them is answered meanwhile is kept for the others: they would not look into the cache again.
type awaited struct {
	askers int
	landed *flight // nil until one of them has an answer
}

// announce says that the keys will be asked, once for each time that they are announced, where the cache does not have
// them. It comes before the look into the cache, so that no answer falls in between.
func (f *flights) announce(keys []cache.Key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.awaited == nil {
		f.awaited = map[cache.Key]*awaited{}
	}
	for _, key := range keys {
		if f.awaited[key] == nil {
			f.awaited[key] = &awaited{}
		}
		f.awaited[key].askers++
	}
}

// withdraw takes one announcement of a key back, because it was asked or need not be.
func (f *flights) withdraw(key cache.Key) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if a := f.awaited[key]; a.askers > 1 {
		a.askers--
	} else {
		delete(f.awaited, key)
	}
}

// An announcement is a question that this batch will ask a service, see flights.announce.
type announcement struct {
	service *service
	key     cache.Key
}

// announce says which questions will be asked where the cache does not have them.
func (b *Batch) announce(s *service, keys []cache.Key) {
	s.announce(keys)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		b.announced[announcement{s, key}]++
	}
}

// withdraw says that a question has been asked or need not be.
func (b *Batch) withdraw(s *service, key cache.Key) {
	b.mu.Lock()
	a := announcement{s, key}
	n := b.announced[a]
	if n > 1 {
		b.announced[a]--
	} else {
		delete(b.announced, a)
	}
	b.mu.Unlock()
	if n > 0 {
		s.withdraw(key)
	}
}

// withdrawAll withdraws what is left when nothing more will be asked: the batch was cancelled, or the rest could not be
// asked. The caller holds the lock.
func (b *Batch) withdrawAll() {
	for a, n := range b.announced {
		for range n {
			a.service.withdraw(a.key)
		}
	}
	clear(b.announced)
}
