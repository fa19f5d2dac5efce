package app

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Platform is a kind of store: what the receiver and the worker must know of its deliveries, and a guide to the rest.
// Implementations keep no state of stores.
type Platform interface {
	Guide() *affiliate.Guide
	// Verify checks the signature over the raw body against every secret, in constant time.
	Verify(secrets [][]byte, h http.Header, body []byte) bool
	// Unsigned recognises what the platform sends without a signature and wants answered 200, such as a ping. Nothing
	// of it is kept.
	Unsigned(h http.Header, body []byte) bool
	Topic(h http.Header) string
	// Shop is the store's domain as the headers tell it; empty where they cannot be trusted to choose a store.
	Shop(h http.Header) string
	// Key names a delivery, so that a repeat is recognised. It saves work only: merging is idempotent.
	Key(h http.Header, body []byte) [16]byte
	// Triggered is when the platform says that it triggered the delivery; zero where it does not say.
	Triggered(h http.Header) time.Time
	// KeptHeaders are the headers worth keeping beside the body, in canonical form.
	KeptHeaders() []string
	// Parse turns a body into events, or says which order is to be fetched. An error of kind Invalid is permanent.
	Parse(topic string, body []byte) (affiliate.Parsed, error)
}

// Fetcher is a platform whose deliveries name an order without showing it.
type Fetcher interface {
	Platform
	// Fetch reads an order, by the store's own id of it, from the store's API, and gives what it is now. It ends with
	// the context. Errors of kind Invalid and NotFound are permanent, others are tried again.
	Fetch(ctx context.Context, store affiliate.Store, order string) (affiliate.Parsed, error)
}

// Platforms are all kinds of stores, in the order in which they are offered.
type Platforms []Platform

// Of gives a platform by its word; nil when there is none.
func (p Platforms) Of(word affiliate.Platform) Platform {
	for _, one := range p {
		if one.Guide().Platform == word {
			return one
		}
	}
	return nil
}

// Guides are those of all platforms.
func (p Platforms) Guides() []*affiliate.Guide {
	list := make([]*affiliate.Guide, len(p))
	for i, one := range p {
		list[i] = one.Guide()
	}
	return list
}

// Guide gives a platform's guide; of one that this version does not know, a guide that knows only its word.
func (p Platforms) Guide(word affiliate.Platform) *affiliate.Guide {
	if one := p.Of(word); one != nil {
		return one.Guide()
	}
	return &affiliate.Guide{Platform: word, Name: string(word), Admin: string(word)}
}

// Words are the words of the platforms that something holds for, to choose from: "shopify or woocommerce".
func (p Platforms) Words(holds func(*affiliate.Guide) bool) string {
	return p.either(holds, func(g *affiliate.Guide) string { return string(g.Platform) })
}

// Names are their names, for people: "Shopify or WooCommerce".
func (p Platforms) Names(holds func(*affiliate.Guide) bool) string {
	return p.either(holds, func(g *affiliate.Guide) string { return g.Name })
}

// either writes a choice: "a", "a or b", "a, b or c".
func (p Platforms) either(holds func(*affiliate.Guide) bool, called func(*affiliate.Guide) string) string {
	var words []string
	for _, g := range p.Guides() {
		if holds(g) {
			words = append(words, called(g))
		}
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// AnyPlatform, HasParents and NeedsUTM are what can be asked of a platform.
func AnyPlatform(*affiliate.Guide) bool   { return true }
func HasParents(g *affiliate.Guide) bool  { return g.Parents }
func NeedsUTM(g *affiliate.Guide) bool    { return g.Links.NeedsUTM != "" }
func givesSecret(g *affiliate.Guide) bool { return g.SecretLabel != "" }
func takesSecret(g *affiliate.Guide) bool { return g.SecretLabel == "" }

// AboutDomain says which domain is meant where not any will do: "For Shopify the one that ends in .myshopify.com".
func (p Platforms) AboutDomain() string {
	var list []string
	for _, g := range p.Guides() {
		if g.DomainEnd != "" {
			list = append(list, "for "+g.Name+" the one that ends in "+g.DomainEnd)
		}
	}
	return sentence(strings.Join(list, "; "))
}

// AboutSecret says where a webhook secret is needed.
func (p Platforms) AboutSecret() string {
	return sentence("needed for " + p.Names(givesSecret) + "; for " + p.Names(takesSecret) +
		" one is made when it is left out")
}

func sentence(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// guide gives the guide of a platform that a store can be connected on; Invalid for others.
func (a *App) guide(word affiliate.Platform) (*affiliate.Guide, error) {
	if a.Platforms.Of(word) == nil {
		return nil, affiliate.FieldErrorf("platform", "must be %s", a.Platforms.Words(AnyPlatform))
	}
	return a.Platforms.Guide(word), nil
}
