package app

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

// ExportOptions say how a table is exported.
type ExportOptions struct {
	Format export.Format
	BOM    bool // before CSV, for Excel on Windows
	// Begin, when it is set, hears how many rows will come and gives what they are written to, in place of the writer
	// of the call. An export that fails before it has written nothing.
	Begin func(total int64) (io.Writer, error)
	// Progress, when it is set, hears now and then how many rows are written.
	Progress func(rows int64)
}

// Exported is what an export wrote.
type Exported struct {
	Rows int64
	Sums []export.Sum // of its columns of amounts, per currency
}

// exportedTable is how rows of one kind become a table.
type exportedTable[L any] struct {
	title   string
	columns []export.Column
	names   func(s *storage.Snapshot) (storage.Names, error) // nil: row needs none
	count   func(s *storage.Snapshot) (int64, error)
	each    func(s *storage.Snapshot, row func(*L) error) error
	row     func(t *export.Table, n storage.Names, l *L) // writes the cells of one row
}

// exportRows writes a table. Its rows, their number and their names are those of one moment.
func exportRows[L any](ctx context.Context, a *App, w io.Writer, o ExportOptions, t exportedTable[L]) (done Exported,
	err error) {
	err = a.DB.InSnapshot(ctx, func(s *storage.Snapshot) error {
		settings, err := s.Settings(ctx)
		if err != nil {
			return err
		}
		zone, err := affiliate.LoadZone(settings.Timezone)
		if err != nil {
			return err
		}
		var names storage.Names
		if t.names != nil {
			if names, err = t.names(s); err != nil {
				return err
			}
		}
		if o.Begin != nil {
			total, err := t.count(s)
			if err != nil {
				return err
			}
			if w, err = o.Begin(total); err != nil {
				return err
			}
		}
		table, err := export.New(ctx, w, t.columns, export.Options{Format: o.Format, Title: t.title, Zone: zone,
			BOM: o.BOM, Progress: o.Progress})
		if err != nil {
			return err
		}
		err = t.each(s, func(l *L) error {
			t.row(table, names, l)
			return table.EndRow()
		})
		if err != nil {
			return fmt.Errorf("after %d rows: %w", table.Rows(), err)
		}
		if err := table.Close(); err != nil {
			return err
		}
		done = Exported{table.Rows(), table.Sums()}
		return nil
	})
	if err != nil {
		return Exported{}, fmt.Errorf("export %s: %w", strings.ToLower(t.title), err)
	}
	return done, nil
}

// conversionColumns are the columns of exported conversions, the same for every list of them. Amounts are in the
// order's currency, but for those named Account, which are empty while the conversion waits for an exchange rate.
func conversionColumns() []export.Column {
	return []export.Column{{Name: "Order Number"}, {Name: "Order ID"}, {Name: "Store"},
		{Name: "Date", Kind: export.Moment}, {Name: "Campaign Name"}, {Name: "Offer"}, {Name: "Creator"},
		{Name: "Handle"}, {Name: "Method"}, {Name: "Code/Link"}, {Name: "Status"}, {Name: "Approval"},
		{Name: "Approval Reason"}, {Name: "Counted", Kind: export.Boolean}, {Name: "Currency"},
		{Name: "Original Value", Kind: export.Amount}, {Name: "Value", Kind: export.Amount}, {Name: "Refunded",
			Kind: export.Amount}, {Name: "Commission", Kind: export.Amount}, {Name: "Account Currency"},
		{Name: "Rate", Kind: export.Decimal}, {Name: "Rate Date", Kind: export.Day}, {Name: "Account Original Value",
			Kind: export.Amount},
		{Name: "Account Value", Kind: export.Amount}, {Name: "Account Refunded", Kind: export.Amount},
		{Name: "Account Commission", Kind: export.Amount}, {Name: "Commission Percent", Kind: export.Percent},
		{Name: "Commission Flat", Kind: export.Decimal}, {Name: "Ambiguous", Kind: export.Boolean},
		{Name: "Conversion ID"}, {Name: "Creator ID"}}
}

