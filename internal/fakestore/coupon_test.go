package fakestore

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// wooAPI asks a WooCommerce store as a program that knows nothing of it would, and gives status and body.
func wooAPI(t *testing.T, o Options) (*Shop, func(method, path, body string) (int, string)) {
	t.Helper()
	s := WooCommerce(o)
	server := httptest.NewTLSServer(s)
	t.Cleanup(server.Close)
	keys := s.Keys(server.URL)
	return s, func(method, path, body string) (int, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, server.URL+"/wp-json/wc/v3/"+path,
			strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.SetBasicAuth(keys.ID, keys.Secret)
		answer, err := server.Client().Do(r)
		if err != nil {
			return 0, err.Error()
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(text)
	}
}

func codesOf(t *testing.T, body string) (codes []string) {
	t.Helper()
	var list []struct{ Code string }
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	for _, c := range list {
		codes = append(codes, c.Code)
	}
	return codes
}

func TestWooCoupons(t *testing.T) {
	now := start
	s, ask := wooAPI(t, Options{Currency: "EUR", Timezone: "Europe/Berlin", Now: func() time.Time { return now }})
	for _, c := range []struct {
		method, path, body string
		status             int
		has                string
	}{
		{"POST", "coupons", `{"code":"Anna10","discount_type":"percent","amount":"12.5","individual_use":true,
			"minimum_amount":"20","usage_limit":5,"usage_limit_per_user":1,"product_ids":[7,13],"description":"Anna",
			"date_expires":"2027-03-28","date_expires_gmt":"2030-01-01T00:00:00",
			"meta_data":[{"key":"_tributary_mark","value":"m1"},{"key":"other","value":2}]}`, 201,
			`"date_expires":"2027-03-28T00:00:00","date_expires_gmt":"2027-03-27T23:00:00"`},
		{"POST", "coupons", `{"code":"ANNA10"}`, 400, "woocommerce_rest_coupon_code_already_exists"},
		{"POST", "coupons", `{"amount":"1"}`, 400, "woocommerce_rest_empty_coupon_code"},
		{"POST", "coupons", `{"code":"x","discount_type":"odd"}`, 400, "coupon_invalid_discount_type"},
		{"PUT", "coupons/11", `{"amount":"101"}`, 404, "woocommerce_rest_shop_coupon_invalid_id"},
		{"PUT", "coupons/13", `{"amount":"101"}`, 400, "coupon_invalid_amount"},
		// null leaves what was there, and the times are those of the shop unless they say otherwise.
		{"PUT", "coupons/13", `{"usage_limit":null,"date_expires":"2027-03-28T03:30:00"}`, 200,
			`"date_expires_gmt":"2027-03-28T01:30:00","usage_count":0`},
		{"PUT", "coupons/13", `{"date_expires":"2027-03-28T03:30:00Z"}`, 200, `"date_expires":"2027-03-28T05:30:00"`},
		{"PUT", "coupons/13", `{"date_expires":"1795860000"}`, 200, `"date_expires_gmt":"2026-11-28T10:00:00"`},
		{"PUT", "coupons/13", `{"date_expires":"nonsense"}`, 200, `"date_expires_gmt":"2026-11-28T10:00:00"`},
		{"PUT", "coupons/13", `{"date_expires":""}`, 200, `"date_expires":null,"date_expires_gmt":null`},
		{"GET", "coupons?code=ANNA10", "", 200, `"meta_data":[{"id":11,"key":"_tributary_mark","value":"m1"},`},
		{"GET", "coupons?orderby=odd", "", 400, "orderby"},
		{"GET", "coupons?modified_after=odd", "", 400, "modified_after"},
		{"POST", "coupons/batch", `{"create":[{"code":"leo5","amount":"5"},{"code":"leo5"}],
			"update":[{"id":13,"amount":"10"},{"id":99,"amount":"10"}],"delete":[98]}`, 200,
			`"update":[{"id":13,"code":"anna10","amount":"10.00"`},
		{"POST", "coupons/batch", `{"create":[` + strings.Repeat(`{"code":"a"},`, 100) + `{"code":"b"}]}`, 413,
			"woocommerce_rest_request_entity_too_large"},
		{"DELETE", "coupons/14", "", 200, `"status":"trash"`},
		{"POST", "coupons", `{"code":"leo5","amount":"6"}`, 201, `"amount":"6.00"`},
		{"PUT", "coupons/14", `{"code":"leo5","status":"publish"}`, 400, "already_exists"},
		{"DELETE", "coupons/14?force=true", "", 200, `"status":"trash"`},
		{"PUT", "coupons/15", `{"status":"draft"}`, 200, `"status":"draft"`},
	} {
		status, body := ask(c.method, c.path, c.body)
		if status != c.status || !strings.Contains(body, c.has) {
			t.Errorf("%s %s %s: %d %s\nwant %d with %s", c.method, c.path, c.body, status, body, c.status, c.has)
		}
	}
	if _, body := ask("GET", "coupons", ""); !slices.Equal(codesOf(t, body), []string{"anna10"}) {
		t.Errorf("listed %s", body)
	}
	want := []CouponTruth{
		{ID: "13", Code: "anna10", Mark: "m1", Title: "Anna", Works: true, Discount: affiliate.Discount{
			Kind: affiliate.DiscountPercent, Percent: 1000, Minimum: 2000, Currency: "EUR", OncePerCustomer: true,
			UsageLimit: 5, Products: []string{"7", "13"}}},
		{ID: "15", Code: "leo5", Discount: affiliate.Discount{Kind: affiliate.DiscountFixed, Amount: 600,
			Currency: "EUR", Combines: true}},
	}
	if got := s.Coupons(); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestWooCouponsChangedSince checks which changes move the time of the last change.
func TestWooCouponsChangedSince(t *testing.T) {
	now := start
	_, ask := wooAPI(t, Options{Now: func() time.Time { return now }})
	for i := range 4 {
		ask("POST", "coupons", fmt.Sprintf(`{"code":"c%d"}`, i))
	}
	now = now.Add(time.Hour)
	ask("PUT", "coupons/11", `{"amount":"5","date_expires":"2030-01-01"}`)
	ask("PUT", "coupons/12", `{"description":"new"}`)
	ask("PUT", "coupons/13", `{"code":"c2new"}`)
	const after = "coupons?dates_are_gmt=true&orderby=id&order=asc&modified_after=2026-11-28T"
	for query, want := range map[string][]string{after + "10:59:59": {"c1", "c2new"}, after + "11:00:00": nil,
		after + "09:59:59": {"c0", "c1", "c2new", "c3"}} {
		if _, body := ask("GET", query, ""); !slices.Equal(codesOf(t, body), want) {
			t.Errorf("%s: %s, want %v", query, body, want)
		}
	}
}

func TestCouponsOfShops(t *testing.T) {
	for name, s := range map[string]*Shop{"WooCommerce": WooCommerce(Options{Now: func() time.Time { return start }}),
		"Shopify": Shopify(Options{Now: func() time.Time { return start }})} {
		s.MakeCoupon("Anna10", 1000)
		s.MakeCoupon("leo5", 500)
		for _, codes := range [][]string{{"anna10"}, {"ANNA10", "leo5"}} {
			s.Cancel(s.Place(NewOrder{Codes: codes}))
			s.Place(NewOrder{Codes: codes})
		}
		s.EditCoupon("ANNA10", func(d *affiliate.Discount) { d.Percent, d.EndsAt = 2000, start.Add(time.Hour) })
		s.EditCoupon("nobody's", func(*affiliate.Discount) { t.Errorf("%s edits what is not there", name) })
		if !s.CouponWorks("anna10", start) || s.CouponWorks("anna10", start.Add(time.Hour)) ||
			s.CouponWorks("nobody's", start) {
			t.Errorf("%s: works at the wrong time", name)
		}
		s.StopCoupon("leo5")
		got := s.Coupons()
		if len(got) != 2 || got[0].Discount.Percent != 2000 || got[0].Uses != 2 || !got[0].Works || got[1].Uses != 1 ||
			got[1].Works || s.CouponWorks("LEO5", start) {
			t.Errorf("%s: %+v", name, got)
		}
		s.TrashCoupon("anna10")
		if s.CouponWorks("anna10", start) || len(s.CouponCodes()) != 2 {
			t.Errorf("%s: in the trash it works", name)
		}
	}
}

func TestLostAnswers(t *testing.T) {
	s, ask := wooAPI(t, Options{})
	s.LoseAnswers(1)
	if status, body := ask("POST", "coupons", `{"code":"anna10"}`); status != 0 {
		t.Errorf("answered %d %s", status, body)
	}
	if status, _ := ask("POST", "coupons", `{"code":"anna10"}`); status != http.StatusBadRequest {
		t.Errorf("then answered %d: the first was not made", status)
	}
}
