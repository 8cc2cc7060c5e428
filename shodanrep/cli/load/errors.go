package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// Codes of PostgreSQL's errors.
const (
	codeInvalidPassword  = "28P01"
	codeNoRight          = "42501"
	codeReadOnly         = "25006"
	codeNoSchema         = "3F000"
	classConnection      = "08"
	classServerShutsDown = "57P"
)

// A LostError says that the connection to the server ended.
type LostError struct{ reason string }

func (e LostError) Error() string {
	return "the connection to PostgreSQL was lost (" + e.reason + "): rows that are written stay, so run the same command again to continue"
}

// explain returns an error of PostgreSQL with what to do about it. Errors of pgx about a connection repeat the reason
// for each address of the host; one is enough.
func (d Database) explain(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	var connecting *pgconn.ConnectError
	if errors.As(err, &connecting) {
		return fmt.Errorf("cannot connect to PostgreSQL on %s, database %s, as %s: %w", d.server(), d.config.Database, d.config.User, reason(err))
	}
	var server *pgconn.PgError
	if errors.As(err, &server) {
		switch {
		case strings.HasPrefix(server.Code, classConnection), strings.HasPrefix(server.Code, classServerShutsDown):
			return LostError{server.Message}
		case server.Code == codeNoRight:
			return fmt.Errorf("PostgreSQL: %s: ask the owner for that right of the role %s", server.Message, d.config.User)
		case server.Code == codeReadOnly:
			return fmt.Errorf("PostgreSQL: %s: connect to the primary server, where rows can be written", server.Message)
		}
		return fmt.Errorf("PostgreSQL: %s", messageOf(server))
	}
	if isLost(err) {
		return LostError{reason(err).Error()}
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

// reason returns the innermost reason, without what pgx says about its steps.
func reason(err error) error {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		if server.Code == codeInvalidPassword {
			return errors.New(server.Message + ": set the password in PGPASSWORD or in ~/.pgpass")
		}
		return errors.New(messageOf(server))
	}
	var step *net.OpError
	if errors.As(err, &step) {
		return step
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the server closed the connection")
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return errors.New("no response in time")
	}
	var name *net.DNSError
	if errors.As(err, &name) {
		return name
	}
	// Of an error about several addresses, the first line says only what was tried.
	lines := strings.Split(strings.TrimSpace(err.Error()), "\n")
	if text := strings.TrimSpace(lines[0]); len(lines) == 1 || !strings.HasSuffix(text, ":") {
		return errors.New(text)
	}
	return errors.New(strings.TrimSpace(lines[1]))
}

// messageOf returns the message of the server with its details.
func messageOf(e *pgconn.PgError) string {
	text := e.Message
	for _, more := range []string{e.Detail, e.Hint} {
		if more != "" {
			text += ": " + more
		}
	}
	return text
}
