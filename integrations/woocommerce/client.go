package woocommerce

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Client asks the REST API (wc/v3) of one store. It is an app.CouponClient, and may be used by many at once.
type Client struct {
	web    *storeapi.Web
	caller *storeapi.Caller
	keys   affiliate.StoreKeys
	ways   []way
	size   storeapi.Size // of pages of orders and coupons

	mu      sync.Mutex
	learned learned
}

// learned is what answers have told of a store.
type learned struct {
	way      int // of ways
	worked   bool
	reads    bool          // the keys have read something
	writes   bool          // the keys have written something
	pretty   bool          // /wp-json is there
	plain    bool          // the API is asked by ?rest_route=
	clockOff time.Duration // by which the store's clock is ahead of ours
	currency money.Currency
}

// way is how a request shows the keys.
type way struct {
	basic  bool
	header bool   // OAuth parameters stand in the header, else in the query
	scheme string // by which PHP thinks it was asked, for the signature
}

// waysOf lists how a store may be asked, the best first. WooCommerce reads Basic over https only, and never where PHP
// does not know that it was (behind some proxies); other proxies take the header away. A signature works in all cases
// and does not show the secret, which is why it is never put in a query.
func waysOf(scheme string) []way {
	if scheme == "https" {
		return []way{{basic: true}, {scheme: "https"}, {scheme: "http"}}
	}
	return []way{{header: true, scheme: "http"}, {scheme: "http"}, {scheme: "https"}}
}

func newClient(web *storeapi.Web, keys affiliate.StoreKeys) *Client {
	c := &Client{web: web, keys: keys, size: storeapi.Size{Max: mostRows}}
	scheme, rest, _ := strings.Cut(keys.Address, "://")
	host, _, _ := strings.Cut(rest, "/")
	c.ways = waysOf(scheme)
	c.caller = web.Caller(storeapi.Site{Host: host, Name: guide.Name, Keys: keysMenu,
		Secrets: []string{keys.ID, keys.Secret}})
	return c
}

// Use says how much was used.
func (c *Client) Use() affiliate.APIUse { return c.caller.Use() }

// question is a request before the keys are shown.
type question struct {
	method  string // GET
	route   string // below /wp-json: "/wc/v3/orders"
	query   url.Values
	body    any
	open    bool  // asked without keys
	shrinks bool  // a smaller page may be asked for instead
	again   bool  // asking twice does no harm, although it is a POST
	accept  []int // statuses that are answers beside 200 and 201
}

// refusal is what WooCommerce says with every status that is an error.
type refusal struct{ Code, Message string }

func refusalOf(a storeapi.Answer) (r refusal) {
	_ = json.Unmarshal(a.Body, &r) // anything else says nothing
	return r
}

// ask asks, in whichever way the store takes. What is learned of it serves the next question.
func (c *Client) ask(ctx context.Context, q question) (storeapi.Answer, error) {
	q.method = cmp.Or(q.method, http.MethodGet)
	first := c.knows().way
	var answer storeapi.Answer
	for i := range c.ways {
		at := (first + i) % len(c.ways)
		var err error
		answer, err = c.askBy(ctx, q, at)
		switch {
		case err != nil:
			return answer, err
		case answer.Status != http.StatusUnauthorized || q.open:
			c.learn(func(l *learned) {
				l.way, l.worked = at, l.worked || !q.open
				l.reads = l.reads || q.method == http.MethodGet && !q.open
				l.writes = l.writes || q.method != http.MethodGet
			}, q.open)
			return answer, c.accepted(answer, q)
		case c.ways[at].basic && refusalOf(answer).Code == badKeys:
			return answer, c.refused(answer, q) // the key is known, and may not, or its secret is wrong
		}
	}
	return answer, c.refused(answer, q)
}

// badKeys is how WooCommerce refuses keys that it has looked at.
const badKeys = "woocommerce_rest_authentication_error"

func (c *Client) knows() learned {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.learned
}

