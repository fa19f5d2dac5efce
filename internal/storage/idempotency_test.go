package storage_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// TestAlongside: what goes alongside is committed with the first write that is, whatever kind of write, and no other.
func TestAlongside(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		store := addStore(t, db, "shop")
		runs := 0
		var refusal error
		ctx := storage.Alongside(t.Context(), func(ctx context.Context, tx *storage.Tx) error {
			runs++
			if err := tx.EndStoreSecrets(ctx, store.ID, noon); err != nil {
				return err
			}
			return refusal
		})
		active := func() (n int) {
			t.Helper()
			secrets, err := db.StoreSecrets(t.Context(), store.ID)
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range secrets {
				if s.EndedAt.IsZero() {
					n++
				}
			}
			return n
		}
		addSecret := func(ctx context.Context) error {
			return db.InTx(ctx, func(tx *storage.Tx) error {
				_, err := tx.AddStoreSecret(ctx, store.ID, []byte("sealed"), noon)
				return err
			})
		}
		if err := addSecret(t.Context()); err != nil || active() != 1 || runs != 0 {
			t.Fatalf("a write of another context: %v, %d active, %d runs", err, active(), runs)
		}
		failed := errors.New("failed")
		if err := db.InTx(ctx, func(*storage.Tx) error { return failed }); !errors.Is(err, failed) || runs != 0 {
			t.Errorf("after a write that fails: %v, %d runs, want none", err, runs)
		}
		refusal = errors.New("refused")
		if err := addSecret(ctx); !errors.Is(err, refusal) || active() != 1 || runs != 1 {
			t.Errorf("a refusal: %v, %d active, %d runs, want it to roll everything back", err, active(), runs)
		}
		refusal = nil
		if n, err := db.ReplayDeliveries(ctx, storage.ReplayFilter{Failed: true}, nil); n != 0 || err != nil ||
			active() != 0 || runs != 2 {
			t.Errorf("a single statement: %d, %v, %d active, %d runs", n, err, active(), runs)
		}
		if err := addSecret(ctx); err != nil || active() != 1 || runs != 2 {
			t.Errorf("the second write: %v, %d active, %d runs, want it to go alone", err, active(), runs)
		}
	})
}

func run(key string, request string, at time.Time) storage.IdempotentRequest {
	return storage.IdempotentRequest{Principal: "tok_1", Key: key, Request: []byte(request), StartedAt: at}
}

// TestIdempotent_life walks a key through its states.
func TestIdempotent_life(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		begin := func(r storage.IdempotentRequest, want storage.IdempotencyState) *storage.IdempotentAnswer {
			t.Helper()
			kept, err := db.BeginIdempotent(t.Context(), r)
			got := storage.IdempotencyState("")
			if kept != nil {
				got = kept.State
			}
			if err != nil || got != want {
				t.Fatalf("begin: %q, %v, want %q", got, err, want)
			}
			return kept
		}
		apply := func(r storage.IdempotentRequest) error {
			return db.InTx(t.Context(), func(tx *storage.Tx) error { return tx.ApplyIdempotent(t.Context(), r) })
		}
		forget := func(r storage.IdempotentRequest, want bool) {
			t.Helper()
			if got, err := db.ForgetIdempotent(t.Context(), r); got != want || err != nil {
				t.Errorf("forget: %v, %v, want %v", got, err, want)
			}
		}
		first := run("k", "a", noon)
		begin(first, "")
		begin(run("other", "a", noon), "")
		begin(storage.IdempotentRequest{Principal: "tok_2", Key: "k", Request: []byte("b"), StartedAt: noon}, "")
		begin(run("k", "a", noon.Add(59*time.Second)), storage.IdempotencyStarted)
		forget(first, true)
		begin(first, "")
		if kept := begin(run("k", "b", noon.Add(2*time.Minute)),
			storage.IdempotencyStarted); string(kept.Request) != "a" {
			t.Errorf("another request took the place of %q", kept.Request)
		}
		repeat := run("k", "a", noon.Add(61*time.Second))
		begin(repeat, "") // takes the place of the first, which had no effect
		if err := apply(first); affiliate.KindOf(err) != affiliate.Conflict {
			t.Errorf("the first is applied after a repeat took its place: %v", err)
		}
		forget(first, false)
		if err := apply(repeat); err != nil {
			t.Fatal(err)
		}
		if err := apply(repeat); affiliate.KindOf(err) != affiliate.Conflict {
			t.Errorf("applied twice: %v", err)
		}
		forget(repeat, false)
		begin(run("k", "a", noon.Add(time.Hour)), storage.IdempotencyApplied)
		if err := db.AnswerIdempotent(t.Context(), repeat, 201, `{"Etag":"x"}`, []byte("body")); err != nil {
			t.Fatal(err)
		}
		if kept := begin(run("k", "a", noon.Add(24*time.Hour)), storage.IdempotencyAnswered); kept.Status != 201 ||
			kept.Headers != `{"Etag":"x"}` || string(kept.Body) != "body" ||
			string(kept.Request) != "a" {
			t.Errorf("kept: %+v", kept)
		}
		begin(run("k", "b", repeat.StartedAt.Add(storage.IdempotencyKept+time.Second)), "") // too old to count

		if n, err := db.PurgeIdempotent(t.Context(), noon, 100); n != 0 || err != nil {
			t.Errorf("purged %d, %v", n, err)
		}
		if n, err := db.PurgeIdempotent(t.Context(), noon.Add(time.Second), 1); n != 1 || err != nil {
			t.Errorf("purged %d, %v, want one of the two old ones", n, err)
		}
		if n, err := db.PurgeIdempotent(t.Context(), noon.Add(48*time.Hour), 100); n != 2 || err != nil {
			t.Errorf("purged %d, %v, want the rest", n, err)
		}
	})
}

// TestIdempotent_race: of twenty that begin at once, one does, even where an old one's place is to be taken.
func TestIdempotent_race(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		for _, at := range []time.Time{noon, noon.Add(2 * time.Minute)} {
			var mu sync.Mutex
			var all sync.WaitGroup
			began := 0
			for i := range 20 {
				all.Go(func() {
					kept, err := db.BeginIdempotent(t.Context(),
						run("k", "a", at.Add(time.Duration(i)*time.Microsecond)))
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
					}
					if kept == nil {
						began++
					}
				})
			}
			all.Wait()
			if began != 1 {
				t.Errorf("%d began, want 1", began)
			}
		}
	})
}
