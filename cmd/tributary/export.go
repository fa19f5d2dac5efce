package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// exportOptions are those of every export.
type exportOptions struct {
	what   string
	output string
	format string
	bom    bool
}

func (o *exportOptions) define(c *call) {
	o.what = strings.TrimPrefix(c.command.name, "export ")
	c.flags.StringVar(&o.output, "o", "", "the `FILE` to write; - writes to stdout")
	c.flags.StringVar(&o.format, "format", "",
		"`FORMAT`: csv or xlsx; left out: as the file's name ends, csv on stdout")
	c.flags.BoolVar(&o.bom, "bom", false, "begin CSV with a byte order mark, for Excel on Windows")
	c.jsonFlag()
}

const stdoutFile = "-"

// parsed completes the options. The format is that of the file's name unless one is given.
func (o *exportOptions) parsed(c *call) (export.Format, error) {
	if err := c.required("o"); err != nil {
		return "", err
	}
	if o.output == stdoutFile && c.json {
		return "", usagef("--json has stdout for itself; give a file with -o")
	}
	text := o.format
	if text == "" && o.output == stdoutFile {
		return export.CSV, nil
	}
	if text == "" {
		text = filepath.Ext(o.output)
	}
	format, err := export.ParseFormat(text)
	if err != nil && o.format == "" {
		return "", usagef("-o: the name %q ends neither in .csv nor in .xlsx; say which with --format", o.output)
	}
	return format, err
}

// exporter is an export of the application with its filter.
type exporter func(ctx context.Context, w io.Writer, o app.ExportOptions) (app.Exported, error)

// run reads the command line, with so many arguments besides options, and exports what prepare makes of it.
func (o *exportOptions) run(ctx context.Context, c *call, arguments int, prepare func(context.Context, *app.App,
	[]string) (exporter, error)) error {
	args, err := c.parse(arguments, arguments)
	if err != nil {
		return err
	}
	format, err := o.parsed(c)
	if err != nil {
		return err
	}
	ctx, a, end, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer end()
	run, err := prepare(ctx, a, args)
	if err != nil {
		return err
	}
	return o.write(ctx, c, format, run)
}

// write runs an export and tells what came of it. A file appears under its name when it is whole, and not before.
func (o *exportOptions) write(ctx context.Context, c *call, format export.Format, run exporter) error {
	var done app.Exported
	var bar *progressbar.ProgressBar
	err := o.into(c, func(w io.Writer) (err error) {
		done, err = run(ctx, w, app.ExportOptions{Format: format, BOM: o.bom,
			Begin: func(total int64) (io.Writer, error) {
				bar = newProgress(c.stderr, int(total), "Exporting "+o.what)
				return w, nil
			},
			Progress: func(rows int64) { _ = bar.Set64(rows) }}) // a bar that cannot be drawn harms nothing
		return err
	})
	if bar != nil {
		_ = bar.Clear()
	}
	if errors.Is(err, context.Canceled) {
		return errors.New("stopped before the end; nothing was kept")
	}
	if err != nil {
		return err
	}
	return o.tell(c, format, done)
}

// into runs f on the file, or on stdout.
func (o *exportOptions) into(c *call, f func(io.Writer) error) error {
	if o.output == stdoutFile {
		w := bufio.NewWriterSize(c.stdout, fileBuffer)
		return errors.Join(f(w), w.Flush())
	}
	return writeWhole(o.output, f)
}

const fileBuffer = 256 << 10

// writeWhole writes a file beside its name and moves it there when f has ended well; otherwise nothing stays.
func writeWhole(name string, f func(io.Writer) error) (err error) {
	part := fmt.Sprintf("%s.%d.part", name, os.Getpid())
	file, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fmt.Errorf("-o %s cannot be written: %w", name, errors.Unwrap(err))
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part))
		}
	}()
	w := bufio.NewWriterSize(file, fileBuffer)
	if err = f(w); err == nil {
		err = w.Flush()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(part, name)
}

