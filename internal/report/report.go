// Package report reads what the sums of storage say: key figures of the account, a campaign, an offer or a creator over
// a range of days, charts, lists, what is due and what a campaign brought. It writes nothing.
package report

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/tally"
)

// Querier is what is read from: a database, a snapshot of one, or a transaction.
type Querier interface {
	Get(ctx context.Context, dest any, query string, args ...any) error
	GetIn(ctx context.Context, dest any, query string, args ...any) error
	List(ctx context.Context, dest any, query string, args ...any) error
	ListIn(ctx context.Context, dest any, query string, args ...any) error
	Settings(ctx context.Context) (affiliate.Settings, error)
	Quotes(ctx context.Context, keys []storage.RateKey) (map[storage.RateKey]storage.Quote, error)
	CampaignsOf(ctx context.Context, ids []affiliate.CampaignID) ([]affiliate.Campaign, error)
	MemberCounts(ctx context.Context,
		campaigns []affiliate.CampaignID) (map[affiliate.CampaignID]storage.MemberCounts, error)
	OffersOf(ctx context.Context, ids []affiliate.OfferID) ([]affiliate.Offer, error)
	CreatorsOf(ctx context.Context, ids []affiliate.CreatorID) ([]affiliate.Creator, error)
	ConversionsFrom(ctx context.Context, f storage.ConversionFilter) (from string, args []any, err error)
}

// Report asks for figures of a scope over a range, in the account's currency.
type Report struct {
	Scope
	Range    affiliate.Range
	Currency money.Currency
	// Drawn says that the chart is to be looked at: where the range has no beginning it starts with the first
	// conversion, whatever clicks and orders that do not count there were before, and it has the period before beside.
	Drawn bool
}

// Sums are what a report adds up.
type Sums struct {
	affiliate.Sums                // in the account's currency: all that the scope counts
	Former         affiliate.Sums // the part of those who left; in Sums only when the scope counts it
	NotConverted   []CurrencySums // what the scope counts in other currencies, by currency: in none of the sums above
}

// CurrencySums are sums in one currency.
type CurrencySums struct {
	Currency money.Currency
	affiliate.Sums
}

// reportCell is one row of sums before currencies and former members are told apart.
type reportCell struct {
	Period    string
	Currency  money.Currency
	Converted bool
	Former    bool
	affiliate.Sums
}

// in says whether the cell's amounts are in the account's currency.
func (c reportCell) in(account money.Currency) bool { return c.Converted && c.Currency == account }

// counted is what a cell adds to sums in the account's currency: clicks have none and always count.
func (c reportCell) counted(account money.Currency) affiliate.Sums {
	if c.in(account) {
		return c.Sums
	}
	return affiliate.Sums{Clicks: c.Clicks}
}

// Sums adds up. Without a creator in its scope it reads a few rows per offer and month of the range, and as many
// per offer and day at its ends; unnarrowed, as home is, it reads those of all offers together.
func (r Report) Sums(ctx context.Context, q Querier) (Sums, error) {
	var err error
	if r.Range, err = boundedRange(ctx, q, r.Range, ""); err != nil {
		return Sums{}, err
	}
	cells, err := r.cells(ctx, q, "''", "''", inPeriods(r.Range.Cover().Periods()))
	if err != nil {
		return Sums{}, fmt.Errorf("sum up a report: %w", err)
	}
	return r.sum(cells), nil
}

func (r Report) sum(cells []reportCell) Sums {
	var s Sums
	other := map[money.Currency]affiliate.Sums{}
	for _, c := range cells {
		if c.Former {
			s.Former = s.Former.Plus(c.counted(r.Currency))
			if !r.Scope.Former {
				continue
			}
		}
		s.Sums = s.Sums.Plus(c.counted(r.Currency))
		if !c.in(r.Currency) {
			c.Clicks = 0
			other[c.Currency] = other[c.Currency].Plus(c.Sums)
		}
	}
	for currency, sums := range other {
		if sums != (affiliate.Sums{}) {
			s.NotConverted = append(s.NotConverted, CurrencySums{currency, sums})
		}
	}
	slices.SortFunc(s.NotConverted, func(a, b CurrencySums) int {
		return strings.Compare(string(a.Currency), string(b.Currency))
	})
	return s
}

