package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/report"
	"github.com/tributaryhq/tributary/internal/storage"
)

// asShown is a context in which figures are read as they are to be shown.
func (r *rig) asShown() context.Context {
	r.Helper()
	ctx, err := r.db.AsShown(r.Context())
	r.ok(err)
	return ctx
}

// adds checks that what is shown adds up, and gives the currency and the zone that it is in.
func (r *rig) adds(t fatal) affiliate.Settings {
	t.Helper()
	ctx := r.asShown()
	settings, zone, err := r.db.Account(ctx)
	if err != nil {
		t.Fatalf("%v", err)
	}
	if findings, err := r.db.Check(ctx); err != nil || len(findings) > 0 {
		t.Fatalf("what is shown: %+v, %v", findings, err)
	}
	rng := affiliate.Range{From: "2023-11-01", To: "2023-12-01", Zone: zone, Preset: affiliate.PeriodCustom}
	r.totalsIn(ctx, t, rng, settings.Currency)
	if newest, err := r.db.NewestRecalculation(r.Context()); err == nil && !newest.Running() {
		r.onTheirDays(t, zone)
	}
	return settings
}

// onTheirDays checks that clicks and ledger entries are of their days in a zone.
func (r *rig) onTheirDays(t fatal, zone *time.Location) {
	t.Helper()
	for table, column := range map[string]string{"clicks": "at", "ledger_entries": "created_at"} {
		var rows []struct {
			At  storage.Time
			Day string
		}
		r.ok(r.db.List(r.Context(), &rows, `SELECT `+column+` AS at, day FROM `+table))
		if len(rows) == 0 {
			t.Fatalf("no %s", table)
		}
		for _, row := range rows {
			if want := affiliate.Day(row.At.Time, zone); row.Day != want {
				t.Fatalf("%s of %s are of %s, want %s", table, row.At, row.Day, want)
			}
		}
	}
}

// figures are all that people see of figures.
func (r *rig) figures(t fatal) string {
	t.Helper()
	ctx := r.asShown()
	settings, zone, err := r.db.Account(ctx)
	fine := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%v", err)
		}
	}
	fine(err)
	var b strings.Builder
	say := func(v any, err error) {
		t.Helper()
		fine(err)
		fmt.Fprintf(&b, "%s\n", plain(v))
	}
	fmt.Fprintln(&b, settings.Currency, settings.Timezone, settings.MinimumPayout)
	page := storage.Page{Limit: storage.MaxLimit}
	now := r.app.Now()
	for _, rng := range []affiliate.Range{{Zone: zone},
		{From: "2023-11-13", To: "2023-11-15", Zone: zone, Preset: affiliate.PeriodCustom}} {
		all := report.Report{Scope: report.Scope{Former: true}, Range: rng, Currency: settings.Currency}
		say(all.KeyFigures(ctx, r.db, settings, now))
		chart, err := all.Chart(ctx, r.db, "", now)
		say(chart, err)
		list := report.List{Report: all, Page: page, Compare: true}
		say(list.CampaignRows(ctx, r.db))
		say(list.OfferRows(ctx, r.db))
		say(list.CreatorRows(ctx, r.db))
		say(list.CodeRows(ctx, r.db))
		for creator := affiliate.CreatorID(1); creator <= 2; creator++ {
			one := all
			one.Creator = creator
			say(one.Sums(ctx, r.db))
			say(one.Series(ctx, r.db, chart.Buckets))
		}
	}
	f := storage.ConversionFilter{Former: true}
	fine(r.db.EachConversion(ctx, f, storage.ConversionSort{Column: "value"}, func(c *storage.ConversionItem) error {
		c.Conversion.LedgerCurrency, c.LedgerRate, c.LedgerCommission = "", nil, 0 // it follows what is posted
		say(c, nil)
		return nil
	}))
	f.Unconverted = true
	say(report.TotalConversions(ctx, r.db, f))
	file := exported(r.T, func(w io.Writer, o app.ExportOptions) (app.Exported, error) {
		return r.app.ExportConversions(ctx, w, storage.ConversionFilter{Former: true},
			storage.ConversionSort{Column: "date"}, o)
	})
	say(file.sum(r.T, "Account Value", "Account Currency", func(func(string) string) bool { return true }), nil)
	say(r.uncredited(ctx), nil)
	return b.String()
}

