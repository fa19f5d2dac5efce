// Package apptest has a shop in memory, for tests of what talks with the APIs of stores: it answers as it is told to.
package apptest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// Platform is a platform whose stores' APIs are asked, by a guide that says so.
func Platform(p app.Platform, access affiliate.AccessGuide) app.Platform {
	guide := *p.Guide()
	guide.Access = &access
	return platform{p, &guide}
}

type platform struct {
	app.Platform
	guide *affiliate.Guide
}

func (p platform) Guide() *affiliate.Guide { return p.guide }

// Ways of shops that give pairs of keys, and of those whose apps have tokens.
var (
	KeyPairs = affiliate.AccessGuide{Approve: true, Address: "Shop address", Example: "https://shop.example",
		Ways: []affiliate.AccessWay{{Kind: affiliate.KeyPair, Label: "Keys made by hand",
			Steps: []string{"Make a key."}, Fields: []affiliate.AccessField{{Name: "id", Label: "Consumer key"},
				{Name: "secret", Label: "Consumer secret"}}}},
		Needs: []string{"read", "write"}, Keys: "Settings > REST API"}
	Tokens = affiliate.AccessGuide{Address: "Shop address", Example: "shop.myshopify.com",
		Ways: []affiliate.AccessWay{{Kind: affiliate.KeyToken, Label: "A custom app's token",
			Steps: []string{"Make an app."}, Fields: []affiliate.AccessField{{Name: "token", Label: "Access token"},
				{Name: "secret", Label: "API secret key"}}},
			{Kind: affiliate.KeyClient, Label: "A Dev Dashboard app", Steps: []string{"Make an app."},
				Fields: []affiliate.AccessField{{Name: "id", Label: "Client ID"},
					{Name: "secret", Label: "Client secret"}}}},
		Needs: []string{"read_orders"}, Topics: []affiliate.Topic{{Name: "disputes/create", Label: "Dispute create",
			Optional: true}}, Unseen: "Webhooks made in the admin are not shown.", Keys: "Settings > Apps"}
)

// Shop is one shop with its API. Its fields may be changed while nobody asks it.
type Shop struct {
	Site   string // its address, without a slash at the end
	Secret string // that goes with the key "ck_1", or the token "shpat_1", at first
	// Signs says that the shop signs its webhooks with the secret of the keys.
	Signs bool
	Known affiliate.StoreFacts

	mu      sync.Mutex
	hooks   []affiliate.StoreWebhook
	secrets map[string]string // of webhooks, by their ids
	last    int
	fail    map[string]error
	asked   []string
}

// Fail has the shop answer what is asked ("facts", "webhooks", "make", "make order.created", "delete") with an error;
// nil ends that. "" is all. With "made order.created" it makes the webhook all the same.
func (s *Shop) Fail(what string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail == nil {
		s.fail = map[string]error{}
	}
	s.fail[what] = err
}

// Asked gives what the shop was asked since the last time: "make order.created".
func (s *Shop) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// Hooks gives the webhooks that are there.
func (s *Shop) Hooks() []affiliate.StoreWebhook {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.hooks)
}

// HookSecret gives the secret of a webhook.
func (s *Shop) HookSecret(id string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.secrets[id]
}

// SetHooks lets somebody in the shop's admin change the webhooks.
func (s *Shop) SetHooks(change func([]affiliate.StoreWebhook) []affiliate.StoreWebhook) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.hooks = change(slices.Clone(s.hooks))
}

func (s *Shop) ask(what, detail string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	words := strings.TrimSpace(what + " " + detail)
	s.asked = append(s.asked, words)
	for _, key := range []string{"", what, words} {
		if err := s.fail[key]; err != nil {
			return err
		}
	}
	return nil
}

// Refused is what a shop answers to keys that are void.
func Refused() error {
	return &affiliate.Error{Kind: affiliate.Forbidden, Code: affiliate.StoreKeysRefused,
		Message: "The shop refuses the keys: make new ones."}
}

// Down is what a shop answers that has a fault.
func Down() error {
	return &affiliate.Error{Kind: affiliate.Unavailable, Code: affiliate.StoreDown,
		Message: "The shop answers with an error of its own: see whether it is open."}
}

// Shops are all shops of a platform, by their addresses.
type Shops []*Shop

