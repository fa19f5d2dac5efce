package shopify

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// APIVersion is the version of the Admin API that is asked. Each lives for a year at least; one that has ended is
// answered by the oldest that is left, which the header X-Shopify-API-Version tells.
const APIVersion = "2026-07"

// Client asks the GraphQL Admin API of one shop. Whatever it learns of it, such as how many orders it bears at once, it
// keeps as long as it lives. It may be used by many at once.
type Client struct {
	keys   affiliate.StoreKeys
	base   string
	web    *storeapi.Web
	caller *storeapi.Caller
	page   storeapi.Size // orders at once, as fast as the shop answers
	codes  storeapi.Size // discounts at once, likewise

	mu      sync.Mutex
	most    int    // orders at once, by what they cost
	rows    int    // rows of each of their lists at once, likewise
	atOnce  int    // discounts at once, likewise
	calls   int    // codes that are looked for, made or changed at once, likewise
	token   string // got for KeyClient
	until   time.Time
	costs   map[string]float64 // the last requested cost of each operation
	hidden  map[string]bool    // fields of orders and discounts that our keys may not see
	looked  bool               // at an order, so that hidden is known
	version string             // of the last answer
}

// Use says how much of the shop's budget was used.
func (c *Client) Use() affiliate.APIUse { return c.caller.Use() }

func problem(kind affiliate.ErrorKind, code, format string, args ...any) error {
	return &affiliate.Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// operation is one question in GraphQL. Its name is that in its text.
type operation struct {
	name, text string
	changes    bool // a mutation that must not be made twice: asked once only
	shrinks    bool // less can be asked for
}

// answer is what came for an operation.
type answer struct {
	storeapi.Answer
	errors []graphError
}

// graphError is one of the top-level errors; those of bad input stand in userErrors of the data.
type graphError struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code           string `json:"code"`
		RequiredAccess string `json:"requiredAccess"`
	} `json:"extensions"`
}

// errTooCostly says that an operation is more than Shopify runs at once: it is to ask for less.
var errTooCostly = problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify holds this to be too much for one "+
	"request. Report this: it is a fault of the program.")

// mostThrottled is how often an operation that was put off is asked again.
const mostThrottled = 6

// ask sends an operation and decodes its data. Fields that the keys may not see are null, and named by answer.errors,
// where partial is set; otherwise that is an error.
func (c *Client) ask(ctx context.Context, op operation, variables map[string]any, data any, partial bool) (answer,
	error) {
	for try := 1; ; try++ {
		a, err := c.once(ctx, op, variables, data)
		switch {
		case err != nil:
			return a, err
		case a.has("THROTTLED") && try < mostThrottled:
			c.caller.PutOff(time.Duration(2*try) * time.Second) // at least 100 points come back in each
			continue
		case a.has("THROTTLED"):
			return a, problem(affiliate.Unavailable, affiliate.StoreBusy, "Shopify put our questions off again and "+
				"again. They are asked later; other apps may be using the shop's budget up.")
		case a.has("MAX_COST_EXCEEDED"):
			return a, errTooCostly
		}
		for _, e := range a.errors {
			if e.Extensions.Code != "ACCESS_DENIED" {
				return a, c.problem(e)
			}
			if !partial {
				return a, c.denied(e)
			}
		}
		return a, nil
	}
}

func (a answer) has(code string) bool {
	return slices.ContainsFunc(a.errors, func(e graphError) bool { return e.Extensions.Code == code })
}

func (c *Client) problem(e graphError) error {
	switch e.Extensions.Code {
	case "INTERNAL_SERVER_ERROR", "TIMEOUT":
		return problem(affiliate.Unavailable, affiliate.StoreDown, "Shopify failed at answering. It is asked "+
			"again later.")
	case "SHOP_INACTIVE":
		return problem(affiliate.Forbidden, affiliate.StoreForbidden, "The shop is closed or frozen. Its owner can "+
			"open it again in the Shopify admin, Settings > Plan.")
	}
	return problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify does not understand what it is asked: %s. Its "+
		"API may have changed; update Tributary.", c.quote(e.Message))
}

func (c *Client) denied(e graphError) error {
	need := c.quote(cmp.Or(e.Extensions.RequiredAccess, e.Message))
	return problem(affiliate.Forbidden, affiliate.StoreForbidden, "The app may not do this. Shopify says what it "+
		"needs: %s Add the scope to the app, and install it anew.", need+".")
}

// quote gives what Shopify says for a sentence of ours: short, without its full stop, and without keys.
func (c *Client) quote(said string) string {
	c.mu.Lock()
	secrets := []string{c.keys.Token, c.keys.Secret, c.token}
	c.mu.Unlock()
	for _, secret := range secrets {
		if secret != "" {
			said = strings.ReplaceAll(said, secret, "…")
		}
	}
	return strings.TrimSuffix(tidy(said, 200), ".")
}

