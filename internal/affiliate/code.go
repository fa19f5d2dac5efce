package affiliate

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Code is one interval [ValidFrom, ValidTo) in which an offer member owns a coupon code in a store. Intervals of one
// code in one store never overlap and are never changed backwards; an ended one stays as a tombstone with its orders.
type Code struct {
	ID            CodeID
	OfferMemberID OfferMemberID
	StoreID       StoreID
	Code          string    // as people write it; compared by FoldCode
	ValidFrom     time.Time // zero: always
	ValidTo       time.Time // zero: still owned
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

const maxCode = 100

// ValidateCode gives an error when s cannot be a coupon code.
func ValidateCode(s string) error {
	switch {
	case FoldCode(s) == "":
		return FieldErrorf("code", "must not be empty")
	case utf8.RuneCountInString(s) > maxCode:
		return FieldErrorf("code", "must not have more than %d characters", maxCode)
	case !utf8.ValidString(s) || strings.TrimSpace(s) != s || strings.ContainsFunc(s, isControl):
		return FieldErrorf("code", "must not begin or end with a space, nor contain line ends or control characters")
	}
	return nil
}

// OwnedAt says whether the interval holds a moment.
func (c Code) OwnedAt(t time.Time) bool {
	return !c.ValidFrom.After(t) && (c.ValidTo.IsZero() || t.Before(c.ValidTo))
}

// never says whether the interval is empty: it was ended before it began.
func (c Code) never() bool {
	return !c.ValidTo.IsZero() && !c.ValidFrom.IsZero() && !c.ValidFrom.Before(c.ValidTo)
}

// Occupant gives the interval that stands in the way of a new owner at now: one without an end, or one that ends later.
func Occupant(history []Code, now time.Time) (Code, bool) {
	for _, c := range history {
		if (c.ValidTo.IsZero() || c.ValidTo.After(now)) && !c.never() {
			return c, true
		}
	}
	return Code{}, false
}

// FreeSince gives when the last interval that a code has had ended: a new owner may begin then. It is zero for a code
// that nobody ever owned. Call it only without an Occupant.
func FreeSince(history []Code) time.Time {
	var last time.Time
	for _, c := range history {
		if c.ValidTo.After(last) && !c.never() {
			last = c.ValidTo
		}
	}
	return last
}

// NextOwnership gives when a new owner's interval of a code may begin, after all intervals that the code has had in the
// store. A code that nobody ever owned is the new owner's from always on, unless wanted says otherwise. One that was
// owned before begins now, or at wanted, which must not reach back into anybody's time. Call it only without an
// Occupant, or with wanted set.
func NextOwnership(history []Code, wanted, now time.Time) (time.Time, error) {
	if len(history) == 0 {
		return wanted, nil
	}
	for _, c := range history {
		if c.ValidTo.IsZero() {
			return time.Time{}, &Error{Kind: Conflict, Field: "code", Message: "the code is owned; end it first"}
		}
	}
	last := FreeSince(history)
	if wanted.IsZero() {
		wanted = now
	}
	if wanted.Before(last) {
		return time.Time{}, &Error{Kind: Conflict, Field: "valid_from",
			Message: "the code was owned by somebody until " + last.UTC().Format(time.RFC3339) +
				"; it may begin then or later"}
	}
	return wanted, nil
}

// End ends the ownership at a moment, which must lie in the interval and not in the past: orders that were credited
// stay credited. An end that has not come may be moved to an earlier moment; anything else is a Conflict, but for the
// same moment again.
func (c *Code) End(at, now time.Time) error {
	switch {
	case !c.ValidTo.IsZero() && c.ValidTo.Equal(at):
		return nil
	case !c.ValidTo.IsZero() && !c.ValidTo.After(now):
		return Errorf(Conflict, "the code was ended at %s already", c.ValidTo.UTC().Format(time.RFC3339))
	case !c.ValidTo.IsZero() && at.After(c.ValidTo):
		return &Error{Kind: Conflict, Field: "valid_to",
			Message: "the code ends at " + c.ValidTo.UTC().Format(time.RFC3339) +
				"; it may end earlier, not later, since somebody may own it from then on"}
	case at.Before(now):
		return FieldErrorf("valid_to", "must not be in the past: orders placed since may be credited already")
	case at.Before(c.ValidFrom):
		return FieldErrorf("valid_to", "must not be before valid_from (%s)", c.ValidFrom.UTC().Format(time.RFC3339))
	}
	c.ValidTo = at
	return nil
}
