package app_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// owner is the context of whoever runs the test.
func (r *rig) owner() context.Context {
	return app.As(r.Context(), affiliate.Principal{Name: "Mia", Role: affiliate.RoleOwner})
}

// conversion reads the conversion of an order.
func (r *rig) conversion(order string) storage.Conversion {
	r.Helper()
	row, err := r.db.FindOrder(r.Context(), "shop", order)
	if err != nil || row.Conversion == nil {
		r.Fatalf("order %s has no conversion: %v", order, err)
	}
	return row.Conversion.Conversion
}

// ledger sums up what the ledger holds for an order's conversion.
func (r *rig) ledger(order string) string {
	r.Helper()
	rows, err := r.db.LedgerOf(r.Context(), r.conversion(order).ID)
	r.ok(err)
	if len(rows) == 0 {
		return ""
	}
	sum := int64(0)
	for _, e := range rows {
		sum += e.Amount
	}
	return fmt.Sprintf("%d %s in %d", sum, rows[0].Currency, len(rows))
}

func (r *rig) decide(d app.Decision, orders ...string) error {
	r.Helper()
	var ids []affiliate.ConversionID
	for _, o := range orders {
		ids = append(ids, r.conversion(o).ID)
	}
	_, err := r.app.Decide(r.owner(), ids, d, "because")
	return err
}

func (r *rig) set(key, value string) error {
	r.Helper()
	_, err := r.app.SetSettings(r.owner(), []app.Setting{{Key: key, Value: value}})
	return err
}

func (r *rig) ok(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// rates publishes units per euro on a day.
func (r *rig) rates(day string, perEuro map[money.Currency]string) {
	r.Helper()
	var list []storage.ReferenceRate
	for currency, text := range perEuro {
		rate, err := money.ParseRate(text)
		r.ok(err)
		list = append(list, storage.ReferenceRate{Day: day, Currency: currency, Rate: rate})
	}
	r.ok(r.db.InTx(r.Context(), func(tx *storage.Tx) error { _, err := tx.SaveRates(r.Context(), list); return err }))
}

func TestDecide(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.apply(orderBody("1", 1, nil))
		r.apply(orderBody("2", 1, nil))
		check := func(want1, want2 string) {
			r.Helper()
			if one, two := r.money("1"), r.money("2"); one != want1 || two != want2 {
				r.Errorf("got %q and %q, want %q and %q", one, two, want1, want2)
			}
		}
		const full, none = "paid approved 1000 USD, waits for a rate false, ledger 1000",
			"paid rejected 0 USD, waits for a rate false, ledger 0"
		r.ok(r.decide(app.Reject, "1"))
		check(none, full)
		r.ok(r.decide(app.Reject, "1", "2", "1"))
		check(none, none)
		if got := r.ledger("1"); got != "0 USD in 2" {
			r.Errorf("rejecting again posted again: %s", got)
		}
		if c := r.conversion("1"); c.ApprovalBy != "Mia" || c.ApprovalReason != "because" || c.ApprovalAt.IsZero() {
			r.Errorf("got %+v", c.Approvals())
		}
		// While it is rejected, the order goes on; the rejection stays.
		r.apply(orderBody("1", 2, func(s *affiliate.Snapshot) { s.Merchandise = 5000 }))
		check("paid rejected 0 USD, waits for a rate false, ledger 0", none)
		r.ok(r.decide(app.Undo, "2", "1"))
		check("paid approved 500 USD, waits for a rate false, ledger 500", full)
		r.ok(r.decide(app.Undo, "2"))
		check("paid approved 500 USD, waits for a rate false, ledger 500", full)
		entries, _, err := r.db.AuditLog(r.Context(), r.conversion("2").ID.String(), storage.Page{})
		r.ok(err)
		if len(entries) != 2 || entries[0].Action != "conversion.reject" || entries[1].Action != "conversion.undo" ||
			entries[1].Actor != "Mia" {
			r.Errorf("the audit log has %+v", entries)
		}
	})
}

