package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// How long a session lives without use, and how long at most.
const (
	sessionIdle  = 14 * 24 * time.Hour
	sessionMost  = 90 * 24 * time.Hour
	sessionTouch = 10 * time.Minute // last use is this exact
)

// halfSignInTime is how long the code of the second factor is awaited.
const halfSignInTime = 10 * time.Minute

// SignInTry is what somebody sends who signs in.
type SignInTry struct {
	Email, Password string
	Address         string // network address
	Device          string // what SignedIn gave this browser before, or empty
}

// SignedIn is what comes of a right password: a session, or half a sign-in that awaits a code.
type SignedIn struct {
	User   affiliate.User
	Token  string // of the session; only its hash is kept
	Half   string // of the half sign-in, for SignInCode; empty when Token is there
	Device string // for the browser to keep: strangers who guess do not keep it out
	// Failed are the sign-ins that failed since the last one.
	Failed storage.FailedSignIns
}

// SignIn checks a password, and begins a session unless the person has a second factor. Forbidden when the password is
// wrong or the user may not sign in; Unavailable, with the time to wait, after too many failures.
func (a *App) SignIn(ctx context.Context, try SignInTry) (SignedIn, error) {
	ctx = storage.ForLittle(ctx)
	u, err := a.verify(ctx, try)
	if err != nil {
		return SignedIn{}, err
	}
	switch f, err := a.DB.SecondFactor(ctx, u.ID); {
	case affiliate.KindOf(err) == affiliate.NotFound || err == nil && f.ConfirmedAt.IsZero():
		return a.begin(ctx, u, func(*storage.Tx) error { return nil })
	case err != nil:
		return SignedIn{}, err
	}
	half := newToken()
	return SignedIn{User: u, Half: half}, a.DB.CreateHalfSignIn(ctx, sessionHash(half), u.ID,
		a.now().Add(halfSignInTime))
}

// begin begins a session in one transaction with what allows it.
func (a *App) begin(ctx context.Context, u affiliate.User, allowed func(*storage.Tx) error) (SignedIn, error) {
	in := SignedIn{User: u, Token: newToken(), Device: a.newDevice(u.ID)}
	now := a.now()
	err := a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		if err := allowed(tx); err != nil {
			return err
		}
		if in.Failed, err = tx.CreateSession(ctx, sessionHash(in.Token), u.ID, now, now.Add(sessionIdle)); err != nil {
			return err
		}
		return a.audit(As(ctx, u.Principal()), tx, "user.sign_in", u.ID, nil, nil)
	})
	if err != nil {
		return SignedIn{}, err
	}
	return in, nil
}

func newToken() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(random)
}

func sessionHash(token string) []byte {
	if token == "" {
		return nil
	}
	sum := sha256.Sum256([]byte("session " + token))
	return sum[:]
}

// newDevice is what a browser keeps that has signed in to an account.
func (a *App) newDevice(u affiliate.UserID) string {
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails
	return base64.RawURLEncoding.EncodeToString(a.Sealer.Seal(SealDevice, append(random, u.String()...)))
}

// device names the browser that keeps a value of newDevice for an account; empty for any other value.
func (a *App) device(value string, u affiliate.UserID) string {
	if value == "" || u == 0 || len(value) > 200 {
		return ""
	}
	sealed, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return ""
	}
	plain, err := a.Sealer.Open(SealDevice, sealed)
	if err != nil || len(plain) < 16 || string(plain[16:]) != u.String() {
		return ""
	}
	return "device " + hex.EncodeToString(plain[:16])
}

// verify gives the user of an e-mail address and password. It takes as long for an unknown address as for a wrong
// password.
func (a *App) verify(ctx context.Context, try SignInTry) (affiliate.User, error) {
	try.Email = affiliate.FoldEmail(try.Email)
	u, hash, err := a.DB.UserByEmail(ctx, try.Email)
	if err != nil && affiliate.KindOf(err) != affiliate.NotFound {
		return u, err
	}
	if err != nil || !u.DisabledAt.IsZero() {
		u, hash = affiliate.User{}, a.passwords.unknown()
	}
	t := attempt{subject: "account " + try.Email, user: u.ID, address: try.Address,
		trusted: a.device(try.Device, u.ID)}
	return u, a.checkInTurn(ctx, t, hash, try.Password)
}

