package web

import (
	"context"
	"encoding/json"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// OrderBody is one order with its live status. Amounts are decimal strings with the digits of their currency.
type OrderBody struct {
	ID            string          `json:"id" example:"ord_1"`
	Store         string          `json:"store" doc:"The store's slug"`
	ExternalID    string          `json:"external_id" doc:"The store's id of the order"`
	Number        string          `json:"number" doc:"The order number that people see"`
	Status        string          `json:"status" enum:"pending,paid,canceled,refunded"`
	Currency      string          `json:"currency"`
	Value         string          `json:"value" doc:"Merchandise that still stands, without tax and shipping; 0 when refunded or canceled"`
	OriginalValue string          `json:"original_value" doc:"Merchandise as sold"`
	Total         string          `json:"total" doc:"What the customer was charged, tax and shipping included"`
	Refunded      string          `json:"refunded" doc:"Money that has gone back"`
	RefundPending string          `json:"refund_pending" doc:"Money on its way back"`
	Test          bool            `json:"test" doc:"Test orders count nowhere"`
	PlacedAt      time.Time       `json:"placed_at"`
	UpdatedAt     time.Time       `json:"updated_at" doc:"The store's own modification time"`
	Codes         []string        `json:"codes"`
	Conversion    *ConversionBody `json:"conversion"`
	NotCredited   *string         `json:"not_credited" doc:"Why nobody is credited, as a reason code"`
}

// ConversionBody is the credit of an order.
type ConversionBody struct {
	ID             string         `json:"id" example:"cnv_1"`
	CampaignID     string         `json:"campaign_id"`
	Campaign       string         `json:"campaign"`
	CreatorID      string         `json:"creator_id"`
	Creator        string         `json:"creator"`
	OfferID        string         `json:"offer_id"`
	Offer          string         `json:"offer"`
	Method         string         `json:"method" enum:"code,link"`
	Code           string         `json:"code,omitempty"`
	Link           string         `json:"link,omitempty" doc:"The link's slug"`
	ClickID        string         `json:"click_id,omitempty"`
	Ambiguous      bool           `json:"ambiguous" doc:"Several owned codes were on the order"`
	Approval       string         `json:"approval" enum:"approved,rejected,held"`
	ApprovalReason string         `json:"approval_reason,omitempty"`
	Commission     CommissionBody `json:"commission"`
}

// CommissionBody is a commission in the order's currency, and in the account's once there is a rate.
type CommissionBody struct {
	Amount         string     `json:"amount"`
	Currency       string     `json:"currency" doc:"The order's"`
	Percent        string     `json:"percent" doc:"The frozen rule: percent of the value"`
	Flat           string     `json:"flat" doc:"The frozen rule: amount per order"`
	Account        *MoneyBody `json:"account" doc:"In the account's currency, as posted to the ledger; null while there is no exchange rate"`
	WaitingForRate bool       `json:"waiting_for_rate" doc:"The order's currency is not the account's and no rate is known yet: nothing is posted to the ledger"`
}

// MoneyBody is an amount with its currency.
type MoneyBody struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

func orderBody(o storage.OrderRow) OrderBody {
	amount := func(n int64) string { return money.Format(n, o.Currency) }
	b := OrderBody{ID: o.ID.String(), Store: o.Store, ExternalID: o.ExternalID, Number: o.Number, Status: string(o.Status),
		Currency: string(o.Currency), Value: amount(o.Value), OriginalValue: amount(o.OriginalValue), Total: amount(o.Total),
		Refunded: amount(o.Refunded), RefundPending: amount(o.RefundPending), Test: o.Test, PlacedAt: o.PlacedAt.Time,
		UpdatedAt: o.UpdatedAt.Time, Codes: o.CodeList(), NotCredited: o.NotCredited}
	if o.Conversion != nil {
		b.Conversion = conversionBody(*o.Conversion)
	}
	return b
}

func conversionBody(c storage.ConversionRow) *ConversionBody {
	b := &ConversionBody{ID: c.ID.String(), CampaignID: c.CampaignID.String(), Campaign: c.Campaign, CreatorID: c.CreatorID.String(),
		Creator: c.Creator, OfferID: c.OfferID.String(), Offer: c.Offer, Method: string(c.Method), Ambiguous: c.Ambiguous,
		Approval: string(c.Approval), ApprovalReason: c.ApprovalReason,
		Commission: CommissionBody{Amount: money.Format(c.Commission, c.Currency), Currency: string(c.Currency),
			Percent: money.FormatScaled(c.Percent, 2), Flat: money.FormatScaled(c.Flat, 4), WaitingForRate: c.Rate == nil}}
	if c.Method == affiliate.ByCode {
		b.Code = c.Evidence
	} else {
		b.Link = c.Evidence
	}
	if c.ClickID != nil {
		b.ClickID = *c.ClickID
	}
	if c.AccountCommission != nil {
		b.Commission.Account = &MoneyBody{Amount: money.Format(*c.AccountCommission, c.AccountCurrency), Currency: string(c.AccountCurrency)}
	}
	return b
}

// TraceBody explains an order's attribution, to people and to machines.
type TraceBody struct {
	Store       string          `json:"store"`
	ExternalID  string          `json:"external_id"`
	NotCredited *string         `json:"not_credited"`
	Sentences   []string        `json:"sentences" doc:"The decision in plain words, then why each other candidate lost"`
	Trace       affiliate.Trace `json:"trace" doc:"All candidates with the facts that decided"`
}

type orderPath struct {
	Store      string `path:"store" doc:"The store's slug"`
	ExternalID string `path:"external_id" doc:"The store's id of the order"`
}

type orderAnswer struct{ Body OrderBody }

func (s *Server) getOrder(ctx context.Context, in *orderPath) (*orderAnswer, error) {
	o, err := s.App.DB.FindOrder(ctx, in.Store, in.ExternalID)
	if err != nil {
		return nil, orderError(err, in)
	}
	return &orderAnswer{orderBody(o)}, nil
}

func orderError(err error, in *orderPath) error {
	if affiliate.KindOf(err) == affiliate.NotFound {
		return affiliate.Errorf(affiliate.NotFound, "no delivery has described an order %q of a store %q", in.ExternalID, in.Store)
	}
	return err
}

type traceAnswer struct{ Body TraceBody }

func (s *Server) getOrderTrace(ctx context.Context, in *orderPath) (*traceAnswer, error) {
	o, err := s.App.DB.FindOrder(ctx, in.Store, in.ExternalID)
	if err != nil {
		return nil, orderError(err, in)
	}
	var trace affiliate.Trace
	if err := json.Unmarshal([]byte(o.Trace), &trace); err != nil {
		return nil, err
	}
	return &traceAnswer{TraceBody{Store: o.Store, ExternalID: o.ExternalID, NotCredited: o.NotCredited, Sentences: trace.Sentences(), Trace: trace}}, nil
}

// OrdersFilter are the query parameters that narrow orders, in lists and exports.
type OrdersFilter struct {
	Status   string `query:"status" enum:"pending,paid,canceled,refunded"`
	Store    string `query:"store" doc:"The store's slug"`
	Campaign string `query:"campaign" doc:"cmp_…: orders credited to it"`
	Creator  string `query:"creator" doc:"cre_…: orders credited to them"`
	From     string `query:"from" doc:"Placed at or after: a day in the account's time zone (2026-11-01), or an RFC 3339 time"`
	To       string `query:"to" doc:"Placed before: a time, or a day, which is the last one that counts"`
}

type ordersQuery struct {
	OrdersFilter
	Cursor string `query:"cursor"`
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"200"`
}

type ordersAnswer struct {
	Body struct {
		Data       []OrderBody `json:"data"`
		NextCursor *string     `json:"next_cursor"`
	}
}

func (s *Server) listOrders(ctx context.Context, in *ordersQuery) (*ordersAnswer, error) {
	filter, err := s.orderFilter(ctx, in.OrdersFilter)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.App.DB.ListOrders(ctx, filter, storage.Page{Limit: in.Limit, Cursor: in.Cursor})
	if err != nil {
		return nil, err
	}
	out := &ordersAnswer{}
	out.Body.Data, out.Body.NextCursor = make([]OrderBody, len(rows)), orNull(next)
	for i, o := range rows {
		out.Body.Data[i] = orderBody(o)
	}
	return out, nil
}

func (s *Server) orderFilter(ctx context.Context, in OrdersFilter) (storage.OrderFilter, error) {
	f := storage.OrderFilter{Status: affiliate.OrderStatus(in.Status), Store: in.Store}
	settings, err := s.App.DB.Settings(ctx)
	if err != nil {
		return f, err
	}
	zone, err := affiliate.LoadZone(settings.Timezone)
	if err != nil {
		return f, err
	}
	if in.Campaign != "" {
		if f.Campaign, err = affiliate.ParseID[affiliate.CampaignID]("cmp_", in.Campaign); err != nil {
			return f, affiliate.FieldErrorf("campaign", "%v", err)
		}
	}
	if in.Creator != "" {
		if f.Creator, err = affiliate.ParseID[affiliate.CreatorID]("cre_", in.Creator); err != nil {
			return f, affiliate.FieldErrorf("creator", "%v", err)
		}
	}
	if f.From, err = parseMoment("from", in.From, zone, 0); err != nil {
		return f, err
	}
	f.To, err = parseMoment("to", in.To, zone, 1)
	return f, err
}

// parseMoment reads a day of the account's zone, moved on by some days, or a time.
func parseMoment(field, text string, zone *time.Location, days int) (time.Time, error) {
	return affiliate.ParseMoment(field, text, zone, days)
}
