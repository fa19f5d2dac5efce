package storage

import (
	"context"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// lastRune is behind all others: what begins with a text is before the text and it.
const lastRune = "\U0010FFFF"

// beginning adds the condition that a folded column begins with a text, which an index of the column's bytes answers
// in both databases.
func (q queries) beginning(f *Filter, column, text string) {
	column = q.d.bytewise(column)
	f.And(column+" >= LOWER(?) AND "+column+" < LOWER(?)", text, text+lastRune)
}

// bytewise is a text as it is compared by its bytes.
func (d dialect) bytewise(column string) string {
	if d.dollar {
		return "(" + column + ` COLLATE "C")`
	}
	return column
}

// foldedNumber is an order's number as searches compare it: stores write "#1013" as well as "1013".
const foldedNumber = "LTRIM(LOWER(o.number), '#')"

// OrdersNamed gives at most n orders whose number begins with a text, that number itself and then the shortest first,
// with those whose id in their store it is.
func (q queries) OrdersNamed(ctx context.Context, text string, n int) ([]OrderRow, error) {
	text = strings.TrimLeft(text, "#")
	called, err := q.ordersCalled(ctx, text, n)
	if err != nil {
		return nil, err
	}
	var f Filter
	q.beginning(&f, foldedNumber, text)
	f.And("o.placed_at IS NOT NULL")
	var list []OrderRow
	err = q.List(ctx, &list, foundOrders+f.Where()+" ORDER BY "+q.d.bytewise(foldedNumber)+", o.id LIMIT ?",
		append(f.Args, n)...)
	if err != nil {
		return nil, err
	}
	for _, o := range called {
		if !slices.ContainsFunc(list, func(l OrderRow) bool { return l.ID == o.ID }) {
			list = append(list, o)
		}
	}
	// The number that was typed is meant before the id in a store, which people see nowhere else.
	slices.SortStableFunc(list, func(a, b OrderRow) int { return exactly(b, text) - exactly(a, text) })
	list = list[:min(n, len(list))]
	return list, q.addConversions(ctx, list)
}

var foundOrders = `SELECT ` + orderColumns.of("o") + `, s.slug AS store FROM orders o JOIN stores s ON s.id = o.store_id`

// ordersCalled gives the orders that stores call by an id.
func (q queries) ordersCalled(ctx context.Context, external string, n int) (list []OrderRow, err error) {
	err = q.List(ctx, &list, foundOrders+` WHERE o.store_id IN (SELECT id FROM stores) AND o.external_id = ?
		AND o.placed_at IS NOT NULL LIMIT ?`, external, n)
	return list, err
}

// exactly is how well an order fits a text: 2 by its number, 1 by its id in the store.
func exactly(o OrderRow, text string) int {
	switch {
	case strings.EqualFold(strings.TrimLeft(o.Number, "#"), text):
		return 2
	case o.ExternalID == text:
		return 1
	}
	return 0
}

// CreatorsNamed gives at most n creators whose name, e-mail address or one handle begins with a text, by name. When
// that finds fewer, it looks for later words of names as well, which reads all creators: they are some thousands.
func (q queries) CreatorsNamed(ctx context.Context, text string, n int) ([]affiliate.Creator, error) {
	list, err := q.creatorsBeginning(ctx, text, n)
	if err != nil || len(list) >= n {
		return list, err
	}
	more, err := q.creators(ctx, `SELECT `+creatorColumns.of("")+` FROM creators WHERE LOWER(name) LIKE LOWER(?) ESCAPE '\'
		ORDER BY LOWER(name), id LIMIT ?`, "% "+Containing(text)[1:], n)
	for _, c := range more {
		if len(list) < n && !slices.ContainsFunc(list, func(l affiliate.Creator) bool { return l.ID == c.ID }) {
			list = append(list, c)
		}
	}
	return list, err
}

// creatorsBeginning gives at most n creators whose name, e-mail address or one handle begins with a text.
func (q queries) creatorsBeginning(ctx context.Context, text string, n int) ([]affiliate.Creator, error) {
	var name, email, handle Filter
	q.beginning(&name, "LOWER(name)", text)
	q.beginning(&email, "LOWER(email)", text)
	q.beginning(&handle, "folded", affiliate.FoldHandle(text))
	args := slices.Concat(name.Args, []any{n}, email.Args, []any{n}, handle.Args, []any{n, n})
	return q.creators(ctx, `SELECT `+creatorColumns.of("")+` FROM creators WHERE id IN (
		SELECT id FROM (SELECT id FROM creators`+name.Where()+` LIMIT ?) a UNION
		SELECT id FROM (SELECT id FROM creators`+email.Where()+` LIMIT ?) b UNION
		SELECT creator_id FROM (SELECT creator_id FROM creator_handles`+handle.Where()+` LIMIT ?) c)
		ORDER BY LOWER(name), id LIMIT ?`, args...)
}

// Owned is a code or a link with whose it is.
type Owned struct {
	Text     string // the code, or the link's slug
	Link     affiliate.LinkID
	Creator  string // the name
	Store    string // the name; empty for a link
	Member   affiliate.MemberID
	Campaign affiliate.CampaignID
	Named    string // the campaign's name
	Ended    bool
}

// ownersOf joins an offer's member x with the creator r, the campaign g and the member m of it.
const ownersOf = ` JOIN offer_members x ON x.id = k.offer_member_id JOIN campaign_members m ON m.id = x.member_id
	JOIN creators r ON r.id = m.creator_id JOIN campaigns g ON g.id = m.campaign_id`

const ownerColumns = `, r.name AS creator, g.id AS campaign, g.name AS named, m.id AS member`

// CodesNamed gives at most n codes that begin with a text, with their owners, ended ones included.
func (q queries) CodesNamed(ctx context.Context, text string, n int) (list []Owned, err error) {
	var f Filter
	q.beginning(&f, "k.folded", affiliate.FoldCode(text))
	err = q.List(ctx, &list, `SELECT k.code AS text, s.name AS store, k.valid_to IS NOT NULL AS ended`+ownerColumns+`
		FROM codes k JOIN stores s ON s.id = k.store_id`+ownersOf+f.Where()+`
		ORDER BY `+q.d.bytewise("k.folded")+`, k.id LIMIT ?`, append(f.Args, n)...)
	return list, err
}

// LinksNamed gives at most n links whose slug begins with a text, with their owners, ended ones included.
func (q queries) LinksNamed(ctx context.Context, text string, n int) (list []Owned, err error) {
	var f Filter
	q.beginning(&f, "k.slug", affiliate.FoldSlug(text))
	err = q.List(ctx, &list, `SELECT k.slug AS text, k.id AS link, k.ended_at IS NOT NULL AS ended`+ownerColumns+`
		FROM links k`+ownersOf+f.Where()+` ORDER BY `+q.d.bytewise("k.slug")+`, k.id LIMIT ?`, append(f.Args, n)...)
	return list, err
}

// CampaignsNamed gives at most n campaigns with a text in their names, the newest first.
func (q queries) CampaignsNamed(ctx context.Context, text string, n int) (list []affiliate.Campaign, err error) {
	err = q.List(ctx, &list, `SELECT `+campaignColumns.of("")+` FROM campaigns WHERE LOWER(name) LIKE LOWER(?) ESCAPE '\'
		ORDER BY id DESC LIMIT ?`, Containing(text), n)
	return list, err
}

// OffersNamed gives at most n offers with a text in their names, the newest first.
func (q queries) OffersNamed(ctx context.Context, text string, n int) ([]affiliate.Offer, error) {
	var rows []offerRow
	err := q.List(ctx, &rows, `SELECT `+offerColumns.of("")+` FROM offers WHERE LOWER(name) LIKE LOWER(?) ESCAPE '\'
		ORDER BY id DESC LIMIT ?`, Containing(text), n)
	return domains[offerRow, affiliate.Offer](rows), err
}
