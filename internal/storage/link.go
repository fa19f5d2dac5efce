package storage

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

type linkRow struct {
	ID            affiliate.LinkID
	OfferMemberID affiliate.OfferMemberID `db:"offer_member_id"`
	Slug          string
	Kind          affiliate.LinkKind
	LandingURL    string `db:"landing_url"`
	UTM           *affiliate.UTMRule
	EndedAt       Time `db:"ended_at"`
	CreatedAt     Time `db:"created_at"`
	UpdatedAt     Time `db:"updated_at"`
}

const linkColumns = `id, offer_member_id, slug, kind, landing_url, utm, ended_at, created_at, updated_at`

func (r linkRow) domain() affiliate.Link {
	return affiliate.Link{ID: r.ID, OfferMemberID: r.OfferMemberID, Slug: r.Slug, Kind: r.Kind,
		LandingURL: r.LandingURL, UTM: value(r.UTM), EndedAt: r.EndedAt.Time, CreatedAt: r.CreatedAt.Time,
		UpdatedAt: r.UpdatedAt.Time}
}

// Link gives one link; NotFound when there is none.
func (q queries) Link(ctx context.Context, id affiliate.LinkID) (affiliate.Link, error) {
	return getOne[linkRow](ctx, q, id, `SELECT `+linkColumns+` FROM links WHERE id = ?`, id)
}

// LinkBySlug gives one link, ended or not; NotFound when there is none.
func (q queries) LinkBySlug(ctx context.Context, slug string) (affiliate.Link, error) {
	return getOne[linkRow](ctx, q, named("link "+slug), `SELECT `+linkColumns+` FROM links WHERE slug = ?`, affiliate.FoldSlug(slug))
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
	return listPage[linkRow](ctx, q, `SELECT `+linkColumns+` FROM links`, f, byID, p)
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
	err := tx.Get(ctx, &l.ID, `INSERT INTO links (offer_member_id, slug, kind, landing_url, utm, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (slug) DO NOTHING RETURNING id`,
		l.OfferMemberID, l.Slug, l.Kind, l.LandingURL, null(l.UTM), At(l.CreatedAt), At(l.UpdatedAt))
	return l, taken(err, "slug", "the slug %q is taken", l.Slug)
}

// SaveLink writes the changeable fields of a link: kind, landing page, utm parameters and end.
func (tx *Tx) SaveLink(ctx context.Context, l affiliate.Link) error {
	_, err := tx.exec(ctx, `UPDATE links SET kind = ?, landing_url = ?, utm = ?, ended_at = ?, updated_at = ? WHERE id = ?`,
		l.Kind, l.LandingURL, null(l.UTM), At(l.EndedAt), At(l.UpdatedAt), l.ID)
	return err
}