func TestDecideIsAllOrNothing(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.apply(orderBody("1", 1, nil))
		before := r.money("1")
		id := r.conversion("1").ID
		_, err := r.app.Decide(r.owner(), []affiliate.ConversionID{id, 4711}, app.Reject, "")
		if affiliate.KindOf(err) != affiliate.NotFound || !strings.Contains(err.Error(), "cnv_4711") {
			r.Errorf("an unknown conversion: %v", err)
		}
		r.ok(r.decide(app.Reject, "1"))
		r.apply(orderBody("2", 1, nil))
		_, err = r.app.Decide(r.owner(), []affiliate.ConversionID{r.conversion("2").ID, id}, app.Release, "")
		if affiliate.KindOf(err) != affiliate.Conflict || !strings.Contains(err.Error(), id.String()) {
			r.Errorf("releasing a rejected one: %v", err)
		}
		r.ok(r.decide(app.Undo, "1"))
		if got := r.money("1"); got != before {
			r.Errorf("got %s, want %s", got, before)
		}
		for _, ids := range [][]affiliate.ConversionID{nil, make([]affiliate.ConversionID, app.MaxDecided+1)} {
			if _, err := r.app.Decide(r.owner(), ids, app.Reject, ""); affiliate.KindOf(err) != affiliate.Invalid {
				r.Errorf("%d ids: %v", len(ids), err)
			}
		}
		if _, err := r.app.Decide(r.owner(), []affiliate.ConversionID{id}, app.Reject,
			strings.Repeat("x", 501)); affiliate.KindOf(err) != affiliate.Invalid {
			r.Errorf("a long reason: %v", err)
		}
	})
}

func TestReleaseAHeldConversion(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.app.Platforms = app.Platforms{emailByVersion{emails: map[int64]string{1: "anna@creators.example",
			2: "anna@creators.example"}}}
		r.apply(orderBody("1", 1, nil))
		if got, want := r.money("1"), "paid held 0 USD, waits for a rate false, ledger 0"; got != want {
			r.Errorf("got %q, want %q", got, want)
		}
		r.ok(r.decide(app.Release, "1"))
		want := "paid approved 1000 USD, waits for a rate false, ledger 1000"
		if got := r.money("1"); got != want {
			r.Errorf("released: got %q, want %q", got, want)
		}
		r.apply(orderBody("1", 2, nil)) // the store says it again: the release stands
		if got := r.money("1"); got != want {
			r.Errorf("seen again: got %q, want %q", got, want)
		}
	})
}

func TestForeignOrdersAreConvertedAtTheRateOfTheirDay(t *testing.T) {
	eachRig(t, func(r *rig) {
		// The orders are of Tuesday, 2023-11-14.
		euros := func(s *affiliate.Snapshot) { s.Currency = "EUR" }
		r.apply(orderBody("1", 1, euros))
		if got, want := r.money("1"), "paid approved 1000 EUR, waits for a rate true, ledger 0"; got != want {
			r.Errorf("without a rate: %q, want %q", got, want)
		}
		r.rates("2023-11-13", map[money.Currency]string{"USD": "1.07"})
		filled, err := r.app.FillRates(r.owner())
		if err != nil || filled != 1 {
			r.Errorf("filled %d, %v", filled, err)
		}
		if got := r.ledger("1"); got != "1070 USD in 1" {
			r.Errorf("filled in: %s", got)
		}
		r.rates("2023-11-14", map[money.Currency]string{"USD": "1.20"})
		r.apply(orderBody("2", 1, euros))
		c := r.conversion("2")
		if r.ledger("2") != "1200 USD in 1" || *c.RateDate != "2023-11-14" || *c.AccountValue != 12000 {
			r.Errorf("the rate of the day itself: %s, %+v", r.ledger("2"), c)
		}
		// A refund uses the rate of the sale, so it nets to nothing.
		r.apply(orderBody("1", 2, func(s *affiliate.Snapshot) { euros(s); s.Merchandise = 3333 }))
		if got := r.ledger("1"); got != "356 USD in 2" {
			r.Errorf("after a change: %s", got)
		}
		r.apply(orderBody("1", 3, func(s *affiliate.Snapshot) { euros(s); s.Status = affiliate.StoreCanceled }))
		if got := r.ledger("1"); got != "0 USD in 3" {
			r.Errorf("after cancellation: %s", got)
		}
	})
}

