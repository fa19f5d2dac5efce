package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Coupon is a code of a store: as it stands there, as far as it was read, and as it is to be there.
type Coupon struct {
	StoreID    affiliate.StoreID
	Folded     string
	Code       string // as the store writes it
	ExternalID string // the store's; empty: it was never read from there
	Title      string
	Mark       string // that it was made with from here; empty: it was not
	Discount   string // JSON of affiliate.Discount, as the store has it
	Other      string // what it is, where Discount cannot say it
	StartsAt   time.Time
	EndsAt     time.Time
	Stopped    bool // in the store
	Shared     bool // its discount has other codes
	Uses       int64
	MadeAt     time.Time
	ChangedAt  time.Time
	SeenAt     time.Time               // when it was read last
	GoneAt     time.Time               // since when the store has it no more
	Wanted     string                  // JSON of the discount that it was given from here; empty: none was
	Halted     bool                    // it was deactivated or ended from here
	ByHand     affiliate.CouponStep    // what somebody has said to have done in the store's admin last
	Orders     int64                   // here with the code and not canceled, when it was read
	MostOrders int64                   // canceled ones and tests among them
	UsesOffAt  time.Time               // since when the store has counted others
	UsesKnown  int64                   // how many more the store counts than came here, as somebody has accepted
	Accepted   affiliate.CouponTrouble // that somebody has said is none
	Trouble    affiliate.CouponTrouble
	TroubleAt  time.Time
	Told       string // what the trouble is, in words
}

var (
	couponTable   = tableOf[Coupon]("coupons")
	couponColumns = columnsOf[Coupon]()
	couponKeys    = columns{"store_id", "folded"}
)

// NewCouponRow is a coupon as it was read from a store at a time.
func NewCouponRow(store affiliate.StoreID, c affiliate.Coupon, now time.Time) Coupon {
	var row Coupon
	row.StoreID, row.Folded = store, affiliate.FoldCode(c.Code)
	row.Read(c, now)
	return row
}

// Read takes over what was read from the store at a time.
func (c *Coupon) Read(from affiliate.Coupon, now time.Time) {
	c.Code, c.ExternalID, c.Title, c.Mark, c.Other = from.Code, from.ID, from.Title, from.Mark, from.Other
	c.Discount, c.StartsAt, c.EndsAt = discountText(from.Discount), from.Discount.StartsAt, from.Discount.EndsAt
	c.Stopped, c.Shared, c.Uses = from.Stopped, from.Shared, from.Uses
	c.MadeAt, c.ChangedAt, c.SeenAt, c.GoneAt = from.MadeAt, from.ChangedAt, now, time.Time{}
}

// InStore gives the coupon as the store has it.
func (c Coupon) InStore() affiliate.Coupon {
	return affiliate.Coupon{ID: c.ExternalID, Code: c.Code, Title: c.Title, Mark: c.Mark, Other: c.Other,
		Discount: readDiscount(c.Discount), Stopped: c.Stopped, Shared: c.Shared, Uses: c.Uses, MadeAt: c.MadeAt,
		ChangedAt: c.ChangedAt}
}

// Known says whether the store has it, as far as it was read.
func (c Coupon) Known() bool { return c.ExternalID != "" && c.GoneAt.IsZero() }

// Given is the discount that it was given from here; the zero value where none was.
func (c Coupon) Given() affiliate.Discount { return readDiscount(c.Wanted) }

// Give notes the discount that it is given from here.
func (c *Coupon) Give(d affiliate.Discount) { c.Wanted = discountText(d) }

func discountText(d affiliate.Discount) string {
	text, _ := json.Marshal(d) // numbers, texts and times always marshal
	return string(text)
}

func readDiscount(text string) (d affiliate.Discount) {
	_ = json.Unmarshal([]byte(text), &d) // discountText wrote it; nothing is none
	return d
}

// Coupons gives those of some codes of a store, as they are folded, by code. Codes that the store was not seen to have
// are not among them.
func (q queries) Coupons(ctx context.Context, store affiliate.StoreID, folded []string) ([]Coupon, error) {
	return listCodes[Coupon](ctx, q, `SELECT `+couponColumns.of("")+` FROM coupons WHERE store_id = ? AND folded IN (?) ORDER BY folded`, store, folded)
}

