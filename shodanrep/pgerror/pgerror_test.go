package pgerror

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestReason(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"of the server":  {fmt.Errorf("x: %w", &pgconn.PgError{Message: "relation does not exist", Detail: "d", Hint: "h"}), "relation does not exist: d: h"},
		"of a password":  {&pgconn.PgError{Code: codeInvalidPassword, Message: "wrong"}, "wrong: set the password in PGPASSWORD or in ~/.pgpass"},
		"of the network": {fmt.Errorf("failed to connect to `user=u`:\n\t127.0.0.1:1: %w", dial), "dial tcp: connection refused"},
		"of an end":      {fmt.Errorf("receive: %w", io.ErrUnexpectedEOF), "the server closed the connection"},
		"of a timeout":   {fmt.Errorf("begin: %w", context.DeadlineExceeded), "no response in time"},
		"of a missing name": {fmt.Errorf("failed to connect to `user=a database=b`:\n\thostname resolving error: %w",
			&net.DNSError{Err: "no such host", Name: "db.invalid"}), "lookup db.invalid: no such host"},
		"of a certificate":   {errors.New("failed to connect to `user=a database=b`:\n\t127.0.0.1:1: tls error: bad certificate\n\t[::1]:1: the same"), "127.0.0.1:1: tls error: bad certificate"},
		"of two lines":       {errors.New("one line\nanother"), "one line"},
		"of a name":          {fmt.Errorf("x: %w", &net.DNSError{Err: "no such host", Name: "db"}), "lookup db: no such host"},
		"of several servers": {errors.New("failed to connect to `user=u`:\n\t127.0.0.1:1: a\n\t127.0.0.1:2: b"), "127.0.0.1:1: a"},
		"of another kind":    {errors.New("its tables were made by a newer version"), "its tables were made by a newer version"},
	} {
		if got := Reason(tt.err).Error(); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
