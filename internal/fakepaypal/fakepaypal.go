// Package fakepaypal is PayPal's Payouts API for tests: it pays each sender_batch_id once in 30 days, takes days over
// its payments, and misbehaves as it is told.
package fakepaypal

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// Keys of the account that the server knows.
const (
	ClientID  = "AXfakeclient"
	Secret    = "EKfake/secret"
	WebhookID = "1JE4291016473214C"
)

// remembered is for how long a sender_batch_id is known.
const remembered = 30 * 24 * time.Hour

// Step is what becomes of a payment, so long after it was taken.
type Step struct {
	After  time.Duration
	Status string // SUCCESS, UNCLAIMED, …
}

// Deed is what the server does with a request.
type Deed int

const (
	Answer     Deed = iota
	Throttle        // 429
	FailBefore      // 503, and nothing is taken
	FailAfter       // 503 although it is taken
	DropBefore      // the connection breaks, and nothing is taken
	DropAfter       // it is taken, and the connection breaks
)

// Options say how a server is.
type Options struct {
	Now func() time.Time // nil: time.Now
	// Do says what to do with the n-th request, from 1 on, for a token, to pay, or to read; nil: all are answered.
	Do func(r *http.Request, n int) Deed
	// Fate says what becomes of a payment by its sender_item_id; nil: it is paid after a minute.
	Fate func(ref string) []Step
	// Balance is what is there of each currency, in its minor units; nil: enough.
	Balance map[money.Currency]int64
	Fee     int64         // of each payment, minor units
	Works   time.Duration // for how long a batch is PENDING, then PROCESSING
	// Each is called before each request is looked at; nil: nothing is.
	Each func()
}

// Server is the API: an http.Handler.
type Server struct {
	o Options

	mu       sync.Mutex
	requests int
	tokens   map[string]time.Time
	batches  []*batch
	counts   Counts
}

// Counts say what has happened so far.
type Counts struct {
	Requests  int
	Tokens    int
	Taken     int // batches
	Repeated  int // sender_batch_ids that were known
	Throttled int
	Failed    int // answers of 5xx
	Dropped   int // connections that were broken
	Refused   int // requests to pay that were wrong
}

type batch struct {
	id, ref, subject string
	at               time.Time
	denied           bool
	currency         money.Currency
	items            []*Item
}

// Item is a payment.
type Item struct {
	ID       string
	Batch    string // payout_batch_id
	Ref      string // sender_item_id
	Receiver string
	Type     string // recipient_type
	Note     string
	Amount   int64 // minor units of Currency
	Currency money.Currency
	Status   string // as of now
	Fee      int64
	at       time.Time
	steps    []Step
}

// New makes a server without any payments.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Server{o: o, tokens: map[string]time.Time{}}
}

// Counts gives what has happened so far.
func (s *Server) Counts() Counts {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts
}

// SetBalance changes what is there of a currency.
func (s *Server) SetBalance(c money.Currency, minor int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.o.Balance == nil {
		s.o.Balance = map[money.Currency]int64{}
	}
	s.o.Balance[c] = minor
}

// Items gives all payments of all batches as they are now. Those of a batch that was denied are DENIED.
func (s *Server) Items() (list []Item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range s.batches {
		for _, i := range b.items {
			item := *i
			item.Status = s.status(b, i)
			list = append(list, item)
		}
	}
	return list
}

// status is that of a payment by now.
func (s *Server) status(b *batch, i *Item) string {
	age := s.o.Now().Sub(b.at)
	switch {
	case b.denied && age >= s.o.Works:
		return "DENIED"
	case age < s.o.Works:
		return "PENDING"
	}
	status := "PENDING"
	for _, step := range i.steps {
		if age >= step.After {
			status = step.Status
		}
	}
	return status
}

func (s *Server) batchStatus(b *batch) string {
	switch age := s.o.Now().Sub(b.at); {
	case age < s.o.Works/2:
		return "PENDING"
	case age < s.o.Works:
		return "PROCESSING"
	case b.denied:
		return "DENIED"
	}
	return "SUCCESS"
}

