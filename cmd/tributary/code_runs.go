package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// codeAction makes the command of an action on the codes of an offer's members.
func codeAction(action affiliate.CodeAction, summary, options, example string) command {
	name := "codes " + string(action)
	return command{
		name: name,
		args: "[OFFER] (--all | --members IDS | --codes IDS) [--stores SLUGS] [--at TIME] " + options +
			"[--dry-run] [--wait] [--json]",
		summary: summary,
		example: strings.ReplaceAll(example, "$", "tributary "+name),
		run:     func(ctx context.Context, c *call) error { return changeCodes(ctx, c, action) },
	}
}

func codesMakeCommand() command {
	c := codeAction(affiliate.CodeMake, "Make a coupon code for each member of an offer who has none, in the stores.",
		"[--pattern P] [--another] ", "$ off_1 --all --dry-run\n$ off_1 --all --pattern \"{{handle}}10\" --wait\n"+
			"$ off_1 --members ofm_1,ofm_2 --stores my-shop")
	c.args = strings.Replace(strings.Replace(c.args, "[OFFER]", "OFFER", 1), " | --codes IDS", "", 1)
	return c
}

func codesRefreshCommand() command {
	return codeAction(affiliate.CodeRefresh, "Make new codes in place of those that are there, which end.",
		"[--pattern P] [--overlap DAYS] ", "$ off_1 --all --pattern \"{{handle}}-{{random:4}}\" --overlap 7\n"+
			"$ --codes cod_1 --wait")
}

func codesActivateCommand() command {
	return codeAction(affiliate.CodeActivate, "Have the stores take codes again that were deactivated.", "",
		"$ off_1 --all\n$ --codes cod_1,cod_2 --wait")
}

func codesDeactivateCommand() command {
	return codeAction(affiliate.CodeDeactivate, "Have the stores take codes from nobody; their owners stay.", "",
		"$ off_1 --all --at 2026-12-24T18:00:00Z\n$ --codes cod_1,cod_2 --wait")
}

func codesEndCommand() command {
	return codeAction(affiliate.CodeEnd, "Have the stores take codes from nobody, and end their ownership.", "",
		"$ off_1 --members ofm_1\n$ --codes cod_1 --wait")
}

func codesDiscountCommand() command {
	return codeAction(affiliate.CodeDiscount, "Give codes another discount in the stores; without one, the offer's.",
		"[--percent P | --amount A --currency C] [--minimum M] ",
		"$ off_1 --all --percent 15 --wait\n$ off_1 --all --amount 5 --currency EUR --minimum 30\n"+
			"$ off_1 --all\n# the last brings codes to what the offer says; with a discount and --all the offer gets "+
			"it, too")
}

// codeFlags are the options of a command about codes in stores.
type codeFlags struct {
	all                                  bool
	members, codes, stores, at           string
	dry, wait                            bool
	pattern                              string
	another                              bool
	overlap                              int
	percent, amount, currency, minimum   string
	starts, ends                         string
	limit                                int64
	once, combines                       bool
	changesDiscount, makes, makesInPlace bool
}

// addCodeFlags adds the options that go with an action.
func (c *call) addCodeFlags(action affiliate.CodeAction) *codeFlags {
	f := &codeFlags{makes: action.Makes(), makesInPlace: action == affiliate.CodeRefresh,
		changesDiscount: action == affiliate.CodeDiscount}
	c.flags.BoolVar(&f.all, "all", false, "all current and active members of the offer")
	c.flags.StringVar(&f.members, "members", "", "`IDS` of offer members, such as ofm_1,ofm_2")
	if action != affiliate.CodeMake {
		c.flags.StringVar(&f.codes, "codes", "", "`IDS` of codes, such as cod_1,cod_2, in place of members")
	}
	c.flags.StringVar(&f.stores, "stores", "", "only in the stores with these `SLUGS`, with commas between them")
	c.flags.StringVar(&f.at, "at", "", "begin at a `TIME` (2026-11-01 or 2026-11-01T08:00:00Z, UTC); otherwise at once")
	if f.makes {
		c.flags.StringVar(&f.pattern, "pattern", "", "`P`: how codes are made, such as {{handle}}10; otherwise the "+
			"offer's")
	}
	if action == affiliate.CodeMake {
		c.flags.BoolVar(&f.another, "another", false, "make one also for those who have a code in the store")
	}
	if f.makesInPlace {
		c.flags.IntVar(&f.overlap, "overlap", 0, "let the old codes go on for so many `DAYS` beside the new ones")
	}
	if f.changesDiscount {
		c.flags.StringVar(&f.percent, "percent", "", "`P` percent off, such as 12.5")
		c.flags.StringVar(&f.amount, "amount", "", "`A`: an amount off the whole order, such as 5.00")
		c.flags.StringVar(&f.currency, "currency", "", "`C`: of --amount and --minimum, such as EUR")
		c.flags.StringVar(&f.minimum, "minimum", "", "`M`: what the order must come to, such as 30.00")
		c.flags.BoolVar(&f.once, "once-per-customer", false, "each customer may use it once")
		c.flags.Int64Var(&f.limit, "usage-limit", 0, "`N` uses over all customers; 0: any number")
		c.flags.StringVar(&f.starts, "starts-at", "", "from a `TIME` on")
		c.flags.StringVar(&f.ends, "ends-at", "", "until a `TIME`")
		c.flags.BoolVar(&f.combines, "combines", false, "customers may enter it beside other discounts")
	}
	c.waitFlags(&f.dry, &f.wait)
	c.jsonFlag()
	return f
}

