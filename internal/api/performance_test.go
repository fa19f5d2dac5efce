package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/storage"
)

// performed is what sold makes, with a sale that nobody is credited with, a link of Anna's that was clicked twice, and
// Ben gone from his campaign.
func (o *office) performed() {
	o.Helper()
	o.sold()
	o.seen(1, "11", "NOBODY", 7000, "USD", time.Date(2026, 5, 5, 10, 0, 0, 0, time.UTC))
	o.manager.call("POST", v1+"/links", object{"offer_member": "ofm_1", "slug": "anna", "landing_url": "https://shop.example/"}).ok(201)
	o.manager.call("POST", v1+"/members/mem_2/end", nil).ok(200)
	at := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	clicks := []storage.Click{{ID: "a", LinkID: 1, At: at, Day: "2026-05-01"},
		{ID: "b", LinkID: 1, At: at.AddDate(0, 0, 1), Day: "2026-05-02"}}
	if err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		return tx.InsertClicks(o.Context(), clicks)
	}); err != nil {
		o.Fatal(err)
	}
}

// picked writes some fields of an answer, by paths with dots.
func picked(body object, paths ...string) string {
	values := make([]string, len(paths))
	for i, path := range paths {
		var at any = body
		for key := range strings.SplitSeq(path, ".") {
			switch v := at.(type) {
			case object:
				at = v[key]
			case []any:
				var n int
				_, _ = fmt.Sscan(key, &n)
				at = v[n]
			}
		}
		values[i] = fmt.Sprint(at)
	}
	return strings.Join(values, " ")
}

