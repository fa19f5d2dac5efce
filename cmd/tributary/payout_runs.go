package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

const runOptions = "[--offer O] [--campaign C] [--creators IDS] [--currency C] [--until T] [--exclude IDS] " +
	"[--rail METHOD=RAIL] [--elsewhere]"

func payoutsPreviewCommand() command {
	return command{
		name:    "payouts preview",
		args:    runOptions + " [--json]",
		summary: "Say what a payout run would pay now, by which rails, and whom it would leave out; change nothing.",
		example: "tributary payouts preview\ntributary payouts preview --offer off_1 --until 2026-10-31 " +
			"--rail paypal=paypal_file",
		run: payoutsPreview,
	}
}

func payoutsSendCommand() command {
	return command{
		name: "payouts send",
		args: runOptions + " [--method M] [--reference R] [--paid-on DAY] [--note N] [--tell] [--yes] [--json]",
		summary: "Confirm a payout run of all that is due, or of what the options choose, after a look at the sum; " +
			"then its files are there.",
		example: "tributary payouts send\ntributary payouts send --offer off_1 --until 2026-10-31 " +
			"--rail paypal=paypal_file --tell --yes\ntributary payouts send --creators cre_1,cre_2 --elsewhere " +
			"--reference \"SEPA 4711\"",
		run: payoutsSend,
	}
}

// runFlags are the options of a command about a payout run that is to be.
type runFlags struct {
	offer, campaign, creators, currency, until, exclude string
	elsewhere                                           bool
	rails                                               map[affiliate.PaymentMethod]affiliate.Rail
}

func (c *call) addRunFlags() *runFlags {
	f := &runFlags{rails: map[affiliate.PaymentMethod]affiliate.Rail{}}
	choice := func(to *string, name, usage string) { // an empty one would mean all
		c.flags.Func(name, usage, func(text string) error {
			if *to = text; strings.TrimSpace(text) == "" {
				return errors.New("it is empty; leave the option out to mean all")
			}
			return nil
		})
	}
	choice(&f.offer, "offer", "`O`: only who earned something in this offer; they are paid the whole amount")
	choice(&f.campaign, "campaign", "`C`: likewise of a campaign")
	choice(&f.creators, "creators", "`IDS`: only these, such as cre_1,cre_2")
	choice(&f.currency, "currency", "`C`: only what is due in this one, such as EUR")
	choice(&f.until, "until", "only what was posted before `T`: a time, or a day in the account's time zone, which is "+
		"the last one that counts")
	choice(&f.exclude, "exclude", "`IDS` of creators who are not paid")
	c.flags.BoolVar(&f.elsewhere, "elsewhere", false, "it was paid by other means, and is only recorded")
	c.flags.Func("rail", "`METHOD=RAIL`: pay this method by another rail than the usual one, such as "+
		"paypal=paypal_file; once for each method", func(text string) error {
		method, rail, ok := strings.Cut(text, "=")
		if !ok {
			return fmt.Errorf("it looks like paypal=paypal_file")
		}
		f.rails[affiliate.PaymentMethod(method)] = affiliate.Rail(rail)
		return nil
	})
	c.jsonFlag()
	return f
}

// asked reads whom the run is to pay, and how.
func (f *runFlags) asked(ctx context.Context, a *app.App) (in app.NewPayoutRun, err error) {
	in = app.NewPayoutRun{All: true, Elsewhere: f.elsewhere, Rails: f.rails}
	settings, err := a.DB.Settings(ctx)
	if err != nil {
		return in, err
	}
	zone, err := affiliate.LoadZone(settings.Timezone)
	if err != nil {
		return in, err
	}
	err = app.RunAsked{Offer: f.offer, Campaign: f.campaign, Currency: f.currency, Until: f.until,
		Creators: affiliate.CommaList(f.creators), Exclude: affiliate.CommaList(f.exclude)}.Into(&in, zone)
	if err != nil {
		return in, err
	}
	in.About, err = a.AboutRun(ctx, in)
	return in, err
}

