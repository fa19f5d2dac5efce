package app

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/hex"
	"errors"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/totp"
)

// recoveryCodes is how many codes for a lost phone a person gets.
const recoveryCodes = 10

// OfferedFactor is a second factor that a person may put into their app.
type OfferedFactor struct {
	Text    string // the secret, to type in
	Address string // for a QR code
}

// OfferSecondFactor gives the second factor that a person may confirm; it is made when there is none yet. Conflict when
// they have one already.
func (a *App) OfferSecondFactor(ctx context.Context, u affiliate.User) (OfferedFactor, error) {
	secret, err := a.offered(ctx, u.ID)
	if affiliate.KindOf(err) == affiliate.NotFound {
		secret = totp.NewSecret()
		var fresh bool
		fresh, err = a.DB.OfferSecondFactor(ctx, u.ID, a.Sealer.Seal(sealedFactor(u.ID), secret), a.now())
		if err == nil && !fresh {
			err = errHasFactor
		}
	}
	if err != nil {
		return OfferedFactor{}, err
	}
	settings, err := a.DB.Settings(ctx)
	if err != nil {
		return OfferedFactor{}, err
	}
	issuer := "Tributary"
	if settings.Name != "" {
		issuer += " " + settings.Name
	}
	return OfferedFactor{Text: totp.Text(secret), Address: totp.Address(issuer, u.Email, secret)}, nil
}

var errHasFactor = affiliate.Errorf(affiliate.Conflict, "you have a second factor already; switch it off first")

// sealedFactor is the purpose that a secret is sealed for: one person's cannot be put in place of another's.
func sealedFactor(id affiliate.UserID) string { return SealSecondFactor + " " + id.String() }

// offered gives the secret that is not confirmed yet.
func (a *App) offered(ctx context.Context, id affiliate.UserID) ([]byte, error) {
	f, err := a.DB.SecondFactor(ctx, id)
	if err == nil && !f.ConfirmedAt.IsZero() {
		err = errHasFactor
	}
	if err != nil {
		return nil, err
	}
	return a.Sealer.Open(sealedFactor(id), f.Secret)
}

// ConfirmSecondFactor takes the offered second factor into use, for somebody who knows their password and a code of it.
// It gives the recovery codes, which are shown this once. Other sessions end: they began without it.
func (a *App) ConfirmSecondFactor(ctx context.Context, u affiliate.User, p Proof) ([]string, error) {
	secret, err := a.offered(ctx, u.ID)
	if affiliate.KindOf(err) == affiliate.NotFound {
		err = affiliate.Errorf(affiliate.Conflict, "open the page again; no second factor was offered yet")
	}
	if err != nil {
		return nil, err
	}
	if err := a.Prove(ctx, u, p.Password, p.Session, p.Address); err != nil {
		return nil, err
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		codes[i] = newRecoveryCode()
	}
	err = a.codeInTurn(ctx, u.ID, p.Address, p.trusted(), func() error {
		step, ok := totp.Find(secret, tidyCode(p.Code), a.now())
		if !ok {
			return errWrongCode
		}
		return a.DB.InTx(ctx, func(tx *storage.Tx) error {
			if fresh, err := tx.ConfirmSecondFactor(ctx, u.ID, step, a.now()); err != nil || !fresh {
				if err == nil {
					err = errHasFactor
				}
				return err
			}
			if err := tx.SetRecoveryCodes(ctx, u.ID, a.recoveryHashes(u.ID, codes)); err != nil {
				return err
			}
			if err := tx.EndSessions(ctx, u.ID, sessionHash(p.Session)); err != nil {
				return err
			}
			return a.audit(ctx, tx, "user.second_factor_on", u.ID, nil, nil)
		})
	})
	if err != nil {
		return nil, err
	}
	return codes, nil
}

// Proof is what somebody who is signed in gives to prove who they are.
type Proof struct {
	Password string
	Code     string // of the second factor
	Session  string // token of the session
	Address  string // network address
}

func (p Proof) trusted() string { return "session " + hex.EncodeToString(sessionHash(p.Session)) }

// NewRecoveryCodes gives a person new recovery codes in place of those before; they are shown this once.
func (a *App) NewRecoveryCodes(ctx context.Context, u affiliate.User, p Proof) ([]string, error) {
	codes := make([]string, recoveryCodes)
	for i := range codes {
		codes[i] = newRecoveryCode()
	}
	return codes, a.withBoth(ctx, u, p, func(tx *storage.Tx) error {
		if err := tx.SetRecoveryCodes(ctx, u.ID, a.recoveryHashes(u.ID, codes)); err != nil {
			return err
		}
		return a.audit(ctx, tx, "user.recovery_codes", u.ID, nil, nil)
	})
}

