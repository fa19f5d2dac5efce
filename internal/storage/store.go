package storage

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// storeRow is a store with what only its table says.
type storeRow struct {
	affiliate.Store
	OtherShop string
}

// What deliveries say about a store is written by others, at any time.
var (
	storeTable = tableOf[storeRow]("stores").
			keeping("slug", "platform", "warning", "last_delivery_at", "last_processed_at", "other_shop")
	storeColumns = columnsOf[affiliate.Store]()
)

// Store gives one store; NotFound when there is none.
func (q queries) Store(ctx context.Context, id affiliate.StoreID) (affiliate.Store, error) {
	return getOne[affiliate.Store](ctx, q, id, `SELECT `+storeColumns.of("")+` FROM stores WHERE id = ?`, id)
}

// StoreBySlug gives one store; NotFound when there is none.
func (q queries) StoreBySlug(ctx context.Context, slug string) (affiliate.Store, error) {
	return getOne[affiliate.Store](ctx, q, named("store "+slug), `SELECT `+storeColumns.of("")+` FROM stores WHERE slug = ?`, slug)
}

// StoreNamed gives the store that is named by its id ("str_1") or its slug; NotFound when there is none.
func (q queries) StoreNamed(ctx context.Context, ref string) (affiliate.Store, error) {
	if !strings.HasPrefix(ref, "str_") {
		return q.StoreBySlug(ctx, ref)
	}
	id, err := affiliate.ParseID[affiliate.StoreID]("str_", ref)
	if err != nil {
		return affiliate.Store{}, affiliate.ForPeople(affiliate.Errorf(affiliate.NotFound, "%s", err),
			"there is no such store")
	}
	return q.Store(ctx, id)
}

// Stores lists stores by slug, ended ones included.
func (q queries) Stores(ctx context.Context, p Page) ([]affiliate.Store, string, error) {
	return paged[affiliate.Store](ctx, q, `SELECT `+storeColumns.of("")+` FROM stores`, Filter{}, byText("slug", "id"), p)
}

// StoresByDomain gives the stores of a platform and domain that were not ended.
func (q queries) StoresByDomain(ctx context.Context, p affiliate.Platform, domain string) ([]affiliate.Store, error) {
	list := []affiliate.Store{}
	err := q.List(ctx, &list, `SELECT `+storeColumns.of("")+` FROM stores WHERE platform = ? AND domain = ? AND state <> 'ended' ORDER BY id`,
		p, domain)
	return list, err
}

// CreateStore writes a new store and gives it with its id. Conflict when the slug is taken.
func (tx *Tx) CreateStore(ctx context.Context, s affiliate.Store) (affiliate.Store, error) {
	s.Version, s.Parts = 1, cmp.Or(s.Parts, affiliate.PartsDecide)
	err := storeTable.create(ctx, tx, storeRow{Store: s}, &s.ID, "ON CONFLICT (slug) DO NOTHING")
	return s, taken(err, "slug", "the slug %q is taken by another store", s.Slug)
}

// SaveStore writes the changeable fields of a store that was read as s.Version.
func (tx *Tx) SaveStore(ctx context.Context, s affiliate.Store) (affiliate.Store, error) {
	err := storeTable.save(ctx, tx, storeRow{Store: s})
	s.Version++
	return s, err
}

// AddStoreSecret keeps a sealed webhook secret beside those that the store has.
func (tx *Tx) AddStoreSecret(ctx context.Context, store affiliate.StoreID, sealed []byte,
	now time.Time) (affiliate.StoreSecretID, error) {
	var id affiliate.StoreSecretID
	err := tx.Get(ctx, &id, `INSERT INTO store_secrets (store_id, sealed, created_at) VALUES (?, ?, ?) RETURNING id`,
		store, sealed, At(now))
	return id, err
}

// StoreSecrets lists the webhook secrets of a store without their values, oldest first, ended ones included.
func (q queries) StoreSecrets(ctx context.Context, store affiliate.StoreID) ([]affiliate.StoreSecret, error) {
	list := []affiliate.StoreSecret{}
	err := q.List(ctx, &list, `SELECT `+columnsOf[affiliate.StoreSecret]().of("")+` FROM store_secrets WHERE store_id = ? ORDER BY id`, store)
	return list, err
}

// EndStoreSecret ends one active secret of a store; NotFound when it has none of that id.
func (tx *Tx) EndStoreSecret(ctx context.Context, store affiliate.StoreID, id affiliate.StoreSecretID,
	now time.Time) error {
	n, err := tx.exec(ctx, `UPDATE store_secrets SET ended_at = ? WHERE id = ? AND store_id = ? AND ended_at IS NULL`, At(now), id, store)
	if err == nil && n == 0 {
		err = affiliate.ForPeople(affiliate.Errorf(affiliate.NotFound, "the store has no active secret %s", id),
			"the store has no such secret any more")
	}
	return err
}

// EndStoreSecrets ends all secrets of a store.
func (tx *Tx) EndStoreSecrets(ctx context.Context, store affiliate.StoreID, now time.Time) error {
	_, err := tx.exec(ctx, `UPDATE store_secrets SET ended_at = ? WHERE store_id = ? AND ended_at IS NULL`, At(now), store)
	return err
}

// ReceiverStore is what a receiver must know of a store to check its deliveries.
type ReceiverStore struct {
	ID       affiliate.StoreID
	Slug     string
	Platform affiliate.Platform
	Domain   string
	Sealed   [][]byte // active secrets, sealed, oldest first
}

// ReceiverStores gives all stores that were not ended, by slug, with their active secrets. Deliveries are checked with
// them, so this waits behind no other work.
func (db *DB) ReceiverStores(ctx context.Context) ([]ReceiverStore, error) {
	q := db.queries
	if !db.Embedded() {
		q.c = db.vital
	}
	var rows []struct {
		ID       affiliate.StoreID
		Slug     string
		Platform affiliate.Platform
		Domain   string
		Sealed   []byte
	}
	err := q.List(ctx, &rows, `SELECT s.id, s.slug, s.platform, s.domain, x.sealed FROM stores s
		LEFT JOIN store_secrets x ON x.store_id = s.id AND x.ended_at IS NULL
		WHERE s.state <> 'ended' ORDER BY s.slug, x.id`)
	var list []ReceiverStore
	for _, r := range rows {
		if n := len(list); n == 0 || list[n-1].ID != r.ID {
			list = append(list, ReceiverStore{ID: r.ID, Slug: r.Slug, Platform: r.Platform, Domain: r.Domain})
		}
		if r.Sealed != nil {
			last := &list[len(list)-1]
			last.Sealed = append(last.Sealed, r.Sealed)
		}
	}
	return list, err
}
