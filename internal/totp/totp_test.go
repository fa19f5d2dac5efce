package totp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/totp"
)

// TestCode checks against the vectors of RFC 6238, appendix B, which have eight digits: the last six are ours.
func TestCode(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471",
		1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"} {
		if got := totp.Code(secret, totp.Step(time.Unix(at, 0))); got != want[2:] {
			t.Errorf("at %d: %s, want %s", at, got, want[2:])
		}
	}
}

// TestFind: a clock may be half a minute off, not more.
func TestFind(t *testing.T) {
	secret, now := totp.NewSecret(), time.Unix(1_800_000_000, 0)
	for away, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		code := totp.Code(secret, totp.Step(now)+away)
		if step, ok := totp.Find(secret, code, now); ok != want || ok && step != totp.Step(now)+away {
			t.Errorf("a code %d steps away: %d, %v", away, step-totp.Step(now), ok)
		}
	}
	for _, wrong := range []string{"", "12345", "1234567", "abcdef", strings.Repeat("1", 1000)} {
		if _, ok := totp.Find(secret, wrong, now); ok && len(wrong) != totp.Digits {
			t.Errorf("%q is a code", wrong)
		}
	}
}

func TestAddress(t *testing.T) {
	got := totp.Address("My brand & co", "mia@brand.example", []byte("12345678901234567890"))
	const want = "otpauth://totp/My%20brand%20&%20co:mia@brand.example?" +
		"secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=My%20brand%20%26%20co"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
