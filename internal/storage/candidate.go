package storage

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Lookup is what attribution must look up for a batch of orders: folded codes by store, slugs and click ids.
type Lookup struct {
	Codes  map[affiliate.StoreID][]string
	Slugs  []string
	Clicks []string
}

// Candidates is what is known about a batch's evidence. Codes belong to a store, links to all.
type Candidates struct {
	Codes  map[affiliate.StoreID]map[string][]affiliate.CodeOwner
	Links  map[string]affiliate.LinkOwner
	Clicks map[string]affiliate.Click
}

// For gives the candidates that concern the orders of one store.
func (c Candidates) For(store affiliate.StoreID) affiliate.Candidates {
	return affiliate.Candidates{Codes: c.Codes[store], Links: c.Links, Clicks: c.Clicks}
}

type membershipRow struct {
	OfferMemberID affiliate.OfferMemberID `db:"offer_member_id"`
	OfferID       affiliate.OfferID       `db:"offer_id"`
	CampaignID    affiliate.CampaignID    `db:"campaign_id"`
	CreatorID     affiliate.CreatorID     `db:"creator_id"`
	Offer         string
	Campaign      string
	Creator       string
	OfferStatus   affiliate.OfferStatus `db:"offer_status"`
	StatusSince   Time                  `db:"status_since"`
	Inactive      Time                  `db:"inactive_since"`
	LeftCampaign  Time                  `db:"left_campaign"`
	LeftCommunity Time                  `db:"left_community"`
	StartsAt      Time                  `db:"starts_at"`
	EndsAt        Time                  `db:"ends_at"`
	WindowDays    *int                  `db:"window_days"`
	Precedence    *affiliate.Precedence
	ClickRule     *affiliate.ClickRule `db:"click_rule"`
	EmailHash     string               `db:"email_hash"`
}

// membershipColumns go with membershipJoin. What the members earn is read beside them, by commissionsOf.
const membershipColumns = `om.id AS offer_member_id, o.id AS offer_id, p.id AS campaign_id, r.id AS creator_id, o.name AS offer,
	p.name AS campaign, r.name AS creator, o.status AS offer_status, o.status_since, om.inactive_since, m.removed_at AS left_campaign,
	r.removed_at AS left_community, p.starts_at, p.ends_at, p.window_days, p.precedence, p.click_rule, r.email_hash`

const membershipJoin = ` JOIN offer_members om ON om.id = x.offer_member_id JOIN offers o ON o.id = om.offer_id
	JOIN campaign_members m ON m.id = om.member_id JOIN campaigns p ON p.id = o.campaign_id JOIN creators r ON r.id = m.creator_id`

func (r membershipRow) membership(s affiliate.Settings) affiliate.Membership {
	m := affiliate.Membership{OfferMemberID: r.OfferMemberID, OfferID: r.OfferID, CampaignID: r.CampaignID,
		CreatorID: r.CreatorID, Offer: r.Offer, Campaign: r.Campaign, Creator: r.Creator, OfferStatus: r.OfferStatus,
		StatusSince: r.StatusSince.Time, StartsAt: r.StartsAt.Time, EndsAt: r.EndsAt.Time, WindowDays: s.WindowDays,
		Precedence: s.Precedence, ClickRule: s.ClickRule, EmailHash: r.EmailHash}
	for _, left := range []Time{r.Inactive, r.LeftCampaign, r.LeftCommunity} {
		if !left.IsZero() && (m.InactiveSince.IsZero() || left.Before(m.InactiveSince)) {
			m.InactiveSince = left.Time
		}
	}
	if r.WindowDays != nil {
		m.WindowDays = *r.WindowDays
	}
	if r.Precedence != nil {
		m.Precedence = *r.Precedence
	}
	if r.ClickRule != nil {
		m.ClickRule = *r.ClickRule
	}
	return m
}

// Candidates looks up a batch's evidence in as many queries as there are kinds of it, and one more for what the owners
// earn. Settings fill in what campaigns leave to the account.
func (q queries) Candidates(ctx context.Context, l Lookup, s affiliate.Settings) (Candidates, error) {
	c := Candidates{Codes: map[affiliate.StoreID]map[string][]affiliate.CodeOwner{},
		Links: map[string]affiliate.LinkOwner{}, Clicks: map[string]affiliate.Click{}}
	for store, folded := range l.Codes {
		owners, err := q.codeOwners(ctx, store, folded, s)
		if err != nil {
			return c, err
		}
		c.Codes[store] = owners
	}
	slugs := l.Slugs
	if len(l.Clicks) > 0 {
		var rows []struct {
			ID   string
			Slug string
			At   Time
		}
		if err := q.ListIn(ctx, &rows, `SELECT c.id, l.slug, c.at FROM clicks c JOIN links l ON l.id = c.link_id WHERE c.id IN (?)`, l.Clicks); err != nil {
			return c, err
		}
		for _, r := range rows {
			c.Clicks[r.ID] = affiliate.Click{ID: r.ID, Slug: r.Slug, At: r.At.Time}
			slugs = append(slugs, r.Slug)
		}
	}
	if err := q.linkOwners(ctx, slugs, s, c.Links); err != nil {
		return c, err
	}
	return c, q.addCommissions(ctx, c)
}

