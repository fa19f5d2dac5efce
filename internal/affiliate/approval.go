package affiliate

import "time"

// Approval says whether a conversion counts.
type Approval string

const (
	Approved Approval = "approved" // the default of a paid conversion
	Rejected Approval = "rejected" // by a person; can be undone
	Held     Approval = "held"     // by a rule, until a person releases it
)

// Words lists the approvals there are.
func (Approval) Words() []Approval { return []Approval{Approved, Rejected, Held} }

// Approvals is what rules and people have said about a conversion, and what follows from it.
type Approvals struct {
	Approval Approval
	Reason   string // why it is rejected or held
	By       string // who decided; empty: a rule
	At       time.Time
	// HeldReason is why a rule would hold it; empty when no rule does.
	HeldReason string
	Released   bool // a person let it pass although a rule would hold it
}

// Fresh is the state of a conversion about which nobody has decided.
func Fresh(heldReason string) Approvals {
	a := Approvals{HeldReason: heldReason}
	a.settle("", time.Time{})
	return a
}

// Hold says what the rules say now. A rejection stays, and so does a release.
func (a *Approvals) Hold(reason string) {
	if a.HeldReason == reason && a.Approval != "" {
		return
	}
	a.HeldReason = reason
	if a.Approval != Rejected {
		a.settle(a.By, a.At)
	}
}

// Reject takes a conversion out of all totals, at any time. The reason may be empty.
func (a *Approvals) Reject(by, reason string, at time.Time) {
	if a.Approval == Rejected && a.Reason == reason {
		return
	}
	a.Approval, a.Reason, a.By, a.At = Rejected, reason, by, at
}

// Undo takes a rejection back: what no rule holds, or what somebody had released, is approved by whoever takes it back.
// Without a rejection it changes nothing.
func (a *Approvals) Undo(by string, at time.Time) {
	if a.Approval == Rejected {
		a.settle(by, at)
	}
}

// Release lets a held conversion pass. Releasing one that is not held changes nothing; Conflict for a rejected one.
func (a *Approvals) Release(by string, at time.Time) error {
	switch a.Approval {
	case Rejected:
		return Errorf(Conflict, "it is rejected; undo the rejection first")
	case Held:
		a.Released = true
		a.settle(by, at)
	}
	return nil
}

// Keep says of an approved conversion that it is credited rightly: it stays as it is, with whoever looked at it. Where
// somebody had decided already it changes nothing; Conflict for one that is rejected or held.
func (a *Approvals) Keep(by string, at time.Time) error {
	switch {
	case a.Approval == Rejected:
		return Errorf(Conflict, "it is rejected; undo the rejection instead")
	case a.Approval == Held:
		return Errorf(Conflict, "it is held; release it instead")
	case a.By == "":
		a.By, a.At = by, at
	}
	return nil
}

// settle draws the conclusion where nobody rejects.
func (a *Approvals) settle(by string, at time.Time) {
	a.Approval, a.Reason, a.By, a.At = Approved, "", by, at
	if a.HeldReason != "" && !a.Released {
		a.Approval, a.Reason, a.By, a.At = Held, a.HeldReason, "", time.Time{}
	}
}

// Class says where a conversion counts in reports: each is in exactly one.
type Class int

const (
	ClassConversion Class = iota // paid and approved: the only one whose value and commission count
	ClassPending
	ClassCanceled
	ClassRefunded
	ClassHeld
	ClassRejected
)

// Classify gives the class of a conversion. A decision comes before the order's status.
func Classify(a Approval, s OrderStatus) Class {
	switch {
	case a == Rejected:
		return ClassRejected
	case a == Held:
		return ClassHeld
	case s == Paid:
		return ClassConversion
	case s == Canceled:
		return ClassCanceled
	case s == Refunded:
		return ClassRefunded
	}
	return ClassPending
}
