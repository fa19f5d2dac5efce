package api_test

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

func (c client) ifMatch(tag, method, path string, body any) answer {
	c.Helper()
	return c.callWith(map[string]string{"If-Match": tag}, method, path, body)
}

func (c client) ifNoneMatch(tag, path string) answer {
	c.Helper()
	return c.callWith(map[string]string{"If-None-Match": tag}, "GET", path, nil)
}

func TestETag(t *testing.T) {
	eachOffice(t, func(o *office) {
		m := o.manager
		made := m.call("POST", v1+"/campaigns", object{"name": "Spring"})
		m.call("POST", v1+"/campaigns", object{"name": "Autumn"}).ok(201)
		read := m.call("GET", v1+"/campaigns/cmp_1", nil)
		tag := read.header.Get("ETag")
		if !strings.HasPrefix(tag, `"cmp_1.1.`) || made.header.Get("ETag") != tag {
			o.Fatalf("ETag %q of a new campaign, %q of the same read", made.header.Get("ETag"), tag)
		}
		for _, list := range []string{tag, "W/" + tag, `"x", ` + tag, "*"} {
			a := m.ifNoneMatch(list, v1+"/campaigns/cmp_1")
			if a.status != 304 || a.raw != "" || a.header.Get("ETag") != tag || a.header.Get("Content-Type") != "" {
				o.Errorf("If-None-Match %s: %d %v %q", list, a.status, a.header, a.raw)
			}
		}
		m.ifNoneMatch(tag, v1+"/campaigns/cmp_2").ok(200)
		m.ifNoneMatch(`"cmp_1.1"`, v1+"/campaigns/cmp_1").ok(200)
		if a := m.call("GET", v1+"/campaigns", nil); a.header.Get("ETag") != "" {
			o.Errorf("a list has the ETag %s", a.header.Get("ETag"))
		}

		changed := m.ifMatch(tag, "PATCH", v1+"/campaigns/cmp_1", object{"name": "Summer"})
		if changed.ok(200); !strings.HasPrefix(changed.header.Get("ETag"), `"cmp_1.2.`) {
			o.Errorf("ETag %q after a change", changed.header.Get("ETag"))
		}
		m.ifNoneMatch(tag, v1+"/campaigns/cmp_1").ok(200)
	})
}

// TestETag_tells_what_the_version_does_not: a store shows when it last sent something, which is no change of it.
func TestETag_tells_what_the_version_does_not(t *testing.T) {
	eachOffice(t, func(o *office) {
		before := o.owner.call("POST", v1+"/stores", object{"platform": "woocommerce", "slug": "shop", "name": "Shop",
			"domain": "shop.example", "currency": "EUR", "timezone": "UTC"})
		before = o.owner.call("GET", v1+"/stores/shop", nil)
		tag := before.header.Get("ETag")
		o.owner.ifNoneMatch(tag, v1+"/stores/shop").ok(304)
		if err := o.app.DB.InTx(o.Context(), func(tx *storage.Tx) error {
			return tx.AddStoreCounts(o.Context(), storage.StoreTally{Now: o.app.Now(),
				Activity: []storage.StoreActivity{{StoreID: affiliate.StoreID(1), Delivery: o.app.Now()}}})
		}); err != nil {
			o.Fatal(err)
		}
		if got := o.owner.ifNoneMatch(tag, v1+"/stores/shop").ok(200); got["last_delivery_at"] == nil ||
			got["version"] != 1.0 {
			o.Errorf("store: %v", got)
		}
		o.owner.ifMatch(tag, "PATCH", v1+"/stores/shop", object{"name": "Renamed"}).ok(200) // its version is the same
	})
}

