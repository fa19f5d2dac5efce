package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// bazaar is a platform that does not exist. Its deliveries are signed in a way of their own, and some only name their
// order, which is then read from the store.
type bazaar struct{ client *http.Client }

func (bazaar) Guide() *affiliate.Guide {
	return &affiliate.Guide{
		Platform:     "bazaar",
		Name:         "Bazaar",
		Admin:        "Bazaar",
		WebhooksMenu: "Stall > Messengers",
		Topics: []affiliate.Topic{{Name: "sold", Label: "Something is sold"},
			{Name: "changed", Label: "A sale changes", Occasion: "somebody haggles"}},
		Steps: []affiliate.Marked{
			"In {admin} open [Stall > Messengers] and hire one for each: {topics}.",
			"Tell each the address {url}. The word to sign with is {secret}.",
			"Press [Try]. {seen}.",
		},
		Resending: "Bazaar does not send again what it could not deliver",
	}
}

const bazaarSeal, bazaarTopic = "Bazaar-Seal", "Bazaar-Topic"

func sealOfBazaar(secret, body []byte) string {
	mac := hmac.New(sha512.New, secret)
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func (bazaar) Verify(secrets [][]byte, h http.Header, body []byte) bool {
	for _, secret := range secrets {
		if hmac.Equal([]byte(sealOfBazaar(secret, body)), []byte(h.Get(bazaarSeal))) {
			return true
		}
	}
	return false
}

func (bazaar) Unsigned(http.Header, []byte) bool { return false }
func (bazaar) Topic(h http.Header) string        { return h.Get(bazaarTopic) }
func (bazaar) Shop(http.Header) string           { return "" }
func (bazaar) KeptHeaders() []string             { return []string{bazaarSeal, bazaarTopic} }
func (bazaar) Triggered(http.Header) time.Time   { return time.Time{} }

func (bazaar) Key(h http.Header, body []byte) [16]byte {
	sum := sha512.Sum512([]byte(h.Get(bazaarTopic) + "\x00" + string(body)))
	return [16]byte(sum[:16])
}

// bazaarSale is an order as bazaar tells it; a delivery that only names one has nothing but its id.
type bazaarSale struct {
	ID      string
	Number  string
	Placed  time.Time
	Changed time.Time
	Goods   string
	Paid    bool
	Word    string // the coupon code
}

func (bazaar) Parse(_ string, body []byte) (affiliate.Parsed, error) {
	var s bazaarSale
	if err := json.Unmarshal(body, &s); err != nil {
		return affiliate.Parsed{}, affiliate.FieldErrorf("body", "is no sale: %v", err)
	}
	if s.Number == "" {
		return affiliate.Parsed{Fetch: s.ID}, nil
	}
	goods, err := money.Parse(s.Goods, "EUR")
	if err != nil {
		return affiliate.Parsed{}, affiliate.FieldErrorf("Goods", "%v", err)
	}
	snapshot := &affiliate.Snapshot{Version: s.Changed.UnixMilli(), Number: s.Number, PlacedAt: s.Placed,
		Currency: "EUR", Status: affiliate.StorePending, RawStatus: "haggling", Total: goods, Merchandise: goods,
		Codes: []string{s.Word}, Hash: string(body)}
	if s.Paid {
		snapshot.Status, snapshot.RawStatus, snapshot.PaymentDate, snapshot.Captured = affiliate.StorePaid, "sold",
			true, goods
	}
	return affiliate.Parsed{Events: []affiliate.Event{{OrderID: s.ID, Snapshot: snapshot}}}, nil
}

// Fetch reads a sale from the stall itself.
func (b bazaar) Fetch(ctx context.Context, store affiliate.Store, order string) (affiliate.Parsed, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+store.Domain+"/sales/"+order, nil)
	if err != nil {
		return affiliate.Parsed{}, err
	}
	response, err := b.client.Do(request)
	if err != nil {
		return affiliate.Parsed{}, err
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound:
		return affiliate.Parsed{}, affiliate.Errorf(affiliate.NotFound, "the stall has no sale %s", order)
	default:
		return affiliate.Parsed{}, fmt.Errorf("the stall answers %s", response.Status)
	}
	var body json.RawMessage
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		return affiliate.Parsed{}, err
	}
	return b.Parse("", body)
}
