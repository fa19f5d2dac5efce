package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/filters"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerUnowned declares the operations on codes that are seen on orders but belong to nobody.
func (a *API) registerUnowned(api huma.API) {
	const read, change = affiliate.MayRead, affiliate.MayChangeCatalog
	register(a, api, operation{http.MethodGet, "/unowned-codes", "list-unowned-codes", read,
		"List codes, or link slugs, on orders without credit that can be given to somebody"}, a.listUnowned)
	registerExport(a, api, "/unowned-codes", "unowned-codes",
		"the list of unowned codes; a code with sales in several currencies has several lines", a.exportUnowned)
	register(a, api, operation{http.MethodPost, "/unowned-codes/assign", "assign-unowned-code", change,
		"Give a code to an offer member, and credit them with the orders that carry it; or show what that would do"},
		a.assignUnowned)
	register(a, api, operation{http.MethodPost, "/unowned-codes/dismiss", "dismiss-unowned-codes", change,
		"Say that codes are no creator's, such as those of the shop's own sales: they are listed as unowned no more"},
		a.dismissUnowned)
	register(a, api, operation{http.MethodPost, "/unowned-codes/restore", "restore-unowned-codes", change,
		"Take back that codes were dismissed"}, a.restoreUnowned)
}

// UnownedQuery narrows the list of unowned codes.
type UnownedQuery struct {
	Kind      string              `query:"kind" enum:"code,slug" default:"code" doc:"slug: of links. A slug is assigned by making a link with it, then re-attributing"`
	Store     string              `query:"store" doc:"Its id or slug"`
	Search    string              `query:"q" doc:"Somewhere in the code, however it is written"`
	MinOrders int                 `query:"min_orders" minimum:"0" doc:"Only codes on at least as many orders"`
	Since     string              `query:"since" doc:"Counts orders placed at or after: a day in the account's time zone (2026-11-01), or an RFC 3339 time"`
	Sort      storage.UnownedSort `query:"sort" default:"orders" doc:"Most orders, most sales or newest use first, or by code"`
	Dismissed bool                `query:"dismissed" doc:"true: the dismissed codes, which are no creator's, in place of the others"`
	Currency  string              `query:"currency" example:"EUR" doc:"Whose sales sort=sales compares; left out: the store's when one is given, else the account's"`
}

func (a *API) unownedFilter(ctx context.Context) (storage.UnownedFilter, error) {
	settings, zone, err := a.App.DB.Account(ctx)
	if err != nil {
		return storage.UnownedFilter{}, err
	}
	q := filters.New(ctx, a.App.DB, requestOf(ctx).Request.URL.Query(), zone)
	return q.Unowned(settings.Currency), q.Err()
}

type unownedCodeJSON struct {
	Store     string           `json:"store" example:"str_1"`
	StoreSlug string           `json:"store_slug" example:"shop"`
	Kind      string           `json:"kind" enum:"code,slug"`
	Code      string           `json:"code" example:"Summer10" doc:"As the newest order writes it"`
	Folded    string           `json:"folded" example:"summer10" doc:"As codes are compared"`
	Orders    int64            `json:"orders" doc:"That a new owner could be credited with, whatever their status"`
	Sales     []orderSalesJSON `json:"sales" nullable:"false" doc:"Of the paid ones, by the orders' currency"`
	FirstUsed time.Time        `json:"first_used_at"`
	LastUsed  time.Time        `json:"last_used_at"`
	Newest    OrderRefJSON     `json:"newest_order"`
}

type orderSalesJSON struct {
	Currency string `json:"currency" example:"EUR"`
	Orders   int64  `json:"orders"`
	Sales    string `json:"sales" example:"120.00"`
}

func unownedView(c storage.UnownedCode) unownedCodeJSON {
	v := unownedCodeJSON{Store: c.StoreID.String(), StoreSlug: c.Store, Kind: c.Kind, Code: c.Code, Folded: c.Folded,
		Orders: c.Orders, Sales: []orderSalesJSON{}, FirstUsed: c.First.UTC(), LastUsed: c.Last.UTC(),
		Newest: OrderRef(c.Newest.ID, c.Store, c.Newest.ExternalID, c.Newest.Number)}
	for _, s := range c.Sales {
		v.Sales = append(v.Sales, orderSalesJSON{s.Currency.Code(), s.Orders, money.Format(s.Sales, s.Currency)})
	}
	return v
}

