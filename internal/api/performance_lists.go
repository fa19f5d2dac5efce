package api

import (
	"context"
	"reflect"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

// FigureBounds are the query parameters that narrow a list to rows with figures of some size.
type FigureBounds struct {
	MinClicks      string `query:"min_clicks" example:"100"`
	MaxClicks      string `query:"max_clicks"`
	MinConversions string `query:"min_conversions" example:"1"`
	MaxConversions string `query:"max_conversions"`
	MinSales       string `query:"min_sales" example:"500.00" doc:"In the account's currency, as all amounts"`
	MaxSales       string `query:"max_sales"`
	MinCommissions string `query:"min_commissions"`
	MaxCommissions string `query:"max_commissions"`
	MinPayouts     string `query:"min_payouts"`
	MaxPayouts     string `query:"max_payouts"`
	MinAverageSale string `query:"min_average_sale" doc:"Rows without a conversion have no average sale, and are in no bound of it"`
	MaxAverageSale string `query:"max_average_sale"`
}

// bounds reads the bounds that are given. Errors name the parameter.
func (b FigureBounds) bounds(c money.Currency) (list []report.Bound, err error) {
	given := map[string]string{}
	fields := reflect.ValueOf(b)
	for i := range fields.NumField() {
		given[fields.Type().Field(i).Tag.Get("query")] = fields.Field(i).String()
	}
	for _, f := range report.Bounded() {
		bound := report.Bound{Figure: f.Key}
		if bound.Min, err = parseBound(f, "min_", given, c); err != nil {
			return nil, err
		}
		if bound.Max, err = parseBound(f, "max_", given, c); err != nil {
			return nil, err
		}
		if bound.Min != nil || bound.Max != nil {
			list = append(list, bound)
		}
	}
	return list, nil
}

// parseBound reads one end of a bound; nil where it is not given.
func parseBound(f report.Figure, end string, given map[string]string, c money.Currency) (*int64, error) {
	field := end + string(f.Key)
	if given[field] == "" {
		return nil, nil
	}
	if f.Kind == report.Money {
		n, err := affiliate.ParseAmount(field, given[field], c)
		return &n, err
	}
	n, err := strconv.ParseInt(given[field], 10, 64)
	if err != nil || n < 0 {
		return nil, affiliate.FieldErrorf(field, "must be a whole number")
	}
	return &n, nil
}

// FiguresPage are the query parameters of a page of a performance list.
type FiguresPage struct {
	Search  string `query:"q" maxLength:"200" doc:"A part of the name"`
	Compare bool   `query:"compare" doc:"Also the figures of the period before"`
	PageInput
	FigureBounds
}

// list reads a performance list's parameters.
func (a *API) list(ctx context.Context, p PeriodQuery, sc report.Scope, sort string,
	page FiguresPage) (report.List, error) {
	r, _, err := a.report(ctx, p, sc)
	if err != nil {
		return report.List{}, err
	}
	l := report.List{Report: r, Text: page.Search, Compare: page.Compare, Page: page.page()}
	if l.Sort, l.Desc, err = report.ParseSort(sort); err != nil {
		return l, err
	}
	if err := plainText("q", page.Search); err != nil {
		return l, err
	}
	l.Bounds, err = page.bounds(r.Currency)
	return l, err
}

// plainText refuses a search that no name can have. The error names the field.
func plainText(field, text string) error {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return affiliate.FieldErrorf(field, "must be text without control characters")
	}
	return nil
}

// RowFiguresJSON are the figures of a row.
type RowFiguresJSON struct {
	FiguresJSON
	Mix          *MixJSON     `json:"not_accepted" doc:"The conversions that are not accepted, by what they are; null in lists of creators of all time, which do not know"`
	NotConverted int64        `json:"not_converted" doc:"Conversions that have no exchange rate into the account's currency yet: in none of the figures beside"`
	Previous     *FiguresJSON `json:"previous,omitempty" doc:"The figures of previous_range, when they are asked for and there is one"`
}

func rowFigures(r report.RowSums, c money.Currency) RowFiguresJSON {
	v := RowFiguresJSON{FiguresJSON: figuresView(r.Sums, c), NotConverted: r.NotConverted}
	if !r.OnlyAccepted {
		v.Mix = new(mixView(r.Sums))
	}
	if r.Before != nil {
		v.Previous = new(figuresView(*r.Before, c))
	}
	return v
}

