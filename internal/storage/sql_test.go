package storage_test

import (
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
	"github.com/tributaryhq/tributary/internal/storage/storagetest/past"
)

// TestStatements keeps the text of what is put together of pieces where it can be read, and pasted into psql.
func TestStatements(t *testing.T) {
	storagetest.EachStatements(t, func(s *storagetest.Statements, db *storage.DB) {
		ctx := s.Context()
		id := past.Small(s.T, db).Store
		list := func(name string, do func(p storage.Page) (string, error)) {
			var next string
			s.Of(name, func() (err error) {
				next, err = do(storage.Page{Limit: 1})
				return err
			})
			if next != "" {
				s.Of(name+", the second one", func() error {
					_, err := do(storage.Page{Limit: 1, Cursor: next})
					return err
				})
			}
		}
		for _, sort := range []string{"", "creator", "-commission", "number"} {
			order, err := storage.ParseConversionSort(sort)
			if err != nil {
				s.Fatal(err)
			}
			list("a page of conversions by "+order.String(), func(p storage.Page) (string, error) {
				_, next, err := db.ConversionPage(ctx, storage.ConversionFilter{}, order, p)
				return next, err
			})
		}
		filter := storage.ConversionFilter{Campaign: 1, Creator: 1, Offer: 1, Code: 1, Search: "anna", WithRefund: true,
			Statuses:  []affiliate.OrderStatus{affiliate.Paid},
			Approvals: []affiliate.Approval{affiliate.Held}, From: noon}
		list("a page of conversions that are narrowed", func(p storage.Page) (string, error) {
			_, next, err := db.ConversionPage(ctx, filter, storage.ConversionSort{}, p)
			return next, err
		})
		s.Of("all conversions", func() error {
			return db.EachConversion(ctx, storage.ConversionFilter{Former: true}, storage.ConversionSort{},
				func(*storage.ConversionItem) error { return nil })
		})
		s.Of("what conversions add up to", func() error {
			_, err := db.SumConversions(ctx, filter)
			return err
		})
		s.Of("the ids of conversions", func() error {
			_, err := db.ConversionIDs(ctx, filter, 100)
			return err
		})
		orders := storage.OrderFilter{Status: affiliate.Paid, Store: "shop", Campaign: 1, Show: storage.ShowDoubtful,
			Doubt: "edited", Text: "7", From: noon}
		list("a page of orders", func(p storage.Page) (string, error) {
			_, next, err := db.ListOrders(ctx, orders, p)
			return next, err
		})
		s.Of("all orders", func() error {
			return db.EachOrder(ctx, orders, func(*storage.OrderLine) error { return nil })
		})
		s.Of("how many orders", func() error {
			_, err := db.CountOrders(ctx, orders)
			return err
		})
		list("a page of ledger entries", func(p storage.Page) (string, error) {
			_, next, err := db.LedgerPage(ctx, storage.LedgerFilter{Creator: 1, Kind: affiliate.PaidOut, From: noon}, p)
			return next, err
		})
		list("a page of deliveries", func(p storage.Page) (string, error) {
			_, next, err := db.ListDeliveries(ctx, storage.DeliveryFilter{Store: "shop", Look: 1000}, p)
			return next, err
		})
		list("a page of failed deliveries", func(p storage.Page) (string, error) {
			_, next, err := db.ListDeliveries(ctx, storage.DeliveryFilter{State: storage.DeliveryFailed}, p)
			return next, err
		})
		for _, sort := range []storage.UnownedSort{storage.UnownedByOrders, storage.UnownedByCode} {
			list("a page of unowned codes by "+string(sort), func(p storage.Page) (string, error) {
				_, next, err := db.UnownedCodes(ctx, storage.UnownedFilter{Sort: sort, MinOrders: 2, Since: noon}, p)
				return next, err
			})
		}
		list("a page of members", func(p storage.Page) (string, error) {
			_, next, err := db.MemberPage(ctx, storage.MemberSearch{Campaign: 1, Text: "anna"}, p)
			return next, err
		})
		list("a page of payouts", func(p storage.Page) (string, error) {
			_, next, err := db.Payouts(ctx, storage.PayoutFilter{Creator: 1}, p)
			return next, err
		})
		list("a page of payouts due", func(p storage.Page) (string, error) {
			_, next, err := db.PayoutsDue(ctx, affiliate.Settings{Currency: "EUR", MinimumPayout: 1000}, "", noon, p)
			return next, err
		})
		saved := order(id, "1", 1)
		inTx(t, db, func(tx *storage.Tx) error {
			s.Of("save orders", func() (err error) {
				ids, err := tx.SaveOrders(ctx, unseen([]storage.Order{saved}), noon)
				saved.ID = ids[storage.OrderKey{StoreID: id, ExternalID: "1"}]
				return err
			})
			list, err := tx.Conversions(ctx, []affiliate.OrderID{1})
			for _, c := range list {
				s.Of("save conversions", func() error {
					_, err := tx.SaveConversions(ctx, []storage.ConversionChange{{Before: &c, After: c}}, noon)
					return err
				})
			}
			s.Of("save the states of orders", func() error { return tx.SaveOrderStates(ctx, []storage.Order{saved}) })
			return err
		})
	})
}
