package app_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/app/apptest"
	"github.com/tributaryhq/tributary/internal/storage"
)

var pageOfAll = storage.Page{Limit: storage.MaxLimit}

// seen notes that a store has sent a topic, now.
func (d *desk) seen(id affiliate.StoreID, topic string) {
	d.Helper()
	if err := d.DB.InTx(d.ctx, func(tx *storage.Tx) error {
		return tx.AddStoreCounts(d.ctx, storage.StoreTally{Now: d.now(), Topics: []storage.StoreTopicCount{{StoreID: id,
			Topic: topic, First: d.now(), Last: d.now(), N: 1}}})
	}); err != nil {
		d.Fatal(err)
	}
}

// work lets a worker do what is due.
func (d *desk) work() {
	d.Helper()
	due, err := d.DueStores(d.ctx)
	for _, id := range must(d, due, err) {
		if err := d.StoreWork(d.ctx, id); err != nil {
			d.Error(err)
		}
	}
}

// TestHealWebhooks: whatever somebody does in the store's admin, the next look makes it good again, and what was missed
// meanwhile is wanted.
func TestHealWebhooks(t *testing.T) {
	type hooks = []affiliate.StoreWebhook
	cases := []struct {
		name   string
		change func(hooks) hooks
		made   []string
		gone   []string // ids
		wanted bool
	}{
		{"nothing", func(list hooks) hooks { return list }, nil, nil, false},
		{"gone", func(list hooks) hooks { return list[1:] }, wooTopics[:1], nil, true},
		{"disabled", func(list hooks) hooks {
			list[1].Broken = "it is disabled"
			return list
		}, wooTopics[1:2], []string{"2"}, true},
		{"other address", func(list hooks) hooks {
			list[2].Address = "https://old.example/webhooks/woocommerce/shop-example"
			return list
		}, wooTopics[2:3], []string{"3"}, true},
		{"other topic", func(list hooks) hooks {
			list[3].Topic = "order.created"
			return list
		}, wooTopics[3:], []string{"4"}, true},
		{"slash", func(list hooks) hooks {
			list[3].Address += "/"
			return list
		}, nil, nil, false},
		{"others are not ours", func(list hooks) hooks {
			return append(list, affiliate.StoreWebhook{ID: "77", Topic: "order.created", Address: "https://x.example",
				Broken: "it is disabled"})
		}, nil, nil, false},
		{"unknown of ours", func(list hooks) hooks {
			return append(list[1:], affiliate.StoreWebhook{ID: "88", Topic: "order.created", Address: list[0].Address})
		}, wooTopics[:1], nil, true},
	}
	eachShop(t, func(d *desk, _, _ *apptest.Shop) {
		for i, c := range cases {
			woo := d.anotherShop(i)
			keys := wooKeys()
			keys.Address = woo.Site
			store, err := d.ConnectStore(d.ctx, app.NewAccess{Platform: woocommerce.Name, Keys: keys})
			must(d, store, err)
			from, first, before := d.now().Add(-time.Hour), d.openSecrets(store.ID), woo.Hooks()
			woo.SetHooks(c.change)
			kept := woo.Hooks()
			d.pass(5 * time.Minute)
			d.work()
			if got := woo.Hooks(); !slices.Equal(got, kept) {
				d.Errorf("%s: looked at too early: %v", c.name, got)
			}
			d.pass(5 * time.Minute)
			d.work()
			for _, w := range kept {
				if slices.Contains(c.gone, w.ID) == slices.Contains(woo.Hooks(), w) {
					d.Errorf("%s: %+v is still there: %v", c.name, w, slices.Contains(woo.Hooks(), w))
				}
			}
			var made []string
			for _, w := range woo.Hooks() {
				if slices.ContainsFunc(slices.Concat(before, kept), func(o affiliate.StoreWebhook) bool {
					return o.ID == w.ID
				}) {
					continue
				}
				made = append(made, w.Topic)
				secret := woo.HookSecret(w.ID)
				if slices.Contains(first, secret) || !slices.Contains(d.openSecrets(store.ID), secret) {
					d.Errorf("%s: made with the secret %q", c.name, secret)
				}
			}
			if !slices.Equal(made, c.made) {
				d.Errorf("%s: made %v, want %v", c.name, made, c.made)
			}
			job, err := d.DB.LastComparison(d.ctx, store.ID)
			must(d, job, err)
			if (job.Cause == affiliate.CauseWebhook) != c.wanted || c.wanted && !job.From.Equal(from) {
				d.Errorf("%s: compared from %v: %+v", c.name, from, job)
			}
			d.pass(time.Second)
			if again, err := d.CheckAccess(d.ctx, store.ID); err != nil || len(again.Made)+again.Removed > 0 {
				d.Errorf("%s: a second look: %+v, %v", c.name, again, err)
			}
		}
	})
}

