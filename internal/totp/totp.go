// Package totp makes and checks the codes of authenticator apps: RFC 6238 with SHA-1, six digits and steps of 30 s, the
// only form that all of them know. It keeps nothing; that a code works once is for the caller to see to.
package totp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Digits is the length of a code.
const Digits = 6

const period = 30 // seconds

// drift is how many steps a phone's clock may be ahead or behind.
const drift = 1

var base = base32.StdEncoding.WithPadding(base32.NoPadding)

// NewSecret makes 160 random bits, as RFC 4226 recommends.
func NewSecret() []byte {
	secret := make([]byte, 20)
	_, _ = rand.Read(secret) // never fails
	return secret
}

// Text is a secret as people type it into an app.
func Text(secret []byte) string { return base.EncodeToString(secret) }

// Address is what an app reads from a QR code.
func Address(issuer, account string, secret []byte) string {
	issuer = strings.ReplaceAll(issuer, ":", " ") // a colon divides it from the account
	u := url.URL{Scheme: "otpauth", Host: "totp", Path: "/" + issuer + ":" + account}
	// Some apps take a plus for itself, so spaces are written as %20.
	u.RawQuery = "secret=" + Text(secret) + "&issuer=" + strings.ReplaceAll(url.QueryEscape(issuer), "+", "%20")
	return u.String()
}

// Step is the number of a moment's step.
func Step(at time.Time) int64 { return at.Unix() / period }

// Code is the code of a step.
func Code(secret []byte, step int64) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash never fails
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:at+4]) & 0x7fffffff
	return fmt.Sprintf("%0*d", Digits, n%1_000_000)
}

// Find gives the step that a code belongs to, of those near a moment; false when it belongs to none of them.
func Find(secret []byte, code string, at time.Time) (step int64, ok bool) {
	now := Step(at)
	for s := now - drift; s <= now+drift; s++ {
		if subtle.ConstantTimeCompare([]byte(Code(secret, s)), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}
