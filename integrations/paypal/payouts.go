package paypal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Lengths that the API takes, in characters.
const (
	mostSubject  = 255
	mostReceiver = 127
	mostNote     = 1000
	pageSize     = 1000
	mostPages    = 1000
)

type batchRequest struct {
	Header senderHeader  `json:"sender_batch_header"`
	Items  []itemRequest `json:"items"`
}

type senderHeader struct {
	ID      string `json:"sender_batch_id"`
	Subject string `json:"email_subject,omitempty"`
}

type itemRequest struct {
	RecipientType string `json:"recipient_type"`
	Receiver      string `json:"receiver"`
	Amount        amount `json:"amount"`
	Note          string `json:"note,omitempty"`
	ID            string `json:"sender_item_id"`
}

type amount struct {
	Value    string `json:"value"`
	Currency string `json:"currency"`
}

// minor gives an amount in minor units of its currency; no currency where it is none.
func (a amount) minor() (int64, money.Currency) {
	currency, err := money.ParseCurrency(a.Currency)
	if err != nil {
		return 0, ""
	}
	n, err := money.Parse(a.Value, currency)
	if err != nil {
		return 0, ""
	}
	return n, currency
}

// Send asks to pay the payments of a part as one batch: see app.PayoutProvider. PayPal keeps a sender_batch_id for 30
// days, in which the same one is refused with a link to the first batch, and one that met a 5xx is paid once.
func (c *Client) Send(ctx context.Context, part affiliate.PaymentFile) (id string, err error) {
	body, err := request(part)
	if err != nil {
		return "", err
	}
	a, err := c.do(ctx, http.MethodPost, "/v1/payments/payouts", body,
		map[string]string{"PayPal-Request-Id": part.Reference})
	if err != nil {
		return "", err
	}
	if a.status == http.StatusCreated || a.status == http.StatusOK || a.status == http.StatusAccepted {
		var made batch
		if err := json.Unmarshal(a.body, &made); err != nil || made.Header.ID == "" {
			return "", fmt.Errorf("PayPal has answered %d without a payout_batch_id", a.status)
		}
		return made.Header.ID, nil
	}
	err = a.judge()
	if said := (*affiliate.ProviderError)(nil); errors.As(err, &said) && said.Known != "" {
		return "", c.adopt(ctx, said, part)
	}
	return "", err
}

// request writes the body of a part: the same bytes each time.
func request(part affiliate.PaymentFile) ([]byte, error) {
	b := batchRequest{Header: senderHeader{ID: part.Reference,
		Subject: clip("You have a payout from "+part.Payer.Name, mostSubject)}}
	for _, p := range part.Payments {
		item := itemRequest{RecipientType: "EMAIL", Receiver: p.Details.Email, ID: p.Ref, Note: clip(p.Note, mostNote),
			Amount: amount{money.Format(p.Amount, p.Currency), p.Currency.Code()}}
		if p.Details.PayPalID != "" {
			item.RecipientType, item.Receiver = "PAYPAL_ID", p.Details.PayPalID
		}
		if item.Receiver == "" || len(item.Receiver) > mostReceiver {
			// The others of the part shall not fail with it: it waits until a person has taken this one out.
			return nil, &affiliate.ProviderError{Words: fmt.Sprintf("the payment details of %s have no address of "+
				"PayPal of at most %d characters: mark it as failed, and the others are sent", p.Ref, mostReceiver)}
		}
		b.Items = append(b.Items, item)
	}
	return json.Marshal(b)
}

// clip cuts a text to so many characters, in one line.
func clip(s string, most int) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	return string(r[:min(len(r), most)])
}

// adopt proves that a batch that PayPal has is the one that was to be sent: it has our reference, and each payment, as
// far as they can be read already. It gives the error that names the batch, or one that keeps it from being taken.
func (c *Client) adopt(ctx context.Context, said *affiliate.ProviderError, part affiliate.PaymentFile) error {
	first, err := c.read(ctx, said.Known)
	if err != nil {
		return fmt.Errorf("PayPal has a batch of this reference, which cannot be read: %w", plain(err))
	}
	if got := first.Header.Sender.ID; got != part.Reference {
		return fmt.Errorf("PayPal leads from the reference %s to a batch of another one", part.Reference)
	}
	has := make(map[string]affiliate.PaymentResult, len(first.Items))
	for _, item := range first.Items {
		r := item.result()
		has[r.Ref] = r
	}
	sum := int64(0)
	for _, p := range part.Payments {
		sum += p.Amount
		r, listed := has[p.Ref]
		if listed && (r.Amount != p.Amount || r.Currency != p.Currency) || !listed && first.whole() {
			return fmt.Errorf("the batch that PayPal has of %s does not have %s as it is here: compare them",
				part.Reference, p.Ref)
		}
	}
	if n, currency := first.Header.Amount.minor(); currency != "" && (currency != part.Currency || n < sum) {
		return fmt.Errorf("the batch that PayPal has of %s is of %s %s, and here it is of %s: compare them",
			part.Reference, first.Header.Amount.Value, first.Header.Amount.Currency, money.Format(sum, part.Currency))
	}
	return &affiliate.ProviderError{Words: said.Words, Known: said.Known}
}

// plain keeps an error from being taken for one of the request that it was in the course of.
func plain(err error) error { return errors.New(err.Error()) }

