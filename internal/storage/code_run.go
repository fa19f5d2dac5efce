package storage

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// codeItemRow is an item with what only its table says.
type codeItemRow struct {
	affiliate.CodeItem
	Open bool // its run has begun, and it is waiting or asked
}

var (
	codeRunTable    = tableOf[affiliate.CodeRun]("code_runs", "offer_id")
	codeRunColumns  = columnsOf[affiliate.CodeRun]()
	codeItemTable   = tableOf[codeItemRow]("code_items", "old_code_id", "new_code_id")
	codeItemColumns = columnsOf[affiliate.CodeItem]()
	newestRun       = Keyset{Keys: []Key{{SQL: "id", Descending: true}}}
)

// CreateCodeRun writes a new run with its items, all of which are to be of it, and gives its id.
func (tx *Tx) CreateCodeRun(ctx context.Context, r affiliate.CodeRun,
	items []affiliate.CodeItem) (affiliate.CodeRun, error) {
	if err := codeRunTable.create(ctx, tx, r, &r.ID); err != nil {
		return r, err
	}
	rows := make([]codeItemRow, len(items))
	for i, item := range items {
		item.RunID = r.ID
		rows[i] = codeItemRow{CodeItem: item}
	}
	if len(rows) == 0 {
		return r, nil
	}
	return r, codeItemTable.insert(ctx, tx, rows, "", nil, nil)
}

// CodeRun gives one run; NotFound when there is none.
func (q queries) CodeRun(ctx context.Context, id affiliate.CodeRunID) (affiliate.CodeRun, error) {
	return getOne[affiliate.CodeRun](ctx, q, id, `SELECT `+codeRunColumns.of("")+` FROM code_runs WHERE id = ?`, id)
}

// HoldCodeRun gives one run and holds it until the transaction ends; NotFound when there is none.
func (tx *Tx) HoldCodeRun(ctx context.Context, id affiliate.CodeRunID) (affiliate.CodeRun, error) {
	return getOne[affiliate.CodeRun](ctx, tx.queries, id, `SELECT `+codeRunColumns.of("")+` FROM code_runs WHERE id = ?`+tx.d.lockRows, id)
}

// SaveCodeRun writes a run.
func (tx *Tx) SaveCodeRun(ctx context.Context, r affiliate.CodeRun) error {
	return codeRunTable.save(ctx, tx, r)
}

// CodeRuns lists the runs of an offer, or of all when it is 0, the newest first. Drafts are left out.
func (q queries) CodeRuns(ctx context.Context, offer affiliate.OfferID, p Page) ([]affiliate.CodeRun, string, error) {
	var f Filter
	f.And("state <> 'draft'")
	Is(&f, "offer_id", offer)
	return paged[affiliate.CodeRun](ctx, q, `SELECT `+codeRunColumns.of("")+` FROM code_runs`, f, newestRun, p)
}

// OpenCodeRuns gives the runs that wait for their time or are under way, the oldest first.
func (q queries) OpenCodeRuns(ctx context.Context) ([]affiliate.CodeRun, error) {
	list := []affiliate.CodeRun{}
	err := q.List(ctx, &list, `SELECT `+codeRunColumns.of("")+` FROM code_runs WHERE state IN ('waiting', 'running') ORDER BY id`)
	return list, err
}

// DropCodeRun forgets a run with its items.
func (tx *Tx) DropCodeRun(ctx context.Context, id affiliate.CodeRunID) error {
	_, err := tx.exec(ctx, `DELETE FROM code_runs WHERE id = ?`, id)
	return err
}

// DropCodeDrafts forgets drafts that were made before a time, with their items, at most limit of them. The state is
// asked for twice, since PostgreSQL looks only at what is outside again once a row has waited for who is starting it.
func (db *DB) DropCodeDrafts(ctx context.Context, before time.Time, limit int) (int64, error) {
	return db.exec(ctx, `DELETE FROM code_runs WHERE id IN (SELECT id FROM code_runs WHERE state = 'draft' AND created_at < ?
		ORDER BY id LIMIT ?) AND state = 'draft'`, At(before), limit)
}

// BeginCodeItems sets the items of a run going that are not left out.
func (tx *Tx) BeginCodeItems(ctx context.Context, run affiliate.CodeRunID) error {
	_, err := tx.exec(ctx, `UPDATE code_items SET open = TRUE WHERE run_id = ? AND state IN ('waiting', 'asked')`, run)
	return err
}