// EndOwnSecondFactor switches a person's second factor off, for somebody who knows the password and a code.
func (a *App) EndOwnSecondFactor(ctx context.Context, u affiliate.User, p Proof) error {
	return a.withBoth(ctx, u, p, func(tx *storage.Tx) error { return a.endSecondFactor(ctx, tx, u.ID) })
}

// withBoth runs f when the password and the code are right.
func (a *App) withBoth(ctx context.Context, u affiliate.User, p Proof, f func(*storage.Tx) error) error {
	if err := a.Prove(ctx, u, p.Password, p.Session, p.Address); err != nil {
		return err
	}
	return a.codeInTurn(ctx, u.ID, p.Address, p.trusted(), func() error {
		return a.DB.InTx(ctx, func(tx *storage.Tx) error {
			if err := a.useCode(ctx, tx, u.ID, p.Code); err != nil {
				return err
			}
			return f(tx)
		})
	})
}

// EndSecondFactor switches the second factor of somebody off who has lost it, and signs them out everywhere.
func (a *App) EndSecondFactor(ctx context.Context, id affiliate.UserID) error {
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := a.endSecondFactor(ctx, tx, id); err != nil {
			return err
		}
		return tx.EndSessions(ctx, id, nil)
	})
}

func (a *App) endSecondFactor(ctx context.Context, tx *storage.Tx, id affiliate.UserID) error {
	ended, err := tx.EndSecondFactor(ctx, id)
	if err == nil && !ended {
		err = affiliate.Errorf(affiliate.Conflict, "there is no second factor to switch off")
	}
	if err != nil {
		return err
	}
	return a.audit(ctx, tx, "user.second_factor_off", id, nil, nil)
}

var errWrongCode = affiliate.FieldErrorf("code", "is not right, or was used already; wait for the next one in your app")

// codeInTurn runs try, which checks a code, one after the other and under the bounds of those who guess.
func (a *App) codeInTurn(ctx context.Context, id affiliate.UserID, address, trusted string, try func() error) error {
	t := attempt{subject: "code " + id.String(), user: id, address: address, trusted: trusted}
	return a.inTurn(ctx, t, func(t attempt) error {
		err := try()
		switch {
		case errors.Is(err, errWrongCode):
			if noted := a.failed(ctx, t, RefusedSecondFactor); noted != nil {
				return noted
			}
			return err
		case err != nil:
			return err
		}
		return a.succeeded(ctx, t)
	})
}

// useCode uses a code up: one of the app, or a recovery code. errWrongCode when it is neither, or was used.
func (a *App) useCode(ctx context.Context, tx *storage.Tx, id affiliate.UserID, code string) error {
	f, err := tx.SecondFactor(ctx, id)
	if affiliate.KindOf(err) == affiliate.NotFound || err == nil && f.ConfirmedAt.IsZero() {
		return affiliate.Errorf(affiliate.Conflict, "there is no second factor")
	}
	if err != nil {
		return err
	}
	code = tidyCode(code)
	if len(code) != totp.Digits {
		return a.useRecoveryCode(ctx, tx, id, code)
	}
	secret, err := a.Sealer.Open(sealedFactor(id), f.Secret)
	if err != nil {
		return err
	}
	step, ok := totp.Find(secret, code, a.now())
	if ok {
		ok, err = tx.UseStep(ctx, id, step)
	}
	if err == nil && !ok {
		err = errWrongCode
	}
	return err
}

func (a *App) useRecoveryCode(ctx context.Context, tx *storage.Tx, id affiliate.UserID, code string) error {
	if len(code) != recoveryLength {
		return errWrongCode
	}
	used, err := tx.UseRecoveryCode(ctx, id, a.recoveryHashes(id, []string{code})[0])
	if err != nil || !used {
		if err == nil {
			err = errWrongCode
		}
		return err
	}
	left, err := tx.RecoveryCodes(ctx, id)
	if err != nil {
		return err
	}
	return a.audit(ctx, tx, "user.recovery_code", id, nil, facts{"left": left})
}

// recoveryLength is how many characters a recovery code has, of five bits each: nobody finds 80 bits by guessing, so
// that a fast hash keeps them.
const recoveryLength = 16

// newRecoveryCode makes one, in groups that people can read.
func newRecoveryCode() string {
	random := make([]byte, recoveryLength*5/8)
	_, _ = rand.Read(random) // never fails
	text := base32.StdEncoding.EncodeToString(random)
	return text[:4] + "-" + text[4:8] + "-" + text[8:12] + "-" + text[12:]
}

func (a *App) recoveryHashes(id affiliate.UserID, codes []string) []string {
	hashes := make([]string, len(codes))
	for i, code := range codes {
		hashes[i] = a.Sealer.Hash(HashRecoveryCode, id.String()+" "+tidyCode(code))
	}
	return hashes
}
