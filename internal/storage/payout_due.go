package storage

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Due is what is to be paid to a creator in one currency.
type Due struct {
	CreatorID affiliate.CreatorID `db:"creator_id"`
	Creator   string              // name
	Handle    string              // the one on Instagram, or the first other; without @, empty without any
	Email     string              // may be empty
	Currency  money.Currency
	Amount    int64 // minor units of Currency, as a payout of now would pay
	Part      int64 // of Amount, what a filter by campaign or offer has asked for; Amount without such a filter
	Accounts  int   // over which it would be settled
	// Since is from when on the oldest entry may be paid that no payout has paid yet.
	Since    Time
	LastPaid Time // of the newest payout that stands; zero without any
	// Campaigns are those from which something is payable, or taken off, by name.
	Campaigns []DueCampaign
}

// DueCampaign names a campaign.
type DueCampaign struct {
	ID   affiliate.CampaignID
	Name string
}

// DueFilter narrows what is due; zero fields do not. A payout pays all that is payable to a creator in a currency,
// wherever it was earned: Campaign and Offer keep creators, not a part of what they are paid.
type DueFilter struct {
	Campaign affiliate.CampaignID // only creators to whom something of it is payable, or from whom it is taken off
	Offer    affiliate.OfferID    // likewise
	Currency money.Currency
	Creators []affiliate.CreatorID
	Search   string    // in the name, the e-mail address or a handle
	Until    time.Time // only what was posted before; zero: all
}

// DueSort is an order of what is due: a column, with a minus before it for the descending order. Amounts are sorted
// within their currency. The empty one is by currency and creator.
type DueSort string

// Words lists the columns, and each with a minus before it for the descending order.
func (DueSort) Words() (words []DueSort) {
	for _, column := range []DueSort{"creator", "amount", "since", "last"} {
		words = append(words, column, "-"+column)
	}
	return words
}

// keyset gives the order of rows d with creators r, oldest entries w and newest payouts p.
func (s DueSort) keyset() Keyset {
	column, descending := strings.CutPrefix(string(s), "-")
	creator := Key{SQL: "d.creator_id", Descending: descending}
	currency := Key{SQL: "d.currency", Kind: TextKey, Descending: descending}
	var keys []Key
	switch column {
	case "creator":
		keys = []Key{{SQL: "r.name", Column: "creator", Kind: TextKey, Descending: descending}, creator, currency}
	case "amount":
		keys = []Key{{SQL: "d.currency", Kind: TextKey}, {SQL: "d.amount", Descending: descending},
			{SQL: "d.creator_id"}}
	case "since":
		keys = []Key{{SQL: "w.since", Kind: TimeKey, Descending: descending, Nullable: true}, creator, currency}
	case "last":
		keys = []Key{{SQL: "p.last_paid", Kind: TimeKey, Descending: descending, Nullable: true}, creator, currency}
	default:
		keys = byText("d.currency", "d.creator_id").Keys
	}
	return Keyset{string(s), keys}
}

// beside gives the joins that the order needs, and the columns that they give.
func (s DueSort) beside(now time.Time) (columns, joins string, args []any) {
	switch DueSort(strings.TrimPrefix(string(s), "-")) {
	case "since":
		query, args := oldestUnpaid(now, nil)
		return ", w.since", ` LEFT JOIN (` + query + `) w ON w.creator_id = d.creator_id AND w.currency = d.currency`, args
	case "last":
		query, args := newestPaid(nil)
		return ", p.last_paid", ` LEFT JOIN (` + query + `) p ON p.creator_id = d.creator_id AND p.currency = d.currency`, args
	}
	return "", "", nil
}

// newestPaid is a query of when creators were paid last, by currency. Without creators it is of all.
func newestPaid(creators []affiliate.CreatorID) (string, []any) {
	var f Filter
	f.And("state NOT IN (" + backStates + ")")
	if len(creators) > 0 {
		f.And("creator_id IN (?)", creators)
	}
	return `SELECT creator_id, currency, MAX(COALESCE(paid_at, created_at)) AS last_paid, MAX(created_at) AS recorded, MAX(until_at) AS until FROM payouts` + f.Where() +
		` GROUP BY creator_id, currency`, f.Args
}

