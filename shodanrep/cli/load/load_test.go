package load

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestParseName(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"reputation": "reputation", "Intel.Reputation": "intel.reputation", "_a1": "_a1", "user": "user",
		"": "", ".": "", "a.": "", ".a": "", "a.b.c": "", "a b": "", `"a"`: "", "1a": "", "a;drop table b": "", "ä": "",
		strings.Repeat("a", maxNameLength): strings.Repeat("a", maxNameLength), strings.Repeat("a", maxNameLength+1): "", strings.Repeat("a", 64) + ".b": "",
	} {
		got, err := ParseName(text)
		if (err == nil) != (want != "") || err == nil && got.String() != want {
			t.Errorf("%q: got %v, %v", text, got, err)
		}
	}
	if sql := CreateSQL(Name{"", "user"}); !strings.HasPrefix(sql, `create table "user" (`) || !strings.Contains(sql, `create table "user_queue" (`) {
		t.Error(sql)
	}
}

// No form of a connection string that cannot be parsed shows its password.
func FuzzParseDatabase(f *testing.F) {
	for _, text := range []string{
		"postgres://u:%s@h:5432/d", "postgres://u:%s@h:port/d", "postgres://u:%s", "postgresql://%s", "mysql://u:%s@h/d", "u:%s@h/d",
		"host=h password=%s port=x", "host=h password='%s", "password=%s sslmode=never", "postgres://u@h/d?password=%s&sslmode=never", "postgres://u:%s@[::1/d", "%s",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		const password = "s3cr3t/w0rd"
		if strings.Contains(text, "\x00") || strings.Count(text, "%s") != 1 {
			t.Skip()
		}
		_, err := ParseDatabase(strings.Replace(text, "%s", password, 1))
		if err != nil && (strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "w0rd")) {
			t.Errorf("%s: %v", text, err)
		}
	})
}

func TestEachListHasAType(t *testing.T) {
	t.Parallel()
	var jsonb []string
	for _, c := range Columns() {
		if c.Type == "jsonb" {
			jsonb = append(jsonb, c.Name)
		}
		if c.Type == "" {
			t.Errorf("%s has no type", c.Name)
		}
	}
	// A list of texts or numbers is an array.
	if want := []string{"factors", "services"}; !slices.Equal(jsonb, want) {
		t.Errorf("%q are JSON, want %q", jsonb, want)
	}
	for name := range arrays {
		if !slices.ContainsFunc(Columns(), func(c Column) bool { return c.Name == name }) {
			t.Errorf("there is no column %s", name)
		}
	}
}

func TestAClaimTakesAFewSeconds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		size int
		took time.Duration
		want int
	}{
		{100, 3 * time.Second, 100}, {100, time.Second, 200}, {100, 2 * time.Second, 150}, {100, 30 * time.Second, minClaim},
		{4000, 0, maxClaim}, {maxClaim, 6 * time.Second, maxClaim / 2}, {minClaim, time.Hour, minClaim},
	} {
		if got := nextSize(tt.size, tt.took); got != tt.want {
			t.Errorf("%d addresses in %v: %d, want %d", tt.size, tt.took, got, tt.want)
		}
	}
}

func TestAFailedServiceIsNotALostDatabase(t *testing.T) {
	t.Parallel()
	timeout := fmt.Errorf("the service: %w", context.DeadlineExceeded)
	var lost LostError
	if err := (Database{}).wrapError(&lookupError{timeout}); errors.As(err, &lost) || err.Error() != timeout.Error() || !errors.Is(err, timeout) {
		t.Errorf("of the service: %v", err)
	}
	if err := (Database{}).wrapError(timeout); !errors.As(err, &lost) {
		t.Errorf("of the database: %v", err)
	}
}

func TestOnlyWhatIsDoneLeavesTheQueue(t *testing.T) {
	t.Parallel()
	ip := netip.MustParseAddr("192.0.2.1")
	claimed := []claimedRow{{ip, "a", true}, {ip, "b", false}, {ip, "c", true}, {ip, "d", true}, {ip, "e", false}}
	for written, want := range map[int]string{0: "be", 1: "abe", 2: "abce", 3: "abcde"} {
		if got := strings.Join(done(claimed, written), ""); got != want {
			t.Errorf("%d written: %s, want %s", written, got, want)
		}
	}
}
