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
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerConversions declares the operations on conversions.
func (a *API) registerConversions(api huma.API) {
	const read, approve = affiliate.MayRead, affiliate.MayApprove
	register(a, api, operation{http.MethodGet, "/conversions", "list-conversions", read, "List conversions"},
		a.listConversions)
	register(a, api, operation{http.MethodGet, "/campaigns/{id}/conversions", "list-campaign-conversions", read,
		"List a campaign's conversions"}, a.listCampaignConversions)
	register(a, api, operation{http.MethodGet, "/conversions/{id}", "get-conversion", read, "Read a conversion"},
		a.getConversion)
	register(a, api, operation{http.MethodPost, "/conversions/decisions", "decide-conversions", approve,
		"Reject conversions, take rejections back, release held ones or keep approved ones: all of them or none"},
		a.decideConversions)
	register(a, api, operation{http.MethodPost, "/conversions/{id}/reject", "reject-conversion", approve,
		"Reject a conversion: it counts nowhere, and its commission is taken back"},
		a.rejectConversion)
	register(a, api, operation{http.MethodPost, "/conversions/{id}/undo", "undo-conversion", approve,
		"Take the rejection of a conversion back"}, a.undoConversion)
	register(a, api, operation{http.MethodPost, "/conversions/{id}/release", "release-conversion", approve,
		"Let a held conversion count"}, a.releaseConversion)
	register(a, api, operation{http.MethodPost, "/conversions/{id}/keep", "keep-conversion", approve,
		"Say that an approved conversion is credited rightly: it stays as it is"}, a.keepConversion)
}

// ConversionJSON is the credit of an order to a creator. Amounts are decimal strings with the digits of their currency.
type ConversionJSON struct {
	ID             string                 `json:"id" example:"cnv_1"`
	Order          OrderRefJSON           `json:"order"`
	PlacedAt       time.Time              `json:"placed_at" doc:"When the order was placed"`
	Day            string                 `json:"day" example:"2026-11-21" doc:"The same as a day of the account's time zone: the one that it counts in"`
	Campaign       string                 `json:"campaign" example:"cmp_1"`
	CampaignName   string                 `json:"campaign_name"`
	Creator        string                 `json:"creator" example:"cre_1"`
	CreatorName    string                 `json:"creator_name"`
	Handle         *string                `json:"handle" doc:"The creator's on Instagram, or on another network; null without any"`
	Former         bool                   `json:"former" doc:"The creator left the campaign or the community"`
	Offer          string                 `json:"offer" example:"off_1"`
	OfferName      string                 `json:"offer_name"`
	OfferType      affiliate.OfferType    `json:"offer_type"`
	OfferMember    string                 `json:"offer_member" example:"ofm_1"`
	Method         affiliate.Method       `json:"method"`
	Code           *string                `json:"code" doc:"The coupon code that it is credited by; null for a link"`
	Link           *string                `json:"link" doc:"The slug of the link that it is credited by; null for a code"`
	ClickID        *string                `json:"click_id"`
	Ambiguous      bool                   `json:"ambiguous" doc:"Several owned codes were on the order"`
	Status         affiliate.OrderStatus  `json:"status" doc:"The order's"`
	Approval       affiliate.Approval     `json:"approval"`
	ApprovalReason string                 `json:"approval_reason" doc:"Why it is rejected or held"`
	ApprovalBy     *string                `json:"approval_by" doc:"Who decided; null: by rule"`
	ApprovalAt     *time.Time             `json:"approval_at" doc:"When somebody decided"`
	Currency       string                 `json:"currency" doc:"The order's, in which these amounts are"`
	OrderTotal     string                 `json:"order_total" doc:"What the customer was charged, tax and shipping included"`
	OriginalValue  string                 `json:"original_value" doc:"Merchandise as sold, without tax and shipping"`
	Value          string                 `json:"value" doc:"Merchandise that still stands; 0 when refunded or canceled"`
	Refunded       string                 `json:"refunded" doc:"Money that has gone back"`
	Commission     string                 `json:"commission" doc:"What the creator earns; 0 unless the order is paid and the conversion approved"`
	CommissionRule commissionJSON         `json:"commission_rule" doc:"As it was when the order was credited"`
	Account        *conversionAccountJSON `json:"account" doc:"The same amounts in the account's currency, in which totals and the ledger are; null while there is no exchange rate"`
}