// SetCodeItems moves all items of a run from some states to another, and has them go on if that is waiting, but for
// those that no code could be chosen for. It says how many there were.
func (tx *Tx) SetCodeItems(ctx context.Context, run affiliate.CodeRunID, from []affiliate.CodeItemState,
	to affiliate.CodeItemState, now time.Time) (int64, error) {
	args := []any{to, to == affiliate.ItemWaiting, At(now), run}
	for _, s := range from {
		args = append(args, s)
	}
	return tx.exec(ctx, `UPDATE code_items SET state = ?, open = ?, trouble = '', updated_at = ? WHERE run_id = ?
		AND (base <> '' OR step <> 'make') AND state IN (?`+strings.Repeat(", ?", len(from)-1)+`)`, args...)
}

// OpenCodeItems gives the first items of a store that are to be done, by id: those that need the store's API, or those
// that do not.
func (q queries) OpenCodeItems(ctx context.Context, store affiliate.StoreID, asking bool,
	limit int) ([]affiliate.CodeItem, error) {
	list := []affiliate.CodeItem{}
	err := q.List(ctx, &list, `SELECT `+codeItemColumns.of("")+` FROM code_items WHERE store_id = ? AND open
		AND (step IN ('make', 'change')) = ? ORDER BY id LIMIT ?`, store, asking, limit)
	return list, err
}

// OpenItemStores gives the stores that have items to be done.
func (q queries) OpenItemStores(ctx context.Context) ([]affiliate.StoreID, error) {
	list := []affiliate.StoreID{}
	err := q.List(ctx, &list, `SELECT DISTINCT store_id FROM code_items WHERE open ORDER BY store_id`)
	return list, err
}

// IdleCodeRuns gives the runs under way that have nothing left to be done, neither here nor by hand.
func (q queries) IdleCodeRuns(ctx context.Context) ([]affiliate.CodeRunID, error) {
	list := []affiliate.CodeRunID{}
	err := q.List(ctx, &list, `SELECT id FROM code_runs r WHERE state = 'running' AND NOT EXISTS (SELECT 1 FROM code_items i
		WHERE i.run_id = r.id AND i.state IN ('waiting', 'asked', 'by_hand')) ORDER BY id`)
	return list, err
}

// ProvedCodeItems gives items whose new code was to be typed into a store, and orders have come with it since. Where an
// old one is to be ended at once, that is still to be done.
func (q queries) ProvedCodeItems(ctx context.Context, limit int) ([]affiliate.CodeItem, error) {
	list := []affiliate.CodeItem{}
	err := q.List(ctx, &list, `SELECT `+codeItemColumns.of("i")+` FROM code_items i JOIN code_runs r ON r.id = i.run_id
		WHERE i.state = 'by_hand' AND r.state = 'running' AND i.step = 'make' AND (r.action = 'make' OR r.overlap_days > 0)
			AND EXISTS (SELECT 1 FROM conversions v
			WHERE v.offer_member_id = i.offer_member_id AND v.code_id = i.new_code_id AND v.credited)
		ORDER BY i.id LIMIT ?`, limit)
	return list, err
}

// ItemsOfCodes gives which of some codes items are at, or wait for somebody to do it by hand.
func (q queries) ItemsOfCodes(ctx context.Context, owners []affiliate.OfferMemberID) ([]affiliate.CodeItem, error) {
	return listOf[affiliate.CodeItem](ctx, q, `SELECT `+codeItemColumns.of("i")+` FROM code_items i JOIN code_runs r ON r.id = i.run_id
		WHERE i.offer_member_id IN (?) AND r.state = 'running' AND i.state IN ('waiting', 'asked', 'by_hand') ORDER BY i.id`, owners)
}

// CodeItemsByID gives some items, by id.
func (q queries) CodeItemsByID(ctx context.Context, ids []affiliate.CodeItemID) ([]affiliate.CodeItem, error) {
	return listOf[affiliate.CodeItem](ctx, q, `SELECT `+codeItemColumns.of("")+` FROM code_items WHERE id IN (?) ORDER BY id`, ids)
}

// HoldCodeItems gives some items, by id, and holds them until the transaction ends.
func (tx *Tx) HoldCodeItems(ctx context.Context, ids []affiliate.CodeItemID) ([]affiliate.CodeItem, error) {
	return listOf[affiliate.CodeItem](ctx, tx.queries, `SELECT `+codeItemColumns.of("")+` FROM code_items WHERE id IN (?) ORDER BY id`+tx.d.lockRows, ids)
}

