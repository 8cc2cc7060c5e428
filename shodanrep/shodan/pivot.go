package shodan

import "strings"

// A Pivot is a property that related hosts share.
type Pivot string

// The pivots.
const (
	SubjectCN         Pivot = "subject_cn"         // the common name of a certificate
	FingerprintSHA256 Pivot = "fingerprint_sha256" // a certificate itself
	JARM              Pivot = "jarm"               // how a TLS server answers ten handshakes
	JA3S              Pivot = "ja3s"               // how a TLS server answers one
	Organization      Pivot = "organization"
	ASN               Pivot = "asn"
)

// Pivots lists the pivots.
func Pivots() []Pivot {
	return []Pivot{SubjectCN, FingerprintSHA256, JARM, JA3S, Organization, ASN}
}

// Value returns the banner's value of the pivot, or "" where it has none.
func (p Pivot) Value(b *Banner) string {
	switch p {
	case Organization:
		return string(b.Organization)
	case ASN:
		return string(b.ASN)
	}
	if b.SSL == nil {
		return ""
	}
	switch p {
	case SubjectCN:
		return string(b.SSL.Cert.Subject["CN"])
	case FingerprintSHA256:
		return string(b.SSL.Cert.Fingerprint.SHA256)
	case JARM:
		return string(b.SSL.JARM)
	case JA3S:
		return string(b.SSL.JA3S)
	}
	return ""
}

// Matches reports whether the banner shares the value. Names and hexadecimal digits count the same in both cases; a
// search also finds banners that only contain the value's words, and those do not share it.
func (p Pivot) Matches(b *Banner, value string) bool {
	own := p.Value(b)
	return own != "" && strings.EqualFold(own, value)
}