func payoutsPreview(ctx context.Context, c *call) error {
	f := c.addRunFlags()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	in, err := f.asked(ctx, a)
	if err != nil {
		return err
	}
	p, err := a.PreviewPayouts(ctx, in)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(api.PayoutPreviewView(p, app.MaxRun))
	}
	return printPreview(c.stdout, in.About, p)
}

// printPreview says what would be paid to whom, and who would be left out.
func printPreview(w io.Writer, about string, p app.PayoutPreview) error {
	v := api.PayoutPreviewView(p, app.MaxRun)
	fmt.Fprintf(w, "Of %s:\n", about)
	if len(v.Pay) > 0 {
		if err := printTable(w, "CREATOR\tNAME\tAMOUNT\tCURRENCY\tRAIL\tTO", func(row func(cells ...any)) {
			for _, l := range v.Pay {
				row(l.Creator, l.CreatorName, l.Amount, l.Currency, l.Rail, l.Destination)
			}
		}); err != nil {
			return err
		}
	}
	for _, s := range v.Rails {
		fmt.Fprintf(w, "%s: %s, %s %s\n", s.Rail.Title(), counted(s.Payouts, "payout", "payouts"), s.Amount, s.Currency)
	}
	for _, l := range v.LeftOut {
		sayLeftOut(w, fmt.Sprintf("%s (%s)", l.CreatorName, l.Creator), l.Amount, l.Currency, l.Why)
	}
	if len(v.Pay) == 0 {
		fmt.Fprintln(w, "Nothing would be paid.")
	}
	return nil
}

// sumsOf says what payouts add up to: "69 payouts, 6210.37 EUR and 40.00 USD".
func sumsOf(totals []app.PayoutSum) string {
	var payouts int64
	amounts := make([]string, len(totals))
	for i, s := range totals {
		payouts += s.Payouts
		amounts[i] = money.Format(s.Amount, s.Currency) + " " + s.Currency.Code()
	}
	return counted(payouts, "payout", "payouts") + ", " + strings.Join(amounts, " and ")
}

