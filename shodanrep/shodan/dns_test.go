package shodan_test

import (
	"bytes"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestCapturedAnswersAboutNamesAreRead(t *testing.T) {
	t.Parallel()
	addresses, err := shodan.Resolve([]string{"google.com"}).Read(captured(t, "api", "dns_resolve.json"))
	if diff := cmp.Diff(map[string]string{"google.com": "172.217.6.78"}, map[string]string{"google.com": addresses["google.com"].String()}); diff != "" || err != nil {
		t.Error(err, diff)
	}
	names, err := shodan.Reverse([]string{"1.1.1.1"}).Read(captured(t, "api", "dns_reverse.json"))
	if diff := cmp.Diff(map[string]shodan.Texts{"1.1.1.1": {"one.one.one.one"}}, names); diff != "" || err != nil {
		t.Error(err, diff)
	}
	body := captured(t, "api", "dns_domain.json")
	page, err := shodan.Domain("shodan.io", shodan.DomainOptions{}).Read(body)
	if err != nil || len(page.Records) != bytes.Count(body, []byte(`"last_seen"`)) || page.Domain != "shodan.io" || !reflect.DeepEqual(page.Tags, shodan.Texts{"ipv6", "spf"}) {
		t.Fatalf("%+v, %v", page, err)
	}
	kinds := map[shodan.Text]bool{}
	for _, r := range page.Records {
		kinds[r.Type] = true
		if r.LastSeen.Year() != 2019 || r.Value == "" || r.Addr().IsValid() != (r.Type == "A" || r.Type == "AAAA") {
			t.Errorf("%+v", r)
		}
	}
	for _, kind := range shodan.DNSTypes {
		if !kinds[shodan.Text(kind)] {
			t.Errorf("there is no record of type %s", kind)
		}
	}
}

// client sends requests to a simulator.
func client(sim *shodantest.Simulator) *shodan.Client {
	return &shodan.Client{BaseURL: sim.APIURL(), Key: shodantest.Key}
}

func TestCallsAboutNamesAgainstTheSimulator(t *testing.T) {
	t.Parallel()
	sim := shodantest.New(t)
	sim.AddHost(shodantest.Host{IP: "192.0.2.1", Hostnames: []string{"www.example.com"}})
	c := client(sim)
	if got, _, err := shodan.Do(t.Context(), c.Get, shodan.Resolve([]string{"www.example.com", "x.example.com"})); err != nil ||
		!reflect.DeepEqual(got, map[string]netip.Addr{"www.example.com": netip.MustParseAddr("192.0.2.1"), "x.example.com": {}}) {
		t.Errorf("%v, %v", got, err)
	}
	if got, _, err := shodan.Do(t.Context(), c.Get, shodan.Reverse([]string{"192.0.2.1", "192.0.2.2"})); err != nil ||
		!reflect.DeepEqual(got, map[string]shodan.Texts{"192.0.2.1": {"www.example.com"}, "192.0.2.2": nil}) {
		t.Errorf("%v, %v", got, err)
	}
	for opts, kind := range map[shodan.DomainOptions]shodan.Kind{{Page: 1}: -1, {Type: "MX", History: true}: -1, {Page: 2}: shodan.PlanTooLow} {
		if _, _, err := shodan.Do(t.Context(), c.Get, shodan.Domain("example.com", opts)); kind < 0 && err != nil || kind >= 0 && !shodan.IsKind(err, kind) {
			t.Errorf("%+v: %v", opts, err)
		}
	}
	if _, _, err := shodan.Do(t.Context(), c.Get, shodan.Domain("example.net", shodan.DomainOptions{})); !shodan.IsKind(err, shodan.NotFound) {
		t.Error(err)
	}
}

func TestAPlanThatMayNotPageIsOneThatIsTooLowWhateverTheStatus(t *testing.T) {
	t.Parallel()
	for _, status := range []int{200, 400, 401, 403} {
		sim := shodantest.New(t)
		sim.Fault(shodantest.Fault{Status: status, Body: `{"error": "Paging through DNS records requires enterprise access"}`})
		if _, _, err := shodan.Do(t.Context(), client(sim).Get, shodan.Domain("example.com", shodan.DomainOptions{Page: 2})); !shodan.IsKind(err, shodan.PlanTooLow) {
			t.Errorf("%d: %v", status, err)
		}
	}
}

func TestCallsAboutNamesSayWhatTheyAsk(t *testing.T) {
	t.Parallel()
	whole := shodan.Domain("example.com", shodan.DomainOptions{})
	part := shodan.Domain("example.com", shodan.DomainOptions{History: true, Type: "MX", Page: 3})
	for got, want := range map[string]string{
		shodan.Resolve([]string{"a.example", "b.example"}).Query.Encode(): "hostnames=a.example%2Cb.example",
		shodan.Resolve([]string{"a.example", "b.example"}).What:           "resolving 2 host names",
		shodan.Resolve([]string{"a.example"}).What:                        "resolving a.example",
		shodan.Reverse([]string{"192.0.2.1", "192.0.2.2"}).What:           "finding the names of 2 addresses",
		whole.What + "?" + whole.Query.Encode():                           "listing the DNS records of example.com?",
		part.What:                                                         "listing the DNS records of example.com of type MX, page 3,",
		part.Path + "?" + part.Query.Encode():                             "/dns/domain/example.com?history=true&page=3&type=MX",
		shodan.Domain("a/../b", shodan.DomainOptions{}).Path:              "/dns/domain/a%2F..%2Fb",
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

var nameSeeds = []string{
	`{"a.example":"192.0.2.1","B.example":null,"192.0.2.1":["a\u0000"],"2001:db8:0::1":"x"}`, `{"a.example":["192.0.2.1"],"192.0.2.1":[]}`, `{"a.example":{},"192.0.2.1":7}`,
	`{"domain":"A.example","tags":["ipv6"],"data":[{"subdomain":"\ud800","type":"A","value":"192.0.2.1","last_seen":"2019-06-30T11:17:42.459369+00:00","ports":[80]},null],"more":true}`,
	`{"data":[{"type":"AAAA","value":"fe80::1%eth0","last_seen":"0000-01-01T00:00:00"}]}`, `{"data":{}}`, `null`, `[]`,
}

func FuzzAnswersAboutNamesAreFitForPostgreSQL(f *testing.F) {
	for _, seed := range nameSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, read := range []func() (any, error){
			func() (any, error) { return shodan.Resolve([]string{"a.example", "b.example"}).Read(body) },
			func() (any, error) { return shodan.Reverse([]string{"192.0.2.1", "2001:db8::1"}).Read(body) },
			func() (any, error) { return shodan.Domain("a.example", shodan.DomainOptions{}).Read(body) },
		} {
			value, err := read()
			if err != nil {
				continue
			}
			if again, err := read(); err != nil || !reflect.DeepEqual(value, again) {
				t.Errorf("%q is read as %+v, then as %+v, %v", body, value, again, err)
			}
			switch v := value.(type) {
			case map[string]netip.Addr:
				for name, addr := range v {
					if name != "a.example" && name != "b.example" || addr.Zone() != "" || addr.Is4In6() {
						t.Errorf("%q: %s is at %v", body, name, addr)
					}
				}
			case *shodan.DomainPage:
				for _, r := range v.Records {
					if addr := r.Addr(); addr.IsValid() && addr.Zone() != "" {
						t.Errorf("%q: %v", body, addr)
					}
				}
				fit(t, reflect.ValueOf(v))
			default:
				fit(t, reflect.ValueOf(v))
			}
		}
	})
}

func FuzzHostName(f *testing.F) {
	for _, seed := range []string{"www.example.com", "bücher.example", "a,b", "a/../b", "..", "xn--bcher-kva.example", "ｅ.example.", "1.2.3.4", "::1", "\xff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		name, err := shodan.HostName(text)
		if err != nil {
			if name != "" {
				t.Errorf("%q is %q and an error", text, name)
			}
			return
		}
		if name == "" || len(name) > 253 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" || strings.Contains(name, "..") || name[0] == '.' || name[len(name)-1] == '.' {
			t.Errorf("%q is requested for as %q", text, name)
		}
		if again, err := shodan.HostName(name); err != nil || again != name {
			t.Errorf("%q is %q, which is %q, %v", text, name, again, err)
		}
	})
}
