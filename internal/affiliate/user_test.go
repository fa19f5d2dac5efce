package affiliate_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestAttack_commonPasswords: what is guessed first is refused, however long it is; a few words in a row are fine.
func TestAttack_commonPasswords(t *testing.T) {
	mia := affiliate.User{Email: "mia.keller@brand.example", Name: "Mia Keller"}
	for _, weak := range []string{"short", "elevenchars", "aaaaaaaaaaaaaaaa", "123456789012345", "abcdefghijklmnop",
		"password1234", "Passw0rd12345!", "TributaryTributary", "tributary2026", "mia.keller@brand.example",
		"MiaKeller1234", "brandbrandbrand", "qwertyuiop123", "1q2w3e4r5t6z", "hahahahahahaha", "mia mia mia mia",
		strings.Repeat("x y ", 60)} {
		err := mia.ValidatePassword("password", weak)
		var e *affiliate.Error
		if !errors.As(err, &e) || e.Field != "password" || e.Kind != affiliate.Invalid {
			t.Errorf("%q is allowed: %v", weak, err)
		}
	}
	for _, good := range []string{"correct horse battery", "zwölf Zeichen lang", "gB7!kq2#Lm9z", "583920174625",
		"ein Haus am See im Mai", strings.Repeat("correct horse ", 14)} {
		if err := mia.ValidatePassword("password", good); err != nil {
			t.Errorf("%q is refused: %v", good, err)
		}
	}
}
