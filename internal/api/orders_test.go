package api_test

import (
	"bufio"
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

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
	if _, err := o.app.AddStore(ctx, app.NewStore{Platform: set.Store.Platform, Slug: set.Store.Slug, Name: "Recorded",
		Domain: set.Store.Domain, Currency: set.Store.Currency, Timezone: set.Store.Timezone,
		Secret: set.Store.Secret}); err != nil {
		o.Fatal(err)
	}
	if report, err := o.app.Import(ctx, bytes.NewReader(set.CreatorsCSV), false); err != nil || len(report.Errors) > 0 {
		o.Fatal(err, report)
	}
	set.Requests = slices.DeleteFunc(slices.Clone(set.Requests), func(r recordings.Request) bool {
		return r.Header.Get("X-Shopify-Topic") == "shop/redact"
	})
	o.process(set)
	return set
}

// process receives the requests of a set, and processes them.
func (o *office) process(set recordings.Set) {
	o.Helper()
	ctx := o.Context()
	counts, kept := app.NewCounters(o.app.DB, o.app.Now, o.app.Log), &keptQueue{}
	intake := app.NewIntake(o.app.DB, kept, o.app.Log)
	receiver := app.NewReceiver(o.app, intake, counts)
	for _, r := range set.Requests {
		if receipt, err := receiver.Receive(ctx, set.Store.Platform, set.Store.Slug, r.Header,
			r.Body); receipt != app.ReceiptKept || err != nil {
			o.Fatal(r.File, receipt, err)
		}
	}
	intake.Close()
	processor := app.NewProcessor(o.app, counts, 1)
	defer processor.Close()
	if err := processor.Submit(ctx, kept.ids); err != nil {
		o.Fatal(err)
	}
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
		for _, store := range []string{set.Store.Slug, "str_1"} {
			list := o.viewer.call("GET", v1+"/orders?limit=500&store="+store, nil).ok(200)["data"].([]any)
			if len(list) != len(set.Orders) {
				o.Errorf("%d orders of %s, want %d", len(list), store, len(set.Orders))
			}
			o.viewer.call("GET", v1+"/orders/"+store+"/"+credited, nil).ok(200)
			o.viewer.call("GET", v1+"/orders/"+store+"/none", nil).problem(404, "not_found", "")
		}
		for query, field := range map[string]string{"from=soon": "from", "limit=501": "limit", "store=nowhere": "store",
			"campaign=x": "campaign", "creator=x": "creator", "status=lost": "status", "cursor=x": "cursor"} {
			o.viewer.call("GET", v1+"/orders?"+query, nil).problem(422, "invalid", field)
		}
		for _, path := range []string{"stores/none/orders", "orders/none/" + credited} {
			o.viewer.call("GET", v1+"/"+path, nil).problem(404, "not_found", "")
		}

		replayed := 0.0
		for _, row := range o.viewer.call("GET", v1+"/deliveries?state=done", nil).ok(200)["data"].([]any) {
			replayed += o.owner.call("POST", v1+"/deliveries/"+row.(object)["id"].(string)+"/replay",
				nil).ok(200)["replayed"].(float64)
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
			if got := o.viewer.call("GET", v1+"/"+list+"/"+first["id"].(string),
				nil).ok(200); got["id"] != first["id"] {
				o.Errorf("%s: %v", list, got)
			}
		}
	})
}

// same reports the fields in which two objects differ.
func (o *office) same(what string, got, want object) {
	o.Helper()
	fields := maps.Clone(want)
	maps.Copy(fields, got)
	for field := range fields {
		g, one := got[field]
		w, other := want[field]
		if one != other || !reflect.DeepEqual(g, w) {
			o.Errorf("%s: %s is %v (%v), elsewhere %v (%v)", what, field, g, one, w, other)
		}
	}
}