func (c *call) waitFlags(dry, wait *bool) {
	c.flags.BoolVar(dry, "dry-run", false, "show what would be done, and do nothing; it can be started for a day")
	c.flags.BoolVar(wait, "wait", false, "stay until it is done, and do the work with the stores where no server does")
}

// changeCodes drafts a run, and starts it unless it is a dry run.
func changeCodes(ctx context.Context, c *call, action affiliate.CodeAction) error {
	f := c.addCodeFlags(action)
	least := 0
	if action == affiliate.CodeMake {
		least = 1
	}
	args, err := c.parse(least, 1)
	if err != nil {
		return err
	}
	in, err := f.run(action, args)
	if err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	if in.Stores, err = storesNamed(ctx, a, f.stores); err != nil {
		return err
	}
	return c.draftAndStart(ctx, a, in, f.dry, f.wait)
}

// run reads what is asked for but for the stores.
func (f *codeFlags) run(action affiliate.CodeAction, args []string) (in app.NewCodeRun, err error) {
	in = app.NewCodeRun{Action: action, Pattern: f.pattern, Another: f.another, OverlapDays: f.overlap}
	chosen := 0
	for _, given := range []bool{f.all, f.members != "", f.codes != ""} {
		if given {
			chosen++
		}
	}
	switch {
	case chosen != 1 && action == affiliate.CodeMake:
		return in, usagef("say for whom: either --all or --members")
	case chosen != 1:
		return in, usagef("say of whom: one of --all, --members and --codes")
	case f.codes == "" && len(args) == 0:
		return in, usagef("the offer is missing, such as off_1")
	}
	if len(args) > 0 {
		if in.Offer, err = affiliate.ParseID[affiliate.OfferID]("off_", args[0]); err != nil {
			return in, usagef("%s", err)
		}
	}
	if in.Members, err = affiliate.ParseIDs[affiliate.OfferMemberID]("--members", "ofm_",
		affiliate.CommaList(f.members)); err != nil {
		return in, usagef("%s", err)
	}
	if in.Codes, err = affiliate.ParseIDs[affiliate.CodeID]("--codes", "cod_",
		affiliate.CommaList(f.codes)); err != nil {
		return in, usagef("%s", err)
	}
	if in.At, err = timeFlag("at", f.at); err != nil {
		return in, err
	}
	if f.changesDiscount {
		in.Discount, err = f.discount()
	}
	return in, err
}

// discount reads the new discount; nil where none is given.
func (f *codeFlags) discount() (*affiliate.OfferDiscount, error) {
	read := api.DiscountJSON{Kind: affiliate.DiscountPercent, Percent: f.percent, Amount: f.amount,
		Currency: f.currency, Minimum: f.minimum, OncePerCustomer: f.once, UsageLimit: f.limit, Combines: f.combines}
	if f.amount != "" {
		read.Kind = affiliate.DiscountFixed
	}
	switch {
	case f.percent != "" && f.amount != "":
		return nil, usagef("give either --percent or --amount")
	case f.percent == "" && f.amount == "":
		if f.currency+f.minimum+f.starts+f.ends != "" || f.once || f.limit != 0 || f.combines {
			return nil, usagef("say what it gives: --percent, or --amount with --currency")
		}
		return nil, nil
	}
	from, err := timeFlag("starts-at", f.starts)
	if err != nil {
		return nil, err
	}
	until, err := timeFlag("ends-at", f.ends)
	if err != nil {
		return nil, err
	}
	read.StartsAt, read.EndsAt = timeOrNil(from), timeOrNil(until)
	d, err := api.ReadDiscount(read)
	if err == nil {
		err = d.Validate()
	}
	return &d, err
}

