package main

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/config"
)

// TestServe_refuses_another_key: with another key than the stores' secrets were sealed with, every delivery would be
// refused as if it were forged.
func TestServe_refuses_another_key(t *testing.T) {
	eachBackend(t, func(t *testing.T, env environment) {
		ok(t, env.start(t).stop()) // a database without a store fits any key
		sh := shell{T: t, env: env}
		sh.addStore("woo").exits(exitOK)
		ok(t, env.start(t).stop())

		other := env.with("SECRET_KEY", strings.Repeat("o", config.MinSecretKey))
		sh.env = other
		_, err := startServer(t.Context(), other.config(t), allRoles)
		if err == nil || !strings.Contains(err.Error(), "SECRET_KEY") ||
			!strings.Contains(err.Error(), "tributary store secret") {
			t.Fatalf("the server starts with another key, or does not say what is wrong: %v", err)
		}
		// The way out when the key is lost: a new secret.
		sh.run("store", "secret", "woo", "--add").exits(exitOK)
		other.start(t)
	})
}
