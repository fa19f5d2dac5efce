package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestRefold: what a version before kept by its own rules is brought up to date once, by whichever command comes first.
func TestRefold(t *testing.T) {
	eachShell(t, func(s shell) {
		s.addStore("shop").exits(0)
		s.typed("campaign,creator,instagram,email,offer,store,code,landing_url,commission_percent\n" +
			"Spring,Lea Roth,@lea,lea.roth@gmail.com,Ten,shop,LEA10,https://shop.example/,10\n" +
			"Spring,Tom Lane,@tom,tom@creators.example,Ten,shop,TOM10,,10\n" +
			"Spring,Ben Fitz,@ben,ben@creators.example,Ten,shop,BEN10,,10\n").importTyped().exits(0)
		old := []string{
			"DELETE FROM settings WHERE name = 'text_rules'",
			"UPDATE creators SET email_hash = 'of lea.roth@gmail.com' WHERE name = 'Lea Roth'",
			"UPDATE creators SET email = '\u202atom@creators.example\u202c', email_hash = 'of the marks', name = " +
				"'Tom\u200b Lane' WHERE name = 'Tom Lane'",
			"UPDATE creator_handles SET handle = 'tom\ufeff', folded = 'tom\ufeff' WHERE folded = 'tom'",
			"UPDATE campaigns SET name = 'Spr\u00ading', folded = 'spr\u00ading'",
			"UPDATE offers SET name = '\u2060Ten', folded = '\u2060ten'",
			"UPDATE codes SET code = 'TOM10\u200b', folded = 'tom10\u200b' WHERE folded = 'tom10'",
			"UPDATE codes SET code = 'LEA10\u200b', folded = 'lea10\u200b' WHERE folded = 'ben10'", // now there are two
			"UPDATE links SET landing_url = 'https://shop.example/\u200b'",
			"UPDATE stores SET name = 'Shop\u200e'",
		}
		s.byHand(old...)
		lost := shell{T: s.T, env: environment(s.env).with("SECRET_KEY", strings.Repeat("o", 32))}
		key := filepath.Join(s.env["DATA_DIR"], "secret.key") // with it, another SECRET_KEY would be refused
		if s.env["DATABASE_URL"] == "" {
			ok(s.T, os.Rename(key, key+".kept"))
		}
		lost.run("store", "list").exits(0)
		if s.env["DATABASE_URL"] == "" {
			ok(s.T, os.Rename(key+".kept", key))
		}
		environment(s.env).open(s.T, func(ctx context.Context, a *app.App) {
			version, err := a.DB.TextRules(ctx)
			ok(s.T, err)
			if version == 0 {
				s.Fatal("a command with the right key leaves all as it was")
			}
			creators, err := a.DB.AllCreators(ctx)
			ok(s.T, err)
			for _, c := range creators {
				if c.EmailHash != a.EmailHash(c.Email) || c.Email != affiliate.Clean(c.Email) ||
					c.Name != affiliate.Clean(c.Name) || c.Handles[affiliate.Instagram] !=
					affiliate.Clean(c.Handles[affiliate.Instagram]) {
					s.Errorf("%+v", c)
				}
				if c.Name == "Lea Roth" && (c.EmailHash != a.EmailHash("learoth@googlemail.com") ||
					c.Email != "lea.roth@gmail.com") {
					s.Errorf("the address of Lea: %+v", c)
				}
			}
			campaign, err := a.DB.CampaignByName(ctx, "spring")
			ok(s.T, err)
			if campaign.Name != "Spring" {
				s.Errorf("the campaign is %+q", campaign.Name)
			}
			offer, err := a.DB.OfferByName(ctx, campaign.ID, "ten")
			ok(s.T, err)
			if offer.Name != "Ten" {
				s.Errorf("the offer is %+q", offer.Name)
			}
			store, err := a.DB.StoreBySlug(ctx, "shop")
			ok(s.T, err)
			if store.Name != "Shop" {
				s.Errorf("the store is %+q", store.Name)
			}
			codes, _, err := a.DB.Codes(ctx, storage.CodeFilter{}, storage.Page{})
			ok(s.T, err)
			var written []string
			for _, c := range codes {
				written = append(written, c.Code)
			}
			slices.Sort(written)
			if want := []string{"LEA10", "LEA10\u200b", "TOM10"}; !slices.Equal(written, want) {
				s.Errorf("codes %+q, want %+q: of two that became one, both are left", written, want)
			}
			if history, err := a.DB.CodeHistory(ctx, store.ID, "tom10"); err != nil || len(history) != 1 {
				s.Errorf("TOM10 is not found: %v %v", history, err)
			}
			link, err := a.DB.LinkBySlug(ctx, "lea")
			ok(s.T, err)
			if link.LandingURL != "https://shop.example/" {
				s.Errorf("the link leads to %+q", link.LandingURL)
			}
		})
		// Once: nothing is looked at again.
		s.byHand("UPDATE creators SET email_hash = 'kept' WHERE name = 'Lea Roth'")
		environment(s.env).open(s.T, func(ctx context.Context, a *app.App) {
			c, err := a.DB.CreatorByHandle(ctx, affiliate.Instagram, "lea")
			ok(s.T, err)
			if c.EmailHash != "kept" {
				s.Error("it runs again")
			}
		})
	})
}

// importTyped imports what is on the standard input.
func (s shell) importTyped() result { return s.run("import", "-") }
