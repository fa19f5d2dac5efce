package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakepaypal"
)

// TestPayPalWebhook: what PayPal sends is taken where PayPal says that it is its own, and then the part that it is
// about is due; what others send, or too much of it, is not, and without PayPal there is no such address.
func TestPayPalWebhook(t *testing.T) {
	fake := fakepaypal.New(fakepaypal.Options{})
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	at := url.URL{Scheme: "http", Host: strings.TrimPrefix(server.URL, "http://"),
		User: url.UserPassword(fakepaypal.ClientID, fakepaypal.Secret)}
	without := embedded(t)
	env := without.with("PAYPAL_URL", at.String()).with("PAYPAL_WEBHOOK_ID", fakepaypal.WebhookID)
	env.setUpStores(t, nil)
	var run affiliate.PayoutRun
	var before affiliate.PayoutPart
	env.open(t, func(ctx context.Context, a *app.App) {
		run = payBonus(ctx, t, a, paypalPayees(ctx, t, a, 2), 1)
		ok(t, a.WorkPayouts(ctx))
		parts, err := a.DB.PayoutParts(ctx, run.ID)
		ok(t, err)
		before = parts[0]
	})
	s := env.start(t, roleReceiver)
	post := func(h http.Header, body []byte, path string) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+s.address+path, bytes.NewReader(body))
		ok(t, err)
		r.Header = h
		res, err := http.DefaultClient.Do(r)
		ok(t, err)
		_, _ = io.Copy(io.Discard, res.Body)
		ok(t, res.Body.Close())
		return res.StatusCode
	}
	h, body := fake.Webhook(server.URL, "PAYMENT.PAYOUTSBATCH.SUCCESS", before.ProviderRef)
	forged := h.Clone()
	forged.Set("Paypal-Transmission-Sig", "x")
	for name, c := range map[string]struct {
		header http.Header
		body   []byte
		want   int
	}{
		"forged":    {forged, body, http.StatusUnauthorized},
		"unsigned":  {http.Header{}, body, http.StatusUnauthorized},
		"too large": {h, bytes.Repeat([]byte("x"), 300<<10), http.StatusRequestEntityTooLarge},
		"another":   {http.Header{}, []byte(`{"event_type":"SOMETHING.NEW"}`), http.StatusOK},
	} {
		if got := post(c.header, c.body, "/webhooks/paypal"); got != c.want {
			t.Errorf("%s: %d, not %d", name, got, c.want)
		}
	}
	due := func() (next affiliate.PayoutPart) {
		env.open(t, func(ctx context.Context, a *app.App) {
			parts, err := a.DB.PayoutParts(ctx, run.ID)
			ok(t, err)
			next = parts[0]
		})
		return next
	}
	if !due().NextAt.Equal(before.NextAt) {
		t.Error("a part is due by what nobody has proven")
	}
	if got := post(h, body, "/webhooks/paypal/"); got != http.StatusOK || !due().NextAt.Before(before.NextAt) {
		t.Errorf("%d, and the part is due at %v, as before: %v", got, due().NextAt, before.NextAt)
	}
	ok(t, s.stop())
	s = without.start(t, roleReceiver)
	if got := post(h, body, "/webhooks/paypal"); got != http.StatusNotFound {
		t.Errorf("without PayPal: %d", got)
	}
}
