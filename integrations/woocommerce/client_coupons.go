package woocommerce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/integrations/storeapi"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Facts about coupons that no recording shows are from WooCommerce's source:
// includes/rest-api/Controllers/Version2/class-wc-rest-coupons-v2-controller.php, includes/class-wc-coupon.php,
// includes/data-stores/class-wc-coupon-data-store-cpt.php and includes/abstracts/abstract-wc-data.php.

const (
	couponsRoute  = "/wc/v3/coupons"
	currencyRoute = "/wc/v3/data/currencies/current"
	couponsMenu   = "Marketing > Coupons"

	// couponsAtOnce is half of what WooCommerce takes in one request: a change may need two entries, and slow hosts end
	// a request after 30 seconds.
	couponsAtOnce = 50

	unknownCoupon = "woocommerce_rest_shop_coupon_invalid_id"
	couponExists  = "woocommerce_rest_coupon_code_already_exists"
)

// CouponsAtOnce is how many codes are looked for, made or changed in one call.
func (*Client) CouponsAtOnce() int { return couponsAtOnce }

// couponProgress is where the reading of coupons has come to.
//
// Pages are asked for by position, in the order of ids, and each begins with the last row of the one before: where
// another stands there, coupons before it are gone and those behind have moved up, so it goes back.
type couponProgress struct {
	After int64 `json:"after"` // the highest id that was given
	At    int   `json:"at"`    // the position where it stood
}

// Coupons gives the store's coupons page by page, in the order of their ids, or those that changed at a time or later.
// The store lists published ones only: what is a draft or in the trash is not among them. It moves the time of the last
// change with what is done in the admin and with code, description and status, but not where a program changes only
// the discount or the end: those are found by reading all. One that changes while pages are read may be in the next
// reading only, so that one must ask again since before this one began.
func (c *Client) Coupons(ctx context.Context, since time.Time, cursor string) (affiliate.CouponPage, error) {
	var at couponProgress
	if cursor != "" {
		if err := json.Unmarshal([]byte(cursor), &at); err != nil || at.After < 0 || at.At < 0 {
			return affiliate.CouponPage{}, affiliate.FieldErrorf("cursor", "is not one of WooCommerce's coupons")
		}
	}
	since = since.Truncate(time.Second) // as stamps are
	query := url.Values{"orderby": {"id"}, "order": {"asc"}, "_fields": {couponFields}}
	if !since.IsZero() {
		query = with(query, "dates_are_gmt", "true",
			"modified_after", since.Add(-time.Second).UTC().Format(gmtLayout)) // exclusive; old stores ignore it
	}
	for {
		size := max(c.size.Now(), 2)
		rows, err := c.listCoupons(ctx, question{shrinks: true, query: with(query, "offset", strconv.Itoa(at.At),
			"per_page", strconv.Itoa(size))})
		switch {
		case storeapi.TooMuch(err) && size > 2:
			c.size.TooBig()
			continue
		case err != nil:
			return affiliate.CouponPage{}, err
		case at.At > 0 && (len(rows) == 0 || rows[0].ID > at.After):
			at.At = max(0, at.At-size+1)
			continue
		case !slices.IsSortedFunc(rows, func(a, b couponRow) int { return int(a.ID - b.ID) }):
			return affiliate.CouponPage{}, c.odd("does not list its coupons in the order of their ids")
		}
		var page affiliate.CouponPage
		for _, row := range rows {
			coupon := row.read(c.knows().currency)
			if row.ID > at.After && !coupon.ChangedAt.Before(since) {
				page.Coupons = append(page.Coupons, coupon)
			}
		}
		if len(rows) < size {
			return page, nil
		}
		at = couponProgress{After: max(at.After, rows[len(rows)-1].ID), At: at.At + len(rows) - 1}
		if len(page.Coupons) > 0 {
			text, err := json.Marshal(at)
			page.Next = string(text)
			return page, err
		}
	}
}

// CouponsByCode looks for codes, one by one, since the store has no look-up for many. It finds published coupons only,
// the newest of those with the same code. Its database may take ä for a: such a coupon is not the one looked for.
func (c *Client) CouponsByCode(ctx context.Context, codes []string) ([]affiliate.Coupon, error) {
	var found []affiliate.Coupon
	for _, code := range codes {
		rows, err := c.listCoupons(ctx, question{query: url.Values{"code": {code}, "_fields": {couponFields}}})
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			coupon := row.read(c.knows().currency)
			if affiliate.FoldCode(coupon.Code) == affiliate.FoldCode(code) {
				found = append(found, coupon)
			}
		}
	}
	return found, nil
}

