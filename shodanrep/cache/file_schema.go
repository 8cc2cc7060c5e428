package cache

const (
	applicationID = 0x53524570 // "SREp"
	schemaVersion = 1
)

// schema makes the tables. Rows of answer stand in the order they were put, so that the oldest, which are deleted first,
// share their pages, and whole pages become free. answer_age serves that, the pruning and the statistics without a look
// at the rows.
const schema = `
CREATE TABLE answer (
	id INTEGER PRIMARY KEY,
	subject TEXT NOT NULL,
	service TEXT NOT NULL,
	asked TEXT NOT NULL,
	checked_at INTEGER NOT NULL, -- microseconds since 1970, as is expires
	expires INTEGER NOT NULL,
	body BLOB                    -- NULL where the service has nothing indexed
) STRICT;
CREATE UNIQUE INDEX answer_key ON answer (subject, service, asked);
CREATE INDEX answer_age ON answer (checked_at, expires);
CREATE TABLE count (hits INTEGER NOT NULL, misses INTEGER NOT NULL) STRICT;
INSERT INTO count VALUES (0, 0);
`