// conversionAccountJSON are a conversion's amounts in the account's currency.
type conversionAccountJSON struct {
	Currency      string `json:"currency"`
	Rate          string `json:"rate" example:"1.0834" doc:"Units of the account's currency for one of the order's"`
	RateDate      string `json:"rate_date" example:"2026-11-20" doc:"The day of the rate"`
	OriginalValue string `json:"original_value"`
	Value         string `json:"value"`
	Refunded      string `json:"refunded"`
	Commission    string `json:"commission"`
}

func conversionView(i storage.ConversionItem) ConversionJSON {
	amount := func(n int64) string { return money.Format(n, i.Currency) }
	v := ConversionJSON{ID: i.ID.String(), Order: OrderRef(i.OrderID, i.Store, i.ExternalID, i.Number),
		PlacedAt: i.PlacedAt.UTC(), Day: i.Day, Campaign: i.CampaignID.String(), CampaignName: i.Campaign,
		Creator: i.CreatorID.String(), CreatorName: i.Creator, Handle: orNull(i.Handle), Former: i.Former,
		Offer: i.OfferID.String(), OfferName: i.Offer, OfferType: i.OfferType,
		OfferMember: i.OfferMemberID.String(), Method: i.Method, ClickID: i.ClickID, Ambiguous: i.Ambiguous,
		Status: i.Status, Approval: i.Approval, ApprovalReason: i.ApprovalReason,
		ApprovalBy: orNull(i.ApprovalBy), ApprovalAt: web.TimeOrNull(i.ApprovalAt.Time), Currency: i.Currency.Code(),
		OrderTotal: amount(i.OrderTotal), OriginalValue: amount(i.OriginalValue), Value: amount(i.Value),
		Refunded: amount(i.Refunded), Commission: amount(i.Commission), CommissionRule: commissionView(i.Rule()),
		Account: conversionAccount(i.Conversion)}
	if i.Method == affiliate.ByCode {
		v.Code = &i.Evidence
	} else {
		v.Link = &i.Evidence
	}
	return v
}

func conversionAccount(c storage.Conversion) *conversionAccountJSON {
	if c.Rate == nil || c.RateDate == nil || c.AccountValue == nil || c.AccountRefunded == nil ||
		c.AccountCommission == nil {
		return nil
	}
	amount := func(n int64) string { return money.Format(n, c.AccountCurrency) }
	rate, _ := money.ParseRate(*c.Rate) // written by us
	return &conversionAccountJSON{Currency: c.AccountCurrency.Code(), Rate: *c.Rate, RateDate: *c.RateDate,
		OriginalValue: amount(rate.Convert(c.OriginalValue, c.Currency, c.AccountCurrency)),
		Value:         amount(*c.AccountValue), Refunded: amount(*c.AccountRefunded),
		Commission: amount(*c.AccountCommission)}
}

// ConversionSumsJSON are what conversions add up to. Each is counted in exactly one of the six classes.
type ConversionSumsJSON struct {
	Currency    string `json:"currency"`
	Conversions int64  `json:"conversions" doc:"Accepted: paid, and neither rejected nor held"`
	Pending     int64  `json:"pending"`
	Canceled    int64  `json:"canceled"`
	Refunded    int64  `json:"refunded"`
	Held        int64  `json:"held"`
	Rejected    int64  `json:"rejected"`
	Sales       string `json:"sales" doc:"Value of the accepted conversions"`
	Commissions string `json:"commissions" doc:"Of the accepted conversions"`
	Refunds     string `json:"refunds" doc:"Money that went back, of all that are not rejected"`
}

