package main

import (
	"io"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/app/apptest"
	"github.com/tributaryhq/tributary/internal/fakestore"
)

// TestStoreConnectCommand connects a WooCommerce store that answers as one does, with keys that were made by hand.
func TestStoreConnectCommand(t *testing.T) {
	eachShell(t, func(s shell) {
		server := httptest.NewUnstartedServer(nil)
		shop := fakestore.WooCommerce(fakestore.Options{Name: "The garden", Domain: server.Listener.Addr().String(),
			Currency: "EUR", Timezone: "Europe/Vienna"})
		server.Config.Handler = shop
		server.Start()
		defer server.Close()
		keys := shop.Keys(server.URL)
		s.env["ALLOW_PRIVATE_STORES"] = "127.0.0.1"
		connect := func(more ...string) []string {
			return append([]string{"store", "connect", "--address", server.URL}, more...)
		}
		s.run("store", "connect", "--platform", "woocommerce").exits(2, "missing: --address")
		s.run(connect()...).exits(2, "either --platform, for a new store, or --store")
		s.run(connect("--platform", "woocommerce", "--id", keys.ID)...).exits(2, "give the consumer secret (")
		wrong := "cs_" + strings.Repeat("0", 40)
		s.typed(wrong+"\n").run(connect("--platform", "woocommerce", "--id", keys.ID)...).
			exits(1, "secret: ", "copied whole")
		s.env["STORE_SECRET"] = keys.Secret
		done := s.run(connect("--platform", "woocommerce", "--id", keys.ID, "--slug", "garden", "--json")...)
		made := done.exits(0).json()
		if made["slug"] != "garden" || made["name"] != "The garden" || made["made"] != true ||
			len(made["webhooks_made"].([]any)) != 4 || strings.Contains(done.stdout, keys.Secret) {
			s.Errorf("connected: %s", done.stdout)
		}
		s.run(connect("--store", "garden", "--id", keys.ID)...).prints("Store garden", "is connected")
		s.run("store", "check", "garden").prints("its API answered last 2")
		shop.DropWebhook("order.updated")
		s.run("store", "check", "garden").prints("was gone from the store")
		s.run("store", "secret", "garden", "--rotate", "--add").exits(2, "goes alone")
		secrets := s.run("store", "secret", "garden", "--rotate", "--json").exits(0).json()["secrets"].([]any)
		if len(secrets) != 3 || shop.WebhookCount() != 8 {
			s.Errorf("secrets %v, %d webhooks", secrets, shop.WebhookCount())
		}
		shop.RevokeWooKeys()
		s.run("store", "check", "garden").exits(1)
		checked := s.run("store", "check", "--json").exits(1).json()["stores"].([]any)[0].(map[string]any)
		if checked["access"].(map[string]any)["trouble_code"] != affiliate.StoreKeysRefused ||
			len(checked["problems"].([]any)) != 1 {
			s.Errorf("checked: %v", checked)
		}
		s.run("store", "disconnect", "garden").prints("is not asked any more", "could not be deleted",
			"Order created")
		s.run("store", "disconnect", "garden").exits(1, "not connected")
		s.run("store", "secret", "garden", "--rotate").exits(1, "not connected")
	})
}

// onWrite is told what is written.
type onWrite func(text string)

func (f onWrite) Write(p []byte) (int, error) {
	f(string(p))
	return len(p), nil
}

// TestStoreConnectCommand_approved: without keys the command says where the owner approves, and waits for the store.
func TestStoreConnectCommand_approved(t *testing.T) {
	eachShell(t, func(s shell) {
		s.env["PUBLIC_URL"] = "https://t.example"
		if s.env["DATABASE_URL"] != "" {
			s.run("migrate").exits(0)
		}
		a := s.app()
		shop := &apptest.Shop{Site: "https://garden.example", Secret: "cs_right", Known: affiliate.StoreFacts{
			Name: "The garden", Domain: "garden.example", Currency: "EUR", Timezone: "Europe/Vienna"}}
		a.Connectors = app.Connectors{woocommerce.Name: apptest.Shops{shop}}
		state := regexp.MustCompile(`user_id=([A-Z0-9]+)`)
		approve := onWrite(func(text string) {
			if found := state.FindStringSubmatch(text); found != nil {
				ok(s.T, a.ReceiveAccess(s.Context(), woocommerce.Name, "192.0.2.1",
					apptest.Answer(found[1], "ck_1", "cs_right")))
			}
		})
		c := &call{terminal: terminal{stdout: io.Discard, stderr: approve, getenv: func(string) string { return "" }}}
		done, err := c.connect(s.Context(), a, app.NewAccess{Platform: woocommerce.Name, Slug: "garden",
			Keys: affiliate.StoreKeys{Address: "garden.example"}})
		ok(s.T, err)
		if done.Slug != "garden" || !done.Made || len(done.Warnings) != 1 ||
			!strings.Contains(done.Warnings[0], "tributary store check garden") {
			s.Errorf("%+v", done)
		}
		_, err = waitForAccess(s.Context(), time.Millisecond, func() (app.AccessOutcome, error) {
			return app.AccessOutcome{Trouble: "The shop refuses the keys."}, nil
		})
		if affiliate.KindOf(err) != affiliate.Conflict || !strings.Contains(err.Error(), "refuses the keys") {
			s.Error(err)
		}
	})
}
