package app_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/attack"
)

// honestWait is how long a sign-in may take while others are attacked: generous, for a busy machine.
const honestWait = 4 * time.Second

// TestAttack_signInFlood: hundreds of connections that guess side by side, from one network or from as many, do not
// delay somebody who signs in with a browser that did before. Whoever comes from elsewhere gets in soon, too, or is
// told at once to try again.
func TestAttack_signInFlood(t *testing.T) {
	eachDesk(t, func(d *desk) {
		mia := d.owner()
		first, err := d.SignIn(d.ctx, app.SignInTry{Email: mia.Email, Password: goodPassword, Address: "198.51.100.7"})
		must(d, 0, err)
		for name, from := range map[string]func(i int) string{
			"one network":   func(int) string { return "192.0.2.1" },
			"many networks": func(i int) string { return fmt.Sprintf("203.0.%d.%d", i/256, i%256) },
		} {
			stop := make(chan struct{})
			var guessing sync.WaitGroup
			for i := range attack.Size(80, 1000) {
				guessing.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-stop:
							return
						default:
						}
						email := fmt.Sprintf("user%d-%d@brand.example", i, n)
						_, _, err := d.signIn(email, "guess guess guess", from(i))
						if err == nil {
							d.Error("a guess signed in")
						}
					}
				})
			}
			time.Sleep(100 * time.Millisecond) // so that the flood is there
			for range attack.Size(2, 30) {
				begin := time.Now()
				_, err := d.SignIn(d.ctx, app.SignInTry{Email: mia.Email, Password: goodPassword,
					Address: "198.51.100.7", Device: first.Device})
				if took := time.Since(begin); err != nil || took > honestWait {
					d.Errorf("%s: with a known browser it took %s: %v", name, took, err)
				}
				begin = time.Now()
				_, _, err = d.signIn(mia.Email, goodPassword, "198.51.100.8")
				took := time.Since(begin)
				if told := affiliate.KindOf(err) == affiliate.Unavailable; err != nil && !told || took > honestWait {
					d.Errorf("%s: with a new browser it took %s: %v", name, took, err)
				}
				if err != nil && name == "one network" {
					d.Errorf("one network keeps others out: %v", err)
				}
			}
			close(stop)
			guessing.Wait()
		}
	})
}

// TestAttack_setupFlood: strangers cannot make a fresh installation hash passwords.
func TestAttack_setupFlood(t *testing.T) {
	eachDesk(t, func(d *desk) {
		u := affiliate.User{Email: "eve@elsewhere.example", Name: "Eve"}
		begin := time.Now()
		const tries = 1000 // of some 30 ms each, were they hashed
		for range tries {
			_, err := d.AddFirstOwner(d.ctx, strings.Repeat("0", 32), u, goodPassword, "192.0.2.1")
			d.want(err, affiliate.Forbidden, "", "tributary serve")
		}
		if took := time.Since(begin); took > 10*time.Second {
			d.Errorf("%d tries without the key took %s", tries, took)
		}
		d.owner()
		_, err := d.AddFirstOwner(d.ctx, "", u, goodPassword, "192.0.2.1")
		d.want(err, affiliate.Conflict, "", "has an owner already")
	})
}

// TestAttack_distributedGuessing: guessing at one account from many networks gets slow, while waits without a known
// browser stay at a minute at most, and with one there are none.
func TestAttack_distributedGuessing(t *testing.T) {
	eachDesk(t, func(d *desk) {
		mia := d.owner()
		first, err := d.SignIn(d.ctx, app.SignInTry{Email: mia.Email, Password: goodPassword, Address: "198.51.100.7"})
		must(d, 0, err)
		tried := 0
		hours := attack.Size(1, 24)
		for minute := range hours * 60 {
			for i := range 4 { // of the many, four a minute; they are refused without a hash soon
				from := fmt.Sprintf("203.%d.%d.%d", minute/250, minute%250, i)
				_, _, err := d.signIn(mia.Email, "guess guess guess", from)
				if affiliate.KindOf(err) == affiliate.Forbidden {
					tried++
				}
			}
			d.pass(time.Minute)
			if minute%60 == 59 {
				again, err := d.SignIn(d.ctx, app.SignInTry{Email: mia.Email, Password: goodPassword,
					Address: "198.51.100.7", Device: first.Device})
				must(d, again, err)
			}
		}
		if tried > 30+hours*60 {
			d.Errorf("%d guesses were tried in %d hours", tried, hours)
		}
		d.pass(time.Minute)
		if _, _, err := d.signIn(mia.Email, goodPassword, "198.51.100.9"); err != nil {
			d.Errorf("a minute after the last guess, with a new browser: %v", err)
		}
	})
}

// TestAttack_stolenDevice: the value that a browser keeps is no way around the bounds: it has failures of its own, and
// then counts as a stranger.
func TestAttack_stolenDevice(t *testing.T) {
	eachDesk(t, func(d *desk) {
		mia := d.owner()
		ben, err := d.AddUser(d.ctx, affiliate.User{Email: "ben@brand.example", Name: "Ben",
			Role: affiliate.RoleViewer}, goodPassword)
		must(d, ben, err)
		in, err := d.SignIn(d.ctx, app.SignInTry{Email: ben.Email, Password: goodPassword, Address: "192.0.2.1"})
		must(d, 0, err)
		guess := func(email string) (tried int) {
			for range 40 {
				_, err := d.SignIn(d.ctx, app.SignInTry{Email: email, Password: "guess guess guess",
					Address: "192.0.2.1", Device: in.Device})
				if affiliate.KindOf(err) == affiliate.Forbidden {
					tried++
				}
			}
			return tried
		}
		if n := guess(mia.Email); n != 5 {
			d.Errorf("with the browser of another account %d guesses were tried, want those of a stranger", n)
		}
		if n := guess(ben.Email); n != 10+5 {
			d.Errorf("with the stolen value %d guesses were tried, want 15", n)
		}
	})
}

// TestAttack_sessionGuesses: whoever has a stolen session cannot find the password by it.
func TestAttack_sessionGuesses(t *testing.T) {
	eachDesk(t, func(d *desk) {
		mia := d.owner()
		token, _, err := d.signIn(mia.Email, goodPassword, "192.0.2.1")
		must(d, token, err)
		tried := 0
		for range 40 {
			err := d.ChangeOwnPassword(d.ctx, mia, "guess guess guess", "a quite different one", token, "203.0.113.1")
			if affiliate.KindOf(err) == affiliate.Invalid {
				tried++
			}
		}
		if tried > 15 {
			d.Errorf("%d guesses were tried", tried)
		}
		if _, _, err := d.signIn(mia.Email, goodPassword, "192.0.2.1"); err != nil {
			d.Errorf("the person themselves: %v", err)
		}
	})
}
