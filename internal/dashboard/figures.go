package dashboard

import (
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// figure is one key figure of a page. The template "figures" shows a list of them.
type figure struct {
	Label   string
	Value   string
	Address string // of what is behind it; empty: nowhere
	About   string // what it counts, where the label does not say it
	Change  string // against the period before; empty where there is none to compare with
	Way     string // of the change: up, down or empty
}

// keyFigures reads the ten key figures of a scope over a period, and what has changed since the period before.
func (r *request) keyFigures(report storage.Report) ([]figure, storage.ReportSums, error) {
	ctx := r.Request.Context()
	sums, err := r.d.App.DB.ReportSums(ctx, report)
	if err != nil {
		return nil, sums, err
	}
	k := affiliate.KPIs{Sums: sums.Sums}
	if k.Members, err = r.d.App.DB.MemberCount(ctx, report.Scope); err != nil {
		return nil, sums, err
	}
	if k.MembersWithConversions, err = r.d.App.DB.MembersWithConversions(ctx, report); err != nil {
		return nil, sums, err
	}
	due, err := r.d.App.DB.PaymentsDue(ctx, report.Scope, report.Currency, r.settings.MinimumPayout, r.d.App.Now())
	if err != nil {
		return nil, sums, err
	}
	k.PaymentsDue, k.MembersWithPaymentsDue = due.Amount, due.Members
	var before *affiliate.KPIs
	if previous, ok := report.Range.Previous(); ok {
		report.Range = previous
		was, err := r.d.App.DB.ReportSums(ctx, report)
		if err != nil {
			return nil, sums, err
		}
		before = &affiliate.KPIs{Sums: was.Sums}
		if before.MembersWithConversions, err = r.d.App.DB.MembersWithConversions(ctx, report); err != nil {
			return nil, sums, err
		}
	}
	return duesOf(figuresOf(k, before, report.Currency), due), sums, nil
}

// duesOf tells of payments due in other currencies than the account's.
func duesOf(figures []figure, due storage.PaymentsDue) []figure {
	for _, other := range due.Other {
		figures[duesFigure].About += " And " + moneyText(other.Amount, other.Currency) + " of another currency."
	}
	return figures
}

// lead gives the figures of some labels the address of what is behind them.
func lead(figures []figure, address string, labels ...string) {
	for i := range figures {
		if slices.Contains(labels, figures[i].Label) {
			figures[i].Address = address
		}
	}
}

// duesFigure is where figuresOf has the payments due.
const duesFigure = 8

// figuresOf writes key figures for people. What is undefined is "—"; members and payments due are as of now and have no
// change.
func figuresOf(k affiliate.KPIs, before *affiliate.KPIs, c money.Currency) []figure {
	was := affiliate.KPIs{}
	if before != nil {
		was = *before
	}
	counted := func(label, about string, now, then int64) figure {
		return figure{Label: label, Value: countText(now), About: about}.against(before != nil, &now, &then)
	}
	paid := func(label, about string, now, then *int64) figure {
		return figure{Label: label, Value: amountOrDash(now, c), About: about}.against(before != nil, now, then)
	}
	return []figure{
		{Label: "Members", Value: countText(k.Members), About: "A creator in two offers counts twice. As of now."},
		counted("Members with conversions", "With at least one in the period.", k.MembersWithConversions, was.MembersWithConversions),
		counted("Conversions", "Orders that are paid and neither rejected nor held.", k.Conversions, was.Conversions),
		counted("Clicks", "On links; those of robots do not count.", k.Clicks, was.Clicks),
		paid("Total sales", "Merchandise of the conversions, less what went back.", &k.Sales, &was.Sales),
		paid("Sales per member", "Total sales by members with conversions.", k.SalesPerMember(), was.SalesPerMember()),
		paid("Commissions earned", "By the conversions.", &k.Commissions, &was.Commissions),
		paid("Average commission per member", "Commissions by members with conversions.", k.CommissionPerMember(), was.CommissionPerMember()),
		{Label: "Payments due", Value: amount(k.PaymentsDue, c), About: "As of now, whatever the period."},
		{Label: "Members with payments due", Value: countText(k.MembersWithPaymentsDue), About: "As of now."},
	}
}

// against adds the change since the period before. Less than 0.05 % is none.
func (f figure) against(known bool, now, then *int64) figure {
	if !known {
		return f
	}
	change := affiliate.GrowthOf(now, then)
	switch {
	case change == nil:
		return f
	case *change >= 5:
		f.Way, f.Change = "up", "+"+changeText(*change)
	case *change <= -5:
		f.Way, f.Change = "down", changeText(*change)
	default:
		f.Change = "as before"
	}
	return f
}

// changeText writes a change of 1/10000 as roughly as it is looked at: "+239.66 %" says no more than "+240 %". Below 10 %
// it has one decimal.
func changeText(n int64) string {
	if n > -9_95 && n < 9_95 {
		return percentOf(money.MulDiv(n, 1, 10), 1)
	}
	return percentOf(money.MulDiv(n, 1, 100), 0)
}

// amountOrDash writes an amount that may be undefined.
func amountOrDash(minor *int64, c money.Currency) string {
	if minor == nil {
		return "—"
	}
	return amount(*minor, c)
}
