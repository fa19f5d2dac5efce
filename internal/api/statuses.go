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
)

// registerStatuses declares the operations on what a store's deliveries leave open.
func (a *API) registerStatuses(api huma.API) {
	register(a, api, operation{http.MethodGet, "/stores/{store}/statuses", "list-store-statuses", affiliate.MayRead,
		"List the statuses that plugins set on a store's orders, and what they mean"}, a.listStatuses)
	register(a, api, operation{http.MethodPut, "/stores/{store}/statuses", "set-store-statuses",
		affiliate.MayChangeCatalog, "Decide what such statuses mean; its orders are judged again"}, a.setStatuses)
	register(a, api, operation{http.MethodGet, "/stores/{store}/doubts", "get-store-doubts", affiliate.MayRead,
		"Count the orders of a store about which deliveries leave something open"}, a.getDoubts)
}

// StoreStatusJSON is a status that plugins set on orders of a store.
type StoreStatusJSON struct {
	Status      string                 `json:"status" example:"shipped" doc:"As bodies have it, without the prefix wc-"`
	Meaning     *affiliate.OrderStatus `json:"meaning" nullable:"true" doc:"Null: not decided. Then an order that was canceled or refunded before stays so; otherwise a payment date means paid, else it is pending"`
	Orders      int64                  `json:"orders" doc:"How many have it now: /orders?store=…&custom_status=…"`
	FirstSeenAt time.Time              `json:"first_seen_at" doc:"On an order; or when it was decided, if that was earlier"`
}

// StoreStatusView is how the API and the command line show such a status.
func StoreStatusView(v storage.StoreStatus) StoreStatusJSON {
	return StoreStatusJSON{Status: v.Status, Meaning: orNull(affiliate.OrderStatus(v.Meaning)), Orders: v.Orders,
		FirstSeenAt: v.FirstSeenAt.UTC()}
}

