package app

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Bounds of the work at parts.
const (
	partsAtOnce = 20
	// partLease is for how long others leave a part alone that somebody has taken, and partLimit for how long it may be
	// worked at: shorter, so that no two ever do.
	partLease = 10 * time.Minute
	partLimit = 5 * time.Minute
)

// WorkPayouts does what is due with the providers of payouts: parts that are to be sent are sent, and providers are
// asked what became of others. It may be run twice, and by several processes: each takes a part before it works at it.
func (a *App) WorkPayouts(ctx context.Context) error {
	due, err := a.DB.DuePayoutParts(ctx, a.now(), partsAtOnce)
	if err != nil {
		return err
	}
	var errs []error
	for _, part := range due {
		if ctx.Err() != nil {
			break
		}
		lease := a.now().Add(partLease)
		taken, err := a.DB.ClaimPayoutPart(ctx, part.ID, part.NextAt, lease)
		if err != nil || !taken {
			errs = append(errs, err)
			continue
		}
		part.NextAt = lease
		within, cancel := context.WithTimeout(ctx, partLimit)
		if part.Rail.InStore() {
			err = a.workStorePart(within, part)
		} else {
			err = a.workProviderPart(within, part)
		}
		cancel()
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", part.ID, err))
		}
	}
	return errors.Join(errs...)
}
