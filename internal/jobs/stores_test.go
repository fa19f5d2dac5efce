package jobs_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/app/apptest"
	"github.com/tributaryhq/tributary/internal/jobs"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// TestStoreWorker_race: of two workers one looks at a store, and a store that does not answer holds up no other.
func TestStoreWorker_race(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		sealer, err := app.NewSealer([]byte(strings.Repeat("k", app.MinSecretKey)))
		if err != nil {
			t.Fatal(err)
		}
		now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
		var shops apptest.Shops
		for _, name := range []string{"one", "two"} {
			shops = append(shops, &apptest.Shop{Site: "https://" + name + ".example", Secret: "cs_secret",
				Known: affiliate.StoreFacts{Name: name, Domain: name + ".example", Currency: "EUR",
					Timezone: "Europe/Berlin"}})
		}
		log := slog.New(slog.NewTextHandler(io.Discard, nil))
		a := &app.App{DB: db, Sealer: sealer, Log: log, Now: func() time.Time { return now },
			PublicURL: "https://t.example", Connectors: app.Connectors{woocommerce.Name: shops},
			Platforms: app.Platforms{apptest.Platform(woocommerce.Platform{}, apptest.KeyPairs)}}
		var ids []affiliate.StoreID
		for _, s := range shops {
			c, err := a.ConnectStore(t.Context(), app.NewAccess{Platform: woocommerce.Name,
				Keys: affiliate.StoreKeys{Address: s.Site, ID: "ck_1", Secret: s.Secret}})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, c.ID)
			s.SetHooks(func([]affiliate.StoreWebhook) []affiliate.StoreWebhook { return nil })
		}
		now = now.Add(10 * time.Minute)
		shops[0].Fail("", apptest.Down())
		first, second := &jobs.StoreWorker{App: a, Log: log}, &jobs.StoreWorker{App: a, Log: log}
		step := func(w *jobs.StoreWorker) {
			t.Helper()
			if err := w.Step(t.Context()); err != nil {
				t.Error(err)
			}
		}
		if err := a.WithStoreLease(t.Context(), ids[1], func(context.Context) error {
			step(first) // cannot have the second store
			if n := len(shops[1].Hooks()); n != 0 {
				t.Errorf("%d webhooks while another worker has the store", n)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			step(first)
		}()
		step(second)
		<-done
		if n := len(shops[1].Hooks()); n != 4 {
			t.Errorf("%d webhooks, want 4", n)
		}
		access, err := a.StoreAccess(t.Context(), ids[0])
		if err != nil || access.TroubleCode != affiliate.StoreDown {
			t.Errorf("%+v %v", access, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := first.Step(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
		first.Run(ctx) // returns
	})
}

// TestStoreWorker_turns: stores with work that goes on for long keep no other waiting.
func TestStoreWorker_turns(t *testing.T) {
	w := &jobs.StoreWorker{}
	due := func() []affiliate.StoreID { return []affiliate.StoreID{1, 2, 3, 4, 5, 6} }
	take := func(want ...affiliate.StoreID) {
		t.Helper()
		if got := w.TakeAll(due()); !slices.Equal(got, want) {
			t.Errorf("took %v, want %v", got, want)
		}
	}
	take(1, 2, 3, 4)
	if w.TurnOver(29*time.Second) || !w.TurnOver(30*time.Second) {
		t.Error("others wait: a turn is not over after 30 seconds")
	}
	w.Leave(2)
	w.Leave(1)
	take(5, 6)
	for _, id := range []affiliate.StoreID{3, 4, 5, 6} {
		w.Leave(id)
	}
	take(2, 1, 3, 4)
	w.Leave(1)
	if got := w.TakeAll(due()[:4]); !slices.Equal(got, []affiliate.StoreID{1}) {
		t.Errorf("took %v", got)
	}
	if w.TurnOver(time.Hour) {
		t.Error("nobody waits, and a turn is over")
	}
}
