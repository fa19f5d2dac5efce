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

// members is a query of the scope's offer members om, in campaigns as members m; column is what it selects.
func (s Scope) members(column string) (string, []any) {
	from, f := s.memberTables()
	return "SELECT " + column + " FROM " + from + f.Where(), f.Args
}

// memberTables are the tables of the scope's offer members om, in campaigns as members m, with the conditions on them.
func (s Scope) memberTables() (string, storage.Filter) {
	from := "offer_members om JOIN campaign_members m ON m.id = om.member_id"
	var f storage.Filter
	if s.ofOffers() {
		from += " JOIN offers o ON o.id = om.offer_id"
		s.offers(&f)
	}
	if !s.Former {
		from += " JOIN creators cr ON cr.id = m.creator_id"
		f.And("m.removed_at IS NULL AND cr.removed_at IS NULL")
	}
	if s.Creator != 0 {
		f.And("m.creator_id = ?", s.Creator)
	}
	return from, f
}

// Everybody says whether each offer member there is belongs to the scope.
func (s Scope) Everybody() bool { return s.Former && !s.ofOffers() && s.Creator == 0 }

// narrow says whether the scope names what it is about, so that few facts belong to it.
func (s Scope) narrow() bool { return len(s.Campaigns)+len(s.Offers) > 0 || s.Creator != 0 }
