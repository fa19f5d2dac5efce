package fakestore

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/integrations/signature"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// ShopifyQuirks are what is special about a shop and the app in it.
type ShopifyQuirks struct {
	// Scopes of the app; nil: read_orders, read_all_orders, read_products, write_discounts, and those for store credit
	// and gift cards.
	Scopes []string
	// HidesCustomers refuses protected customer data to the app: addresses and e-mail are null.
	HidesCustomers bool
	NoJourney      bool    // the customer's visits are not worked out yet
	Restore        float64 // points per second; 100. The bucket holds twenty times as many
	Version        string  // that answers, whatever was asked for; empty: the one that was
	Polls          int     // how often an export is asked for before it is done
	FailExport     bool    // it fails, having written a part
	NoExports      bool    // none is begun
	MixedExport    bool    // its rows do not follow their orders
	Dear           float64 // how many times as much questions about discounts cost; 0: once
	MostCredit     int64   // that is given at once, in minor units; 0: a million
	NoGiftSearch   bool    // gift cards are not found by their codes yet
	AnyAddress     bool    // webhooks may go to plain http too, as no real shop has it
}

// shopify is a shop with an app in it. What it answers has the fields of the Admin API's schema of 2026-07 that are
// written down here, and no others.
type shopify struct {
	*Shop
	secret, token, client string
	granted               map[string]time.Time // tokens by the client credentials grant, and when they end
	available             float64              // points
	at                    time.Time            // when there were so many
	exports               []*export
	customers             []*customer
	giftCards             []*giftCard
}

// Shopify makes a shop without orders and webhooks. Its clock must go on while it is asked, or it puts all off once its
// budget is used up.
func Shopify(o Options) *Shop {
	if o.Domain == "" {
		o.Domain = "fake-store.myshopify.com"
	}
	if o.Shopify.Scopes == nil {
		o.Shopify.Scopes = append([]string{"read_orders", "read_all_orders", "read_products", "write_discounts"},
			creditScopes...)
	}
	if o.Shopify.Restore == 0 {
		o.Shopify.Restore = 100
	}
	s := newShop(o)
	f := &shopify{Shop: s, granted: map[string]time.Time{}, available: 20 * o.Shopify.Restore, at: s.now()}
	f.secret, f.token = "shpss_"+f.Shop.token(32, hexDigits), "shpat_"+f.Shop.token(32, hexDigits)
	f.client = f.Shop.token(32, hexDigits)
	s.face, s.last = f, 1_000_000
	return s
}

// keys have all that an owner can copy; the kind says which of it is used. Where the API is, the shop's permanent
// domain does not tell: see shopify.Connector.Elsewhere.
func (f *shopify) keys(string) affiliate.StoreKeys {
	return affiliate.StoreKeys{Kind: affiliate.KeyToken, Address: "https://" + f.Domain, ID: f.client, Secret: f.secret,
		Token: f.token}
}

// EndShopifyTokens ends the tokens that were got by client id and secret before their time.
func (s *Shop) EndShopifyTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.face.(*shopify).granted)
}

// SetShopify changes what is special about a shop.
func (s *Shop) SetShopify(change func(*ShopifyQuirks)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.Options.Shopify)
}

// tell queues the webhooks of a change, as the shop is now.
func (f *shopify) tell(o *order, c change) {
	switch c.what {
	case placedOrder:
		f.queueOrder("orders/create", o)
		if !o.paidAt.IsZero() {
			f.queueOrder("orders/paid", o)
		}
	case paidOrder:
		f.queueOrder("orders/paid", o)
		f.queueOrder("orders/updated", o)
	case canceledOrder:
		f.queueOrder("orders/cancelled", o)
		f.queueOrder("orders/updated", o)
	case editedOrder:
		f.queue1("orders/edited", o, func() any {
			return record{"order_edit": record{"id": o.id, "order_id": o.id,
				"created_at": o.updated.Format(time.RFC3339),
				"line_items": record{"additions": []any{}, "removals": []any{}}}}
		})
		f.queueOrder("orders/updated", o)
	case refundedOrder:
		f.queue1("refunds/create", o, func() any { return f.restRefund(o, c.refund) })
		f.queue1("order_transactions/create", o, func() any { return f.restTransaction(o, c.refund) })
		f.queueOrder("orders/updated", o)
	case deletedOrder:
		f.queue1("orders/delete", o, func() any { return record{"id": o.id} })
	}
}

