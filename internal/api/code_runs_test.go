package api_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/app/apptest"
	"github.com/tributaryhq/tributary/internal/storage"
)

// tenPercent is a discount as a body has it.
func tenPercent(more object) object {
	d := object{"kind": "percent", "percent": "10"}
	for name, v := range more {
		d[name] = v
	}
	return d
}

// team makes a store "shop" whose API is not asked, and an offer off_1 of Anna (ofm_1) and Ben (ofm_2) with a pattern
// and a discount.
func (o *office) team() {
	o.Helper()
	o.app.Live, o.app.Now = deaf{}, may20
	m := o.manager
	o.shop("shop")
	m.call("POST", v1+"/creators", object{"name": "Ben", "handles": object{"instagram": "ben"}}).ok(201)
	m.call("POST", v1+"/members", object{"campaign": "cmp_1", "creator": "cre_2"}).ok(201)
	m.call("POST", v1+"/offer-members", object{"offer": "off_1", "member": "mem_2"}).ok(201)
	m.call("PATCH", v1+"/offers/off_1", object{"code_pattern": "{{name}}{{percent}}",
		"discount": tenPercent(nil)}).ok(200)
}

// workCodes does what code runs need no store's API for.
func (o *office) workCodes() {
	o.Helper()
	if err := o.app.WorkCodeRuns(o.Context()); err != nil {
		o.Fatal(err)
	}
}

// items are the items of a run, as "ANNA10 by_hand".
func (o *office) items(run, query string) string {
	o.Helper()
	var list []string
	for _, row := range o.viewer.call("GET", v1+"/code-runs/"+run+"/items"+query, nil).ok(200)["data"].([]any) {
		i := row.(object)
		list = append(list, fmt.Sprint(i["code"], " ", i["state"]))
	}
	return strings.Join(list, ", ")
}

// TestAPI_offerDiscount: what an offer's codes give is read and shown with decimal strings, and a wrong field is named.
func TestAPI_offerDiscount(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.app.Now = may20
		o.shop("shop")
		const offer = v1 + "/offers/off_1"
		set := func(discount any) answer { return o.manager.call("PATCH", offer, object{"discount": discount}) }
		if got := o.viewer.call("GET", offer, nil).ok(200); got["discount"] != nil || got["code_pattern"] != "" {
			o.Errorf("before: %v", got)
		}
		got := set(object{"kind": "fixed", "amount": "5", "currency": "usd", "minimum": "20.5",
			"once_per_customer": true,
			"usage_limit":       100, "starts_at": "2026-06-01T02:00:00+02:00", "ends_at": "2026-07-01T00:00:00Z",
			"limits": []object{{"store": "shop", "products": []string{"812345"}}}}).ok(200)["discount"]
		if want := "map[amount:5.00 combines:false currency:USD ends_at:2026-07-01T00:00:00Z kind:fixed " +
			"limits:[map[products:[812345] store:str_1]] minimum:20.50 once_per_customer:true " +
			"starts_at:2026-06-01T00:00:00Z usage_limit:100]"; fmt.Sprint(got) != want {
			o.Errorf("set to %v, want %s", got, want)
		}
		for field, d := range map[string]object{
			"discount.percent":  tenPercent(object{"percent": "101"}),
			"discount.amount":   {"kind": "fixed", "amount": "5.001", "currency": "USD"},
			"discount.currency": {"kind": "fixed", "amount": "5"},
			"discount.minimum":  tenPercent(object{"minimum": "much", "currency": "USD"}),
			"discount.ends_at": tenPercent(object{"starts_at": "2026-06-02T00:00:00Z",
				"ends_at": "2026-06-01T00:00:00Z"}),
			"discount.limits": tenPercent(object{"limits": []object{{"store": "nowhere",
				"products": []string{"1"}}}}),
			"discount.kind":        {"kind": "gift"},
			"discount.usage_limit": tenPercent(object{"usage_limit": 2_000_000_000}),
		} {
			set(d).problem(422, "invalid", field)
		}
		if got := o.viewer.call("GET", offer, nil).ok(200)["discount"].(object); got["amount"] != "5.00" {
			o.Errorf("a refused change changed it: %v", got)
		}
		o.manager.call("PATCH", offer, object{"name": "Eleven"}).ok(200)
		if got := set(nil).ok(200); got["discount"] != nil {
			o.Errorf("taken away: %v", got)
		}
		o.manager.call("PATCH", offer, object{"code_pattern": "{{nonsense}}"}).problem(422, "invalid", "code_pattern")
		made := o.manager.call("POST", v1+"/offers", object{"campaign": "cmp_1", "name": "Fifteen",
			"type": "promo_code", "commission": object{"percent": "5"}, "code_pattern": "{{handle}}15",
			"discount": tenPercent(object{"percent": "12.5", "combines": true})}).ok(201)
		if d := made["discount"].(object); d["percent"] != "12.50" || d["combines"] != true ||
			made["code_pattern"] != "{{handle}}15" {
			o.Errorf("made: %v", made)
		}
	})
}

