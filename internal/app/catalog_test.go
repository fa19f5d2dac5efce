package app_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// desk is an application with an empty catalog and a clock that the test moves.
type desk struct {
	*testing.T
	*app.App
	ctx context.Context
	mu  sync.Mutex
	at  time.Time
}

var deskStart = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func eachDesk(t *testing.T, test func(d *desk)) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		sealer, err := app.NewSealer([]byte(strings.Repeat("k", app.MinSecretKey)))
		if err != nil {
			t.Fatal(err)
		}
		d := &desk{T: t, at: deskStart}
		d.ctx = app.As(t.Context(), affiliate.Principal{Name: "the test", Role: affiliate.RoleOwner})
		d.App = &app.App{DB: db, Sealer: sealer, Live: &recorder{}, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: d.now, PublicURL: "https://t.example",
			Platforms: app.Platforms{shopify.Platform{}, woocommerce.Platform{}}}
		test(d)
		if !t.Failed() {
			storagetest.Consistent(t, db)
		}
	})
}

func (d *desk) now() time.Time {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at
}

func (d *desk) pass(t time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = d.at.Add(t)
}

// must fails the test on an error, and gives the value otherwise.
func must[T any](d *desk, v T, err error) T {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
	return v
}

func (d *desk) store(slug string) affiliate.Store {
	d.Helper()
	added, err := d.AddStore(d.ctx, app.NewStore{Platform: woocommerce.Name, Slug: slug, Name: "Shop",
		Domain: slug + ".example", Currency: "EUR", Timezone: "Europe/Berlin"})
	return must(d, added, err).Store
}

// promoter makes a creator, in a campaign "Spring" with one offer, and gives their offer member.
func (d *desk) promoter(name string) affiliate.OfferMember {
	d.Helper()
	campaign, err := d.DB.CampaignByName(d.ctx, "Spring")
	if err != nil {
		campaign = campaignOf(d)(d.AddCampaign(d.ctx, affiliate.Campaign{Name: "Spring"}))
	}
	offer, err := d.DB.OfferByName(d.ctx, campaign.ID, "Ten")
	if err != nil {
		o, err := d.AddOffer(d.ctx, affiliate.Offer{CampaignID: campaign.ID, Name: "Ten",
			Type: affiliate.OfferPromoCode, Rule: affiliate.Rule{Percent: 1000}})
		offer = must(d, o, err)
	}
	creator, err := d.AddCreator(d.ctx, affiliate.Creator{Name: name, Handles: map[string]string{"instagram": "@" +
		strings.ToLower(name)}})
	must(d, creator, err)
	member, err := d.AddMember(d.ctx, affiliate.CampaignMember{CampaignID: campaign.ID, CreatorID: creator.ID})
	must(d, member, err)
	om, err := d.AddOfferMember(d.ctx, affiliate.OfferMember{OfferID: offer.ID, MemberID: member.ID})
	return must(d, om, err)
}

// campaignOf is must for calls that give a campaign.
func campaignOf(d *desk) func(affiliate.Campaign, error) affiliate.Campaign {
	return func(c affiliate.Campaign, err error) affiliate.Campaign {
		d.Helper()
		return must(d, c, err)
	}
}

// want fails the test unless err is of a kind, about a field (any when empty), and says all of some words.
func (d *desk) want(err error, kind affiliate.ErrorKind, field string, words ...string) {
	d.Helper()
	var e *affiliate.Error
	if !errors.As(err, &e) || e.Kind != kind || (field != "" && e.Field != field) {
		d.Errorf("got %v, want %s about %q", err, kind, field)
		return
	}
	for _, w := range words {
		if !strings.Contains(e.Message, w) {
			d.Errorf("%q does not say %q", e.Message, w)
		}
	}
}

// audited counts the entries of an action.
func (d *desk) audited(subject, action string) (entries []storage.AuditRecord) {
	d.Helper()
	all, _, err := d.DB.AuditLog(d.ctx, subject, storage.Page{Limit: storage.MaxLimit})
	must(d, all, err)
	for _, e := range all {
		if e.Action == action {
			entries = append(entries, e)
		}
	}
	return entries
}

