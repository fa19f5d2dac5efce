package app_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/app/apptest"
)

var wooTopics = []string{"order.created", "order.updated", "order.deleted", "order.restored"}

// eachShop is eachDesk with a WooCommerce shop and a Shopify shop that answer.
func eachShop(t *testing.T, test func(d *desk, woo, shop *apptest.Shop)) {
	eachDesk(t, func(d *desk) {
		woo := &apptest.Shop{Site: "https://shop.example", Secret: "cs_right-secret", Known: affiliate.StoreFacts{
			Name: "Anna's shop", Domain: "shop.example", Currency: "EUR", Timezone: "Europe/Vienna"}}
		shop := &apptest.Shop{Site: "https://anna.myshopify.com", Secret: "shpss_right", Signs: true,
			Known: affiliate.StoreFacts{Name: "Anna", Domain: "anna.myshopify.com", Currency: "USD",
				Timezone: "America/New_York"}}
		d.Platforms = app.Platforms{apptest.Platform(shopify.Platform{}, apptest.Tokens),
			apptest.Platform(woocommerce.Platform{}, apptest.KeyPairs)}
		d.Connectors = app.Connectors{woocommerce.Name: apptest.Shops{woo}, shopify.Name: apptest.Shops{shop}}
		test(d, woo, shop)
	})
}

func wooKeys() affiliate.StoreKeys {
	return affiliate.StoreKeys{Address: "shop.example/", ID: "ck_0123456789ab", Secret: "cs_right-secret"}
}

func shopKeys() affiliate.StoreKeys {
	return affiliate.StoreKeys{Address: "anna.myshopify.com", Token: "shpat_0123456789", Secret: "shpss_right"}
}

// connected is a WooCommerce store that was made by its API.
func (d *desk) connected() app.ConnectedStore {
	d.Helper()
	c, err := d.ConnectStore(d.ctx, app.NewAccess{Platform: woocommerce.Name, Keys: wooKeys()})
	return must(d, c, err)
}

func (d *desk) access(id affiliate.StoreID) app.StoreAccess {
	d.Helper()
	a, err := d.StoreAccess(d.ctx, id)
	if must(d, a, err) == nil {
		d.Fatal("the store is not connected")
	}
	return *a
}

func topicsThere(shop *apptest.Shop) (topics []string) {
	for _, w := range shop.Hooks() {
		topics = append(topics, w.Topic)
	}
	slices.Sort(topics)
	return topics
}

func (d *desk) wantTopics(shop *apptest.Shop, want ...string) {
	d.Helper()
	want = slices.Sorted(slices.Values(want))
	if got := topicsThere(shop); !slices.Equal(got, want) {
		d.Errorf("webhooks there: %v, want %v", got, want)
	}
}

func TestConnectStore(t *testing.T) {
	eachShop(t, func(d *desk, woo, shop *apptest.Shop) {
		c := d.connected()
		want := affiliate.Store{ID: c.ID, Slug: "shop-example", Platform: woocommerce.Name, Name: "Anna's shop",
			Domain: "shop.example", Currency: "EUR", Timezone: "Europe/Vienna", Parts: affiliate.PartsDecide,
			State: affiliate.StoreStateActive, Version: 1, CreatedAt: deskStart, UpdatedAt: deskStart}
		if c.Store != want || !c.Made || !slices.Equal(c.Webhooks, wooTopics) || len(c.Warnings) > 0 {
			d.Errorf("got %+v, want %+v", c, want)
		}
		secrets := d.openSecrets(c.ID)
		for _, w := range woo.Hooks() {
			if w.Address != "https://t.example/webhooks/woocommerce/shop-example" ||
				!slices.Equal(secrets, []string{woo.HookSecret(w.ID)}) || len(secrets[0]) != 40 {
				d.Errorf("%+v with the secret %q, kept are %q", w, woo.HookSecret(w.ID), secrets)
			}
		}
		d.wantTopics(woo, wooTopics...)
		a := d.access(c.ID)
		if a.Kind != affiliate.KeyPair || a.Address != "https://shop.example" || a.Hint != "…89ab" ||
			a.ConnectedBy != "the test" || a.Trouble != "" || !a.AnsweredAt.Equal(deskStart) || len(a.Webhooks) != 4 ||
			a.Webhooks[0].Label == "" || !a.WebhooksAt.Equal(deskStart) {
			d.Errorf("%+v", a)
		}
		if list := d.audited(c.ID.String(), "store.access.add"); len(list) != 1 ||
			strings.Contains(list[0].After, "right-secret") {
			d.Errorf("%+v", list)
		}

		c, err := d.ConnectStore(d.ctx, app.NewAccess{Platform: shopify.Name, Slug: "us", Name: "US", Keys: shopKeys()})
		if must(d, c, err); c.Slug != "us" || c.Name != "US" ||
			!slices.Equal(d.openSecrets(c.ID), []string{"shpss_right"}) {
			d.Errorf("%+v, secrets %q", c, d.openSecrets(c.ID))
		}
		if got := len(shop.Hooks()); got != len(shopify.Platform{}.Guide().Topics)+len(apptest.Tokens.Topics) {
			d.Errorf("%d webhooks", got)
		}
	})
}

