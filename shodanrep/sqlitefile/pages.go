package sqlitefile

// Pages are the pages of a file, as SQLite knows them without a look at any row.
type Pages struct{ Size, Count, Free int64 }

// Used returns how many bytes the pages in use take up.
func (p Pages) Used() int64 { return (p.Count - p.Free) * p.Size }

// Pages returns the pages of the file.
func (c *Conn) Pages() (p Pages, err error) {
	for _, q := range []struct {
		pragma string
		to     *int64
	}{{"PRAGMA page_size", &p.Size}, {"PRAGMA page_count", &p.Count}, {"PRAGMA freelist_count", &p.Free}} {
		if *q.to, err = c.Number(q.pragma); err != nil {
			return p, err
		}
	}
	return p, nil
}
