package report

import (
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Scope says whose figures a report is about. Zero fields narrow nothing.
type Scope struct {
	Campaigns   []affiliate.CampaignID
	Offers      []affiliate.OfferID
	OfferStatus affiliate.OfferStatus
	OfferType   affiliate.OfferType
	Creator     affiliate.CreatorID
	// Former counts those as well who left the campaign or the community. Home always does; campaigns, offers and the
	// community only when asked.
	Former bool
	// LeftCampaigns counts what somebody sold in campaigns that they left, while they are in the community still. What
	// is told of creators does, and not of campaigns: see OfCreators.
	LeftCampaigns bool

	gone  bool           // nobody but those who left the community
	found storage.Filter // of creators t, narrows the scope to them unless it is empty
}

// OfCreators is the scope as lists of creators and the figures of one creator have it. Unless it names campaigns or
// offers, whose current members alone count, a creator's figures are of all campaigns, also of those that they left:
// only who left the community drops out. So what the list of the community adds up to, and what those sold who left the
// community, are together what home counts.
func (s Scope) OfCreators() Scope {
	s.LeftCampaigns = len(s.Campaigns)+len(s.Offers) == 0
	return s
}

// formerly is the condition that a member m of a campaign, a creator cr, counts only when former ones do.
func (s Scope) formerly() string {
	if s.LeftCampaigns {
		return "cr.removed_at IS NOT NULL"
	}
	return "(m.removed_at IS NOT NULL OR cr.removed_at IS NOT NULL)"
}

// current narrows members m of campaigns, creators cr, to those who count when former ones do not.
func (s Scope) current(f *storage.Filter) {
	if !s.LeftCampaigns {
		f.And("m.removed_at IS NULL")
	}
	f.And("cr.removed_at IS NULL")
}

// ofOffers says whether the scope leaves out some offers, and with them what belongs to none.
func (s Scope) ofOffers() bool {
	return len(s.Campaigns)+len(s.Offers) > 0 || s.OfferStatus != "" || s.OfferType != ""
}

// offers narrows offers o.
func (s Scope) offers(f *storage.Filter) {
	if len(s.Campaigns) > 0 {
		f.And("o.campaign_id IN (?)", s.Campaigns)
	}
	if len(s.Offers) > 0 {
		f.And("o.id IN (?)", s.Offers)
	}
	if s.OfferStatus != "" {
		f.And("o.status = ?", string(s.OfferStatus))
	}
	if s.OfferType != "" {
		f.And("o.type = ?", string(s.OfferType))
	}
}

// amongOffers narrows to rows with a value in a column that the scope's offers o have in another, such as their id.
func (s Scope) amongOffers(f *storage.Filter, column, of string) {
	var o storage.Filter
	s.offers(&o)
	f.And(column+" IN (SELECT "+of+" FROM offers o"+o.Where()+")", o.Args...)
}

// periods narrows offer_periods p to those of the scope's offers, or to those of all offers together.
func (s Scope) periods(f *storage.Filter) {
	if s.ofOffers() {
		s.amongOffers(f, "p.offer_id", "o.id")
		return
	}
	f.And("p.offer_id = 0")
}

// members is a query of the scope's offer members om, in campaigns as members m; column is what it selects.
func (s Scope) members(column string) (string, []any) {
	from, f := s.memberTables()
	return "SELECT " + column + " FROM " + from + f.Where(), f.Args
}

// campaignMembers is a query of the creators of the scope's campaigns, in offers or not.
func (s Scope) campaignMembers() (string, []any) {
	from := "SELECT m.creator_id FROM campaign_members m"
	var f storage.Filter
	f.And("m.campaign_id IN (?)", s.Campaigns)
	if !s.Former {
		from += " JOIN creators cr ON cr.id = m.creator_id"
		s.current(&f)
	}
	return from + f.Where(), f.Args
}

// memberTables are the tables of the scope's offer members om, in campaigns as members m, with the conditions on them.
func (s Scope) memberTables() (string, storage.Filter) {
	from := "offer_members om JOIN campaign_members m ON m.id = om.member_id"
	var f storage.Filter
	if s.ofOffers() {
		from += " JOIN offers o ON o.id = om.offer_id"
		s.offers(&f)
	}
	switch {
	case s.gone:
		from += " JOIN creators cr ON cr.id = m.creator_id"
		f.And("cr.removed_at IS NOT NULL")
	case !s.Former:
		from += " JOIN creators cr ON cr.id = m.creator_id"
		s.current(&f)
	}
	if s.Creator != 0 {
		f.And("m.creator_id = ?", s.Creator)
	}
	if s.searched() {
		f.And("m.creator_id IN (SELECT t.id FROM creators t"+s.found.Where()+")", s.found.Args...)
	}
	return from, f
}

// Everybody says whether each offer member there is belongs to the scope.
func (s Scope) Everybody() bool { return s.Former && !s.ofOffers() && s.Creator == 0 }

// searched says whether the scope is narrowed to creators who were found.
func (s Scope) searched() bool { return s.found.All() != "" }

// narrow says whether the scope names what it is about, so that few facts belong to it.
func (s Scope) narrow() bool {
	return len(s.Campaigns)+len(s.Offers) > 0 || s.Creator != 0 || s.searched()
}
