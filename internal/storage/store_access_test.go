package storage_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

func TestStoreAccess(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := t.Context()
		id := addStore(t, db, "shop").ID
		if _, err := db.StoreAccess(ctx, id); affiliate.KindOf(err) != affiliate.NotFound {
			t.Errorf("none yet: %v", err)
		}
		set := func(hint string) storage.StoreAccess {
			a := storage.StoreAccess{StoreID: id, Kind: affiliate.KeyPair, Address: "https://shop.example",
				Sealed: []byte{1, 2}, Hint: hint, Missing: "write", Actor: "somebody", CreatedAt: noon}
			inTx(t, db, func(tx *storage.Tx) error { return tx.SetStoreAccess(ctx, a) })
			return a
		}
		want := set("…1")
		check := func() {
			t.Helper()
			got, err := db.StoreAccess(ctx, id)
			if fmt.Sprint(got) != fmt.Sprint(want) || err != nil {
				t.Errorf("got %+v, %v\nwant %+v", got, err, want)
			}
		}
		check()
		trouble := func(code string, at time.Time) {
			t.Helper()
			if err := db.NoteStoreTrouble(ctx, id, code, "It "+code, at); err != nil {
				t.Error(err)
			}
			want.Trouble, want.TroubleCode = "It "+code, code
		}
		trouble("down", noon)
		want.TroubleAt = noon
		check()
		trouble("down", noon.Add(time.Minute)) // still
		check()
		trouble("forbidden", noon.Add(time.Minute))
		want.TroubleAt = noon.Add(time.Minute)
		check()
		answer := func(at time.Time, lasting ...string) {
			t.Helper()
			if err := db.NoteStoreAnswer(ctx, id, at, lasting...); err != nil {
				t.Error(err)
			}
			want.AnsweredAt = at
		}
		answer(noon.Add(2*time.Minute), "down", "forbidden")
		check()
		answer(noon.Add(3*time.Minute), "down")
		want.Trouble, want.TroubleCode, want.TroubleAt = "", "", time.Time{}
		check()
		want = set("…2") // forgets how the former keys fared
		check()
		if list, err := db.StoreAccesses(ctx); len(list) != 1 || err != nil {
			t.Errorf("%v %v", list, err)
		}
	})
}

func TestStoreRequests(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := t.Context()
		id := addStore(t, db, "shop").ID
		add := func(state string, expires time.Time) {
			inTx(t, db, func(tx *storage.Tx) error {
				return tx.AddStoreRequest(ctx, storage.StoreRequest{State: state, Platform: "woocommerce",
					Address: "https://shop.example", Actor: "somebody", ExpiresAt: expires}, noon.Add(-time.Hour))
			})
		}
		answer := func(state string, p affiliate.Platform, now time.Time) bool {
			err := db.InTx(ctx, func(tx *storage.Tx) error {
				r, err := tx.AnswerStoreRequest(ctx, state, p, now)
				if err == nil && (r.Address != "https://shop.example" || !r.AnsweredAt.Equal(now)) {
					t.Errorf("%+v", r)
				}
				return err
			})
			if err != nil && affiliate.KindOf(err) != affiliate.NotFound {
				t.Error(err)
			}
			return err == nil
		}
		add("old", noon.Add(-2*time.Hour))
		add("a", noon.Add(10*time.Minute)) // forgets the old one
		if _, err := db.StoreRequest(ctx, "old"); affiliate.KindOf(err) != affiliate.NotFound {
			t.Errorf("the old one: %v", err)
		}
		for _, wrong := range []struct {
			state string
			p     affiliate.Platform
			now   time.Time
		}{{"b", "woocommerce", noon}, {"a", "shopify", noon}, {"a", "woocommerce", noon.Add(10 * time.Minute)}} {
			if answer(wrong.state, wrong.p, wrong.now) {
				t.Errorf("answered: %+v", wrong)
			}
		}
		if !answer("a", "woocommerce", noon) || answer("a", "woocommerce", noon) {
			t.Error("not answered exactly once")
		}
		inTx(t, db, func(tx *storage.Tx) error { return tx.EndStoreRequest(ctx, "a", id, "") })
		if r, err := db.StoreRequest(ctx, "a"); r.ResultID != id || r.StoreID != 0 || err != nil {
			t.Errorf("%+v %v", r, err)
		}
	})
}

