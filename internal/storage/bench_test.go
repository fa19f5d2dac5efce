package storage_test

import (
	"fmt"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// Benchmarks of what is done by the thousand or by the million: a page of the pipeline, a group of the intake, an
// export. Each is per row.
func BenchmarkRows(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *storage.DB{"sqlite": storagetest.SQLite,
		"postgres": storagetest.Postgres} {
		b.Run(name, func(b *testing.B) { benchmarkRows(b, open(b)) })
	}
}

func benchmarkRows(b *testing.B, db *storage.DB) {
	const rows = 20_000
	ctx := b.Context()
	var r storage.Rows
	err := db.InTx(ctx, func(tx *storage.Tx) error {
		s, err := tx.CreateStore(ctx, affiliate.Store{Slug: "shop", Platform: "shopify", Name: "Shop",
			Domain: "shop.example", Currency: "EUR", Timezone: "UTC", State: affiliate.StoreStateActive,
			CreatedAt: noon, UpdatedAt: noon})
		r.Creators = []affiliate.Creator{{ID: 1, Name: "Anna", CreatedAt: noon, UpdatedAt: noon}}
		r.Campaigns = []affiliate.Campaign{{ID: 1, Name: "Spring", Status: affiliate.CampaignActive, CreatedAt: noon,
			UpdatedAt: noon}}
		r.Members = []affiliate.CampaignMember{{ID: 1, CampaignID: 1, CreatorID: 1, ProductCurrency: "EUR",
			CreatedAt: noon, UpdatedAt: noon}}
		r.Offers = []affiliate.Offer{{ID: 1, CampaignID: 1, Name: "Ten", Type: affiliate.OfferPromoCode,
			Status: affiliate.OfferActive, StatusSince: noon, CreatedAt: noon, UpdatedAt: noon}}
		r.OfferMembers = []affiliate.OfferMember{{ID: 1, OfferID: 1, MemberID: 1, CreatedAt: noon, UpdatedAt: noon}}
		for i := range rows {
			id := affiliate.OrderID(i + 1)
			r.Orders = append(r.Orders, storage.Order{ID: id, StoreID: s.ID, ExternalID: fmt.Sprint(i),
				Number: fmt.Sprint("#", i), Status: affiliate.Paid, Currency: "EUR", Value: 4000, OriginalValue: 4000,
				Total: 4600, Day: "2026-03-01", Codes: `["ANNA10"]`, State: `{"a":1}`, Evidence: "x",
				PlacedAt: storage.At(noon), UpdatedAt: storage.At(noon), ChangedAt: storage.At(noon)})
			r.Conversions = append(r.Conversions, storage.Conversion{ID: affiliate.ConversionID(id), OrderID: id,
				StoreID: s.ID, CampaignID: 1, CreatorID: 1, OfferID: 1, OfferMemberID: 1, Credited: true,
				Method: affiliate.ByCode, CodeID: new(affiliate.CodeID(1)), Evidence: "ANNA10",
				Approval: affiliate.Approved, Percent: 100_000, RuleVersion: 1, Status: affiliate.Paid, Currency: "EUR",
				Value: 4000, OriginalValue: 4000, Commission: 400, AccountCurrency: "EUR", Rate: new("1"),
				RateDate: new("2026-03-01"), AccountValue: new(int64(4000)), AccountCommission: new(int64(400)),
				AccountRefunded: new(int64(0)), LedgerCurrency: "EUR", LedgerRate: new("1"), LedgerCommission: 400,
				PlacedAt: storage.At(noon), Day: "2026-03-01"})
		}
		return err
	})
	if err == nil {
		err = db.Load(ctx, r)
	}
	if err != nil {
		b.Fatal(err)
	}
	perRow := func(name string, each int, do func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*each), "ns/row")
		})
	}
	perRow("each conversion", rows, func() error {
		n := 0
		err := db.InSnapshot(ctx, func(s *storage.Snapshot) error {
			count := func(*storage.ConversionItem) error {
				n++
				return nil
			}
			return s.EachConversion(ctx, storage.ConversionFilter{}, storage.ConversionSort{}, count)
		})
		if err == nil && n != rows {
			err = fmt.Errorf("%d rows", n)
		}
		return err
	})
	const group = 200
	perRow("save orders", group, func() error {
		return db.InTx(ctx, func(tx *storage.Tx) error {
			var list []storage.OrderChange
			for i := range r.Orders[:group] {
				list = append(list, storage.OrderChange{Before: &r.Orders[i], After: r.Orders[i]})
			}
			_, err := tx.SaveOrders(ctx, list, noon)
			return err
		})
	})
	perRow("save conversions", group, func() error {
		return db.InTx(ctx, func(tx *storage.Tx) error {
			var list []storage.ConversionChange
			for i := range r.Conversions[:group] {
				list = append(list, storage.ConversionChange{Before: &r.Conversions[i], After: r.Conversions[i]})
			}
			_, err := tx.SaveConversions(ctx, list, noon)
			return err
		})
	})
	key := 0
	perRow("insert deliveries", group, func() error {
		list := make([]storage.NewDelivery, group)
		for i := range list {
			key++
			list[i] = storage.NewDelivery{StoreID: 1, Topic: "orders/paid", ReceivedAt: noon,
				Payload: []byte("payload")}
			copy(list[i].Key[:], fmt.Sprint(key))
		}
		_, err := db.InsertDeliveries(ctx, list, nil)
		return err
	})
	perRow("page of conversions", 50, func() error {
		_, _, err := db.ConversionPage(ctx, storage.ConversionFilter{}, storage.ConversionSort{}, storage.Page{})
		return err
	})
}
