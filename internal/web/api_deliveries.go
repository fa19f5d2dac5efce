package web

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// registerDeliveries declares the operations on what the stores sent. Bodies are not shown: they hold customers' data.
func (s *Server) registerDeliveries(api huma.API) {
	const read, change = affiliate.MayRead, affiliate.MayChangeCatalog
	register(s, api, operation{http.MethodGet, "/deliveries", "list-deliveries", read, "List deliveries, newest first"},
		s.listDeliveries)
	register(s, api, operation{http.MethodPost, "/deliveries/{id}/replay", "replay-delivery", change,
		"Process a kept delivery again"}, s.replayDelivery)
}

type deliveryJSON struct {
	ID          string        `json:"id" example:"dlv_1"`
	Store       string        `json:"store" doc:"The store's slug"`
	Topic       string        `json:"topic"`
	ReceivedAt  time.Time     `json:"received_at"`
	ProcessedAt *time.Time    `json:"processed_at"`
	State       string        `json:"state" enum:"waiting,done,ignored,failed"`
	Attempts    int           `json:"attempts" doc:"How often it was tried in vain"`
	RetryAt     *time.Time    `json:"retry_at"`
	Note        string        `json:"note" doc:"Why it was ignored or failed"`
	Order       *OrderRefJSON `json:"order" doc:"The order it told about, the first of several"`
}

func deliveryView(d storage.DeliveryRow) deliveryJSON {
	v := deliveryJSON{ID: d.ID.String(), Store: d.Store, Topic: d.Topic, ReceivedAt: d.ReceivedAt.UTC(),
		ProcessedAt: timeOrNull(d.Processed.Time), State: string(d.State), Attempts: d.Attempts,
		RetryAt: timeOrNull(d.RetryAt.Time), Note: d.Note}
	if d.OrderID != 0 {
		v.Order = new(OrderRef(d.OrderID, d.Store, d.Order, d.Number))
	}
	return v
}

type listDeliveriesInput struct {
	State  string `query:"state" enum:"waiting,done,ignored,failed"`
	Store  string `query:"store" doc:"The store's slug"`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many rows at most"`
	Cursor string `query:"cursor" doc:"The next_cursor of the page before; empty for the first page"`
}

func (s *Server) listDeliveries(ctx context.Context, in *listDeliveriesInput) (*listOutput[deliveryJSON], error) {
	list, next, err := s.App.DB.ListDeliveries(ctx, storage.DeliveryFilter{State: storage.DeliveryState(in.State),
		Store: in.Store},
		storage.Page{Limit: in.Limit, Cursor: in.Cursor})
	return listPage(list, next, err, deliveryView)
}

type deliveryPath struct {
	ID string `path:"id" example:"dlv_1"`
}

type replayedBody struct {
	Replayed int64 `json:"replayed" doc:"0 when its body was purged"`
}

func (s *Server) replayDelivery(ctx context.Context, in *deliveryPath) (*output[replayedBody], error) {
	id, err := idPath[affiliate.DeliveryID]("dlv_", in.ID)
	if err != nil {
		return nil, err
	}
	n, err := s.App.Replay(ctx, storage.ReplayFilter{Delivery: id})
	return one(replayedBody{n}, err, func(b replayedBody) replayedBody { return b })
}