// ExportConversions writes the credits of orders. Those that do not count, since they are rejected, held or not paid,
// are among them: the column Counted tells them apart.
func (a *App) ExportConversions(ctx context.Context, w io.Writer, f storage.ConversionFilter,
	sort storage.ConversionSort, o ExportOptions) (Exported, error) {
	rates := rateCache{}
	return exportRows(ctx, a, w, o, exportedTable[storage.ConversionItem]{
		title: "Conversions", columns: conversionColumns(),
		names: func(s *storage.Snapshot) (n storage.Names, err error) { // the others are in the rows already
			n.Stores, err = s.StoreNames(ctx)
			return n, err
		},
		count: func(s *storage.Snapshot) (int64, error) {
			totals, err := report.TotalConversions(ctx, s, f)
			return totals.Rows(), err
		},
		each: func(s *storage.Snapshot, row func(*storage.ConversionItem) error) error {
			return s.EachConversion(ctx, f, sort, row)
		},
		row: func(t *export.Table, n storage.Names, c *storage.ConversionItem) {
			t.Text(c.Number)
			t.Text(c.ExternalID)
			t.Text(n.Stores[c.StoreID])
			t.Moment(c.PlacedAt.Time)
			t.Text(c.Campaign)
			t.Text(c.Offer)
			t.Text(c.Creator)
			t.Text(c.Handle)
			t.Text(string(c.Method))
			t.Text(c.Evidence)
			t.Text(string(c.Status))
			t.Text(string(c.Approval))
			t.Text(c.ApprovalReason)
			t.Boolean(c.Class() == affiliate.ClassConversion)
			t.Text(c.Currency.Code())
			t.Amount(c.OriginalValue, c.Currency)
			t.Amount(c.Value, c.Currency)
			t.Amount(c.Refunded, c.Currency)
			t.Amount(c.Commission, c.Currency)
			writeConverted(t, c, rates)
			t.Percent(c.Percent)
			writeFlat(t, c.Flat)
			t.Boolean(c.Ambiguous)
			t.Text(c.ID.String())
			t.Text(c.CreatorID.String())
		},
	})
}

// writeConverted writes the cells from Account Currency to Account Commission.
func writeConverted(t *export.Table, c *storage.ConversionItem, rates rateCache) {
	t.Text(c.AccountCurrency.Code())
	if c.Rate == nil {
		for range 6 {
			t.Empty()
		}
		return
	}
	t.Decimal(*c.Rate)
	if c.RateDate != nil {
		t.Day(*c.RateDate)
	} else {
		t.Empty()
	}
	t.Amount(rates.of(*c.Rate).Convert(c.OriginalValue, c.Currency, c.AccountCurrency), c.AccountCurrency)
	for _, amount := range [...]*int64{c.AccountValue, c.AccountRefunded, c.AccountCommission} {
		if amount == nil {
			t.Empty()
			continue
		}
		t.Amount(*amount, c.AccountCurrency)
	}
}

// writeFlat writes an amount per order as affiliate.FormatFlat does.
func writeFlat(t *export.Table, n int64) {
	if n%100 == 0 {
		t.Scaled(n/100, 2)
		return
	}
	t.Scaled(n, 4)
}

// rateCache remembers rates that were read. There are as many as days and currencies.
type rateCache map[string]money.Rate

// of reads a rate that was written by us.
func (r rateCache) of(text string) money.Rate {
	rate, known := r[text]
	if !known {
		// one that cannot be read ends the export: it is no decimal for the table either
		rate, _ = money.ParseRate(text)
		r[text] = rate
	}
	return rate
}

// orderColumns are the columns of exported orders. Amounts are in the order's currency.
func orderColumns() []export.Column {
	return []export.Column{{Name: "Order Number"}, {Name: "Order ID"}, {Name: "Store"},
		{Name: "Date", Kind: export.Moment}, {Name: "Status"}, {Name: "Test", Kind: export.Boolean}, {Name: "Currency"},
		{Name: "Original Value", Kind: export.Amount}, {Name: "Value", Kind: export.Amount},
		{Name: "Total", Kind: export.Amount}, {Name: "Refunded", Kind: export.Amount},
		{Name: "Refund Pending", Kind: export.Amount}, {Name: "Codes"}, {Name: "Credited", Kind: export.Boolean},
		{Name: "Reason"}, {Name: "Campaign Name"}, {Name: "Offer"}, {Name: "Creator"}, {Name: "Handle"},
		{Name: "Method"}, {Name: "Code/Link"}, {Name: "Approval"}, {Name: "Commission", Kind: export.Amount},
		{Name: "Conversion ID"}, {Name: "Part Of"}, {Name: "In Doubt"}}
}

// ExportOrders writes orders, credited or not, newest placed first.
func (a *App) ExportOrders(ctx context.Context, w io.Writer, f storage.OrderFilter, o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[storage.OrderLine]{
		title: "Orders", columns: orderColumns(),
		names: func(s *storage.Snapshot) (storage.Names, error) { return s.Names(ctx) },
		count: func(s *storage.Snapshot) (int64, error) { return s.CountOrders(ctx, f) },
		each:  func(s *storage.Snapshot, row func(*storage.OrderLine) error) error { return s.EachOrder(ctx, f, row) },
		row: func(t *export.Table, n storage.Names, l *storage.OrderLine) {
			t.Text(l.Number)
			t.Text(l.ExternalID)
			t.Text(n.Stores[l.StoreID])
			t.Moment(l.PlacedAt)
			t.Text(string(l.Status))
			t.Boolean(l.Test)
			t.Text(l.Currency.Code())
			t.Amount(l.OriginalValue, l.Currency)
			t.Amount(l.Value, l.Currency)
			t.Amount(l.Total, l.Currency)
			t.Amount(l.Refunded, l.Currency)
			t.Amount(l.RefundPending, l.Currency)
			t.Text(listed(l.Codes))
			t.Boolean(l.ConversionID != 0)
			t.Text(l.NotCredited)
			if l.ConversionID == 0 {
				for range 9 {
					t.Empty()
				}
			} else {
				t.Text(n.Campaigns[l.CampaignID])
				t.Text(n.Offers[l.OfferID])
				t.Text(n.Creators[l.CreatorID].Name)
				t.Text(n.Creators[l.CreatorID].Handle)
				t.Text(string(l.Method))
				t.Text(l.Evidence)
				t.Text(string(l.Approval))
				t.Amount(l.Commission, l.Currency)
				t.Text(l.ConversionID.String())
			}
			t.Text(l.Parent)
			t.Text(strings.ReplaceAll(l.Doubts, " ", ", "))
		},
	})
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

// ledgerColumns are the columns of exported ledger entries; statements have the balance after each as well.
func ledgerColumns(statement bool) []export.Column {
	columns := []export.Column{{Name: "Entry ID"}, {Name: "Date", Kind: export.Moment}, {Name: "Creator"},
		{Name: "Handle"}, {Name: "Kind"}, {Name: "Currency"}, {Name: "Amount", Kind: export.Amount}}
	if statement {
		columns = append(columns, export.Column{Name: "Balance", Kind: export.Amount, NoSum: true})
	}
	return append(columns, export.Column{Name: "Campaign Name"}, export.Column{Name: "Offer"},
		export.Column{Name: "Order Number"}, export.Column{Name: "Order ID"}, export.Column{Name: "Store"},
		export.Column{Name: "Payable From",
			Kind: export.Moment},
		export.Column{Name: "Note"}, export.Column{Name: "Author"}, export.Column{Name: "Conversion ID"},
		export.Column{Name: "Payout ID"}, export.Column{Name: "Creator ID"})
}

// ExportLedger writes ledger entries, oldest first.
func (a *App) ExportLedger(ctx context.Context, w io.Writer, f storage.LedgerFilter,
	o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[storage.LedgerLine]{
		title: "Ledger", columns: ledgerColumns(false),
		names: func(s *storage.Snapshot) (storage.Names, error) { return s.Names(ctx) },
		count: func(s *storage.Snapshot) (int64, error) { return s.CountLedger(ctx, f) },
		each: func(s *storage.Snapshot, row func(*storage.LedgerLine) error) error {
			return s.EachLedgerEntry(ctx, f, row)
		},
		row: func(t *export.Table, n storage.Names, l *storage.LedgerLine) { writeLedgerLine(t, n, l, false) },
	})
}

// ExportStatement writes a creator's ledger entries posted in [from, to), oldest first, with the balance after each:
// the sum of all that came before, also before from. NotFound when there is no such creator.
func (a *App) ExportStatement(ctx context.Context, w io.Writer, creator affiliate.CreatorID, from, to time.Time,
	o ExportOptions) (Exported, error) {
	if _, err := a.DB.Creator(ctx, creator); err != nil {
		return Exported{}, err
	}
	return exportRows(ctx, a, w, o, exportedTable[storage.LedgerLine]{
		title: "Statement", columns: ledgerColumns(true),
		names: func(s *storage.Snapshot) (storage.Names, error) { return s.Names(ctx) },
		count: func(s *storage.Snapshot) (int64, error) {
			return s.CountLedger(ctx, storage.LedgerFilter{Creator: creator, From: from, To: to})
		},
		each: func(s *storage.Snapshot, row func(*storage.LedgerLine) error) error {
			return s.EachStatementLine(ctx, creator, from, to, row)
		},
		row: func(t *export.Table, n storage.Names, l *storage.LedgerLine) { writeLedgerLine(t, n, l, true) },
	})
}

func writeLedgerLine(t *export.Table, n storage.Names, l *storage.LedgerLine, balance bool) {
	t.Text(l.ID.String())
	t.Moment(l.CreatedAt)
	t.Text(n.Creators[l.CreatorID].Name)
	t.Text(n.Creators[l.CreatorID].Handle)
	t.Text(string(l.Kind))
	t.Text(l.Currency.Code())
	t.Amount(l.Amount, l.Currency)
	if balance {
		t.Amount(l.Balance, l.Currency)
	}
	t.Text(n.Campaigns[l.CampaignID])
	t.Text(n.Offers[l.OfferID])
	t.Text(l.Number)
	t.Text(l.ExternalID)
	t.Text(n.Stores[l.StoreID])
	t.Moment(l.PayableAt)
	t.Text(l.Note)
	t.Text(l.Author)
	writeID(t, l.ConversionID)
	writeID(t, l.PayoutID)
	t.Text(l.CreatorID.String())
}

// writeID writes an id, or nothing for 0.
func writeID[ID interface {
	~int64
	fmt.Stringer
}](t *export.Table, id ID) {
	if id == 0 {
		t.Empty()
		return
	}
	t.Text(id.String())
}
