// Package pgerror words the errors of PostgreSQL for people, without what pgx says about its steps.
package pgerror

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// CodeNoRight is PostgreSQL's code where the role lacks a right.
const CodeNoRight = "42501"

// codeInvalidPassword is PostgreSQL's code of a wrong or missing password.
const codeInvalidPassword = "28P01"

// Reason returns the innermost reason of an error in one line. It has no password.
func Reason(err error) error {
	var server *pgconn.PgError
	if errors.As(err, &server) {
		if server.Code == codeInvalidPassword {
			return errors.New(server.Message + ": set the password in PGPASSWORD or in ~/.pgpass")
		}
		return errors.New(Message(server))
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

// Message returns the message of the server with its details.
func Message(e *pgconn.PgError) string {
	text := e.Message
	for _, more := range []string{e.Detail, e.Hint} {
		if more != "" {
			text += ": " + more
		}
	}
	return text
}
