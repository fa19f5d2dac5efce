package api

import (
	"context"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/filters"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
)

// registerPerformance declares the operations on key figures and performance lists.
func (a *API) registerPerformance(api huma.API) {
	const read = affiliate.MayRead
	register(a, api, operation{http.MethodGet, "/performance", "get-performance", read,
		"Read the account's key figures, chart and reconciliation; former members count"}, a.getPerformance)
	register(a, api, operation{http.MethodGet, "/performance/series", "get-performance-series", read,
		"Read the account's figures per day, week or month; former members count"}, a.getPerformanceSeries)
	register(a, api, operation{http.MethodGet, "/performance/campaigns", "list-campaign-performance", read,
		"List campaigns with their figures"}, a.listCampaignPerformance)
	register(a, api, operation{http.MethodGet, "/performance/offers", "list-offer-performance", read,
		"List offers with their figures"}, a.listOfferPerformance)
	register(a, api, operation{http.MethodGet, "/performance/creators", "list-creator-performance", read,
		"List creators with their figures"}, a.listCreatorPerformance)
	register(a, api, operation{http.MethodGet, "/performance/evidence", "list-evidence-performance", read,
		"List the codes and links of a campaign, an offer or a creator with their figures"}, a.listEvidencePerformance)
	register(a, api, operation{http.MethodGet, "/campaigns/{id}/performance", "get-campaign-performance", read,
		"Read a campaign's key figures and chart"}, a.getCampaignPerformance)
	register(a, api, operation{http.MethodGet, "/offers/{id}/performance", "get-offer-performance", read,
		"Read an offer's key figures and chart"}, a.getOfferPerformance)
	register(a, api, operation{http.MethodGet, "/creators/{id}/performance", "get-creator-performance", read,
		"Read a creator's key figures and chart"}, a.getCreatorPerformance)
}

// PeriodQuery are the query parameters of the days that a report is about.
type PeriodQuery struct {
	Period string `query:"period" example:"last_30_days" doc:"today, yesterday, last_7_days, last_30_days, last_90_days, this_month, last_month, this_quarter, last_quarter, last_6_months, year_to_date, last_12_months, all_time or custom; when from and to are left out too, last_6_months"`
	From   string `query:"from" example:"2026-11-01" doc:"The first day that counts, of the account's time zone"`
	To     string `query:"to" example:"2026-11-30" doc:"The last day that counts; today when only from is given"`
}

// UnitQuery is the query parameter of a chart.
type UnitQuery struct {
	Unit affiliate.Unit `query:"unit" doc:"Width of the intervals; left out: what suits the range. Weeks begin on Monday"`
}

// FormerQuery says whose figures count.
type FormerQuery struct {
	Include string `query:"include" enum:"former" doc:"former: also of creators who left the campaign or the community"`
}

// OffersQuery are the query parameters that narrow a report to some offers.
type OffersQuery struct {
	Campaign    string                `query:"campaign" example:"cmp_1,cmp_2" doc:"cmp_…: only its own; several with commas between them"`
	OfferType   affiliate.OfferType   `query:"offer_type"`
	OfferStatus affiliate.OfferStatus `query:"offer_status"`
}

func (q OffersQuery) scope() (sc report.Scope, err error) {
	sc = report.Scope{OfferType: q.OfferType, OfferStatus: q.OfferStatus}
	sc.Campaigns, err = idsIn[affiliate.CampaignID]("campaign", "cmp_", q.Campaign)
	return sc, err
}

// idsIn reads some ids, with commas between them. The error names the field.
func idsIn[T ~int64](field, prefix, text string) (ids []T, err error) {
	ids, err = affiliate.ParseIDs[T](field, prefix, affiliate.CommaList(text))
	if len(ids) > filters.MostIDs {
		return nil, affiliate.FieldErrorf(field, "must name at most %d", filters.MostIDs)
	}
	return ids, err
}

// report reads the days, and the settings that go with them.
func (a *API) report(ctx context.Context, p PeriodQuery, sc report.Scope) (r report.Report,
	settings affiliate.Settings, err error) {
	settings, zone, err := a.App.DB.Account(ctx)
	if err != nil {
		return r, settings, err
	}
	r = report.Report{Scope: sc, Currency: settings.Currency}
	r.Range, err = affiliate.ParsePeriod(p.Period, p.From, p.To, a.App.Now(), zone)
	return r, settings, err
}