func conversionSums(c money.Currency, s affiliate.Sums) ConversionSumsJSON {
	return ConversionSumsJSON{Currency: string(c), Conversions: s.Conversions, Pending: s.Pending, Canceled: s.Canceled,
		Refunded: s.Refunded, Held: s.Held, Rejected: s.Rejected, Sales: money.Format(s.Sales, c),
		Commissions: money.Format(s.Commissions,
			c), Refunds: money.Format(s.Refunds, c)}
}

type conversionTotalsJSON struct {
	Rows int64 `json:"rows" doc:"How many there are on all pages"`
	ConversionSumsJSON
	NotConverted []ConversionSumsJSON `json:"not_converted" nullable:"false" doc:"Those that have no exchange rate into the account's currency yet, by their own: in none of the sums beside"`
}

func conversionTotals(t report.ConversionTotals) *conversionTotalsJSON {
	v := &conversionTotalsJSON{Rows: t.Rows(), ConversionSumsJSON: conversionSums(t.Currency, t.Sums),
		NotConverted: make([]ConversionSumsJSON, len(t.NotConverted))}
	for i, s := range t.NotConverted {
		v.NotConverted[i] = conversionSums(s.Currency, s.Sums)
	}
	return v
}

// ConversionsFilter are the query parameters that narrow conversions.
type ConversionsFilter struct {
	Status         string                `query:"status" example:"paid" doc:"pending, paid, canceled or refunded; several with commas between them"`
	Approval       string                `query:"approval" example:"approved,held" doc:"approved, rejected or held; several with commas between them"`
	Creator        string                `query:"creator" doc:"cre_…: only theirs"`
	Offer          string                `query:"offer" doc:"off_…: only its own"`
	OfferType      affiliate.OfferType   `query:"offer_type"`
	OfferStatus    affiliate.OfferStatus `query:"offer_status"`
	Method         affiliate.Method      `query:"method"`
	Code           string                `query:"code" doc:"cod_…: only those credited by it"`
	Link           string                `query:"link" doc:"lnk_…: only those credited by it"`
	Store          string                `query:"store" doc:"Its id or slug"`
	Currency       string                `query:"currency" example:"EUR" doc:"The order's"`
	WaitingForRate bool                  `query:"waiting_for_rate" doc:"Only those that have no exchange rate yet"`
	WithRefund     bool                  `query:"with_refund" doc:"Only those of which money went back"`
	Ambiguous      bool                  `query:"ambiguous" doc:"Only those with several owned codes on the order"`
	Undecided      bool                  `query:"undecided" doc:"Only those that are approved or held by rule, and that nobody has decided about"`
	Search         string                `query:"q" maxLength:"200" doc:"A part of the order's number, the creator's name or a handle, the code or the link's slug"`
	Include        string                `query:"include" enum:"former,only_former" doc:"former: also of creators who left the campaign or the community; only_former: of these alone"`
	Period         string                `query:"period" example:"last_30_days" doc:"today, yesterday, last_7_days, last_30_days, last_90_days, this_month, last_month, this_quarter, last_quarter, last_6_months, year_to_date, last_12_months, all_time or custom; when from and to are left out too, all_time"`
	From           string                `query:"from" example:"2026-11-01" doc:"The first day that counts, of the account's time zone"`
	To             string                `query:"to" example:"2026-11-30" doc:"The last day that counts; today when only from is given"`
}

// conversionFilter reads the parameters, and gives the range of days that they mean: all time when none is asked for.
func (a *API) conversionFilter(ctx context.Context) (f storage.ConversionFilter, days affiliate.Range, err error) {
	q, err := a.query(ctx)
	if err != nil {
		return f, days, err
	}
	days = q.Range(affiliate.PeriodAllTime, a.App.Now())
	f = q.Conversions()
	f.From, f.To = days.Start(), days.End()
	return f, days, q.Err()
}

// ConversionsPage are the query parameters of a page of conversions.
type ConversionsPage struct {
	Sort   string `query:"sort" default:"-date" example:"-value" doc:"number, store, date, creator, campaign, offer, evidence, method, status, approval, original_value, value, refunded or commission; with a minus before it, descending. Amounts compare in the account's currency, original_value in the order's"`
	Totals bool   `query:"totals" doc:"Also sum up all pages"`
	PageInput
}

