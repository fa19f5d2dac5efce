package tables

import (
	"strings"

	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Orders are orders, credited or not. Amounts are in the order's currency.
func Orders() Table[storage.OrderLine] {
	type row = storage.OrderLine
	return Table[row]{
		Title: "Orders",
		OnPage: []string{"number", "store", "date", "status", "creator", "campaign", "codes", "original_value", "value",
			"total", "refunded", "commission"},
		Columns: []Column[row]{
			{Key: "number", Title: "Order", Fixed: true, File: "Order Number", Write: func(t *Cells, o *row) {
				t.Text(o.Number)
			}},
			{File: "Order ID", Write: func(t *Cells, o *row) { t.Text(o.ExternalID) }},
			{Key: "store", Title: "Store", Extra: true, File: "Store", Write: func(t *Cells, o *row) {
				t.Text(t.Names.Stores[o.StoreID])
			}},
			{Key: "date", Title: "Date", Sorted: true, File: "Date", Kind: export.Moment,
				Write: func(t *Cells, o *row) { t.Moment(o.PlacedAt) }},
			{Key: "status", Title: "Status", Sorted: true, File: "Status", Write: func(t *Cells, o *row) {
				t.Text(string(o.Status))
			}},
			{File: "Test", Kind: export.Boolean, Write: func(t *Cells, o *row) { t.Boolean(o.Test) }},
			{File: "Currency", Write: func(t *Cells, o *row) { t.Text(o.Currency.Code()) }},
			{Key: "original_value", Title: "Original value", Extra: true, File: "Original Value", Kind: export.Amount,
				Write: func(t *Cells, o *row) { t.Amount(o.OriginalValue, o.Currency) }},
			{Key: "value", Title: "Value", Sorted: true, File: "Value", Kind: export.Amount,
				Write: func(t *Cells, o *row) { t.Amount(o.Value, o.Currency) }},
			{Key: "total", Title: "Charged", Sorted: true, File: "Total", Kind: export.Amount,
				Write: func(t *Cells, o *row) { t.Amount(o.Total, o.Currency) }},
			{Key: "refunded", Title: "Refunded", Extra: true, Sorted: true, File: "Refunded", Kind: export.Amount,
				Write: func(t *Cells, o *row) { t.Amount(o.Refunded, o.Currency) }},
			{File: "Refund Pending", Kind: export.Amount,
				Write: func(t *Cells, o *row) { t.Amount(o.RefundPending, o.Currency) }},
			{Key: "codes", Title: "Codes", Extra: true, File: "Codes", Write: func(t *Cells, o *row) {
				t.Text(listed(o.Codes))
			}},
			{File: "Credited", Kind: export.Boolean, Write: func(t *Cells, o *row) { t.Boolean(o.ConversionID != 0) }},
			{File: "Reason", Write: func(t *Cells, o *row) { t.Text(o.NotCredited) }},
			{Key: "campaign", Title: "Campaign", Extra: true, File: "Campaign Name", Write: func(t *Cells, o *row) {
				t.Text(t.Names.Campaigns[o.CampaignID])
			}},
			{File: "Offer", Write: func(t *Cells, o *row) { t.Text(t.Names.Offers[o.OfferID]) }},
			{Key: "creator", Title: "Creator", File: "Creator", Write: func(t *Cells, o *row) {
				t.Text(t.Names.Creators[o.CreatorID].Name)
			}},
			{File: "Handle", Write: func(t *Cells, o *row) { t.Text(t.Names.Creators[o.CreatorID].Handle) }},
			{File: "Method", Write: func(t *Cells, o *row) { t.Text(string(o.Method)) }},
			{File: "Code/Link", Write: func(t *Cells, o *row) { t.Text(o.Evidence) }},
			{File: "Approval", Write: func(t *Cells, o *row) { t.Text(string(o.Approval)) }},
			{Key: "commission", Title: "Commission", File: "Commission", Kind: export.Amount, Write: writeCommission},
			{File: "Conversion ID", Write: func(t *Cells, o *row) { writeID(t, o.ConversionID) }},
			{File: "Part Of", Write: func(t *Cells, o *row) { t.Text(o.Parent) }},
			{File: "In Doubt", Write: func(t *Cells, o *row) { t.Text(strings.ReplaceAll(o.Doubts, " ", ", ")) }},
		},
	}
}

// writeCommission writes what an order earns somebody; nothing where nobody is credited.
func writeCommission(t *Cells, o *storage.OrderLine) {
	if o.ConversionID == 0 {
		t.Empty()
		return
	}
	t.Amount(o.Commission, o.Currency)
}

// listed writes a JSON list of texts as people do: a, b.
func listed(codes string) string {
	if codes == "[]" {
		return ""
	}
	if inner := strings.TrimSuffix(strings.TrimPrefix(codes, `["`), `"]`); !strings.ContainsAny(inner, `"\`) {
		return inner // one code without escapes, as nearly always
	}
	return strings.Join(storage.Order{Codes: codes}.CodeList(), ", ")
}
