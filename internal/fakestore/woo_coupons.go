package fakestore

import (
	"cmp"
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// What WooCommerce's coupons do here is that of the recordings and of its source:
// includes/rest-api/Controllers/Version2/class-wc-rest-coupons-v2-controller.php, includes/class-wc-coupon.php and
// includes/data-stores/class-wc-coupon-data-store-cpt.php.

const (
	mostOfBatch = 100
	markKey     = "_tributary_mark"
)

// wooType is the word for how a coupon is reckoned; fixed_product and those of plugins are kept in extra.
func (c *coupon) wooType() string {
	if kind, ok := c.extra["discount_type"].(string); ok {
		return kind
	}
	if c.discount.Kind == affiliate.DiscountPercent {
		return "percent"
	}
	return "fixed_cart"
}

func (c *coupon) wooStatus() string {
	switch c.status {
	case stopped:
		return "draft"
	case binned:
		return "trash"
	}
	return "publish"
}

func (w *woo) serveCoupons(path []string, r *http.Request) reply {
	var sent map[string]any
	_ = json.NewDecoder(r.Body).Decode(&sent) // a GET has no body
	q := r.URL.Query()
	fields := list(q.Get("_fields"))
	switch {
	case len(path) == 0 && r.Method == http.MethodPost:
		c, denied := w.createCoupon(sent)
		if denied.body != nil {
			return denied
		}
		return reply{status: http.StatusCreated, body: php(w.coupon(c).only(fields))}
	case len(path) == 0:
		return w.listCoupons(q, fields)
	case path[0] == "batch":
		return w.batchCoupons(sent)
	}
	c, denied := w.findCoupon(path[0], http.StatusNotFound)
	switch {
	case denied.body != nil:
		return denied
	case r.Method == http.MethodPut:
		if denied := w.setCoupon(c, sent); denied.body != nil {
			return denied
		}
	case r.Method == http.MethodDelete:
		w.deleteCoupon(c, q.Get("force") == "true")
	}
	return reply{body: php(w.coupon(c).only(fields))}
}

func (w *woo) findCoupon(id string, status int) (*coupon, reply) {
	for _, c := range w.coupons {
		if formatID(c.id) == id {
			return c, reply{}
		}
	}
	return nil, refuse(status, "woocommerce_rest_shop_coupon_invalid_id", "Invalid ID.")
}

func (w *woo) deleteCoupon(c *coupon, force bool) {
	if !force {
		c.status, c.updated = binned, w.now()
		return
	}
	w.coupons = slices.DeleteFunc(w.coupons, func(other *coupon) bool { return other == c })
}

// listCoupons shows published ones only: there is no parameter that asks for others.
func (w *woo) listCoupons(q url.Values, fields []string) reply {
	p := pageOf(q)
	if p.denied.body != nil {
		return p.denied
	}
	if w.most > 0 && p.size > w.most {
		return reply{status: http.StatusGatewayTimeout, header: http.Header{"Content-Type": {"text/html"}},
			body: []byte("<html><body><h1>504 Gateway Time-out</h1></body></html>")}
	}
	all := slices.DeleteFunc(slices.Clone(w.coupons), func(c *coupon) bool { return c.status != inUse })
	if code := q.Get("code"); code != "" {
		found := w.couponByCode(code)
		all = slices.DeleteFunc(all, func(c *coupon) bool { return c != found })
	}
	if ids := q.Get("include"); ids != "" {
		wanted := strings.Split(ids, ",")
		all = slices.DeleteFunc(all, func(c *coupon) bool {
			return !slices.Contains(wanted, strconv.FormatInt(c.id, 10))
		})
	}
	if text := q.Get("modified_after"); text != "" {
		after, err := w.moment(text, q.Get("dates_are_gmt") == "true")
		if err != nil {
			return refuse(http.StatusBadRequest, "rest_invalid_param", "Invalid parameter(s): modified_after")
		}
		all = slices.DeleteFunc(all, func(c *coupon) bool { return c.updated.Unix() <= after })
	}
	key := map[string]func(*coupon) int64{"id": func(c *coupon) int64 { return c.id },
		"date":     func(c *coupon) int64 { return w.wallClock(c.made.Unix()) },
		"modified": func(c *coupon) int64 { return w.wallClock(c.updated.Unix()) }}[cmp.Or(q.Get("orderby"), "date")]
	if key == nil {
		return refuse(http.StatusBadRequest, "rest_invalid_param", "Invalid parameter(s): orderby")
	}
	slices.SortFunc(all, func(a, b *coupon) int { return cmp.Or(cmp.Compare(key(a), key(b)), cmp.Compare(a.id, b.id)) })
	if cmp.Or(q.Get("order"), "desc") == "desc" {
		slices.Reverse(all)
	}
	page, header := cut(p, all)
	out := []object{}
	for _, c := range page {
		out = append(out, w.coupon(c).only(fields))
	}
	return reply{header: header, body: php(out)}
}

// batchCoupons makes, changes and deletes, in this order; what fails has its error in its place.
func (w *woo) batchCoupons(sent map[string]any) reply {
	creates, _ := sent["create"].([]any)
	updates, _ := sent["update"].([]any)
	deletes, _ := sent["delete"].([]any)
	if len(creates)+len(updates)+len(deletes) > mostOfBatch {
		return refuse(http.StatusRequestEntityTooLarge, "woocommerce_rest_request_entity_too_large",
			"Unable to accept more than 100 items for this request.")
	}
	out := object{}
	each := func(name string, all []any, do func(map[string]any, string) (*coupon, reply)) {
		done := []any{}
		for _, one := range all {
			fields, ok := one.(map[string]any)
			id := wooNumber(fields["id"])
			if !ok {
				id = wooNumber(one)
			}
			c, denied := do(fields, formatID(id))
			if denied.body != nil {
				done = append(done, object{{"id", id}, {"error", json.RawMessage(denied.body)}})
				continue
			}
			done = append(done, w.coupon(c))
		}
		if len(done) > 0 {
			out = append(out, member{name, done})
		}
	}
	each("create", creates, func(fields map[string]any, _ string) (*coupon, reply) { return w.createCoupon(fields) })
	each("update", updates, func(fields map[string]any, id string) (*coupon, reply) {
		c, denied := w.findCoupon(id, http.StatusBadRequest)
		if denied.body == nil {
			denied = w.setCoupon(c, fields)
		}
		return c, denied
	})
	each("delete", deletes, func(_ map[string]any, id string) (*coupon, reply) {
		c, denied := w.findCoupon(id, http.StatusNotFound)
		if denied.body == nil {
			w.deleteCoupon(c, true)
		}
		return c, denied
	})
	return reply{body: php(out)}
}

func (w *woo) createCoupon(fields map[string]any) (*coupon, reply) {
	if code, _ := fields["code"].(string); code == "" || code == "0" {
		return nil, refuse(http.StatusBadRequest, "woocommerce_rest_empty_coupon_code",
			"The coupon code cannot be empty.")
	}
	c := &coupon{made: w.now(), updated: w.now(), extra: map[string]any{},
		discount: affiliate.Discount{Kind: affiliate.DiscountFixed, Combines: true}}
	// A new one has its type by default only after its amount was set.
	if denied := w.setCoupon(c, fields); denied.body != nil {
		return nil, denied
	}
	c.id = w.nextID()
	w.coupons = append(w.coupons, c)
	return c, reply{}
}

// setCoupon keeps what was sent, in the order of the API's fields, and all or nothing. What is null is not sent.
// date_expires_gmt is ignored, as recorded. The time of the last change moves with code, description and status only.
func (w *woo) setCoupon(kept *coupon, fields map[string]any) reply {
	draft := *kept
	c := &draft
	c.extra = maps.Clone(c.extra)
	if c.extra == nil {
		c.extra = map[string]any{}
	}
	for _, name := range []string{"code", "amount", "status", "discount_type", "description", "date_expires",
		"individual_use", "product_ids", "usage_limit", "usage_limit_per_user", "product_categories",
		"minimum_amount", "meta_data", "excluded_product_ids", "limit_usage_to_x_items", "free_shipping",
		"excluded_product_categories", "exclude_sale_items", "maximum_amount", "email_restrictions"} {
		value := fields[name]
		if value == nil {
			continue
		}
		if denied := w.setCouponField(c, name, value); denied.body != nil {
			return denied
		}
	}
	if c.code != kept.code || c.title != kept.title || c.status != kept.status {
		c.updated = w.now()
	}
	*kept = *c
	return reply{}
}

func (w *woo) setCouponField(c *coupon, name string, value any) reply {
	text, d := wooText(value), &c.discount
	switch name {
	case "code":
		code := wooCode(strings.TrimSpace(text))
		if other := w.couponByCode(code); other != nil && other.id != c.id {
			return refuse(http.StatusBadRequest, "woocommerce_rest_coupon_code_already_exists",
				"The coupon code already exists")
		}
		c.code = code
	case "amount":
		hundredths, err := money.ParseScaled(cmp.Or(text, "0"), 2)
		if err != nil || hundredths < 0 || c.wooType() == "percent" && hundredths > 100_00 {
			return refuse(http.StatusBadRequest, "coupon_invalid_amount", "Invalid discount amount.")
		}
		d.Percent = hundredths
		d.Amount, _ = money.Parse(cmp.Or(text, "0"), w.Currency) // has the shape of a number
	case "status":
		c.status = map[string]couponStatus{"publish": inUse, "trash": binned}[text]
		if text != "publish" && text != "trash" {
			c.status = stopped
		}
	case "discount_type":
		return w.setCouponType(c, text)
	case "description":
		c.title = text
	case "date_expires":
		d.EndsAt = w.expiry(text, d.EndsAt)
	case "individual_use":
		d.Combines = value != true
	case "product_ids":
		d.Products = wooIDs(value)
	case "product_categories":
		d.Collections = wooIDs(value)
	case "usage_limit":
		d.UsageLimit = wooNumber(value)
	case "usage_limit_per_user":
		d.OncePerCustomer, c.extra[name] = wooNumber(value) == 1, wooNumber(value)
	case "minimum_amount":
		d.Minimum, _ = money.Parse(cmp.Or(text, "0"), w.Currency)
	case "meta_data":
		w.setCouponMeta(c, value)
	default:
		c.extra[name] = value
	}
	return reply{}
}

func (w *woo) setCouponType(c *coupon, kind string) reply {
	if !slices.Contains([]string{"percent", "fixed_cart", "fixed_product", "recurring_fee"}, kind) {
		return refuse(http.StatusBadRequest, "coupon_invalid_discount_type", "Invalid discount type.")
	}
	c.extra["discount_type"], c.discount.Kind = kind, affiliate.DiscountFixed
	if kind == "percent" {
		c.discount.Kind = affiliate.DiscountPercent
	}
	return reply{}
}

var offsetTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[-+]\d\d:\d\d)$`)

// expiry reads an end as set_date_prop of includes/abstracts/abstract-wc-data.php does: in the store's time unless it
// says otherwise. What it cannot read changes nothing.
func (w *woo) expiry(text string, former time.Time) time.Time {
	if text == "" {
		return time.Time{}
	}
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Unix(seconds, 0).UTC()
	}
	if offsetTime.MatchString(text) {
		if at, err := time.Parse(time.RFC3339, text); err == nil {
			return at.UTC()
		}
	}
	for _, layout := range []string{wooTime, "2006-01-02 15:04:05", time.DateOnly} {
		if at, err := time.ParseInLocation(layout, text, w.zone); err == nil {
			return at.UTC()
		}
	}
	return former
}

func (w *woo) setCouponMeta(c *coupon, value any) {
	rows, _ := c.extra["meta_data"].([]object)
	rows = slices.Clone(rows)
	sent, _ := value.([]any)
	for _, one := range sent {
		fields, _ := one.(map[string]any)
		key := wooText(fields["key"])
		if key == markKey {
			c.mark = wooText(fields["value"])
		}
		rows = slices.DeleteFunc(rows, func(row object) bool { return row[1].value == key })
		rows = append(rows, object{{"id", w.nextID()}, {"key", key}, {"value", fields["value"]}})
	}
	c.extra["meta_data"] = rows
}

// wooText, wooNumber and wooIDs read what PHP would take for a text, a count and a list of ids.
func wooText(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func wooNumber(v any) int64 {
	n, _ := strconv.ParseInt(wooText(v), 10, 64)
	return n
}

func wooIDs(v any) (ids []string) {
	all, _ := v.([]any)
	for _, one := range all {
		if id := wooNumber(one); id > 0 {
			ids = append(ids, formatID(id))
		}
	}
	return ids
}

// coupon is one as the API shows it. Amounts have two decimals whatever the currency.
func (w *woo) coupon(c *coupon) object {
	d := c.discount
	has := func(name string, or any) any {
		if v, ok := c.extra[name]; ok && v != nil {
			return v
		}
		return or
	}
	limit := func(n int64) any {
		if n == 0 {
			return nil
		}
		return n
	}
	ids := func(list []string) any {
		out := []int64{}
		for _, id := range list {
			n, _ := strconv.ParseInt(id, 10, 64)
			out = append(out, n)
		}
		return out
	}
	amount := w.amount(d.Amount, 2)
	if d.Kind == affiliate.DiscountPercent {
		amount = money.FormatScaled(d.Percent, 2)
	}
	perUser, _ := c.extra["usage_limit_per_user"].(int64)
	if perUser < 2 {
		perUser = 0
		if d.OncePerCustomer {
			perUser = 1
		}
	}
	usedBy := []string{}
	for _, o := range w.orders {
		for _, used := range o.Codes {
			if o.status != canceled && affiliate.FoldCode(used) == affiliate.FoldCode(c.code) {
				usedBy = append(usedBy, o.Email)
			}
		}
	}
	return object{
		{"id", c.id}, {"code", wooCode(html.UnescapeString(c.code))}, {"amount", amount},
		{"status", c.wooStatus()}, {"date_created", w.local(c.made)}, {"date_created_gmt", gmt(c.made)},
		{"date_modified", w.local(c.updated)}, {"date_modified_gmt", gmt(c.updated)},
		{"discount_type", c.wooType()}, {"description", c.title},
		{"date_expires", w.local(d.EndsAt)}, {"date_expires_gmt", gmt(d.EndsAt)},
		{"usage_count", w.uses(c.code)}, {"individual_use", !d.Combines},
		{"product_ids", ids(d.Products)}, {"excluded_product_ids", has("excluded_product_ids", []int{})},
		{"usage_limit", limit(d.UsageLimit)}, {"usage_limit_per_user", limit(perUser)},
		{"limit_usage_to_x_items", has("limit_usage_to_x_items", nil)}, {"free_shipping", has("free_shipping", false)},
		{"product_categories", ids(d.Collections)},
		{"excluded_product_categories", has("excluded_product_categories", []int{})},
		{"exclude_sale_items", has("exclude_sale_items", false)}, {"minimum_amount", w.amount(d.Minimum, 2)},
		{"maximum_amount", has("maximum_amount", "0.00")}, {"email_restrictions", has("email_restrictions", []int{})},
		{"used_by", usedBy}, {"meta_data", has("meta_data", []int{})},
		{"_links", w.links("coupons/"+formatID(c.id), "GET", "POST", "PUT", "PATCH", "DELETE")},
	}
}
