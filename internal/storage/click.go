package storage

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

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
		Slug       string
		ID         affiliate.LinkID
		LandingURL string `db:"landing_url"`
		UTM        *affiliate.UTMRule
		CampaignID affiliate.CampaignID `db:"campaign_id"`
		Campaign   string
		EndedAt    Time `db:"ended_at"`
		Settings   string
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
		t := LinkTarget{ID: r.ID, LandingURL: r.LandingURL, UTM: value(r.UTM), CampaignID: r.CampaignID,
			Campaign: r.Campaign, EndedAt: r.EndedAt.Time}
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
	const columns = 7
	args := make([]any, 0, len(list)*columns)
	for _, c := range list {
		args = append(args, c.ID, int64(c.LinkID), At(c.At), c.Day, c.ReferrerHost, c.Bot, c.Visitor)
	}
	return tx.insertRows(ctx, "clicks (id, link_id, at, day, referrer_host, bot, visitor)", columns, args,
		"ON CONFLICT (id) DO NOTHING RETURNING link_id, day, bot", func(rows *sqlx.Rows) error {
			var link affiliate.LinkID
			var day string
			var bot bool
			err := rows.Scan(&link, &day, &bot)
			if !bot {
				tx.sums.click(link, day, 1)
			}
			return err
		})
}