func TestStoreWebhooks(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := t.Context()
		id := addStore(t, db, "shop").ID
		secrets := make([]affiliate.StoreSecretID, 2)
		var list []storage.StoreWebhook
		inTx(t, db, func(tx *storage.Tx) (err error) {
			for i := range secrets {
				if secrets[i], err = tx.AddStoreSecret(ctx, id, []byte{byte(i)}, noon); err != nil {
					return err
				}
				w := storage.StoreWebhook{StoreID: id, ExternalID: fmt.Sprint(i), Topic: "order.created",
					Address: "https://t.example/", SecretID: secrets[i], CreatedAt: noon}
				list = append(list, w)
				if err := tx.KeepStoreWebhook(ctx, w); err != nil {
					return err
				}
			}
			return tx.RetireStoreWebhook(ctx, id, "0", noon.Add(time.Hour))
		})
		list[0].RetireAt = noon.Add(time.Hour)
		if got, err := db.StoreWebhooks(ctx, id); fmt.Sprint(got) != fmt.Sprint(list) || err != nil {
			t.Errorf("got %+v, %v\nwant %+v", got, err, list)
		}
		if asked, err := db.AskedStores(ctx); len(asked) != 1 || asked[0].StoreID != id || asked[0].Connected ||
			!asked[0].RetireAt.Equal(noon.Add(time.Hour)) || err != nil {
			t.Errorf("%+v %v", asked, err)
		}
		end := func(secret affiliate.StoreSecretID) (ended bool) {
			inTx(t, db, func(tx *storage.Tx) (err error) {
				ended, err = tx.EndUnusedSecret(ctx, id, secret, noon)
				return err
			})
			return ended
		}
		forget := func(external string) {
			inTx(t, db, func(tx *storage.Tx) error { return tx.ForgetStoreWebhook(ctx, id, external) })
		}
		if end(secrets[0]) {
			t.Error("a secret in use was ended")
		}
		forget("0")
		if !end(secrets[0]) || end(secrets[0]) {
			t.Error("not ended exactly once")
		}
		forget("1")
		if end(secrets[1]) {
			t.Error("the only secret was ended")
		}
	})
}

func TestStoreWork(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		ctx := t.Context()
		id := addStore(t, db, "shop").ID
		want := func(cause affiliate.StoreJobCause, from time.Time, wantCause affiliate.StoreJobCause,
			wantFrom time.Time) {
			t.Helper()
			inTx(t, db, func(tx *storage.Tx) error { return tx.WantComparison(ctx, id, cause, from) })
			if w, err := db.StoreWork(ctx, id); w.Wanted != wantCause || !w.WantedFrom.Equal(wantFrom) || err != nil {
				t.Errorf("%+v %v, want %s from %v", w, err, wantCause, wantFrom)
			}
		}
		if w, err := db.StoreWork(ctx, id); w != (storage.StoreWork{StoreID: id}) || err != nil {
			t.Errorf("%+v %v", w, err)
		}
		want(affiliate.CauseWebhook, noon, affiliate.CauseWebhook, noon)
		want(affiliate.CauseOutage, noon.Add(-time.Hour), affiliate.CauseWebhook, noon.Add(-time.Hour))
		want(affiliate.CauseDoubt, noon, affiliate.CauseWebhook, noon.Add(-time.Hour))
		look := func(now, after time.Time) bool {
			ok, err := db.ClaimWebhookLook(ctx, id, now, after)
			if err != nil {
				t.Error(err)
			}
			return ok
		}
		if !look(noon, noon) || look(noon.Add(time.Minute), noon.Add(-time.Minute)) ||
			!look(noon.Add(time.Minute), noon) || !look(noon.Add(-time.Hour), noon.Add(-2*time.Hour)) {
			t.Error("looks at webhooks are not claimed once for a time, or not after the clock was set back")
		}
	})
}

// TestTakeStoreLease_race: of many who want it at once one gets a lease, at first and when it has run out.
func TestTakeStoreLease_race(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		id := addStore(t, db, "shop").ID
		for round := range 3 {
			now := noon.Add(time.Duration(round) * time.Minute)
			var won atomic.Int32
			var work sync.WaitGroup
			for i := range 8 {
				work.Go(func() {
					ok, err := db.TakeStoreLease(t.Context(), id, fmt.Sprint(round, i), now, time.Minute)
					if err != nil {
						t.Error(err)
					}
					if ok {
						won.Add(1)
					}
				})
			}
			work.Wait()
			if won.Load() != 1 {
				t.Errorf("round %d: %d have the lease", round, won.Load())
			}
		}
	})
}
