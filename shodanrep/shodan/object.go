package shodan

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Object returns an object that the banner has under a name, such as "mongodb", as Shodan has it; nil where it has none.
func (b *Banner) Object(name string) json.RawMessage {
	if !bytes.Contains(b.Raw, []byte(strconv.Quote(name))) {
		return nil // most banners have one such object, and decoding them costs far more than looking
	}
	var fields map[string]json.RawMessage
	if json.Unmarshal(b.Raw, &fields) != nil {
		return nil
	}
	if value := bytes.TrimSpace(fields[name]); len(value) > 0 && (value[0] == '{' || value[0] == '[') {
		return value
	}
	return nil
}
