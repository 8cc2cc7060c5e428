package embedded

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// rpcPrefix is what gRPC adds to the message of an error.
var rpcPrefix = regexp.MustCompile(`rpc error: code = \w+ desc = `)

// cleanMessage returns the message of the plugin, without the prefixes of gRPC and, for the given connections, of the
// SDK.
func cleanMessage(message string, connections ...string) string {
	message = strings.TrimSpace(rpcPrefix.ReplaceAllString(message, ""))
	for _, name := range connections {
		message = strings.TrimPrefix(message, name+": ")
	}
	return strings.TrimSpace(message)
}

// sqlError returns an error of SQLite without its prefixes, and with the position of a syntax error.
func sqlError(err error) error {
	var coded *sqlite3.Error
	if !errors.As(err, &coded) {
		return err
	}
	message := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "sqlite3: "), "SQL logic error: ")
	if strings.Contains(message, "syntax error") && coded.SQL() != "" {
		message += fmt.Sprintf(", at: %.60s", strings.Join(strings.Fields(coded.SQL()), " "))
	}
	return errors.New(message)
}
