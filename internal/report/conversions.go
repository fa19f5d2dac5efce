package report

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/tally"
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

// TotalConversions sums up what ConversionPage lists and EachConversion hands out. Where nothing but offers and whole
// days narrow it, the sums of reports are read instead of the rows.
func TotalConversions(ctx context.Context, q Querier, c storage.ConversionFilter) (ConversionTotals, error) {
	settings, err := q.Settings(ctx)
	if err != nil {
		return ConversionTotals{}, err
	}
	zone, err := affiliate.LoadZone(settings.Timezone)
	if err != nil {
		return ConversionTotals{}, err
	}
	var sums Sums
	if r, ok := sameReport(c, zone); ok {
		r.Currency = settings.Currency
		sums, err = r.Sums(ctx, q)
	} else {
		sums, err = sumRows(ctx, q, c, settings.Currency)
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

// sameReport gives the report that sums up the same conversions; false when there is none.
func sameReport(c storage.ConversionFilter, zone *time.Location) (Report, bool) {
	narrower := len(c.IDs)+len(c.Statuses)+len(c.Approvals) > 0 || c.Creator != 0 || c.Store != 0 || c.Code != 0 ||
		c.Link != 0 || c.Method != "" ||
		c.OnlyFormer || c.Currency != "" || c.Unconverted || c.WithRefund || c.Ambiguous || c.Undecided ||
		c.Search != "" || c.Campaign != 0 &&
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
func sumRows(ctx context.Context, q Querier, c storage.ConversionFilter, account money.Currency) (Sums, error) {
	from, args, err := q.ConversionsFrom(ctx, c)
	if err != nil {
		return Sums{}, err
	}
	columns := map[string]string{}
	for sum, t := range tally.Of("c") {
		columns[sum] = "CAST(" + t.Sum(tally.InCell(t.Amount), t.Class, t.Also) + " AS BIGINT)"
	}
	var cells []reportCell
	err = q.List(ctx, &cells, `SELECT `+tally.Cell+`, `+tally.As(columns, tally.Columns)+from+` GROUP BY 1, 2`, args...)
	if err != nil {
		return Sums{}, fmt.Errorf("sum up conversions: %w", err)
	}
	return Report{Currency: account}.sum(cells), nil
}
