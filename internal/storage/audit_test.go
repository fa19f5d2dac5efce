package storage_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// TestNewestAudit: pages of every size give the entries of a filter once, newest first.
func TestNewestAudit(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		subjects := []fmt.Stringer{affiliate.CampaignID(1), affiliate.CampaignID(12), affiliate.CreatorID(1)}
		inTx(t, db, func(tx *storage.Tx) error {
			for n := range 30 {
				e := storage.AuditEntry{At: noon.Add(time.Duration(n) * time.Minute),
					Actor: []string{"Anna", "Ben"}[n%2], Action: fmt.Sprint("x.", n), Subject: subjects[n%3]}
				if err := tx.Audit(t.Context(), e); err != nil {
					return err
				}
			}
			return nil
		})
		for _, c := range []struct {
			filter storage.AuditFilter
			keeps  func(n int) bool
		}{
			{storage.AuditFilter{}, func(int) bool { return true }},
			{storage.AuditFilter{Subject: "cmp_1"}, func(n int) bool { return n%3 == 0 }},
			{storage.AuditFilter{Kind: "cmp_"}, func(n int) bool { return n%3 != 2 }},
			{storage.AuditFilter{Kind: "cmp_", Actor: "Ben"}, func(n int) bool { return n%3 != 2 && n%2 == 1 }},
			{storage.AuditFilter{Kind: "cmpx"}, func(int) bool { return false }}, // the underscore is no wildcard
			{storage.AuditFilter{Actor: "Be"}, func(int) bool { return false }},
		} {
			var want []string
			for n := 29; n >= 0; n-- {
				if c.keeps(n) {
					want = append(want, fmt.Sprint("x.", n))
				}
			}
			for _, limit := range []int{1, 7, 30, 500} {
				var got []string
				for p := (storage.Page{Limit: limit}); ; {
					list, next, err := db.NewestAudit(t.Context(), c.filter, p)
					if err != nil || len(list) > limit {
						t.Fatalf("%d rows in a page of %d, %v", len(list), limit, err)
					}
					for _, r := range list {
						got = append(got, r.Action)
					}
					if p.Cursor = next; next == "" {
						break
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("%+v in pages of %d gives %v, want %v", c.filter, limit, got, want)
				}
			}
		}
		if _, _, err := db.NewestAudit(t.Context(), storage.AuditFilter{},
			storage.Page{Cursor: "x"}); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("a wrong cursor gives %v", err)
		}
	})
}

// TestWordsFor: every kind of id finds its word and the page that shows it; what is none is left out.
func TestWordsFor(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := t.Context()
		anna := addCreator(t, db, "Anna", nil)
		inTx(t, db, func(tx *storage.Tx) error {
			store, err := tx.CreateStore(ctx, affiliate.Store{Slug: "shop", Platform: "shopify", Name: "Shop",
				Domain: "shop.example", Currency: "USD", Timezone: "UTC", State: affiliate.StoreStateActive,
				CreatedAt: noon, UpdatedAt: noon})
			if err != nil {
				return err
			}
			c, err := tx.CreateCampaign(ctx, affiliate.Campaign{Name: "Spring", Status: affiliate.CampaignActive,
				CreatedAt: noon, UpdatedAt: noon})
			if err != nil {
				return err
			}
			m, err := tx.CreateMember(ctx, affiliate.CampaignMember{CampaignID: c.ID, CreatorID: anna.ID,
				ProductCurrency: "USD", CreatedAt: noon, UpdatedAt: noon})
			if err != nil {
				return err
			}
			o, err := tx.CreateOffer(ctx, affiliate.Offer{CampaignID: c.ID, Name: "Ten", Type: affiliate.OfferPromoCode,
				Status: affiliate.OfferActive, StatusSince: noon, CreatedAt: noon, UpdatedAt: noon})
			if err != nil {
				return err
			}
			om, err := tx.CreateOfferMember(ctx, affiliate.OfferMember{OfferID: o.ID, MemberID: m.ID, CreatedAt: noon,
				UpdatedAt: noon})
			if err != nil {
				return err
			}
			if _, err = tx.CreateCode(ctx, affiliate.Code{OfferMemberID: om.ID, StoreID: store.ID, Code: "ANNA10",
				CreatedAt: noon, UpdatedAt: noon}); err != nil {
				return err
			}
			if _, err = tx.CreateLink(ctx, affiliate.Link{OfferMemberID: om.ID, Slug: "anna", Kind: affiliate.LinkSales, LandingURL: "https://shop.example/",
				CreatedAt: noon, UpdatedAt: noon}); err != nil {
				return err
			}
			if _, err = tx.CreateCost(ctx, affiliate.Cost{CampaignID: c.ID, Amount: 1, Currency: "USD",
				Day: "2026-05-01", Note: "shooting", Author: "me", CreatedAt: noon}); err != nil {
				return err
			}
			if _, err = tx.CreateUser(ctx, affiliate.User{Email: "o@x.example", Name: "Olga", Role: affiliate.RoleOwner,
				CreatedAt: noon, UpdatedAt: noon}, "hash"); err != nil {
				return err
			}
			_, err = tx.CreateToken(ctx, affiliate.Token{Name: "warehouse", Role: affiliate.RoleViewer,
				CreatedAt: noon}, []byte("hash"))
			return err
		})
		want := map[string]storage.Word{"cre_1": {Name: "Anna", Page: "cre_1"}, "str_1": {Name: "Shop", Page: "str_1"},
			"cmp_1": {Name: "Spring", Page: "cmp_1"}, "mem_1": {Name: "Anna", Page: "cmp_1"},
			"off_1": {Name: "Ten", Page: "cmp_1"}, "ofm_1": {Name: "Anna in Ten", Page: "cmp_1"},
			"cod_1": {Name: "ANNA10", Page: "cmp_1"}, "lnk_1": {Name: "anna", Page: "lnk_1"},
			"cst_1": {Name: "shooting", Page: "cmp_1"}, "usr_1": {Name: "Olga", Page: "usr_1"},
			"tok_1": {Name: "warehouse"}}
		ids := append(slices.Collect(maps.Keys(want)), "cmp_1", "cmp_2", "cnv_1", "ord_1", "pay_1", "account", "xyz_1",
			"cmp_x", "")
		got, err := db.WordsFor(ctx, ids)
		if err != nil || !maps.Equal(got, want) {
			t.Errorf("got %v, %v, want %v", got, err, want)
		}
	})
}

func TestLastSignIns(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		inTx(t, db, func(tx *storage.Tx) error {
			for _, e := range []storage.AuditEntry{
				{At: noon, Action: "user.sign_in", Subject: affiliate.UserID(1)},
				{At: noon.Add(time.Hour), Action: "user.sign_in", Subject: affiliate.UserID(1)},
				{At: noon.Add(2 * time.Hour), Action: "user.change", Subject: affiliate.UserID(1)},
				{At: noon, Action: "user.add", Subject: affiliate.UserID(2)},
			} {
				if err := tx.Audit(t.Context(), e); err != nil {
					return err
				}
			}
			return nil
		})
		last, err := db.LastSignIns(t.Context(), []affiliate.UserID{1, 2, 3})
		if err != nil || len(last) != 1 || !last[1].Equal(noon.Add(time.Hour)) {
			t.Errorf("got %v, %v", last, err)
		}
		if last, err = db.LastSignIns(t.Context(), nil); err != nil || len(last) != 0 {
			t.Errorf("of nobody: %v, %v", last, err)
		}
	})
}
