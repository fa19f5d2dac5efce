package app_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// at sets the app's clock to a time of a day after the store was connected: "03:12:00".
func (r *rig) at(clock string) {
	r.Helper()
	now, err := time.Parse(time.DateTime, "2036-11-20 "+clock)
	if err != nil {
		r.Fatal(err)
	}
	r.app.Now = func() time.Time { return now }
}

// connect connects a WooCommerce store at a time of day.
func (r *rig) connect(slug, clock string) {
	r.Helper()
	r.at(clock)
	ctx := app.As(r.Context(), affiliate.Principal{Name: "test", Role: affiliate.RoleOwner})
	if _, err := r.app.AddStore(ctx, app.NewStore{Platform: woocommerce.Name, Slug: slug, Name: slug,
		Domain: slug + ".example", Currency: "EUR", Timezone: "UTC"}); err != nil {
		r.Fatal(err)
	}
}

// wooStore connects a WooCommerce store that has sent something, as the Shopify store has.
func (r *rig) wooStore() affiliate.Store {
	r.Helper()
	r.connect("woo", "00:00:00")
	counts := app.NewCounters(r.db, r.app.Now, r.app.Log)
	for _, slug := range []string{"woo", "shop"} {
		s, err := r.db.StoreBySlug(r.Context(), slug)
		if err != nil {
			r.Fatal(err)
		}
		counts.Received(s.ID, "order.updated", true, r.app.Now())
	}
	counts.Flush(r.Context())
	s, err := r.db.StoreBySlug(r.Context(), "woo")
	if err != nil {
		r.Fatal(err)
	}
	return s
}

// gaps gives the open notices, oldest first: "died woo 03:12:00-03:19:00".
func (r *rig) gaps() (list []string) {
	r.Helper()
	open, err := r.db.OpenNotices(r.Context(), 0)
	if err != nil {
		r.Fatal(err)
	}
	for _, n := range open {
		slug := "all"
		if n.StoreID != 0 {
			s, err := r.db.Store(r.Context(), n.StoreID)
			if err != nil {
				r.Fatal(err)
			}
			slug = s.Slug
		}
		list = append([]string{fmt.Sprintf("%s %s %s-%s", n.Kind, slug, n.From.Format(time.TimeOnly),
			n.To.Format(time.TimeOnly))}, list...)
	}
	return list
}

func (r *rig) wantGaps(when string, want ...string) {
	r.Helper()
	if got := r.gaps(); strings.Join(got, "; ") != strings.Join(want, "; ") {
		r.Errorf("%s: told %q, want %q", when, got, want)
	}
}

// start begins a run and lets it wait until others would have given a sign of life.
func (r *rig) start(clock, decided string) *app.Lifeline {
	r.Helper()
	r.at(clock)
	l, err := r.app.StartLifeline(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	r.beat(l, decided)
	return l
}

func (r *rig) beat(l *app.Lifeline, clock string) {
	r.Helper()
	r.at(clock)
	if err := l.Beat(r.Context()); err != nil {
		r.Fatal(err)
	}
}

func TestLifeline(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.wooStore()
		first := r.start("01:00:00", "01:02:00")
		r.wantGaps("at the very first start")
		r.beat(first, "03:12:00")
		r.connect("silent", "03:12:10") // has never sent anything
		second := r.start("03:19:00", "03:21:00")
		r.wantGaps("after a process died", "died woo 03:12:00-03:19:00")
		r.at("03:30:00")
		if err := second.Stop(r.Context()); err != nil {
			r.Fatal(err)
		}
		third := r.start("03:30:04", "03:32:00")
		r.wantGaps("after a clean end", "died woo 03:12:00-03:19:00", "stopped woo 03:30:00-03:30:04")
		r.beat(third, "03:40:00")
		r.start("09:00:00", "09:02:00")
		r.wantGaps("after five hours, which is longer than Shopify tries", "died woo 03:12:00-03:19:00",
			"stopped woo 03:30:00-03:30:04", "died shop 03:40:00-09:00:00", "died woo 03:40:00-09:00:00")
	})
}