// once sends an operation, again only where nothing was done by it.
func (c *Client) once(ctx context.Context, op operation, variables map[string]any, data any) (answer, error) {
	body, err := json.Marshal(map[string]any{"query": op.text, "variables": variables, "operationName": op.name})
	if err != nil {
		return answer{}, fmt.Errorf("write question %s: %w", op.name, err)
	}
	a, err := c.post(ctx, op, body, false)
	if c.keys.Kind == affiliate.KeyClient && codeOf(err) == affiliate.StoreKeysRefused {
		a, err = c.post(ctx, op, body, true) // the token may have ended before its time
	}
	if err != nil {
		return answer{Answer: a}, err
	}
	var envelope struct {
		Data       json.RawMessage `json:"data"`
		Errors     []graphError    `json:"errors"`
		Extensions struct {
			Cost struct {
				Requested float64 `json:"requestedQueryCost"`
				Actual    float64 `json:"actualQueryCost"`
				Throttle  struct {
					Max       float64 `json:"maximumAvailable"`
					Available float64 `json:"currentlyAvailable"`
					Restore   float64 `json:"restoreRate"`
				} `json:"throttleStatus"`
			} `json:"cost"`
		} `json:"extensions"`
	}
	if err := a.JSON(&envelope); err != nil {
		return answer{Answer: a}, err
	}
	cost := envelope.Extensions.Cost
	c.caller.Points(a, storeapi.Points{Available: cost.Throttle.Available, Max: cost.Throttle.Max,
		Restore: cost.Throttle.Restore, Requested: cost.Requested, Actual: cost.Actual})
	c.mu.Lock()
	c.version = a.Header.Get("X-Shopify-Api-Version")
	if cost.Requested > 0 {
		c.costs[op.name] = cost.Requested
	}
	c.mu.Unlock()
	whole := answer{Answer: a, errors: envelope.Errors}
	if len(envelope.Data) == 0 || string(envelope.Data) == "null" {
		if len(envelope.Errors) == 0 {
			return whole, problem(affiliate.Unavailable, affiliate.StoreAnswer, "Shopify answered without data. It is "+
				"asked again later.")
		}
		return whole, nil
	}
	if err := json.Unmarshal(envelope.Data, data); err != nil {
		return whole, problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify answered in a shape that its API "+
			"does not have (%v). Update Tributary.", err)
	}
	return whole, nil
}

func codeOf(err error) string {
	var e *affiliate.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// post sends an operation with a token; afresh gets a new one.
func (c *Client) post(ctx context.Context, op operation, body []byte, afresh bool) (storeapi.Answer, error) {
	token, err := c.accessToken(ctx, afresh)
	if err != nil {
		return storeapi.Answer{}, err
	}
	c.mu.Lock()
	cost := c.costs[op.name]
	c.mu.Unlock()
	return c.caller.Ask(ctx, storeapi.Request{Method: http.MethodPost,
		Address: c.base + "/admin/api/" + APIVersion + "/graphql.json",
		Header: http.Header{"Content-Type": {"application/json"}, "Accept": {"application/json"},
			"X-Shopify-Access-Token": {token}},
		Body: body, Repeatable: !op.changes, Shrinks: op.shrinks, Cost: cost})
}

// accessToken gives the token: the one that was given, or one by the client credentials grant, which lasts for a day
// (https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/client-credentials-grant).
func (c *Client) accessToken(ctx context.Context, afresh bool) (string, error) {
	if c.keys.Kind == affiliate.KeyToken {
		return c.keys.Token, nil
	}
	now := c.now()
	c.mu.Lock()
	token, until := c.token, c.until
	c.mu.Unlock()
	if !afresh && token != "" && now.Before(until) {
		return token, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.keys.ID}, "client_secret": {c.keys.Secret}}
	a, err := c.caller.Ask(ctx, storeapi.Request{Method: http.MethodPost, Address: c.base + "/admin/oauth/access_token",
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}},
		Body:   []byte(form.Encode()), Repeatable: true,
		Accept: []int{http.StatusOK, http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden}})
	if err != nil {
		return "", err
	}
	var refusal struct{ Error string }
	_ = json.Unmarshal(a.Body, &refusal) // anything else says nothing
	if a.Status == http.StatusUnauthorized ||
		a.Status == http.StatusBadRequest && refusal.Error == "invalid_client" {
		return "", &affiliate.Error{Kind: affiliate.Forbidden, Code: affiliate.StoreKeysRefused, Field: "secret",
			Message: "Shopify refuses the client ID and secret. Look whether both were copied whole, or make a new " +
				"secret (Dev Dashboard, the app, Settings)."}
	}
	if a.Status != http.StatusOK {
		return "", problem(affiliate.Forbidden, affiliate.StoreKeysRefused, "Shopify refuses the client ID and "+
			"secret. The app must be installed in this shop, and belong to the same organization: see %s.",
			guide.Access.Keys)
	}
	var got struct {
		Token   string `json:"access_token"`
		Expires int64  `json:"expires_in"` // seconds
	}
	if err := a.JSON(&got); err != nil {
		return "", err
	}
	if got.Token == "" {
		return "", problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify gave no token for the client ID and "+
			"secret. Check that the app is installed in the shop.")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	// A tenth of its time before its end, so that what is under way still counts.
	c.token, c.until = got.Token, now.Add(time.Duration(got.Expires)*time.Second*9/10)
	return got.Token, nil
}

