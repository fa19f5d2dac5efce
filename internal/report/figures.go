package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Key names a figure: in the API, in addresses and in preferences.
type Key string

// Keys of figures. KeyName is none, but lists are sorted by it too.
const (
	KeyName                   Key = "name"
	KeyClicks                 Key = "clicks"
	KeyConversions            Key = "conversions"
	KeyByLink                 Key = "conversions_by_link"
	KeyConversionRate         Key = "conversion_rate"
	KeySales                  Key = "sales"
	KeyAverageSale            Key = "average_sale"
	KeyCommissions            Key = "commissions"
	KeyPayouts                Key = "payouts"
	KeyRefunds                Key = "refunds"
	KeyMembers                Key = "members"
	KeyMembersWithConversions Key = "members_with_conversions"
	KeySalesPerMember         Key = "sales_per_member"
	KeyCommissionPerMember    Key = "commission_per_member"
	KeyPaymentsDue            Key = "payments_due"
	KeyMembersWithPaymentsDue Key = "members_with_payments_due"
)

// Kind says what a figure is.
type Kind int

// Kinds of figures.
const (
	Count Kind = iota
	Money      // minor units of the account's currency
	Share      // 1/10000
)

// Figure is a figure of reports: how it follows from what is added up, and what people call it.
type Figure struct {
	Key   Key
	Title string // over a column
	Card  string // among key figures; empty: the title
	About string // what it counts, where the title does not say it
	Kind  Kind
	// Of and Per name a sum of affiliate.Sums or another number of affiliate.KPIs. The figure is Of, or, where Per is
	// given, Of ÷ Per: undefined when that is 0.
	Of, Per   string
	NoChange  bool // nothing is compared with the period before: most are as of now, whatever the period
	Extra     bool // tables show it only when somebody chooses it
	OfMembers bool // it says nothing about one creator alone
}

// Figures are all figures there are.
func Figures() []Figure {
	return []Figure{
		{Key: KeyClicks, Title: "Clicks", Of: "clicks", About: "On links for sales; those of robots do not count."},
		{Key: KeyConversions, Title: "Conversions", Of: "conversions",
			About: "Orders that are paid and neither rejected nor held."},
		{Key: KeyByLink, Title: "Conversions by link", Of: "linked", NoChange: true},
		// Conversions by code have no clicks and no rate.
		{Key: KeyConversionRate, Title: "Conversion rate", Kind: Share, Of: "linked", Per: "clicks",
			Extra: true},
		{Key: KeySales, Title: "Sales", Card: "Total sales", Kind: Money, Of: "sales",
			About: "Merchandise of the conversions, less what went back."},
		{Key: KeyAverageSale, Title: "Average sale", Kind: Money, Of: "sales", Per: "conversions"},
		{Key: KeyCommissions, Title: "Commissions", Card: "Commissions earned", Kind: Money, Of: "commissions",
			About: "By the conversions."},
		{Key: KeyPayouts, Title: "Payouts", Kind: Money, Of: "payouts"},
		{Key: KeyRefunds, Title: "Refunds", Kind: Money, Of: "refunds", Extra: true},
		{Key: KeyMembers, Title: "Members", Of: "members", NoChange: true, OfMembers: true,
			About: "A creator counts once for each offer that they are in, so this may be more than there are " +
				"creators. As of now."},
		{Key: KeyMembersWithConversions, Title: "Members with conversions", Of: "members_with_conversions",
			OfMembers: true, About: "With at least one in the period."},
		{Key: KeySalesPerMember, Title: "Sales per member", Kind: Money, Of: "sales",
			Per: "members_with_conversions", OfMembers: true, About: "Total sales by members with conversions."},
		{Key: KeyCommissionPerMember, Title: "Average commission per member", Kind: Money, Of: "commissions",
			Per: "members_with_conversions", OfMembers: true, About: "Commissions by members with conversions."},
		{Key: KeyPaymentsDue, Title: "Payments due", Kind: Money, Of: "payments_due", NoChange: true,
			About: "As of now, whatever the period."},
		{Key: KeyMembersWithPaymentsDue, Title: "Members with payments due", Of: "members_with_payments_due",
			NoChange: true, OfMembers: true, About: "As of now."},
	}
}

// Cards are the key figures of a page.
func Cards() []Figure {
	return figures(KeyMembers, KeyMembersWithConversions, KeyConversions, KeyClicks, KeySales, KeySalesPerMember,
		KeyCommissions, KeyCommissionPerMember, KeyPaymentsDue, KeyMembersWithPaymentsDue)
}