func TestConnectStore_refused(t *testing.T) {
	eachShop(t, func(d *desk, woo, shop *apptest.Shop) {
		connect := func(in app.NewAccess) error {
			_, err := d.ConnectStore(d.ctx, in)
			return err
		}
		with := func(p affiliate.Platform, k affiliate.StoreKeys, change func(*affiliate.StoreKeys)) app.NewAccess {
			change(&k)
			return app.NewAccess{Platform: p, Keys: k}
		}
		d.want(connect(with("magento", wooKeys(), func(*affiliate.StoreKeys) {})), affiliate.Invalid, "platform")
		d.want(connect(with(woocommerce.Name, wooKeys(),
			func(k *affiliate.StoreKeys) { k.ID = "" })), affiliate.Invalid, "secret",
			"Consumer key (id) and Consumer secret (secret)")
		d.want(connect(with(woocommerce.Name, wooKeys(),
			func(k *affiliate.StoreKeys) { k.Kind = "token" })), affiliate.Invalid, "kind")
		d.want(connect(with(woocommerce.Name, wooKeys(),
			func(k *affiliate.StoreKeys) { k.Secret = "cs_wrong" })), affiliate.Invalid, "id", "make new ones")
		d.want(connect(with(woocommerce.Name, wooKeys(),
			func(k *affiliate.StoreKeys) { k.Address = "no.example" })), affiliate.Invalid, "address",
			"check its address")
		d.want(connect(with(shopify.Name, shopKeys(),
			func(k *affiliate.StoreKeys) { k.Secret = "x" })), affiliate.Invalid, "token", "make new ones")
		if list, _, err := d.DB.Stores(d.ctx, pageOfAll); err != nil || len(list) > 0 {
			d.Errorf("stores were made: %v %v", list, err)
		}
		d.store("other") // other.example
		d.want(connect(app.NewAccess{Store: 99, Keys: wooKeys()}), affiliate.NotFound, "")
		d.want(connect(app.NewAccess{Store: 1, Keys: wooKeys()}), affiliate.Conflict, "address",
			"this leads to the shop shop.example", "the store other is other.example")
		c := d.connected()
		err := connect(app.NewAccess{Platform: woocommerce.Name, Keys: wooKeys()})
		d.want(err, affiliate.Conflict, "address", "connected already, as store shop-example")
		var taken app.ShopTaken
		var e *affiliate.Error
		if !errors.As(err, &taken) || taken.Store.ID != c.ID || !errors.As(err, &e) || e.Shown() != "the shop "+
			"shop.example is connected already, as the store Anna's shop; its keys are exchanged on that store's page" {
			d.Errorf("%+v", err)
		}
		woo.Fail("facts", &affiliate.Error{Kind: affiliate.Forbidden, Code: affiliate.StoreKeysRefused,
			Field: "secret", Message: "The secret is wrong."})
		d.want(connect(app.NewAccess{Store: c.ID, Keys: wooKeys()}), affiliate.Invalid, "secret", "is wrong")
	})
}

