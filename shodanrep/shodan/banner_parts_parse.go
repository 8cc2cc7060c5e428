package shodan

func (c *Cloud) decodeField(s *scanner, name []byte) error {
	switch string(name) {
	case "provider":
		return s.into(&c.Provider)
	case "region":
		return s.into(&c.Region)
	case "service":
		return s.into(&c.Service)
	}
	return s.skip()
}

func (l *Location) decodeField(s *scanner, name []byte) error {
	switch string(name) {
	case "area_code":
		return s.into(&l.AreaCode)
	case "city":
		return s.into(&l.City)
	case "country_code":
		return s.into(&l.CountryCode)
	case "country_code3":
		return s.into(&l.CountryCode3)
	case "country_name":
		return s.into(&l.CountryName)
	case "dma_code":
		return s.into(&l.DMACode)
	case "latitude":
		return s.into(&l.Latitude)
	case "longitude":
		return s.into(&l.Longitude)
	case "postal_code":
		return s.into(&l.PostalCode)
	case "region_code":
		return s.into(&l.RegionCode)
	}
	return s.skip()
}

func (h *HTTP) decodeField(s *scanner, name []byte) error {
	switch string(name) {
	case "favicon":
		return s.object(func(name []byte) error {
			if string(key(name)) == "hash" {
				return s.into(&h.Favicon.Hash)
			}
			return s.skip()
		})
	case "host":
		return s.into(&h.Host)
	case "html_hash":
		return s.into(&h.HTMLHash)
	case "server":
		return s.into(&h.Server)
	case "status":
		return s.into(&h.Status)
	case "title":
		return s.into(&h.Title)
	}
	return s.skip()
}

func (h *SSH) decodeField(s *scanner, name []byte) error {
	switch string(name) {
	case "fingerprint":
		return s.into(&h.Fingerprint)
	case "hassh":
		return s.into(&h.HASSH)
	}
	return s.skip()
}

func (h *SSL) decodeField(s *scanner, name []byte) error {
	switch string(name) {
	case "cert":
		return s.object(func(name []byte) error { return h.decodeCert(s, key(name)) })
	case "ja3s":
		return s.into(&h.JA3S)
	case "jarm":
		return s.into(&h.JARM)
	case "versions":
		return s.into(&h.Versions)
	}
	return s.skip()
}

func (h *SSL) decodeCert(s *scanner, name []byte) error {
	cert := &h.Cert
	switch string(name) {
	case "expired":
		return s.into(&cert.Expired)
	case "expires":
		return s.into(&cert.Expires)
	case "fingerprint":
		return s.object(func(name []byte) error {
			switch string(key(name)) {
			case "sha1":
				return s.into(&cert.Fingerprint.SHA1)
			case "sha256":
				return s.into(&cert.Fingerprint.SHA256)
			}
			return s.skip()
		})
	case "issuer":
		return decodeNames(s, &cert.Issuer)
	case "serial":
		return s.into(&cert.Serial)
	case "subject":
		return decodeNames(s, &cert.Subject)
	}
	return s.skip()
}

// decodeNames reads the names in a certificate.
func decodeNames(s *scanner, names *map[string]Text) error {
	switch s.peek() {
	case 'n':
		*names = nil
	case '{':
		if *names == nil {
			*names = map[string]Text{}
		}
	}
	return s.object(func(name []byte) error {
		var value Text
		err := s.into(&value)
		(*names)[string(name)] = value
		return err
	})
}
