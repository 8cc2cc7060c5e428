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
	JARM              Pivot = "jarm"               // the responses of a TLS server to ten handshakes
	JA3S              Pivot = "ja3s"               // the response of a TLS server to one handshake
	Favicon           Pivot = "favicon"            // the hash of a web site's icon
	HTTPHTML          Pivot = "http_html"          // the hash of a web page
	BannerHash        Pivot = "banner_hash"        // the hash of a banner's data
	SSHHostKey        Pivot = "ssh_host_key"       // the MD5 fingerprint of an SSH server's key
	HASSH             Pivot = "hassh"              // the negotiation of an SSH server
	Organization      Pivot = "organization"
	ASN               Pivot = "asn"
)

// Pivots returns all pivots.
func Pivots() []Pivot {
	return append(Fingerprints(), SubjectCN, Organization, ASN)
}

// Fingerprints returns the pivots that identify the service itself rather than its owner. The strongest come first.
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

// Value returns the banner's value of the pivot. It returns "" if there is none, or if the value relates nothing: the
// hash of an empty text, and the JARM of a server that accepts no handshake, are shared by unrelated hosts.
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
		// Some old responses have it rounded, such as 4.99e+36, which identifies no certificate.
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

// Matches reports whether the banner has the value, in upper or lower case. A search also finds banners that only
// contain the words of the value, and those do not match.
func (p Pivot) Matches(b *Banner, value string) bool {
	own := p.Value(b)
	return own != "" && strings.EqualFold(own, value)
}
