//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shodanrep/steampipe-plugin-shodanrep/shodanrep/shodantest"
)

func TestRowsThatAreLostOrWrongAreProblems(t *testing.T) {
	known := shodantest.NewHandler().Generate(knownAddresses)
	list := randomList(rand.New(rand.NewPCG(1, 1)), known)
	if len(list) != listLength {
		t.Fatalf("%d addresses, want %d", len(list), listLength)
	}
	var right []row
	for _, ip := range list {
		switch {
		case strings.HasPrefix(ip, "192."):
			right = append(right, row{ip: ip, status: "reserved", level: "unknown"})
		case strings.HasPrefix(ip, "12."):
			right = append(right, row{ip: ip, status: "not_indexed", level: "unknown"})
		default:
			var score int
			var level string
			for _, addr := range known {
				if addr.String() == ip {
					score, level = baseline(shodantest.GeneratedHost(addr))
				}
			}
			right = append(right, row{ip: ip, status: "indexed", level: level, score: fmt.Sprint(score)})
		}
	}
	for name, test := range map[string]struct {
		change func([]row) []row
		want   int
	}{
		"right":                   {func(rows []row) []row { return rows }, 0},
		"one is missing":          {func(rows []row) []row { return rows[1:] }, 1},
		"one is there twice":      {func(rows []row) []row { return append(rows, rows[0]) }, 1},
		"an error without a text": {func(rows []row) []row { rows[0] = row{ip: rows[0].ip, status: "error", level: "unknown"}; return rows }, 1},
		"an error with a score": {func(rows []row) []row {
			rows[0] = row{ip: rows[0].ip, status: "error", level: "low", score: "0", err: "x"}
			return rows
		}, 1},
		"an error": {func(rows []row) []row {
			rows[0] = row{ip: rows[0].ip, status: "error", level: "unknown", err: "x"}
			return rows
		}, 0},
		"not indexed, though it is": {func(rows []row) []row {
			for i := range rows {
				if rows[i].status == "indexed" {
					rows[i] = row{ip: rows[i].ip, status: "not_indexed", level: "unknown"}
					break
				}
			}
			return rows
		}, 1},
	} {
		var r report
		checkRows(&r, list, test.change(append([]row(nil), right...)))
		if len(r.problems) != test.want {
			t.Errorf("%s: %d problems %v, want %d", name, len(r.problems), r.problems, test.want)
		}
	}
}

func TestGrowthIsAProblem(t *testing.T) {
	steady := report{complete: 1, inProcess: 1, rows: 1, heaps: []int64{10, 11, 10, 11, 10, 11}}
	growing := report{complete: 1, inProcess: 1, rows: 1, heaps: []int64{10, 11, 20, 21, 30, 31}}
	for _, test := range []struct {
		report *report
		want   int
	}{{&steady, 0}, {&growing, 1}, {&report{}, 1}} {
		var out bytes.Buffer
		if got := test.report.print(&out); got != test.want {
			t.Errorf("%d problems, want %d:\n%s", got, test.want, out.String())
		}
	}
}
