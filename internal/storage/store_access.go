package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// StoreAccess is what the API of a store is asked with, and how it answers.
type StoreAccess struct {
	StoreID     affiliate.StoreID
	Kind        affiliate.KeyKind
	Address     string // of the site
	Sealed      []byte // the keys
	Hint        string
	Approved    bool   // the store's owner approved in the store, which made the keys
	Missing     string // what the keys may not do, divided by spaces
	Trouble     string // a sentence; empty while the store answers
	TroubleCode string
	TroubleAt   time.Time
	AnsweredAt  time.Time
	Actor       string
	CreatedAt   time.Time
}

// StoreRequest is a question to a store's owner for keys, without its state, of which only a hash is kept.
type StoreRequest struct {
	State      string // its hash
	Platform   affiliate.Platform
	Address    string
	StoreID    affiliate.StoreID // 0: the store is made
	Slug       string            // of a store that is made; empty: from its domain
	Name       string            // likewise; empty: as the store calls itself
	UserID     affiliate.UserID  // who asked; 0: a token or a command
	Actor      string
	ExpiresAt  time.Time
	AnsweredAt time.Time
	ResultID   affiliate.StoreID // that was connected; 0: not yet
	Trouble    string
}

// StoreWebhook is one that we made in a store.
type StoreWebhook struct {
	StoreID    affiliate.StoreID
	ExternalID string // the store's
	Topic      string
	Address    string
	SecretID   affiliate.StoreSecretID // 0: it has none that we know
	CreatedAt  time.Time
	RetireAt   time.Time // zero while it is in use
}

var (
	storeAccessTable   = tableOf[StoreAccess]("store_access")
	storeAccessColumns = columnsOf[StoreAccess]()

	storeRequestTable   = tableOf[StoreRequest]("store_requests", "store_id", "user_id", "result_id")
	storeRequestColumns = columnsOf[StoreRequest]()

	storeWebhookTable   = tableOf[StoreWebhook]("store_webhooks", "secret_id")
	storeWebhookColumns = columnsOf[StoreWebhook]()
)

// StoreAccess gives what a store's API is asked with; NotFound where its API is not asked.
func (q queries) StoreAccess(ctx context.Context, store affiliate.StoreID) (StoreAccess, error) {
	return getOne[StoreAccess](ctx, q, named("access to the API of "+store.String()),
		`SELECT `+storeAccessColumns.of("")+` FROM store_access WHERE store_id = ?`, store)
}

// StoreAccesses gives those of all stores that were not ended, by store.
func (q queries) StoreAccesses(ctx context.Context) ([]StoreAccess, error) {
	list := []StoreAccess{}
	err := q.List(ctx, &list, `SELECT `+storeAccessColumns.of("a")+` FROM store_access a JOIN stores s ON s.id = a.store_id
		WHERE s.state <> 'ended' ORDER BY a.store_id`)
	return list, err
}

// SetStoreAccess keeps what a store's API is asked with, in place of what was there.
func (tx *Tx) SetStoreAccess(ctx context.Context, access StoreAccess) error {
	if err := tx.DeleteStoreAccess(ctx, access.StoreID); err != nil {
		return err
	}
	return storeAccessTable.insert(ctx, tx, []StoreAccess{access}, "", nil, nil)
}

// DeleteStoreAccess forgets what a store's API is asked with.
func (tx *Tx) DeleteStoreAccess(ctx context.Context, store affiliate.StoreID) error {
	_, err := tx.exec(ctx, `DELETE FROM store_access WHERE store_id = ?`, store)
	return err
}

// NoteStoreAnswer notes that a store's API has answered, which ends its trouble, unless that has one of some codes.
func (db *DB) NoteStoreAnswer(ctx context.Context, store affiliate.StoreID, now time.Time, lasting ...string) error {
	query, args := `UPDATE store_access SET answered_at = ?, trouble = '', trouble_code = '', trouble_at = NULL WHERE store_id = ?`,
		[]any{At(now), store}
	for _, code := range lasting {
		query, args = query+" AND trouble_code <> ?", append(args, code)
	}
	n, err := db.exec(ctx, query, args...)
	if err != nil || n > 0 {
		return err
	}
	_, err = db.exec(ctx, `UPDATE store_access SET answered_at = ? WHERE store_id = ?`, At(now), store)
	return err
}

