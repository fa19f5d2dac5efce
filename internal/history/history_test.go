package history

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/storage/storagetest"
)

// testStores have currencies with rates, one without decimals, and one without rates.
var testStores = []affiliate.Store{
	{Slug: "us", Platform: shopify.Name, Name: "US", Domain: "us.myshopify.com", Currency: "USD", Timezone: "UTC",
		State: affiliate.StoreStateActive},
	{Slug: "eu", Platform: woocommerce.Name, Name: "EU", Domain: "eu.example", Currency: "EUR", Timezone: "UTC",
		State: affiliate.StoreStateActive},
	{Slug: "jp", Platform: shopify.Name, Name: "JP", Domain: "jp.myshopify.com", Currency: "JPY", Timezone: "UTC",
		State: affiliate.StoreStateActive},
	{Slug: "ae", Platform: woocommerce.Name, Name: "AE", Domain: "ae.example", Currency: "AED", Timezone: "UTC",
		State: affiliate.StoreStateActive},
}

// testPlan is a small history for a database in which it makes the stores.
func testPlan(t testing.TB, db *storage.DB) Plan {
	t.Helper()
	p := Plan{Seed: 1, From: time.Date(2025, 1, 10, 0, 0, 0, 0, time.UTC), Now: time.Date(2026, 3, 20, 15, 30, 0,
		0, time.UTC),
		Conversions: 900, Uncredited: 30,
		Clicks: 3, Campaigns: 12, Creators: 150, EmailHash: func(email string) string { return "hash of " + email }}
	err := db.InTx(t.Context(), func(tx *storage.Tx) error {
		s := affiliate.DefaultSettings()
		s.Timezone, s.HoldDays, s.MinimumPayout = "America/New_York", 14, 2500
		if err := tx.SaveSettings(t.Context(), s, p.Now); err != nil {
			return err
		}
		for _, store := range testStores {
			store.CreatedAt, store.UpdatedAt = p.From, p.From
			created, err := tx.CreateStore(t.Context(), store)
			if err != nil {
				return err
			}
			p.Stores = append(p.Stores, created)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ordersOf gives all orders of a database with their conversions, newest first.
func ordersOf(t *testing.T, db *storage.DB) (list []storage.OrderRow) {
	t.Helper()
	for p := (storage.Page{Limit: storage.MaxLimit}); ; {
		page, next, err := db.ListOrders(t.Context(), storage.OrderFilter{}, p)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, page...)
		if next == "" {
			return list
		}
		p.Cursor = next
	}
}

func checkDatabase(t *testing.T, db *storage.DB) {
	t.Helper()
	findings, err := db.Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		t.Errorf("not so: %s (%d times: %s)", f.Rule, f.Count, strings.Join(f.Examples, "; "))
	}
}

// Both databases get the same history, to the last byte of an order's state, and in both every sum adds up.
func TestWrite(t *testing.T) {
	digests := map[string]uint64{}
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := testPlan(t, db)
		told := 0
		var telling sync.Mutex // several may tell at once
		p.Progress = func(orders int) {
			telling.Lock()
			defer telling.Unlock()
			told = max(told, orders)
		}
		report, err := Write(t.Context(), db, p)
		if err != nil {
			t.Fatal(err)
		}
		checkDatabase(t, db)
		orders := ordersOf(t, db)
		digest := fnv.New64a()
		credited := 0
		for _, o := range orders {
			checkOrder(t, db, o)
			if o.Conversion != nil {
				credited++
			}
			conversion, _ := json.Marshal(o.Conversion)
			fmt.Fprintln(digest, o.ExternalID, o.State, o.Codes, string(conversion))
		}
		if len(orders) != p.Orders() || report.Orders != p.Orders() || told != p.Orders() ||
			credited != p.Conversions || report.Conversions != p.Conversions {
			t.Errorf("%d orders, %d credited, told of %d; reported %+v; want %d and %d", len(orders), credited, told,
				report, p.Orders(), p.Conversions)
		}
		if report.Clicks != p.Clicks*p.Conversions || report.Payouts < 50 || report.LedgerEntries <= p.Conversions*3/4 {
			t.Errorf("reported %+v, want three clicks for each conversion, many payouts and ledger entries", report)
		}
		digests[fmt.Sprint(db.Embedded())] = digest.Sum64()
	})
	if digests["true"] != digests["false"] {
		t.Error("the two databases have different histories of the same plan")
	}
}

