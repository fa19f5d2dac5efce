package paypal_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/paypal"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/fakepaypal"
	"github.com/tributaryhq/tributary/internal/money"
)

// open starts a fake PayPal and gives a client of it.
func open(t *testing.T, o fakepaypal.Options) (*paypal.Client, *fakepaypal.Server, string) {
	fake := fakepaypal.New(o)
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return paypal.New(server.URL, fakepaypal.ClientID, fakepaypal.Secret, fakepaypal.WebhookID), fake, server.URL
}

func part(n int) affiliate.PaymentFile {
	f := affiliate.PaymentFile{Reference: "TRB-R1-1-K7Q2M9", Currency: "EUR", Payer: affiliate.Payer{Name: "My brand"}}
	for i := range n {
		f.Payments = append(f.Payments, affiliate.Payment{Ref: fmt.Sprintf("TRB-%d-K7Q2M9", i+1),
			Amount:   int64(1001 + i),
			Currency: "EUR", Details: affiliate.PaymentDetails{Email: fmt.Sprintf("c%d@creators.example", i)},
			Note: "Thanks"})
	}
	return f
}

// TestSend: a batch is paid once whatever is lost, and what PayPal has of the same reference is known by its id.
func TestSend(t *testing.T) {
	for name, c := range map[string]struct {
		deed  fakepaypal.Deed
		taken int  // after the request that goes wrong
		open  bool // whether PayPal has it
	}{
		"answered":    {fakepaypal.Answer, 1, false},
		"throttled":   {fakepaypal.Throttle, 0, false},
		"fails":       {fakepaypal.FailBefore, 0, true},
		"fails after": {fakepaypal.FailAfter, 1, true},
		"drops":       {fakepaypal.DropBefore, 0, true},
		"drops after": {fakepaypal.DropAfter, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			wrong := 0
			client, fake, _ := open(t, fakepaypal.Options{Do: func(r *http.Request, _ int) fakepaypal.Deed {
				if r.Method == http.MethodPost && r.URL.Path == "/v1/payments/payouts" {
					if wrong++; wrong == 1 {
						return c.deed
					}
				}
				return fakepaypal.Answer
			}})
			id, err := client.Send(t.Context(), part(3))
			var said *affiliate.ProviderError
			if answered := errors.As(err, &said); (err == nil) != (c.deed == fakepaypal.Answer) ||
				err != nil && answered == c.open || answered && said.Unpaid {
				t.Fatalf("%q, %v", id, err)
			}
			if n := fake.Counts().Taken; n != c.taken {
				t.Fatalf("%d batches were taken", n)
			}
			again, err := client.Send(t.Context(), part(3))
			if errors.As(err, &said) {
				again = said.Known
			}
			if items := fake.Items(); again == "" || len(items) != 3 || items[0].Batch != again || id != "" &&
				id != again {
				t.Errorf("%q, then %q, %v: %+v", id, again, err, items)
			}
		})
	}
}

// TestSend_repeated: a batch that is another one than ours is never taken for it.
func TestSend_repeated(t *testing.T) {
	client, _, _ := open(t, fakepaypal.Options{})
	if _, err := client.Send(t.Context(), part(3)); err != nil {
		t.Fatal(err)
	}
	known := func(f affiliate.PaymentFile) bool {
		_, err := client.Send(t.Context(), f)
		var said *affiliate.ProviderError
		if err == nil || errors.As(err, &said) && said.Unpaid {
			t.Errorf("%v", err)
		}
		return errors.As(err, &said) && said.Known != ""
	}
	if !known(part(3)) || !known(part(2)) { // one was marked by hand meanwhile
		t.Error("the batch is not known again")
	}
	dearer := part(3)
	dearer.Payments[1].Amount++
	if known(part(4)) || known(dearer) {
		t.Error("another batch is taken for ours")
	}
}

