package affiliate

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestApprovals(t *testing.T) {
	noon := time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)
	release := func(a *Approvals) {
		if err := a.Release("mia", noon); err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	keep := func(a *Approvals) {
		if err := a.Keep("mia", noon); err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	tests := []struct {
		name string
		held string
		do   func(a *Approvals)
		want Approvals
	}{
		{"approved by default", "", func(*Approvals) {}, Approvals{Approval: Approved}},
		{"held by a rule", "self_referral", func(*Approvals) {}, Approvals{Approval: Held, Reason: "self_referral",
			HeldReason: "self_referral"}},
		{"rejected", "", func(a *Approvals) { a.Reject("mia", "a friend", noon) },
			Approvals{Approval: Rejected, Reason: "a friend", By: "mia", At: noon}},
		{"undone", "", func(a *Approvals) {
			a.Reject("mia", "a friend", noon)
			a.Undo("ben", noon)
		}, Approvals{Approval: Approved, By: "ben", At: noon}},
		{"kept as it is", "", keep, Approvals{Approval: Approved, By: "mia", At: noon}},
		{"kept by the first who looked", "", func(a *Approvals) {
			a.Undo("ben", noon) // it is not rejected
			keep(a)
			_ = a.Keep("ben", noon.Add(time.Hour))
		}, Approvals{Approval: Approved, By: "mia", At: noon}},
		{"a rule that says the same leaves it kept", "", func(a *Approvals) { keep(a); a.Hold("") },
			Approvals{Approval: Approved, By: "mia", At: noon}},
		{"a rule holds what was kept", "", func(a *Approvals) { keep(a); a.Hold("self_referral") },
			Approvals{Approval: Held, Reason: "self_referral", HeldReason: "self_referral"}},
		{"a release stands when no rule holds any more", "self_referral", func(a *Approvals) { release(a); a.Hold("") },
			Approvals{Approval: Approved, By: "mia", At: noon, Released: true}},
		{"released", "self_referral", release, Approvals{Approval: Approved, By: "mia", At: noon,
			HeldReason: "self_referral", Released: true}},
		{"a rejection that is undone is held again", "self_referral", func(a *Approvals) {
			a.Reject("mia", "", noon)
			a.Undo("mia", noon)
		},
			Approvals{Approval: Held, Reason: "self_referral", HeldReason: "self_referral"}},
		{"a release outlives a rejection", "self_referral", func(a *Approvals) {
			release(a)
			a.Reject("mia", "", noon)
			a.Undo("ben", noon)
		},
			Approvals{Approval: Approved, By: "ben", At: noon, HeldReason: "self_referral", Released: true}},
		{"a rule does not lift a rejection", "", func(a *Approvals) {
			a.Reject("mia", "no", noon)
			a.Hold("self_referral")
		},
			Approvals{Approval: Rejected, Reason: "no", By: "mia", At: noon, HeldReason: "self_referral"}},
		{"a rule that no longer holds", "self_referral", func(a *Approvals) {
			a.Hold("")
		}, Approvals{Approval: Approved}},
		{"released once, for good", "self_referral", func(a *Approvals) { release(a); a.Hold("self_referral") },
			Approvals{Approval: Approved, By: "mia", At: noon, HeldReason: "self_referral", Released: true}},
		{"undo without a rejection", "self_referral", func(a *Approvals) {
			release(a)
			a.Undo("ben", noon.Add(time.Hour))
		},
			Approvals{Approval: Approved, By: "mia", At: noon, HeldReason: "self_referral", Released: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := Fresh(tt.held)
			tt.do(&a)
			if a != tt.want {
				t.Errorf("got %+v, want %+v", a, tt.want)
			}
		})
	}
	a := Fresh("")
	a.Reject("mia", "", noon)
	if err := a.Release("mia", noon); KindOf(err) != Conflict {
		t.Errorf("releasing a rejected one: %v", err)
	}
	before := a
	if err := a.Keep("ben", noon); KindOf(err) != Conflict || a != before {
		t.Errorf("keeping a rejected one: %v, %+v", err, a)
	}
	a = Fresh("self_referral")
	before = a
	if err := a.Keep("ben", noon); KindOf(err) != Conflict || a != before {
		t.Errorf("keeping a held one: %v, %+v", err, a)
	}
}

// TestApprovals_repeated: every decision made twice in a row is the decision made once.
func TestApprovals_repeated(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := Fresh(rapid.SampledFrom([]string{"", "self_referral"}).Draw(t, "held"))
		at := time.Unix(1, 0)
		decisions := []func(){
			func() { a.Reject("mia", "x", at) },
			func() { a.Undo("mia", at) },
			func() { _ = a.Release("mia", at) },
			func() { _ = a.Keep("mia", at) },
			func() { a.Hold("") },
			func() { a.Hold("self_referral") },
		}
		for range rapid.IntRange(0, 8).Draw(t, "n") {
			decide := rapid.SampledFrom(decisions).Draw(t, "decision")
			decide()
			once := a
			at = at.Add(time.Hour)
			decide()
			if a != once {
				t.Fatalf("once %+v, twice %+v", once, a)
			}
			if a.Approval == Held && (a.HeldReason == "" || a.Released) {
				t.Fatalf("held without a reason: %+v", a)
			}
		}
	})
}

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		approval Approval
		status   OrderStatus
		want     Class
	}{
		{Approved, Paid, ClassConversion}, {Approved, Pending, ClassPending}, {Approved, Canceled, ClassCanceled},
		{Approved, Refunded, ClassRefunded}, {Held, Paid, ClassHeld}, {Rejected, Refunded, ClassRejected},
	} {
		if got := Classify(tt.approval, tt.status); got != tt.want {
			t.Errorf("%s %s: %v, want %v", tt.approval, tt.status, got, tt.want)
		}
	}
}
