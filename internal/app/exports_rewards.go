package app

import (
	"context"
	"io"

	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/tables"
)

// ExportRewards writes rewards, the newest first. Those that are not owed, and were not given, are among them: the
// column Counted is 0 for them.
func (a *App) ExportRewards(ctx context.Context, w io.Writer, f storage.RewardFilter,
	o ExportOptions) (Exported, error) {
	return exportRows(ctx, a, w, o, exportedTable[storage.RewardItem]{
		Table: tables.Rewards(),
		count: func(s *storage.Snapshot) (n int64, err error) {
			counts, err := s.RewardCounts(ctx, f)
			for _, c := range counts {
				n += c.N
			}
			return n, err
		},
		each: func(s *storage.Snapshot, row func(*storage.RewardItem) error) error {
			return s.EachReward(ctx, f, row)
		},
	})
}
