package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// codeRow is an interval of ownership with what only its table says.
type codeRow struct {
	affiliate.Code
	Folded string
}

var (
	codeTable   = tableOf[codeRow]("codes").keeping("offer_member_id", "store_id", "folded", "valid_from")
	codeColumns = columnsOf[affiliate.Code]()
)

// Code gives one interval of ownership; NotFound when there is none.
func (q queries) Code(ctx context.Context, id affiliate.CodeID) (affiliate.Code, error) {
	return getOne[affiliate.Code](ctx, q, id, `SELECT `+codeColumns.of("")+` FROM codes WHERE id = ?`, id)
}

// CodesByID gives some intervals of ownership, by id.
func (q queries) CodesByID(ctx context.Context, ids []affiliate.CodeID) ([]affiliate.Code, error) {
	return listOf[affiliate.Code](ctx, q, `SELECT `+codeColumns.of("")+` FROM codes WHERE id IN (?) ORDER BY id`, ids)
}

// CodeHistory gives all intervals that a code has had in a store, however it is written, oldest first.
func (q queries) CodeHistory(ctx context.Context, store affiliate.StoreID, code string) ([]affiliate.Code, error) {
	list := []affiliate.Code{}
	err := q.List(ctx, &list, `SELECT `+codeColumns.of("")+` FROM codes WHERE store_id = ? AND folded = ? ORDER BY id`, store, affiliate.FoldCode(code))
	return list, err
}

// CodeFilter narrows a list of codes; zero fields do not.
type CodeFilter struct {
	OfferMember affiliate.OfferMemberID
	Store       affiliate.StoreID
	Code        string // however it is written
}

// Codes lists intervals of ownership by id, ended ones included.
func (q queries) Codes(ctx context.Context, c CodeFilter, p Page) ([]affiliate.Code, string, error) {
	var f Filter
	if c.OfferMember != 0 {
		f.And("offer_member_id = ?", c.OfferMember)
	}
	if c.Store != 0 {
		f.And("store_id = ?", c.Store)
	}
	if c.Code != "" {
		f.And("folded = ?", affiliate.FoldCode(c.Code))
	}
	return paged[affiliate.Code](ctx, q, `SELECT `+codeColumns.of("")+` FROM codes`, f, byID, p)
}

// CreateCode writes a new interval. The caller holds the catalog's lock and has asked affiliate.NextOwnership.
func (tx *Tx) CreateCode(ctx context.Context, c affiliate.Code) (affiliate.Code, error) {
	err := codeTable.create(ctx, tx, codeRow{c, affiliate.FoldCode(c.Code)}, &c.ID)
	return c, err
}

// SaveCode writes the end and the spelling of an interval; its folded form must not change.
func (tx *Tx) SaveCode(ctx context.Context, c affiliate.Code) error {
	return codeTable.save(ctx, tx, codeRow{Code: c})
}

// OrdersWithCode counts the orders of a store without credit that carry a code and were placed in [from, to); zero
// times do not bound.
func (q queries) OrdersWithCode(ctx context.Context, store affiliate.StoreID, code string, from,
	to time.Time) (int, error) {
	f := Filter{}
	f.And("e.kind = 'code' AND e.value = ? AND e.store_id = ?", affiliate.FoldCode(code), store)
	f.placedIn(from, to)
	return q.countEvidence(ctx, f)
}

// OrdersWithSlug counts the orders without credit that carry a link's slug.
func (q queries) OrdersWithSlug(ctx context.Context, slug string) (int, error) {
	f := Filter{}
	f.And("e.kind = 'slug' AND e.value = ?", affiliate.FoldSlug(slug))
	return q.countEvidence(ctx, f)
}

func (f *Filter) placedIn(from, to time.Time) {
	if !from.IsZero() {
		f.And("o.placed_at >= ?", At(from))
	}
	if !to.IsZero() {
		f.And("o.placed_at < ?", At(to))
	}
}

func (q queries) countEvidence(ctx context.Context, f Filter) (int, error) {
	var n int
	err := q.Get(ctx, &n, `SELECT COUNT(DISTINCT e.order_id) FROM unowned_evidence e JOIN orders o ON o.id = e.order_id`+f.Where(), f.Args...)
	return n, err
}

// EvidenceMark says which codes and links there were at a moment.
type EvidenceMark struct {
	Code affiliate.CodeID
	Link affiliate.LinkID
}

// NewestEvidence marks the codes and links that there are now.
func (q queries) NewestEvidence(ctx context.Context) (EvidenceMark, error) {
	var m EvidenceMark
	err := q.Get(ctx, &m, `SELECT COALESCE((SELECT MAX(id) FROM codes), 0) AS code, COALESCE((SELECT MAX(id) FROM links), 0) AS link`)
	return m, err
}

// OrdersWithNewEvidence counts the orders without credit that carry a code or slug that came after a mark.
func (q queries) OrdersWithNewEvidence(ctx context.Context, since EvidenceMark) (int, error) {
	var n int
	err := q.Get(ctx, &n, `SELECT COUNT(*) FROM (
		SELECT e.order_id FROM codes c JOIN unowned_evidence e ON e.kind = 'code' AND e.value = c.folded AND e.store_id = c.store_id
			JOIN orders o ON o.id = e.order_id
			WHERE c.id > ? AND (c.valid_from IS NULL OR o.placed_at >= c.valid_from)
		UNION SELECT e.order_id FROM links l JOIN unowned_evidence e ON e.kind = 'slug' AND e.value = l.slug WHERE l.id > ?) AS waiting`,
		since.Code, since.Link)
	return n, err
}