// SaveCodeItems writes items of runs that have begun.
func (tx *Tx) SaveCodeItems(ctx context.Context, items []affiliate.CodeItem) error {
	for _, item := range items {
		open := item.State == affiliate.ItemWaiting || item.State == affiliate.ItemAsked
		if err := codeItemTable.save(ctx, tx, codeItemRow{CodeItem: item, Open: open}); err != nil {
			return err
		}
	}
	return nil
}

// SaveDraftItems writes items of drafts.
func (tx *Tx) SaveDraftItems(ctx context.Context, items []affiliate.CodeItem) error {
	for _, item := range items {
		if err := codeItemTable.save(ctx, tx, codeItemRow{CodeItem: item}); err != nil {
			return err
		}
	}
	return nil
}

// CodesUnderWay gives which of some codes of a store, as they are folded, items are about to make that have been asked
// for or are still to be.
func (q queries) CodesUnderWay(ctx context.Context, store affiliate.StoreID,
	folded []string) ([]affiliate.CodeItem, error) {
	return listCodes[affiliate.CodeItem](ctx, q, `SELECT `+codeItemColumns.of("")+` FROM code_items
		WHERE open AND step = 'make' AND store_id = ? AND folded IN (?) ORDER BY id`, store, folded)
}

// ItemsUnderWay gives the items of an offer member in a store that are to be done, or wait for somebody to do it by
// hand, by id.
func (tx *Tx) ItemsUnderWay(ctx context.Context, owner affiliate.OfferMemberID,
	store affiliate.StoreID) ([]affiliate.CodeItem, error) {
	list := []affiliate.CodeItem{}
	err := tx.List(ctx, &list, `SELECT `+codeItemColumns.of("")+` FROM code_items WHERE offer_member_id = ? AND store_id = ?
		AND (open OR state = 'by_hand') ORDER BY id`, owner, store)
	return list, err
}

// CodeItemRow is an item with whom and what it is about, for tables.
type CodeItemRow struct {
	affiliate.CodeItem
	CreatorID affiliate.CreatorID
	MemberID  affiliate.MemberID
	Creator   string
	Handle    string
	Offer     string
	Store     string // slug
	OldCode   string // the code that the action is about; empty of CodeMake
}

// CodeItemFilter narrows the items of a run; zero fields do not.
type CodeItemFilter struct {
	Run    affiliate.CodeRunID
	IDs    []affiliate.CodeItemID
	States []affiliate.CodeItemState
	Search string // in the creator's name or handles, or in the code
}

var itemsByID = Keyset{Keys: []Key{{SQL: "i.id"}}}

// CodeItemPage lists the items of a run by id.
func (q queries) CodeItemPage(ctx context.Context, c CodeItemFilter, p Page) ([]CodeItemRow, string, error) {
	var f Filter
	f.And("i.run_id = ?", c.Run)
	In(&f, "i.id", c.IDs)
	In(&f, "i.state", c.States)
	if text := strings.TrimSpace(c.Search); text != "" {
		f.And(`(LOWER(r.name) LIKE LOWER(?) ESCAPE '\' OR i.folded LIKE ? ESCAPE '\'
			OR EXISTS (SELECT 1 FROM creator_handles h WHERE h.creator_id = r.id AND h.folded LIKE ? ESCAPE '\'))`,
			Containing(text), Containing(cmp.Or(affiliate.FoldCode(text), text)),
			Containing(cmp.Or(affiliate.FoldHandle(text), text)))
	}
	return paged[CodeItemRow](ctx, q, `SELECT `+codeItemColumns.of("i")+`, m.creator_id, m.id AS member_id, r.name AS creator, `+bestHandle+` AS handle,
		o.name AS offer, s.slug AS store, COALESCE(k.code, '') AS old_code
		FROM code_items i JOIN offer_members x ON x.id = i.offer_member_id JOIN offers o ON o.id = x.offer_id
		JOIN campaign_members m ON m.id = x.member_id JOIN creators r ON r.id = m.creator_id JOIN stores s ON s.id = i.store_id
		LEFT JOIN codes k ON k.id = i.old_code_id`, f, itemsByID, p)
}

