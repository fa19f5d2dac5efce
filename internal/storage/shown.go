package storage

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// While another currency or time zone makes figures be computed anew, everybody is shown them by the settings as they
// were before, until all are done: then what is shown changes at once. Rows are rewritten in place, by the new
// settings. What they say by the settings before is kept beside them, in tables named shown_…, as long as that takes,
// and goes on following what happens: an order that comes meanwhile is counted by both. Whoever shows figures reads the
// tables through the queries of Shown, which have the names of the tables.

// Shown is how figures are shown while they are computed anew.
type Shown struct {
	recalculation int64
	before        affiliate.Settings
	after         affiliate.Settings
	zone          *time.Location // before; nil where it stays
	d             dialect

	tables func() map[string]string // queries, by the name of the table that each stands for
}

// shownKey is of what AsShown puts into a context.
type shownKey struct{}

// AsShown gives a context in which this database is read as figures are to be shown: while they are computed anew, by
// the settings as they were before. Transactions that write are not concerned. Take one for each thing that is shown:
// all that is read in it belongs together.
func (db *DB) AsShown(ctx context.Context) (context.Context, error) {
	s, err := db.shownNow(ctx)
	if err != nil || s == nil {
		return ctx, err
	}
	return context.WithValue(ctx, shownKey{}, s), nil
}

// IsHeldBack says whether figures are shown in a context as they were before a change.
func IsHeldBack(ctx context.Context) bool { return shownIn(ctx) != nil }

func shownIn(ctx context.Context) *Shown {
	s, _ := ctx.Value(shownKey{}).(*Shown)
	return s
}

// shown is how the queries read in a context; nil: the tables as they are.
func (q queries) shown(ctx context.Context) *Shown {
	if !q.reads {
		return nil
	}
	if s := shownIn(ctx); s != nil {
		return s
	}
	return q.snapshot
}

// shownNow gives how figures are to be shown; nil: as they are.
func (q queries) shownNow(ctx context.Context) (*Shown, error) {
	var r struct {
		ID       int64
		Before   string
		Settings string
	}
	err := q.Get(ctx, &r, `SELECT id, before, COALESCE((SELECT value FROM settings WHERE name = ?), '{}') AS settings
		FROM recalculations WHERE state = 'running' AND before <> '' ORDER BY id DESC LIMIT 1`, accountSettings)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find out how figures are shown: %w", err)
	}
	s := &Shown{recalculation: r.ID, d: q.d}
	if s.before, err = parseSettings(r.Before); err != nil {
		return nil, err
	}
	if s.after, err = parseSettings(r.Settings); err != nil {
		return nil, err
	}
	if s.before.Timezone != s.after.Timezone {
		if s.zone, err = affiliate.LoadZone(s.before.Timezone); err != nil {
			return nil, err
		}
	}
	s.tables = sync.OnceValue(s.queries)
	return s, nil
}

// settings are those that figures are shown by: those of now, but for what is computed anew.
func (s *Shown) settings(now affiliate.Settings) affiliate.Settings {
	if s == nil {
		return now
	}
	if s.before.Currency != now.Currency {
		now.MinimumPayout = s.before.MinimumPayout // an amount of that currency
	}
	now.Currency, now.Timezone = s.before.Currency, s.before.Timezone
	return now
}

// day is the day that a row is shown on: it has the other one as it stands.
func (s *Shown) day(at time.Time, day string) string {
	if s.zone == nil || day == "" {
		return day
	}
	return affiliate.Day(at, s.zone)
}

// order gives an order as it is shown.
func (s *Shown) order(o *Order) *Order {
	if o == nil || s.zone == nil {
		return o
	}
	shown := *o
	shown.Day = s.day(o.PlacedAt.Time, o.Day)
	return &shown
}

// over has a query read what is shown.
func (s *Shown) over(query string) string {
	if s == nil {
		return query
	}
	tables := s.tables()
	var with []string
	for _, name := range shownNames.FindAllString(query, -1) {
		if tables[name] == "" {
			continue
		}
		cte := name + " AS NOT MATERIALIZED (" + tables[name] + ")"
		if !slices.Contains(with, cte) {
			with = append(with, cte)
		}
	}
	if len(with) == 0 {
		return query
	}
	rest := strings.TrimLeft(query, " \t\n")
	if more, ok := strings.CutPrefix(rest, "WITH "); ok {
		return "WITH " + strings.Join(with, ", ") + ", " + more
	}
	return "WITH " + strings.Join(with, ", ") + " " + rest
}

// shownNames finds the tables in a query. Columns may be called so as well, which does no harm.
var shownNames = regexp.MustCompile(`\b(conversions|orders|clicks|ledger_entries|offer_periods|member_years|uncredited_days)\b`)