// ServeHTTP answers a request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.o.Each != nil {
		s.o.Each()
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	s.mu.Lock()
	s.requests++
	s.counts.Requests++
	deed := Answer
	if s.o.Do != nil {
		deed = s.o.Do(r, s.requests)
	}
	status, answer := http.StatusTooManyRequests, any(fault("RATE_LIMIT_REACHED", "Too many requests."))
	switch deed {
	case Throttle:
		s.counts.Throttled++
	case FailBefore, DropBefore:
	default:
		status, answer = s.answer(r, body)
	}
	switch deed {
	case FailBefore, FailAfter:
		s.counts.Failed++
		status, answer = http.StatusServiceUnavailable, fault("INTERNAL_SERVER_ERROR", "Try again.")
	case DropBefore, DropAfter:
		s.counts.Dropped++
	}
	s.mu.Unlock()
	if deed == DropBefore || deed == DropAfter {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // whoever has hung up does not read it
}

func fault(name, message string, details ...any) map[string]any {
	return map[string]any{"name": name, "message": message, "debug_id": "90957fca61718", "details": details,
		"information_link": "https://developer.paypal.com/docs/api/payments.payouts-batch/#errors"}
}

func (s *Server) answer(r *http.Request, body []byte) (int, any) {
	const batches = "/v1/payments/payouts"
	if r.URL.Path == "/v1/oauth2/token" {
		return s.giveToken(r, body)
	}
	token, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if until, known := s.tokens[token]; !known || time.Now().After(until) {
		return http.StatusUnauthorized, map[string]any{"error": "invalid_token"}
	}
	switch {
	case r.Method == http.MethodPost && r.URL.Path == batches:
		return s.pay(r, body)
	case r.Method == http.MethodGet && strings.HasPrefix(r.URL.Path, batches+"/"):
		return s.show(r, strings.TrimPrefix(r.URL.Path, batches+"/"))
	case r.Method == http.MethodPost && r.URL.Path == "/v1/notifications/verify-webhook-signature":
		return s.verify(body)
	}
	return http.StatusNotFound, fault("INVALID_RESOURCE_ID", "There is nothing.")
}

func (s *Server) giveToken(r *http.Request, body []byte) (int, any) {
	id, secret, _ := r.BasicAuth()
	if id != ClientID || secret != Secret || string(body) != "grant_type=client_credentials" {
		return http.StatusUnauthorized, map[string]any{"error": "invalid_client",
			"error_description": "Client Authentication failed"}
	}
	token := "A21AA" + rand.Text()
	s.tokens[token] = time.Now().Add(9 * time.Hour)
	s.counts.Tokens++
	return http.StatusOK, map[string]any{"access_token": token, "token_type": "Bearer", "expires_in": 32400}
}

// EndTokens makes all tokens worthless.
func (s *Server) EndTokens() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.tokens)
}

type payRequest struct {
	Header struct {
		ID      string `json:"sender_batch_id"`
		Subject string `json:"email_subject"`
	} `json:"sender_batch_header"`
	Items []struct {
		Type     string `json:"recipient_type"`
		Receiver string `json:"receiver"`
		Note     string `json:"note"`
		Ref      string `json:"sender_item_id"`
		Amount   struct{ Value, Currency string }
	}
}

