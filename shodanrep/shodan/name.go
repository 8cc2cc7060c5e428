package shodan

import (
	"fmt"
	"net/netip"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// lookupForm converts a name to ASCII as browsers do before a lookup. Unlike browsers it allows hyphens in any place,
// which names of content networks have, and underscores.
var lookupForm = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.CheckHyphens(false), idna.VerifyDNSLength(true))

// HostName returns the name of a host or a domain in the form for requests: in ASCII, in lower case, and without a dot
// at the end. It returns an error for any other text, which could change the request: a comma separates names, and a
// slash changes the path.
func HostName(text string) (string, error) {
	trimmed := strings.TrimSpace(text)
	if _, err := netip.ParseAddr(strings.Trim(trimmed, "[]")); err == nil {
		return "", fmt.Errorf("%q is an IP address, not the name of a host", text)
	}
	name, err := lookupForm.ToASCII(strings.TrimSuffix(trimmed, "."))
	last := name[strings.LastIndexByte(name, '.')+1:]
	// A text that ends in a number is an unusual or incomplete address.
	if err != nil || !utf8.ValidString(text) || strings.Trim(last, "0123456789") == "" || strings.ContainsFunc(name, isForeign) {
		return "", fmt.Errorf("%q is not the name of a host: write it like www.example.com", text)
	}
	return name, nil
}

// isForeign reports whether a character cannot be in the ASCII form of a name.
func isForeign(r rune) bool {
	return r != '-' && r != '_' && r != '.' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
}
