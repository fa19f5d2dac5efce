package api_test

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// sold makes a shop with four conversions of two campaigns: three of Anna's in dollars and euros, one of them without
// an exchange rate, and one of Ben's. The account is in dollars and in Berlin.
func (o *office) sold() {
	o.Helper()
	o.app.Live, o.app.Now = deaf{}, may20
	o.owner.call("PATCH", v1+"/settings", object{"timezone": "Europe/Berlin"}).ok(200)
	if err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		rate, err := money.ParseRate("1.25")
		if err != nil {
			return err
		}
		_, err = tx.SaveRates(o.Context(), []storage.ReferenceRate{{Day: "2026-05-01", Currency: "USD", Rate: rate}})
		return err
	}); err != nil {
		o.Fatal(err)
	}
	m := o.manager
	store, anna := o.shop("shop")
	m.call("PATCH", v1+"/creators/cre_1", object{"handles": object{"tiktok": "anna.t", "instagram": "anna.i"}}).ok(200)
	m.call("POST", v1+"/campaigns", object{"name": "Other"}).ok(201)
	m.call("POST", v1+"/creators", object{"name": "ben"}).ok(201)
	m.call("POST", v1+"/members", object{"campaign": "cmp_2", "creator": "cre_2"}).ok(201)
	m.call("POST", v1+"/offers", object{"campaign": "cmp_2", "name": "Flat", "type": "promo_code",
		"commission": object{"flat": "3"}}).ok(201)
	m.call("POST", v1+"/offer-members", object{"offer": "off_2", "member": "mem_2"}).ok(201)
	id := storeID(o, store)
	o.seen(id, "7", "Anna10", 10000, "USD", time.Date(2026, 5, 1, 10, 0, 0, 0, time.UTC))
	o.seen(id, "8", "ANNA10", 2000, "EUR", time.Date(2026, 5, 1, 22, 30, 0, 0, time.UTC)) // 2 May in Berlin
	o.seen(id, "9", "anna10", 3000, "PLN", time.Date(2026, 5, 3, 10, 0, 0, 0, time.UTC))
	o.seen(id, "10", "BEN", 5000, "USD", time.Date(2026, 5, 4, 10, 0, 0, 0, time.UTC))
	for code, member := range map[string]string{"ANNA10": anna, "Ben": "ofm_2"} {
		m.call("POST", v1+"/codes", object{"offer_member": member, "store": "shop", "code": code}).ok(201)
	}
	if got := m.call("POST", v1+"/reattributions", object{"apply": true}).ok(200); got["count"] != 4.0 {
		o.Fatalf("credited: %v", got)
	}
}

// numbers are the orders of a list of conversions.
func numbers(list object) string {
	var found []string
	for _, c := range list["data"].([]any) {
		found = append(found, c.(object)["order"].(object)["number"].(string))
	}
	return strings.Join(found, " ")
}

func (o *office) conversionOf(number string) object {
	o.Helper()
	list := o.viewer.call("GET", v1+"/conversions?include=former&q="+url.QueryEscape(number),
		nil).ok(200)["data"].([]any)
	if len(list) != 1 {
		o.Fatalf("%s: %v", number, list)
	}
	return list[0].(object)
}

