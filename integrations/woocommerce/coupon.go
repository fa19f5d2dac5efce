package woocommerce

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Kinds of discounts (wc_get_coupon_types); plugins have others.
const (
	typePercent = "percent"
	typeFixed   = "fixed_cart"
	typeProduct = "fixed_product"
)

// markKey is that of the meta_data row that our mark stands in.
const markKey = "_tributary_mark"

// couponFields are those of couponRow, so that the store leaves out the others, above all used_by: who used a coupon.
const couponFields = "id,code,amount,status,date_created_gmt,date_modified_gmt,discount_type,description," +
	"date_expires_gmt,usage_count,individual_use,product_ids,excluded_product_ids,usage_limit,usage_limit_per_user," +
	"limit_usage_to_x_items,free_shipping,product_categories,excluded_product_categories,exclude_sale_items," +
	"minimum_amount,maximum_amount,email_restrictions,meta_data"

// couponRow is a coupon as the API shows it. Amounts have two decimals, whatever the currency.
type couponRow struct {
	ID                 int64           `json:"id"`
	Code               string          `json:"code"` // in lower case and HTML-escaped
	Amount             json.RawMessage `json:"amount"`
	Status             string          `json:"status"`
	Created            json.RawMessage `json:"date_created_gmt"`
	Modified           json.RawMessage `json:"date_modified_gmt"`
	Type               string          `json:"discount_type"`
	Description        string          `json:"description"`
	Expires            json.RawMessage `json:"date_expires_gmt"`
	Uses               json.RawMessage `json:"usage_count"`
	Alone              json.RawMessage `json:"individual_use"`
	Products           many            `json:"product_ids"`
	NotProducts        many            `json:"excluded_product_ids"`
	Limit              json.RawMessage `json:"usage_limit"`
	LimitOfUser        json.RawMessage `json:"usage_limit_per_user"`
	LimitOfItems       json.RawMessage `json:"limit_usage_to_x_items"`
	FreeShipping       json.RawMessage `json:"free_shipping"`
	Categories         many            `json:"product_categories"`
	NotCategories      many            `json:"excluded_product_categories"`
	NotOnSale          json.RawMessage `json:"exclude_sale_items"`
	Minimum            json.RawMessage `json:"minimum_amount"`
	Maximum            json.RawMessage `json:"maximum_amount"`
	AddressesOfAllowed many            `json:"email_restrictions"` // only whether there are any is read
	Meta               many            `json:"meta_data"`
}

// many is a list. PHP writes an object where numbers are missing in the list's own.
type many []json.RawMessage

func (m *many) UnmarshalJSON(text []byte) error {
	if text = bytes.TrimSpace(text); len(text) == 0 || text[0] != '{' {
		return json.Unmarshal(text, (*[]json.RawMessage)(m))
	}
	walker := jsonwalk.New(text)
	for range walker.Members {
		*m = append(*m, json.RawMessage(walker.Value()))
	}
	return walker.Err()
}

