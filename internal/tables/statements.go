package tables

import (
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Statements are statements that were issued, one line for each.
func Statements() Table[affiliate.Statement] {
	type row = affiliate.Statement
	amount := func(title string, of func(*row) int64) Column[row] {
		return Column[row]{File: title, Kind: export.Amount,
			Write: func(t *Cells, s *row) { t.Amount(of(s), s.Currency) }}
	}
	return Table[row]{
		Title: "Statements",
		Columns: []Column[row]{
			{File: "Number", Write: func(t *Cells, s *row) { t.Text(s.Serial()) }},
			{File: "Month", Write: func(t *Cells, s *row) { t.Text(s.Month) }},
			{File: "Creator", Write: func(t *Cells, s *row) { t.Text(s.Name) }},
			{File: "Currency", Write: func(t *Cells, s *row) { t.Text(s.Currency.Code()) }},
			amount("Opening", func(s *row) int64 { return s.Opening }),
			amount("Earned", func(s *row) int64 { return s.Earned }),
			amount("Paid", func(s *row) int64 { return s.Paid }),
			amount("Closing", func(s *row) int64 { return s.Closing }),
			{File: "Entries", Kind: export.Integer, Write: func(t *Cells, s *row) { t.Integer(s.Entries) }},
			{File: "Issued", Kind: export.Moment, Write: func(t *Cells, s *row) { t.Moment(s.CreatedAt) }},
			{File: "Author", Write: func(t *Cells, s *row) { t.Text(s.Author) }},
			{File: "Statement ID", Write: func(t *Cells, s *row) { t.Text(s.ID.String()) }},
			{File: "Creator ID", Write: func(t *Cells, s *row) { t.Text(s.CreatorID.String()) }},
		},
	}
}

// Payees are what creators were paid in a year, by currency and rail.
func Payees() Table[storage.PayeeTotal] {
	type row = storage.PayeeTotal
	return Table[row]{
		Title: "Payees",
		Columns: []Column[row]{
			{File: "Name", Write: func(t *Cells, p *row) { t.Text(p.Creator) }},
			{File: "Handle", Write: func(t *Cells, p *row) { t.Text(p.Handle) }},
			{File: "E-mail", Write: func(t *Cells, p *row) { t.Text(p.Email) }},
			{File: "Account Holder", Write: func(t *Cells, p *row) { t.Text(p.Holder) }},
			{File: "Country", Write: func(t *Cells, p *row) { t.Text(p.Country) }},
			{File: "Rail", Write: func(t *Cells, p *row) { t.Text(string(p.Rail)) }},
			{File: "Payouts", Kind: export.Integer, Write: func(t *Cells, p *row) { t.Integer(p.Payouts) }},
			{File: "Amount", Kind: export.Amount, Write: func(t *Cells, p *row) { t.Amount(p.Amount, p.Currency) }},
			{File: "Currency", Write: func(t *Cells, p *row) { t.Text(p.Currency.Code()) }},
			{File: "Creator ID", Write: func(t *Cells, p *row) { t.Text(p.CreatorID.String()) }},
		},
	}
}