func payoutsSend(ctx context.Context, c *call) error {
	f := c.addRunFlags()
	method := c.flags.String("method", "", "`M`: how it was paid elsewhere")
	reference := c.flags.String("reference", "", "`R`: by which what was paid elsewhere is found at the bank")
	paidOn := c.flags.String("paid-on", "", "the `DAY` on which it was paid elsewhere, such as 2026-11-29; today, "+
		"unless given")
	note := c.flags.String("note", "", "`N`: for people")
	tell := c.flags.Bool("tell", false, "write a mail to creators once they are paid")
	yes := c.flags.Bool("yes", false, "do not ask")
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	if !f.elsewhere && *method+*reference+*paidOn != "" {
		return usagef("--method, --reference and --paid-on go with --elsewhere")
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	in, err := f.asked(ctx, a)
	if err != nil {
		return err
	}
	in.Method, in.Reference, in.PaidOn, in.Note, in.Tell = *method, *reference, *paidOn, *note, *tell
	p, err := a.PreviewPayouts(ctx, in)
	if err != nil {
		return err
	}
	if !*yes {
		if err := printPreview(c.stderr, in.About, p); err != nil {
			return err
		}
	}
	if len(p.Pay) > 0 && !*yes {
		what := "Send"
		if f.elsewhere {
			what = "Record"
		}
		if err := c.agreed(what + " " + sumsOf(p.Totals)); err != nil {
			return err
		}
	}
	in.Expect = p.Fingerprint
	run, err := a.SendPayouts(ctx, in)
	if err != nil {
		return err
	}
	return c.printPayoutRun(ctx, a, run.ID)
}

// agreed asks on the terminal whether something is to be done.
func (c *call) agreed(what string) error {
	fmt.Fprintf(c.stderr, "%s? Type yes: ", what)
	if c.lines == nil {
		c.lines = bufio.NewReader(c.stdin)
	}
	line, err := c.lines.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.TrimSpace(line) == "" && err != nil {
		return usagef("nobody answers; where nobody can, say --yes")
	}
	if strings.TrimSpace(line) != "yes" {
		fmt.Fprintln(c.stderr, "Nothing was done.")
		return errReported
	}
	return nil
}

func payoutsRunsCommand() command {
	return command{
		name:    "payouts runs",
		args:    "[--limit N] [--json]",
		summary: "List payout runs, newest first, with what became of their money.",
		example: "tributary payouts runs",
		run:     payoutsRuns,
	}
}

func payoutsRuns(ctx context.Context, c *call) error {
	limit := c.flags.Int("limit", 20, "`N` of them at most")
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	if *limit < 1 || *limit > storage.MaxLimit {
		return usagef("--limit must be 1 to %d", storage.MaxLimit)
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	list, _, err := api.PayoutRunPage(ctx, a.DB, storage.Page{Limit: *limit})
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(map[string]any{"runs": list})
	}
	if len(list) == 0 {
		fmt.Fprintln(c.stdout, "There is no payout run yet.")
		return nil
	}
	return printTable(c.stdout, "RUN\tDAY\tOF\tSTATE\tPAYOUTS\tAMOUNT\tPAID\tOPEN\tBACK", func(row func(cells ...any)) {
		for _, r := range list {
			for _, s := range r.Sums {
				row(r.ID, r.PaidOn, cmp.Or(r.About, "-"), r.State, s.Payouts, s.Amount+" "+s.Currency, s.Paid,
					joined(s.Ready, s.Pending, s.Unclaimed), joined(s.Failed, s.Returned, s.Canceled))
			}
		}
	})
}

// joined writes amounts with a plus between those that are not zero.
func joined(amounts ...string) string {
	var list []string
	for _, a := range amounts {
		if strings.Trim(a, "0.") != "" {
			list = append(list, a)
		}
	}
	return cmp.Or(strings.Join(list, "+"), "0")
}

func payoutsRunCommand() command {
	return command{
		name:    "payouts run",
		args:    "RUN [--payouts] [--json]",
		summary: "Show a payout run: what became of its money, its files, and whom it did not pay.",
		example: "tributary payouts run run_3\ntributary payouts run run_3 --payouts",
		run:     payoutsRun,
	}
}

func payoutsRun(ctx context.Context, c *call) error {
	all := c.flags.Bool("payouts", false, "list its payouts, too")
	c.jsonFlag()
	ctx, a, id, err := openWith[affiliate.PayoutRunID](ctx, c, "run_")
	if err != nil {
		return err
	}
	if !*all {
		return c.printPayoutRun(ctx, a, id)
	}
	run, err := api.PayoutRunDetail(ctx, a.DB, id)
	if err != nil {
		return err
	}
	payouts, err := a.DB.PayoutsOf(ctx, id)
	if err != nil {
		return err
	}
	list := payoutViews(payouts)
	if c.json {
		return c.printJSON(struct {
			api.PayoutRunDetailJSON
			List []api.PayoutJSON `json:"list"`
		}{run, list})
	}
	c.sayRun(run)
	return printTable(c.stdout, "PAYOUT\tCREATOR\tAMOUNT\tSTATE\tRAIL\tTO\tREFERENCE\tWORDS",
		func(row func(cells ...any)) {
			for _, p := range list {
				row(p.ID, p.Creator, p.Amount+" "+p.Currency, p.State, p.Rail, p.Destination,
					cmp.Or(p.Ref, p.Reference), p.Words)
			}
		})
}

// printPayoutRun shows a run as it stands.
func (c *call) printPayoutRun(ctx context.Context, a *app.App, id affiliate.PayoutRunID) error {
	run, err := api.PayoutRunDetail(ctx, a.DB, id)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(run)
	}
	c.sayRun(run)
	return nil
}

