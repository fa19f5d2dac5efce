package storage

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

type offerRow struct {
	ID          affiliate.OfferID
	CampaignID  affiliate.CampaignID `db:"campaign_id"`
	Name        string
	Type        affiliate.OfferType
	Status      affiliate.OfferStatus
	StatusSince Time  `db:"status_since"`
	Percent     int64 `db:"commission_percent"`
	Flat        int64 `db:"commission_flat"`
	RuleVersion int   `db:"rule_version"`
	Version     int
	CreatedAt   Time `db:"created_at"`
	UpdatedAt   Time `db:"updated_at"`
}

const offerColumns = `id, campaign_id, name, type, status, status_since, commission_percent, commission_flat, rule_version, version, created_at, updated_at`

func (r offerRow) domain() affiliate.Offer {
	return affiliate.Offer{ID: r.ID, CampaignID: r.CampaignID, Name: r.Name, Type: r.Type, Status: r.Status,
		StatusSince: r.StatusSince.Time, Rule: affiliate.Rule{Percent: r.Percent, Flat: r.Flat, Version: r.RuleVersion},
		Version: r.Version, CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time}
}

// Offer gives one offer; NotFound when there is none.
func (q queries) Offer(ctx context.Context, id affiliate.OfferID) (affiliate.Offer, error) {
	return getOne[offerRow](ctx, q, id, `SELECT `+offerColumns+` FROM offers WHERE id = ?`, id)
}

// OfferByName gives the offer of a name in a campaign, however it is written; NotFound when there is none.
func (q queries) OfferByName(ctx context.Context, campaign affiliate.CampaignID, name string) (affiliate.Offer, error) {
	return getOne[offerRow](ctx, q, named("offer "+name), `SELECT `+offerColumns+` FROM offers WHERE campaign_id = ? AND folded = ?`,
		campaign, affiliate.FoldName(name))
}

// Offers lists the offers of a campaign by id; those of all campaigns when it is 0.
func (q queries) Offers(ctx context.Context, campaign affiliate.CampaignID, p Page) ([]affiliate.Offer, string, error) {
	var f Filter
	if campaign != 0 {
		f.And("campaign_id = ?", campaign)
	}
	return listPage[offerRow](ctx, q, `SELECT `+offerColumns+` FROM offers`, f, byID, p)
}

const offerTaken = "the campaign has an offer %q already"

// CreateOffer writes a new offer. Conflict when its campaign has one of that name.
func (tx *Tx) CreateOffer(ctx context.Context, o affiliate.Offer) (affiliate.Offer, error) {
	o.Version = 1
	err := tx.Get(ctx, &o.ID, `INSERT INTO offers (campaign_id, name, folded, type, status, status_since, commission_percent, commission_flat,
		rule_version, version, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (campaign_id, folded) DO NOTHING RETURNING id`,
		o.CampaignID, o.Name, affiliate.FoldName(o.Name), o.Type, o.Status, At(o.StatusSince), o.Rule.Percent,
		o.Rule.Flat, o.Rule.Version, At(o.CreatedAt), At(o.UpdatedAt))
	return o, taken(err, "name", offerTaken, o.Name)
}

// SaveOffer writes an offer that was read as o.Version.
func (tx *Tx) SaveOffer(ctx context.Context, o affiliate.Offer) (affiliate.Offer, error) {
	other, err := tx.OfferByName(ctx, o.CampaignID, o.Name)
	if err := notTaken(err, other.ID != o.ID, "name", offerTaken, o.Name); err != nil {
		return o, err
	}
	err = tx.update(ctx, o.ID, `UPDATE offers SET name = ?, folded = ?, type = ?, status = ?, status_since = ?, commission_percent = ?, commission_flat = ?,
		rule_version = ?, updated_at = ?, version = version + 1 WHERE id = ? AND version = ?`,
		o.Name, affiliate.FoldName(o.Name), o.Type, o.Status, At(o.StatusSince), o.Rule.Percent, o.Rule.Flat,
		o.Rule.Version, At(o.UpdatedAt), o.ID, o.Version)
	o.Version++
	return o, err
}

type offerMemberRow struct {
	ID            affiliate.OfferMemberID
	OfferID       affiliate.OfferID    `db:"offer_id"`
	MemberID      affiliate.MemberID   `db:"member_id"`
	CampaignID    affiliate.CampaignID `db:"campaign_id"`
	CreatorID     affiliate.CreatorID  `db:"creator_id"`
	Percent       *int64               `db:"commission_percent"`
	Flat          *int64               `db:"commission_flat"`
	RuleVersion   int                  `db:"rule_version"`
	InactiveSince Time                 `db:"inactive_since"`
	Version       int
	CreatedAt     Time `db:"created_at"`
	UpdatedAt     Time `db:"updated_at"`
}