// checkInTurn compares a password with a hash, under the bounds of an attempt.
func (a *App) checkInTurn(ctx context.Context, t attempt, hash, password string) error {
	if len(password) > 4*affiliate.MaxPassword {
		password = "" // nobody has such a password; do not hash what may be megabytes
	}
	return a.inTurn(ctx, t, func(t attempt) error {
		if right := checkPassword(hash, password); right && t.user != 0 {
			return a.succeeded(ctx, t)
		}
		if err := a.failed(ctx, t, RefusedSignIn); err != nil {
			return err
		}
		return affiliate.Errorf(affiliate.Forbidden, "this e-mail address and password do not fit together")
	})
}

// Prove checks the password of somebody who is signed in by a session, before something that a stolen session must not
// do. Invalid of the field current_password when it is wrong; failures make the session wait, and nobody else.
func (a *App) Prove(ctx context.Context, u affiliate.User, password, session, address string) error {
	_, hash, err := a.DB.UserByEmail(ctx, u.Email)
	if err != nil {
		return err
	}
	t := attempt{subject: "account " + u.Email, user: u.ID, address: address,
		trusted: "session " + hex.EncodeToString(sessionHash(session))}
	if err := a.checkInTurn(ctx, t, hash, password); err != nil {
		return isField(err, "current_password", "is not your present password")
	}
	return a.DB.ProveSession(ctx, sessionHash(session), a.now())
}

var errNoSession = affiliate.Errorf(affiliate.NotFound, "there is no such session")

// session gives a session by its token; NotFound when it has ended.
func (a *App) session(ctx context.Context, token string) (storage.Session, error) {
	if len(token) != 43 {
		return storage.Session{}, errNoSession
	}
	now := a.now()
	s, err := a.DB.SessionByHash(ctx, sessionHash(token), now)
	if err != nil {
		return storage.Session{}, err
	}
	if now.Sub(s.CreatedAt.Time) >= sessionMost {
		return storage.Session{}, affiliate.Errorf(affiliate.NotFound, "this session has ended")
	}
	if now.Sub(s.SeenAt.Time) > sessionTouch {
		ctx, cancel := a.DB.Within(storage.ForLittle(ctx), touchLimit)
		defer cancel()
		if err := a.DB.TouchSession(ctx, sessionHash(token), now, now.Add(sessionIdle)); err != nil {
			a.lines.Log(a.Log, slog.LevelWarn, "", "note the use of a session", "user", s.User.ID, "error", err)
		}
	}
	return s, nil
}

// SignOut ends a session.
func (a *App) SignOut(ctx context.Context, token string) error {
	ctx = storage.ForLittle(ctx)
	return a.DB.EndSession(ctx, sessionHash(token))
}

// SignOutElsewhere ends all sessions of a user but one, and sign-ins that await a code.
func (a *App) SignOutElsewhere(ctx context.Context, u affiliate.UserID, keep string) error {
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.EndSessions(ctx, u, sessionHash(keep)); err != nil {
			return err
		}
		return a.audit(ctx, tx, "user.sign_out_elsewhere", u, nil, nil)
	})
}

// errStartAgain is for a code that comes too late.
var errStartAgain = affiliate.Errorf(affiliate.Forbidden, "this took too long, or was done already; sign in again")

// IsStartAgain says whether a sign-in has to begin again with the password.
func IsStartAgain(err error) bool { return errors.Is(err, errStartAgain) }

// HalfSignedIn gives who may send a code to SignInCode.
func (a *App) HalfSignedIn(ctx context.Context, half string) (affiliate.User, error) {
	if len(half) != 43 {
		return affiliate.User{}, errStartAgain
	}
	u, err := a.DB.HalfSignIn(ctx, sessionHash(half), a.now())
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = errStartAgain
	}
	return u, err
}

// SignInCode is the second step of signing in: it begins the session for a code of the person's app, or one of their
// recovery codes. Invalid of the field code when it is wrong or was used; Unavailable after too many failures;
// IsStartAgain when the password has to be given again.
func (a *App) SignInCode(ctx context.Context, half, code, device, address string) (SignedIn, error) {
	ctx = storage.ForLittle(ctx)
	u, err := a.HalfSignedIn(ctx, half)
	if err != nil {
		return SignedIn{}, err
	}
	var in SignedIn
	err = a.codeInTurn(ctx, u.ID, address, a.device(device, u.ID), func() error {
		in, err = a.begin(ctx, u, func(tx *storage.Tx) error {
			if ended, err := tx.EndHalfSignIn(ctx, sessionHash(half)); err != nil || !ended {
				if err == nil {
					err = errStartAgain
				}
				return err
			}
			return a.useCode(ctx, tx, u.ID, code)
		})
		return err
	})
	return in, err
}

// tidyCode takes what people put between the parts of a code away.
func tidyCode(code string) string {
	return strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "\u00a0", "").Replace(code))
}
