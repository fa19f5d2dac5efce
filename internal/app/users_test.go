package app_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

const goodPassword = "correct horse battery"

func (d *desk) owner() affiliate.User {
	d.Helper()
	u, err := d.AddFirstOwner(d.ctx, d.setupKey(), affiliate.User{Email: "Mia@Brand.example ", Name: "Mia"},
		goodPassword, "192.0.2.1")
	return must(d, u, err)
}

// setupKey takes the key out of the link that the log shows.
func (d *desk) setupKey() string {
	d.Helper()
	link, err := d.SetupLink(d.ctx)
	_, key, _ := strings.Cut(must(d, link, err), "https://t.example/welcome?key=")
	return key
}

// signIn is SignIn with what older browsers send.
func (d *desk) signIn(email, password, address string) (string, affiliate.User, error) {
	in, err := d.SignIn(d.ctx, app.SignInTry{Email: email, Password: password, Address: address})
	return in.Token, in.User, err
}

// session gives who a session belongs to.
func (d *desk) session(token string) (affiliate.User, error) {
	s, err := d.Session(d.ctx, token, "192.0.2.1")
	return s.User, err
}

func TestFirstOwner_race(t *testing.T) {
	eachDesk(t, func(d *desk) {
		key := d.setupKey()
		var made atomic.Int32
		var work sync.WaitGroup
		for range 5 {
			work.Go(func() {
				if _, err := d.AddFirstOwner(d.ctx, key, affiliate.User{Email: "mia@brand.example", Name: "Mia"},
					goodPassword, "192.0.2.1"); err == nil {
					made.Add(1)
				}
			})
		}
		work.Wait()
		if made.Load() != 1 {
			d.Errorf("%d first owners", made.Load())
		}
	})
}

func TestSignIn(t *testing.T) {
	eachDesk(t, func(d *desk) {
		owner := d.owner()
		token, u, err := d.signIn(" MIA@brand.example", goodPassword, "192.0.2.1")
		must(d, token, err)
		if u.ID != owner.ID || u.Email != "mia@brand.example" {
			d.Errorf("%+v", u)
		}
		who, err := d.session(token)
		if must(d, who, err).ID != owner.ID {
			d.Errorf("the session is %+v's", who)
		}
		for _, wrong := range [][2]string{{"mia@brand.example", goodPassword + "x"},
			{"ben@brand.example", goodPassword}, {"", ""}, {"mia@brand.example", strings.Repeat("x", 1<<20)}} {
			_, _, err := d.signIn(wrong[0], wrong[1], "192.0.2.1")
			d.want(err, affiliate.Forbidden, "", "do not fit")
		}
		if _, err := d.session(token + "x"); affiliate.KindOf(err) != affiliate.NotFound {
			d.Errorf("a wrong token: %v", err)
		}
		d.pass(15 * 24 * time.Hour)
		if _, err := d.session(token); affiliate.KindOf(err) != affiliate.NotFound {
			d.Errorf("an unused session after 15 days: %v", err)
		}
	})
}

func TestSignInIsThrottled(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.owner()
		try := func(email, password, address string) error {
			_, _, err := d.signIn(email, password, address)
			return err
		}
		for range 5 {
			d.want(try("mia@brand.example", "guess guess guess", "192.0.2.1"), affiliate.Forbidden, "")
		}
		d.want(try("mia@brand.example", goodPassword, "192.0.2.1"), affiliate.Unavailable, "", "try again in")
		if err := try("other@brand.example", "guess", "192.0.2.1"); affiliate.KindOf(err) != affiliate.Forbidden {
			d.Errorf("another account is throttled too: %v", err)
		}
		d.pass(31 * time.Second)
		if err := try("mia@brand.example", goodPassword, "192.0.2.1"); err != nil {
			d.Errorf("after the wait: %v", err)
		}
	})
}

// TestManySignInsAtOnceAreThrottled_race: guesses that are sent side by side are counted like those that wait for each
// other.
func TestManySignInsAtOnceAreThrottled_race(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.owner()
		var tried atomic.Int32
		var work sync.WaitGroup
		for range 40 {
			work.Go(func() {
				_, _, err := d.signIn("mia@brand.example", "guess guess guess", "192.0.2.1")
				if affiliate.KindOf(err) == affiliate.Forbidden {
					tried.Add(1)
				}
			})
		}
		work.Wait()
		if n := tried.Load(); n < 1 || n > 5 {
			d.Errorf("%d of 40 guesses were tried, want 5 at most", n)
		}
	})
}