// oldestUnpaid is a query of when the oldest entry became payable that is behind the newest payout: a payout pays all
// that is payable at its moment. Without creators it is of all.
func oldestUnpaid(now time.Time, creators []affiliate.CreatorID) (string, []any) {
	paid, args := newestPaid(creators)
	var f Filter
	f.And("e.amount > 0 AND e.payable_at <= ? AND (p.recorded IS NULL OR e.payable_at > p.recorded OR e.created_at >= p.until)", At(now))
	if len(creators) > 0 {
		f.And("e.creator_id IN (?)", creators)
	}
	return `SELECT e.creator_id, e.currency, MIN(e.payable_at) AS since FROM ledger_entries e LEFT JOIN (` + paid + `) p
		ON p.creator_id = e.creator_id AND p.currency = e.currency` + f.Where() + ` GROUP BY e.creator_id, e.currency`, append(args, f.Args...)
}

// from gives what is due as rows d with creators r; s has the account's currency and minimum.
func (w DueFilter) from(s affiliate.Settings, now time.Time) (from string, args []any, f Filter) {
	from, args, f = w.payable(now)
	f.And("d.amount > 0 AND (d.currency <> ? OR d.amount >= ?)", string(s.Currency), s.MinimumPayout)
	return from, args, f
}

// payable is from without the minimum, and with those who owe.
func (w DueFilter) payable(now time.Time) (from string, args []any, f Filter) {
	var inside Filter // which accounts belong to what the list is narrowed to
	if w.Offer != 0 {
		inside.And("a.offer_member_id IN (SELECT id FROM offer_members WHERE offer_id = ?)", w.Offer)
	}
	if w.Campaign != 0 {
		inside.And("a.campaign_id = ?", w.Campaign)
	}
	part := cmp.Or(strings.TrimPrefix(inside.Also(), " AND "), "TRUE")
	args = inside.Args
	accounts, of := PayableAccounts(now, w.Until, w.Creators)
	args = append(args, of...)
	if part != "TRUE" {
		f.And("d.parts > 0")
	}
	if w.Currency != "" {
		f.And("d.currency = ?", string(w.Currency))
	}
	if w.Search != "" {
		condition, of := CreatorHas("r", w.Search)
		f.And(condition, of...)
	}
	return ` FROM (SELECT creator_id, currency, CAST(SUM(payable) AS BIGINT) AS amount, COUNT(*) FILTER (WHERE payable <> 0) AS accounts,
			COUNT(*) FILTER (WHERE payable <> 0 AND inside) AS parts, CAST(COALESCE(SUM(payable) FILTER (WHERE inside), 0) AS BIGINT) AS part
			FROM (SELECT a.creator_id, a.currency, a.payable, ` + part + ` AS inside FROM (` + accounts + `) a) a GROUP BY creator_id, currency) d
		JOIN creators r ON r.id = d.creator_id`, args, f
}

// PayoutsDue lists what is to be paid now, in an order. s has the account's currency and minimum: the saved ones, by
// which payouts are recorded, also while figures are shown as before a change.
func (q queries) PayoutsDue(ctx context.Context, s affiliate.Settings, w DueFilter, sort DueSort, now time.Time,
	p Page) ([]Due, string, error) {
	k := sort.keyset()
	list, err := q.readDue(ctx, s, w, sort, now, p.Cursor, k.Top(p.Size()))
	if err != nil {
		return nil, "", err
	}
	list, next := Cut(k, list, p.Size())
	return list, next, q.completeDue(ctx, list, now)
}

