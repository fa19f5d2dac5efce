package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// SecondFactor is what makes the codes that a person signs in with beside the password.
type SecondFactor struct {
	Secret      []byte // sealed
	LastStep    int64  `db:"last_step"` // codes up to this step are used up
	CreatedAt   Time   `db:"created_at"`
	ConfirmedAt Time   `db:"confirmed_at"` // zero while it is only offered
}

// SecondFactor gives a person's; NotFound when there is none.
func (q queries) SecondFactor(ctx context.Context, user affiliate.UserID) (f SecondFactor, err error) {
	err = q.Get(ctx, &f, `SELECT secret, last_step, created_at, confirmed_at FROM second_factors WHERE user_id = ?`, user)
	return f, err
}

// SecondFactors says which of some people have one that is confirmed, and since when.
func (q queries) SecondFactors(ctx context.Context, users []affiliate.UserID) (map[affiliate.UserID]time.Time, error) {
	since := map[affiliate.UserID]time.Time{}
	if len(users) == 0 {
		return since, nil
	}
	var rows []struct {
		User  affiliate.UserID `db:"user_id"`
		Since Time
	}
	err := q.ListIn(ctx, &rows, `SELECT user_id, confirmed_at AS since FROM second_factors WHERE confirmed_at IS NOT NULL AND user_id IN (?)`, users)
	for _, r := range rows {
		since[r.User] = r.Since.Time
	}
	return since, err
}

// OfferSecondFactor keeps a sealed secret that is not confirmed yet, in place of one that was not either. False when
// the person has one that is confirmed.
func (db *DB) OfferSecondFactor(ctx context.Context, user affiliate.UserID, sealed []byte,
	now time.Time) (bool, error) {
	n, err := db.exec(ctx, `INSERT INTO second_factors (user_id, secret, created_at) VALUES (?, ?, ?) ON CONFLICT (user_id) DO UPDATE SET
		secret = excluded.secret, created_at = excluded.created_at WHERE second_factors.confirmed_at IS NULL`, user, sealed, At(now))
	return n > 0, err
}

// ConfirmSecondFactor takes the one that is offered into use, with the step of the code that proved it. False when none
// is offered.
func (tx *Tx) ConfirmSecondFactor(ctx context.Context, user affiliate.UserID, step int64, now time.Time) (bool, error) {
	n, err := tx.exec(ctx, `UPDATE second_factors SET confirmed_at = ?, last_step = ? WHERE user_id = ? AND confirmed_at IS NULL`, At(now), step, user)
	return n > 0, err
}

// UseStep uses up the codes until a step. False when they are already: of two who send the same code, one gets in.
func (tx *Tx) UseStep(ctx context.Context, user affiliate.UserID, step int64) (bool, error) {
	n, err := tx.exec(ctx, `UPDATE second_factors SET last_step = ? WHERE user_id = ? AND last_step < ? AND confirmed_at IS NOT NULL`, step, user, step)
	return n > 0, err
}

// EndSecondFactor forgets a person's second factor with its recovery codes. False when they had none that was
// confirmed.
func (tx *Tx) EndSecondFactor(ctx context.Context, user affiliate.UserID) (bool, error) {
	if _, err := tx.exec(ctx, `DELETE FROM recovery_codes WHERE user_id = ?`, user); err != nil {
		return false, err
	}
	n, err := tx.exec(ctx, `DELETE FROM second_factors WHERE user_id = ? AND confirmed_at IS NOT NULL`, user)
	return n > 0, err
}

// SetRecoveryCodes keeps the hashes of a person's recovery codes in place of those before.
func (tx *Tx) SetRecoveryCodes(ctx context.Context, user affiliate.UserID, hashes []string) error {
	if _, err := tx.exec(ctx, `DELETE FROM recovery_codes WHERE user_id = ?`, user); err != nil {
		return err
	}
	for _, h := range hashes {
		if _, err := tx.exec(ctx, `INSERT INTO recovery_codes (user_id, hash) VALUES (?, ?)`, user, h); err != nil {
			return err
		}
	}
	return nil
}

// UseRecoveryCode uses one up; false when there is none with this hash.
func (tx *Tx) UseRecoveryCode(ctx context.Context, user affiliate.UserID, hash string) (bool, error) {
	n, err := tx.exec(ctx, `DELETE FROM recovery_codes WHERE user_id = ? AND hash = ?`, user, hash)
	return n > 0, err
}

// RecoveryCodes counts those that a person has left.
func (q queries) RecoveryCodes(ctx context.Context, user affiliate.UserID) (n int, err error) {
	err = q.Get(ctx, &n, `SELECT COUNT(*) FROM recovery_codes WHERE user_id = ?`, user)
	return n, err
}
