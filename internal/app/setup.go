package app

import (
	"context"
	"crypto/subtle"
	"net/url"
)

// SetupRemedy says how the first owner is made, to whoever comes without the link.
const SetupRemedy = "this installation has no owner yet: open the link that \"tributary serve\" has written into its " +
	"log, or run \"tributary user add --role owner\" on the server"

// setupKey proves that whoever opens a fresh installation can read its log. It follows from SECRET_KEY, so that all
// processes of an installation name the same and nothing is kept; with the first user it is void.
func (a *App) setupKey() string { return a.Sealer.Hash(HashSetup, "first owner") }

// IsSetupKey compares in constant time.
func (a *App) IsSetupKey(key string) bool {
	return subtle.ConstantTimeCompare([]byte(key), []byte(a.setupKey())) == 1
}

// SetupLink is where the first owner makes their account; empty once there is a user.
func (a *App) SetupLink(ctx context.Context) (string, error) {
	has, err := a.DB.HasUsers(ctx)
	if err != nil || has {
		return "", err
	}
	return a.PublicURL + "/welcome?" + url.Values{"key": {a.setupKey()}}.Encode(), nil
}
