package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// registerOrders declares the operations on orders and whose sales they are.
func (a *API) registerOrders(api huma.API) {
	const read = affiliate.MayRead
	register(a, api, operation{http.MethodGet, "/orders", "list-orders", read,
		"List orders, newest first"}, a.listOrders)
	register(a, api, operation{http.MethodGet, "/stores/{store}/orders", "list-store-orders", read,
		"List a store's orders, newest first"}, a.listStoreOrders)
	register(a, api, operation{http.MethodGet, "/orders/{store}/{external_id}", "get-order", read,
		"Read an order's live status"}, a.getOrder)
	register(a, api, operation{http.MethodGet, "/orders/{store}/{external_id}/trace", "get-order-trace", read,
		"Read why an order is credited, or why not"}, a.getOrderTrace)
	// To apply takes more than to preview; the handler asks for it.
	register(a, api, operation{http.MethodPost, "/reattributions", "reattribute", read,
		"Credit orders that came before their code or link was known here"}, a.reattribute)
}

// OrderJSON is an order with its live status. Amounts are decimal strings with the digits of its currency.
type OrderJSON struct {
	OrderRefJSON
	Status        affiliate.OrderStatus `json:"status"`
	Currency      string                `json:"currency" example:"EUR"`
	Value         string                `json:"value" doc:"Merchandise that still stands; 0 when refunded or canceled"`
	OriginalValue string                `json:"original_value" doc:"Merchandise as sold, without tax and shipping"`
	Total         string                `json:"total" doc:"What the customer was charged, tax and shipping included"`
	Refunded      string                `json:"refunded" doc:"Money that has gone back"`
	RefundPending string                `json:"refund_pending" doc:"Money on its way back"`
	Test          bool                  `json:"test" doc:"Test orders count nowhere"`
	Parent        *string               `json:"parent" doc:"The store's id of the order that this one belongs to"`
	Part          bool                  `json:"part" doc:"A part of its parent, which a marketplace plugin split off: counts nowhere"`
	CustomStatus  *string               `json:"custom_status" doc:"The store's own word where a plugin set it"`
	NeedsReread   bool                  `json:"needs_reread" doc:"There are doubts, which only the store itself can settle"`
	Doubts        []DoubtJSON           `json:"doubts" nullable:"false" doc:"What deliveries cannot settle"`
	PlacedAt      time.Time             `json:"placed_at"`
	UpdatedAt     time.Time             `json:"updated_at" doc:"The store's own modification time"`
	Codes         []string              `json:"codes" nullable:"false" doc:"All codes on the order, whoever owns them"`
	Conversion    *ConversionJSON       `json:"conversion" doc:"Whose sale it is; null when nobody is credited"`
	NotCredited   *string               `json:"not_credited" example:"no_owner" doc:"The reason code why nobody is credited"`
}

// DoubtJSON is something about an order that deliveries cannot settle.
type DoubtJSON struct {
	Code     affiliate.Doubt `json:"code"`
	Sentence string          `json:"sentence" doc:"What is in doubt, and what is shown meanwhile"`
}

// OrderRefJSON names an order wherever something else is about it. Store and external id lead to the order.
type OrderRefJSON struct {
	ID         string `json:"id" example:"ord_1"`
	Store      string `json:"store" doc:"The store's slug"`
	ExternalID string `json:"external_id" doc:"The store's id of the order"`
	Number     string `json:"number" doc:"The order number that people see"`
}

// OrderRef names an order of the store with a slug.
func OrderRef(id affiliate.OrderID, store, externalID, number string) OrderRefJSON {
	return OrderRefJSON{ID: id.String(), Store: store, ExternalID: externalID, Number: number}
}

func orderView(o storage.OrderRow) OrderJSON {
	amount := func(n int64) string { return money.Format(n, o.Currency) }
	v := OrderJSON{OrderRefJSON: OrderRef(o.ID, o.Store, o.ExternalID, o.Number), Status: o.Status,
		Currency: o.Currency.Code(), Value: amount(o.Value), OriginalValue: amount(o.OriginalValue),
		Total: amount(o.Total), Refunded: amount(o.Refunded), RefundPending: amount(o.RefundPending), Test: o.Test,
		PlacedAt: o.PlacedAt.UTC(), UpdatedAt: o.UpdatedAt.UTC(), Codes: o.CodeList(), NotCredited: o.NotCredited}
	v.Parent, v.Part, v.CustomStatus, v.Doubts = orNull(o.Parent), o.Part, orNull(o.CustomStatus), []DoubtJSON{}
	for _, d := range o.DoubtList() {
		v.Doubts = append(v.Doubts, DoubtJSON{d, d.Sentence()})
	}
	v.NeedsReread = len(v.Doubts) > 0
	if o.Conversion != nil {
		v.Conversion = new(conversionView(*o.Conversion))
	}
	return v
}

// OrdersFilter are the query parameters that narrow orders, in lists and exports.
type OrdersFilter struct {
	Store    string `query:"store" doc:"Its id or slug"`
	Campaign string `query:"campaign" doc:"cmp_…: orders credited to it"`
	Creator  string `query:"creator" doc:"cre_…: orders credited to them"`
	PlacedFilter
}

// PlacedFilter are those of them that also narrow the orders of one store.
type PlacedFilter struct {
	Status affiliate.OrderStatus `query:"status"`
	Doubt  storage.DoubtFilter   `query:"doubt" doc:"Orders with this doubt, or with any"`
	Custom string                `query:"custom_status" doc:"The store's own word for the status, where a plugin set it"`
	Parts  bool                  `query:"parts" doc:"Only parts of other orders, which marketplace plugins split off"`
	From   string                `query:"from" doc:"Placed at or after: a day of the account's time zone (2026-11-01), or a time"`
	To     string                `query:"to" doc:"Placed before: a time, or a day, which is the last one that counts"`
}

