package dataset

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

// parseRecord calls f for each banner and each host that a record has: a banner, a response for a host or for a search, or
// InternetDB's. A line may have several of them, also in arrays.
func parseRecord(text []byte, f func(parsed)) {
	b, err := shodan.ParseBannerSummary(text)
	switch {
	case err == nil:
		f(parsed{banner: b})
	case !parseResponse(text, f) && !splitLine(text, f):
		f(parsed{err: err})
	}
}

// splitLine parses the records of a line that has several of them, or an array. It returns false for any other line.
func splitLine(line []byte, f func(parsed)) bool {
	values, records := newValueReader(lineText(line)), 0
	for {
		value, err := values.next(nil)
		switch {
		case err == io.EOF:
			return records > 0
		case err != nil && records == 0, bytes.Equal(value, bytes.TrimSpace(line)):
			return false
		case err != nil:
			f(parsed{err: err})
		default:
			if !parseResponse(value, f) {
				if b, err := shodan.ParseBannerSummary(value); err != nil {
					f(parsed{err: err})
				} else {
					f(parsed{banner: b})
				}
			}
		}
		records++
	}
}

// response has the keys by which responses are told apart.
type response struct {
	Port    json.RawMessage `json:"port"`
	Matches json.RawMessage `json:"matches"`
	Data    json.RawMessage `json:"data"`
	Ports   json.RawMessage `json:"ports"`
	IPStr   json.RawMessage `json:"ip_str"`
}

func isList(value json.RawMessage) bool { return bytes.HasPrefix(value, []byte{'['}) }

// parseResponse calls f for each banner and each host of a response. It returns false for anything else.
func parseResponse(text []byte, f func(parsed)) bool {
	var r response
	switch {
	case json.Unmarshal(text, &r) != nil || r.Port != nil:
		return false
	case isList(r.Matches):
		parseBanners("matches", r.Matches, nil, f)
	case isList(r.Data) || isList(r.Ports) && r.IPStr != nil:
		parseHost(text, r.Data, isList(r.Ports), f)
	case isList(r.Ports):
		f(newSummary(internetDBResponse, text))
	default:
		return false
	}
	return true
}

// parseHost calls f for the banners of a host response, and for its summary where that says more than they do.
func parseHost(text []byte, data json.RawMessage, hasPorts bool, f func(parsed)) {
	summary := newSummary(hostResponse, text)
	if summary.err != nil {
		f(summary)
		return
	}
	merged := shodan.MergeBanners(parseBanners("data", data, summary.host, f))
	if merged != nil && summary.host.LastUpdate.IsZero() {
		summary.host.LastUpdate = merged.LastUpdate // the response has these banners, so it is not older
	}
	if merged != nil && !hasPorts {
		summary.host.Ports = merged.Ports
	}
	switch banners := merged != nil && merged.Addr == summary.host.Addr; {
	case !banners && !hasPorts:
		f(parsed{err: errors.New("the response has neither ports nor data")})
	case !banners, !covers(merged, summary.host):
		f(summary)
	}
}

// parseBanners calls f for each banner of a list, and returns the good ones. They may lack the address of their host.
func parseBanners(name string, list json.RawMessage, host *shodan.Host, f func(parsed)) (banners []shodan.Banner) {
	// Not decoded as a whole: a list of millions of small values takes far more memory than its text.
	decoder := json.NewDecoder(bytes.NewReader(list))
	_, _ = decoder.Token() // json.Unmarshal has found the list to be valid
	for i := 0; decoder.More(); i++ {
		var item json.RawMessage // a new one: it becomes the banner's Raw
		if decoder.Decode(&item) != nil {
			break
		}
		b, err := shodan.ParseBannerSummary(item)
		if err != nil && host != nil && len(item) > 2 && item[0] == '{' {
			b, err = shodan.ParseBannerSummary(fmt.Appendf(nil, `{"ip_str":%q,%s`, host.Addr, item[1:]))
		}
		if err != nil {
			f(parsed{err: fmt.Errorf("%s[%d]: %w", name, i, err)})
			continue
		}
		if host != nil {
			banners = append(banners, *b)
		}
		f(parsed{banner: b})
	}
	return banners
}

// covers reports whether a host that is made of banners has all that the summary of its response has, and no port that
// the response does not list, such as a closed one of a response with the history.
func covers(merged, summary *shodan.Host) bool {
	both := *merged
	return !both.AddGeneral(summary) && containsAll(summary.Ports, merged.Ports) && containsAll(merged.Ports, summary.Ports) &&
		containsAll(merged.Tags, summary.Tags) && containsAll(merged.Hostnames, summary.Hostnames) && containsAll(merged.Domains, summary.Domains) &&
		containsAll(merged.Vulns.IDs(), summary.Vulns.IDs())
}

func containsAll[T comparable](list, items []T) bool {
	return !slices.ContainsFunc(items, func(item T) bool { return !slices.Contains(list, item) })
}

// The kinds of responses whose summary the index has.
const (
	hostResponse       = "host"
	internetDBResponse = "internetdb"
)

// newSummary makes the summary of a response: the response without its banners.
func newSummary(kind string, text []byte) parsed {
	var fields map[string]json.RawMessage
	err := json.Unmarshal(text, &fields)
	if isList(fields["data"]) {
		delete(fields, "data")
		if ports := fields["ports"]; ports == nil || string(ports) == "null" {
			fields["ports"] = json.RawMessage("[]")
		}
	}
	if err == nil {
		text, err = json.Marshal(fields)
	}
	var host *shodan.Host
	if err == nil {
		host, err = parseSummary(kind, text)
	}
	if err == nil && !host.Addr.IsValid() {
		err = errors.New("the response has no address")
	}
	if err != nil {
		return parsed{err: err}
	}
	host.Raw = nil // it is not the complete response
	return parsed{host: host, kind: kind}
}

func parseSummary(kind string, text []byte) (*shodan.Host, error) {
	if kind == internetDBResponse {
		return shodan.ParseInternetDB(text)
	}
	return shodan.ParseHost(text)
}
