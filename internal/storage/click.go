package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// LinkTarget is what a redirect must know of a link.
type LinkTarget struct {
	ID         affiliate.LinkID
	LandingURL string
	UTM        affiliate.UTMRule // the account's where the link has none; never UTMAccount
	CampaignID affiliate.CampaignID
	Campaign   string // its name
	EndedAt    time.Time
}

// LinkTargets gives the links of some slugs; those are missing that no link ever had.
func (q queries) LinkTargets(ctx context.Context, slugs []string) (map[string]LinkTarget, error) {
	var rows []struct {
		Slug string
		LinkTarget
		Settings string
	}
	err := q.ListIn(ctx, &rows, `SELECT l.slug, l.id, l.landing_url, l.utm, l.ended_at, o.campaign_id, p.name AS campaign,
		COALESCE((SELECT value FROM settings WHERE name = ?), '{}') AS settings
		FROM links l JOIN offer_members om ON om.id = l.offer_member_id JOIN offers o ON o.id = om.offer_id
		JOIN campaigns p ON p.id = o.campaign_id WHERE l.slug IN (?)`, accountSettings, slugs)
	if err != nil {
		return nil, err
	}
	targets := make(map[string]LinkTarget, len(rows))
	for _, r := range rows {
		t := r.LinkTarget
		if t.UTM == affiliate.UTMAccount {
			s, err := parseSettings(r.Settings)
			if err != nil {
				return nil, err
			}
			t.UTM = s.UTM
		}
		targets[r.Slug] = t
	}
	return targets, nil
}

// Landing is where clicks lead.
func (t LinkTarget) Landing(slug string) affiliate.Landing {
	return affiliate.LinkFacts{Link: affiliate.Link{Slug: slug, LandingURL: t.LandingURL}, UTM: t.UTM,
		Owner: affiliate.Membership{CampaignID: t.CampaignID, Campaign: t.Campaign}}.Landing()
}

// Click is one use of a link. No address is kept.
type Click struct {
	ID           string // ULID, lower case
	LinkID       affiliate.LinkID
	At           time.Time
	Day          string // in the account's zone
	ReferrerHost string
	Bot          bool
	Visitor      string // keyed hash
}

// InsertClicks keeps clicks. A click that is there already is passed over, so that a batch may be tried again.
func (tx *Tx) InsertClicks(ctx context.Context, list []Click) error {
	var kept struct {
		LinkID affiliate.LinkID
		At     Time
		Day    string
		Bot    bool
	}
	how, err := tx.shownNow(ctx)
	if err != nil {
		return err
	}
	const clause = "ON CONFLICT (id) DO NOTHING RETURNING link_id, at, day, bot"
	return clickTable.insert(ctx, tx, list, clause, &kept, func() {
		if kept.Bot {
			return
		}
		tx.sums.click(kept.LinkID, kept.Day, 1)
		if how != nil {
			tx.shownSums.click(kept.LinkID, how.day(kept.At.Time, kept.Day), 1)
		}
	})
}

var clickTable = tableOf[Click]("clicks")
