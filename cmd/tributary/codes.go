package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

func codesUnownedCommand() command {
	return command{
		name:    "codes unowned",
		args:    "[--store SLUG] [--search TEXT] [--min-orders N] [--sort S] [--limit N] [--json]",
		summary: "List codes on orders without credit that can be given to somebody.",
		example: "tributary codes unowned\ntributary codes unowned --store my-shop --min-orders 5 --sort last_used",
		run:     codesUnowned,
	}
}

// unownedJSON is a code that nobody owns, as the command prints it for machines.
type unownedJSON struct {
	Store     string           `json:"store"`
	Code      string           `json:"code"`
	Folded    string           `json:"folded"`
	Orders    int64            `json:"orders"`
	Sales     []unownedSale    `json:"sales"`
	FirstUsed time.Time        `json:"first_used_at"`
	LastUsed  time.Time        `json:"last_used_at"`
	Newest    api.OrderRefJSON `json:"newest_order"`
}

type unownedSale struct {
	Currency string `json:"currency"`
	Orders   int64  `json:"orders"`
	Sales    string `json:"sales"`
}

func codesUnowned(ctx context.Context, c *call) error {
	storeSlug := c.flags.String("store", "", "only of the store with this `SLUG`")
	search := c.flags.String("search", "", "`TEXT` somewhere in the code")
	least := c.flags.Int("min-orders", 0, "only codes on at least `N` orders")
	sort := c.flags.String("sort", string(storage.UnownedByOrders),
		"`S`: orders, sales (in the store's currency, or the account's), last_used or code")
	limit := c.flags.Int("limit", storage.DefaultLimit, "at most `N` codes, up to "+fmt.Sprint(storage.MaxLimit))
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	f := storage.UnownedFilter{Search: *search, MinOrders: *least, Sort: storage.UnownedSort(*sort)}
	settings, err := a.DB.Settings(ctx)
	if err != nil {
		return err
	}
	f.Currency = settings.Currency
	if *storeSlug != "" {
		store, err := a.DB.StoreBySlug(ctx, *storeSlug)
		if err != nil {
			return err
		}
		f.Store, f.Currency = store.ID, store.Currency
	}
	list, next, err := a.DB.UnownedCodes(ctx, f, storage.Page{Limit: *limit})
	if err != nil {
		return err
	}
	if c.json {
		rows := make([]unownedJSON, len(list))
		for i, u := range list {
			rows[i] = unownedAsJSON(u)
		}
		return c.printJSON(map[string]any{"codes": rows, "more": next != ""})
	}
	return printUnowned(c.stdout, list, next != "")
}

func unownedAsJSON(u storage.UnownedCode) unownedJSON {
	v := unownedJSON{Store: u.Store, Code: u.Code, Folded: u.Folded, Orders: u.Orders, Sales: []unownedSale{},
		FirstUsed: u.First.UTC(), LastUsed: u.Last.UTC(), Newest: api.OrderRef(u.Newest.ID, u.Store,
			u.Newest.ExternalID, u.Newest.Number)}
	for _, s := range u.Sales {
		v.Sales = append(v.Sales, unownedSale{s.Currency.Code(), s.Orders, money.Format(s.Sales, s.Currency)})
	}
	return v
}

func printUnowned(w io.Writer, list []storage.UnownedCode, more bool) error {
	if len(list) == 0 {
		fmt.Fprintln(w, "Every code on orders without credit has an owner, or there is none.")
		return nil
	}
	err := printTable(w, "STORE\tCODE\tORDERS\tSALES\tFIRST USED\tLAST USED\tNEWEST ORDER",
		func(row func(cells ...any)) {
			for _, u := range list {
				row(u.Store, u.Code, u.Orders, salesInWords(u.Sales), u.First.UTC().Format(time.DateOnly),
					u.Last.UTC().Format(time.DateOnly), u.Newest.Number)
			}
		})
	if err == nil && more {
		fmt.Fprintln(w, "There are more; narrow the list or raise --limit.")
	}
	if err == nil {
		fmt.Fprintln(w, "Give one to somebody: tributary codes assign --help")
	}
	return err
}

func salesInWords(list []storage.CurrencySales) string {
	if len(list) == 0 {
		return "none paid"
	}
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = money.Format(s.Sales, s.Currency) + " " + s.Currency.Code()
	}
	return strings.Join(words, ", ")
}

