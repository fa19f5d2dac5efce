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

const (
	recalculateBatch = 150 // conversions and orders in one transaction
	rezoneBatch      = 800 // clicks and ledger entries in one transaction
	// recalculateLimit bounds a batch, which may wait for one of another process.
	recalculateLimit = 2 * time.Minute
)

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
	return a.startRecalculation(ctx, tx, field, strings.Join(reasons, ", "), phases)
}

// startRecalculation plans phases because a field changes. Conflict while another recalculation is under way.
func (a *App) startRecalculation(ctx context.Context, tx *storage.Tx, field, reason string, phases []string) error {
	running, err := tx.NewestRecalculation(ctx)
	if err != nil && affiliate.KindOf(err) != affiliate.NotFound {
		return err
	}
	if err == nil && running.State == "running" {
		return conflictf(field, "cannot be changed now: figures are being computed anew after the last change (%s, "+
			"%d of %d); try again when that is done",
			running.Reason, running.Done, running.Total)
	}
	return tx.StartRecalculation(ctx, reason, phases, a.now())
}

// Recalculate carries on with the recalculation that is under way, if there is one, until it is done. Several processes
// may do so at once: each batch is one transaction that others wait for.
func (a *App) Recalculate(ctx context.Context) error {
	for {
		r, err := a.DB.NewestRecalculation(ctx)
		if affiliate.KindOf(err) == affiliate.NotFound || err == nil && r.State != "running" {
			return nil
		}
		if err != nil {
			return err
		}
		if err := a.recalculateBatch(ctx, r); err != nil {
			return fmt.Errorf("recalculate (%s): %w", r.Reason, err)
		}
	}
}

func (a *App) recalculateBatch(ctx context.Context, r storage.Recalculation) error {
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
		last, n, err := a.recalculatePhase(ctx, tx, phase, r.AfterID, settings, zone)
		if err != nil {
			return err
		}
		return tx.AdvanceRecalculation(ctx, r, last, n, a.now())
	})
}

// recalculatePhase does one batch of a phase; last is empty when none was left.
func (a *App) recalculatePhase(ctx context.Context, tx *storage.Tx, phase, after string, settings affiliate.Settings,
	zone *time.Location) (last string, n int, err error) {
	if phase == storage.PhaseClicks {
		return tx.RezoneClicks(ctx, after, rezoneBatch, zone)
	}
	id := int64(0)
	if after != "" {
		if id, err = strconv.ParseInt(after, 10, 64); err != nil {
			return "", 0, err
		}
	}
	switch phase {
	case storage.PhaseConversions:
		id, n, err = a.recalculateConversions(ctx, tx, id, settings, zone)
	case storage.PhaseOrders:
		var order affiliate.OrderID
		order, n, err = tx.RezoneOrders(ctx, affiliate.OrderID(id), recalculateBatch, zone, a.now())
		id = int64(order)
	case storage.PhaseStatuses:
		id, n, err = a.reviewOrders(ctx, tx, id, settings, zone)
	case storage.PhaseLedger:
		var entry affiliate.LedgerEntryID
		entry, n, err = tx.RezoneLedger(ctx, affiliate.LedgerEntryID(id), rezoneBatch, zone)
		id = int64(entry)
	default:
		return "", 0, fmt.Errorf("unknown phase %q", phase)
	}
	if n == 0 {
		return "", 0, err
	}
	return strconv.FormatInt(id, 10), n, err
}

func (a *App) recalculateConversions(ctx context.Context, tx *storage.Tx, after int64, settings affiliate.Settings,
	zone *time.Location) (int64, int, error) {
	ids, err := tx.ConversionsAfter(ctx, affiliate.ConversionID(after), recalculateBatch)
	if err != nil || len(ids) == 0 {
		return 0, 0, err
	}
	list, err := tx.LockConversions(ctx, ids)
	if err != nil {
		return 0, 0, err
	}
	changes, err := reviseAll(ctx, newBook(tx, settings, a.now()), list, func(c *storage.Conversion) error {
		c.Day = affiliate.Day(c.PlacedAt.Time, zone)
		return nil
	})
	a.announceConversions(tx, changes)
	return int64(slices.Max(ids)), len(ids), err
}

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
