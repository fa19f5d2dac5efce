package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func payoutsDueCommand() command {
	return command{
		name:    "payouts due",
		args:    "[--currency C] [--json]",
		summary: "List what is due to creators now.",
		example: "tributary payouts due",
		run:     payoutsDue,
	}
}

func payoutsDue(ctx context.Context, c *call) error {
	text := c.flags.String("currency", "", "`C`: only what is due in this one, such as EUR")
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	currency, err := currencyOption(*text)
	if err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	settings, err := a.DB.Settings(ctx)
	if err != nil {
		return err
	}
	now := a.Now()
	due, err := storage.All(func(p storage.Page) ([]storage.Due, string, error) {
		return a.DB.PayoutsDue(ctx, settings, storage.DueFilter{Currency: currency}, "", now, p)
	})
	if err != nil {
		return err
	}
	list := make([]api.DueJSON, len(due))
	totals := map[money.Currency]int64{}
	for i, d := range due {
		list[i] = api.DueView(d)
		totals[d.Currency] += d.Amount
	}
	if c.json {
		return c.printJSON(map[string]any{"due": list})
	}
	if len(list) == 0 {
		fmt.Fprintln(c.stdout, "Nothing is due.")
		return nil
	}
	if err := printTable(c.stdout, "CREATOR\tNAME\tAMOUNT\tCURRENCY\tACCOUNTS", func(row func(cells ...any)) {
		for _, d := range list {
			row(d.Creator, d.CreatorName, d.Amount, d.Currency, d.Accounts)
		}
	}); err != nil {
		return err
	}
	for _, currency := range slices.Sorted(maps.Keys(totals)) {
		fmt.Fprintf(c.stdout, "In all: %s %s\n", money.Format(totals[currency], currency), currency)
	}
	return nil
}

// currencyOption reads --currency; it may be left out.
func currencyOption(text string) (money.Currency, error) {
	if text == "" {
		return "", nil
	}
	currency, err := money.ParseCurrency(text)
	if err != nil {
		return "", usagef("--currency: %s", err)
	}
	return currency, nil
}

func payoutsIssueCommand() command {
	return command{
		name:    "payouts issue",
		args:    "CREATOR-ID… [--amount A] [--currency C] [--method M] [--reference R] [--json]",
		summary: "Record that creators were paid all that is due to them, as a payout run.",
		example: "tributary payouts issue cre_1 --amount 120.00 --method \"bank transfer\" --reference \"SEPA " +
			"2026-11-30\"\ntributary payouts issue cre_1 cre_2",
		run: payoutsIssue,
	}
}

func payoutsIssue(ctx context.Context, c *call) error {
	amount := c.flags.String("amount", "",
		"`A`: what you saw to be due; nothing is recorded when something else is due by now; for one creator only")
	currency := c.flags.String("currency", "", "`C`: what is due in this one; the account's, unless given")
	method := c.flags.String("method", "", "`M`: how it was paid")
	reference := c.flags.String("reference", "", "`R`: by which the payment is found at the bank")
	c.jsonFlag()
	args, err := c.parse(1, app.MaxNamed)
	if err != nil {
		return err
	}
	if *amount != "" && len(args) > 1 {
		return usagef("--amount goes with one creator")
	}
	var asked app.NewPayout
	if asked.Currency, err = currencyOption(*currency); err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	if asked.Currency == "" {
		settings, err := a.DB.Settings(ctx)
		if err != nil {
			return err
		}
		asked.Currency = settings.Currency
	}
	if *amount != "" {
		seen, err := affiliate.ParseAmount("amount", *amount, asked.Currency)
		if err != nil {
			return err
		}
		asked.Amount = &seen
	}
	list := make([]app.NewPayout, len(args))
	for i, arg := range args {
		if asked.Creator, err = affiliate.ParseID[affiliate.CreatorID]("cre_", arg); err != nil {
			return err
		}
		list[i] = asked
	}
	in := app.NewPayoutRun{Elsewhere: true, Payouts: list, Method: *method, Reference: *reference}
	if in.About, err = a.AboutRun(ctx, in); err != nil {
		return err
	}
	run, err := a.SendPayouts(ctx, in)
	if err != nil {
		return err
	}
	payouts, err := a.DB.PayoutsOf(ctx, run.ID)
	if err != nil {
		return err
	}
	views := payoutViews(payouts)
	if c.json {
		return c.printJSON(map[string]any{"run": run.ID.String(), "payouts": views})
	}
	fmt.Fprintf(c.stdout, "Run %s: %s.\n", run.ID, run.Name())
	for _, p := range views {
		fmt.Fprintf(c.stdout, "Payout %s: %s %s to %s.\n", p.ID, p.Amount, p.Currency, p.Creator)
	}
	return nil
}

func payoutViews(payouts []affiliate.Payout) []api.PayoutJSON {
	list := make([]api.PayoutJSON, len(payouts))
	for i, p := range payouts {
		list[i] = api.PayoutView(p)
	}
	return list
}

func payoutsCancelCommand() command {
	return command{
		name:    "payouts cancel",
		args:    "ID --reason R [--json]",
		summary: "Cancel a payout, or a payout run, that was not sent, or recorded by mistake; it is owed again.",
		example: "tributary payouts cancel pay_12 --reason \"recorded twice\"\ntributary payouts cancel run_3 " +
			"--reason \"the sum was wrong\"",
		run: payoutsCancel,
	}
}

func payoutsCancel(ctx context.Context, c *call) error {
	reason := c.flags.String("reason", "", "`R`: why; it is kept with the ledger entries")
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	if err := c.required("reason"); err != nil {
		return err
	}
	var run affiliate.PayoutRunID
	var id affiliate.PayoutID
	if strings.HasPrefix(args[0], "run_") {
		run, err = affiliate.ParseID[affiliate.PayoutRunID]("run_", args[0])
	} else {
		id, err = affiliate.ParseID[affiliate.PayoutID]("pay_", args[0])
	}
	if err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	if run != 0 {
		return c.cancelPayoutRun(ctx, a, run, *reason)
	}
	p, err := a.CancelPayout(ctx, id, *reason)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(api.PayoutView(p))
	}
	fmt.Fprintf(c.stdout, "Payout %s is canceled; %s %s is owed to %s again.\n", p.ID,
		money.Format(p.Amount, p.Currency), p.Currency, p.CreatorID)
	return nil
}

func (c *call) cancelPayoutRun(ctx context.Context, a *app.App, id affiliate.PayoutRunID, reason string) error {
	b, err := a.CancelRun(ctx, id, reason)
	if err != nil {
		return err
	}
	if c.json {
		return c.printPayoutRun(ctx, a, id)
	}
	fmt.Fprintf(c.stdout, "The run %s (%s) is canceled; all that it paid is owed again.\n", b.ID, b.Name())
	return nil
}
