// Package pluralize takes the place of github.com/gertd/go-pluralize, with the functions that the plugin SDK calls.
//
// The SDK makes a client for each scan and for each value of a list, to write a line of its log. That of the library
// compiles a hundred regular expressions, which takes 0.7 ms, longer than a lookup from the cache.
package pluralize

import (
	"strconv"
	"strings"
)

// A Client knows the plurals of the words of the SDK's log.
type Client struct{}

// NewClient returns a client.
func NewClient() *Client { return &Client{} }

// Pluralize returns a singular noun in the form for a number of things, after the number if that is included.
func (*Client) Pluralize(word string, count int, inclusive bool) string {
	if stem, ok := strings.CutSuffix(word, "y"); ok && count != 1 {
		word = stem + "ies"
	} else if count != 1 {
		word += "s"
	}
	if inclusive {
		return strconv.Itoa(count) + " " + word
	}
	return word
}
