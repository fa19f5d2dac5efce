package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// deaf are open pages that nobody looks at.
type deaf struct{}

func (deaf) Publish([]affiliate.Change) {}

func may20() time.Time { return time.Date(2026, 5, 20, 12, 0, 0, 0, time.UTC) }

var seenAt = time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC)

// seen keeps a paid order of a store that has a code and no owner of it.
func (o *office) seen(store affiliate.StoreID, id, code string, value int64, currency money.Currency, at time.Time) {
	o.Helper()
	state := affiliate.OrderState{}.Merge(affiliate.Event{OrderID: id, Snapshot: &affiliate.Snapshot{Version: 1,
		Number: "#" + id, PlacedAt: at, Currency: currency, Status: affiliate.StorePaid, PaymentDate: true,
		Captured: value, Total: value, Merchandise: value, Codes: []string{code}}})
	text, err := json.Marshal(state)
	if err != nil {
		o.Fatal(err)
	}
	view, known := state.View(affiliate.OrderRules{})
	if !known || view.Status != affiliate.Paid || view.Value != value {
		o.Fatalf("the order is %+v", view)
	}
	reason := affiliate.ReasonNoOwner
	if err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		ids, err := tx.SaveOrders(o.Context(),
			[]storage.OrderChange{{After: storage.Order{StoreID: store, ExternalID: id, Revision: 1, Number: "#" + id,
				Status: view.Status, Currency: currency, Value: value, OriginalValue: value, Total: value,
				PlacedAt: storage.At(at), UpdatedAt: storage.At(at), Day: affiliate.Day(at, o.zone()),
				Codes: fmt.Sprintf("[%q]", code), NotCredited: &reason, Evidence: view.EvidenceFingerprint(),
				Trace: "{}", State: string(text)}}}, at)
		if err != nil {
			return err
		}
		return tx.SetUnownedEvidence(o.Context(), nil,
			[]storage.UnownedEvidence{{OrderID: ids[storage.OrderKey{StoreID: store, ExternalID: id}],
				StoreID: store, Kind: storage.EvidenceCode, Value: affiliate.FoldCode(code)}})
	}); err != nil {
		o.Fatal(err)
	}
}

// zone is the account's.
func (o *office) zone() *time.Location {
	o.Helper()
	settings, err := o.app.DB.Settings(o.Context())
	if err != nil {
		o.Fatal(err)
	}
	zone, err := affiliate.LoadZone(settings.Timezone)
	if err != nil {
		o.Fatal(err)
	}
	return zone
}

// shop makes a store, and an offer of 10 % with one creator in it. It gives the ids of store and offer member.
func (o *office) shop(slug string) (store, offerMember string) {
	o.Helper()
	m := o.manager
	made := o.owner.call("POST", v1+"/stores", object{"platform": "woocommerce", "slug": slug, "name": "Shop",
		"domain": slug + ".example", "currency": "USD", "timezone": "UTC"}).ok(201)
	campaign := m.call("POST", v1+"/campaigns", object{"name": "Campaign of " + slug}).ok(201)
	creator := m.call("POST", v1+"/creators", object{"name": "Anna"}).ok(201)
	member := m.call("POST", v1+"/members", object{"campaign": campaign["id"], "creator": creator["id"]}).ok(201)
	offer := m.call("POST", v1+"/offers", object{"campaign": campaign["id"], "name": "Ten", "type": "promo_code",
		"commission": object{"percent": "10"}}).ok(201)
	om := m.call("POST", v1+"/offer-members", object{"offer": offer["id"], "member": member["id"]}).ok(201)
	return made["id"].(string), om["id"].(string)
}

func storeID(o *office, s string) affiliate.StoreID {
	o.Helper()
	id, err := affiliate.ParseID[affiliate.StoreID]("str_", s)
	if err != nil {
		o.Fatal(err)
	}
	return id
}