// storesNamed finds stores by their slugs, which have commas between them.
func storesNamed(ctx context.Context, a *app.App, slugs string) (ids []affiliate.StoreID, err error) {
	for _, slug := range affiliate.CommaList(slugs) {
		store, err := a.DB.StoreBySlug(ctx, slug)
		if err != nil {
			return nil, err
		}
		ids = append(ids, store.ID)
	}
	return ids, nil
}

// draftAndStart drafts a run, and starts it unless it is a dry run.
func (c *call) draftAndStart(ctx context.Context, a *app.App, in app.NewCodeRun, dry, wait bool) error {
	run, err := a.DraftCodeRun(ctx, in)
	if err != nil {
		return err
	}
	if dry {
		return c.printRun(ctx, a, run, true)
	}
	if run, err = a.StartCodeRun(ctx, run.ID); err != nil {
		return err
	}
	if wait {
		return c.waitForRun(ctx, a, run)
	}
	return c.printRun(ctx, a, run, false)
}

// waitForRun works at a run until nothing is left but what is done by hand, or watches a running server do so.
func (c *call) waitForRun(ctx context.Context, a *app.App, run affiliate.CodeRun) error {
	defer working(a)()
	bar := newProgress(c.stderr, -1, "codes")
	run, err := workRun(ctx, a, run, func(done, all int64) {
		bar.ChangeMax64(all)
		_ = bar.Set64(done)
	})
	_ = bar.Finish()
	if err != nil {
		return err
	}
	return c.printRun(ctx, a, run, false)
}

// workRun is waitForRun; each is told how many of all items have ended, or are left to be done by hand.
func workRun(ctx context.Context, a *app.App, run affiliate.CodeRun,
	each func(done, all int64)) (affiliate.CodeRun, error) {
	stores, err := a.DB.StoresOfRun(ctx, run.ID)
	if err != nil {
		return run, err
	}
	for last := int64(-1); ; {
		if err := a.WorkCodeRuns(ctx); err != nil {
			return run, err
		}
		if run, err = a.DB.CodeRun(ctx, run.ID); err != nil || run.State == affiliate.RunWaiting {
			return run, err
		}
		counts, err := a.DB.CodeItemCounts(ctx, []affiliate.CodeRunID{run.ID})
		if err != nil {
			return run, err
		}
		var all int64
		for _, n := range counts[run.ID] {
			all += n
		}
		left := counts[run.ID][affiliate.ItemWaiting] + counts[run.ID][affiliate.ItemAsked]
		each(all-left, all)
		if left == 0 {
			return run, nil
		}
		if left == last {
			if err := lookAgain(ctx); err != nil {
				return run, err
			}
		}
		last = left
		for _, store := range stores {
			if err := workStore(ctx, a, store); err != nil {
				return run, err
			}
		}
	}
}

// printRun prints a run with its items. It reports items that have failed by the exit code.
func (c *call) printRun(ctx context.Context, a *app.App, run affiliate.CodeRun, draft bool) error {
	counts, err := a.DB.CodeItemCounts(ctx, []affiliate.CodeRunID{run.ID})
	if err != nil {
		return err
	}
	rows, err := storage.All(func(p storage.Page) ([]storage.CodeItemRow, string, error) {
		return a.DB.CodeItemPage(ctx, storage.CodeItemFilter{Run: run.ID}, p)
	})
	if err != nil {
		return err
	}
	items, err := api.CodeItems(ctx, a, run, rows)
	if err != nil {
		return err
	}
	if c.json {
		list := make([]api.CodeItemJSON, len(items))
		for i, item := range items {
			list[i] = api.CodeItemView(item)
		}
		err = c.printJSON(map[string]any{"run": api.CodeRunView(run, counts[run.ID]), "items": list})
	} else {
		err = c.printItems(run, items, counts[run.ID], draft)
	}
	if err == nil && counts[run.ID][affiliate.ItemFailed] > 0 {
		err = errReported
	}
	return err
}

