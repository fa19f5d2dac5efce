package app

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Cost of a password's hash: OWASP's recommendation for argon2id (19 MiB, 2 passes, 1 lane). hashSlots bounds how many
// are computed at once, so that a flood of sign-ins takes neither memory nor the processor from the intake.
const (
	argonTime   = 2
	argonMemory = 19 << 10 // KiB
	argonLanes  = 1
	argonKey    = 32
	argonSalt   = 16
	hashSlots   = 2
)

// hashPassword gives a hash with its parameters and salt, in the usual textual form.
func hashPassword(password string) string {
	salt := make([]byte, argonSalt)
	_, _ = rand.Read(salt) // never fails
	key := argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonLanes, argonKey)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		b64.EncodeToString(salt), b64.EncodeToString(key))
}

// checkPassword compares in constant time. A hash that cannot be read fits no password.
func checkPassword(hash, password string) bool {
	var version, memory, passes, lanes int
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &passes,
		&lanes); err != nil || version != argon2.Version {
		return false
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) == 0 || passes < 1 || memory < 8 || memory > 1<<20 || lanes < 1 || lanes > 16 {
		return false
	}
	key := argon2.IDKey([]byte(password), salt, uint32(passes), uint32(memory), uint8(lanes), uint32(len(want)))
	return subtle.ConstantTimeCompare(key, want) == 1
}

// passwords bounds how many hashes are computed at once. The zero value works.
type passwords struct {
	once   sync.Once
	slots  chan struct{}
	nobody string // the hash of a password that nobody knows
}

// hashing runs f when one of few slots is free.
func (p *passwords) hashing(ctx context.Context, f func()) error {
	p.once.Do(func() {
		p.slots = make(chan struct{}, hashSlots)
		random := make([]byte, 32)
		_, _ = rand.Read(random) // never fails
		p.nobody = hashPassword(string(random))
	})
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.slots }()
	f()
	return nil
}

// AddUser makes a user. Conflict when the e-mail address is taken.
func (a *App) AddUser(ctx context.Context, u affiliate.User, password string) (affiliate.User, error) {
	return a.addUser(ctx, u, password, func(*storage.Tx) error { return nil })
}

// AddFirstOwner makes the owner of a fresh installation. Conflict when there is a user already.
func (a *App) AddFirstOwner(ctx context.Context, u affiliate.User, password string) (affiliate.User, error) {
	u.Role = affiliate.RoleOwner
	return a.addUser(ctx, u, password, func(tx *storage.Tx) error {
		has, err := tx.HasUsers(ctx)
		if err == nil && has {
			err = affiliate.Errorf(affiliate.Conflict,
				"this installation has an owner already; sign in, or ask them for an account")
		}
		return err
	})
}

func (a *App) addUser(ctx context.Context, u affiliate.User, password string,
	allowed func(*storage.Tx) error) (affiliate.User, error) {
	u.Email, u.Name = affiliate.FoldEmail(u.Email), strings.TrimSpace(u.Name)
	u.CreatedAt, u.UpdatedAt = a.now(), a.now()
	if err := u.Validate(); err != nil {
		return u, err
	}
	if err := affiliate.ValidatePassword("password", password); err != nil {
		return u, err
	}
	var hash string
	if err := a.passwords.hashing(ctx, func() { hash = hashPassword(password) }); err != nil {
		return u, err
	}
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.User, error) {
		if err := allowed(tx); err != nil {
			return u, err
		}
		created, err := tx.CreateUser(ctx, u, hash)
		if err != nil {
			return u, err
		}
		return created, a.audit(ctx, tx, "user.add", created.ID, nil, userFacts(created))
	})
}

