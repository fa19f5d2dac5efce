package dashboard

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
)

// conversionList is the table of conversions with its totals.
type conversionList struct {
	Address   string        // of the page
	Clear     string        // the same without what narrows the table
	Files     string        // of the table as a file, without the ending
	Decide    string        // where decisions go
	Of        string        // the campaign; empty: all
	Creators  string        // address of its creators, for whoever may change them
	Live      string        // what the table follows
	Days      string        // of the period, for people
	Narrowed  bool          // it leaves out some of what the page is about
	Filter    []hiddenField // what the address narrows it to
	Columns   []column
	Rows      []conversionLine
	Totals    report.ConversionTotals
	Feet      []conversionFoot
	Classes   []classCount
	Pager     pager
	Tools     tableTools
	MayDecide bool // about conversions
	Matching  selectionSums
	Wide      bool // it has more columns than the usual ones, and may scroll sideways
}

// conversionLine is a conversion as the table shows it.
type conversionLine struct {
	storage.ConversionItem
	Order         string // address
	Theirs        string // address of the creator's conversions in this list
	Date, Time    string
	Partly        bool // refunded in part
	IsRejected    bool
	Decided       string // who decided and why, for people
	Original      cell
	Net           cell
	Back          cell
	Earned        cell
	Rule          string
	Rate          string
	Plain         map[string]string // the other cells, by column
	Undo, Release bool              // what can be done about its approval, beside rejecting it
	Keep          bool              // there is a doubt that can be ended by keeping the credit as it is
	Sum           selectionSum
	// Words that have columns of their own, which this table does not show.
	StoreSub, EvidenceSub, OriginalSub, RefundedSub string
	ApprovalSub                                     bool
}

// selectionSum is what a row adds to the sums of what is selected: decimal numbers, in the account's currency where the
// row has been converted.
type selectionSum struct {
	Currency          string
	Value, Commission string
}

// cell is an amount in the order's currency, with what it is in the account's where that is another.
type cell struct{ Text, Sub string }

// selectionSums are what some conversions show, for each currency, for people: "1,234.50 USD + 12 JPY".
type selectionSums struct{ Value, Commission string }

func sumsText(sums []storage.ConversionSum) (s selectionSums) {
	var values, commissions []string
	for _, sum := range sums {
		values = append(values, moneyText(sum.Value, sum.Currency))
		commissions = append(commissions, moneyText(sum.Commission, sum.Currency))
	}
	return selectionSums{strings.Join(values, " + "), strings.Join(commissions, " + ")}
}

// matching is what all conversions that match add up to, on all pages.
func (r *request) matching(f storage.ConversionFilter) (selectionSums, error) {
	sums, err := r.d.App.DB.SumConversions(r.Request.Context(), f)
	return sumsText(sums), err
}

// More says whether there are rows on other pages.
func (l conversionList) More() bool { return l.Pager.Next+l.Pager.First != "" }

// conversionFoot is one line under the table: the sums in one currency.
type conversionFoot struct {
	Label string
	Span  int        // how many columns the label is under: all before the first amount
	Cells []footCell // for each shown column behind them
}

type footCell struct {
	Title  string // of its column
	Text   string
	Number bool
}

// classCount is how many of the listed conversions are in a class that counts in no sum.
type classCount struct {
	Word    string
	N       int64
	Address string // of these alone
}

