package main

import (
	"context"
	"fmt"

	"github.com/tributaryhq/tributary/internal/storage"
)

func checkCommand() command {
	return command{
		name:    "check",
		args:    "[--repair] [--json]",
		summary: "Check that reports, ledger and orders agree to the cent.",
		example: "tributary check\ntributary check --repair",
		run: func(ctx context.Context, c *call) error {
			repair := c.flags.Bool("repair", false, "compute the sums of reports anew; deliveries wait meanwhile")
			c.jsonFlag()
			if _, err := c.parse(0, 0); err != nil {
				return err
			}
			ctx, a, end, err := c.open(ctx)
			if err != nil {
				return err
			}
			defer end()
			if *repair {
				if err := a.RebuildRollups(ctx); err != nil {
					return err
				}
			}
			findings, err := a.DB.Check(ctx)
			if err != nil {
				return err
			}
			return c.printFindings(findings)
		},
	}
}

// printFindings ends with exit code 1 when there is any.
func (c *call) printFindings(findings []storage.Finding) error {
	if c.json {
		if findings == nil {
			findings = []storage.Finding{}
		}
		if err := c.printJSON(map[string]any{"ok": len(findings) == 0, "findings": findings}); err != nil {
			return err
		}
	} else if len(findings) == 0 {
		fmt.Fprintln(c.stdout,
			"All sums equal the facts, the ledger equals the commissions, conversions equal their orders.")
	}
	if len(findings) == 0 {
		return nil
	}
	if !c.json {
		for _, f := range findings {
			fmt.Fprintf(c.stderr, "%d times it does not hold that %s:\n", f.Count, f.Rule)
			for _, example := range f.Examples {
				fmt.Fprintln(c.stderr, "  "+example)
			}
		}
		fmt.Fprintln(c.stderr,
			"Sums are put right by: tributary check --repair. Please report this as a fault, with these lines.")
	}
	return errReported
}