// addCommissions gives the owners their rules.
func (q queries) addCommissions(ctx context.Context, c Candidates) error {
	var offers []affiliate.OfferID
	var members []affiliate.OfferMemberID
	for _, ofStore := range c.Codes {
		for _, owners := range ofStore {
			for _, o := range owners {
				offers, members = append(offers, o.OfferID), append(members, o.OfferMemberID)
			}
		}
	}
	for _, o := range c.Links {
		offers, members = append(offers, o.OfferID), append(members, o.OfferMemberID)
	}
	rules, err := q.commissionsOf(ctx, offers, members)
	if err != nil {
		return err
	}
	for _, ofStore := range c.Codes {
		for _, owners := range ofStore {
			for i := range owners {
				rules.give(&owners[i].Membership)
			}
		}
	}
	for slug, o := range c.Links {
		rules.give(&o.Membership)
		c.Links[slug] = o
	}
	return nil
}

func (q queries) codeOwners(ctx context.Context, store affiliate.StoreID, folded []string,
	s affiliate.Settings) (map[string][]affiliate.CodeOwner, error) {
	owners := map[string][]affiliate.CodeOwner{}
	if len(folded) == 0 {
		return owners, nil
	}
	query, args, err := sqlx.In(`SELECT x.id, x.code, x.folded, x.valid_from, x.valid_to, `+membershipColumns+` FROM codes x`+membershipJoin+
		` WHERE x.store_id = ? AND x.folded IN (?) ORDER BY x.id`, store, folded)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		ID        affiliate.CodeID
		Code      string
		Folded    string
		ValidFrom Time `db:"valid_from"`
		ValidTo   Time `db:"valid_to"`
		membershipRow
	}
	if err := q.List(ctx, &rows, query, args...); err != nil {
		return nil, err
	}
	for _, r := range rows {
		owners[r.Folded] = append(owners[r.Folded], affiliate.CodeOwner{CodeID: r.ID, Code: r.Code,
			From: r.ValidFrom.Time, Until: r.ValidTo.Time, Membership: r.membership(s)})
	}
	return owners, nil
}

func (q queries) linkOwners(ctx context.Context, slugs []string, s affiliate.Settings,
	into map[string]affiliate.LinkOwner) error {
	if len(slugs) == 0 {
		return nil
	}
	var rows []struct {
		ID      affiliate.LinkID
		Slug    string
		EndedAt Time `db:"ended_at"`
		membershipRow
	}
	if err := q.ListIn(ctx, &rows, `SELECT x.id, x.slug, x.ended_at, `+membershipColumns+` FROM links x`+membershipJoin+` WHERE x.slug IN (?)`, slugs); err != nil {
		return err
	}
	for _, r := range rows {
		into[r.Slug] = affiliate.LinkOwner{LinkID: r.ID, Slug: r.Slug, EndedAt: r.EndedAt.Time,
			Membership: r.membership(s)}
	}
	return nil
}

// LinkOwner gives a link's owner as attribution sees them, without what they earn; NotFound when no link ever had the
// slug.
func (q queries) LinkOwner(ctx context.Context, slug string, s affiliate.Settings) (affiliate.LinkOwner, error) {
	owners := map[string]affiliate.LinkOwner{}
	if err := q.linkOwners(ctx, []string{slug}, s, owners); err != nil {
		return affiliate.LinkOwner{}, err
	}
	owner, ok := owners[slug]
	if !ok {
		return owner, affiliate.Errorf(affiliate.NotFound, "there is no link %s", slug)
	}
	return owner, nil
}

// UnownedEvidence is a code, slug or click id on an order that is not credited.
type UnownedEvidence struct {
	OrderID affiliate.OrderID
	StoreID affiliate.StoreID
	Kind    string // code, slug, click
	Value   string // folded
}

// SetUnownedEvidence replaces the unowned evidence of some orders.
func (tx *Tx) SetUnownedEvidence(ctx context.Context, orders []affiliate.OrderID, list []UnownedEvidence) error {
	if len(orders) > 0 {
		query, args, err := sqlx.In(`DELETE FROM unowned_evidence WHERE order_id IN (?)`, orders)
		if err != nil {
			return err
		}
		if _, err := tx.exec(ctx, query, args...); err != nil {
			return err
		}
	}
	return unownedTable.insert(ctx, tx, list, "ON CONFLICT DO NOTHING", nil, nil)
}

var unownedTable = tableOf[UnownedEvidence]("unowned_evidence")

// OrdersWithOwnedEvidence gives orders that are not credited although somebody owns a code or link on them by now,
// after the given id, in the order of their ids. Whether they are to be credited is for attribution to say.
func (q queries) OrdersWithOwnedEvidence(ctx context.Context, after affiliate.OrderID, limit int) ([]Order, error) {
	var list []Order
	err := q.List(ctx, &list, `SELECT `+orderColumns.of("")+` FROM orders WHERE id IN (
		SELECT e.order_id FROM unowned_evidence e WHERE e.order_id > ? AND (
			e.kind = 'code' AND EXISTS (SELECT 1 FROM codes c WHERE c.store_id = e.store_id AND c.folded = e.value)
			OR e.kind = 'slug' AND EXISTS (SELECT 1 FROM links l WHERE l.slug = e.value)
			OR e.kind = 'click' AND EXISTS (SELECT 1 FROM clicks k WHERE k.id = e.value)))
		ORDER BY id LIMIT ?`, after, limit)
	return list, err
}
