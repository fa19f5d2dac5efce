package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/tributaryhq/tributary/internal/app"
)

// unverified bounds the bytes of deliveries that are in memory before it is known who sent them: anybody can send some.
// They count as they come, whatever length is announced. Bodies that fit into the first piece are not counted, for they
// weigh no more than their connection; small ones have a reserve that large ones cannot take; of the rest, no network
// may take more than its share. What finds no room waits. So that bodies that came in halves do not wait for each
// other, one of those that wait may always go on: it has the seat.
type unverified struct {
	reserve   int64
	small     atomic.Int64
	most      int64
	share     int64
	longest   time.Duration // that a body waits for room
	allowance time.Duration // for a body to come in, to which its size adds

	mu      sync.Mutex
	held    int64
	by      map[string]int64
	waiting []*waitingBody
	seat    *unverifiedBody
}

// MaxUnverified is how many bytes of deliveries are in memory, where no setting says otherwise.
const MaxUnverified = 64 << 20

// Sizes of what is read of a body at a time. Most deliveries fit into the second piece.
const (
	firstPiece  = 4 << 10
	secondPiece = 32 << 10
)

// largeWait is how long a body waits for room: some stores wait a minute for an answer and never send again.
// bodyAllowance with bodyPace is how long a body may take that holds some: 30 s for 10 MB. Who sends slowly on purpose
// shall not keep it from others.
const (
	largeWait     = 40 * time.Second
	bodyAllowance = 10 * time.Second
	bodyPace      = 512 << 10 // bytes a second
)

func newUnverified(most int64) *unverified {
	if most == 0 {
		most = MaxUnverified
	}
	reserve := most / 4
	return &unverified{reserve: reserve, most: most - reserve, share: (most - reserve) / 4, longest: largeWait,
		allowance: bodyAllowance, by: map[string]int64{}}
}

// total is how many bytes are counted.
func (u *unverified) total() int64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.small.Load() + u.held
}

// unverifiedBody is one body with what is counted of it.
type unverifiedBody struct {
	u       *unverified
	c       *gin.Context
	network string
	small   int64 // of the reserve
	large   int64 // of the rest
	first   *[firstPiece]byte
	second  *[secondPiece]byte
	b       []byte
	until   time.Time // by when it must have come in; zero while nothing is counted
}

type waitingBody struct {
	body *unverifiedBody
	size int64
	room chan struct{} // closed when it has got it
}

var (
	firstPieces  = sync.Pool{New: func() any { return new([firstPiece]byte) }}
	secondPieces = sync.Pool{New: func() any { return new([secondPiece]byte) }}
)

var (
	errTooLarge = errors.New("body too large")
	errTooMany  = errors.New("too many bytes of bodies at once")
)

// read reads the raw body of a request. Call release when the body is no longer used, also after an error. A length
// that is announced as too large is refused before a byte of it is read, so that a client that waits for "100 Continue"
// never sends it.
func (u *unverified) read(c *gin.Context, most int64) (*unverifiedBody, error) {
	body := &unverifiedBody{u: u, c: c}
	if c.Request.ContentLength > most {
		return body, errTooLarge
	}
	body.first = firstPieces.Get().(*[firstPiece]byte)
	body.b = body.first[:0]
	for {
		n, err := c.Request.Body.Read(body.b[len(body.b):cap(body.b)])
		body.b = body.b[:len(body.b)+n]
		if int64(len(body.b)) > most {
			return body, errTooLarge
		}
		if err == io.EOF {
			body.deadline(time.Time{}) // what follows is no longer up to the sender
			return body, nil
		}
		if err != nil {
			return body, err
		}
		if len(body.b) == cap(body.b) {
			if err := body.grow(most); err != nil {
				return body, err
			}
		}
	}
}

// grow makes room for more.
func (b *unverifiedBody) grow(most int64) error {
	size := int64(secondPiece)
	if b.second != nil {
		size = min(2*int64(cap(b.b)), most+1)
		if announced := b.c.Request.ContentLength; announced > int64(len(b.b)) {
			size = min(size, announced+1)
		}
	}
	began := time.Now()
	if err := b.hold(b.c.Request.Context(), size); err != nil {
		return err
	}
	now := time.Now()
	if b.until.IsZero() {
		b.until = now.Add(b.u.allowance)
	} else {
		b.until = b.until.Add(now.Sub(began)) // waiting was not the sender's fault
	}
	b.deadline(b.until.Add(time.Duration(size) * time.Second / bodyPace))
	var larger []byte
	if b.second == nil {
		b.second = secondPieces.Get().(*[secondPiece]byte)
		larger = b.second[:0]
	} else {
		larger = make([]byte, 0, size)
	}
	b.b = append(larger, b.b...)
	return nil
}

// deadline sets by when the connection must have given the rest; zero when there is none to come.
func (b *unverifiedBody) deadline(t time.Time) {
	if b.until.IsZero() {
		return // none was set
	}
	_ = http.NewResponseController(b.c.Writer).SetReadDeadline(t) // without one the server's own holds
}

// hold counts the body as so many bytes, and waits for room if need be.
func (b *unverifiedBody) hold(ctx context.Context, size int64) error {
	u := b.u
	if size <= secondPiece {
		if u.small.Add(size) <= u.reserve {
			b.small = size
			return nil
		}
		u.small.Add(-size)
	}
	if b.network == "" {
		b.network = app.Network(b.c.ClientIP())
	}
	u.mu.Lock()
	if u.admit(b, size) {
		u.mu.Unlock()
		return nil
	}
	w := &waitingBody{b, size, make(chan struct{})}
	u.waiting = append(u.waiting, w)
	u.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, u.longest)
	defer cancel()
	select {
	case <-w.room:
		return nil
	case <-ctx.Done():
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for i, other := range u.waiting {
		if other == w {
			u.waiting = append(u.waiting[:i], u.waiting[i+1:]...)
			break
		}
	}
	return errTooMany // release gives back what came at the same moment
}

// admit counts the body as so many bytes if there is room for them, or the seat.
func (u *unverified) admit(b *unverifiedBody, size int64) bool {
	more := size - b.large
	if u.seat != b && (u.held+more > u.most || u.by[b.network]+more > u.share) {
		if u.seat != nil {
			return false
		}
		u.seat = b
	}
	u.held += more
	u.by[b.network] += more
	b.large = size
	if b.small > 0 {
		u.small.Add(-b.small)
		b.small = 0
	}
	return true
}

// release gives back what the body holds.
func (b *unverifiedBody) release() {
	u := b.u
	if b.first != nil {
		firstPieces.Put(b.first)
	}
	if b.second != nil {
		secondPieces.Put(b.second)
	}
	b.first, b.second, b.b = nil, nil, nil
	if b.small > 0 {
		u.small.Add(-b.small)
	}
	if b.large == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.held -= b.large
	if u.by[b.network] -= b.large; u.by[b.network] == 0 {
		delete(u.by, b.network)
	}
	if u.seat == b {
		u.seat = nil
	}
	still := u.waiting[:0]
	for _, w := range u.waiting {
		if u.admit(w.body, w.size) {
			close(w.room)
			continue
		}
		still = append(still, w)
	}
	clear(u.waiting[len(still):])
	u.waiting = still
}