// anotherShop is one more WooCommerce shop that answers.
func (d *desk) anotherShop(n int) *apptest.Shop {
	host := fmt.Sprintf("shop-%d.example", n)
	shop := &apptest.Shop{Site: "https://" + host, Secret: wooKeys().Secret, Known: affiliate.StoreFacts{Name: host,
		Domain: host, Currency: "EUR", Timezone: "Europe/Berlin"}}
	d.Connectors[woocommerce.Name] = append(d.Connectors[woocommerce.Name].(apptest.Shops), shop)
	return shop
}

func TestHealWebhooks_secretsEnd(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		store := d.connected()
		woo.SetHooks(func([]affiliate.StoreWebhook) []affiliate.StoreWebhook { return nil })
		d.pass(10 * time.Minute)
		healed, err := d.CheckAccess(d.ctx, store.ID)
		if must(d, healed, err); !slices.Equal(healed.Made, wooTopics) || len(healed.Why) != 4 {
			d.Errorf("%+v", healed)
		}
		if got := d.openSecrets(store.ID); len(got) != 2 {
			d.Errorf("secrets %q", got)
		}
		d.pass(59 * time.Minute)
		d.work()
		if got := d.openSecrets(store.ID); len(got) != 2 {
			d.Errorf("a secret ended early: %q", got)
		}
		d.pass(time.Minute)
		woo.Fail("delete", apptest.Down())
		due, err := d.DueStores(d.ctx)
		if err := d.StoreWork(d.ctx, must(d, due, err)[0]); err == nil {
			d.Error("the shop is down, and that is no error")
		}
		woo.Fail("delete", nil)
		d.work()
		if got := d.openSecrets(store.ID); len(got) != 2 {
			d.Errorf("tried again too early: %q", got)
		}
		d.pass(10 * time.Minute)
		d.work()
		if got := d.openSecrets(store.ID); len(got) != 1 || got[0] != woo.HookSecret(woo.Hooks()[0].ID) {
			d.Errorf("secrets %q", got)
		}
		if a := d.access(store.ID); len(a.Webhooks) != 4 || a.Trouble != "" {
			d.Errorf("%+v", a)
		}
	})
}