func TestAddStore(t *testing.T) {
	eachDesk(t, func(d *desk) {
		woo := app.NewStore{Platform: woocommerce.Name, Slug: "woo", Name: "Woo", Domain: "https://Woo.example/shop", Currency: "eur", Timezone: "UTC"}
		added, err := d.AddStore(d.ctx, woo)
		must(d, added, err)
		if len(added.Secret) != 40 || strings.Trim(added.Secret,
			"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") != "" {
			d.Errorf("made secret %q", added.Secret)
		}
		if added.Domain != "woo.example" || added.Currency != "EUR" || d.WebhookURL(added.Store) != "https://t.example/webhooks/woocommerce/woo" {
			d.Errorf("%+v", added.Store)
		}
		text := strings.Join(added.Instructions, "\n")
		for _, word := range []string{"https://t.example/webhooks/woocommerce/woo", "Order restored", "WP REST API Integration v3", "8080"} {
			if !strings.Contains(text, word) {
				d.Errorf("the instructions do not say %q", word)
			}
		}
		_, err = d.AddStore(d.ctx, woo)
		d.want(err, affiliate.Conflict, "slug", "woo")

		shop := app.NewStore{Platform: shopify.Name, Slug: "us", Name: "US", Domain: "us.myshopify.com",
			Currency: "USD", Timezone: "UTC"}
		_, err = d.AddStore(d.ctx, shop)
		d.want(err, affiliate.Invalid, "webhook_secret", "Settings > Notifications > Webhooks")
		shop.Secret, shop.Parts = "abcdef0123456789", affiliate.PartsAlways
		_, err = d.AddStore(d.ctx, shop)
		d.want(err, affiliate.Invalid, "parts", "woocommerce")
		shop.Parts = ""
		added, err = d.AddStore(d.ctx, shop)
		must(d, added, err)
		if added.Secret != "" {
			d.Error("a given secret is shown")
		}
		shop.Slug = "us2"
		_, err = d.AddStore(d.ctx, shop)
		d.want(err, affiliate.Conflict, "domain", "store us")
		shop.Secret = "with space in it"
		_, err = d.AddStore(d.ctx, shop)
		d.want(err, affiliate.Invalid, "webhook_secret")

		for _, e := range d.audited("", "store.add") {
			if e.Actor != "the test" || strings.Contains(e.After, "abcdef0123456789") ||
				strings.Contains(e.After, "ecret") {
				d.Errorf("audit entry %+v", e)
			}
		}
	})
}

func TestStoreSecretRotation(t *testing.T) {
	eachDesk(t, func(d *desk) {
		store := d.store("woo")
		old := must(d, first(d.DB.StoreSecrets(d.ctx, store.ID)), nil)
		err := d.EndStoreSecret(d.ctx, store.ID, old.ID)
		d.want(err, affiliate.Conflict, "", "only active secret")
		added, err := d.AddStoreSecret(d.ctx, store.ID, "")
		must(d, added, err)
		if got := d.openSecrets(store.ID); len(got) != 2 || got[1] != added.Secret {
			d.Fatalf("active secrets %v", got)
		}
		if err := d.EndStoreSecret(d.ctx, store.ID, old.ID); err != nil {
			d.Fatal(err)
		}
		if got := d.openSecrets(store.ID); len(got) != 1 || got[0] != added.Secret {
			d.Errorf("active secrets after the exchange %v", got)
		}
		d.want(d.EndStoreSecret(d.ctx, store.ID, old.ID), affiliate.NotFound, "")
		if len(d.audited(store.ID.String(), "store.secret.add")) != 1 ||
			len(d.audited(store.ID.String(), "store.secret.end")) != 1 {
			d.Error("the exchange is not in the audit log")
		}
	})
}

func first[T any](list []T, err error) T {
	if err != nil || len(list) == 0 {
		panic("an empty list")
	}
	return list[0]
}