// TestAPI_one_shape: whatever shows an order shows the same of it, and so does whatever shows a conversion. What only
// refers to an order names it in one way.
func TestAPI_one_shape(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		ben := v1 + "/conversions/" + o.conversionOf("#10")["id"].(string)
		o.manager.call("POST", ben+"/reject", object{"reason": "a test"}).ok(200)
		o.trade()
		get := func(path string) object { return o.viewer.call("GET", v1+path, nil).ok(200) }
		conversions := map[string]object{}
		for _, c := range o.viewer.everything(v1 + "/conversions?include=former") {
			conversions[c["id"].(string)] = c
			o.same("read", get("/conversions/"+c["id"].(string)), c)
		}
		for _, campaign := range []string{"cmp_1", "cmp_2", "cmp_3", "cmp_4"} {
			for _, c := range o.viewer.everything(v1 + "/campaigns/" + campaign + "/conversions?include=former") {
				o.same("of a campaign", c, conversions[c["id"].(string)])
			}
		}

		orders, refs, credited := o.viewer.everything(v1+"/orders"), map[any]object{}, 0
		for _, order := range orders {
			ref := object{}
			for _, field := range []string{"id", "store", "external_id", "number"} {
				ref[field] = order[field]
			}
			refs[order["id"]] = ref
			path := "/orders/" + order["store"].(string) + "/" + order["external_id"].(string)
			o.same(path, get(path), order)
			o.same(path+"/trace", get(path + "/trace")["order"].(object), ref)
			c, _ := order["conversion"].(object)
			if (c == nil) != (order["not_credited"] != nil) {
				o.Errorf("%s: conversion %v, not credited %v", path, c, order["not_credited"])
			}
			if c != nil {
				credited++
				o.same("of "+path, c, conversions[c["id"].(string)])
			}
		}
		if len(conversions) < 8 || credited != len(conversions) {
			o.Errorf("%d orders are credited, and there are %d conversions", credited, len(conversions))
		}
		for _, store := range []string{"shop", "shopify-dev"} {
			mine := slices.DeleteFunc(slices.Clone(orders), func(order object) bool { return order["store"] != store })
			if got := o.viewer.everything(v1 + "/stores/" + store + "/orders"); !reflect.DeepEqual(got, mine) {
				o.Errorf("the orders of %s are %v, want %v", store, got, mine)
			}
		}

		ids := slices.Collect(maps.Keys(conversions))
		decision := object{"ids": ids, "decision": "reject"}
		rejected := o.manager.call("POST", v1+"/conversions/decisions", decision).ok(200)["data"].([]any)
		for i, row := range rejected {
			c, path := row.(object), "/conversions/"+ids[i]
			order := c["order"].(object)
			found := get("/orders/" + order["store"].(string) + "/" + order["external_id"].(string))
			o.same("rejected", c, get(path))
			o.same("rejected, of its order", c, found["conversion"].(object))
			undone := o.manager.call("POST", v1+path+"/undo", nil).ok(200)
			o.same("undone", undone, get(path))
		}

		o.seen(1, "11", "LATE", 1000, "USD", seenAt)
		o.seen(1, "12", "NOBODY", 1000, "USD", seenAt)
		o.manager.call("POST", v1+"/codes", object{"offer_member": "ofm_1", "store": "shop", "code": "late"}).ok(201)
		for _, number := range []string{"11", "12"} {
			order := get("/orders/shop/" + number)
			ref := object{"id": order["id"], "store": "shop", "external_id": number, "number": "#" + number}
			refs[order["id"]] = ref
		}
		preview := o.manager.call("POST", v1+"/reattributions", object{}).ok(200)["orders"].([]any)
		assign := object{"store": "str_1", "code": "nobody", "offer_member": "ofm_1", "preview": true}
		assigned := o.manager.call("POST", v1+"/unowned-codes/assign", assign).ok(200)["credited"].(object)
		lists := map[string][]any{"reattributions": preview, "assign": assigned["first"].([]any)}
		for _, path := range []string{"/ledger?", "/deliveries?", "/unowned-codes?", "/creators/cre_1/statement?"} {
			lists[path] = get(path + "limit=500")["data"].([]any)
		}
		for what, list := range lists {
			named := 0
			for _, row := range list {
				for _, field := range []string{"order", "newest_order"} {
					if ref, _ := row.(object)[field].(object); ref != nil && refs[ref["id"]] != nil {
						o.same(what, ref, refs[ref["id"]])
						named++
					}
				}
			}
			if named == 0 {
				o.Errorf("%s: no order is named in %v", what, list)
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
		began := time.Now()
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
				// What is published before the hub has subscribed is lost: it is told again until something is heard.
				go func() {
					for !o.hub.HeardSince(began) && ctx.Err() == nil {
						o.hub.Publish([]affiliate.Change{{Store: 1, Order: 2, Campaign: 3}, {Store: 4},
							{Store: 1, Order: 5}})
						time.Sleep(2 * time.Second)
					}
				}()
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
