package api_test

import (
	"reflect"
	"testing"
)

// TestAPI_recalculation: after a change of the currency, figures, lists and files stay as they were until all are
// computed anew. Every answer says so meanwhile.
func TestAPI_recalculation(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.app.Live = deaf{}
		o.sold()
		read := func() (list []object) {
			for _, path := range []string{"/performance", "/performance/series?unit=day", "/performance/campaigns",
				"/conversions?totals=true", "/performance/creators"} {
				list = append(list, o.viewer.call("GET", v1+path, nil).ok(200))
			}
			return list
		}
		file := func() string { return o.viewer.call("GET", v1+"/conversions.csv", nil).raw }
		told := func(want string) {
			o.Helper()
			for _, path := range []string{"/performance", "/performance/campaigns", "/conversions",
				"/conversions.csv"} {
				if got := o.viewer.call("GET", v1+path, nil).header.Get("Recalculation"); got != want {
					o.Errorf("%s says %q of a recalculation, want %q", path, got, want)
				}
			}
		}
		told("")
		before, csv := read(), file()
		if o.viewer.call("GET", v1+"/recalculation", nil).ok(200)["shown"] != nil {
			o.Error("something is shown though nothing goes on")
		}
		settings := o.viewer.call("GET", v1+"/settings", nil).ok(200)
		to := "USD"
		if settings["currency"] == to {
			to = "EUR"
		}
		o.owner.call("PATCH", v1+"/settings", object{"currency": to, "timezone": "Asia/Tokyo"}).ok(200)
		if during := read(); !reflect.DeepEqual(before, during) || file() != csv {
			o.Errorf("before %v\nnow %v", before, during)
		}
		told("running")
		a := o.viewer.call("GET", v1+"/recalculation", nil)
		shown, _ := a.ok(200)["shown"].(object)
		if shown["currency"] != settings["currency"] || shown["timezone"] != settings["timezone"] ||
			a.header.Get("Recalculation") != "running" {
			o.Errorf("shown are %v", shown)
		}
		if now := o.viewer.call("GET", v1+"/settings", nil).ok(200); now["currency"] != to {
			o.Errorf("the settings are %v", now)
		}
		// What is made meanwhile has the currency that is saved, as it will have then.
		fee := o.manager.call("POST", v1+"/campaigns/cmp_1/costs", object{"amount": "250.00", "note": "Photographer"})
		creator := o.manager.call("POST", v1+"/creators", object{"name": "Cleo"}).ok(201)["id"]
		member := o.manager.call("POST", v1+"/members", object{"campaign": "cmp_1", "creator": creator,
			"product_value": "39.90"})
		if fee.ok(201)["currency"] != to || member.ok(201)["product_currency"] != to {
			o.Errorf("made are %v and %v, want %s", fee.body, member.body, to)
		}
		if err := o.app.Recalculate(o.Context()); err != nil {
			o.Fatal(err)
		}
		a = o.viewer.call("GET", v1+"/performance", nil)
		if after := a.ok(200); after["currency"] != to || a.header.Get("Recalculation") != "" {
			o.Errorf("in the end %v", after)
		}
		if file() == csv {
			o.Error("the file is as before")
		}
	})
}
