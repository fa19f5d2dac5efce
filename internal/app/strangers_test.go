package app_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
)

// TestAttack_tokens_race: tokens that nobody has cost a query each until their network has guessed too often; who had a
// working token goes on, also from there, and other networks are not concerned.
func TestAttack_tokens_race(t *testing.T) {
	eachDesk(t, func(d *desk) {
		added, err := d.AddToken(d.ctx, app.TokenDraft{Name: "screen", Role: affiliate.RoleViewer})
		must(d, added, err)
		_, err = d.Authenticate(d.ctx, added.Value, "192.0.2.1")
		must(d, 0, err)
		before := d.Lookups()["tokens"]
		var all sync.WaitGroup
		for range attack.Size(20, 200) {
			all.Go(func() {
				for range 20 {
					if _, err := d.Authenticate(d.ctx, affiliate.NewTokenValue(), "192.0.2.1"); err == nil {
						d.Error("a token that nobody has works")
					}
				}
			})
		}
		all.Wait()
		if n := d.Lookups()["tokens"] - before; n < 60 || n > 64 {
			d.Errorf("the database was asked for %d tokens, want some 60", n)
		}
		_, err = d.Authenticate(d.ctx, affiliate.NewTokenValue(), "192.0.2.1")
		var refused *affiliate.Error
		if !errors.As(err, &refused) || refused.Code != "rate_limited" {
			d.Errorf("one guess more: %v", err)
		}
		d.pass(time.Minute) // it must be looked up anew
		_, err = d.Authenticate(d.ctx, added.Value, "192.0.2.1")
		must(d, 0, err)
		second, err := d.AddToken(d.ctx, app.TokenDraft{Name: "other", Role: affiliate.RoleViewer})
		must(d, second, err)
		_, err = d.Authenticate(d.ctx, second.Value, "198.51.100.7")
		must(d, 0, err)
	})
}

// TestAttack_sessions: the same holds for sessions.
func TestAttack_sessions(t *testing.T) {
	eachDesk(t, func(d *desk) {
		u, err := d.AddUser(d.ctx, affiliate.User{Name: "A", Email: "a@b.example", Role: affiliate.RoleOwner},
			"correct horse battery")
		must(d, u, err)
		in, err := d.SignIn(d.ctx, app.SignInTry{Email: "a@b.example", Password: "correct horse battery",
			Address: "192.0.2.1"})
		must(d, in, err)
		token := in.Token
		got, err := d.Session(d.ctx, token, "192.0.2.1")
		if must(d, got, err).User.ID != u.ID {
			d.Errorf("the session is of %+v", got)
		}
		for n := range 1000 {
			if _, err := d.Session(d.ctx, fmt.Sprintf("%043d", n), "192.0.2.1"); err == nil {
				d.Error("a session that nobody has works")
			}
		}
		if n := d.Lookups()["sessions"]; n > 62 {
			d.Errorf("the database was asked for %d sessions, want some 60", n)
		}
		got, err = d.Session(d.ctx, token, "192.0.2.1")
		must(d, got, err)
		must(d, 0, d.SignOut(d.ctx, token))
		_, err = d.Session(d.ctx, token, "192.0.2.1")
		d.want(err, affiliate.NotFound, "")
	})
}

// TestAttack_slugs_race: strangers who try slugs cost few queries, and drive no link out of what is remembered.
func TestAttack_slugs_race(t *testing.T) {
	eachDesk(t, func(d *desk) {
		l, err := d.AddLink(d.ctx, affiliate.Link{OfferMemberID: d.promoter("Anna").ID,
			LandingURL: "https://shop.example/p"})
		must(d, l, err)
		links := app.NewLinks(d.App)
		defer links.Close()
		var all sync.WaitGroup
		tried := attack.Size(50, 500)
		for worker := range tried {
			all.Go(func() {
				for n := range 100 {
					slug := fmt.Sprintf("guess-%d-%d", worker, n)
					_, err := links.Follow(d.ctx, slug, app.Visit{Address: "192.0.2.1"})
					if affiliate.KindOf(err) != affiliate.NotFound {
						d.Errorf("a slug that no link has: %v", err)
					}
				}
			})
		}
		all.Go(func() {
			for range 100 {
				_, err := links.Follow(d.ctx, "anna", app.Visit{Address: "192.0.2.2", UserAgent: "Mozilla"})
				if err != nil {
					d.Error(err)
				}
			}
		})
		all.Wait()
		if n := d.Lookups()["links"]; n > int64(tried)*100/2 {
			d.Errorf("%d slugs cost %d queries, want half at most", tried*100, n)
		}
	})
}

// TestAttack_clicks: one network that hammers a link is redirected every time, but recorded as often as people might
// click; others are recorded meanwhile.
func TestAttack_clicks(t *testing.T) {
	eachDesk(t, func(d *desk) {
		l, err := d.AddLink(d.ctx, affiliate.Link{OfferMemberID: d.promoter("Anna").ID,
			LandingURL: "https://shop.example/p"})
		must(d, l, err)
		links := app.NewLinks(d.App)
		follow := func(address string) {
			if _, err := links.Follow(d.ctx, "anna", app.Visit{Address: address, UserAgent: "Mozilla"}); err != nil {
				d.Error(err)
			}
		}
		for n := range attack.Size(1000, 100_000) {
			follow(fmt.Sprintf("2001:db8:1:2:%x::1", n&0xffff)) // one network
		}
		for n := range 100 {
			follow(fmt.Sprintf("192.0.2.%d", n))
		}
		d.pass(30 * time.Second)
		for range 100 {
			follow("2001:db8:1:2::9")
		}
		links.Close()
		recorded, refused := links.Clicks()
		if want := int64(600 + 100 + 30); recorded != want || refused != int64(attack.Size(1000, 100_000))+200-want {
			d.Errorf("%d clicks recorded and %d not, want %d", recorded, refused, want)
		}
	})
}