// ids gives the ids of a list in ascending order; nil where it is empty.
func (m many) ids() (ids []string) {
	var numbers []int64
	for _, one := range m {
		if n := count(one); n > 0 {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	for _, n := range slices.Compact(numbers) {
		ids = append(ids, strconv.FormatInt(n, 10))
	}
	return ids
}

// count reads a whole number; 0 where there is none.
func count(v json.RawMessage) int64 {
	n, err := strconv.ParseInt(text(jsonwalk.Value(v)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

func isTrue(v json.RawMessage) bool { return string(v) == "true" }

// meta gives the value of a row of meta_data; nil where there is none.
func (row couponRow) meta(key string) json.RawMessage {
	for _, one := range row.Meta {
		var m struct {
			Key   string          `json:"key"`
			Value json.RawMessage `json:"value"`
		}
		if json.Unmarshal(one, &m) == nil && m.Key == key {
			return m.Value
		}
	}
	return nil
}

// read makes a coupon of a row. What Discount cannot say stands in Other.
func (row couponRow) read(currency money.Currency) affiliate.Coupon {
	d := affiliate.Discount{OncePerCustomer: count(row.LimitOfUser) == 1, UsageLimit: max(0, count(row.Limit)),
		EndsAt: stamp(jsonwalk.Value(row.Expires)), Combines: !isTrue(row.Alone), Products: row.Products.ids(),
		Collections: row.Categories.ids()}
	var other []string
	amount, err := money.Parse(text(jsonwalk.Value(row.Amount)), currency)
	free := isTrue(row.FreeShipping)
	switch {
	case err != nil:
		other = append(other, "an amount that is no number")
	case row.Type == typePercent:
		d.Kind = affiliate.DiscountPercent
		d.Percent, _ = money.ParseScaled(text(jsonwalk.Value(row.Amount)), 2) // it was read as an amount
	case row.Type == typeFixed && !(free && amount == 0):
		d.Kind, d.Amount = affiliate.DiscountFixed, amount
	case row.Type == typeProduct:
		other = append(other, "an amount off each product")
	case row.Type != typeFixed:
		other = append(other, fmt.Sprintf("discount type %q", affiliate.Clip(row.Type, 40)))
	}
	if least, err := money.Parse(text(jsonwalk.Value(row.Minimum)), currency); err == nil {
		d.Minimum = max(0, least)
	}
	if d.Amount != 0 || d.Minimum != 0 {
		d.Currency = currency
	}
	coupon := affiliate.Coupon{ID: strconv.FormatInt(row.ID, 10), Code: html.UnescapeString(row.Code), Discount: d,
		Other: strings.Join(append(other, row.limits(currency)...), ", "),
		Mark:  text(jsonwalk.Value(row.meta(markKey))), Title: row.Description, Uses: count(row.Uses),
		// Old stores show no status, and list published ones only.
		Stopped: row.Status != "publish" && row.Status != "",
		MadeAt:  stamp(jsonwalk.Value(row.Created)), ChangedAt: stamp(jsonwalk.Value(row.Modified))}
	return coupon
}

// limits says what Discount has no field for.
func (row couponRow) limits(currency money.Currency) (other []string) {
	most, err := money.Parse(text(jsonwalk.Value(row.Maximum)), currency)
	for _, c := range []struct {
		is   bool
		says string
	}{
		{isTrue(row.FreeShipping), "free shipping"},
		{count(row.LimitOfUser) > 1, fmt.Sprintf("%d uses by each customer", count(row.LimitOfUser))},
		{count(row.LimitOfItems) > 0, fmt.Sprintf("for %d items only", count(row.LimitOfItems))},
		{err == nil && most > 0, "up to a maximum spend only"},
		{len(row.NotProducts) > 0, "not for some products"},
		{len(row.NotCategories) > 0, "not for some product categories"},
		{isTrue(row.NotOnSale), "not for items on sale"},
		{len(row.AddressesOfAllowed) > 0, "for some e-mail addresses only"},
		// of WooCommerce's own brands, which have no fields of their own
		{len(row.meta("product_brands")) > 2 || len(row.meta("exclude_product_brands")) > 2, "for some brands only"},
	} {
		if c.is {
			other = append(other, c.says)
		}
	}
	return other
}

// change makes the fields of a change. A CouponStop without a time gets the store's now, less a second since a coupon
// is taken in the second of its end still.
func (b *couponBatch) change(change *affiliate.CouponChange) (map[string]any, error) {
	switch change.Step {
	case affiliate.CouponStop:
		if change.Until.IsZero() {
			change.Until = b.now.Add(-time.Second)
		}
		return map[string]any{"date_expires": expires(change.Until)}, nil
	case affiliate.CouponStart:
		fields := map[string]any{"date_expires": expires(change.Discount.EndsAt), "status": "publish"}
		if change.Coupon.Code != "" {
			// The store looks whether another coupon has it by now, as can be where this one is a draft.
			fields["code"] = change.Coupon.Code
		}
		return fields, nil
	}
	if change.Coupon.Other != "" {
		return nil, b.refusedCoupon(change.Coupon.Code, fmt.Sprintf("It has what a discount here cannot say (%s), so "+
			"it is left as it is. Change it by hand (%s), or make a new code.", change.Coupon.Other, couponsMenu))
	}
	return b.discount(change.Coupon.Code, change.Discount)
}

// expires writes an end in UTC, or clears it. WooCommerce takes a time without an offset for the site's own, and one
// with an offset as it is, so that the site's time zone need not be known (set_date_prop). It ignores date_expires_gmt.
func expires(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(gmtLayout) + "Z"
}

// discount makes the fields of what a coupon gives, also those that are empty: null would leave what was there.
func (b *couponBatch) discount(code string, d affiliate.Discount) (map[string]any, error) {
	fields := map[string]any{"individual_use": !d.Combines, "usage_limit": d.UsageLimit, "usage_limit_per_user": 0,
		"minimum_amount": "", "date_expires": expires(d.EndsAt)}
	if d.OncePerCustomer {
		fields["usage_limit_per_user"] = 1
	}
	if d.Minimum > 0 {
		fields["minimum_amount"] = money.Format(d.Minimum, d.Currency)
	}
	switch d.Kind {
	case affiliate.DiscountPercent:
		fields["discount_type"], fields["amount"] = typePercent, shortest(d.Percent, 2)
	case affiliate.DiscountFixed:
		fields["discount_type"], fields["amount"] = typeFixed, money.Format(d.Amount, d.Currency)
	}
	var err error
	for name, list := range map[string][]string{"product_ids": d.Products, "product_categories": d.Collections} {
		ids := make([]int64, len(list))
		for i := range list {
			if ids[i], err = strconv.ParseInt(list[i], 10, 64); err != nil {
				return nil, b.refusedCoupon(code, fmt.Sprintf("%q is no id of a product or product category. Choose "+
					"what the discount is for anew.", affiliate.Clip(list[i], 40)))
			}
		}
		fields[name] = ids
	}
	if why := b.unfit(d); why != "" {
		return nil, b.refusedCoupon(code, why)
	}
	return fields, nil
}

// unfit says why a discount cannot be had in this store, with the remedy; empty where it can.
func (b *couponBatch) unfit(d affiliate.Discount) string {
	unit := int64(1)
	for range d.Currency.Digits() - 2 {
		unit *= 10
	}
	switch amounts := d.Amount != 0 || d.Minimum != 0; {
	case d.Kind != affiliate.DiscountPercent && d.Kind != affiliate.DiscountFixed:
		return "Nothing says what it gives. Choose a discount."
	case d.StartsAt.After(b.now):
		return "WooCommerce's coupons have no beginning: it would work at once. Let it be made at that time instead."
	case amounts && d.Currency.Code() != b.currency.Code():
		return fmt.Sprintf("Its amounts are in %s, and the store's are in %s. Choose a percentage, or an amount in %s.",
			d.Currency, b.currency, b.currency)
	case amounts && (d.Amount%unit != 0 || d.Minimum%unit != 0):
		return fmt.Sprintf("WooCommerce's API shows amounts of coupons with two decimals only, %s has %d. Choose an "+
			"amount that ends in 0.", d.Currency, d.Currency.Digits())
	}
	return ""
}

// shortest writes a count of 10^-digits without zeros at its end: "12.5", "10".
func shortest(n int64, digits int) string {
	s := money.FormatScaled(n, digits)
	if digits == 0 {
		return s
	}
	return strings.TrimRight(strings.TrimRight(s, "0"), ".")
}
