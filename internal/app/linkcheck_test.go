package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// TestCheckLink_ask: a landing page that leads on without the link's parameters, answers with an error or cannot be
// reached is found out, and private addresses are asked only where that is allowed.
func TestCheckLink_ask(t *testing.T) {
	asked := make(chan string, 100)
	shop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.String()
		switch to := *r.URL; r.URL.Path {
		case "/keeps":
			to.Path = "/page"
			http.Redirect(w, r, to.String(), http.StatusMovedPermanently)
		case "/drops":
			http.Redirect(w, r, "/page", http.StatusFound)
		case "/round":
			http.Redirect(w, r, to.String(), http.StatusFound)
		case "/odd":
			w.Header().Set("Location", "javascript:alert(1)")
			w.WriteHeader(http.StatusFound)
		case "/gone":
			http.NotFound(w, r)
		}
	}))
	defer shop.Close()
	eachDesk(t, func(d *desk) {
		anna := d.promoter("Anna")
		added, err := d.AddLink(d.ctx, affiliate.Link{OfferMemberID: anna.ID, LandingURL: shop.URL + "/page"})
		must(d, added, err)
		check := func(path string) app.CheckedLink {
			d.Helper()
			l, err := d.ChangeLink(d.ctx, added.ID, func(l *affiliate.Link) error {
				l.LandingURL = shop.URL + path
				return nil
			})
			must(d, l, err)
			c, err := d.CheckLink(d.ctx, l, true)
			return must(d, c, err)
		}
		found := func(c app.CheckedLink) string {
			var codes []string
			for _, f := range c.Findings {
				if f.Code != affiliate.FindingUnknownHost {
					codes = append(codes, f.Code)
				}
			}
			return strings.Join(codes, " ")
		}
		if c := check("/page"); found(c) != affiliate.FindingUnreachable || len(asked) > 0 ||
			!strings.Contains(c.Findings[len(c.Findings)-1].Text, "LINK_CHECK_ADDRESSES") {
			d.Errorf("a private address: %+v, after %d requests", c.Findings, len(asked))
		}
		d.PrivateLandings = true
		for _, test := range []struct {
			path, want string
			hops       int
		}{
			{"/page", "", 1}, {"/keeps?a=1", "", 2}, {"/drops", affiliate.FindingQueryDropped, 2},
			{"/round", affiliate.FindingStatus, 10}, {"/odd", affiliate.FindingUnreachable, 0},
			{"/gone", affiliate.FindingStatus, 1},
		} {
			if c := check(test.path); found(c) != test.want || len(c.Hops) != test.hops {
				d.Errorf("%s: found %q in %d answers, want %q in %d: %+v", test.path, found(c), len(c.Hops), test.want,
					test.hops, c.Findings)
			}
		}
		if first := <-asked; !strings.Contains(first, "ref=anna&tclid=link-check&utm_source=tributary") {
			d.Errorf("asked for %s", first)
		}
		for len(asked) > 0 {
			<-asked
		}
		l, err := d.DB.Link(d.ctx, added.ID)
		must(d, l, err)
		if c, err := d.CheckLink(d.ctx, l, false); must(d, c, err).Hops != nil || len(asked) > 0 {
			d.Errorf("asked without being told to: %+v", c.Hops)
		}
	})
}
