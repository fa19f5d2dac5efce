package main

import (
	"context"
	"fmt"

	"github.com/tributaryhq/tributary/internal/config"
	"github.com/tributaryhq/tributary/internal/storage"
)

func checkCommand() command {
	return command{
		name:    "check",
		args:    "[--repair] [--skip-integrity] [--json]",
		summary: "Check that the database is whole, and that reports, ledger and orders agree to the cent.",
		example: "tributary check\ntributary check --skip-integrity\ntributary check --repair",
		run: func(ctx context.Context, c *call) error {
			repair := c.flags.Bool("repair", false, "compute the sums of reports anew; needs the "+
				"server to be stopped, unless it runs on PostgreSQL")
			skip := c.flags.Bool("skip-integrity", false, "leave out whether the database's files are whole, which "+
				"reads all of them")
			c.jsonFlag()
			if _, err := c.parse(0, 0); err != nil {
				return err
			}
			if *repair {
				free, err := c.standAlone()
				if err != nil {
					return err
				}
				defer free()
			}
			ctx, a, err := c.open(ctx)
			if err != nil {
				return damaged(err)
			}
			var notes []string
			if !*skip {
				var broken []storage.Finding
				if broken, notes, err = a.DB.Integrity(ctx); err != nil {
					return damaged(err)
				}
				if len(broken) > 0 { // what it says cannot be relied on
					return c.printFindings(broken, notes, restoreIt)
				}
			}
			if *repair {
				if err := a.RebuildRollups(ctx); err != nil {
					return err
				}
			}
			findings, err := a.DB.Check(ctx)
			if err != nil {
				return damaged(err)
			}
			return c.printFindings(findings, notes, "Sums are put right by: tributary check --repair. Please report "+
				"this as a fault, with these lines.")
		},
	}
}

// standAlone keeps a server off the embedded database until free is called, for work that would keep its deliveries
// waiting for longer than stores do. With PostgreSQL they are taken in all the same.
func (c *call) standAlone() (free func(), err error) {
	cfg, err := config.Load(c.getenv)
	if err != nil || !cfg.Embedded() {
		return func() {}, err
	}
	if err := makeDataFolder(cfg); err != nil {
		return nil, err
	}
	end, err := occupyFolder(cfg.DataDir)
	if err != nil {
		return nil, err
	}
	return func() { _ = end() }, nil // the lock ends with the process as well
}

// restoreIt is the remedy for a database that is not whole.
const restoreIt = "The database is damaged: stop the server, keep a copy of what is there, look at the disk, and " +
	"restore the newest backup for which this check is good (docs/operations.md, Backup)."

// damaged adds the remedy to an error that a damaged file is the reason of.
func damaged(err error) error {
	if storage.IsDamaged(err) {
		return fmt.Errorf("%w\n%s", err, restoreIt)
	}
	return err
}

// printFindings ends with exit code 1 when there is any.
func (c *call) printFindings(findings []storage.Finding, notes []string, remedy string) error {
	if notes == nil {
		notes = []string{}
	}
	if c.json {
		if findings == nil {
			findings = []storage.Finding{}
		}
		err := c.printJSON(map[string]any{"ok": len(findings) == 0, "findings": findings, "notes": notes})
		if err != nil {
			return err
		}
	} else {
		for _, n := range notes {
			fmt.Fprintln(c.stdout, "Note: "+n+".")
		}
	}
	if len(findings) == 0 && !c.json {
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
		fmt.Fprintln(c.stderr, remedy)
	}
	return errReported
}
