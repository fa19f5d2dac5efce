package report

import (
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/tally"
)

// source is a query of figures by row id, with the columns of rowColumns.
type source struct {
	query string
	args  []any
	// partly says that the query has only the figures that the order and the bounds ask for; those of the page are read
	// after.
	partly       bool
	onlyAccepted bool
}

var rowColumns = tally.Columns + ", not_converted"

// source chooses where a list's figures come from.
func (l List) source(g grouping, wanted affiliate.Range) source {
	switch {
	case l.inPeriods(g):
		query, args := l.periodSums(g, nil)
		return source{query: query, args: args}
	case g == byCreator && wanted.From == "" && wanted.To == "":
		query, args := l.yearSums()
		return source{query: query, args: args, onlyAccepted: true}
	case g.periods != "", l.narrow() && l.narrowed():
		query, args := l.factSums(g, allKinds, nil)
		return source{query: query, args: args}
	}
	query, args := l.factSums(g, l.needs(), nil)
	return source{query: query, args: args, partly: true}
}

// inPeriods says whether sums per offer and period tell the figures of the rows.
func (r Report) inPeriods(g grouping) bool {
	return g.periods != "" && r.Creator == 0 && (r.Scope.Former || !r.LeftCampaigns)
}

// narrowed says whether the list leaves rows of its scope out.
func (l List) narrowed() bool { return l.Text != "" || len(l.Bounds) > 0 || l.Standing != "" }

// kinds says which kinds of facts a query reads.
type kinds struct {
	accepted    bool // what the accepted conversions count
	conversions bool // what conversions of all classes count
	clicks      bool
	payouts     bool
}

var allKinds = kinds{conversions: true, clicks: true, payouts: true}

// needs gives the facts without which the list cannot be put in order.
func (l List) needs() kinds {
	var f kinds
	accepted, counts := tally.Class("c", affiliate.ClassConversion), tally.Of("c")
	need := func(by Key) {
		figure, _ := listed(by) // by name it needs nothing
		for _, sum := range []string{figure.Of, figure.Per} {
			c, ofConversions := counts[sum]
			f.clicks = f.clicks || sum == "clicks"
			f.payouts = f.payouts || sum == "payouts"
			f.accepted = f.accepted || ofConversions && c.Class == accepted
			f.conversions = f.conversions || ofConversions && c.Class != accepted
		}
	}
	need(l.Sort)
	for _, b := range l.Bounds {
		need(b.Figure)
	}
	return f
}

// periodSums sums up offer_periods per campaign or offer; ids, if any, narrow the rows.
func (r Report) periodSums(g grouping, ids []int64) (string, []any) {
	f := inPeriods(r.Range.Cover().Periods())
	if len(ids) > 0 {
		f.And(g.periods+" IN (?)", ids)
	}
	if !r.Scope.Former {
		f.And("NOT p.former")
	}
	r.offers(&f)
	return addUp(sumPart{id: "x.id", columns: ownSums(tally.Columns),
		args: append([]any{string(r.Currency)}, f.Args...), from: `(SELECT ` + g.periods + ` AS id, (p.converted AND p.currency = ?) AS own, p.* FROM offer_periods p JOIN offers o ON o.id = p.offer_id` + f.Where() + `) x`})
}

// ownSums sums columns of rollups x up over the rows in the account's currency; clicks have none.
func ownSums(columns string) map[string]string {
	sums := map[string]string{"not_converted": "COALESCE(SUM(x.conversions) FILTER (WHERE NOT x.own), 0)"}
	for c := range strings.SplitSeq(columns, ", ") {
		sums[c] = "COALESCE(SUM(x." + c + ") FILTER (WHERE x.own), 0)"
	}
	sums["clicks"] = "SUM(x.clicks)"
	return sums
}

// yearSums sums up member_years and balances per creator, of all time: the range has the first and the last day of
// it.
func (r Report) yearSums() (string, []any) {
	tables, years := r.memberTables()
	if r.Range.Days() > 0 {
		years.And("y.year IN (?)", yearsOf(r.Range))
	}
	var paid storage.Filter
	paid.And("b.currency = ?", string(r.Currency))
	if !r.Everybody() {
		members, args := r.members("om.id")
		if r.ofOffers() {
			paid.And("b.offer_member_id IN ("+members+")", args...)
		} else {
			paid.And("(b.offer_member_id = 0 OR b.offer_member_id IN ("+members+"))", args...)
		}
		if r.Creator != 0 {
			paid.And("b.creator_id = ?", r.Creator)
		}
	}
	return addUp(
		sumPart{id: "x.id", columns: ownSums(tally.YearColumns), args: append([]any{string(r.Currency)},
			years.Args...),
			from: `(SELECT m.creator_id AS id, (y.converted AND y.currency = ?) AS own, y.clicks, y.conversions, y.linked, y.sales, y.commissions, y.refunds
				FROM ` + tables + ` JOIN member_years y ON y.offer_member_id = om.id` + years.Where() + `) x`},
		sumPart{id: "b.creator_id", columns: map[string]string{"payouts": "SUM(b.paid)"}, from: "balances b" +
			paid.Where(), args: paid.Args})
}

// sumPart sums up some of the figures per row; the others are 0.
type sumPart struct {
	id      string            // the row of what from has
	columns map[string]string // sums by name
	from    string            // tables with conditions
	args    []any
}

