package shopify

import (
	"net/url"
	"regexp"
	"strings"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Connector opens the GraphQL Admin APIs of shops.
type Connector struct {
	Web *storeapi.Web
	// Elsewhere says for a shop's domain where its API is to be found instead of https://{shop}.myshopify.com, without a
	// trailing slash. Tests and the demo use it.
	Elsewhere map[string]string
}

var (
	tokenShape  = regexp.MustCompile(`^shp[a-z]*_[0-9A-Za-z]{20,}$`)
	secretShape = regexp.MustCompile(`^(shpss_)?[0-9A-Za-z]{20,}$`)
	idShape     = regexp.MustCompile(`^[0-9A-Za-z]{20,}$`)
)

// Keys tidies keys as people paste them.
func (Connector) Keys(given affiliate.StoreKeys) (affiliate.StoreKeys, error) {
	k := affiliate.StoreKeys{Kind: given.Kind, Secret: affiliate.Clean(given.Secret)}
	domain, err := guide.StoreDomain(shopOf(given.Address))
	if err != nil {
		return affiliate.StoreKeys{}, affiliate.AboutField("address", err)
	}
	k.Address = "https://" + domain
	switch k.Kind {
	case affiliate.KeyToken:
		if k.Token = affiliate.Clean(given.Token); !tokenShape.MatchString(k.Token) {
			return affiliate.StoreKeys{}, affiliate.FieldErrorf("token", "is not an Admin API access token: it begins "+
				"with shpat_ and is shown once, when the app is installed")
		}
		if strings.HasPrefix(k.Token, "shpss_") {
			return affiliate.StoreKeys{}, affiliate.FieldErrorf("token", "is the API secret key; the access token "+
				"begins with shpat_")
		}
	case affiliate.KeyClient:
		if k.ID = affiliate.Clean(given.ID); !idShape.MatchString(k.ID) {
			return affiliate.StoreKeys{}, affiliate.FieldErrorf("id", "is not a client ID: it has 32 letters and "+
				"digits (Dev Dashboard, the app, Settings)")
		}
	default:
		return affiliate.StoreKeys{}, affiliate.FieldErrorf("kind", "%q is no kind of keys of Shopify; there are %s "+
			"and %s", affiliate.Clip(string(k.Kind), 20), affiliate.KeyToken, affiliate.KeyClient)
	}
	if !secretShape.MatchString(k.Secret) {
		return affiliate.StoreKeys{}, affiliate.FieldErrorf("secret", "is not the app's secret: it begins with "+
			"shpss_, or has 32 letters and digits, and signs the webhooks")
	}
	return k, nil
}

// shopOf gives the permanent domain of what people take for a shop's address: the admin's address, or the shop's word
// in it alone.
func shopOf(address string) string {
	address = affiliate.Clean(address)
	if _, rest, ok := strings.Cut(address, "admin.shopify.com/store/"); ok {
		address, _, _ = strings.Cut(rest, "/")
	}
	if address != "" && !strings.ContainsAny(address, "./:") {
		address += guide.DomainEnd
	}
	return address
}

// Open gives a client. Nothing is asked yet.
func (c Connector) Open(keys affiliate.StoreKeys) *Client {
	base := keys.Address
	if other := c.Elsewhere[strings.TrimPrefix(base, "https://")]; other != "" {
		base = other
	}
	host := base
	if u, err := url.Parse(base); err == nil && u.Host != "" {
		host = u.Host
	}
	return &Client{keys: keys, base: base, web: c.Web, costs: map[string]float64{}, hidden: map[string]bool{},
		page: storeapi.Size{Max: mostOrders}, most: mostOrders, rows: mostRows,
		codes: storeapi.Size{Max: mostDiscounts}, atOnce: mostDiscounts, calls: couponsAtOnce,
		caller: c.Web.Caller(storeapi.Site{Host: host, Called: strings.TrimPrefix(keys.Address, "https://"),
			Name: guide.Name, Keys: guide.Access.Keys, Secrets: []string{keys.Token, keys.Secret}})}
}
