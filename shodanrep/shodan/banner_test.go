package shodan

import "testing"

func TestABannersObjects(t *testing.T) {
	t.Parallel()
	b, err := ParseBanner([]byte(`{"ip_str": "192.0.2.1", "port": 22, "data": "\"smb\" and \"ntp\"", "ssh": {"hassh": "x", "smb": {"a": 1}},` +
		` "rip": [1], "ftp": null, "opts": {}, "mqtt": "text", "influx_db": {"n": 12345678901234567890}}`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"ssh": `{"hassh": "x", "smb": {"a": 1}}`, "rip": `[1]`, "opts": `{}`, "influx_db": `{"n": 12345678901234567890}`,
		"ftp": "", "mqtt": "", "smb": "", "ntp": "", "redis": "",
	} {
		if got := string(b.Object(name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	if got := new(Banner).Object("ssh"); got != nil {
		t.Errorf("a banner without JSON has %s", got)
	}
}
