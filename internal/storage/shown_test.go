package storage

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// held is how figures are shown after a change of currency and zone.
func held(p planner) *Shown {
	p.Helper()
	ctx := p.Context()
	err := p.db.InTx(ctx, func(tx *Tx) error {
		if _, err := tx.exec(ctx, `INSERT INTO recalculations (reason, state, phase, total, started_at, before)
			VALUES ('a test', 'running', 'conversions', 1, ?, ?)`, At(time.Now()), `{"currency":"EUR","timezone":"Europe/Berlin"}`); err != nil {
			return err
		}
		return tx.SaveSettings(ctx, affiliate.DefaultSettings(), time.Now())
	})
	if err != nil {
		p.Fatal(err)
	}
	shown, err := p.db.shownNow(ctx)
	if err != nil || shown == nil {
		p.Fatalf("%v, %v", shown, err)
	}
	return shown
}

// TestShown_has_the_columns_of_the_tables: what stands for a table while figures are computed anew has its columns, and
// what is kept beside it has them, too.
func TestShown_has_the_columns_of_the_tables(t *testing.T) {
	eachPlanner(t, func(p planner) {
		columnsOf := func(query string) []string {
			p.Helper()
			rows, err := p.db.c.QueryxContext(p.Context(), query)
			if err != nil {
				p.Fatalf("%s: %v", query, err)
			}
			defer rows.Close()
			names, err := rows.Columns()
			if err != nil {
				p.Fatal(err)
			}
			slices.Sort(names)
			return names
		}
		shown := held(p)
		if len(shown.tables()) != 7 {
			p.Errorf("%d tables are stood for", len(shown.tables()))
		}
		for table := range shown.tables() {
			query := `SELECT * FROM ` + table + ` LIMIT 1`
			is, was := columnsOf(query), columnsOf(shown.over(query))
			if shown.over(query) == query || !slices.Equal(is, was) {
				p.Errorf("%s has %v, and is shown with %v", table, is, was)
			}
		}
		for _, table := range sumTables {
			want := append([]string{"recalculation_id"}, table.columns...)
			slices.Sort(want)
			if kept := columnsOf(`SELECT * FROM shown_` + table.name + ` LIMIT 1`); !slices.Equal(kept, want) {
				p.Errorf("shown_%s has %v, not %v", table.name, kept, want)
			}
		}
	})
}

// TestShown_days: the database tells days in a zone as we do, also around changes of the clock.
func TestShown_days(t *testing.T) {
	for _, zone := range []string{"Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Asia/Tokyo", "Pacific/Apia",
		"UTC", "Africa/Casablanca"} {
		t.Run(strings.ReplaceAll(zone, "/", "-"), func(t *testing.T) {
			eachPlanner(t, func(p planner) {
				in, err := affiliate.LoadZone(zone)
				if err != nil {
					p.Fatal(err)
				}
				shown := &Shown{zone: in, d: p.db.d}
				var moments []time.Time
				for at := time.Date(1971, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2032; at = at.Add(411*time.Hour +
					59*time.Minute) {
					moments = append(moments, at)
				}
				for at := time.Now().AddDate(3, 0, 0); ; { // and around each change of the clock
					since, _ := at.In(in).ZoneBounds()
					if since.IsZero() || since.Year() < 1971 {
						break
					}
					moments = append(moments, since, since.Add(-time.Microsecond), since.Add(time.Microsecond))
					midnight := time.Date(since.Year(), since.Month(), since.Day()+1, 0, 0, 0, 0, in)
					moments = append(moments, midnight, midnight.Add(-time.Microsecond))
					at = since.Add(-time.Nanosecond)
				}
				typed := []string{"TIMESTAMPTZ"}
				for part := range slices.Chunk(moments, 200) {
					args := make([]any, len(part))
					for i, m := range part {
						args[i] = At(m)
					}
					var got []struct {
						At  Time
						Day string
					}
					if err := p.db.List(p.Context(), &got, `WITH v AS (VALUES `+p.db.d.typedValues(len(part), typed...)+`)
						SELECT column1 AS at, `+shown.daySQL("column1")+` AS day FROM v`, args...); err != nil {
						p.Fatal(err)
					}
					for _, g := range got {
						if want := affiliate.Day(g.At.Time, in); g.Day != want {
							p.Errorf("%s in %s: %s, not %s", g.At, zone, g.Day, want)
						}
					}
				}
			})
		})
	}
}
