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

func deliveriesListCommand() command {
	return command{
		name:    "deliveries list",
		args:    "[--state S] [--store SLUG] [--limit N] [--json]",
		summary: "List the newest deliveries of the stores, with what came of them.",
		example: "tributary deliveries list --state failed --store my-shop",
		run:     deliveriesList,
	}
}

func deliveriesList(ctx context.Context, c *call) error {
	state := c.flags.String("state", "", "only those in a `STATE`: "+affiliate.WordList[storage.DeliveryState]())
	store := c.flags.String("store", "", "only those of a store, by its `SLUG`")
	limit := c.flags.Int("limit", 50, "`N` deliveries at most, up to 500")
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	wanted, err := affiliate.ParseWord[storage.DeliveryState]("state", *state)
	if err != nil {
		return optionError(err)
	}
	if *limit < 1 || *limit > storage.MaxLimit {
		return usagef("--limit: must be 1 to %d", storage.MaxLimit)
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	if *store != "" {
		if _, err := a.DB.StoreBySlug(ctx, *store); err != nil {
			return err
		}
	}
	rows, _, err := a.DB.ListDeliveries(ctx, storage.DeliveryFilter{State: wanted,
		Store: *store}, storage.Page{Limit: *limit})
	if err != nil {
		return err
	}
	list := make([]api.DeliveryJSON, len(rows))
	for i, d := range rows {
		list[i] = api.DeliveryView(d)
	}
	if c.json {
		return c.printJSON(map[string]any{"deliveries": list})
	}
	if len(list) == 0 {
		fmt.Fprintln(c.stdout, "There is no such delivery.")
		return nil
	}
	return printTable(c.stdout, "ID\tSTORE\tRECEIVED\tTOPIC\tSTATE\tNOTE", func(row func(cells ...any)) {
		for _, d := range list {
			note := d.Note
			if d.SetAside != nil {
				note += fmt.Sprintf(" [set aside by %s: %s]", d.SetAside.By, d.SetAside.Reason)
			}
			row(d.ID, d.Store, d.ReceivedAt.Format(time.RFC3339), d.Topic, d.State, note)
		}
	})
}

// choiceOptions are the options that choose deliveries.
type choiceOptions struct{ store, note string }

func (o *choiceOptions) add(c *call) {
	c.flags.StringVar(&o.store, "store", "", "all of the store with this `SLUG` that have the note")
	c.flags.StringVar(&o.note, "note", "", "with --store: the whole `TEXT` that stands behind them")
}

// read gives the choice of the options and of the ids that were given.
func (o choiceOptions) read(ctx context.Context, a *app.App, ids []string) (f storage.DeliveryChoice, err error) {
	if f.IDs, err = affiliate.ParseIDs[affiliate.DeliveryID]("ID", "dlv_", ids); err != nil {
		return f, err
	}
	f.Note = o.note
	if o.store != "" {
		store, err := a.DB.StoreBySlug(ctx, o.store)
		if err != nil {
			return f, err
		}
		f.Store = store.ID
	}
	return f, nil
}

// manyIDs is how many ids one command takes.
const manyIDs = 1000

func deliveriesSetAsideCommand() command {
	return command{
		name:    "deliveries set-aside",
		args:    "ID… | --store SLUG --note TEXT   --reason R [--json]",
		summary: "Give up on failed deliveries, so that they count as trouble no more.",
		example: "tributary deliveries set-aside dlv_42 dlv_43 --reason \"compared with the store by hand\"\n" +
			"tributary deliveries set-aside --store my-shop --note \"body: is XML: …\" " +
			"--reason \"the format is JSON now\"",
		run: func(ctx context.Context, c *call) error {
			reason := c.flags.String("reason", "", "why they can never succeed (`R`)")
			move := func(ctx context.Context, a *app.App, choice storage.DeliveryChoice) (int64, error) {
				return a.SetAside(ctx, choice, *reason)
			}
			return moveDeliveries(ctx, c, "set_aside", "set aside", []string{"reason"}, move)
		},
	}
}

func deliveriesPutBackCommand() command {
	return command{
		name:    "deliveries put-back",
		args:    "ID… | --store SLUG --note TEXT   [--json]",
		summary: "Make deliveries that were set aside failed ones again.",
		example: "tributary deliveries put-back dlv_42",
		run: func(ctx context.Context, c *call) error {
			move := func(ctx context.Context, a *app.App, choice storage.DeliveryChoice) (int64, error) {
				return a.PutBack(ctx, choice)
			}
			return moveDeliveries(ctx, c, "put_back", "put back among the failed ones", nil, move)
		},
	}
}

// moveDeliveries reads which deliveries are meant, moves them and tells how many.
func moveDeliveries(ctx context.Context, c *call, key, words string, required []string,
	move func(context.Context, *app.App, storage.DeliveryChoice) (int64, error)) error {
	var options choiceOptions
	options.add(c)
	c.jsonFlag()
	ids, err := c.parse(0, manyIDs)
	if err != nil {
		return err
	}
	if err := c.required(required...); err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	choice, err := options.read(ctx, a, ids)
	if err != nil {
		return err
	}
	n, err := move(ctx, a, choice)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(map[string]int64{key: n})
	}
	fmt.Fprintf(c.stdout, "%s %s.\n", counted(n, "delivery is", "deliveries are"), words)
	return nil
}