func TestIfMatch(t *testing.T) {
	eachOffice(t, func(o *office) {
		m := o.manager
		m.call("POST", v1+"/campaigns", object{"name": "Spring"}).ok(201)
		m.call("POST", v1+"/campaigns", object{"name": "Autumn"}).ok(201)
		const one = v1 + "/campaigns/cmp_1"
		rename := func(name string) object { return object{"name": name} }
		for _, tag := range []string{`"cmp_1.2"`, `"cmp_1.2.abc"`, `"cmp_2.1"`, `"cmp_2.1.abc"`, `W/"cmp_1.1"`, `"spring"`, "cmp_1.1", `"cmp_1.99999999999"`} {
			if d := m.ifMatch(tag, "PATCH", one, rename("Lost")).problem(412, "changed_meanwhile",
				"If-Match"); d == "" {
				o.Errorf("%s: no detail", tag)
			}
			m.ifMatch(tag, "POST", one+"/end", nil).problem(412, "changed_meanwhile", "If-Match")
		}
		if got := m.call("GET", one, nil).ok(200); got["name"] != "Spring" || got["version"] != 1.0 ||
			got["status"] != "active" {
			o.Errorf("changed under a condition that did not hold: %v", got)
		}
		m.ifMatch(`"cmp_1.1"`, "PATCH", one, rename("Summer")).ok(200)
		m.ifMatch(`"cmp_1.2.whatever"`, "PATCH", one, object{"name": "Winter", "version": 2}).ok(200)
		m.ifMatch(`"cmp_1.9", "cmp_1.3"`, "PATCH", one, rename("Summer")).ok(200)
		m.ifMatch(`"cmp_1.4"`, "PATCH", one, object{"name": "Lost", "version": 3}).problem(422, "invalid", "version")
		m.call("PATCH", one, object{"name": "Lost", "version": 3}).problem(409, "version_conflict", "version")
		m.ifMatch("*", "PATCH", one, rename("Spring")).ok(200)
		m.ifMatch("*", "PATCH", v1+"/campaigns/cmp_9", rename("Spring")).problem(404, "not_found", "")
		m.ifMatch(`"cmp_1.5"`, "POST", one+"/end", nil).ok(200)

		// What has no version cannot be unchanged, and a condition on something else is none that was kept.
		m.ifMatch(`"cmp_1.6"`, "POST", v1+"/campaigns", rename("Lost")).problem(412, "changed_meanwhile", "If-Match")
		o.owner.ifMatch(`"cmp_1.6"`, "PATCH", v1+"/settings", object{"name": "Lost"}).problem(412, "changed_meanwhile", "If-Match")
		o.owner.ifMatch(`"cmp_1.6"`, "PATCH", v1+"/settings", object{}).problem(412, "changed_meanwhile", "If-Match")
		if list := m.call("GET", v1+"/campaigns", nil).ok(200)["data"].([]any); len(list) != 2 {
			o.Errorf("campaigns: %v", list)
		}
		if got := m.call("GET", v1+"/settings", nil).ok(200); got["name"] == "Lost" {
			o.Errorf("settings: %v", got)
		}

		// A change that turns out to be none is answered like one.
		m.ifMatch(`"cmp_1.5"`, "PATCH", one, object{}).problem(412, "changed_meanwhile", "If-Match")
		m.ifMatch(`"cmp_1.6"`, "PATCH", one, object{}).ok(200)
	})
}

// TestIfMatch_idempotent: a refused condition leaves the key free, and a kept answer is that of the change.
func TestIfMatch_idempotent(t *testing.T) {
	eachOffice(t, func(o *office) {
		m := o.manager
		m.call("POST", v1+"/campaigns", object{"name": "Spring"}).ok(201)
		send := func(tag string) answer {
			return m.callWith(map[string]string{"If-Match": tag, "Idempotency-Key": "k"}, "PATCH",
				v1+"/campaigns/cmp_1", object{"name": "Summer"})
		}
		send(`"cmp_1.7"`).problem(412, "changed_meanwhile", "If-Match")
		send(`"cmp_1.1"`).ok(200)
		if again := send(`"cmp_1.1"`); again.ok(200)["version"] != 2.0 || again.header.Get("Idempotency-Replayed") != "true" {
			o.Errorf("repeat: %v %s", again.header, again.raw)
		}
	})
}
