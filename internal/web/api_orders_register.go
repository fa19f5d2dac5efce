package web

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// registerOrders declares the operations on orders and whose sales they are.
func (s *Server) registerOrders(api huma.API) {
	const read = affiliate.MayRead
	register(s, api, operation{http.MethodGet, "/orders", "list-orders", read, "List orders, newest first"}, s.listOrders)
	register(s, api, operation{http.MethodGet, "/orders/{store}/{external_id}", "get-order", read, "Read an order's live status"}, s.getOrder)
	register(s, api, operation{http.MethodGet, "/orders/{store}/{external_id}/trace", "get-order-trace", read, "Read why an order is credited, or why not"}, s.getOrderTrace)
	// To apply takes more than to preview; the handler asks for it.
	register(s, api, operation{http.MethodPost, "/reattributions", "reattribute", read, "Credit orders that came before their code or link was known here"}, s.reattribute)
}

type reattributeInput struct {
	Body struct {
		Apply bool `json:"apply,omitempty" doc:"false: only show what would be credited. true needs the role manager"`
	}
}

// reattributionBody is what late knowledge credits, or would credit.
type reattributionBody struct {
	Applied bool                 `json:"applied"`
	Count   int                  `json:"count" doc:"How many orders in all"`
	Orders  []reattributionOrder `json:"orders" nullable:"false" doc:"The first thousand of them"`
}

type reattributionOrder struct {
	Order      string `json:"order" example:"ord_1"`
	ExternalID string `json:"external_id"`
	Number     string `json:"number"`
	Campaign   string `json:"campaign"`
	Creator    string `json:"creator"`
	Reason     string `json:"reason" doc:"The decision in plain words"`
}

const mostReattributions = 1000

func (s *Server) reattribute(ctx context.Context, in *reattributeInput) (*output[reattributionBody], error) {
	const change = affiliate.MayChangeCatalog
	if role := app.Asker(ctx).Role; in.Body.Apply && !role.May(change) {
		return nil, affiliate.Errorf(affiliate.Forbidden, "a token with the role %s may only preview; to apply needs the role %s", role, change.Least())
	}
	out := &output[reattributionBody]{Body: reattributionBody{Applied: in.Body.Apply, Orders: []reattributionOrder{}}}
	n, err := s.App.Reattribute(ctx, !in.Body.Apply, func(r app.Reattribution) {
		if len(out.Body.Orders) < mostReattributions {
			out.Body.Orders = append(out.Body.Orders, reattributionOrder{Order: r.Order.ID.String(), ExternalID: r.Order.ExternalID,
				Number: r.Order.Number, Campaign: r.Credit.Campaign, Creator: r.Credit.Creator, Reason: r.Sentence})
		}
	})
	out.Body.Count = n
	return out, err
}