// addUp adds parts up.
func addUp(parts ...sumPart) (string, []any) {
	queries := make([]string, len(parts))
	var args []any
	for i, p := range parts {
		queries[i] = "SELECT " + p.id + " AS id, " + tally.As(p.columns, rowColumns) + " FROM " + p.from + " GROUP BY " + p.id
		args = append(args, p.args...)
	}
	return `SELECT u.id, ` + tally.SumUp(rowColumns) + ` FROM (` + strings.Join(queries, " UNION ALL ") + `) u GROUP BY u.id`, args
}

// factSums sums up conversions, clicks and payouts of the range per row. Of a list of creators, codes or links ids,
// if any, are those whose figures are needed; others may come along.
func (r Report) factSums(g grouping, which kinds, ids []int64) (string, []any) {
	var parts []sumPart
	tables, members := r.memberTables()
	only(&members, g, ids)
	ofMembers := func(f *storage.Filter, column string) {
		f.And(column+" IN (SELECT om.id FROM "+tables+members.Where()+")", members.Args...)
	}
	if which.accepted || which.conversions {
		var f storage.Filter
		f.And("c.credited")
		switch {
		case r.narrow() || len(ids) > 0:
			ofMembers(&f, "c.offer_member_id")
			r.onDays(&f, "c.day")
		default:
			r.between(&f, "c.placed_at")
			if !r.Everybody() {
				ofMembers(&f, "+c.offer_member_id") // the plus: the index of times is the better one
			}
		}
		parts = append(parts, r.conversionSums(g, which, f))
	}
	if which.clicks {
		f := members.Clone()
		f.And(tally.Click)
		r.between(&f, "k.at")
		parts = append(parts, sumPart{id: g.clicks, columns: map[string]string{"clicks": "COUNT(*)"}, args: f.Args,
			from: tables + " JOIN links l ON l.offer_member_id = om.id JOIN clicks k ON k.link_id = l.id" + f.Where()})
	}
	if which.payouts && g.payouts != "" {
		f := r.payouts(g, ids)
		switch {
		case r.ofOffers() || g.periods != "": // what is of no offer is of no campaign here, as in the sums per offer
			ofMembers(&f, "e.offer_member_id")
		case !r.Scope.Former:
			f.And("(e.offer_member_id IS NULL OR e.offer_member_id IN (SELECT om.id FROM "+tables+members.Where()+"))", members.Args...)
		}
		parts = append(parts, sumPart{id: g.payouts, columns: map[string]string{"payouts": "SUM(-e.amount)"},
			args: f.Args, from: "ledger_entries e LEFT JOIN offer_members pm ON pm.id = e.offer_member_id" + f.Where()})
	}
	if len(parts) == 0 {
		parts = append(parts, sumPart{id: "t.id", from: "creators t WHERE FALSE"})
	}
	return addUp(parts...)
}

// only narrows offer members om to those of some rows.
func only(f *storage.Filter, g grouping, ids []int64) {
	switch {
	case len(ids) == 0:
	case g == byCreator:
		f.And("m.creator_id IN (?)", ids)
	case g == byCode:
		codes, links := codeIDs(ids)
		f.And("om.id IN (SELECT x.offer_member_id FROM codes x WHERE x.id IN (?) UNION ALL SELECT x.offer_member_id FROM links x WHERE x.id IN (?))",
			append(codes, 0), append(links, 0)) // an IN needs something
	}
}

// conversionSums sums up conversions c: all of them, or only what the accepted ones count in the account's currency.
func (r Report) conversionSums(g grouping, which kinds, f storage.Filter) sumPart {
	accepted := tally.Class("c", affiliate.ClassConversion)
	if !which.conversions {
		f.And(accepted+" AND c.rate IS NOT NULL AND c.account_currency = ?", string(r.Currency))
		columns := map[string]string{}
		for sum, t := range tally.Of("c") {
			if t.Class == accepted {
				columns[sum] = t.Sum("c.account_"+t.Amount, t.Also)
			}
		}
		return sumPart{id: g.conversions, from: "conversions c" + f.Where(), args: f.Args, columns: columns}
	}
	columns := map[string]string{
		"not_converted": "COUNT(*) FILTER (WHERE NOT x.own AND " + tally.Class("x", affiliate.ClassConversion) + ")"}
	for sum, t := range tally.Of("x") {
		columns[sum] = t.Sum("x.account_"+t.Amount, "x.own", t.Class, t.Also)
	}
	return sumPart{id: "x.id", columns: columns, args: append([]any{string(r.Currency)}, f.Args...),
		from: `(SELECT ` + g.conversions + ` AS id, (c.rate IS NOT NULL AND c.account_currency = ?) AS own, c.approval, c.status, c.method, c.account_value,
			c.account_commission, c.account_refunded FROM conversions c` + f.Where() + `) x`}
}

// payouts narrows ledger entries e to payouts of the range, to whoever the report is about.
func (r Report) payouts(g grouping, ids []int64) storage.Filter {
	var f storage.Filter
	f.And("e.kind = 'payout' AND e.currency = ?", string(r.Currency))
	r.between(&f, "e.created_at")
	switch {
	case r.Creator != 0:
		f.And("e.creator_id = ?", r.Creator)
	case g == byCreator && len(ids) > 0:
		f.And("e.creator_id IN (?)", ids)
	case r.searched():
		f.And("e.creator_id IN (SELECT t.id FROM creators t"+r.found.Where()+")", r.found.Args...)
	case r.narrow():
		creators, args := r.members("m.creator_id")
		f.And("e.creator_id IN ("+creators+")", args...)
	}
	return f
}
