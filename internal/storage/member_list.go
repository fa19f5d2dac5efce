package storage

import (
	"cmp"
	"context"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// MemberItem is a creator's membership of a campaign as tables show it.
type MemberItem struct {
	affiliate.CampaignMember
	Creator  string // name
	Handle   string // the one on Instagram, or the first other; without @, empty without any
	Left     bool   // the creator left the community
	Campaign string // name
	Status   affiliate.CampaignStatus
}

// Former says whether the figures of current members leave this one out.
func (m MemberItem) Former() bool { return m.Left || !m.RemovedAt.IsZero() }

// MemberSearch narrows a list of members; zero fields do not, but for Former.
type MemberSearch struct {
	Campaign affiliate.CampaignID
	Creator  affiliate.CreatorID
	Creators []affiliate.CreatorID // any of them
	Text     string                // in the creator's name or handles, or in a code or slug of theirs in the campaign
	Former   bool                  // those who left the campaign or the community, too
}

var membersByName = Keyset{Keys: []Key{{SQL: "r.name", Column: "creator", Kind: TextKey}, {SQL: "m.id"}}}

// MemberPage lists members of campaigns by the creator's name.
func (q queries) MemberPage(ctx context.Context, s MemberSearch, p Page) ([]MemberItem, string, error) {
	var f Filter
	Is(&f, "m.campaign_id", s.Campaign)
	Is(&f, "m.creator_id", s.Creator)
	In(&f, "m.creator_id", s.Creators)
	if !s.Former {
		f.And("m.removed_at IS NULL AND r.removed_at IS NULL")
	}
	if text := strings.TrimSpace(s.Text); text != "" {
		f.And(`(LOWER(r.name) LIKE LOWER(?) ESCAPE '\' OR EXISTS (SELECT 1 FROM creator_handles h WHERE h.creator_id = r.id AND h.folded LIKE ? ESCAPE '\')
			OR EXISTS (SELECT 1 FROM offer_members x JOIN codes k ON k.offer_member_id = x.id WHERE x.member_id = m.id AND k.folded LIKE ? ESCAPE '\')
			OR EXISTS (SELECT 1 FROM offer_members x JOIN links l ON l.offer_member_id = x.id WHERE x.member_id = m.id AND l.slug LIKE ? ESCAPE '\'))`,
			Containing(text), Containing(cmp.Or(affiliate.FoldHandle(text), text)),
			Containing(cmp.Or(affiliate.FoldCode(text), text)), Containing(cmp.Or(affiliate.FoldSlug(text), text)))
	}
	return paged[MemberItem](ctx, q, `SELECT `+memberColumns.of("m")+`, r.name AS creator, (r.removed_at IS NOT NULL) AS "left",
		`+bestHandle+` AS handle, c.name AS campaign, c.status FROM campaign_members m JOIN creators r ON r.id = m.creator_id JOIN campaigns c ON c.id = m.campaign_id`, f, membersByName, p)
}

// MemberCounts says how many creators a campaign has.
type MemberCounts struct {
	Current int64
	Former  int64 // left the campaign or the community
}

// MemberCounts counts the creators of some campaigns.
func (q queries) MemberCounts(ctx context.Context,
	campaigns []affiliate.CampaignID) (map[affiliate.CampaignID]MemberCounts, error) {
	counts := make(map[affiliate.CampaignID]MemberCounts, len(campaigns))
	if len(campaigns) == 0 {
		return counts, nil
	}
	var rows []struct {
		ID affiliate.CampaignID
		MemberCounts
	}
	err := q.ListIn(ctx, &rows, `SELECT m.campaign_id AS id, COUNT(*) FILTER (WHERE m.removed_at IS NULL AND r.removed_at IS NULL) AS current,
		COUNT(*) FILTER (WHERE m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former
		FROM campaign_members m JOIN creators r ON r.id = m.creator_id WHERE m.campaign_id IN (?) GROUP BY m.campaign_id`, campaigns)
	for _, r := range rows {
		counts[r.ID] = r.MemberCounts
	}
	return counts, err
}

// OfferMemberCounts counts the current members of some offers, inactive ones included.
func (q queries) OfferMemberCounts(ctx context.Context,
	offers []affiliate.OfferID) (map[affiliate.OfferID]int64, error) {
	counts := make(map[affiliate.OfferID]int64, len(offers))
	if len(offers) == 0 {
		return counts, nil
	}
	var rows []struct {
		ID affiliate.OfferID
		N  int64
	}
	err := q.ListIn(ctx, &rows, `SELECT x.offer_id AS id, COUNT(*) AS n FROM offer_members x JOIN campaign_members m ON m.id = x.member_id
		JOIN creators r ON r.id = m.creator_id WHERE x.offer_id IN (?) AND x.removed_at IS NULL AND m.removed_at IS NULL AND r.removed_at IS NULL GROUP BY x.offer_id`, offers)
	for _, r := range rows {
		counts[r.ID] = r.N
	}
	return counts, err
}

// OfferMembersOf gives the offers that some members of campaigns are in, by id.
func (q queries) OfferMembersOf(ctx context.Context, members []affiliate.MemberID) ([]affiliate.OfferMember, error) {
	rows, err := listOf[ownedMemberRow](ctx, q, selectOfferMembers+` WHERE x.member_id IN (?) ORDER BY x.id`, members)
	return domains(rows), err
}

// OfferMembersByID gives some offer members, removed ones included, by id.
func (q queries) OfferMembersByID(ctx context.Context,
	ids []affiliate.OfferMemberID) ([]affiliate.OfferMember, error) {
	rows, err := listOf[ownedMemberRow](ctx, q, selectOfferMembers+` WHERE x.id IN (?) ORDER BY x.id`, ids)
	return domains(rows), err
}

// PlacesOf gives what some creators are in an offer and in its campaign, by creator, removed ones included.
func (q queries) PlacesOf(ctx context.Context, offer affiliate.Offer, creators []affiliate.CreatorID) (
	map[affiliate.CreatorID]affiliate.CampaignMember, map[affiliate.CreatorID]affiliate.OfferMember, error) {
	members := make(map[affiliate.CreatorID]affiliate.CampaignMember, len(creators))
	inOffer := make(map[affiliate.CreatorID]affiliate.OfferMember, len(creators))
	if len(creators) == 0 {
		return members, inOffer, nil
	}
	var list []affiliate.CampaignMember
	if err := q.ListIn(ctx, &list, `SELECT `+memberColumns.of("")+` FROM campaign_members WHERE campaign_id = ? AND creator_id IN (?)`,
		offer.CampaignID, creators); err != nil {
		return nil, nil, err
	}
	for _, m := range list {
		members[m.CreatorID] = m
	}
	var rows []ownedMemberRow
	err := q.ListIn(ctx, &rows, selectOfferMembers+` WHERE x.offer_id = ? AND m.creator_id IN (?)`, offer.ID, creators)
	for _, m := range domains(rows) {
		inOffer[m.CreatorID] = m
	}
	return members, inOffer, err
}

// CountCredited counts the orders that are credited to some offer members.
func (q queries) CountCredited(ctx context.Context, members []affiliate.OfferMemberID) (n int64, err error) {
	if len(members) > 0 {
		err = q.GetIn(ctx, &n, `SELECT COUNT(*) FROM conversions WHERE credited AND offer_member_id IN (?)`, members)
	}
	return n, err
}

// OffersOf gives the offers of some ids, by id.
func (q queries) OffersOf(ctx context.Context, offers []affiliate.OfferID) ([]affiliate.Offer, error) {
	rows, err := listOf[offerRow](ctx, q, `SELECT `+offerColumns.of("")+` FROM offers WHERE id IN (?) ORDER BY id`, offers)
	return domains(rows), err
}

// CodesOf gives the codes of some offer members by id, ended ones included.
func (q queries) CodesOf(ctx context.Context, owners []affiliate.OfferMemberID) ([]affiliate.Code, error) {
	return listOf[affiliate.Code](ctx, q, `SELECT `+codeColumns.of("")+` FROM codes WHERE offer_member_id IN (?) ORDER BY id`, owners)
}

// LinksOf gives the links of some offer members by id, ended ones included.
func (q queries) LinksOf(ctx context.Context, owners []affiliate.OfferMemberID) ([]affiliate.Link, error) {
	return listOf[affiliate.Link](ctx, q, `SELECT `+linkColumns.of("")+` FROM links WHERE offer_member_id IN (?) ORDER BY id`, owners)
}

// listOf reads what belongs to some ids, which may be none.
func listOf[R, ID any](ctx context.Context, q queries, query string, ids []ID) (list []R, err error) {
	if len(ids) > 0 {
		err = q.ListIn(ctx, &list, query, ids)
	}
	return list, err
}
