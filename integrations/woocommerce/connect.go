package woocommerce

import (
	"cmp"
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

const keysMenu = "WooCommerce > Settings > Advanced > REST API"

// Marks of the two parts of a pair of keys (includes/class-wc-auth.php create_keys).
const (
	keyPrefix    = "ck_"
	secretPrefix = "cs_"
)

var access = &affiliate.AccessGuide{
	Approve: true,
	Address: "Shop address",
	Example: "https://shop.example",
	Ways: []affiliate.AccessWay{{
		Kind:  affiliate.KeyPair,
		Label: "Keys made by hand",
		Steps: []string{
			"In WordPress, signed in as an administrator or shop manager who will stay one (the keys have that " +
				"user's rights), open " + keysMenu + ".",
			"Press Add key. Description: Tributary; Permissions: Read/Write. Press Generate API key.",
			"Copy both at once: they are shown only now.",
		},
		Fields: []affiliate.AccessField{
			{Name: "id", Label: "Consumer key", Hint: "begins with " + keyPrefix},
			{Name: "secret", Label: "Consumer secret", Hint: "begins with " + secretPrefix},
		},
	}},
	Needs: []string{"Read/Write"},
	Keys:  keysMenu,
}

// Connector opens the APIs of WooCommerce stores. It is an app.Authorizer.
type Connector struct {
	Web *storeapi.Web
	// Plain lets owners approve over http, where anybody on the way can read the keys: the demo's own shop is on this
	// machine, and has no other.
	Plain bool
}

// Keys tidies keys as people paste them. Nothing is asked.
func (Connector) Keys(given affiliate.StoreKeys) (affiliate.StoreKeys, error) {
	address, err := siteAddress(given.Address)
	if err != nil {
		return affiliate.StoreKeys{}, err
	}
	keys := affiliate.StoreKeys{Kind: affiliate.KeyPair, Address: address, ID: strings.TrimSpace(given.ID),
		Secret: strings.TrimSpace(given.Secret)}
	switch {
	case given.Kind != affiliate.KeyPair && given.Kind != "" || given.Token != "":
		err = affiliate.FieldErrorf("token", "is not what WooCommerce's API is asked with: it needs a consumer key "+
			"and its secret (%s)", keysMenu)
	case strings.HasPrefix(keys.ID, secretPrefix):
		err = affiliate.FieldErrorf("id", "is a consumer secret: it belongs into the other field, and the consumer "+
			"key, which begins with %s, here", keyPrefix)
	case !isKey(keys.ID, keyPrefix):
		err = affiliate.FieldErrorf("id", "is no consumer key: it begins with %s, and 40 letters and digits follow; "+
			"copy it from %s", keyPrefix, keysMenu)
	case !isKey(keys.Secret, secretPrefix):
		err = affiliate.FieldErrorf("secret", "is no consumer secret: it begins with %s, and 40 letters and digits "+
			"follow. It is shown only once; if it is lost, make new keys (%s)", secretPrefix, keysMenu)
	}
	if err != nil {
		return affiliate.StoreKeys{}, err
	}
	return keys, nil
}

// isKey does not insist on 40 digits: plugins make longer ones.
func isKey(s, prefix string) bool {
	digits, ok := strings.CutPrefix(s, prefix)
	return ok && len(digits) >= 16 && len(digits) <= 128 && strings.Trim(strings.ToLower(digits),
		"0123456789abcdefghijklmnopqrstuvwxyz") == ""
}

// siteAddress tidies the address of a shop: https unless it says http, without what people copy with it. Shops may be
// in a folder.
func siteAddress(given string) (string, error) {
	s := affiliate.Clean(given)
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "", affiliate.FieldErrorf("address", "%q is no address of a shop, such as https://shop.example",
			affiliate.Clip(given, 80))
	case u.Scheme != "https" && u.Scheme != "http":
		return "", affiliate.FieldErrorf("address", "begins with %s://; an address of a shop begins with https://",
			affiliate.Clip(u.Scheme, 20))
	case u.User != nil:
		return "", affiliate.FieldErrorf("address", "must not hold a user name or a password")
	}
	host, err := guide.StoreDomain(u.Host)
	if err != nil {
		return "", affiliate.FieldErrorf("address", "%q is no address of a shop, such as https://shop.example",
			affiliate.Clip(given, 80))
	}
	host = strings.TrimSuffix(host, map[string]string{"https": ":443", "http": ":80"}[u.Scheme])
	path := u.EscapedPath()
	for _, inside := range []string{"/wp-admin", "/wp-json", "/wp-login.php", "/wc-auth", "/index.php"} {
		if i := strings.Index(path+"/", inside+"/"); i >= 0 {
			path = path[:i]
		}
	}
	return u.Scheme + "://" + host + strings.TrimRight(path, "/"), nil
}

