package lookup

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/cache"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/internetdbfile"
)

// NewInternetDBFile makes the file of InternetDB that a configuration names, or nil if it names none.
func NewInternetDBFile(cfg Config) *internetdbfile.File {
	if cfg.InternetDBFile == "" {
		return nil
	}
	dir := cache.Dir(cfg.Cache)
	if dir == "" {
		// A copy of tens of gigabytes is not made again by every process whose cache is in memory.
		dir = cache.Dir("on")
	}
	return internetdbfile.New(internetdbfile.Options{
		Path: cfg.InternetDBFile, Dir: dir, Logger: cfg.Logger,
		OnUnpack: func(ctx context.Context, u internetdbfile.Unpacking) {
			if progress := ProgressFrom(ctx); progress != nil {
				progress.setUnpacking(u)
			}
		},
	})
}

// wrapFileError says that an error is about the argument internetdb_file.
func wrapFileError(err error) error { return fmt.Errorf("internetdb_file: %w", err) }

// readFile answers questions from the file of InternetDB. If that cannot be used, no question for InternetDB can be
// answered.
func (b *Batch) readFile(questions []Question) {
	addrs := make([]netip.Addr, len(questions))
	for i, q := range questions {
		addrs[i] = q.Addr
	}
	results, at, err := b.engine.file.Hosts(b.ctx, addrs)
	if err != nil {
		err = wrapFileError(err)
		b.setReady(err)
		for _, q := range questions {
			b.fail(q, InternetDB, err)
		}
		return
	}
	b.setReady(nil)
	for i, q := range questions {
		b.resolve(q, fileAnswer(q.Addr, results[i], at))
	}
}

// UsesFile reports whether a question is answered from the file of InternetDB, and by nothing else: see [Batch.ReadFile].
func (b *Batch) UsesFile(q Question) bool {
	q = q.canonical()
	return b.engine.file != nil && b.source(q) == InternetDB && !b.mayUseDataset(q)
}

// FileRows are what the file of InternetDB has of some addresses. They become answers when they are needed, because
// answers take much more memory.
type FileRows struct {
	batch *Batch
	rows  *internetdbfile.Rows
}

// ReadFile reads what the file of InternetDB has of addresses, whose questions UsesFile is true for. It is for long lists:
// it needs no memory for questions that wait for their answers. An error is about all of them.
func (b *Batch) ReadFile(ctx context.Context, addrs []netip.Addr) (*FileRows, error) {
	given := addrs
	for i, addr := range given {
		if canonical := addr.Unmap().WithZone(""); canonical != addr {
			if &addrs[0] == &given[0] {
				addrs = slices.Clone(given) // the caller's stay as they are
			}
			addrs[i] = canonical
		}
	}
	rows, err := b.engine.file.Rows(ctx, addrs)
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, wrapFileError(err)
	}
	return &FileRows{b, rows}, nil
}

// FileMemory is where answers from the file of InternetDB are. The zero value is ready to use.
type FileMemory struct {
	rows    internetdbfile.Memory
	answers []Answer
}

// Reset frees the memory for other answers. Those that are in it must not be used any more.
func (m *FileMemory) Reset() {
	m.rows.Reset()
	clear(m.answers)
	m.answers = m.answers[:0]
}

// Answers answers questions about the addresses from an index on. The answers are in m. Each question must be answered
// once: the answers are counted.
func (r *FileRows) Answers(first int, questions []Question, m *FileMemory) []Answer {
	begin := len(m.answers)
	m.answers = slices.Grow(m.answers, len(questions))
	for i, q := range questions {
		addr := q.canonical().Addr
		m.answers = append(m.answers, fileAnswer(addr, r.rows.Result(first+i, addr, &m.rows), r.rows.Time))
	}
	answers := m.answers[begin:]
	r.batch.progress.countAll(r.batch, questions, answers)
	return answers
}

// fileAnswer makes an answer of what a file of some time has of an address. Only one that it does not have is reserved.
func fileAnswer(addr netip.Addr, r internetdbfile.Result, at time.Time) Answer {
	a := Answer{Status: Indexed, Source: InternetDB, Host: r.Host, CheckedAt: at, fromFile: true}
	switch {
	case r.IsMissing && IsReserved(addr):
		return Answer{Status: Reserved}
	case r.Err != nil:
		a.fail(wrapFileError(r.Err))
	case r.IsMissing:
		a.Status = NotIndexed
	}
	return a
}
