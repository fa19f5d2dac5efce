package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

type offerRow struct {
	ID          affiliate.OfferID
	CampaignID  affiliate.CampaignID
	Name        string
	Folded      string
	Type        affiliate.OfferType
	Status      affiliate.OfferStatus
	StatusSince time.Time
	Percent     int64 `db:"commission_percent"`
	Flat        int64 `db:"commission_flat"`
	RuleVersion int
	Discount    string // JSON
	CodePattern affiliate.CodePattern
	Version     int
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

var (
	offerTable   = tableOf[offerRow]("offers").keeping("campaign_id")
	offerColumns = columnsOf[offerRow]()
)

func newOfferRow(o affiliate.Offer) offerRow {
	return offerRow{ID: o.ID, CampaignID: o.CampaignID, Name: o.Name, Folded: affiliate.FoldName(o.Name), Type: o.Type,
		Status: o.Status, StatusSince: o.StatusSince, Percent: o.Rule.Percent, Flat: o.Rule.Flat,
		RuleVersion: o.Rule.Version,
		Discount:    o.Discount.Text(), CodePattern: o.CodePattern, Version: o.Version,
		CreatedAt: o.CreatedAt, UpdatedAt: o.UpdatedAt}
}

func (r offerRow) domain() affiliate.Offer {
	discount, _ := affiliate.ParseOfferDiscount(r.Discount) // Text wrote it
	return affiliate.Offer{ID: r.ID, CampaignID: r.CampaignID, Name: r.Name, Type: r.Type, Status: r.Status,
		StatusSince: r.StatusSince, Rule: affiliate.Rule{Percent: r.Percent, Flat: r.Flat, Version: r.RuleVersion},
		Discount: discount, CodePattern: r.CodePattern, Version: r.Version,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
}

// Offer gives one offer; NotFound when there is none.
func (q queries) Offer(ctx context.Context, id affiliate.OfferID) (affiliate.Offer, error) {
	return oneOf[offerRow](ctx, q, id, `SELECT `+offerColumns.of("")+` FROM offers WHERE id = ?`, id)
}

// OfferByName gives the offer of a name in a campaign, however it is written; NotFound when there is none.
func (q queries) OfferByName(ctx context.Context, campaign affiliate.CampaignID, name string) (affiliate.Offer, error) {
	return oneOf[offerRow](ctx, q, named("offer "+name), `SELECT `+offerColumns.of("")+` FROM offers WHERE campaign_id = ? AND folded = ?`,
		campaign, affiliate.FoldName(name))
}

// Offers lists the offers of a campaign by id; those of all campaigns when it is 0.
func (q queries) Offers(ctx context.Context, campaign affiliate.CampaignID, p Page) ([]affiliate.Offer, string, error) {
	var f Filter
	if campaign != 0 {
		f.And("campaign_id = ?", campaign)
	}
	return listPage[offerRow](ctx, q, `SELECT `+offerColumns.of("")+` FROM offers`, f, byID, p)
}

const offerTaken = "the campaign has an offer %q already"

// CreateOffer writes a new offer, whose rule is that of all orders. Conflict when its campaign has one of that name.
func (tx *Tx) CreateOffer(ctx context.Context, o affiliate.Offer) (affiliate.Offer, error) {
	o.Version = 1
	err := offerTable.create(ctx, tx, newOfferRow(o), &o.ID, "ON CONFLICT (campaign_id, folded) DO NOTHING")
	if err != nil {
		return o, taken(err, "name", offerTaken, o.Name)
	}
	return o, tx.AddCommissionRules(ctx, firstRule(o))
}

// SaveOffer writes an offer that was read as o.Version.
func (tx *Tx) SaveOffer(ctx context.Context, o affiliate.Offer) (affiliate.Offer, error) {
	other, err := tx.OfferByName(ctx, o.CampaignID, o.Name)
	if err := notTaken(err, other.ID != o.ID, "name", offerTaken, o.Name); err != nil {
		return o, err
	}
	err = offerTable.save(ctx, tx, newOfferRow(o))
	o.Version++
	return o, err
}

// firstRule is the rule that an offer comes with.
func firstRule(o affiliate.Offer) affiliate.CommissionRule {
	return affiliate.CommissionRule{OfferID: o.ID, Percent: &o.Rule.Percent, Flat: &o.Rule.Flat,
		Version: max(1, o.Rule.Version), MadeAt: o.CreatedAt}
}

// firstRules are the rules that offers, and members with rules of their own, come with.
func firstRules(offers []affiliate.Offer, members []affiliate.OfferMember) []affiliate.CommissionRule {
	rules := make([]affiliate.CommissionRule, 0, len(offers))
	for _, o := range offers {
		rules = append(rules, firstRule(o))
	}
	for _, m := range members {
		if m.Override != nil {
			rules = append(rules, affiliate.CommissionRule{OfferID: m.OfferID, OfferMemberID: m.ID,
				Percent: &m.Override.Percent, Flat: &m.Override.Flat, Version: max(1, m.RuleVersion),
				MadeAt: m.CreatedAt})
		}
	}
	return rules
}

type offerMemberRow struct {
	ID            affiliate.OfferMemberID
	OfferID       affiliate.OfferID
	MemberID      affiliate.MemberID
	Percent       *int64 `db:"commission_percent"`
	Flat          *int64 `db:"commission_flat"`
	RuleVersion   int
	InactiveSince time.Time
	RemovedAt     time.Time
	Version       int
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

var (
	offerMemberTable   = tableOf[offerMemberRow]("offer_members").keeping("offer_id", "member_id")
	selectOfferMembers = `SELECT ` + columnsOf[offerMemberRow]().of("x") + `, m.campaign_id, m.creator_id
		FROM offer_members x JOIN campaign_members m ON m.id = x.member_id`
)

func newOfferMemberRow(m affiliate.OfferMember) offerMemberRow {
	r := offerMemberRow{ID: m.ID, OfferID: m.OfferID, MemberID: m.MemberID, RuleVersion: m.RuleVersion,
		InactiveSince: m.InactiveSince, RemovedAt: m.RemovedAt, Version: m.Version, CreatedAt: m.CreatedAt,
		UpdatedAt: m.UpdatedAt}
	if m.Override != nil {
		r.Percent, r.Flat = &m.Override.Percent, &m.Override.Flat
	}
	return r
}

// ownedMemberRow is an offer member with what its membership of the campaign says.
type ownedMemberRow struct {
	offerMemberRow
	CampaignID affiliate.CampaignID
	CreatorID  affiliate.CreatorID
}

func (r ownedMemberRow) domain() affiliate.OfferMember {
	m := affiliate.OfferMember{ID: r.ID, OfferID: r.OfferID, MemberID: r.MemberID, CampaignID: r.CampaignID,
		CreatorID: r.CreatorID, RuleVersion: r.RuleVersion, InactiveSince: r.InactiveSince,
		RemovedAt: r.RemovedAt, Version: r.Version,
		CreatedAt: r.CreatedAt, UpdatedAt: r.UpdatedAt}
	if r.Percent != nil || r.Flat != nil {
		m.Override = &affiliate.Rule{Percent: value(r.Percent), Flat: value(r.Flat)}
	}
	return m
}

// OfferMember gives one offer member; NotFound when there is none.
func (q queries) OfferMember(ctx context.Context, id affiliate.OfferMemberID) (affiliate.OfferMember, error) {
	return oneOf[ownedMemberRow](ctx, q, id, selectOfferMembers+` WHERE x.id = ?`, id)
}

// OfferMemberOf gives a campaign member's place in an offer; NotFound when there is none.
func (q queries) OfferMemberOf(ctx context.Context, offer affiliate.OfferID,
	member affiliate.MemberID) (affiliate.OfferMember, error) {
	return oneOf[ownedMemberRow](ctx, q, named("such offer member"), selectOfferMembers+` WHERE x.offer_id = ? AND x.member_id = ?`, offer, member)
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
	return listPage[ownedMemberRow](ctx, q, selectOfferMembers, f, Keyset{Keys: []Key{{SQL: "x.id"}}}, p)
}

// CreateOfferMember puts a campaign member into an offer; a rule of their own is that of all orders. Conflict when they
// are in it.
func (tx *Tx) CreateOfferMember(ctx context.Context, m affiliate.OfferMember) (affiliate.OfferMember, error) {
	m.Version = 1
	err := offerMemberTable.create(ctx, tx, newOfferMemberRow(m), &m.ID, "ON CONFLICT (offer_id, member_id) DO NOTHING")
	const text = "%s is in %s already; an inactive one can be made active"
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.ForPeople(affiliate.ConflictErrorf("member", text, m.MemberID, m.OfferID),
			fmt.Sprintf(text, "the creator", "the offer"))
	}
	if err != nil {
		return m, err
	}
	return m, tx.AddCommissionRules(ctx, firstRules(nil, []affiliate.OfferMember{m})...)
}

// SaveOfferMember writes an offer member that was read as m.Version.
func (tx *Tx) SaveOfferMember(ctx context.Context, m affiliate.OfferMember) (affiliate.OfferMember, error) {
	err := offerMemberTable.save(ctx, tx, newOfferMemberRow(m))
	m.Version++
	return m, err
}

// OwnerName is whom an offer member is, for messages.
type OwnerName struct {
	ID       affiliate.OfferMemberID
	Creator  string
	Campaign string
	Offer    string
}

const selectOwnerNames = `SELECT x.id, r.name AS creator, p.name AS campaign, o.name AS offer FROM offer_members x JOIN offers o ON o.id = x.offer_id
	JOIN campaign_members m ON m.id = x.member_id JOIN campaigns p ON p.id = m.campaign_id JOIN creators r ON r.id = m.creator_id WHERE x.id `

// OwnerName names an offer member.
func (q queries) OwnerName(ctx context.Context, id affiliate.OfferMemberID) (OwnerName, error) {
	var n OwnerName
	err := q.Get(ctx, &n, selectOwnerNames+`= ?`, id)
	return n, err
}

// OwnerNames names some offer members.
func (q queries) OwnerNames(ctx context.Context,
	ids []affiliate.OfferMemberID) (map[affiliate.OfferMemberID]OwnerName, error) {
	rows, err := listOf[OwnerName](ctx, q, selectOwnerNames+`IN (?)`, ids)
	names := make(map[affiliate.OfferMemberID]OwnerName, len(rows))
	for _, n := range rows {
		names[n.ID] = n
	}
	return names, err
}
