package woocommerce

import (
	"cmp"
	"context"
	"errors"
	"html"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Facts asks WordPress for the site's name and time zone, WooCommerce for its currency, and tries what the keys may do.
func (c *Client) Facts(ctx context.Context) (affiliate.StoreFacts, error) {
	facts := affiliate.StoreFacts{}
	if err := c.site(ctx, &facts); err != nil {
		return affiliate.StoreFacts{}, err
	}
	if err := c.permissions(ctx, &facts); err != nil {
		return affiliate.StoreFacts{}, err
	}
	if slices.Contains(facts.Missing, mayRead) {
		return facts, nil
	}
	code, err := c.currencyCode(ctx)
	if err != nil {
		return affiliate.StoreFacts{}, err
	}
	facts.Currency, err = money.ParseCurrency(code)
	if err != nil {
		facts.Warnings = append(facts.Warnings, "The store's currency, "+affiliate.Clip(code, 10)+
			", is none of ISO 4217. Correct it in WooCommerce > Settings > General, or choose it here.")
	}
	return facts, nil
}

// site reads what WordPress tells everybody. Security plugins may hide it; then the owner has to say it.
func (c *Client) site(ctx context.Context, facts *affiliate.StoreFacts) error {
	facts.Domain, _ = guide.StoreDomain(c.keys.Address) // it was tidied before
	answer, err := c.ask(ctx, question{route: "/", open: true,
		query:  url.Values{"_fields": {"name,home,gmt_offset,timezone_string,namespaces"}},
		accept: []int{http.StatusForbidden, http.StatusUnauthorized}})
	if err != nil {
		return err
	}
	if answer.Status == http.StatusUnauthorized && refusalOf(answer).Code == "" {
		return c.caller.Refusal(answer) // WordPress did not say this
	}
	var index struct {
		Name, Home string
		Offset     any      `json:"gmt_offset"` // a number or a text
		Timezone   string   `json:"timezone_string"`
		Namespaces []string `json:"namespaces"`
	}
	if answer.Status != http.StatusOK {
		facts.Name = facts.Domain
		facts.Warnings = append(facts.Warnings, "WordPress does not show its time zone to us: a security plugin hides "+
			"the index of its REST API. Check the store's time zone here.")
		return nil
	}
	if err := answer.JSON(&index); err != nil {
		return err
	}
	if !slices.Contains(index.Namespaces, "wc/v3") {
		return &affiliate.Error{Kind: affiliate.Invalid, Code: affiliate.StoreNoAPI, Message: "WordPress answers at " +
			c.host() + ", but WooCommerce is not active there, or older than 3.5. Check the address, also the folder " +
			"that the shop is in, and update WooCommerce."}
	}
	facts.Name = cmp.Or(affiliate.Clip(affiliate.Clean(html.UnescapeString(index.Name)), 80), facts.Domain)
	if home, err := guide.StoreDomain(index.Home); err == nil {
		facts.Domain = home
	}
	facts.Timezone = timezone(index.Timezone, index.Offset)
	if facts.Timezone == "" {
		facts.Warnings = append(facts.Warnings, "WordPress names no time zone that is known here. Choose a city in "+
			"Settings > General > Timezone of WordPress, and check the store's time zone here.")
	}
	return nil
}

// timezone gives an IANA name. WordPress has one, or an offset in hours that somebody chose by hand ("UTC+2"), for
// which there are names where it is whole.
func timezone(name string, offset any) string {
	if _, err := time.LoadLocation(name); err == nil && name != "" && name != "Local" {
		return name
	}
	hours, ok := offset.(float64)
	if text, isText := offset.(string); isText {
		parsed, err := strconv.ParseFloat(text, 64)
		hours, ok = parsed, err == nil
	}
	switch {
	case !ok:
		return ""
	case hours == 0:
		return "UTC"
	case hours != math.Trunc(hours) || hours < -12 || hours > 14:
		return fractional[hours]
	case hours < 0:
		return "Etc/GMT+" + strconv.Itoa(int(-hours)) // the signs of these names are the other way round
	}
	return "Etc/GMT-" + strconv.Itoa(int(hours))
}

// fractional are zones without summer time whose offset is not whole.
var fractional = map[float64]string{3.5: "Asia/Tehran", 4.5: "Asia/Kabul", 5.5: "Asia/Kolkata", 5.75: "Asia/Kathmandu",
	6.5: "Asia/Yangon", 8.75: "Australia/Eucla", 9.5: "Australia/Darwin", -9.5: "Pacific/Marquesas"}

// Permissions of keys, as the store's admin calls them.
const (
	mayRead  = "Read"
	mayWrite = "Write"
)

// permissions tries what the keys may do: read an order, and make a webhook of a topic that there is not. Keys that may
// do neither are refused.
func (c *Client) permissions(ctx context.Context, facts *affiliate.StoreFacts) error {
	readErr := c.tryTo(ctx, question{route: ordersRoute, query: url.Values{"per_page": {"1"}, "_fields": {"id"}}})
	writeErr := c.tryTo(ctx, question{method: http.MethodPost, route: webhooksRoute,
		body:   map[string]string{"topic": "order.none", "delivery_url": c.keys.Address},
		accept: []int{http.StatusBadRequest}})
	switch {
	case readErr != nil && !mayNot(readErr):
		return readErr
	case writeErr != nil && !mayNot(writeErr):
		return writeErr
	case readErr != nil && writeErr != nil:
		return readErr
	case readErr != nil:
		facts.Missing = append(facts.Missing, mayRead)
	case writeErr != nil:
		facts.Missing = append(facts.Missing, mayWrite)
	}
	return nil
}

func (c *Client) tryTo(ctx context.Context, q question) error {
	_, err := c.ask(ctx, q)
	return err
}

func mayNot(err error) bool {
	var e *affiliate.Error
	return errors.As(err, &e) && (e.Code == affiliate.StoreKeysRefused || e.Code == affiliate.StoreForbidden)
}