// pay takes a batch: once for each sender_batch_id in 30 days.
func (s *Server) pay(r *http.Request, body []byte) (int, any) {
	var in payRequest
	if r.Header.Get("Content-Type") != "application/json" || json.Unmarshal(body, &in) != nil {
		s.counts.Refused++
		return http.StatusBadRequest, fault("MALFORMED_REQUEST", "The request is no JSON.")
	}
	now := s.o.Now()
	for _, b := range s.batches {
		if b.ref == in.Header.ID && now.Sub(b.at) < remembered {
			s.counts.Repeated++
			return http.StatusBadRequest, fault("USER_BUSINESS_ERROR", "User business error.", map[string]any{
				"field": "SENDER_BATCH_ID", "location": "body",
				"issue": "Batch with given sender_batch_id already exists",
				"link": []any{map[string]any{"href": "https://api-m.sandbox.paypal.com/v1/payments/payouts/" + b.id,
					"rel": "self", "method": "GET"}}})
		}
	}
	b, field, issue := s.read(in)
	if issue != "" {
		s.counts.Refused++
		return http.StatusBadRequest, fault("VALIDATION_ERROR", "Invalid request - see details",
			map[string]any{"field": field, "issue": issue, "location": "body"})
	}
	if s.o.Balance != nil {
		total := int64(0)
		for _, i := range b.items {
			total += i.Amount + i.Fee
		}
		if b.denied = total > s.o.Balance[b.currency]; !b.denied {
			s.o.Balance[b.currency] -= total
		}
	}
	s.batches = append(s.batches, b)
	s.counts.Taken++
	return http.StatusCreated, map[string]any{"batch_header": map[string]any{"payout_batch_id": b.id,
		"batch_status": "PENDING", "sender_batch_header": map[string]any{"sender_batch_id": b.ref,
			"email_subject": b.subject}}}
}

// read checks a request as PayPal documents it; the issue is empty where it is right.
func (s *Server) read(in payRequest) (b *batch, field, issue string) {
	b = &batch{id: code(), ref: in.Header.ID, subject: in.Header.Subject, at: s.o.Now()}
	switch {
	case b.ref == "" || len(b.ref) > 256:
		return b, "sender_batch_header", "sender batch header needs an id"
	case len([]rune(b.subject)) > 255:
		return b, "email_subject", "is too long"
	case len(in.Items) < 1 || len(in.Items) > 15_000:
		return b, "items", "1 to 15000 items are needed"
	}
	for n, i := range in.Items {
		at := func(name string) string { return fmt.Sprintf("items[%d].%s", n, name) }
		currency, err := money.ParseCurrency(i.Amount.Currency)
		if err != nil || b.currency != "" && currency != b.currency {
			return b, at("amount.currency"), "is not the currency of the batch"
		}
		b.currency = currency
		minor, err := money.Parse(i.Amount.Value, currency)
		switch {
		case err != nil || minor <= 0 || money.Format(minor, currency) != i.Amount.Value:
			return b, at("amount.value"), "is no amount of the currency"
		case i.Type != "EMAIL" && i.Type != "PAYPAL_ID":
			return b, at("recipient_type"), "is unknown"
		case i.Receiver == "" || len(i.Receiver) > 127 || i.Type == "EMAIL" && !strings.Contains(i.Receiver, "@"):
			return b, at("receiver"), "Receiver is invalid or does not match with type: " + i.Receiver
		case len(i.Ref) > 63:
			return b, at("sender_item_id"), "is too long"
		case len([]rune(i.Note)) > 1000:
			return b, at("note"), "is too long"
		}
		steps := []Step{{time.Minute, "SUCCESS"}}
		if s.o.Fate != nil {
			steps = s.o.Fate(i.Ref)
		}
		b.items = append(b.items, &Item{ID: code(), Batch: b.id, Ref: i.Ref, Receiver: i.Receiver, Type: i.Type,
			Note: i.Note, Amount: minor, Currency: currency, Fee: s.o.Fee, at: b.at, steps: steps})
	}
	return b, "", ""
}

func code() string { return rand.Text()[:13] }

// show shows a page of a batch.
func (s *Server) show(r *http.Request, id string) (int, any) {
	at := slices.IndexFunc(s.batches, func(b *batch) bool { return b.id == id })
	if at < 0 {
		return http.StatusNotFound, fault("INVALID_RESOURCE_ID", "Requested resource ID was not found.")
	}
	b := s.batches[at]
	number := func(name string, fallback int) int {
		n, err := strconv.Atoi(r.URL.Query().Get(name))
		if err != nil || n < 1 || n > 1000 {
			return fallback
		}
		return n
	}
	size, page := number("page_size", 1000), number("page", 1)
	sum, fees := int64(0), int64(0)
	items := []any{}
	for n, i := range b.items {
		sum += i.Amount
		fees += i.Fee
		if n >= (page-1)*size && n < page*size {
			items = append(items, s.showItem(b, i))
		}
	}
	return http.StatusOK, map[string]any{"total_items": len(b.items), "total_pages": (len(b.items) + size - 1) / size,
		"batch_header": map[string]any{"payout_batch_id": b.id, "batch_status": s.batchStatus(b),
			"sender_batch_header": map[string]any{"sender_batch_id": b.ref}, "funding_source": "BALANCE",
			"amount": amount(sum, b.currency), "fees": amount(fees, b.currency)}, "items": items}
}

