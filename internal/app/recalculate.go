package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// recalculateBatch is how many conversions or orders are worked on in one transaction.
const recalculateBatch = 150

// recalculateLimit bounds a batch, which may wait for one of another process.
const recalculateLimit = 2 * time.Minute

// recalculateRows is how many rows of a phase are computed anew in one transaction: as many as keep those who write
// waiting for well below a second.
func recalculateRows(phase string) int {
	switch phase {
	case storage.PhaseStatuses:
		return recalculateBatch
	case storage.PhaseConversions:
		return 500
	}
	return 2000
}

// FillRates converts what waits for an exchange rate and now has one, and posts its commissions. It gives how many were
// filled.
func (a *App) FillRates(ctx context.Context) (int, error) {
	filled := 0
	settings, err := a.DB.Settings(ctx)
	if err != nil {
		return 0, err
	}
	var after affiliate.ConversionID
	for {
		ids, last, err := a.DB.ConversionsWithNewRate(ctx, settings.Currency, after, recalculateBatch)
		if err != nil || last == 0 {
			return filled, err
		}
		if after = last; len(ids) == 0 {
			continue
		}
		list, err := a.revise(ctx, ids, func(*storage.Conversion) error { return nil }, nil)
		if err != nil {
			return filled, fmt.Errorf("convert at new exchange rates: %w", err)
		}
		for _, c := range list {
			if c.Rate != nil {
				filled++
			}
		}
	}
}

// planRecalculation starts what a change of settings makes necessary. Conflict while another is under way: both would
// rewrite the same figures.
func (a *App) planRecalculation(ctx context.Context, tx *storage.Tx, before, after affiliate.Settings) error {
	var reasons, phases []string
	if before.Currency != after.Currency {
		reasons = append(reasons, fmt.Sprintf("currency %s → %s", before.Currency, after.Currency))
		phases = []string{storage.PhaseConversions}
	}
	if before.Timezone != after.Timezone {
		reasons = append(reasons, fmt.Sprintf("time zone %s → %s", before.Timezone, after.Timezone))
		phases = []string{storage.PhaseConversions, storage.PhaseOrders, storage.PhaseClicks, storage.PhaseLedger}
	}
	if len(phases) == 0 {
		return nil
	}
	field := "currency"
	if before.Currency == after.Currency {
		field = "timezone"
	}
	return a.startRecalculation(ctx, tx, field, strings.Join(reasons, ", "), phases, &before)
}

// startRecalculation plans phases because a field changes. Until they are done, figures are shown by the settings
// before where they are given. Conflict while another recalculation is under way.
func (a *App) startRecalculation(ctx context.Context, tx *storage.Tx, field, reason string, phases []string,
	before *affiliate.Settings) error {
	running, err := tx.NewestRecalculation(ctx)
	if err != nil && affiliate.KindOf(err) != affiliate.NotFound {
		return err
	}
	if err == nil && running.State == "running" {
		return affiliate.ConflictErrorf(field, "cannot be changed now: figures are being computed anew after the "+
			"last change (%s, %d of %d); try again when that is done", running.Reason, running.Done, running.Total)
	}
	if before != nil {
		a.announceFigures(tx)
	}
	return tx.StartRecalculation(ctx, reason, phases, before, a.now())
}

// Recalculate carries on with the recalculation that is under way, if there is one, until it is done. Several processes
// may do so at once: each batch is one transaction that others wait for. What was shown during earlier ones is deleted
// after a while.
func (a *App) Recalculate(ctx context.Context) error {
	for {
		more, err := a.recalculateSome(ctx, recalculateRows)
		if err != nil || !more {
			return err
		}
	}
}

