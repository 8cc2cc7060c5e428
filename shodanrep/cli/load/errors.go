package load

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/pgerror"
)

// Codes of PostgreSQL's errors.
const (
	codeReadOnly         = "25006"
	codeNoSchema         = "3F000"
	classConnection      = "08"
	classServerShutsDown = "57P"
)

// A LostError says that the connection to the server ended.
type LostError struct{ reason string }

// Error implements error. It says what to do.
func (e LostError) Error() string {
	return "the connection to PostgreSQL was lost (" + e.reason + "): rows that are written stay, so run the same command again to continue"
}

// A lookupError is about the lookups of all addresses, such as a refused key, and not about the database.
type lookupError struct{ reason error }

// Error implements error.
func (e *lookupError) Error() string { return e.reason.Error() }

// Unwrap returns the error of the lookups.
func (e *lookupError) Unwrap() error { return e.reason }

// wrapError returns an error of PostgreSQL with what to do about it. Errors of pgx about a connection repeat the reason
// for each address of the host; one is enough.
func (d Database) wrapError(err error) error {
	var lookups *lookupError
	if err == nil || errors.Is(err, context.Canceled) || errors.As(err, &lookups) {
		return err
	}
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		return fmt.Errorf("cannot connect to PostgreSQL on %s, database %s, as %s: %w", d.server(), cmp.Or(d.config.Database, d.config.User), d.config.User, pgerror.Reason(err))
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch {
		case strings.HasPrefix(server.Code, classConnection), strings.HasPrefix(server.Code, classServerShutsDown):
			return LostError{server.Message}
		case server.Code == pgerror.CodeNoRight:
			return fmt.Errorf("PostgreSQL: %s: ask the owner for that right of the role %s", server.Message, d.config.User)
		case server.Code == codeReadOnly:
			return fmt.Errorf("PostgreSQL: %s: connect to the primary server, where rows can be written", server.Message)
		}
		return fmt.Errorf("PostgreSQL: %s", pgerror.Message(server))
	}
	if isLost(err) {
		return LostError{pgerror.Reason(err).Error()}
	}
	return err
}

// isLost reports whether an error is about the connection and not about what was sent.
func isLost(err error) bool {
	var network net.Error
	return errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) ||
		strings.Contains(err.Error(), "conn closed") // pgx has no value for it
}

// server returns the host and the port, or the folder of a socket.
func (d Database) server() string {
	if strings.HasPrefix(d.config.Host, "/") {
		return d.config.Host
	}
	return net.JoinHostPort(d.config.Host, fmt.Sprint(d.config.Port))
}
