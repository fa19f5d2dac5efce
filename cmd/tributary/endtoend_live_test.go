package main

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
)

// TestLiveDeliveries_race: open pages hear of a store whose delivery was turned away, though nothing of it is kept.
func TestLiveDeliveries_race(t *testing.T) {
	t.Parallel()
	eachBackend(t, func(t *testing.T, env environment) {
		shop := allSets(t)[0]
		token := env.setUpStores(t, allSets(t))
		s := env.start(t)
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/api/v1/live", nil)
		ok(t, err)
		r.Header.Set("Authorization", "Bearer "+token)
		stream, err := http.DefaultClient.Do(r)
		ok(t, err)
		defer stream.Body.Close()
		forged := signedShopify(shop.Store, "forged", "orders/paid", []byte(`{"id":1}`))
		forged.Body = []byte(`{"id":2}`)
		client, event := s.client(t, token), ""
		for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
			switch name, value, _ := strings.Cut(lines.Text(), ": "); name {
			case "retry":
				status, err := client.Send(ctx, forged)
				if ok(t, err); status != http.StatusUnauthorized {
					t.Fatalf("a forged delivery was answered %d", status)
				}
			case "event":
				event = value
			case "data":
				if event != "deliveries" || value != `[{"store":"str_1"}]` {
					t.Errorf("heard %s of %s, want deliveries of the one store", event, value)
				}
				return
			}
		}
		t.Error("no event came")
	})
}
