package fakestore

import (
	"fmt"
	"net/http"
)

// Faults are what happens to deliveries on their way.
type Faults struct {
	Drop    float64 // chance of each to be lost, 0 to 1
	Repeat  float64 // chance of each to be sent twice
	Shuffle bool    // those of one Flush come in any order
}

// SetFaults has deliveries go wrong from now on.
func (s *Shop) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

func (s *Shop) instead(n int, answer func(http.ResponseWriter, *http.Request)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range n {
		s.answers = append(s.answers, answer)
	}
}

// FailNext has the next n requests of the API answered with a status, and a page of the web server.
func (s *Shop) FailNext(n, status int) {
	s.instead(n, func(w http.ResponseWriter, _ *http.Request) { writePage(w, status) })
}

// PassNext has the next n requests answered as ever, before what is to befall those behind them.
func (s *Shop) PassNext(n int) {
	s.instead(n, func(w http.ResponseWriter, r *http.Request) { s.face.ServeHTTP(w, r) })
}

// HTMLNext has the next n requests answered with a page and status 200, as firewalls do.
func (s *Shop) HTMLNext(n int) { s.FailNext(n, http.StatusOK) }

// HangNext has the next n requests answered by nothing, until whoever asked gives up.
func (s *Shop) HangNext(n int) {
	s.instead(n, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
}

// LoseAnswers has the next n requests done, and their answers lost: the connection is closed.
func (s *Shop) LoseAnswers(n int) {
	s.instead(n, func(_ http.ResponseWriter, r *http.Request) {
		s.face.ServeHTTP(&lost{header: http.Header{}}, r)
		panic(http.ErrAbortHandler)
	})
}

// lost takes an answer that nobody gets.
type lost struct{ header http.Header }

func (l *lost) Header() http.Header         { return l.header }
func (l *lost) Write(b []byte) (int, error) { return len(b), nil }
func (l *lost) WriteHeader(int)             {}

// BusyNext has the next n requests put off.
func (s *Shop) BusyNext(n int) {
	s.instead(n, func(w http.ResponseWriter, _ *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.face.busy(w)
	})
}

// MostRows has pages of more than n rows fail, as on slow hosts; 0: none.
func (s *Shop) MostRows(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = n
}

// EditWhilePaging calls edit after every n-th page of orders that the API has answered with. It may change the shop.
func (s *Shop) EditWhilePaging(n int, edit func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.every, s.edit, s.pages = n, edit, 0
}

// paged is called by the API after a page of orders was read, while the shop is not locked.
func (s *Shop) paged() {
	s.mu.Lock()
	s.pages++
	edit := s.edit
	if edit == nil || s.pages%max(1, s.every) != 0 {
		edit = nil
	}
	s.mu.Unlock()
	if edit != nil {
		edit()
	}
}

// writePage answers as web servers do on their own.
func writePage(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!DOCTYPE html><html><head><title>%[1]d %[2]s</title></head><body><h1>%[2]s</h1></body></html>\n",
		status, http.StatusText(status))
}