const setTrouble = `UPDATE store_access SET trouble = ?, trouble_code = ?,
	trouble_at = CASE WHEN trouble_code = ? AND trouble_at IS NOT NULL THEN trouble_at ELSE ? END WHERE store_id = ?`

// NoteStoreTrouble notes why a store's API does not answer; since when stays as long as the code does.
func (db *DB) NoteStoreTrouble(ctx context.Context, store affiliate.StoreID, code, trouble string,
	now time.Time) error {
	_, err := db.exec(ctx, setTrouble, trouble, code, code, At(now), store)
	return err
}

// NoteStoreTrouble is that of DB, within a transaction.
func (tx *Tx) NoteStoreTrouble(ctx context.Context, store affiliate.StoreID, code, trouble string,
	now time.Time) error {
	_, err := tx.exec(ctx, setTrouble, trouble, code, code, At(now), store)
	return err
}

// SetStoreMissing notes what a store's keys may not do.
func (db *DB) SetStoreMissing(ctx context.Context, store affiliate.StoreID, missing string) error {
	_, err := db.exec(ctx, `UPDATE store_access SET missing = ? WHERE store_id = ? AND missing <> ?`, missing, store, missing)
	return err
}

// AddStoreRequest keeps a question to a store's owner, and forgets those that expired before a time.
func (tx *Tx) AddStoreRequest(ctx context.Context, r StoreRequest, forget time.Time) error {
	if _, err := tx.exec(ctx, `DELETE FROM store_requests WHERE expires_at < ?`, At(forget)); err != nil {
		return err
	}
	return storeRequestTable.insert(ctx, tx, []StoreRequest{r}, "", nil, nil)
}

// StoreRequest gives a question by the hash of its state; NotFound when there is none.
func (q queries) StoreRequest(ctx context.Context, state string) (StoreRequest, error) {
	return getOne[StoreRequest](ctx, q, named("such request"),
		`SELECT `+storeRequestColumns.of("")+` FROM store_requests WHERE state = ?`, state)
}

// AnswerStoreRequest claims a question for the one answer that it may have, and gives it; NotFound when there is none
// of this platform that is open.
func (tx *Tx) AnswerStoreRequest(ctx context.Context, state string, p affiliate.Platform,
	now time.Time) (StoreRequest, error) {
	return getOne[StoreRequest](ctx, tx.queries, named("such request"), `UPDATE store_requests SET answered_at = ?
		WHERE state = ? AND platform = ? AND answered_at IS NULL AND expires_at > ?
		RETURNING `+storeRequestColumns.of(""), At(now), state, p, At(now))
}

// EndStoreRequest keeps what an answer came to: a store, or why none was connected.
func (tx *Tx) EndStoreRequest(ctx context.Context, state string, result affiliate.StoreID, trouble string) error {
	var store any
	if result != 0 {
		store = result
	}
	_, err := tx.exec(ctx, `UPDATE store_requests SET result_id = ?, trouble = ? WHERE state = ?`, store, trouble, state)
	return err
}

// StoreWebhooks gives the webhooks that we made in a store, oldest first, replaced ones included.
func (q queries) StoreWebhooks(ctx context.Context, store affiliate.StoreID) ([]StoreWebhook, error) {
	list := []StoreWebhook{}
	err := q.List(ctx, &list, `SELECT `+storeWebhookColumns.of("")+` FROM store_webhooks WHERE store_id = ?
		ORDER BY created_at, external_id`, store)
	return list, err
}

// KeepStoreWebhook keeps a webhook that we made, or have found as ours.
func (tx *Tx) KeepStoreWebhook(ctx context.Context, w StoreWebhook) error {
	return storeWebhookTable.insert(ctx, tx, []StoreWebhook{w},
		storeWebhookTable.upsert(columns{"store_id", "external_id"}, nil), nil, nil)
}

// RetireStoreWebhook notes that a webhook was replaced and is to be deleted at a time.
func (tx *Tx) RetireStoreWebhook(ctx context.Context, store affiliate.StoreID, id string, at time.Time) error {
	_, err := tx.exec(ctx, `UPDATE store_webhooks SET retire_at = ? WHERE store_id = ? AND external_id = ?`, At(at), store, id)
	return err
}