func (c *Client) now() time.Time {
	if c.web.Now != nil {
		return c.web.Now()
	}
	return time.Now()
}

const askFacts = `query Facts {
 currentAppInstallation { accessScopes { handle } }
 shop { name myshopifyDomain currencyCode ianaTimezone }
}`

// known is what Facts asks for.
type known struct {
	scopes                           []string
	name, domain, currency, timezone string
}

func (c *Client) facts(ctx context.Context) (known, error) {
	var data struct {
		Installation struct {
			Scopes []struct {
				Handle string `json:"handle"`
			} `json:"accessScopes"`
		} `json:"currentAppInstallation"`
		Shop struct {
			Name     string `json:"name"`
			Domain   string `json:"myshopifyDomain"`
			Currency string `json:"currencyCode"`
			Timezone string `json:"ianaTimezone"`
		} `json:"shop"`
	}
	if _, err := c.ask(ctx, operation{name: "Facts", text: askFacts}, nil, &data, false); err != nil {
		return known{}, err
	}
	k := known{name: data.Shop.Name, domain: data.Shop.Domain, currency: data.Shop.Currency,
		timezone: data.Shop.Timezone}
	for _, s := range data.Installation.Scopes {
		k.scopes = append(k.scopes, s.Handle)
	}
	return k, nil
}

// Facts asks what the shop is, and what the app may do.
func (c *Client) Facts(ctx context.Context) (affiliate.StoreFacts, error) {
	k, err := c.facts(ctx)
	if err != nil {
		return affiliate.StoreFacts{}, err
	}
	f := affiliate.StoreFacts{Name: tidy(k.name, 100), Domain: strings.ToLower(k.domain),
		Currency: currencyOf(k.currency), Timezone: k.timezone, Secret: c.keys.Secret}
	for _, need := range slices.Concat(guide.Access.Needs, guide.Access.CodeNeeds, guide.Access.CreditNeeds) {
		if !may(k.scopes, need) {
			f.Missing = append(f.Missing, need)
		}
	}
	if !slices.Contains(k.scopes, scopeAllOrders) {
		f.Warnings = append(f.Warnings, "Shopify shows orders of the last 60 days only, since the app does not have "+
			"the scope read_all_orders: what changes on older ones is known by webhooks alone.")
	}
	c.mu.Lock()
	version := c.version
	c.mu.Unlock()
	if version != "" && version != APIVersion {
		f.Warnings = append(f.Warnings, "Shopify answers by version "+tidy(version, 20)+" of its API, and not by "+
			APIVersion+": update Tributary.")
	}
	return f, nil
}

const (
	scopeOrders    = "read_orders"
	scopeAllOrders = "read_all_orders"
	scopeDiscounts = "write_discounts"

	// https://shopify.dev/docs/api/admin-graphql/2026-07/mutations/storeCreditAccountCredit and
	// …/interfaces/HasStoreCreditAccounts, …/input-objects/GiftCardCreateInput
	scopeCredit    = "write_store_credit_account_transactions"
	scopeAccounts  = "read_store_credit_accounts"
	scopeGiftCards = "write_gift_cards"
	scopeCustomers = "write_customers" // a gift card is made for a customer
)

// may says whether scopes allow what one scope does: the right to write includes the right to read.
func may(scopes []string, scope string) bool {
	return slices.Contains(scopes, scope) ||
		slices.Contains(scopes, "write_"+strings.TrimPrefix(scope, "read_"))
}

// userError is what Shopify has against an input.
type userError struct {
	Field   []string `json:"field"`
	Message string   `json:"message"`
	Code    string   `json:"code"`
}

func (e userError) about(words string) bool {
	return strings.Contains(strings.ToLower(e.Message), words)
}

// quoted writes a text as GraphQL has it, as JSON does.
func quoted(text string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a text can be written
	return strings.TrimSpace(b.String())
}
