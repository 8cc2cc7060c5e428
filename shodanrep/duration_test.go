package shodanrep

import (
	"testing"
	"time"
)

func TestDurationsMayHaveDays(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]any{
		"0": time.Duration(0), "90m": 90 * time.Minute, "1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute, "-1h": -time.Hour, "7d": 7 * day, "1d12h": 36 * time.Hour,
		"2w": 14 * day, "1w1d1h": 8*day + time.Hour, "-1d": -day, "36500d": 36500 * day,
		"": errNoDuration, "-": errNoDuration, "d": errNoDuration, "20": errNoDuration, "1.5d": errNoDuration, "1d1w": errNoDuration, "1d-1h": errNoDuration, "--1h": errNoDuration,
		"-+1h": errNoDuration, "7 d": errNoDuration, "1y": errNoDuration, "NaN": errNoDuration, "inf": errNoDuration, "٧d": errNoDuration,
		"36501d": ErrDurationTooLong, "36500d1h": ErrDurationTooLong, "99999999999999999999d": ErrDurationTooLong, "9999999h": ErrDurationTooLong, "1000000h": ErrDurationTooLong, "-9999999h": ErrDurationTooLong,
		"99999999999999999999m": ErrDurationTooLong, "5300w": ErrDurationTooLong,
	} {
		got, err := ParseDuration(text, "wd")
		if length, ok := want.(time.Duration); ok && (err != nil || got != length) || !ok && err != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestOnlyTheNamedUnitsAreAllowed(t *testing.T) {
	t.Parallel()
	if got, err := ParseDuration("2w", "d"); err != errNoDuration {
		t.Errorf("%v, %v", got, err)
	}
}
