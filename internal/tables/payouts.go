package tables

import (
	"cmp"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Payouts are payouts, as a list and as the file that a bank's program or an accountant reads: plain columns, of which
// the first say whom, what and for which reference.
func Payouts() Table[storage.NamedPayout] {
	type row = storage.NamedPayout
	return Table[row]{
		Title:  "Payouts",
		OnPage: []string{"payout", "creator", "handle", "email", "date", "how", "author", "state", "amount"},
		Columns: []Column[row]{
			{Key: "creator", Title: "Creator", Extra: true, File: "Name",
				Write: func(t *Cells, p *row) { t.Text(p.Creator) }},
			{Key: "handle", Title: "Handle", Extra: true, File: "Handle",
				Write: func(t *Cells, p *row) { t.Text(p.Handle) },
				Cell:  func(p *row) any { return atHandle(p.Handle) }},
			{Key: "email", Title: "E-mail", Extra: true, File: "E-mail",
				Write: func(t *Cells, p *row) { t.Text(p.Email) },
				Cell:  func(p *row) any { return p.Email }},
			{Key: "amount", Title: "Amount", Fixed: true, File: "Amount", Kind: export.Amount,
				Write: func(t *Cells, p *row) { t.Amount(p.Amount, p.Currency) }},
			{File: "Currency", Write: func(t *Cells, p *row) { t.Text(p.Currency.Code()) }},
			{Key: "how", Title: "How", File: "Reference",
				Write: func(t *Cells, p *row) { t.Text(cmp.Or(p.Reference, p.Ref)) }},
			{File: "Method", Write: func(t *Cells, p *row) {
				if p.Rail == affiliate.RailElsewhere {
					t.Text(p.Method)
					return
				}
				t.Text(p.Rail.Title())
			}},
			{File: "Paid", Kind: export.Moment, Write: func(t *Cells, p *row) { t.Moment(p.PaidAt) }},
			{Key: "state", Title: "State", File: "State", Write: func(t *Cells, p *row) { t.Text(string(p.State)) }},
			{Key: "date", Title: "Recorded", File: "Recorded", Kind: export.Moment,
				Write: func(t *Cells, p *row) { t.Moment(p.CreatedAt) }},
			{Key: "author", Title: "Recorded by", Extra: true, File: "Author",
				Write: func(t *Cells, p *row) { t.Text(p.Author) }, Cell: func(p *row) any { return p.Author }},
			{Key: "payout", Title: "Payout", Fixed: true, File: "Payout ID",
				Write: func(t *Cells, p *row) { t.Text(p.ID.String()) }},
			{File: "Run ID", Write: func(t *Cells, p *row) { writeID(t, p.RunID) }},
			{File: "Creator ID", Write: func(t *Cells, p *row) { t.Text(p.CreatorID.String()) }},
			{File: "State Since", Kind: export.Moment, Write: func(t *Cells, p *row) { t.Moment(p.StateAt) }},
			{File: "State Words", Write: func(t *Cells, p *row) { t.Text(p.Words) }},
			{File: "Rail", Write: func(t *Cells, p *row) { t.Text(string(p.Rail)) }},
			{File: "Paid To", Write: func(t *Cells, p *row) { t.Text(p.Masked) }},
			{File: "Our Reference", Write: func(t *Cells, p *row) { t.Text(p.Ref) }},
			{File: "Provider Reference", Write: func(t *Cells, p *row) { t.Text(p.ProviderRef) }},
			{File: "Fee", Kind: export.Amount, Write: func(t *Cells, p *row) {
				if p.FeeCurrency == "" {
					t.Empty()
					return
				}
				t.Amount(p.Fee, p.FeeCurrency)
			}},
			{File: "Fee Currency", Write: func(t *Cells, p *row) { t.Text(p.FeeCurrency.Code()) }},
		},
	}
}

// Due are payments due: what a payout of now would pay to each creator, by currency.
func Due() Table[storage.Due] {
	type row = storage.Due
	return Table[row]{
		Title:  "Payments due",
		OnPage: []string{"creator", "handle", "email", "campaigns", "since", "last", "amount"},
		Columns: []Column[row]{
			{Key: "creator", Title: "Creator", Fixed: true, Sorted: true, File: "Name",
				Write: func(t *Cells, d *row) { t.Text(d.Creator) }},
			{Key: "handle", Title: "Handle", File: "Handle",
				Write: func(t *Cells, d *row) { t.Text(d.Handle) },
				Cell:  func(d *row) any { return atHandle(d.Handle) }},
			{Key: "email", Title: "E-mail", Extra: true, File: "E-mail",
				Write: func(t *Cells, d *row) { t.Text(d.Email) },
				Cell:  func(d *row) any { return d.Email }},
			{Key: "amount", Title: "Amount", Fixed: true, Sorted: true, File: "Amount", Kind: export.Amount,
				Write: func(t *Cells, d *row) { t.Amount(d.Amount, d.Currency) }},
			{File: "Currency", Write: func(t *Cells, d *row) { t.Text(d.Currency.Code()) }},
			{Key: "campaigns", Title: "Campaigns", File: "Campaigns",
				Write: func(t *Cells, d *row) { t.Text(CampaignNames(d.Campaigns)) }},
			{Key: "since", Title: "Due since", Sorted: true, File: "Due Since", Kind: export.Moment,
				Write: func(t *Cells, d *row) { t.Moment(d.Since.Time) }},
			{Key: "last", Title: "Last payout", Sorted: true, File: "Last Payout", Kind: export.Moment,
				Write: func(t *Cells, d *row) { t.Moment(d.LastPaid.Time) }},
			{File: "Creator ID", Write: func(t *Cells, d *row) { t.Text(d.CreatorID.String()) }},
		},
	}
}

// CampaignNames lists campaigns in one cell: "Holiday gifts, Spring".
func CampaignNames(list []storage.DueCampaign) string {
	names := make([]string, len(list))
	for i, c := range list {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// atHandle writes a handle for people.
func atHandle(handle string) string {
	if handle == "" {
		return ""
	}
	return "@" + handle
}
