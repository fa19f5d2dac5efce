package affiliate

import (
	"errors"
	"fmt"
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
}

func (e *Error) Error() string {
	if e.Field != "" {
		return e.Field + ": " + e.Message
	}
	return e.Message
}

// Errorf makes an Error without a field.
func Errorf(kind ErrorKind, format string, args ...any) error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// FieldErrorf makes an Invalid Error about one field.
func FieldErrorf(field, format string, args ...any) error {
	return &Error{Kind: Invalid, Field: field, Message: fmt.Sprintf(format, args...)}
}

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
