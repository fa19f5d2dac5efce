package affiliate

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/tributaryhq/tributary/internal/money"
)

// ErrorKind sorts errors by what the caller can do about them.
type ErrorKind string

const (
	Invalid     ErrorKind = "invalid"     // the input is wrong; sending it again changes nothing
	NotFound    ErrorKind = "not_found"   // there is no such thing
	Conflict    ErrorKind = "conflict"    // it contradicts what is there
	Forbidden   ErrorKind = "forbidden"   // this person or token may not
	Unavailable ErrorKind = "unavailable" // try again later
)

// Error is an error whose message may be shown to a person. Field names the input that is wrong, where one is.
type Error struct {
	Kind    ErrorKind
	Code    string // stable word for machines; the kind when empty
	Field   string
	Message string

	shown string // the message for people, its numbers marked; empty where it is the same
}

func (e *Error) Error() string {
	if e.Field != "" {
		return e.Field + ": " + e.Message
	}
	return e.Message
}

// Errorf makes an Error without a field.
func Errorf(kind ErrorKind, format string, args ...any) error {
	return newError(kind, "", fmt.Sprintf(format, args...))
}

// FieldErrorf makes an Invalid Error about one field.
func FieldErrorf(field, format string, args ...any) error {
	return newError(Invalid, field, fmt.Sprintf(format, args...))
}

// ConflictErrorf makes a Conflict Error about one field.
func ConflictErrorf(field, format string, args ...any) error {
	return newError(Conflict, field, fmt.Sprintf(format, args...))
}

func newError(kind ErrorKind, field, text string) *Error {
	e := &Error{Kind: kind, Field: field, Message: money.Plain(text)}
	if e.Message != text {
		e.shown = text
	}
	return e
}

// ForPeople gives an error other words for people than programs get, which name fields and values as those know them.
func ForPeople(err error, words string) error {
	var e *Error
	if !errors.As(err, &e) {
		return err
	}
	other := *e
	other.shown = words
	return &other
}

// AboutField gives an error that is about one field, if it may be shown to a person.
func AboutField(field string, err error) error {
	var e *Error
	if !errors.As(err, &e) {
		return FieldErrorf(field, "%v", err)
	}
	return &Error{Kind: Invalid, Field: field, Message: e.Message, shown: e.shown}
}

// Shown is the message in words of people, with its numbers marked (money.Marked), for those who write them in the
// signs of the reader.
func (e *Error) Shown() string { return cmp.Or(e.shown, e.Message) }

// KindOf gives the kind of the Error in err's chain, or "" when there is none.
func KindOf(err error) ErrorKind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return ""
}

// Clip shortens s to most characters for a message.
func Clip(s string, most int) string {
	n := 0
	for i := range s {
		if n == most {
			return s[:i] + "…"
		}
		n++
	}
	return s
}
