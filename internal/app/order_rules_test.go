package app_test

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
)

// custom is an order body with a status that a plugin set, and a payment date or none.
func custom(id, status string, paid bool) string {
	return orderBody(id, 2, func(s *affiliate.Snapshot) {
		s.Status, s.RawStatus, s.PaymentDate = affiliate.StoreCustom, status, paid
		if !paid {
			s.Captured = 0
		}
	})
}

// TestStatuses: a status that a plugin set is noted, and its store warned once; what the owner decides judges the
// orders concerned again, after a preview that says the same.
func TestStatuses(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.applyAll(custom("1", "shipped", true), custom("2", "awaiting", false), orderBody("3", 1, nil))
		store, err := r.db.StoreBySlug(r.Context(), "shop")
		r.ok(err)
		if !strings.Contains(store.Warning, "awaiting") && !strings.Contains(store.Warning, "shipped") {
			r.Errorf("the store is warned %q", store.Warning)
		}
		r.ok(r.app.DismissWarning(r.asOwner(), store.ID, store.Warning))
		r.applyAll(custom("4", "shipped", true))
		if store, err = r.db.Store(r.Context(), store.ID); err != nil || store.Warning != "" {
			r.Errorf("warned again: %q, %v", store.Warning, err)
		}
		paid, nothing := "paid approved 1000 USD, waits for a rate false, ledger 1000",
			"canceled approved 0 USD, waits for a rate false, ledger 0"
		if got := r.money("1"); got != paid {
			r.Errorf("shipped with a payment date: %s", got)
		}
		if got := r.money("2"); got != "pending approved 0 USD, waits for a rate false, ledger 0" {
			r.Errorf("awaiting without a payment date: %s", got)
		}
		list, err := r.db.StoreStatuses(r.Context(), store.ID)
		if err != nil || len(list) != 2 || list[0].Status != "awaiting" || list[0].Orders != 1 ||
			list[1].Status != "shipped" || list[1].Orders != 2 || list[1].Meaning != "" {
			r.Fatalf("statuses %+v, %v", list, err)
		}
		decision := app.StatusMeanings{"wc-shipped": affiliate.StoreCanceled, "awaiting": affiliate.StorePaid}
		preview, err := r.app.PreviewStatuses(r.Context(), store.ID, decision)
		r.ok(err)
		if preview.Concerned != 3 || preview.Changed != 3 || len(preview.Moves) != 2 || len(preview.Orders) != 3 {
			r.Errorf("preview %+v", preview)
		}
		for _, m := range preview.Moves {
			down := m.From == affiliate.Paid && m.To == affiliate.Canceled && m.Orders == 2 && m.Value == -20000
			up := m.From == affiliate.Pending && m.To == affiliate.Paid && m.Orders == 1 && m.Value == 0
			if !down && !up {
				r.Errorf("move %+v", m)
			}
		}
		if got := r.money("1"); got != paid {
			r.Errorf("the preview changed it: %s", got)
		}
		_, err = r.app.SetStatuses(r.asOwner(), store.ID, decision)
		r.ok(err)
		if _, err := r.app.SetStatuses(r.asOwner(), store.ID,
			app.StatusMeanings{"shipped": affiliate.StorePaid}); affiliate.KindOf(err) != affiliate.Conflict {
			r.Errorf("while orders are judged again: %v", err)
		}
		r.ok(r.app.Recalculate(r.Context()))
		if one, two, three, four := r.money("1"), r.money("2"), r.money("3"), r.money("4"); one != nothing ||
			two != paid || three != paid || four != nothing {
			r.Errorf("decided: %s; %s; %s; %s", one, two, three, four)
		}
		r.applyAll(custom("5", "shipped", true), custom("6", "late", true))
		if got := r.money("5"); got != nothing {
			r.Errorf("a new order: %s", got)
		}
		_, err = r.app.SetStatuses(r.asOwner(), store.ID, app.StatusMeanings{"shipped": "", "awaiting": ""})
		r.ok(err)
		if store, err = r.db.Store(r.Context(), store.ID); err != nil || !strings.Contains(store.Warning, "late") {
			r.Errorf("a warning of another status: %q, %v", store.Warning, err)
		}
		r.ok(r.app.Recalculate(r.Context()))
		if one, two := r.money("1"), r.money("2"); one != paid ||
			two != "pending approved 0 USD, waits for a rate false, ledger 0" {
			r.Errorf("taken back: %s; %s", one, two)
		}
		_, err = r.app.SetStatuses(r.asOwner(), store.ID, app.StatusMeanings{"late": affiliate.StorePaid})
		r.ok(err)
		r.ok(r.app.Recalculate(r.Context()))
		if store, err = r.db.Store(r.Context(), store.ID); err != nil || store.Warning != "" {
			r.Errorf("the warning of a status that is decided: %q, %v", store.Warning, err)
		}
		for status, meaning := range map[string]affiliate.StoreStatus{"completed": affiliate.StorePaid,
			"": affiliate.StorePaid, "shipped": "gone", strings.Repeat("x", 41): affiliate.StorePaid} {
			if _, err := r.app.SetStatuses(r.asOwner(), store.ID,
				app.StatusMeanings{status: meaning}); affiliate.KindOf(err) != affiliate.Invalid {
				r.Errorf("%q means %q: %v", status, meaning, err)
			}
		}
	})
}

func TestRulesMove_Sentence(t *testing.T) {
	write := func(minor int64, c money.Currency) string { return money.Format(minor, c) + " " + c.Code() }
	for want, m := range map[string]app.RulesMove{
		"12 orders go from paid to canceled: -1234.00 EUR.": {From: affiliate.Paid, To: affiliate.Canceled,
			Currency: "EUR", Orders: 12, Value: -1234_00},
		"1 order goes from pending to paid: its value stays as it is.": {From: affiliate.Pending, To: affiliate.Paid,
			Currency: "EUR", Orders: 1},
		"2 orders stay paid: +5.00 EUR.": {From: affiliate.Paid, To: affiliate.Paid, Currency: "EUR", Orders: 2,
			Value: 5_00},
	} {
		if got := m.Sentence(write); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestSameBodyAgain: a body that comes again is kept as the one that came last, but changes nothing that people see.
func TestSameBodyAgain(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.apply(orderBody("1", 1, nil))
		first, err := r.db.FindOrder(r.Context(), "shop", "1")
		r.ok(err)
		r.recorder.changes = nil
		r.apply(orderBody("1", 1, nil))
		again, err := r.db.FindOrder(r.Context(), "shop", "1")
		r.ok(err)
		if again.Revision != first.Revision || again.State == first.State || len(r.recorder.changes) > 0 {
			r.Errorf("revision %d and %d, state the same %v, %d told", first.Revision, again.Revision,
				again.State == first.State, len(r.recorder.changes))
		}
	})
}