func (c *call) printItems(run affiliate.CodeRun, items []app.TypedItem,
	counts map[affiliate.CodeItemState]int64, draft bool) error {
	if err := printTable(c.stdout, "ITEM\tCREATOR\tSTORE\tCODE\tOLD CODE\tSTATE\tNOTE",
		func(row func(cells ...any)) {
			for _, i := range items {
				row(i.ID, i.Creator, i.Store, i.Code, cmp.Or(i.OldCode, "-"), spoken(i.State), money.Plain(i.Trouble))
			}
		}); err != nil {
		return err
	}
	var words []string
	for _, state := range affiliate.Words[affiliate.CodeItemState]() {
		if n := counts[state]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, spoken(state)))
		}
	}
	state := string(run.State)
	if run.State == affiliate.RunDraft {
		state = "a draft"
	}
	fmt.Fprintf(c.stdout, "\n%s (%s) is %s: %s.\n", run.ID, spoken(run.Action), state, strings.Join(words, ", "))
	switch {
	case draft:
		fmt.Fprintf(c.stdout, "Nothing was done. Within a day: tributary codes runs %s --start\n", run.ID)
	case run.State == affiliate.RunWaiting:
		fmt.Fprintf(c.stdout, "It begins at %s, when a server runs, or with: tributary codes runs %s --wait\n",
			run.At.UTC().Format("2006-01-02 15:04 UTC"), run.ID)
	case counts[affiliate.ItemByHand] > 0:
		printByHand(c.stdout, items)
		fmt.Fprintf(c.stdout, "\nOnce they are done in the store's admin: tributary codes runs %s --typed\n", run.ID)
	case run.State == affiliate.RunRunning:
		fmt.Fprintf(c.stdout, "A running server does it; see how far it is, or do it here: tributary codes runs %s "+
			"--wait\n", run.ID)
	}
	if n := counts[affiliate.ItemFailed]; n > 0 {
		fmt.Fprintf(c.stderr, "%s failed. Once what the notes say is put right: tributary codes runs %s --retry\n",
			counted(n, "code has", "codes have"), run.ID)
	}
	return nil
}

// spoken writes a word as people do: "take_over" is "take over".
func spoken[W ~string](word W) string { return strings.ReplaceAll(string(word), "_", " ") }

func codesRunsCommand() command {
	return command{
		name:    "codes runs",
		args:    "[ID] [--start | --cancel | --retry | --typed] [--wait] [--offer OFFER] [--limit N] [--json]",
		summary: "List code runs, or show one with its items, start, cancel or retry it, or say that it was typed in.",
		example: "tributary codes runs\ntributary codes runs --offer off_1\ntributary codes runs cru_1\n" +
			"tributary codes runs cru_1 --retry --wait\ntributary codes runs cru_1 --typed",
		run: codesRuns,
	}
}