const selectOfferMembers = `SELECT x.id, x.offer_id, x.member_id, m.campaign_id, m.creator_id, x.commission_percent, x.commission_flat, x.rule_version,
	x.inactive_since, x.version, x.created_at, x.updated_at FROM offer_members x JOIN campaign_members m ON m.id = x.member_id`

func (r offerMemberRow) domain() affiliate.OfferMember {
	m := affiliate.OfferMember{ID: r.ID, OfferID: r.OfferID, MemberID: r.MemberID, CampaignID: r.CampaignID,
		CreatorID: r.CreatorID, RuleVersion: r.RuleVersion, InactiveSince: r.InactiveSince.Time, Version: r.Version,
		CreatedAt: r.CreatedAt.Time, UpdatedAt: r.UpdatedAt.Time}
	if r.Percent != nil || r.Flat != nil {
		m.Override = &affiliate.Rule{Percent: value(r.Percent), Flat: value(r.Flat)}
	}
	return m
}

// OfferMember gives one offer member; NotFound when there is none.
func (q queries) OfferMember(ctx context.Context, id affiliate.OfferMemberID) (affiliate.OfferMember, error) {
	return getOne[offerMemberRow](ctx, q, id, selectOfferMembers+` WHERE x.id = ?`, id)
}

// OfferMemberOf gives a campaign member's place in an offer; NotFound when there is none.
func (q queries) OfferMemberOf(ctx context.Context, offer affiliate.OfferID,
	member affiliate.MemberID) (affiliate.OfferMember, error) {
	return getOne[offerMemberRow](ctx, q, named("such offer member"), selectOfferMembers+` WHERE x.offer_id = ? AND x.member_id = ?`, offer, member)
}

// OfferMemberFilter narrows a list of offer members; zero fields do not.
type OfferMemberFilter struct {
	Offer    affiliate.OfferID
	Campaign affiliate.CampaignID
	Creator  affiliate.CreatorID
}

// OfferMembers lists offer members by id, inactive ones included.
func (q queries) OfferMembers(ctx context.Context, o OfferMemberFilter,
	p Page) ([]affiliate.OfferMember, string, error) {
	var f Filter
	if o.Offer != 0 {
		f.And("x.offer_id = ?", o.Offer)
	}
	if o.Campaign != 0 {
		f.And("m.campaign_id = ?", o.Campaign)
	}
	if o.Creator != 0 {
		f.And("m.creator_id = ?", o.Creator)
	}
	return listPage[offerMemberRow](ctx, q, selectOfferMembers, f, Keyset{Keys: []Key{{SQL: "x.id"}}}, p)
}

func overrideColumns(r *affiliate.Rule) (percent, flat any) {
	if r == nil {
		return nil, nil
	}
	return r.Percent, r.Flat
}

// CreateOfferMember puts a campaign member into an offer. Conflict when they are in it.
func (tx *Tx) CreateOfferMember(ctx context.Context, m affiliate.OfferMember) (affiliate.OfferMember, error) {
	m.Version = 1
	percent, flat := overrideColumns(m.Override)
	err := tx.Get(ctx, &m.ID, `INSERT INTO offer_members (offer_id, member_id, commission_percent, commission_flat, rule_version, version, created_at, updated_at)
		VALUES (?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (offer_id, member_id) DO NOTHING RETURNING id`,
		m.OfferID, m.MemberID, percent, flat, m.RuleVersion, At(m.CreatedAt), At(m.UpdatedAt))
	return m, taken(err, "member", "%s is in %s already; an inactive one can be made active", m.MemberID, m.OfferID)
}

// SaveOfferMember writes an offer member that was read as m.Version.
func (tx *Tx) SaveOfferMember(ctx context.Context, m affiliate.OfferMember) (affiliate.OfferMember, error) {
	percent, flat := overrideColumns(m.Override)
	err := tx.update(ctx, m.ID, `UPDATE offer_members SET commission_percent = ?, commission_flat = ?, rule_version = ?, inactive_since = ?, updated_at = ?,
		version = version + 1 WHERE id = ? AND version = ?`,
		percent, flat, m.RuleVersion, At(m.InactiveSince), At(m.UpdatedAt), m.ID, m.Version)
	m.Version++
	return m, err
}

// OwnerName is whom an offer member is, for messages.
type OwnerName struct {
	Creator  string
	Campaign string
	Offer    string
}

// OwnerName names an offer member.
func (q queries) OwnerName(ctx context.Context, id affiliate.OfferMemberID) (OwnerName, error) {
	var n OwnerName
	err := q.Get(ctx, &n, `SELECT r.name AS creator, p.name AS campaign, o.name AS offer FROM offer_members x JOIN offers o ON o.id = x.offer_id
		JOIN campaign_members m ON m.id = x.member_id JOIN campaigns p ON p.id = m.campaign_id JOIN creators r ON r.id = m.creator_id WHERE x.id = ?`, id)
	return n, err
}