// learn keeps something, unless it is of a question without keys.
func (c *Client) learn(set func(*learned), open bool) {
	if open {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	set(&c.learned)
}

func (c *Client) accepted(a storeapi.Answer, q question) error {
	if a.Status/100 == 2 || slices.Contains(q.accept, a.Status) {
		return nil
	}
	return c.caller.Refusal(a)
}

// refused is the error of keys that are not taken. WooCommerce answers alike where they are wrong and where they may
// only read or only write, but for words in the store's language.
func (c *Client) refused(a storeapi.Answer, q question) error {
	l, writes := c.knows(), q.method != http.MethodGet
	if refusalOf(a).Code == badKeys && (writes && l.reads || !writes && l.writes) {
		may, not := "write", "read"
		if writes {
			may, not = not, may
		}
		return &affiliate.Error{Kind: affiliate.Forbidden, Code: affiliate.StoreForbidden, Message: "The keys of " +
			c.host() + " may only " + may + ", not " + not + ". Make new ones with the permissions Read/Write (" +
			keysMenu + ") and connect the store again."}
	}
	if field := wrongKey(refusalOf(a)); field != "" {
		return &affiliate.Error{Kind: affiliate.Forbidden, Code: affiliate.StoreKeysRefused, Field: field,
			Message: "The shop " + c.host() + " refuses the " + map[string]string{"id": "consumer key",
				"secret": "consumer secret"}[field] + ". Look whether key and secret were both copied whole, or make " +
				"new ones (" + keysMenu + ") and connect the store again."}
	}
	return c.caller.Refusal(a)
}

// wrongKey tells which of the two keys the store holds to be wrong, by its field; empty where it does not say so, or
// in another language (includes/class-wc-rest-authentication.php).
func wrongKey(r refusal) string {
	switch {
	case r.Code != badKeys:
		return ""
	case strings.HasPrefix(r.Message, "Consumer key is invalid"):
		return "id"
	case strings.HasPrefix(r.Message, "Consumer secret is invalid"), strings.HasPrefix(r.Message, "Invalid signature"):
		return "secret"
	}
	return ""
}

func (c *Client) host() string {
	_, rest, _ := strings.Cut(c.keys.Address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host
}

// askBy asks in one way. A signed request that is refused is signed anew once, with the store's clock: the clocks may
// be apart, and a request that was sent again because of a failure has shown its nonce before.
func (c *Client) askBy(ctx context.Context, q question, at int) (storeapi.Answer, error) {
	before := c.knows()
	answer, err := c.askAt(ctx, q, at)
	if err != nil || answer.Status != http.StatusUnauthorized || c.ways[at].basic || q.open {
		return answer, err
	}
	moved := (c.knows().clockOff - before.clockOff).Abs() > time.Minute
	if before.worked && before.way == at || moved {
		return c.askAt(ctx, q, at)
	}
	return answer, nil
}

// askAt asks where the API is: below /wp-json or, without pretty permalinks, by ?rest_route=.
func (c *Client) askAt(ctx context.Context, q question, at int) (storeapi.Answer, error) {
	l := c.knows()
	answer, err := c.send(ctx, q, at, l.plain)
	if !l.pretty && !l.plain && isNoAPI(err) {
		if other, otherErr := c.send(ctx, q, at, true); !isNoAPI(otherErr) {
			answer, err = other, otherErr
			l.plain = err == nil
		}
	}
	c.learn(func(known *learned) {
		known.plain = known.plain || l.plain
		known.pretty = known.pretty || err == nil && !known.plain
		if !answer.ReadAt.IsZero() {
			known.clockOff = answer.ReadAt.Sub(c.now())
		}
	}, false)
	return answer, err
}

// isNoAPI says whether a page came where the API should be.
func isNoAPI(err error) bool {
	var e *affiliate.Error
	return errors.As(err, &e) && (e.Code == affiliate.StoreNoAPI || e.Code == affiliate.StoreAnswer)
}

func (c *Client) now() time.Time {
	if c.web.Now != nil {
		return c.web.Now()
	}
	return time.Now()
}

// usualStatuses are answers to any question.
var usualStatuses = []int{http.StatusOK, http.StatusCreated, http.StatusUnauthorized}

func (c *Client) send(ctx context.Context, q question, at int, plain bool) (storeapi.Answer, error) {
	base, query := c.keys.Address+"/wp-json"+q.route, url.Values{}
	for name, values := range q.query {
		query[name] = values
	}
	if plain {
		base = c.keys.Address + "/"
		query.Set("rest_route", q.route)
	}
	r := storeapi.Request{Method: q.method, Header: http.Header{}, Repeatable: q.method != http.MethodPost || q.again,
		Shrinks: q.shrinks, Accept: slices.Concat(usualStatuses, q.accept)}
	if q.body != nil {
		body, err := json.Marshal(q.body)
		if err != nil {
			return storeapi.Answer{}, err
		}
		r.Body = body
		r.Header.Set("Content-Type", "application/json")
	}
	if !q.open {
		c.show(&r, base, query, c.ways[at])
	}
	r.Address = base
	if len(query) > 0 {
		r.Address += "?" + query.Encode()
	}
	return c.caller.Ask(ctx, r)
}

// show puts the keys into a request.
func (c *Client) show(r *storeapi.Request, base string, query url.Values, w way) {
	if w.basic {
		r.Header.Set("Authorization", "Basic "+
			base64.StdEncoding.EncodeToString([]byte(c.keys.ID+":"+c.keys.Secret)))
		return
	}
	_, rest, _ := strings.Cut(base, "://")
	added := oauth(r.Method, w.scheme+"://"+rest, query, c.keys.ID, c.keys.Secret, c.now().Add(c.knows().clockOff))
	if w.header {
		r.Header.Set("Authorization", oauthHeader(added))
		return
	}
	for name, values := range added {
		query[name] = values
	}
}
