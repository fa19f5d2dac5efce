package affiliate

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Platform is the software a store runs on, by its word in addresses and tables, such as "shopify".
type Platform string

// Guide is what there is to know of a platform beside how to read its deliveries: its names, its rules, and what its
// admin asks of people. It is data of the platform's own folder, the same for all of its stores, and nobody changes it.
//
// Menus are written "Settings > Webhooks".
type Guide struct {
	Platform  Platform
	Name      string // "WooCommerce"
	Admin     string // the software whose admin the steps are taken in, and which sends: "WordPress"
	AdminPath string // of the admin, on the store's domain; empty where pages are not to lead there
	// OrderPath is that of an order in the admin, on the store's domain, with %s for the store's id of it.
	OrderPath string

	// DomainEnd is what the domains of all shops end in that their headers and bodies name, after one word of the
	// shop's own: ".myshopify.com". Such a domain tells a shop apart from all others, so each is connected once. Empty
	// where shops have any domain.
	DomainEnd  string
	DomainMenu string // where its admin shows that domain
	ShopHeader string // that names a delivery's shop, for one address of many shops; empty where none does

	WebhooksMenu string
	// SecretLabel is what the secret of the webhooks stands behind there. Empty where the admin takes one over, so that
	// it is made here.
	SecretLabel string
	FirstSecret Marked // how to come to the secret that shows with the first webhook only; otherwise empty
	OldSecret   string // a sentence on how long the former secret is in use after a change; may be empty

	Topics []Topic  // that a webhook is needed for, in the order in which people make them
	Steps  []Marked // to take in the admin

	HTTPSOnly bool     // it sends to https addresses only
	Ports     []string // that it sends to, with "" for the usual one; empty: to any

	Resends   time.Duration // for how long it sends again what it could not deliver; 0: it does not
	Resending string        // the same in words, as a sentence without its full stop
	Silence   string        // what may be wrong when a store is silent, and where to look

	Parents bool // orders may have a parent
	// Statuses are the platform's own, where plugins may set others; StatusPrefix may stand before any of them.
	Statuses     []string
	StatusPrefix string

	Links   LinkGuide
	Coupons CouponGuide

	Access *AccessGuide // nil where stores' APIs are not asked
}

// LinkGuide is what becomes of a link's click at the stores of a platform.
type LinkGuide struct {
	// NeedsUTM says what happens to links without utm parameters, where they are needed; otherwise it is empty.
	NeedsUTM string
	// Keeps gives what a store writes on the order of somebody who came to an address by the link.
	Keeps func(address string, l Link) []KeptEvidence
	// Check finds what is special about a link on this platform; nil where nothing is.
	Check func(l Link) []LinkFinding
}

// CouponGuide is how codes are made in a platform's stores.
type CouponGuide struct {
	Name        string // what the admin calls a code: "coupon", "discount code"
	Menu        string // where its admin lists them
	Products    string // what its admin calls what a discount can be for: "Products"
	Collections string // likewise: "Collections", "Product categories"
	MostLength  int    // characters of a code; 0: as many as there are here
	// Typed is what is typed into the admin's form for a new code, in the form's order. Values are marked: see
	// money.Marked. Nil where nobody can make codes.
	Typed func(NewCoupon) []TypedField
	// Stop and Start say how a code is ended and set going again there, as sentences.
	Stop, Start string
}

// TypedField is one field of a form in a store's admin.
type TypedField struct {
	Label string // as the admin calls it
	Value string // what to type or choose
	Copy  string // the value as it is copied to the clipboard; empty where it is chosen, not typed
}

// Topic is one thing that a store must tell us of.
type Topic struct {
	Name     string // as deliveries name it: "orders/create"
	Label    string // as the store's admin calls it: "Order creation"
	Occasion string // when it comes, where that is not with every order: "an order is deleted"
	Optional bool   // not all stores offer it: that one refuses it is no trouble
}

// OrderPage is the address of an order in the admin of a store; empty where pages are not to lead there.
func (g *Guide) OrderPage(store Store, id string) string {
	if g.OrderPath == "" || id == "" || strings.Trim(id, "0123456789") != "" {
		return ""
	}
	return "https://" + store.Domain + strings.Replace(g.OrderPath, "%s", id, 1)
}

// Needs says whether a store must tell of a topic. Deliveries of others are kept and ignored, or used where they say
// more.
func (g *Guide) Needs(topic string) bool {
	return slices.ContainsFunc(g.Topics, func(t Topic) bool { return t.Name == topic })
}

// WebhookTopics are those that we make webhooks for by the API: those that are needed, and those that only apps have.
func (g *Guide) WebhookTopics() []Topic {
	if g.Access == nil {
		return g.Topics
	}
	return slices.Concat(g.Topics, g.Access.Topics)
}

// Subscribes says whether we make a webhook for a topic by the API.
func (g *Guide) Subscribes(topic string) bool {
	return slices.ContainsFunc(g.WebhookTopics(), func(t Topic) bool { return t.Name == topic })
}

// TopicLabel is what a store's admin calls a topic; its name where the guide does not know it.
func (g *Guide) TopicLabel(topic string) string {
	all := g.WebhookTopics()
	if i := slices.IndexFunc(all, func(t Topic) bool { return t.Name == topic }); i >= 0 {
		return all[i].Label
	}
	switch topic {
	case TopicOrderRead:
		return "Order read from the store"
	case TopicOrderGone:
		return "Order gone from the store"
	}
	return topic
}

// OwnStatus says whether an order status is the platform's own; others are set by plugins.
func (g *Guide) OwnStatus(status string) bool { return slices.Contains(g.Statuses, status) }