func codesRuns(ctx context.Context, c *call) error {
	start := c.flags.Bool("start", false, "start a draft")
	cancel := c.flags.Bool("cancel", false, "cancel it: what was not begun is not done")
	retry := c.flags.Bool("retry", false, "have the codes go on that failed")
	typed := c.flags.Bool("typed", false, "say that what is to be done by hand was done in the stores' admins")
	wait := c.flags.Bool("wait", false, "stay until it is done, and do the work with the stores where no server does")
	offer := c.flags.String("offer", "", "only runs of this `OFFER`, such as off_1")
	limit := c.flags.Int("limit", storage.DefaultLimit, "at most `N` runs, up to "+fmt.Sprint(storage.MaxLimit))
	c.jsonFlag()
	args, err := c.parse(0, 1)
	if err != nil {
		return err
	}
	chosen := 0
	for _, on := range []bool{*start, *cancel, *retry, *typed} {
		if on {
			chosen++
		}
	}
	switch {
	case chosen > 1:
		return usagef("give one of --start, --cancel, --retry and --typed")
	case len(args) == 0 && (chosen > 0 || *wait):
		return usagef("say which run, such as cru_1")
	case len(args) == 0:
		return c.listRuns(ctx, *offer, *limit)
	}
	id, err := affiliate.ParseID[affiliate.CodeRunID]("cru_", args[0])
	if err != nil {
		return usagef("%s", err)
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	switch {
	case *start:
		_, err = a.StartCodeRun(ctx, id)
	case *cancel:
		_, err = a.CancelCodeRun(ctx, id)
	case *retry:
		_, err = a.RetryCodeRun(ctx, id)
	case *typed:
		_, err = a.DoneByHand(ctx, id, nil)
	}
	if err != nil {
		return err
	}
	run, err := a.DB.CodeRun(ctx, id)
	if err != nil {
		return err
	}
	if *wait && run.State != affiliate.RunDraft {
		return c.waitForRun(ctx, a, run)
	}
	return c.printRun(ctx, a, run, run.State == affiliate.RunDraft)
}

func (c *call) listRuns(ctx context.Context, offerID string, limit int) error {
	offer, err := affiliate.OptionalID[affiliate.OfferID]("--offer", "off_", offerID)
	if err != nil {
		return usagef("%s", err)
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	list, next, err := a.DB.CodeRuns(ctx, offer, storage.Page{Limit: limit})
	if err != nil {
		return err
	}
	ids := make([]affiliate.CodeRunID, len(list))
	for i, r := range list {
		ids[i] = r.ID
	}
	counts, err := a.DB.CodeItemCounts(ctx, ids)
	if err != nil {
		return err
	}
	views := make([]api.CodeRunJSON, len(list))
	for i, r := range list {
		views[i] = api.CodeRunView(r, counts[r.ID])
	}
	if c.json {
		return c.printJSON(map[string]any{"runs": views, "more": next != ""})
	}
	if len(views) == 0 {
		fmt.Fprintln(c.stdout, "There is no code run yet. Make codes: tributary codes make --help")
		return nil
	}
	err = printTable(c.stdout, "RUN\tACTION\tSTATE\tOFFER\tCODES\tDONE\tFAILED\tBY HAND\tASKED\tBY",
		func(row func(cells ...any)) {
			for _, r := range views {
				of := "-"
				if r.Offer != nil {
					of = *r.Offer
				}
				row(r.ID, spoken(r.Action), r.State, of, r.Total, r.Items[string(affiliate.ItemDone)],
					r.Items[string(affiliate.ItemFailed)], r.Items[string(affiliate.ItemByHand)],
					r.CreatedAt.Format("2006-01-02 15:04"), r.Author)
			}
		})
	if err == nil && next != "" {
		fmt.Fprintln(c.stdout, "There are more; raise --limit.")
	}
	return err
}

func codesTakeOverCommand() command {
	return command{
		name: "codes take-over",
		args: "STORE --offer OFFER [--pattern P | --file FILE.csv|FILE.xlsx [--partial]] [--dry-run] [--wait] " +
			"[--json]",
		summary: "Make codes that a store has already the codes of an offer's members, and credit the orders with " +
			"them.",
		example: "tributary codes take-over my-shop --offer off_1 --dry-run\n" +
			"tributary codes take-over my-shop --offer off_1 --pattern \"{{handle}}10\" --wait\n" +
			"tributary codes take-over my-shop --offer off_1 --file codes.csv\n" +
			"# columns: code, and handle, email or offer_member",
		run: codesTakeOver,
	}
}

func codesTakeOver(ctx context.Context, c *call) error {
	offer := c.flags.String("offer", "", "the `OFFER` whose members they become, such as off_1")
	pattern := c.flags.String("pattern", "", "`P`: by what codes are known to be somebody's, such as {{handle}}10; "+
		"otherwise by the whole handle")
	file := c.flags.String("file", "", "a `FILE` that says whose codes are, CSV or XLSX")
	partial := c.flags.Bool("partial", false, "take over what can be, though lines of the file cannot be used")
	var dry, wait bool
	c.waitFlags(&dry, &wait)
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	if err := c.required("offer"); err != nil {
		return err
	}
	if *file != "" && *pattern != "" {
		return usagef("give either --pattern or --file")
	}
	in := app.NewCodeRun{Action: affiliate.CodeTakeOver, Pattern: *pattern}
	if in.Offer, err = affiliate.ParseID[affiliate.OfferID]("off_", *offer); err != nil {
		return usagef("--offer: %s", err)
	}
	ctx, a, store, err := c.openStore(ctx, args[0])
	if err != nil {
		return err
	}
	in.Stores = []affiliate.StoreID{store.ID}
	if *file != "" {
		if in.Takes, err = c.readTakes(ctx, a, in.Offer, *file, *partial || dry); err != nil {
			return err
		}
	}
	return c.draftAndStart(ctx, a, in, dry, wait)
}

// readTakes reads a file of codes, and says on stderr which lines cannot be used. Unless partial, there must be none.
func (c *call) readTakes(ctx context.Context, a *app.App, offer affiliate.OfferID, name string,
	partial bool) ([]app.Take, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	about, err := file.Stat()
	if err != nil {
		return nil, err
	}
	read, err := a.ReadTakes(ctx, offer, filepath.Base(name), file, about.Size())
	if err != nil {
		return nil, err
	}
	for _, l := range read.Lines {
		fmt.Fprintf(c.stderr, "%s: %s\n", name, l)
	}
	switch {
	case len(read.Lines) > 0 && !partial:
		fmt.Fprintf(c.stderr, "%s in %s cannot be used; nothing was taken over. Correct the file, or give --partial.\n",
			counted(len(read.Lines), "line", "lines"), name)
		return nil, errReported
	case len(read.Takes) == 0:
		fmt.Fprintf(c.stderr, "No line of %s can be used.\n", name)
		return nil, errReported
	}
	return read.Takes, nil
}