// TestAPI_codeRuns walks through a run from its draft to what was typed into the store.
func TestAPI_codeRuns(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.team()
		m := o.manager
		draft := m.call("POST", v1+"/code-runs", object{"action": "make", "offer": "off_1", "draft": true}).ok(201)
		if draft["state"] != "draft" || draft["total"] != 2.0 || draft["items"].(object)["waiting"] != 2.0 ||
			draft["pattern"] != "{{name}}{{percent}}" || draft["discount"].(object)["percent"] != "10.00" {
			o.Errorf("draft: %v", draft)
		}
		if got := o.items("cru_1", ""); got != "ANNA10 waiting, BEN10 waiting" {
			o.Errorf("items: %s", got)
		}
		const item = v1 + "/code-run-items/cit_2"
		if got := m.call("PATCH", item, object{"code": "BENNY10"}).ok(200); got["code"] != "BENNY10" ||
			got["creator_name"] != "Ben" || got["handle"] != "ben" || got["store_slug"] != "shop" {
			o.Errorf("another code: %v", got)
		}
		m.call("PATCH", item, object{"code": "ANNA10"}).problem(409, "conflict", "code")
		m.call("PATCH", item, object{}).problem(422, "invalid", "code")
		m.call("PATCH", item, object{"code": "X1", "take_out": true}).problem(422, "invalid", "code")
		m.call("PATCH", v1+"/code-run-items/cit_99", object{"code": "X1"}).problem(404, "not_found", "")
		if got := m.call("PATCH", item, object{"take_out": true}).ok(200); got["state"] != "canceled" {
			o.Errorf("taken out: %v", got)
		}
		m.call("PATCH", item, object{"code": "BENNY10"}).ok(200)
		o.viewer.call("PATCH", item, object{"code": "X1"}).problem(403, "forbidden", "")
		if list := o.viewer.call("GET", v1+"/code-runs", nil).ok(200)["data"].([]any); len(list) > 0 {
			o.Errorf("a draft is listed: %v", list)
		}

		const run = v1 + "/code-runs/cru_1"
		o.viewer.call("POST", run+"/start", nil).problem(403, "forbidden", "")
		if got := m.call("POST", run+"/start", nil).ok(200); got["state"] != "running" || got["started_at"] == nil {
			o.Errorf("started: %v", got)
		}
		m.call("PATCH", item, object{"code": "X1"}).problem(409, "conflict", "")
		o.workCodes()
		if got := o.items("cru_1", "?state=by_hand,done&q=ben"); got != "BENNY10 by_hand" {
			o.Errorf("by hand: %s", got)
		}
		by := o.viewer.call("GET", run+"/items", nil).ok(200)["data"].([]any)[0].(object)["by_hand"].(object)
		if by["menu"] == "" || !strings.Contains(fmt.Sprint(by["fields"]), "ANNA10") {
			o.Errorf("what to type: %v", by)
		}
		o.viewer.call("GET", run+"/items?state=lost", nil).problem(422, "invalid", "state")
		o.viewer.call("GET", v1+"/code-runs/cru_99/items", nil).problem(404, "not_found", "")

		if got := m.call("POST", run+"/typed", object{"items": []string{"cit_1"}}).ok(200); got["items"] != 1.0 {
			o.Errorf("one typed: %v", got)
		}
		m.call("POST", run+"/typed", object{"items": []string{"x"}}).problem(422, "invalid", "items")
		if got := m.call("POST", run+"/typed", nil).ok(200); got["items"] != 1.0 {
			o.Errorf("the others typed: %v", got)
		}
		if got := o.viewer.call("GET", run, nil).ok(200); got["state"] != "done" ||
			got["items"].(object)["done"] != 2.0 || got["ended_at"] == nil || got["author"] == "" {
			o.Errorf("done: %v", got)
		}
		if got := o.viewer.call("GET", v1+"/codes/cod_1", nil).ok(200); got["code"] != "ANNA10" ||
			got["standing"] != "unproved" || got["discount"].(object)["percent"] != "10.00" {
			o.Errorf("the code: %v", got)
		}
		m.call("POST", run+"/retry", nil).problem(409, "conflict", "")
		o.itemFailed("cit_1")
		if got := m.call("POST", run+"/retry", nil).ok(200); got["state"] != "running" ||
			got["items"].(object)["waiting"] != 1.0 {
			o.Errorf("once more: %v", got)
		}
		if got := m.call("POST", run+"/cancel", nil).ok(200); got["state"] != "canceled" ||
			got["items"].(object)["canceled"] != 1.0 {
			o.Errorf("canceled: %v", got)
		}
		if list := o.viewer.call("GET", v1+"/code-runs?offer=off_1", nil).ok(200)["data"].([]any); len(list) != 1 {
			o.Errorf("listed: %v", list)
		}
		if list := o.viewer.call("GET", v1+"/code-runs?offer=off_9", nil).ok(200)["data"].([]any); len(list) != 0 {
			o.Errorf("of another offer: %v", list)
		}
	})
}

