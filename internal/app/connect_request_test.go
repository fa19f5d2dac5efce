package app_test

import (
	"context"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/app/apptest"
)

const ourReturn = "https://t.example/stores/connect/return"

func (d *desk) ask() app.AccessAsked {
	d.Helper()
	asked, err := d.AskForAccess(d.ctx, app.AskForAccess{Platform: woocommerce.Name, Address: " shop.example/ ",
		Return: ourReturn})
	return must(d, asked, err)
}

func (d *desk) outcome(state string) app.AccessOutcome {
	d.Helper()
	o, err := d.AccessOutcome(d.ctx, state)
	return must(d, o, err)
}

// as gives a context of somebody else.
func (d *desk) as(id, name string, role affiliate.Role) context.Context {
	return app.As(d.Context(), affiliate.Principal{ID: id, Name: name, Role: role})
}

func TestAskForAccess(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		asked := d.ask()
		u, err := url.Parse(asked.URL)
		must(d, u, err)
		if q := u.Query(); u.Host != "shop.example" || u.Scheme != "https" || q.Get("user_id") != asked.State ||
			q.Get("return_url") != ourReturn || q.Get("callback_url") != "https://t.example/connect/woocommerce" ||
			len(asked.State) < 26 || !asked.Expires.Equal(deskStart.Add(10*time.Minute)) {
			d.Errorf("%+v", asked)
		}
		if o := d.outcome(asked.State); !o.Waiting || o.Address != "https://shop.example" ||
			o.Platform != woocommerce.Name {
			d.Errorf("%+v", o)
		}
		body := apptest.Answer(asked.State, "ck_0123456789ab", woo.Secret)
		if err := d.ReceiveAccess(context.Background(), woocommerce.Name, "192.0.2.1", body); err != nil {
			d.Fatal(err)
		}
		o := d.outcome(asked.State)
		store, err := d.DB.Store(d.ctx, o.Store)
		if must(d, store, err).Slug != "shop-example" || o.Waiting || o.Trouble != "" {
			d.Errorf("%+v, %+v", o, store)
		}
		if a := d.access(store.ID); a.ConnectedBy != "the test" || !a.Approved || len(a.Webhooks) > 0 {
			d.Errorf("%+v", a)
		}
		d.work() // makes the webhooks
		d.wantTopics(woo, wooTopics...)
		d.want(d.ReceiveAccess(d.ctx, woocommerce.Name, "192.0.2.1", body), affiliate.NotFound, "", "nobody asked")
		d.pass(48 * time.Hour)
		woo.Known.Domain = "second.example"
		d.ask() // the old one is forgotten
		_, err = d.AccessOutcome(d.ctx, asked.State)
		d.want(err, affiliate.NotFound, "")
	})
}

func TestAskForAccess_refused(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		ask := func(p affiliate.Platform, address string) error {
			_, err := d.AskForAccess(d.ctx, app.AskForAccess{Platform: p, Address: address, Return: ourReturn})
			return err
		}
		d.want(ask(shopify.Name, "anna.myshopify.com"), affiliate.Invalid, "platform", "made by hand")
		d.want(ask(woocommerce.Name, "not a domain"), affiliate.Invalid, "address")
		d.want(ask(woocommerce.Name, "http://shop.example"), affiliate.Invalid, "address", "made by hand")
		d.want(ask(woocommerce.Name, "https://me:pass@shop.example"), affiliate.Invalid, "address")
		_, err := d.AskForAccess(d.ctx, app.AskForAccess{Store: 99, Address: "shop.example"})
		d.want(err, affiliate.NotFound, "")
		for _, ours := range []string{"http://t.example", "https://localhost", "https://t.example:8443"} {
			d.PublicURL = ours
			d.want(ask(woocommerce.Name, "shop.example"), affiliate.Invalid, "address", "PUBLIC_URL", "made by hand")
		}
		d.PublicURL = "https://t.example"
		d.want(ask(woocommerce.Name, "no.example"), affiliate.Invalid, "address", "cannot be reached")
		woo.Fail("probe", &affiliate.Error{Kind: affiliate.Invalid, Code: affiliate.StorePrivate,
			Message: "It is private."})
		d.want(ask(woocommerce.Name, "shop.example"), affiliate.Invalid, "address", "It is private")
		woo.Fail("probe", nil)
		other := d.store("other") // other.example
		_, err = d.AskForAccess(d.ctx, app.AskForAccess{Store: other.ID, Address: "shop.example"})
		d.want(err, affiliate.Conflict, "address", "this leads to the shop shop.example")
		for slug, says := range map[string]string{"Not one": "must have", "other": "is taken"} {
			_, err = d.AskForAccess(d.ctx, app.AskForAccess{Platform: woocommerce.Name, Slug: slug, Return: ourReturn,
				Address: "shop.example"})
			d.want(err, affiliate.KindOf(err), "slug", says)
		}
		d.connected()
		d.want(ask(woocommerce.Name, "shop.example"), affiliate.Conflict, "address",
			"connected already, as store shop-example")
		d.PublicURL, d.LocalStores = "http://127.0.0.1:8080", true
		woo.Site, woo.Known.Domain = "http://127.0.0.1:8081", "127.0.0.1:8081"
		if err := ask(woocommerce.Name, "http://127.0.0.1:8081"); err != nil {
			d.Error(err)
		}
	})
}

