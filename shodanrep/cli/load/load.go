// Package load writes verdicts into a table of PostgreSQL. Several processes share the work through a second table, the
// queue: a process claims addresses by locking their rows, so that a claim ends with its connection.
package load