func TestHealWebhooks_givenSecret(t *testing.T) {
	eachShop(t, func(d *desk, _, shop *apptest.Shop) {
		c, err := d.ConnectStore(d.ctx, app.NewAccess{Platform: shopify.Name, Keys: shopKeys()})
		must(d, c, err)
		n := len(shop.Hooks())
		// Webhooks that this app made, but that are not kept, are as good as those that are.
		shop.SetHooks(func(list []affiliate.StoreWebhook) []affiliate.StoreWebhook {
			list[0].ID = "x0"
			return append(list, affiliate.StoreWebhook{ID: "x1", Topic: list[1].Topic, Address: list[1].Address})
		})
		healed, err := d.CheckAccess(d.ctx, c.ID)
		if must(d, healed, err); len(healed.Made) > 0 || healed.Removed != 1 || len(shop.Hooks()) != n {
			d.Errorf("%+v, %v", healed, shop.Hooks())
		}
		d.want(d.RotateWebhookSecret(d.ctx, c.ID), affiliate.Conflict, "", "exchange it there")
		shop.Secret = "shpss_new"
		keys := shopKeys()
		keys.Secret = "shpss_new"
		c, err = d.ConnectStore(d.ctx, app.NewAccess{Store: c.ID, Keys: keys})
		if must(d, c, err); !slices.Equal(d.openSecrets(c.ID), []string{"shpss_right", "shpss_new"}) ||
			len(c.Webhooks) > 0 {
			d.Errorf("%+v, secrets %q", c, d.openSecrets(c.ID))
		}
		// The former one is good for another hour. What a person added stays.
		byHand, err := d.AddStoreSecret(d.ctx, c.ID, "secret-of-the-admin")
		must(d, byHand, err)
		d.pass(30 * time.Minute)
		d.work()
		d.pass(29 * time.Minute)
		d.work()
		if got := d.openSecrets(c.ID); len(got) != 3 {
			d.Errorf("a secret ended early: %q", got)
		}
		d.pass(time.Minute)
		d.work()
		if got := d.openSecrets(c.ID); !slices.Equal(got, []string{"shpss_new", "secret-of-the-admin"}) ||
			len(d.audited(c.ID.String(), "store.secret.end")) != 1 {
			d.Errorf("secrets %q", got)
		}
		if due, err := d.DueStores(d.ctx); err != nil || len(due) > 0 {
			d.Errorf("due: %v %v", due, err)
		}
		// A secret that the app has again in time stays, and the other one ends.
		for _, secret := range []string{"shpss_other", "shpss_new"} {
			d.pass(20 * time.Minute)
			shop.Secret, keys.Secret = secret, secret
			c, err = d.ConnectStore(d.ctx, app.NewAccess{Store: c.ID, Keys: keys})
			must(d, c, err)
		}
		d.pass(time.Hour)
		d.work()
		if got := d.openSecrets(c.ID); !slices.Equal(got, []string{"shpss_new", "secret-of-the-admin"}) {
			d.Errorf("secrets %q", got)
		}
	})
}

// answerOf is what a shop answers to one topic.
func answerOf(kind affiliate.ErrorKind, code string) error {
	return &affiliate.Error{Kind: kind, Code: code, Message: "The shop says no."}
}