func TestAPI_unowned_codes(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.app.Live, o.app.Now = deaf{}, may20
		store, om := o.shop("shop")
		id := storeID(o, store)
		o.seen(id, "1", "SUMMER", 10000, "USD", seenAt)
		o.seen(id, "2", "Summer", 2500, "JPY", seenAt.Add(time.Hour))
		o.seen(id, "3", "=SUM(A1)", 999, "USD", seenAt.Add(2*time.Hour))
		o.seen(id, "4", "summer", 5000, "USD", seenAt.Add(-time.Hour))

		list := o.viewer.call("GET", v1+"/unowned-codes", nil).ok(200)["data"].([]any)
		if len(list) != 2 {
			o.Fatalf("list: %v", list)
		}
		first := list[0].(object)
		if got, want := fmt.Sprint(first["store"], first["store_slug"], first["code"], first["folded"], first["orders"],
			first["sales"], first["first_used_at"], first["last_used_at"], first["newest_order"]),
			fmt.Sprint(store, "shop", "Summer", "summer", 3,
				[]any{object{"currency": "JPY", "orders": 1, "sales": "2500"}, object{"currency": "USD", "orders": 2,
					"sales": "150.00"}},
				"2026-05-01T09:00:00Z", "2026-05-01T11:00:00Z",
				object{"id": "ord_2", "store": "shop", "external_id": "2", "number": "#2"}); got != want {
			o.Errorf("got %s, want %s", got, want)
		}
		for query, want := range map[string]int{"q=SUM": 2, "q=umme": 1, "min_orders=2": 1,
			"since=2026-05-01T12:00:00Z": 1, "since=2026-05-02": 0, "store=shop": 2, "kind=slug": 0,
			"sort=last_used": 2, "sort=sales&currency=JPY": 2, "sort=code&limit=1": 1} {
			got := o.viewer.call("GET", v1+"/unowned-codes?"+query, nil).ok(200)
			if len(got["data"].([]any)) != want {
				o.Errorf("%s: %v, want %d", query, got, want)
			}
			if (got["next_cursor"] != nil) != strings.Contains(query, "limit") {
				o.Errorf("%s: next cursor %v", query, got["next_cursor"])
			}
		}
		sorted := func(path string, want int, codes ...string) {
			o.Helper()
			got := o.manager.call("POST", v1+"/unowned-codes/"+path, object{"store": "shop", "codes": codes}).ok(200)
			if fmt.Sprint(got["codes"]) != fmt.Sprint(want) {
				o.Errorf("%s %v: %v, want %d", path, codes, got, want)
			}
		}
		listed := func(query string, want int) {
			o.Helper()
			if got := o.viewer.call("GET", v1+"/unowned-codes"+query, nil).ok(200); len(got["data"].([]any)) != want {
				o.Errorf("%s: %v, want %d", query, got, want)
			}
		}
		sorted("dismiss", 1, "SUMMER", "summer")
		listed("", 1)
		listed("?dismissed=true", 1)
		sorted("restore", 1, "Summer", "never")
		listed("?dismissed=true", 0)
		o.manager.call("POST", v1+"/unowned-codes/dismiss", object{"store": "nowhere",
			"codes": []string{"A"}}).problem(422, "invalid", "store")
		o.manager.call("POST", v1+"/unowned-codes/dismiss", object{"store": "shop",
			"codes": []string{"\a"}}).problem(422, "invalid", "codes")
		o.viewer.call("POST", v1+"/unowned-codes/dismiss", object{"store": "shop",
			"codes": []string{"A"}}).problem(403, "forbidden", "")
		o.viewer.call("GET", v1+"/unowned-codes?sort=luck", nil).problem(422, "invalid", "sort")
		o.viewer.call("GET", v1+"/unowned-codes?store=nowhere", nil).problem(422, "invalid", "store")
		o.viewer.call("GET", v1+"/unowned-codes?currency=coins", nil).problem(422, "invalid", "currency")
		o.viewer.call("GET", v1+"/unowned-codes?since=today", nil).problem(422, "invalid", "since")

		csv := o.viewer.call("GET", v1+"/unowned-codes.csv", nil)
		csv.ok(200)
		const want = "Store,Code,Folded,Orders,Paid Orders,Currency,Sales," +
			"First Used (UTC),Last Used (UTC),Newest Order\r\n" +
			"shop,Summer,summer,3,1,JPY,2500,2026-05-01T09:00:00Z,2026-05-01T11:00:00Z,#2\r\n" +
			"shop,Summer,summer,,2,USD,150.00,2026-05-01T09:00:00Z,2026-05-01T11:00:00Z,#2\r\n" +
			"shop,'=SUM(A1),'=sum(a1),1,1,USD,9.99,2026-05-01T12:00:00Z,2026-05-01T12:00:00Z,#3\r\n"
		if csv.raw != want {
			o.Errorf("got\n%s\nwant\n%s", csv.raw, want)
		}
		if got := csv.header.Get("Content-Disposition"); got != "attachment; filename=unowned-codes-2026-05-20.csv" {
			o.Errorf("Content-Disposition %s", got)
		}
		if book := o.viewer.call("GET", v1+"/unowned-codes.xlsx?kind=slug", nil); !strings.HasPrefix(book.raw, "PK") {
			o.Errorf("no workbook: %d %.20q", book.status, book.raw)
		}

		ask := object{"store": "shop", "code": "Summer", "offer_member": om, "preview": true,
			"valid_from": "2026-05-01T10:00:00Z"}
		o.viewer.call("POST", v1+"/unowned-codes/assign", ask).problem(403, "forbidden", "")
		for _, preview := range []bool{true, false} {
			ask["preview"] = preview
			got := o.manager.call("POST", v1+"/unowned-codes/assign", ask).ok(200)
			credited, not := got["credited"].(object), got["not_credited"].(object)
			totals := fmt.Sprint(credited["totals"])
			if got["applied"] != !preview || credited["orders"] != 2.0 || credited["held"] != 0.0 ||
				got["next_after"] != nil ||
				totals != "[map[commission:250 currency:JPY orders:1 sales:2500] map[commission:10.00 currency:USD "+
					"orders:1 sales:100.00]]" {
				o.Errorf("preview %v: %v", preview, got)
			}
			if fmt.Sprint(not["reasons"]) != "[map[code:no_owner orders:1]]" ||
				not["first"].([]any)[0].(object)["order"].(object)["number"] != "#4" {
				o.Errorf("preview %v: not credited %v", preview, not)
			}
			code := got["code"].(object)
			if (code["id"] == nil) != preview || code["valid_from"] != "2026-05-01T10:00:00Z" {
				o.Errorf("preview %v: code %v", preview, code)
			}
		}
		order := o.viewer.call("GET", v1+"/orders/shop/1", nil).ok(200)
		c := order["conversion"].(object)
		if c["creator_name"] != "Anna" || c["code"] != "Summer" || c["commission"] != "10.00" {
			o.Errorf("order 1: %v", order)
		}
		if list := o.viewer.call("GET", v1+"/unowned-codes", nil).ok(200)["data"].([]any); len(list) != 1 {
			o.Errorf("still listed: %v", list)
		}
		other, _ := o.shop("other")
		ask["store"] = other
		delete(ask, "preview")
		o.manager.call("POST", v1+"/unowned-codes/assign", ask).problem(422, "invalid", "preview")
		ask["preview"], ask["offer_member"] = true, "ofm_99"
		o.manager.call("POST", v1+"/unowned-codes/assign", ask).problem(422, "invalid", "offer_member")
		ask["offer_member"], ask["after"] = om, "cod_1"
		o.manager.call("POST", v1+"/unowned-codes/assign", ask).problem(422, "invalid", "after")
	})
}