type listUnownedInput struct {
	PageInput
	UnownedQuery
}

func (a *API) listUnowned(ctx context.Context, in *listUnownedInput) (*listOutput[unownedCodeJSON], error) {
	f, err := a.unownedFilter(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.UnownedCodes(ctx, f, in.page())
	return listPage(list, next, err, unownedView)
}

type exportUnownedInput struct {
	UnownedQuery
	ExportInput
}

func (a *API) exportUnowned(ctx context.Context, in *exportUnownedInput, d *web.Download) error {
	f, err := a.unownedFilter(ctx)
	if err != nil {
		return err
	}
	name, err := a.fileName(ctx, f.Since, time.Time{}, "unowned", f.Kind+"s")
	if err != nil {
		return err
	}
	_, err = a.App.ExportUnownedCodes(ctx, nil, f, d.Options(name))
	return err
}

type sortCodesInput struct {
	Body struct {
		Store string   `json:"store" doc:"Its id or slug"`
		Codes []string `json:"codes" nullable:"false" minItems:"1" maxItems:"500" doc:"However they are written" example:"[\"NEWS15\"]"`
	}
}

type sortedCodesJSON struct {
	Codes int `json:"codes" doc:"How many this changed"`
}

func (a *API) dismissUnowned(ctx context.Context, in *sortCodesInput) (*output[sortedCodesJSON], error) {
	return a.sortCodes(ctx, in, a.App.DismissCodes)
}

func (a *API) restoreUnowned(ctx context.Context, in *sortCodesInput) (*output[sortedCodesJSON], error) {
	return a.sortCodes(ctx, in, a.App.RestoreCodes)
}

func (a *API) sortCodes(ctx context.Context, in *sortCodesInput,
	do func(context.Context, affiliate.StoreID, []string) (int, error)) (*output[sortedCodesJSON], error) {
	store, err := a.storeNamed(ctx, in.Body.Store)
	if err != nil {
		return nil, err
	}
	n, err := do(ctx, store.ID, in.Body.Codes)
	return one(n, err, func(n int) sortedCodesJSON { return sortedCodesJSON{n} })
}

// mostAssigned bounds the orders that one request looks at: it must end before its connection does.
const mostAssigned = 20_000

type assignInput struct {
	Body struct {
		Store       string     `json:"store" doc:"Its id or slug"`
		Code        string     `json:"code" example:"SUMMER10"`
		OfferMember string     `json:"offer_member" example:"ofm_1"`
		ValidFrom   *time.Time `json:"valid_from,omitempty" doc:"Left out: as early as it may be: always when nobody owned the code before, else when it was last free"`
		Preview     bool       `json:"preview" doc:"true: do everything, answer, and take it back"`
		After       string     `json:"after,omitempty" example:"ord_1" doc:"The next_after of the answer before, to go on where it ended"`
	}
}

// assignmentJSON is what assigning a code did, or would do.
type assignmentJSON struct {
	Applied     bool             `json:"applied"`
	Code        assignedCodeJSON `json:"code"`
	Credited    creditedJSON     `json:"credited"`
	NotCredited notCreditedJSON  `json:"not_credited" doc:"Orders with the code that this leaves as they are"`
	NextAfter   *string          `json:"next_after" doc:"More orders wait: send the request again with it as after. null: all were looked at"`
}

type assignedCodeJSON struct {
	ID        *string    `json:"id" example:"cod_1" doc:"null in a preview of a new code"`
	Code      string     `json:"code"`
	ValidFrom *time.Time `json:"valid_from" doc:"null: always"`
}

type creditedJSON struct {
	Orders    int                 `json:"orders"`
	Held      int                 `json:"held" doc:"Of them by a rule, until a person releases them"`
	Ambiguous int                 `json:"ambiguous" doc:"Of them with codes of several owners, for review"`
	Totals    []assignedTotalJSON `json:"totals" nullable:"false" doc:"Of those that are paid and not held, by the orders' currency"`
	First     []assignedOrderJSON `json:"first" nullable:"false" doc:"The first fifty"`
}

type assignedTotalJSON struct {
	Currency   string `json:"currency" example:"EUR"`
	Orders     int    `json:"orders"`
	Sales      string `json:"sales" example:"120.00"`
	Commission string `json:"commission" example:"12.00"`
}

type assignedOrderJSON struct {
	Order      OrderRefJSON          `json:"order"`
	Status     affiliate.OrderStatus `json:"status"`
	Approval   affiliate.Approval    `json:"approval"`
	Ambiguous  bool                  `json:"ambiguous"`
	PlacedAt   time.Time             `json:"placed_at"`
	Currency   string                `json:"currency"`
	Value      string                `json:"value"`
	Commission string                `json:"commission"`
	Reason     string                `json:"reason" doc:"The decision in plain words"`
}

type notCreditedJSON struct {
	Orders  int                    `json:"orders"`
	Reasons []refusalJSON          `json:"reasons" nullable:"false" doc:"Most frequent first"`
	First   []notAssignedOrderJSON `json:"first" nullable:"false" doc:"The first fifty"`
}

type refusalJSON struct {
	Code   string `json:"code" example:"no_owner" doc:"A reason code, as in traces"`
	Orders int    `json:"orders"`
}

type notAssignedOrderJSON struct {
	Order    OrderRefJSON `json:"order"`
	PlacedAt time.Time    `json:"placed_at"`
	Code     string       `json:"code" example:"no_owner"`
	Reason   string       `json:"reason" doc:"In plain words"`
}

func (a *API) assignUnowned(ctx context.Context, in *assignInput) (*output[assignmentJSON], error) {
	b := in.Body
	assign := app.AssignCode{NewCode: app.NewCode{Code: b.Code}, Preview: b.Preview, Most: mostAssigned}
	var err error
	if assign.OfferMember, err = affiliate.OptionalID[affiliate.OfferMemberID]("offer_member",
		"ofm_", b.OfferMember); err != nil {
		return nil, err
	}
	store, err := a.storeNamed(ctx, b.Store)
	if err != nil {
		return nil, err
	}
	assign.Store = store.ID
	if assign.After, err = affiliate.OptionalID[affiliate.OrderID]("after", "ord_", b.After); err != nil {
		return nil, err
	}
	setIf(&assign.ValidFrom, b.ValidFrom)
	done, err := a.App.AssignCode(ctx, assign, nil)
	return one(done, err, func(done app.CodeAssignment) assignmentJSON {
		return assignmentView(done, store.Slug)
	})
}

// assignmentView is of a code in the store with a slug.
func assignmentView(a app.CodeAssignment, store string) assignmentJSON {
	ref := func(o storage.Order) OrderRefJSON { return OrderRef(o.ID, store, o.ExternalID, o.Number) }
	v := assignmentJSON{Applied: a.Applied, Code: assignedCodeJSON{Code: a.Code.Code,
		ValidFrom: web.TimeOrNull(a.Code.ValidFrom)},
		Credited: creditedJSON{Orders: a.Credited, Held: a.Held, Ambiguous: a.Ambiguous,
			Totals: []assignedTotalJSON{}, First: []assignedOrderJSON{}},
		NotCredited: notCreditedJSON{Orders: a.NotCredited, Reasons: []refusalJSON{}, First: []notAssignedOrderJSON{}}}
	if a.Code.ID != 0 {
		v.Code.ID = orNull(a.Code.ID.String())
	}
	if a.Next != 0 {
		v.NextAfter = orNull(a.Next.String())
	}
	for _, t := range a.Totals {
		v.Credited.Totals = append(v.Credited.Totals, assignedTotalJSON{t.Currency.Code(), t.Orders,
			money.Format(t.Sales, t.Currency), money.Format(t.Commission, t.Currency)})
	}
	for _, o := range a.Orders {
		c := o.Conversion
		v.Credited.First = append(v.Credited.First, assignedOrderJSON{Order: ref(o.Order), Status: c.Status,
			Approval: c.Approval, Ambiguous: c.Ambiguous, PlacedAt: o.Order.PlacedAt.UTC(),
			Currency: c.Currency.Code(), Value: money.Format(c.Value, c.Currency),
			Commission: money.Format(c.Commission, c.Currency), Reason: o.Sentence})
	}
	for _, r := range a.Reasons {
		v.NotCredited.Reasons = append(v.NotCredited.Reasons, refusalJSON{r.Reason, r.Orders})
	}
	for _, o := range a.Refused {
		v.NotCredited.First = append(v.NotCredited.First,
			notAssignedOrderJSON{ref(o.Order), o.Order.PlacedAt.UTC(), o.Reason, o.Sentence})
	}
	return v
}