type figureListJSON[V any] struct {
	Data          []V          `json:"data" nullable:"false"`
	NextCursor    *string      `json:"next_cursor" doc:"Ask for the next page with it, in the same order; null on the last page"`
	Range         rangeJSON    `json:"range"`
	PreviousRange *rangeJSON   `json:"previous_range" doc:"The period before; null where there is none"`
	Currency      string       `json:"currency" example:"EUR" doc:"The account's, in which all amounts are"`
	Count         int64        `json:"count" doc:"Rows on all pages"`
	Total         *FiguresJSON `json:"total" doc:"What the rows of all pages add up to; null where a list of creators is narrowed by figures, without a campaign"`
}

// figureList answers with a page of a performance list, its rows and its total of one moment.
func figureList[R, V any](ctx context.Context, a *API, l report.List, err error, read func(report.List,
	context.Context, report.Querier) (report.PageOf[R], error),
	view func(R, money.Currency) V) (*output[figureListJSON[V]], error) {
	if err != nil {
		return nil, err
	}
	var page report.PageOf[R]
	if err := a.App.DB.InSnapshot(ctx, func(snapshot *storage.Snapshot) (err error) {
		page, err = read(l, ctx, snapshot)
		return err
	}); err != nil {
		return nil, err
	}
	out := &output[figureListJSON[V]]{Body: figureListJSON[V]{Data: make([]V, len(page.Rows)),
		NextCursor: orNull(page.Next), Range: rangeView(l.Range), PreviousRange: previousRange(l.Range),
		Currency: l.Currency.Code(), Count: page.Count}}
	for i, r := range page.Rows {
		out.Body.Data[i] = view(r, l.Currency)
	}
	if page.Total != nil {
		out.Body.Total = new(figuresView(*page.Total, l.Currency))
	}
	return out, nil
}

type campaignPerformanceListInput struct {
	PeriodQuery
	OffersQuery
	FormerQuery
	Creator string `query:"creator" doc:"cre_…: only their figures, and the campaigns that they are in"`
	FigureSort
	FiguresPage
}

type campaignFiguresJSON struct {
	ID     string                   `json:"id" example:"cmp_1"`
	Name   string                   `json:"name"`
	Status affiliate.CampaignStatus `json:"status"`
	RowFiguresJSON
}

func (a *API) listCampaignPerformance(ctx context.Context,
	in *campaignPerformanceListInput) (*output[figureListJSON[campaignFiguresJSON]], error) {
	sc, err := in.narrowed(in.FormerQuery, "", in.Creator)
	if err != nil {
		return nil, err
	}
	l, err := a.list(ctx, in.PeriodQuery, sc, in.Sort, in.FiguresPage)
	return figureList(ctx, a, l, err, report.List.CampaignRows, func(r report.CampaignRow,
		c money.Currency) campaignFiguresJSON {
		return campaignFiguresJSON{ID: r.ID.String(), Name: r.Name, Status: r.Status,
			RowFiguresJSON: rowFigures(r.RowSums, c)}
	})
}

// narrowed gives the scope with some offers and one creator. Errors name the parameters.
func (q OffersQuery) narrowed(former FormerQuery, offers, creator string) (report.Scope, error) {
	sc, err := q.scope()
	if err != nil {
		return sc, err
	}
	sc.Former = former.Include != ""
	if sc.Offers, err = idsIn[affiliate.OfferID]("offer", "off_", offers); err != nil {
		return sc, err
	}
	sc.Creator, err = affiliate.OptionalID[affiliate.CreatorID]("creator", "cre_", creator)
	return sc, err
}

type offerPerformanceListInput struct {
	PeriodQuery
	OffersQuery
	FormerQuery
	Creator string `query:"creator" doc:"cre_…: only their figures, and the offers that they are in"`
	FigureSort
	FiguresPage
}

type offerFiguresJSON struct {
	ID           string                `json:"id" example:"off_1"`
	Name         string                `json:"name"`
	Type         affiliate.OfferType   `json:"type"`
	Status       affiliate.OfferStatus `json:"status"`
	Campaign     string                `json:"campaign" example:"cmp_1"`
	CampaignName string                `json:"campaign_name"`
	RowFiguresJSON
}

func (a *API) listOfferPerformance(ctx context.Context,
	in *offerPerformanceListInput) (*output[figureListJSON[offerFiguresJSON]], error) {
	sc, err := in.narrowed(in.FormerQuery, "", in.Creator)
	if err != nil {
		return nil, err
	}
	l, err := a.list(ctx, in.PeriodQuery, sc, in.Sort, in.FiguresPage)
	return figureList(ctx, a, l, err, report.List.OfferRows,
		func(r report.OfferRow, c money.Currency) offerFiguresJSON {
			return offerFiguresJSON{ID: r.ID.String(), Name: r.Name, Type: r.Type, Status: r.Status,
				Campaign: r.CampaignID.String(), CampaignName: r.CampaignName, RowFiguresJSON: rowFigures(r.RowSums, c)}
		})
}