func (c *call) sayRun(r api.PayoutRunDetailJSON) {
	about := ""
	if r.About != "" {
		about = ", of " + r.About
	}
	fmt.Fprintf(c.stdout, "Run %s (%s)%s: %s\n", r.ID, r.Name, about, r.State)
	for _, s := range r.Sums {
		fmt.Fprintf(c.stdout,
			"%s %s: ready %s, canceled %s, sent %s = paid %s + pending %s + unclaimed %s + failed %s + "+
				"returned %s\n", s.Amount, s.Currency, s.Ready, s.Canceled, s.Sent, s.Paid, s.Pending, s.Unclaimed,
			s.Failed, s.Returned)
	}
	for _, f := range r.Fees {
		fmt.Fprintf(c.stdout, "Fees: %s %s\n", f.Amount, f.Currency)
	}
	for _, p := range r.Parts {
		fmt.Fprintf(c.stdout, "Part %s: %s %d, %s, %s %s, %s", p.ID, p.Rail.Title(), p.Number,
			counted(p.Payouts, "payout", "payouts"), p.Amount, p.Currency, p.State)
		switch {
		case p.Trouble != "":
			fmt.Fprintf(c.stdout, ": %s", p.Trouble)
		case p.ByFile && p.State == affiliate.PartReady:
			fmt.Fprintf(c.stdout, "; get it: tributary payouts file %s", p.ID)
		}
		fmt.Fprintln(c.stdout)
	}
	for _, l := range r.LeftSums {
		sayLeftOut(c.stdout, counted(l.Creators, "creator", "creators"), l.Amount, l.Currency, l.Why)
	}
}

func sayLeftOut(w io.Writer, who, amount, currency, why string) {
	fmt.Fprintf(w, "Not paid: %s, %s %s: %s\n", who, amount, currency, why)
}

func payoutsFileCommand() command {
	return command{
		name: "payouts file",
		args: "PART [-o FILE|-] [--owed-again]",
		summary: "Write the file of a part of a payout run, the same each time; from the first time on its payouts " +
			"are sent.",
		example: "tributary payouts file prt_3\ntributary payouts file prt_3 -o october.xml",
		run:     payoutsFile,
	}
}

func payoutsFile(ctx context.Context, c *call) (err error) {
	name := c.flags.String("o", "", "write to this `FILE`, or to standard output (-); its own name, unless given. "+
		"A file that is there is not written over")
	knowing := c.flags.Bool("owed-again", false, "also where payouts of it failed or came back; handed in then, it "+
		"could pay them twice")
	ctx, a, id, err := openWith[affiliate.PayoutPartID](ctx, c, "prt_")
	if err != nil {
		return err
	}
	if *name != "-" && *name != "" { // before anything counts as sent
		if _, err := os.Lstat(*name); err == nil {
			return fmt.Errorf("%s is there already", *name)
		}
	}
	own, body, err := a.PayoutFile(ctx, id, *knowing)
	if err != nil {
		return err
	}
	if *name == "-" {
		_, err = c.stdout.Write(body)
		return err
	}
	to := cmp.Or(*name, filepath.Base(own))
	file, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) // it says where people are paid
	if err != nil {
		return fmt.Errorf("%w; the payouts count as sent, and the file can be written again to another place with -o",
			err)
	}
	_, err = file.Write(body)
	if err := errors.Join(err, file.Close()); err != nil {
		return err
	}
	fmt.Fprintf(c.stdout, "%s: %s. Its payouts count as sent.\n", to, counted(len(body), "byte", "bytes"))
	return nil
}

func payoutsMarkCommand() command {
	return command{
		name:    "payouts mark",
		args:    "PAYOUT… --state paid|failed|returned [--reason R] [--reference R] [--json]",
		summary: "Say by hand what became of payouts; what failed or came back is owed again.",
		example: "tributary payouts mark pay_12 pay_13 --state paid --reference \"statement 11\"\n" +
			"tributary payouts mark pay_12 --state returned --reason \"account closed\"",
		run: payoutsMark,
	}
}