// ForgetStoreWebhook forgets a webhook. Its secret stays.
func (tx *Tx) ForgetStoreWebhook(ctx context.Context, store affiliate.StoreID, id string) error {
	_, err := tx.exec(ctx, `DELETE FROM store_webhooks WHERE store_id = ? AND external_id = ?`, store, id)
	return err
}

// SetWebhookSecret notes that a store signs all of our webhooks with another secret now.
func (tx *Tx) SetWebhookSecret(ctx context.Context, store affiliate.StoreID, secret affiliate.StoreSecretID) error {
	_, err := tx.exec(ctx, `UPDATE store_webhooks SET secret_id = ? WHERE store_id = ?`, secret, store)
	return err
}

// EndUnusedSecret ends a secret that none of our webhooks is signed with any more, unless it is the store's only active
// one, or webhooks with it may be in the store unknown to us; false where it goes on.
func (tx *Tx) EndUnusedSecret(ctx context.Context, store affiliate.StoreID, id affiliate.StoreSecretID,
	now time.Time) (bool, error) {
	n, err := tx.exec(ctx, `UPDATE store_secrets SET ended_at = ? WHERE id = ? AND store_id = ? AND ended_at IS NULL
		AND making = '' AND NOT EXISTS (SELECT 1 FROM store_webhooks w WHERE w.secret_id = store_secrets.id)
		AND EXISTS (SELECT 1 FROM store_secrets o WHERE o.store_id = store_secrets.store_id AND o.id <> store_secrets.id
			AND o.ended_at IS NULL)`, At(now), id, store)
	return n > 0, err
}

// SealedSecret is an active webhook secret of a store.
type SealedSecret struct {
	ID        affiliate.StoreSecretID
	Sealed    []byte
	CreatedAt Time
	Given     bool   // by the store's API
	Making    string // topics, divided by spaces, of webhooks with it that may be in the store unknown to us
	RetireAt  Time   // it ends then, unless webhooks that we made are signed with it; zero: it stays
}

// SealedSecrets gives the active webhook secrets of a store, oldest first.
func (q queries) SealedSecrets(ctx context.Context, store affiliate.StoreID) ([]SealedSecret, error) {
	list := []SealedSecret{}
	err := q.List(ctx, &list, `SELECT id, sealed, created_at, given, making, retire_at FROM store_secrets
		WHERE store_id = ? AND ended_at IS NULL ORDER BY id`, store)
	return list, err
}

// SetSecretMaking notes the topics of webhooks with a secret that may be in the store unknown to us, and when the
// secret ends unless webhooks that we know are signed with it; zero: it stays.
func (tx *Tx) SetSecretMaking(ctx context.Context, id affiliate.StoreSecretID, topics string, retire time.Time) error {
	_, err := tx.exec(ctx, `UPDATE store_secrets SET making = ?, retire_at = ? WHERE id = ?`, topics, At(retire), id)
	return err
}

// DropSecret deletes a secret that nothing was ever signed with; one that a webhook has stays.
func (tx *Tx) DropSecret(ctx context.Context, id affiliate.StoreSecretID) error {
	_, err := tx.exec(ctx, `DELETE FROM store_secrets
		WHERE id = ? AND NOT EXISTS (SELECT 1 FROM store_webhooks w WHERE w.secret_id = store_secrets.id)`, id)
	return err
}

// SetGivenSecret notes which secret a store's API has given last: those that it gave before end at a time.
func (tx *Tx) SetGivenSecret(ctx context.Context, store affiliate.StoreID, id affiliate.StoreSecretID,
	end time.Time) error {
	_, err := tx.exec(ctx, `UPDATE store_secrets SET retire_at = CASE WHEN id = ? THEN NULL ELSE COALESCE(retire_at, ?) END
		WHERE store_id = ? AND given AND ended_at IS NULL`, id, At(end), store)
	return err
}

// MarkSecretGiven notes that a secret came from the store's API.
func (tx *Tx) MarkSecretGiven(ctx context.Context, id affiliate.StoreSecretID) error {
	_, err := tx.exec(ctx, `UPDATE store_secrets SET given = TRUE WHERE id = ?`, id)
	return err
}
