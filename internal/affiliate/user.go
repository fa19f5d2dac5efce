package affiliate

import (
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// User is a person who signs in. The password is not here: only its hash is kept, in storage.
type User struct {
	ID         UserID
	Email      string // lower case
	Name       string
	Role       Role
	MayPay     bool        // of a manager: an owner has allowed them to pay
	Numbers    NumberStyle // how they read numbers; empty: as their browser's languages have it
	DisabledAt time.Time   // zero while they may sign in
	CreatedAt  time.Time
	UpdatedAt  time.Time
}

// Bounds of a password, in characters. Long ones are fine; the upper bound keeps hashing them cheap.
const (
	MinPassword = 12
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
	if _, err = ParseRole(string(u.Role)); err != nil {
		return err
	}
	return checkMayPay(u.Role, u.MayPay)
}

// FoldEmail is how the e-mail address of a user is kept and looked up: people type it in any case.
func FoldEmail(s string) string { return strings.ToLower(Clean(s)) }

// ValidatePassword gives an error of the field. Rules on kinds of characters make worse passwords, so only length is
// asked, and that it is none of those that are guessed first: one that says nothing but the e-mail address, the name or
// the product, or that repeats or counts.
func (u User) ValidatePassword(field, password string) error {
	n := utf8.RuneCountInString(password)
	if n < MinPassword || n > MaxPassword {
		return FieldErrorf(field, "must have %d to %d characters", MinPassword, MaxPassword)
	}
	if rest := u.unguessed(password); rest < 6 {
		return FieldErrorf(field, "is among the first to be guessed: it is made of your name, your e-mail address, "+
			"Tributary, a common password, or of characters that repeat or count; a few words in a row are good")
	}
	return nil
}

// firstGuesses are the words that common passwords of some length are made of.
var firstGuesses = []string{"tributary", "password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "letmein",
	"welcome", "qwertyuiop", "qwertzuiop", "qwerty", "qwertz", "azerty", "asdfghjkl", "asdf", "zxcvbnm",
	"yxcvbnm", "1q2w3e4r5t", "1q2w3e4r", "1qaz2wsx3edc", "1qaz2wsx", "admin", "administrator", "login",
	"iloveyou", "changeme", "secret", "monkey", "dragon", "football", "baseball", "master", "superman",
	"sunshine", "princess", "hello", "abc", "owner", "test"}

// unguessed counts the characters of a password that are left without the words that are guessed first, and without
// those that repeat the character before, or count on from it.
func (u User) unguessed(password string) int {
	rest := strings.ToLower(password)
	words := slices.Clone(firstGuesses)
	mailbox, domain, _ := strings.Cut(strings.ToLower(u.Email), "@")
	words = append(words, strings.ToLower(u.Email), mailbox, domain)
	words = append(words, strings.FieldsFunc(mailbox+"."+domain, func(r rune) bool {
		return !unicode.IsLetter(r)
	})...)
	words = append(words, strings.Fields(strings.ToLower(u.Name))...)
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) })
	for _, w := range words {
		if len(w) >= 3 {
			rest = strings.ReplaceAll(rest, w, "")
		}
	}
	n, before, seen := 0, rune(-2), map[rune]bool{}
	for _, r := range rest {
		if step := r - before; step < -1 || step > 1 {
			if !seen[r] {
				n++
			}
		}
		seen[r], before = true, r
	}
	return n
}

// Principal is the user as the one who asks.
func (u User) Principal() Principal {
	return Principal{ID: u.ID.String(), Name: u.Name + " (" + u.Email + ")", Role: u.Role, Pay: u.MayPay}
}
