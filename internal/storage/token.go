package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

type tokenRow struct {
	ID         affiliate.TokenID
	Name       string
	Role       affiliate.Role
	CreatedAt  Time `db:"created_at"`
	LastUsedAt Time `db:"last_used_at"`
	EndedAt    Time `db:"ended_at"`
	ExpiresAt  Time `db:"expires_at"`
}

const tokenColumns = `id, name, role, created_at, last_used_at, ended_at, expires_at`

func (r tokenRow) domain() affiliate.Token {
	return affiliate.Token{ID: r.ID, Name: r.Name, Role: r.Role, CreatedAt: r.CreatedAt.Time,
		LastUsedAt: r.LastUsedAt.Time, EndedAt: r.EndedAt.Time, ExpiresAt: r.ExpiresAt.Time}
}

// Token gives one token; NotFound when there is none.
func (q queries) Token(ctx context.Context, id affiliate.TokenID) (affiliate.Token, error) {
	return getOne[tokenRow](ctx, q, id, `SELECT `+tokenColumns+` FROM api_tokens WHERE id = ?`, id)
}

// TokenByHash gives the token with the SHA-256 of its value, whether it still works or not; NotFound when there is
// none.
func (q queries) TokenByHash(ctx context.Context, hash []byte) (affiliate.Token, error) {
	return getOne[tokenRow](ctx, q, named("such token"), `SELECT `+tokenColumns+` FROM api_tokens WHERE hash = ?`, hash)
}

// Tokens lists tokens by id, ended ones included.
func (q queries) Tokens(ctx context.Context, p Page) ([]affiliate.Token, string, error) {
	return listPage[tokenRow](ctx, q, `SELECT `+tokenColumns+` FROM api_tokens`, Filter{}, byID, p)
}

// CreateToken keeps a new token by the SHA-256 of its value.
func (tx *Tx) CreateToken(ctx context.Context, t affiliate.Token, hash []byte) (affiliate.Token, error) {
	err := tx.Get(ctx, &t.ID, `INSERT INTO api_tokens (name, role, hash, created_at, expires_at) VALUES (?, ?, ?, ?, ?) RETURNING id`,
		t.Name, t.Role, hash, At(t.CreatedAt), At(t.ExpiresAt))
	return t, err
}

// EndToken ends a token; ending it again changes nothing.
func (tx *Tx) EndToken(ctx context.Context, id affiliate.TokenID, now time.Time) error {
	_, err := tx.exec(ctx, `UPDATE api_tokens SET ended_at = ? WHERE id = ? AND ended_at IS NULL`, At(now), id)
	return err
}

// TouchToken notes that a token was used.
func (db *DB) TouchToken(ctx context.Context, id affiliate.TokenID, now time.Time) error {
	_, err := db.exec(ctx, `UPDATE api_tokens SET last_used_at = ? WHERE id = ?`, At(now), id)
	return err
}
