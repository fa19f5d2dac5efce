package affiliate

import (
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"
)

// User is a person who signs in. The password is not here: only its hash is kept, in storage.
type User struct {
	ID         UserID
	Email      string // lower case
	Name       string
	Role       Role
	DisabledAt time.Time // zero while they may sign in
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Bounds of a password, in characters. Long ones are fine; the upper bound keeps hashing them cheap.
const (
	MinPassword = 10
	MaxPassword = 200
)

// Validate gives an error that names the field that is wrong.
func (u User) Validate() error {
	address, err := mail.ParseAddress(u.Email)
	if err != nil || address.Address != u.Email || len(u.Email) > 254 {
		return FieldErrorf("email", "must be an e-mail address, such as anna@example.com")
	}
	if err := validName("name", u.Name); err != nil {
		return err
	}
	_, err = ParseRole(string(u.Role))
	return err
}

// FoldEmail is how the e-mail address of a user is kept and looked up: people type it in any case.
func FoldEmail(s string) string { return strings.ToLower(Clean(s)) }

// ValidatePassword gives an error of the field. Length is all that is asked: rules on characters make worse passwords.
func ValidatePassword(field, password string) error {
	n := utf8.RuneCountInString(password)
	if n < MinPassword || n > MaxPassword {
		return FieldErrorf(field, "must have %d to %d characters", MinPassword, MaxPassword)
	}
	return nil
}

// Principal is the user as the one who asks.
func (u User) Principal() Principal {
	return Principal{ID: u.ID.String(), Name: u.Name + " (" + u.Email + ")", Role: u.Role}
}
