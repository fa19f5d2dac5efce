package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// EntryBatch is a request that posted entries by hand, kept so that the same request posts once.
type EntryBatch struct {
	ID        affiliate.EntryBatchID
	Key       string // unique
	Kind      affiliate.EntryKind
	Entries   int64 // that were posted
	Reason    string
	Request   string // what tells it from another one under the same key
	Results   string // JSON: what became of each creator
	Author    string
	CreatedAt time.Time
}

var (
	entryBatchTable   = tableOf[EntryBatch]("entry_batches")
	entryBatchColumns = columnsOf[EntryBatch]()
)

// EntryBatchOfKey gives the request that had a key; NotFound when none had.
func (q queries) EntryBatchOfKey(ctx context.Context, key string) (EntryBatch, error) {
	return getOne[EntryBatch](ctx, q, named("a batch of entries with this key"), `SELECT `+entryBatchColumns.of("")+
		` FROM entry_batches WHERE key = ?`, key)
}

// CreateEntryBatch writes a request; Conflict for a key that another one has.
func (tx *Tx) CreateEntryBatch(ctx context.Context, b EntryBatch) (id affiliate.EntryBatchID, err error) {
	err = entryBatchTable.create(ctx, tx, b, &id, "ON CONFLICT (key) DO NOTHING")
	return id, taken(err, "key", "was used for other entries; ask for these with a new one")
}

// OfferAccounts gives the accounts of creators in an offer, of removed members as well. Who is no member has none.
func (q queries) OfferAccounts(ctx context.Context, offer affiliate.OfferID,
	creators []affiliate.CreatorID) ([]affiliate.Account, error) {
	var list []affiliate.Account
	err := q.ListIn(ctx, &list, `SELECT m.creator_id, m.campaign_id, om.id AS offer_member_id FROM offer_members om
		JOIN campaign_members m ON m.id = om.member_id WHERE om.offer_id = ? AND m.creator_id IN (?) ORDER BY om.id`, offer, creators)
	return list, err
}