// rangeJSON is the range of days that an answer is about.
type rangeJSON struct {
	Period   string  `json:"period" example:"last_30_days"`
	From     *string `json:"from" example:"2026-11-01" doc:"The first day; null: since the beginning"`
	To       *string `json:"to" example:"2026-11-30" doc:"The last day that counts; null: without an end"`
	Timezone string  `json:"timezone" example:"Europe/Berlin" doc:"The account's, whose days these are"`
}

func rangeView(r affiliate.Range) rangeJSON {
	return rangeJSON{Period: string(r.Preset), From: orNull(r.From), To: orNull(r.Last()), Timezone: r.Zone.String()}
}

type conversionsJSON struct {
	Data       []ConversionJSON      `json:"data" nullable:"false"`
	NextCursor *string               `json:"next_cursor" doc:"Ask for the next page with it, in the same order; null on the last page"`
	Range      rangeJSON             `json:"range" doc:"The orders' days that were asked for"`
	Totals     *conversionTotalsJSON `json:"totals,omitempty" doc:"Only when asked for"`
}

// ConversionsQuery narrows the conversions of all campaigns.
type ConversionsQuery struct {
	Campaign string `query:"campaign" example:"cmp_1,cmp_2" doc:"cmp_…: only its own; several with commas between them"`
	ConversionsFilter
}

type listConversionsInput struct {
	ConversionsQuery
	ConversionsPage
}

func (a *API) listConversions(ctx context.Context, in *listConversionsInput) (*output[conversionsJSON], error) {
	f, days, err := a.conversionFilter(ctx)
	if err != nil {
		return nil, err
	}
	return a.conversions(ctx, f, days, in.ConversionsPage)
}

type listCampaignConversionsInput struct {
	CampaignPath
	ConversionsFilter
	ConversionsPage
}

func (a *API) listCampaignConversions(ctx context.Context,
	in *listCampaignConversionsInput) (*output[conversionsJSON], error) {
	f, days, err := a.conversionsOfOne(ctx, in.CampaignPath)
	if err != nil {
		return nil, err
	}
	return a.conversions(ctx, f, days, in.ConversionsPage)
}

func (a *API) conversionsOfOne(ctx context.Context,
	campaign CampaignPath) (f storage.ConversionFilter, days affiliate.Range, err error) {
	id, err := campaign.id()
	if err != nil {
		return f, days, err
	}
	if _, err := a.App.DB.Campaign(ctx, id); err != nil {
		return f, days, err
	}
	f, days, err = a.conversionFilter(ctx)
	f.Campaign = id
	return f, days, err
}

// conversions reads a page, and the totals at the same moment.
func (a *API) conversions(ctx context.Context, f storage.ConversionFilter, days affiliate.Range,
	p ConversionsPage) (*output[conversionsJSON], error) {
	sort, err := storage.ParseConversionSort(p.Sort)
	if err != nil {
		return nil, err
	}
	out := &output[conversionsJSON]{Body: conversionsJSON{Range: rangeView(days)}}
	err = a.App.DB.InSnapshot(ctx, func(snapshot *storage.Snapshot) error {
		items, next, err := snapshot.ConversionPage(ctx, f, sort, p.page())
		if err != nil {
			return err
		}
		out.Body.Data, out.Body.NextCursor = conversionViews(items), orNull(next)
		if !p.Totals {
			return nil
		}
		totals, err := report.TotalConversions(ctx, snapshot, f)
		out.Body.Totals = conversionTotals(totals)
		return err
	})
	return out, err
}

func conversionViews(items []storage.ConversionItem) []ConversionJSON {
	views := make([]ConversionJSON, len(items))
	for i, item := range items {
		views[i] = conversionView(item)
	}
	return views
}

type ConversionPath struct {
	ID string `path:"id" example:"cnv_1"`
}