// Keys tidies keys.
func (Shops) Keys(k affiliate.StoreKeys) (affiliate.StoreKeys, error) {
	k.Address = strings.TrimSuffix(affiliate.Clean(k.Address), "/")
	if k.Address != "" && !strings.Contains(k.Address, "://") {
		k.Address = "https://" + k.Address
	}
	if u, err := url.Parse(k.Address); err != nil || u.Host == "" {
		return k, affiliate.FieldErrorf("address", "is no address")
	}
	if k.Secret == "" {
		return k, affiliate.FieldErrorf("secret", "is missing")
	}
	return k, nil
}

// Open gives a client.
func (s Shops) Open(k affiliate.StoreKeys) app.StoreClient {
	for _, shop := range s {
		if shop.Site == k.Address {
			return &client{Shop: shop, keys: k}
		}
	}
	return &client{Shop: &Shop{fail: map[string]error{"": &affiliate.Error{Kind: affiliate.Unavailable,
		Code: affiliate.StoreUnreachable, Message: "The shop cannot be reached: check its address."}}}}
}

// Probe asks a shop whether it is there.
func (s Shops) Probe(_ context.Context, address string) (string, error) {
	c := s.Open(affiliate.StoreKeys{Address: address}).(*client)
	return c.Known.Domain, c.Shop.ask("probe", "")
}

// Authorize gives where the shop's owner approves.
func (Shops) Authorize(r affiliate.AccessRequest) (string, error) {
	return r.Address + "/authorize?" + url.Values{"user_id": {r.State}, "return_url": {r.Return},
		"callback_url": {r.Callback}}.Encode(), nil
}

// Answer is what a shop sends to the callback.
func Answer(state, id, secret string) []byte {
	body, _ := json.Marshal(map[string]string{"user_id": state, "consumer_key": id, "consumer_secret": secret})
	return body
}

// Authorized reads an Answer.
func (Shops) Authorized(body []byte) (string, affiliate.StoreKeys, error) {
	var in struct {
		State  string `json:"user_id"`
		ID     string `json:"consumer_key"`
		Secret string `json:"consumer_secret"`
	}
	if err := json.Unmarshal(body, &in); err != nil || in.State == "" {
		return "", affiliate.StoreKeys{}, affiliate.Errorf(affiliate.Invalid, "the body is not what a shop sends")
	}
	return in.State, affiliate.StoreKeys{Kind: affiliate.KeyPair, ID: in.ID, Secret: in.Secret}, nil
}

type client struct {
	*Shop
	keys affiliate.StoreKeys
}

func (c *client) ask(what, detail string) error {
	if err := c.Shop.ask(what, detail); err != nil {
		return err
	}
	if c.keys.Secret != c.Shop.Secret {
		return Refused()
	}
	return nil
}

func (c *client) Facts(context.Context) (affiliate.StoreFacts, error) {
	facts := c.Known
	if c.Signs {
		facts.Secret = c.keys.Secret
	}
	return facts, c.ask("facts", "")
}

func (c *client) Webhooks(context.Context) ([]affiliate.StoreWebhook, error) {
	if err := c.ask("webhooks", ""); err != nil {
		return nil, err
	}
	return c.Hooks(), nil
}

func (c *client) MakeWebhook(_ context.Context, topic, address, secret string) (affiliate.StoreWebhook, error) {
	if err := c.ask("make", topic); err != nil {
		return affiliate.StoreWebhook{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	w := affiliate.StoreWebhook{ID: fmt.Sprint(c.last), Topic: topic, Address: address}
	if c.secrets == nil {
		c.secrets = map[string]string{}
	}
	c.hooks, c.secrets[w.ID] = append(c.hooks, w), secret
	return w, c.fail["made "+topic]
}

func (c *client) DeleteWebhook(_ context.Context, id string) error {
	if err := c.ask("delete", id); err != nil {
		return err
	}
	c.SetHooks(func(list []affiliate.StoreWebhook) []affiliate.StoreWebhook {
		return slices.DeleteFunc(list, func(w affiliate.StoreWebhook) bool { return w.ID == id })
	})
	return nil
}

func (c *client) Orders(context.Context, affiliate.OrderWindow, string) (affiliate.OrderPage, error) {
	return affiliate.OrderPage{}, c.ask("orders", "")
}

func (c *client) OrdersByID(context.Context, []string, affiliate.OrderDetail) (affiliate.OrderPage, error) {
	return affiliate.OrderPage{}, c.ask("orders", "by id")
}

func (c *client) CountOrders(context.Context, affiliate.OrderWindow) (int64, error) {
	return 0, c.ask("count", "")
}

func (c *client) Use() affiliate.APIUse {
	c.mu.Lock()
	defer c.mu.Unlock()
	return affiliate.APIUse{Requests: int64(len(c.asked))}
}
