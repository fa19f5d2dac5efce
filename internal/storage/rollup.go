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

// writeSums brings the tables in line with what the transaction did. It runs last.
func (tx *Tx) writeSums(ctx context.Context) error {
	s := tx.sums
	tx.sums = sums{}
	if len(s.days)+len(s.clicks)+len(s.balances)+len(s.uncredited)+len(s.moved) == 0 {
		return nil
	}
	if err := tx.ShareCatalog(ctx); err != nil { // nobody becomes a former member meanwhile
		return err
	}
	steps := []struct {
		what  string
		write func(context.Context, *sums) error
	}{
		{"place clicks", tx.placeClicks},
		{"add to balances", tx.addBalances},
		{"add to the orders without a creator", tx.addUncredited},
		{"add to the sums of offers", tx.addMembersAndOffers},
	}
	for _, step := range steps {
		if err := step.write(ctx, &s); err != nil {
			return fmt.Errorf("%s: %w", step.what, err)
		}
	}
	return nil
}

// placeClicks turns clicks on links into clicks of offer members. Those on links that are not for sales count nowhere.
func (tx *Tx) placeClicks(ctx context.Context, s *sums) error {
	if len(s.clicks) == 0 {
		return nil
	}
	var links []affiliate.LinkID
	for at := range s.clicks {
		links = append(links, at.link)
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
	for at, n := range s.clicks {
		if member, counts := members[at.link]; counts {
			s.clickOf(member, at.day, n)
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
	var days []struct {
		Day string
		N   int64
	}
	if err := tx.List(ctx, &days, `SELECT day, COUNT(*) AS n FROM clicks WHERE link_id = ? AND NOT bot GROUP BY day`, after.ID); err != nil {
		return fmt.Errorf("count the clicks of %s: %w", after.ID, err)
	}
	for _, d := range days {
		if before.Kind.CountsClicks() {
			d.N = -d.N
		}
		tx.sums.clickOf(after.OfferMemberID, d.Day, d.N)
	}
	return nil
}

func (tx *Tx) addBalances(ctx context.Context, s *sums) error {
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

func (tx *Tx) addUncredited(ctx context.Context, s *sums) error {
	keys := slices.SortedFunc(maps.Keys(s.uncredited), func(a, b uncreditedDay) int {
		return cmp.Or(strings.Compare(a.day, b.day), cmp.Compare(a.store, b.store), strings.Compare(a.currency,
			b.currency))
	})
	var args []any
	for _, k := range keys {
		if u := s.uncredited[k]; u != (uncreditedSum{}) {
			args = append(args, k.day, int64(k.store), k.currency, u.orders, u.sales)
		}
	}
	return tx.insertRows(ctx, "uncredited_days (day, store_id, currency, orders, sales)", 5, args,
		`ON CONFLICT (day, store_id, currency) DO UPDATE SET orders = uncredited_days.orders + excluded.orders,
		sales = uncredited_days.sales + excluded.sales`, nil)
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

func (tx *Tx) addMembersAndOffers(ctx context.Context, s *sums) error {
	maps.DeleteFunc(s.days, func(_ memberDay, t affiliate.Sums) bool { return t == affiliate.Sums{} })
	places := map[affiliate.OfferMemberID]place{}
	if len(s.days) > 0 {
		var members []affiliate.OfferMemberID
		for at := range s.days {
			members = append(members, at.member)
		}
		slices.Sort(members)
		var err error
		if places, err = tx.places(ctx, ` WHERE om.id IN (?)`, slices.Compact(members)); err != nil {
			return err
		}
	}
	if err := tx.addMembers(ctx, s.days, places); err != nil {
		return err
	}
	cells := maps.Clone(s.moved)
	for at, t := range s.days {
		p := places[at.member]
		addPeriods(&cells, at.day, p.Offer, at.cell, p.Former, t)
	}
	return tx.addOffers(ctx, cells)
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

func (tx *Tx) addOffers(ctx context.Context, cells map[periodCell]affiliate.Sums) error {
	keys := slices.SortedFunc(maps.Keys(cells), func(a, b periodCell) int {
		return cmp.Or(strings.Compare(a.period, b.period), cmp.Compare(a.offer, b.offer), strings.Compare(a.currency,
			b.currency),
			compareBool(a.converted, b.converted), compareBool(a.former, b.former))
	})
	columns := strings.Split(tally.Columns, ", ")
	var args []any
	for _, k := range keys {
		if t := cells[k]; t != (affiliate.Sums{}) {
			args = append(args, k.period, int64(k.offer), k.currency, k.converted, k.former)
			args = append(args, valuesOf(t, columns)...)
		}
	}
	return tx.insertRows(ctx, "offer_periods (period, offer_id, currency, converted, former, "+tally.Columns+")",
		5+len(columns), args, "ON CONFLICT (period, offer_id, currency, converted, former) DO UPDATE SET "+increments("offer_periods", columns), nil)
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

const maskColumns = "m01, m02, m03, m04, m05, m06, m07, m08, m09, m10, m11, m12"

// yearSums are what changes in a row of member_years: its sums, and the bits of some days.
type yearSums struct {
	sums affiliate.Sums
	days monthMasks
}

func (y yearSums) with(day string) yearSums {
	y.days.set(day)
	return y
}

func (tx *Tx) addMembers(ctx context.Context, days map[memberDay]affiliate.Sums,
	places map[affiliate.OfferMemberID]place) error {
	years := map[memberYear]yearSums{}
	var lost []memberDay
	for at, t := range days {
		if at.member == 0 {
			continue
		}
		add(&years, memberYear{at.member, at.day[:4], at.cell}, func(y yearSums) yearSums {
			y.sums = y.sums.Plus(t)
			if t.Conversions > 0 {
				y = y.with(at.day)
			}
			return y
		})
		if t.Conversions < 0 {
			lost = append(lost, at)
		}
	}
	if err := tx.changeYears(ctx, years, places, "|"); err != nil {
		return err
	}
	return tx.clearDays(ctx, lost, places)
}

// changeYears adds sums to rows of member_years, and their days by an operator of bits.
func (tx *Tx) changeYears(ctx context.Context, years map[memberYear]yearSums, places map[affiliate.OfferMemberID]place,
	operator string) error {
	names, masks := strings.Split(tally.YearColumns, ", "), strings.Split(maskColumns, ", ")
	var args []any
	for _, k := range slices.SortedFunc(maps.Keys(years), compareYears) {
		y := years[k]
		args = append(args, int64(k.member), int64(places[k.member].Offer), k.year, k.currency, k.converted)
		args = append(args, valuesOf(y.sums, names)...)
		for _, mask := range y.days {
			args = append(args, mask)
		}
	}
	set := increments("member_years", names)
	for _, c := range masks {
		set += fmt.Sprintf(", %s = member_years.%s %s excluded.%s", c, c, operator, c)
	}
	return tx.insertRows(ctx,
		"member_years (offer_member_id, offer_id, year, currency, converted, "+tally.YearColumns+", "+maskColumns+")",
		5+len(names)+len(masks), args, "ON CONFLICT (offer_member_id, year, currency, converted) DO UPDATE SET "+set, nil)
}

func compareYears(a, b memberYear) int {
	return cmp.Or(cmp.Compare(a.member, b.member), strings.Compare(a.year, b.year), strings.Compare(a.currency,
		b.currency),
		compareBool(a.converted, b.converted))
}

// clearDays takes the bits of days away on which no conversion is left. The rows are locked already, so what is counted
// here includes whatever others have committed.
func (tx *Tx) clearDays(ctx context.Context, lost []memberDay, places map[affiliate.OfferMemberID]place) error {
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
	err := tx.ListIn(ctx, &left, `SELECT DISTINCT offer_member_id AS member, day, `+tally.Cell+` FROM conversions c
		WHERE credited AND `+tally.Class("c", affiliate.ClassConversion)+` AND offer_member_id IN (?) AND day IN (?)`,
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
	return tx.changeYears(ctx, gone, places, "& ~")
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
		addPeriods(&tx.sums.moved, at.day, p.Offer, at.cell, !p.Former, t.Negative())
		addPeriods(&tx.sums.moved, at.day, p.Offer, at.cell, p.Former, t)
		return err
	}, tx.d.rebind(query), args...)
}
