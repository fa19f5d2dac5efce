package storage

import (
	"context"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// tokenRow is a token with what only its table says.
type tokenRow struct {
	affiliate.Token
	Hash []byte
}

var (
	tokenTable   = tableOf[tokenRow]("api_tokens")
	tokenColumns = columnsOf[affiliate.Token]()
)

// Token gives one token; NotFound when there is none.
func (q queries) Token(ctx context.Context, id affiliate.TokenID) (affiliate.Token, error) {
	return getOne[affiliate.Token](ctx, q, id, `SELECT `+tokenColumns.of("")+` FROM api_tokens WHERE id = ?`, id)
}

// TokenByHash gives the token with the SHA-256 of its value, whether it still works or not; NotFound when there is
// none.
func (q queries) TokenByHash(ctx context.Context, hash []byte) (affiliate.Token, error) {
	return getOne[affiliate.Token](ctx, q, named("such token"), `SELECT `+tokenColumns.of("")+` FROM api_tokens WHERE hash = ?`, hash)
}

// Tokens lists tokens by id, ended ones included.
func (q queries) Tokens(ctx context.Context, p Page) ([]affiliate.Token, string, error) {
	return paged[affiliate.Token](ctx, q, `SELECT `+tokenColumns.of("")+` FROM api_tokens`, Filter{}, byID, p)
}

// CreateToken keeps a new token by the SHA-256 of its value.
func (tx *Tx) CreateToken(ctx context.Context, t affiliate.Token, hash []byte) (affiliate.Token, error) {
	err := tokenTable.create(ctx, tx, tokenRow{t, hash}, &t.ID)
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
