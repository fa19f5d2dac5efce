package storage

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Conversion is the credit of one order to one offer member. Amounts are minor units of Currency, the order's, but for
// those named Account….
type Conversion struct {
	ID                affiliate.ConversionID
	OrderID           affiliate.OrderID       `db:"order_id"`
	StoreID           affiliate.StoreID       `db:"store_id"`
	CampaignID        affiliate.CampaignID    `db:"campaign_id"`
	CreatorID         affiliate.CreatorID     `db:"creator_id"`
	OfferID           affiliate.OfferID       `db:"offer_id"`
	OfferMemberID     affiliate.OfferMemberID `db:"offer_member_id"`
	Credited          bool                    // false: its evidence is gone from the order
	Method            affiliate.Method
	CodeID            *affiliate.CodeID `db:"code_id"`
	LinkID            *affiliate.LinkID `db:"link_id"`
	ClickID           *string           `db:"click_id"`
	Evidence          string            // the code or slug as its owner writes it
	Ambiguous         bool
	Approval          affiliate.Approval
	ApprovalReason    string `db:"approval_reason"`
	ApprovalBy        string `db:"approval_by"`
	ApprovalAt        Time   `db:"approval_at"`
	HeldReason        string `db:"held_reason"`
	Released          bool
	Percent           int64 `db:"commission_percent"`
	Flat              int64 `db:"commission_flat"`
	RuleVersion       int   `db:"rule_version"`
	Status            affiliate.OrderStatus
	Currency          money.Currency
	Value             int64
	OriginalValue     int64 `db:"original_value"`
	Refunded          int64
	Commission        int64
	AccountCurrency   money.Currency `db:"account_currency"`
	Rate              *string        // nil: waits for a rate
	RateDate          *string        `db:"rate_date"`
	AccountValue      *int64         `db:"account_value"`
	AccountCommission *int64         `db:"account_commission"`
	AccountRefunded   *int64         `db:"account_refunded"`
	LedgerCurrency    money.Currency `db:"ledger_currency"` // of its ledger entries; stays when the account's changes
	LedgerRate        *string        `db:"ledger_rate"`     // ledger currency per order currency
	LedgerCommission  int64          `db:"ledger_commission"`
	PlacedAt          Time           `db:"placed_at"`
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

const conversionColumns = `id, order_id, store_id, campaign_id, creator_id, offer_id, offer_member_id, credited, method, code_id, link_id,
	click_id, evidence, ambiguous, approval, approval_reason, approval_by, approval_at, held_reason, released, commission_percent,
	commission_flat, rule_version, status, currency, value, original_value, refunded, commission, account_currency, rate, rate_date,
	account_value, account_commission, account_refunded, ledger_currency, ledger_rate, ledger_commission, placed_at, day`

// Conversions gives the conversions of some orders, by order.
func (q queries) Conversions(ctx context.Context,
	orders []affiliate.OrderID) (map[affiliate.OrderID]Conversion, error) {
	found := make(map[affiliate.OrderID]Conversion, len(orders))
	if len(orders) == 0 {
		return found, nil
	}
	var list []Conversion
	if err := q.ListIn(ctx, &list, `SELECT `+conversionColumns+` FROM conversions WHERE order_id IN (?)`, orders); err != nil {
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
	const columns = 41
	args := make([]any, 0, len(list)*columns)
	for _, change := range list {
		c := change.After
		tx.sums.conversion(change.Before, -1)
		tx.sums.conversion(&c, 1)
		args = append(args, int64(c.OrderID), int64(c.StoreID), int64(c.CampaignID), int64(c.CreatorID),
			int64(c.OfferID), int64(c.OfferMemberID), c.Credited, string(c.Method), c.CodeID, c.LinkID, c.ClickID,
			c.Evidence, c.Ambiguous, string(c.Approval), c.ApprovalReason, c.ApprovalBy, c.ApprovalAt, c.HeldReason,
			c.Released, c.Percent, c.Flat, c.RuleVersion, string(c.Status), string(c.Currency), c.Value,
			c.OriginalValue, c.Refunded, c.Commission, string(c.AccountCurrency), c.Rate, c.RateDate, c.AccountValue,
			c.AccountCommission, c.AccountRefunded, string(c.LedgerCurrency), c.LedgerRate, c.LedgerCommission,
			c.PlacedAt, c.Day, At(now), At(now))
	}
	ids := make(map[affiliate.OrderID]affiliate.ConversionID, len(list))
	err := tx.insertRows(ctx, `conversions (order_id, store_id, campaign_id, creator_id, offer_id, offer_member_id, credited, method, code_id,
		link_id, click_id, evidence, ambiguous, approval, approval_reason, approval_by, approval_at, held_reason, released,
		commission_percent, commission_flat, rule_version, status, currency, value, original_value, refunded, commission, account_currency,
		rate, rate_date, account_value, account_commission, account_refunded, ledger_currency, ledger_rate, ledger_commission, placed_at,
		day, created_at, updated_at)`, columns, args, `ON CONFLICT (order_id) DO UPDATE SET
		campaign_id = excluded.campaign_id, creator_id = excluded.creator_id, offer_id = excluded.offer_id,
		offer_member_id = excluded.offer_member_id, credited = excluded.credited, method = excluded.method, code_id = excluded.code_id,
		link_id = excluded.link_id, click_id = excluded.click_id, evidence = excluded.evidence, ambiguous = excluded.ambiguous,
		approval = excluded.approval, approval_reason = excluded.approval_reason, approval_by = excluded.approval_by,
		approval_at = excluded.approval_at, held_reason = excluded.held_reason, released = excluded.released, commission_percent = excluded.commission_percent, commission_flat = excluded.commission_flat,
		rule_version = excluded.rule_version, status = excluded.status, currency = excluded.currency, value = excluded.value,
		original_value = excluded.original_value, refunded = excluded.refunded, commission = excluded.commission,
		account_currency = excluded.account_currency, rate = excluded.rate, rate_date = excluded.rate_date,
		account_value = excluded.account_value, account_commission = excluded.account_commission, account_refunded = excluded.account_refunded,
		ledger_currency = excluded.ledger_currency, ledger_rate = excluded.ledger_rate, ledger_commission = excluded.ledger_commission,
		placed_at = excluded.placed_at,
		day = excluded.day, updated_at = excluded.updated_at RETURNING order_id, id`, func(rows *sqlx.Rows) error {
		var order affiliate.OrderID
		var id affiliate.ConversionID
		err := rows.Scan(&order, &id)
		ids[order] = id
		return err
	})
	return ids, err
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
	if err := tx.ListIn(ctx, &list, `SELECT `+conversionColumns+` FROM conversions WHERE id IN (?)`, ids); err != nil {
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
			return nil, affiliate.Errorf(affiliate.NotFound, "there is no %s", id)
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