func TestAnotherAccountCurrency(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.rates("2023-11-14", map[money.Currency]string{"USD": "1.25", "GBP": "0.8"})
		r.apply(orderBody("1", 1, nil))
		r.apply(orderBody("2", 1, func(s *affiliate.Snapshot) { s.Currency = "GBP" }))
		r.apply(orderBody("3", 1, func(s *affiliate.Snapshot) {
			s.Status, s.PaymentDate, s.Captured = affiliate.StorePending, false, 0
		}))
		r.apply(orderBody("4", 1, func(s *affiliate.Snapshot) { s.Currency = "SEK" })) // no rate for it
		r.ok(r.set("currency", "EUR"))
		if err := r.set("currency", "GBP"); affiliate.KindOf(err) != affiliate.Conflict {
			r.Errorf("a second change before the first is worked through: %v", err)
		}
		r.ok(r.app.Recalculate(r.Context()))
		progress, err := r.db.NewestRecalculation(r.Context())
		if err != nil || progress.State != "done" || progress.Done != 4 || progress.Total != 4 ||
			progress.Reason != "currency USD → EUR" {
			r.Errorf("progress %+v, %v", progress, err)
		}
		for order, want := range map[string]string{"1": "800 EUR, posted 1000 USD in 1",
			"2": "1250 EUR, posted 1563 USD in 1", "3": "0 EUR, posted "} {
			c := r.conversion(order)
			if got := fmt.Sprintf("%d %s, posted %s", *c.AccountCommission, c.AccountCurrency,
				r.ledger(order)); got != want {
				r.Errorf("order %s: got %s, want %s", order, got, want)
			}
		}
		if c := r.conversion("4"); c.AccountCurrency != "EUR" || c.Rate != nil {
			r.Errorf("without a rate: %+v", c)
		}
		// What was posted keeps its currency, what is posted first from now on has the new one.
		r.apply(orderBody("1", 2, func(s *affiliate.Snapshot) { s.Status = affiliate.StoreCanceled }))
		r.apply(orderBody("3", 2, nil))
		if one, three := r.ledger("1"), r.ledger("3"); one != "0 USD in 2" || three != "800 EUR in 1" {
			r.Errorf("order 1 has %s, order 3 %s", one, three)
		}
	})
}

func TestAnotherTimeZone(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.apply(orderBody("1", 1, nil)) // 2023-11-14 22:13 UTC
		r.apply(orderBody("2", 1, func(s *affiliate.Snapshot) { s.Codes = nil }))
		r.ok(r.set("timezone", "Europe/Berlin"))
		r.ok(r.set("name", "Other")) // no reason to compute anything anew
		r.ok(r.app.Recalculate(r.Context()))
		if c := r.conversion("1"); c.Day != "2023-11-14" {
			r.Errorf("in Berlin it is %s", c.Day)
		}
		r.ok(r.set("timezone", "Asia/Tokyo"))
		r.ok(r.app.Recalculate(r.Context()))
		row, err := r.db.FindOrder(r.Context(), "shop", "2")
		if c := r.conversion("1"); c.Day != "2023-11-15" || err != nil || row.Day != "2023-11-15" {
			r.Errorf("in Tokyo it is %s and %s, %v", c.Day, row.Day, err)
		}
	})
}

// TestFormerMembersMoveInTheSums: leaving and coming back moves what a creator's sales count, and nothing is lost.
func TestFormerMembersMoveInTheSums(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.apply(orderBody("1", 1, nil))
		r.apply(orderBody("2", 1, func(s *affiliate.Snapshot) { s.Codes = []string{"BEN5"} }))
		members, _, err := r.db.Members(r.Context(), storage.MemberFilter{}, storage.Page{})
		r.ok(err)
		_, err = r.app.RemoveMember(r.owner(), members[0].ID)
		r.ok(err)
		_, err = r.app.RemoveCreator(r.owner(), members[0].CreatorID)
		r.ok(err)
		r.apply(orderBody("1", 2, func(s *affiliate.Snapshot) { s.Merchandise = 4000 }))
		findings, err := r.db.Check(r.Context())
		if err != nil || len(findings) > 0 {
			r.Errorf("while one is a former member: %+v, %v", findings, err)
		}
		_, err = r.app.RestoreCreator(r.owner(), members[0].CreatorID)
		r.ok(err)
		_, err = r.app.RestoreMember(r.owner(), members[0].ID)
		r.ok(err)
	})
}

// happen does one thing of a history: to an order of the round, to members or to the account's settings.
func (r *rig) happen(t *rapid.T, round, step int, members []affiliate.CampaignMember) {
	r.happens(t, round, step, members, false)
}

// meanwhile is happen without what starts a recalculation.
func (r *rig) meanwhile(t *rapid.T, round, step int, members []affiliate.CampaignMember) {
	r.happens(t, round, step, members, true)
}

