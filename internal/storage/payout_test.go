package storage_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"reflect"
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
		inTx(t, db, func(tx *storage.Tx) error {
			var paid []affiliate.Payout // rows alone, for the order of who was paid last
			for n, creator := range creators {
				if n%4 == 0 {
					at := noon.AddDate(0, 0, -1-n%3)
					paid = append(paid, affiliate.Payout{CreatorID: creator, Amount: 1, Currency: "EUR",
						State: affiliate.PayoutPaid, Author: "Mia", CreatedAt: at, PaidAt: at})
				}
			}
			_, err := tx.CreatePayouts(t.Context(), paid)
			return err
		})
		for _, now := range []time.Time{noon, noon.Add(time.Hour), noon.Add(2 * time.Hour)} {
			want := dueOf(t, db, settings, creators, now)
			if len(want) < 10 || len(want) > 60 {
				t.Fatalf("%d are due, which tests little", len(want))
			}
			for _, limit := range []int{storage.MaxLimit, 1, 3, len(want)} {
				var got []storage.Due
				for p := (storage.Page{Limit: limit}); ; {
					list, next, err := db.PayoutsDue(t.Context(), settings, storage.DueFilter{}, "", now, p)
					if err != nil || len(list) > limit {
						t.Fatalf("%d rows in a page of %d, %v", len(list), limit, err)
					}
					got = append(got, list...)
					if p.Cursor = next; next == "" {
						break
					}
				}
				if !slices.Equal(plainDue(got), plainDue(want)) {
					t.Fatalf("pages of %d give %v,\nwant %v", limit, got, want)
				}
			}
			for _, sort := range []storage.DueSort{"creator", "-creator", "amount", "-amount", "since", "-since",
				"last", "-last"} {
				sortedDue(t, db, settings, sort, now, want)
			}
			narrowedDue(t, db, settings, campaigns, now, want)
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
			dollars, _, err := db.PayoutsDue(t.Context(), settings, storage.DueFilter{Currency: "USD"}, "", now,
				storage.Page{Limit: storage.MaxLimit})
			if first := slices.IndexFunc(want, func(d storage.Due) bool {
				return d.Currency == "USD"
			}); err != nil || !slices.Equal(plainDue(dollars), plainDue(want[first:])) {
				t.Errorf("in dollars: %+v, %v; want %+v", dollars, err, want[first:])
			}
		}
	})
}

// plainDue gives what can be compared: whom, what and over how many accounts.
// TestEachDue: what is due to more creators than a page has is added up once.
func TestEachDue(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		const creators = storage.MaxLimit + 1
		inTx(t, db, func(tx *storage.Tx) error {
			var entries []affiliate.LedgerEntry
			for n := range creators {
				c, err := tx.CreateCreator(t.Context(), affiliate.Creator{Name: fmt.Sprint("Creator ", n),
					CreatedAt: noon, UpdatedAt: noon})
				if err != nil {
					return err
				}
				entries = append(entries, affiliate.LedgerEntry{CreatorID: c.ID, Kind: affiliate.Accrual,
					Currency: "EUR", Amount: 100, Cause: fmt.Sprint("due ", n), CreatedAt: noon, PayableAt: noon})
			}
			return tx.AddLedger(t.Context(), entries)
		})
		added, sum := 0, int64(0)
		db.Note(func(statement string) { added += strings.Count(statement, "AS inside FROM") })
		err := db.EachDue(t.Context(), affiliate.Settings{Currency: "EUR"}, storage.DueFilter{}, "-amount", noon,
			func(d *storage.Due) error {
				if !d.Since.Equal(noon) {
					t.Errorf("due to %s since %v", d.Creator, d.Since)
				}
				sum += d.Amount
				return nil
			})
		if err != nil || sum != creators*100 || added != 1 {
			t.Errorf("%d in all, added up %d times, %v", sum, added, err)
		}
	})
}

func plainDue(list []storage.Due) (words []string) {
	for _, d := range list {
		words = append(words, fmt.Sprint(d.CreatorID, d.Creator, d.Currency, d.Amount, d.Accounts))
	}
	return words
}

