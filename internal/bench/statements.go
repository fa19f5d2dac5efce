//go:build unix

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"

	"github.com/tributaryhq/tributary/internal/testservers"
)

// statementsEnv, when set, prints at the end which SQL statements took PostgreSQL's time. Counting them costs a little,
// so such a run is no measurement.
const statementsEnv = "BENCH_STATEMENTS"

func statementSettings() []testservers.Option {
	if os.Getenv(statementsEnv) == "" {
		return nil
	}
	return []testservers.Option{testservers.Setting("shared_preload_libraries", "pg_stat_statements"),
		testservers.Setting("pg_stat_statements.track_planning", "on")}
}

const costlyStatements = `
	SELECT SUM(calls) AS calls, COUNT(*) AS texts, ROUND(SUM(total_exec_time)) AS exec_ms, ROUND(SUM(total_plan_time)) AS plan_ms,
		SUM(rows) AS rows_touched, SUM(wal_bytes) / GREATEST(SUM(rows), 1) AS wal_per_row, LEFT(REGEXP_REPLACE(query, '\s+', ' ', 'g'), 70) AS statement
	FROM pg_stat_statements GROUP BY statement ORDER BY SUM(total_exec_time + total_plan_time) DESC LIMIT 24`

// countStatements begins the counting.
func (b *bench) countStatements(ctx context.Context) error {
	if os.Getenv(statementsEnv) == "" {
		return nil
	}
	if out, err := exec.CommandContext(ctx, "psql", "--no-psqlrc", b.postgres.URL, "-c",
		"CREATE EXTENSION pg_stat_statements").CombinedOutput(); err != nil {
		return fmt.Errorf("count statements: %w: %s", err, out)
	}
	b.onEnd(func() {
		out, err := exec.Command("psql", "--no-psqlrc", b.postgres.URL, "-c", costlyStatements).CombinedOutput()
		b.note("%s", out)
		if err != nil {
			b.note("statements: %v", err)
		}
	})
	return nil
}
