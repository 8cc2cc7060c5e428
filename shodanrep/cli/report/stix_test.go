package report

import "testing"

// The ids are those of the examples of the specification, which other producers compute as well.
func TestObservablesHaveTheIDsOfTheSpecification(t *testing.T) {
	for _, test := range []struct {
		kind       string
		properties map[string]any
		want       string
	}{
		{"ipv4-addr", map[string]any{"value": "198.51.100.3"}, "ipv4-addr--28bb3599-77cd-5a82-a950-b5bc3caf07c4"},
		{"ipv6-addr", map[string]any{"value": "2001:0db8:85a3:0000:0000:8a2e:0370:7334"}, "ipv6-addr--85a85a8c-ee99-5722-946d-3c3a3270fc6f"},
		{"domain-name", map[string]any{"value": "example.com"}, "domain-name--bedb4899-d24b-5401-bc86-8f6b4cc18ec7"},
		{"autonomous-system", map[string]any{"number": 15139}, "autonomous-system--3aa27478-50b5-5ab8-9da9-cdc12b657fff"},
	} {
		if got := observable(test.kind, test.properties).ID; got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