// sortedDue fails the test unless pages of 7 in some order give everybody of want once, in that order.
func sortedDue(t *testing.T, db *storage.DB, s affiliate.Settings, sort storage.DueSort, now time.Time,
	want []storage.Due) {
	t.Helper()
	var got []storage.Due
	for p := (storage.Page{Limit: 7}); ; {
		list, next, err := db.PayoutsDue(t.Context(), s, storage.DueFilter{}, sort, now, p)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, list...)
		if p.Cursor = next; next == "" {
			break
		}
	}
	var each []storage.Due
	if err := db.EachDue(t.Context(), s, storage.DueFilter{}, sort, now, func(d *storage.Due) error {
		each = append(each, *d)
		return nil
	}); err != nil || !reflect.DeepEqual(each, got) {
		t.Errorf("by %q one by one they are\n%+v, %v, and by pages\n%+v", sort, each, err, got)
	}
	all, found := plainDue(want), plainDue(got)
	slices.Sort(all)
	slices.Sort(found)
	if !slices.Equal(all, found) {
		t.Fatalf("by %s: %v,\nwant %v", sort, found, all)
	}
	column, descending := strings.CutPrefix(string(sort), "-")
	for i := 1; i < len(got); i++ {
		a, b := got[i-1], got[i]
		n := map[string]int{"creator": strings.Compare(a.Creator, b.Creator),
			"amount": cmp.Compare(a.Amount, b.Amount), "since": a.Since.Compare(b.Since.Time),
			"last": compareLast(a.LastPaid, b.LastPaid, descending)}[column]
		if column == "amount" && a.Currency != b.Currency {
			n = 0
		}
		if n > 0 && !descending || n < 0 && descending {
			t.Fatalf("by %s: %+v comes before %+v", sort, a, b)
		}
	}
}

// compareLast puts who was never paid behind all others, in both directions.
func compareLast(a, b storage.Time, descending bool) int {
	if a.IsZero() != b.IsZero() {
		return map[bool]int{true: 1, false: -1}[a.IsZero() != descending]
	}
	return a.Compare(b.Time)
}

// narrowedDue fails the test unless the list and the sums of what is due from a campaign are of whoever has something
// of it, with the whole of what they get and the part of it that is the campaign's.
func narrowedDue(t *testing.T, db *storage.DB, s affiliate.Settings, campaigns []affiliate.CampaignID, now time.Time,
	all []storage.Due) {
	t.Helper()
	for _, campaign := range campaigns {
		filter := storage.DueFilter{Campaign: campaign}
		list, _, err := db.PayoutsDue(t.Context(), s, filter, "", now, storage.Page{Limit: storage.MaxLimit})
		if err != nil {
			t.Fatal(err)
		}
		sums := map[money.Currency]storage.DueSum{}
		var want []storage.Due
		for _, d := range all {
			balances, err := db.Balances(t.Context(), []affiliate.CreatorID{d.CreatorID}, now)
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range balances {
				if b.CampaignID == campaign && b.Currency == d.Currency && b.Payable != 0 {
					d.Part = b.Payable
					want = append(want, d)
					sum := sums[d.Currency]
					sums[d.Currency] = storage.DueSum{Currency: d.Currency, Creators: sum.Creators + 1,
						Amount: sum.Amount + d.Amount, Part: sum.Part + d.Part}
				}
			}
		}
		if !slices.Equal(plainDue(list), plainDue(want)) {
			t.Fatalf("of %s: %v,\nwant %v", campaign, list, want)
		}
		for i, d := range list {
			if d.Part != want[i].Part || !slices.ContainsFunc(d.Campaigns, func(c storage.DueCampaign) bool {
				return c.ID == campaign && c.Name != ""
			}) || d.Since.IsZero() {
				t.Errorf("of %s: %+v, want a part of %d", campaign, d, want[i].Part)
			}
		}
		summed, err := db.SumDue(t.Context(), s, filter, now)
		for _, sum := range summed {
			if sum != sums[sum.Currency] {
				t.Errorf("of %s: the sum is %+v, want %+v", campaign, sum, sums[sum.Currency])
			}
		}
		if err != nil || len(summed) != len(sums) {
			t.Errorf("of %s: sums of %d currencies, want %d; %v", campaign, len(summed), len(sums), err)
		}
	}
}

