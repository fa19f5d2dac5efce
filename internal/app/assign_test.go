package app_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// placed is when orderBody's orders are placed, but for those that a test moves.
var placed = time.UnixMilli(1_700_000_000_000).UTC()

func (r *rig) asOwner() context.Context {
	return app.As(r.Context(), affiliate.Principal{Name: "the test", Role: affiliate.RoleOwner})
}

// applyAll sends bodies and applies them together.
func (r *rig) applyAll(bodies ...string) {
	r.Helper()
	r.recorder.ids = nil
	r.intake = app.NewIntake(r.db, r.recorder, r.app.Log)
	r.receiver = app.NewReceiver(r.app, r.intake, app.NewCounters(r.db, time.Now, r.app.Log))
	for _, b := range bodies {
		r.send(b)
	}
	r.processAll()
}

// withCodes is the body of a paid order of 100.00 with some codes, changed as the test wants.
func withCodes(id string, codes string, change func(*affiliate.Snapshot)) string {
	return orderBody(id, 1, func(s *affiliate.Snapshot) {
		s.Codes = strings.Fields(codes)
		if change != nil {
			change(s)
		}
	})
}

// assignment asks for a code for the n-th offer member of the rig: 0 is Anna's, 1 Ben's.
func (r *rig) assignment(n int, code string) app.AssignCode {
	r.Helper()
	members, _, err := r.db.OfferMembers(r.Context(), storage.OfferMemberFilter{}, storage.Page{})
	if err != nil {
		r.Fatal(err)
	}
	store, err := r.db.StoreBySlug(r.Context(), "shop")
	if err != nil {
		r.Fatal(err)
	}
	return app.AssignCode{NewCode: app.NewCode{OfferMember: members[n].ID, Store: store.ID, Code: code}}
}

func (r *rig) assign(in app.AssignCode) app.CodeAssignment {
	r.Helper()
	got, err := r.app.AssignCode(r.asOwner(), in, nil)
	if err != nil {
		r.Fatal(err)
	}
	return got
}

// summary writes an assignment in one line, its orders by number.
func summary(a app.CodeAssignment) string {
	var parts []string
	for _, t := range a.Totals {
		parts = append(parts, fmt.Sprintf("%s %d of %d orders, commission %d", t.Currency, t.Sales, t.Orders,
			t.Commission))
	}
	var orders, refused []string
	for _, o := range a.Orders {
		orders = append(orders, o.Order.Number)
	}
	for _, o := range a.Refused {
		refused = append(refused, o.Order.Number+" "+o.Reason)
	}
	return fmt.Sprintf("credited %d (%s), held %d, ambiguous %d: %s; not credited %d (%s) %v", a.Credited,
		strings.Join(orders, " "), a.Held, a.Ambiguous, strings.Join(parts, "; "), a.NotCredited,
		strings.Join(refused, ", "), a.Reasons)
}

// footprint is everything that assigning a code may change, in words.
func (r *rig) footprint() string {
	r.Helper()
	ctx := r.Context()
	codes, _, err := r.db.Codes(ctx, storage.CodeFilter{}, storage.Page{})
	if err != nil {
		r.Fatal(err)
	}
	log, _, err := r.db.AuditLog(ctx, "", storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		r.Fatal(err)
	}
	orders, _, err := r.db.ListOrders(ctx, storage.OrderFilter{}, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		r.Fatal(err)
	}
	said := fmt.Sprintf("%d codes, %d audited, %d told\n", len(codes), len(log), len(r.recorder.changes))
	for _, o := range orders {
		said += fmt.Sprintf("%s revision %d: %s\n", o.Number, o.Revision, r.commission(o.ExternalID))
	}
	return said
}

