package fakestore

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// visitBefore is how long before the order a visit began.
const visitBefore = 5 * time.Minute

// wooCode writes a code as WooCommerce keeps it: in lower case and with &, < and > escaped; quotes stay.
func wooCode(code string) string { return wooEscapes.Replace(cases.Lower(language.Und).String(code)) }

var wooEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// reply is an answer of the API.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func refuse(status int, code, message string) reply {
	return reply{status: status, body: wooError(code, message, status)}
}

func (w *woo) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if strings.Contains(r.URL.Path, "/wc-auth/v1/") {
		w.serveAuth(rw, r)
		return
	}
	route, ok := w.route(r)
	if !ok {
		writePage(rw, http.StatusNotFound)
		return
	}
	answer, page := w.answer(route, r)
	header := rw.Header()
	header.Set("Date", w.now().Format(http.TimeFormat))
	header.Set("Content-Type", "application/json; charset=UTF-8")
	for name, values := range answer.header {
		header[name] = values
	}
	rw.WriteHeader(cmp.Or(answer.status, http.StatusOK))
	_, _ = rw.Write(answer.body) // whoever asked may be gone
	if page {
		w.paged()
	}
}

// route is what comes after /wp-json, or in ?rest_route=.
func (w *woo) route(r *http.Request) (string, bool) {
	if q := r.URL.Query(); q.Has("rest_route") {
		return strings.TrimSuffix(q.Get("rest_route"), "/"), true
	}
	_, route, ok := strings.Cut(r.URL.Path, "/wp-json")
	return strings.TrimSuffix(route, "/"), ok && !w.Woo.PlainPermalinks
}

// answer says whether it was a page of orders, besides.
func (w *woo) answer(route string, r *http.Request) (reply, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if route == "" {
		return w.index(r), false
	}
	path, ok := strings.CutPrefix(route, "/wc/v3/")
	if !ok {
		return noRoute(), false
	}
	if denied := w.authenticate(r); denied.body != nil {
		return denied, false
	}
	parts := strings.Split(path, "/")
	page := path == "orders" && r.Method == http.MethodGet
	switch parts[0] {
	case "orders":
		return w.serveOrders(parts[1:], r), page
	case "webhooks":
		return w.serveWebhooks(parts[1:], r), false
	case "coupons":
		return w.serveCoupons(parts[1:], r), false
	case "data":
		if path == "data/currencies/current" {
			return reply{body: php(object{{"code", w.Currency}, {"name", "Currency"}, {"symbol", "&#36;"},
				{"_links", w.links("data/currencies/"+string(w.Currency), "GET")}})}, false
		}
	case "settings":
		if path == "settings/general/woocommerce_currency" {
			return reply{body: php(object{{"id", "woocommerce_currency"}, {"label", "Currency"}, {"type", "select"},
				{"default", "USD"}, {"value", w.Currency}, {"group_id", "general"}})}, false
		}
	}
	return noRoute(), false
}

func noRoute() reply {
	return refuse(http.StatusNotFound, "rest_no_route", "No route was found matching the URL and request method.")
}

func (w *woo) index(r *http.Request) reply {
	_, offset := w.now().In(w.zone).Zone()
	o := object{{"name", html.EscapeString(w.Name)}, {"description", ""}, {"url", "https://" + w.Domain},
		{"home", "https://" + w.Domain}, {"gmt_offset", float64(offset) / 3600}, {"timezone_string", w.Timezone},
		{"namespaces", []string{"oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wp/v2"}}, {"authentication", []int{}},
		{"routes", object{}}}
	return reply{body: php(o.only(list(r.URL.Query().Get("_fields"))))}
}

func list(s string) []string {
	return strings.FieldsFunc(s, func(c rune) bool { return c == ',' })
}

// authenticate checks keys as includes/class-wc-rest-authentication.php does: Basic and the two parameters over https
// only, OAuth 1.0a over both. Its reply is empty for those who may.
func (w *woo) authenticate(r *http.Request) reply {
	key, denied := w.whose(r)
	switch {
	case denied.body != nil:
		return denied
	case key.id == "":
		action := map[string]string{http.MethodGet: "view", http.MethodPost: "create", http.MethodPut: "edit"}[r.Method]
		return refuse(http.StatusUnauthorized, "woocommerce_rest_cannot_"+cmp.Or(action, "delete"),
			"Sorry, you cannot list resources.")
	}
	needed := "write"
	if r.Method == http.MethodGet {
		needed = "read"
	}
	if key.permissions != "read_write" && key.permissions != needed {
		return badKey("The API key provided does not have " + needed + " permissions.")
	}
	return reply{}
}

func badKey(message string) reply {
	return refuse(http.StatusUnauthorized, "woocommerce_rest_authentication_error", message)
}

