package storage

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

func (e *explaining) SelectContext(ctx context.Context, dest any, query string, args ...any) error {
	rows, err := e.QueryxContext(ctx, e.explain+query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	e.plan = ""
	for rows.Next() {
		line := map[string]any{}
		if err := rows.MapScan(line); err != nil {
			return err
		}
		text, ok := line[e.column].(string)
		if !ok {
			text = string(line[e.column].([]byte))
		}
		e.plan += text + "\n"
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return e.conn.SelectContext(ctx, dest, query, args...)
}

// TestConversionPage_walks: the usual order reads an index from where the page begins, however many conversions there are.
// On PostgreSQL, which would rather read an empty table from its beginning, the test says that it must not.
func TestConversionPage_walks(t *testing.T) {
	for _, d := range []struct {
		name            string
		options         Options
		explain, column string
		before          []string
		sorts           string // how a plan says that it sorts what it has found
	}{
		{"sqlite", Options{Path: filepath.Join(t.TempDir(), "t.db")}, "EXPLAIN QUERY PLAN ", "detail", nil, "USE TEMP B-TREE FOR ORDER BY"},
		{"postgres", Options{URL: testservers.Database(t)}, "EXPLAIN ", "QUERY PLAN", []string{"SET LOCAL enable_seqscan = off", "SET LOCAL enable_bitmapscan = off"}, "Sort Key"},
	} {
		t.Run(d.name, func(t *testing.T) {
			db, err := Open(t.Context(), d.options)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.Migrate(t.Context()); err != nil {
				t.Fatal(err)
			}
			march := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
			cursor := keyset{name: newestFirst, kind: timeKey}.position(march, 7).cursor()
			for _, c := range []struct {
				filter ConversionFilter
				page   Page
				index  string
			}{
				{ConversionFilter{}, Page{}, "conversions_placed"}, {ConversionFilter{}, Page{Cursor: cursor}, "conversions_placed"},
				{ConversionFilter{Campaign: 1}, Page{}, "conversions_campaign"}, {ConversionFilter{Campaign: 1}, Page{Cursor: cursor}, "conversions_campaign"},
				{ConversionFilter{Campaign: 1, Former: true, From: march}, Page{}, "conversions_campaign"},
				{ConversionFilter{Campaign: 1, Statuses: []affiliate.OrderStatus{"paid"}, WithRefund: true}, Page{Cursor: cursor}, "conversions_campaign"},
				{ConversionFilter{Approvals: []affiliate.Approval{affiliate.Held}}, Page{Cursor: cursor}, "conversions_held"},
				{ConversionFilter{Ambiguous: true}, Page{}, "conversions_ambiguous"},
			} {
				err := db.InTx(t.Context(), func(tx *Tx) error {
					for _, statement := range d.before {
						if _, err := tx.exec(t.Context(), statement); err != nil {
							return err
						}
					}
					e := &explaining{conn: tx.c, explain: d.explain, column: d.column}
					if _, _, err := (queries{e, tx.d}).ConversionPage(t.Context(), c.filter, ConversionSort{}, c.page); err != nil {
						return err
					}
					// One sort is for the page itself, whose rows have been found.
					if !strings.Contains(e.plan, c.index) || strings.Count(e.plan, d.sorts) > 1 {
						t.Errorf("%+v, cursor %q: the plan is\n%s", c.filter, c.page.Cursor, e.plan)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