// TestHealWebhooks_refused: what a shop refuses of one topic keeps no other, and is no trouble where not all shops have
// that topic.
func TestHealWebhooks_refused(t *testing.T) {
	eachShop(t, func(d *desk, woo, shop *apptest.Shop) {
		store := d.connected()
		secrets, err := d.DB.StoreSecrets(d.ctx, store.ID)
		must(d, secrets, err)
		forbidden := answerOf(affiliate.Forbidden, affiliate.StoreForbidden)
		woo.Fail("make order.created", forbidden)
		woo.SetHooks(func(list []affiliate.StoreWebhook) []affiliate.StoreWebhook {
			list[0].Broken, list[1].Broken = "it is disabled", "it is disabled"
			return list
		})
		healed, err := d.CheckAccess(d.ctx, store.ID)
		if must(d, healed, err); !slices.Equal(healed.Made, wooTopics[1:2]) || healed.Removed != 1 ||
			!strings.Contains(strings.Join(healed.Why, "\n"), "“Order created” was not made. The shop says no.") {
			d.Errorf("%+v", healed)
		}
		if hooks := woo.Hooks(); len(hooks) != 4 || hooks[0].ID != "1" || hooks[1].ID != "3" {
			d.Errorf("there: %v", hooks)
		}
		if a := d.access(store.ID); a.TroubleCode != affiliate.StoreForbidden {
			d.Errorf("%+v", a)
		}
		for range 3 { // a secret that nothing is signed with is not kept
			healed, err = d.CheckAccess(d.ctx, store.ID)
			must(d, healed, err)
		}
		if now, err := d.DB.StoreSecrets(d.ctx, store.ID); len(now) != len(secrets)+1 || err != nil {
			d.Errorf("%d secrets, there were %d; %v", len(now), len(secrets), err)
		}

		topics := len(shopify.Platform{}.Guide().Topics) + len(apptest.Tokens.Topics)
		shop.Fail("make orders/paid", answerOf(affiliate.Conflict, affiliate.StoreWebhookTaken))
		shop.Fail("make order_transactions/create", answerOf(affiliate.Invalid, affiliate.StoreAnswer))
		shop.Fail("make disputes/create", forbidden)
		c, err := d.ConnectStore(d.ctx, app.NewAccess{Platform: shopify.Name, Keys: shopKeys()})
		if must(d, c, err); len(c.Webhooks) != topics-3 || len(c.Warnings) != 2 || d.access(c.ID).Trouble != "" {
			d.Errorf("%+v, %+v", c, d.access(c.ID))
		}
		for _, topic := range []string{"orders/paid", "order_transactions/create", "disputes/create"} {
			shop.Fail("make "+topic, nil)
		}
		healed, err = d.CheckAccess(d.ctx, c.ID)
		if must(d, healed, err); !slices.Equal(healed.Made, []string{"orders/paid", "order_transactions/create",
			"disputes/create"}) {
			d.Errorf("%+v", healed)
		}
		// One that only apps can have is made good again, and nothing was missed by that.
		shop.SetHooks(func(list []affiliate.StoreWebhook) []affiliate.StoreWebhook {
			return slices.DeleteFunc(list, func(w affiliate.StoreWebhook) bool { return w.Topic == "disputes/create" })
		})
		healed, err = d.CheckAccess(d.ctx, c.ID)
		work, wErr := d.DB.StoreWork(d.ctx, c.ID)
		if must(d, healed, err); len(healed.Made) != 1 || must(d, work, wErr).Wanted != "" {
			d.Errorf("%+v, wanted %q", healed, work.Wanted)
		}
	})
}

// TestHealWebhooks_unknownOutcome: a webhook that was made without an answer is accepted until a look finds and deletes
// it.
func TestHealWebhooks_unknownOutcome(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		woo.Fail("made order.created", apptest.Down())
		c := d.connected()
		accepted := func() {
			d.Helper()
			for _, w := range woo.Hooks() {
				if secret := woo.HookSecret(w.ID); !slices.Contains(d.openSecrets(c.ID), secret) {
					d.Errorf("%+v is signed with a secret that is not accepted", w)
				}
			}
		}
		d.wantTopics(woo, "order.created")
		accepted()
		d.seen(c.ID, "order.created") // by that one
		woo.Fail("made order.created", nil)
		woo.Fail("webhooks", apptest.Down())
		for range 8 { // for longer than an hour nobody can look
			d.pass(10 * time.Minute)
			_ = d.StoreWork(d.ctx, c.ID)
			_ = d.StoreWork(d.ctx, c.ID) // what is due beside the webhooks
			accepted()
		}
		woo.Fail("webhooks", nil)
		d.pass(10 * time.Minute)
		d.work()
		d.wantTopics(woo, wooTopics...)
		accepted()
		if got := d.openSecrets(c.ID); len(got) != 1 || slices.ContainsFunc(woo.Hooks(),
			func(w affiliate.StoreWebhook) bool { return w.ID == "1" }) {
			d.Errorf("secrets %q, there: %v", got, woo.Hooks())
		}
	})
}

