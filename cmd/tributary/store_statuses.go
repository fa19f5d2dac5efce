package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func storeStatusesCommand() command {
	return command{
		name: "store statuses",
		args: "SLUG [STATUS=MEANING …] [--preview] [--json]",
		summary: "List the statuses that plugins set on a store's orders, or decide what they mean: " +
			"paid, pending, canceled or refunded.",
		example: "tributary store statuses my-shop\n" +
			"tributary store statuses my-shop shipped=paid lost=canceled --preview\n" +
			"tributary store statuses my-shop shipped=paid lost=canceled awaiting=\n" +
			"# nothing behind the = takes a decision back: then the payment date decides",
		run: storeStatuses,
	}
}

func storeStatuses(ctx context.Context, c *call) error {
	preview := c.flags.Bool("preview", false, "only say what would change")
	c.jsonFlag()
	args, err := c.parse(1, 1000)
	if err != nil {
		return err
	}
	pairs, err := parsePairs(args[1:])
	if err != nil {
		return err
	}
	if *preview && len(pairs) == 0 {
		return usagef("--preview goes with STATUS=MEANING")
	}
	meanings := app.StatusMeanings{}
	for _, p := range pairs {
		meanings[p.Key] = affiliate.StoreStatus(p.Value)
	}
	ctx, a, store, err := c.openStore(ctx, args[0])
	if err != nil {
		return err
	}
	switch {
	case *preview:
		return c.previewStatuses(ctx, a, store, meanings)
	case len(pairs) == 0:
		return c.listStatuses(ctx, a, store)
	}
	list, err := a.SetStatuses(ctx, store.ID, meanings)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(api.StatusesView(store.Slug, list, nil))
	}
	if err := c.printStatuses(list); err != nil {
		return err
	}
	fmt.Fprintln(c.stdout, "\nThe server judges the orders concerned again; its pages say how far that is.")
	return nil
}

func (c *call) listStatuses(ctx context.Context, a *app.App, store affiliate.Store) error {
	list, err := a.DB.StoreStatuses(ctx, store.ID)
	if err != nil {
		return err
	}
	if c.json {
		rows := make([]api.StoreStatusJSON, len(list))
		for i, s := range list {
			rows[i] = api.StoreStatusView(s)
		}
		return c.printJSON(map[string]any{"store": store.Slug, "statuses": rows})
	}
	if len(list) == 0 {
		fmt.Fprintf(c.stdout, "No order of %s has had a status that a plugin set.\n", store.Slug)
		return nil
	}
	return c.printStatuses(list)
}

func (c *call) printStatuses(list []storage.StoreStatus) error {
	return printTable(c.stdout, "STATUS\tMEANS\tORDERS NOW\tFIRST SEEN", func(row func(cells ...any)) {
		for _, s := range list {
			row(s.Status, cmp.Or(string(s.Meaning), "not decided: the payment date decides"), s.Orders,
				s.FirstSeenAt.UTC().Format("2006-01-02"))
		}
	})
}

// previewStatuses says what a decision would change.
func (c *call) previewStatuses(ctx context.Context, a *app.App, store affiliate.Store,
	meanings app.StatusMeanings) error {
	preview, err := a.PreviewStatuses(ctx, store.ID, meanings)
	if err != nil {
		return err
	}
	if c.json {
		list, err := a.DB.StoreStatuses(ctx, store.ID)
		if err != nil {
			return err
		}
		return c.printJSON(api.StatusesView(store.Slug, list, &preview))
	}
	if preview.Changed == 0 {
		fmt.Fprintf(c.stdout, "No order would change; %s looked at.\n", counted(preview.Concerned, "order was",
			"orders were"))
		return nil
	}
	for _, m := range preview.Moves {
		fmt.Fprintln(c.stdout, m.Sentence(amountText))
	}
	if err := printTable(c.stdout, "\nORDER\tSTATUS IN THE STORE\tBEFORE\tAFTER", func(row func(cells ...any)) {
		for _, m := range preview.Orders {
			o := m.Before
			row(cmp.Or(o.Number, o.ExternalID), o.CustomStatus, string(o.Status)+" "+amountText(o.Value, o.Currency),
				string(m.Status)+" "+amountText(m.Value, o.Currency))
		}
	}); err != nil {
		return err
	}
	if more := preview.Changed - len(preview.Orders); more > 0 {
		fmt.Fprintf(c.stdout, "… and %s.\n", counted(more, "more order", "more orders"))
	}
	fmt.Fprintln(c.stdout, "\nNothing was changed. Leave --preview out to decide so.")
	return nil
}

func amountText(minor int64, currency money.Currency) string {
	return money.Format(minor, currency) + " " + currency.Code()
}
