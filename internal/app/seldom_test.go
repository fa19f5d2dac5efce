package app_test

import (
	"bytes"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tributaryhq/tributary/internal/app"
)

// An hour's outage with a thousand happenings a second is a few lines, and none of them is lost from the count.
func TestSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		s := app.Seldom{Pause: time.Minute}
		s.Log(log, slog.LevelWarn, "", "away", "n", 0)
		if got := out.String(); strings.Count(got, "msg=away") != 1 {
			t.Fatalf("the first happening is not told at once: %q", got)
		}
		for n := range 999 {
			s.Log(log, slog.LevelWarn, "", "away", "n", n)
			time.Sleep(time.Second)
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) > 20 {
			t.Errorf("%d lines", len(lines))
		}
		total := 0
		for _, line := range lines {
			times := 1
			if _, rest, ok := strings.Cut(line, "times="); ok {
				number, _, _ := strings.Cut(rest, " ")
				times, _ = strconv.Atoi(number)
			}
			total += times
		}
		if total != 1000 {
			t.Errorf("%d happenings are told of, want 1000", total)
		}
		out.Reset()
		s.Log(log, slog.LevelWarn, "", "away")
		if !strings.Contains(out.String(), "msg=away") {
			t.Error("after a quiet pause the next happening is not told at once")
		}
		time.Sleep(2 * time.Minute)
	})
}

// Keys that strangers choose take no more memory than a few.
func TestSeldom_keys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		var s app.Seldom
		for n := range 50_000 {
			s.Log(log, slog.LevelWarn, strconv.Itoa(n), "guess")
		}
		if lines := strings.Count(out.String(), "\n"); lines > 1100 {
			t.Errorf("%d lines at once", lines)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
	})
}