// conversionList reads a page of conversions and what all of them add up to. The page at address narrows and sorts
// them; their files, and the decisions about them, have addresses below it.
func (r *request) conversionList(f storage.ConversionFilter, s conversionSearch,
	address string) (l conversionList, err error) {
	ctx := r.Request.Context()
	l = conversionList{Address: address, Clear: address + periodQuery(r), Live: "orders",
		Files: address, Decide: address + "/decide", Days: s.Period.Days, Narrowed: s.Narrowed(),
		MayDecide: r.may(affiliate.MayApprove), Filter: r.carried(conversionParameters...)}
	table := "conversions"
	if f.Campaign != 0 {
		table, l.Files, l.Live = "campaign", address+"/conversions", f.Campaign.String()
	}
	if l.Columns, err = r.columns(table); err != nil {
		return l, err
	}
	r.sortable(l.Columns, s.Sort.String())
	l.Wide = slices.ContainsFunc(l.Columns, func(c column) bool { return c.Extra && c.Shown })
	rows, next, err := r.d.App.DB.ConversionPage(ctx, f, s.Sort, r.page())
	if err != nil {
		return l, err
	}
	if l.Totals, err = report.TotalConversions(ctx, r.d.App.DB, f); err != nil {
		return l, err
	}
	columns, shows := tables.Conversions().Page(), shown(l.Columns)
	for _, c := range rows {
		line := r.conversionLine(c, shows)
		line.Plain = plainCells(columns, &c)
		l.Rows = append(l.Rows, line)
	}
	l.foot(r)
	l.Pager, l.Tools = r.pager(next), r.tools(table, l.Columns, l.Files)
	return l, nil
}

// conversionParameters are those that narrow and sort conversions.
var conversionParameters = []string{"period", "from", "to", "q", "status", "approval", "method", "campaign", "creator",
	"offer", "offer_type", "offer_status", "store", "code", "link", "currency", "waiting_for_rate", "with_refund",
	"ambiguous", "undecided", "former", "include", "sort"}

// conversionLine writes a conversion; shows says which columns the table has.
func (r *request) conversionLine(c storage.ConversionItem, shows map[string]bool) conversionLine {
	l := conversionLine{ConversionItem: c, Order: orderAddress(c.OrderID),
		Theirs: r.with("creator", c.CreatorID.String()) + "#conversions",
		Date:   r.date(c.PlacedAt.Time), Time: r.clockTime(c.PlacedAt.Time),
		Partly: c.Status == affiliate.Paid && c.Refunded > 0, IsRejected: c.Approval == affiliate.Rejected,
		Decided: r.decided(c.Approvals()), Undo: c.Approval == affiliate.Rejected,
		Release: c.Approval == affiliate.Held, Keep: mayKeep(c), Rule: commissionText(c.Rule(), c.Currency),
		Sum: selectionSum{c.Currency.Code(), money.Format(c.Value, c.Currency), money.Format(c.Commission, c.Currency)}}
	if c.AccountValue != nil && c.AccountCommission != nil {
		l.Sum = selectionSum{c.AccountCurrency.Code(), money.Format(*c.AccountValue, c.AccountCurrency),
			money.Format(*c.AccountCommission, c.AccountCurrency)}
	}
	other := c.Rate == nil || c.AccountCurrency != c.Currency
	converted := func(minor int64, account *int64) cell {
		t := cell{Text: amount(minor, c.Currency)}
		if other {
			t.Text = moneyText(minor, c.Currency)
		}
		switch {
		case other && account != nil:
			t.Sub = moneyText(*account, c.AccountCurrency)
		case other && minor != 0 && !c.Currency.Listed():
			t.Sub = "never converted"
		case other && minor != 0:
			t.Sub = "waits for a rate"
		}
		return t
	}
	l.Original = cell{Text: amount(c.OriginalValue, c.Currency)}
	if other {
		l.Original.Text = moneyText(c.OriginalValue, c.Currency)
	}
	l.Net, l.Back, l.Earned = converted(c.Value, c.AccountValue), converted(c.Refunded, c.AccountRefunded),
		converted(c.Commission, c.AccountCommission)
	l.subs(shows)
	switch {
	case c.Rate == nil && !c.Currency.Listed():
		l.Rate = "none ever"
	case c.Rate == nil:
		l.Rate = "none yet"
	case other && c.RateDate != nil:
		l.Rate = fmt.Sprintf("%s of %s", *c.Rate, dayText(*c.RateDate))
	case other:
		l.Rate = *c.Rate
	}
	return l
}

// mayKeep says whether somebody is to look at who is credited, and may leave it so.
func mayKeep(c storage.ConversionItem) bool {
	return c.Ambiguous && c.Approval == affiliate.Approved && c.ApprovalBy == ""
}

