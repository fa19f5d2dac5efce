package signature

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"testing"
)

// TestSign compares with HMAC written out as in RFC 2104, H(key ⊕ opad, H(key ⊕ ipad, body)), for secrets and bodies
// around the sizes of SHA-256's blocks.
func TestSign(t *testing.T) {
	for _, n := range []int{1, 31, 32, 63, 64, 65, 128, 1000} {
		secret := bytes.Repeat([]byte{byte(n), 0x5c}, n)[:n]
		for _, size := range []int{0, 1, 55, 64, 119, 5000} {
			body := bytes.Repeat([]byte("b"), size)
			if got, want := Sign(secret, body), byHand(secret, body); got != want {
				t.Errorf("key of %d bytes, body of %d: %s, want %s", n, size, got, want)
			}
		}
	}
}

func byHand(secret, body []byte) string {
	if len(secret) > sha256.BlockSize {
		short := sha256.Sum256(secret)
		secret = short[:]
	}
	padded := func(with byte) []byte {
		pad := make([]byte, sha256.BlockSize)
		copy(pad, secret)
		for i := range pad {
			pad[i] ^= with
		}
		return pad
	}
	inner := sha256.Sum256(append(padded(0x36), body...))
	outer := sha256.Sum256(append(padded(0x5c), inner[:]...))
	return base64.StdEncoding.EncodeToString(outer[:])
}

func TestVerify(t *testing.T) {
	body, now, before := []byte(`{"id":1}`), []byte("now"), []byte("before")
	signed := Sign(now, body)
	for name, c := range map[string]struct {
		secrets [][]byte
		body    []byte
		claimed string
		want    bool
	}{
		"the only secret":  {[][]byte{now}, body, signed, true},
		"the first of two": {[][]byte{now, before}, body, signed, true},
		"the last of two":  {[][]byte{before, now}, body, signed, true},
		"the same twice":   {[][]byte{now, now}, body, signed, true},
		"another":          {[][]byte{before}, body, signed, false},
		"none":             {nil, body, signed, false},
		"an empty secret":  {[][]byte{{}, nil}, body, Sign(nil, body), false},
		"an empty body":    {[][]byte{now}, nil, Sign(now, nil), false},
		"another body":     {[][]byte{now}, []byte(`{"id":2}`), signed, false},
		"cut":              {[][]byte{now}, body, signed[:Len-1], false},
		"longer":           {[][]byte{now}, body, signed + "=", false},
		"no signature":     {[][]byte{now}, body, "", false},
	} {
		if got := Verify(c.secrets, c.body, c.claimed); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

// TestVerifyAllocatesLittle: what one signature costs beside the hashing depends on the number of secrets alone.
func TestVerifyAllocatesLittle(t *testing.T) {
	secrets := [][]byte{[]byte("one"), []byte("two")}
	for _, size := range []int{1, 1 << 20} {
		body := make([]byte, size)
		claimed := Sign(secrets[1], body)
		if n := testing.AllocsPerRun(10, func() { Verify(secrets, body, claimed) }); n > 20 {
			t.Errorf("a body of %d bytes: %v allocations, want at most 10 for each secret", size, n)
		}
	}
}