func (p ConversionPath) id() (affiliate.ConversionID, error) {
	return idPath[affiliate.ConversionID]("cnv_", p.ID)
}

func (a *API) getConversion(ctx context.Context, in *ConversionPath) (*output[ConversionJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	items, err := a.conversionsOf(ctx, []affiliate.ConversionID{id})
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, affiliate.Errorf(affiliate.NotFound,
			"there is no %s, or nobody is credited with its order any more", id)
	}
	return &output[ConversionJSON]{Body: conversionView(items[0])}, nil
}

// conversionsOf gives conversions in the order of their ids in the list, each once.
func (a *API) conversionsOf(ctx context.Context, ids []affiliate.ConversionID) ([]storage.ConversionItem, error) {
	items, _, err := a.App.DB.ConversionPage(ctx, storage.ConversionFilter{IDs: ids, Former: true},
		storage.ConversionSort{}, storage.Page{Limit: storage.MaxConversionIDs})
	place := func(i storage.ConversionItem) int { return slices.Index(ids, i.ID) }
	slices.SortFunc(items, func(i, j storage.ConversionItem) int { return place(i) - place(j) })
	return items, err
}

type decideConversionsInput struct {
	Body struct {
		IDs      []string `json:"ids" minItems:"1" maxItems:"500" nullable:"false" example:"[\"cnv_1\"]"`
		Decision string   `json:"decision" enum:"reject,undo,release,keep" doc:"undo takes a rejection back; release lets a held conversion count; keep says that an approved one is credited rightly, and changes no amount"`
		Reason   string   `json:"reason,omitempty" maxLength:"500" doc:"Why it is rejected"`
	}
}

type decidedJSON struct {
	Data []ConversionJSON `json:"data" nullable:"false" doc:"The conversions as they are now, in the order of the ids"`
}

func (a *API) decideConversions(ctx context.Context, in *decideConversionsInput) (*output[decidedJSON], error) {
	ids, err := affiliate.ParseIDs[affiliate.ConversionID]("ids", "cnv_", in.Body.IDs)
	if err != nil {
		return nil, err
	}
	items, err := a.decide(ctx, ids, app.Decision(in.Body.Decision), in.Body.Reason)
	if err != nil {
		return nil, err
	}
	return &output[decidedJSON]{Body: decidedJSON{conversionViews(items)}}, nil
}

func (a *API) decide(ctx context.Context, ids []affiliate.ConversionID, d app.Decision,
	reason string) ([]storage.ConversionItem, error) {
	if _, err := a.App.Decide(ctx, ids, d, reason); err != nil {
		return nil, err
	}
	return a.conversionsOf(ctx, ids)
}

type rejectConversionInput struct {
	ConversionPath
	Body *struct {
		Reason string `json:"reason,omitempty" maxLength:"500" doc:"Why"`
	}
}

func (a *API) rejectConversion(ctx context.Context, in *rejectConversionInput) (*output[ConversionJSON], error) {
	reason := ""
	if in.Body != nil {
		reason = in.Body.Reason
	}
	return a.decideOne(ctx, in.ConversionPath, app.Reject, reason)
}

func (a *API) undoConversion(ctx context.Context, in *ConversionPath) (*output[ConversionJSON], error) {
	return a.decideOne(ctx, *in, app.Undo, "")
}

func (a *API) releaseConversion(ctx context.Context, in *ConversionPath) (*output[ConversionJSON], error) {
	return a.decideOne(ctx, *in, app.Release, "")
}

func (a *API) keepConversion(ctx context.Context, in *ConversionPath) (*output[ConversionJSON], error) {
	return a.decideOne(ctx, *in, app.Keep, "")
}

func (a *API) decideOne(ctx context.Context, p ConversionPath, d app.Decision,
	reason string) (*output[ConversionJSON], error) {
	id, err := p.id()
	if err != nil {
		return nil, err
	}
	if _, err := a.App.Decide(ctx, []affiliate.ConversionID{id}, d, reason); err != nil {
		return nil, err
	}
	return a.getConversion(ctx, &p)
}
