package woocommerce

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

func asError(err error, e **affiliate.Error) bool { return errors.As(err, e) }

// changes are fields of an order to set, as JSON; an empty value takes the field out.
type changes map[string]string

// order writes a paid order of 20.00 with changes.
func order(c changes) []byte {
	fields := changes{
		"id": `77`, "number": `"77"`, "status": `"processing"`, "currency": `"USD"`, "total": `"26.73"`,
		"date_created_gmt": `"2026-11-21T03:08:13"`, "date_modified_gmt": `"2026-11-21T03:09:00"`,
		"date_paid_gmt": `"2026-11-21T03:08:14"`, "billing": `{"country":"FI","email":"ada@example.com"}`,
		"shipping": `{"country":"SE"}`, "line_items": `[{"id":1,"total":"20.00","price":20}]`, "fee_lines": `[]`,
		"coupon_lines": `[]`, "refunds": `[]`, "meta_data": `[]`,
	}
	maps.Copy(fields, c)
	var members []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if fields[name] != "" {
			members = append(members, fmt.Sprintf("%q:%s", name, fields[name]))
		}
	}
	return []byte("{" + strings.Join(members, ",") + "}")
}

func meta(pairs ...string) changes {
	var fields []string
	for i := 0; i < len(pairs); i += 2 {
		fields = append(fields, fmt.Sprintf(`{"id":%d,"key":%q,"value":%s}`, i, pairs[i], pairs[i+1]))
	}
	return changes{"meta_data": "[" + strings.Join(fields, ",") + "]"}
}

func parseOrder(t *testing.T, topic string, body []byte) *affiliate.Snapshot {
	t.Helper()
	parsed, err := Platform{}.Parse(topic, body)
	if err != nil {
		t.Fatalf("Parse: %v\n%s", err, body)
	}
	if len(parsed.Events) == 0 || parsed.Events[0].Snapshot == nil {
		t.Fatalf("Parse = %+v, want a snapshot", parsed)
	}
	return parsed.Events[0].Snapshot
}

