package tables

import (
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Conversions are the credits of orders. Amounts are in the order's currency, but for those whose heads in files begin
// with Account, which are empty while the conversion waits for an exchange rate, and Counted, which are empty where it
// adds nothing to what pages add up.
func Conversions() Table[storage.ConversionItem] {
	type row = storage.ConversionItem
	t := Table[row]{
		Title: "Conversions",
		OnPage: []string{"number", "store", "date", "creator", "campaign", "offer", "evidence", "status", "approval",
			"original_value", "value", "refunded", "commission", "total", "rule", "rate"},
		Columns: []Column[row]{
			{Key: "number", Title: "Order", Fixed: true, File: "Order Number",
				Write: func(t *Cells, c *row) { t.Text(c.Number) }},
			{File: "Order ID", Write: func(t *Cells, c *row) { t.Text(c.ExternalID) }},
			{Key: "store", Title: "Store", Extra: true, File: "Store",
				Write: func(t *Cells, c *row) { t.Text(t.Names.Stores[c.StoreID]) }},
			{Key: "date", Title: "Date", File: "Date", Kind: export.Moment,
				Write: func(t *Cells, c *row) { t.Moment(c.PlacedAt.Time) }},
			{Key: "campaign", Title: "Campaign", Extra: true, File: "Campaign Name", Write: func(t *Cells, c *row) {
				t.Text(c.Campaign)
			}},
			{Key: "offer", Title: "Offer", Extra: true, File: "Offer", Write: func(t *Cells, c *row) {
				t.Text(c.Offer)
			}},
			{Key: "creator", Title: "Creator", File: "Creator", Write: func(t *Cells, c *row) { t.Text(c.Creator) }},
			{File: "Handle", Write: func(t *Cells, c *row) { t.Text(c.Handle) }},
			{Key: "method", File: "Method", Write: func(t *Cells, c *row) { t.Text(string(c.Method)) }},
			{Key: "evidence", Title: "Code or link", File: "Code/Link",
				Write: func(t *Cells, c *row) { t.Text(c.Evidence) }},
			{Key: "status", Title: "Status", File: "Status",
				Write: func(t *Cells, c *row) { t.Text(string(c.Status)) }},
			{Key: "approval", Title: "Approval", Extra: true, File: "Approval",
				Write: func(t *Cells, c *row) { t.Text(string(c.Approval)) }},
			{File: "Approval Reason", Write: func(t *Cells, c *row) { t.Text(c.ApprovalReason) }},
			{File: "Counted", Kind: export.Boolean,
				Write: func(t *Cells, c *row) { t.Boolean(c.Class() == affiliate.ClassConversion && converted(t, c)) }},
			{File: "Currency", Write: func(t *Cells, c *row) { t.Text(c.Currency.Code()) }},
			{Key: "original_value", Title: "Original value", Extra: true, File: "Original Value", Kind: export.Amount,
				Write: func(t *Cells, c *row) { t.Amount(c.OriginalValue, c.Currency) }},
			{Key: "value", Title: "Value", File: "Value", Kind: export.Amount,
				Sum:   func(s affiliate.Sums) int64 { return s.Sales },
				Write: func(t *Cells, c *row) { t.Amount(c.Value, c.Currency) }},
			{Key: "refunded", Title: "Refunded", File: "Refunded", Kind: export.Amount,
				Sum:   func(s affiliate.Sums) int64 { return s.Refunds },
				Write: func(t *Cells, c *row) { t.Amount(c.Refunded, c.Currency) }},
			{Key: "commission", Title: "Commission", File: "Commission", Kind: export.Amount,
				Sum:   func(s affiliate.Sums) int64 { return s.Commissions },
				Write: func(t *Cells, c *row) { t.Amount(c.Commission, c.Currency) }},
			{Key: "total", Title: "Charged", Kind: export.Amount, Extra: true,
				Cell: func(c *row) any { return Money{c.OrderTotal, c.Currency} }},
			{Key: "rule", Title: "Rule", Extra: true},
			{File: "Account Currency", Write: func(t *Cells, c *row) { t.Text(c.AccountCurrency.Code()) }},
			{Key: "rate", Title: "Exchange rate", Extra: true, File: "Rate", Kind: export.Decimal, Write: writeRate},
			{File: "Rate Date", Kind: export.Day, Write: writeRateDate},
			{File: "Account Original Value", Kind: export.Amount, Write: writeAccountOriginal},
			{File: "Account Value", Kind: export.Amount,
				Write: func(t *Cells, c *row) { t.amount(c.AccountValue, c.AccountCurrency) }},
			{File: "Account Refunded", Kind: export.Amount,
				Write: func(t *Cells, c *row) { t.amount(c.AccountRefunded, c.AccountCurrency) }},
			{File: "Account Commission", Kind: export.Amount,
				Write: func(t *Cells, c *row) { t.amount(c.AccountCommission, c.AccountCurrency) }},
			// What pages add up: the plain sum of a column is theirs.
			{File: "Counted Value", Kind: export.Amount, Write: func(t *Cells, c *row) {
				t.counted(c, c.Class() == affiliate.ClassConversion, c.AccountValue)
			}},
			{File: "Counted Refunded", Kind: export.Amount, Write: func(t *Cells, c *row) {
				t.counted(c, c.Class() != affiliate.ClassRejected, c.AccountRefunded)
			}},
			{File: "Counted Commission", Kind: export.Amount, Write: func(t *Cells, c *row) {
				t.counted(c, c.Class() == affiliate.ClassConversion, c.AccountCommission)
			}},
			{File: "Commission Percent", Kind: export.Percent, Write: func(t *Cells, c *row) { t.Percent(c.Percent) }},
			{File: "Commission Flat", Kind: export.Decimal, Write: func(t *Cells, c *row) { t.Flat(c.Flat) }},
			{File: "Ambiguous", Kind: export.Boolean, Write: func(t *Cells, c *row) { t.Boolean(c.Ambiguous) }},
			{File: "Conversion ID", Write: func(t *Cells, c *row) { t.Text(c.ID.String()) }},
			{File: "Creator ID", Write: func(t *Cells, c *row) { t.Text(c.CreatorID.String()) }},
		},
	}
	for i := range t.Columns {
		t.Columns[i].Sorted = slices.Contains(storage.ConversionColumns(), t.Columns[i].Key)
	}
	return t
}

// converted says whether a conversion's amounts are in the account's currency: it has a rate, and was converted anew
// since the account's currency was changed.
func converted(t *Cells, c *storage.ConversionItem) bool {
	return c.Rate != nil && c.AccountCurrency == t.Names.Account
}

// counted writes what a conversion adds to a sum of pages; nothing where it adds none.
func (t *Cells) counted(c *storage.ConversionItem, counts bool, minor *int64) {
	if !counts || !converted(t, c) {
		t.Empty()
		return
	}
	t.amount(minor, c.AccountCurrency)
}

func writeRate(t *Cells, c *storage.ConversionItem) {
	if c.Rate == nil {
		t.Empty()
		return
	}
	t.Decimal(*c.Rate)
}

func writeRateDate(t *Cells, c *storage.ConversionItem) {
	if c.RateDate == nil {
		t.Empty()
		return
	}
	t.Day(*c.RateDate)
}

func writeAccountOriginal(t *Cells, c *storage.ConversionItem) {
	if c.Rate == nil {
		t.Empty()
		return
	}
	t.Amount(t.rate(*c.Rate).Convert(c.OriginalValue, c.Currency, c.AccountCurrency), c.AccountCurrency)
}
