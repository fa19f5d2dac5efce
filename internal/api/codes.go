package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

func (a *API) registerCodes(api huma.API) {
	const read, change = affiliate.MayRead, affiliate.MayChangeCatalog
	register(a, api, operation{http.MethodGet, "/codes", "list-codes", read, "List coupon codes, ended ones included"},
		a.listCodes)
	register(a, api, operation{http.MethodPost, "/codes", "create-code", change,
		"Give an offer member a coupon code in a store"}, a.createCode)
	register(a, api, operation{http.MethodGet, "/codes/{id}", "get-code", read, "Read a coupon code"}, a.getCode)
	register(a, api, operation{http.MethodPatch, "/codes/{id}", "update-code", change, "Change how a code is written"},
		a.updateCode)
	register(a, api, operation{http.MethodPost, "/codes/{id}/end", "end-code", change,
		"End the ownership of a code; it keeps its orders"}, a.endCode)
}

type CodeJSON struct {
	ID          string     `json:"id" example:"cod_1"`
	OfferMember string     `json:"offer_member" example:"ofm_1"`
	Store       string     `json:"store" example:"str_1"`
	Code        string     `json:"code" example:"ANNA10"`
	ValidFrom   *time.Time `json:"valid_from" doc:"null: always"`
	ValidTo     *time.Time `json:"valid_to" doc:"The first moment that no longer counts; null: still owned"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

func codeView(c affiliate.Code) CodeJSON {
	return CodeJSON{ID: c.ID.String(), OfferMember: c.OfferMemberID.String(), Store: c.StoreID.String(), Code: c.Code,
		ValidFrom: web.TimeOrNull(c.ValidFrom), ValidTo: web.TimeOrNull(c.ValidTo), CreatedAt: c.CreatedAt.UTC(),
		UpdatedAt: c.UpdatedAt.UTC()}
}

type listCodesInput struct {
	PageInput
	OfferMember string `query:"offer_member" example:"ofm_1"`
	Store       string `query:"store" doc:"Its id or slug"`
	Code        string `query:"code" doc:"However it is written"`
}

// StandingCodeJSON is a code with how it stands in its store.
type StandingCodeJSON struct {
	CodeJSON
	Standing app.CodeStanding        `json:"standing" doc:"Whether customers can use it"`
	Trouble  affiliate.CouponTrouble `json:"trouble,omitempty" doc:"Of standing troubled: how it is not as it should be"`
	Told     *string                 `json:"told" doc:"The trouble in words"`
	Discount *StoreDiscountJSON      `json:"discount" doc:"What it gives in the store; null where that is not known"`
	Uses     *int64                  `json:"uses" doc:"As the store counts them; null where its codes are not read"`
}

// standing adds how codes stand in their stores.
func (a *API) standing(ctx context.Context, list []affiliate.Code) (func(affiliate.Code) StandingCodeJSON, error) {
	var members []affiliate.OfferMemberID
	for _, c := range list {
		if !slices.Contains(members, c.OfferMemberID) {
			members = append(members, c.OfferMemberID)
		}
	}
	all, err := a.App.MemberCodes(ctx, members)
	known := map[affiliate.CodeID]app.MemberCode{}
	for _, codes := range all {
		for _, c := range codes {
			known[c.ID] = c
		}
	}
	return func(c affiliate.Code) StandingCodeJSON {
		m := known[c.ID]
		v := StandingCodeJSON{CodeJSON: codeView(c), Standing: m.Standing, Discount: StoreDiscountView(m.Discount)}
		if m.Coupon != nil {
			v.Uses, v.Trouble, v.Told = &m.Coupon.Uses, m.Coupon.Trouble, orNull(money.Plain(m.Coupon.Told))
		}
		return v
	}, err
}

func (a *API) listCodes(ctx context.Context, in *listCodesInput) (*listOutput[StandingCodeJSON], error) {
	f := storage.CodeFilter{Code: in.Code}
	var err error
	if f.OfferMember, err = affiliate.OptionalID[affiliate.OfferMemberID]("offer_member",
		"ofm_", in.OfferMember); err != nil {
		return nil, err
	}
	if f.Store, err = a.storeIn(ctx, in.Store); err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.Codes(ctx, f, in.page())
	if err != nil {
		return nil, err
	}
	view, err := a.standing(ctx, list)
	return listPage(list, next, err, view)
}

type createCodeInput struct {
	Body struct {
		OfferMember string     `json:"offer_member" example:"ofm_1"`
		Store       string     `json:"store" doc:"Its id or slug"`
		Code        string     `json:"code" example:"ANNA10"`
		ValidFrom   *time.Time `json:"valid_from,omitempty" doc:"Left out: always when nobody owned the code before, else from now on"`
	}
}

// OrdersWaiting is part of an answer about new evidence.
type OrdersWaiting struct {
	WaitingOrders int `json:"waiting_orders" doc:"Orders without credit that carry it; re-attribution may credit them"`
}

type createdCodeJSON struct {
	CodeJSON
	OrdersWaiting
}

func (a *API) createCode(ctx context.Context, in *createCodeInput) (*output[createdCodeJSON], error) {
	b := in.Body
	n := app.NewCode{Code: b.Code}
	var err error
	if n.OfferMember, err = affiliate.OptionalID[affiliate.OfferMemberID]("offer_member",
		"ofm_", b.OfferMember); err != nil {
		return nil, err
	}
	if n.Store, err = a.storeIn(ctx, b.Store); err != nil {
		return nil, err
	}
	setIf(&n.ValidFrom, b.ValidFrom)
	added, err := a.App.AddCode(ctx, n)
	return one(added, err, func(c app.AddedCode) createdCodeJSON {
		return createdCodeJSON{codeView(c.Code), OrdersWaiting{c.Waiting}}
	})
}

type CodePath struct {
	ID string `path:"id" example:"cod_1"`
}

func (p CodePath) id() (affiliate.CodeID, error) { return idPath[affiliate.CodeID]("cod_", p.ID) }

func (a *API) getCode(ctx context.Context, in *CodePath) (*output[StandingCodeJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	c, err := a.App.DB.Code(ctx, id)
	if err != nil {
		return nil, err
	}
	view, err := a.standing(ctx, []affiliate.Code{c})
	return one(c, err, view)
}

type updateCodeInput struct {
	CodePath
	Body struct {
		Code string `json:"code" doc:"The same code, written otherwise: Anna10 for ANNA10"`
	}
}

func (a *API) updateCode(ctx context.Context, in *updateCodeInput) (*output[CodeJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	c, err := a.App.ChangeCode(ctx, id, in.Body.Code)
	return one(c, err, codeView)
}

type endCodeInput struct {
	CodePath
	Body *struct {
		ValidTo *time.Time `json:"valid_to,omitempty" doc:"Not in the past; left out: now"`
	}
}

func (a *API) endCode(ctx context.Context, in *endCodeInput) (*output[CodeJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	var at time.Time
	if in.Body != nil {
		setIf(&at, in.Body.ValidTo)
	}
	c, err := a.App.EndCode(ctx, id, at)
	return one(c, err, codeView)
}