func (f *shopify) queueOrder(topic string, o *order) {
	f.queue1(topic, o, func() any { return f.restOrder(o) })
}

// queue1 queues one topic, with a body of now.
func (f *shopify) queue1(topic string, o *order, body func() any) {
	if !slices.ContainsFunc(f.webhooks, func(w *webhook) bool { return w.topic == topic }) {
		return
	}
	text, err := json.Marshal(body())
	if err != nil {
		panic(err)
	}
	at := f.now()
	f.send(topic, o.id, func(*webhook) (http.Header, []byte) {
		return http.Header{
			"User-Agent": {"Shopify-Captain-Hook"}, "Content-Type": {"application/json"},
			"X-Shopify-Topic": {topic}, "X-Shopify-Shop-Domain": {f.Domain}, "X-Shopify-Api-Version": {"2026-07"},
			"X-Shopify-Webhook-Id":   {f.Shop.token(32, hexDigits)},
			"X-Shopify-Triggered-At": {at.Format(time.RFC3339Nano)},
			"X-Shopify-Hmac-Sha256":  {signature.Sign([]byte(f.secret), text)},
		}, text
	})
}

// answered sends again what was not answered with 2xx, eight times; after eight failures in a row the webhook is
// deleted (https://shopify.dev/docs/apps/build/webhooks/subscribe).
func (f *shopify) answered(d *delivery, status int) (taken, again bool) {
	if status/100 == 2 {
		d.webhook.failures = 0
		return true, false
	}
	if d.webhook.failures++; d.webhook.failures >= 8 {
		f.webhooks = slices.DeleteFunc(f.webhooks, func(w *webhook) bool { return w == d.webhook })
	}
	return false, d.attempts <= 8
}

func (f *shopify) busy(w http.ResponseWriter) { f.write(w, http.StatusOK, f.throttled(0)) }

func (f *shopify) throttled(cost float64) record {
	return record{"errors": []any{graphFault("THROTTLED", "Throttled", nil)}, "extensions": f.extensions(cost, 0)}
}

func graphFault(code, message string, path []any) record {
	return record{"message": message, "path": path, "extensions": record{"code": code}}
}

// refill lets the bucket fill up to now.
func (f *shopify) refill() {
	now, most := f.now(), 20*f.Shopify.Restore
	f.available = min(most, f.available+f.Shopify.Restore*max(0, now.Sub(f.at).Seconds()))
	f.at = now
}

func (f *shopify) extensions(requested, actual float64) record {
	return record{"cost": record{"requestedQueryCost": requested, "actualQueryCost": actual, "throttleStatus": record{
		"maximumAvailable": 20 * f.Shopify.Restore, "currentlyAvailable": f.available,
		"restoreRate": f.Shopify.Restore}}}
}

func (f *shopify) write(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Date", f.now().Format(http.TimeFormat))
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // whoever asked may be gone
}

func (f *shopify) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	version, isAPI := strings.CutPrefix(r.URL.Path, "/admin/api/")
	version, isGraph := strings.CutSuffix(version, "/graphql.json")
	switch {
	case r.Method == http.MethodPost && isAPI && isGraph:
		f.graph(w, r, version)
	case r.Method == http.MethodPost && r.URL.Path == "/admin/oauth/access_token":
		f.grant(w, r)
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, "/exports/"):
		f.file(w, r)
	default:
		writePage(w, http.StatusNotFound)
	}
}

// grant is the client credentials grant.
func (f *shopify) grant(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.PostFormValue("grant_type") != "client_credentials" || r.PostFormValue("client_id") != f.client ||
		r.PostFormValue("client_secret") != f.secret {
		f.write(w, http.StatusBadRequest, record{"error": "invalid_client"})
		return
	}
	token := "shpat_" + f.Shop.token(32, hexDigits)
	f.granted[token] = f.now().Add(24 * time.Hour)
	f.write(w, http.StatusOK, record{"access_token": token, "scope": strings.Join(f.Shopify.Scopes, ","),
		"expires_in": 86399})
}

