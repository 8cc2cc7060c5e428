package shodan

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"
)

func TestReadBody(t *testing.T) {
	large := bytes.Repeat([]byte("0123456789abcdef"), 3<<16) // 3 MB
	for name, test := range map[string]struct {
		body   []byte
		length int64
	}{
		"empty":                       {nil, 0},
		"small":                       {[]byte("{}"), 2},
		"small, of unknown length":    {[]byte("{}"), -1},
		"as long as a small one":      {large[:LargeBody], LargeBody},
		"large":                       {large, int64(len(large))},
		"large, of unknown length":    {large, -1},
		"longer than its length says": {large, LargeBody + 1},
		"shorter":                     {large, 50 << 20},
		"with an impossible length":   {large, 1 << 60},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := readBody(iotest.HalfReader(bytes.NewReader(test.body)), test.length)
			if err != nil || !bytes.Equal(got, test.body) {
				t.Errorf("got %d bytes, want %d: %v", len(got), len(test.body), err)
			}
		})
	}
	if got, err := readBody(bytes.NewReader(large), int64(len(large))); err != nil || cap(got) > len(large)+LargeBody {
		t.Errorf("%d bytes take %d: %v", len(large), cap(got), err)
	}
	if _, err := readBody(iotest.TimeoutReader(strings.NewReader(string(large))), int64(len(large))); err == nil {
		t.Error("a body that broke off is no error")
	}
}
