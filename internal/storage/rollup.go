package storage

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage/tally"
)

// Reports read sums, not rows: offer_periods, member_years, uncredited_days and balances. Whatever changes a fact tells
// its transaction's sums by how much, and InTx writes the differences as the last thing before the commit: the rows of
// a popular day are wanted by every worker, so they are locked as briefly as can be, and always in the same order.
// check.go computes the same sums from the facts.

// sums are the differences that a transaction makes to the sums of reports.
type sums struct {
	days       map[memberDay]affiliate.Sums
	clicks     map[linkDay]int64
	balances   map[balanceKey]balance
	uncredited map[uncreditedDay]uncreditedSum
	moved      map[periodCell]affiliate.Sums // of offer members who became former ones or came back
}

// memberDay is the finest grain: what one offer member's conversions of one day amount to. Member 0 is nobody's.
type memberDay struct {
	member affiliate.OfferMemberID
	day    string
	cell
}

// cell says in which money a conversion is counted: the account's at its rate, or, while it waits for one, its own.
// Clicks have no currency.
type cell struct {
	currency  string
	converted bool
}

type linkDay struct {
	link affiliate.LinkID
	day  string
}

type balanceKey struct {
	affiliate.Account
	currency string
}

type balance struct{ balance, paid int64 }

type uncreditedDay struct {
	day      string
	store    affiliate.StoreID
	currency string
}

type uncreditedSum struct{ orders, sales int64 }

// add adds to a sum in a map that may not be there yet.
func add[K comparable, V any](m *map[K]V, key K, plus func(V) V) {
	if *m == nil {
		*m = map[K]V{}
	}
	(*m)[key] = plus((*m)[key])
}

// conversion adds what a conversion counts, or takes it away with a sign of -1. nil counts nothing.
func (s *sums) conversion(c *Conversion, sign int64) {
	if c == nil || !c.Credited {
		return
	}
	at := cell{string(c.Currency), false}
	counts := tally.Conversion{Class: c.Class(), Method: c.Method, Value: c.Value, Commission: c.Commission,
		Refunded: c.Refunded}
	if c.Rate != nil {
		at = cell{string(c.AccountCurrency), true}
		counts.Value, counts.Commission = value(c.AccountValue), value(c.AccountCommission)
		counts.Refunded = value(c.AccountRefunded)
	}
	t := counts.Sums()
	if sign < 0 {
		t = t.Negative()
	}
	add(&s.days, memberDay{c.OfferMemberID, c.Day, at}, t.Plus)
}

// entry adds a new ledger entry of a day.
func (s *sums) entry(e affiliate.LedgerEntry, day string) {
	b := balance{balance: e.Amount}
	if e.Kind == affiliate.PaidOut {
		b.paid = -e.Amount
		s.payout(e.OfferMemberID, day, string(e.Currency), -e.Amount)
	}
	account := affiliate.Account{CreatorID: e.CreatorID, CampaignID: e.CampaignID, OfferMemberID: e.OfferMemberID}
	add(&s.balances, balanceKey{account, string(e.Currency)}, func(held balance) balance {
		return balance{held.balance + b.balance, held.paid + b.paid}
	})
}

func (s *sums) payout(member affiliate.OfferMemberID, day, currency string, amount int64) {
	add(&s.days, memberDay{member, day, cell{currency, true}}, affiliate.Sums{Payouts: amount}.Plus)
}

// click adds clicks that are no bot's; they count when the link's kind does.
func (s *sums) click(link affiliate.LinkID, day string, n int64) {
	add(&s.clicks, linkDay{link, day}, func(have int64) int64 { return have + n })
}

// order adds what an order without a creator counts, or takes it away with a sign of -1. nil counts nothing.
func (s *sums) order(o *Order, sign int64) {
	if o == nil || o.NotCredited == nil || o.Test || o.Part || o.Status != affiliate.Paid {
		return
	}
	add(&s.uncredited, uncreditedDay{o.Day, o.StoreID, string(o.Currency)}, func(have uncreditedSum) uncreditedSum {
		return uncreditedSum{have.orders + sign, have.sales + sign*o.Value}
	})
}

func (s *sums) empty() bool {
	return len(s.days)+len(s.clicks)+len(s.balances)+len(s.uncredited)+len(s.moved) == 0
}

