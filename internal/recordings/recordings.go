// Package recordings makes the recorded deliveries of both platforms ready to be sent to a running server, and compares
// what its API answers with what must come out of them. The demo and the end-to-end tests share it; the server does not
// need it. The recordings themselves live beside their integrations.
package recordings

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"net/http"

	"github.com/tributaryhq/tributary/integrations/shopify"
	shopifyrecordings "github.com/tributaryhq/tributary/integrations/shopify/recordings"
	woorecordings "github.com/tributaryhq/tributary/integrations/woocommerce/recordings"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

// Set is all that was recorded of one store.
type Set struct {
	Store       Store
	Requests    []Request // in the order in which the store sent them
	Orders      []Expected
	NotOrders   []NotOrder
	CreatorsCSV []byte // who owns which code and link, in the import format
}

// Store is how the recorded store must be connected.
type Store struct {
	Platform affiliate.Platform `json:"platform"`
	Slug     string             `json:"slug_suggestion"`
	Domain   string             `json:"domain"`
	Currency string             `json:"currency"`
	Timezone string             `json:"timezone"`
	Secret   string             `json:"webhook_secret"`
}

// Request is one delivery as it goes over the wire.
type Request struct {
	Store   Store
	File    string
	Header  http.Header // with the signature; pings have none
	Body    []byte      // byte for byte
	OrderID string      // the order it is about; empty when it is about none
}

// Path is where the request is sent to.
func (r Request) Path() string { return "/webhooks/" + string(r.Store.Platform) + "/" + r.Store.Slug }

// NotOrder is a recording that describes no order.
type NotOrder struct {
	File       string `json:"file"`
	ExternalID string `json:"external_id"` // what an order would be called; empty where there is nothing to look for
	Reason     string `json:"reason"`
}

// All gives the recordings of Shopify, then those of WooCommerce.
func All() ([]Set, error) {
	s, err := ofShopify()
	if err != nil {
		return nil, fmt.Errorf("recordings of Shopify: %w", err)
	}
	w, err := ofWooCommerce()
	if err != nil {
		return nil, fmt.Errorf("recordings of WooCommerce: %w", err)
	}
	return []Set{s, w}, nil
}

// ofShopify signs the bodies with the store's secret: they were found without their signatures.
func ofShopify() (Set, error) {
	set, err := expectations(shopifyrecordings.Expected(), shopifyrecordings.CreatorsCSV())
	if err != nil {
		return set, err
	}
	deliveries, err := shopifyrecordings.Deliveries()
	for _, d := range deliveries {
		d.Header.Set("X-Shopify-Hmac-Sha256", shopify.Sign([]byte(set.Store.Secret), d.Body))
		set.Requests = append(set.Requests, Request{Store: set.Store, File: d.File, Header: d.Header, Body: d.Body,
			OrderID: d.OrderID})
	}
	return set, err
}

// ofWooCommerce leaves everything as it was recorded, signatures included.
func ofWooCommerce() (Set, error) {
	set, err := expectations(woorecordings.Expected(), woorecordings.CreatorsCSV())
	if err != nil {
		return set, err
	}
	deliveries, err := woorecordings.Deliveries()
	for _, d := range deliveries {
		set.Requests = append(set.Requests, Request{Store: set.Store, File: d.File, Header: d.Header, Body: d.Body,
			OrderID: d.OrderID})
	}
	return set, err
}

func expectations(expected, creators []byte) (Set, error) {
	var e struct {
		Store     Store      `json:"store"`
		Orders    []Expected `json:"orders"`
		NotOrders []NotOrder `json:"not_orders"`
	}
	if err := json.Unmarshal(expected, &e); err != nil {
		return Set{}, fmt.Errorf("read expected.json: %w", err)
	}
	return Set{Store: e.Store, Orders: e.Orders, NotOrders: e.NotOrders, CreatorsCSV: creators}, nil
}

// Repeated gives the requests with every n-th of them a second time, a little later.
func Repeated(list []Request, n int) []Request {
	const later = 3
	var out []Request
	for i, r := range list {
		out = append(out, r)
		if j := i - later; j >= 0 && j%n == 0 {
			out = append(out, list[j])
		}
	}
	return out
}

// Shuffled gives the requests, some of them more than once, in an order that only the seed decides and in which those
// of one order keep theirs: stores stamp whole seconds, and of two bodies with one stamp the later one to come in
// counts.
func Shuffled(list []Request, seed uint64) []Request {
	random := rand.New(rand.NewPCG(seed, seed))
	byOrder := map[string][]Request{}
	var orders []string // one entry per request
	for _, r := range list {
		order := r.Order()
		byOrder[order] = append(byOrder[order], r)
		orders = append(orders, order)
	}
	random.Shuffle(len(orders), func(i, j int) { orders[i], orders[j] = orders[j], orders[i] })
	var out []Request
	for _, order := range orders {
		next := byOrder[order][0]
		byOrder[order] = byOrder[order][1:]
		out = append(out, next)
		for random.IntN(3) == 0 {
			out = append(out, out[random.IntN(len(out))]) // again, which changes nothing
		}
	}
	return out
}

// ByConnection deals requests out to connections, so that those of one order stay in their order on one of them.
func ByConnection(list []Request, connections int) [][]Request {
	dealt := make([][]Request, connections)
	for _, r := range list {
		i := r.Connection(connections)
		dealt[i] = append(dealt[i], r)
	}
	return dealt
}

// Connection chooses one of some connections, the same for all requests of an order.
func (r Request) Connection(connections int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(r.Order()))
	return int(h.Sum32() % uint32(connections))
}

// Order names the order that the request is about, among those of all stores; requests about none share a name.
func (r Request) Order() string { return r.Path() + " " + r.OrderID }