func TestAssignCode(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.app.Platforms = app.Platforms{emailByVersion{emails: map[int64]string{9: "anna@creators.example"}}}
		r.applyAll(
			withCodes("1", "SUMMER", nil),
			withCodes("2", "Summer", func(s *affiliate.Snapshot) {
				s.Currency, s.Merchandise, s.Captured = "GBP", 3333, 5000
			}),
			withCodes("3", "summer", func(s *affiliate.Snapshot) {
				s.Status, s.PaymentDate, s.Captured = affiliate.StorePending, false, 0
			}),
			orderBody("4", 9, func(s *affiliate.Snapshot) { s.Codes = []string{"summer"} }),
			withCodes("5", "fresh summer", nil),
			withCodes("6", "summer", func(s *affiliate.Snapshot) { s.PlacedAt = placed.Add(-time.Hour) }),
			withCodes("7", "summer fresh", nil),
			withCodes("8", "summer", func(s *affiliate.Snapshot) { s.Test = true }),
			withCodes("9", "winter", nil),
			withCodes("10", "anna10 summer", nil))
		fresh := r.assignment(1, "fresh")
		if _, err := r.app.AddCode(r.asOwner(), fresh.NewCode); err != nil {
			r.Fatal(err)
		}
		in := r.assignment(0, "Summer")
		in.ValidFrom = placed
		in.Preview = true
		before := r.footprint()
		preview := r.assign(in)
		// #3 is pending and #4 the creator's own purchase: both are credited, but count in no sum. 10 % of 33.33 is
		// 3.33.
		const want = "credited 5 (#1 #2 #3 #4 #7), held 1, ambiguous 1: GBP 3333 of 1 orders, commission 333; USD " +
			"20000 of 2 orders, commission 2000; " +
			"not credited 2 (#5 outranked, #6 no_owner) [{no_owner 1} {outranked 1}]"
		if got := summary(preview); got != want {
			r.Errorf("preview: got\n%s\nwant\n%s", got, want)
		}
		if preview.Applied || preview.Code.ID != 0 || preview.Code.Code != "Summer" ||
			!preview.Code.ValidFrom.Equal(placed) || preview.Next != 0 {
			r.Errorf("preview of %+v, applied %v, next %s", preview.Code, preview.Applied, preview.Next)
		}
		if after := r.footprint(); after != before {
			r.Errorf("the preview changed something: before\n%s\nafter\n%s", before, after)
		}
		for _, s := range []struct{ got, want string }{
			{preview.Orders[0].Sentence,
				"Credited to Anna (Spring, Ten): code Summer belongs to them since 14 November 2023."},
			{preview.Refused[0].Sentence, "Not Anna (code summer): another code stands first on the order."},
			{preview.Refused[1].Sentence, "Not by code summer: nobody owned it when the order was placed."},
		} {
			if s.got != s.want {
				r.Errorf("got %q, want %q", s.got, s.want)
			}
		}

		in.Preview = false
		told := len(r.recorder.changes)
		applied := r.assign(in)
		if got := summary(applied); got != want || !applied.Applied || applied.Code.ID == 0 {
			r.Errorf("applied %v as %s: got\n%s\nwant\n%s", applied.Applied, applied.Code.ID, got, want)
		}
		for id, want := range map[string]string{"1": "Anna 1000", "2": "Anna 333", "3": "Anna 0", "4": "Anna 0",
			"5": "not credited: no_owner", "6": "not credited: no_owner", "7": "Anna 1000", "8": "not credited: test",
			"9": "not credited: no_owner", "10": "Anna 1000"} {
			if got := r.commission(id); got != want {
				r.Errorf("order %s: got %s, want %s", id, got, want)
			}
		}
		if got, want := r.money("1"), "paid approved 1000 USD, waits for a rate false, ledger 1000"; got != want {
			r.Errorf("got %q, want %q", got, want)
		}
		if got := len(r.recorder.changes) - told; got != 5 {
			r.Errorf("open pages learn of %d orders, want 5", got)
		}
		log, _, err := r.db.AuditLog(r.Context(), applied.Code.ID.String(), storage.Page{})
		if err != nil || len(log) != 2 || log[0].Action != "code.add" || log[1].Action != "code.credit_orders" ||
			log[1].Actor != "the test" ||
			!strings.Contains(log[1].After, `"orders":5`) {
			r.Errorf("audit log: %+v, %v", log, err)
		}
		if n, err := r.app.Reattribute(r.asOwner(), true, nil); err != nil || n != 1 {
			r.Errorf("%d orders are left to re-attribution, %v; want Ben's #5", n, err)
		}
		storagetest.Consistent(t, r.db)
	})
}

