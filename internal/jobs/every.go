package jobs

import (
	"context"
	"log/slog"
	"time"
)

// Every runs a chore at once and then again and again, with a pause between, until ctx ends. A failure is logged and
// tried again.
func Every(ctx context.Context, log *slog.Logger, pause time.Duration, name string, chore func(context.Context) error) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		if err := chore(ctx); err != nil && ctx.Err() == nil {
			log.Warn("chore failed", "chore", name, "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