func (w *woo) find(id string) wooKey {
	for _, k := range w.keyring {
		if k.id == id {
			return k
		}
	}
	return wooKey{}
}

func (w *woo) whose(r *http.Request) (wooKey, reply) {
	if w.Woo.DropsAuthorization {
		r.Header.Del("Authorization")
	}
	https := !w.Woo.SeesHTTP && (r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https")
	q := r.URL.Query()
	if https {
		id, secret := q.Get("consumer_key"), q.Get("consumer_secret")
		if id == "" {
			id, secret, _ = r.BasicAuth()
		}
		if key := w.find(id); key.id != "" {
			if key.secret != secret {
				return wooKey{}, badKey("Consumer secret is invalid.")
			}
			return key, reply{}
		}
	}
	return w.signed(r, q, https)
}

// signed checks OAuth 1.0a with one leg, in the query or in the header.
func (w *woo) signed(r *http.Request, q url.Values, https bool) (wooKey, reply) {
	if fields, ok := strings.CutPrefix(r.Header.Get("Authorization"), "OAuth "); ok {
		for field := range strings.SplitSeq(fields, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
			value, _ = url.PathUnescape(strings.Trim(value, `"`))
			q.Set(name, value)
		}
	}
	if q.Get("oauth_consumer_key") == "" {
		return wooKey{}, reply{}
	}
	key := w.find(q.Get("oauth_consumer_key"))
	if key.id == "" {
		return wooKey{}, badKey("Consumer key is invalid.")
	}
	given := q.Get("oauth_signature")
	q.Del("oauth_signature")
	scheme := "http"
	if https {
		scheme = "https"
	}
	base := r.Method + "&" + percent(scheme+"://"+r.Host+r.URL.Path) + "&" + percent(parameters(q))
	mac := hmac.New(sha256.New, []byte(key.secret+"&"))
	mac.Write([]byte(base))
	at, _ := strconv.ParseInt(q.Get("oauth_timestamp"), 10, 64)
	switch {
	case q.Get("oauth_signature_method") != "HMAC-SHA256",
		given != base64.StdEncoding.EncodeToString(mac.Sum(nil)):
		return wooKey{}, badKey("Invalid signature - provided signature does not match.")
	case w.now().Sub(time.Unix(at, 0)).Abs() > 15*time.Minute:
		return wooKey{}, badKey("Invalid timestamp.")
	case w.nonces[q.Get("oauth_nonce")]:
		return wooKey{}, badKey("Invalid nonce - nonce has already been used.")
	}
	w.nonces[q.Get("oauth_nonce")] = true
	return key, reply{}
}

func percent(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// parameters joins them sorted and encoded.
func parameters(q url.Values) string {
	var pairs []string
	for name, values := range q {
		for _, value := range values {
			pairs = append(pairs, percent(name)+"="+percent(value))
		}
	}
	sort.Strings(pairs)
	return strings.Join(pairs, "&")
}

// rows is a page of a list: which part of it is asked for.
type rows struct {
	size, page, offset int
	denied             reply
}

func pageOf(q url.Values) rows {
	p := rows{size: 10, page: 1, offset: -1}
	if q.Has("per_page") {
		p.size, _ = strconv.Atoi(q.Get("per_page"))
	}
	if p.size < 1 || p.size > 100 {
		const says = "per_page must be between 1 (inclusive) and 100 (inclusive)"
		p.denied = reply{status: http.StatusBadRequest, body: php(object{{"code", "rest_invalid_param"},
			{"message", "Invalid parameter(s): per_page"},
			{"data", object{{"status", 400}, {"params", object{{"per_page", says}}},
				{"details", object{{"per_page", object{{"code", "rest_out_of_bounds"}, {"message", says},
					{"data", nil}}}}}}}})}
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		p.page = max(1, n)
	}
	if n, err := strconv.Atoi(q.Get("offset")); err == nil {
		p.offset = n
	}
	return p
}

// cut gives the page, and the headers about the whole.
func cut[T any](p rows, all []T) ([]T, http.Header) {
	from := (p.page - 1) * p.size
	if p.offset >= 0 {
		from = p.offset
	}
	total := len(all)
	from = min(from, total)
	page := all[from:min(total, from+p.size)]
	if len(page) == 0 { // as seen
		total = 0
	}
	return page, http.Header{"X-Wp-Total": {strconv.Itoa(total)},
		"X-Wp-Totalpages": {strconv.Itoa((total + p.size - 1) / p.size)}}
}

// dp is how many decimals are asked for.
func (w *woo) dp(q url.Values) int {
	if n, err := strconv.Atoi(q.Get("dp")); err == nil && n >= 0 {
		return n
	}
	return w.decimals()
}

func (w *woo) serveOrders(path []string, r *http.Request) reply {
	q := r.URL.Query()
	fields := list(q.Get("_fields"))
	if r.Method != http.MethodGet {
		return noRoute()
	}
	if len(path) == 0 {
		return w.listOrders(q, fields)
	}
	if path[0] == "statuses" {
		return reply{body: php([]object{{{"slug", "pending"}, {"name", "Pending payment"}},
			{{"slug", "processing"}, {"name", "Processing"}}, {{"slug", "cancelled"}, {"name", "Cancelled"}},
			{{"slug", "refunded"}, {"name", "Refunded"}}})}
	}
	id, _ := strconv.ParseInt(path[0], 10, 64)
	o := w.orders[id]
	switch {
	case o == nil:
		return refuse(http.StatusNotFound, "woocommerce_rest_shop_order_invalid_id", "Invalid ID.")
	case len(path) == 1:
		return reply{body: php(w.order(o, w.dp(q)).only(fields))}
	case path[1] != "refunds":
		return noRoute()
	}
	p := pageOf(q)
	if p.denied.body != nil {
		return p.denied
	}
	all := slices.Clone(o.refunds)
	slices.Reverse(all)
	page, header := cut(p, all)
	out := []object{}
	for _, refund := range page {
		out = append(out, w.refund(o, refund, w.dp(q)).only(fields))
	}
	return reply{header: header, body: php(out)}
}

func (w *woo) listOrders(q url.Values, fields []string) reply {
	p := pageOf(q)
	if p.denied.body != nil {
		return p.denied
	}
	if w.most > 0 && p.size > w.most {
		return reply{status: http.StatusGatewayTimeout, header: http.Header{"Content-Type": {"text/html"}},
			body: []byte("<html><body><h1>504 Gateway Time-out</h1></body></html>")}
	}
	chosen, err := w.choose(q)
	if err != nil {
		return refuse(http.StatusBadRequest, "rest_invalid_param", err.Error())
	}
	page, header := cut(p, chosen)
	out := []object{}
	for _, o := range page {
		out = append(out, w.order(o, w.dp(q)).only(fields))
	}
	return reply{header: header, body: php(out)}
}

// wooFault is an error in WordPress's own words.
type wooFault string

func (f wooFault) Error() string { return string(f) }

// choose filters and sorts. Dates are exclusive and have whole seconds.
func (w *woo) choose(q url.Values) ([]*order, error) {
	keys := map[string]func(*order) int64{
		"id":       func(o *order) int64 { return o.id },
		"date":     func(o *order) int64 { return o.placed.Unix() },
		"modified": func(o *order) int64 { return o.updated.Unix() },
	}
	by := cmp.Or(q.Get("orderby"), "date")
	if keys[by] == nil {
		return nil, wooFault("Invalid parameter(s): orderby")
	}
	sortKey := keys[by]
	if w.Woo.Posts && by != "id" {
		sortKey = func(o *order) int64 { return w.wallClock(keys[by](o)) }
	}
	sorted := w.inOrder(by, sortKey)
	var is []func(*order) bool
	for name, of := range map[string]func(*order) int64{"modified_": keys["modified"], "": keys["date"]} {
		for _, end := range []string{"after", "before"} {
			text := q.Get(name + end)
			if text == "" {
				continue
			}
			at, err := w.moment(text, q.Get("dates_are_gmt") == "true")
			if err != nil {
				return nil, err
			}
			// What the list is sorted by is cut off at once.
			sortedBy := map[string]string{"modified_": "modified", "": "date"}[name]
			if sortedBy == by && !w.Woo.Posts {
				if end == "after" {
					sorted = sorted[sort.Search(len(sorted), func(i int) bool { return of(sorted[i]) > at }):]
				} else {
					sorted = sorted[:sort.Search(len(sorted), func(i int) bool { return of(sorted[i]) >= at })]
				}
				continue
			}
			after := end == "after"
			is = append(is, func(o *order) bool { return after == (of(o) > at) && of(o) != at })
		}
	}
	if include := list(q.Get("include")); len(include) > 0 {
		is = append(is, func(o *order) bool { return slices.Contains(include, formatID(o.id)) })
	}
	statuses := list(cmp.Or(q.Get("status"), "any"))
	is = append(is, func(o *order) bool {
		status := o.wooStatus()
		listed := slices.Contains(statuses, status) || status != "trash" && slices.Contains(statuses, "any")
		return listed && !o.unlisted
	})
	chosen := make([]*order, 0, len(sorted))
	for _, o := range sorted {
		if !slices.ContainsFunc(is, func(holds func(*order) bool) bool { return !holds(o) }) {
			chosen = append(chosen, o)
		}
	}
	if cmp.Or(q.Get("order"), "desc") == "desc" {
		slices.Reverse(chosen)
	}
	return chosen, nil
}

// wallClock is what clocks on the wall show, as seconds: they go back once a year.
func (w *woo) wallClock(at int64) int64 {
	_, offset := time.Unix(at, 0).In(w.zone).Zone()
	return at + int64(offset)
}

// moment reads a date as the store does: in its own time unless told otherwise. A trailing Z works too.
func (w *woo) moment(text string, inGMT bool) (int64, error) {
	zone := w.zone
	if plain, ok := strings.CutSuffix(text, "Z"); ok || inGMT {
		text, zone = plain, time.UTC
	}
	at, err := time.ParseInLocation(wooTime, text, zone)
	return at.Unix(), err
}

func (w *woo) serveWebhooks(path []string, r *http.Request) reply {
	if len(path) == 0 && r.Method == http.MethodGet {
		p := pageOf(r.URL.Query())
		if p.denied.body != nil {
			return p.denied
		}
		all := slices.Clone(w.webhooks)
		slices.Reverse(all)
		page, header := cut(p, all)
		out := []object{}
		for _, hook := range page {
			out = append(out, w.hook(hook))
		}
		return reply{header: header, body: php(out)}
	}
	var in struct{ Name, Topic, DeliveryURL, Secret, Status string }
	var sent map[string]any
	_ = json.NewDecoder(r.Body).Decode(&sent) // a GET has no body
	text := func(name string) string { s, _ := sent[name].(string); return s }
	in.Name, in.Topic, in.DeliveryURL, in.Secret, in.Status = text("name"), text("topic"), text("delivery_url"),
		text("secret"), text("status")
	if len(path) == 0 && r.Method == http.MethodPost {
		return w.makeWebhook(in.Name, in.Topic, in.DeliveryURL, in.Secret)
	}
	i := slices.IndexFunc(w.webhooks, func(h *webhook) bool { return len(path) > 0 && formatID(h.id) == path[0] })
	if i < 0 {
		return refuse(http.StatusNotFound, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
	}
	hook := w.webhooks[i]
	switch r.Method {
	case http.MethodPut:
		w.setWebhook(hook, in.Status, in.DeliveryURL)
	case http.MethodDelete:
		if r.URL.Query().Get("force") != "true" {
			return refuse(http.StatusNotImplemented, "woocommerce_rest_trash_not_supported",
				"Webhooks do not support trashing.")
		}
		w.webhooks = slices.Delete(w.webhooks, i, i+1)
	}
	return reply{body: php(w.hook(hook))}
}

// setWebhook does not reset the failures, as WooCommerce does not.
func (w *woo) setWebhook(hook *webhook, status, address string) {
	hook.updated = w.now()
	if status != "" {
		hook.status = status
	}
	if address != "" && address != hook.address {
		hook.address = address
		w.ping(hook)
	}
}

func (w *woo) makeWebhook(name, topic, address, secret string) reply {
	resource, event, _ := strings.Cut(topic, ".")
	switch {
	case !slices.Contains([]string{"order", "coupon", "customer", "product"}, resource) ||
		!slices.Contains([]string{"created", "updated", "deleted", "restored"}, event):
		return refuse(http.StatusBadRequest, "woocommerce_rest_shop_webhook_invalid_topic",
			"Webhook topic is required and must be valid.")
	case !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://"):
		return refuse(http.StatusBadRequest, "woocommerce_rest_shop_webhook_invalid_delivery_url",
			"Webhook delivery URL must be a valid URL starting with http:// or https://.")
	}
	hook := &webhook{id: w.nextID(), name: name, topic: topic, address: address, secret: secret, status: active,
		made: w.now()}
	w.webhooks = append(w.webhooks, hook)
	w.ping(hook)
	return reply{status: http.StatusCreated, body: php(w.hook(hook))}
}

func (w *woo) hook(h *webhook) object {
	resource, event, _ := strings.Cut(h.topic, ".")
	return object{
		{"id", h.id}, {"name", h.name}, {"status", h.status}, {"topic", h.topic}, {"resource", resource},
		{"event", event}, {"hooks", wooHooks[h.topic]}, {"delivery_url", h.address},
		{"date_created", w.local(h.made)}, {"date_created_gmt", gmt(h.made)},
		{"date_modified", w.local(h.updated)}, {"date_modified_gmt", gmt(h.updated)},
		{"_links", w.links("webhooks/"+formatID(h.id), "GET", "POST", "PUT", "PATCH", "DELETE")},
	}
}

var wooHooks = map[string][]string{
	"order.created":  {"woocommerce_new_order"},
	"order.updated":  {"woocommerce_update_order", "woocommerce_order_refunded"},
	"order.deleted":  {"wp_trash_post", "woocommerce_trash_order"},
	"order.restored": {"untrashed_post", "woocommerce_untrash_order"},
}
