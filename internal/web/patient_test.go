package web

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// slowReader takes each piece after a while.
type slowReader struct {
	*httptest.ResponseRecorder
	every    time.Duration
	deadline time.Time
}

func (s *slowReader) SetWriteDeadline(t time.Time) error { s.deadline = t; return nil }

func (s *slowReader) Write(b []byte) (int, error) {
	time.Sleep(s.every)
	if time.Now().After(s.deadline) {
		return 0, http.ErrHandlerTimeout
	}
	return len(b), nil
}

// TestAttack_drippingReader: a reader who takes a little just before each limit is cut off after minutes; one on a slow
// line gets all, however long it takes.
func TestAttack_drippingReader(t *testing.T) {
	for name, reader := range map[string]struct {
		every time.Duration
		piece int
		whole bool
	}{
		"drips":         {59 * time.Second, 1, false},
		"takes little":  {59 * time.Second, 32 << 10, false},
		"stalls":        {2 * time.Minute, 32 << 10, false},
		"has slow line": {1500 * time.Millisecond, 32 << 10, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &slowReader{ResponseRecorder: httptest.NewRecorder(), every: reader.every}
				w := &patientWriter{w: s, control: http.NewResponseController(s)}
				began := time.Now()
				var err error
				for n := 0; n < 10_000 && err == nil; n++ {
					_, err = w.Write(make([]byte, reader.piece))
				}
				if (err == nil) != reader.whole {
					t.Errorf("after %v: %v", time.Since(began), err)
				}
				if held := time.Since(began); !reader.whole && held > 5*time.Minute {
					t.Errorf("it was held for %v", held)
				}
			})
		})
	}
}
