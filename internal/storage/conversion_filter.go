package storage

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// MaxConversionIDs bounds ConversionFilter.IDs.
const MaxConversionIDs = 500

// ConversionFilter narrows the credited conversions. Zero fields do not, but for Former.
type ConversionFilter struct {
	IDs         []affiliate.ConversionID // at most MaxConversionIDs
	Campaign    affiliate.CampaignID
	Campaigns   []affiliate.CampaignID
	Creator     affiliate.CreatorID
	Offer       affiliate.OfferID
	OfferType   affiliate.OfferType
	OfferStatus affiliate.OfferStatus
	Store       affiliate.StoreID
	Code        affiliate.CodeID
	Link        affiliate.LinkID
	Statuses    []affiliate.OrderStatus
	Approvals   []affiliate.Approval
	Method      affiliate.Method
	Currency    money.Currency // the order's
	Unconverted bool           // only those that wait for an exchange rate
	WithRefund  bool           // only those of which money went back
	Ambiguous   bool           // only those with several owned codes on the order
	Undecided   bool           // only those that nobody has decided about: approved or held by rule
	From, To    time.Time      // placed in [From, To)
	Search      string         // in the order's number, the creator's name or handles, the code or the slug
	Former      bool           // those of creators who left the campaign or the community, too
	OnlyFormer  bool           // those of creators who left alone
}

// narrow gives the conditions on conversions c, and whether they look at orders o too. The error names the field ids.
func (q queries) narrow(ctx context.Context, c ConversionFilter) (f Filter, orders bool, err error) {
	if len(c.IDs) > MaxConversionIDs {
		return f, false, affiliate.FieldErrorf("ids", "must name at most %d conversions, not %d",
			MaxConversionIDs, len(c.IDs))
	}
	f.And("c.credited")
	In(&f, "c.id", c.IDs)
	In(&f, "c.campaign_id", c.Campaigns)
	In(&f, "c.status", c.Statuses)
	Is(&f, "c.campaign_id", c.Campaign)
	Is(&f, "c.store_id", c.Store)
	Is(&f, "c.method", c.Method)
	Is(&f, "c.currency", c.Currency)
	if slices.Equal(c.Approvals, []affiliate.Approval{affiliate.Held}) {
		f.And("c.approval = 'held'") // spelled out: their index is partial
	} else {
		In(&f, "c.approval", c.Approvals)
	}
	if c.Unconverted {
		f.And("c.rate IS NULL AND " + listed("c.currency"))
	}
	if c.WithRefund {
		f.And("c.refunded > 0")
	}
	if c.Ambiguous {
		f.And("c.ambiguous")
	}
	if c.Undecided {
		f.And(undecided("c."))
	}
	c.placed(&f, "c.placed_at")
	c.ofOffers(&f)
	c.ofMembers(&f)
	orders, err = q.search(ctx, c, &f)
	return f, orders, err
}

// placed narrows the time of orders.
func (c ConversionFilter) placed(f *Filter, column string) {
	if !c.From.IsZero() {
		f.And(column+" >= ?", At(c.From))
	}
	if !c.To.IsZero() {
		f.And(column+" < ?", At(c.To))
	}
}

// ofOffers narrows by offer. Its campaign is named as well: conversions of a campaign have an index.
func (c ConversionFilter) ofOffers(f *Filter) {
	if c.Offer != 0 {
		f.And("c.campaign_id = (SELECT campaign_id FROM offers WHERE id = ?) AND c.offer_id = ?", c.Offer, c.Offer)
	}
	if c.OfferType != "" {
		f.And("c.offer_id IN (SELECT id FROM offers WHERE type = ?)", c.OfferType)
	}
	if c.OfferStatus != "" {
		f.And("c.offer_id IN (SELECT id FROM offers WHERE status = ?)", c.OfferStatus)
	}
}

// ofMembers narrows by what belongs to an offer member. The member is named as well: their conversions have an index.
func (c ConversionFilter) ofMembers(f *Filter) {
	if c.Creator != 0 {
		f.And("c.offer_member_id IN (SELECT x.id FROM offer_members x JOIN campaign_members m ON m.id = x.member_id WHERE m.creator_id = ?)", c.Creator)
	}
	if c.Code != 0 {
		f.And("c.offer_member_id = (SELECT offer_member_id FROM codes WHERE id = ?) AND c.code_id = ?", c.Code, c.Code)
	}
	if c.Link != 0 {
		f.And("c.offer_member_id = (SELECT offer_member_id FROM links WHERE id = ?) AND c.link_id = ?", c.Link, c.Link)
	}
	switch {
	case c.OnlyFormer:
		f.And("c.offer_member_id IN (SELECT x.id " + formerMembers + ")")
	case c.Former:
	case c.Campaign != 0:
		f.And("c.offer_member_id NOT IN (SELECT x.id "+formerMembers+" AND m.campaign_id = ?)", c.Campaign)
	default:
		f.And("c.offer_member_id NOT IN (SELECT x.id " + formerMembers + ")")
	}
}

// formerMembers are the offer members x, of campaign members m, whose creators r left the campaign or the community.
const formerMembers = `FROM offer_members x JOIN campaign_members m ON m.id = x.member_id JOIN creators r ON r.id = m.creator_id
	WHERE (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL)`

// mostNumbers is how many orders a search names one by one.
const mostNumbers = 500

// search keeps what holds a text, and says whether the condition looks at orders o. Numbers are looked for in the
// orders first: where few have the text, their conversions have an index; where many have it, a page of them is found
// soon.
func (q queries) search(ctx context.Context, c ConversionFilter, f *Filter) (orders bool, err error) {
	text := strings.TrimSpace(c.Search)
	if text == "" {
		return false, nil
	}
	like, handle := Containing(text), affiliate.FoldHandle(text)
	if handle == "" {
		handle = text
	}
	numbered, err := q.ordersNumbered(ctx, c, like)
	if err != nil {
		return false, err
	}
	found := Filter{}
	found.And(`LOWER(c.evidence) LIKE LOWER(?) ESCAPE '\'`, like)
	found.And(`c.creator_id IN (SELECT id FROM creators WHERE LOWER(name) LIKE LOWER(?) ESCAPE '\'
		UNION SELECT creator_id FROM creator_handles WHERE folded LIKE ? ESCAPE '\')`, like, Containing(handle))
	if orders = len(numbered) > mostNumbers; orders {
		found.And(`LOWER(o.number) LIKE LOWER(?) ESCAPE '\'`, like)
	} else {
		In(&found, "c.order_id", numbered)
	}
	f.And("("+strings.Join(found.conditions, " OR ")+")", found.Args...)
	return orders, nil
}

// ordersNumbered gives at least one more than mostNumbers of the orders whose numbers match a pattern, or all.
func (q queries) ordersNumbered(ctx context.Context, c ConversionFilter, like string) (ids []affiliate.OrderID,
	err error) {
	var f Filter
	f.And(`LOWER(number) LIKE LOWER(?) ESCAPE '\'`, like)
	Is(&f, "store_id", c.Store)
	c.placed(&f, "placed_at")
	err = q.List(ctx, &ids, `SELECT id FROM orders`+f.Where()+` LIMIT ?`, append(f.Args, mostNumbers+1)...)
	return ids, err
}
