package app_test

import (
	"encoding/base32"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/totp"
)

// TestAttack_codeReplay_race: of many who send the same code or the same recovery code at one moment, one gets in.
func TestAttack_codeReplay_race(t *testing.T) {
	eachDesk(t, func(d *desk) {
		mia := d.owner()
		session, _, err := d.signIn(mia.Email, goodPassword, "192.0.2.1")
		must(d, session, err)
		offered, err := d.OfferSecondFactor(d.ctx, mia)
		secret, decoded := base32.StdEncoding.DecodeString(must(d, offered, err).Text)
		must(d, secret, decoded)
		code := func() string { return totp.Code(secret, totp.Step(d.now())) }
		proof := app.Proof{Password: goodPassword, Code: code(), Session: session, Address: "192.0.2.1"}
		recovery, err := d.ConfirmSecondFactor(d.ctx, mia, proof)
		must(d, recovery, err)
		_, err = d.ConfirmSecondFactor(d.ctx, mia, proof)
		d.want(err, affiliate.Conflict, "", "already")
		d.want(d.EndOwnSecondFactor(d.ctx, mia, proof), affiliate.Invalid, "code") // it proved the factor already
		d.pass(time.Minute)
		for _, name := range []string{"code", "recovery code"} {
			sent := recovery[0]
			if name == "code" {
				sent = code() // of now
			}
			var in atomic.Int32
			var work sync.WaitGroup
			for range 4 {
				half, err := d.SignIn(d.ctx, app.SignInTry{Email: mia.Email, Password: goodPassword,
					Address: "192.0.2.1"})
				if must(d, half, err).Token != "" || half.Half == "" || half.Device != "" {
					d.Fatalf("the password alone gives %+v", half)
				}
				work.Go(func() {
					if _, err := d.SignInCode(d.ctx, half.Half, sent, "", "192.0.2.1"); err == nil {
						in.Add(1)
					} else if affiliate.KindOf(err) != affiliate.Invalid {
						d.Errorf("%s: %v", name, err)
					}
				})
			}
			work.Wait()
			if in.Load() != 1 {
				d.Errorf("one %s signed in %d times", name, in.Load())
			}
			d.pass(time.Minute)
		}
		left, err := d.DB.RecoveryCodes(d.ctx, mia.ID)
		if must(d, left, err) != 9 {
			d.Errorf("%d recovery codes are left", left)
		}
		since, err := d.DB.SecondFactors(d.ctx, []affiliate.UserID{mia.ID})
		if must(d, since, err)[mia.ID].IsZero() {
			d.Errorf("%v", since)
		}
		must(d, 0, d.EndSecondFactor(d.ctx, mia.ID))
		again, _, err := d.signIn(mia.Email, goodPassword, "192.0.2.1")
		must(d, again, err)
	})
}