// TestPayoutsDue_since: the oldest entry counts that no payout has paid, and one that is canceled has paid nothing.
func TestPayoutsDue_since(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		anna := addCreator(t, db, "Anna", map[string]string{affiliate.Instagram: "annaloves"})
		at := func(hours int) time.Time { return noon.Add(time.Duration(hours) * time.Hour) }
		earn := func(hours int, amount int64) {
			inTx(t, db, func(tx *storage.Tx) error {
				return tx.AddLedger(t.Context(), []affiliate.LedgerEntry{{CreatorID: anna.ID, Kind: affiliate.Bonus,
					Currency: "EUR", Amount: amount, Cause: fmt.Sprint(hours, " ", amount), CreatedAt: at(hours),
					PayableAt: at(hours)}})
			})
		}
		look := func(since, last time.Time) {
			t.Helper()
			list, _, err := db.PayoutsDue(t.Context(), affiliate.Settings{Currency: "EUR"},
				storage.DueFilter{Search: "@AnnaLoves"}, "since", at(9), storage.Page{})
			if err != nil || len(list) != 1 || !list[0].Since.Equal(since) || !list[0].LastPaid.Equal(last) ||
				list[0].Handle != "annaloves" {
				t.Errorf("due is %+v, %v; want since %s, last paid %s", list, err, since, last)
			}
		}
		earn(1, 500)
		earn(2, -100)
		look(at(1), time.Time{})
		paid := affiliate.Payout{CreatorID: anna.ID, Amount: 400, Currency: "EUR", State: affiliate.PayoutPaid,
			Rail: affiliate.RailElsewhere, Author: "Max", CreatedAt: at(3), PaidAt: at(3)}
		inTx(t, db, func(tx *storage.Tx) error {
			list, err := tx.CreatePayouts(t.Context(), []affiliate.Payout{paid})
			paid = list[0]
			return err
		})
		earn(3, -400)
		earn(4, 250)
		look(at(4), at(3))
		inTx(t, db, func(tx *storage.Tx) error {
			paid.State = affiliate.PayoutCanceled
			return tx.SavePayouts(t.Context(), []affiliate.Payout{paid})
		})
		look(at(1), time.Time{})
		none, _, err := db.PayoutsDue(t.Context(), affiliate.Settings{Currency: "EUR"},
			storage.DueFilter{Search: "ben"}, "", at(9), storage.Page{})
		if err != nil || len(none) != 0 {
			t.Errorf("a search for somebody else finds %v, %v", none, err)
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
					list[0].State = affiliate.PayoutCanceled
					if err := tx.SavePayouts(t.Context(), list); err != nil {
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
		for _, test := range []struct {
			filter storage.PayoutFilter
			want   []storage.PayoutSum
		}{
			{storage.PayoutFilter{}, []storage.PayoutSum{{Currency: "EUR", Payouts: 5, Amount: 513, Canceled: 1,
				CanceledAmount: 102}}},
			{storage.PayoutFilter{Creator: ben.ID}, []storage.PayoutSum{{Currency: "EUR", Payouts: 3, Amount: 309}}},
			{storage.PayoutFilter{State: affiliate.PayoutCanceled}, []storage.PayoutSum{{Currency: "EUR", Canceled: 1,
				CanceledAmount: 102}}},
			{storage.PayoutFilter{From: at(6)}, []storage.PayoutSum{}},
		} {
			if got, err := db.SumPayouts(t.Context(), test.filter); err != nil || !slices.Equal(got, test.want) {
				t.Errorf("%+v adds up to %+v, %v, want %+v", test.filter, got, err, test.want)
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