// TestSignInIsThrottledByNetwork: an IPv6 household has 2^64 addresses and is one place all the same.
func TestSignInIsThrottledByNetwork(t *testing.T) {
	eachDesk(t, func(d *desk) {
		d.owner()
		for i := range 50 {
			_, _, err := d.signIn(fmt.Sprintf("user%d@brand.example", i), "guess guess guess",
				fmt.Sprintf("2001:db8:1:2::%x", i))
			d.want(err, affiliate.Forbidden, "")
		}
		_, _, err := d.signIn("mia@brand.example", goodPassword, "2001:db8:1:2:ffff::1")
		d.want(err, affiliate.Unavailable, "", "try again in")
		if _, _, err := d.signIn("mia@brand.example", goodPassword, "2001:db8:1:3::1"); err != nil {
			d.Errorf("from another network: %v", err)
		}
	})
}

func TestPasswords(t *testing.T) {
	eachDesk(t, func(d *desk) {
		u := d.owner()
		here, _, err := d.signIn(u.Email, goodPassword, "a")
		must(d, here, err)
		there, _, err := d.signIn(u.Email, goodPassword, "a")
		must(d, there, err)
		d.want(d.ChangeOwnPassword(d.ctx, u, "wrong wrong wrong", "another password", here, "a"), affiliate.Invalid,
			"current_password")
		d.want(d.ChangeOwnPassword(d.ctx, u, goodPassword, "short", here, "a"), affiliate.Invalid, "password", "12")
		must(d, 0, d.ChangeOwnPassword(d.ctx, u, goodPassword, "another password", here, "a"))
		if _, err := d.session(here); err != nil {
			d.Errorf("this session: %v", err)
		}
		if _, err := d.session(there); affiliate.KindOf(err) != affiliate.NotFound {
			d.Errorf("the other session: %v", err)
		}
		_, _, err = d.signIn(u.Email, "another password", "a")
		must(d, 0, err)
	})
}

func TestChangeUser(t *testing.T) {
	eachDesk(t, func(d *desk) {
		owner := d.owner()
		_, err := d.ChangeUser(d.ctx, owner.ID, func(u *affiliate.User) error {
			u.Role = affiliate.RoleViewer
			return nil
		})
		d.want(err, affiliate.Conflict, "", "last owner")
		_, err = d.ChangeUser(d.ctx, owner.ID, func(u *affiliate.User) error { u.DisabledAt = d.now(); return nil })
		d.want(err, affiliate.Conflict, "", "last owner")
		ben, err := d.AddUser(d.ctx, affiliate.User{Email: "ben@brand.example", Name: "Ben",
			Role: affiliate.RoleManager}, goodPassword)
		must(d, ben, err)
		_, err = d.AddUser(d.ctx, affiliate.User{Email: "BEN@brand.example", Name: "Ben", Role: affiliate.RoleManager},
			goodPassword)
		d.want(err, affiliate.Conflict, "email")
		token, _, err := d.signIn(ben.Email, goodPassword, "a")
		must(d, token, err)
		_, err = d.ChangeUser(d.ctx, ben.ID, func(u *affiliate.User) error { u.DisabledAt = d.now(); return nil })
		must(d, 0, err)
		if _, err := d.session(token); affiliate.KindOf(err) != affiliate.NotFound {
			d.Errorf("the session of a disabled user: %v", err)
		}
		_, _, err = d.signIn(ben.Email, goodPassword, "a")
		d.want(err, affiliate.Forbidden, "")
	})
}

func TestPreferences(t *testing.T) {
	eachDesk(t, func(d *desk) {
		u := d.owner()
		for name, text := range map[string]string{"view:home:Spring": "a=1", "view:home:100%": "b",
			"columns:orders": "c"} {
			must(d, 0, d.DB.SetPreference(d.ctx, u.ID, name, text, d.now()))
		}
		must(d, 0, d.DB.SetPreference(d.ctx, u.ID, "view:home:Spring", "a=2", d.now()))
		must(d, 0, d.DB.SetPreference(d.ctx, u.ID, "view:home:100%", "", d.now()))
		views, err := d.DB.Preferences(d.ctx, u.ID, "view:home:")
		if len(must(d, views, err)) != 1 || views["view:home:Spring"] != "a=2" {
			d.Errorf("%v", views)
		}
		text, err := d.DB.Preference(d.ctx, u.ID, "columns:orders")
		if must(d, text, err) != "c" {
			d.Error(text)
		}
	})
}
