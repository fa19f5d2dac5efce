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
	LandingURL string `db:"landing_url"`
	EndedAt    Time   `db:"ended_at"`
}

// LinkTarget gives the link of a slug; NotFound when no link ever had it.
func (q queries) LinkTarget(ctx context.Context, slug string) (LinkTarget, error) {
	var t LinkTarget
	err := q.get(ctx, &t, `SELECT id, landing_url, ended_at FROM links WHERE slug = ?`, slug)
	return t, err
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