func (d *desk) openSecrets(id affiliate.StoreID) (secrets []string) {
	d.Helper()
	stores, err := d.DB.ReceiverStores(d.ctx)
	must(d, stores, err)
	for _, s := range stores {
		if s.ID != id {
			continue
		}
		for _, sealed := range s.Sealed {
			plain, err := d.Sealer.Open(app.SealWebhookSecret, sealed)
			secrets = append(secrets, string(must(d, plain, err)))
		}
	}
	return secrets
}

func TestEndStore(t *testing.T) {
	eachDesk(t, func(d *desk) {
		store := d.store("woo")
		ended, err := d.EndStore(d.ctx, store.ID)
		must(d, ended, err)
		if ended.State != affiliate.StoreStateEnded || len(d.openSecrets(store.ID)) != 0 {
			d.Errorf("%+v", ended)
		}
		again, err := d.EndStore(d.ctx, store.ID)
		if must(d, again, err) != ended {
			d.Errorf("ended again: %+v, before %+v", again, ended)
		}
		om := d.promoter("Anna")
		_, err = d.AddCode(d.ctx, app.NewCode{OfferMember: om.ID, Store: store.ID, Code: "X"})
		d.want(err, affiliate.Conflict, "store")
		_, err = d.AddStoreSecret(d.ctx, store.ID, "")
		d.want(err, affiliate.Conflict, "")
	})
}

func TestChangeCampaign(t *testing.T) {
	eachDesk(t, func(d *desk) {
		c := campaignOf(d)(d.AddCampaign(d.ctx, affiliate.Campaign{Name: "Spring"}))
		_, err := d.AddCampaign(d.ctx, affiliate.Campaign{Name: " SPRING"})
		d.want(err, affiliate.Conflict, "name")
		other := campaignOf(d)(d.AddCampaign(d.ctx, affiliate.Campaign{Name: "Autumn"}))

		rename := func(name string) func(*affiliate.Campaign) error {
			return func(c *affiliate.Campaign) error { c.Name = name; return nil }
		}
		_, err = d.ChangeCampaign(d.ctx, other.ID, app.AnyVersion, rename("spring"))
		d.want(err, affiliate.Conflict, "name")
		d.pass(time.Minute)
		changed := campaignOf(d)(d.ChangeCampaign(d.ctx, c.ID, c.Version, rename("Spring 2027")))
		if read := campaignOf(d)(d.DB.Campaign(d.ctx, c.ID)); read != changed || changed.Version != 2 ||
			!changed.UpdatedAt.Equal(d.now()) {
			d.Errorf("changed %+v, read %+v", changed, read)
		}
		_, err = d.ChangeCampaign(d.ctx, c.ID, c.Version, rename("Lost update"))
		d.want(err, affiliate.Conflict, "version")
		same := campaignOf(d)(d.ChangeCampaign(d.ctx, c.ID, app.AnyVersion, rename("Spring 2027")))
		if same.Version != 2 {
			d.Error("a change of nothing made a version")
		}
		_, err = d.ChangeCampaign(d.ctx, c.ID, app.AnyVersion, func(c *affiliate.Campaign) error {
			c.WindowDays = 1000
			return nil
		})
		d.want(err, affiliate.Invalid, "attribution_window_days")
		_, err = d.ChangeCampaign(d.ctx, 999, app.AnyVersion, rename("x"))
		d.want(err, affiliate.NotFound, "", "cmp_999")
		ended := campaignOf(d)(d.EndCampaign(d.ctx, c.ID))
		d.pass(time.Minute)
		if again := campaignOf(d)(d.EndCampaign(d.ctx, c.ID)); again != ended {
			d.Errorf("ended again: %+v", again)
		}
		entries := d.audited(c.ID.String(), "campaign.change")
		if len(entries) != 1 || !strings.Contains(entries[0].Before, `"Spring"`) || !strings.Contains(entries[0].After, `"Spring 2027"`) {
			d.Errorf("audit log: %+v", entries)
		}
	})
}

