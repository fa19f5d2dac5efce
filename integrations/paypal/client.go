// Package paypal pays through PayPal's Payouts API, and reads what became of it.
//
// What is known of the API is from paypal/paypal-rest-api-specifications (openapi/payments_payouts_batch_v1.json) and
// developer.paypal.com/api/payouts; how a token is asked for, and what the error of a repeated sender_batch_id looks
// like, are from memory.
package paypal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Bounds of what is asked and read.
const (
	requestTimeout = 60 * time.Second
	mostBody       = 8 << 20 // a page of 1,000 payments has about 1.5 MB
	tokenMargin    = time.Minute
	mostWords      = 300
	checksAtOnce   = 4 // webhooks whose signature PayPal is asked about
)

// Client asks the API of one business account.
type Client struct {
	api        string // https://api-m.paypal.com
	id, secret string
	webhookID  string
	http       *http.Client
	checks     chan struct{}

	mu    sync.Mutex
	token string
	until time.Time // when the token ends
}

// New gives a client of the API at an address without a trailing slash. webhookID is that of the webhook that PayPal
// has of us; empty: what it sends by itself is proven by nothing.
func New(api, id, secret, webhookID string) *Client {
	return &Client{api: api, id: id, secret: secret, webhookID: webhookID, checks: make(chan struct{}, checksAtOnce),
		http: &http.Client{Timeout: requestTimeout,
			// The token would go wherever a redirect leads.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Account is the client id: it tells the account that pays from others.
func (c *Client) Account() string { return c.api + " " + c.id }

// answer is what the API has answered.
type answer struct {
	status int
	body   []byte
}

// do sends a request with the token, and once more with another one where that was not accepted. Errors: a
// ProviderError where it has certainly not arrived; any other leaves that open.
func (c *Client) do(ctx context.Context, method, path string, body []byte, header map[string]string) (answer, error) {
	for again := false; ; again = true {
		token, err := c.bearer(ctx)
		if err != nil {
			return answer{}, err
		}
		a, err := c.send(ctx, method, path, body, func(r *http.Request) {
			r.Header.Set("Authorization", "Bearer "+token)
			r.Header.Set("Content-Type", "application/json")
			for name, value := range header {
				r.Header.Set(name, value)
			}
		})
		if err != nil || a.status != http.StatusUnauthorized || again {
			return a, err
		}
		c.forget(token)
	}
}

// bearer gives a token: the same until it ends.
func (c *Client) bearer(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" && time.Until(c.until) > tokenMargin {
		return c.token, nil
	}
	a, err := c.send(ctx, http.MethodPost, "/v1/oauth2/token", []byte("grant_type=client_credentials"),
		func(r *http.Request) {
			r.SetBasicAuth(c.id, c.secret)
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		})
	var got struct {
		Token   string `json:"access_token"`
		Seconds int64  `json:"expires_in"`
	}
	switch {
	case err != nil:
		return "", notAsked(err)
	case a.status == http.StatusUnauthorized || a.status == http.StatusBadRequest:
		return "", &affiliate.ProviderError{Words: "PayPal does not accept the client id and secret: compare " +
			"PAYPAL_URL with the app in PayPal's developer dashboard, and whether it is one of the sandbox"}
	case a.status != http.StatusOK || json.Unmarshal(a.body, &got) != nil || got.Token == "":
		return "", &affiliate.ProviderError{Words: fmt.Sprintf("PayPal gives no access token (it answers %d)",
			a.status)}
	}
	c.token, c.until = got.Token, time.Now().Add(time.Duration(got.Seconds)*time.Second)
	return c.token, nil
}

// forget drops a token that is not accepted any more.
func (c *Client) forget(token string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token == token {
		c.token = ""
	}
}

func (c *Client) send(ctx context.Context, method, path string, body []byte,
	prepare func(*http.Request)) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.api+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "Tributary")
	prepare(r)
	res, err := c.http.Do(r)
	if err != nil {
		if dialing := (*net.OpError)(nil); errors.As(err, &dialing) && dialing.Op == "dial" {
			return answer{}, notAsked(err)
		}
		return answer{}, fmt.Errorf("PayPal does not answer: %w", withoutURL(err))
	}
	defer func() { _ = res.Body.Close() }()
	a := answer{status: res.StatusCode}
	a.body, err = io.ReadAll(io.LimitReader(res.Body, mostBody+1))
	switch {
	case err != nil:
		return answer{}, fmt.Errorf("PayPal's answer broke off: %w", withoutURL(err))
	case len(a.body) > mostBody:
		return answer{}, fmt.Errorf("PayPal's answer has more than %d bytes", mostBody)
	}
	return a, nil
}