// recalculateSome does the next batch, of as many rows as rows says for its phase; false when there is nothing to do.
func (a *App) recalculateSome(ctx context.Context, rows func(phase string) int) (more bool, err error) {
	r, err := a.DB.NewestRecalculation(ctx)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if !r.Running() {
		return a.DB.ForgetShown(ctx, a.now())
	}
	if err := a.recalculateBatch(ctx, r, rows); err != nil {
		return false, fmt.Errorf("recalculate (%s): %w", r.Reason, err)
	}
	return true, nil
}

func (a *App) recalculateBatch(ctx context.Context, r storage.Recalculation, rows func(phase string) int) error {
	ctx, cancel := a.DB.Within(ctx, recalculateLimit)
	defer cancel()
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		if mine, err := tx.ClaimRecalculation(ctx, r); err != nil || !mine {
			return err
		}
		settings, zone, err := tx.Account(ctx)
		if err != nil {
			return err
		}
		phase, _, _ := strings.Cut(r.Phase, ",")
		last, n, err := a.recalculatePhase(ctx, tx, phase, r.AfterID, rows(phase), settings, zone)
		if err != nil {
			return err
		}
		done, err := tx.AdvanceRecalculation(ctx, r, last, n, a.now())
		if done {
			a.announceFigures(tx)
		}
		return err
	})
}

// recalculatePhase does one batch of a phase; last is empty when none was left.
func (a *App) recalculatePhase(ctx context.Context, tx *storage.Tx, phase, after string, most int,
	settings affiliate.Settings, zone *time.Location) (last string, n int, err error) {
	if phase == storage.PhaseClicks {
		return tx.RezoneClicks(ctx, after, most, zone)
	}
	id := int64(0)
	if after != "" {
		if id, err = strconv.ParseInt(after, 10, 64); err != nil {
			return "", 0, err
		}
	}
	switch phase {
	case storage.PhaseConversions:
		id, n, err = a.recalculateConversions(ctx, tx, id, most, settings, zone)
	case storage.PhaseOrders:
		var order affiliate.OrderID
		order, n, err = tx.RezoneOrders(ctx, affiliate.OrderID(id), most, zone)
		id = int64(order)
	case storage.PhaseStatuses:
		id, n, err = a.reviewOrders(ctx, tx, id, most, settings, zone)
	case storage.PhaseLedger:
		var entry affiliate.LedgerEntryID
		entry, n, err = tx.RezoneLedger(ctx, affiliate.LedgerEntryID(id), most, zone)
		id = int64(entry)
	default:
		return "", 0, fmt.Errorf("unknown phase %q", phase)
	}
	if n == 0 {
		return "", 0, err
	}
	return strconv.FormatInt(id, 10), n, err
}

func (a *App) recalculateConversions(ctx context.Context, tx *storage.Tx, after int64, most int,
	settings affiliate.Settings, zone *time.Location) (int64, int, error) {
	ids, err := tx.ConversionsAfter(ctx, affiliate.ConversionID(after), most)
	if err != nil || len(ids) == 0 {
		return 0, 0, err
	}
	list, err := tx.LockConversions(ctx, ids)
	if err != nil {
		return 0, 0, err
	}
	_, err = reviseAll(ctx, newBook(tx, settings, a.now()), list, func(c *storage.Conversion) error {
		c.Day = affiliate.Day(c.PlacedAt.Time, zone)
		return nil
	})
	return int64(slices.Max(ids)), len(ids), err
}

// announceFigures tells open pages that all figures changed, or are to be marked as those from before a change, once
// the transaction is committed.
func (a *App) announceFigures(tx *storage.Tx) { a.announce(tx, []affiliate.Change{{Figures: true}}) }

// RebuildRollups computes the sums of reports anew from the facts. Workers and clicks wait meanwhile.
func (a *App) RebuildRollups(ctx context.Context) error {
	ctx = storage.Patiently(ctx)
	return a.changeCatalog(ctx, func(tx *storage.Tx) error {
		if err := tx.RebuildRollups(ctx); err != nil {
			return err
		}
		return a.audit(ctx, tx, "account.rebuild", account{}, nil, nil)
	})
}