func TestCreators(t *testing.T) {
	eachDesk(t, func(d *desk) {
		anna, err := d.AddCreator(d.ctx, affiliate.Creator{Name: "Anna", Email: "Anna+brand@Creators.example",
			Country: "de",
			Handles: map[string]string{"Instagram": "@Anna.Keller", "tiktok": "https://www.tiktok.com/@anna"}})
		must(d, anna, err)
		if anna.EmailHash != d.Sealer.Hash(app.HashEmail, "anna@creators.example") || anna.Country != "DE" ||
			anna.Handles["instagram"] != "Anna.Keller" || anna.Handles["tiktok"] != "anna" {
			d.Errorf("%+v", anna)
		}
		_, err = d.AddCreator(d.ctx, affiliate.Creator{Name: "Other",
			Handles: map[string]string{"instagram": "anna.keller"}})
		d.want(err, affiliate.Conflict, "handles.instagram")
		changed, err := d.ChangeCreator(d.ctx, anna.ID, anna.Version, func(c *affiliate.Creator) error {
			c.Handles, c.Email = map[string]string{"instagram": "anna2"}, ""
			return nil
		})
		must(d, changed, err)
		read, err := d.DB.Creator(d.ctx, anna.ID)
		if must(d, read, err); len(read.Handles) != 1 || read.Handles["instagram"] != "anna2" || read.EmailHash != "" {
			d.Errorf("%+v", read)
		}
		// free again
		other, err := d.AddCreator(d.ctx, affiliate.Creator{Name: "Other",
			Handles: map[string]string{"instagram": "anna.keller"}})
		must(d, other, err)

		removed, err := d.RemoveCreator(d.ctx, anna.ID)
		if must(d, removed, err); !removed.RemovedAt.Equal(deskStart) {
			d.Errorf("%+v", removed)
		}
		restored, err := d.RestoreCreator(d.ctx, anna.ID)
		if must(d, restored, err); !restored.RemovedAt.IsZero() {
			d.Errorf("%+v", restored)
		}
		for _, e := range d.audited(anna.ID.String(), "creator.add") {
			if strings.Contains(strings.ToLower(e.After), "creators.example") {
				d.Errorf("the audit log keeps an address: %s", e.After)
			}
		}
	})
}

func TestOfferMembersBelongToTheCampaign(t *testing.T) {
	eachDesk(t, func(d *desk) {
		anna := d.promoter("Anna")
		autumn := campaignOf(d)(d.AddCampaign(d.ctx, affiliate.Campaign{Name: "Autumn"}))
		offer, err := d.AddOffer(d.ctx, affiliate.Offer{CampaignID: autumn.ID, Name: "Ten",
			Type: affiliate.OfferSalesLink})
		must(d, offer, err)
		_, err = d.AddOfferMember(d.ctx, affiliate.OfferMember{OfferID: offer.ID, MemberID: anna.MemberID})
		d.want(err, affiliate.Invalid, "member", autumn.ID.String())
		_, err = d.AddOfferMember(d.ctx, affiliate.OfferMember{OfferID: anna.OfferID, MemberID: anna.MemberID})
		d.want(err, affiliate.Conflict, "member")
		_, err = d.AddMember(d.ctx, affiliate.CampaignMember{CampaignID: autumn.ID, CreatorID: 99})
		d.want(err, affiliate.Invalid, "creator", "cre_99")

		withRule, err := d.ChangeOfferMember(d.ctx, anna.ID, anna.Version, func(m *affiliate.OfferMember) error {
			m.SetOverride(&affiliate.Rule{Percent: 1500})
			return nil
		})
		must(d, withRule, err)
		read, err := d.DB.OfferMember(d.ctx, anna.ID)
		if must(d, read, err); read.Override == nil || *read.Override != (affiliate.Rule{Percent: 1500}) ||
			read.RuleVersion != 1 {
			d.Errorf("%+v", read)
		}
	})
}