func TestParseReadsAnOrder(t *testing.T) {
	got := parseOrder(t, "order.updated", order(nil))
	want := &affiliate.Snapshot{
		Version: time.Date(2026, 11, 21, 3, 9, 0, 0, time.UTC).UnixMilli(), Number: "77",
		PlacedAt: time.Date(2026, 11, 21, 3, 8, 13, 0, time.UTC), Currency: "USD", Status: affiliate.StorePaid,
		RawStatus: "processing", PaymentDate: true, Captured: 2673, Total: 2673, Merchandise: 2000, Country: "FI",
		CustomerEmail: "ada@example.com", RefundsComplete: true, Hash: got.Hash,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseStatus(t *testing.T) {
	for _, c := range []struct {
		status string
		paid   bool
		want   affiliate.StoreStatus
	}{
		{"processing", true, affiliate.StorePaid},
		{"completed", true, affiliate.StorePaid},
		{"processing", false, affiliate.StorePending}, // cash on delivery
		{"completed", false, affiliate.StorePending},
		{"pending", false, affiliate.StorePending},
		{"pending", true, affiliate.StorePending}, // date_paid is never cleared
		{"on-hold", true, affiliate.StorePending},
		{"refunded", true, affiliate.StoreRefunded},
		{"failed", true, affiliate.StoreFailed},
		{"cancelled", true, affiliate.StoreCanceled},
		{"trash", false, affiliate.StoreCanceled},
		{"wc-completed", true, affiliate.StorePaid},
		{"shipped", true, affiliate.StoreCustom},
	} {
		t.Run(fmt.Sprint(c.status, c.paid), func(t *testing.T) {
			fields := changes{"status": fmt.Sprintf("%q", c.status)}
			if !c.paid {
				fields["date_paid_gmt"] = `null`
			}
			parsed, err := Platform{}.Parse("order.updated", order(fields))
			if err != nil {
				t.Fatal(err)
			}
			s := parsed.Events[0].Snapshot
			if s.Status != c.want || s.PaymentDate != c.paid || (s.Captured == s.Total) != c.paid || s.Canceled {
				t.Errorf("got %+v, want status %s", s, c.want)
			}
			if s.RawStatus != strings.TrimPrefix(c.status, "wc-") {
				t.Errorf("raw status %q", s.RawStatus)
			}
		})
	}
	for _, draft := range []string{"checkout-draft", "auto-draft", "draft", "new", "wc-checkout-draft"} {
		parsed, err := Platform{}.Parse("order.created", order(changes{"status": fmt.Sprintf("%q", draft)}))
		if err != nil || len(parsed.Events) != 0 || !strings.Contains(parsed.Ignored, "not an order yet") {
			t.Errorf("%s: %+v, %v", draft, parsed, err)
		}
	}
}

func TestParseAmounts(t *testing.T) {
	for _, c := range []struct {
		name               string
		fields             changes
		merchandise, total int64
	}{
		{"yen without decimals", changes{"currency": `"JPY"`, "total": `"5689"`, "line_items": `[{"total":"5167"}]`}, 5167, 5689},
		{"dinar with three decimals", changes{"currency": `"KWD"`, "total": `"22.050"`, "line_items": `[{"total":"20.005"}]`}, 20005, 22050},
		{"dinar under a setting of two decimals", changes{"currency": `"KWD"`, "total": `"22.05"`, "line_items": `[{"total":"20.01"}]`}, 20010, 22050},
		{"yen under a setting of two decimals", changes{"currency": `"JPY"`, "total": `"5689.00"`, "line_items": `[{"total":"5167.00"}]`}, 5167, 5689},
		{"numbers in place of strings", changes{"total": `26.73`, "line_items": `[{"total":20.00}]`}, 2000, 2673},
		{"a number beyond float precision", changes{"total": `9007199254740.93`}, 2000, 900719925474093},
		{"negative fee is a discount", changes{"fee_lines": `[{"total":"-4.50"},{"total":"3.00"}]`}, 1550, 2673},
		{"discount larger than the lines", changes{"fee_lines": `[{"total":"-25.00"}]`}, 0, 2673},
		{"several lines", changes{"line_items": `[{"total":"20.00"},{"total":"0.00"},{"total":"1.05"}]`}, 2105, 2673},
		{"a list with a gap", changes{"line_items": `{"1":{"total":"20.00"},"3":{"total":"1.00"}}`}, 2100, 2673},
		{"no lines", changes{"line_items": `[]`}, 0, 2673},
		{"zero total", changes{"total": `"0.00"`, "line_items": `[{"total":"0.00"}]`}, 0, 0},
		{"no fees field", changes{"fee_lines": ""}, 2000, 2673},
		{"fees null", changes{"fee_lines": "null"}, 2000, 2673},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parseOrder(t, "order.updated", order(c.fields))
			if s.Merchandise != c.merchandise || s.Total != c.total || s.Captured != c.total {
				t.Errorf("merchandise %d, total %d, captured %d; want %d and %d", s.Merchandise, s.Total, s.Captured,
					c.merchandise, c.total)
			}
		})
	}
}

