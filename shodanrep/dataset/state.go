package dataset

import (
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// state is what a Dataset knew of its files at one moment. It is replaced, and never changed but for lacksRows.
type state struct {
	index     *index // that has the files
	files     []match
	paths     map[string]bool // of the files that count
	ids       map[int64]bool  // of the files in the index, to report each one's bad records once
	stats     Stats
	omissions Omissions
	checked   time.Time   // when the index was last compared with files
	lacksRows atomic.Bool // see errRowsDeleted
}

// newState returns what an update has found. Foreign says why the files without a banner are left out, by path.
func newState(u update, foreign map[string]string) *state {
	s := &state{paths: make(map[string]bool, len(u.within)), ids: make(map[int64]bool, len(u.entries))}
	for _, m := range u.within {
		s.paths[m.path] = true // also of one without banners: its records may name addresses
	}
	for _, e := range u.entries {
		s.ids[e.id] = true
		if e.banners == 0 {
			s.omissions.Foreign = append(s.omissions.Foreign, foreign[e.path])
			continue
		}
		s.stats.Files++
		s.stats.Banners += e.banners
		if s.stats.BadRecords += e.badLines; e.badLines > 0 && s.omissions.FirstBad == "" {
			s.omissions.FirstBad = fmt.Sprintf("%s, line %d: %s", e.path, e.badLine, e.badReason)
		}
	}
	for _, m := range u.outside {
		s.omissions.LeftOut = append(s.omissions.LeftOut, m.path)
	}
	return s
}

// logState logs what an update has read, and warns of what it left out, unless the state before left that out too.
func (d *Dataset) logState(s, old *state, u update) {
	for _, reason := range s.omissions.Foreign {
		if !slices.Contains(old.omissions.Foreign, reason) {
			d.logger.Warn("a file without a banner is left out of the data files of its pattern or folder", "reason", reason)
		}
	}
	for _, e := range u.entries {
		if e.banners > 0 && e.badLines > 0 && !old.ids[e.id] {
			d.logger.Warn("a data file has records that cannot be read; they are left out",
				"file", e.path, "records", e.badLines, "line", e.badLine, "reason", e.badReason)
		}
	}
	if left := s.omissions.LeftOut; len(left) > len(old.omissions.LeftOut) {
		d.logger.Warn("data files are left out, because their newest banner is older than the newest of their pattern or folder by more than data_window; name a file itself to keep it",
			"files", len(left), "first", left[0], "data_window", d.window)
	}
	if u.read > 0 {
		d.logger.Info("read the data files", "files", u.read, "hosts", s.stats.Hosts, "took", s.stats.ReadTime.Round(time.Millisecond))
	}
}