// batch is what PayPal has of a part.
type batch struct {
	Header struct {
		ID     string       `json:"payout_batch_id"`
		Status string       `json:"batch_status"`
		Sender senderHeader `json:"sender_batch_header"`
		Amount amount       `json:"amount"`
		Fees   amount       `json:"fees"`
	} `json:"batch_header"`
	Pages int    `json:"total_pages"`
	Total int    `json:"total_items"`
	Items []item `json:"items"`
}

// whole says whether all items are listed.
func (b batch) whole() bool { return b.Total > 0 && len(b.Items) >= b.Total }

type item struct {
	ID          string `json:"payout_item_id"`
	Transaction string `json:"transaction_id"`
	Status      string `json:"transaction_status"`
	Fee         amount `json:"payout_item_fee"`
	Item        struct {
		Amount   amount `json:"amount"`
		Receiver string `json:"receiver"`
		ID       string `json:"sender_item_id"`
		Name     string `json:"recipient_name"`
	} `json:"payout_item"`
	Processed time.Time       `json:"time_processed"`
	Errors    json.RawMessage `json:"errors"`
}

// UnmarshalJSON takes a time that is none for one that is not said.
func (i *item) UnmarshalJSON(text []byte) error {
	type bare item
	var at struct {
		*bare
		Processed string `json:"time_processed"`
	}
	at.bare = (*bare)(i)
	if err := json.Unmarshal(text, &at); err != nil {
		return err
	}
	i.Processed, _ = time.Parse(time.RFC3339, at.Processed)
	return nil
}

// read reads a batch with all its pages.
func (c *Client) read(ctx context.Context, id string) (all batch, err error) {
	for page := 1; page <= mostPages; page++ {
		query := url.Values{"page": {fmt.Sprint(page)}, "page_size": {fmt.Sprint(pageSize)}, "total_required": {"true"}}
		a, err := c.do(ctx, http.MethodGet, "/v1/payments/payouts/"+url.PathEscape(id)+"?"+query.Encode(), nil, nil)
		if err != nil {
			return all, err
		}
		if a.status != http.StatusOK {
			return all, a.judge()
		}
		var b batch
		if err := json.Unmarshal(a.body, &b); err != nil {
			return all, errors.New("PayPal's answer about a batch cannot be read")
		}
		if b.Header.ID != id {
			return all, errors.New("PayPal has answered about another batch")
		}
		items := append(all.Items, b.Items...)
		all, all.Items = b, items
		if page >= b.Pages || len(b.Items) == 0 {
			break
		}
	}
	return all, nil
}

// Results says what became of a batch. That it is done says nothing of its items.
func (c *Client) Results(ctx context.Context, id string) (affiliate.PartResults, error) {
	b, err := c.read(ctx, id)
	if err != nil {
		return affiliate.PartResults{}, err
	}
	var r affiliate.PartResults
	switch b.Header.Status {
	case "SUCCESS":
	case "DENIED":
		r.Denied = "PayPal denied all of it, as it does where the balance does not cover amounts and fees"
	case "CANCELED":
		r.Denied = "it was canceled at PayPal"
	default: // PENDING, PROCESSING, and what there may be besides
		r.Working = true
	}
	r.Fee, r.FeeCurrency = b.Header.Fees.minor()
	for _, i := range b.Items {
		r.Payments = append(r.Payments, i.result())
	}
	return r, nil
}

// states are those of an item by its transaction_status.
var states = map[string]affiliate.PayoutState{
	"SUCCESS":   affiliate.PayoutPaid,
	"PENDING":   affiliate.PayoutPending,
	"ONHOLD":    affiliate.PayoutPending,
	"UNCLAIMED": affiliate.PayoutUnclaimed,
	"RETURNED":  affiliate.PayoutReturned,
	"REFUNDED":  affiliate.PayoutReturned,
	"REVERSED":  affiliate.PayoutReturned,
	"BLOCKED":   affiliate.PayoutFailed,
	"FAILED":    affiliate.PayoutFailed,
}

// words say what a state means where PayPal says nothing itself.
var words = map[string]string{
	"ONHOLD":    "PayPal reviews it",
	"UNCLAIMED": "the recipient has 30 days to accept it",
	"RETURNED":  "it was not accepted, and came back",
	"REFUNDED":  "the recipient gave it back",
	"REVERSED":  "PayPal took it back",
	"BLOCKED":   "PayPal blocked it",
	"FAILED":    "PayPal could not pay it",
}

func (i item) result() affiliate.PaymentResult {
	r := affiliate.PaymentResult{Ref: i.Item.ID, Destination: i.Item.Receiver, Name: i.Item.Name,
		State: states[i.Status],
		Words: words[i.Status], ProviderRef: cmp.Or(i.Transaction, i.ID), At: i.Processed}
	if r.State == "" {
		r.State, r.Words = affiliate.PayoutPending, clean("PayPal says "+affiliate.Clip(i.Status, 40))
	}
	r.Amount, r.Currency = i.Item.Amount.minor()
	r.Fee, r.FeeCurrency = i.Fee.minor()
	var p problem
	if json.Unmarshal(i.Errors, &p) == nil && r.State != affiliate.PayoutPaid {
		if said := p.words(); said != "" {
			r.Words = said
		}
	}
	return r
}