func TestAPI_conversions(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		paths := map[string]string{
			"conversions": "#10 #9 #8 #7", "campaigns/cmp_1/conversions": "#9 #8 #7", "campaigns/2/conversions": "#10",
			"conversions?sort=date":    "#7 #8 #9 #10",
			"conversions?sort=-number": "#10 #9 #8 #7", "conversions?sort=creator": "#7 #8 #9 #10",
			"conversions?sort=-value": "#7 #10 #8 #9", "conversions?sort=commission": "#9 #8 #10 #7",
			"conversions?campaign=cmp_2": "#10", "conversions?campaign=cmp_2,cmp_1": "#10 #9 #8 #7",
			"conversions?creator=cre_2": "#10", "conversions?offer=off_1": "#9 #8 #7",
			"conversions?status=paid": "#10 #9 #8 #7", "conversions?status=pending,refunded": "",
			"conversions?approval=held,rejected": "", "conversions?approval=approved": "#10 #9 #8 #7",
			"conversions?offer_type=promo_code": "#10 #9 #8 #7", "conversions?offer_type=sales_link": "",
			"conversions?offer_status=paused": "", "conversions?method=link": "",
			"conversions?store=shop": "#10 #9 #8 #7", "conversions?store=str_1&method=code": "#10 #9 #8 #7",
			"conversions?code=cod_99": "", "conversions?link=lnk_1": "",
			"conversions?currency=eur": "#8", "conversions?waiting_for_rate=true": "#9",
			"conversions?with_refund=true": "", "conversions?ambiguous=true": "",
			"conversions?undecided=true": "#10 #9 #8 #7", "conversions?undecided=true&ambiguous=true": "",
			"conversions?q=%2310": "#10", "conversions?q=BE": "#10", "conversions?q=@anna.T": "#9 #8 #7",
			"conversions?q=a10": "#9 #8 #7", "conversions?q=%25": "",
			"conversions?from=2026-05-02&to=2026-05-03": "#9 #8", "conversions?from=2026-05-04": "#10",
			"conversions?to=2026-05-01":      "#7",
			"conversions?period=last_7_days": "", "conversions?period=this_month": "#10 #9 #8 #7",
			"conversions?period=custom&from=2026-05-03&to=2026-05-03": "#9",
		}
		for path, want := range paths {
			if got := numbers(o.viewer.call("GET", v1+"/"+path, nil).ok(200)); got != want {
				o.Errorf("%s lists %q, want %q", path, got, want)
			}
		}

		euros := o.conversionOf("#8")
		read := o.viewer.call("GET", v1+"/conversions/"+euros["id"].(string), nil).ok(200)
		if fmt.Sprint(read) != fmt.Sprint(euros) {
			o.Errorf("read %v, listed %v", read, euros)
		}
		for field, want := range (object{"placed_at": "2026-05-01T22:30:00Z", "day": "2026-05-02", "campaign": "cmp_1",
			"campaign_name": "Campaign of shop", "creator": "cre_1", "creator_name": "Anna", "handle": "anna.i",
			"former": false, "offer": "off_1", "offer_name": "Ten", "offer_type": "promo_code", "offer_member": "ofm_1",
			"method": "code", "code": "ANNA10", "link": nil, "click_id": nil, "ambiguous": false, "status": "paid",
			"approval": "approved", "approval_reason": "", "approval_by": nil, "approval_at": nil, "currency": "EUR",
			"order_total": "20.00", "original_value": "20.00", "value": "20.00", "refunded": "0.00",
			"commission": "2.00", "commission_rule": object{"percent": "10.00", "flat": "0.00"},
			"account": object{"currency": "USD",
				"rate": "1.25", "rate_date": "2026-05-01", "original_value": "25.00", "value": "25.00",
				"refunded": "0.00", "commission": "2.50"}}) {
			if fmt.Sprint(read[field]) != fmt.Sprint(want) {
				o.Errorf("%s is %v, want %v", field, read[field], want)
			}
		}
		if order := read["order"].(object); order["store"] != "shop" || order["external_id"] != "8" ||
			order["number"] != "#8" {
			o.Errorf("order: %v", order)
		}
		if got := o.conversionOf("#9"); got["account"] != nil || got["currency"] != "PLN" ||
			got["commission"] != "3.00" {
			o.Errorf("without a rate: %v", got)
		}
		if got := o.conversionOf("#10"); got["handle"] != nil || got["commission"] != "3.00" ||
			got["account"].(object)["rate"] != "1" {
			o.Errorf("Ben's: %v", got)
		}
	})
}