// listCodes reads what a query gives for a store and some of its codes.
func listCodes[R any](ctx context.Context, q queries, query string, store affiliate.StoreID,
	folded []string) (list []R, err error) {
	if len(folded) > 0 {
		err = q.ListIn(ctx, &list, query, store, folded)
	}
	return list, err
}

// SaveCoupons writes coupons, new ones and such as were read in the same transaction. The caller holds the catalog's
// lock.
func (tx *Tx) SaveCoupons(ctx context.Context, list []Coupon) error {
	if len(list) == 0 {
		return nil
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Coupon) int { return compareCoupons(a, b) })
	list = slices.CompactFunc(list, func(a, b Coupon) bool { return compareCoupons(a, b) == 0 })
	return couponTable.insert(ctx, tx, list, couponTable.upsert(couponKeys, nil), nil, nil)
}

// FreeCoupon forgets that a code was deactivated or ended from here, and which trouble of it was accepted: it is
// somebody else's from now on.
func (tx *Tx) FreeCoupon(ctx context.Context, store affiliate.StoreID, folded string) error {
	_, err := tx.exec(ctx, `UPDATE coupons SET halted = FALSE, accepted = '' WHERE store_id = ? AND folded = ?`, store, folded)
	return err
}

func compareCoupons(a, b Coupon) int {
	if a.StoreID != b.StoreID {
		return int(a.StoreID - b.StoreID)
	}
	switch {
	case a.Folded < b.Folded:
		return -1
	case a.Folded > b.Folded:
		return 1
	}
	return 0
}

// CouponsUnseen gives a store's coupons that were there and that no reading has seen since a time, by code.
func (q queries) CouponsUnseen(ctx context.Context, store affiliate.StoreID, since time.Time,
	limit int) ([]Coupon, error) {
	list := []Coupon{}
	err := q.List(ctx, &list, `SELECT `+couponColumns.of("")+` FROM coupons WHERE store_id = ? AND external_id <> ''
		AND gone_at IS NULL AND seen_at < ? ORDER BY folded LIMIT ?`, store, At(since), limit)
	return list, err
}

// CouponSet says which coupons are listed.
type CouponSet string

const (
	CouponsUnowned   CouponSet = "unowned"   // nobody's, and nobody has said that they are no creator's
	CouponsOwned     CouponSet = "owned"     // somebody's now
	CouponsDismissed CouponSet = "dismissed" // no creator's, as somebody has said
	CouponsTroubled  CouponSet = "troubled"  // not as they should be
	CouponsGone      CouponSet = "gone"      // the store has them no more
)

// Words lists the sets there are.
func (CouponSet) Words() []CouponSet {
	return []CouponSet{CouponsUnowned, CouponsOwned, CouponsDismissed, CouponsTroubled, CouponsGone}
}

// CouponSort says in which order coupons are listed.
type CouponSort string

const (
	CouponsByUse  CouponSort = "uses" // the most used first
	CouponsByCode CouponSort = "code"
	CouponsByMade CouponSort = "made" // the newest first
)

// Words lists the orders there are.
func (CouponSort) Words() []CouponSort {
	return []CouponSort{CouponsByUse, CouponsByCode, CouponsByMade}
}

// CouponFilter narrows a list of coupons; zero fields do not. Gone ones are listed only among those and in trouble.
type CouponFilter struct {
	Store  affiliate.StoreID
	Set    CouponSet
	Search string // somewhere in the code, however it is written
	Sort   CouponSort
}

// CouponItem is a coupon as tables show it.
type CouponItem struct {
	Coupon
	Store         string // slug
	CodeID        affiliate.CodeID
	OfferMemberID affiliate.OfferMemberID // whose it is now; 0: nobody's
	CreatorID     affiliate.CreatorID
	Creator       string
	Offer         string
	CampaignID    affiliate.CampaignID
	Campaign      string
	Dismissed     bool
	Waiting       int64 // orders without credit that carry it
}

