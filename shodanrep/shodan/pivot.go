package shodan

import (
	"strconv"
	"strings"
)

// A Pivot is a property that related hosts share.
type Pivot string

// The pivots.
const (
	SubjectCN         Pivot = "subject_cn"         // the common name of a certificate
	FingerprintSHA256 Pivot = "fingerprint_sha256" // a certificate itself
	CertSerial        Pivot = "cert_serial"        // a certificate's serial number, in decimal digits
	JARM              Pivot = "jarm"               // how a TLS server answers ten handshakes
	JA3S              Pivot = "ja3s"               // how a TLS server answers one
	Favicon           Pivot = "favicon"            // the icon of a web site, as a hash
	HTTPHTML          Pivot = "http_html"          // a web page, as a hash
	BannerHash        Pivot = "banner_hash"        // what a service answers, as a hash
	SSHHostKey        Pivot = "ssh_host_key"       // the key of an SSH server, by its MD5 fingerprint
	HASSH             Pivot = "hassh"              // how an SSH server negotiates
	Organization      Pivot = "organization"
	ASN               Pivot = "asn"
)

// Pivots lists the pivots.
func Pivots() []Pivot {
	return append(Fingerprints(), SubjectCN, Organization, ASN)
}

// Fingerprints lists the pivots that are of the service itself, whoever it belongs to; the surest relation comes first.
func Fingerprints() []Pivot {
	return []Pivot{FingerprintSHA256, CertSerial, SSHHostKey, Favicon, HTTPHTML, BannerHash, JARM, JA3S, HASSH}
}

// IsNumber reports whether the pivot's values are whole numbers.
func (p Pivot) IsNumber() bool {
	switch p {
	case CertSerial, Favicon, HTTPHTML, BannerHash:
		return true
	}
	return false
}

// Value returns the banner's value of the pivot, or "" where it has none that relates it to another: the hash of nothing
// and the JARM of a server that answers no handshake are those of all that have nothing to show.
func (p Pivot) Value(b *Banner) string {
	switch p {
	case Organization:
		return string(b.Organization)
	case ASN:
		return string(b.ASN)
	case BannerHash:
		return hashValue(b.Hash)
	case Favicon, HTTPHTML:
		return p.ofPage(b.HTTP)
	case SSHHostKey, HASSH:
		return p.ofSSH(b.SSH)
	}
	return p.ofTLS(b.SSL)
}

func (p Pivot) ofPage(h *HTTP) string {
	switch {
	case h == nil:
		return ""
	case p == Favicon:
		return hashValue(h.Favicon.Hash)
	}
	return hashValue(h.HTMLHash)
}

func (p Pivot) ofSSH(s *SSH) string {
	switch {
	case s == nil:
		return ""
	case p == HASSH:
		return string(s.HASSH)
	}
	return string(s.Fingerprint)
}

func (p Pivot) ofTLS(s *SSL) string {
	if s == nil {
		return ""
	}
	switch p {
	case SubjectCN:
		return string(s.Cert.Subject["CN"])
	case FingerprintSHA256:
		return string(s.Cert.Fingerprint.SHA256)
	case CertSerial:
		// Some old answers have it rounded, as 4.99e+36: that is nobody's.
		if digits := string(s.Cert.Serial); strings.Trim(digits, "0123456789") == "" {
			return digits
		}
	case JARM:
		if strings.Trim(string(s.JARM), "0") != "" {
			return string(s.JARM)
		}
	case JA3S:
		return string(s.JA3S)
	}
	return ""
}

func hashValue(hash Null[int64]) string {
	if hash.V == 0 {
		return ""
	}
	return strconv.FormatInt(hash.V, 10)
}

// Matches reports whether the banner shares the value. Names and hexadecimal digits count the same in both cases; a
// search also finds banners that only contain the value's words, and those do not share it.
func (p Pivot) Matches(b *Banner, value string) bool {
	own := p.Value(b)
	return own != "" && strings.EqualFold(own, value)
}
