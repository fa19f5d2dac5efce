package shopify

import (
	"context"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

const (
	subscriptionFields = `id topic uri format filter includeFields`

	listWebhooks = `query Webhooks($after: String) {
 webhookSubscriptions(first: 100, after: $after) {
  pageInfo { hasNextPage endCursor }
  nodes { ` + subscriptionFields + ` }
 }
}`
	makeWebhook = `mutation MakeWebhook($topic: WebhookSubscriptionTopic!, $in: WebhookSubscriptionInput!) {
 webhookSubscriptionCreate(topic: $topic, webhookSubscription: $in) {
  webhookSubscription { ` + subscriptionFields + ` }
  userErrors { field message }
 }
}`
	deleteWebhook = `mutation DeleteWebhook($id: ID!) {
 webhookSubscriptionDelete(id: $id) { deletedWebhookSubscriptionId userErrors { field message } }
}`
)

// subscription is a WebhookSubscription. It has no status: Shopify deletes one that has failed for hours.
type subscription struct {
	ID            string   `json:"id"`
	Topic         string   `json:"topic"`
	URI           string   `json:"uri"`
	Format        string   `json:"format"`
	Filter        string   `json:"filter"`
	IncludeFields []string `json:"includeFields"`
}

func (s subscription) webhook() affiliate.StoreWebhook {
	w := affiliate.StoreWebhook{ID: s.ID, Topic: topicOf(s.Topic), Address: s.URI}
	switch {
	case s.Format != "" && s.Format != "JSON":
		w.Broken = "it sends " + tidy(s.Format, 20) + " and not JSON"
	case len(s.IncludeFields) > 0:
		w.Broken = "it sends some fields only"
	case s.Filter != "":
		w.Broken = "it has a filter, and does not tell of all orders"
	}
	return w
}

// topicOf gives a topic as deliveries name it. The API has one word for it: ORDER_TRANSACTIONS_CREATE is
// order_transactions/create. What happens is the last word but in a few, none of which is needed; they are given so
// that wordOf gives them back.
func topicOf(word string) string {
	word = strings.ToLower(word)
	if i := strings.LastIndexByte(word, '_'); i >= 0 {
		return word[:i] + "/" + word[i+1:]
	}
	return word
}

func wordOf(topic string) string { return strings.ToUpper(strings.Replace(topic, "/", "_", 1)) }

// Webhooks lists those that this app made in the shop by the API. Shopify shows no others.
func (c *Client) Webhooks(ctx context.Context) (list []affiliate.StoreWebhook, err error) {
	var after any
	for {
		var data struct {
			Subscriptions struct {
				PageInfo pageInfo       `json:"pageInfo"`
				Nodes    []subscription `json:"nodes"`
			} `json:"webhookSubscriptions"`
		}
		op := operation{name: "Webhooks", text: listWebhooks}
		if _, err := c.ask(ctx, op, map[string]any{"after": after}, &data, false); err != nil {
			return nil, err
		}
		for _, s := range data.Subscriptions.Nodes {
			list = append(list, s.webhook())
		}
		if !data.Subscriptions.PageInfo.HasNextPage {
			return list, nil
		}
		after = data.Subscriptions.PageInfo.EndCursor
	}
}

// MakeWebhook makes one. Shopify signs all of an app's webhooks with the app's secret. That there is one already for
// the topic and the address is no error.
func (c *Client) MakeWebhook(ctx context.Context, topic, address, _ string) (affiliate.StoreWebhook, error) {
	var data struct {
		Create struct {
			Subscription *subscription `json:"webhookSubscription"`
			UserErrors   []userError   `json:"userErrors"`
		} `json:"webhookSubscriptionCreate"`
	}
	op := operation{name: "MakeWebhook", text: makeWebhook}
	_, err := c.ask(ctx, op, map[string]any{"topic": wordOf(topic),
		"in": map[string]any{"uri": address, "format": "JSON"}}, &data, false)
	if err != nil {
		return affiliate.StoreWebhook{}, err
	}
	if len(data.Create.UserErrors) > 0 {
		e := data.Create.UserErrors[0]
		if e.about("already been taken") {
			return c.taken(ctx, topic, address)
		}
		return affiliate.StoreWebhook{}, problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify does not take %s "+
			"as the address of a webhook: %s. It sends to public https addresses only; see PUBLIC_URL.",
			hostOf(address), c.quote(e.Message))
	}
	if data.Create.Subscription == nil {
		return affiliate.StoreWebhook{}, problem(affiliate.Unavailable, affiliate.StoreAnswer, "Shopify made no "+
			"webhook for %s and did not say why. It is asked again later.", topic)
	}
	w := data.Create.Subscription.webhook()
	w.Topic = topic
	return w, nil
}

// taken finds the webhook that Shopify says there is.
func (c *Client) taken(ctx context.Context, topic, address string) (affiliate.StoreWebhook, error) {
	list, err := c.Webhooks(ctx)
	if err != nil {
		return affiliate.StoreWebhook{}, err
	}
	for _, w := range list {
		if wordOf(w.Topic) == wordOf(topic) && w.Address == address {
			w.Topic = topic
			return w, nil
		}
	}
	return affiliate.StoreWebhook{}, problem(affiliate.Conflict, affiliate.StoreWebhookTaken, "Shopify says that "+
		"there is a webhook for %s to this address already, and does not show it: it stands in the app's own settings "+
		"(shopify.app.toml). It serves as it is.", topic)
}

func hostOf(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	host, _, _ := strings.Cut(rest, "/")
	return tidy(host, 100)
}

// DeleteWebhook deletes one; that it is gone already is no error.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	var data struct {
		Delete struct {
			UserErrors []userError `json:"userErrors"`
		} `json:"webhookSubscriptionDelete"`
	}
	op := operation{name: "DeleteWebhook", text: deleteWebhook}
	if _, err := c.ask(ctx, op, map[string]any{"id": id}, &data, false); err != nil {
		return err
	}
	for _, e := range data.Delete.UserErrors {
		if !e.about("does not exist") && !e.about("not found") {
			return problem(affiliate.Invalid, affiliate.StoreAnswer, "Shopify did not delete a webhook: %s.",
				c.quote(e.Message))
		}
	}
	return nil
}
