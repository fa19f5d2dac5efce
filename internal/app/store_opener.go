package app

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// opener is a connector as an integration has it: its clients are of a type of its own, since integrations do not know
// this package.
type opener[C StoreClient] interface {
	Keys(affiliate.StoreKeys) (affiliate.StoreKeys, error)
	Open(affiliate.StoreKeys) C
}

// authorizer is an opener whose stores can give keys themselves.
type authorizer[C StoreClient] interface {
	opener[C]
	Probe(ctx context.Context, address string) (domain string, err error)
	Authorize(affiliate.AccessRequest) (string, error)
	Authorized(body []byte) (state string, keys affiliate.StoreKeys, err error)
}

// ConnectorOf makes a Connector of an integration's own; an Authorizer where it is one.
func ConnectorOf[C StoreClient](own opener[C]) Connector {
	if a, ok := own.(authorizer[C]); ok {
		return authorizing[C]{a}
	}
	return opening[C]{own}
}

type opening[C StoreClient] struct{ opener[C] }

func (o opening[C]) Open(keys affiliate.StoreKeys) StoreClient { return o.opener.Open(keys) }

type authorizing[C StoreClient] struct{ authorizer[C] }

func (a authorizing[C]) Open(keys affiliate.StoreKeys) StoreClient { return a.authorizer.Open(keys) }