// TestHealWebhooks_byHandWithEndedSecret: a webhook that people made serves as long as its deliveries are accepted.
func TestHealWebhooks_byHandWithEndedSecret(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		s := d.store("shop")
		secrets, err := d.DB.StoreSecrets(d.ctx, s.ID)
		must(d, secrets, err)
		woo.SetHooks(func([]affiliate.StoreWebhook) []affiliate.StoreWebhook {
			return []affiliate.StoreWebhook{{ID: "h1", Topic: "order.created", Address: d.WebhookURL(s)}}
		})
		d.seen(s.ID, "order.created")
		c, err := d.ConnectStore(d.ctx, app.NewAccess{Store: s.ID, Keys: wooKeys()})
		must(d, c, err)
		d.wantTopics(woo, wooTopics...)
		d.pass(time.Minute)
		if err := d.EndStoreSecret(d.ctx, s.ID, secrets[0].ID); err != nil {
			d.Fatal(err)
		}
		d.pass(10 * time.Minute)
		d.work()
		d.wantTopics(woo, append([]string{"order.created"}, wooTopics...)...)
		d.seen(s.ID, "order.created")
		healed, err := d.CheckAccess(d.ctx, s.ID)
		if must(d, healed, err); len(healed.Made)+healed.Removed > 0 {
			d.Errorf("%+v", healed)
		}
	})
}

// TestStoreWork_makesRoom: a job is left for webhooks that are due, and for other stores.
func TestStoreWork_makesRoom(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		id := d.connected().ID
		over := false
		ctx := app.WithTurn(d.ctx, func() bool { return over })
		due := func(want bool, why string) {
			d.Helper()
			if d.OtherWorkDue(ctx, id) != want {
				d.Error(why)
			}
		}
		due(false, "nothing is due")
		over = true
		due(true, "its turn is over")
		over = false
		d.pass(10 * time.Minute)
		due(true, "its webhooks are due")
		d.work()
		due(false, "its webhooks were looked at")
		woo.SetHooks(func(list []affiliate.StoreWebhook) []affiliate.StoreWebhook { return list[1:] })
		for range 6 {
			healed, err := d.CheckAccess(d.ctx, id)
			must(d, healed, err)
			d.pass(9 * time.Minute)
		}
		due(false, "nothing is due")
		healed, err := d.CheckAccess(d.ctx, id)
		must(d, healed, err)
		d.pass(6 * time.Minute)
		due(true, "a webhook is to be retired")
	})
}

func TestRotateWebhookSecret(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		store := d.connected()
		old := d.openSecrets(store.ID)
		woo.Fail("made order.restored", apptest.Down())
		d.want(d.RotateWebhookSecret(d.ctx, store.ID), affiliate.Unavailable, "")
		woo.Fail("made order.restored", nil)
		d.work() // takes those back that are known
		d.wantTopics(woo, append([]string{"order.restored"}, wooTopics...)...)
		if got := d.openSecrets(store.ID); len(got) != 2 || got[1] != woo.HookSecret(woo.Hooks()[4].ID) {
			d.Errorf("secrets %q", got)
		}
		d.pass(10 * time.Minute)
		d.work() // finds the other one
		d.wantTopics(woo, wooTopics...)
		if got := d.openSecrets(store.ID); !slices.Equal(got, old) {
			d.Errorf("secrets %q, want %q", got, old)
		}
		if err := d.RotateWebhookSecret(d.ctx, store.ID); err != nil {
			d.Fatal(err)
		}
		d.wantTopics(woo, slices.Concat(wooTopics, wooTopics)...)
		d.pass(10 * time.Minute)
		d.work() // leaves both alone
		d.wantTopics(woo, slices.Concat(wooTopics, wooTopics)...)
		if got := d.openSecrets(store.ID); len(got) != 2 || got[0] != old[0] {
			d.Errorf("secrets %q", got)
		}
		d.pass(50 * time.Minute)
		d.work()
		d.wantTopics(woo, wooTopics...)
		if got := d.openSecrets(store.ID); len(got) != 1 || got[0] == old[0] {
			d.Errorf("secrets %q", got)
		}
	})
}

