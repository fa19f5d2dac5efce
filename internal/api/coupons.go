package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerCoupons declares the operations on codes as they stand in stores.
func (a *API) registerCoupons(api huma.API) {
	const read, change = affiliate.MayRead, affiliate.MayChangeCatalog
	register(a, api, operation{http.MethodGet, "/coupons", "list-coupons", read,
		"List codes as they stand in stores, whoever made them"}, a.listCoupons)
	register(a, api, operation{http.MethodPost, "/stores/{store}/coupons/read", "read-coupons", change,
		"Have all codes of a store read at once, in the background"}, a.readCoupons)
	register(a, api, operation{http.MethodPost, "/stores/{store}/coupons/accept", "accept-coupon", change,
		"Take a code as the store has it for right; its trouble is over until it changes again"}, a.acceptCoupon)
	register(a, api, operation{http.MethodGet, "/stores/{store}/coupons/orders", "list-coupon-orders", read,
		"List the newest orders that carry a code, credited or not"}, a.couponOrders)
}

// CouponJSON is a code as it stands in a store, as the API and commands give it.
type CouponJSON struct {
	Store         string                  `json:"store" example:"str_1"`
	StoreSlug     string                  `json:"store_slug" example:"shop"`
	Code          string                  `json:"code" example:"ANNA10" doc:"As the store writes it"`
	Folded        string                  `json:"folded" example:"anna10" doc:"As codes are compared"`
	Title         string                  `json:"title" doc:"Or its description, as people wrote it"`
	Discount      *StoreDiscountJSON      `json:"discount" doc:"What it gives there, as far as that can be said; null where nothing is known"`
	Other         *string                 `json:"other" doc:"What it is in the store's words, where discount cannot say it"`
	MadeHere      bool                    `json:"made_here" doc:"It was made in the store by Tributary"`
	Stopped       bool                    `json:"stopped" doc:"The store takes it from nobody, whatever its time"`
	Shared        bool                    `json:"shared" doc:"Other codes have the same discount in the store: changing it changes theirs"`
	Uses          int64                   `json:"uses" doc:"As the store counts them"`
	Orders        int64                   `json:"orders" doc:"Here, with the code and not canceled, when it was read"`
	WaitingOrders int64                   `json:"waiting_orders" doc:"Of them those without credit"`
	Owner         *CouponOwnerJSON        `json:"owner" doc:"Whose it is now; null: nobody's"`
	Dismissed     bool                    `json:"dismissed" doc:"Somebody has said that it is no creator's"`
	Suggestion    *SuggestionJSON         `json:"suggestion" doc:"Whose it may be; null where nobody fits, and without suggest"`
	Trouble       affiliate.CouponTrouble `json:"trouble,omitempty" doc:"How it is not as it should be; left out where all is well"`
	Told          *string                 `json:"told" doc:"The trouble in words"`
	TroubleSince  *time.Time              `json:"trouble_since"`
	MadeAt        *time.Time              `json:"made_at" doc:"In the store"`
	ChangedAt     *time.Time              `json:"changed_at" doc:"In the store"`
	SeenAt        *time.Time              `json:"seen_at" doc:"When it was read last"`
	GoneAt        *time.Time              `json:"gone_at" doc:"Since when the store has it no more"`
}

// CouponOwnerJSON is whose a code is.
type CouponOwnerJSON struct {
	Code         string `json:"code" example:"cod_1"`
	OfferMember  string `json:"offer_member" example:"ofm_1"`
	Offer        string `json:"offer_name"`
	Campaign     string `json:"campaign" example:"cmp_1"`
	CampaignName string `json:"campaign_name"`
	Creator      string `json:"creator" example:"cre_1"`
	CreatorName  string `json:"creator_name"`
}

// SuggestionJSON is whose a code may be.
type SuggestionJSON struct {
	OfferMember string `json:"offer_member" example:"ofm_1"`
	Certain     bool   `json:"certain" doc:"Exactly one member fits, by the whole handle or the pattern"`
	Why         string `json:"why"`
}

// CouponView is how they show a code in a store.
func CouponView(c storage.CouponItem) CouponJSON {
	in := c.InStore()
	v := CouponJSON{Store: c.StoreID.String(), StoreSlug: c.Store, Code: c.Code, Folded: c.Folded, Title: c.Title,
		Discount: StoreDiscountView(in.Discount), Other: orNull(c.Other), MadeHere: c.Mark != "", Stopped: c.Stopped,
		Shared: c.Shared, Uses: c.Uses, Orders: c.Orders, WaitingOrders: c.Waiting, Dismissed: c.Dismissed,
		Trouble: c.Trouble, Told: orNull(money.Plain(c.Told)), TroubleSince: web.TimeOrNull(c.TroubleAt),
		MadeAt: web.TimeOrNull(c.MadeAt), ChangedAt: web.TimeOrNull(c.ChangedAt), SeenAt: web.TimeOrNull(c.SeenAt),
		GoneAt: web.TimeOrNull(c.GoneAt)}
	if c.CodeID != 0 {
		v.Owner = &CouponOwnerJSON{c.CodeID.String(), c.OfferMemberID.String(), c.Offer, c.CampaignID.String(),
			c.Campaign, c.CreatorID.String(), c.Creator}
	}
	return v
}