// queries stand for tables. PostgreSQL takes a name inside of its own query for the table, SQLite wants to be told.
func (s *Shown) queries() map[string]string {
	real := func(table string) string { return table }
	if !s.d.dollar {
		real = func(table string) string { return "main." + table }
	}
	list := map[string]string{}
	for _, t := range sumTables {
		match := make([]string, len(t.keys))
		for i, k := range t.keys {
			match[i] = "x." + k + " = t." + k
		}
		columns := t.columns.of("")
		list[t.name] = fmt.Sprintf(`SELECT %s FROM %s t WHERE NOT EXISTS (SELECT 1 FROM shown_%s x WHERE x.recalculation_id = %d AND %s)
			UNION ALL SELECT %s FROM shown_%s x WHERE x.recalculation_id = %d AND NOT (%s)`, columns, real(t.name), t.name,
			s.recalculation, strings.Join(match, " AND "), columns, t.name, s.recalculation, zeroes(t.sums.of("")))
	}
	days := map[string]string{"conversions": "placed_at", "orders": "placed_at", "clicks": "at",
		"ledger_entries": "created_at"}
	for _, t := range []struct {
		name    string
		columns columns
	}{{"conversions", columnsIn(conversionTable.all)}, {"orders", columnsIn(orderTable.all)},
		{"clicks", columnsIn(clickTable.all)}, {"ledger_entries", columnsIn(ledgerTable.all)}} {
		own := map[string]string{}
		from := real(t.name) + " t"
		if s.zone != nil {
			own["day"] = s.daySQL("t." + days[t.name])
		}
		if t.name == "conversions" {
			from += fmt.Sprintf(" LEFT JOIN shown_conversions x ON x.recalculation_id = %d AND x.conversion_id = t.id", s.recalculation)
			for _, c := range shownFigures {
				own[c] = "CASE WHEN x.conversion_id IS NULL THEN t." + c + " ELSE x." + c + " END"
			}
		}
		if len(own) == 0 {
			continue
		}
		selected := make([]string, len(t.columns))
		for i, c := range t.columns {
			selected[i] = "t." + c
			if own[c] != "" {
				selected[i] = own[c] + " AS " + c
			}
		}
		list[t.name] = "SELECT " + strings.Join(selected, ", ") + " FROM " + from
	}
	return list
}

// shownFigures are the columns of shown_conversions and of conversions.
var shownFigures = columns{"account_currency", "rate", "rate_date", "account_value", "account_commission",
	"account_refunded"}

// firstZoned is since when days are told exactly: no order, click or entry is older.
const firstZoned = 1970

// daySQL is the day of a moment in the zone before. The zones that PostgreSQL knows may differ from ours, and SQLite
// knows none, so that the hours of each stretch are written out, the newest first.
func (s *Shown) daySQL(moment string) string {
	var cases strings.Builder
	at := time.Now().AddDate(10, 0, 0)
	for {
		since, _ := at.In(s.zone).ZoneBounds()
		_, offset := at.In(s.zone).Zone()
		if since.IsZero() || since.Year() < firstZoned {
			fmt.Fprintf(&cases, " ELSE %s END", s.d.seconds(offset))
			break
		}
		fmt.Fprintf(&cases, " WHEN %s >= '%s' THEN %s", moment, since.UTC().Format(timeLayout), s.d.seconds(offset))
		at = since.Add(-time.Nanosecond)
	}
	shift := cases.String()
	if strings.HasPrefix(shift, " ELSE") { // it has had the same hours ever since
		shift = " WHEN FALSE THEN NULL" + shift
	}
	if s.d.dollar {
		return fmt.Sprintf("CASE WHEN %s IS NULL THEN '' ELSE to_char((%s + CASE%s) AT TIME ZONE 'UTC', 'YYYY-MM-DD') END", moment, moment, shift)
	}
	return fmt.Sprintf("CASE WHEN %s IS NULL THEN '' ELSE date(substr(%s, 1, 19), CASE%s) END", moment, moment, shift)
}

// seconds writes a difference of times.
func (d dialect) seconds(n int) string {
	if d.dollar {
		return fmt.Sprintf("interval '%d seconds'", n)
	}
	return fmt.Sprintf("'%+d seconds'", n)
}

// asShown gives a conversion as it is shown: by the figures that are kept for it, or as it stands.
func (s *Shown) asShown(c *Conversion, kept map[affiliate.ConversionID]accountFigures) *Conversion {
	if c == nil {
		return nil
	}
	shown := *c
	if f, ok := kept[c.ID]; ok {
		shown.setFigures(f)
	}
	shown.Day = s.day(c.PlacedAt.Time, c.Day)
	return &shown
}

// accountFigures are a conversion's amounts in the account's currency.
type accountFigures struct {
	AccountCurrency   money.Currency
	Rate              *string
	RateDate          *string
	AccountValue      *int64
	AccountCommission *int64
	AccountRefunded   *int64
}

func (c *Conversion) figures() accountFigures {
	return accountFigures{c.AccountCurrency, c.Rate, c.RateDate, c.AccountValue, c.AccountCommission, c.AccountRefunded}
}