// ChangeUser alters name, role, and whether a user may sign in. The last owner stays one. Whoever may no longer sign
// in, or has another role, is signed out everywhere.
func (a *App) ChangeUser(ctx context.Context, id affiliate.UserID,
	change func(*affiliate.User) error) (affiliate.User, error) {
	return inCatalog(ctx, a, func(tx *storage.Tx) (affiliate.User, error) {
		before, err := tx.User(ctx, id)
		if err != nil {
			return before, err
		}
		after := before
		if err := change(&after); err != nil || after == before {
			return before, err
		}
		after.Name, after.UpdatedAt = strings.TrimSpace(after.Name), a.now()
		if err := after.Validate(); err != nil {
			return before, err
		}
		if err := tx.SaveUser(ctx, after); err != nil {
			return before, err
		}
		if owners, err := tx.WorkingOwners(ctx); err != nil || owners == 0 {
			if err == nil {
				err = affiliate.Errorf(affiliate.Conflict,
					"%s is the last owner who can sign in; make another owner first", before.Name)
			}
			return before, err
		}
		if after.Role != before.Role || after.DisabledAt != before.DisabledAt {
			if err := tx.EndSessions(ctx, id, nil); err != nil {
				return before, err
			}
		}
		return after, a.audit(ctx, tx, "user.change", id, userFacts(before), userFacts(after))
	})
}

func userFacts(u affiliate.User) facts {
	return facts{"email": u.Email, "name": u.Name, "role": u.Role, "disabled_at": auditTime(u.DisabledAt)}
}

// SetUserPassword gives a user a new password and signs them out everywhere else; keep is the token of the session that
// stays, empty for none.
func (a *App) SetUserPassword(ctx context.Context, id affiliate.UserID, password, keep string) error {
	if err := affiliate.ValidatePassword("password", password); err != nil {
		return err
	}
	var hash string
	if err := a.passwords.hashing(ctx, func() { hash = hashPassword(password) }); err != nil {
		return err
	}
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if _, err := tx.User(ctx, id); err != nil {
			return err
		}
		if err := tx.SetPassword(ctx, id, hash, a.now()); err != nil {
			return err
		}
		if err := tx.EndSessions(ctx, id, sessionHash(keep)); err != nil {
			return err
		}
		return a.audit(ctx, tx, "user.password", id, nil, nil)
	})
}

// ChangeOwnPassword is SetUserPassword for somebody who knows the present one. Invalid of the field current_password
// when they do not; failures count like those of signing in.
func (a *App) ChangeOwnPassword(ctx context.Context, u affiliate.User, current, password, keep, address string) error {
	if _, err := a.verify(ctx, u.Email, current, address); err != nil {
		if affiliate.KindOf(err) == affiliate.Forbidden {
			err = affiliate.FieldErrorf("current_password", "is not your present password")
		}
		return err
	}
	return a.SetUserPassword(ctx, u.ID, password, keep)
}

// How long a session lives without use, and how long at most.
const (
	sessionIdle  = 14 * 24 * time.Hour
	sessionMost  = 90 * 24 * time.Hour
	sessionTouch = 10 * time.Minute // last use is this exact
)

// Throttling of sign-ins: after so many failures for an e-mail address, or from a network address, one must wait. The
// count is forgotten FailuresForget after the last failure.
const (
	failuresFree   = 5
	failuresAnyone = 50               // from one address: offices share one
	failuresWait   = 30 * time.Second // for the first above, doubled for each more
	failuresLong   = 15 * time.Minute
)

// FailuresForget is how long after the last of them failures to sign in are remembered.
const FailuresForget = time.Hour

// SignIn checks a password and begins a session, whose token it gives; only its hash is kept. Forbidden when it is
// wrong or the user may not sign in; Unavailable, with the time to wait, after too many failures.
func (a *App) SignIn(ctx context.Context, email, password, address string) (token string, u affiliate.User, err error) {
	ctx = storage.ForLittle(ctx)
	if u, err = a.verify(ctx, email, password, address); err != nil {
		return "", u, err
	}
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails
	token = base64.RawURLEncoding.EncodeToString(random)
	now := a.now()
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.CreateSession(ctx, sessionHash(token), u.ID, now, now.Add(sessionIdle)); err != nil {
			return err
		}
		return a.audit(As(ctx, u.Principal()), tx, "user.sign_in", u.ID, nil, nil)
	})
	return token, u, err
}

func sessionHash(token string) []byte {
	if token == "" {
		return nil
	}
	sum := sha256.Sum256([]byte("session " + token))
	return sum[:]
}

