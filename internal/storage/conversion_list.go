package storage

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// ConversionItem is a conversion with what people see beside it.
type ConversionItem struct {
	Conversion
	Number     string // the order's, as people see it
	ExternalID string // the store's id of the order
	OrderTotal int64  // what the customer was charged, in minor units of Currency
	Store      string // slug
	Campaign   string
	Creator    string
	Handle     string // the creator's on Instagram, or on the first other network; empty without any
	Offer      string
	OfferType  affiliate.OfferType
	Former     bool // the creator left the campaign or the community
}

// Tables beside conversions c.
const (
	besideOrders    = ` JOIN orders o ON o.id = c.order_id`
	besideStores    = ` JOIN stores s ON s.id = c.store_id`
	besideCampaigns = ` JOIN campaigns p ON p.id = c.campaign_id`
	besideCreators  = ` JOIN creators r ON r.id = c.creator_id`
	besideOffers    = ` JOIN offers f ON f.id = c.offer_id`
	besideMembers   = ` JOIN offer_members x ON x.id = c.offer_member_id JOIN campaign_members m ON m.id = x.member_id`
)

// conversionsWith is the FROM clause of conversions c with one more table, and with the orders too where they are
// needed.
func conversionsWith(beside string, orders bool) string {
	if orders && beside != besideOrders {
		beside += besideOrders
	}
	return ` FROM conversions c` + beside
}

// bestHandle is the handle by which people know a creator r, as affiliate.Creator.BestHandle chooses it; empty without
// any.
const bestHandle = `COALESCE((SELECT h.handle FROM creator_handles h WHERE h.creator_id = r.id
	ORDER BY CASE WHEN h.network = '` + affiliate.Instagram + `' THEN 0 ELSE 1 END, h.network LIMIT 1), '')`

// itemColumns are what a ConversionItem has besides its order's columns, of conversions c with itemTables beside them.
var itemColumns = conversionColumns.of("c") + `, p.name AS campaign, r.name AS creator,
	` + bestHandle + ` AS handle, f.name AS offer, f.type AS offer_type, (m.removed_at IS NOT NULL OR r.removed_at IS NOT NULL) AS former`

const itemTables = besideCampaigns + besideCreators + besideOffers + besideMembers

// ConversionPage gives a page of conversions and the cursor of the next one, which is empty on the last page. The rows
// are found by themselves, along an index in the usual order; only then are the names put beside the few that were
// found.
func (q queries) ConversionPage(ctx context.Context, c ConversionFilter, s ConversionSort,
	p Page) ([]ConversionItem, string, error) {
	f, orders, err := q.narrow(ctx, c)
	if err != nil {
		return nil, "", err
	}
	k, beside := s.keyset()
	if err := k.After(&f, p.Cursor); err != nil {
		return nil, "", err
	}
	var rows []struct {
		ConversionItem
		Key any `db:"sort_key"`
	}
	err = q.List(ctx, &rows, `SELECT `+itemColumns+`, o.number, o.external_id, o.total AS order_total, s.slug AS store,
		found.sort_key
		FROM (SELECT c.id, `+k.Keys[0].SQL+` AS sort_key`+conversionsWith(beside, orders)+f.Where()+k.Top(p.Size())+`) found
		JOIN conversions c ON c.id = found.id`+besideOrders+besideStores+itemTables+
		k.of("found").By(), f.Args...)
	if err != nil {
		return nil, "", err
	}
	rows, next := Cut(k, rows, p.Size())
	items := make([]ConversionItem, len(rows))
	for i, r := range rows {
		items[i] = r.ConversionItem
	}
	return items, next, nil
}

// EachConversion hands conversions to each one by one, in constant memory. The item, and what it points to, is used
// again for the next one; each may not use the database. Run it in a snapshot, so that the names belong to the rows.
func (q queries) EachConversion(ctx context.Context, c ConversionFilter, s ConversionSort,
	each func(*ConversionItem) error) error {
	f, _, err := q.narrow(ctx, c)
	if err != nil {
		return err
	}
	words, err := q.conversionWords(ctx)
	if err != nil {
		return err
	}
	k, beside := s.keyset()
	var i ConversionItem
	return q.stream(ctx, `SELECT `+conversionColumns.of("c")+`, o.number, o.external_id, o.total AS order_total`+
		conversionsWith(beside, true)+f.Where()+k.By(), f.Args, &i, func() error {
		words.put(&i)
		return each(&i)
	})
}

// conversionWords are the words beside conversions that are read by the million.
type conversionWords struct {
	Names
	slugs  map[affiliate.StoreID]string
	types  map[affiliate.OfferID]affiliate.OfferType
	former map[affiliate.OfferMemberID]bool
}

func (q queries) conversionWords(ctx context.Context) (w conversionWords, err error) {
	if w.Names, err = q.Names(ctx); err != nil {
		return w, err
	}
	if w.slugs, err = q.StoreSlugs(ctx); err != nil {
		return w, err
	}
	w.types, w.former = map[affiliate.OfferID]affiliate.OfferType{}, map[affiliate.OfferMemberID]bool{}
	if err := q.eachWord(ctx, `SELECT id, type AS word FROM offers`, func(id int64, word string) {
		w.types[affiliate.OfferID(id)] = affiliate.OfferType(word)
	}); err != nil {
		return w, err
	}
	if err := q.eachWord(ctx, `SELECT x.id, '' AS word `+formerMembers, func(id int64, _ string) {
		w.former[affiliate.OfferMemberID(id)] = true
	}); err != nil {
		return w, err
	}
	return w, nil
}

func (w conversionWords) put(i *ConversionItem) {
	creator := w.Creators[i.CreatorID]
	i.Creator, i.Handle = creator.Name, creator.Handle
	i.Store, i.Campaign, i.Offer, i.OfferType = w.slugs[i.StoreID], w.Campaigns[i.CampaignID], w.Offers[i.OfferID],
		w.types[i.OfferID]
	i.Former = w.former[i.OfferMemberID]
}
