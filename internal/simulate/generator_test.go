package simulate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"testing"
	"time"

	shopifysource "github.com/tributaryhq/tributary/integrations/shopify"
	woosource "github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
)

func testPlan(p affiliate.Platform, orders int) Plan {
	return Plan{Platform: p, Store: "shop", Secret: "secret", Orders: orders, Duplicates: 5, Shuffle: 50, Seed: 1,
		Now: time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC), MinSize: 2000, MaxSize: 20_000, Currency: "USD",
		Owners: DefaultOwners(20)}
}

func all(p Plan) (requests [][]byte, expected []Expected) {
	g := NewGenerator(p)
	for r := g.Next(); r != nil; r = g.Next() {
		requests = append(requests, r)
	}
	return requests, g.Expected()
}

// verifier is the part of a platform that the tests need.
type verifier interface {
	Verify(secrets [][]byte, h http.Header, body []byte) bool
	Topic(h http.Header) string
	Parse(topic string, body []byte) (affiliate.Parsed, error)
}

var platforms = map[affiliate.Platform]verifier{shopifysource.Name: shopifysource.Platform{},
	woosource.Name: woosource.Platform{}}

// The generator keeps its books by itself; merging what it sends must come to the same.
func TestGenerator_books(t *testing.T) {
	for name, platform := range platforms {
		t.Run(string(name), func(t *testing.T) {
			requests, expected := all(testPlan(name, 1000))
			states := map[string]affiliate.OrderState{}
			for _, request := range requests {
				for _, e := range parse(t, platform, request).Events {
					states[e.OrderID] = states[e.OrderID].Merge(e)
				}
			}
			if len(expected) != 1000 {
				t.Fatalf("%d orders in the books, want 1000", len(expected))
			}
			for _, want := range expected {
				v, ok := states[want.ID].View(affiliate.OrderRules{})
				got := Expected{ID: want.ID, Status: string(v.Status), Value: v.Value, OriginalValue: v.OriginalValue,
					Total: v.Total, Refunded: v.Refunded, Test: v.Test, Owner: want.Owner, Method: want.Method,
					NotCredited: want.NotCredited, Commission: want.Commission}
				if !ok || got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
			}
		})
	}
}

func parse(t *testing.T, platform verifier, request []byte) affiliate.Parsed {
	t.Helper()
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil || !json.Valid(body) {
		t.Fatalf("not JSON (%v): %s", err, body)
	}
	if !platform.Verify([][]byte{[]byte("secret")}, r.Header, body) {
		t.Fatalf("the signature does not fit: %s", request)
	}
	parsed, err := platform.Parse(platform.Topic(r.Header), body)
	if err != nil || parsed.Ignored != "" || parsed.Warning != "" {
		t.Fatalf("parse: %v %+v\n%s", err, parsed, request)
	}
	return parsed
}

func TestGenerator_same_seed_same_deliveries(t *testing.T) {
	for name := range platforms {
		one, _ := all(testPlan(name, 200))
		two, _ := all(testPlan(name, 200))
		if !slices.EqualFunc(one, two, bytes.Equal) {
			t.Errorf("%s: two runs of one plan differ", name)
		}
	}
}

func TestLoopbackAddress(t *testing.T) {
	for address, want := range map[string]string{
		"http://127.0.0.1:8080": "127.0.0.1:8080", "http://localhost:9000/": "127.0.0.1:9000", "http://[::1]:80": "[::1]:80", "http://127.0.0.1": "127.0.0.1:80",
		"http://192.168.1.4:80": "", "http://shop.example": "", "https://127.0.0.1": "", "http://0.0.0.0:80": "", "http://127.0.0.1.shop.example": "", "": "",
	} {
		got, err := LoopbackAddress(address)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("LoopbackAddress(%q) = %q, %v; want %q", address, got, err, want)
		}
	}
}
