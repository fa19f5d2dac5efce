package app

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Replay puts kept deliveries back into the inbox and says how many. A server takes a single one up at once; otherwise
// the sweep of a running server finds them within seconds. A single delivery that does not exist is NotFound.
func (a *App) Replay(ctx context.Context, f storage.ReplayFilter) (int64, error) {
	if f.Delivery != 0 {
		if _, err := a.DB.Delivery(ctx, f.Delivery); err != nil {
			return 0, err
		}
	}
	n, err := a.DB.ReplayDeliveries(ctx, f, func() { a.letOthersIn(ctx, true) })
	if err == nil && f.Delivery != 0 && a.Queue != nil {
		if err := a.Queue.Wake(ctx, []affiliate.DeliveryID{f.Delivery}); err != nil {
			a.Log.Warn("queue not reachable, a replayed delivery waits for the sweep", "delivery", f.Delivery,
				"error", err)
		}
	}
	return n, err
}