var couponOrders = map[CouponSort]Keyset{
	CouponsByUse: {Name: "uses", Keys: []Key{{SQL: "u.uses", Column: "uses", Descending: true},
		{SQL: "u.folded", Column: "folded", Kind: TextKey}, {SQL: "u.store_id", Column: "store_id"}}},
	CouponsByCode: {Name: "code", Keys: []Key{{SQL: "u.folded", Column: "folded", Kind: TextKey},
		{SQL: "u.store_id", Column: "store_id"}}},
	CouponsByMade: {Name: "made", Keys: []Key{{SQL: "u.made_at", Column: "made_at", Kind: TimeKey, Descending: true,
		Nullable: true}, {SQL: "u.folded", Column: "folded", Kind: TextKey}, {SQL: "u.store_id", Column: "store_id"}}},
}

const dismissedCoupon = `EXISTS (SELECT 1 FROM dismissed_codes n WHERE n.store_id = u.store_id AND n.folded = u.folded)`

// CouponPage lists coupons, the most used first. now says who owns them.
func (q queries) CouponPage(ctx context.Context, c CouponFilter, now time.Time, p Page) ([]CouponItem, string, error) {
	var f Filter
	f.And("s.state <> 'ended'")
	Is(&f, "u.store_id", c.Store)
	if c.Search != "" {
		f.And(`u.folded LIKE ? ESCAPE '\'`, Containing(affiliate.FoldCode(c.Search)))
	}
	switch c.Set {
	case CouponsTroubled:
		f.And("u.trouble <> ''")
	case CouponsGone:
		f.And("u.gone_at IS NOT NULL")
	default:
		f.And("u.gone_at IS NULL")
	}
	switch c.Set {
	case CouponsUnowned:
		f.And("k.id IS NULL AND NOT " + dismissedCoupon)
	case CouponsOwned:
		f.And("k.id IS NOT NULL")
	case CouponsDismissed:
		f.And("k.id IS NULL AND " + dismissedCoupon)
	}
	if c.Sort == "" {
		c.Sort = CouponsByUse
	}
	f.Args = append([]any{At(now)}, f.Args...)
	return paged[CouponItem](ctx, q, `SELECT `+couponColumns.of("u")+`, s.slug AS store, COALESCE(k.id, 0) AS code_id,
		COALESCE(x.id, 0) AS offer_member_id, COALESCE(r.id, 0) AS creator_id, COALESCE(r.name, '') AS creator,
		COALESCE(o.name, '') AS offer, COALESCE(o.campaign_id, 0) AS campaign_id, COALESCE(p.name, '') AS campaign,
		`+dismissedCoupon+` AS dismissed, (SELECT COUNT(*) FROM unowned_evidence e WHERE e.kind = 'code' AND e.value = u.folded
			AND e.store_id = u.store_id) AS waiting
		FROM coupons u JOIN stores s ON s.id = u.store_id
		LEFT JOIN codes k ON k.store_id = u.store_id AND k.folded = u.folded
			AND k.id = (SELECT MAX(z.id) FROM codes z WHERE z.store_id = u.store_id AND z.folded = u.folded
				AND (z.valid_to IS NULL OR z.valid_to > ?))
		LEFT JOIN offer_members x ON x.id = k.offer_member_id LEFT JOIN offers o ON o.id = x.offer_id
		LEFT JOIN campaigns p ON p.id = o.campaign_id LEFT JOIN campaign_members m ON m.id = x.member_id
		LEFT JOIN creators r ON r.id = m.creator_id`, f, couponOrders[c.Sort], p)
}

// TroubledCoupons counts the codes that are not as they should be, by their stores; of ended stores there are none.
// Only such codes are looked at.
func (q queries) TroubledCoupons(ctx context.Context) (map[affiliate.StoreID]int64, error) {
	var rows []struct {
		StoreID affiliate.StoreID
		N       int64
	}
	err := q.List(ctx, &rows, `SELECT store_id, COUNT(*) AS n FROM coupons
		WHERE trouble <> '' AND store_id IN (SELECT id FROM stores WHERE state <> 'ended') GROUP BY store_id`)
	counts := make(map[affiliate.StoreID]int64, len(rows))
	for _, r := range rows {
		counts[r.StoreID] = r.N
	}
	return counts, err
}

// CouponTroubles counts the codes of a store that are not as they should be, by how.
type CouponTroubles struct {
	Store string // slug
	Kind  affiliate.CouponTrouble
	Codes int64
}