func TestAPI_performance(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.performed()
		get := func(path string) object { o.Helper(); return o.viewer.call("GET", v1+path, nil).ok(200) }
		for _, test := range []struct{ path, fields, want string }{
			{"/performance?period=this_month", "currency former range.period range.from range.to range.timezone " +
				"previous_range.from previous_range.to",
				"USD true this_month 2026-05-01 2026-05-20 Europe/Berlin 2026-04-01 2026-04-20"},
			{"/performance?period=this_month", "kpis.conversions kpis.sales kpis.commissions kpis.average_sale " +
				"kpis.clicks kpis.conversions_by_link kpis.conversion_rate kpis.pending kpis.refunds kpis.payouts",
				"3 175.00 15.50 58.33 2 0 0.00 0 0.00 0.00"},
			{"/performance?period=this_month", "kpis.members kpis.members_with_conversions kpis.sales_per_member " +
				"kpis.commission_per_member kpis.payments_due kpis.members_with_payments_due",
				"2 2 87.50 7.75 15.50 2"},
			{"/performance?period=this_month",
				"previous.conversions previous.sales previous.average_sale changes.sales changes.clicks",
				"0 0.00 <nil> <nil> <nil>"},
			{"/performance?from=2026-05-02&to=2026-05-03", "range.period previous.sales previous_range.from " +
				"previous_range.to kpis.sales changes.sales changes.conversions changes.clicks",
				"custom 100.00 2026-04-30 2026-05-01 25.00 -75.00 0.00 0.00"},
			{"/performance?period=this_month", "reconciliation.total.sales reconciliation.current.sales " +
				"reconciliation.former.sales reconciliation.total.conversions reconciliation.former.commissions",
				"175.00 125.00 50.00 3 3.00"},
			{"/performance?period=this_month",
				"reconciliation.not_converted reconciliation.without_creator payments_due_in_other_currencies",
				"[map[canceled:0 commissions:3.00 conversions:1 currency:PLN held:0 payouts:0.00 pending:0 " +
					"refunded:0 refunds:0.00 rejected:0 sales:30.00]] [map[currency:USD orders:1 sales:70.00]] []"},
			{"/performance?period=this_month",
				"series.unit series.data.0.label series.data.0.sales series.data.1.sales series.data.19.to",
				"day 2026-05-01 100.00 25.00 2026-05-20"},
			{"/performance?period=this_month&unit=week", "series.unit series.data.0.label series.data.0.partial " +
				"series.data.0.sales series.data.0.clicks series.data.1.sales", "week 2026-W18 true 125.00 2 50.00"},
			{"/performance", "range.period range.from series.unit kpis.sales", "last_6_months 2025-11-21 week 175.00"},
			{"/performance?period=all_time",
				"range.from range.to previous_range previous changes series.unit series.data.0.from kpis.sales",
				"<nil> <nil> <nil> <nil> <nil> day 2026-05-01 175.00"},
			{"/performance?campaign=cmp_2",
				"kpis.sales kpis.members reconciliation.without_creator reconciliation.former.sales",
				"50.00 1 <nil> 50.00"},
			{"/performance?campaign=cmp_2,1&offer_status=active&offer_type=promo_code", "kpis.sales kpis.members",
				"175.00 2"},
			{"/performance?offer_type=sales_link", "kpis.sales kpis.members kpis.payments_due", "0.00 0 0.00"},
			{"/campaigns/cmp_2/performance", "former kpis.sales kpis.members kpis.payments_due " +
				"reconciliation.total.sales reconciliation.current.sales reconciliation.former.sales",
				"false 0.00 0 0.00 50.00 0.00 50.00"},
			{"/campaigns/2/performance?include=former", "former kpis.sales kpis.members kpis.payments_due " +
				"reconciliation.total.sales reconciliation.current.sales", "true 50.00 1 3.00 50.00 0.00"},
			{"/offers/off_1/performance",
				"kpis.sales kpis.members kpis.payments_due kpis.clicks reconciliation.without_creator",
				"125.00 1 12.50 2 <nil>"},
			{"/creators/cre_1/performance?unit=month",
				"kpis.sales kpis.members kpis.clicks series.unit series.data.6.sales", "125.00 1 2 month 125.00"},
			{"/creators/cre_2/performance", "kpis.sales kpis.members", "50.00 1"}, // who left a campaign
			{"/creators/cre_2/performance?include=former&period=all_time", "kpis.sales kpis.members kpis.commissions",
				"50.00 1 3.00"},
			{"/performance/series?period=this_month&unit=month",
				"currency unit range.to data.0.label data.0.sales data.0.partial data.0.average_sale",
				"USD month 2026-05-20 2026-05 175.00 true 58.33"},
			{"/performance/series?period=this_month&unit=month&campaign=cmp_1", "data.0.sales", "125.00"},
		} {
			if got := picked(get(test.path), strings.Fields(test.fields)...); got != test.want {
				o.Errorf("%s: %s is\n%s, want\n%s", test.path, test.fields, got, test.want)
			}
		}
		for query, field := range map[string]string{"/performance?period=luck": "period", "/performance?from=x": "from",
			"/performance?from=2026-05-02&to=2026-05-01": "to", "/performance?period=today&from=2026-05-01": "from",
			"/performance?unit=hour": "unit", "/performance?campaign=off_1": "campaign",
			"/performance?offer_type=gift": "offer_type", "/performance?from=1970-01-01&unit=day": "unit",
			"/performance/series?from=1970-01-01&unit=week": "unit",
			"/campaigns/1/performance?include=all":          "include"} {
			o.viewer.call("GET", v1+query, nil).problem(422, "invalid", field)
		}
		for _, path := range []string{"/campaigns/9", "/offers/9", "/creators/9", "/creators/x"} {
			o.viewer.call("GET", v1+path+"/performance", nil).problem(404, "not_found", "")
		}
		o.nobody.call("GET", v1+"/performance", nil).problem(401, "unauthenticated", "")
	})
}