// TestAttack_storeAnswers: keys are taken from nobody but the store that was asked, once, in time; and what became of
// it is told to nobody else.
func TestAttack_storeAnswers(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		receive := func(state, secret string) error {
			return d.ReceiveAccess(d.ctx, woocommerce.Name, "192.0.2.1", apptest.Answer(state, "ck_1", secret))
		}
		mia := d.owner()
		d.ctx = app.As(d.Context(), mia.Principal())
		asked := d.ask()
		for _, other := range []context.Context{d.as("usr_2", mia.Principal().Name, affiliate.RoleOwner),
			d.as("", "command line", affiliate.RoleOwner), d.as("tok_1", "token", affiliate.RoleOwner)} {
			_, err := d.AccessOutcome(other, asked.State)
			d.want(err, affiliate.NotFound, "", "no such request")
		}
		d.want(receive("", woo.Secret), affiliate.Invalid, "")
		d.want(receive(strings.ToLower(asked.State), woo.Secret), affiliate.NotFound, "")
		d.want(receive(d.Sealer.Hash(app.HashStoreRequest, asked.State), woo.Secret), affiliate.NotFound, "")
		right := apptest.Answer(asked.State, "ck_1", woo.Secret)
		d.want(d.ReceiveAccess(d.ctx, shopify.Name, "192.0.2.1", right), affiliate.Invalid, "platform")

		// Keys that the asked shop does not know use the request up.
		err := receive(asked.State, "cs_of-another-shop")
		d.want(err, affiliate.Invalid, "id")
		if strings.Contains(err.Error(), "another") {
			d.Errorf("the error tells the secret: %v", err)
		}
		d.want(receive(asked.State, woo.Secret), affiliate.NotFound, "")
		if o := d.outcome(asked.State); o.Waiting || o.Store != 0 ||
			o.Trouble != "The shop refuses the keys: make new ones." {
			d.Errorf("%+v", o)
		}
		asked = d.ask()
		d.pass(10 * time.Minute)
		d.want(receive(asked.State, woo.Secret), affiliate.NotFound, "")
		if o := d.outcome(asked.State); o.Waiting || !strings.Contains(o.Trouble, "within ten minutes") {
			d.Errorf("%+v", o)
		}
		if list, _, err := d.DB.Stores(d.ctx, pageOfAll); err != nil || len(list) > 0 {
			d.Errorf("stores: %v %v", list, err)
		}

		for range 60 {
			_ = d.ReceiveAccess(d.ctx, woocommerce.Name, "198.51.100.1", apptest.Answer("guess", "ck_1", "cs_1"))
		}
		asked = d.ask()
		right = apptest.Answer(asked.State, "ck_1", woo.Secret)
		d.want(d.ReceiveAccess(d.ctx, woocommerce.Name, "198.51.100.1", right), affiliate.Unavailable, "",
			"from your network")

		// The owner's browser comes back to a page of ours, also from what a command has asked.
		d.ctx = d.as("", "command line", affiliate.RoleOwner)
		asked = d.ask()
		if _, err := d.AccessOutcome(app.As(d.Context(), mia.Principal()), asked.State); err != nil {
			d.Error(err)
		}
		_, err = d.AccessOutcome(d.as("usr_3", "Ben", affiliate.RoleViewer), asked.State)
		d.want(err, affiliate.NotFound, "")
	})
}

// TestReceiveAccess_race: of answers that come at once one wins.
func TestReceiveAccess_race(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		body := apptest.Answer(d.ask().State, "ck_1", woo.Secret)
		var won atomic.Int32
		var work sync.WaitGroup
		for range 5 {
			work.Go(func() {
				if d.ReceiveAccess(d.ctx, woocommerce.Name, "192.0.2.1", body) == nil {
					won.Add(1)
				}
			})
		}
		work.Wait()
		if list, _, err := d.DB.Stores(d.ctx, pageOfAll); won.Load() != 1 || err != nil || len(list) != 1 {
			d.Errorf("%d won, stores %v %v", won.Load(), list, err)
		}
	})
}