func TestCodeHasOneOwnerAtATime(t *testing.T) {
	eachDesk(t, func(d *desk) {
		shop, other := d.store("shop"), d.store("other")
		anna, ben := d.promoter("Anna"), d.promoter("Ben")
		first, err := d.AddCode(d.ctx, app.NewCode{OfferMember: anna.ID, Store: shop.ID, Code: " Äiti15 "})
		if must(d, first, err); first.Code.Code != "Äiti15" || !first.ValidFrom.IsZero() {
			d.Errorf("a code that was never owned: %+v", first)
		}
		_, err = d.AddCode(d.ctx, app.NewCode{OfferMember: ben.ID, Store: shop.ID, Code: "ÄITI15"})
		d.want(err, affiliate.Conflict, "code", "Anna", "Spring", "always", "end it first", first.ID.String())
		elsewhere, err := d.AddCode(d.ctx, app.NewCode{OfferMember: ben.ID, Store: other.ID, Code: "ÄITI15"})
		must(d, elsewhere, err)

		d.pass(time.Hour)
		ended, err := d.EndCode(d.ctx, first.ID, time.Time{})
		if must(d, ended, err); !ended.ValidTo.Equal(d.now()) {
			d.Errorf("%+v", ended)
		}
		d.pass(time.Hour)
		again, err := d.EndCode(d.ctx, first.ID, time.Time{})
		if must(d, again, err); again != ended {
			d.Errorf("ended again: %+v", again)
		}
		_, err = d.AddCode(d.ctx, app.NewCode{OfferMember: ben.ID, Store: shop.ID, Code: "äiti15",
			ValidFrom: ended.ValidTo.Add(-time.Minute)})
		d.want(err, affiliate.Conflict, "valid_from")
		second, err := d.AddCode(d.ctx, app.NewCode{OfferMember: ben.ID, Store: shop.ID, Code: "äiti15"})
		if must(d, second, err); !second.ValidFrom.Equal(d.now()) {
			d.Errorf("a code that was owned before: %+v", second)
		}
		read, err := d.DB.Code(d.ctx, second.ID)
		if must(d, read, err); read != second.Code {
			d.Errorf("read %+v, want %+v", read, second.Code)
		}
		_, err = d.EndCode(d.ctx, second.ID, d.now().Add(-time.Second))
		d.want(err, affiliate.Invalid, "valid_to")

		planned, err := d.EndCode(d.ctx, second.ID, d.now().Add(time.Hour))
		must(d, planned, err)
		_, err = d.AddCode(d.ctx, app.NewCode{OfferMember: anna.ID, Store: shop.ID, Code: "Äiti15"})
		d.want(err, affiliate.Conflict, "code", "Ben", planned.ValidTo.Format(time.RFC3339), "valid_from")
		third, err := d.AddCode(d.ctx, app.NewCode{OfferMember: anna.ID, Store: shop.ID, Code: "Äiti15",
			ValidFrom: planned.ValidTo})
		must(d, third, err)

		spelled, err := d.ChangeCode(d.ctx, third.ID, "ÄITI15")
		if must(d, spelled, err); spelled.Code != "ÄITI15" {
			d.Errorf("%+v", spelled)
		}
		_, err = d.ChangeCode(d.ctx, third.ID, "ÄITI20")
		d.want(err, affiliate.Invalid, "code")
		if n := len(d.audited("", "code.add")); n != 4 {
			d.Errorf("%d codes in the audit log", n)
		}
	})
}

// TestRacingForACode_race: of many who ask for the same code at once, one gets it.
func TestRacingForACode_race(t *testing.T) {
	eachDesk(t, func(d *desk) {
		shop := d.store("shop")
		promoters := []affiliate.OfferMember{d.promoter("Anna"), d.promoter("Ben"), d.promoter("Carla")}
		var wg sync.WaitGroup
		var mu sync.Mutex
		won := 0
		for i := range 12 {
			wg.Go(func() {
				_, err := d.AddCode(d.ctx, app.NewCode{OfferMember: promoters[i%3].ID, Store: shop.ID, Code: "RACE"})
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if affiliate.KindOf(err) != affiliate.Conflict {
					d.Errorf("the loser hears: %v", err)
				}
			})
		}
		wg.Wait()
		if won != 1 {
			d.Errorf("%d own the code, want 1", won)
		}
	})
}