// writeSums brings the tables in line with what the transaction did. It runs last.
func (tx *Tx) writeSums(ctx context.Context) error {
	s, shown := tx.sums, tx.shownSums
	tx.sums, tx.shownSums = sums{}, sums{}
	if s.empty() && shown.empty() {
		return nil
	}
	if _, err := tx.shownNow(ctx); err != nil { // from here on nobody becomes a former member
		return err
	}
	steps := []struct {
		what  string
		write func(context.Context, *sums, *sums) error
	}{
		{"place clicks", tx.placeClicks},
		{"add to balances", tx.addBalances},
		{"add to the orders without a creator", tx.addUncredited},
		{"add to the sums of offers", tx.addMembersAndOffers},
	}
	for _, step := range steps {
		if err := step.write(ctx, &s, &shown); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// sumTable is a table of sums that transactions add to.
type sumTable struct {
	name    string
	columns columns
	keys    columns  // the primary key
	types   []string // of the keys
	sums    columns  // a row whose sums are all 0 means the same as no row
}

// Tables of sums that are shown as they were before while figures are computed anew.
var (
	uncreditedTable = sumTable{"uncredited_days", columns{"day", "store_id", "currency", "orders", "sales"},
		columns{"day", "store_id", "currency"}, []string{"TEXT", "BIGINT", "TEXT"}, columns{"orders", "sales"}}
	periodTable = sumTable{"offer_periods",
		append(columns{"period", "offer_id", "currency", "converted", "former"}, periodSums...),
		columns{"period", "offer_id", "currency", "converted", "former"},
		[]string{"TEXT", "BIGINT", "TEXT", "BOOLEAN", "BOOLEAN"}, periodSums}
	yearTable = sumTable{"member_years",
		slices.Concat(columns{"year", "offer_member_id", "currency", "converted", "offer_id"}, yearSumColumns,
			maskColumns),
		columns{"year", "offer_member_id", "currency", "converted"}, []string{"TEXT", "BIGINT", "TEXT", "BOOLEAN"},
		slices.Concat(yearSumColumns, maskColumns)}
	sumTables = []sumTable{uncreditedTable, periodTable, yearTable}

	periodSums     = columns(strings.Split(tally.Columns, ", "))
	yearSumColumns = columns(strings.Split(tally.YearColumns, ", "))
)

// write adds rows, flat in args, to the rows of the same keys. how says in which table: nil is the one of the facts as
// they are, else the one of what is shown.
func (t sumTable) write(ctx context.Context, tx *Tx, how *Shown, args []any, set func(table string) string) error {
	name, columns, keys := t.name, t.columns, t.keys
	if how != nil {
		name, args = "shown_"+t.name, how.mark(args, len(columns))
		columns = append([]string{"recalculation_id"}, columns...)
		keys = append([]string{"recalculation_id"}, keys...)
	}
	return tx.insertRows(ctx, name+" ("+columns.of("")+")", len(columns), args,
		"ON CONFLICT ("+keys.of("")+") DO UPDATE SET "+set(name), nil)
}

// mark puts the number of the recalculation before each row of columns.
func (s *Shown) mark(args []any, columns int) []any {
	marked := make([]any, 0, len(args)+len(args)/columns)
	for row := range slices.Chunk(args, columns) {
		marked = append(append(marked, s.recalculation), row...)
	}
	return marked
}

// keep copies the rows that will be changed to where they are shown from, unless they are there already. All keys of
// a table are kept before the first is added to, in the order of keys: no two transactions wait for each other.
func (t sumTable) keep(ctx context.Context, tx *Tx, how *Shown, keys []any) error {
	most := tx.d.maxParams / len(t.keys) * len(t.keys)
	match := make([]string, len(t.keys))
	for i, k := range t.keys {
		match[i] = fmt.Sprintf("t.%s = v.column%d", k, i+1)
	}
	for part := range slices.Chunk(keys, most) {
		_, err := tx.c.ExecContext(ctx, `WITH v AS (VALUES `+tx.d.typedValues(len(part)/len(t.keys), t.types...)+`)
			INSERT INTO shown_`+t.name+` (recalculation_id, `+t.columns.of("")+`)
			SELECT `+fmt.Sprint(how.recalculation)+`, `+t.columns.of("t")+` FROM v CROSS JOIN `+t.name+` t
			WHERE `+strings.Join(match, " AND ")+` ORDER BY `+t.keys.of("t")+` ON CONFLICT DO NOTHING`, part...)
		if err != nil {
			return fmt.Errorf("keep what is shown of %s: %w", t.name, storageError(err))
		}
	}
	return nil
}

// placeClicks turns clicks on links into clicks of offer members. Those on links that are not for sales count nowhere.
func (tx *Tx) placeClicks(ctx context.Context, s, shown *sums) error {
	var links []affiliate.LinkID
	for _, counted := range []*sums{s, shown} {
		for at := range counted.clicks {
			links = append(links, at.link)
		}
	}
	if len(links) == 0 {
		return nil
	}
	slices.Sort(links)
	var owners []struct {
		ID     affiliate.LinkID
		Member affiliate.OfferMemberID
		Kind   affiliate.LinkKind
	}
	if err := tx.ListIn(ctx, &owners, `SELECT id, offer_member_id AS member, kind FROM links WHERE id IN (?)`, slices.Compact(links)); err != nil {
		return err
	}
	members := map[affiliate.LinkID]affiliate.OfferMemberID{}
	for _, o := range owners {
		if o.Kind.CountsClicks() {
			members[o.ID] = o.Member
		}
	}
	for _, counted := range []*sums{s, shown} {
		for at, n := range counted.clicks {
			if member, counts := members[at.link]; counts {
				counted.clickOf(member, at.day, n)
			}
		}
	}
	return nil
}

// clickOf adds clicks that count to those of an offer member.
func (s *sums) clickOf(member affiliate.OfferMemberID, day string, n int64) {
	add(&s.days, memberDay{member, day, cell{"", true}}, affiliate.Sums{Clicks: n}.Plus)
}

// recountClicks counts the clicks on a link, or counts them no more, since its kind has changed. Nothing may record
// clicks meanwhile: take LockCatalog first.
func (tx *Tx) recountClicks(ctx context.Context, before, after affiliate.Link) error {
	if before.Kind.CountsClicks() == after.Kind.CountsClicks() {
		return nil
	}
	sign := int64(1)
	if before.Kind.CountsClicks() {
		sign = -1
	}
	how, err := tx.shownNow(ctx)
	if err != nil {
		return err
	}
	if how != nil {
		if err := tx.clicksOf(ctx, how, &tx.shownSums, after, sign); err != nil {
			return err
		}
	}
	return tx.clicksOf(ctx, nil, &tx.sums, after, sign)
}

// clicksOf adds the clicks on a link, as they are or as they are shown, or takes them away with a sign of -1.
func (tx *Tx) clicksOf(ctx context.Context, how *Shown, s *sums, link affiliate.Link, sign int64) error {
	var days []struct {
		Day string
		N   int64
	}
	query := how.over(`SELECT day, COUNT(*) AS n FROM clicks WHERE link_id = ? AND NOT bot GROUP BY day`)
	if err := tx.List(ctx, &days, query, link.ID); err != nil {
		return fmt.Errorf("count the clicks of %s: %w", link.ID, err)
	}
	for _, d := range days {
		s.clickOf(link.OfferMemberID, d.Day, sign*d.N)
	}
	return nil
}

// addBalances adds to what the ledger holds: that is in the currencies of its entries and knows no days, so that it is
// never held back.
func (tx *Tx) addBalances(ctx context.Context, s, _ *sums) error {
	keys := slices.SortedFunc(maps.Keys(s.balances), func(a, b balanceKey) int {
		return cmp.Or(cmp.Compare(a.OfferMemberID, b.OfferMemberID), cmp.Compare(a.CreatorID, b.CreatorID),
			cmp.Compare(a.CampaignID, b.CampaignID), strings.Compare(a.currency, b.currency))
	})
	var args []any
	for _, k := range keys {
		if b := s.balances[k]; b != (balance{}) {
			args = append(args, int64(k.OfferMemberID), int64(k.CreatorID), int64(k.CampaignID), k.currency,
				b.balance, b.paid)
		}
	}
	return tx.insertRows(ctx, "balances (offer_member_id, creator_id, campaign_id, currency, balance, paid)", 6, args,
		`ON CONFLICT (offer_member_id, creator_id, campaign_id, currency) DO UPDATE SET balance = balances.balance + excluded.balance,
		paid = balances.paid + excluded.paid`, nil)
}

func (tx *Tx) addUncredited(ctx context.Context, s, shown *sums) error {
	set := func(table string) string { return increments(table, uncreditedTable.sums) }
	row := func(args []any, k uncreditedDay, u uncreditedSum) []any {
		return append(args, k.day, int64(k.store), k.currency, u.orders, u.sales)
	}
	compare := func(a, b uncreditedDay) int {
		return cmp.Or(strings.Compare(a.day, b.day), cmp.Compare(a.store, b.store), strings.Compare(a.currency,
			b.currency))
	}
	return addTo(ctx, tx, uncreditedTable, s.uncredited, shown.uncredited, compare, row, set)
}

// addTo adds sums to the rows of a table, and where figures are held back other ones to what is shown of it: of all
// rows that change, also of those of which nothing else is shown.
func addTo[K, V comparable](ctx context.Context, tx *Tx, t sumTable, changes, shown map[K]V, compare func(a, b K) int,
	row func([]any, K, V) []any, set func(table string) string) error {
	var none V
	for _, m := range []map[K]V{changes, shown} {
		maps.DeleteFunc(m, func(_ K, v V) bool { return v == none })
	}
	if tx.how != nil {
		all := maps.Clone(shown)
		if all == nil {
			all = map[K]V{}
		}
		for k := range changes {
			all[k] = shown[k]
		}
		var args, keys []any
		for _, k := range slices.SortedFunc(maps.Keys(all), compare) {
			begun := len(args)
			args = row(args, k, all[k])
			keys = append(keys, args[begun:begun+len(t.keys)]...)
		}
		if err := t.keep(ctx, tx, tx.how, keys); err != nil {
			return err
		}
		if err := t.write(ctx, tx, tx.how, args, set); err != nil {
			return err
		}
	}
	var args []any
	for _, k := range slices.SortedFunc(maps.Keys(changes), compare) {
		args = row(args, k, changes[k])
	}
	return t.write(ctx, tx, nil, args, set)
}

// place is where an offer member stands now.
type place struct {
	ID     affiliate.OfferMemberID
	Offer  affiliate.OfferID
	Former bool
}

const placesQuery = `SELECT om.id, om.offer_id AS offer, (m.removed_at IS NOT NULL OR cr.removed_at IS NOT NULL) AS former
	FROM offer_members om JOIN campaign_members m ON m.id = om.member_id JOIN creators cr ON cr.id = m.creator_id`

func (tx *Tx) places(ctx context.Context, condition string, args ...any) (map[affiliate.OfferMemberID]place, error) {
	var list []place
	if err := tx.ListIn(ctx, &list, placesQuery+condition, args...); err != nil {
		return nil, err
	}
	places := make(map[affiliate.OfferMemberID]place, len(list))
	for _, p := range list {
		places[p.ID] = p
	}
	return places, nil
}

// periodCell is a row of offer_periods.
type periodCell struct {
	period string
	offer  affiliate.OfferID
	cell
	former bool
}

func (tx *Tx) addMembersAndOffers(ctx context.Context, s, shown *sums) error {
	var members []affiliate.OfferMemberID
	for _, counted := range []*sums{s, shown} {
		maps.DeleteFunc(counted.days, func(_ memberDay, t affiliate.Sums) bool { return t == affiliate.Sums{} })
		for at := range counted.days {
			members = append(members, at.member)
		}
	}
	places := map[affiliate.OfferMemberID]place{}
	if len(members) > 0 {
		slices.Sort(members)
		var err error
		if places, err = tx.places(ctx, ` WHERE om.id IN (?)`, slices.Compact(members)); err != nil {
			return err
		}
	}
	if err := tx.addMembers(ctx, s.days, shown.days, places); err != nil {
		return err
	}
	return tx.addOffers(ctx, s.cells(places), shown.cells(places))
}

// cells are what changes in the sums of offers.
func (s *sums) cells(places map[affiliate.OfferMemberID]place) map[periodCell]affiliate.Sums {
	cells := maps.Clone(s.moved)
	for at, t := range s.days {
		p := places[at.member]
		addPeriods(&cells, at.day, p.Offer, at.cell, p.Former, t)
	}
	return cells
}

// addPeriods adds to the day and the month of an offer, and of all offers.
func addPeriods(cells *map[periodCell]affiliate.Sums, day string, offer affiliate.OfferID, c cell, former bool,
	t affiliate.Sums) {
	for _, period := range []string{day, day[:len("2026-05")]} {
		add(cells, periodCell{period, 0, c, former}, t.Plus)
		if offer != 0 {
			add(cells, periodCell{period, offer, c, former}, t.Plus)
		}
	}
}

func (tx *Tx) addOffers(ctx context.Context, cells, shown map[periodCell]affiliate.Sums) error {
	compare := func(a, b periodCell) int {
		return cmp.Or(strings.Compare(a.period, b.period), cmp.Compare(a.offer, b.offer), strings.Compare(a.currency,
			b.currency),
			compareBool(a.converted, b.converted), compareBool(a.former, b.former))
	}
	row := func(args []any, k periodCell, t affiliate.Sums) []any {
		args = append(args, k.period, int64(k.offer), k.currency, k.converted, k.former)
		return append(args, valuesOf(t, periodSums)...)
	}
	return addTo(ctx, tx, periodTable, cells, shown, compare, row,
		func(table string) string { return increments(table, periodSums) })
}

// valuesOf gives the sums that are named.
func valuesOf(t affiliate.Sums, names []string) []any {
	byName := map[string]any{}
	for _, f := range t.Fields() {
		byName[f.Name] = *f.At
	}
	values := make([]any, len(names))
	for i, name := range names {
		values[i] = byName[name]
	}
	return values
}

func increments(table string, columns []string) string {
	set := make([]string, len(columns))
	for i, c := range columns {
		set[i] = fmt.Sprintf("%s = %s.%s + excluded.%s", c, table, c, c)
	}
	return strings.Join(set, ", ")
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// memberYear is a row of member_years.
type memberYear struct {
	member affiliate.OfferMemberID
	year   string
	cell
}

// monthMasks have a bit for each day of each month.
type monthMasks [12]int64

func (m *monthMasks) set(day string) {
	var month, d int
	_, _ = fmt.Sscanf(day[5:], "%02d-%02d", &month, &d) // days are written by us
	m[month-1] |= 1 << (d - 1)
}

var maskColumns = columns{"m01", "m02", "m03", "m04", "m05", "m06", "m07", "m08", "m09", "m10", "m11", "m12"}

// yearSums are what changes in a row of member_years: its sums, and the bits of some days.
type yearSums struct {
	sums affiliate.Sums
	days monthMasks
}

func (y yearSums) with(day string) yearSums {
	y.days.set(day)
	return y
}

func (tx *Tx) addMembers(ctx context.Context, days, shownDays map[memberDay]affiliate.Sums,
	places map[affiliate.OfferMemberID]place) error {
	years, lost := yearsAndLost(days)
	shown, shownLost := yearsAndLost(shownDays)
	if tx.how != nil {
		if shown == nil {
			shown = map[memberYear]yearSums{}
		}
		for k := range years {
			shown[k] = shown[k].plus(yearSums{}) // what changes is kept, also where nothing else is shown
		}
		var keys []any
		for _, k := range slices.SortedFunc(maps.Keys(shown), compareYears) {
			keys = append(keys, k.year, int64(k.member), k.currency, k.converted)
		}
		if err := yearTable.keep(ctx, tx, tx.how, keys); err != nil {
			return err
		}
		if err := tx.changeYears(ctx, tx.how, shown, places, "|"); err != nil {
			return err
		}
		if err := tx.clearDays(ctx, tx.how, shownLost, places); err != nil {
			return err
		}
	}
	if err := tx.changeYears(ctx, nil, years, places, "|"); err != nil {
		return err
	}
	return tx.clearDays(ctx, nil, lost, places)
}

// yearsAndLost gives what changes in the years of offer members, and the days that lose a conversion.
func yearsAndLost(days map[memberDay]affiliate.Sums) (years map[memberYear]yearSums, lost []memberDay) {
	for at, t := range days {
		if at.member == 0 {
			continue
		}
		change := yearSums{sums: t}
		if t.Conversions > 0 {
			change = change.with(at.day)
		}
		add(&years, memberYear{at.member, at.day[:4], at.cell}, change.plus)
		if t.Conversions < 0 {
			lost = append(lost, at)
		}
	}
	return years, lost
}

// plus has the sums of both and the days of both.
func (y yearSums) plus(z yearSums) yearSums {
	y.sums = y.sums.Plus(z.sums)
	for i := range y.days {
		y.days[i] |= z.days[i]
	}
	return y
}

// changeYears adds sums to rows of member_years, and their days by an operator of bits. how says which rows: see
// sumTable.write.
func (tx *Tx) changeYears(ctx context.Context, how *Shown, years map[memberYear]yearSums,
	places map[affiliate.OfferMemberID]place, operator string) error {
	var args []any
	for _, k := range slices.SortedFunc(maps.Keys(years), compareYears) {
		y := years[k]
		args = append(args, k.year, int64(k.member), k.currency, k.converted, int64(places[k.member].Offer))
		args = append(args, valuesOf(y.sums, yearSumColumns)...)
		for _, mask := range y.days {
			args = append(args, mask)
		}
	}
	return yearTable.write(ctx, tx, how, args, func(table string) string {
		set := increments(table, yearSumColumns)
		for _, c := range maskColumns {
			set += fmt.Sprintf(", %s = %s.%s %s excluded.%s", c, table, c, operator, c)
		}
		return set
	})
}

func compareYears(a, b memberYear) int {
	return cmp.Or(strings.Compare(a.year, b.year), cmp.Compare(a.member, b.member),
		strings.Compare(a.currency, b.currency), compareBool(a.converted, b.converted))
}

// clearDays takes the bits of days away on which no conversion is left. The rows are locked already, so what is counted
// here includes whatever others have committed.
func (tx *Tx) clearDays(ctx context.Context, how *Shown, lost []memberDay,
	places map[affiliate.OfferMemberID]place) error {
	if len(lost) == 0 {
		return nil
	}
	var members []affiliate.OfferMemberID
	var days []string
	for _, at := range lost {
		members, days = append(members, at.member), append(days, at.day)
	}
	var left []struct {
		Member    affiliate.OfferMemberID
		Day       string
		Currency  string
		Converted bool
	}
	slices.Sort(members)
	err := tx.ListIn(ctx, &left, how.over(`SELECT DISTINCT offer_member_id AS member, day, `+tally.Cell+` FROM conversions c
		WHERE credited AND `+tally.Class("c", affiliate.ClassConversion)+` AND offer_member_id IN (?) AND day IN (?)`),
		slices.Compact(members), distinctText(days))
	if err != nil {
		return err
	}
	still := map[memberDay]bool{}
	for _, l := range left {
		still[memberDay{l.Member, l.Day, cell{l.Currency, l.Converted}}] = true
	}
	gone := map[memberYear]yearSums{}
	for _, at := range lost {
		if !still[at] {
			add(&gone, memberYear{at.member, at.day[:4], at.cell}, func(y yearSums) yearSums { return y.with(at.day) })
		}
	}
	return tx.changeYears(ctx, how, gone, places, "& ~")
}

func distinctText(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// movingFormer runs a change that may turn offer members into former ones, or back, and moves what they count. The
// condition chooses the offer members that may be touched.
func (tx *Tx) movingFormer(ctx context.Context, condition string, id int64, change func() error) error {
	before, err := tx.places(ctx, condition, id)
	if err != nil {
		return err
	}
	if err := change(); err != nil {
		return err
	}
	after, err := tx.places(ctx, condition, id)
	if err != nil {
		return err
	}
	var moved []affiliate.OfferMemberID
	for member, p := range after {
		if p.Former != before[member].Former {
			moved = append(moved, member)
		}
	}
	if len(moved) == 0 {
		return nil
	}
	slices.Sort(moved)
	if err := tx.moveSums(ctx, nil, &tx.sums, moved, after); err != nil {
		return err
	}
	how, err := tx.shownNow(ctx)
	if err != nil || how == nil {
		return err
	}
	return tx.moveSums(ctx, how, &tx.shownSums, moved, after)
}

// moveSums moves what offer members count, as they are or as they are shown, to where they stand now.
func (tx *Tx) moveSums(ctx context.Context, how *Shown, s *sums, moved []affiliate.OfferMemberID,
	after map[affiliate.OfferMemberID]place) error {
	query, args, err := sqlx.In(`SELECT member, day, currency, converted, `+tally.SumUp(tally.Columns)+` FROM (`+
		tally.Facts(" AND c.offer_member_id IN (?)", " AND l.offer_member_id IN (?)", " AND e.offer_member_id IN (?)")+
		`) f GROUP BY member, day, currency, converted`, moved, moved, moved)
	if err != nil {
		return err
	}
	return tx.scanRows(ctx, func(rows *sqlx.Rows) error {
		var at memberDay
		var t affiliate.Sums
		to := []any{&at.member, &at.day, &at.currency, &at.converted}
		for _, f := range t.Fields() {
			to = append(to, f.At)
		}
		err := rows.Scan(to...)
		p := after[at.member]
		addPeriods(&s.moved, at.day, p.Offer, at.cell, !p.Former, t.Negative())
		addPeriods(&s.moved, at.day, p.Offer, at.cell, p.Former, t)
		return err
	}, tx.d.rebind(how.over(query)), args...)
}