// checkOrder reckons an order anew from its state and decides its trace again.
func checkOrder(t *testing.T, db *storage.DB, o storage.OrderRow) {
	t.Helper()
	var state affiliate.OrderState
	if err := json.Unmarshal([]byte(o.State), &state); err != nil {
		t.Fatal(err)
	}
	v, ok := state.View(affiliate.OrderRules{})
	if !ok || v.Status != o.Status || v.Value != o.Value || v.Total != o.Total || v.Refunded != o.Refunded ||
		!v.PlacedAt.Equal(o.PlacedAt.Time) ||
		v.EvidenceFingerprint() != o.Evidence || len(v.Doubts) > 0 {
		t.Errorf("order %s is %+v, its state says %+v", o.ExternalID, o.Order, v)
	}
	full, err := db.FindOrder(t.Context(), o.Store, o.ExternalID)
	if err != nil {
		t.Fatal(err)
	}
	var trace affiliate.Trace
	if err := json.Unmarshal([]byte(full.Trace), &trace); err != nil {
		t.Fatal(err)
	}
	verdict := trace.Replay()
	c := o.Conversion
	if (verdict.Winner == nil) != (c == nil) || (o.NotCredited == nil) != (c != nil) {
		t.Fatalf("order %s: conversion %v, trace %v, not credited %v", o.ExternalID, c, verdict, o.NotCredited)
	}
	if c == nil {
		return
	}
	if verdict.Winner.OfferMemberID != c.OfferMemberID || verdict.Winner.Method != c.Method ||
		verdict.Winner.HeldReason != c.HeldReason {
		t.Errorf("order %s is credited to %+v, its trace says %+v", o.ExternalID, c, verdict.Winner)
	}
	if want := affiliate.Commission(c.Currency, c.Value, c.Rule(), c.Approval, c.Status); c.Commission != want {
		t.Errorf("order %s: commission %d, want %d", o.ExternalID, c.Commission, want)
	}
	if c.Currency == "AED" {
		if c.Rate != nil || c.AccountValue != nil || c.LedgerCommission != 0 {
			t.Errorf("order %s has a rate although none is published: %+v", o.ExternalID, c)
		}
		return
	}
	rate, err := money.ParseRate(*c.Rate)
	if err != nil || *c.AccountValue != rate.Convert(c.Value, c.Currency, "USD") ||
		*c.AccountCommission != rate.Convert(c.Commission,
			c.Currency, "USD") ||
		c.LedgerCommission != *c.AccountCommission {
		t.Errorf("order %s is converted wrongly: %+v %v", o.ExternalID, c, err)
	}
}

// A second history fits beside the first one: no name, code, link or id is used twice.
func TestWrite_twice(t *testing.T) {
	storagetest.Each(t, func(t *testing.T, db *storage.DB) {
		p := testPlan(t, db)
		p.Conversions = 300
		for range 2 {
			if _, err := Write(t.Context(), db, p); err != nil {
				t.Fatal(err)
			}
		}
		checkDatabase(t, db)
		if n := len(ordersOf(t, db)); n != 2*p.Orders() {
			t.Errorf("%d orders, want %d", n, 2*p.Orders())
		}
	})
}

