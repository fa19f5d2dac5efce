package app_test

import (
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// A conversion has one hold: a refund takes away what it had earned at the same time as that is payable, or at once,
// and never makes payable what another conversion has on hold.
func TestRefundMakesNothingPayableThatIsOnHold(t *testing.T) {
	eachRig(t, func(r *rig) {
		clock := time.Now().UTC().Truncate(time.Microsecond)
		r.app.Now = func() time.Time { return clock }
		payable := func(what string, want int64) {
			r.Helper()
			balances, err := r.db.Balances(r.Context(), []affiliate.CreatorID{1}, clock)
			r.ok(err)
			if got := balances[0].Payable; got != want {
				r.Errorf("%s: %d is payable, want %d", what, got, want)
			}
		}
		canceled := func(s *affiliate.Snapshot) { s.Status, s.Merchandise = affiliate.StoreCanceled, 0 }
		r.ok(r.set("hold_days", "14"))
		r.apply(orderBody("1", 1, nil))
		clock = clock.AddDate(0, 0, 15)
		r.apply(orderBody("2", 1, func(s *affiliate.Snapshot) { s.Merchandise = 30000 }))
		r.apply(orderBody("3", 1, nil))
		payable("the first has been held long enough", 1000)
		r.apply(orderBody("1", 2, canceled))
		payable("the first is canceled, unpaid", 0)
		r.ok(r.decide(app.Reject, "3"))
		payable("a rejection of what is on hold", 0)
		r.ok(r.decide(app.Undo, "3"))
		clock = clock.AddDate(0, 0, 14)
		payable("the others have been held long enough", 4000)
		r.ok(r.decide(app.Reject, "3"))
		payable("what is taken back is so at once", 3000)
		r.ok(r.decide(app.Undo, "3"))
		payable("and is not held a second time", 4000)
	})
}
