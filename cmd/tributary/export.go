package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/schollz/progressbar/v3"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/filters"
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

// stdFile names standard output, or input, where a file is asked for.
const stdFile = "-"

// parsed completes the options. The format is that of the file's name unless one is given.
func (o *exportOptions) parsed(c *call) (export.Format, error) {
	if err := c.required("o"); err != nil {
		return "", err
	}
	if o.output == stdFile && c.json {
		return "", usagef("--json has stdout for itself; give a file with -o")
	}
	text := o.format
	if text == "" && o.output == stdFile {
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
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
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
	if o.output == stdFile {
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
	if o.output == stdFile {
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
		fmt.Fprintln(c.stdout,
			"These are the sums of all rows. Those of the columns Counted … are what the pages say: "+
				"of what is paid, not rejected and not held, in the account's currency.")
	}
	return nil
}

// defineSpan adds the options of a span of time.
func defineSpan(c *call, verb string) {
	c.flags.String("from", "",
		verb+" at or after a `TIME`: a day of the account's zone (2026-11-01), or 2026-11-01T08:00:00Z")
	c.flags.String("to", "", verb+" before a `TIME`, or up to a day, which is the last one that counts")
}

// defineWhose adds the options that narrow an export to a campaign and a creator.
func defineWhose(c *call) {
	c.flags.String("campaign", "", "only those of a campaign, by its `ID` (cmp_1)")
	c.flags.String("creator", "", "only those of a creator, by their `ID` (cre_1)")
}

// filters reads what the options of the command narrow, by the names that addresses have for them.
func (c *call) filters(ctx context.Context, a *app.App) (*filters.Query, error) {
	values := url.Values{}
	c.flags.Visit(func(f *flag.Flag) { values.Set(strings.ReplaceAll(f.Name, "-", "_"), f.Value.String()) })
	if store := values.Get("store"); store != "" {
		if _, err := a.DB.StoreNamed(ctx, store); err != nil {
			return nil, err
		}
	}
	ctx, err := a.DB.AsShown(ctx) // what is exported is shown, too
	if err != nil {
		return nil, err
	}
	_, zone, err := a.DB.Account(ctx)
	return filters.New(ctx, a.DB, values, zone), err
}

// optionError names the option that an error is about.
func optionError(err error) error {
	var e *affiliate.Error
	if errors.As(err, &e) && e.Kind == affiliate.Invalid && e.Field != "" {
		return usagef("--%s: %s", strings.ReplaceAll(e.Field, "_", "-"), e.Message)
	}
	return err
}

// known says whether there is what an export is narrowed to. An id of 0 is nothing that anybody asked for.
func known(ctx context.Context, a *app.App, creator affiliate.CreatorID, offer affiliate.OfferID,
	campaigns ...affiliate.CampaignID) error {
	var err error
	for _, id := range campaigns {
		if err == nil && id != 0 {
			_, err = a.DB.Campaign(ctx, id)
		}
	}
	if err == nil && creator != 0 {
		_, err = a.DB.Creator(ctx, creator)
	}
	if err == nil && offer != 0 {
		_, err = a.DB.Offer(ctx, offer)
	}
	return err
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
			c.flags.String("store", "", "only those of a store, by its `SLUG`")
			c.flags.String("offer", "", "only those of an offer, by its `ID` (off_1)")
			c.flags.String("status", "",
				"only those whose order has a `STATUS`: "+affiliate.WordList[affiliate.OrderStatus]())
			c.flags.String("approval", "",
				"only those with an `APPROVAL`: "+affiliate.WordList[affiliate.Approval]())
			current := c.flags.Bool("current", false,
				"only those of creators who are still in the campaign and the community, as campaigns count them")
			o.define(c)
			defineSpan(c, "placed")
			defineWhose(c)
			return o.run(ctx, c, 0, func(ctx context.Context, a *app.App, _ []string) (exporter, error) {
				q, err := c.filters(ctx, a)
				if err != nil {
					return nil, err
				}
				f := q.Conversions()
				f.Former = !*current
				if err := q.Err(); err != nil {
					return nil, optionError(err)
				}
				if err := known(ctx, a, f.Creator, f.Offer, f.Campaigns...); err != nil {
					return nil, err
				}
				f.From, f.To = q.Span()
				return func(ctx context.Context, w io.Writer, o app.ExportOptions) (app.Exported, error) {
					return a.ExportConversions(ctx, w, f, storage.ConversionSort{}, o)
				}, q.Err()
			})
		},
	}
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
			c.flags.String("store", "", "only those of a store, by its `SLUG`")
			c.flags.String("status", "", "only those with a `STATUS`: "+affiliate.WordList[affiliate.OrderStatus]())
			c.flags.String("custom-status", "",
				"only those with a `STATUS` that a plugin set, such as shipped")
			c.flags.String("doubt", "", "only those in `DOUBT`: "+affiliate.WordList[storage.DoubtFilter]())
			c.flags.Bool("parts", false, "only parts of other orders, which marketplace plugins split off")
			o.define(c)
			defineSpan(c, "placed")
			defineWhose(c)
			return o.run(ctx, c, 0, func(ctx context.Context, a *app.App, _ []string) (exporter, error) {
				q, err := c.filters(ctx, a)
				if err != nil {
					return nil, err
				}
				f := q.Orders()
				if err := q.Err(); err != nil {
					return nil, optionError(err)
				}
				if err := known(ctx, a, f.Creator, 0, f.Campaign); err != nil {
					return nil, err
				}
				f.From, f.To = q.Span()
				return func(ctx context.Context, w io.Writer, o app.ExportOptions) (app.Exported, error) {
					return a.ExportOrders(ctx, w, f, o)
				}, q.Err()
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
			c.flags.String("kind", "", "only those of a `KIND`: "+affiliate.WordList[affiliate.EntryKind]())
			c.flags.String("currency", "", "only those in a `CURRENCY`")
			o.define(c)
			defineSpan(c, "posted")
			defineWhose(c)
			return o.run(ctx, c, 0, func(ctx context.Context, a *app.App, _ []string) (exporter, error) {
				q, err := c.filters(ctx, a)
				if err != nil {
					return nil, err
				}
				f := q.Ledger()
				if err := q.Err(); err != nil {
					return nil, optionError(err)
				}
				if err := known(ctx, a, f.Creator, 0, f.Campaign); err != nil {
					return nil, err
				}
				f.From, f.To = q.Span()
				return func(ctx context.Context, w io.Writer, o app.ExportOptions) (app.Exported, error) {
					return a.ExportLedger(ctx, w, f, o)
				}, q.Err()
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
			o.define(c)
			defineSpan(c, "posted")
			return o.run(ctx, c, 1, func(ctx context.Context, a *app.App, args []string) (exporter, error) {
				creator, err := affiliate.ParseID[affiliate.CreatorID]("cre_", args[0])
				if err != nil {
					return nil, usagef("CREATOR: %s", err)
				}
				q, err := c.filters(ctx, a)
				if err != nil {
					return nil, err
				}
				from, to := q.Span()
				return func(ctx context.Context, w io.Writer, o app.ExportOptions) (app.Exported, error) {
					return a.ExportStatement(ctx, w, creator, from, to, o)
				}, q.Err()
			})
		},
	}
}
