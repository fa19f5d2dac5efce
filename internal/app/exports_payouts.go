package app

import (
	"context"
	"io"

	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
)

// ExportPayouts writes payouts, newest first: for a bank, those of a batch that stand.
func (a *App) ExportPayouts(ctx context.Context, w io.Writer, f storage.PayoutFilter,
	o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[storage.NamedPayout]{
		Table: tables.Payouts(),
		count: func(s *storage.Snapshot) (n int64, err error) {
			sums, err := s.SumPayouts(ctx, f)
			for _, sum := range sums {
				n += sum.Payouts + sum.Canceled
			}
			return n, err
		},
		each: func(s *storage.Snapshot, row func(*storage.NamedPayout) error) error {
			return s.EachPayout(ctx, f, row)
		},
	})
}

// ExportDue writes what is due to creators now, in an order.
func (a *App) ExportDue(ctx context.Context, w io.Writer, f storage.DueFilter, sort storage.DueSort,
	o ExportOptions) (Exported, error) {
	now := a.Now()
	return exportRows(ctx, a, w, o, exportedTable[storage.Due]{
		Table: tables.Due(),
		count: func(s *storage.Snapshot) (n int64, err error) {
			settings, err := s.SavedSettings(ctx)
			if err != nil {
				return 0, err
			}
			sums, err := s.SumDue(ctx, settings, f, now)
			for _, sum := range sums {
				n += sum.Creators
			}
			return n, err
		},
		each: func(s *storage.Snapshot, row func(*storage.Due) error) error {
			settings, err := s.SavedSettings(ctx)
			if err != nil {
				return err
			}
			return s.EachDue(ctx, settings, f, sort, now, row)
		},
	})
}