func TestAPI_conversions_range_and_totals(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		get := func(query string) object { return o.viewer.call("GET", v1+"/conversions?"+query, nil).ok(200) }
		for query, want := range map[string]object{
			"": {"period": "all_time", "from": nil, "to": nil, "timezone": "Europe/Berlin"},
			"period=last_30_days": {"period": "last_30_days", "from": "2026-04-21", "to": "2026-05-20",
				"timezone": "Europe/Berlin"},
			"from=2026-05-02": {"period": "custom", "from": "2026-05-02", "to": "2026-05-20",
				"timezone": "Europe/Berlin"},
			"to=2026-05-02": {"period": "custom", "from": nil, "to": "2026-05-02", "timezone": "Europe/Berlin"},
		} {
			if got := get(query); fmt.Sprint(got["range"]) != fmt.Sprint(want) {
				o.Errorf("%s: range %v, want %v", query, got["range"], want)
			} else if _, told := got["totals"]; told {
				o.Errorf("%s: totals were not asked for: %v", query, got["totals"])
			}
		}
		o.manager.call("POST", v1+"/conversions/"+o.conversionOf("#10")["id"].(string)+"/reject", nil).ok(200)
		const classes = "canceled:0 commissions:%s conversions:%d currency:%s held:0 pending:0 refunded:0 " +
			"refunds:0.00 rejected:%d"
		zloty := "map[" + fmt.Sprintf(classes, "3.00", 1, "PLN", 0) + " sales:30.00]"
		for query, want := range map[string]string{
			"":                  "map[" + fmt.Sprintf(classes, "12.50", 2, "USD", 1) + " rows:4 sales:125.00]",
			"&limit=1":          "map[" + fmt.Sprintf(classes, "12.50", 2, "USD", 1) + " rows:4 sales:125.00]",
			"&q=anna":           "map[" + fmt.Sprintf(classes, "12.50", 2, "USD", 0) + " rows:3 sales:125.00]",
			"&period=yesterday": "map[" + fmt.Sprintf(classes, "0.00", 0, "USD", 0) + " rows:0 sales:0.00]",
			"&status=refunded":  "map[" + fmt.Sprintf(classes, "0.00", 0, "USD", 0) + " rows:0 sales:0.00]",
			"&to=2026-05-03":    "map[" + fmt.Sprintf(classes, "12.50", 2, "USD", 0) + " rows:3 sales:125.00]",
			"&campaign=cmp_2":   "map[" + fmt.Sprintf(classes, "0.00", 0, "USD", 1) + " rows:1 sales:0.00]",
		} {
			totals := get("totals=true" + query)["totals"].(object)
			other := fmt.Sprint(totals["not_converted"].([]any)...)
			delete(totals, "not_converted")
			waits := ""
			if totals["rows"].(float64) >= 3 {
				waits = zloty
			}
			if fmt.Sprint(totals) != want || other != waits {
				o.Errorf("%s: totals %v, %s, want %s, %s", query, totals, other, want, waits)
			}
		}
	})
}

func TestAPI_conversions_former(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		o.manager.call("POST", v1+"/members/mem_2/end", nil).ok(200)
		if got := numbers(o.viewer.call("GET", v1+"/conversions", nil).ok(200)); got != "#9 #8 #7" {
			o.Errorf("current members: %s", got)
		}
		if got := o.conversionOf("#10"); got["former"] != true {
			o.Errorf("former: %v", got)
		}
		o.manager.call("POST", v1+"/creators/cre_1/end", nil).ok(200)
		if got := numbers(o.viewer.call("GET", v1+"/campaigns/cmp_1/conversions?include=former",
			nil).ok(200)); got != "#9 #8 #7" {
			o.Errorf("with former members: %s", got)
		}
		all := o.viewer.call("GET", v1+"/conversions?totals=true", nil).ok(200)
		if numbers(all) != "" || all["totals"].(object)["rows"] != 0.0 {
			o.Errorf("nobody is left: %v", all)
		}
	})
}