func TestEndAccess(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		store := d.connected()
		left, err := d.EndAccess(d.ctx, store.ID)
		if must(d, left, err); len(left) > 0 || len(woo.Hooks()) > 0 {
			d.Errorf("left %v, there %v", left, woo.Hooks())
		}
		if a, err := d.StoreAccess(d.ctx, store.ID); a != nil || err != nil {
			d.Errorf("%+v, %v", a, err)
		}
		_, err = d.EndAccess(d.ctx, store.ID)
		d.want(err, affiliate.Conflict, "", "not connected")
		_, err = d.CheckAccess(d.ctx, store.ID)
		d.want(err, affiliate.Conflict, "", "not connected")
		d.pass(time.Hour)
		d.work()
		if got := d.openSecrets(store.ID); len(got) != 1 { // the only one: the store takes in what it is sent
			d.Errorf("secrets %q", got)
		}
		if due, err := d.DueStores(d.ctx); err != nil || len(due) > 0 {
			d.Errorf("due: %v %v", due, err)
		}

		c, err := d.ConnectStore(d.ctx, app.NewAccess{Store: store.ID, Keys: wooKeys()})
		must(d, c, err)
		woo.Fail("", apptest.Refused())
		if left, err = d.EndAccess(d.ctx, store.ID); err != nil || !slices.Equal(left, []string{"Order created",
			"Order updated", "Order deleted", "Order restored"}) {
			d.Errorf("left %v, %v", left, err)
		}
		woo.Fail("", nil)
	})
}

func TestEndStore_endsAccess(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		store := d.connected()
		if _, err := d.EndStore(d.ctx, store.ID); err != nil || len(woo.Hooks()) > 0 {
			d.Errorf("%v, there %v", err, woo.Hooks())
		}
		if a, err := d.StoreAccess(d.ctx, store.ID); a != nil || err != nil {
			d.Errorf("%+v, %v", a, err)
		}
		_, err := d.ConnectStore(d.ctx, app.NewAccess{Store: store.ID, Keys: wooKeys()})
		d.want(err, affiliate.Conflict, "", "was ended")
		d.connected() // as a new store
	})
}

// TestStoreTrouble: how a store answers is on record, since when, and is over with the next good answer.
func TestStoreTrouble(t *testing.T) {
	eachShop(t, func(d *desk, woo, _ *apptest.Shop) {
		store := d.connected()
		look := func(after time.Duration) app.StoreAccess {
			d.Helper()
			d.pass(after)
			_, _ = d.CheckAccess(d.ctx, store.ID)
			return d.access(store.ID)
		}
		woo.Fail("facts", apptest.Down())
		first := look(time.Minute)
		if first.TroubleCode != affiliate.StoreDown || !first.TroubleAt.Equal(d.now()) ||
			!strings.Contains(first.Trouble, "see whether it is open") || !first.AnsweredAt.Equal(deskStart) {
			d.Errorf("%+v", first)
		}
		if a := look(time.Minute); !a.TroubleAt.Equal(first.TroubleAt) {
			d.Errorf("since %v, want %v", a.TroubleAt, first.TroubleAt)
		}
		woo.Fail("facts", apptest.Refused())
		if a := look(time.Minute); a.TroubleCode != affiliate.StoreKeysRefused || !a.TroubleAt.Equal(d.now()) {
			d.Errorf("%+v", a)
		}
		woo.Fail("facts", nil)
		if a := look(time.Minute); a.Trouble != "" || a.TroubleCode != "" || !a.TroubleAt.IsZero() ||
			!a.AnsweredAt.Equal(d.now()) {
			d.Errorf("%+v", a)
		}
		// What the keys may not do is not over with an answer to something else.
		woo.Fail("webhooks", &affiliate.Error{Kind: affiliate.Forbidden, Code: affiliate.StoreForbidden,
			Message: "The keys may not do this."})
		look(time.Minute)
		if a := look(time.Minute); a.TroubleCode != affiliate.StoreForbidden || !a.AnsweredAt.Equal(d.now()) {
			d.Errorf("%+v", a)
		}
		ctx, cancel := context.WithCancel(d.ctx)
		cancel()
		woo.Fail("webhooks", apptest.Down())
		if _, err := d.CheckAccess(ctx, store.ID); err == nil {
			d.Error("no error of a canceled context")
		}
		if a := d.access(store.ID); a.TroubleCode != affiliate.StoreForbidden {
			d.Errorf("%+v", a)
		}
	})
}