// TestConnectStore_slug: a host that says nothing to people names no store.
func TestConnectStore_slug(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		for _, c := range []struct{ domain, name, want string }{
			{"127.0.0.1:8081", "Anna's shop", "anna-s-shop"},
			{"localhost:8081", "", "store"},
			{"xn--bcher-kva.example", "Bücher", "bucher"},
			{"www.bazaar.example", "Anna's shop", "bazaar-example"},
		} {
			woo.Site, woo.Known.Domain, woo.Known.Name = "https://"+c.domain, c.domain, c.name
			keys := wooKeys()
			keys.Address = c.domain
			made, err := d.ConnectStore(d.ctx, app.NewAccess{Platform: woocommerce.Name, Keys: keys})
			if must(d, made, err); made.Slug != c.want {
				d.Errorf("%s, called %q: %s, want %s", c.domain, c.name, made.Slug, c.want)
			}
		}
	})
}

func TestConnectStore_byHandBefore(t *testing.T) {
	eachShop(t, func(d *desk, woo, shop *apptest.Shop) {
		s := d.store("shop") // shop.example
		_, err := d.ConnectStore(d.ctx, app.NewAccess{Platform: woocommerce.Name, Keys: wooKeys()})
		d.want(err, affiliate.Conflict, "address", "is here already, as store shop")
		woo.SetHooks(func([]affiliate.StoreWebhook) []affiliate.StoreWebhook {
			return []affiliate.StoreWebhook{{ID: "h1", Topic: "order.created", Address: d.WebhookURL(s)},
				{ID: "h2", Topic: "order.updated", Address: d.WebhookURL(s), Broken: "it is disabled"},
				{ID: "h3", Topic: "order.created", Address: "https://elsewhere.example/", Broken: "it is disabled"}}
		})
		d.seen(s.ID, "order.created")
		c, err := d.ConnectStore(d.ctx, app.NewAccess{Store: s.ID, Keys: wooKeys()})
		must(d, c, err)
		text := strings.Join(c.Warnings, "\n")
		if c.Made || !slices.Equal(c.Webhooks, wooTopics[1:]) || !strings.Contains(text, "made by hand serve") ||
			!strings.Contains(text, "it is disabled") {
			d.Errorf("%+v", c)
		}
		d.wantTopics(woo, "order.created", "order.created", "order.updated", "order.deleted", "order.restored")
		if len(d.openSecrets(s.ID)) != 2 {
			d.Errorf("secrets %q", d.openSecrets(s.ID))
		}
	})
}

func TestConnectStore_exchangesKeys(t *testing.T) {
	eachShop(t, func(d *desk, woo, shop *apptest.Shop) {
		c := d.connected()
		woo.Asked()
		keys := wooKeys()
		keys.ID, keys.Secret = "ck_00000000cdef", "cs_wrong"
		_, err := d.ConnectStore(d.ctx, app.NewAccess{Store: c.ID, Keys: keys})
		d.want(err, affiliate.Invalid, "id")
		if got := d.access(c.ID); got.Hint != "…89ab" || got.Trouble != "" {
			d.Errorf("the former keys are not in use: %+v", got)
		}
		woo.Secret, keys.Secret = "cs_new", "cs_new"
		c, err = d.ConnectStore(d.ctx, app.NewAccess{Store: c.ID, Keys: keys})
		if must(d, c, err); c.Made || len(c.Webhooks) > 0 || d.access(c.ID).Hint != "…cdef" || len(woo.Hooks()) != 4 {
			d.Errorf("%+v, %v", c, woo.Hooks())
		}
		if len(d.audited(c.ID.String(), "store.access.change")) != 1 {
			d.Error("the exchange is not in the audit log")
		}
	})
}

