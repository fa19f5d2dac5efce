package app_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/internal/app"
)

// TestReceiver_firstRequestsAtOnce_race: whoever asks while somebody else looks at the stores for the first time is
// told the truth, too: a store that answers 404 once in a while loses deliveries.
func TestReceiver_firstRequestsAtOnce_race(t *testing.T) {
	eachRig(t, func(r *rig) {
		for range 150 {
			receiver := app.NewReceiver(r.app, r.intake, app.NewCounters(r.db, time.Now, r.app.Log))
			var all sync.WaitGroup
			for n := range 16 {
				all.Go(func() {
					time.Sleep(time.Duration(n) * 40 * time.Microsecond) // some of them while the look ends
					known, err := receiver.Knows(r.Context(), shopify.Name, "shop", http.Header{})
					if err != nil || !known {
						r.Errorf("a connected store is known: %t, %v", known, err)
					}
				})
			}
			all.Wait()
			if r.Failed() {
				return
			}
		}
	})
}