// TestAssignCode_resumes: a run that is cut short behind any of its transactions is completed by asking again.
func TestAssignCode_resumes(t *testing.T) {
	eachRig(t, func(r *rig) {
		const total = 450
		var bodies []string
		for n := range total {
			bodies = append(bodies, withCodes(fmt.Sprint(n), "summer", nil))
		}
		r.applyAll(bodies...)
		in := r.assignment(0, "summer")
		in.Preview = true
		var steps []int
		preview, err := r.app.AssignCode(r.asOwner(), in, func(done int) { steps = append(steps, done) })
		if err != nil || preview.Credited != total || fmt.Sprint(preview.Totals) != "[{USD 450 4500000 450000}]" ||
			len(preview.Orders) != 50 || fmt.Sprint(steps) != "[200 400 450]" {
			r.Errorf("preview credits %d %v, names %d, in steps %v; %v", preview.Credited, preview.Totals,
				len(preview.Orders), steps, err)
		}

		in.Preview = false
		ctx, stop := context.WithCancel(r.asOwner())
		cut, err := r.app.AssignCode(ctx, in, func(int) { stop() })
		if !errors.Is(err, context.Canceled) || cut.Credited != 200 {
			r.Errorf("cut short: %d credited, %v", cut.Credited, err)
		}
		rest := r.assign(in)
		if rest.Credited != total-200 || rest.Code != cut.Code {
			r.Errorf("the rest: %d credited, of %+v; the code was %+v", rest.Credited, rest.Code, cut.Code)
		}
		if again := r.assign(in); again.Credited != 0 || again.NotCredited != 0 || again.Code != cut.Code {
			r.Errorf("once more: %+v", again)
		}
		storagetest.Consistent(t, r.db)
	})
}

// TestAssignCode_in_parts: each call looks at some orders and says where the next one goes on, also past orders that
// are not credited.
func TestAssignCode_in_parts(t *testing.T) {
	eachRig(t, func(r *rig) {
		early := func(s *affiliate.Snapshot) { s.PlacedAt = placed.Add(-time.Hour) }
		r.applyAll(withCodes("1", "summer", early), withCodes("2", "summer", early), withCodes("3", "summer", nil),
			withCodes("4", "summer", nil), withCodes("5", "summer", nil))
		for _, preview := range []bool{true, false} {
			in := r.assignment(0, "summer")
			in.Preview, in.ValidFrom, in.Most = preview, placed, 2
			var got []string
			for {
				part := r.assign(in)
				got = append(got, fmt.Sprintf("%d+%d", part.Credited, part.NotCredited))
				if in.After = part.Next; in.After == 0 {
					break
				}
			}
			if want := "[0+2 2+0 1+0]"; fmt.Sprint(got) != want {
				r.Errorf("preview %v: credited and not credited %v, want %s", preview, got, want)
			}
		}
		in := r.assignment(0, "summer")
		in.ValidFrom, in.Most = placed, 2
		if last := r.assign(in); last.NotCredited != 2 || last.Next != 0 {
			r.Errorf("of the two that are left it looked at %d, to go on behind %s; want both, and no more",
				last.NotCredited, last.Next)
		}
		storagetest.Consistent(t, r.db)
	})
}