// TestLifeline_several: while another process takes deliveries in there is no gap, and one that did not live to tell of
// a gap leaves that to the next.
func TestLifeline_several(t *testing.T) {
	eachRig(t, func(r *rig) {
		if r.db.Embedded() {
			return // one process only
		}
		r.wooStore()
		first := r.start("01:00:00", "01:02:00")
		r.beat(first, "01:59:45")
		r.at("02:00:00")
		second, err := r.app.StartLifeline(r.Context())
		if err != nil {
			r.Fatal(err)
		}
		r.beat(first, "02:00:15")
		r.beat(second, "02:02:00")
		r.wantGaps("beside another process")
		r.beat(first, "02:30:00")
		r.beat(second, "02:30:00")
		for _, clock := range []string{"02:30:40", "02:31:00"} { // both die, and the next two live for seconds
			r.at(clock)
			if _, err := r.app.StartLifeline(r.Context()); err != nil {
				r.Fatal(err)
			}
		}
		r.wantGaps("while the others may be alive")
		r.start("02:31:30", "02:33:00")
		r.wantGaps("once it is known", "died woo 02:30:00-02:30:40", "died woo 02:30:40-02:31:00",
			"died woo 02:31:00-02:31:30")
	})
}

func TestDismissNotices(t *testing.T) {
	eachRig(t, func(r *rig) {
		woo := r.wooStore()
		r.beat(r.start("01:00:00", "01:02:00"), "03:12:00")
		r.start("03:19:00", "03:21:00")
		open, err := r.db.OpenNotices(r.Context(), woo.ID)
		if err != nil || len(open) != 1 {
			r.Fatalf("%+v, %v", open, err)
		}
		for _, p := range []affiliate.Platform{woocommerce.Name, shopify.Name} {
			text := app.NoticeText(open[0], r.app.Platforms.Guide(p), time.UTC)
			for _, want := range []string{"20 Nov 2036, 03:12:00 to 03:19:00 UTC",
				"compare the store's orders of this time",
				map[affiliate.Platform]string{woocommerce.Name: "WooCommerce does not send again",
					shopify.Name: "four hours"}[p]} {
				if !strings.Contains(text, want) {
					r.Errorf("%q does not say %q", text, want)
				}
			}
		}
		ids := []affiliate.NoticeID{open[0].ID, 99}
		if n, err := r.app.DismissNotices(r.Context(), woo.ID+1, ids); n != 0 || err != nil {
			r.Errorf("of another store %d went, %v", n, err)
		}
		if n, err := r.app.DismissNotices(r.Context(), woo.ID, ids); n != 1 || err != nil {
			r.Errorf("%d went, %v; want 1", n, err)
		}
		r.wantGaps("after they were dismissed")
		log, _, err := r.db.AuditLog(r.Context(), woo.ID.String(), storage.Page{})
		if err != nil || log[len(log)-1].Action != "store.notice.dismiss" {
			r.Errorf("the audit log does not tell: %+v, %v", log, err)
		}
	})
}

// TestLifeline_young: a store that was connected after the last sign of life may have lost something, too.
func TestLifeline_young(t *testing.T) {
	eachRig(t, func(r *rig) {
		r.at("00:00:00")
		if _, err := r.app.StartLifeline(r.Context()); err != nil {
			r.Fatal(err)
		}
		r.connect("woo", "00:00:10")
		s, err := r.db.StoreBySlug(r.Context(), "woo")
		if err != nil {
			r.Fatal(err)
		}
		counts := app.NewCounters(r.db, r.app.Now, r.app.Log)
		counts.Received(s.ID, "order.updated", true, r.app.Now())
		counts.Flush(r.Context())
		r.start("00:05:00", "00:07:00")
		r.wantGaps("after the first process died", "died woo 00:00:00-00:05:00")
	})
}