// StoreDomain tidies the address of a store, as people paste it, into its lower case host, with its port where one is
// given, without scheme and path. It is Invalid unless it is a domain as the platform's stores have.
func (g *Guide) StoreDomain(s string) (string, error) {
	d := strings.ToLower(Clean(s))
	if _, rest, ok := strings.Cut(d, "://"); ok {
		d = rest
	}
	if i := strings.IndexAny(d, "/?#"); i >= 0 {
		d = d[:i]
	}
	d = strings.TrimSuffix(d, ".")
	if !validHost(d) {
		return "", FieldErrorf("domain", "%q is not a domain (such as shop.example)", Clip(s, 80))
	}
	if g.DomainEnd != "" && !g.permanent(d) {
		return "", FieldErrorf("domain", "%q is not the store's permanent domain; it looks like your-shop%s (%s)",
			Clip(s, 80), g.DomainEnd, g.DomainMenu)
	}
	return d, nil
}

// OtherShop says whether a delivery that names a shop cannot be of a store with a domain: both are permanent domains,
// and not the same. Anything else cannot be compared. Shops that share an app share its secret too, so that the
// signature alone does not tell them apart.
func (g *Guide) OtherShop(domain, named string) bool {
	return !strings.EqualFold(domain, named) && g.permanent(domain) && g.permanent(named)
}

// Unreachable says why a platform's stores would not send to an address of ours, as a sentence; empty where they do.
func (g *Guide) Unreachable(public string) string {
	u, err := url.Parse(public)
	if err != nil || u.Host == "" {
		return "PUBLIC_URL is not an address."
	}
	port := u.Port()
	switch {
	case LocalHost(u.Hostname()):
		return fmt.Sprintf(
			"%s leads to this machine or its own network only, so no store on the Internet can send to it.", public)
	case g.HTTPSOnly && u.Scheme != "https":
		return g.Admin + " sends to https addresses only."
	case len(g.Ports) > 0 && port != "" && !slices.Contains(g.Ports, port):
		last := len(g.Ports) - 1
		return fmt.Sprintf("%s sends to the ports %s and %s only, not to %s.", g.Admin,
			strings.Join(g.Ports[:last], ", "), g.Ports[last], port)
	}
	return ""
}

// LocalHost says whether a host, as it is written, leads to this machine or its own network.
func LocalHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && (ip.IsLoopback() || ip.IsPrivate() || ip.IsUnspecified() ||
		ip.IsLinkLocalUnicast())
}

// permanent says whether a domain is a shop's permanent one; examples such as "{shop}.myshopify.com" are not.
func (g *Guide) permanent(domain string) bool {
	name, ok := strings.CutSuffix(strings.ToLower(domain), g.DomainEnd)
	return ok && g.DomainEnd != "" && validStoreSlug(name)
}

// AccessGuide is how people let us ask a store's API.
type AccessGuide struct {
	// Approve says that the owner can approve in the store itself, where both sides have https.
	Approve bool
	Address string // label of where the store is: "Shop address"
	Example string // of an address: "https://shop.example"
	Ways    []AccessWay
	Needs   []string // what the keys must be allowed to do, as the store's admin calls it
	// CodeNeeds is what they must be allowed beside that to make and change codes; without it that is done by hand.
	CodeNeeds []string
	// CreditNeeds is what they must be allowed to give customers credit and gift cards; empty where stores have none.
	CreditNeeds []string
	// Topics are of webhooks that only apps can have, beside Guide.Topics. They are made where the app may, and never
	// missed: no webhook made by hand has them.
	Topics []Topic
	// Unseen says which webhooks the API does not show, as a sentence; empty where it shows all.
	Unseen string
	Keys   string // where in the admin keys are revoked: "WooCommerce > Settings > Advanced > REST API"
}

// Lacks parts what keys may not do into what all that is asked of a store needs, what codes alone do, and what credit
// alone does.
func (g *AccessGuide) Lacks(missing []string) (needed, forCodes, forCredit []string) {
	for _, right := range missing {
		switch {
		case slices.Contains(g.Needs, right):
			needed = append(needed, right)
		case slices.Contains(g.CodeNeeds, right):
			forCodes = append(forCodes, right)
		case slices.Contains(g.CreditNeeds, right):
			forCredit = append(forCredit, right)
		default:
			needed = append(needed, right)
		}
	}
	return needed, forCodes, forCredit
}

// GivesCredit says whether a store can give its customers credit and gift cards by keys that may not do some things.
func (g *AccessGuide) GivesCredit(missing []string) bool {
	return g != nil && len(g.CreditNeeds) > 0 && !slices.ContainsFunc(g.CreditNeeds, func(need string) bool {
		return slices.Contains(missing, need)
	})
}

// AccessWay is one kind of keys that a store's admin makes, and how.
type AccessWay struct {
	Kind   KeyKind
	Label  string // "Keys made by hand"
	Steps  []string
	Fields []AccessField
}

// AccessField is one thing to copy from the store's admin.
type AccessField struct {
	Name  string // of StoreKeys: id, secret, token
	Label string // as the admin calls it: "Consumer key"
	Hint  string // how it looks: "begins with ck_"
}

// KeysMenu is where in the admin keys are revoked; empty where stores' APIs are not asked.
func (g *Guide) KeysMenu() string {
	if g.Access == nil {
		return ""
	}
	return g.Access.Keys
}

// Way gives the way with a kind of keys.
func (g *AccessGuide) Way(kind KeyKind) (AccessWay, bool) {
	i := slices.IndexFunc(g.Ways, func(w AccessWay) bool { return w.Kind == kind })
	if i < 0 {
		return AccessWay{}, false
	}
	return g.Ways[i], true
}