type couponsInput struct {
	PageInput
	Store   string             `query:"store" doc:"Its id or slug"`
	Set     storage.CouponSet  `query:"set" doc:"Nobody's, somebody's, no creator's as somebody has said, in trouble, or gone from the store; left out: all that are there"`
	Search  string             `query:"q" doc:"Somewhere in the code, however it is written"`
	Sort    storage.CouponSort `query:"sort" default:"uses" doc:"Most used first, by code, or the newest first"`
	Suggest string             `query:"suggest" example:"off_1" doc:"An offer, among whose members is looked for those whose codes they may be"`
	Pattern string             `query:"pattern" example:"{{handle}}10" doc:"With suggest: how codes of the offer's members were made"`
}

func (a *API) listCoupons(ctx context.Context, in *couponsInput) (*listOutput[CouponJSON], error) {
	q, err := a.query(ctx)
	if err != nil {
		return nil, err
	}
	f := q.Coupons()
	if err := q.Err(); err != nil {
		return nil, err
	}
	offer, err := affiliate.OptionalID[affiliate.OfferID]("suggest", "off_", in.Suggest)
	if err == nil && offer != 0 {
		_, err = a.App.DB.Offer(ctx, offer)
	}
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.AboutField("suggest", err)
	}
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.CouponPage(ctx, f, a.App.Now(), in.page())
	if err != nil {
		return nil, err
	}
	out, err := listPage(list, next, nil, CouponView)
	if err != nil || offer == 0 {
		return out, err
	}
	return out, a.suggestOwners(ctx, offer, in.Pattern, out.Body.Data)
}

// suggestOwners says whose coupons may be that are nobody's.
func (a *API) suggestOwners(ctx context.Context, offer affiliate.OfferID, pattern string, list []CouponJSON) error {
	var codes []string
	var places []int
	for i, c := range list {
		if c.Owner == nil && !c.Dismissed {
			codes, places = append(codes, c.Code), append(places, i)
		}
	}
	found, err := a.App.SuggestOwners(ctx, offer, pattern, codes)
	for i, m := range found {
		if m.Owner != 0 {
			list[places[i]].Suggestion = &SuggestionJSON{m.Owner.String(), m.Certain, m.Why}
		}
	}
	return err
}

// CouponReadingJSON is how far the codes of a store were read.
type CouponReadingJSON struct {
	Can      bool       `json:"can" doc:"Codes can be read, made and changed in the store"`
	Why      *string    `json:"why" doc:"Why they cannot, and what helps"`
	ReadAt   *time.Time `json:"read_at" doc:"When all were read last; null: never"`
	UnderWay bool       `json:"under_way"`
}

// CouponReadingView is how they show it.
func CouponReadingView(r app.CouponReading) CouponReadingJSON {
	return CouponReadingJSON{r.Can, orNull(r.Why), web.TimeOrNull(r.ReadAt), r.UnderWay}
}

func (a *API) readCoupons(ctx context.Context, in *StorePath) (*output[CouponReadingJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	if err := a.App.ReadCoupons(ctx, store.ID); err != nil {
		return nil, err
	}
	reading, err := a.App.CouponReading(ctx, store)
	return one(reading, err, CouponReadingView)
}

type acceptCouponInput struct {
	StorePath
	Body struct {
		Code string `json:"code" example:"ANNA10" doc:"However it is written"`
	}
}

func (a *API) acceptCoupon(ctx context.Context, in *acceptCouponInput) (*output[acceptedJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	err = a.App.AcceptCoupon(ctx, store.ID, in.Body.Code)
	return one(in.Body.Code, err, func(code string) acceptedJSON { return acceptedJSON{store.ID.String(), code} })
}

type acceptedJSON struct {
	Store string `json:"store" example:"str_1"`
	Code  string `json:"code" example:"ANNA10"`
}

type couponOrdersInput struct {
	StorePath
	Code  string `query:"code" required:"true" doc:"However it is written"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many orders at most"`
}

// couponOrderJSON is an order that carries a code.
type couponOrderJSON struct {
	Order    OrderRefJSON          `json:"order"`
	PlacedAt time.Time             `json:"placed_at"`
	Status   affiliate.OrderStatus `json:"status"`
	Test     bool                  `json:"test"`
	Credited bool                  `json:"credited" doc:"By this code"`
}

type couponOrdersJSON struct {
	Orders []couponOrderJSON `json:"orders" nullable:"false" doc:"The newest first; those that another code or a link is credited with are not among them"`
}

func (a *API) couponOrders(ctx context.Context, in *couponOrdersInput) (*output[couponOrdersJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	list, err := a.App.DB.OrdersOfCode(ctx, store.ID, affiliate.FoldCode(in.Code), in.Limit)
	return one(list, err, func(list []storage.CodeOrder) couponOrdersJSON {
		v := couponOrdersJSON{Orders: make([]couponOrderJSON, len(list))}
		for i, o := range list {
			v.Orders[i] = couponOrderJSON{OrderRef(o.ID, store.Slug, o.ExternalID, o.Number), o.PlacedAt.UTC(),
				o.Status, o.Test, o.Credited}
		}
		return v
	})
}
