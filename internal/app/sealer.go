package app

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
)

// MinSecretKey is the fewest bytes that SECRET_KEY may have.
const MinSecretKey = 32

// Sealer seals what must be read again (webhook secrets) and hashes what must only be compared (e-mail addresses,
// visitors), each with a key of its own derived from SECRET_KEY.
type Sealer struct {
	aead cipher.AEAD
	hash []byte
}

// NewSealer derives the keys. The key needs at least MinSecretKey bytes.
func NewSealer(key []byte) (*Sealer, error) {
	if len(key) < MinSecretKey {
		return nil, fmt.Errorf("SECRET_KEY is too short: %d bytes, at least %d are needed", len(key), MinSecretKey)
	}
	sealing, err := hkdf.Key(sha256.New, key, nil, "tributary sealing", 32)
	if err != nil {
		return nil, err
	}
	hashing, err := hkdf.Key(sha256.New, key, nil, "tributary hashing", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(sealing)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead, hash: hashing}, nil
}

// Seal encrypts and authenticates plain for one purpose; Open needs the same purpose.
func (s *Sealer) Seal(purpose string, plain []byte) []byte {
	nonce := make([]byte, s.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails
	return s.aead.Seal(nonce, nonce, plain, []byte(purpose))
}

// Open gives back what Seal sealed. An error means another SECRET_KEY, another purpose, or damage.
func (s *Sealer) Open(purpose string, sealed []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(sealed) < n {
		return nil, errors.New("sealed value is too short")
	}
	plain, err := s.aead.Open(nil, sealed[:n], sealed[n:], []byte(purpose))
	if err != nil {
		return nil, errors.New("a sealed value cannot be opened: SECRET_KEY is not the one it was sealed with")
	}
	return plain, nil
}

// Hash gives a keyed hash of a value for one purpose, as 32 hex digits; empty for an empty value.
func (s *Sealer) Hash(purpose, value string) string {
	if value == "" {
		return ""
	}
	mac := hmac.New(sha256.New, s.hash)
	mac.Write([]byte(purpose))
	mac.Write([]byte{0})
	mac.Write([]byte(value))
	return hex.EncodeToString(mac.Sum(nil)[:16])
}

// Purposes of sealing and hashing. A value sealed for one cannot be opened for another, and equal values hashed for
// different ones cannot be linked.
const (
	SealWebhookSecret  = "webhook secret"
	SealAnswer         = "answer of the API" // it may show a new secret
	HashEmail          = "email"
	HashVisitor        = "visitor"
	HashPayoutAccount  = "payout account"
	HashSignIn         = "sign-in"
	HashSetup          = "set-up"
	HashRecoveryCode   = "recovery code"
	SealDevice         = "device"
	SealSecondFactor   = "second factor"
	SealStoreKeys      = "store keys"
	SealPaymentDetails = "payment details"
	HashStoreRequest   = "store request"
	HashUnsubscribe    = "unsubscribe"
	SealStoreAsk       = "store ask" // what is written down of a payout before a store is asked for it
	SealPayoutFile     = "payout file"
)
