package storage

import (
	"cmp"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// tallyColumns are the columns of a table of all sums.
var tallyColumns = strings.Join(affiliate.SumNames(), ", ")

// counted is what a conversion adds to a sum: 1 or an amount, when it is of a class.
type counted struct {
	class  string // SQL: the condition on the conversion
	also   string // one more condition; empty: none
	amount string // the column of the amount in the conversion's own currency; empty: it adds 1
}

// tally says what a conversion adds to which sums, by the sum's name; alias is the table's. It is the same rule as that
// of sums.conversion, which is compared with it by Check.
func tally(alias string) map[string]counted {
	accepted := classIs(alias, affiliate.ClassConversion)
	return map[string]counted{
		"conversions": {class: accepted},
		"linked":      {class: accepted, also: alias + ".method = 'link'"},
		"sales":       {class: accepted, amount: "value"},
		"commissions": {class: accepted, amount: "commission"},
		"pending":     {class: classIs(alias, affiliate.ClassPending)},
		"canceled":    {class: classIs(alias, affiliate.ClassCanceled)},
		"refunded":    {class: classIs(alias, affiliate.ClassRefunded)},
		"held":        {class: classIs(alias, affiliate.ClassHeld)},
		"rejected":    {class: classIs(alias, affiliate.ClassRejected)},
		"refunds":     {class: alias + ".approval <> 'rejected'", amount: "refunded"},
	}
}

// classIs is the condition that a conversion is of a class, as affiliate.Classify tells it.
func classIs(alias string, class affiliate.Class) string {
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

// each is what one conversion adds; amount is SQL for the amount.
func (c counted) each(amount string) string {
	if c.amount == "" {
		amount = "1"
	}
	return "CASE WHEN " + all(c.class, c.also) + " THEN " + amount + " ELSE 0 END"
}

// sum adds up over the conversions for which the conditions hold; amount is SQL for the amount.
func (c counted) sum(amount string, conditions ...string) string {
	filter := " FILTER (WHERE " + all(conditions...) + ")"
	if all(conditions...) == "" {
		filter = ""
	}
	if c.amount == "" {
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

// cellColumns give a conversion's cell; the table's alias is c.
const cellColumns = "CASE WHEN c.rate IS NULL THEN c.currency ELSE c.account_currency END AS currency, " +
	"(c.rate IS NOT NULL) AS converted"

// inCell is a conversion's amount in the currency of its cell.
func inCell(amount string) string {
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
	return "SELECT " + f.member + " AS member, " + f.day + " AS day, " + f.cell + ", " + columnsAs(f.adds, tallyColumns) +
		" FROM " + f.from
}

// memberFacts is a query of all facts that count, one row each, as member, day, currency, converted and the tally. The
// arguments narrow conversions c, links l of clicks, and ledger entries e.
func memberFacts(conversions, links, entries string) string {
	adds := map[string]string{}
	for sum, c := range tally("c") {
		adds[sum] = c.each(inCell(c.amount))
	}
	return fact{member: "c.offer_member_id", day: "c.day", cell: cellColumns, adds: adds,
		from: "conversions c WHERE c.credited" + conversions}.query() + ` UNION ALL ` +
		fact{member: "l.offer_member_id", day: "k.day", cell: "'' AS currency, TRUE AS converted",
			adds: map[string]string{"clicks": "1"},
			from: "clicks k JOIN links l ON l.id = k.link_id WHERE NOT k.bot" + links}.query() + ` UNION ALL ` +
		fact{member: "COALESCE(e.offer_member_id, 0)", day: "e.day", cell: "e.currency, TRUE AS converted",
			adds: map[string]string{"payouts": "-e.amount"},
			from: "ledger_entries e WHERE e.kind = 'payout'" + entries}.query()
}

// columnsAs writes the columns of a list as what the map has for them, or 0.
func columnsAs(values map[string]string, columns string) string {
	list := strings.Split(columns, ", ")
	for i, c := range list {
		list[i] = cmp.Or(values[c], "0") + " AS " + c
	}
	return strings.Join(list, ", ")
}

// sumColumns writes "CAST(SUM(x) AS BIGINT) AS x" for each column of a list.
func sumColumns(columns string) string {
	list := strings.Split(columns, ", ")
	for i, c := range list {
		list[i] = "CAST(SUM(" + c + ") AS BIGINT) AS " + c
	}
	return strings.Join(list, ", ")
}