func TestParseRefunds(t *testing.T) {
	for _, c := range []struct {
		name, refunds string
		want          []affiliate.Refund
		complete      bool
	}{
		{"none", `[]`, nil, true},
		{"field missing", ``, nil, false},
		{"null", `null`, nil, false},
		{"by amount", `[{"id":9,"reason":"","total":"-5.00","total_tax":"0.00"}]`, []affiliate.Refund{{ID: "9", Amount: 500, Unclear: true}}, true},
		{"by lines", `[{"id":9,"total":"-5.00","total_tax":"-0.41"}]`, []affiliate.Refund{{ID: "9", Amount: 500, ByLines: true, Lines: 459}}, true},
		{"tax only", `[{"id":9,"total":"-5.00","total_tax":"-5.00"}]`, []affiliate.Refund{{ID: "9", Amount: 500, ByLines: true}}, true},
		{"tax absent", `[{"id":9,"total":"-5.00"}]`, []affiliate.Refund{{ID: "9", Amount: 500, Unclear: true}}, true},
		{"tax empty", `[{"id":"9","total":-5,"total_tax":""}]`, []affiliate.Refund{{ID: "9", Amount: 500, Unclear: true}}, true},
		{"zero", `[{"id":9,"total":"-0.00"}]`, []affiliate.Refund{{ID: "9"}}, true},
		{"sorted by id as text", `[{"id":99,"total":"-2.00"},{"id":100,"total":"-1.00"}]`,
			[]affiliate.Refund{{ID: "100", Amount: 100, Unclear: true}, {ID: "99", Amount: 200, Unclear: true}}, true},
		{"object with a gap", `{"2":{"id":9,"total":"-5.00"}}`, []affiliate.Refund{{ID: "9", Amount: 500, Unclear: true}}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := parseOrder(t, "order.updated", order(changes{"refunds": c.refunds}))
			for i := range c.want {
				c.want[i].Status, c.want[i].Currency, c.want[i].Version = affiliate.RefundSettled, "USD", s.Version
			}
			if !slices.IsSorted(s.RefundIDs) || len(s.RefundIDs) != len(c.want) {
				t.Errorf("refund ids %q", s.RefundIDs)
			}
			if !reflect.DeepEqual(s.Refunds, c.want) || s.RefundsComplete != c.complete {
				t.Errorf("got %+v, complete %v; want %+v, %v", s.Refunds, s.RefundsComplete, c.want, c.complete)
			}
		})
	}
}

func TestParseCodes(t *testing.T) {
	body := order(changes{"coupon_lines": `[{"code":"r&amp;b10"},{"code":"i\u0307stanbul5"},{"code":"o'neill 5 "},` +
		`{"code":10},{"code":""},{"discount":"5"},{"code":"r&amp;b10"},"x"]`})
	got := parseOrder(t, "order.updated", body).Codes
	if want := []string{"r&b10", "i̇stanbul5", "o'neill 5", "10"}; !slices.Equal(got, want) {
		t.Fatalf("codes %q, want %q", got, want)
	}
	if affiliate.FoldCode(got[1]) != affiliate.FoldCode("İSTANBUL5") {
		t.Errorf("%q does not meet İSTANBUL5", got[1])
	}
	for _, none := range []string{`null`, `""`, `false`, `{}`, `"x"`} {
		if got := parseOrder(t, "order.updated", order(changes{"coupon_lines": none})).Codes; got != nil {
			t.Errorf("coupon_lines %s: codes %q", none, got)
		}
	}
}