func (a *API) orderFilter(ctx context.Context) (storage.OrderFilter, error) {
	q, err := a.query(ctx)
	if err != nil {
		return storage.OrderFilter{}, err
	}
	f := q.Orders()
	f.From, f.To = q.Span()
	return f, q.Err()
}

type listOrdersInput struct {
	OrdersFilter
	PageInput
}

func (a *API) listOrders(ctx context.Context, in *listOrdersInput) (*listOutput[OrderJSON], error) {
	filter, err := a.orderFilter(ctx)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.ListOrders(ctx, filter, in.page())
	return listPage(list, next, err, orderView)
}

// StoreOrdersQuery narrows the orders of one store, in its list and its exports.
type StoreOrdersQuery struct {
	StorePath
	PlacedFilter
}

func (a *API) storeOrderFilter(ctx context.Context, in StorePath) (storage.OrderFilter, error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return storage.OrderFilter{}, err
	}
	f, err := a.orderFilter(ctx)
	f.Store = store.Slug
	return f, err
}

type listStoreOrdersInput struct {
	StoreOrdersQuery
	PageInput
}

func (a *API) listStoreOrders(ctx context.Context, in *listStoreOrdersInput) (*listOutput[OrderJSON], error) {
	filter, err := a.storeOrderFilter(ctx, in.StorePath)
	if err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.ListOrders(ctx, filter, in.page())
	return listPage(list, next, err, orderView)
}

type orderPath struct {
	StorePath
	ExternalID string `path:"external_id" doc:"The store's id of the order"`
}

func (a *API) orderOf(ctx context.Context, in *orderPath) (storage.OrderRow, error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return storage.OrderRow{}, err
	}
	o, err := a.App.DB.FindOrder(ctx, store.Slug, in.ExternalID)
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.Errorf(affiliate.NotFound, "no delivery has described an order %q of the store %q",
			in.ExternalID, store.Slug)
	}
	return o, err
}

func (a *API) getOrder(ctx context.Context, in *orderPath) (*output[OrderJSON], error) {
	o, err := a.orderOf(ctx, in)
	return one(o, err, orderView)
}

// traceJSON explains an order's attribution, to people and to machines.
type traceJSON struct {
	Order       OrderRefJSON    `json:"order"`
	NotCredited *string         `json:"not_credited" example:"no_owner" doc:"The reason code why nobody is credited"`
	Sentences   []string        `json:"sentences" nullable:"false" doc:"The decision, then why the others lost"`
	Trace       affiliate.Trace `json:"trace" doc:"All candidates with the facts that decided, as the order keeps them"`
}

func (a *API) getOrderTrace(ctx context.Context, in *orderPath) (*output[traceJSON], error) {
	o, err := a.orderOf(ctx, in)
	if err != nil {
		return nil, err
	}
	v := traceJSON{Order: OrderRef(o.ID, o.Store, o.ExternalID, o.Number), NotCredited: o.NotCredited}
	if err := json.Unmarshal([]byte(o.Trace), &v.Trace); err != nil {
		return nil, err
	}
	v.Sentences = v.Trace.Sentences()
	return &output[traceJSON]{Body: v}, nil
}

type reattributeInput struct {
	Body struct {
		Apply bool `json:"apply,omitempty" doc:"false: only show what would be credited. true needs the role manager"`
	}
}

// reattributionsJSON is what late knowledge credits, or would credit.
type reattributionsJSON struct {
	Applied bool                `json:"applied"`
	Count   int                 `json:"count" doc:"How many orders in all"`
	Orders  []ReattributionJSON `json:"orders" nullable:"false" doc:"The first thousand of them"`
}

// ReattributionJSON is one of these orders.
type ReattributionJSON struct {
	Order        OrderRefJSON `json:"order"`
	Campaign     string       `json:"campaign" example:"cmp_1"`
	CampaignName string       `json:"campaign_name"`
	Creator      string       `json:"creator" example:"cre_1"`
	CreatorName  string       `json:"creator_name"`
	Reason       string       `json:"reason" doc:"The decision in plain words"`
}

// ReattributionView is how the API and the command line show an order that late knowledge credits.
func ReattributionView(r app.Reattribution) ReattributionJSON {
	return ReattributionJSON{Order: OrderRef(r.Order.ID, r.Store, r.Order.ExternalID, r.Order.Number),
		Campaign: r.Credit.CampaignID.String(), CampaignName: r.Credit.Campaign,
		Creator: r.Credit.CreatorID.String(), CreatorName: r.Credit.Creator, Reason: r.Sentence}
}

const mostReattributions = 1000

func (a *API) reattribute(ctx context.Context, in *reattributeInput) (*output[reattributionsJSON], error) {
	const change = affiliate.MayChangeCatalog
	if asker := app.Asker(ctx); in.Body.Apply && !asker.May(change) {
		return nil, affiliate.Errorf(affiliate.Forbidden,
			"a token with the role %s may only preview; to apply needs %s", asker.Role, change.Needed())
	}
	out := &output[reattributionsJSON]{Body: reattributionsJSON{Applied: in.Body.Apply, Orders: []ReattributionJSON{}}}
	n, err := a.App.Reattribute(ctx, !in.Body.Apply, func(r app.Reattribution) {
		if len(out.Body.Orders) < mostReattributions {
			out.Body.Orders = append(out.Body.Orders, ReattributionView(r))
		}
	})
	out.Body.Count = n
	return out, err
}