// graph answers an operation.
func (f *shopify) graph(w http.ResponseWriter, r *http.Request, version string) {
	var asked struct {
		Query     string         `json:"query"`
		Variables map[string]any `json:"variables"`
	}
	err := json.NewDecoder(r.Body).Decode(&asked)
	f.mu.Lock()
	token := r.Header.Get("X-Shopify-Access-Token")
	if token != f.token && !f.now().Before(f.granted[token]) {
		f.write(w, http.StatusUnauthorized, record{"errors": "[API] Invalid API key or access token (unrecognized " +
			"login or wrong password)"})
		f.mu.Unlock()
		return
	}
	if f.Shopify.Version != "" {
		version = f.Shopify.Version
	}
	w.Header().Set("X-Shopify-Api-Version", version)
	kind, fields, parseErr := parseGraph(asked.Query)
	if err != nil || parseErr != nil {
		f.write(w, http.StatusOK, record{"errors": []any{record{"message": fmt.Sprint(err, parseErr)}}})
		f.mu.Unlock()
		return
	}
	page := f.answer(w, r, kind, fields, asked.Variables)
	f.mu.Unlock()
	if page {
		f.paged()
	}
}

// pagedFields are those that come in pages which a slow shop may not bear.
var pagedFields = map[string]bool{"orders": true, "codeDiscountNodes": true}

// scopeOf is what the app needs for a field of the root.
func scopeOf(field string) string {
	switch {
	case slices.Contains([]string{"orders", "ordersCount", "order", "refund", "nodes"}, field):
		return "read_orders"
	case strings.HasPrefix(field, "codeDiscount"):
		return "read_discounts"
	case strings.HasPrefix(field, "discountCode"):
		return "write_discounts"
	case strings.HasPrefix(field, "customer"):
		return "read_customers"
	}
	return map[string]string{"storeCreditAccount": "read_store_credit_accounts", "giftCards": "read_gift_cards",
		"storeCreditAccountCredit": "write_store_credit_account_transactions",
		"giftCardCreate":           "write_gift_cards"}[field]
}

// may says whether the app has a scope; that to write has the one to read.
func (f *shopify) may(scope string) bool {
	return slices.Contains(f.Shopify.Scopes, scope) ||
		slices.Contains(f.Shopify.Scopes, "write_"+strings.TrimPrefix(scope, "read_"))
}

// denied is the error of a field that the app may not see.
type denied struct {
	scope string
	path  []any
}

func (d denied) Error() string { return "access denied" }

func (d denied) fault(of picked) record {
	path := append([]any{of.key()}, d.path[1:]...)
	fault := graphFault("ACCESS_DENIED", fmt.Sprintf("Access denied for %v field.", d.path[len(d.path)-1]), path)
	fault["extensions"].(record)["requiredAccess"] = "`" + d.scope + "` access scope."
	return fault
}