// CouponTroubles gives the counts of all stores whose codes were read: of each store all kinds, by slug.
func (q queries) CouponTroubles(ctx context.Context) ([]CouponTroubles, error) {
	var rows []CouponTroubles
	err := q.List(ctx, &rows, `SELECT s.slug AS store, COALESCE(t.trouble, '') AS kind, COALESCE(t.codes, 0) AS codes
		FROM stores s JOIN store_work w ON w.store_id = s.id LEFT JOIN (SELECT store_id, trouble, COUNT(*) AS codes
			FROM coupons WHERE trouble <> '' GROUP BY store_id, trouble) t ON t.store_id = s.id
		WHERE w.coupons_at IS NOT NULL AND s.state <> 'ended' ORDER BY s.slug`)
	counts := map[string]map[affiliate.CouponTrouble]int64{}
	var stores []string
	for _, r := range rows {
		if counts[r.Store] == nil {
			counts[r.Store], stores = map[affiliate.CouponTrouble]int64{}, append(stores, r.Store)
		}
		counts[r.Store][r.Kind] = r.Codes
	}
	list := []CouponTroubles{}
	for _, store := range stores {
		for _, kind := range affiliate.Words[affiliate.CouponTrouble]() {
			list = append(list, CouponTroubles{store, kind, counts[store][kind]})
		}
	}
	return list, err
}

// CodeUse counts the orders here that carry a code.
type CodeUse struct {
	Folded string
	Orders int64 // that are neither canceled nor tests nor deleted
	All    int64
	Newest time.Time `db:"newest_at"` // when the newest came; zero without any
}

// CodeUses counts the orders that carry some codes of a store: those that are credited by them, and those without
// credit. An order that another code or a link is credited with is not counted.
func (q queries) CodeUses(ctx context.Context, store affiliate.StoreID, folded []string) (map[string]CodeUse, error) {
	uses := make(map[string]CodeUse, len(folded))
	if len(folded) == 0 {
		return uses, nil
	}
	const counted = `COUNT(*) FILTER (WHERE o.status NOT IN ('canceled') AND NOT o.test) AS orders, COUNT(*) AS "all",
		MAX(o.updated_at) AS newest_at`
	for _, query := range []string{
		`SELECT k.folded, ` + counted + ` FROM codes k JOIN conversions v ON v.offer_member_id = k.offer_member_id AND v.code_id = k.id
			JOIN orders o ON o.id = v.order_id WHERE v.credited AND k.store_id = ? AND k.folded IN (?) GROUP BY k.folded`,
		`SELECT e.value AS folded, ` + counted + ` FROM unowned_evidence e JOIN orders o ON o.id = e.order_id
			WHERE e.kind = 'code' AND e.store_id = ? AND e.value IN (?) GROUP BY e.value`,
	} {
		var rows []struct {
			Folded string
			Orders int64
			All    int64
			Newest Time `db:"newest_at"`
		}
		if err := q.ListIn(ctx, &rows, query, store, folded); err != nil {
			return nil, err
		}
		for _, r := range rows {
			u := uses[r.Folded]
			u.Folded, u.Orders, u.All = r.Folded, u.Orders+r.Orders, u.All+r.All
			if r.Newest.After(u.Newest) {
				u.Newest = r.Newest.Time
			}
			uses[r.Folded] = u
		}
	}
	return uses, nil
}

// OwnedCodes gives the intervals of some codes of a store, as they are folded, oldest first.
func (q queries) OwnedCodes(ctx context.Context, store affiliate.StoreID, folded []string) ([]affiliate.Code, error) {
	return listCodes[affiliate.Code](ctx, q, `SELECT `+codeColumns.of("")+` FROM codes WHERE store_id = ? AND folded IN (?) ORDER BY id`, store, folded)
}

// CodesWithoutCoupon gives the codes that belong to somebody in a store, and since a time did, which a reading of all
// the store's codes has not found.
func (q queries) CodesWithoutCoupon(ctx context.Context, store affiliate.StoreID, now time.Time,
	limit int) ([]affiliate.Code, error) {
	list := []affiliate.Code{}
	err := q.List(ctx, &list, `SELECT `+codeColumns.of("k")+` FROM codes k WHERE k.store_id = ? AND (k.valid_to IS NULL OR k.valid_to > ?)
		AND NOT EXISTS (SELECT 1 FROM coupons u WHERE u.store_id = k.store_id AND u.folded = k.folded
			AND (u.external_id <> '' OR u.gone_at IS NOT NULL)) ORDER BY k.id LIMIT ?`,
		store, At(now), limit)
	return list, err
}

