package storage

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// ConversionTotals sums up conversions; clicks and payouts are none. Each of them is in either Sums or NotConverted.
type ConversionTotals struct {
	affiliate.Sums // of those in the account's currency
	Currency       money.Currency
	// NotConverted are those that wait for an exchange rate, and, after a change of the account's currency, those that
	// were not converted anew yet.
	NotConverted []CurrencySums
}

// Rows counts all conversions, in whatever currency.
func (t ConversionTotals) Rows() int64 {
	n := t.Orders()
	for _, c := range t.NotConverted {
		n += c.Orders()
	}
	return n
}

// ConversionTotals sums up what ConversionPage lists and EachConversion hands out. Where nothing but offers and whole
// days narrow it, the sums of reports are read instead of the rows.
func (q queries) ConversionTotals(ctx context.Context, c ConversionFilter) (ConversionTotals, error) {
	settings, err := q.Settings(ctx)
	if err != nil {
		return ConversionTotals{}, err
	}
	zone, err := affiliate.LoadZone(settings.Timezone)
	if err != nil {
		return ConversionTotals{}, err
	}
	var sums ReportSums
	if report, ok := c.report(zone); ok {
		report.Currency = settings.Currency
		sums, err = q.ReportSums(ctx, report)
	} else {
		sums, err = q.sumRows(ctx, c, settings.Currency)
	}
	if err != nil {
		return ConversionTotals{}, err
	}
	totals := ConversionTotals{Sums: sums.Sums, Currency: settings.Currency}
	totals.Clicks, totals.Payouts = 0, 0
	for _, s := range sums.NotConverted {
		if s.Payouts = 0; s.Orders() > 0 {
			totals.NotConverted = append(totals.NotConverted, s)
		}
	}
	return totals, nil
}

// report gives the report that sums up the same conversions; false when there is none.
func (c ConversionFilter) report(zone *time.Location) (Report, bool) {
	narrower := len(c.IDs)+len(c.Statuses)+len(c.Approvals) > 0 || c.Creator != 0 || c.Store != 0 || c.Code != 0 ||
		c.Link != 0 || c.Method != "" ||
		c.Currency != "" || c.Unconverted || c.WithRefund || c.Ambiguous || c.Search != "" || c.Campaign != 0 &&
		len(c.Campaigns) > 0
	r := Report{Scope: Scope{Campaigns: c.Campaigns, OfferStatus: c.OfferStatus, OfferType: c.OfferType,
		Former: c.Former},
		Range: affiliate.Range{Zone: zone, Preset: affiliate.PeriodCustom}}
	if c.Campaign != 0 {
		r.Campaigns = []affiliate.CampaignID{c.Campaign}
	}
	if c.Offer != 0 {
		r.Offers = []affiliate.OfferID{c.Offer}
	}
	if !c.From.IsZero() {
		r.Range.From = affiliate.Day(c.From, zone)
	}
	if !c.To.IsZero() {
		r.Range.To = affiliate.Day(c.To, zone)
	}
	return r, !narrower && r.Range.Start().Equal(c.From) && r.Range.End().Equal(c.To)
}

// sumRows sums up row by row.
func (q queries) sumRows(ctx context.Context, c ConversionFilter, account money.Currency) (ReportSums, error) {
	f, orders, err := q.narrow(ctx, c)
	if err != nil {
		return ReportSums{}, err
	}
	columns := map[string]string{}
	for sum, t := range tally("c") {
		columns[sum] = "CAST(" + t.sum(inCell(t.amount), t.class, t.also) + " AS BIGINT)"
	}
	var cells []reportCell
	err = q.List(ctx, &cells, `SELECT `+cellColumns+`, `+columnsAs(columns, tallyColumns)+conversionsWith("", orders)+
		f.Where()+` GROUP BY 1, 2`, f.Args...)
	if err != nil {
		return ReportSums{}, fmt.Errorf("sum up conversions: %w", err)
	}
	return Report{Currency: account}.sum(cells), nil
}

// Review counts the conversions that wait for a person or for an exchange rate.
type Review struct {
	Held        int64
	Ambiguous   int64 // several owned codes were on the order; those that are rejected are dealt with
	Unconverted int64
}

// Review counts them by indexes of their own.
func (q queries) Review(ctx context.Context) (r Review, err error) {
	err = q.Get(ctx, &r, `SELECT (SELECT COUNT(*) FROM conversions WHERE approval = 'held' AND credited) AS held,
		(SELECT COUNT(*) FROM conversions WHERE ambiguous AND credited AND approval <> 'rejected') AS ambiguous,
		(SELECT COUNT(*) FROM conversions WHERE rate IS NULL AND credited AND `+listed("currency")+`) AS unconverted`)
	return r, err
}
