package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerDeliveries declares the operations on what the stores sent. Bodies are not shown: they hold customers' data.
func (a *API) registerDeliveries(api huma.API) {
	const read, own = affiliate.MayRead, affiliate.MayAdminister
	register(a, api, operation{http.MethodGet, "/deliveries", "list-deliveries", read, "List deliveries, newest first"},
		a.listDeliveries)
	register(a, api, operation{http.MethodPost, "/deliveries/{id}/replay", "replay-delivery", own,
		"Process a kept delivery again"}, a.replayDelivery)
	register(a, api, operation{http.MethodPost, "/deliveries/set-aside", "set-deliveries-aside", own,
		"Give up on failed deliveries, so that they count as trouble no more"}, a.setAside)
	register(a, api, operation{http.MethodPost, "/deliveries/put-back", "put-deliveries-back", own,
		"Make deliveries that were set aside failed ones again"}, a.putBack)
}

// DeliveryJSON is a delivery without its body.
type DeliveryJSON struct {
	ID          string                `json:"id" example:"dlv_1"`
	Store       string                `json:"store" doc:"The store's slug"`
	Topic       string                `json:"topic"`
	ReceivedAt  time.Time             `json:"received_at"`
	ProcessedAt *time.Time            `json:"processed_at"`
	State       storage.DeliveryState `json:"state"`
	Attempts    int                   `json:"attempts" doc:"How often it was tried in vain"`
	RetryAt     *time.Time            `json:"retry_at"`
	Note        string                `json:"note" doc:"Why it was ignored or failed"`
	Order       *OrderRefJSON         `json:"order" doc:"The order it told about, the first of several"`
	SetAside    *SetAsideJSON         `json:"set_aside" doc:"Why it was given up on, by whom and when; null unless its state is set_aside"`
}

// SetAsideJSON is why a delivery was given up on, by whom and when.
type SetAsideJSON struct {
	Reason string    `json:"reason"`
	By     string    `json:"by"`
	At     time.Time `json:"at"`
}

// DeliveryView writes a delivery as API and command line show it.
func DeliveryView(d storage.DeliveryRow) DeliveryJSON {
	v := DeliveryJSON{ID: d.ID.String(), Store: d.Store, Topic: d.Topic, ReceivedAt: d.ReceivedAt.UTC(),
		ProcessedAt: web.TimeOrNull(d.Processed.Time), State: d.State, Attempts: d.Attempts,
		RetryAt: web.TimeOrNull(d.RetryAt.Time), Note: d.Note}
	if d.OrderID != 0 {
		v.Order = new(OrderRef(d.OrderID, d.Store, d.Order, d.Number))
	}
	if d.State == storage.DeliverySetAside {
		v.SetAside = &SetAsideJSON{Reason: d.Aside.Reason, By: d.Aside.By, At: d.Aside.At.UTC()}
	}
	return v
}

type listDeliveriesInput struct {
	State  storage.DeliveryState `query:"state"`
	Store  string                `query:"store" doc:"The store's slug"`
	Limit  int                   `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many rows at most"`
	Cursor string                `query:"cursor" doc:"The next_cursor of the page before; empty for the first page"`
}

func (a *API) listDeliveries(ctx context.Context, in *listDeliveriesInput) (*listOutput[DeliveryJSON], error) {
	list, next, err := a.App.DB.ListDeliveries(ctx, storage.DeliveryFilter{State: in.State,
		Store: in.Store},
		storage.Page{Limit: in.Limit, Cursor: in.Cursor})
	return listPage(list, next, err, DeliveryView)
}

type deliveryPath struct {
	ID string `path:"id" example:"dlv_1"`
}

type replayedBody struct {
	Replayed int64 `json:"replayed" doc:"0 when its body was purged"`
}

func (a *API) replayDelivery(ctx context.Context, in *deliveryPath) (*output[replayedBody], error) {
	id, err := idPath[affiliate.DeliveryID]("dlv_", in.ID)
	if err != nil {
		return nil, err
	}
	n, err := a.App.Replay(ctx, storage.ReplayFilter{Delivery: id})
	return one(replayedBody{n}, err, func(b replayedBody) replayedBody { return b })
}

// DeliveryChoice chooses deliveries in a body.
type DeliveryChoice struct {
	Deliveries []string `json:"deliveries,omitempty" maxItems:"1000" doc:"Ids such as dlv_1; or instead store and note"`
	Store      string   `json:"store,omitempty" doc:"Id or slug: all of this store that have the note"`
	Note       string   `json:"note,omitempty" doc:"The whole note, with store"`
}

func (a *API) deliveriesIn(ctx context.Context, c DeliveryChoice) (choice storage.DeliveryChoice, err error) {
	for _, text := range c.Deliveries {
		id, err := affiliate.OptionalID[affiliate.DeliveryID]("deliveries", "dlv_", text)
		if err != nil {
			return choice, err
		}
		choice.IDs = append(choice.IDs, id)
	}
	choice.Note = c.Note
	choice.Store, err = a.storeIn(ctx, c.Store)
	return choice, err
}

type setAsideInput struct {
	Body struct {
		DeliveryChoice
		Reason string `json:"reason" doc:"Why they can never succeed"`
	}
}

type setAsideBody struct {
	SetAside int64 `json:"set_aside" doc:"How many; those that were set aside before are not counted"`
}

func (a *API) setAside(ctx context.Context, in *setAsideInput) (*output[setAsideBody], error) {
	choice, err := a.deliveriesIn(ctx, in.Body.DeliveryChoice)
	if err != nil {
		return nil, err
	}
	n, err := a.App.SetAside(ctx, choice, in.Body.Reason)
	return one(setAsideBody{n}, err, func(b setAsideBody) setAsideBody { return b })
}

type putBackInput struct{ Body DeliveryChoice }

type putBackBody struct {
	PutBack int64 `json:"put_back" doc:"How many; those that are failed already are not counted"`
}

func (a *API) putBack(ctx context.Context, in *putBackInput) (*output[putBackBody], error) {
	choice, err := a.deliveriesIn(ctx, in.Body)
	if err != nil {
		return nil, err
	}
	n, err := a.App.PutBack(ctx, choice)
	return one(putBackBody{n}, err, func(b putBackBody) putBackBody { return b })
}