// plain writes a value with what its pointers point to.
func plain(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// uncredited are the orders without a creator, by day.
func (r *rig) uncredited(ctx context.Context) []string {
	r.Helper()
	var list []string
	r.ok(r.db.List(ctx, &list, `SELECT day || ' ' || currency || ' ' || CAST(SUM(orders) AS TEXT) || ' ' || CAST(SUM(sales) AS TEXT)
		FROM uncredited_days GROUP BY day, currency HAVING SUM(orders) <> 0 OR SUM(sales) <> 0 ORDER BY day, currency`))
	return list
}

// stock gives the rig two days of rates, a link with clicks around midnight, and orders of all kinds.
func (r *rig) stock() {
	r.Helper()
	for _, day := range []string{"2023-11-13", "2023-11-14"} {
		r.rates(day, map[money.Currency]string{"USD": "1.0868", "JPY": "163.05", "KWD": "0.33351"})
	}
	r.app.Now = func() time.Time { return time.Date(2023, 11, 15, 9, 0, 0, 0, time.UTC) }
	_, err := r.app.Import(r.owner(), strings.NewReader(rigHeader+"Spring,Anna,@anna,anna@creators.example,Ten,shop,ANNA10,anna,https://shop.example/,10,,0\n"), false)
	r.ok(err)
	r.click(0, 40)
	r.apply(orderBody("a-1", 1, nil))
	r.apply(orderBody("a-2", 1, func(s *affiliate.Snapshot) { s.Currency, s.Codes = "EUR", []string{"ben5"} }))
	r.apply(orderBody("a-3", 1, func(s *affiliate.Snapshot) { s.Currency = "SEK" })) // has no rate
	r.apply(orderBody("a-4", 1, func(s *affiliate.Snapshot) {
		s.Codes, s.PlacedAt = nil, s.PlacedAt.Add(-7*time.Hour)
	}))
	r.apply(orderBody("a-5", 1, func(s *affiliate.Snapshot) { s.PlacedAt = s.PlacedAt.Add(-20 * time.Hour) }))
	r.apply(orderBody("a-5", 2, func(s *affiliate.Snapshot) {
		s.PlacedAt, s.Merchandise = s.PlacedAt.Add(-20*time.Hour), s.Merchandise/2
	}))
}

const rigHeader = "campaign,creator,instagram,email,offer,store,code,link_slug,landing_url," +
	"commission_percent,commission_flat,product_value\n"

// click adds clicks on Anna's link, an hour apart.
func (r *rig) click(from, to int) {
	r.Helper()
	_, zone, err := r.db.Account(r.Context())
	r.ok(err)
	var clicks []storage.Click
	for i := from; i < to; i++ {
		at := time.Date(2023, 11, 13, 3, 30, 0, 0, time.UTC).Add(time.Duration(i%44) * time.Hour)
		clicks = append(clicks, storage.Click{ID: fmt.Sprintf("click-%03d", i), LinkID: 1, At: at,
			Day: affiliate.Day(at, zone), Bot: i%7 == 0})
	}
	r.ok(r.db.InTx(r.Context(), func(tx *storage.Tx) error { return tx.InsertClicks(r.Context(), clicks) }))
}

// change starts a change of settings.
func (r *rig) change(currency, zone string) {
	r.Helper()
	_, err := r.app.SetSettings(r.owner(), []app.Setting{{Key: "currency", Value: currency},
		{Key: "timezone", Value: zone}})
	r.ok(err)
}

// TestFiguresAreShownAsBeforeUntilAllAreComputedAnew: whatever people see stays as it was at every step, and then is by
// the new settings at once.
func TestFiguresAreShownAsBeforeUntilAllAreComputedAnew(t *testing.T) {
	for _, to := range []struct{ name, currency, zone string }{{"currency", "EUR", "UTC"},
		{"zone", "USD", "America/Los_Angeles"}, {"both", "JPY", "Asia/Tokyo"}} {
		t.Run(to.name, func(t *testing.T) {
			eachRig(t, func(r *rig) {
				r.stock()
				r.payOut(r.T)
				before := r.figures(r.T)
				r.change(to.currency, to.zone)
				steps := 0
				for more := true; more; steps++ {
					newest, err := r.db.NewestRecalculation(r.Context())
					r.ok(err)
					if s := r.adds(r.T); newest.Running() != (s.Currency == "USD" && s.Timezone == "UTC") {
						r.Fatalf("%+v is shown in %s, %s", newest, s.Currency, s.Timezone)
					}
					if after := r.figures(r.T); newest.Running() && after != before {
						r.Fatalf("after %d steps:\n%s\nnow\n%s", steps, before, after)
					}
					more, err = r.app.RecalculateSome(r.Context(), 3)
					r.ok(err)
				}
				if steps < 4 {
					r.Errorf("only %d steps", steps)
				}
				if s := r.adds(r.T); string(s.Currency) != to.currency || s.Timezone != to.zone {
					r.Errorf("in the end %s, %s", s.Currency, s.Timezone)
				}
				// The sums are what the facts, as they are now, add up to when all are counted at once.
				after := r.figures(r.T)
				r.ok(r.app.RebuildRollups(r.owner()))
				if rebuilt := r.figures(r.T); rebuilt != after {
					r.Errorf("rebuilt\n%s\ncomputed\n%s", rebuilt, after)
				}
			})
		})
	}
}

// TestWhatIsShownFollowsWhatHappensMeanwhile: orders, decisions, clicks, payouts and members who leave while figures
// are computed anew count by the settings before and by those after, and both add up at every step.
func TestWhatIsShownFollowsWhatHappensMeanwhile(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.stock()
		members, _, err := r.db.Members(r.Context(), storage.MemberFilter{}, storage.Page{})
		r.ok(err)
		round, clicks := 0, 100
		rapid.Check(r.T, func(t *rapid.T) {
			if round++; round > 6 {
				return // each step looks at all that came before
			}
			r.ok(r.app.Recalculate(r.Context())) // what a failure left
			r.change(rapid.SampledFrom([]string{"USD", "EUR", "JPY"}).Draw(t, "to"),
				rapid.SampledFrom([]string{"UTC", "Asia/Tokyo", "America/Los_Angeles"}).Draw(t, "in"))
			for step, more := 0, true; more; step++ {
				if step < 12 {
					r.meanwhile(t, round, step, members)
				}
				if rapid.IntRange(0, 3).Draw(t, "click") == 0 {
					clicks += 3
					r.click(clicks-3, clicks)
				}
				r.adds(t)
				if findings, err := r.db.Check(r.Context()); err != nil || len(findings) > 0 {
					t.Fatalf("what is computed: %+v, %v", findings, err)
				}
				if more, err = r.app.RecalculateSome(r.Context(), rapid.IntRange(1, 30).Draw(t, "rows")); err != nil {
					t.Fatal(err)
				}
			}
		})
	})
}