func (a *API) listStatuses(ctx context.Context, in *StorePath) (*listOutput[StoreStatusJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	list, err := a.App.DB.StoreStatuses(ctx, store.ID)
	return listPage(list, "", err, StoreStatusView)
}

type setStatusesInput struct {
	StorePath
	Preview bool `query:"preview" doc:"Only say what would change"`
	Body    struct {
		Statuses map[string]*string `json:"statuses" doc:"By the status: pending, paid, canceled or refunded; null takes a decision back. Those that are not named stay"`
	}
}

// StatusesJSON are the statuses of a store after a decision, or with what one would change.
type StatusesJSON struct {
	Applied  bool                `json:"applied"`
	Statuses []StoreStatusJSON   `json:"statuses" nullable:"false" doc:"As they are now"`
	Changes  *StatusesChangeJSON `json:"changes" doc:"Only with preview: what would change"`
}

// StatusesChangeJSON is what a decision about statuses would change.
type StatusesChangeJSON struct {
	Concerned int              `json:"concerned" doc:"Orders that were looked at: those with a status of a plugin, parts, and their parents"`
	Changed   int              `json:"changed"`
	Moves     []StatusMoveJSON `json:"moves" nullable:"false" doc:"The changed ones by status before and after, and by currency"`
	Orders    []OrderMoveJSON  `json:"orders" nullable:"false" doc:"The first 50 that change"`
}

// StatusMoveJSON counts orders that go from one status to another.
type StatusMoveJSON struct {
	From     affiliate.OrderStatus `json:"from"`
	To       affiliate.OrderStatus `json:"to"`
	Orders   int                   `json:"orders"`
	Currency string                `json:"currency" example:"EUR"`
	Value    string                `json:"value" example:"-1234.00" doc:"What it does to the sum of their values"`
}

// OrderMoveJSON is an order that would change.
type OrderMoveJSON struct {
	Order        OrderRefJSON   `json:"order"`
	CustomStatus *string        `json:"custom_status" doc:"The store's own word where a plugin set it"`
	Currency     string         `json:"currency" example:"EUR"`
	Before       OrderStateJSON `json:"before"`
	After        OrderStateJSON `json:"after"`
}

// OrderStateJSON is what an order is shown as.
type OrderStateJSON struct {
	Status affiliate.OrderStatus `json:"status"`
	Value  string                `json:"value"`
}

// StatusesView is how the API and the command line show a decision about the statuses of a store with a slug. A nil
// preview says that it is made.
func StatusesView(slug string, list []storage.StoreStatus, preview *app.RulesPreview) StatusesJSON {
	v := StatusesJSON{Applied: preview == nil, Statuses: []StoreStatusJSON{}}
	for _, status := range list {
		v.Statuses = append(v.Statuses, StoreStatusView(status))
	}
	if preview == nil {
		return v
	}
	v.Changes = &StatusesChangeJSON{Concerned: preview.Concerned, Changed: preview.Changed, Moves: []StatusMoveJSON{},
		Orders: []OrderMoveJSON{}}
	for _, m := range preview.Moves {
		v.Changes.Moves = append(v.Changes.Moves, StatusMoveJSON{From: m.From, To: m.To,
			Orders: m.Orders, Currency: m.Currency.Code(), Value: money.Format(m.Value, m.Currency)})
	}
	for _, m := range preview.Orders {
		o := m.Before
		v.Changes.Orders = append(v.Changes.Orders, OrderMoveJSON{OrderRef(o.ID, slug, o.ExternalID, o.Number),
			orNull(o.CustomStatus), o.Currency.Code(),
			OrderStateJSON{o.Status, money.Format(o.Value, o.Currency)},
			OrderStateJSON{m.Status, money.Format(m.Value, o.Currency)}})
	}
	return v
}

func (a *API) setStatuses(ctx context.Context, in *setStatusesInput) (*output[StatusesJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	meanings := app.StatusMeanings{}
	for status, meaning := range in.Body.Statuses {
		meanings[status] = ""
		if meaning != nil {
			meanings[status] = affiliate.StoreStatus(*meaning)
		}
	}
	if !in.Preview {
		list, err := a.App.SetStatuses(ctx, store.ID, meanings)
		return one(list, err, func(list []storage.StoreStatus) StatusesJSON {
			return StatusesView(store.Slug, list, nil)
		})
	}
	preview, err := a.App.PreviewStatuses(ctx, store.ID, meanings)
	if err != nil {
		return nil, err
	}
	list, err := a.App.DB.StoreStatuses(ctx, store.ID)
	return one(list, err, func(list []storage.StoreStatus) StatusesJSON {
		return StatusesView(store.Slug, list, &preview)
	})
}

// DoubtsJSON is what the deliveries of a store leave open.
type DoubtsJSON struct {
	Orders  int64            `json:"orders" doc:"How many are in doubt: /orders?store=…&doubt=any"`
	Settled string           `json:"settled" doc:"What settles a doubt"`
	Doubts  []DoubtCountJSON `json:"doubts" nullable:"false" doc:"All kinds there are; an order may be in doubt by several"`
}

// DoubtCountJSON counts the orders with one kind of doubt.
type DoubtCountJSON struct {
	DoubtJSON
	Orders int64 `json:"orders"`
}

// DoubtsView is how the API and the command line show what the deliveries of a store leave open.
func DoubtsView(c storage.DoubtCount) DoubtsJSON {
	v := DoubtsJSON{Orders: c.Orders, Settled: app.DoubtsSettled}
	for _, d := range affiliate.Words[affiliate.Doubt]() {
		v.Doubts = append(v.Doubts, DoubtCountJSON{DoubtJSON{d, d.Sentence()}, c.By[d]})
	}
	return v
}

func (a *API) getDoubts(ctx context.Context, in *StorePath) (*output[DoubtsJSON], error) {
	store, err := a.storeOf(ctx, in.Store)
	if err != nil {
		return nil, err
	}
	counts, err := a.App.DB.DoubtCounts(ctx, store.ID)
	return one(counts[store.ID], err, DoubtsView)
}