// CardsOfCreator are the key figures of one creator alone.
func CardsOfCreator() []Figure {
	return slices.DeleteFunc(Cards(), func(f Figure) bool { return f.OfMembers })
}

// Listed are the figures that a list is sorted by.
func Listed() []Figure {
	return figures(KeyClicks, KeyConversions, KeyConversionRate, KeySales, KeyAverageSale, KeyCommissions, KeyPayouts,
		KeyRefunds)
}

// OnPage are the figures that a table of offers shows or offers, in its order.
func OnPage() []Figure {
	return figures(KeyClicks, KeyConversions, KeySales, KeyAverageSale, KeyCommissions, KeyPayouts, KeyRefunds,
		KeyConversionRate)
}

// InFiles are the figures that files of lists have, in their order; amounts follow the others.
func InFiles() []Figure {
	return figures(KeyClicks, KeyConversions, KeyByLink, KeyConversionRate, KeySales, KeyAverageSale, KeyCommissions,
		KeyRefunds, KeyPayouts)
}

// Bounded are the figures by whose size a list is narrowed.
func Bounded() []Figure {
	return figures(KeyClicks, KeyConversions, KeySales, KeyCommissions, KeyPayouts, KeyAverageSale)
}

// figures gives those of some keys in their order.
func figures(keys ...Key) []Figure {
	list := make([]Figure, len(keys))
	for i, k := range keys {
		list[i] = FigureOf(k)
	}
	return list
}

// FigureOf is the figure of a key, of which there must be one.
func FigureOf(key Key) Figure {
	all := Figures()
	return all[slices.IndexFunc(all, func(f Figure) bool { return f.Key == key })]
}

// Value is the figure, in what its kind says; nil where it is undefined.
func (f Figure) Value(k affiliate.KPIs) *int64 { return f.Among(k.Fields()) }

// Among is Value of numbers that are listed already, for who asks for many figures of the same ones.
func (f *Figure) Among(numbers []affiliate.SumField) *int64 {
	var of, per int64
	for _, n := range numbers {
		switch n.Name {
		case f.Of:
			of = *n.At
		case f.Per:
			per = *n.At
		}
	}
	switch {
	case f.Per == "":
		return &of
	case f.Kind == Share:
		return affiliate.Share(of, per)
	default:
		return affiliate.Average(of, per)
	}
}

// Sum is the figure of sums alone.
func (f Figure) Sum(s affiliate.Sums) *int64 { return f.Value(affiliate.KPIs{Sums: s}) }

// Change is by how much the figure grew since the period before, in 1/10000; nil where there is nothing to compare.
func (f Figure) Change(now, before affiliate.KPIs) *int64 {
	if f.NoChange {
		return nil
	}
	return affiliate.GrowthOf(f.Value(now), f.Value(before))
}

// Text writes a value: an amount or a percentage without its sign, a count as it is.
func (f Figure) Text(n int64, c money.Currency) string {
	switch f.Kind {
	case Money:
		return money.Format(n, c)
	case Share:
		return affiliate.FormatPercent(n)
	}
	return strconv.FormatInt(n, 10)
}

// sql is the figure of rows x, as Value reckons it: no sum of sales or count is negative.
func (f Figure) sql() string {
	if f.Per == "" {
		return "x." + f.Of
	}
	scale := 1
	if f.Kind == Share {
		scale = affiliate.RuleScale
	}
	return fmt.Sprintf("CASE WHEN x.%[2]s <> 0 THEN (%[3]d * x.%[1]s + x.%[2]s) / (2 * x.%[2]s) END", f.Of, f.Per, 2*scale)
}

// listed is the figure that a list is sorted by under a key; false when there is none.
func listed(key Key) (Figure, bool) {
	list := Listed()
	i := slices.IndexFunc(list, func(f Figure) bool { return f.Key == key })
	if i < 0 {
		return Figure{}, false
	}
	return list[i], true
}

// sortWords are what a list is sorted by, in words.
func sortWords() string {
	words := []string{string(KeyName)}
	for _, f := range Listed() {
		words = append(words, string(f.Key))
	}
	return strings.Join(words, ", ")
}

// ParseSort reads a column to sort by, with a minus before it for the descending order; an empty text is by name. The
// error names the field sort.
func ParseSort(s string) (key Key, desc bool, err error) {
	column, desc := strings.CutPrefix(s, "-")
	if s == "" {
		column = string(KeyName)
	}
	if _, ok := listed(Key(column)); !ok && Key(column) != KeyName {
		return "", false, affiliate.FieldErrorf("sort",
			"must be one of %s, with a minus before it to turn the order round", sortWords())
	}
	return Key(column), desc, nil
}