// CodeItemCounts counts the items of some runs by their states.
func (q queries) CodeItemCounts(ctx context.Context,
	runs []affiliate.CodeRunID) (map[affiliate.CodeRunID]map[affiliate.CodeItemState]int64, error) {
	counts := make(map[affiliate.CodeRunID]map[affiliate.CodeItemState]int64, len(runs))
	if len(runs) == 0 {
		return counts, nil
	}
	var rows []struct {
		RunID affiliate.CodeRunID
		State affiliate.CodeItemState
		N     int64
	}
	err := q.ListIn(ctx, &rows, `SELECT run_id, state, COUNT(*) AS n FROM code_items WHERE run_id IN (?) GROUP BY run_id, state`, runs)
	for _, r := range rows {
		if counts[r.RunID] == nil {
			counts[r.RunID] = map[affiliate.CodeItemState]int64{}
		}
		counts[r.RunID][r.State] = r.N
	}
	return counts, err
}

// OfferMemberItem is a member of an offer as tables of their codes show them.
type OfferMemberItem struct {
	ID            affiliate.OfferMemberID
	MemberID      affiliate.MemberID
	CampaignID    affiliate.CampaignID
	CreatorID     affiliate.CreatorID
	Creator       string
	Handle        string
	InactiveSince Time
}

// OfferMemberSearch narrows a list of the current members of an offer; zero fields do not.
type OfferMemberSearch struct {
	Offer   affiliate.OfferID
	Text    string // in the creator's name or handles, or in a code of theirs
	Without bool   // only those without a code at now
	Active  bool   // without those who are inactive
	IDs     []affiliate.OfferMemberID
}

var offerMembersByName = Keyset{Keys: []Key{{SQL: "r.name", Column: "creator", Kind: TextKey}, {SQL: "x.id"}}}

// filter narrows to the search; of the aliases x, m and r.
func (s OfferMemberSearch) filter(now time.Time) Filter {
	var f Filter
	f.And("x.offer_id = ? AND x.removed_at IS NULL AND m.removed_at IS NULL AND r.removed_at IS NULL", s.Offer)
	In(&f, "x.id", s.IDs)
	if s.Active {
		f.And("x.inactive_since IS NULL")
	}
	if s.Without {
		f.And(`NOT EXISTS (SELECT 1 FROM codes k WHERE k.offer_member_id = x.id AND (k.valid_to IS NULL OR k.valid_to > ?))`,
			At(now))
	}
	if text := strings.TrimSpace(s.Text); text != "" {
		f.And(`(LOWER(r.name) LIKE LOWER(?) ESCAPE '\' OR EXISTS (SELECT 1 FROM creator_handles h WHERE h.creator_id = r.id AND h.folded LIKE ? ESCAPE '\')
			OR EXISTS (SELECT 1 FROM codes k WHERE k.offer_member_id = x.id AND k.folded LIKE ? ESCAPE '\'))`,
			Containing(text), Containing(cmp.Or(affiliate.FoldHandle(text), text)),
			Containing(cmp.Or(affiliate.FoldCode(text), text)))
	}
	return f
}

// OfferMemberPage lists the current members of an offer by the creator's name.
func (q queries) OfferMemberPage(ctx context.Context, s OfferMemberSearch, now time.Time,
	p Page) ([]OfferMemberItem, string, error) {
	f := s.filter(now)
	return paged[OfferMemberItem](ctx, q, `SELECT x.id, x.member_id, m.campaign_id, m.creator_id, r.name AS creator, `+bestHandle+` AS handle, x.inactive_since
		FROM offer_members x JOIN campaign_members m ON m.id = x.member_id JOIN creators r ON r.id = m.creator_id`, f, offerMembersByName, p)
}

// DraftHasCode says whether another item of the same run and store makes a code, as it is folded.
func (tx *Tx) DraftHasCode(ctx context.Context, item affiliate.CodeItem, folded string) (has bool, err error) {
	err = tx.Get(ctx, &has, `SELECT EXISTS (SELECT 1 FROM code_items WHERE run_id = ? AND store_id = ? AND folded = ? AND id <> ?
		AND state <> 'canceled' AND step = 'make')`, item.RunID, item.StoreID, folded, item.ID)
	return has, err
}

// StoresOfRun gives the stores that a run has items in.
func (q queries) StoresOfRun(ctx context.Context, run affiliate.CodeRunID) ([]affiliate.StoreID, error) {
	list := []affiliate.StoreID{}
	err := q.List(ctx, &list, `SELECT DISTINCT store_id FROM code_items WHERE run_id = ? ORDER BY store_id`, run)
	return list, err
}
