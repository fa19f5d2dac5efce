package app_test

import (
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// BenchmarkPayoutRuns pays 20,000 creators who have earned five times each.
func BenchmarkPayoutRuns(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *storage.DB{"sqlite": storagetest.SQLite,
		"postgres": storagetest.Postgres} {
		b.Run(name, func(b *testing.B) { benchmarkPayoutRuns(b, open(b)) })
	}
}

func benchmarkPayoutRuns(b *testing.B, db *storage.DB) {
	const creators, each = 20_000, 5
	ctx := app.As(b.Context(), affiliate.Principal{Name: "the bench", Role: affiliate.RoleOwner})
	var r storage.Rows
	for n := range creators {
		id := affiliate.CreatorID(n + 1)
		r.Creators = append(r.Creators, affiliate.Creator{ID: id, Name: fmt.Sprint("Creator ", n), CreatedAt: deskStart,
			UpdatedAt: deskStart})
		for k := range each {
			r.LedgerEntries = append(r.LedgerEntries, storage.LedgerRow{Day: "2026-11-21",
				LedgerEntry: affiliate.LedgerEntry{ID: affiliate.LedgerEntryID(n*each + k + 1), CreatorID: id,
					Kind: affiliate.Bonus, Currency: "USD", Amount: int64(1000 + n), Cause: fmt.Sprint(n, " ", k),
					CreatedAt: deskStart, PayableAt: deskStart}})
		}
	}
	_, err := db.ReserveIDs(ctx, "creators", creators)
	if err == nil {
		_, err = db.ReserveIDs(ctx, "ledger_entries", creators*each)
	}
	if err == nil {
		err = db.Load(ctx, r)
	}
	if err == nil {
		err = db.InTx(ctx, func(tx *storage.Tx) error {
			for n := range creators {
				id := affiliate.CreatorID(n + 1)
				_, err := tx.AddPaymentDetails(ctx, storage.PaymentDetails{CreatorID: id, Details: make([]byte, 200),
					Method: affiliate.MethodOther, Masked: "by hand", UsableAt: deskStart, CreatedAt: deskStart})
				if err != nil {
					return err
				}
			}
			return tx.RebuildRollups(ctx)
		})
	}
	if err == nil {
		err = db.Analyze(ctx)
	}
	if err != nil {
		b.Fatal(err)
	}
	r = storage.Rows{}
	a := &app.App{DB: db, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: func() time.Time {
		return deskStart.Add(time.Hour)
	}}
	all := app.NewPayoutRun{All: true}
	b.Run("preview", func(b *testing.B) {
		defer peak(b)()
		for b.Loop() {
			if p, err := a.PreviewPayouts(ctx, all); err != nil || len(p.Pay) != creators {
				b.Fatal(len(p.Pay), err)
			}
		}
	})
	b.Run("send", func(b *testing.B) {
		defer peak(b)()
		for b.Loop() {
			run, err := a.SendPayouts(ctx, all)
			if err != nil || run.Payouts != creators {
				b.Fatal(run, err)
			}
			b.StopTimer()
			if _, err := a.CancelRun(ctx, run.ID, "again"); err != nil {
				b.Fatal(err)
			}
			b.StartTimer()
		}
	})
	b.Run("results", func(b *testing.B) {
		run, err := a.SendPayouts(ctx, all)
		if err != nil {
			b.Fatal(err)
		}
		payouts, err := db.PayoutsOf(ctx, run.ID)
		if err != nil {
			b.Fatal(err)
		}
		defer peak(b)()
		states := []affiliate.PayoutState{affiliate.PayoutPaid, affiliate.PayoutReturned}
		for n := 0; b.Loop(); n++ {
			news := make([]app.PayoutNews, len(payouts))
			for i, p := range payouts {
				news[i] = app.PayoutNews{Payout: p.ID, State: states[n%2], Words: "so it is"}
			}
			if _, err := a.TurnPayouts(ctx, "a file", news); err != nil {
				b.Fatal(err)
			}
		}
	})
	a.Now = func() time.Time { return deskStart.AddDate(0, 1, 0) }
	b.Run("statements", func(b *testing.B) {
		defer peak(b)()
		for b.Loop() {
			done, err := a.IssueStatements(ctx, "2026-11")
			if err != nil || int64(len(done.Statements))+done.Before != creators {
				b.Fatal(len(done.Statements), done.Before, err)
			}
		}
	})
	b.Run("check", func(b *testing.B) {
		for b.Loop() {
			if wrong, err := db.Check(ctx); err != nil || len(wrong) > 0 {
				b.Fatal(wrong, err)
			}
		}
	})
	b.Run("payees", func(b *testing.B) {
		f, _, err := a.PayeeYear(ctx, 2026, "")
		for b.Loop() {
			if err == nil {
				_, _, err = db.SumPayees(ctx, f)
			}
			if err == nil {
				_, _, err = db.PayeeTotals(ctx, f, storage.Page{Limit: 50})
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// peak reports how much memory is in use at most until what it gives is called.
func peak(b *testing.B) func() {
	b.Helper()
	runtime.GC()
	var most atomic.Uint64
	done, ended := make(chan bool), make(chan bool)
	go func() {
		defer close(ended)
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapInuse+m.StackInuse))
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	}()
	return func() {
		close(done)
		<-ended
		b.ReportMetric(float64(most.Load())/1e6, "peak-MB")
	}
}
