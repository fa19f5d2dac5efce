package main

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/recordings"
)

// The server is killed again and again while changes are asked for, and each change is repeated under its key until
// there is an answer. Whatever moment a kill hits, no change is made twice, and none that was answered is missing.
func TestKilled_while_changes_are_made(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		token := env.setUpStores(t, nil)
		const changes, kills = 120, 4
		s := &mortal{t: t, env: env}
		s.restart()
		t.Cleanup(func() { s.process().kill() })

		statuses := make([]int, changes)
		var broken atomic.Int64
		next := make(chan int)
		var senders sync.WaitGroup
		for range 4 {
			senders.Go(func() {
				for i := range next {
					for deadline := time.Now().Add(patience); statuses[i] == 0; time.Sleep(time.Millisecond) {
						if statuses[i] = s.change(token, i); statuses[i] == 0 {
							broken.Add(1)
						}
						if time.Now().After(deadline) {
							t.Errorf("change %d was not answered within %v", i, patience)
							return
						}
					}
				}
			})
		}
		for i := range changes {
			if i > 0 && i%(changes/(kills+1)) == 0 {
				s.process().kill()
				s.restart()
			}
			next <- i
		}
		close(next)
		senders.Wait()

		made := map[string]int{}
		c := s.process().client(t, token)
		for cursor := ""; ; {
			var page struct {
				Data       []struct{ Name string }
				NextCursor *string `json:"next_cursor"`
			}
			ok(t, c.Get(t.Context(), "/api/v1/tokens?limit=500&cursor="+cursor, &page))
			for _, row := range page.Data {
				made[row.Name]++
			}
			if page.NextCursor == nil {
				break
			}
			cursor = *page.NextCursor
		}
		answered := 0
		for i, status := range statuses {
			n := made[changeName(i)]
			switch {
			case status == http.StatusCreated && n == 1:
				answered++
			case status == http.StatusConflict && n <= 1: // a kill hit it, and its minute is not over
			default:
				t.Errorf("change %d was answered %d and made %d times", i, status, n)
			}
		}
		if answered < changes/2 {
			t.Errorf("only %d of %d changes were answered", answered, changes)
		}
		if broken.Load() == 0 {
			t.Error("no kill hit a change")
		}
	})
}

func changeName(i int) string { return fmt.Sprint("change ", i) }

// change asks for a token under a key of its own, and gives the status; 0 when the connection broke.
func (m *mortal) change(token string, i int) int {
	c := recordings.NewClient("http://"+m.process().address, token)
	defer c.Close()
	r, err := http.NewRequestWithContext(m.t.Context(), http.MethodPost, c.Base+"/api/v1/tokens",
		strings.NewReader(`{"name":"`+changeName(i)+`","role":"viewer"}`))
	if err != nil {
		m.t.Error(err)
		return http.StatusTeapot
	}
	r.Header.Set("Authorization", "Bearer "+token)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Idempotency-Key", fmt.Sprint("change-", i))
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	return answer.StatusCode
}
