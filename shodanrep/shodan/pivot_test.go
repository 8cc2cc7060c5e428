package shodan_test

import (
	"slices"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodan"
)

func TestPivots(t *testing.T) {
	t.Parallel()
	b, err := shodan.ParseBanner([]byte(`{"ip_str": "192.0.2.1", "port": 443, "org": "Example", "asn": "AS64496", "hash": -7,
		"http": {"html_hash": 12, "favicon": {"hash": -442749392}}, "ssh": {"hassh": "5cc9", "fingerprint": "16:27:ac"},
		"ssl": {"jarm": "29D2", "ja3s": "aa56", "cert": {"subject": {"CN": "www.Example.com"}, "fingerprint": {"sha256": "ABCD"},
		"serial": 407449141326595738408186001353304769843596}}}`))
	if err != nil {
		t.Fatal(err)
	}
	bare, err := shodan.ParseBanner([]byte(`{"ip_str": "192.0.2.1", "port": 22}`))
	if err != nil {
		t.Fatal(err)
	}
	values := map[shodan.Pivot]string{
		shodan.SubjectCN: "www.Example.com", shodan.FingerprintSHA256: "ABCD", shodan.CertSerial: "407449141326595738408186001353304769843596",
		shodan.JARM: "29D2", shodan.JA3S: "aa56", shodan.Favicon: "-442749392", shodan.HTTPHTML: "12", shodan.BannerHash: "-7",
		shodan.SSHHostKey: "16:27:ac", shodan.HASSH: "5cc9", shodan.Organization: "Example", shodan.ASN: "AS64496", "other": "",
	}
	for pivot, want := range values {
		if got := pivot.Value(b); got != want {
			t.Errorf("%s: %q, want %q", pivot, got, want)
		}
		if pivot.Value(bare) != "" || pivot.Matches(bare, "") {
			t.Errorf("%s: a banner without it has it, or shares that it has none", pivot)
		}
		if slices.Contains(shodan.Pivots(), pivot) != (pivot != "other") {
			t.Errorf("%s is among the pivots, or is not", pivot)
		}
	}
	if !shodan.SubjectCN.Matches(b, "WWW.example.COM") || shodan.SubjectCN.Matches(b, "example.com") || !shodan.JARM.Matches(b, "29d2") {
		t.Error("values are the same in whatever case, and only whole")
	}
}

func TestWhatEveryServiceMayHaveIsNoFingerprint(t *testing.T) {
	t.Parallel()
	b, err := shodan.ParseBanner([]byte(`{"ip_str": "192.0.2.1", "port": 443, "hash": 0, "http": {"html_hash": 0, "favicon": {"hash": null}}, "ssh": {},
		"ssl": {"jarm": "00000000000000000000000000000000000000000000000000000000000000", "cert": {"serial": 4.9971450877216253e+36}}}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, pivot := range shodan.Fingerprints() {
		if value := pivot.Value(b); value != "" {
			t.Errorf("%s is %q", pivot, value)
		}
	}
}

func TestWhatASearchCosts(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		query   string
		page    int
		credits int
	}{
		{"nginx", 1, 0}, {"nginx", 2, 1}, {"port:22", 1, 1}, {`"16:27:ac"`, 1, 0}, {`"16:27:ac" port:22`, 1, 1}, {`org:"a: b"`, 1, 1},
	} {
		if got := shodan.Search(test.query, test.page).Credits; got != test.credits {
			t.Errorf("page %d of %s costs %d credits, want %d", test.page, test.query, got, test.credits)
		}
	}
}