func codesAssignCommand() command {
	return command{
		name:    "codes assign",
		args:    "CODE --store SLUG --offer-member ID [--valid-from TIME] [--apply] [--json]",
		summary: "Give a code to an offer member and credit the orders that carry it.",
		example: "tributary codes assign SUMMER10 --store my-shop --offer-member ofm_1\ntributary codes assign " +
			"SUMMER10 --store my-shop --offer-member ofm_1 --apply",
		run: codesAssign,
	}
}

func codesAssign(ctx context.Context, c *call) error {
	storeSlug := c.flags.String("store", "", "`SLUG` of the store in which the code works")
	member := c.flags.String("offer-member", "", "`ID` of its owner, such as ofm_1")
	from := c.flags.String("valid-from", "",
		"`TIME` from which on it is theirs (2026-11-01 or 2026-11-01T08:00:00Z, UTC); left out: as early as it may be")
	apply := c.flags.Bool("apply", false, "do it; without it, it is only shown")
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	if err := c.required("store", "offer-member"); err != nil {
		return err
	}
	in := app.AssignCode{NewCode: app.NewCode{Code: args[0]}, Preview: !*apply}
	if in.OfferMember, err = affiliate.ParseID[affiliate.OfferMemberID]("ofm_", *member); err != nil {
		return usagef("--offer-member: %s", err)
	}
	if *from != "" {
		if in.ValidFrom, err = parseTime(*from); err != nil {
			return usagef("--valid-from: %s", err)
		}
	}
	ctx, a, store, err := c.openStore(ctx, *storeSlug)
	if err != nil {
		return err
	}
	in.Store = store.ID
	bar := newProgress(c.stderr, -1, "orders")
	done, err := a.AssignCode(ctx, in, func(n int) { _ = bar.Set(n) })
	_ = bar.Finish()
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(assignmentAsJSON(done))
	}
	printAssignment(c.stdout, done)
	return nil
}

// parseTime reads a day, which begins at midnight UTC, or a moment.
func parseTime(s string) (time.Time, error) {
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		if at, err = time.Parse(time.DateOnly, s); err != nil {
			err = fmt.Errorf("%q is no time; it looks like 2026-11-01 or 2026-11-01T08:00:00Z", s)
		}
	}
	return at, err
}

func assignmentAsJSON(a app.CodeAssignment) map[string]any {
	totals := []map[string]any{}
	for _, t := range a.Totals {
		totals = append(totals, map[string]any{"currency": t.Currency, "orders": t.Orders,
			"sales": money.Format(t.Sales, t.Currency), "commission": money.Format(t.Commission, t.Currency)})
	}
	reasons := map[string]int{}
	for _, r := range a.Reasons {
		reasons[r.Reason] = r.Orders
	}
	return map[string]any{"applied": a.Applied, "code": a.Code.Code, "valid_from": timeOrNil(a.Code.ValidFrom),
		"credited": a.Credited, "held": a.Held, "ambiguous": a.Ambiguous, "totals": totals,
		"not_credited": a.NotCredited, "reasons": reasons}
}

func printAssignment(w io.Writer, a app.CodeAssignment) {
	for _, o := range a.Orders {
		fmt.Fprintf(w, "%s  %s\n", o.Order.Number, o.Sentence)
	}
	if more := a.Credited - len(a.Orders); more > 0 {
		fmt.Fprintf(w, "… and %d more\n", more)
	}
	for _, o := range a.Refused {
		fmt.Fprintf(w, "%s  %s\n", o.Order.Number, o.Sentence)
	}
	if more := a.NotCredited - len(a.Refused); more > 0 {
		fmt.Fprintf(w, "… and %d more that are not credited\n", more)
	}
	for _, t := range a.Totals {
		fmt.Fprintf(w, "%s: %s, sales %s, commission %s\n", t.Currency, counted(t.Orders, "paid order", "paid orders"),
			money.Format(t.Sales, t.Currency), money.Format(t.Commission, t.Currency))
	}
	verb := "credited"
	if !a.Applied {
		verb = "would be credited; run again with --apply to do it"
	}
	fmt.Fprintf(w, "%s %s. Held for review: %d. Not credited: %d.\n", counted(a.Credited, "order", "orders"), verb,
		a.Held, a.NotCredited)
}