// notAsked is the error of a request that has not arrived.
func notAsked(err error) error {
	if said := (*affiliate.ProviderError)(nil); errors.As(err, &said) {
		return err
	}
	return &affiliate.ProviderError{Words: "PayPal cannot be reached: " + withoutURL(err).Error()}
}

// withoutURL is what went wrong without the address that was asked.
func withoutURL(err error) error {
	if at := (*url.Error)(nil); errors.As(err, &at) {
		return at.Err
	}
	return err
}

// problem is the body of an error. Details are a list, or an empty object.
type problem struct {
	Name     string          `json:"name"`
	Message  string          `json:"message"`
	Error    string          `json:"error"` // of OAuth
	RawParts json.RawMessage `json:"details"`
	Links    []link          `json:"links"`
}

type problemPart struct {
	Field       string          `json:"field"`
	Issue       string          `json:"issue"`
	Description string          `json:"description"`
	Link        json.RawMessage `json:"link"` // a list in answers that were seen, and links in the specification
	Links       []link          `json:"links"`
}

type link struct {
	Href string `json:"href"`
}

func (p problem) parts() (list []problemPart) {
	_ = json.Unmarshal(p.RawParts, &list) // what is no list says nothing
	return list
}

// isBatch matches the address of a batch.
var isBatch = regexp.MustCompile(`/v1/payments/payouts/([A-Za-z0-9]{4,64})(?:[/?#]|$)`)

// known is the id of the batch that an error leads to; empty: to none.
func (p problem) known() string {
	links := slices.Clone(p.Links)
	for _, part := range p.parts() {
		links = append(links, part.Links...)
		var list []link
		if json.Unmarshal(part.Link, &list) != nil {
			list = make([]link, 1)
			_ = json.Unmarshal(part.Link, &list[0]) // what is neither leads nowhere
		}
		links = append(links, list...)
	}
	for _, l := range links {
		if m := isBatch.FindStringSubmatch(l.Href); m != nil {
			return m[1]
		}
	}
	return ""
}

// repeats says whether the error is about the sender_batch_id.
func (p problem) repeats() bool {
	about := func(text string) bool {
		text = strings.ToUpper(text)
		return strings.Contains(text, "SENDER_BATCH_ID") || strings.Contains(text, "DUPLICATE")
	}
	return about(p.Name) || about(p.Message) || slices.ContainsFunc(p.parts(), func(part problemPart) bool {
		return about(part.Field) || about(part.Issue) || about(part.Description)
	})
}

// words says the error to people, in PayPal's words.
func (p problem) words() string {
	text := clean(strings.Join(slices.DeleteFunc([]string{p.Name, p.Message, p.Error},
		func(s string) bool { return s == "" }), ", "))
	for _, part := range p.parts() {
		issue := part.Description
		if issue == "" {
			issue = part.Issue
		}
		if issue = clean(issue); issue != "" {
			text += "; " + issue
			if part.Field != "" {
				text += " (" + clean(part.Field) + ")"
			}
		}
	}
	return affiliate.Clip(text, mostWords)
}

// isAddress matches an e-mail address: what is sealed elsewhere does not stand in words.
var isAddress = regexp.MustCompile(`[^\s@"'<>()]+@[^\s@"'<>()]+`)

// clean makes PayPal's words one line without addresses.
func clean(s string) string {
	return isAddress.ReplaceAllString(strings.Join(strings.Fields(strings.ToValidUTF8(s, "")), " "), "…@…")
}

// judge is the error of an answer that is not the one that was hoped for.
func (a answer) judge() error {
	var p problem
	_ = json.Unmarshal(a.body, &p) // an answer without a body that is JSON has its number
	words := p.words()
	if words == "" {
		words = fmt.Sprintf("it answers %d", a.status)
	}
	switch {
	case a.status >= 500, a.status == http.StatusRequestTimeout, a.status == http.StatusConflict, a.status < 300:
		return fmt.Errorf("PayPal does not do it: %s", words)
	case a.status == http.StatusTooManyRequests:
		return &affiliate.ProviderError{Words: "PayPal wants fewer requests: " + words}
	case a.status == http.StatusUnauthorized, a.status == http.StatusForbidden:
		return &affiliate.ProviderError{Words: "PayPal does not let the app pay: " + words +
			"; Payouts must be enabled for it and for the account"}
	case a.status == http.StatusBadRequest, a.status == http.StatusUnprocessableEntity:
		return &affiliate.ProviderError{Words: "PayPal: " + words, Unpaid: !p.repeats(), Known: p.known()}
	}
	return &affiliate.ProviderError{Words: fmt.Sprintf("PayPal does not understand it (%d): %s", a.status, words)}
}