func TestParseLinks(t *testing.T) {
	placed := time.Date(2026, 11, 21, 3, 8, 13, 0, time.UTC)
	visit := placed.Add(-time.Hour)
	link := func(kind affiliate.LinkEvidenceKind, value, source string, at time.Time) affiliate.LinkEvidence {
		return affiliate.LinkEvidence{Kind: kind, Value: value, Source: source, At: at}
	}
	const entry, start, content = "_wc_order_attribution_session_entry", "_wc_order_attribution_session_start_time",
		"_wc_order_attribution_utm_content"
	for _, c := range []struct {
		name string
		meta []string
		want []affiliate.LinkEvidence
	}{
		{"strongest first, values once", []string{
			content, `"Anna"`, entry, `"https:\/\/shop.example\/?utm_content=anna&ref=ANNA&tclid=C1"`, start, `"2026-11-21 02:08:13"`,
			"_ref", `"anna"`, "_tclid", `"c1"`,
		}, []affiliate.LinkEvidence{
			link(affiliate.EvidenceClick, "c1", "session_entry", visit), link(affiliate.EvidenceSlug, "anna",
				"session_entry", visit),
			link(affiliate.EvidenceUTM, "anna", "utm_content", visit),
		}},
		{"the order's own fields", []string{"ref", `"leo"`, "tclid", `"c2"`, start, `"2026-11-21 02:08:13"`}, []affiliate.LinkEvidence{
			link(affiliate.EvidenceClick, "c2", "meta_data", time.Time{}), link(affiliate.EvidenceSlug, "leo",
				"meta_data", time.Time{}),
		}},
		{"two slugs", []string{entry, `"/?ref=leo"`, "_ref", `"anna"`}, []affiliate.LinkEvidence{
			link(affiliate.EvidenceSlug, "leo", "session_entry", time.Time{}), link(affiliate.EvidenceSlug, "anna",
				"meta_data", time.Time{}),
		}},
		{"a session that began with a link's utm parameters", []string{
			entry, `"https:\/\/shop.example\/p?a=1&ref=anna&tclid=c1&utm_source=tributary&utm_medium=affiliate&utm_campaign=spring&utm_content=anna#top"`,
			content, `"anna"`,
		}, []affiliate.LinkEvidence{
			link(affiliate.EvidenceClick, "c1", "session_entry", time.Time{}), link(affiliate.EvidenceSlug, "anna",
				"session_entry", time.Time{}),
			link(affiliate.EvidenceUTM, "anna", "utm_content", time.Time{}),
		}},
		{"an older landing page, then a link's utm parameters", []string{entry, `"https:\/\/shop.example\/"`, content, `"anna"`},
			[]affiliate.LinkEvidence{link(affiliate.EvidenceUTM, "anna", "utm_content", time.Time{})}},
		{"visit after the order", []string{entry, `"/?ref=leo"`, start, `"2026-11-21 09:00:00"`},
			[]affiliate.LinkEvidence{link(affiliate.EvidenceSlug, "leo", "session_entry", placed)}},
		{"percent-encoding", []string{entry, `"/?ref=%C3%A4iti%20kauppa"`},
			[]affiliate.LinkEvidence{link(affiliate.EvidenceSlug, "äiti kauppa", "session_entry", time.Time{})}},
		{"a malformed parameter beside ours", []string{entry, `"/?q=100%&ref=leo"`},
			[]affiliate.LinkEvidence{link(affiliate.EvidenceSlug, "leo", "session_entry", time.Time{})}},
		{"first of equal keys that says anything", []string{"ref", `""`, "ref", `{"a":1}`, "ref", `"x"`}, nil},
		{"empty, then a value", []string{"ref", `null`, "_ref", `"x"`},
			[]affiliate.LinkEvidence{link(affiliate.EvidenceSlug, "x", "meta_data", time.Time{})}},
		{"malformed address", []string{entry, `"http://[::1?ref=leo"`}, nil},
		{"malformed values", []string{entry, `"/?ref=%FF&tclid=a%00b&utm_content=%zz"`, content, `"` + strings.Repeat("x", 129) + `"`}, nil},
		{"odd types", []string{entry, `{"a":1}`, content, `[]`, start, `17`, "ref", `true`, "other", `{"x":[1,{"y":2}]}`}, nil},
		{"a number", []string{"ref", `123`}, []affiliate.LinkEvidence{link(affiliate.EvidenceSlug, "123", "meta_data",
			time.Time{})}},
		{"refs elsewhere do not count", []string{"_wc_order_attribution_referrer", `"https://x.example/?ref=leo"`, "preference", `"anna"`}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := parseOrder(t, "order.updated", order(meta(c.meta...))).Links; !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
		})
	}
}