func TestLinks(t *testing.T) {
	eachDesk(t, func(d *desk) {
		anna, ben := d.promoter("Anna"), d.promoter("Ben")
		const page = "https://shop.example/product?x=1"
		for _, want := range []string{"anna", "anna-2", "anna-3"} {
			l, err := d.AddLink(d.ctx, affiliate.Link{OfferMemberID: anna.ID, LandingURL: page})
			if must(d, l, err); l.Slug != want || l.Kind != affiliate.LinkSales || d.LinkURL(l.Link) != "https://t.example/l/"+want {
				d.Errorf("link %+v, want slug %s", l, want)
			}
		}
		_, err := d.AddLink(d.ctx, affiliate.Link{OfferMemberID: ben.ID, Slug: "Anna", LandingURL: page})
		d.want(err, affiliate.Conflict, "slug", "Anna", "Spring")
		_, err = d.AddLink(d.ctx, affiliate.Link{OfferMemberID: ben.ID, Slug: "ben!", LandingURL: page})
		d.want(err, affiliate.Invalid, "slug")
		_, err = d.AddLink(d.ctx, affiliate.Link{OfferMemberID: ben.ID, LandingURL: "javascript:alert(1)"})
		d.want(err, affiliate.Invalid, "landing_url")

		link, err := d.DB.LinkBySlug(d.ctx, "ANNA")
		must(d, link, err)
		moved, err := d.ChangeLink(d.ctx, link.ID, func(l *affiliate.Link) error { l.LandingURL = "https://shop.example/other"; return nil })
		if must(d, moved, err); moved.LandingURL != "https://shop.example/other" {
			d.Errorf("%+v", moved)
		}
		ended, err := d.EndLink(d.ctx, link.ID)
		if must(d, ended, err); !ended.EndedAt.Equal(deskStart) {
			d.Errorf("%+v", ended)
		}
		_, err = d.AddLink(d.ctx, affiliate.Link{OfferMemberID: ben.ID, Slug: "anna", LandingURL: page})
		d.want(err, affiliate.Conflict, "slug", "ended")
	})
}

// TestFollow_utm: a link's landing page gets utm parameters, unless it or the account says otherwise.
func TestFollow_utm(t *testing.T) {
	eachDesk(t, func(d *desk) {
		anna := d.promoter("Anna")
		campaign := campaignOf(d)(d.ChangeCampaign(d.ctx, 1, app.AnyVersion, func(c *affiliate.Campaign) error {
			c.Name = "Äiti & Co"
			return nil
		}))
		link, err := d.AddLink(d.ctx, affiliate.Link{OfferMemberID: anna.ID, LandingURL: "https://shop.example/p?a=1#x"})
		must(d, link, err)
		for _, test := range []struct {
			account, own affiliate.UTMRule
			added        bool
		}{
			{affiliate.UTMOn, affiliate.UTMAccount, true}, {affiliate.UTMOn, affiliate.UTMOff, false},
			{affiliate.UTMOff, affiliate.UTMAccount, false}, {affiliate.UTMOff, affiliate.UTMOn, true},
		} {
			s, err := d.SetSettings(d.ctx, []app.Setting{{Key: "utm", Value: string(test.account)}})
			must(d, s, err)
			l, err := d.ChangeLink(d.ctx, link.ID, func(l *affiliate.Link) error { l.UTM = test.own; return nil })
			must(d, l, err)
			links := app.NewLinks(d.App)
			got, err := links.Follow(d.ctx, "anna", app.Visit{})
			links.Close()
			must(d, got, err)
			before, rest, _ := strings.Cut(got, "&tclid=")
			want := "#x"
			if test.added {
				want = "&utm_source=tributary&utm_medium=affiliate&utm_campaign=aiti-co&utm_content=anna#x"
			}
			if before != "https://shop.example/p?a=1&ref=anna" || len(rest) != 26+len(want) || rest[26:] != want {
				d.Errorf("account %q, link %q: led to %s in %s", test.account, test.own, got, campaign.Name)
			}
		}
	})
}

