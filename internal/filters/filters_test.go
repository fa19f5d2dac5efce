package filters_test

import (
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/filters"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

func TestQuery(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		read := func(query string) *filters.Query {
			values, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			return filters.New(t.Context(), db, values, time.FixedZone("", 3600))
		}
		for _, c := range []struct {
			query string
			read  func(*filters.Query) any
			want  any
		}{
			{"", func(q *filters.Query) any { return q.Conversions() }, storage.ConversionFilter{}},
			{
				"ids=cnv_1,2&ids=cnv_3&status=paid,pending&approval=held&offer=off_4&ambiguous=true&" +
					"undecided=true&q=+x+&former=1",
				func(q *filters.Query) any { return q.Conversions() },
				storage.ConversionFilter{IDs: []affiliate.ConversionID{1, 2, 3}, Offer: 4, Ambiguous: true,
					Undecided: true, Search: "x",
					Statuses:  []affiliate.OrderStatus{affiliate.Paid, affiliate.Pending},
					Approvals: []affiliate.Approval{affiliate.Held}, Former: true}},
			{"ids=cnv_1", func(q *filters.Query) any { return q.Conversions().Former }, true},
			{"include=only_former", func(q *filters.Query) any { return q.Conversions() },
				storage.ConversionFilter{Former: true, OnlyFormer: true}},
			{"include=former", func(q *filters.Query) any { return q.Conversions().Former }, true},
			{"parts=true&doubt=any", func(q *filters.Query) any { return q.Orders() },
				storage.OrderFilter{Show: storage.ShowParts, Doubt: storage.AnyDoubt}},
			{"show=held&status=paid&creator=cre_2", func(q *filters.Query) any { return q.Orders() },
				storage.OrderFilter{Show: storage.ShowHeld, Status: affiliate.Paid, Creator: 2}},
			{"kind=bonus&currency=EUR", func(q *filters.Query) any { return q.Ledger() },
				storage.LedgerFilter{Kind: affiliate.Bonus, Currency: "EUR"}},
			{"state=canceled", func(q *filters.Query) any { return q.Payouts() },
				storage.PayoutFilter{State: affiliate.PayoutCanceled}},
			{"ids=rwd_1,2&offer=off_3&campaign=cmp_4&creator=cre_5&rule=rrl_6&state=to_give&q=+anna",
				func(q *filters.Query) any { return q.Rewards() },
				storage.RewardFilter{IDs: []affiliate.RewardID{1, 2}, Offer: 3, Campaign: 4, Creator: 5, Rule: 6,
					State: affiliate.RewardToGive, Search: "anna"}},
			{"set=troubled&q=+ten+&sort=made", func(q *filters.Query) any { return q.Coupons() },
				storage.CouponFilter{Set: storage.CouponsTroubled, Search: "ten", Sort: storage.CouponsByMade}},
			{"state=failed,by_hand&q=anna", func(q *filters.Query) any { return q.CodeItems(7) },
				storage.CodeItemFilter{Run: 7, States: []affiliate.CodeItemState{affiliate.ItemFailed,
					affiliate.ItemByHand}, Search: "anna"}},
			{"min_orders=3&sort=code", func(q *filters.Query) any { return q.Unowned("USD") },
				storage.UnownedFilter{Kind: storage.EvidenceCode, MinOrders: 3, Sort: storage.UnownedByCode,
					Currency: "USD"}},
			{"to=2026-11-30", func(q *filters.Query) any { _, to := q.Span(); return to.UTC().String() },
				"2026-11-30 23:00:00 +0000 UTC"},
		} {
			q := read(c.query)
			if got := c.read(q); q.Err() != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("%q: %+v, %v, want %+v", c.query, got, q.Err(), c.want)
			}
		}
	})
}

// TestQuery_errors: the first parameter that is wrong is the error, whatever follows.
func TestQuery_errors(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		for query, want := range map[string]string{
			"status=paid,lost&offer=x": `offer: "x" is not an id; it looks like off_1`,
			"ids=cnv_1,":               `ids: "" is not an id; it looks like cnv_1`,
			"approval=maybe":           "approval: must be approved, rejected or held",
			"ambiguous=perhaps":        "ambiguous: must be true or false",
			"q=a%00b":                  "q: must be text without control characters",
			"store=nowhere":            `store: there is no store nowhere`,
			"store=str_x":              `store: "str_x" is not an id; it looks like str_1`,
			"currency=EURO":            `currency: "EURO" is not a currency code (three letters, such as USD)`,
		} {
			values, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			q := filters.New(t.Context(), db, values, time.UTC)
			if q.Conversions(); q.Err() == nil || q.Err().Error() != want {
				t.Errorf("%q: %v, want %s", query, q.Err(), want)
			}
		}
	})
}