func payoutsMark(ctx context.Context, c *call) error {
	state := c.flags.String("state", "", "`STATE`: paid, failed or returned")
	reason := c.flags.String("reason", "", "`R`: why; needed for what failed or came back")
	reference := c.flags.String("reference", "", "`R`: by which the payment is found at the bank")
	c.jsonFlag()
	args, err := c.parse(1, app.MaxNamed)
	if err != nil {
		return err
	}
	if err := c.required("state"); err != nil {
		return err
	}
	if err := affiliate.CheckWord("state", affiliate.PayoutState(*state)); err != nil {
		return err
	}
	ids, err := affiliate.ParseIDs[affiliate.PayoutID]("payout", "pay_", args)
	if err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	outcomes, err := a.MarkPayouts(ctx, ids, affiliate.PayoutState(*state), *reason, *reference)
	if err != nil {
		return err
	}
	v := api.MarkedPayoutsView(outcomes)
	if c.json {
		err = c.printJSON(v)
	} else {
		for _, p := range v.Payouts {
			switch p.Outcome {
			case affiliate.ResultChanged:
				fmt.Fprintf(c.stdout, "Payout %s is %s.\n", p.Payout, p.State)
			case affiliate.ResultSame:
				fmt.Fprintf(c.stdout, "Payout %s is %s, as it was.\n", p.Payout, p.State)
			default:
				fmt.Fprintf(c.stderr, "%s: %s\n", p.Payout, p.Why)
			}
		}
	}
	if err == nil && v.Outcomes[string(affiliate.ResultRefused)]+v.Outcomes[string(affiliate.ResultUnmatched)] > 0 {
		err = errReported
	}
	return err
}

func payoutsResultsCommand() command {
	return command{
		name: "payouts results",
		args: "FILE|- [--json]",
		summary: "Read a file in which PayPal, Wise or a bank says what became of payouts; the same file again " +
			"changes nothing.",
		example: "tributary payouts results pain002.xml",
		run:     payoutsResults,
	}
}

func payoutsResults(ctx context.Context, c *call) error {
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	body, err := c.readFile(args[0], app.MaxResults)
	if err != nil {
		return err
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	file, _, err := a.ReadResults(ctx, filepath.Base(args[0]), body)
	if err != nil {
		return err
	}
	views, err := api.ResultFileViews(ctx, a.DB, file)
	if err != nil {
		return err
	}
	open := []api.ResultLineJSON{}
	for _, outcome := range []affiliate.ResultOutcome{affiliate.ResultUnmatched, affiliate.ResultRefused} {
		lines, err := storage.All(func(p storage.Page) ([]storage.NamedResultLine, string, error) {
			return a.DB.ResultLines(ctx, storage.ResultLineFilter{File: file.ID, Outcome: outcome}, p)
		})
		if err != nil {
			return err
		}
		for _, l := range lines {
			open = append(open, api.ResultLineView(l))
		}
	}
	if c.json {
		return c.printJSON(struct {
			api.ResultFileJSON
			Open []api.ResultLineJSON `json:"open"`
		}{views[0], open})
	}
	v := views[0]
	fmt.Fprintf(c.stdout,
		"%s (%s, %s): %s; %d changed something, %d say what is known, %d fit no payout, %d cannot be.\n",
		v.Name, v.ID, v.Kind, counted(v.Lines, "line", "lines"), v.Outcomes[string(affiliate.ResultChanged)],
		v.Outcomes[string(affiliate.ResultSame)], v.Outcomes[string(affiliate.ResultUnmatched)],
		v.Outcomes[string(affiliate.ResultRefused)])
	for _, l := range open {
		fmt.Fprintf(c.stdout, "Line %d, %s: %s %s\n", l.Line, l.Outcome, cmp.Or(l.Ref, l.Destination), l.Why)
	}
	return nil
}