func TestSettings(t *testing.T) {
	eachDesk(t, func(d *desk) {
		set := func(pairs ...string) (affiliate.Settings, error) {
			var changes []app.Setting
			for _, p := range pairs {
				s, err := app.ParseSetting(p)
				changes = append(changes, must(d, s, err))
			}
			return d.SetSettings(d.ctx, changes)
		}
		s, err := set("minimum_payout=25.50", "currency=eur", "name= Brand ", "attribution_window_days=14",
			"precedence=link_first", "renewals=first_only", "utm=off", "hold_days=7", "timezone=Europe/Berlin",
			"reserved_codes=vip,  gift,")
		must(d, s, err)
		want := affiliate.Settings{Name: "Brand", Currency: "EUR", Timezone: "Europe/Berlin", WindowDays: 14,
			Precedence: affiliate.LinkFirst, ClickRule: affiliate.LastClick,
			Renewals: affiliate.RenewalsFirstOnly, UTM: affiliate.UTMOff, HoldDays: 7, MinimumPayout: 2550,
			ReservedCodes: "VIP, GIFT", MailPerMinute: 60, DetailsHoldDays: 3, SEPAVersion: affiliate.Pain09,
			PayPalComma: affiliate.DecimalsPoint}
		read, err := d.DB.Settings(d.ctx)
		if must(d, read, err); s != want || read != want {
			d.Errorf("got %+v, read %+v, want %+v", s, read, want)
		}
		for field, pair := range map[string]string{"attribution_window_days": "attribution_window_days=0",
			"precedence": "precedence=x", "renewals": "renewals=all", "utm": "utm=",
			"hold_days": "hold_days=many", "minimum_payout": "minimum_payout=1.005",
			"currency": "currency=XYZ", "timezone": "timezone=Mars", "reserved_codes": "reserved_codes=-",
			"colour": "colour=red"} {
			_, err := set("name=Half", pair)
			d.want(err, affiliate.Invalid, field)
		}
		if read, err := d.DB.Settings(d.ctx); must(d, read, err) != want {
			d.Errorf("a refused change left %+v", read)
		}
		s, err = set("currency=JPY")
		if must(d, s, err); s.MinimumPayout != 26 {
			d.Errorf("25.50 EUR became %d JPY, want 26", s.MinimumPayout)
		}
		if n := len(d.audited("account", "settings.set")); n != 2 {
			d.Errorf("%d entries in the audit log, want 2", n)
		}
	})
}

func TestTokens(t *testing.T) {
	eachDesk(t, func(d *desk) {
		added, err := d.AddToken(d.ctx, app.TokenDraft{Name: "screen", Role: affiliate.RoleViewer})
		must(d, added, err)
		p, err := d.Authenticate(d.ctx, added.Value, "192.0.2.1")
		if must(d, p, err); p.Role != affiliate.RoleViewer || !strings.Contains(p.Name, added.ID.String()) {
			d.Errorf("%+v", p)
		}
		read, err := d.DB.Token(d.ctx, added.ID)
		if must(d, read, err); !read.LastUsedAt.Equal(d.now()) {
			d.Errorf("%+v", read)
		}
		for _, wrong := range []string{"", "trb_", added.Value + "x", affiliate.NewTokenValue()} {
			_, err := d.Authenticate(d.ctx, wrong, "192.0.2.1")
			d.want(err, affiliate.Forbidden, "")
		}
		ended, err := d.EndToken(d.ctx, added.ID)
		must(d, ended, err)
		d.pass(3 * time.Second) // what is remembered has gone
		_, err = d.Authenticate(d.ctx, added.Value, "192.0.2.1")
		d.want(err, affiliate.Forbidden, "")
		again, err := d.EndToken(d.ctx, added.ID)
		if must(d, again, err) != ended {
			d.Errorf("ended again: %+v", again)
		}
		_, err = d.AddToken(d.ctx, app.TokenDraft{Name: "x", Role: "root"})
		d.want(err, affiliate.Invalid, "role")
		_, err = d.AddToken(d.ctx, app.TokenDraft{Name: "", Role: affiliate.RoleOwner})
		d.want(err, affiliate.Invalid, "name")
		for _, e := range d.audited(added.ID.String(), "token.add") {
			if strings.Contains(e.After, added.Value) {
				d.Error("the audit log tells a token")
			}
		}
	})
}