// FiguresJSON are what conversions, clicks and payouts add up to. Each conversion is in exactly one of the six classes.
type FiguresJSON struct {
	Clicks         int64   `json:"clicks" doc:"On links of the kind sales; those of robots do not count"`
	Conversions    int64   `json:"conversions" doc:"Accepted: paid, and neither rejected nor held"`
	ByLink         int64   `json:"conversions_by_link" doc:"Of the conversions, those credited by a link and not by a code"`
	ConversionRate *string `json:"conversion_rate" example:"2.33" doc:"conversions_by_link ÷ clicks, in percent; null without a click. Conversions by code have no clicks and no rate"`
	Sales          string  `json:"sales" example:"1200.00" doc:"Value of the conversions"`
	AverageSale    *string `json:"average_sale" example:"60.00" doc:"sales ÷ conversions; null without a conversion"`
	Commissions    string  `json:"commissions" example:"120.00" doc:"Earned by the conversions"`
	Payouts        string  `json:"payouts" example:"80.00" doc:"Paid to creators"`
	Refunds        string  `json:"refunds" example:"30.00" doc:"Money that went back, of orders that are not rejected"`
}

func figuresView(s affiliate.Sums, c money.Currency) (v FiguresJSON) {
	setFigures(&v, affiliate.KPIs{Sums: s}, c)
	return v
}

// setFigures sets the fields of a struct that have the names of figures.
func setFigures(to any, k affiliate.KPIs, c money.Currency) {
	numbers := k.Fields()
	eachFigure(to, func(f *report.Figure) (*int64, string) {
		n := f.Among(numbers)
		if n == nil {
			return nil, ""
		}
		return n, f.Text(*n, c)
	})
}

// eachFigure sets the fields of a struct that have the names of figures: numbers to what value gives, the others to how
// it is written. What is undefined stays null.
func eachFigure(to any, value func(*report.Figure) (*int64, string)) {
	v := reflect.ValueOf(to).Elem()
	fields := fieldsOf(v.Type())
	for i := range figures {
		f := &figures[i]
		index, ok := fields[string(f.Key)]
		if !ok {
			continue
		}
		n, text := value(f)
		switch at := v.FieldByIndex(index); {
		case n == nil:
		case at.Kind() == reflect.Int64:
			at.SetInt(*n)
		case at.Kind() == reflect.String:
			at.SetString(text)
		default:
			at.Set(reflect.ValueOf(&text))
		}
	}
}

// figures are all that reports have.
var figures = report.Figures()

// FigureSort is the query parameter of a list's order.
type FigureSort struct {
	Sort string `query:"sort" default:"-sales" example:"-conversions" doc:"name, clicks, conversions, conversion_rate, sales, average_sale, commissions, payouts or refunds; with a minus before it, descending. What is undefined comes last"`
}

// CreatorSort is the same of lists of creators, which are usually in the order of names.
type CreatorSort struct {
	Sort string `query:"sort" default:"name" example:"-sales" doc:"name, clicks, conversions, conversion_rate, sales, average_sale, commissions, payouts or refunds; with a minus before it, descending. What is undefined comes last"`
}

// MixJSON counts the conversions that are not accepted.
type MixJSON struct {
	Pending  int64 `json:"pending"`
	Canceled int64 `json:"canceled"`
	Refunded int64 `json:"refunded"`
	Held     int64 `json:"held"`
	Rejected int64 `json:"rejected"`
}

func mixView(f affiliate.Sums) MixJSON {
	return MixJSON{f.Pending, f.Canceled, f.Refunded, f.Held, f.Rejected}
}

// PeriodKPIsJSON are the key figures that belong to a range of days.
type PeriodKPIsJSON struct {
	FiguresJSON
	MixJSON
	MembersWithConversions int64   `json:"members_with_conversions" doc:"Offer members with at least one conversion in the range"`
	SalesPerMember         *string `json:"sales_per_member" doc:"sales ÷ members_with_conversions; null when there is none"`
	CommissionPerMember    *string `json:"commission_per_member" doc:"commissions ÷ members_with_conversions; null when there is none"`
}

func periodKPIs(k affiliate.KPIs, c money.Currency) PeriodKPIsJSON {
	v := PeriodKPIsJSON{MixJSON: mixView(k.Sums)}
	setFigures(&v, k, c)
	return v
}

type kpisJSON struct {
	PeriodKPIsJSON
	Members                int64  `json:"members" doc:"Offer members, as of now: a creator in two offers counts twice"`
	PaymentsDue            string `json:"payments_due" doc:"Owed to creators who are due, as of now"`
	MembersWithPaymentsDue int64  `json:"members_with_payments_due" doc:"Offer members who are due, as of now"`
}

// changesJSON are changes against the period before, in percent of what it had; null where it had nothing.
type changesJSON struct {
	Clicks                 *string `json:"clicks" example:"12.50"`
	Conversions            *string `json:"conversions"`
	ConversionRate         *string `json:"conversion_rate"`
	Sales                  *string `json:"sales"`
	AverageSale            *string `json:"average_sale"`
	Commissions            *string `json:"commissions"`
	Payouts                *string `json:"payouts"`
	Refunds                *string `json:"refunds"`
	MembersWithConversions *string `json:"members_with_conversions"`
	SalesPerMember         *string `json:"sales_per_member"`
	CommissionPerMember    *string `json:"commission_per_member"`
}

