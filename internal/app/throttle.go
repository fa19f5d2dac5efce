package app

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// FailuresForget is how long after the last of them failures to sign in are remembered.
const FailuresForget = time.Hour

// bound is how many failures under one name are free, and how long one waits after the next, doubled for each more.
type bound struct {
	name        string
	free        int
	first, most time.Duration
}

// attempt is one try of a password or a code.
type attempt struct {
	subject string           // what is guessed at: "account mia@brand.example", "code usr_1"
	user    affiliate.UserID // whose it is; 0 when nobody knows
	address string           // network address of who tries
	// trusted names a browser that signed in to this account before, or a session of it. It has failures of its own, so
	// that strangers who guess keep nobody out for long; when it has too many itself, it is a stranger's.
	trusted string
}

func (t attempt) place() string { return Network(t.address) }

// bounds are what the attempt must keep. Somebody who guesses from one network is stopped early; from many networks,
// later and for a minute at most, since that also stops the person themselves where they have not signed in before; and
// one network that guesses at many accounts, which may be an office.
func (t attempt) bounds() []bound {
	const long = 15 * time.Minute
	if t.trusted != "" {
		return []bound{{t.subject + " by " + t.trusted, 10, 30 * time.Second, long}}
	}
	return []bound{{t.subject + " from " + t.place(), 5, 30 * time.Second, long},
		{t.subject, 30, 5 * time.Second, time.Minute}, {"address " + t.place(), 50, 30 * time.Second, long}}
}

// names are those under which a failure is counted.
func (a *App) names(t attempt) []string {
	var list []string
	for _, b := range t.bounds() {
		list = append(list, a.hashedName(b.name))
	}
	return list
}

func (a *App) hashedName(name string) string { return a.Sealer.Hash(HashSignIn, name) }

// admit refuses an attempt after too many failures: Unavailable, with the time to wait.
func (a *App) admit(ctx context.Context, t *attempt) error {
	err := a.admitted(ctx, *t)
	if t.trusted != "" && affiliate.KindOf(err) == affiliate.Unavailable {
		t.trusted = ""
		err = a.admitted(ctx, *t)
	}
	a.noteTooMany(err, *t)
	return err
}

func (a *App) admitted(ctx context.Context, t attempt) error {
	for _, b := range t.bounds() {
		if err := a.throttled(ctx, b); err != nil {
			return err
		}
	}
	return nil
}

// noteTooMany tells the log when an attempt is refused without being tried.
func (a *App) noteTooMany(err error, t attempt) {
	if affiliate.KindOf(err) == affiliate.Unavailable {
		a.Refused(RefusedTooMany, t.address, t.who()...)
	}
}

// who is what the log may know of the person.
func (t attempt) who() []any {
	if t.user == 0 {
		return []any{"user", "unknown"}
	}
	return []any{"user", t.user.String()}
}

const tooManyAttempts = "too_many_attempts"

func (a *App) throttled(ctx context.Context, b bound) error {
	now := a.now()
	n, last, err := a.DB.SignInFailures(ctx, a.hashedName(b.name))
	if err != nil || n < b.free || now.Sub(last) >= FailuresForget {
		return err
	}
	wait := b.most
	if more := n - b.free; more < 10 {
		wait = min(b.most, b.first<<more)
	}
	left := last.Add(wait).Sub(now)
	if left <= 0 {
		return nil
	}
	return &affiliate.Error{Kind: affiliate.Unavailable, Code: tooManyAttempts,
		Message: fmt.Sprintf("too many sign-ins failed; try again in %s", left.Round(time.Second)+time.Second)}
}

// failed counts a failure before the next attempt may begin.
func (a *App) failed(ctx context.Context, t attempt, kind Refusal) error {
	a.Refused(kind, t.address, t.who()...)
	now := a.now()
	return a.DB.NoteSignInFailure(ctx, a.names(t), t.user, a.hashedName("address "+t.place()), now,
		now.Add(-FailuresForget))
}

// succeeded forgets the failures of who tried. Those of others stay: they go on guessing.
func (a *App) succeeded(ctx context.Context, t attempt) error {
	return a.DB.ForgetSignInFailures(ctx, a.hashedName(t.bounds()[0].name))
}

// inTurn runs try under the bounds of an attempt, one after the other for each lane: of many attempts sent at once, all
// would be admitted before the first has failed.
func (a *App) inTurn(ctx context.Context, t attempt, try func(attempt) error) error {
	if err := a.admit(ctx, &t); err != nil {
		return err
	}
	lane := &a.passwords.strangers
	if t.trusted != "" {
		lane = &a.passwords.known
	}
	leave, err := lane.enter(ctx, t.place())
	if err != nil {
		a.noteTooMany(err, t)
		return err
	}
	defer leave()
	if err := a.admit(ctx, &t); err != nil {
		return err
	}
	return try(t)
}

// isField turns what a stranger is told into what a form of somebody who is signed in says of one field.
func isField(err error, field, message string) error {
	var e *affiliate.Error
	if errors.As(err, &e) && e.Kind == affiliate.Forbidden {
		return affiliate.FieldErrorf(field, "%s", message)
	}
	return err
}

// Network is what one stranger has: an IPv4 address, or the /64 that IPv6 gives to every household. What is no address
// stands for itself.
func Network(address string) string {
	ip, err := netip.ParseAddr(address)
	switch {
	case err != nil:
		return address
	case ip.Unmap().Is4():
		return ip.Unmap().String()
	}
	prefix, _ := ip.WithZone("").Prefix(64) // 64 fits every IPv6 address
	return prefix.String()
}