// Series gives the sums of each bucket in the account's currency.
func (r Report) Series(ctx context.Context, q Querier, buckets []affiliate.Bucket) ([]affiliate.Sums, error) {
	series := make([]affiliate.Sums, len(buckets))
	if len(buckets) == 0 {
		return series, nil
	}
	r.Range.From, r.Range.To = buckets[0].From, buckets[len(buckets)-1].To
	cells, err := r.cells(ctx, q, "f.day", "p.period", periodsOf(buckets))
	if err != nil {
		return nil, fmt.Errorf("sum up a series: %w", err)
	}
	for _, c := range cells {
		if c.Former && !r.Scope.Former {
			continue
		}
		// A month begins where a bucket does, or within one.
		i := sort.Search(len(buckets), func(i int) bool {
			return buckets[i].To > (c.Period + "-01")[:len(time.DateOnly)]
		})
		series[i] = series[i].Plus(c.counted(r.Currency))
	}
	return series, nil
}

// inPeriods narrows offer_periods p to some days and months.
func inPeriods(periods []string) storage.Filter {
	var f storage.Filter
	if len(periods) == 0 {
		f.And("FALSE")
	} else {
		f.And("p.period IN (?)", periods)
	}
	return f
}

// periodsOf narrows offer_periods p to days and months of which each is in one of the buckets, and which cover them.
func periodsOf(buckets []affiliate.Bucket) storage.Filter {
	var months int
	var periods []string
	for _, b := range buckets {
		c := b.Cover()
		months += len(c.Months)
		periods = append(periods, c.Periods()...)
	}
	if months > 0 {
		return inPeriods(periods)
	}
	var f storage.Filter
	f.And("p.period >= ? AND p.period < ? AND LENGTH(p.period) = 10", buckets[0].From, buckets[len(buckets)-1].To)
	return f
}

// cells reads what the report adds up, by an expression over facts f or over offer_periods p, which f narrows.
func (r Report) cells(ctx context.Context, q Querier, ofFacts, ofPeriods string, f storage.Filter) ([]reportCell,
	error) {
	if r.Creator != 0 {
		return r.factCells(ctx, q, ofFacts)
	}
	cells, err := r.offerCells(ctx, q, ofPeriods, f)
	if err != nil || !r.LeftCampaigns || r.Scope.Former {
		return cells, err
	}
	// Sums per offer do not tell who left the community from who left a campaign alone. The former are few: they are
	// taken out of what all sold.
	r.gone = true
	gone, err := r.factCells(ctx, q, ofFacts)
	for i := range cells {
		cells[i].Former = false
	}
	for _, c := range gone {
		cells = append(cells, c)
		c.Former, c.Sums = false, c.Negative()
		cells = append(cells, c)
	}
	return cells, err
}

// offerCells reads sums per offer and period, added up by an expression over offer_periods p.
func (r Report) offerCells(ctx context.Context, q Querier, period string, f storage.Filter) ([]reportCell, error) {
	r.periods(&f)
	var cells []reportCell
	err := q.ListIn(ctx, &cells, `SELECT `+period+` AS period, p.currency, p.converted, p.former, `+tally.SumUp(tally.Columns)+
		` FROM offer_periods p`+f.Where()+` GROUP BY 1, p.currency, p.converted, p.former`, f.Args...)
	return cells, err
}