// TestRecalculationOfSeveral_race: two processes compute anew while deliveries come, one of them is stopped in the
// midst of a batch, and clicks and decisions go on. Nothing is lost, nothing is counted twice, and what is shown adds
// up.
func TestRecalculationOfSeveral_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.stock()
		for i := range 40 {
			r.apply(orderBody(fmt.Sprintf("b-%d", i), 1, nil))
		}
		r.change("EUR", "Asia/Tokyo")
		stopped, stop := context.WithCancel(r.Context())
		var work sync.WaitGroup
		for n := range 2 {
			work.Go(func() {
				for more := true; more; {
					ctx := r.Context()
					if n == 0 {
						ctx = stopped
					}
					var err error
					more, err = r.app.RecalculateSome(ctx, 3)
					if ctx.Err() != nil {
						more, stopped = true, r.Context() // it is started again
						continue
					}
					if err != nil {
						r.Error(err)
						return
					}
				}
			})
		}
		work.Go(func() {
			for i := range 20 {
				r.apply(orderBody(fmt.Sprintf("c-%d", i%7), int64(i+1), func(s *affiliate.Snapshot) {
					s.Merchandise += int64(i)
				}))
				r.click(200+i, 201+i)
				if i == 4 {
					stop()
				}
			}
		})
		work.Wait()
		stop()
		newest, err := r.db.NewestRecalculation(r.Context())
		r.ok(err)
		if newest.Running() {
			r.Errorf("it is not done: %+v", newest)
		}
		if s := r.adds(r.T); s.Currency != "EUR" || s.Timezone != "Asia/Tokyo" {
			r.Errorf("in the end %+v", s)
		}
	})
}