func amount(minor int64, c money.Currency) map[string]any {
	return map[string]any{"value": money.Format(minor, c), "currency": c.Code()}
}

func (s *Server) showItem(b *batch, i *Item) map[string]any {
	status := s.status(b, i)
	shown := map[string]any{"payout_item_id": i.ID, "payout_batch_id": b.id, "transaction_status": status,
		"payout_item_fee": amount(i.Fee, i.Currency), "time_processed": s.o.Now().UTC().Format(time.RFC3339),
		"payout_item": map[string]any{"recipient_type": i.Type, "amount": amount(i.Amount, i.Currency),
			"note": i.Note, "receiver": i.Receiver, "sender_item_id": i.Ref}}
	if status == "DENIED" {
		shown["transaction_status"] = "FAILED"
		return shown
	}
	shown["transaction_id"] = "T" + i.ID
	if status == "UNCLAIMED" {
		shown["errors"] = map[string]any{"name": "RECEIVER_UNREGISTERED", "message": "Receiver is unregistered",
			"details": map[string]any{}}
	}
	return shown
}

// Webhook gives a webhook about a batch as PayPal sends it: event is PAYMENT.PAYOUTSBATCH.SUCCESS, and the like.
func (s *Server) Webhook(at, event, batchID string) (http.Header, []byte) {
	resource := fmt.Sprintf(`{"batch_header": {"payout_batch_id": %q}}`, batchID)
	if strings.HasPrefix(event, "PAYMENT.PAYOUTS-ITEM.") {
		resource = fmt.Sprintf(`{"payout_batch_id": %q, "payout_item_id": "X"}`, batchID)
	}
	// PayPal's own spaces and order are part of what is signed.
	body := fmt.Appendf(nil, `{"id":"WH-%s", "event_type":%q,  "summary":"a < b & c", "resource": %s}`, code(), event,
		resource)
	h := http.Header{}
	h.Set("Paypal-Transmission-Id", "69cd13f0-d67a-11e5-baa3-"+code())
	h.Set("Paypal-Transmission-Time", s.o.Now().UTC().Format(time.RFC3339))
	h.Set("Paypal-Auth-Algo", "SHA256withRSA")
	h.Set("Paypal-Cert-Url", at+"/v1/notifications/certs/CERT-360caa42")
	h.Set("Paypal-Transmission-Sig", sign(h.Get("Paypal-Transmission-Id"), h.Get("Paypal-Transmission-Time"), WebhookID,
		body))
	return h, body
}

func sign(id, at, webhook string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(Secret))
	fmt.Fprintf(mac, "%s|%s|%s|%x", id, at, webhook, sha256.Sum256(body))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// verify says whether a webhook is from here.
func (s *Server) verify(body []byte) (int, any) {
	var in struct {
		ID      string          `json:"transmission_id"`
		At      string          `json:"transmission_time"`
		Sig     string          `json:"transmission_sig"`
		Cert    string          `json:"cert_url"`
		Algo    string          `json:"auth_algo"`
		Webhook string          `json:"webhook_id"`
		Event   json.RawMessage `json:"webhook_event"`
	}
	if json.Unmarshal(body, &in) != nil || in.ID == "" || in.Cert == "" || in.Algo == "" || len(in.Event) == 0 {
		return http.StatusBadRequest, fault("VALIDATION_ERROR", "Invalid request")
	}
	status := "FAILURE"
	if in.Webhook == WebhookID && in.Sig == sign(in.ID, in.At, in.Webhook, in.Event) {
		status = "SUCCESS"
	}
	return http.StatusOK, map[string]any{"verification_status": status}
}