func changesView(now, before affiliate.KPIs) *changesJSON {
	v := &changesJSON{}
	eachFigure(v, func(f *report.Figure) (*int64, string) {
		change := f.Change(now, before)
		if change == nil {
			return nil, ""
		}
		return change, affiliate.FormatPercent(*change)
	})
	return v
}

// bucketJSON is one interval of a chart.
type bucketJSON struct {
	Label   string `json:"label" example:"2026-W10" doc:"2026-03-05, 2026-W10 or 2026-03"`
	From    string `json:"from" example:"2026-03-02"`
	To      string `json:"to" example:"2026-03-08" doc:"The last day that counts"`
	Partial bool   `json:"partial" doc:"The range has only a part of the week or month"`
	FiguresJSON
}

// SeriesJSON is a chart.
type SeriesJSON struct {
	Unit affiliate.Unit `json:"unit"`
	Data []bucketJSON   `json:"data" nullable:"false" doc:"In order and without gaps; they add up to the figures of the range"`
}

func seriesView(c report.Chart, currency money.Currency) SeriesJSON {
	v := SeriesJSON{Unit: c.Unit, Data: make([]bucketJSON, len(c.Buckets))}
	for i, b := range c.Buckets {
		v.Data[i] = bucketJSON{Label: b.Label, From: b.From, To: b.Last(), Partial: b.Partial,
			FiguresJSON: figuresView(c.Series[i], currency)}
	}
	return v
}

// partJSON is a part of a total.
type partJSON struct {
	Conversions int64  `json:"conversions"`
	Sales       string `json:"sales"`
	Commissions string `json:"commissions"`
}

// otherSumsJSON are figures in another currency than the account's.
type otherSumsJSON struct {
	ConversionSumsJSON
	Payouts string `json:"payouts" doc:"Paid to creators in this currency"`
}

type uncreditedJSON struct {
	Currency string `json:"currency"`
	Orders   int64  `json:"orders"`
	Sales    string `json:"sales"`
}

type reconciliationJSON struct {
	Total          partJSON         `json:"total" doc:"current + former"`
	Current        partJSON         `json:"current" doc:"Of the campaigns' current members. Of one creator: of all campaigns, while they are in the community"`
	Former         partJSON         `json:"former" doc:"Of creators who left the campaign or the community"`
	NotConverted   []otherSumsJSON  `json:"not_converted" nullable:"false" doc:"What has no exchange rate into the account's currency yet, by its own: in none of the sums beside"`
	WithoutCreator []uncreditedJSON `json:"without_creator" doc:"Paid orders that nobody is credited with, by the orders' currency; null where the report is about some offers or a creator only"`
}

func reconciliation(r report.Report, o report.Overview) reconciliationJSON {
	part := func(f affiliate.Sums) partJSON {
		return partJSON{f.Conversions, money.Format(f.Sales, r.Currency), money.Format(f.Commissions, r.Currency)}
	}
	current, former := o.Sums.Sums, o.Sums.Former
	if r.Former {
		current.Conversions, current.Sales, current.Commissions = current.Conversions-former.Conversions,
			current.Sales-former.Sales, current.Commissions-former.Commissions
	}
	v := reconciliationJSON{Total: part(current.Plus(former)), Current: part(current), Former: part(former),
		NotConverted: []otherSumsJSON{}}
	for _, other := range o.Sums.NotConverted {
		v.NotConverted = append(v.NotConverted, otherSumsJSON{conversionSums(other.Currency, other.Sums),
			money.Format(other.Payouts, other.Currency)})
	}
	if r.Everybody() {
		v.WithoutCreator = []uncreditedJSON{}
		for _, u := range o.Uncredited {
			v.WithoutCreator = append(v.WithoutCreator, uncreditedJSON{u.Currency.Code(), u.Orders,
				money.Format(u.Sales, u.Currency)})
		}
	}
	return v
}

type otherDueJSON struct {
	Currency string `json:"currency"`
	Amount   string `json:"amount"`
	Members  int64  `json:"members" doc:"Offer members who are due"`
}

// performanceJSON are the key figures of the account, a campaign, an offer or a creator.
type performanceJSON struct {
	Range          rangeJSON          `json:"range"`
	PreviousRange  *rangeJSON         `json:"previous_range" doc:"What changes are measured against; null where there is no period before"`
	Currency       string             `json:"currency" example:"EUR" doc:"The account's, in which all amounts are that do not say otherwise"`
	Former         bool               `json:"former" doc:"Creators who left the campaign or the community count"`
	KPIs           kpisJSON           `json:"kpis"`
	Previous       *PeriodKPIsJSON    `json:"previous" doc:"The same of previous_range"`
	Changes        *changesJSON       `json:"changes" doc:"By how much they changed, in percent"`
	Series         SeriesJSON         `json:"series"`
	Reconciliation reconciliationJSON `json:"reconciliation"`
	OtherDue       []otherDueJSON     `json:"payments_due_in_other_currencies" nullable:"false" doc:"From before the account's currency was changed; in no figure beside"`
}