// verify gives the user of an e-mail address and password. It takes as long for an unknown address as for a wrong
// password.
func (a *App) verify(ctx context.Context, email, password, address string) (affiliate.User, error) {
	if len(password) > 4*affiliate.MaxPassword {
		password = "" // nobody has such a password; do not hash what may be megabytes
	}
	email = affiliate.FoldEmail(email)
	attempt := signInAttempt{email: email, password: password, account: a.Sealer.Hash(HashSignIn, "account "+email),
		place: a.Sealer.Hash(HashSignIn, "address "+Network(address))}
	// Before the wait for a slot, and again with it: of many attempts sent at once, all would pass here.
	if err := a.admit(ctx, attempt); err != nil {
		return affiliate.User{}, err
	}
	var u affiliate.User
	var err error
	if waited := a.passwords.hashing(ctx, func() { u, err = a.attempt(ctx, attempt) }); waited != nil {
		return u, waited
	}
	return u, err
}

// signInAttempt is one try of a password, with the names under which its failures are counted.
type signInAttempt struct {
	email, password string
	account, place  string
}

// admit refuses an attempt after too many failures.
func (a *App) admit(ctx context.Context, t signInAttempt) error {
	now := a.now()
	if err := a.throttled(ctx, t.account, failuresFree, now); err != nil {
		return err
	}
	return a.throttled(ctx, t.place, failuresAnyone, now)
}

// attempt tries a password, and counts a failure before the next attempt may begin.
func (a *App) attempt(ctx context.Context, t signInAttempt) (affiliate.User, error) {
	if err := a.admit(ctx, t); err != nil {
		return affiliate.User{}, err
	}
	u, hash, err := a.DB.UserByEmail(ctx, t.email)
	if err != nil && affiliate.KindOf(err) != affiliate.NotFound {
		return u, err
	}
	known := err == nil && u.DisabledAt.IsZero()
	if !known {
		hash = a.passwords.nobody
	}
	if right := checkPassword(hash, t.password); known && right {
		return u, a.DB.ForgetSignInFailures(ctx, t.account)
	}
	now := a.now()
	for _, who := range []string{t.account, t.place} {
		if err := a.DB.NoteSignInFailure(ctx, who, now, now.Add(-FailuresForget)); err != nil {
			return u, err
		}
	}
	return affiliate.User{}, affiliate.Errorf(affiliate.Forbidden,
		"this e-mail address and password do not fit together")
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

func (a *App) throttled(ctx context.Context, who string, free int, now time.Time) error {
	n, last, err := a.DB.SignInFailures(ctx, who)
	if err != nil || n < free || now.Sub(last) >= FailuresForget {
		return err
	}
	wait := failuresLong
	if more := n - free; more < 5 {
		wait = failuresWait << more
	}
	left := last.Add(wait).Sub(now)
	if left <= 0 {
		return nil
	}
	return &affiliate.Error{Kind: affiliate.Unavailable, Code: "too_many_attempts",
		Message: fmt.Sprintf("too many sign-ins failed; try again in %s", left.Round(time.Second)+time.Second)}
}

// SessionUser gives who a session's token belongs to; NotFound when it has ended.
func (a *App) SessionUser(ctx context.Context, token string) (affiliate.User, error) {
	if len(token) != 43 {
		return affiliate.User{}, affiliate.Errorf(affiliate.NotFound, "there is no such session")
	}
	now := a.now()
	s, err := a.DB.SessionByHash(ctx, sessionHash(token), now)
	if err != nil {
		return affiliate.User{}, err
	}
	if now.Sub(s.CreatedAt.Time) >= sessionMost {
		return affiliate.User{}, affiliate.Errorf(affiliate.NotFound, "this session has ended")
	}
	if now.Sub(s.SeenAt.Time) > sessionTouch {
		if err := a.DB.TouchSession(storage.ForLittle(ctx), sessionHash(token), now, now.Add(sessionIdle)); err != nil {
			a.Log.Warn("note the use of a session", "user", s.User.ID, "error", err)
		}
	}
	return s.User, nil
}

// SignOut ends a session.
func (a *App) SignOut(ctx context.Context, token string) error {
	return a.DB.EndSession(storage.ForLittle(ctx), sessionHash(token))
}
