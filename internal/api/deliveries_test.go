package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// failed keeps deliveries of a store that have failed with a note, and gives their ids.
func (o *office) failed(store affiliate.StoreID, note string, n int) (ids []string) {
	o.Helper()
	var list []storage.NewDelivery
	for i := range n {
		d := storage.NewDelivery{StoreID: store, Topic: "orders/paid", ReceivedAt: o.app.Now(), Payload: []byte{1}}
		copy(d.Key[:], fmt.Sprint(note, i))
		list = append(list, d)
	}
	kept, err := o.app.DB.InsertDeliveries(o.Context(), list, nil)
	if err != nil {
		o.Fatal(err)
	}
	err = o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
		var outcomes []storage.Outcome
		for _, id := range kept {
			ids = append(ids, id.String())
			outcomes = append(outcomes, storage.Outcome{ID: id, State: storage.DeliveryFailed, Note: note})
		}
		if err := tx.WarnStore(o.Context(), store, note+" (delivery "+ids[n-1]+")"); err != nil {
			return err
		}
		_, err := tx.FinishDeliveries(o.Context(), outcomes, o.app.Now())
		return err
	})
	if err != nil {
		o.Fatal(err)
	}
	return ids
}

func TestAPI_setAside(t *testing.T) {
	eachOffice(t, func(o *office) {
		store := storeID(o, o.owner.call("POST", v1+"/stores", object{"platform": "woocommerce", "slug": "shop",
			"name": "Shop", "domain": "shop.example", "currency": "EUR", "timezone": "UTC"}).ok(201)["id"].(string))
		xml, cut := o.failed(store, "body: is XML", 3), o.failed(store, "body: was cut", 2)
		const path = v1 + "/deliveries/set-aside"
		o.viewer.call("POST", path, object{"deliveries": cut, "reason": "x"}).problem(403, "forbidden", "")
		for field, body := range map[string]object{
			"reason":     {"deliveries": cut, "reason": " "},
			"note":       {"store": "shop", "reason": "x"},
			"store":      {"note": "body: is XML", "reason": "x"},
			"deliveries": {"deliveries": []string{"ord_1"}, "reason": "x"},
		} {
			o.owner.call("POST", path, body).problem(422, "invalid", field)
		}
		o.owner.call("POST", path, object{"reason": "x"}).problem(422, "invalid", "deliveries")
		o.owner.call("POST", path, object{"deliveries": cut, "store": "shop", "note": "a", "reason": "x"}).
			problem(422, "invalid", "deliveries")
		o.owner.call("POST", path, object{"deliveries": []string{cut[0], "dlv_99"}, "reason": "x"}).
			problem(404, "not_found", "")
		for _, c := range []struct {
			body object
			want float64
		}{
			{object{"store": "shop", "note": "body: is XML", "reason": "the format is JSON now"}, 3},
			{object{"deliveries": cut, "reason": "by hand"}, 2},
			{object{"deliveries": cut, "reason": "again"}, 0},
		} {
			if got := o.owner.call("POST", path, c.body).ok(200)["set_aside"]; got != c.want {
				o.Errorf("%v were set aside by %v, want %v", got, c.body, c.want)
			}
		}
		status := o.nobody.call("GET", "/status", nil).ok(200)
		if status["status"] != "ok" || status["deliveries"].(object)["failed"] != 0.0 {
			o.Errorf("the status is %v; want none failed", status)
		}
		if s := o.viewer.call("GET", v1+"/stores/shop", nil).ok(200); s["warning"] != nil {
			o.Errorf("the store still warns: %v", s["warning"])
		}
		list := o.viewer.call("GET", v1+"/deliveries?state=set_aside", nil).ok(200)["data"].([]any)
		if len(list) != 5 {
			o.Fatalf("%d are listed, want 5", len(list))
		}
		first := list[0].(object)
		why, _ := first["set_aside"].(object)
		if first["state"] != "set_aside" || first["note"] != "body: was cut" || why["reason"] != "by hand" ||
			why["by"] == "" {
			o.Errorf("listed as %v", first)
		}
		if got := o.owner.call("POST", v1+"/deliveries/"+xml[0]+"/replay", nil).ok(200)["replayed"]; got != 1.0 {
			o.Errorf("replayed %v", got)
		}
		back := object{"deliveries": cut}
		if got := o.owner.call("POST", v1+"/deliveries/put-back", back).ok(200)["put_back"]; got != 2.0 {
			o.Errorf("put back %v, want 2", got)
		}
		o.owner.call("POST", v1+"/deliveries/put-back", object{"deliveries": xml}).problem(409, "conflict", "")
		log, _, err := o.app.DB.AuditLog(o.Context(), store.String(), storage.Page{})
		if err != nil {
			o.Fatal(err)
		}
		told := ""
		for _, e := range log {
			told += e.Action + " " + e.After + "\n"
		}
		for _, want := range []string{`delivery.set_aside {"deliveries":"` + xml[0] + ", " + xml[1], "the format is JSON now",
			"delivery.put_back"} {
			if !strings.Contains(told, want) {
				o.Errorf("the audit log has no %q:\n%s", want, told)
			}
		}
	})
}