type creatorPerformanceListInput struct {
	PeriodQuery
	OffersQuery
	Offer string `query:"offer" doc:"off_…: only its own; several with commas between them"`
	FormerQuery
	Community string `query:"community" enum:"current,all" doc:"all: the same as include=former"`
	CreatorSort
	FiguresPage
}

type creatorFiguresJSON struct {
	ID      string            `json:"id" example:"cre_1"`
	Name    string            `json:"name"`
	Handles map[string]string `json:"handles" doc:"By network, without @"`
	Former  bool              `json:"former" doc:"They left the community"`
	RowFiguresJSON
}

func (a *API) listCreatorPerformance(ctx context.Context,
	in *creatorPerformanceListInput) (*output[figureListJSON[creatorFiguresJSON]], error) {
	if in.Community == "all" {
		in.Include = "former"
	}
	sc, err := in.narrowed(in.FormerQuery, in.Offer, "")
	if err != nil {
		return nil, err
	}
	l, err := a.list(ctx, in.PeriodQuery, sc, in.Sort, in.FiguresPage)
	return figureList(ctx, a, l, err, report.List.CreatorRows, func(r report.CreatorRow,
		c money.Currency) creatorFiguresJSON {
		return creatorFiguresJSON{ID: r.ID.String(), Name: r.Name, Handles: r.Handles, Former: !r.RemovedAt.IsZero(),
			RowFiguresJSON: rowFigures(r.RowSums, c)}
	})
}

type evidencePerformanceListInput struct {
	PeriodQuery
	OffersQuery
	Offer   string `query:"offer" doc:"off_…: only its own; several with commas between them"`
	Creator string `query:"creator" doc:"cre_…: only theirs"`
	FormerQuery
	FigureSort
	FiguresPage
}

type evidenceFiguresJSON struct {
	Kind         affiliate.Method `json:"kind"`
	ID           string           `json:"id" example:"cod_1" doc:"cod_… or lnk_…"`
	Text         string           `json:"text" doc:"The code, or the link's slug, as its owner writes it"`
	Store        *string          `json:"store" doc:"Slug of the code's store; null for a link"`
	LinkKind     *string          `json:"link_kind" doc:"sales, purchase or review; null for a code"`
	Ended        bool             `json:"ended" doc:"It is not the creator's any more, or the link was ended"`
	OfferMember  string           `json:"offer_member" example:"ofm_1"`
	Offer        string           `json:"offer" example:"off_1"`
	OfferName    string           `json:"offer_name"`
	Campaign     string           `json:"campaign" example:"cmp_1"`
	CampaignName string           `json:"campaign_name"`
	Creator      string           `json:"creator" example:"cre_1"`
	CreatorName  string           `json:"creator_name"`
	RowFiguresJSON
}

func (a *API) listEvidencePerformance(ctx context.Context,
	in *evidencePerformanceListInput) (*output[figureListJSON[evidenceFiguresJSON]], error) {
	if in.Campaign+in.Offer+in.Creator == "" {
		return nil, affiliate.FieldErrorf("campaign",
			"is missing: codes and links are listed for a campaign, an offer or a creator")
	}
	sc, err := in.narrowed(in.FormerQuery, in.Offer, in.Creator)
	if err != nil {
		return nil, err
	}
	l, err := a.list(ctx, in.PeriodQuery, sc, in.Sort, in.FiguresPage)
	return figureList(ctx, a, l, err, report.List.CodeRows, func(r report.CodeRow,
		c money.Currency) evidenceFiguresJSON {
		v := evidenceFiguresJSON{Kind: r.Kind, ID: r.CodeID.String(), Text: r.Text, Store: orNull(r.Store),
			LinkKind: orNull(r.LinkKind), Ended: r.Ended, OfferMember: r.OfferMemberID.String(),
			Offer: r.OfferID.String(), OfferName: r.Offer, Campaign: r.CampaignID.String(), CampaignName: r.Campaign,
			Creator: r.CreatorID.String(), CreatorName: r.Creator, RowFiguresJSON: rowFigures(r.RowSums, c)}
		if r.Kind == affiliate.ByLink {
			v.ID = r.LinkID.String()
		}
		return v
	})
}
