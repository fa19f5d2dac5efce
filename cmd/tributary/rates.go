package main

import (
	"context"
	"fmt"
	"time"

	"github.com/tributaryhq/tributary/integrations/fxrates"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func ratesUpdateCommand() command {
	return command{
		name:    "rates update",
		args:    "[--file FILE] [--json]",
		summary: "Fetch exchange rates, or load them from a file.",
		example: "tributary rates update\ntributary rates update --file eurofxref-hist.zip",
		run:     ratesUpdate,
	}
}

func ratesUpdate(ctx context.Context, c *call) error {
	file := c.flags.String("file", "",
		"a `FILE` of the European Central Bank's reference rates: CSV or XML, plain or in a ZIP")
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	report, err := updateRates(ctx, a, *file)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(map[string]any{"added": report.Added, "filled": report.Filled, "newest": report.Newest})
	}
	fmt.Fprintf(c.stdout, "Added %s; the newest are of %s. Converted %s that waited for a rate.\n",
		counted(report.Added, "rate", "rates"), report.Newest, counted(report.Filled, "conversion", "conversions"))
	return nil
}

func updateRates(ctx context.Context, a *app.App, file string) (app.RatesReport, error) {
	if file == "" {
		return a.UpdateRates(ctx)
	}
	list, err := fxrates.Client{URL: file}.History(ctx)
	if err != nil {
		return app.RatesReport{}, err
	}
	return a.ImportRates(ctx, list)
}

func ratesShowCommand() command {
	return command{
		name:    "rates show",
		args:    "CURRENCY [--day DAY] [--json]",
		summary: "Show the exchange rate that stands for a day.",
		example: "tributary rates show USD\ntributary rates show GBP --day 2026-04-12",
		run:     ratesShow,
	}
}

func ratesShow(ctx context.Context, c *call) error {
	day := c.flags.String("day", "", "a `DAY` such as 2026-04-12; today when left out")
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	currency, err := money.ParseCurrency(args[0])
	if err != nil {
		return usagef("%s", err)
	}
	if _, err := time.Parse(time.DateOnly, *day); err != nil && *day != "" {
		return usagef("--day: %q is no day; it looks like 2026-04-12", *day)
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	s, zone, err := a.DB.Account(ctx)
	if err != nil {
		return err
	}
	if *day == "" {
		*day = affiliate.Day(a.Now(), zone)
	}
	keys := []storage.RateKey{{From: "EUR", To: currency, Day: *day}}
	if inAccount := (storage.RateKey{From: currency, To: s.Currency, Day: *day}); inAccount.From != inAccount.To {
		keys = append(keys, inAccount)
	}
	quotes, err := a.DB.Quotes(ctx, keys)
	if err != nil {
		return err
	}
	if len(quotes) == 0 {
		return noRate(ctx, a, currency, *day)
	}
	return c.printQuotes(keys, quotes)
}

func noRate(ctx context.Context, a *app.App, currency money.Currency, day string) error {
	newest, err := a.DB.NewestRateDay(ctx)
	if err != nil {
		return err
	}
	if newest == "" {
		return affiliate.Errorf(affiliate.NotFound,
			"there are no exchange rates yet; fetch them with: tributary rates update")
	}
	return affiliate.Errorf(affiliate.NotFound, "no rate of %s was published on %s or within 10 days before; the "+
		"newest rates are of %s, newer ones come with: tributary rates update",
		currency, day, newest)
}

// quoteJSON is a rate as the command prints it for machines.
type quoteJSON struct {
	From      string `json:"from"`
	To        string `json:"to"`
	Rate      string `json:"rate"` // units of to per unit of from
	Published string `json:"published"`
}

func (c *call) printQuotes(keys []storage.RateKey, quotes map[storage.RateKey]storage.Quote) error {
	list := []quoteJSON{}
	for _, k := range keys {
		if q, found := quotes[k]; found {
			list = append(list, quoteJSON{string(k.From), string(k.To), q.Rate.String(), q.Date})
		}
	}
	if c.json {
		return c.printJSON(map[string]any{"day": keys[0].Day, "rates": list})
	}
	for _, q := range list {
		fmt.Fprintf(c.stdout, "1 %s = %s %s, published on %s\n", q.From, q.Rate, q.To, q.Published)
	}
	return nil
}