// CodeOrder is an order that carries a code, as lists of them show it.
type CodeOrder struct {
	OrderName
	PlacedAt Time
	Status   affiliate.OrderStatus
	Test     bool
	Credited bool
}

// OrdersOfCode lists the orders that carry a code of a store, as CodeUses counts them, the newest first.
func (q queries) OrdersOfCode(ctx context.Context, store affiliate.StoreID, folded string,
	limit int) ([]CodeOrder, error) {
	list := []CodeOrder{}
	const columns = `o.id, o.external_id, o.number, o.placed_at, o.status, o.test`
	err := q.List(ctx, &list, fmt.Sprintf(`SELECT %[1]s, TRUE AS credited FROM codes k JOIN conversions v ON v.offer_member_id = k.offer_member_id
			AND v.code_id = k.id JOIN orders o ON o.id = v.order_id WHERE v.credited AND k.store_id = ? AND k.folded = ?
		UNION ALL SELECT %[1]s, FALSE AS credited FROM unowned_evidence e JOIN orders o ON o.id = e.order_id
			WHERE e.kind = 'code' AND e.store_id = ? AND e.value = ? ORDER BY placed_at DESC, id DESC LIMIT ?`, columns),
		store, folded, store, folded, limit)
	return list, err
}

// CodesOnOrders gives which of some codes of a store, as they are folded, orders without credit carry.
func (q queries) CodesOnOrders(ctx context.Context, store affiliate.StoreID, folded []string) ([]string, error) {
	return listCodes[string](ctx, q, `SELECT DISTINCT e.value FROM unowned_evidence e
		WHERE e.kind = 'code' AND e.store_id = ? AND e.value IN (?)`, store, folded)
}

// OrdersWithCodes counts the orders of a store without credit that carry some codes, by the codes as they are folded.
func (q queries) OrdersWithCodes(ctx context.Context, store affiliate.StoreID,
	folded []string) (map[string]int64, error) {
	rows, err := listCodes[struct {
		Value string
		N     int64
	}](ctx, q, `SELECT e.value, COUNT(*) AS n FROM unowned_evidence e WHERE e.kind = 'code' AND e.store_id = ? AND e.value IN (?)
		GROUP BY e.value`, store, folded)
	counts := make(map[string]int64, len(rows))
	for _, r := range rows {
		counts[r.Value] = r.N
	}
	return counts, err
}

// HandlesOfOffer gives the handles of the creators who are members of an offer, without @.
func (q queries) HandlesOfOffer(ctx context.Context,
	offer affiliate.OfferID) (map[affiliate.CreatorID][]string, error) {
	var rows []struct {
		CreatorID affiliate.CreatorID
		Handle    string
	}
	err := q.List(ctx, &rows, `SELECT h.creator_id, h.handle FROM offer_members x JOIN campaign_members m ON m.id = x.member_id
		JOIN creator_handles h ON h.creator_id = m.creator_id WHERE x.offer_id = ? ORDER BY h.creator_id, h.network`, offer)
	handles := make(map[affiliate.CreatorID][]string, len(rows))
	for _, r := range rows {
		handles[r.CreatorID] = append(handles[r.CreatorID], r.Handle)
	}
	return handles, err
}

// FirstOrders gives the first order that is credited by each of some codes of a store, by the codes' intervals.
func (q queries) FirstOrders(ctx context.Context, store affiliate.StoreID,
	folded []string) (map[affiliate.CodeID]affiliate.OrderID, error) {
	rows, err := listCodes[struct {
		ID      affiliate.CodeID
		OrderID affiliate.OrderID
	}](ctx, q, `SELECT k.id, MIN(v.order_id) AS order_id FROM codes k JOIN conversions v ON v.offer_member_id = k.offer_member_id AND v.code_id = k.id
		WHERE v.credited AND k.store_id = ? AND k.folded IN (?) GROUP BY k.id`, store, folded)
	first := make(map[affiliate.CodeID]affiliate.OrderID, len(rows))
	for _, r := range rows {
		first[r.ID] = r.OrderID
	}
	return first, err
}
