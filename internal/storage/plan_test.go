package storage

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/testservers"
)

// explaining keeps the plan of the last list that was read.
type explaining struct {
	conn
	explain string
	column  string
	plan    string
}

func (e *explaining) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	rows, err := e.conn.QueryxContext(ctx, e.explain+query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	e.plan = ""
	for rows.Next() {
		line := map[string]any{}
		if err := rows.MapScan(line); err != nil {
			return nil, err
		}
		text, ok := line[e.column].(string)
		if !ok {
			text = string(line[e.column].([]byte))
		}
		e.plan += text + "\n"
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return e.conn.QueryxContext(ctx, query, args...)
}

// planner is an empty database that tells how it would read.
type planner struct {
	*testing.T
	db              *DB
	explain, column string
	before          []string
	sorts           string // how a plan says that it sorts what it has found
	outer           string // and that it reads a table beside all rows that another has
}

// eachPlanner runs a test on both databases. PostgreSQL, which would rather read an empty table from its beginning, is
// told that it must not.
func eachPlanner(t *testing.T, test func(p planner)) {
	for name, d := range map[string]struct {
		options Options
		planner
	}{
		"sqlite": {Options{Path: filepath.Join(t.TempDir(), "t.db")}, planner{explain: "EXPLAIN QUERY PLAN ",
			column: "detail", sorts: "USE TEMP B-TREE FOR ORDER BY", outer: "LEFT-JOIN"}},
		"postgres": {Options{URL: testservers.Database(t)}, planner{explain: "EXPLAIN ",
			column: "QUERY PLAN", sorts: "Sort Key", outer: "Left Join",
			before: []string{"SET LOCAL enable_seqscan = off", "SET LOCAL enable_bitmapscan = off",
				"SET LOCAL enable_hashjoin = off"}}},
	} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(t.Context(), d.options)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			d.T, d.db = t, db
			test(d.planner)
		})
	}
}

// plan is that of the last list that read reads.
func (p planner) plan(read func(queries) error) string {
	p.Helper()
	e := &explaining{explain: p.explain, column: p.column}
	err := p.db.InTx(p.Context(), func(tx *Tx) error {
		for _, statement := range p.before {
			if _, err := tx.exec(p.Context(), statement); err != nil {
				return err
			}
		}
		e.conn = tx.c
		return read(queries{c: e, d: tx.d})
	})
	if err != nil {
		p.Fatal(err)
	}
	return e.plan
}

// TestConversionPage_walks: the usual order reads an index from where the page begins, however many conversions there
// are.
func TestConversionPage_walks(t *testing.T) {
	eachPlanner(t, func(p planner) {
		march := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		newestConversions, _ := ConversionSort{}.keyset()
		cursor := newestConversions.cursor(march, 7)
		for _, c := range []struct {
			filter ConversionFilter
			page   Page
			index  string
		}{
			{ConversionFilter{}, Page{}, "conversions_placed"},
			{ConversionFilter{}, Page{Cursor: cursor}, "conversions_placed"},
			{ConversionFilter{Campaign: 1}, Page{}, "conversions_campaign"},
			{ConversionFilter{Campaign: 1}, Page{Cursor: cursor}, "conversions_campaign"},
			{ConversionFilter{Campaign: 1, Former: true, From: march}, Page{}, "conversions_campaign"},
			{ConversionFilter{Campaign: 1, Statuses: []affiliate.OrderStatus{"paid"}, WithRefund: true},
				Page{Cursor: cursor}, "conversions_campaign"},
			{ConversionFilter{Approvals: []affiliate.Approval{affiliate.Held}},
				Page{Cursor: cursor}, "conversions_held"},
			{ConversionFilter{Ambiguous: true}, Page{}, "conversions_ambiguous"},
			{ConversionFilter{Ambiguous: true, Undecided: true, Former: true}, Page{Cursor: cursor},
				"conversions_ambiguous"},
		} {
			plan := p.plan(func(q queries) error {
				_, _, err := q.ConversionPage(p.Context(), c.filter, ConversionSort{}, c.page)
				return err
			})
			// One sort is for the page itself, whose rows have been found.
			if !strings.Contains(plan, c.index) || strings.Count(plan, p.sorts) > 1 {
				p.Errorf("%+v, cursor %q: the plan is\n%s", c.filter, c.page.Cursor, plan)
			}
		}
	})
}

// TestListOrders_walks: a page of orders reads an index from where it begins, without a look at conversions; who wants
// those of a conversion gets no others beside them.
func TestListOrders_walks(t *testing.T) {
	eachPlanner(t, func(p planner) {
		march := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		plan := func(f OrderFilter) string {
			return p.plan(func(q queries) error {
				_, _, err := q.ListOrders(p.Context(), f, Page{Cursor: newestOrders.cursor(march, 7)})
				return err
			})
		}
		for _, f := range []OrderFilter{{}, {From: march, Status: "paid"}, {Show: ShowCredited}, {Show: ShowUncredited},
			{Show: ShowTest, Text: "7"}} {
			got := plan(f)
			if !strings.Contains(got, "orders_placed") || strings.Contains(got, "conversions") ||
				strings.Contains(got, p.sorts) {
				p.Errorf("%+v: the plan is\n%s", f, got)
			}
		}
		for _, f := range []OrderFilter{{Campaign: 1}, {Creator: 1}, {Show: ShowHeld}, {Show: ShowAmbiguous},
			{Show: ShowUnconverted}} {
			if got := plan(f); !strings.Contains(got, "conversions") || strings.Contains(got, p.outer) {
				p.Errorf("%+v: the plan is\n%s", f, got)
			}
		}
	})
}