// performance answers with a report's key figures and chart.
func (a *API) performance(ctx context.Context, p PeriodQuery, u UnitQuery,
	sc report.Scope) (*output[performanceJSON], error) {
	r, settings, err := a.report(ctx, p, sc)
	if err != nil {
		return nil, err
	}
	o, err := r.Overview(ctx, a.App.DB, u.Unit, settings, a.App.Now())
	if err != nil {
		return nil, err
	}
	v := performanceJSON{Range: rangeView(r.Range), PreviousRange: previousRange(r.Range), Currency: r.Currency.Code(),
		Former: r.Former, KPIs: kpisJSON{PeriodKPIsJSON: PeriodKPIsJSON{MixJSON: mixView(o.KPIs.Sums)}},
		Series: seriesView(o.Chart, r.Currency), Reconciliation: reconciliation(r, o), OtherDue: []otherDueJSON{}}
	setFigures(&v.KPIs, o.KPIs, r.Currency)
	if o.Before != nil {
		v.Previous, v.Changes = new(periodKPIs(*o.Before, r.Currency)), changesView(o.KPIs, *o.Before)
	}
	for _, d := range o.Due.Other {
		v.OtherDue = append(v.OtherDue, otherDueJSON{d.Currency.Code(), money.Format(d.Amount, d.Currency), d.Members})
	}
	return &output[performanceJSON]{Body: v}, nil
}

func previousRange(r affiliate.Range) *rangeJSON {
	before, ok := r.Previous()
	if !ok {
		return nil
	}
	return new(rangeView(before))
}

type performanceInput struct {
	PeriodQuery
	UnitQuery
	OffersQuery
}

func (a *API) getPerformance(ctx context.Context, in *performanceInput) (*output[performanceJSON], error) {
	sc, err := in.scope()
	if err != nil {
		return nil, err
	}
	sc.Former = true
	return a.performance(ctx, in.PeriodQuery, in.UnitQuery, sc)
}

type performanceSeriesJSON struct {
	Range    rangeJSON `json:"range"`
	Currency string    `json:"currency"`
	SeriesJSON
}

func (a *API) getPerformanceSeries(ctx context.Context,
	in *performanceInput) (*output[performanceSeriesJSON], error) {
	sc, err := in.scope()
	if err != nil {
		return nil, err
	}
	sc.Former = true
	r, _, err := a.report(ctx, in.PeriodQuery, sc)
	if err != nil {
		return nil, err
	}
	c, err := r.Chart(ctx, a.App.DB, in.Unit, a.App.Now())
	if err != nil {
		return nil, err
	}
	return &output[performanceSeriesJSON]{Body: performanceSeriesJSON{rangeView(r.Range), r.Currency.Code(),
		seriesView(c, r.Currency)}}, nil
}

type campaignPerformanceInput struct {
	CampaignPath
	PeriodQuery
	UnitQuery
	FormerQuery
}

func (a *API) getCampaignPerformance(ctx context.Context,
	in *campaignPerformanceInput) (*output[performanceJSON], error) {
	c, err := a.campaignOf(ctx, in.CampaignPath)
	if err != nil {
		return nil, err
	}
	return a.performance(ctx, in.PeriodQuery, in.UnitQuery, report.Scope{Campaigns: []affiliate.CampaignID{c.ID},
		Former: in.Include != ""})
}

type offerPerformanceInput struct {
	OfferPath
	PeriodQuery
	UnitQuery
	FormerQuery
}

func (a *API) getOfferPerformance(ctx context.Context, in *offerPerformanceInput) (*output[performanceJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if _, err := a.App.DB.Offer(ctx, id); err != nil {
		return nil, err
	}
	return a.performance(ctx, in.PeriodQuery, in.UnitQuery, report.Scope{Offers: []affiliate.OfferID{id},
		Former: in.Include != ""})
}

type creatorPerformanceInput struct {
	CreatorPath
	PeriodQuery
	UnitQuery
	FormerQuery
}

func (a *API) getCreatorPerformance(ctx context.Context,
	in *creatorPerformanceInput) (*output[performanceJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if _, err := a.App.DB.Creator(ctx, id); err != nil {
		return nil, err
	}
	return a.performance(ctx, in.PeriodQuery, in.UnitQuery, report.Scope{Creator: id,
		Former: in.Include != ""}.OfCreators())
}