// TestConnectStore_otherFolder: shops that share a host are not taken for one another.
func TestConnectStore_otherFolder(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		c := d.connected()
		other := &apptest.Shop{Site: "https://shop.example/de", Secret: woo.Secret, Known: woo.Known}
		d.Connectors[woocommerce.Name] = apptest.Shops{woo, other}
		keys := wooKeys()
		keys.Address = other.Site
		connect := func() error {
			_, err := d.ConnectStore(d.ctx, app.NewAccess{Store: c.ID, Keys: keys})
			return err
		}
		d.want(connect(), affiliate.Conflict, "address", "is connected with https://shop.example:", "disconnect")
		_, err := d.AskForAccess(d.ctx, app.AskForAccess{Store: c.ID, Address: other.Site, Return: ourReturn})
		d.want(err, affiliate.Conflict, "address", "is connected with https://shop.example:")
		if len(other.Hooks()) > 0 || d.access(c.ID).Address != woo.Site {
			d.Errorf("%v, %+v", other.Hooks(), d.access(c.ID))
		}

		// An owner who was asked before the store was connected answers too late.
		left, err := d.EndAccess(d.ctx, c.ID)
		must(d, left, err)
		asked, err := d.AskForAccess(d.ctx, app.AskForAccess{Store: c.ID, Address: other.Site, Return: ourReturn})
		must(d, asked, err)
		again, err := d.ConnectStore(d.ctx, app.NewAccess{Store: c.ID, Keys: wooKeys()})
		must(d, again, err)
		d.want(d.ReceiveAccess(d.ctx, woocommerce.Name, "192.0.2.1", apptest.Answer(asked.State, "ck_1", woo.Secret)),
			affiliate.Conflict, "address")

		left, err = d.EndAccess(d.ctx, c.ID)
		must(d, left, err)
		if err := connect(); err != nil { // it has moved
			d.Error(err)
		}
	})
}

func TestConnectStore_withoutWebhooks(t *testing.T) {
	eachShop(t, func(d *desk, woo, shop *apptest.Shop) {
		d.PublicURL = "http://localhost:8080"
		woo.Known.Timezone, woo.Known.Missing = "+02:00", []string{"write"}
		c := d.connected()
		if text := strings.Join(c.Warnings, "\n"); len(c.Webhooks) > 0 || !strings.Contains(text, "Set PUBLIC_URL") ||
			!strings.Contains(text, "no time zone that is known here") || !slices.Equal(c.Missing, []string{"write"}) {
			d.Errorf("%+v", c)
		}
		a := d.access(c.ID)
		if a.TroubleCode != affiliate.StoreNoWebhooks || !a.TroubleAt.Equal(deskStart) ||
			!slices.Equal(a.Missing, []string{"write"}) {
			d.Errorf("%+v", a)
		}
		d.PublicURL = "https://t.example"
		woo.Fail("make order.deleted", apptest.Down())
		d.pass(time.Minute)
		_, err := d.CheckAccess(d.ctx, c.ID)
		d.want(err, affiliate.Unavailable, "")
		if a := d.access(c.ID); a.TroubleCode != affiliate.StoreDown || !a.TroubleAt.Equal(d.now()) {
			d.Errorf("%+v", a)
		}
		woo.Fail("make order.deleted", nil)
		d.pass(time.Minute)
		healed, err := d.CheckAccess(d.ctx, c.ID)
		if must(d, healed, err); !slices.Equal(healed.Made, wooTopics[2:]) || d.access(c.ID).Trouble != "" {
			d.Errorf("%+v, %+v", healed, d.access(c.ID))
		}
		d.wantTopics(woo, wooTopics...)
		d.LocalStores, d.PublicURL = true, "http://127.0.0.1:8080"
		woo.Known.Domain, woo.Site = "two.example", "https://two.example"
		keys := wooKeys()
		keys.Address = "two.example"
		c, err = d.ConnectStore(d.ctx, app.NewAccess{Platform: woocommerce.Name, Keys: keys})
		if must(d, c, err); len(c.Webhooks) != 4 {
			d.Errorf("local stores reach local addresses: %+v", c)
		}
	})
}
