package storage

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Conversion is the credit of one order to one offer member. Amounts are minor units of Currency, the order's, but for
// those named Account….
type Conversion struct {
	ID                affiliate.ConversionID
	OrderID           affiliate.OrderID
	StoreID           affiliate.StoreID
	CampaignID        affiliate.CampaignID
	CreatorID         affiliate.CreatorID
	OfferID           affiliate.OfferID
	OfferMemberID     affiliate.OfferMemberID
	Credited          bool // false: its evidence is gone from the order
	Method            affiliate.Method
	CodeID            *affiliate.CodeID
	LinkID            *affiliate.LinkID
	ClickID           *string
	Evidence          string // the code or slug as its owner writes it
	Ambiguous         bool
	Approval          affiliate.Approval
	ApprovalReason    string
	ApprovalBy        string
	ApprovalAt        Time
	HeldReason        string
	Released          bool
	Percent           int64 `db:"commission_percent"`
	Flat              int64 `db:"commission_flat"`
	RuleVersion       int
	Status            affiliate.OrderStatus
	Currency          money.Currency
	Value             int64
	OriginalValue     int64
	Refunded          int64
	Commission        int64
	AccountCurrency   money.Currency
	Rate              *string // nil: waits for a rate
	RateDate          *string
	AccountValue      *int64
	AccountCommission *int64
	AccountRefunded   *int64
	LedgerCurrency    money.Currency // of its ledger entries; stays when the account's changes
	LedgerRate        *string        // ledger currency per order currency
	LedgerCommission  int64
	PlacedAt          Time
	Day               string
}

// Rule is the commission rule frozen on the conversion.
func (c Conversion) Rule() affiliate.Rule {
	return affiliate.Rule{Percent: c.Percent, Flat: c.Flat, Version: c.RuleVersion}
}

// Approvals is what rules and people have said about it.
func (c Conversion) Approvals() affiliate.Approvals {
	return affiliate.Approvals{Approval: c.Approval, Reason: c.ApprovalReason, By: c.ApprovalBy, At: c.ApprovalAt.Time,
		HeldReason: c.HeldReason, Released: c.Released}
}

// SetApprovals writes what rules and people have said about it.
func (c *Conversion) SetApprovals(a affiliate.Approvals) {
	c.Approval, c.ApprovalReason, c.ApprovalBy, c.ApprovalAt = a.Approval, a.Reason, a.By, At(a.At)
	c.HeldReason, c.Released = a.HeldReason, a.Released
}

// Class says where it counts.
func (c Conversion) Class() affiliate.Class { return affiliate.Classify(c.Approval, c.Status) }

// Account is whose the conversion's money is.
func (c Conversion) Account() affiliate.Account {
	return affiliate.Account{CreatorID: c.CreatorID, CampaignID: c.CampaignID, OfferMemberID: c.OfferMemberID}
}

// RateDay is the day whose rate holds for a conversion: that of the rate it has, so that another currency is converted
// by the same publication, or that of the order.
func (c *Conversion) RateDay() string {
	if c.RateDate != nil {
		return *c.RateDate
	}
	return c.Day
}

// RateKeys are the rates that Convert needs, if any.
func (c *Conversion) RateKeys(account money.Currency) []RateKey {
	if c.AccountCurrency == account && c.Rate != nil {
		return nil
	}
	return []RateKey{{From: c.Currency, To: account, Day: c.RateDay()}}
}

// Convert puts a conversion's amounts into the account's currency, by the rate that was once found: refunds are
// converted by the rate of the sale. Without a rate it waits for one.
func (c *Conversion) Convert(account money.Currency, quotes map[RateKey]Quote) error {
	for _, key := range c.RateKeys(account) {
		c.AccountCurrency, c.Rate, c.RateDate = account, nil, nil
		if q, ok := quotes[key]; ok {
			rate, date := q.Rate.String(), q.Date
			c.Rate, c.RateDate = &rate, &date
		}
	}
	c.AccountValue, c.AccountCommission, c.AccountRefunded = nil, nil, nil
	if c.Rate == nil {
		return nil
	}
	rate, err := money.ParseRate(*c.Rate)
	if err != nil {
		return fmt.Errorf("%s has a rate that cannot be read: %w", c.ID, err)
	}
	in := func(amount int64) *int64 { n := rate.Convert(amount, c.Currency, c.AccountCurrency); return &n }
	c.AccountValue, c.AccountCommission, c.AccountRefunded = in(c.Value), in(c.Commission), in(c.Refunded)
	return nil
}