// answer says whether it was a page of orders or discounts.
func (f *shopify) answer(w http.ResponseWriter, r *http.Request, kind string, fields []picked,
	variables map[string]any) (page bool) {
	cost := graphCost(fields, variables, 0)
	if kind == "mutation" {
		cost = 10
	}
	if aboutDiscounts(fields) {
		cost = f.discountCost(kind, fields, variables)
	}
	f.refill()
	for _, one := range fields {
		if first, _ := one.args["first"].(variable); pagedFields[one.name] && f.most > 0 {
			if n, _ := variables[string(first)].(float64); int(n) > f.most {
				writePage(w, http.StatusGatewayTimeout)
				return false
			}
		}
	}
	switch {
	case cost > 1000:
		f.write(w, http.StatusOK, record{"errors": []any{graphFault("MAX_COST_EXCEEDED", fmt.Sprintf("Query cost "+
			"is %g, which exceeds the single query max cost limit (1000).", cost), nil)}})
		return false
	case cost > f.available:
		f.write(w, http.StatusOK, f.throttled(cost))
		return false
	}
	root := f.root(kind, "http://"+r.Host)
	data, faults := record{}, []any{}
	for _, one := range fields {
		if need := scopeOf(one.name); need != "" && !f.may(need) {
			data[one.key()] = nil
			faults = append(faults, denied{need, []any{one.name}}.fault(one))
			continue
		}
		v, err := resolve(root, []picked{one}, variables)
		if no := (denied{}); errors.As(err, &no) { // what must not be null is, and all around it
			data[one.key()] = nil
			faults = append(faults, no.fault(one))
			continue
		}
		if err != nil {
			f.write(w, http.StatusOK, record{"errors": []any{record{"message": err.Error(),
				"extensions": record{"code": "undefinedField"}}}})
			return false
		}
		data[one.key()] = v.(record)[one.key()]
		if hides := f.hidden(one, []any{one.name}); f.Shopify.HidesCustomers {
			faults = append(faults, hides...)
		}
		page = page || pagedFields[one.name]
	}
	actual := cost / 2 // the rows that there are, are fewer than were asked for
	if kind == "mutation" {
		actual = cost
	}
	f.available -= actual
	out := record{"data": data, "extensions": f.extensions(cost, actual)}
	if len(faults) > 0 {
		out["errors"] = faults
	}
	f.write(w, http.StatusOK, out)
	return page
}

// hidden are the faults of fields with protected customer data.
func (f *shopify) hidden(of picked, path []any) (faults []any) {
	for _, one := range of.sub {
		here := path
		if one.name != "" {
			here = append(slices.Clone(path), one.name)
		}
		if slices.Contains([]string{"email", "billingAddress", "shippingAddress"}, one.name) {
			faults = append(faults, graphFault("ACCESS_DENIED", "This app is not approved to use the "+one.name+
				" field. See https://shopify.dev/docs/apps/launch/protected-customer-data for more details.", here))
		}
		faults = append(faults, f.hidden(one, here)...)
	}
	return faults
}

// root is what queries and mutations begin with.
func (f *shopify) root(kind, base string) record {
	if kind == "mutation" {
		return f.discountMutations(record{"__typename": "Mutation",
			"webhookSubscriptionCreate": resolver(f.createWebhook),
			"webhookSubscriptionDelete": resolver(f.removeWebhook),
			"storeCreditAccountCredit":  resolver(f.creditCustomer),
			"giftCardCreate":            resolver(f.createGiftCard),
			"bulkOperationRunQuery": resolver(func(args map[string]any) (any, error) {
				return f.startExport(args, base)
			})})
	}
	scopes := []any{}
	for _, s := range f.Shopify.Scopes {
		scopes = append(scopes, record{"__typename": "AccessScope", "handle": s})
	}
	return record{"__typename": "QueryRoot",
		"currentAppInstallation": record{"__typename": "AppInstallation", "accessScopes": scopes},
		"shop": record{"__typename": "Shop", "name": f.Name, "myshopifyDomain": f.Domain,
			"currencyCode": string(f.Currency), "ianaTimezone": f.Timezone, "taxesIncluded": false},
		"orders": resolver(f.findOrders), "ordersCount": resolver(f.countOrders), "order": resolver(f.oneOrder),
		"nodes": resolver(f.nodes), "refund": resolver(f.oneRefund),
		"codeDiscountNodes": resolver(f.findDiscounts), "codeDiscountNode": resolver(f.oneDiscount),
		"codeDiscountNodeByCode": resolver(f.discountByCode),
		"customerByIdentifier":   resolver(f.findCustomer), "customer": resolver(f.oneCustomer),
		"storeCreditAccount": resolver(f.oneAccount), "giftCards": resolver(f.findGiftCards),
		"webhookSubscriptions": f.subscriptions(), "bulkOperation": resolver(f.exportState)}
}

// sees says whether the app sees an order: without read_all_orders those of the last 60 days.
func (f *shopify) sees(o *order) bool {
	return slices.Contains(f.Shopify.Scopes, "read_all_orders") || o.placed.After(f.now().AddDate(0, 0, -60))
}