// subs puts what has no column of its own under what has.
func (l *conversionLine) subs(shows map[string]bool) {
	if !shows["store"] {
		l.StoreSub = l.Store
	}
	l.EvidenceSub = string(l.Method)
	if l.Ambiguous {
		l.EvidenceSub += ", one of several codes"
	}
	if campaign, there := shows["campaign"]; there && !campaign {
		l.EvidenceSub += " · " + l.Campaign
	}
	if !shows["offer"] {
		l.EvidenceSub += " · " + l.Offer
	}
	l.ApprovalSub = !shows["approval"] && l.Approval != affiliate.Approved
	if !shows["original_value"] && l.OriginalValue != l.Value {
		l.OriginalSub = "of " + l.Original.Text
	}
	if !shows["refunded"] && l.Refunded != 0 {
		l.RefundedSub = "−" + l.Back.Text + " refunded"
	}
}

// decided tells who decided about a conversion, when and why.
func (r *request) decided(a affiliate.Approvals) string {
	text := a.Reason
	if a.Approval == affiliate.Held && text == affiliate.HeldSelfReferral {
		text = "Bought with the creator's own e-mail address"
	}
	if a.By == "" {
		return text
	}
	if text != "" {
		text += " · "
	}
	return text + actorText(a.By) + ", " + r.moment(a.At)
}

// commissionText writes a commission rule for people: "10.00 % + 2.00 USD per order". Without a currency it is the
// order's.
func commissionText(rule affiliate.Rule, c money.Currency) string {
	var parts []string
	if rule.Percent != 0 {
		parts = append(parts, percentText(rule.Percent))
	}
	if rule.Flat != 0 {
		flat := money.Marked(affiliate.FormatFlat(rule.Flat))
		if c != "" {
			flat += " " + string(c)
		}
		parts = append(parts, flat+" per order")
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, " + ")
}

// foot writes the sums under the columns of amounts. Only what counts is in them; the other classes are listed beside.
func (l *conversionList) foot(r *request) {
	line := func(s affiliate.Sums, c money.Currency, label string) {
		foot := conversionFoot{Label: label}
		for _, column := range l.Columns {
			cell := footCell{Title: column.Title, Number: column.Number}
			if column.Sum != nil {
				cell.Text = l.sumText(column.Sum(s), c)
			}
			switch {
			case !column.Shown:
			case len(foot.Cells) > 0 || column.Sum != nil:
				foot.Cells = append(foot.Cells, cell)
			default:
				foot.Span++
			}
		}
		l.Feet = append(l.Feet, foot)
	}
	t := l.Totals
	line(t.Sums, t.Currency, "Total of "+counted(t.Conversions, "conversion", "conversions"))
	all := t.Sums
	for _, c := range t.NotConverted {
		line(c.Sums, c.Currency, notConverted(c.Currency)+": "+counted(c.Conversions, "conversion", "conversions"))
		all = all.Plus(c.Sums)
	}
	for _, c := range []classCount{
		{"pending", all.Pending, r.with("status", "pending", "approval", "approved")},
		{"canceled", all.Canceled, r.with("status", "canceled", "approval", "approved")},
		{"refunded", all.Refunded, r.with("status", "refunded", "approval", "approved")},
		{"held", all.Held, r.with("approval", "held", "status", "")},
		{"rejected", all.Rejected, r.with("approval", "rejected", "status", "")},
	} {
		if c.N > 0 {
			l.Classes = append(l.Classes, c)
		}
	}
}

// notConverted says of sums in a currency that they are not the account's.
func notConverted(c money.Currency) string {
	if !c.Listed() {
		return "Never converted"
	}
	return "Not converted yet"
}

// sumText writes a sum, with its currency where it is not the account's.
func (l *conversionList) sumText(minor int64, c money.Currency) string {
	if c == l.Totals.Currency {
		return amount(minor, c)
	}
	return moneyText(minor, c)
}
