package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
)

func importCommand() command {
	return command{
		name:    "import",
		args:    "FILE.csv|FILE.xlsx|- [--dry-run] [--json] | --template FILE.csv|FILE.xlsx",
		summary: "Import campaigns, creators, offers, codes and links from a CSV file or an XLSX workbook.",
		example: "tributary import --template creators.xlsx\ntributary import creators.xlsx --dry-run\n" +
			"tributary import creators.csv\n# columns: " +
			"campaign,creator,instagram,email,offer,store,code,link_slug,landing_url," +
			"commission_percent,commission_flat,product_value",
		run: importFile,
	}
}

func importFile(ctx context.Context, c *call) error {
	dryRun := c.flags.Bool("dry-run", false, "say what would happen, and change nothing")
	template := c.flags.String("template", "", "write a `FILE` to begin with, CSV or XLSX by its name, and import "+
		"nothing")
	c.jsonFlag()
	args, err := c.parse(0, 1)
	if err != nil {
		return err
	}
	if *template != "" {
		return importTemplate(ctx, c, *template, args)
	}
	if len(args) == 0 {
		return usagef("an argument is missing: %s", c.command.args)
	}
	file, err := c.openFile(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	report, err := a.Import(ctx, file, *dryRun)
	if err != nil {
		return err
	}
	if c.json {
		err = c.printJSON(report)
	} else {
		printReport(c.stdout, c.stderr, args[0], report)
	}
	if err == nil && len(report.Errors) > 0 {
		err = errReported
	}
	return err
}

// importTemplate writes a file to begin with. It writes over none that there is.
func importTemplate(ctx context.Context, c *call, name string, args []string) (err error) {
	if len(args) > 0 {
		return usagef("--template imports nothing; leave out %q", args[0])
	}
	format, err := export.ParseFormat(filepath.Ext(name))
	if err != nil {
		return usagef("--template: %q must end in .csv or .xlsx", name)
	}
	ctx, a, err := c.open(ctx)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	if err := errors.Join(a.ImportTemplate(ctx, file, format, false), file.Close()); err != nil {
		return err
	}
	if c.json {
		return c.printJSON(map[string]string{"template": name})
	}
	fmt.Fprintf(c.stdout, "Fill in %s, then: tributary import %s --dry-run\n", name, name)
	return nil
}

// printFile says how a file was read.
func printFile(w io.Writer, f app.ImportFile) {
	switch {
	case f.Sheet != "":
		fmt.Fprintf(w, "Read as: the sheet %q of a workbook\n", f.Sheet)
	case f.Delimiter != "":
		fmt.Fprintf(w, "Read as: CSV in %s, cells divided by %ss, decimal %s\n", f.Encoding, f.Delimiter, f.DecimalSign)
	}
	for _, c := range f.Columns {
		fmt.Fprintf(w, "  %-2s %-20s %s\n", c.Column, cmp.Or(c.Header, "(no name)"), cmp.Or(c.Field, c.Note))
	}
}

func printReport(stdout, stderr io.Writer, name string, r app.ImportReport) {
	if r.DryRun {
		printFile(stdout, r.File)
	}
	for _, e := range r.Errors {
		fmt.Fprintf(stderr, "%s: %s\n", name, e)
	}
	if r.AppliedLines > 0 && len(r.Errors) > 0 {
		fmt.Fprintf(stderr, "%d of %d lines are imported; the rest was left, since something was changed meanwhile. "+
			"Import the file again once it is right.\n", r.AppliedLines, r.Lines)
		return
	}
	if n := len(r.Errors); n > 0 {
		fmt.Fprintf(stderr, "%s in %s; nothing was imported. Correct the file and import it again.\n",
			counted(n, "problem", "problems"), name)
		return
	}
	for _, n := range r.Notes {
		fmt.Fprintf(stdout, "Note, %s\n", n)
	}
	lines := counted(r.Lines, "line", "lines")
	switch {
	case !r.Changes():
		fmt.Fprintf(stdout, "%s read; everything is there already, nothing changed.\n", lines)
		return
	case r.DryRun:
		fmt.Fprintf(stdout, "%s read; this is what would happen (dry run, nothing changed):\n", lines)
	default:
		fmt.Fprintf(stdout, "%s imported:\n", lines)
	}
	printCounts(stdout, r)
	if r.WaitingOrders > 0 {
		fmt.Fprintf(stdout,
			"%s without credit a code or link that is new here. See what crediting would do: tributary reattribute\n",
			counted(r.WaitingOrders, "order carries", "orders carry"))
	}
}

func printCounts(w io.Writer, r app.ImportReport) {
	for _, row := range []struct {
		name             string
		created, updated int
	}{
		{"campaigns", r.Created.Campaigns, r.Updated.Campaigns},
		{"creators", r.Created.Creators, r.Updated.Creators},
		{"members", r.Created.Members, r.Updated.Members},
		{"offers", r.Created.Offers, r.Updated.Offers},
		{"offer members", r.Created.OfferMembers, r.Updated.OfferMembers},
		{"codes", r.Created.Codes, r.Updated.Codes},
		{"links", r.Created.Links, r.Updated.Links},
	} {
		if row.created+row.updated > 0 {
			fmt.Fprintf(w, "  %-14s %d new, %d changed\n", row.name, row.created, row.updated)
		}
	}
}