// span reads a search such as "updated_at:>='2026-11-28T10:00:00Z' updated_at:<'2026-11-28T11:00:00Z'".
func span(q string) (field string, from, until time.Time, err error) {
	until = time.Unix(1<<40, 0)
	for _, term := range strings.Fields(q) {
		name, rest, _ := strings.Cut(term, ":")
		value := strings.Trim(strings.TrimLeft(rest, "<>="), "'")
		at, err := time.Parse(time.RFC3339, value)
		if err != nil || name != "updated_at" && name != "created_at" || field != "" && field != name {
			return "", from, until, fmt.Errorf("fakestore: search %q is not understood", q)
		}
		field = name
		if strings.HasPrefix(rest, ">=") {
			from = at
		} else {
			until = at
		}
	}
	return field, from, until, nil
}

// chosen gives the orders of a search by its time, and what that is.
func (f *shopify) chosen(q string) (list []*order, by func(*order) int64, err error) {
	field, from, until, err := span(q)
	if err != nil {
		return nil, nil, err
	}
	by = func(o *order) int64 { return o.updated.Unix() }
	if field == "created_at" {
		by = func(o *order) int64 { return o.placed.Unix() }
	}
	all := f.inOrder(field+" in seconds", by)
	begin, _ := slices.BinarySearchFunc(all, from.Unix(), func(o *order, at int64) int { return sign(by(o) - at) })
	end, _ := slices.BinarySearchFunc(all, until.Unix(), func(o *order, at int64) int { return sign(by(o) - at) })
	return all[begin:max(begin, end)], by, nil
}

func sign(n int64) int { return int(min(1, max(-1, n))) }

// findOrders gives a page. Its cursor is the last order's time and id, so that what changes meanwhile moves nothing.
func (f *shopify) findOrders(args map[string]any) (any, error) {
	q, _ := args["query"].(string)
	list, by, err := f.chosen(q)
	if err != nil {
		return nil, err
	}
	if key, _ := args["sortKey"].(string); !strings.HasPrefix(q, strings.ToLower(key)+":") {
		return nil, fmt.Errorf("fakestore: orders searched by %q and sorted by %s", q, key)
	}
	if after, ok := args["after"].(string); ok {
		var at, id int64
		if _, err := fmt.Sscanf(after, "%d-%d", &at, &id); err != nil {
			return nil, fmt.Errorf("fakestore: no cursor: %q", after)
		}
		i, _ := slices.BinarySearchFunc(list, at, func(o *order, at int64) int {
			if d := sign(by(o) - at); d != 0 {
				return d
			}
			return sign(o.id - id - 1)
		})
		list = list[i:]
	}
	first, _ := args["first"].(float64)
	c := connection{done: true}
	for _, o := range list {
		if !f.sees(o) {
			continue
		}
		if len(c.rows) == int(first) {
			c.more = true
			break
		}
		c.rows = append(c.rows, f.node(o))
		c.end = fmt.Sprintf("%d-%d", by(o), o.id)
	}
	return c, nil
}

// mostCounted is where Shopify stops counting unless it is told to go on (limit: null).
const mostCounted = 10_000

func (f *shopify) countOrders(args map[string]any) (any, error) {
	q, _ := args["query"].(string)
	list, _, err := f.chosen(q)
	if err != nil {
		return nil, err
	}
	n, precision := 0, "EXACT"
	for _, o := range list {
		if f.sees(o) {
			n++
		}
	}
	if limit, given := args["limit"]; n > mostCounted && (!given || limit != nil) {
		n, precision = mostCounted, "AT_LEAST"
	}
	return record{"__typename": "Count", "count": n, "precision": precision}, nil
}

// number reads the number of a global id of a kind; 0 for others.
func number(id any, kind string) int64 {
	text, _ := id.(string)
	digits, ok := strings.CutPrefix(text, "gid://shopify/"+kind+"/")
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil {
		return 0
	}
	return n
}

func (f *shopify) oneOrder(args map[string]any) (any, error) {
	o := f.orders[number(args["id"], "Order")]
	if o == nil || !f.sees(o) {
		return nil, nil
	}
	return f.node(o), nil
}

func (f *shopify) nodes(args map[string]any) (any, error) {
	ids, _ := args["ids"].([]any)
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i], _ = f.oneOrder(map[string]any{"id": id}) // gives no error
	}
	return list, nil
}

