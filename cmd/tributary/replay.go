package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func replayCommand() command {
	return command{
		name:    "replay",
		args:    "--delivery ID | --failed | --since TIME [--json]",
		summary: "Process kept deliveries again.",
		example: "tributary replay --failed\ntributary replay --delivery dlv_42\ntributary replay --since 2026-11-01",
		run: func(ctx context.Context, c *call) error {
			delivery := c.flags.String("delivery", "", "one delivery, by its `ID`")
			failed := c.flags.Bool("failed", false, "all that failed")
			since := c.flags.String("since", "",
				"all received since a `TIME` (2026-11-01 or 2026-11-01T08:00:00Z, UTC)")
			c.jsonFlag()
			if _, err := c.parse(0, 0); err != nil {
				return err
			}
			filter, err := replayFilter(*delivery, *failed, *since)
			if err != nil {
				return err
			}
			ctx, a, err := c.open(ctx)
			if err != nil {
				return err
			}
			n, err := a.Replay(ctx, filter)
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]int64{"replayed": n})
			}
			if n == 0 {
				fmt.Fprintln(c.stdout, "Nothing to replay: no such delivery whose body is still kept (RETENTION_DAYS).")
				return nil
			}
			fmt.Fprintf(c.stdout, "%s to be processed again; a running server does it within seconds.\n",
				counted(n, "delivery waits", "deliveries wait"))
			return nil
		},
	}
}

func replayFilter(delivery string, failed bool, since string) (f storage.ReplayFilter, err error) {
	given := 0
	if delivery != "" {
		given++
		if f.Delivery, err = affiliate.ParseID[affiliate.DeliveryID]("dlv_", delivery); err != nil {
			return f, usagef("--delivery: %s", err)
		}
	}
	if failed {
		given++
		f.Failed = true
	}
	if since != "" {
		given++
		if f.Since, err = time.Parse(time.RFC3339, since); err != nil {
			if f.Since, err = time.Parse(time.DateOnly, since); err != nil {
				return f, usagef("--since: %q is no time; it looks like 2026-11-01 or 2026-11-01T08:00:00Z", since)
			}
		}
	}
	if given != 1 {
		return f, usagef("give one of --delivery, --failed and --since")
	}
	return f, nil
}

func reattributeCommand() command {
	return command{
		name:    "reattribute",
		args:    "[--apply] [--json]",
		summary: "Credit orders that came before their code or link was known here.",
		example: "tributary reattribute\ntributary reattribute --apply",
		run: func(ctx context.Context, c *call) error {
			apply := c.flags.Bool("apply", false, "credit them; without it they are only shown")
			c.jsonFlag()
			if _, err := c.parse(0, 0); err != nil {
				return err
			}
			ctx, a, err := c.open(ctx)
			if err != nil {
				return err
			}
			rows := []api.ReattributionJSON{}
			n, err := a.Reattribute(ctx, !*apply, func(r app.Reattribution) {
				if c.json {
					rows = append(rows, api.ReattributionView(r))
					return
				}
				fmt.Fprintf(c.stdout, "%s  %s\n", r.Order.Number, r.Sentence)
			})
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]any{"applied": *apply, "orders": rows})
			}
			switch orders := counted(n, "order", "orders"); {
			case n == 0:
				fmt.Fprintln(c.stdout, "No order waits for a code or link that is known now.")
			case *apply:
				fmt.Fprintf(c.stdout, "%s credited.\n", orders)
			default:
				fmt.Fprintf(c.stdout, "%s would be credited; run again with --apply to do it.\n", orders)
			}
			return nil
		},
	}
}
