package app

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Seldom keeps what happens often from filling the log: an outage, a stranger who guesses. The first happening is a
// line at once; those that follow within the pause are counted, and told as one line at its end. The zero value works.
type Seldom struct {
	Pause time.Duration // between two lines of one key; 0 means 10 s

	mu   sync.Mutex
	held map[string]*heldLine
}

// heldLine is the newest of the lines of a key that were not written.
type heldLine struct {
	times int // 0: none came since the last line
	level slog.Level
	args  []any
}

const (
	seldomPause = 10 * time.Second
	// seldomKeys bounds how many keys have lines of their own: strangers choose some of them.
	seldomKeys = 1000
)

// Log writes a line, or counts it. What has the same message and key is one kind of happening. The line that stands for
// several says how many, as "times", with the words of the last one.
func (s *Seldom) Log(log *slog.Logger, level slog.Level, key, message string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := message + "\x00" + key
	if s.held == nil {
		s.held = map[string]*heldLine{}
	}
	if len(s.held) >= seldomKeys && s.held[name] == nil {
		name = message // the others of this message share one
	}
	if line := s.held[name]; line != nil {
		line.times, line.level, line.args = line.times+1, level, args
		return
	}
	log.Log(context.Background(), level, message, args...)
	s.held[name] = &heldLine{}
	s.wait(log, name, message)
}

// wait tells at the end of a pause what came in it, and forgets the key when nothing did.
func (s *Seldom) wait(log *slog.Logger, name, message string) {
	pause := s.Pause
	if pause == 0 {
		pause = seldomPause
	}
	time.AfterFunc(pause, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		line := s.held[name]
		if line.times == 0 {
			delete(s.held, name)
			return
		}
		log.Log(context.Background(), line.level, message, append([]any{"times", line.times}, line.args...)...)
		*line = heldLine{}
		s.wait(log, name, message)
	})
}
