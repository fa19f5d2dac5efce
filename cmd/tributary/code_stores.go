package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func codesInStoreCommand() command {
	return command{
		name: "codes in-store",
		args: "STORE [--set S] [--search TEXT] [--sort S] [--limit N] [--read] [--check] [--accept CODE] [--json]",
		summary: "List the codes that a store has, with how often they were used, whose they are, and what is wrong " +
			"with them.",
		example: "tributary codes in-store my-shop\ntributary codes in-store my-shop --set unowned --read\n" +
			"tributary codes in-store my-shop --check\n# exit code 1 when a code is not as it should be\n" +
			"tributary codes in-store my-shop --accept ANNA10",
		run: codesInStore,
	}
}

func codesInStore(ctx context.Context, c *call) error {
	set := c.flags.String("set", "", "only those of a `SET`: "+affiliate.WordList[storage.CouponSet]())
	search := c.flags.String("search", "", "`TEXT` somewhere in the code")
	sort := c.flags.String("sort", string(storage.CouponsByUse), "`S`: "+affiliate.WordList[storage.CouponSort]())
	limit := c.flags.Int("limit", storage.DefaultLimit, "at most `N` codes, up to "+fmt.Sprint(storage.MaxLimit))
	read := c.flags.Bool("read", false, "read all codes of the store first")
	check := c.flags.Bool("check", false, "list those that are not as they should be; exit code 1 when there are any")
	accept := c.flags.String("accept", "", "take a `CODE` as the store has it for right: its trouble is over")
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	f := storage.CouponFilter{Search: *search}
	if f.Set, err = affiliate.ParseWord[storage.CouponSet]("--set", *set); err != nil {
		return usagef("%s", err)
	}
	if f.Sort, err = affiliate.ParseWord[storage.CouponSort]("--sort", *sort); err != nil {
		return usagef("%s", err)
	}
	if *check && f.Set != "" {
		return usagef("--check lists those that are in trouble; leave out --set")
	}
	if *check {
		f.Set = storage.CouponsTroubled
	}
	ctx, a, store, err := c.openStore(ctx, args[0])
	if err != nil {
		return err
	}
	f.Store = store.ID
	if *accept != "" {
		if err := a.AcceptCoupon(ctx, store.ID, *accept); err != nil {
			return err
		}
	}
	if *read {
		if err := readCodes(ctx, c.stderr, a, store); err != nil {
			return err
		}
	}
	list, next, err := a.DB.CouponPage(ctx, f, a.Now(), storage.Page{Limit: *limit})
	if err != nil {
		return err
	}
	reading, err := a.CouponReading(ctx, store)
	if err != nil {
		return err
	}
	if c.json {
		rows := make([]api.CouponJSON, len(list))
		for i, u := range list {
			rows[i] = api.CouponView(u)
		}
		err = c.printJSON(map[string]any{"reading": api.CouponReadingView(reading), "coupons": rows,
			"more": next != ""})
	} else {
		none := "No code fits."
		if *check && !reading.ReadAt.IsZero() {
			none = "All codes are as they should be."
		}
		err = c.printCoupons(ctx, a, store, reading, list, next != "", none)
	}
	if err == nil && *check && len(list) > 0 {
		err = errReported
	}
	return err
}

// readCodes reads all codes of a store, or watches a running server do so.
func readCodes(ctx context.Context, w io.Writer, a *app.App, store affiliate.Store) error {
	if err := a.ReadCoupons(ctx, store.ID); err != nil {
		return err
	}
	defer working(a)()
	bar := newProgress(w, -1, "reading codes")
	defer func() { _ = bar.Finish() }()
	for {
		if err := workStore(ctx, a, store.ID); err != nil {
			return err
		}
		reading, err := a.CouponReading(ctx, store)
		if err != nil || !reading.UnderWay {
			return err
		}
		_ = bar.Add(1)
		if err := lookAgain(ctx); err != nil {
			return err
		}
	}
}

func (c *call) printCoupons(ctx context.Context, a *app.App, store affiliate.Store, reading app.CouponReading,
	list []storage.CouponItem, more bool, none string) error {
	_, zone, err := a.DB.Account(ctx)
	if err != nil {
		return err
	}
	switch {
	case !reading.Can:
		fmt.Fprintf(c.stdout, "%s\n", reading.Why)
	case reading.ReadAt.IsZero():
		fmt.Fprintf(c.stdout, "The codes of %s were not read yet; give --read, or wait for a running server.\n",
			store.Slug)
	default:
		fmt.Fprintf(c.stdout, "Read at %s.\n", reading.ReadAt.UTC().Format(time.RFC3339))
	}
	if len(list) == 0 {
		fmt.Fprintln(c.stdout, none)
		return nil
	}
	err = printTable(c.stdout, "CODE\tGIVES\tUSES\tORDERS\tOWNER\tTROUBLE", func(row func(cells ...any)) {
		for _, u := range list {
			gives := cmp.Or(u.Other, money.Plain(u.InStore().Discount.Sentence(zone)), "-")
			owner := cmp.Or(u.Creator, "-")
			if u.Dismissed && u.CodeID == 0 {
				owner = "no creator's"
			}
			trouble := "-"
			if u.Trouble != "" {
				trouble = string(u.Trouble) + ": " + money.Plain(u.Told)
			}
			row(u.Code, gives, u.Uses, u.Orders, owner, trouble)
		}
	})
	if err == nil && more {
		fmt.Fprintln(c.stdout, "There are more; narrow the list or raise --limit.")
	}
	return err
}

// printByHand says what is to be done in stores' admins.
func printByHand(w io.Writer, items []app.TypedItem) {
	for _, i := range items {
		if i.State != affiliate.ItemByHand {
			continue
		}
		fmt.Fprintf(w, "\n%s, %s\n", i.StoreName, i.Menu)
		for _, f := range i.Fields {
			fmt.Fprintf(w, "  %s: %s\n", f.Label, money.Plain(f.Value))
		}
		if i.Sentence != "" {
			fmt.Fprintf(w, "  %s: %s\n", cmp.Or(i.OldCode, i.Code), money.Plain(i.Sentence))
		}
	}
}