// conversionRow is a conversion with what only its table says.
type conversionRow struct {
	Conversion
	CreatedAt Time
	UpdatedAt Time
}

var (
	conversionTable   = tableOf[conversionRow]("conversions")
	conversionColumns = columnsOf[Conversion]()
	saveConversions   = conversionTable.upsert(columns{"order_id"}, nil) + " RETURNING order_id, id"
)

// Conversions gives the conversions of some orders, by order.
func (q queries) Conversions(ctx context.Context,
	orders []affiliate.OrderID) (map[affiliate.OrderID]Conversion, error) {
	found := make(map[affiliate.OrderID]Conversion, len(orders))
	if len(orders) == 0 {
		return found, nil
	}
	var list []Conversion
	if err := q.ListIn(ctx, &list, `SELECT `+conversionColumns.of("")+` FROM conversions WHERE order_id IN (?)`, orders); err != nil {
		return nil, err
	}
	for _, c := range list {
		found[c.OrderID] = c
	}
	return found, nil
}

// addConversions sets the credited conversions of orders, all in one statement. It does not join what the orders say
// themselves: for a page of them PostgreSQL takes longer to plan two tables more than to read all.
func (q queries) addConversions(ctx context.Context, orders []OrderRow) error {
	if len(orders) == 0 {
		return nil
	}
	ids := make([]affiliate.OrderID, len(orders))
	for i, o := range orders {
		ids[i] = o.ID
	}
	var list []ConversionItem
	err := q.ListIn(ctx, &list, `SELECT `+itemColumns+` FROM conversions c`+itemTables+`
		WHERE c.credited AND c.order_id IN (?)`, ids)
	if err != nil {
		return err
	}
	byOrder := make(map[affiliate.OrderID]*ConversionItem, len(list))
	for i := range list {
		byOrder[list[i].OrderID] = &list[i]
	}
	for i := range orders {
		o := &orders[i]
		if c := byOrder[o.ID]; c != nil {
			c.Number, c.ExternalID, c.OrderTotal, c.Store = o.Number, o.ExternalID, o.Total, o.Store
			o.Conversion = c
		}
	}
	return nil
}

// ConversionChange is a conversion as it stands in the database, nil for a new one, and as it is to be.
type ConversionChange struct {
	Before *Conversion
	After  Conversion
}

// SaveConversions writes conversions, new and changed ones alike, and gives the ids of all by order.
func (tx *Tx) SaveConversions(ctx context.Context, list []ConversionChange,
	now time.Time) (map[affiliate.OrderID]affiliate.ConversionID, error) {
	slices.SortFunc(list, func(a, b ConversionChange) int { return cmp.Compare(a.After.OrderID, b.After.OrderID) })
	rows := make([]conversionRow, len(list))
	for i, change := range list {
		tx.sums.conversion(change.Before, -1)
		tx.sums.conversion(&change.After, 1)
		rows[i] = conversionRow{change.After, At(now), At(now)}
	}
	var saved struct {
		OrderID affiliate.OrderID
		ID      affiliate.ConversionID
	}
	ids := make(map[affiliate.OrderID]affiliate.ConversionID, len(list))
	err := conversionTable.insert(ctx, tx, rows, saveConversions, &saved, func() { ids[saved.OrderID] = saved.ID })
	if err != nil {
		return ids, err
	}
	how, err := tx.shownNow(ctx)
	if err != nil || how == nil {
		return ids, err
	}
	return ids, tx.showConversions(ctx, how, list, ids)
}

