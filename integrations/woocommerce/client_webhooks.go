package woocommerce

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

const (
	webhooksRoute = "/wc/v3/webhooks"

	// unknownWebhook is how the store says that it has no such webhook.
	unknownWebhook = "woocommerce_rest_shop_webhook_invalid_id"
)

// webhook is one as the API shows it: neither its secret nor how often it failed.
type webhook struct {
	ID      int64  `json:"id"`
	Status  string `json:"status"` // active, paused, disabled
	Topic   string `json:"topic"`
	Address string `json:"delivery_url"`
}

func (w webhook) shown() affiliate.StoreWebhook {
	out := affiliate.StoreWebhook{ID: strconv.FormatInt(w.ID, 10), Topic: w.Topic, Address: w.Address}
	switch w.Status {
	case "active":
	case "disabled":
		out.Broken = "WooCommerce has switched it off because several deliveries in a row failed"
	case "paused":
		out.Broken = "it is paused in the store"
	default:
		out.Broken = "it is " + affiliate.Clip(w.Status, 40)
	}
	return out
}

// Webhooks lists all webhooks of the store, also those of others and those made in its admin.
func (c *Client) Webhooks(ctx context.Context) ([]affiliate.StoreWebhook, error) {
	list := []affiliate.StoreWebhook{}
	for page := 1; ; page++ {
		answer, err := c.ask(ctx, question{route: webhooksRoute, query: url.Values{"orderby": {"id"}, "order": {"asc"},
			"per_page": {strconv.Itoa(mostRows)}, "page": {strconv.Itoa(page)}}})
		if err != nil {
			return nil, err
		}
		var hooks []webhook
		if err := answer.JSON(&hooks); err != nil {
			return nil, err
		}
		for _, w := range hooks {
			list = append(list, w.shown())
		}
		if len(hooks) < mostRows {
			return list, nil
		}
	}
}

// MakeWebhook makes one. WooCommerce pings the address meanwhile.
func (c *Client) MakeWebhook(ctx context.Context, topic, address, secret string) (affiliate.StoreWebhook, error) {
	answer, err := c.ask(ctx, question{method: http.MethodPost, route: webhooksRoute, body: map[string]string{
		"name": "Tributary " + topic, "topic": topic, "delivery_url": address, "secret": secret}})
	if err != nil {
		return affiliate.StoreWebhook{}, err
	}
	var made webhook
	if err := answer.JSON(&made); err != nil {
		return affiliate.StoreWebhook{}, err
	}
	return made.shown(), nil
}

// DeleteWebhook deletes one; webhooks have no trash.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	answer, err := c.ask(ctx, question{method: http.MethodDelete, route: webhooksRoute + "/" + url.PathEscape(id),
		query: url.Values{"force": {"true"}}, accept: []int{http.StatusNotFound}})
	if err == nil && answer.Status == http.StatusNotFound && refusalOf(answer).Code != unknownWebhook {
		return c.caller.Refusal(answer)
	}
	return err
}