// factCells reads the facts of one creator, or of all who left the community, added up by an expression over facts f.
func (r Report) factCells(ctx context.Context, q Querier, period string) ([]reportCell, error) {
	all := r.Scope
	all.Former = true
	former := r.formerly()
	if r.gone {
		former = "TRUE"
	}
	members, args := all.members("om.id")
	conversions, links, entries := storage.Filter{}, storage.Filter{}, storage.Filter{}
	conversions.And("c.offer_member_id IN ("+members+")", args...)
	r.onDays(&conversions, "c.day")
	links.And("l.offer_member_id IN ("+members+")", args...)
	r.between(&links, "k.at")
	switch {
	case r.gone:
		entries.And("e.creator_id IN (SELECT cr.id FROM creators cr WHERE cr.removed_at IS NOT NULL)")
	case r.LeftCampaigns && !r.Scope.Former:
		entries.And("e.creator_id = ? AND EXISTS (SELECT 1 FROM creators cr WHERE cr.id = e.creator_id AND cr.removed_at IS NULL)", r.Creator)
	default:
		entries.And("e.creator_id = ?", r.Creator)
	}
	r.between(&entries, "e.created_at")
	if r.ofOffers() {
		entries.And("e.offer_member_id IN ("+members+")", args...)
	}
	var cells []reportCell
	// Members are added up before they are looked up: a creator has few, and many facts.
	err := q.ListIn(ctx, &cells, `SELECT f.period, f.currency, f.converted, `+former+` AS former, `+
		tally.SumUp(tally.Columns)+` FROM (SELECT `+period+` AS period, f.member, f.currency, f.converted, `+tally.SumUp(tally.Columns)+`
			FROM (`+tally.Facts(conversions.Also(), links.Also(), entries.Also())+`) f GROUP BY 1, f.member, f.currency, f.converted) f
		LEFT JOIN offer_members om ON om.id = f.member LEFT JOIN campaign_members m ON m.id = om.member_id LEFT JOIN creators cr ON cr.id = m.creator_id
		GROUP BY f.period, f.currency, f.converted, 4`, slices.Concat(conversions.Args, links.Args, entries.Args)...)
	return cells, err
}

// onDays narrows a column of local days to the range.
func (r Report) onDays(f *storage.Filter, column string) {
	if r.Range.From != "" {
		f.And(column+" >= ?", r.Range.From)
	}
	if r.Range.To != "" {
		f.And(column+" < ?", r.Range.To)
	}
}

// between narrows a column of moments to the range.
func (r Report) between(f *storage.Filter, column string) {
	if start := r.Range.Start(); !start.IsZero() {
		f.And(column+" >= ?", storage.At(start))
	}
	if end := r.Range.End(); !end.IsZero() {
		f.And(column+" < ?", storage.At(end))
	}
}

// boundedRange sets the open ends of a range to the first and the last day that reports know of; it ends with today at
// the earliest, where that is given. An account without anything to report gives an empty range, or today.
func boundedRange(ctx context.Context, q Querier, r affiliate.Range, today string) (affiliate.Range, error) {
	if r.From != "" && r.To != "" {
		return r, nil
	}
	var ends struct{ First, Last string }
	err := q.Get(ctx, &ends, `SELECT COALESCE((SELECT MIN(period) FROM offer_periods WHERE offer_id = 0), '') AS first,
		COALESCE((SELECT MAX(period) FROM offer_periods WHERE offer_id = 0), '') AS last`)
	if err != nil {
		return r, fmt.Errorf("find the first day of reports: %w", err)
	}
	last := max(ends.Last, today)
	if last == "" {
		return r.Bounded(affiliate.FirstReportDay, affiliate.FirstReportDay), nil
	}
	first := today
	if ends.First != "" {
		first = ends.First[:len("2026-05")] + "-01" // a month sorts before its days
	}
	return r.Bounded(first, affiliate.NextDay(last)), nil
}

// uncredited gives the paid orders of a range that have no creator, by the orders' currency.
func uncredited(ctx context.Context, q Querier, r affiliate.Range) ([]storage.CurrencySales, error) {
	var f storage.Filter
	Report{Range: r}.onDays(&f, "day")
	var list []storage.CurrencySales
	err := q.List(ctx, &list, `SELECT currency, CAST(SUM(orders) AS BIGINT) AS orders, CAST(SUM(sales) AS BIGINT) AS sales FROM uncredited_days`+
		f.Where()+` GROUP BY currency HAVING SUM(orders) <> 0 OR SUM(sales) <> 0 ORDER BY currency`, f.Args...)
	return list, err
}
