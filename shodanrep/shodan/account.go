package shodan

import (
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
)

// APIInfo is the plan of an API key and its remaining credits.
type APIInfo struct {
	Plan         Text        `json:"plan"`
	QueryCredits Null[int64] `json:"query_credits"`
	ScanCredits  Null[int64] `json:"scan_credits"`
	MonitoredIPs Null[int64] `json:"monitored_ips"`
	Unlocked     Null[bool]  `json:"unlocked"`
	UnlockedLeft Null[int64] `json:"unlocked_left"`
	HTTPS        Null[bool]  `json:"https"`
	Telnet       Null[bool]  `json:"telnet"`
	// UsageLimits are the limits of the plan, by the JSON names of the fields above. -1 means no limit.
	UsageLimits map[string]Null[int64] `json:"usage_limits"`
}

// Limit returns the plan's limit of a name in UsageLimits, or nil if there is no limit or it is unknown.
func (i *APIInfo) Limit(name string) *int64 {
	if limit := i.UsageLimits[name]; limit.V >= 0 {
		return limit.Ptr()
	}
	return nil
}

// Info requests the plan of the API key. It costs no credits.
//
// https://developer.shodan.io/api (GET /api-info)
func Info() Call[*APIInfo] {
	return Call[*APIInfo]{What: "the information on the API key", Path: "/api-info", Volatile: true, Read: func(body []byte) (*APIInfo, error) {
		info, err := readObject[APIInfo](body)
		if err == nil && info.Plan == "" && !info.QueryCredits.Valid {
			return nil, errors.New("the response has neither a plan nor credits")
		}
		return info, err
	}}
}

// AccountProfile is the account of an API key.
type AccountProfile struct {
	DisplayName Text        `json:"display_name"`
	Member      Null[bool]  `json:"member"`
	Credits     Null[int64] `json:"credits"` // for exports
	Created     Time        `json:"created"`
}

// Profile requests the account of the API key.
//
// https://developer.shodan.io/api (GET /account/profile)
func Profile() Call[*AccountProfile] {
	return Call[*AccountProfile]{What: "the account's profile", Path: "/account/profile", Volatile: true, Read: func(body []byte) (*AccountProfile, error) {
		profile, err := readObject[AccountProfile](body)
		if err == nil && *profile == (AccountProfile{}) {
			return nil, errors.New("the response has no account data")
		}
		return profile, err
	}}
}

// Scan is a scan that the account requested. The response also has the API key that requested it, which is not read.
type Scan struct {
	ID          Text        `json:"id"`
	Status      Text        `json:"status"`
	Created     Time        `json:"created"`
	StatusCheck Time        `json:"status_check"`
	Size        Null[int64] `json:"size"`
	CreditsLeft Null[int64] `json:"credits_left"`
}

// Scans requests a page of the account's scans. The responses are not cached, because they contain the API key.
//
// https://developer.shodan.io/api (GET /shodan/scans)
func Scans(page int) Call[*Page[Scan]] {
	return Call[*Page[Scan]]{
		What: "the list of scans", Path: "/shodan/scans", Query: url.Values{"page": {strconv.Itoa(page)}}, Volatile: true, Read: readPage[Scan],
	}
}

// Alert is a set of networks that Shodan monitors for the account.
type Alert struct {
	ID         Text        `json:"id"`
	Name       Text        `json:"name"`
	Created    Time        `json:"created"`
	Expires    Null[int64] `json:"expires"` // seconds after it was created, 0 for never
	Expiration Time        `json:"expiration"`
	Expired    Null[bool]  `json:"expired"`
	Size       Null[int64] `json:"size"` // addresses
	Filters    struct {
		IP Texts `json:"ip"`
	} `json:"filters"`
	// Triggers are the events to report, by name, with their exceptions.
	Triggers map[string]json.RawMessage `json:"triggers"`
	// Notifiers receive the reports. Their arguments are not read: they may contain passwords of other services.
	Notifiers []Notifier `json:"notifiers"`
}

// Notifier is a receiver of an alert's reports.
type Notifier struct {
	ID          Text `json:"id"`
	Provider    Text `json:"provider"`
	Description Text `json:"description"`
}

// Alerts requests the account's alerts. The responses are not cached, because they contain the notifiers' passwords.
//
// https://developer.shodan.io/api (GET /shodan/alert/info)
func Alerts() Call[[]Alert] {
	return Call[[]Alert]{What: "the list of alerts", Path: "/shodan/alert/info", Volatile: true, Read: readObjects[Alert]}
}
