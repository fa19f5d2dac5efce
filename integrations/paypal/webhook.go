package paypal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Heard checks a webhook of PayPal's, and gives the payout_batch_id that it is about. Names of events that are not
// known are about none. PayPal itself is asked whether the signature is right, and wants the event as it came, byte for
// byte (developer.paypal.com/api/rest/webhooks/rest).
func (c *Client) Heard(ctx context.Context, header http.Header, body []byte) (id string, err error) {
	id, known := batchOf(body)
	if !known {
		return "", nil
	}
	certificate := header.Get("Paypal-Cert-Url")
	proof := map[string]string{"auth_algo": header.Get("Paypal-Auth-Algo"), "cert_url": certificate,
		"transmission_id":   header.Get("Paypal-Transmission-Id"),
		"transmission_sig":  header.Get("Paypal-Transmission-Sig"),
		"transmission_time": header.Get("Paypal-Transmission-Time"), "webhook_id": c.webhookID}
	for _, value := range proof {
		if value == "" || len(value) > 2000 {
			return "", errNotProven
		}
	}
	if !c.isPayPals(certificate) {
		return "", errNotProven
	}
	select { // strangers shall not make us ask without end: PayPal sends again, and is asked each day anyway
	case c.checks <- struct{}{}:
		defer func() { <-c.checks }()
	default:
		return "", &affiliate.Error{Kind: affiliate.Unavailable, Message: "too many webhooks at once; send it again"}
	}
	asked, err := json.Marshal(proof)
	if err != nil {
		return "", err
	}
	asked = append(asked[:len(asked)-1], `,"webhook_event":`...)
	asked = append(append(asked, bytes.TrimSpace(body)...), '}')
	a, err := c.do(ctx, http.MethodPost, "/v1/notifications/verify-webhook-signature", asked, nil)
	if err != nil {
		return "", err
	}
	var got struct {
		Status string `json:"verification_status"`
	}
	switch {
	case a.status >= 500 || a.status == http.StatusTooManyRequests:
		return "", errors.New("PayPal does not say whether a webhook is its own")
	case a.status != http.StatusOK || json.Unmarshal(a.body, &got) != nil || got.Status != "SUCCESS":
		return "", errNotProven
	}
	return id, nil
}

var errNotProven = &affiliate.Error{Kind: affiliate.Forbidden, Message: "the signature of the webhook is not PayPal's"}

// batchOf gives the batch that an event is about; false where it is about none, or is none.
func batchOf(body []byte) (id string, known bool) {
	var event struct {
		Type     string `json:"event_type"`
		Resource struct {
			Batch  string `json:"payout_batch_id"` // of an item
			Header struct {
				Batch string `json:"payout_batch_id"`
			} `json:"batch_header"`
		} `json:"resource"`
	}
	if json.Unmarshal(body, &event) != nil || !strings.HasPrefix(event.Type, "PAYMENT.PAYOUTS") {
		return "", false
	}
	id = event.Resource.Batch
	if id == "" {
		id = event.Resource.Header.Batch
	}
	return id, id != ""
}

// isPayPals says whether a certificate is at PayPal's, or where the API is.
func (c *Client) isPayPals(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return false
	}
	if api, err := url.Parse(c.api); err == nil && u.Host == api.Host && u.Scheme == api.Scheme {
		return true
	}
	return u.Scheme == "https" && strings.HasSuffix("."+strings.ToLower(u.Hostname()), ".paypal.com")
}
