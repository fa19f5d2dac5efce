// Package tally says in SQL what counts: which conversions, clicks and payouts add what to the sums of reports. storage
// writes the sums and checks them by it, report reads what they do not hold.
package tally

import (
	"cmp"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Columns are those of a table of all sums.
var Columns = strings.Join(affiliate.SumNames(), ", ")

// YearColumns are the sums that member_years has.
const YearColumns = "clicks, conversions, linked, sales, commissions, refunds"

// Counted is what a conversion adds to a sum: 1 or an amount, when it is of a class.
type Counted struct {
	Class  string // SQL: the condition on the conversion
	Also   string // one more condition; empty: none
	Amount string // the column of the amount in the conversion's own currency; empty: it adds 1
}

// Of says what a conversion adds to which sums, by the sum's name; alias is the table's. Conversion.Sums is the
// same rule in Go: transactions write by the one, and Check compares with the other.
func Of(alias string) map[string]Counted {
	accepted := Class(alias, affiliate.ClassConversion)
	return map[string]Counted{
		"conversions": {Class: accepted},
		"linked":      {Class: accepted, Also: alias + ".method = 'link'"},
		"sales":       {Class: accepted, Amount: "value"},
		"commissions": {Class: accepted, Amount: "commission"},
		"pending":     {Class: Class(alias, affiliate.ClassPending)},
		"canceled":    {Class: Class(alias, affiliate.ClassCanceled)},
		"refunded":    {Class: Class(alias, affiliate.ClassRefunded)},
		"held":        {Class: Class(alias, affiliate.ClassHeld)},
		"rejected":    {Class: Class(alias, affiliate.ClassRejected)},
		"refunds":     {Class: alias + ".approval <> 'rejected'", Amount: "refunded"},
	}
}

// Conversion is what counts of a conversion.
type Conversion struct {
	Class                       affiliate.Class
	Method                      affiliate.Method
	Value, Commission, Refunded int64 // in one currency
}

// Sums are what a conversion adds: the same as Of says in SQL.
func (c Conversion) Sums() (s affiliate.Sums) {
	switch c.Class {
	case affiliate.ClassConversion:
		s.Conversions, s.Sales, s.Commissions = 1, c.Value, c.Commission
		if c.Method == affiliate.ByLink {
			s.Linked = 1
		}
	case affiliate.ClassPending:
		s.Pending = 1
	case affiliate.ClassCanceled:
		s.Canceled = 1
	case affiliate.ClassRefunded:
		s.Refunded = 1
	case affiliate.ClassHeld:
		s.Held = 1
	case affiliate.ClassRejected:
		s.Rejected = 1
	}
	if c.Class != affiliate.ClassRejected {
		s.Refunds = c.Refunded
	}
	return s
}

// Class is the condition that a conversion is of a class, as affiliate.Classify tells it.
func Class(alias string, class affiliate.Class) string {
	approved := alias + ".approval = 'approved' AND " + alias + ".status = "
	switch class {
	case affiliate.ClassHeld:
		return alias + ".approval = 'held'"
	case affiliate.ClassRejected:
		return alias + ".approval = 'rejected'"
	case affiliate.ClassPending:
		return approved + "'pending'"
	case affiliate.ClassCanceled:
		return approved + "'canceled'"
	case affiliate.ClassRefunded:
		return approved + "'refunded'"
	}
	return approved + "'paid'"
}

// Click is the condition that a click k on a link l counts: see affiliate.LinkKind.CountsClicks, the same rule in Go.
const Click = "NOT k.bot AND l.kind = 'sales'"

// Each is what one conversion adds; amount is SQL for the amount.
func (c Counted) Each(amount string) string {
	if c.Amount == "" {
		amount = "1"
	}
	return "CASE WHEN " + all(c.Class, c.Also) + " THEN " + amount + " ELSE 0 END"
}

// Sum adds up over the conversions for which the conditions hold; amount is SQL for the amount.
func (c Counted) Sum(amount string, conditions ...string) string {
	filter := " FILTER (WHERE " + all(conditions...) + ")"
	if all(conditions...) == "" {
		filter = ""
	}
	if c.Amount == "" {
		return "COUNT(*)" + filter
	}
	return "COALESCE(SUM(" + amount + ")" + filter + ", 0)"
}

// all is the condition that all conditions hold; empty ones do.
func all(conditions ...string) string {
	var list []string
	for _, c := range conditions {
		if c != "" {
			list = append(list, c)
		}
	}
	return strings.Join(list, " AND ")
}

// Cell give a conversion's cell; the table's alias is c.
const Cell = "CASE WHEN c.rate IS NULL THEN c.currency ELSE c.account_currency END AS currency, " +
	"(c.rate IS NOT NULL) AS converted"

// InCell is a conversion's amount in the currency of its cell.
func InCell(amount string) string {
	return "CASE WHEN c.rate IS NULL THEN c." + amount + " ELSE c.account_" + amount + " END"
}

// fact is a query of facts of one kind, with the cell of one row's sums and what it adds to them.
type fact struct {
	member, day string // SQL, as the others
	cell        string // currency and converted
	adds        map[string]string
	from        string
}

func (f fact) query() string {
	return "SELECT " + f.member + " AS member, " + f.day + " AS day, " + f.cell + ", " + As(f.adds, Columns) +
		" FROM " + f.from
}

// Facts is a query of all facts that count, one row each, as member, day, currency, converted and the tally. The
// arguments narrow conversions c, links l of clicks, and ledger entries e.
func Facts(conversions, links, entries string) string {
	adds := map[string]string{}
	for sum, c := range Of("c") {
		adds[sum] = c.Each(InCell(c.Amount))
	}
	return fact{member: "c.offer_member_id", day: "c.day", cell: Cell, adds: adds,
		from: "conversions c WHERE c.credited" + conversions}.query() + ` UNION ALL ` +
		fact{member: "l.offer_member_id", day: "k.day", cell: "'' AS currency, TRUE AS converted",
			adds: map[string]string{"clicks": "1"},
			from: "clicks k JOIN links l ON l.id = k.link_id WHERE " + Click + links}.query() + ` UNION ALL ` +
		fact{member: "COALESCE(e.offer_member_id, 0)", day: "e.day", cell: "e.currency, TRUE AS converted",
			adds: map[string]string{"payouts": "-e.amount"},
			from: "ledger_entries e WHERE e.kind = 'payout'" + entries}.query()
}

// As writes the columns of a list as what the map has for them, or 0.
func As(values map[string]string, columns string) string {
	list := strings.Split(columns, ", ")
	for i, c := range list {
		list[i] = cmp.Or(values[c], "0") + " AS " + c
	}
	return strings.Join(list, ", ")
}

// SumUp writes "CAST(SUM(x) AS BIGINT) AS x" for each column of a list.
func SumUp(columns string) string {
	list := strings.Split(columns, ", ")
	for i, c := range list {
		list[i] = "CAST(SUM(" + c + ") AS BIGINT) AS " + c
	}
	return strings.Join(list, ", ")
}