// TestSend_refused: what PayPal understands and refuses is not paid; its words show no address.
func TestSend_refused(t *testing.T) {
	client, fake, _ := open(t, fakepaypal.Options{})
	f := part(2)
	f.Payments[1].Details.Email = "anna@creators.example\x00 nobody"
	f.Payments[1].Amount = -1
	_, err := client.Send(t.Context(), f)
	var said *affiliate.ProviderError
	if !errors.As(err, &said) || !said.Unpaid || !strings.Contains(said.Words, "items[1].amount.value") {
		t.Errorf("%v", err)
	}
	f.Payments[1].Amount, f.Payments[1].Details.Email = 5, strings.Repeat("a", 120)+"@x.example"
	if _, err = client.Send(t.Context(), f); !errors.As(err, &said) || said.Unpaid ||
		!strings.Contains(said.Words, f.Payments[1].Ref) {
		t.Errorf("who cannot be written makes all others fail, or is not named: %v", err)
	}
	f.Payments[1].Details.Email = "x"
	if _, err = client.Send(t.Context(), f); !errors.As(err, &said) || !said.Unpaid {
		t.Errorf("%v", err)
	}
	if len(fake.Items()) != 0 {
		t.Error("something was paid")
	}
}

// TestToken: one token serves until it ends; a wrong secret is said, and is in no error.
func TestToken(t *testing.T) {
	client, fake, url := open(t, fakepaypal.Options{})
	id, err := client.Send(t.Context(), part(1))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := client.Results(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	if n := fake.Counts().Tokens; n != 1 {
		t.Errorf("%d tokens", n)
	}
	fake.EndTokens()
	if _, err := client.Results(t.Context(), id); err != nil || fake.Counts().Tokens != 2 {
		t.Errorf("%v, %d tokens", err, fake.Counts().Tokens)
	}
	wrong := paypal.New(url, fakepaypal.ClientID, "another-secret", "")
	_, err = wrong.Send(t.Context(), part(1))
	var said *affiliate.ProviderError
	if !errors.As(err, &said) || said.Unpaid || strings.Contains(err.Error(), "another-secret") {
		t.Errorf("%v", err)
	}
	gone := paypal.New("http://127.0.0.1:1", "id", "a-secret", "")
	if _, err = gone.Send(t.Context(), part(1)); !errors.As(err, &said) || said.Unpaid ||
		strings.Contains(err.Error(), "a-secret") {
		t.Errorf("%v", err)
	}
}

// TestResults: the nine states of a payment, over several pages, with fees.
func TestResults(t *testing.T) {
	states := []string{"SUCCESS", "PENDING", "UNCLAIMED", "RETURNED", "ONHOLD", "BLOCKED", "FAILED", "REFUNDED",
		"REVERSED",
		"SOMETHING_NEW"}
	want := []affiliate.PayoutState{"paid", "pending", "unclaimed", "returned", "pending", "failed", "failed",
		"returned",
		"returned", "pending"}
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	client, _, _ := open(t, fakepaypal.Options{Now: func() time.Time { return at }, Fee: 25, Works: time.Minute,
		Fate: func(ref string) []fakepaypal.Step {
			var n int
			_, _ = fmt.Sscanf(ref, "TRB-%d-", &n)
			return []fakepaypal.Step{{Status: states[(n-1)%len(states)]}}
		}})
	id, err := client.Send(t.Context(), part(2345))
	if err != nil {
		t.Fatal(err)
	}
	r, err := client.Results(t.Context(), id)
	if err != nil || !r.Working || len(r.Payments) != 2345 || r.Payments[0].State != affiliate.PayoutPending {
		t.Fatalf("%v, %d payments, working %v", err, len(r.Payments), r.Working)
	}
	at = at.Add(time.Hour)
	if r, err = client.Results(t.Context(), id); err != nil || r.Working || r.Denied != "" || r.Fee != 2345*25 ||
		r.FeeCurrency != "EUR" {
		t.Fatalf("%v %+v", err, r)
	}
	for n, p := range r.Payments {
		if p.State != want[n%len(want)] || p.Ref != fmt.Sprintf("TRB-%d-K7Q2M9", n+1) || p.Amount != int64(1001+n) ||
			p.Currency != "EUR" || p.Fee != 25 || p.ProviderRef == "" {
			t.Fatalf("payment %d: %+v", n, p)
		}
		if odd := n%len(want) == 9; odd && !strings.Contains(p.Words, "SOMETHING_NEW") {
			t.Errorf("the words are %q", p.Words)
		}
	}
}

// TestResults_denied: nothing of a batch that the balance does not cover is paid.
func TestResults_denied(t *testing.T) {
	client, _, _ := open(t, fakepaypal.Options{Balance: map[money.Currency]int64{"EUR": 100}})
	id, err := client.Send(t.Context(), part(2))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := client.Results(t.Context(), id); err != nil || r.Denied == "" || r.Working {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := client.Results(t.Context(), "UNKNOWN1"); err == nil {
		t.Error("a batch that there is not has results")
	}
}

// TestHeard: webhooks are believed where PayPal says that they are its own, to the byte.
func TestHeard(t *testing.T) {
	client, fake, url := open(t, fakepaypal.Options{})
	for _, event := range []string{"PAYMENT.PAYOUTSBATCH.SUCCESS", "PAYMENT.PAYOUTS-ITEM.RETURNED",
		"PAYMENT.PAYOUTS-ITEM.NEW"} {
		h, body := fake.Webhook(url, event, "BATCH123")
		if id, err := client.Heard(t.Context(), h, body); err != nil || id != "BATCH123" {
			t.Errorf("%s: %q, %v", event, id, err)
		}
	}
	h, body := fake.Webhook(url, "PAYMENT.SALE.COMPLETED", "BATCH123")
	if id, err := client.Heard(t.Context(), h, body); err != nil || id != "" {
		t.Errorf("another event: %q, %v", id, err)
	}
	for name, change := range map[string]func(h http.Header, body []byte) []byte{
		"another batch": func(_ http.Header, b []byte) []byte {
			return []byte(strings.Replace(string(b), "BATCH123", "BATCH124", 1))
		},
		"another space": func(_ http.Header, b []byte) []byte { return append([]byte("{ "), b[1:]...) },
		"no signature":  func(h http.Header, b []byte) []byte { h.Del("Paypal-Transmission-Sig"); return b },
		"another certificate": func(h http.Header, b []byte) []byte {
			h.Set("Paypal-Cert-Url", "https://paypal.com.evil.example/cert")
			return b
		},
		"another time": func(h http.Header, b []byte) []byte {
			h.Set("Paypal-Transmission-Time", "2020-01-01T00:00:00Z")
			return b
		},
	} {
		h, body := fake.Webhook(url, "PAYMENT.PAYOUTSBATCH.SUCCESS", "BATCH123")
		if id, err := client.Heard(t.Context(), h, change(h, body)); affiliate.KindOf(err) != affiliate.Forbidden {
			t.Errorf("%s: %q, %v", name, id, err)
		}
	}
}

// TestAttack_paypal: neither redirects, nor answers without end, nor ones that are none make the client give anything
// away, or say that something was refused.
func TestAttack_paypal(t *testing.T) {
	stolen := 0
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { stolen++ }))
	t.Cleanup(thief.Close)
	answers := map[string]http.HandlerFunc{
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, thief.URL+r.URL.Path, http.StatusTemporaryRedirect)
		},
		"endless": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.Copy(w, endless{}) },
		"no JSON": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") },
		"another batch": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"details":[{"issue":"sender_batch_id exists","link":[{"href":"https://evil.example/x"}]}]}`)
		},
	}
	for name, answer := range answers {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/oauth2/token" {
				fmt.Fprint(w, `{"access_token":"t","expires_in":100}`)
				return
			}
			answer(w, r)
		}))
		client := paypal.New(server.URL, "id", "a-secret", "")
		_, err := client.Send(context.Background(), part(1))
		var said *affiliate.ProviderError
		if err == nil || errors.As(err, &said) && (said.Unpaid || said.Known != "") {
			t.Errorf("%s: %v", name, err)
		}
		server.Close()
	}
	if stolen > 0 {
		t.Error("a redirect was followed")
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }
