package app

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
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

// exportedTable is a table with where its rows come from.
type exportedTable[L any] struct {
	tables.Table[L]
	names func(s *storage.Snapshot) (storage.Names, error) // nil: its cells need none
	count func(s *storage.Snapshot) (int64, error)
	each  func(s *storage.Snapshot, row func(*L) error) error
}

// exportRows writes a table. Its rows, their number and their names are those of one moment.
func exportRows[L any](ctx context.Context, a *App, w io.Writer, o ExportOptions, t exportedTable[L]) (done Exported,
	err error) {
	err = a.DB.InSnapshot(ctx, func(s *storage.Snapshot) error {
		_, zone, err := s.Account(ctx)
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
		file, err := tables.NewFile(ctx, w, t.Table, names, export.Options{Format: o.Format, Zone: zone, BOM: o.BOM,
			Progress: o.Progress})
		if err != nil {
			return err
		}
		if err := t.each(s, file.Row); err != nil {
			return fmt.Errorf("after %d rows: %w", file.Rows(), err)
		}
		if err := file.Close(); err != nil {
			return err
		}
		done = Exported{file.Rows(), file.Sums()}
		return nil
	})
	if err != nil {
		return Exported{}, fmt.Errorf("export %s: %w", strings.ToLower(t.Title), err)
	}
	return done, nil
}

// ExportConversions writes the credits of orders. Those that do not count, since they are rejected, held or not paid,
// are among them: the column Counted tells them apart, and those whose heads begin with it add up to what pages say.
func (a *App) ExportConversions(ctx context.Context, w io.Writer, f storage.ConversionFilter,
	sort storage.ConversionSort, o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[storage.ConversionItem]{
		Table: tables.Conversions(),
		names: func(s *storage.Snapshot) (n storage.Names, err error) { // the others are in the rows already
			settings, err := s.Settings(ctx)
			if err != nil {
				return n, err
			}
			n.Account = settings.Currency
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
	})
}

// ExportOrders writes orders, credited or not, newest placed first.
func (a *App) ExportOrders(ctx context.Context, w io.Writer, f storage.OrderFilter, o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[storage.OrderLine]{
		Table: tables.Orders(),
		names: func(s *storage.Snapshot) (storage.Names, error) { return s.Names(ctx) },
		count: func(s *storage.Snapshot) (int64, error) { return s.CountOrders(ctx, f) },
		each:  func(s *storage.Snapshot, row func(*storage.OrderLine) error) error { return s.EachOrder(ctx, f, row) },
	})
}

// ExportLedger writes ledger entries, oldest first.
func (a *App) ExportLedger(ctx context.Context, w io.Writer, f storage.LedgerFilter,
	o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[storage.LedgerLine]{
		Table: tables.Ledger(),
		names: func(s *storage.Snapshot) (storage.Names, error) { return s.Names(ctx) },
		count: func(s *storage.Snapshot) (int64, error) { return s.CountLedger(ctx, f) },
		each: func(s *storage.Snapshot, row func(*storage.LedgerLine) error) error {
			return s.EachLedgerEntry(ctx, f, row)
		},
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
		Table: tables.Statement(),
		names: func(s *storage.Snapshot) (storage.Names, error) { return s.Names(ctx) },
		count: func(s *storage.Snapshot) (int64, error) {
			return s.CountLedger(ctx, storage.LedgerFilter{Creator: creator, From: from, To: to})
		},
		each: func(s *storage.Snapshot, row func(*storage.LedgerLine) error) error {
			return s.EachStatementLine(ctx, creator, from, to, row)
		},
	})
}