func TestAPI_performance_lists(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.performed()
		// fields of the rows; then the count and the total's sales
		for _, test := range []struct{ path, fields, want string }{
			{"campaigns", "id name status sales conversions",
				"cmp_1 Campaign of shop active 125.00 2, cmp_2 Other active 0.00 0; 2 125.00"},
			{"campaigns?include=former&sort=sales", "id sales average_sale not_converted",
				"cmp_2 50.00 50.00 0, cmp_1 125.00 62.50 1; 2 175.00"},
			{"campaigns?campaign=cmp_2&include=former", "id sales", "cmp_2 50.00; 1 50.00"},
			{"campaigns?q=OTH", "id", "cmp_2; 1 0.00"},
			{"campaigns?creator=cre_2&include=former", "id commissions", "cmp_2 3.00; 1 50.00"},
			{"campaigns?from=2026-05-02&to=2026-05-03&compare=true", "id sales previous.sales previous.clicks",
				"cmp_1 25.00 100.00 1, cmp_2 0.00 0.00 0; 2 25.00"},
			{"offers?sort=name", "id name type status campaign campaign_name sales clicks conversion_rate",
				"off_2 Flat promo_code active cmp_2 Other 0.00 0 <nil>, " +
					"off_1 Ten promo_code active cmp_1 Campaign of shop 125.00 2 0.00; 2 125.00"},
			{"offers?campaign=cmp_1&period=all_time&compare=true", "id sales previous", "off_1 125.00 <nil>; 1 125.00"},
			{"offers?min_sales=125&max_sales=125.00", "id", "off_1; 1 125.00"},
			{"offers?min_sales=125.01", "id", "; 0 0.00"},
			{"offers?max_conversions=1", "id", "off_2; 1 0.00"},
			{"offers?min_clicks=2&min_commissions=12.5&max_payouts=0&max_average_sale=62.50", "id", "off_1; 1 125.00"},
			{"creators", "id name former handles.instagram sales commissions payouts not_accepted.pending",
				"cre_1 Anna false anna.i 125.00 12.50 0.00 0, cre_2 ben false <nil> 50.00 3.00 0.00 0; 2 175.00"},
			{"creators?community=all&sort=-commissions", "id sales", "cre_1 125.00, cre_2 50.00; 2 175.00"},
			{"creators?include=former&sort=commissions&period=all_time", "id sales not_accepted",
				"cre_2 50.00 <nil>, cre_1 125.00 <nil>; 2 175.00"},
			{"creators?campaign=cmp_2&community=all", "id sales", "cre_2 50.00; 1 50.00"},
			{"creators?offer=off_1&q=nn", "id sales", "cre_1 125.00; 1 125.00"},
			{"creators?q=nn", "id sales", "cre_1 125.00; 1 125.00"},
			{"evidence?campaign=cmp_1&sort=name",
				"kind id text store link_kind creator_name offer_name campaign_name sales clicks conversion_rate ended",
				"link lnk_1 anna <nil> sales Anna Ten Campaign of shop 0.00 2 0.00 false, " +
					"code cod_1 ANNA10 shop <nil> Anna Ten Campaign of shop 125.00 0 <nil> false; 2 125.00"},
			{"evidence?creator=cre_2&include=former", "id text sales offer_member", "cod_2 Ben 50.00 ofm_2; 1 50.00"},
			{"evidence?offer=off_2", "id", "; 0 0.00"},
		} {
			body := o.viewer.call("GET", v1+"/performance/"+test.path, nil).ok(200)
			var rows []string
			for _, row := range body["data"].([]any) {
				rows = append(rows, picked(row.(object), strings.Fields(test.fields)...))
			}
			total := "none"
			if body["total"] != nil {
				total = picked(body, "total.sales")
			}
			got := fmt.Sprint(strings.Join(rows, ", "), "; ", body["count"], " ", total)
			// Codes are numbered as a map gave them to the fixture.
			got = strings.NewReplacer(codeID(o, "ANNA10"), "cod_1", codeID(o, "Ben"), "cod_2").Replace(got)
			if got != test.want || body["currency"] != "USD" || picked(body, "range.timezone") != "Europe/Berlin" {
				o.Errorf("%s gives\n%s, want\n%s", test.path, got, test.want)
			}
		}
		first := o.viewer.call("GET", v1+"/performance/creators?community=all&sort=-sales&limit=1", nil).ok(200)
		cursor := fmt.Sprint(first["next_cursor"])
		second := o.viewer.call("GET", v1+"/performance/creators?community=all&sort=-sales&limit=1&cursor="+cursor,
			nil).ok(200)
		if picked(first, "data.0.id")+picked(second, "data.0.id") != "cre_1cre_2" || second["next_cursor"] != nil {
			o.Errorf("pages: %v, %v", first, second)
		}
		for query, field := range map[string]string{"campaigns?sort=luck": "sort", "campaigns?sort=-": "sort",
			"creators?cursor=" + cursor: "cursor", "offers?limit=0": "limit", "offers?min_sales=1.234": "min_sales",
			"offers?max_clicks=many": "max_clicks", "offers?min_conversions=-1": "min_conversions",
			"offers?min_payouts=-1": "min_payouts", "evidence": "campaign", "creators?community=none": "community",
			"creators?offer=cmp_1": "offer", "campaigns?creator=7x": "creator", "campaigns?q=%00": "q",
			"creators?period=soon": "period"} {
			o.viewer.call("GET", v1+"/performance/"+query, nil).problem(422, "invalid", field)
		}
	})
}

func codeID(o *office, code string) string {
	o.Helper()
	for _, c := range o.viewer.call("GET", v1+"/codes", nil).ok(200)["data"].([]any) {
		if c.(object)["code"] == code {
			return c.(object)["id"].(string)
		}
	}
	o.Fatalf("there is no code %s", code)
	return ""
}
