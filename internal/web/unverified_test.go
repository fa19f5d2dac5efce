package web

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
)

// sender is a body that sends so much and then nothing until it is let go.
type sender struct {
	now   int
	later io.Reader
	letGo <-chan struct{}
}

func (s *sender) Read(p []byte) (int, error) {
	if s.now > 0 {
		n := min(len(p), s.now)
		s.now -= n
		return n, nil
	}
	<-s.letGo
	return s.later.Read(p)
}

// from makes a request from a network.
func from(ctx context.Context, network int, body io.Reader) *gin.Context {
	c, _ := gin.CreateTestContext(httptest.NewRecorder())
	c.Request = httptest.NewRequestWithContext(ctx, "POST", "/webhooks/shopify/us", body)
	c.Request.RemoteAddr = fmt.Sprintf("192.0.2.%d:1", network)
	return c
}

// TestAttack_unverified: however many send halves of large bodies and stop, no more is held than may be, one body
// beyond it; small deliveries pass meanwhile, and so do large ones from other networks, until all is taken.
func TestAttack_unverified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, body = 8 << 20, 1 << 20
		u := newUnverified(most)
		letGo := make(chan struct{})
		stop := func(network, n int) {
			go func() {
				b, err := u.read(from(t.Context(), network, &sender{n, bytes.NewReader(nil), letGo}), body)
				if err != nil && !errors.Is(err, errTooMany) {
					t.Errorf("a body that stopped: %v", err)
				}
				b.release()
			}()
		}
		for range 200 {
			stop(1, 300<<10)
		}
		synctest.Wait()
		if n := u.total(); n > most/4+(most*3/4)/4+body {
			t.Errorf("one network holds %d bytes", n)
		}
		large, err := u.read(from(t.Context(), 2, bytes.NewReader(make([]byte, 900<<10))), body)
		if err != nil || len(large.b) != 900<<10 {
			t.Errorf("a large body of another network: %d bytes, %v", len(large.b), err)
		}
		large.release()
		for network := range 100 {
			for range 20 {
				stop(network, 300<<10)
			}
		}
		synctest.Wait()
		if n := u.total(); n > most+2*body {
			t.Errorf("all together hold %d bytes, want %d and one body at most", n, most)
		}
		for _, size := range []int{0, 1, firstPiece - 1, firstPiece} {
			b, err := u.read(from(t.Context(), 9, bytes.NewReader(make([]byte, size))), body)
			if size < firstPiece && err != nil || len(b.b) != size {
				t.Errorf("a small delivery of %d bytes: %d read, %v", size, len(b.b), err)
			}
			b.release()
		}
		close(letGo)
		time.Sleep(time.Minute)
		synctest.Wait()
		if u.total() != 0 || len(u.by) != 0 || len(u.waiting) != 0 || u.seat != nil {
			t.Errorf("%d bytes, %v, %d waiting are left", u.total(), u.by, len(u.waiting))
		}
	})
}

// TestUnverified_halves: bodies that came in halves when all room was taken do not wait for each other for ever.
func TestUnverified_halves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := newUnverified(1 << 20)
		letGo := make(chan struct{})
		done := make(chan error)
		for n := range 50 {
			go func() {
				body := &sender{100 << 10, bytes.NewReader(make([]byte, 900<<10)), letGo}
				b, err := u.read(from(t.Context(), n, body), 1<<20)
				if err == nil && len(b.b) != 1000<<10 {
					err = fmt.Errorf("%d bytes came", len(b.b))
				}
				b.release()
				done <- err
			}()
		}
		synctest.Wait()
		close(letGo)
		for range 50 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// deadlines notes what a connection is told.
type deadlines struct {
	*httptest.ResponseRecorder
	read []time.Time
}

func (d *deadlines) SetReadDeadline(t time.Time) error { d.read = append(d.read, t); return nil }

// TestUnverified_deadline: a body has its time from when it holds something, and more of it the larger it is.
func TestUnverified_deadline(t *testing.T) {
	for size, want := range map[int]time.Duration{firstPiece - 1: 0, 20 << 10: 11 * time.Second,
		10 << 20: 31 * time.Second} {
		d := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		c, _ := gin.CreateTestContext(d)
		c.Request = httptest.NewRequestWithContext(t.Context(), "POST", "/", bytes.NewReader(make([]byte, size)))
		began := time.Now()
		b, err := newUnverified(0).read(c, 10<<20)
		if err != nil || len(b.b) != size {
			t.Fatalf("%d bytes: %d read, %v", size, len(b.b), err)
		}
		b.release()
		if want == 0 {
			if len(d.read) != 0 {
				t.Errorf("%d bytes: deadlines %v, want none", size, d.read)
			}
			continue
		}
		last := d.read[len(d.read)-1]
		longest := d.read[len(d.read)-2].Sub(began)
		if !last.IsZero() || longest > want || longest < want-2*time.Second {
			t.Errorf("%d bytes: the last deadline is %v and the one before %v, want none and about %v", size, last,
				longest, want)
		}
	}
}

func TestUnverified_tooLarge(t *testing.T) {
	u := newUnverified(0)
	for _, body := range []io.Reader{bytes.NewReader(make([]byte, 70<<10)), io.MultiReader(bytes.NewReader(make([]byte,
		70<<10)))} {
		b, err := u.read(from(t.Context(), 1, body), 64<<10)
		if !errors.Is(err, errTooLarge) {
			t.Errorf("got %v", err)
		}
		b.release()
	}
	if u.total() != 0 {
		t.Errorf("%d bytes are left", u.total())
	}
}
