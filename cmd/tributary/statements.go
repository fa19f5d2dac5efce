package main

import (
	"context"
	"fmt"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/api"
	"github.com/tributaryhq/tributary/internal/storage"
)

func statementsIssueCommand() command {
	return command{
		name:    "statements issue",
		args:    "MONTH [--json]",
		summary: "Issue the creators' statements of a month that is over; again, and only what is missing is issued.",
		example: "tributary statements issue 2026-10",
		run: func(ctx context.Context, c *call) error {
			c.jsonFlag()
			args, err := c.parse(1, 1)
			if err != nil {
				return err
			}
			ctx, a, err := c.open(ctx)
			if err != nil {
				return err
			}
			done, err := a.IssueStatements(ctx, args[0])
			if err != nil {
				return err
			}
			if c.json {
				return c.printJSON(map[string]any{"month": done.Month.Month, "issued": len(done.Statements),
					"before": done.Before})
			}
			if n := len(done.Statements); n > 0 {
				fmt.Fprintf(c.stdout, "Issued %d statements of %s: %s to %s.\n", n, done.Month.Month,
					done.Statements[0].Serial(), done.Statements[n-1].Serial())
			} else {
				fmt.Fprintf(c.stdout, "Nothing is missing: there are %d statements of %s.\n", done.Before,
					done.Month.Month)
			}
			return nil
		},
	}
}

func statementsListCommand() command {
	return command{
		name:    "statements list",
		args:    "[--month MONTH] [--json]",
		summary: "List the creators' statements that were issued, newest first.",
		example: "tributary statements list --month 2026-10",
		run: func(ctx context.Context, c *call) error {
			month := c.flags.String("month", "", "`MONTH`: only those of it, such as 2026-10")
			c.jsonFlag()
			if _, err := c.parse(0, 0); err != nil {
				return err
			}
			ctx, a, err := c.open(ctx)
			if err != nil {
				return err
			}
			all, err := storage.All(func(p storage.Page) ([]affiliate.Statement, string, error) {
				return a.DB.Statements(ctx, storage.StatementFilter{Month: *month}, p)
			})
			if err != nil {
				return err
			}
			list := make([]api.StatementJSON, len(all))
			for i, s := range all {
				list[i] = api.StatementView(s)
			}
			if c.json {
				return c.printJSON(map[string]any{"statements": list})
			}
			if len(list) == 0 {
				fmt.Fprintln(c.stdout, "There is no statement yet. Issue them: tributary statements issue --help")
				return nil
			}
			return printTable(c.stdout, "NUMBER\tMONTH\tCREATOR\tNAME\tCURRENCY\tOPENING\tEARNED\tPAID\tCLOSING",
				func(row func(cells ...any)) {
					for _, s := range list {
						row(s.Number, s.Month, s.Creator, s.CreatorName, s.Currency, s.Opening, s.Earned, s.Paid,
							s.Closing)
					}
				})
		},
	}
}
