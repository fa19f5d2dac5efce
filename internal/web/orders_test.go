package web_test

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/recordings"
)

// keptQueue remembers the deliveries that a worker is woken for.
type keptQueue struct {
	mu  sync.Mutex
	ids []affiliate.DeliveryID
}

func (q *keptQueue) Wake(_ context.Context, ids []affiliate.DeliveryID) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ids = append(q.ids, ids...)
	return nil
}

// trade connects the recorded Shopify store with its creators and processes what was recorded of it, except the shop's
// wish that all bodies be erased.
func (o *office) trade() recordings.Set {
	o.Helper()
	sets, err := recordings.All()
	if err != nil {
		o.Fatal(err)
	}
	set := sets[0]
	ctx := app.As(o.Context(), affiliate.Principal{Name: "test", Role: affiliate.RoleOwner})
	if _, err := o.app.AddStore(ctx, app.NewStore{Platform: set.Store.Platform, Slug: set.Store.Slug, Name: "Recorded", Domain: set.Store.Domain,
		Currency: set.Store.Currency, Timezone: set.Store.Timezone, Secret: set.Store.Secret}); err != nil {
		o.Fatal(err)
	}
	if report, err := o.app.Import(ctx, bytes.NewReader(set.CreatorsCSV), false); err != nil || len(report.Errors) > 0 {
		o.Fatal(err, report)
	}
	counts, kept := app.NewCounters(o.app.DB, o.app.Now, o.app.Log), &keptQueue{}
	intake := app.NewIntake(o.app.DB, kept, o.app.Log)
	receiver := app.NewReceiver(o.app, intake, counts)
	for _, r := range set.Requests {
		if r.Header.Get("X-Shopify-Topic") == "shop/redact" {
			continue
		}
		if receipt, err := receiver.Receive(ctx, set.Store.Platform, set.Store.Slug, r.Header, r.Body); receipt != app.ReceiptKept || err != nil {
			o.Fatal(r.File, receipt, err)
		}
	}
	intake.Close()
	processor := app.NewProcessor(o.app, counts, 1)
	defer processor.Close()
	if err := processor.Submit(ctx, kept.ids); err != nil {
		o.Fatal(err)
	}
	return set
}

// TestAPI_orders: an order is read by its store and number, with its trace; deliveries can be processed again.
func TestAPI_orders(t *testing.T) {
	eachOffice(t, func(o *office) {
		set := o.trade()
		credited := ""
		for _, want := range set.Orders {
			path := v1 + "/orders/" + set.Store.Slug + "/" + want.ExternalID
			got := o.viewer.call("GET", path, nil).ok(200)
			if got["external_id"] != want.ExternalID || got["store"] != set.Store.Slug {
				o.Errorf("order: %v", got)
			}
			if trace := o.viewer.call("GET", path+"/trace", nil).ok(200); len(trace["sentences"].([]any)) == 0 {
				o.Errorf("trace: %v", trace)
			}
			if c, _ := got["conversion"].(object); c != nil {
				credited = want.ExternalID
			}
		}
		if credited == "" {
			o.Error("no order is credited")
		}
		if got := o.viewer.call("GET", v1+"/orders?limit=200&store="+set.Store.Slug, nil).ok(200); len(got["data"].([]any)) != len(set.Orders) {
			o.Errorf("%d orders, want %d", len(got["data"].([]any)), len(set.Orders))
		}
		o.viewer.call("GET", v1+"/orders/"+set.Store.Slug+"/none", nil).problem(404, "not_found", "")
		o.viewer.call("GET", v1+"/orders?from=soon", nil).problem(422, "invalid", "from")

		replayed := 0.0
		for _, row := range o.viewer.call("GET", v1+"/deliveries?state=done", nil).ok(200)["data"].([]any) {
			replayed += o.manager.call("POST", v1+"/deliveries/"+row.(object)["id"].(string)+"/replay", nil).ok(200)["replayed"].(float64)
		}
		if replayed == 0 { // some have lost their body: a store wanted its customers' data erased
			o.Error("no delivery could be replayed")
		}
		if got := o.manager.call("POST", v1+"/reattributions", object{}).ok(200); got["applied"] != false {
			o.Errorf("preview: %v", got)
		}
		o.viewer.call("POST", v1+"/reattributions", object{"apply": true}).problem(403, "forbidden", "")
		for _, list := range []string{"codes", "offers"} {
			first := o.viewer.call("GET", v1+"/"+list, nil).ok(200)["data"].([]any)[0].(object)
			if got := o.viewer.call("GET", v1+"/"+list+"/"+first["id"].(string), nil).ok(200); got["id"] != first["id"] {
				o.Errorf("%s: %v", list, got)
			}
		}
	})
}

// TestAPI_live: what is published reaches those who listen, as events: one of the orders, one of the stores whose
// deliveries changed.
func TestAPI_live(t *testing.T) {
	eachOffice(t, func(o *office) {
		ctx, cancel := context.WithCancel(o.Context())
		defer cancel()
		go o.hub.Run(ctx)
		server := httptest.NewServer(o.viewer.handler)
		defer server.Close()
		o.nobody.call("GET", v1+"/live", nil).problem(401, "unauthenticated", "")

		r, err := http.NewRequestWithContext(ctx, "GET", server.URL+v1+"/live", nil)
		if err != nil {
			o.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+o.viewer.token)
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			o.Fatal(err)
		}
		defer answer.Body.Close()
		conform(o.T, o.viewer.handler, "GET", v1+"/live", answer.StatusCode, answer.Header, nil)
		lines, want := bufio.NewScanner(answer.Body), []string{"event: orders", `data: [{"store":"str_1","order":"ord_2","campaign":"cmp_3"},{"store":"str_1","order":"ord_5"}]`, "",
			"event: deliveries", `data: [{"store":"str_4"}]`, ""}
		begun := false
		for lines.Scan() {
			switch line := lines.Text(); {
			case strings.HasPrefix(line, "retry:"):
				o.hub.Publish([]affiliate.Change{{Store: 1, Order: 2, Campaign: 3}, {Store: 4}, {Store: 1, Order: 5}})
			case strings.HasPrefix(line, "event:") || begun:
				begun = true
				if line != want[0] {
					o.Errorf("got %q, want %q", line, want[0])
				}
				if want = want[1:]; len(want) == 0 {
					return
				}
			}
		}
		o.Errorf("no event came: %v", lines.Err())
	})
}
