package app_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// everything are all conversions there are.
var everything = storage.ConversionFilter{Former: true}

// confirmed is what somebody has seen of a decision about everything.
func (r *rig) confirmed(d app.Decision) app.Decidable {
	r.Helper()
	seen, err := r.app.ToDecide(r.owner(), everything, d)
	r.ok(err)
	return seen
}

// TestDecideAll: all conversions of a list are decided about at once, as long as it is what was confirmed.
func TestDecideAll(t *testing.T) {
	eachRig(t, func(r *rig) {
		for n := range 7 {
			r.apply(orderBody(fmt.Sprint(n), 1, nil))
		}
		r.ok(r.decide(app.Reject, "0"))
		seen := r.confirmed(app.Reject)
		if got := fmt.Sprintf("%d %v", seen.Conversions, seen.Sums); got != "6 [{USD 6 60000 6000}]" {
			r.Errorf("to be rejected: %s", got)
		}
		r.apply(orderBody("7", 1, nil)) // the list changes
		_, err := r.app.DecideAll(r.owner(), everything, app.Reject, "fraud", seen.Confirm())
		if affiliate.KindOf(err) != affiliate.Conflict || !strings.Contains(err.Error(), "changed meanwhile") {
			r.Errorf("a list that has changed: %v", err)
		}
		if got := r.confirmed(app.Undo).Conversions; got != 1 {
			r.Errorf("%d are rejected after a decision that was not made", got)
		}
		n, err := r.app.DecideAll(r.owner(), everything, app.Reject, "fraud", r.confirmed(app.Reject).Confirm())
		if err != nil || n != 7 {
			r.Errorf("rejected %d, %v, want 7", n, err)
		}
		if c := r.conversion("0"); c.ApprovalReason != "because" {
			r.Errorf("one that was rejected before got another reason: %q", c.ApprovalReason)
		}
		if c := r.conversion("3"); c.ApprovalReason != "fraud" || c.ApprovalBy != "Mia" {
			r.Errorf("got %+v", c.Approvals())
		}
		if got := r.confirmed(app.Release); got.Conversions != 0 {
			r.Errorf("%d are to be released, and none is held", got.Conversions)
		}
		if n, err := r.app.DecideAll(r.owner(), everything, app.Release, "", "0"); n != 0 || err != nil {
			r.Errorf("to release none: %d, %v", n, err)
		}
		n, err = r.app.DecideAll(r.owner(), everything, app.Undo, "", r.confirmed(app.Undo).Confirm())
		if err != nil || n != 8 {
			r.Errorf("undone %d, %v, want 8", n, err)
		}
		only := storage.ConversionFilter{Former: true, Approvals: []affiliate.Approval{affiliate.Rejected}}
		if got, err := r.app.ToDecide(r.owner(), only, app.Reject); err != nil || got.Conversions != 0 {
			r.Errorf("rejected ones to be rejected: %d, %v", got.Conversions, err)
		}
		if _, err := r.app.ToDecide(r.owner(), everything, "approve"); affiliate.KindOf(err) != affiliate.Invalid {
			r.Errorf("an unknown decision: %v", err)
		}
		if _, err := r.app.DecideAll(r.owner(), everything, app.Reject, strings.Repeat("x", 501),
			r.confirmed(app.Reject).Confirm()); affiliate.KindOf(err) != affiliate.Invalid {
			r.Errorf("a long reason: %v", err)
		}
		storagetest.Consistent(r, r.db)
	})
}

// TestDecideAll_meanwhile: what somebody else has decided about since the list was read is left as it is, and so is
// what is no longer credited. Neither is counted.
func TestDecideAll_meanwhile(t *testing.T) {
	eachRig(t, func(r *rig) {
		var ids []affiliate.ConversionID
		for n := range 6 {
			r.apply(orderBody(fmt.Sprint(n), 1, nil))
			ids = append(ids, r.conversion(fmt.Sprint(n)).ID)
		}
		decide := func(d app.Decision, f storage.ConversionFilter, want int64) {
			r.Helper()
			if n, err := r.app.DecideListed(r.owner(), ids, f, d, "fraud"); n != want || err != nil {
				r.Errorf("%s %d, %v, want %d", d, n, err, want)
			}
		}
		approved := storage.ConversionFilter{Approvals: []affiliate.Approval{affiliate.Approved}}
		undecided := approved
		undecided.Undecided = true
		r.ok(r.decide(app.Reject, "1", "2"))
		r.ok(r.decide(app.Undo, "2"))
		two := r.conversion("2").Approvals()
		decide(app.Keep, undecided, 4)
		if got := r.conversion("2").Approvals(); got != two {
			r.Errorf("one that somebody had decided about is %+v, was %+v", got, two)
		}
		r.apply(orderBody("3", 2, func(s *affiliate.Snapshot) { s.Codes = nil }))
		r.ok(r.decide(app.Reject, "4"))
		decide(app.Reject, approved, 3) // 0, 2, 5
		for n, want := range map[string]string{"0": "fraud", "1": "because", "2": "fraud", "4": "because",
			"5": "fraud"} {
			if c := r.conversion(n); c.ApprovalReason != want {
				r.Errorf("order %s is rejected for %q, want %q", n, c.ApprovalReason, want)
			}
		}
		decide(app.Reject, approved, 0)
		decide(app.Undo, storage.ConversionFilter{Approvals: []affiliate.Approval{affiliate.Rejected}}, 5)
		storagetest.Consistent(r, r.db)
	})
}

// TestDecideAll_race: two people decide about the same list at once, and a third about one of its rows: every one is
// rejected once, and the ledger agrees.
func TestDecideAll_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		for n := range 12 {
			r.apply(orderBody(fmt.Sprint(n), 1, nil))
		}
		seen, one := r.confirmed(app.Reject).Confirm(), r.conversion("5").ID
		var all sync.WaitGroup
		var rejected atomic.Int64
		for range 2 {
			all.Go(func() {
				n, err := r.app.DecideAll(r.owner(), everything, app.Reject, "fraud", seen)
				if err != nil && affiliate.KindOf(err) != affiliate.Conflict {
					r.Errorf("%v", err)
				}
				rejected.Add(n)
			})
		}
		all.Go(func() {
			if _, err := r.app.Decide(r.owner(), []affiliate.ConversionID{one}, app.Reject, "because"); err != nil {
				r.Errorf("%v", err)
			}
		})
		all.Wait()
		told := rejected.Load()
		if left := r.confirmed(app.Reject); left.Conversions > 0 {
			n, err := r.app.DecideAll(r.owner(), everything, app.Reject, "fraud", left.Confirm())
			r.ok(err)
			if n != left.Conversions {
				r.Errorf("%d of %d are rejected", n, left.Conversions)
			}
			told += n
		}
		var audited int64
		r.ok(r.db.Get(r.Context(), &audited, `SELECT COUNT(*) FROM audit_log WHERE action = 'conversion.reject'`))
		if told+1 != audited { // the third's changes the reason where that was slower
			r.Errorf("%d are told to be rejected, and %d are, one by the third", told, audited)
		}
		if c := r.conversion("5"); c.ApprovalReason != "because" {
			r.Errorf("the third's reason is overwritten by %q", c.ApprovalReason)
		}
		for n := range 12 {
			if got := r.ledger(fmt.Sprint(n)); got != "0 USD in 2" {
				r.Errorf("order %d: %s", n, got)
			}
		}
		storagetest.Consistent(r, r.db)
	})
}