func TestAPI_conversions_pages(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		for _, sort := range []string{"-date", "value", "-creator", "store"} {
			whole := numbers(o.viewer.call("GET", v1+"/conversions?sort="+sort, nil).ok(200))
			var parts []string
			for cursor := ""; ; {
				page := o.viewer.call("GET", fmt.Sprintf("%s/conversions?sort=%s&limit=3&cursor=%s", v1, sort, cursor),
					nil).ok(200)
				parts = append(parts, numbers(page))
				next, more := page["next_cursor"].(string)
				if !more {
					break
				}
				cursor = next
				o.viewer.call("GET", v1+"/conversions?sort=status&cursor="+cursor, nil).problem(422,
					"invalid", "cursor")
			}
			if strings.Join(parts, " ") != whole || len(parts) != 2 {
				o.Errorf("%s: pages %q, want %q", sort, parts, whole)
			}
		}
	})
}

func TestAPI_conversions_problems(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		for query, field := range map[string]string{"sort=luck": "sort", "cursor=x": "cursor", "limit=0": "limit",
			"limit=501": "limit", "status=lost": "status", "status=paid,": "status", "approval=maybe": "approval",
			"creator=anna": "creator", "offer=ten": "offer", "offer_type=x": "offer_type",
			"offer_status=x": "offer_status", "method=x": "method", "store=nowhere": "store", "code=x": "code",
			"link=x": "link", "currency=coins": "currency", "include=all": "include", "period=some_day": "period",
			"from=yesterday": "from", "from=2026-05-02&to=2026-05-01": "to", "period=today&from=2026-05-02": "from",
			"campaign=cmp_1,x": "campaign", "q=%00": "q", "q=" + strings.Repeat("x", 201): "q",
			"totals=perhaps": "totals", "campaign=" + strings.Repeat("1,", 100) + "1": "campaign"} {
			o.viewer.call("GET", v1+"/conversions?"+query, nil).problem(422, "invalid", field)
		}
		for _, path := range []string{"campaigns/cmp_9/conversions", "campaigns/spring/conversions",
			"conversions/cnv_99", "conversions/first"} {
			o.viewer.call("GET", v1+"/"+path, nil).problem(404, "not_found", "")
		}
	})
}

