package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/tributaryhq/tributary/internal/app"
)

func importCommand() command {
	return command{
		name:    "import",
		args:    "FILE.csv [--dry-run] [--json]",
		summary: "Import campaigns, creators, offers, codes and links from a CSV file.",
		example: "tributary import creators.csv --dry-run\ntributary import creators.csv\n" +
			"# columns: campaign,creator,instagram,email,offer,store,code,link_slug,landing_url," +
			"commission_percent,commission_flat,product_value",
		run: importFile,
	}
}

func importFile(ctx context.Context, c *call) error {
	dryRun := c.flags.Bool("dry-run", false, "say what would happen, and change nothing")
	c.jsonFlag()
	args, err := c.parse(1, 1)
	if err != nil {
		return err
	}
	file := c.stdin
	if args[0] != "-" {
		opened, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer opened.Close()
		file = opened
	}
	ctx, a, end, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer end()
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

func printReport(stdout, stderr io.Writer, name string, r app.ImportReport) {
	for _, e := range r.Errors {
		fmt.Fprintf(stderr, "%s: %s\n", name, e)
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