func (r *rig) happens(t *rapid.T, round, step int, members []affiliate.CampaignMember, meanwhile bool) {
	ok := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label) }
	id := fmt.Sprintf("%d-%s", round, pick("order", "1", "2", "3"))
	decide := func(d app.Decision) {
		row, err := r.db.FindOrder(r.Context(), "shop", id)
		if err != nil || row.Conversion == nil {
			return
		}
		if _, err := r.app.Decide(r.owner(), []affiliate.ConversionID{row.Conversion.ID}, d,
			""); affiliate.KindOf(err) != affiliate.Conflict {
			ok(err)
		}
	}
	things := []string{"order", "order", "order", "reject", "undo", "leave", "return", "fill", "pay",
		"currency", "zone"}
	if meanwhile {
		things = things[:9]
	}
	switch pick("what", things...) {
	case "order":
		r.apply(orderBody(id, int64(step+1), func(s *affiliate.Snapshot) {
			s.Currency = money.Currency(pick("currency", "USD", "JPY", "KWD", "EUR", "SEK"))
			s.Codes = []string{pick("code", "anna10", "ben5", "nobody")}
			s.Merchandise = int64(rapid.IntRange(0, 12000).Draw(t, "value"))
			s.PlacedAt = s.PlacedAt.Add(time.Duration(rapid.IntRange(-30, 3).Draw(t, "hours")) * time.Hour)
			switch pick("status", "paid", "pending", "canceled", "test") {
			case "pending":
				s.Status, s.PaymentDate, s.Captured = affiliate.StorePending, false, 0
			case "canceled":
				s.Status = affiliate.StoreCanceled
			case "test":
				s.Test = true
			}
		}))
	case "reject":
		decide(app.Reject)
	case "undo":
		decide(app.Undo)
	case "leave":
		_, err := r.app.RemoveMember(r.owner(), members[0].ID)
		ok(err)
	case "return":
		_, err := r.app.RestoreMember(r.owner(), members[0].ID)
		ok(err)
	case "currency":
		ok(r.set("currency", pick("to", "USD", "EUR", "JPY")))
		ok(r.app.Recalculate(r.Context()))
	case "zone":
		ok(r.set("timezone", pick("to", "UTC", "Asia/Tokyo", "America/Los_Angeles")))
		ok(r.app.Recalculate(r.Context()))
	case "pay":
		r.payOut(t)
	case "fill":
		_, err := r.app.FillRates(r.owner())
		ok(err)
	}
}

// TestSumsFollowEveryHistory: whatever happens to orders, members, currencies and zones, sums equal facts and the
// ledger equals the commissions.
func TestSumsFollowEveryHistory(t *testing.T) {
	eachRig(t, func(r *rig) {
		for _, day := range []string{"2023-11-13", "2023-11-14"} {
			r.rates(day, map[money.Currency]string{"USD": "1.0868", "JPY": "163.05", "KWD": "0.33351"})
		}
		members, _, err := r.db.Members(r.Context(), storage.MemberFilter{}, storage.Page{})
		r.ok(err)
		round := 0
		rapid.Check(r.T, func(t *rapid.T) {
			round++
			for step := range rapid.IntRange(1, 6).Draw(t, "steps") {
				r.happen(t, round, step, members)
			}
			if findings, err := r.db.Check(r.Context()); err != nil || len(findings) > 0 {
				t.Fatalf("%+v, %v", findings, err)
			}
		})
		// What was counted step by step is what is computed at once.
		rebuilt := errors.New("only looked")
		err = r.db.InTx(r.Context(), func(tx *storage.Tx) error {
			r.ok(tx.LockCatalog(r.Context()))
			r.ok(tx.RebuildRollups(r.Context()))
			findings, err := tx.Check(r.Context())
			if err != nil || len(findings) > 0 {
				r.Errorf("after a rebuild: %+v, %v", findings, err)
			}
			return rebuilt
		})
		if !errors.Is(err, rebuilt) {
			r.Error(err)
		}
	})
}

// TestSumsOfDecisionsMadeAtOnce_race: the last conversion of a day may be taken away by two at the same moment.
func TestSumsOfDecisionsMadeAtOnce_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		var ids []affiliate.ConversionID
		for _, order := range []string{"1", "2", "3"} {
			r.apply(orderBody(order, 1, nil))
			ids = append(ids, r.conversion(order).ID)
		}
		var work sync.WaitGroup
		for n := range 6 {
			work.Go(func() {
				for round := range 15 {
					d := app.Reject
					if (n+round)%3 == 0 {
						d = app.Undo
					}
					mine := []affiliate.ConversionID{ids[n%3], ids[(n+round)%3]}
					if _, err := r.app.Decide(r.owner(), mine, d, ""); err != nil {
						r.Error(err)
					}
				}
			})
		}
		work.Wait()
		// All are rejected in the end, at the same time.
		for _, id := range ids {
			work.Go(func() {
				if _, err := r.app.Decide(r.owner(), []affiliate.ConversionID{id}, app.Reject, ""); err != nil {
					r.Error(err)
				}
			})
		}
		work.Wait()
	})
}