// itemFailed has an item of a run fail.
func (o *office) itemFailed(item string) {
	o.Helper()
	id, err := affiliate.ParseID[affiliate.CodeItemID]("cit_", item)
	if err != nil {
		o.Fatal(err)
	}
	err = o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		items, err := tx.HoldCodeItems(o.Context(), []affiliate.CodeItemID{id})
		if err != nil {
			return err
		}
		items[0].State, items[0].Trouble = affiliate.ItemFailed, "The store did not take it."
		return tx.SaveCodeItems(o.Context(), items)
	})
	if err != nil {
		o.Fatal(err)
	}
}

// TestAPI_codeRuns_started: without draft a run starts at once, once for a key, and what is wrong names its field.
func TestAPI_codeRuns_started(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.team()
		m := o.manager
		all := object{"action": "make", "offer": "off_1"}
		first := m.once("make", "POST", v1+"/code-runs", all)
		if got := first.ok(201); got["state"] != "running" || got["draft"] != nil {
			o.Errorf("started: %v", got)
		}
		if again := m.once("make", "POST", v1+"/code-runs", all); again.raw != first.raw {
			o.Errorf("repeated: %s, want %s", again.raw, first.raw)
		}
		if list := o.viewer.call("GET", v1+"/code-runs", nil).ok(200)["data"].([]any); len(list) != 1 {
			o.Errorf("runs: %v", list)
		}
		o.workCodes()
		m.call("POST", v1+"/code-runs", all).problem(409, "conflict", "") // all have one
		later := m.call("POST", v1+"/code-runs", object{"action": "refresh", "codes": []string{"cod_1"},
			"stores": []string{"shop"}, "pattern": "{{name}}X{{random:4}}", "overlap_days": 7,
			"at": "2026-06-01T00:00:00Z"}).ok(201)
		if later["state"] != "waiting" || later["overlap_days"] != 7.0 || later["at"] != "2026-06-01T00:00:00Z" ||
			later["total"] != 1.0 || later["offer"] != "off_1" {
			o.Errorf("later: %v", later)
		}
		if d := m.call("POST", v1+"/code-runs", object{"action": "discount", "offer": "off_1",
			"discount": tenPercent(object{"percent": "20"})}).ok(201); d["offered"] != true {
			o.Errorf("another discount for all: %v", d)
		}
		if got := o.viewer.call("GET", v1+"/offers/off_1", nil).ok(200)["discount"]; !strings.Contains(fmt.Sprint(got),
			"percent:20.00") {
			o.Errorf("the offer gives %v", got)
		}
		for field, body := range map[string]object{
			"action":       {"action": "burn", "offer": "off_1"},
			"offer":        {"action": "make", "offer": "off_9"},
			"members":      {"action": "make", "offer": "off_1", "members": []string{"ofm_9"}},
			"codes":        {"action": "end", "codes": []string{"cod_99"}},
			"stores":       {"action": "make", "offer": "off_1", "stores": []string{"nowhere"}},
			"pattern":      {"action": "make", "offer": "off_1", "pattern": "{{nonsense}}"},
			"overlap_days": {"action": "make", "offer": "off_1", "overlap_days": 3},
			"at":           {"action": "make", "offer": "off_1", "at": "2001-01-01T00:00:00Z"},
			"discount.percent": {"action": "discount", "offer": "off_1",
				"discount": tenPercent(object{"percent": "0"})},
			"takes": {"action": "take_over", "offer": "off_1", "stores": []string{"shop"},
				"takes": []object{{"code": "X1", "offer_member": "x"}}},
		} {
			m.call("POST", v1+"/code-runs", body).problem(422, "invalid", field)
		}
		o.viewer.call("POST", v1+"/code-runs", all).problem(403, "forbidden", "")
		o.viewer.call("GET", v1+"/code-runs/cru_99", nil).problem(404, "not_found", "")
	})
}

