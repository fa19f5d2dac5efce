package storage_test

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// team is two campaigns, of which the first has an offer and the creators Anna, Ben, Cleo and Dora. Cleo left the
// campaign, Dora the community.
type team struct {
	campaigns [2]affiliate.Campaign
	offer     affiliate.Offer
	members   map[string]affiliate.CampaignMember
	owners    map[string]affiliate.OfferMember
}

func addTeam(t *testing.T, db *storage.DB) team {
	t.Helper()
	ctx := t.Context()
	g := team{members: map[string]affiliate.CampaignMember{}, owners: map[string]affiliate.OfferMember{}}
	var creators []affiliate.Creator
	for _, name := range []string{"Anna", "Ben", "Cleo", "Dora"} {
		creators = append(creators, addCreator(t, db, name, map[string]string{"tiktok": name + "_tok",
			"instagram": name + ".gram"}))
	}
	inTx(t, db, func(tx *storage.Tx) (err error) {
		for i, name := range []string{"Spring", "Autumn"} {
			g.campaigns[i], err = tx.CreateCampaign(ctx, affiliate.Campaign{Name: name,
				Status: affiliate.CampaignActive, CreatedAt: noon, UpdatedAt: noon})
			if err != nil {
				return err
			}
		}
		g.offer, err = tx.CreateOffer(ctx, affiliate.Offer{CampaignID: g.campaigns[0].ID, Name: "Ten",
			Type: affiliate.OfferPromoCode, Status: affiliate.OfferActive, StatusSince: noon, CreatedAt: noon,
			UpdatedAt: noon})
		if err != nil {
			return err
		}
		for _, c := range creators {
			m, err := tx.CreateMember(ctx, affiliate.CampaignMember{CampaignID: g.campaigns[0].ID, CreatorID: c.ID,
				ProductCurrency: "EUR", CreatedAt: noon, UpdatedAt: noon})
			if err != nil {
				return err
			}
			if g.owners[c.Name], err = tx.CreateOfferMember(ctx, affiliate.OfferMember{OfferID: g.offer.ID,
				MemberID: m.ID, CreatedAt: noon, UpdatedAt: noon}); err != nil {
				return err
			}
			g.members[c.Name] = m
		}
		cleo, dora := g.members["Cleo"], creators[3]
		cleo.RemovedAt, dora.RemovedAt = noon, noon
		if _, err := tx.SaveMember(ctx, cleo); err != nil {
			return err
		}
		if _, err := tx.SaveCreator(ctx, dora); err != nil {
			return err
		}
		_, err = tx.CreateMember(ctx, affiliate.CampaignMember{CampaignID: g.campaigns[1].ID, CreatorID: creators[0].ID,
			ProductCurrency: "EUR", CreatedAt: noon, UpdatedAt: noon})
		return err
	})
	return g
}

func TestMemberPage(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		g, store := addTeam(t, db), addStore(t, db, "shop").ID
		addCodes(t, db, affiliate.Code{OfferMemberID: g.owners["Ben"].ID, StoreID: store, Code: "BEN_5"})
		inTx(t, db, func(tx *storage.Tx) error {
			_, err := tx.CreateLink(t.Context(), affiliate.Link{OfferMemberID: g.owners["Cleo"].ID, Slug: "cleo-spring", Kind: affiliate.LinkSales, LandingURL: "https://shop.example/",
				CreatedAt: noon, UpdatedAt: noon})
			return err
		})
		spring := g.campaigns[0].ID
		for _, test := range []struct {
			search storage.MemberSearch
			want   string
		}{
			{storage.MemberSearch{Campaign: spring}, "Anna @Anna.gram Spring, Ben @Ben.gram Spring"},
			{storage.MemberSearch{Campaign: spring, Former: true}, "Anna @Anna.gram Spring, Ben @Ben.gram Spring, " +
				"Cleo @Cleo.gram Spring former, Dora @Dora.gram Spring former"},
			{storage.MemberSearch{Creator: g.members["Anna"].CreatorID},
				"Anna @Anna.gram Spring, Anna @Anna.gram Autumn"},
			{storage.MemberSearch{Campaign: spring, Text: " bEN_5 "}, "Ben @Ben.gram Spring"},
			{storage.MemberSearch{Campaign: spring, Text: "BENX5"}, ""},
			{storage.MemberSearch{Campaign: spring, Text: "@anna_TOK"}, "Anna @Anna.gram Spring"},
			{storage.MemberSearch{Campaign: spring, Text: "nn"}, "Anna @Anna.gram Spring"},
			{storage.MemberSearch{Campaign: spring, Text: "leo-spr", Former: true}, "Cleo @Cleo.gram Spring former"},
			{storage.MemberSearch{Campaign: spring, Text: "%", Former: true}, ""},
			{storage.MemberSearch{Campaign: 99}, ""},
		} {
			for _, limit := range []int{1, 50} {
				got := ""
				for p := (storage.Page{Limit: limit}); ; {
					list, next, err := db.MemberPage(t.Context(), test.search, p)
					if err != nil || len(list) > limit {
						t.Fatalf("%+v: %d rows, %v", test.search, len(list), err)
					}
					for _, m := range list {
						if got != "" {
							got += ", "
						}
						got += fmt.Sprintf("%s @%s %s", m.Creator, m.Handle, m.Campaign)
						if m.Former() {
							got += " former"
						}
						if m.CreatedAt != noon || m.Status != affiliate.CampaignActive || m.ID == 0 {
							t.Errorf("row %+v", m)
						}
					}
					if p.Cursor = next; next == "" {
						break
					}
				}
				if got != test.want {
					t.Errorf("%+v by %d: got %q, want %q", test.search, limit, got, test.want)
				}
			}
		}
	})
}

