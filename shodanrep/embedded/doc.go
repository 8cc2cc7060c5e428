// Package embedded serves the tables of a Steampipe plugin inside SQLite, with no database server and no cgo.
//
// Every table is a virtual table whose scans call the plugin through the SDK's own server, in this process: the same
// code path as Steampipe's. What SQLite knows of a query is passed down as Steampipe's foreign data wrapper would pass
// it: the values of key columns, a whole IN list as one batch, the columns that are used, a LIMIT where that is safe.
//
// The SDK writes its log through Go's standard logger and takes that logger over in every call. While a [DB] is open
// the standard logger's output is therefore the one of [Options].Logger.
package embedded
