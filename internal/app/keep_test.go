package app_test

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// TestKeep: who looks at an order with several creators' codes ends the doubt, and no amount changes.
func TestKeep(t *testing.T) {
	eachRig(t, func(r *rig) {
		several := func(s *affiliate.Snapshot) { s.Codes = []string{"anna10", "ben5"} }
		for _, id := range []string{"1", "2", "3", "4"} {
			r.apply(orderBody(id, 1, several))
		}
		r.apply(orderBody("5", 1, nil))
		open := func(want int64) {
			r.Helper()
			review, err := r.db.Review(r.Context())
			if r.ok(err); review.Ambiguous != want {
				r.Errorf("%d are in doubt, want %d", review.Ambiguous, want)
			}
			if got := r.confirmed(app.Keep).Conversions; got != want {
				r.Errorf("%d are to be kept, want %d", got, want)
			}
		}
		open(4)
		before, posted := r.money("1"), r.ledger("1")
		r.ok(r.decide(app.Keep, "1"))
		r.ok(r.decide(app.Keep, "1"))
		if c := r.conversion("1"); c.Approval != affiliate.Approved || c.ApprovalBy != "Mia" || c.ApprovalAt.IsZero() {
			r.Errorf("kept: %+v", c.Approvals())
		}
		r.apply(orderBody("1", 2, several)) // the store says it again: it stays decided
		if r.money("1") != before || r.ledger("1") != posted || r.conversion("1").ApprovalBy != "Mia" {
			r.Errorf("%s and %s of %+v, before %s and %s", r.money("1"), r.ledger("1"), r.conversion("1").Approvals(),
				before, posted)
		}
		entries, _, err := r.db.AuditLog(r.Context(), r.conversion("1").ID.String(), storage.Page{})
		if r.ok(err); len(entries) != 1 || entries[0].Action != "conversion.keep" || entries[0].Actor != "Mia" {
			r.Errorf("the audit log has %+v", entries)
		}
		open(3)
		r.ok(r.decide(app.Reject, "2"))
		open(2)
		if err := r.decide(app.Keep, "3", "2"); affiliate.KindOf(err) != affiliate.Conflict ||
			!strings.Contains(err.Error(), "it is rejected; undo the rejection instead") {
			r.Errorf("keeping a rejected one: %v", err)
		}
		r.ok(r.decide(app.Undo, "2")) // who takes a rejection back has decided as well
		open(2)
		n, err := r.app.DecideAll(r.owner(), everything, app.Keep, "", r.confirmed(app.Keep).Confirm())
		if err != nil || n != 2 {
			r.Errorf("kept %d, %v, want 2", n, err)
		}
		open(0)
		if c := r.conversion("5"); c.ApprovalBy != "" {
			r.Errorf("one without a doubt is decided about: %+v", c.Approvals())
		}
		storagetest.Consistent(r, r.db)
	})
}

// TestKeep_held: what a rule holds is released or rejected; either ends the doubt about its codes, too.
func TestKeep_held(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.app.Platforms = app.Platforms{emailByVersion{emails: map[int64]string{1: "anna@creators.example"}}}
		r.apply(orderBody("1", 1, func(s *affiliate.Snapshot) { s.Codes = []string{"anna10", "ben5"} }))
		if c := r.conversion("1"); c.Approval != affiliate.Held || !c.Ambiguous {
			r.Fatalf("got %+v, ambiguous %v", c.Approvals(), c.Ambiguous)
		}
		if err := r.decide(app.Keep, "1"); affiliate.KindOf(err) != affiliate.Conflict ||
			!strings.Contains(err.Error(), "it is held; release it instead") {
			r.Errorf("keeping a held one: %v", err)
		}
		r.ok(r.decide(app.Release, "1"))
		review, err := r.db.Review(r.Context())
		if r.ok(err); review.Ambiguous != 0 || review.Held != 0 {
			r.Errorf("after the release: %+v", review)
		}
	})
}