// TestCatalogIsHeldOnce: a transaction asks for the catalog once, whether it shares it or has it alone, also while
// figures are computed anew.
func TestCatalogIsHeldOnce(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.apply(orderBody("0", 1, nil))
		r.apply(orderBody("1", 1, nil))
		creator, err := r.db.CreatorByHandle(r.Context(), affiliate.Instagram, "anna")
		r.ok(err)
		held := ""
		r.db.Note(func(statement string) {
			switch {
			case strings.Contains(statement, "pg_advisory_xact_lock_shared("):
				held += "shared "
			case strings.Contains(statement, "SELECT pg_advisory_xact_lock($1)"):
				held += "locked "
			}
		})
		check := func(what, want string) {
			r.Helper()
			if r.db.Embedded() {
				want = ""
			}
			if held != want {
				r.Errorf("%s: the catalog is %q, want %q", what, held, want)
			}
			held = ""
		}
		r.ok(r.decide(app.Reject, "0"))
		check("a decision", "shared ")
		r.change("EUR", "Asia/Tokyo")
		check("a change of settings", "locked ")
		for more := true; more; {
			more, err = r.app.RecalculateSome(r.Context(), 2)
			r.ok(err)
			if more {
				check("a batch", "shared ")
			}
		}
		_, err = r.app.RemoveCreator(r.owner(), creator.ID)
		r.ok(err)
		check("a creator who leaves", "locked ")
	})
}

// TestForgetShown: what was shown meanwhile is kept for whoever still reads it, and goes after a while, however often
// the settings have changed. Then nothing is left to look for.
func TestForgetShown(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.stock()
		r.change("EUR", "Asia/Tokyo")
		kept := func() (n int) {
			for _, table := range []string{"conversions", "offer_periods", "member_years", "uncredited_days"} {
				var rows int
				r.ok(r.db.Get(r.Context(), &rows, `SELECT COUNT(*) FROM shown_`+table))
				n += min(rows, 1)
			}
			return n
		}
		ended := func() (n int) {
			r.ok(r.db.Get(r.Context(), &n, `SELECT COUNT(*) FROM recalculations WHERE before <> ''`))
			return n
		}
		reader := r.asShown()
		r.ok(r.app.Recalculate(r.Context()))
		if n := kept(); n != 4 {
			r.Errorf("%d tables are kept", n)
		}
		if s, err := r.db.Settings(reader); err != nil || s.Currency != "USD" {
			r.Errorf("whoever began before reads on in %s, %v", s.Currency, err)
		}
		for i := range 10 {
			r.change([]string{"USD", "EUR"}[i%2], "Asia/Tokyo")
			r.ok(r.app.Recalculate(r.Context()))
		}
		if n := ended(); n != 11 {
			r.Errorf("%d recalculations have ended", n)
		}
		now := r.app.Now().Add(11 * time.Minute)
		r.app.Now = func() time.Time { return now }
		r.ok(r.app.Recalculate(r.Context()))
		if n := kept(); n != 0 {
			r.Errorf("%d tables are left", n)
		}
		if n := ended(); n != 0 {
			r.Errorf("%d recalculations are looked at for ever", n)
		}
		if more, err := r.db.ForgetShown(r.Context(), now); more || err != nil {
			r.Errorf("there is still something to forget, %v", err)
		}
	})
}