// exportJSON is what an export tells machines.
type exportJSON struct {
	File   string                       `json:"file"`
	Format export.Format                `json:"format"`
	Rows   int64                        `json:"rows"`
	Sums   map[string]map[string]string `json:"sums"` // by column and currency
}

func (o *exportOptions) tell(c *call, format export.Format, done app.Exported) error {
	if c.json {
		summary := exportJSON{o.output, format, done.Rows, map[string]map[string]string{}}
		for _, s := range done.Sums {
			if summary.Sums[s.Column] == nil {
				summary.Sums[s.Column] = map[string]string{}
			}
			summary.Sums[s.Column][s.Currency.Code()] = money.Format(s.Minor, s.Currency)
		}
		return c.printJSON(summary)
	}
	if o.output == stdoutFile {
		return nil
	}
	fmt.Fprintf(c.stdout, "Wrote %s to %s.\n", counted(done.Rows, "row", "rows"), o.output)
	var sums []string
	for i, s := range done.Sums {
		sums = append(sums, money.Format(s.Minor, s.Currency)+" "+s.Currency.Code())
		if i+1 == len(done.Sums) || done.Sums[i+1].Column != s.Column {
			fmt.Fprintf(c.stdout, "  %s: %s\n", s.Column, strings.Join(sums, ", "))
			sums = sums[:0]
		}
	}
	if o.what == "conversions" && done.Rows > 0 {
		fmt.Fprintln(c.stdout, "These are the sums of all rows. The pages add up those that say true under Counted: "+
			"paid, not rejected, not held.")
	}
	return nil
}

// exportRange are the options of a span of time.
type exportRange struct{ from, to string }

func (r *exportRange) define(c *call, verb string) {
	c.flags.StringVar(&r.from, "from", "",
		verb+" at or after a `TIME`: a day of the account's zone (2026-11-01), or 2026-11-01T08:00:00Z")
	c.flags.StringVar(&r.to, "to", "", verb+" before a `TIME`, or up to a day, which is the last one that counts")
}

func (r *exportRange) read(ctx context.Context, a *app.App) (from, to time.Time, err error) {
	settings, err := a.DB.Settings(ctx)
	if err != nil {
		return from, to, err
	}
	zone, err := affiliate.LoadZone(settings.Timezone)
	if err != nil {
		return from, to, err
	}
	if from, err = affiliate.ParseMoment("from", r.from, zone, 0); err != nil {
		return from, to, err
	}
	to, err = affiliate.ParseMoment("to", r.to, zone, 1)
	return from, to, err
}

// exportFilter are the options that narrow an export to a campaign and a creator.
type exportFilter struct{ campaign, creator string }

func (f *exportFilter) define(c *call) {
	c.flags.StringVar(&f.campaign, "campaign", "", "only those of a campaign, by its `ID` (cmp_1)")
	c.flags.StringVar(&f.creator, "creator", "", "only those of a creator, by their `ID` (cre_1)")
}

func (f *exportFilter) read(ctx context.Context, a *app.App) (campaign affiliate.CampaignID,
	creator affiliate.CreatorID, err error) {
	if f.campaign != "" {
		if campaign, err = affiliate.ParseID[affiliate.CampaignID]("cmp_", f.campaign); err != nil {
			return 0, 0, usagef("--campaign: %s", err)
		}
		if _, err = a.DB.Campaign(ctx, campaign); err != nil {
			return 0, 0, err
		}
	}
	if f.creator != "" {
		if creator, err = affiliate.ParseID[affiliate.CreatorID]("cre_", f.creator); err != nil {
			return 0, 0, usagef("--creator: %s", err)
		}
		_, err = a.DB.Creator(ctx, creator)
	}
	return campaign, creator, err
}

// oneOf checks an option that has few values; empty means that it was not given.
func oneOf[T ~string](option, given string, values ...T) (T, error) {
	if given == "" || slices.Contains(values, T(given)) {
		return T(given), nil
	}
	return "", usagef("--%s: %q is none of %s", option, given, listWords(values))
}

