package app

import (
	"context"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// AddedLink is a new link with how many orders without credit carry its slug.
type AddedLink struct {
	affiliate.Link
	Waiting int
}

// AddLink makes a link. Without a slug one is made from the creator's handle or name; a given slug that is taken is a
// Conflict, since slugs keep their owner for ever.
func (a *App) AddLink(ctx context.Context, l affiliate.Link) (AddedLink, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (AddedLink, error) {
		m, err := tx.OfferMember(ctx, l.OfferMemberID)
		if err != nil {
			return AddedLink{}, asField("offer_member", err)
		}
		creator, err := tx.Creator(ctx, m.CreatorID)
		if err != nil {
			return AddedLink{}, err
		}
		if l, err = a.addLink(ctx, tx, l, creator); err != nil {
			return AddedLink{}, err
		}
		waiting, err := tx.OrdersWithSlug(ctx, l.Slug)
		return AddedLink{Link: l, Waiting: waiting}, err
	})
}

func (a *App) addLink(ctx context.Context, tx *storage.Tx, l affiliate.Link,
	creator affiliate.Creator) (_ affiliate.Link, err error) {
	now := a.now()
	l.LandingURL, l.CreatedAt, l.UpdatedAt = affiliate.Clean(l.LandingURL), now, now
	if l.Kind == "" {
		l.Kind = affiliate.LinkSales
	}
	if l.Slug = affiliate.FoldSlug(l.Slug); l.Slug == "" {
		if l.Slug, err = freeSlug(ctx, tx, creator); err != nil {
			return l, err
		}
	}
	if err := l.Validate(); err != nil {
		return l, err
	}
	if l, err = tx.CreateLink(ctx, l); err != nil {
		return l, a.slugError(ctx, tx, l.Slug, err)
	}
	return l, a.audit(ctx, tx, "link.add", l.ID, nil, linkFacts(l))
}

// freeSlug makes a slug from the creator's Instagram handle, any other handle, or name, with a number when it is taken.
func freeSlug(ctx context.Context, tx *storage.Tx, c affiliate.Creator) (string, error) {
	base := affiliate.SlugFrom(c.BestHandle())
	if base == "" {
		base = affiliate.SlugFrom(c.Name)
	}
	if base == "" {
		base = "link" // a name of which no letter can be written in ASCII
	}
	const atOnce = 100
	for n := 1; ; n += atOnce {
		slugs := make([]string, atOnce)
		for i := range slugs {
			slugs[i] = affiliate.NumberedSlug(base, n+i)
		}
		taken, err := tx.TakenSlugs(ctx, slugs)
		if err != nil {
			return "", err
		}
		for _, s := range slugs {
			if !taken[s] {
				return s, nil
			}
		}
	}
}

// slugError says whose a taken slug is.
func (a *App) slugError(ctx context.Context, tx *storage.Tx, slug string, err error) error {
	if affiliate.KindOf(err) != affiliate.Conflict {
		return err
	}
	other, err := tx.LinkBySlug(ctx, slug)
	if err != nil {
		return err
	}
	owner, err := tx.OwnerName(ctx, other.OfferMemberID)
	if err != nil {
		return err
	}
	state := "is"
	if !other.EndedAt.IsZero() {
		state = "was (it has ended; slugs are not used again)"
	}
	return affiliate.ConflictErrorf("slug", "%s %s the link of %s (%s, %s); choose another slug",
		slug, state, owner.Creator, owner.Campaign, owner.Offer)
}

// ChangeLink alters landing page, kind or utm parameters of a link; its slug and owner never change.
func (a *App) ChangeLink(ctx context.Context, id affiliate.LinkID,
	change func(*affiliate.Link) error) (affiliate.Link, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Link, error) {
		return a.amendLink(ctx, tx, id, "change", change)
	})
}

// EndLink ends a link: it leads nowhere and credits nobody from now on. Its slug stays its own. Ending it again changes
// nothing.
func (a *App) EndLink(ctx context.Context, id affiliate.LinkID) (affiliate.Link, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.Link, error) {
		return a.amendLink(ctx, tx, id, "end", func(l *affiliate.Link) error {
			l.EndedAt = firstTime(l.EndedAt, a.now())
			return nil
		})
	})
}

func (a *App) amendLink(ctx context.Context, tx *storage.Tx, id affiliate.LinkID, action string,
	change func(*affiliate.Link) error) (affiliate.Link, error) {
	return amend(ctx, a, tx, amendment[affiliate.Link, affiliate.LinkID]{
		name: "link", read: tx.Link, facts: linkFacts,
		version: func(affiliate.Link) int { return AnyVersion },
		prepare: func(_ *storage.Tx, l *affiliate.Link) error {
			l.LandingURL, l.UpdatedAt = affiliate.Clean(l.LandingURL), a.now()
			return l.Validate()
		},
		save: func(ctx context.Context, l affiliate.Link) (affiliate.Link, error) { return l, tx.SaveLink(ctx, l) },
	}, id, AnyVersion, action, change)
}

func linkFacts(l affiliate.Link) facts {
	return facts{"offer_member": l.OfferMemberID.String(), "slug": l.Slug, "kind": l.Kind, "landing_url": l.LandingURL,
		"utm": string(l.UTM), "ended_at": auditTime(l.EndedAt)}
}

// LinkURL is the address that a creator publishes.
func (a *App) LinkURL(l affiliate.Link) string {
	return strings.TrimSuffix(a.PublicURL, "/") + "/l/" + l.Slug
}
