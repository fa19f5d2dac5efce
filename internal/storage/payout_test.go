package storage_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// TestPayoutsDue: every page size gives every creator once who is due, with what their accounts add up to and what home
// shows as payments due.
func TestPayoutsDue(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		settings := affiliate.Settings{Currency: "EUR", MinimumPayout: 500}
		random := rand.New(rand.NewPCG(1, 2))
		var creators []affiliate.CreatorID
		var campaigns []affiliate.CampaignID
		inTx(t, db, func(tx *storage.Tx) error {
			for n := range 3 {
				c, err := tx.CreateCampaign(t.Context(), affiliate.Campaign{Name: fmt.Sprint("Campaign ", n),
					Status: affiliate.CampaignActive, CreatedAt: noon, UpdatedAt: noon})
				if err != nil {
					return err
				}
				campaigns = append(campaigns, c.ID)
			}
			return nil
		})
		var entries []affiliate.LedgerEntry
		for n := range 40 {
			c := addCreator(t, db, fmt.Sprint("Creator ", n), nil)
			creators = append(creators, c.ID)
			for range 1 + random.IntN(4) {
				entries = append(entries, affiliate.LedgerEntry{CreatorID: c.ID, CampaignID: campaigns[random.IntN(3)],
					Kind: affiliate.Accrual, Currency: []money.Currency{"EUR", "EUR", "USD"}[random.IntN(3)],
					Amount: random.Int64N(2000) - 700, Cause: fmt.Sprint("due ", len(entries)), CreatedAt: noon,
					PayableAt: noon.Add(time.Duration(random.IntN(3)) * time.Hour)})
			}
		}
		inTx(t, db, func(tx *storage.Tx) error { return tx.AddLedger(t.Context(), entries) })
		for _, now := range []time.Time{noon, noon.Add(time.Hour), noon.Add(2 * time.Hour)} {
			want := dueOf(t, db, settings, creators, now)
			if len(want) < 10 || len(want) > 60 {
				t.Fatalf("%d are due, which tests little", len(want))
			}
			for _, limit := range []int{storage.MaxLimit, 1, 3, len(want)} {
				var got []storage.Due
				for p := (storage.Page{Limit: limit}); ; {
					list, next, err := db.PayoutsDue(t.Context(), settings, "", now, p)
					if err != nil || len(list) > limit {
						t.Fatalf("%d rows in a page of %d, %v", len(list), limit, err)
					}
					got = append(got, list...)
					if p.Cursor = next; next == "" {
						break
					}
				}
				if !slices.Equal(got, want) {
					t.Fatalf("pages of %d give %v,\nwant %v", limit, got, want)
				}
			}
			totals := map[money.Currency]int64{}
			for _, d := range want {
				totals[d.Currency] += d.Amount
			}
			home, err := report.Scope{Former: true}.PaymentsDue(t.Context(), db, settings.Currency,
				settings.MinimumPayout, now)
			if err != nil || len(home.Other) != 1 || home.Amount != totals["EUR"] ||
				home.Other[0].Amount != totals["USD"] {
				t.Errorf("home shows %+v, %v; want %v", home, err, totals)
			}
			dollars, _, err := db.PayoutsDue(t.Context(), settings, "USD", now, storage.Page{Limit: storage.MaxLimit})
			if first := slices.IndexFunc(want, func(d storage.Due) bool {
				return d.Currency == "USD"
			}); err != nil || !slices.Equal(dollars, want[first:]) {
				t.Errorf("in dollars: %+v, %v; want %+v", dollars, err, want[first:])
			}
		}
	})
}

// dueOf reckons what is due from the accounts of creators, sorted as the list is.
func dueOf(t *testing.T, db *storage.DB, s affiliate.Settings, creators []affiliate.CreatorID,
	now time.Time) (list []storage.Due) {
	t.Helper()
	balances, err := db.Balances(t.Context(), creators, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, currency := range []money.Currency{"EUR", "USD"} {
		for n, creator := range creators {
			d := storage.Due{CreatorID: creator, Creator: fmt.Sprint("Creator ", n), Currency: currency}
			for _, b := range balances {
				if b.CreatorID == creator && b.Currency == currency && b.Payable != 0 {
					d.Amount += b.Payable
					d.Accounts++
				}
			}
			if affiliate.Due(d.Amount, s.MinimumIn(currency)) {
				list = append(list, d)
			}
		}
	}
	return list
}

func TestPayouts_filter(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		anna, ben := addCreator(t, db, "Anna", nil), addCreator(t, db, "Ben", nil)
		at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
		inTx(t, db, func(tx *storage.Tx) error {
			for n := range 6 {
				creator := anna.ID
				if n%2 == 1 {
					creator = ben.ID
				}
				list, err := tx.CreatePayouts(t.Context(), []affiliate.Payout{{CreatorID: creator,
					Amount: int64(100 + n), Currency: "EUR", State: affiliate.PayoutPaid, Author: "Mia",
					CreatedAt: at(n), PaidAt: at(n)}})
				if err != nil {
					return err
				}
				if n == 2 {
					if err := tx.SavePayoutState(t.Context(), list[0].ID, affiliate.PayoutCanceled); err != nil {
						return err
					}
				}
			}
			return nil
		})
		for _, test := range []struct {
			filter storage.PayoutFilter
			want   string
		}{
			{storage.PayoutFilter{}, "Ben 105, Anna 104, Ben 103, Anna 102, Ben 101, Anna 100"},
			{storage.PayoutFilter{Creator: anna.ID}, "Anna 104, Anna 102, Anna 100"},
			{storage.PayoutFilter{State: affiliate.PayoutCanceled}, "Anna 102"},
			{storage.PayoutFilter{Creator: anna.ID, State: affiliate.PayoutPaid}, "Anna 104, Anna 100"},
			{storage.PayoutFilter{From: at(1), To: at(4)}, "Ben 103, Anna 102, Ben 101"},
			{storage.PayoutFilter{From: at(6)}, ""},
		} {
			for _, limit := range []int{1, 2, 3, 50} {
				var got []string
				for p := (storage.Page{Limit: limit}); ; {
					list, next, err := db.Payouts(t.Context(), test.filter, p)
					if err != nil || len(list) > limit {
						t.Fatalf("%d rows in a page of %d, %v", len(list), limit, err)
					}
					for _, p := range list {
						got = append(got, fmt.Sprintf("%s %d", p.Creator, p.Amount))
					}
					if p.Cursor = next; next == "" {
						break
					}
				}
				if strings.Join(got, ", ") != test.want {
					t.Errorf("%+v in pages of %d gives %v, want %s", test.filter, limit, got, test.want)
				}
			}
		}
		if _, _, err := db.Payouts(t.Context(), storage.PayoutFilter{},
			storage.Page{Cursor: "!"}); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("a broken cursor gives %v", err)
		}
		if _, err := db.Payout(t.Context(), 99); affiliate.KindOf(err) != affiliate.NotFound {
			t.Errorf("an unknown payout gives %v", err)
		}
	})
}