// coupons keeps what a reading of the first store has found: a code of nobody's, one of Anna's that gives something
// else than it should, and one that Shopify calls otherwise.
func (o *office) coupons() {
	o.Helper()
	gives := func(percent int64) affiliate.Discount {
		return affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: percent}
	}
	made := may20().Add(-48 * time.Hour)
	var rows []storage.Coupon
	for i, c := range []affiliate.Coupon{{ID: "1", Code: "Ben10", Discount: gives(1000), Uses: 12, MadeAt: made},
		{ID: "2", Code: "anna10", Discount: gives(2000), Uses: 3, MadeAt: made.Add(time.Hour)},
		{ID: "3", Code: "GIFT", Other: "free shipping", MadeAt: made.Add(2 * time.Hour)}} {
		row := storage.NewCouponRow(1, c, may20())
		if i == 1 {
			row.Give(gives(1000))
			row.Trouble, row.TroubleAt, row.Told = affiliate.TroubleChanged, may20(), "10 % here, 20 % in the store"
		}
		rows = append(rows, row)
	}
	err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error { return tx.SaveCoupons(o.Context(), rows) })
	if err != nil {
		o.Fatal(err)
	}
}

// readAt notes that all codes of the first store were read.
func (o *office) readAt(at time.Time) {
	o.Helper()
	if err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		return tx.SaveCouponReading(o.Context(), storage.StoreWork{StoreID: 1, CouponsAt: at})
	}); err != nil {
		o.Fatal(err)
	}
}

// TestAPI_coupons: codes as they stand in a store, whose they may be, and what is taken for right.
func TestAPI_coupons(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.team()
		o.manager.call("POST", v1+"/codes", object{"offer_member": "ofm_1", "store": "shop", "code": "ANNA10"}).ok(201)
		o.seen(1, "1", "BEN10", 10000, "USD", seenAt)
		o.coupons()
		list := func(query string) (codes string) {
			for _, row := range o.viewer.call("GET", v1+"/coupons?store=shop"+query, nil).ok(200)["data"].([]any) {
				codes += row.(object)["code"].(string) + " "
			}
			return codes
		}
		for query, want := range map[string]string{"": "Ben10 anna10 GIFT ", "&sort=code": "anna10 Ben10 GIFT ",
			"&sort=made": "GIFT anna10 Ben10 ", "&set=unowned": "Ben10 GIFT ", "&set=owned": "anna10 ",
			"&set=troubled": "anna10 ", "&set=gone": "", "&q=BEN": "Ben10 "} {
			if got := list(query); got != want {
				o.Errorf("%q: %q, want %q", query, got, want)
			}
		}
		rows := o.viewer.call("GET", v1+"/coupons?suggest=off_1", nil).ok(200)["data"].([]any)
		ben, anna, gift := rows[0].(object), rows[1].(object), rows[2].(object)
		if ben["discount"].(object)["percent"] != "10.00" || ben["uses"] != 12.0 || ben["waiting_orders"] != 1.0 ||
			ben["owner"] != nil || ben["suggestion"].(object)["offer_member"] != "ofm_2" ||
			ben["suggestion"].(object)["certain"] != true {
			o.Errorf("Ben's: %v", ben)
		}
		if anna["owner"].(object)["offer_member"] != "ofm_1" || anna["trouble"] != "changed" ||
			anna["told"] != "10 % here, 20 % in the store" || anna["suggestion"] != nil {
			o.Errorf("Anna's: %v", anna)
		}
		if gift["other"] != "free shipping" || gift["discount"] != nil || gift["suggestion"] != nil ||
			gift["trouble"] != nil {
			o.Errorf("the gift: %v", gift)
		}
		o.viewer.call("GET", v1+"/coupons?suggest=off_9", nil).problem(422, "invalid", "suggest")
		o.viewer.call("GET", v1+"/coupons?suggest=off_1&pattern=x{{y}}", nil).problem(422, "invalid", "pattern")
		o.viewer.call("GET", v1+"/coupons?set=lost", nil).problem(422, "invalid", "set")
		o.viewer.call("GET", v1+"/coupons?store=nowhere", nil).problem(422, "invalid", "store")

		if got := o.nobody.call("GET", "/metrics", nil).raw; strings.Contains(got, "tributary_codes_in_trouble{") {
			o.Error("codes are counted that were never read as a whole")
		}
		o.readAt(may20())
		for kind, n := range map[string]int{"changed": 1, "gone": 0, "uses": 0} {
			want := fmt.Sprintf("tributary_codes_in_trouble{kind=%q,store=\"shop\"} %d\n", kind, n)
			if got := o.nobody.call("GET", "/metrics", nil).raw; !strings.Contains(got, want) {
				o.Errorf("the metrics do not say %s", want)
			}
		}

		const store = v1 + "/stores/shop/coupons"
		orders := o.viewer.call("GET", store+"/orders?code=bEN10", nil).ok(200)["orders"].([]any)
		if len(orders) != 1 || orders[0].(object)["credited"] != false ||
			orders[0].(object)["order"].(object)["number"] != "#1" {
			o.Errorf("orders: %v", orders)
		}
		o.viewer.call("GET", store+"/orders", nil).problem(422, "invalid", "code")

		if got := o.manager.call("POST", store+"/accept", object{"code": "ANNA10"}).ok(200); got["store"] != "str_1" {
			o.Errorf("accepted: %v", got)
		}
		if got := list("&set=troubled"); got != "" {
			o.Errorf("still in trouble: %s", got)
		}
		o.manager.call("POST", store+"/accept", object{"code": "NONE"}).problem(404, "not_found", "")
		o.viewer.call("POST", store+"/accept", object{"code": "ANNA10"}).problem(403, "forbidden", "")
		if detail := o.manager.call("POST", store+"/read", nil).problem(409, "conflict", ""); !strings.Contains(detail,
			"connect it") {
			o.Errorf("read: %s", detail)
		}

		over := o.manager.call("POST", v1+"/code-runs", object{"action": "take_over", "offer": "off_1",
			"stores": []string{"shop"}}).ok(201)
		if over["total"] != 1.0 {
			o.Errorf("taken over: %v", over)
		}
		o.workCodes()
		items := v1 + "/code-runs/" + over["id"].(string) + "/items"
		row := o.viewer.call("GET", items, nil).ok(200)["data"].([]any)[0].(object)
		if row["code"] != "Ben10" || row["state"] != "done" || row["orders"] != 1.0 || row["owned_code"] != "cod_2" {
			o.Errorf("its item: %v", row)
		}
	})
}