// TestAttack_expiredToken: a token that has expired is refused at that very moment, also where it is remembered, and is
// told so.
func TestAttack_expiredToken(t *testing.T) {
	eachDesk(t, func(d *desk) {
		expires, err := d.ExpiryOf(d.ctx, "30d")
		if must(d, expires, err); !expires.Equal(d.now().Add(30 * 24 * time.Hour)) {
			d.Errorf("30d is %s", expires)
		}
		added, err := d.AddToken(d.ctx, app.TokenDraft{Name: "agency", Role: affiliate.RoleViewer, Expires: expires})
		must(d, added, err)
		d.pass(30*24*time.Hour - time.Second)
		p, err := d.Authenticate(d.ctx, added.Value, "192.0.2.1")
		must(d, p, err)
		d.pass(time.Second)
		p, err = d.Authenticate(d.ctx, added.Value, "192.0.2.1")
		d.want(err, affiliate.Forbidden, "", "expired on")
		if p.ID != added.ID.String() || p.Role != "" {
			d.Errorf("the expired token is %+v", p)
		}
		for _, wrong := range []string{"", "0d", "-1d", "9999d", "1.5d", "2026-02-30", "soon", "90"} {
			_, err := d.ExpiryOf(d.ctx, wrong)
			d.want(err, affiliate.Invalid, "expires", "90d")
		}
		_, err = d.AddToken(d.ctx, app.TokenDraft{Name: "x", Role: affiliate.RoleViewer, Expires: d.now()})
		d.want(err, affiliate.Invalid, "expires_at", "in the future")
		if never, err := d.ExpiryOf(d.ctx, " Never "); !must(d, never, err).IsZero() {
			d.Errorf("never is %s", never)
		}
		// A day is one of the account's zone, and the token works until its end.
		_, err = d.SetSettings(d.ctx, []app.Setting{{Key: "timezone", Value: "America/New_York"}})
		must(d, 0, err)
		day, err := d.ExpiryOf(d.ctx, "2031-01-31")
		if want := time.Date(2031, 2, 1, 5, 0, 0, 0, time.UTC); !must(d, day, err).Equal(want) {
			d.Errorf("2031-01-31 is until %s, want %s", day.UTC(), want)
		}
	})
}

// TestWaitingOrders: a code or link that comes after its orders says how many it may credit.
func TestWaitingOrders(t *testing.T) {
	eachRig(t, func(r *rig) {
		ctx := r.Context()
		r.send(paidOrder("1", "LATE5", 1))
		r.send(paidOrder("2", "late5", 1))
		r.send(paidOrder("3", "ANNA10", 1))
		r.processAll()
		owned, _, err := r.db.Codes(ctx, storage.CodeFilter{Code: "ANNA10"}, storage.Page{})
		if err != nil || len(owned) != 1 {
			r.Fatal(owned, err)
		}
		const more = rigCSV + "Spring,Anna,@anna,,Ten,shop,LATE5,,,10,,0\n"
		report, err := r.app.Import(ctx, strings.NewReader(more), true)
		if err != nil || report.WaitingOrders != 2 || report.Created != (app.ImportCounts{Codes: 1}) {
			r.Errorf("Import() = %+v, %v, want 2 waiting orders for 1 code", report, err)
		}
		added, err := r.app.AddCode(ctx, app.NewCode{OfferMember: owned[0].OfferMemberID, Store: owned[0].StoreID,
			Code: "Late5"})
		if err != nil || added.Waiting != 2 {
			r.Errorf("AddCode() = %+v, %v, want 2 waiting orders", added, err)
		}
	})
}
