package tables

import (
	"slices"

	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Ledger are ledger entries. Amounts are in the entry's currency.
func Ledger() Table[storage.LedgerLine] {
	t := Statement()
	t.Title = "Ledger"
	t.Columns = slices.DeleteFunc(t.Columns, func(c Column[storage.LedgerLine]) bool { return c.File == "Balance" })
	return t
}

// Statement are a creator's ledger entries, with the balance after each.
func Statement() Table[storage.LedgerLine] {
	type row = storage.LedgerLine
	return Table[row]{
		Title: "Statement",
		Columns: []Column[row]{
			{File: "Entry ID", Write: func(t *Cells, l *row) { t.Text(l.ID.String()) }},
			{File: "Date", Kind: export.Moment, Write: func(t *Cells, l *row) { t.Moment(l.CreatedAt) }},
			{File: "Creator", Write: func(t *Cells, l *row) { t.Text(t.Names.Creators[l.CreatorID].Name) }},
			{File: "Handle", Write: func(t *Cells, l *row) { t.Text(t.Names.Creators[l.CreatorID].Handle) }},
			{File: "Kind", Write: func(t *Cells, l *row) { t.Text(string(l.Kind)) }},
			{File: "Currency", Write: func(t *Cells, l *row) { t.Text(l.Currency.Code()) }},
			{File: "Amount", Kind: export.Amount, Write: func(t *Cells, l *row) { t.Amount(l.Amount, l.Currency) }},
			{File: "Balance", Kind: export.Amount, NoSum: true,
				Write: func(t *Cells, l *row) { t.Amount(l.Balance, l.Currency) }},
			{File: "Campaign Name", Write: func(t *Cells, l *row) { t.Text(t.Names.Campaigns[l.CampaignID]) }},
			{File: "Offer", Write: func(t *Cells, l *row) { t.Text(t.Names.Offers[l.OfferID]) }},
			{File: "Order Number", Write: func(t *Cells, l *row) { t.Text(l.Number) }},
			{File: "Order ID", Write: func(t *Cells, l *row) { t.Text(l.ExternalID) }},
			{File: "Store", Write: func(t *Cells, l *row) { t.Text(t.Names.Stores[l.StoreID]) }},
			{File: "Payable From", Kind: export.Moment, Write: func(t *Cells, l *row) { t.Moment(l.PayableAt) }},
			{File: "Note", Write: func(t *Cells, l *row) { t.Text(l.Note) }},
			{File: "Author", Write: func(t *Cells, l *row) { t.Text(l.Author) }},
			{File: "Conversion ID", Write: func(t *Cells, l *row) { writeID(t, l.ConversionID) }},
			{File: "Payout ID", Write: func(t *Cells, l *row) { writeID(t, l.PayoutID) }},
			{File: "Creator ID", Write: func(t *Cells, l *row) { t.Text(l.CreatorID.String()) }},
		},
	}
}
