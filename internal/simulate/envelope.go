package simulate

import (
	"encoding/hex"
	"math/rand/v2"
	"strconv"
)

// envelope makes whole HTTP requests out of bodies.
type envelope struct {
	store  string // slug
	domain string // of a Shopify store
	secret []byte
	random *rand.Rand
	head   []byte
}

// start begins a request.
func (e *envelope) start(path, agent string) {
	e.head = append(e.head[:0], "POST "...)
	e.head = append(append(e.head, path...), e.store...)
	e.head = append(e.head, " HTTP/1.1\r\nHost: localhost\r\nUser-Agent: "...)
	e.head = append(append(e.head, agent...), "\r\nAccept: */*\r\nContent-Type: application/json\r\n"...)
}

func (e *envelope) header(name, value string) {
	e.head = append(append(append(append(e.head, name...), ": "...), value...), "\r\n"...)
}

// seal ends the head and gives the request in memory of its own.
func (e *envelope) seal(body []byte) []byte {
	e.header("Content-Length", strconv.Itoa(len(body)))
	e.head = append(e.head, "\r\n"...)
	return append(append(make([]byte, 0, len(e.head)+len(body)), e.head...), body...)
}

// uuid makes a random id as Shopify writes it.
func (e *envelope) uuid() string {
	s := e.hex(16)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

// hex makes n random bytes in hexadecimal.
func (e *envelope) hex(n int) string {
	b := make([]byte, 0, 32)
	for len(b) < n {
		b = appendUint64(b, e.random.Uint64())
	}
	return hex.EncodeToString(b[:n])
}

func appendUint64(b []byte, u uint64) []byte {
	for range 8 {
		b = append(b, byte(u))
		u >>= 8
	}
	return b
}
