// Package pgtext writes texts of any language to databases of any encoding.
package pgtext

import (
	"bytes"
	"context"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// UseUTF8 has the connections of a configuration send and receive UTF-8, as pgx does in any case. By default the encoding
// is the one of the database or of the role, and the server would take the bytes for other characters.
func UseUTF8(config *pgx.ConnConfig) { config.RuntimeParams["client_encoding"] = "UTF8" }

// anyBytes is the encoding of a database that does not check its texts.
const anyBytes = "SQL_ASCII"

// AllowAnyBytes lets a connection read the texts of a database that does not check them. The server would refuse to send
// those that are not UTF-8.
func AllowAnyBytes(ctx context.Context, conn *pgx.Conn) error {
	if serverEncoding(conn) != anyBytes {
		return nil
	}
	_, err := conn.Exec(ctx, "set client_encoding to "+anyBytes)
	return err
}

// An Encoding is the encoding of a database. The zero value can hold all characters.
type Encoding struct{ limited bool }

// Of returns the encoding of the database of a connection.
func Of(conn *pgx.Conn) Encoding { return named(serverEncoding(conn)) }

// serverEncoding returns the name of an encoding, or nothing if a proxy leaves it out.
func serverEncoding(conn *pgx.Conn) string { return conn.PgConn().ParameterStatus("server_encoding") }

func named(name string) Encoding {
	return Encoding{limited: name != "" && name != "UTF8" && name != anyBytes}
}

// Text returns a text that the database can hold. An encoding such as LATIN1 lacks most characters, and the server
// refuses them: those that are not in ASCII, which all encodings have, become question marks.
func (e Encoding) Text(text string) string {
	if !e.limited {
		return text
	}
	return strings.Map(onlyASCII, text)
}

// Texts returns texts that the database can hold.
func (e Encoding) Texts(texts []string) []string {
	if !e.limited || texts == nil {
		return texts
	}
	held := make([]string, len(texts))
	for i, text := range texts {
		held[i] = e.Text(text)
	}
	return held
}

// JSON returns JSON that the database can hold.
func (e Encoding) JSON(text []byte) []byte {
	if !e.limited {
		return text
	}
	return bytes.Map(onlyASCII, text)
}

func onlyASCII(r rune) rune {
	if r < utf8.RuneSelf {
		return r
	}
	return '?'
}