// listCoupons asks for a page of coupons, once the currency of their amounts is known.
func (c *Client) listCoupons(ctx context.Context, q question) (rows []couponRow, err error) {
	if _, err := c.currency(ctx); err != nil {
		return nil, err
	}
	q.route = couponsRoute
	answer, err := c.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	if q.shrinks {
		c.size.Well(answer.Took)
	}
	return rows, answer.JSON(&rows)
}

// currency is the store's, which amounts of coupons do not name. It is asked for once.
func (c *Client) currency(ctx context.Context) (money.Currency, error) {
	if known := c.knows().currency; known != "" {
		return known, nil
	}
	code, err := c.currencyCode(ctx)
	if err != nil {
		return "", err
	}
	currency, err := money.OrderCurrency(code, 2)
	if err != nil {
		return "", c.odd("has a currency that is none: " + err.Error())
	}
	c.learn(func(l *learned) { l.currency = currency }, false)
	return currency, nil
}

func (c *Client) currencyCode(ctx context.Context) (string, error) {
	answer, err := c.ask(ctx, question{route: currencyRoute})
	if err != nil {
		return "", err
	}
	var currency struct {
		Code string `json:"code"`
	}
	return currency.Code, answer.JSON(&currency)
}

// MakeCoupons makes coupons in one request, which is never sent again by itself.
func (c *Client) MakeCoupons(ctx context.Context, list []affiliate.NewCoupon) ([]affiliate.CouponOutcome, error) {
	b, err := c.batch(ctx, len(list))
	if err != nil {
		return nil, err
	}
	for i, n := range list {
		fields, err := b.discount(n.Code, n.Discount)
		switch {
		case strings.ContainsAny(n.Code, `<>\`):
			err = c.refusedCoupon(n.Code, `WooCommerce takes <, > and \ out of codes. Choose one without them.`)
		case err == nil:
			fields["code"], fields["description"] = n.Code, n.Title
			fields["meta_data"] = []map[string]string{{"key": markKey, "value": n.Mark}}
		}
		b.add(i, n.Code, fields, err)
	}
	err = b.send(ctx, "create")
	for i := range b.outcomes {
		o := &b.outcomes[i]
		if o.Err == nil && affiliate.FoldCode(o.Coupon.Code) != affiliate.FoldCode(list[i].Code) {
			o.Err = c.refusedCoupon(list[i].Code, fmt.Sprintf("It was made as %q. Delete that one (%s), and choose a "+
				"code without unusual signs.", affiliate.Clip(o.Coupon.Code, 100), couponsMenu))
		}
	}
	return b.outcomes, err
}

// ChangeCoupons changes coupons in one request. It is sent again after a failure that may pass: the second time changes
// nothing more. They are looked at first: one that has another code by now is not the one that is meant.
func (c *Client) ChangeCoupons(ctx context.Context, list []affiliate.CouponChange) ([]affiliate.CouponOutcome, error) {
	b, err := c.batch(ctx, len(list))
	if err != nil {
		return nil, err
	}
	list = slices.Clone(list)
	codes, err := c.codesNow(ctx, list)
	if err != nil {
		return nil, err
	}
	for i, change := range list {
		id, err := strconv.ParseInt(change.Coupon.ID, 10, 64)
		if now, ok := codes[id]; err != nil || ok && affiliate.FoldCode(now) != affiliate.FoldCode(change.Coupon.Code) {
			b.add(i, change.Coupon.Code, nil, c.goneCoupon(change.Coupon.Code))
			continue
		}
		fields, err := b.change(&list[i])
		if err == nil && fields["discount_type"] == typeFixed &&
			change.Coupon.Discount.Kind != affiliate.DiscountFixed {
			// The amount is checked by the type that the coupon still has, and a percentage must not be above 100.
			b.add(i, change.Coupon.Code, map[string]any{"id": id, "discount_type": typeFixed}, nil)
		}
		if err == nil {
			fields["id"] = id
		}
		b.add(i, change.Coupon.Code, fields, err)
	}
	err = b.send(ctx, "update")
	for i := range b.outcomes {
		o, change := &b.outcomes[i], list[i]
		switch ends := o.Coupon.Discount.EndsAt; {
		case o.Err != nil && o.Coupon.ID == "":
			o.Coupon = change.Coupon
		case o.Err == nil && o.Coupon.ID != change.Coupon.ID:
			// WooCommerce looks for a code where there is no such id (constructor of WC_Coupon).
			*o = affiliate.CouponOutcome{Coupon: change.Coupon, Err: c.goneCoupon(change.Coupon.Code)}
		case o.Err == nil && change.Step == affiliate.CouponStop && (ends.IsZero() || ends.After(change.Until)):
			o.Err = c.refusedCoupon(change.Coupon.Code, "The end that it was given did not stay: a plugin may set "+
				"another. Set its Coupon expiry date by hand ("+couponsMenu+").")
		}
	}
	return b.outcomes, err
}

// codesNow gives which codes coupons have, by their ids. Those that are no longer published are not among them.
func (c *Client) codesNow(ctx context.Context, list []affiliate.CouponChange) (map[int64]string, error) {
	var ids []string
	for _, change := range list {
		if _, err := strconv.ParseInt(change.Coupon.ID, 10, 64); err == nil {
			ids = append(ids, change.Coupon.ID)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := c.listCoupons(ctx, question{query: url.Values{"include": {strings.Join(ids, ",")},
		"per_page": {strconv.Itoa(len(ids))}, "_fields": {couponFields}}})
	codes := make(map[int64]string, len(rows))
	for _, row := range rows {
		codes[row.ID] = row.read(c.knows().currency).Code
	}
	return codes, err
}

// couponBatch is a request about many coupons that is put together.
type couponBatch struct {
	*Client
	currency money.Currency
	now      time.Time // by the store's clock, whole seconds
	entries  []map[string]any
	of       []int // which coupon each entry is of
	codes    []string
	outcomes []affiliate.CouponOutcome
}

func (c *Client) batch(ctx context.Context, n int) (*couponBatch, error) {
	currency, err := c.currency(ctx) // which tells, too, where the API is: a POST must not be tried at two places
	return &couponBatch{Client: c, currency: currency, outcomes: make([]affiliate.CouponOutcome, n),
		codes: make([]string, n), now: c.now().Add(c.knows().clockOff).UTC().Truncate(time.Second)}, err
}

// add puts one entry of the i-th coupon into the request, or keeps why it is not sent.
func (b *couponBatch) add(i int, code string, fields map[string]any, err error) {
	b.codes[i] = code
	if err != nil {
		b.outcomes[i].Err = err
		return
	}
	b.entries, b.of = append(b.entries, fields), append(b.of, i)
}

// send sends what there is to send, as "create" or "update", and notes the outcomes. What is refused in an earlier
// entry of a coupon stays refused.
func (b *couponBatch) send(ctx context.Context, verb string) error {
	if len(b.entries) == 0 {
		return nil
	}
	answer, err := b.ask(ctx, question{method: http.MethodPost, route: couponsRoute + "/batch",
		again: verb == "update", body: map[string]any{verb: b.entries}})
	if err != nil {
		return err
	}
	var rows map[string][]struct {
		couponRow
		Error *refusal `json:"error"`
	}
	if err := answer.JSON(&rows); err != nil {
		return err
	}
	if len(rows[verb]) != len(b.entries) {
		return b.odd(fmt.Sprintf("answers about %d coupons where it was sent %d", len(rows[verb]), len(b.entries)))
	}
	for n, row := range rows[verb] {
		o := &b.outcomes[b.of[n]]
		switch code := b.codes[b.of[n]]; {
		case o.Err != nil:
		case row.Error == nil:
			o.Coupon = row.read(b.currency)
		case row.Error.Code == couponExists:
			o.Err = b.takenCoupon(code)
		case row.Error.Code == unknownCoupon:
			o.Err = b.goneCoupon(code)
		default:
			o.Err = b.refusedCoupon(code, fmt.Sprintf("The store says: %s (%s). Correct what it gives, or do it by "+
				"hand (%s).", strings.TrimRight(b.caller.Quote(row.Error.Message), "."),
				b.caller.Quote(row.Error.Code), couponsMenu))
		}
	}
	return nil
}

func (c *Client) takenCoupon(code string) error {
	return &affiliate.Error{Kind: affiliate.Conflict, Code: affiliate.CouponTaken, Message: fmt.Sprintf(
		"%s has a coupon %q already. Choose another code, or delete that one (%s).", c.host(), code, couponsMenu)}
}

func (c *Client) goneCoupon(code string) error {
	return &affiliate.Error{Kind: affiliate.NotFound, Code: affiliate.CouponGone, Message: fmt.Sprintf(
		"%s has the coupon %q no more: it was deleted there. Make a new code.", c.host(), code)}
}

// refusedCoupon says why a coupon is not as it was asked for; why is one sentence or more, with its remedy.
func (c *Client) refusedCoupon(code, why string) error {
	return &affiliate.Error{Kind: affiliate.Invalid, Code: affiliate.CouponRefused, Message: fmt.Sprintf(
		"%s does not take the coupon %q as it is. %s", c.host(), affiliate.Clip(code, 100), why)}
}

// odd is the error of a store that answers what WooCommerce does not.
func (c *Client) odd(what string) error {
	return &affiliate.Error{Kind: affiliate.Invalid, Code: affiliate.StoreAnswer, Message: c.host() + " " + what +
		". Look whether a plugin or a cache changes what its API answers, and update WooCommerce."}
}
