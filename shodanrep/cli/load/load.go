// Package load writes verdicts into a table of PostgreSQL. Several processes share the work through a second table, the
// queue: a process claims addresses by locking their rows, so that a claim ends with its connection.
//
// [Database.Load] in run.go is one load, and worker.go the work on one claim after the other.
package load