// Whatever the account is set to, and however short the past: what was planned is what attribution decides.
func TestWrite_other_settings(t *testing.T) {
	for name, change := range map[string]func(*affiliate.Settings, *Plan){
		"yen, links first, long hold": func(s *affiliate.Settings, p *Plan) {
			s.Currency, s.Precedence, s.ClickRule, s.HoldDays, s.Timezone = "JPY", affiliate.LinkFirst,
				affiliate.FirstClick, 365, "Asia/Tokyo"
		},
		"no rates, one day's window": func(s *affiliate.Settings, p *Plan) { s.Currency, s.WindowDays = "AED", 1 },
		"ten days, one campaign": func(s *affiliate.Settings, p *Plan) {
			s.HoldDays, p.From, p.Campaigns, p.Creators = 0, p.Now.AddDate(0, 0, -10), 1, 1
		},
	} {
		t.Run(name, func(t *testing.T) {
			db := storagetest.SQLite(t)
			p := testPlan(t, db)
			p.Conversions = 300
			s := affiliate.DefaultSettings()
			change(&s, &p)
			if err := db.InTx(t.Context(), func(tx *storage.Tx) error {
				return tx.SaveSettings(t.Context(), s, p.Now)
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := Write(t.Context(), db, p); err != nil {
				t.Fatal(err)
			}
			checkDatabase(t, db)
			if n := len(ordersOf(t, db)); n != p.Orders() {
				t.Errorf("%d orders, want %d", n, p.Orders())
			}
		})
	}
}

func TestValidate(t *testing.T) {
	good := Plan{From: time.Unix(0, 0), Now: time.Unix(1e6, 0), Conversions: 1, Campaigns: 1, Creators: 1,
		Stores: testStores}
	if err := good.Validate(); err != nil {
		t.Errorf("a good plan is refused: %v", err)
	}
	for field, spoil := range map[string]func(*Plan){
		"stores": func(p *Plan) {
			p.Stores = nil
		}, "from": func(p *Plan) { p.From = p.Now }, "conversions": func(p *Plan) { p.Conversions = 0 },
		"uncredited": func(p *Plan) { p.Uncredited = -1 }, "clicks": func(p *Plan) { p.Clicks = -1 },
		"campaigns": func(p *Plan) { p.Campaigns = 0 },
		"creators":  func(p *Plan) { p.Campaigns = 2 },
	} {
		p := good
		spoil(&p)
		if err := p.Validate(); err == nil || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%s: got %v, want an error that names it", field, err)
		}
	}
}

// The orders are skewed as real ones are. Nothing is written here.
func TestTell_is_skewed(t *testing.T) {
	db := storagetest.SQLite(t)
	p := testPlan(t, db)
	p.Conversions, p.Campaigns, p.Creators = 10_000, 100, 800
	w, err := newWorld(t.Context(), db, p)
	if err != nil {
		t.Fatal(err)
	}
	byCampaign, byCreator := map[affiliate.CampaignID]int{}, map[affiliate.CreatorID]int{}
	counts := map[string]int{}
	for i := range w.days {
		err := w.teller(i).tell(func(o *tale) error {
			if o.owner == nil {
				return nil
			}
			byCampaign[o.owner.CampaignID]++
			byCreator[o.owner.CreatorID]++
			counts["all"]++
			counts[string(o.view.Status)]++
			counts[string(o.approvals.Approval)]++
			counts[string(o.store.Currency)]++
			if o.view.Status == affiliate.Paid && o.view.Refunded > 0 {
				counts["partly refunded"]++
			}
			if !o.owner.sells(o.view.PlacedAt) {
				t.Errorf("order %d is %s's, who does not sell at %v", o.serial, o.owner.Creator, o.view.PlacedAt)
			}
			if o.changedAt.After(p.Now) {
				t.Errorf("order %d changes in the future: %v", o.serial, o.changedAt)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	share := func(n int) float64 { return float64(n) / float64(counts["all"]) }
	for what, bounds := range map[string][2]float64{"paid": {.86, .94}, "refunded": {.02, .06}, "canceled": {.02, .05},
		"pending": {.01,
			.03}, "rejected": {.005, .03},
		"held": {.003, .02}, "partly refunded": {.02, .07}, "USD": {.4, .9}, "EUR": {.05, .4}, "JPY": {.01, .2},
		"AED": {.005, .2}} {
		if s := share(counts[what]); s < bounds[0] || s > bounds[1] {
			t.Errorf("%.3f of the conversions are %s, want %v", s, what, bounds)
		}
	}
	if s := share(most(byCampaign)); s < 0.06 || s > 0.3 {
		t.Errorf("the largest campaign has %.3f of the conversions", s)
	}
	if s := share(most(byCreator)); s < 0.01 || len(byCreator) < 300 {
		t.Errorf("the best of %d creators has %.3f of the conversions", len(byCreator), s)
	}
	former := 0
	for _, o := range w.owners {
		if c := w.creators[o.creator]; !c.RemovedAt.IsZero() || !o.till.IsZero() && o.till.Before(p.Now) &&
			(o.EndsAt.IsZero() || o.till.Before(o.EndsAt)) {
			former++
		}
	}
	if s := float64(former) / float64(len(w.owners)); s < 0.02 || s > 0.15 {
		t.Errorf("%.3f of the offer members left, want a few", s)
	}
}

func most[K comparable](counts map[K]int) (n int) {
	for _, c := range counts {
		n = max(n, c)
	}
	return n
}

func TestCalendar(t *testing.T) {
	zone, err := affiliate.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	from, now := time.Date(2024, 1, 1, 12, 0, 0, 0, time.UTC), time.Date(2026, 12, 31, 11, 0, 0, 0, time.UTC)
	days := calendar(from, now, zone, 100_000, 30_000)
	byDay := map[string]int{}
	sum, uncredited := 0, 0
	for i, d := range days {
		if d.firstSale != sum || d.firstOrder != sum+uncredited || d.text != affiliate.Day(d.start, zone) ||
			!d.start.Before(d.end) {
			t.Fatalf("day %d does not follow on those before: %+v", i, d)
		}
		sum, uncredited = sum+d.conversions, uncredited+d.uncredited
		byDay[d.text] = d.conversions
	}
	if sum != 100_000 || uncredited != 30_000 || len(days) != 3*365+1 || !days[len(days)-1].end.Equal(now) {
		t.Errorf("%d conversions and %d others on %d days until %v", sum, uncredited, len(days), days[len(days)-1].end)
	}
	for year, friday := range map[int]string{2024: "2024-11-29", 2025: "2025-11-28", 2026: "2026-11-27"} {
		before := time.Date(year, 11, 1, 0, 0, 0, 0, zone)
		if got := time.Date(year, 1, blackFriday(year), 0, 0, 0, 0, zone); affiliate.Day(got, zone) != friday {
			t.Errorf("Black Friday of %d is %s, want %s", year, affiliate.Day(got, zone), friday)
		}
		if usual := byDay[affiliate.Day(before, zone)]; byDay[friday] < 5*usual {
			t.Errorf("%s has %d conversions, %d are usual", friday, byDay[friday], usual)
		}
	}
	if byDay["2024-06-03"] >= byDay["2026-06-01"] {
		t.Errorf("no growth: %d on a Monday of 2024, %d on one of 2026", byDay["2024-06-03"], byDay["2026-06-01"])
	}
	if half := days[len(days)-1].conversions; half < byDay["2026-12-30"]/4 || half > byDay["2026-12-30"]*3/4 {
		t.Errorf("the last day, which is half over, has %d conversions, the day before %d", half, byDay["2026-12-30"])
	}
}

func TestTimes_stay_in_the_day(t *testing.T) {
	zone, err := affiliate.LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	// Days of 23 and of 25 hours, and one that has hardly begun.
	for _, from := range []time.Time{time.Date(2026, 3, 29, 0, 0, 0, 0, zone), time.Date(2026, 10, 25, 0, 0,
		0, 0, zone)} {
		for _, now := range []time.Time{from.AddDate(0, 0, 1), from.Add(90 * time.Second)} {
			d := calendar(from, now, zone, 1, 0)[0]
			list := d.times((&world{}).random(streamOrders, 0), 2000)
			for _, at := range list {
				if at.Before(d.start) || !at.Before(d.end) || affiliate.Day(at, zone) != d.text {
					t.Fatalf("%v is not in the day from %v to %v", at, d.start, d.end)
				}
			}
			if !slices.IsSortedFunc(list, time.Time.Compare) {
				t.Error("the times are not in order")
			}
		}
	}
}

func TestShares(t *testing.T) {
	got := shares([]float64{1, 2, 1, 0}, 10)
	if want := []int{3, 5, 2, 0}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	weights := make([]float64, 1000)
	for i := range weights {
		weights[i] = math.Sqrt(float64(i))
	}
	sum := 0
	for _, n := range shares(weights, 12_345) {
		sum += n
	}
	if sum != 12_345 {
		t.Errorf("the shares add up to %d", sum)
	}
}

func TestPrice(t *testing.T) {
	for c, want := range map[money.Currency]int64{"USD": 2500, "EUR": 2300, "JPY": 3750, "SEK": 26300, "KWD": 7750,
		"XAF": 25} {
		if got := tenderOf(c).price(2500, c); got != want {
			t.Errorf("25.00 are %d %s, want %d", got, c, want)
		}
	}
}
