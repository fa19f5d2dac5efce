package app

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

type principalKey struct{}

// As gives a context in which changes are made on behalf of somebody: the audit log names them.
func As(ctx context.Context, p affiliate.Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// Asker is on whose behalf ctx runs; a nameless principal without a role where nobody asked.
func Asker(ctx context.Context) affiliate.Principal {
	p, _ := ctx.Value(principalKey{}).(affiliate.Principal)
	return p
}

// actor is the name for the audit log.
func actor(ctx context.Context) string {
	if p := Asker(ctx); p.Name != "" {
		return p.Name
	}
	return "system"
}