// TestAPI_decisions: people reject and undo, one or many, and commissions follow at once.
func TestAPI_decisions(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		m := o.manager
		ids := map[string]string{}
		for _, number := range []string{"#7", "#8", "#9", "#10"} {
			ids[number] = o.conversionOf(number)["id"].(string)
		}
		path := v1 + "/conversions/" + ids["#7"]
		rejected := m.call("POST", path+"/reject", object{"reason": "sent back unpaid"}).ok(200)
		if rejected["approval"] != "rejected" || rejected["approval_reason"] != "sent back unpaid" ||
			!strings.Contains(rejected["approval_by"].(string), "manager") ||
			rejected["approval_at"] != "2026-05-20T12:00:00Z" || rejected["commission"] != "0.00" ||
			rejected["account"].(object)["commission"] != "0.00" || rejected["value"] != "100.00" {
			o.Errorf("rejected: %v", rejected)
		}
		m.call("POST", path+"/release", nil).problem(409, "conflict", "")
		m.call("POST", path+"/keep", nil).problem(409, "conflict", "")
		undone := m.call("POST", path+"/undo", nil).ok(200)
		if undone["approval"] != "approved" || undone["approval_reason"] != "" || undone["commission"] != "10.00" {
			o.Errorf("undone: %v", undone)
		}
		m.call("POST", path+"/release", nil).ok(200) // it is not held: nothing changes
		kept := m.call("POST", v1+"/conversions/"+ids["#8"]+"/keep", nil).ok(200)
		if kept["approval"] != "approved" || !strings.Contains(kept["approval_by"].(string), "manager") ||
			kept["approval_at"] != "2026-05-20T12:00:00Z" {
			o.Errorf("kept: %v", kept)
		}
		if got := numbers(o.viewer.call("GET", v1+"/conversions?undecided=true", nil).ok(200)); got != "#10 #9" {
			o.Errorf("undecided: %s", got)
		}
		m.call("POST", v1+"/conversions/decisions", object{"ids": []string{ids["#8"]}, "decision": "keep"}).ok(200)
		o.viewer.call("POST", path+"/keep", nil).problem(403, "forbidden", "")

		many := object{"ids": []string{ids["#10"], ids["#7"], ids["#10"], ids["#8"]}, "decision": "reject",
			"reason": "test"}
		for range 2 { // a decision that was made before changes nothing
			if got := numbers(m.call("POST", v1+"/conversions/decisions", many).ok(200)); got != "#10 #7 #8" {
				o.Errorf("decided: %s", got)
			}
		}
		if got := numbers(o.viewer.call("GET", v1+"/conversions?approval=rejected&sort=number",
			nil).ok(200)); got != "#7 #8 #10" {
			o.Errorf("rejected: %s", got)
		}
		many["decision"], many["ids"] = "undo", []string{ids["#7"], "cnv_99"}
		m.call("POST", v1+"/conversions/decisions", many).problem(404, "not_found", "")
		if got := o.conversionOf("#7"); got["approval"] != "rejected" {
			o.Errorf("half of a decision was made: %v", got)
		}
		log, _, err := o.app.DB.AuditLog(o.Context(), ids["#7"], storage.Page{})
		if err != nil || !slices.ContainsFunc(log, func(r storage.AuditRecord) bool {
			return r.Action == "conversion.reject" && strings.Contains(r.Actor, "(manager)")
		}) {
			o.Errorf("audit log: %v, %v", log, err)
		}

		o.viewer.call("POST", path+"/undo", nil).problem(403, "forbidden", "")
		o.viewer.call("POST", v1+"/conversions/decisions", many).problem(403, "forbidden", "")
		m.call("POST", v1+"/conversions/cnv_99/reject", nil).problem(404, "not_found", "")
		m.call("POST", v1+"/conversions/first/reject", nil).problem(404, "not_found", "")
		for field, body := range map[string]object{"ids": {"ids": []string{}, "decision": "undo"},
			"decision": {"ids": []string{"cnv_1"}, "decision": "praise"}, "reason": {"ids": []string{"cnv_1"},
				"decision": "reject", "reason": strings.Repeat("x", 501)}} {
			m.call("POST", v1+"/conversions/decisions", body).problem(422, "invalid", field)
		}
		m.call("POST", v1+"/conversions/decisions", object{"ids": []string{"first"}, "decision": "undo"}).problem(422,
			"invalid", "ids")
		m.call("POST", v1+"/conversions/decisions", object{"ids": slices.Repeat([]string{"cnv_1"}, 501),
			"decision": "undo"}).problem(422, "invalid", "ids")
	})
}

// TestAPI_release: what a rule holds counts when somebody releases it.
func TestAPI_release(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		id, err := affiliate.ParseID[affiliate.OrderID]("ord_", o.conversionOf("#7")["order"].(object)["id"].(string))
		if err != nil {
			o.Fatal(err)
		}
		if err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
			list, err := tx.Conversions(o.Context(), []affiliate.OrderID{id})
			if err != nil {
				return err
			}
			before := list[id]
			after := before
			state := after.Approvals()
			state.Hold(affiliate.HeldSelfReferral)
			after.SetApprovals(state)
			_, err = tx.SaveConversions(o.Context(), []storage.ConversionChange{{Before: &before, After: after}},
				may20())
			return err
		}); err != nil {
			o.Fatal(err)
		}
		held := o.viewer.call("GET", v1+"/conversions?approval=held", nil).ok(200)
		if got := held["data"].([]any)[0].(object); numbers(held) != "#7" ||
			got["approval_reason"] != affiliate.HeldSelfReferral || got["approval_by"] != nil {
			o.Errorf("held: %v", held)
		}
		path := v1 + "/conversions/" + held["data"].([]any)[0].(object)["id"].(string) + "/release"
		if got := o.manager.call("POST", path, nil).ok(200); got["approval"] != "approved" ||
			!strings.Contains(got["approval_by"].(string), "manager") || got["commission"] != "10.00" {
			o.Errorf("released: %v", got)
		}
	})
}
