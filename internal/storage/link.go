package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

var (
	linkTable   = tableOf[affiliate.Link]("links", "utm").keeping("offer_member_id", "slug")
	linkColumns = columnsOf[affiliate.Link]()
)

// Link gives one link; NotFound when there is none.
func (q queries) Link(ctx context.Context, id affiliate.LinkID) (affiliate.Link, error) {
	return getOne[affiliate.Link](ctx, q, id, `SELECT `+linkColumns.of("")+` FROM links WHERE id = ?`, id)
}

// LinkBySlug gives one link, ended or not; NotFound when there is none.
func (q queries) LinkBySlug(ctx context.Context, slug string) (affiliate.Link, error) {
	return getOne[affiliate.Link](ctx, q, named("link "+slug), `SELECT `+linkColumns.of("")+` FROM links WHERE slug = ?`, affiliate.FoldSlug(slug))
}

// LinkFilter narrows a list of links; zero fields do not.
type LinkFilter struct {
	OfferMember affiliate.OfferMemberID
	Slug        string
}

// Links lists links by id, ended ones included.
func (q queries) Links(ctx context.Context, l LinkFilter, p Page) ([]affiliate.Link, string, error) {
	var f Filter
	if l.OfferMember != 0 {
		f.And("offer_member_id = ?", l.OfferMember)
	}
	if l.Slug != "" {
		f.And("slug = ?", affiliate.FoldSlug(l.Slug))
	}
	return paged[affiliate.Link](ctx, q, `SELECT `+linkColumns.of("")+` FROM links`, f, byID, p)
}

// TakenSlugs gives those of some slugs that are in use or were.
func (q queries) TakenSlugs(ctx context.Context, slugs []string) (map[string]bool, error) {
	var list []string
	err := q.ListIn(ctx, &list, `SELECT slug FROM links WHERE slug IN (?)`, slugs)
	taken := make(map[string]bool, len(list))
	for _, s := range list {
		taken[s] = true
	}
	return taken, err
}

// CreateLink writes a new link. Conflict when the slug is in use or was.
func (tx *Tx) CreateLink(ctx context.Context, l affiliate.Link) (affiliate.Link, error) {
	err := linkTable.create(ctx, tx, l, &l.ID, "ON CONFLICT (slug) DO NOTHING")
	return l, taken(err, "slug", "the slug %q is taken", l.Slug)
}

// SaveLink writes the changeable fields of a link: kind, landing page, utm parameters and end. Take LockCatalog first:
// whether clicks on it count follows its kind.
func (tx *Tx) SaveLink(ctx context.Context, l affiliate.Link) error {
	before, err := tx.Link(ctx, l.ID)
	if err != nil {
		return err
	}
	if err := linkTable.save(ctx, tx, l); err != nil {
		return err
	}
	return tx.recountClicks(ctx, before, l)
}

// LinkClicks counts the clicks on some links in [from, to), without those of robots; a zero moment bounds nothing.
// Links without any are missing.
func (q queries) LinkClicks(ctx context.Context, ids []affiliate.LinkID, from,
	to time.Time) (map[affiliate.LinkID]int64, error) {
	counts := make(map[affiliate.LinkID]int64, len(ids))
	if len(ids) == 0 {
		return counts, nil
	}
	var f Filter
	In(&f, "link_id", ids)
	f.And("NOT bot")
	if !from.IsZero() {
		f.And("at >= ?", At(from))
	}
	if !to.IsZero() {
		f.And("at < ?", At(to))
	}
	var rows []struct {
		ID affiliate.LinkID
		N  int64
	}
	err := q.List(ctx, &rows, `SELECT link_id AS id, COUNT(*) AS n FROM clicks`+f.Where()+` GROUP BY link_id`, f.Args...)
	for _, r := range rows {
		counts[r.ID] = r.N
	}
	return counts, err
}
