package dashboard

import (
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
)

// figure is one key figure of a page. The template "figures" shows a list of them.
type figure struct {
	Key     figureKey
	Label   string
	Value   string
	Address string // of what is behind it; empty: nowhere
	About   string // what it counts, where the label does not say it
	Change  string // against the period before; empty where there is none to compare with
	Way     string // of the change: up, down or empty
}

// figureKey says which figure one is, however it is labelled.
type figureKey string

const (
	figureMembers                figureKey = "members"
	figureMembersWithConversions figureKey = "members_with_conversions"
	figureConversions            figureKey = "conversions"
	figureClicks                 figureKey = "clicks"
	figureSales                  figureKey = "sales"
	figureSalesPerMember         figureKey = "sales_per_member"
	figureCommissions            figureKey = "commissions"
	figureCommissionPerMember    figureKey = "commission_per_member"
	figurePaymentsDue            figureKey = "payments_due"
	figureMembersWithPaymentsDue figureKey = "members_with_payments_due"
)

// lead gives some figures the address of what is behind them.
func lead(figures []figure, address string, keys ...figureKey) {
	for i := range figures {
		if slices.Contains(keys, figures[i].Key) {
			figures[i].Address = address
		}
	}
}

// figuresOf writes key figures for people. What is undefined is "—"; members and payments due are as of now and have no
// change.
func figuresOf(k report.KeyFigures, c money.Currency) []figure {
	now, was := k.KPIs, affiliate.KPIs{}
	if k.Before != nil {
		was = *k.Before
	}
	counted := func(key figureKey, label, about string, now, then int64) figure {
		f := figure{Key: key, Label: label, Value: countText(now), About: about}
		return f.against(k.Before != nil, &now, &then)
	}
	paid := func(key figureKey, label, about string, now, then *int64) figure {
		f := figure{Key: key, Label: label, Value: amountOrDash(now, c), About: about}
		return f.against(k.Before != nil, now, then)
	}
	due := "As of now, whatever the period."
	for _, other := range k.Due.Other {
		due += " And " + moneyText(other.Amount, other.Currency) + " of another currency."
	}
	return []figure{
		{Key: figureMembers, Label: "Members", Value: countText(now.Members),
			About: "A creator in two offers counts twice. As of now."},
		counted(figureMembersWithConversions, "Members with conversions", "With at least one in the period.",
			now.MembersWithConversions, was.MembersWithConversions),
		counted(figureConversions, "Conversions", "Orders that are paid and neither rejected nor held.",
			now.Conversions, was.Conversions),
		counted(figureClicks, "Clicks", "On links; those of robots do not count.", now.Clicks, was.Clicks),
		paid(figureSales, "Total sales", "Merchandise of the conversions, less what went back.",
			&now.Sales, &was.Sales),
		paid(figureSalesPerMember, "Sales per member", "Total sales by members with conversions.",
			now.SalesPerMember(), was.SalesPerMember()),
		paid(figureCommissions, "Commissions earned", "By the conversions.", &now.Commissions, &was.Commissions),
		paid(figureCommissionPerMember, "Average commission per member", "Commissions by members with conversions.",
			now.CommissionPerMember(), was.CommissionPerMember()),
		{Key: figurePaymentsDue, Label: "Payments due", Value: amount(now.PaymentsDue, c), About: due},
		{Key: figureMembersWithPaymentsDue, Label: "Members with payments due",
			Value: countText(now.MembersWithPaymentsDue), About: "As of now."},
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

// changeText writes a change of 1/10000 as roughly as it is looked at: "+239.66 %" says no more than "+240 %". Below 10
// % it has one decimal.
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
