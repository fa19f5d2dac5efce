package main

import (
	"context"
	"fmt"

	"github.com/tributaryhq/tributary/internal/config"
)

func migrateCommand() command {
	return command{
		name:    "migrate",
		args:    "[--json]",
		summary: "Bring the database's schema up to date.",
		example: "tributary migrate",
		run:     migrate,
	}
}

// migrate applies what is missing. Several processes may run it at once.
func migrate(ctx context.Context, c *call) error {
	c.jsonFlag()
	if _, err := c.parse(0, 0); err != nil {
		return err
	}
	cfg, err := config.Load(c.getenv)
	if err != nil {
		return err
	}
	db, err := openDatabase(ctx, cfg)
	if err != nil {
		return err
	}
	defer db.Close()
	applied, err := db.Migrate(ctx)
	if err != nil {
		return err
	}
	if c.json {
		return c.printJSON(map[string]any{"applied": append([]string{}, applied...)})
	}
	for _, name := range applied {
		fmt.Fprintln(c.stdout, "applied", name)
	}
	if len(applied) == 0 {
		fmt.Fprintln(c.stdout, "The schema is up to date.")
	}
	return nil
}