// LockConversions locks the orders of conversions and reads these, in the order of ids. NotFound names the first that
// does not exist.
func (tx *Tx) LockConversions(ctx context.Context, ids []affiliate.ConversionID) ([]Conversion, error) {
	type keyed struct {
		ID         affiliate.ConversionID
		StoreID    affiliate.StoreID `db:"store_id"`
		ExternalID string            `db:"external_id"`
	}
	var found []keyed
	if err := tx.ListIn(ctx, &found, `SELECT c.id, o.store_id, o.external_id FROM conversions c JOIN orders o ON o.id = c.order_id
		WHERE c.id IN (?)`, ids); err != nil {
		return nil, err
	}
	keys := make([]OrderKey, len(found))
	for i, f := range found {
		keys[i] = OrderKey{f.StoreID, f.ExternalID}
	}
	if err := tx.LockOrders(ctx, keys); err != nil {
		return nil, err
	}
	var list []Conversion
	if err := tx.ListIn(ctx, &list, `SELECT `+conversionColumns.of("")+` FROM conversions WHERE id IN (?)`, ids); err != nil {
		return nil, err
	}
	byID := make(map[affiliate.ConversionID]Conversion, len(list))
	for _, c := range list {
		byID[c.ID] = c
	}
	sorted := make([]Conversion, 0, len(ids))
	for _, id := range ids {
		c, ok := byID[id]
		if !ok {
			return nil, affiliate.NoSuch(id)
		}
		sorted = append(sorted, c)
	}
	return sorted, nil
}

// ConversionsWithNewRate looks at conversions that wait for a rate, by id, behind after, and gives those that have one
// now, with the last it looked at. The last is 0 when there were none.
func (q queries) ConversionsWithNewRate(ctx context.Context, to money.Currency, after affiliate.ConversionID,
	limit int) (ids []affiliate.ConversionID, last affiliate.ConversionID, err error) {
	var waiting []struct {
		ID       affiliate.ConversionID
		Currency money.Currency
		Day      string
	}
	err = q.List(ctx, &waiting, `SELECT id, currency, day FROM conversions WHERE rate IS NULL AND id > ? ORDER BY id LIMIT ?`, after, limit)
	if err != nil || len(waiting) == 0 {
		return nil, 0, err
	}
	keys := make([]RateKey, len(waiting))
	for i, w := range waiting {
		keys[i] = RateKey{From: w.Currency, To: to, Day: w.Day}
	}
	quotes, err := q.Quotes(ctx, keys)
	for i, w := range waiting {
		if _, ok := quotes[keys[i]]; ok {
			ids = append(ids, w.ID)
		}
	}
	return ids, waiting[len(waiting)-1].ID, err
}

// ConversionsAfter gives conversions by id, behind after.
func (q queries) ConversionsAfter(ctx context.Context, after affiliate.ConversionID,
	limit int) ([]affiliate.ConversionID, error) {
	var ids []affiliate.ConversionID
	err := q.List(ctx, &ids, `SELECT id FROM conversions WHERE id > ? ORDER BY id LIMIT ?`, after, limit)
	return ids, err
}

// rewarded is what rewards see of a conversion; it is zero where it does not count.
func (c *Conversion) rewarded() (seen struct {
	member  affiliate.OfferMemberID
	placed  time.Time
	value   int64
	in      money.Currency
	account money.Currency
	rated   int64
	rate    bool
}) {
	if c == nil || !c.Credited || c.Class() != affiliate.ClassConversion {
		return seen
	}
	seen.member, seen.placed, seen.value = c.OfferMemberID, c.PlacedAt.UTC(), c.Value
	seen.in, seen.account = c.Currency, c.AccountCurrency
	if c.AccountValue != nil {
		seen.rated, seen.rate = *c.AccountValue, true
	}
	return seen
}

// Rewarded gives the offer members whose rewards may follow from the change: none of most that change nothing in what
// counts.
func (c ConversionChange) Rewarded() (members []affiliate.OfferMemberID) {
	before, after := c.Before.rewarded(), c.After.rewarded()
	if before == after {
		return nil
	}
	for _, id := range []affiliate.OfferMemberID{before.member, after.member} {
		if id != 0 {
			members = append(members, id)
		}
	}
	return members
}