// TestStoreTrouble_otherKey: keys that cannot be opened are to be given anew.
func TestStoreTrouble_otherKey(t *testing.T) {
	eachShop(t, func(d *desk, _, _ *apptest.Shop) {
		store := d.connected()
		sealer, err := app.NewSealer([]byte(strings.Repeat("x", app.MinSecretKey)))
		must(d, sealer, err)
		restored := &app.App{DB: d.DB, Sealer: sealer, Platforms: d.Platforms, Connectors: d.Connectors, Log: d.Log,
			Now: d.now, PublicURL: d.PublicURL}
		_, err = restored.CheckAccess(d.ctx, store.ID)
		if a := d.access(store.ID); !app.IsStoreTrouble(err) || !strings.Contains(a.Trouble, "give them anew") {
			d.Errorf("%v, %+v", err, a)
		}
		c, err := restored.ConnectStore(d.ctx, app.NewAccess{Store: store.ID, Keys: wooKeys()})
		if must(d, c, err); d.access(store.ID).Trouble != "" {
			d.Errorf("%+v", d.access(store.ID))
		}
	})
}

func TestStoreLease(t *testing.T) {
	eachShop(t, func(d *desk, _, _ *apptest.Shop) {
		id := d.store("shop").ID
		var ran []string
		run := func(name string, within func(context.Context) error) error {
			return d.WithStoreLease(d.ctx, id, func(ctx context.Context) error {
				ran = append(ran, name)
				return within(ctx)
			})
		}
		failed := errors.New("failed")
		err := run("one", func(context.Context) error {
			if err := run("two", func(context.Context) error { return nil }); !errors.Is(err, app.ErrBusy) {
				d.Errorf("the second got %v", err)
			}
			return failed
		})
		if !errors.Is(err, failed) {
			d.Error(err)
		}
		err = run("three", func(context.Context) error { return nil })
		if err != nil || fmt.Sprint(ran) != "[one three]" {
			d.Errorf("%v, ran %v", err, ran)
		}
	})
}

// heldUntil waits until a store's lease ends at a time.
func (d *desk) heldUntil(id affiliate.StoreID, until time.Time) {
	d.Helper()
	for range 10_000 {
		work, err := d.DB.StoreWork(d.ctx, id)
		if must(d, work, err).HeldUntil.Equal(until) {
			return
		}
		time.Sleep(time.Millisecond)
	}
	d.Fatalf("the lease never ends at %v", until)
}

// TestStoreLease_race: a worker that does not renew its lease has lost it within a minute, and is told.
func TestStoreLease_race(t *testing.T) {
	eachShop(t, func(d *desk, _, _ *apptest.Shop) {
		id := d.store("shop").ID
		beat := make(chan time.Time)
		busy := func() {
			d.Helper()
			err := d.WithStoreLease(d.ctx, id, func(context.Context) error { return nil })
			if !errors.Is(err, app.ErrBusy) {
				d.Errorf("another got %v", err)
			}
		}
		err := d.WithLeaseBeat(d.ctx, id, beat, func(ctx context.Context) error {
			for range 4 { // renewed four times, it lasts longer than a minute
				d.pass(40 * time.Second)
				beat <- d.now()
				d.heldUntil(id, d.now().Add(time.Minute))
				busy()
			}
			d.pass(59 * time.Second) // it hangs
			busy()
			d.pass(time.Second)
			if err := d.WithStoreLease(d.ctx, id, func(context.Context) error {
				beat <- d.now()
				<-ctx.Done()
				return nil
			}); err != nil {
				d.Errorf("another got %v", err)
			}
			return ctx.Err()
		})
		if err == nil || errors.Is(err, app.ErrBusy) {
			d.Errorf("the worker that lost the lease: %v", err)
		}
		// A lease that ends in a far future was taken before the clock was set back.
		if err := d.WithStoreLease(d.ctx, id, func(context.Context) error {
			d.pass(-time.Hour)
			return d.WithStoreLease(d.ctx, id, func(context.Context) error { return nil })
		}); err != nil {
			d.Error(err)
		}
	})
}
