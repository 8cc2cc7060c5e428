package history

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestLocationsThatCannotBe(t *testing.T) {
	t.Parallel()
	for _, good := range []string{"", "on", "off", "./h", "~/h.sqlite", "/var/h.sqlite", "h.sqlite", "a=b/h.sqlite", "postgres://u@h/db", "postgresql://u:p@h:5432/db?sslmode=disable"} {
		if err := CheckLocation(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, want := range map[string]string{
		"of": `want "on", "off"`, "memory": `such as "./memory"`, "mysql://u:secret@h": "postgres://", "postgres://u:secret@h:port/db": "not shown",
		"C:\temp\\x.sqlite": "control character", "postgres://u:secret@h/db?connect_timeout=x": "not shown",
		"postgres:u:secret@h/db": "postgres://", "Postgres:/u:secret@h/db": "postgres://", "host=127.0.0.1 password=secret": "postgres://",
		"password = se.cret": "postgres://",
	} {
		if err := CheckLocation(bad); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %s", bad, err, want)
		}
	}
}

func TestTheDefaultFileIsInTheDataFolder(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("LocalAppData", "")
	t.Setenv("XDG_DATA_HOME", filepath.Join(home, "data"))
	if got, err := DefaultPath(); err != nil || got != filepath.Join(home, "data", "shodanrep", "history.sqlite") {
		t.Errorf("%s, %v", got, err)
	}
	t.Setenv("XDG_DATA_HOME", "relative")
	got, err := DefaultPath()
	if err != nil || !strings.HasPrefix(got, home) || !strings.HasSuffix(got, filepath.Join("shodanrep", "history.sqlite")) {
		t.Errorf("%s, %v", got, err)
	}
	t.Setenv("XDG_DATA_HOME", "")
	t.Setenv("HOME", "")
	if got, err := DefaultPath(); err == nil {
		t.Errorf("%s without a home", got)
	}
	var w warnings
	s := Open(Options{Logger: w.logger()})
	s.Record(Observation{Addr: addrA, Source: "internetdb", CheckedAt: start})
	if s.Records() || s.Close() != nil {
		t.Error("it records")
	}
	w.wantOne(t, unusable, "XDG_DATA_HOME")
}

func TestAnAddressIsShownWithoutItsPassword(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"postgres://u:secret@h:5432/db?sslmode=disable": "postgres://u@h:5432/db", "postgres://h/db?password=secret": "postgres://h/db",
		"postgres://u:se%cret@h/db": "PostgreSQL",
	} {
		if got := shownAddress(address); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
