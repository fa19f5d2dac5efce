// Package signature makes and checks the signatures that Shopify and WooCommerce send with their webhooks: base64, in
// the standard alphabet with padding, of the HMAC-SHA256 over the raw bytes of the body.
package signature

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// Len is how many characters a signature has.
const Len = 44

// Sign gives the signature of a body.
func Sign(secret, body []byte) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write(body)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// Verify says whether one of the secrets signed the body. All secrets are tried, each compared in constant time and in
// the encoded form, so that there is exactly one accepted spelling. An empty body is refused even with a right
// signature, as Shopify's own libraries do, and an empty secret fits nothing, since everybody knows it.
func Verify(secrets [][]byte, body []byte, claimed string) bool {
	if len(body) == 0 || len(claimed) != Len {
		return false
	}
	fits := 0
	for _, secret := range secrets {
		if len(secret) > 0 {
			fits |= subtle.ConstantTimeCompare([]byte(Sign(secret, body)), []byte(claimed))
		}
	}
	return fits == 1
}