// couponShops are shops that have no codes, and let us ask for them.
type couponShops struct{ apptest.Shops }

func (s couponShops) Open(k affiliate.StoreKeys) app.StoreClient { return couponShop{s.Shops.Open(k)} }

type couponShop struct{ app.StoreClient }

func (couponShop) Coupons(context.Context, time.Time, string) (page affiliate.CouponPage, err error) {
	return page, nil
}

func (couponShop) CouponsByCode(context.Context, []string) ([]affiliate.Coupon, error) {
	return nil, nil
}

func (couponShop) MakeCoupons(context.Context, []affiliate.NewCoupon) ([]affiliate.CouponOutcome, error) {
	return nil, nil
}

func (couponShop) ChangeCoupons(context.Context, []affiliate.CouponChange) ([]affiliate.CouponOutcome, error) {
	return nil, nil
}

func (couponShop) CouponsAtOnce() int { return 100 }

// TestAPI_coupons_read: the codes of a store that is connected are read on request.
func TestAPI_coupons_read(t *testing.T) {
	eachOffice(t, func(o *office) {
		shop := o.garden()
		o.app.Connectors = app.Connectors{woocommerce.Name: couponShops{apptest.Shops{shop}}}
		o.owner.call("POST", v1+"/stores/connect", object{"platform": "woocommerce", "address": "garden.example",
			"id": "ck_0123456789ab", "secret": shop.Secret}).ok(200)
		const read = v1 + "/stores/garden-example/coupons/read"
		if got := o.manager.call("POST", read, nil).ok(200); got["can"] != true || got["under_way"] != true ||
			got["read_at"] != nil || got["why"] != nil {
			o.Errorf("asked: %v", got)
		}
		o.viewer.call("POST", read, nil).problem(403, "forbidden", "")
		id := o.viewer.call("GET", v1+"/stores/garden-example", nil).ok(200)["id"]
		made := o.manager.call("POST", v1+"/rewards/codes", object{"store": id,
			"rewards": []string{"rwd_9"}}).ok(200)["data"].([]any)
		if got := made[0].(object); got["outcome"] != "failed" || got["why"] != "There is no rwd_9." {
			o.Errorf("codes of rewards: %v", made)
		}
	})
}