func TestMemberCounts_of_campaigns_and_offers(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		g := addTeam(t, db)
		counts, err := db.MemberCounts(t.Context(), []affiliate.CampaignID{g.campaigns[0].ID, g.campaigns[1].ID, 99})
		if want := fmt.Sprint(map[affiliate.CampaignID]storage.MemberCounts{g.campaigns[0].ID: {Current: 2, Former: 2},
			g.campaigns[1].ID: {Current: 1}}); err != nil || fmt.Sprint(counts) != want {
			t.Errorf("got %v, %v, want %s", counts, err, want)
		}
		of, err := db.OfferMemberCounts(t.Context(), []affiliate.OfferID{g.offer.ID})
		if err != nil || of[g.offer.ID] != 2 {
			t.Errorf("offer members: got %v, %v, want 2", of, err)
		}
	})
}

// TestWhatMembersOwn: the offers, codes and links of some members are theirs and nobody else's.
func TestWhatMembersOwn(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := t.Context()
		g, store := addTeam(t, db), addStore(t, db, "shop").ID
		anna, ben := g.owners["Anna"], g.owners["Ben"]
		addCodes(t, db, affiliate.Code{OfferMemberID: ben.ID, StoreID: store, Code: "BEN5"},
			affiliate.Code{OfferMemberID: anna.ID, StoreID: store, Code: "ANNA5"}, affiliate.Code{OfferMemberID: ben.ID,
				StoreID: store, Code: "BEN10", ValidTo: noon})
		inTx(t, db, func(tx *storage.Tx) error {
			for i, owner := range []affiliate.OfferMemberID{anna.ID, ben.ID} {
				if _, err := tx.CreateLink(ctx, affiliate.Link{OfferMemberID: owner, Slug: fmt.Sprint("s", i), Kind: affiliate.LinkSales, LandingURL: "https://shop.example/",
					CreatedAt: noon, UpdatedAt: noon}); err != nil {
					return err
				}
			}
			return nil
		})
		owners, err := db.OfferMembersOf(ctx, []affiliate.MemberID{g.members["Ben"].ID})
		if err != nil || len(owners) != 1 || owners[0].ID != ben.ID || owners[0].OfferID != g.offer.ID {
			t.Errorf("offer members %+v, %v", owners, err)
		}
		codes, err := db.CodesOf(ctx, []affiliate.OfferMemberID{ben.ID})
		if err != nil || len(codes) != 2 || codes[0].Code != "BEN5" || codes[1].Code != "BEN10" {
			t.Errorf("codes %+v, %v", codes, err)
		}
		links, err := db.LinksOf(ctx, []affiliate.OfferMemberID{ben.ID})
		if err != nil || len(links) != 1 || links[0].Slug != "s1" {
			t.Errorf("links %+v, %v", links, err)
		}
		offers, err := db.OffersOf(ctx, []affiliate.OfferID{g.offer.ID})
		if err != nil || len(offers) != 1 || !reflect.DeepEqual(offers[0], g.offer) {
			t.Errorf("offers %+v, %v", offers, err)
		}
		if none, err := db.CodesOf(ctx, nil); err != nil || none != nil {
			t.Errorf("codes of nobody: %v, %v", none, err)
		}
	})
}

// TestCreatorRows_text: creators are found by what people know of them, codes included.
func TestCreatorRows_text(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		g, store := addTeam(t, db), addStore(t, db, "shop").ID
		addCodes(t, db, affiliate.Code{OfferMemberID: g.owners["Ben"].ID, StoreID: store, Code: "Summer"})
		for text, want := range map[string]string{"SUMM": "Ben", "@anna.gram": "Anna", "dora": "", "en": "Ben"} {
			page, err := report.List{Report: report.Report{Currency: "USD"}, Text: text}.CreatorRows(t.Context(), db)
			got := ""
			for _, r := range page.Rows {
				got += r.Name
			}
			if err != nil || got != want {
				t.Errorf("%q finds %q, %v, want %q", text, got, err, want)
			}
		}
	})
}
