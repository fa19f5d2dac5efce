package api_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// rhythmic keeps counts of a store that sent three deliveries an hour for four weeks, one topic only, until the app's
// clock, and gives its id.
func (o *office) rhythmic() affiliate.StoreID {
	o.Helper()
	store := storeID(o, o.owner.call("POST", v1+"/stores", object{"platform": "woocommerce", "slug": "shop",
		"name": "Shop", "domain": "shop.example", "currency": "EUR", "timezone": "UTC"}).ok(201)["id"].(string))
	now := o.app.Now()
	err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		tally := storage.StoreTally{Now: now, Activity: []storage.StoreActivity{{StoreID: store, Delivery: now}},
			Topics: []storage.StoreTopicCount{{StoreID: store, Topic: "order.updated",
				First: now.Add(-affiliate.RhythmSpan), Last: now, N: 2000}}}
		for n := range 4 * 7 * 24 {
			tally.Counts = append(tally.Counts, storage.StoreCount{StoreID: store, Outcome: "accepted", N: 3,
				Hour: storage.At(now.Truncate(time.Hour).Add(time.Duration(-n) * time.Hour))})
		}
		if err := tx.AddStoreCounts(o.Context(), tally); err != nil {
			return err
		}
		return tx.AddNotices(o.Context(), []storage.Notice{{Kind: storage.NoticeDied, StoreID: store,
			From: storage.At(now.Add(-7 * time.Minute)), To: storage.At(now), NoticedAt: storage.At(now)},
			{Kind: storage.NoticeClock, From: storage.At(now.Add(time.Hour)), To: storage.At(now),
				NoticedAt: storage.At(now)}})
	})
	if err != nil {
		o.Fatal(err)
	}
	return store
}

func TestAPI_storeHealth(t *testing.T) {
	eachOffice(t, func(o *office) {
		now := time.Date(2026, 11, 20, 3, 19, 0, 0, time.UTC)
		o.app.Now, o.app.Live = func() time.Time { return now }, deaf{}
		o.rhythmic()
		read := func() object { return o.viewer.call("GET", v1+"/stores/shop", nil).ok(200)["health"].(object) }
		if h := read(); h["quiet"] != nil {
			o.Errorf("right after a delivery it is quiet: %v", h["quiet"])
		}
		now = now.Add(9*time.Hour + 10*time.Minute)
		h := read()
		const quiet = "quiet for 9 hours; usually 3 deliveries an hour at this time"
		if q := fmt.Sprint(h["quiet"]); q != "map[hours:9 since:2026-11-20T03:19:00Z text:"+quiet+" unusual:true]" {
			o.Errorf("quiet is %s", q)
		}
		topic := func(name, label, occasion string, missing bool) string {
			return fmt.Sprintf("map[label:%s missing:%t occasion:%s topic:%s]", label, missing, occasion, name)
		}
		if got, want := h["topics_never_seen"], []string{topic("order.created", "Order created", "<nil>", true),
			topic("order.deleted", "Order deleted", "an order goes to the trash", false),
			topic("order.restored", "Order restored", "an order comes back from the trash", false)}; fmt.Sprint(got) !=
			fmt.Sprint(want) {
			o.Errorf("never seen are %v, want %v", got, want)
		}
		notices := h["notices"].([]any)
		if len(notices) != 1 {
			o.Fatalf("notices: %v", notices)
		}
		first := notices[0].(object)
		const text = "The server was down from 20 Nov 2026, 03:12:00 to 03:19:00 UTC, after it had ended without " +
			"warning. WooCommerce does not send again what it could not deliver: compare the store's orders of this " +
			"time."
		if first["kind"] != "died" || first["text"] != text {
			o.Errorf("notice: %v", first)
		}
		listed := o.viewer.call("GET", v1+"/stores", nil).ok(200)["data"].([]any)[0].(object)
		if fmt.Sprint(listed["health"]) != fmt.Sprint(h) {
			o.Errorf("the list tells %v", listed["health"])
		}
		status := o.viewer.call("GET", "/status", nil).ok(200)
		clock, store := status["clock"].(object), status["stores"].([]any)[0].(object)
		if fmt.Sprint(clock["jumps"]) != "[map[noticed_at:2026-11-20T03:19:00Z seconds:-3600]]" ||
			clock["behind_seconds"] != 0.0 ||
			fmt.Sprintf("%v %v %v", store["missing_topics"], store["quiet"], store["notices"]) !=
				"[order.created] "+quiet+" 1" {
			o.Errorf("the status tells %v of the clock and %v of the store", clock, store)
		}
		const path = v1 + "/stores/shop/notices/dismiss"
		o.viewer.call("POST", path, object{"notices": []any{first["id"]}}).problem(403, "forbidden", "")
		o.manager.call("POST", path, object{"notices": []any{"str_1"}}).problem(422, "invalid", "notices")
		both := object{"notices": []any{first["id"], "ntc_2"}}
		if got := o.manager.call("POST", path, both).ok(200); got["dismissed"] != 1.0 {
			o.Errorf("dismissed %v of the store's", got)
		}
		o.manager.call("POST", v1+"/notices/dismiss", object{"notices": []any{"ntc_2"}}).problem(403, "forbidden", "")
		if got := o.owner.call("POST", v1+"/notices/dismiss",
			object{"notices": []any{"ntc_2"}}).ok(200); got["dismissed"] != 1.0 {
			o.Errorf("dismissed %v of the server's", got)
		}
		if left := read()["notices"].([]any); len(left) != 0 {
			o.Errorf("left: %v", left)
		}
	})
}

// TestStatus_clockPutBack: a delivery from the future is told of, and its age is not negative.
func TestStatus_clockPutBack(t *testing.T) {
	eachOffice(t, func(o *office) {
		now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
		o.app.Now = func() time.Time { return now }
		_, err := o.app.DB.InsertDeliveries(o.Context(), []storage.NewDelivery{{StoreID: 1, Topic: "x",
			ReceivedAt: now.Add(24 * time.Hour), Payload: []byte{1}}}, nil)
		if err != nil {
			o.Fatal(err)
		}
		status := o.nobody.call("GET", "/status", nil).ok(200)
		if clock, open := status["clock"].(object), status["deliveries"].(object); clock["behind_seconds"] != 86400.0 ||
			open["oldest_waiting_seconds"] != 0.0 || open["waiting"] != 1.0 {
			o.Errorf("the status is %v", status)
		}
		if err := app.NewClockWatch(o.app, nil).Start(o.Context()); err != nil {
			o.Fatal(err)
		}
		jumps := o.viewer.call("GET", "/status", nil).ok(200)["clock"].(object)["jumps"].([]any)
		if len(jumps) != 1 || jumps[0].(object)["seconds"] != -86400.0 {
			o.Errorf("told of %v", jumps)
		}
	})
}