func (c *Conversion) setFigures(f accountFigures) {
	c.AccountCurrency, c.Rate, c.RateDate = f.AccountCurrency, f.Rate, f.RateDate
	c.AccountValue, c.AccountCommission, c.AccountRefunded = f.AccountValue, f.AccountCommission, f.AccountRefunded
}

// showConversions keeps what changed conversions say by the settings before, whose sums change by that. ids has those
// of new ones.
func (tx *Tx) showConversions(ctx context.Context, s *Shown, list []ConversionChange,
	ids map[affiliate.OrderID]affiliate.ConversionID) error {
	var known []affiliate.ConversionID
	for _, change := range list {
		if change.Before != nil {
			known = append(known, change.Before.ID)
		}
	}
	kept, err := tx.keptFigures(ctx, s, known)
	if err != nil {
		return err
	}
	shown := make([]ConversionChange, len(list))
	var keys []RateKey
	for i, change := range list {
		before := s.asShown(change.Before, kept)
		after := change.After
		after.Day = s.day(after.PlacedAt.Time, after.Day)
		after.setFigures(accountFigures{})
		if before != nil {
			after.setFigures(before.figures())
		}
		shown[i] = ConversionChange{before, after}
		keys = append(keys, after.RateKeys(s.before.Currency)...)
	}
	quotes, err := tx.Quotes(ctx, keys)
	if err != nil {
		return err
	}
	var args []any
	for i := range shown {
		c := &shown[i].After
		if err := c.Convert(s.before.Currency, quotes); err != nil {
			return err
		}
		tx.shownSums.conversion(shown[i].Before, -1)
		tx.shownSums.conversion(c, 1)
		real, f := list[i].After, c.figures()
		if _, ok := kept[real.ID]; !ok && f.same(real.figures()) {
			continue // nothing to keep apart
		}
		args = append(args, s.recalculation, int64(ids[real.OrderID]), string(f.AccountCurrency), f.Rate, f.RateDate,
			f.AccountValue, f.AccountCommission, f.AccountRefunded)
	}
	set := make([]string, len(shownFigures))
	for i, c := range shownFigures {
		set[i] = c + " = excluded." + c
	}
	return tx.insertRows(ctx, "shown_conversions (recalculation_id, conversion_id, "+shownFigures.of("")+")",
		2+len(shownFigures), args, "ON CONFLICT (recalculation_id, conversion_id) DO UPDATE SET "+strings.Join(set, ", "), nil)
}

func (f accountFigures) same(g accountFigures) bool {
	return f.AccountCurrency == g.AccountCurrency && value(f.Rate) == value(g.Rate) &&
		value(f.RateDate) == value(g.RateDate) && value(f.AccountValue) == value(g.AccountValue) &&
		value(f.AccountCommission) == value(g.AccountCommission) && value(f.AccountRefunded) == value(g.AccountRefunded)
}

// keptFigures gives what is kept of conversions.
func (tx *Tx) keptFigures(ctx context.Context, s *Shown,
	ids []affiliate.ConversionID) (map[affiliate.ConversionID]accountFigures, error) {
	kept := make(map[affiliate.ConversionID]accountFigures, len(ids))
	if len(ids) == 0 {
		return kept, nil
	}
	var rows []struct {
		ConversionID affiliate.ConversionID
		accountFigures
	}
	err := tx.ListIn(ctx, &rows, `SELECT conversion_id, `+shownFigures.of("")+` FROM shown_conversions
		WHERE recalculation_id = ? AND conversion_id IN (?)`, s.recalculation, ids)
	for _, r := range rows {
		kept[r.ConversionID] = r.accountFigures
	}
	return kept, err
}

// shownNow gives how figures are shown while this transaction lasts; nil: as they are. Nothing is begun or ended
// meanwhile.
func (tx *Tx) shownNow(ctx context.Context) (*Shown, error) {
	if tx.asked {
		return tx.how, nil
	}
	if err := tx.ShareCatalog(ctx); err != nil {
		return nil, err
	}
	how, err := tx.queries.shownNow(ctx)
	if err != nil {
		return nil, err
	}
	tx.how, tx.asked = how, true
	return how, nil
}

// SavedSettings gives the account's settings as they are saved: also while figures are shown by those before.
func (q queries) SavedSettings(ctx context.Context) (affiliate.Settings, error) {
	return q.settings(ctx)
}

// SavedAccount gives the saved settings with their time zone.
func (q queries) SavedAccount(ctx context.Context) (affiliate.Settings, *time.Location, error) {
	return withZone(q.SavedSettings(ctx))
}

// keepBefore writes the settings before a change for StartRecalculation.
func keepBefore(s *affiliate.Settings) (string, error) {
	if s == nil {
		return "", nil
	}
	text, err := json.Marshal(s)
	return string(text), err
}