// TestAssignCode_of_former_owner: without a wanted beginning, ownership begins when the code was last free.
func TestAssignCode_of_former_owner(t *testing.T) {
	eachRig(t, func(r *rig) {
		clock := placed
		r.app.Now = func() time.Time { return clock }
		was := r.assignment(1, "summer")
		was.ValidFrom = placed
		added, err := r.app.AddCode(r.asOwner(), was.NewCode)
		if err != nil {
			r.Fatal(err)
		}
		ended := placed.Add(48 * time.Hour)
		if _, err := r.app.EndCode(r.asOwner(), added.ID, ended); err != nil {
			r.Fatal(err)
		}
		in := r.assignment(0, "summer")
		if _, err := r.app.AssignCode(r.asOwner(), in, nil); affiliate.KindOf(err) != affiliate.Conflict ||
			!strings.Contains(err.Error(), "Ben") {
			r.Errorf("the code is still Ben's: %v", err)
		}
		clock = placed.Add(100 * time.Hour)
		in.ValidFrom = placed.Add(47 * time.Hour)
		if _, err := r.app.AssignCode(r.asOwner(), in, nil); affiliate.KindOf(err) != affiliate.Conflict {
			r.Errorf("a beginning in Ben's time: %v", err)
		}
		at := func(hours int) func(*affiliate.Snapshot) {
			return func(s *affiliate.Snapshot) { s.PlacedAt = placed.Add(time.Duration(hours) * time.Hour) }
		}
		r.applyAll(withCodes("1", "summer", at(-1)), withCodes("2", "summer", at(1)), withCodes("3", "summer", at(48)),
			withCodes("4", "summer", at(60)))
		list, _, err := r.db.UnownedCodes(r.Context(), storage.UnownedFilter{}, storage.Page{})
		if err != nil || len(list) != 1 || list[0].Orders != 2 {
			r.Errorf("listed with %+v, %v; want 2 orders", list, err)
		}
		in.ValidFrom = time.Time{}
		got := r.assign(in)
		if want := "credited 2 (#3 #4), held 0, ambiguous 0: USD 20000 of 2 orders, commission 2000; not credited 1 " +
			"(#1 no_owner) [{no_owner 1}]"; summary(got) != want {
			r.Errorf("got %s, want %s", summary(got), want)
		}
		if !got.Code.ValidFrom.Equal(ended) {
			r.Errorf("owned since %s, want %s", got.Code.ValidFrom, ended)
		}
		if list, _, err := r.db.UnownedCodes(r.Context(), storage.UnownedFilter{}, storage.Page{}); err != nil ||
			len(list) != 0 {
			r.Errorf("still listed: %+v, %v", list, err)
		}
		if got := r.commission("2"); got != "Ben 500" {
			r.Errorf("Ben's order went to %s", got)
		}

		// A code that was ended before it began was nobody's ever.
		never := r.assignment(1, "winter")
		never.ValidFrom = clock.Add(24 * time.Hour)
		if added, err = r.app.AddCode(r.asOwner(), never.NewCode); err != nil {
			r.Fatal(err)
		}
		if _, err := r.app.EndCode(r.asOwner(), added.ID, time.Time{}); err != nil {
			r.Fatal(err)
		}
		r.applyAll(withCodes("5", "winter", nil))
		if got := r.assign(r.assignment(0, "winter")); got.Credited != 1 {
			r.Errorf("the code that was nobody's: %s", summary(got))
		}
		storagetest.Consistent(t, r.db)
	})
}

func TestAssignCode_refuses(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.applyAll(withCodes("1", "summer", nil))
		before := r.footprint()
		owned := r.assignment(1, "anna10")
		otherBeginning := r.assignment(0, "anna10")
		otherBeginning.ValidFrom = placed
		noStore, nobody, noCode := r.assignment(0, "summer"), r.assignment(0, "summer"), r.assignment(0, " ")
		noStore.Store, nobody.OfferMember = 99, 99
		for _, c := range []struct {
			name  string
			in    app.AssignCode
			kind  affiliate.ErrorKind
			field string
		}{
			{"a code of somebody else", owned, affiliate.Conflict, "code"},
			{"their own code with another beginning", otherBeginning, affiliate.Conflict, "code"},
			{"an unknown store", noStore, affiliate.Invalid, "store"},
			{"an unknown offer member", nobody, affiliate.Invalid, "offer_member"},
			{"no code", noCode, affiliate.Invalid, "code"},
		} {
			for _, preview := range []bool{true, false} {
				c.in.Preview = preview
				_, err := r.app.AssignCode(r.asOwner(), c.in, nil)
				var e *affiliate.Error
				if !errors.As(err, &e) || e.Kind != c.kind || e.Field != c.field {
					r.Errorf("%s: %v, want %s about %s", c.name, err, c.kind, c.field)
				}
			}
		}
		if after := r.footprint(); after != before {
			r.Errorf("before\n%s\nafter\n%s", before, after)
		}
	})
}

// TestAssignCode_beside_deliveries_race: whatever is processed meanwhile, every order ends up credited once.
func TestAssignCode_beside_deliveries_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		for round := range 5 {
			code := fmt.Sprint("summer", round)
			var early, late []string
			for n := range 30 {
				early = append(early, withCodes(fmt.Sprintf("%d-%d", round, n), code, nil))
				late = append(late, withCodes(fmt.Sprintf("%d-%d", round, 100+n), code, nil))
			}
			r.applyAll(early...)
			in := r.assignment(0, code)
			done := make(chan error)
			go func() {
				_, err := r.app.AssignCode(r.asOwner(), in, nil)
				done <- err
			}()
			r.applyAll(late...)
			if err := <-done; err != nil {
				r.Fatal(err)
			}
			for n := range 30 {
				for _, id := range []string{fmt.Sprintf("%d-%d", round, n), fmt.Sprintf("%d-%d", round, 100+n)} {
					if got := r.commission(id); got != "Anna 1000" {
						r.Fatalf("order %s: %s", id, got)
					}
				}
			}
		}
		storagetest.Consistent(t, r.db)
	})
}