func listWords[T ~string](values []T) string {
	words := make([]string, len(values))
	for i, v := range values {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}

func exportConversionsCommand() command {
	return command{
		name:    "export conversions",
		args:    "-o FILE [options]",
		summary: "Write conversions to a CSV or XLSX file.",
		example: "tributary export conversions -o conversions.xlsx\ntributary export conversions -o november.csv " +
			"--from 2026-11-01 --to 2026-11-30 --campaign cmp_3",
		run: func(ctx context.Context, c *call) error {
			var o exportOptions
			var span exportRange
			var narrow exportFilter
			store := c.flags.String("store", "", "only those of a store, by its `SLUG`")
			offer := c.flags.String("offer", "", "only those of an offer, by its `ID` (off_1)")
			status := c.flags.String("status", "", "only those whose order has a `STATUS`: "+listWords(orderStatuses()))
			approval := c.flags.String("approval", "", "only those with an `APPROVAL`: approved, rejected or held")
			current := c.flags.Bool("current", false,
				"only those of creators who are still in the campaign and the community, as campaigns count them")
			o.define(c)
			span.define(c, "placed")
			narrow.define(c)
			return o.run(ctx, c, 0, func(ctx context.Context, a *app.App, _ []string) (exporter, error) {
				f := storage.ConversionFilter{Former: !*current}
				var err error
				if f.Store, err = storeBySlug(ctx, a, *store); err != nil {
					return nil, err
				}
				if *offer != "" {
					if f.Offer, err = affiliate.ParseID[affiliate.OfferID]("off_", *offer); err != nil {
						return nil, usagef("--offer: %s", err)
					}
					if _, err = a.DB.Offer(ctx, f.Offer); err != nil {
						return nil, err
					}
				}
				if *status != "" {
					given, err := oneOf("status", *status, orderStatuses()...)
					if err != nil {
						return nil, err
					}
					f.Statuses = []affiliate.OrderStatus{given}
				}
				if *approval != "" {
					given, err := oneOf("approval", *approval, affiliate.Approved, affiliate.Rejected, affiliate.Held)
					if err != nil {
						return nil, err
					}
					f.Approvals = []affiliate.Approval{given}
				}
				if f.Campaign, f.Creator, err = narrow.read(ctx, a); err != nil {
					return nil, err
				}
				f.From, f.To, err = span.read(ctx, a)
				return func(ctx context.Context, w io.Writer, o app.ExportOptions) (app.Exported, error) {
					return a.ExportConversions(ctx, w, f, storage.ConversionSort{}, o)
				}, err
			})
		},
	}
}

func orderStatuses() []affiliate.OrderStatus {
	return []affiliate.OrderStatus{affiliate.Pending, affiliate.Paid, affiliate.Canceled, affiliate.Refunded}
}

// storeBySlug finds a store; an empty slug is none.
func storeBySlug(ctx context.Context, a *app.App, slug string) (affiliate.StoreID, error) {
	if slug == "" {
		return 0, nil
	}
	store, err := a.DB.StoreBySlug(ctx, slug)
	return store.ID, err
}

func exportOrdersCommand() command {
	return command{
		name:    "export orders",
		args:    "-o FILE [options]",
		summary: "Write orders, credited or not, to a CSV or XLSX file.",
		example: "tributary export orders -o orders.xlsx --store shop-eu\ntributary export orders -o - --from " +
			"2026-11-01 --to 2026-11-30 --status paid\ntributary export orders -o doubts.csv --doubt any",
		run: func(ctx context.Context, c *call) error {
			var o exportOptions
			var span exportRange
			var narrow exportFilter
			store := c.flags.String("store", "", "only those of a store, by its `SLUG`")
			status := c.flags.String("status", "", "only those with a `STATUS`: "+listWords(orderStatuses()))
			custom := c.flags.String("custom-status", "",
				"only those with a `STATUS` that a plugin set, such as shipped")
			doubts := append([]affiliate.Doubt{storage.AnyDoubt}, affiliate.Doubts()...)
			doubt := c.flags.String("doubt", "", "only those in `DOUBT`: "+listWords(doubts))
			parts := c.flags.Bool("parts", false, "only parts of other orders, which marketplace plugins split off")
			o.define(c)
			span.define(c, "placed")
			narrow.define(c)
			return o.run(ctx, c, 0, func(ctx context.Context, a *app.App, _ []string) (exporter, error) {
				f := storage.OrderFilter{Store: *store, Custom: *custom}
				if *parts {
					f.Show = storage.ShowParts
				}
				var err error
				if f.Doubt, err = oneOf("doubt", *doubt, doubts...); err != nil {
					return nil, err
				}
				if f.Status, err = oneOf("status", *status, orderStatuses()...); err != nil {
					return nil, err
				}
				if _, err = storeBySlug(ctx, a, *store); err != nil {
					return nil, err
				}
				if f.Campaign, f.Creator, err = narrow.read(ctx, a); err != nil {
					return nil, err
				}
				f.From, f.To, err = span.read(ctx, a)
				return func(ctx context.Context, w io.Writer, o app.ExportOptions) (app.Exported, error) {
					return a.ExportOrders(ctx, w, f, o)
				}, err
			})
		},
	}
}

func exportLedgerCommand() command {
	return command{
		name:    "export ledger",
		args:    "-o FILE [options]",
		summary: "Write ledger entries to a CSV or XLSX file.",
		example: "tributary export ledger -o ledger.csv --from 2026-01-01 --to 2026-12-31\ntributary export ledger " +
			"-o bonuses.xlsx --kind bonus",
		run: func(ctx context.Context, c *call) error {
			var o exportOptions
			var span exportRange
			var narrow exportFilter
			kind := c.flags.String("kind", "",
				"only those of a `KIND`: accrual, reversal, adjustment, bonus, payout or write_off")
			currency := c.flags.String("currency", "", "only those in a `CURRENCY`")
			o.define(c)
			span.define(c, "posted")
			narrow.define(c)
			return o.run(ctx, c, 0, func(ctx context.Context, a *app.App, _ []string) (exporter, error) {
				var f storage.LedgerFilter
				var err error
				if f.Kind, err = oneOf("kind", *kind, affiliate.Accrual, affiliate.Reversal, affiliate.Adjustment,
					affiliate.Bonus, affiliate.PaidOut, affiliate.WriteOff); err != nil {
					return nil, err
				}
				if *currency != "" {
					if f.Currency, err = money.ParseCurrency(*currency); err != nil {
						return nil, usagef("--currency: %s", err)
					}
				}
				if f.Campaign, f.Creator, err = narrow.read(ctx, a); err != nil {
					return nil, err
				}
				f.From, f.To, err = span.read(ctx, a)
				return func(ctx context.Context, w io.Writer, o app.ExportOptions) (app.Exported, error) {
					return a.ExportLedger(ctx, w, f, o)
				}, err
			})
		},
	}
}

func exportStatementCommand() command {
	return command{
		name:    "export statement",
		args:    "CREATOR -o FILE [options]",
		summary: "Write a creator's ledger entries, with the balance after each, to a CSV or XLSX file.",
		example: "tributary export statement cre_12 -o anna.xlsx --from 2026-01-01",
		run: func(ctx context.Context, c *call) error {
			var o exportOptions
			var span exportRange
			o.define(c)
			span.define(c, "posted")
			return o.run(ctx, c, 1, func(ctx context.Context, a *app.App, args []string) (exporter, error) {
				creator, err := affiliate.ParseID[affiliate.CreatorID]("cre_", args[0])
				if err != nil {
					return nil, usagef("CREATOR: %s", err)
				}
				from, to, err := span.read(ctx, a)
				return func(ctx context.Context, w io.Writer, o app.ExportOptions) (app.Exported, error) {
					return a.ExportStatement(ctx, w, creator, from, to, o)
				}, err
			})
		},
	}
}