// readDue reads rows of PayoutsDue behind a cursor, as far as one row of the database tells them.
func (q queries) readDue(ctx context.Context, s affiliate.Settings, w DueFilter, sort DueSort, now time.Time, cursor,
	order string) ([]Due, error) {
	from, args, f := w.from(s, now)
	columns, joins, more := sort.beside(now)
	if err := sort.keyset().After(&f, cursor); err != nil {
		return nil, err
	}
	list := []Due{}
	err := q.ListIn(ctx, &list, `SELECT d.creator_id, r.name AS creator, r.email, `+bestHandle+` AS handle, d.currency, d.amount, d.part, d.accounts`+columns+
		from+joins+f.Where()+order, slices.Concat(args, more, f.Args)...)
	return list, err
}

// EachDue hands all that is due to each one by one, in an order. What is due is added up once for all of them: for
// each page anew it would take as long as all.
func (q queries) EachDue(ctx context.Context, s affiliate.Settings, w DueFilter, sort DueSort, now time.Time,
	each func(*Due) error) error {
	list, err := q.readDue(ctx, s, w, sort, now, "", sort.keyset().By())
	if err != nil {
		return err
	}
	for part := range slices.Chunk(list, MaxLimit) {
		if err := q.completeDue(ctx, part, now); err != nil {
			return err
		}
		for i := range part {
			if err := each(&part[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// DueSum is what is due in one currency.
type DueSum struct {
	Currency money.Currency
	Creators int64
	Amount   int64 // minor units of Currency, as payouts of now would pay
	Part     int64 // of Amount: see Due
}

// SumDue adds up what PayoutsDue lists, by currency.
func (q queries) SumDue(ctx context.Context, s affiliate.Settings, w DueFilter, now time.Time) ([]DueSum, error) {
	from, args, f := w.from(s, now)
	sums := []DueSum{}
	err := q.ListIn(ctx, &sums, `SELECT d.currency, COUNT(*) AS creators, CAST(SUM(d.amount) AS BIGINT) AS amount, CAST(SUM(d.part) AS BIGINT) AS part`+
		from+f.Where()+` GROUP BY d.currency ORDER BY d.currency`, append(args, f.Args...)...)
	return sums, err
}

// completeDue adds since when, the last payout and the campaigns to the rows of a page.
func (q queries) completeDue(ctx context.Context, list []Due, now time.Time) error {
	if len(list) == 0 {
		return nil
	}
	type key struct {
		CreatorID affiliate.CreatorID
		Currency  money.Currency
	}
	at := make(map[key]*Due, len(list))
	var creators []affiliate.CreatorID
	for i := range list {
		at[key{list[i].CreatorID, list[i].Currency}] = &list[i]
		creators = append(creators, list[i].CreatorID)
	}
	var times []struct {
		key
		Since    Time
		LastPaid Time
		Recorded Time
		Until    Time
	}
	query, args := newestPaid(creators)
	if err := q.ListIn(ctx, &times, query, args...); err != nil {
		return err
	}
	for _, t := range times {
		if d := at[t.key]; d != nil {
			d.LastPaid = t.LastPaid
			d.Since = t.Recorded // what became payable in the same microsecond
		}
	}
	times = nil
	query, args = oldestUnpaid(now, creators)
	if err := q.ListIn(ctx, &times, query, args...); err != nil {
		return err
	}
	for _, t := range times {
		if d := at[t.key]; d != nil {
			d.Since = t.Since
		}
	}
	var campaigns []struct {
		key
		DueCampaign
	}
	query, args = PayableAccounts(now, time.Time{}, creators)
	if err := q.ListIn(ctx, &campaigns, `SELECT DISTINCT a.creator_id, a.currency, c.id, c.name FROM (`+query+`) a JOIN campaigns c ON c.id = a.campaign_id
		WHERE a.payable <> 0 ORDER BY c.name, c.id`, args...); err != nil {
		return err
	}
	for _, c := range campaigns {
		if d := at[c.key]; d != nil {
			d.Campaigns = append(d.Campaigns, c.DueCampaign)
		}
	}
	return nil
}