// Open gives a client.
func (c Connector) Open(keys affiliate.StoreKeys) *Client { return newClient(c.Web, keys) }

// Probe asks a site without keys whether WooCommerce is there, and gives the shop's domain as the site names it.
func (c Connector) Probe(ctx context.Context, address string) (domain string, err error) {
	address, err = siteAddress(address)
	if err != nil {
		return "", err
	}
	var facts affiliate.StoreFacts
	err = c.Open(affiliate.StoreKeys{Kind: affiliate.KeyPair, Address: address}).site(ctx, &facts)
	return facts.Domain, err
}

// Authorize gives the address where the shop's owner approves (includes/class-wc-auth.php).
func (c Connector) Authorize(ask affiliate.AccessRequest) (string, error) {
	address, err := siteAddress(ask.Address)
	switch {
	case err != nil:
		return "", err
	case !c.Plain && !strings.HasPrefix(address, "https://"):
		return "", affiliate.FieldErrorf("address", "begins with http://, and keys must not be sent without https: "+
			"give the shop a certificate, or make keys by hand (%s)", keysMenu)
	case !c.Plain && !strings.HasPrefix(ask.Callback, "https://"):
		return "", affiliate.Errorf(affiliate.Invalid, "WooCommerce sends keys to https addresses only, and this "+
			"server's is not one: set PUBLIC_URL to its https address, or make keys by hand (%s)", keysMenu)
	case ask.State == "" || ask.Return == "":
		return "", affiliate.Errorf(affiliate.Invalid, "a request for keys needs a state and a page to return to")
	}
	return address + "/wc-auth/v1/authorize?" + url.Values{"app_name": {"Tributary"}, "scope": {"read_write"},
		"user_id": {ask.State}, "return_url": {ask.Return}, "callback_url": {ask.Callback}}.Encode(), nil
}

// Authorized reads what a store sends to the callback. The keys have no address: whoever sends them could name any.
func (Connector) Authorized(body []byte) (state string, keys affiliate.StoreKeys, err error) {
	var sent struct {
		State  json.RawMessage `json:"user_id"` // PHP may make a number of one
		ID     string          `json:"consumer_key"`
		Secret string          `json:"consumer_secret"`
	}
	if err := json.Unmarshal(body, &sent); err != nil {
		return "", affiliate.StoreKeys{}, affiliate.FieldErrorf("body", "is not what WooCommerce sends with new keys")
	}
	var text string
	if json.Unmarshal(sent.State, &text) != nil {
		text = string(sent.State)
	}
	if text == "" || text == "null" || !isKey(sent.ID, keyPrefix) || !isKey(sent.Secret, secretPrefix) {
		return "", affiliate.StoreKeys{}, affiliate.FieldErrorf("body", "lacks %s; ask for keys once more",
			cmp.Or(missingOf(text, sent.ID), "the consumer secret"))
	}
	return text, affiliate.StoreKeys{Kind: affiliate.KeyPair, ID: sent.ID, Secret: sent.Secret}, nil
}

func missingOf(state, id string) string {
	switch {
	case state == "" || state == "null":
		return "user_id, which says whom the keys are for"
	case !isKey(id, keyPrefix):
		return "the consumer key"
	}
	return ""
}