func (f *shopify) oneRefund(args map[string]any) (any, error) {
	id := number(args["id"], "Refund")
	for _, o := range f.orders {
		for _, r := range o.refunds {
			if r.id == id && f.sees(o) {
				return f.refundNode(o, r), nil
			}
		}
	}
	return nil, nil
}

// subscriptions are the webhooks that the app made.
func (f *shopify) subscriptions() connection {
	var c connection
	for _, w := range f.webhooks {
		if w.status == active { // there is no other status: Shopify deletes
			c.rows = append(c.rows, subscription(w))
		}
	}
	return c
}

func subscription(w *webhook) record {
	id := formatID(w.id)
	return record{"__typename": "WebhookSubscription", "id": "gid://shopify/WebhookSubscription/" + id,
		"legacyResourceId": id, "topic": strings.ToUpper(strings.Replace(w.topic, "/", "_", 1)), "uri": w.address,
		"name": w.name, "format": "JSON", "filter": "", "includeFields": []any{},
		"apiVersion": record{"__typename": "ApiVersion", "handle": "2026-07"},
		"createdAt":  w.made.Format(time.RFC3339), "updatedAt": w.updated.Format(time.RFC3339)}
}

// topics of the app's webhooks, by the API's word.
var shopifyTopics = []string{"orders/create", "orders/updated", "orders/paid", "orders/cancelled", "orders/edited",
	"orders/delete", "refunds/create", "order_transactions/create", "disputes/create", "disputes/update",
	"app/uninstalled"}

// createWebhook refuses addresses as the recorded shop does.
func (f *shopify) createWebhook(args map[string]any) (any, error) {
	word, _ := args["topic"].(string)
	in, _ := args["webhookSubscription"].(map[string]any)
	address, _ := in["uri"].(string)
	for name := range in {
		if !slices.Contains([]string{"uri", "format", "name", "filter", "includeFields"}, name) {
			return nil, refused("InputObject 'WebhookSubscriptionInput' doesn't accept argument '" + name + "'")
		}
	}
	i := slices.IndexFunc(shopifyTopics, func(t string) bool {
		return strings.ToUpper(strings.Replace(t, "/", "_", 1)) == word
	})
	if i < 0 {
		return nil, refused("Variable $topic has an invalid value (" + word + ")")
	}
	refuse := func(message string) (any, error) {
		fault := record{"__typename": "UserError", "field": []any{"webhookSubscription", "callbackUrl"},
			"message": message}
		return record{"__typename": "WebhookSubscriptionCreatePayload", "webhookSubscription": nil,
			"userErrors": []any{fault}}, nil
	}
	u, err := url.Parse(address)
	switch {
	case address == "" || err != nil:
		return refuse("Address can't be blank")
	case u.Scheme != "https" && !f.Shopify.AnyAddress:
		return refuse("Address protocol " + u.Scheme + ":// is not supported")
	}
	for _, w := range f.webhooks {
		if w.topic == shopifyTopics[i] && w.address == address && w.status == active {
			return refuse("Address for this topic has already been taken")
		}
	}
	name, _ := in["name"].(string)
	w := &webhook{id: f.nextID(), name: name, topic: shopifyTopics[i], address: address, secret: f.secret,
		status: active, made: f.now(), updated: f.now()}
	f.webhooks = append(f.webhooks, w)
	return record{"__typename": "WebhookSubscriptionCreatePayload", "webhookSubscription": subscription(w),
		"userErrors": []any{}}, nil
}

func (f *shopify) removeWebhook(args map[string]any) (any, error) {
	id := number(args["id"], "WebhookSubscription")
	before := len(f.webhooks)
	f.webhooks = slices.DeleteFunc(f.webhooks, func(w *webhook) bool { return w.id == id })
	out := record{"__typename": "WebhookSubscriptionDeletePayload", "deletedWebhookSubscriptionId": args["id"],
		"userErrors": []any{}}
	if len(f.webhooks) == before {
		out["deletedWebhookSubscriptionId"] = nil
		out["userErrors"] = []any{record{"__typename": "UserError", "field": []any{"id"},
			"message": "Webhook subscription does not exist"}}
	}
	return out, nil
}
