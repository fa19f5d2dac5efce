package jobs

import (
	"context"
	"log/slog"
	"time"

	"github.com/tributaryhq/tributary/internal/app"
)

// Every runs a chore at once and then again and again, with a pause between, until ctx ends. A failure is logged and
// tried again.
func Every(ctx context.Context, log *slog.Logger, pause time.Duration, name string, chore func(context.Context) error) {
	var lines app.Seldom
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		if err := chore(ctx); err != nil && ctx.Err() == nil {
			lines.Log(log, slog.LevelWarn, name, "chore failed", "chore", name, "error", err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}