func TestParseIsTolerantInOptionalFields(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields changes
		check  func(*affiliate.Snapshot) bool
	}{
		{"id as a string beyond 2^53", changes{"id": `"9007199254740993"`, "number": ""},
			func(s *affiliate.Snapshot) bool { return s.Number == "9007199254740993" }},
		{"number changed by a plugin", changes{"number": `"WEB-2026\/77"`}, func(s *affiliate.Snapshot) bool {
			return s.Number == "WEB-2026/77"
		}},
		{"number as a number", changes{"number": `1077`}, func(s *affiliate.Snapshot) bool { return s.Number == "1077" }},
		{"NUL in a text", changes{"number": `"7\u00007"`}, func(s *affiliate.Snapshot) bool { return s.Number == "77" }},
		{"empty addresses as lists", changes{"billing": `[]`, "shipping": `[]`}, func(s *affiliate.Snapshot) bool {
			return s.Country == "" && s.CustomerEmail == ""
		}},
		{"addresses false", changes{"billing": `false`, "shipping": `""`}, func(s *affiliate.Snapshot) bool {
			return s.Country == ""
		}},
		{"country of delivery", changes{"billing": `{"country":"","email":null}`}, func(s *affiliate.Snapshot) bool {
			return s.Country == "SE" && s.CustomerEmail == ""
		}},
		{"erased customer", changes{"billing": `{"country":"[deleted]","email":"deleted@site.invalid"}`},
			func(s *affiliate.Snapshot) bool { return s.Country == "SE" && s.CustomerEmail == "" }},
		{"dates with Z", changes{"date_modified_gmt": `"2026-11-21T03:09:00Z"`}, func(s *affiliate.Snapshot) bool {
			return s.Version == 1795230540000
		}},
		{"unpaid as an empty string", changes{"date_paid_gmt": `""`}, func(s *affiliate.Snapshot) bool {
			return !s.PaymentDate && s.Captured == 0
		}},
		{"unpaid as false", changes{"date_paid_gmt": `false`}, func(s *affiliate.Snapshot) bool { return !s.PaymentDate }},
		{"no metadata", changes{"meta_data": ``}, func(s *affiliate.Snapshot) bool { return s.Links == nil }},
		{"metadata of another shape", changes{"meta_data": `{"0":{"key":"ref","value":"leo"},"1":7}`},
			func(s *affiliate.Snapshot) bool { return len(s.Links) == 1 }},
		{"currency in lower case", changes{"currency": `"eur"`}, func(s *affiliate.Snapshot) bool {
			return s.Currency == money.Currency("EUR")
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if s := parseOrder(t, "order.updated", order(c.fields)); !c.check(s) {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestParseTopics(t *testing.T) {
	full := string(order(nil))
	trashed := string(order(changes{"status": `"trash"`}))
	erased := string(order(changes{"billing": `{"country":"","email":"Deleted@site.invalid"}`}))
	for _, c := range []struct{ topic, body, want string }{
		{"order.created", full, "snapshot 77"},
		{"order.updated", full, "snapshot 77"},
		{"order.deleted", full, "snapshot 77"},
		{"order.something", full, "snapshot 77"},
		{"order.restored", full, "snapshot 77, restored 77"},
		{"order.restored", trashed, "snapshot 77, restored 77"},
		{"order.updated", trashed, "snapshot 77"},
		{"order.updated", erased, "snapshot 77, redacted 77"},
		{"order.deleted", `{"id":77}`, "deleted 77"},
		{"order.deleted", `{"id":"9007199254740993"}`, "deleted 9007199254740993"},
		{"order.updated", `{"id":77}`, "error status"},
		{"order.restored", `{"id":77}`, "error status"},
		{"order.deleted", `{"id":77,"email":"bea@example.com"}`, "error status"},
		{"order.deleted", `{"id":0}`, "error id"},
		{"order.deleted", `{}`, "error id"},
		{"order.updated", `{"order":{"id":77}}`, "error id"},
		{"action.woocommerce_order_refunded", `{"action":"woocommerce_order_refunded","arg":77}`, "ignored"},
		{"product.updated", full, "ignored"},
		{"coupon.deleted", `{"id":77}`, "ignored"},
		{"customer.created", `{}`, "ignored"},
		{"subscription.created", full, "ignored"},
		{"ping", `webhook_id=1`, "ignored"},
		{"", full, "ignored"},
	} {
		t.Run(c.topic, func(t *testing.T) {
			parsed, err := Platform{}.Parse(c.topic, []byte(c.body))
			if got := describe(parsed, err); got != c.want {
				t.Errorf("%.60s: got %s (%+v, %v), want %s", c.body, got, parsed, err, c.want)
			}
		})
	}
}

func describe(parsed affiliate.Parsed, err error) string {
	var e *affiliate.Error
	if asError(err, &e) {
		return strings.TrimSpace("error " + e.Field)
	}
	if parsed.Ignored != "" {
		return "ignored"
	}
	var events []string
	for _, e := range parsed.Events {
		switch {
		case e.Snapshot != nil:
			events = append(events, "snapshot "+e.OrderID)
		case e.Deleted:
			events = append(events, "deleted "+e.OrderID)
		case e.Restored:
			events = append(events, "restored "+e.OrderID)
		case e.Redacted:
			events = append(events, "redacted "+e.OrderID)
		}
	}
	return strings.Join(events, ", ")
}

func TestParseErrorObjects(t *testing.T) {
	for _, c := range []struct{ code, want, says string }{
		{"woocommerce_rest_invalid_shop_order_id", CodeAPIVersion, "v3"},
		{"woocommerce_rest_cannot_view", CodeUserRights, "role"},
		{"woocommerce_rest_shop_order_invalid_id", CodeOrderGone, "deleted"},
		{"rest_no_route", CodeInRequest, "woocommerce_webhook_deliver_async"},
		{"rest_no_route", CodeInRequest, "compare the order with the store"},
		{"rest_something_else", CodeStoreError, "rest_something_else"},
	} {
		t.Run(c.code, func(t *testing.T) {
			body := fmt.Sprintf(`{"code":%q,"message":"Invalid ID.","data":{"status":404}}`, c.code)
			for _, topic := range []string{"order.created", "order.updated", "order.restored", "order.deleted"} {
				parsed, err := Platform{}.Parse(topic, []byte(body))
				var e *affiliate.Error
				if !asError(err, &e) || e.Kind != affiliate.Invalid || e.Code != c.want ||
					!strings.Contains(e.Message, c.says) || len(parsed.Events) != 0 {
					t.Errorf("%s: %+v, %+v; want code %s", topic, parsed, err, c.want)
				}
			}
		})
	}
}

func TestParseSaysThatABodyIsXML(t *testing.T) {
	for _, body := range []string{"<html>", "\ufeff <?xml version=\"1.0\"?><order/>", "\n<!DOCTYPE html>"} {
		_, err := Platform{}.Parse("order.updated", []byte(body))
		if err == nil || !strings.Contains(err.Error(), "XML") || !strings.Contains(err.Error(), "JSON") {
			t.Errorf("%q: %v; want what it is and what helps", body, err)
		}
	}
}

func TestParseRefusesBadInput(t *testing.T) {
	big := strings.Repeat("9", 400)
	for _, c := range []struct {
		name  string
		body  []byte
		field string
	}{
		{"empty", nil, "body"},
		{"white space", []byte("  \n"), "body"},
		{"not JSON", []byte("<html>"), "body"},
		{"a form", []byte("webhook_id=1"), "body"},
		{"a list", []byte("[]"), "body"},
		{"null", []byte("null"), "body"},
		{"a string", []byte(`"order"`), "body"},
		{"cut off", order(nil)[:200], "body"},
		{"two values", append(order(nil), "{}"...), "body"},
		{"trailing comma", []byte(`{"id":1,}`), "body"},
		{"NUL in the text", []byte("{\"id\":\"\x00\"}"), "body"},
		{"invalid UTF-8", order(changes{"number": "\"\xff\xfe\""}), "body"},
		{"nested too deeply", order(changes{"meta_data": strings.Repeat("[", 100000) + strings.Repeat("]", 100000)}),
			"body"},
		{"NaN", order(changes{"total": "NaN"}), "body"},
		{"no id", order(changes{"id": ""}), "id"},
		{"id null", order(changes{"id": "null"}), "id"},
		{"id zero", order(changes{"id": "0"}), "id"},
		{"id negative", order(changes{"id": "-5"}), "id"},
		{"id fraction", order(changes{"id": "1.5"}), "id"},
		{"id exponent", order(changes{"id": "1e3"}), "id"},
		{"id too large", order(changes{"id": "92233720368547758070"}), "id"},
		{"id word", order(changes{"id": `"abc"`}), "id"},
		{"id object", order(changes{"id": `{}`}), "id"},
		{"no status", order(changes{"status": ""}), "status"},
		{"status null", order(changes{"status": "null"}), "status"},
		{"status number", order(changes{"status": "5"}), "status"},
		{"status prefix only", order(changes{"status": `"wc-"`}), "status"},
		{"no currency", order(changes{"currency": ""}), "currency"},
		{"currency empty", order(changes{"currency": `""`}), "currency"},
		{"currency that is none", order(changes{"currency": `"Q Q"`}), "currency"},
		{"currency object", order(changes{"currency": `{}`}), "currency"},
		{"no total", order(changes{"total": ""}), "total"},
		{"total empty", order(changes{"total": `""`}), "total"},
		{"total null", order(changes{"total": "null"}), "total"},
		{"total word", order(changes{"total": `"free"`}), "total"},
		{"total with a comma", order(changes{"total": `"26,73"`}), "total"},
		{"total huge", order(changes{"total": `"` + big + `"`}), "total"},
		{"total with an exponent", order(changes{"total": `1e400`}), "total"},
		{"total object", order(changes{"total": `{}`}), "total"},
		{"total true", order(changes{"total": `true`}), "total"},
		{"no creation date", order(changes{"date_created_gmt": ""}), "date_created_gmt"},
		{"creation date null", order(changes{"date_created_gmt": "null"}), "date_created_gmt"},
		{"no modification date", order(changes{"date_modified_gmt": ""}), "date_modified_gmt"},
		{"modification date malformed", order(changes{"date_modified_gmt": `"yesterday"`}), "date_modified_gmt"},
		{"modification date number", order(changes{"date_modified_gmt": `1795230540`}), "date_modified_gmt"},
		{"modification date with a zone", order(changes{"date_modified_gmt": `"2026-11-21T03:09:00+02:00"`}), "date_modified_gmt"},
		{"date before all stores", order(changes{"date_modified_gmt": `"0001-01-01T00:00:00"`}), "date_modified_gmt"},
		{"payment date malformed", order(changes{"date_paid_gmt": `"0000-00-00 00:00:00"`}), "date_paid_gmt"},
		{"payment date true", order(changes{"date_paid_gmt": `true`}), "date_paid_gmt"},
		{"no lines field", order(changes{"line_items": ""}), "line_items"},
		{"lines null", order(changes{"line_items": "null"}), "line_items"},
		{"lines a string", order(changes{"line_items": `"x"`}), "line_items"},
		{"line without a total", order(changes{"line_items": `[{"total":"1.00"},{"id":2}]`}), "line_items[1].total"},
		{"line that is no object", order(changes{"line_items": `[5]`}), "line_items[0].total"},
		{"line total empty", order(changes{"line_items": `[{"total":""}]`}), "line_items[0].total"},
		{"line total list", order(changes{"line_items": `[{"total":[]}]`}), "line_items[0].total"},
		{"sum of lines too large", order(changes{"line_items": `[{"total":"9000000000000"},{"total":"9000000000000"}]`}), "line_items"},
		{"fees a string", order(changes{"fee_lines": `"x"`}), "fee_lines"},
		{"fee without a total", order(changes{"fee_lines": `[{}]`}), "fee_lines[0].total"},
		{"refunds a number", order(changes{"refunds": `5`}), "refunds"},
		{"refund without an id", order(changes{"refunds": `[{"total":"-5.00"}]`}), "refunds[0].id"},
		{"refund without a total", order(changes{"refunds": `[{"id":9}]`}), "refunds[0].total"},
		{"refund positive", order(changes{"refunds": `[{"id":9,"total":"5.00"}]`}), "refunds[0].total"},
		{"refund tax a word", order(changes{"refunds": `[{"id":9,"total":"-5.00","total_tax":"x"}]`}), "refunds[0].total_tax"},
		{"refund twice", order(changes{"refunds": `[{"id":9,"total":"-5.00"},{"id":9,"total":"-6.00"}]`}), "refunds"},
		{"a product", recorded(t, "023-s00-setup-product.updated.http").Body, "currency"},
		{"a coupon", recorded(t, "024-s00-setup-coupon.created.http").Body, "currency"},
		{"a customer", recorded(t, "034-s00-setup-customer.created.http").Body, "status"},
	} {
		t.Run(c.name, func(t *testing.T) {
			parsed, err := Platform{}.Parse("order.updated", c.body)
			var e *affiliate.Error
			if !asError(err, &e) || e.Kind != affiliate.Invalid || e.Field != c.field {
				t.Fatalf("got %+v, %v; want an error about %s", parsed, err, c.field)
			}
			if !strings.Contains(e.Message, ";") && !strings.Contains(e.Message, ":") || len(e.Message) > 600 {
				t.Errorf("message without a remedy, or too long: %s", e.Message)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, d := range deliveries(f) {
		if len(d.Body) < 10_000 {
			f.Add(d.Topic, d.Body)
		}
	}
	f.Add("order.restored", order(nil))
	f.Add("order.deleted", []byte(`{"id":1}`))
	f.Fuzz(func(t *testing.T, topic string, body []byte) {
		parsed, err := Platform{}.Parse(topic, body)
		again, errAgain := Platform{}.Parse(topic, body)
		if !reflect.DeepEqual(parsed, again) || fmt.Sprint(err) != fmt.Sprint(errAgain) {
			t.Fatalf("two answers: %+v, %v and %+v, %v", parsed, err, again, errAgain)
		}
		if err != nil {
			if affiliate.KindOf(err) != affiliate.Invalid || len(parsed.Events) > 0 {
				t.Fatalf("error %v of kind %q with %+v", err, affiliate.KindOf(err), parsed)
			}
			return
		}
		if (parsed.Ignored == "") == (len(parsed.Events) == 0) {
			t.Fatalf("neither events nor a reason, or both: %+v", parsed)
		}
		for _, e := range parsed.Events {
			checkEvent(t, e)
		}
	})
}

// checkEvent holds whatever was accepted to what the rest of the program relies on.
func checkEvent(t *testing.T, e affiliate.Event) {
	t.Helper()
	if e.OrderID == "" {
		t.Fatal("event without an order")
	}
	s := e.Snapshot
	if s == nil {
		return
	}
	if s.Total < 0 || s.Merchandise < 0 || s.Captured < 0 || s.Currency == "" || s.PlacedAt.IsZero() || s.Version < 0 ||
		len(s.Hash) != 16 {
		t.Fatalf("impossible snapshot %+v", s)
	}
	for _, r := range s.Refunds {
		if r.Amount < 0 || r.Lines < 0 || r.Lines > r.Amount || r.ID == "" {
			t.Fatalf("impossible refund %+v", r)
		}
	}
	if _, err := json.Marshal(s); err != nil {
		t.Fatal(err)
	}
}
