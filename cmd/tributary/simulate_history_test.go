package main

import (
	"strings"
	"testing"
)

func TestSimulateHistory(t *testing.T) {
	eachShell(t, func(s shell) {
		if s.env["DATABASE_URL"] != "" {
			s.run("migrate").exits(0)
		}
		args := []string{"simulate", "--history", "--conversions", "400", "--years", "1", "--campaigns", "5",
			"--creators", "40", "--seed", "3", "--until", "2026-06-30"}
		got := s.run(append(args, "--json")...).exits(0).json()
		for name, want := range map[string]float64{"orders": 520, "conversions": 400, "clicks": 1200, "campaigns": 5,
			"creators": 40, "seed": 3} {
			if got[name] != want {
				t.Errorf("%s: %v, want %v", name, got[name], want)
			}
		}
		s.run(args...).exits(1, "has orders already", "--force")
		// Beside it from the same stores, told to people.
		out := s.run(append(args, "--force", "--stores", "fern-us,fern-ae", "--uncredited", "0")...).exits(0).stdout
		if !strings.Contains(out, "Wrote 400 orders with 400 conversions of 40 creators in 5 campaigns, 1200 clicks,") {
			t.Errorf("got %q", out)
		}
		s.run("check").exits(0)
	})
}

func TestSimulateHistory_options(t *testing.T) {
	s := shell{T: t, env: map[string]string{"DATA_DIR": t.TempDir()}}
	for want, args := range map[string][]string{
		"--conversions: 0 is not between": {"--conversions", "0"},
		"--creators: 4 is not between 5":  {"--campaigns", "5", "--creators", "4"},
		"--years: 11":                     {"--years", "11"},
		"--until: \"tomorrow\"":           {"--until", "tomorrow"},
		"--until: \"2199-01-01\"":         {"--until", "2199-01-01"},
		"--stores: 9 is not between":      {"--stores", "9"},
	} {
		s.run(append([]string{"simulate", "--history"}, args...)...).exits(2, want)
	}
	s.run("simulate", "--history", "--stores", "nobodys").exits(1, "--stores: there is no store nobodys")
}
