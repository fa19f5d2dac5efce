package api_test

import (
	"testing"
)

// TestAPI_storeJobs walks through what can be asked of a store that is connected, and what comes of it.
func TestAPI_storeJobs(t *testing.T) {
	eachOffice(t, func(o *office) {
		shop := o.garden()
		o.owner.call("POST", v1+"/stores/connect", object{"platform": "woocommerce", "address": "garden.example",
			"id": "ck_0123456789ab", "secret": shop.Secret}).ok(200)
		const store = v1 + "/stores/garden-example"

		job := o.manager.call("POST", store+"/comparisons", object{"since": "2026-05-01T00:00:00Z",
			"dry_run": true}).ok(200)
		if job["kind"] != "reconcile" || job["state"] != "waiting" || job["dry_run"] != true ||
			job["from"] != "2026-05-01T00:00:00Z" || job["sentence"] != nil {
			o.Errorf("%v", job)
		}
		again := o.manager.call("POST", store+"/comparisons", object{"dry_run": true}).ok(200)
		if again["id"] != job["id"] {
			o.Errorf("a second comparison waits beside the first: %v", again)
		}
		o.manager.call("POST", store+"/comparisons", object{"since": "2199-01-01T00:00:00Z"}).
			problem(422, "invalid", "since")
		o.owner.call("POST", v1+"/stores", object{"platform": "woocommerce", "slug": "plain", "name": "Plain",
			"domain": "plain.example", "currency": "EUR", "timezone": "UTC"}).ok(201)
		o.manager.call("POST", v1+"/stores/plain/comparisons", object{}).problem(409, "conflict", "")
		o.viewer.call("POST", store+"/comparisons", object{}).problem(403, "forbidden", "")

		past := o.manager.call("POST", store+"/imports", object{"from": "2026-01-01T00:00:00Z",
			"until": "2026-05-01T00:00:00Z"}).ok(200)
		if past["kind"] != "history" || past["until"] != "2026-05-01T00:00:00Z" {
			o.Errorf("%v", past)
		}
		o.manager.call("POST", store+"/imports", object{}).problem(409, "conflict", "")
		o.manager.call("POST", store+"/imports", object{"from": "2026-05-02T00:00:00Z",
			"until": "2026-05-01T00:00:00Z"}).problem(422, "invalid", "from")
		at := v1 + "/store-jobs/" + past["id"].(string)
		for _, state := range []string{"paused", "waiting", "stopped"} {
			if got := o.manager.call("PATCH", at, object{"state": state}).ok(200); got["state"] != state {
				o.Errorf("%s: %v", state, got)
			}
		}
		o.manager.call("PATCH", at, object{"state": "paused"}).problem(409, "conflict", "")
		o.manager.call("PATCH", at, object{"state": "done"}).problem(422, "invalid", "state")
		o.viewer.call("PATCH", at, object{"state": "paused"}).problem(403, "forbidden", "")
		if got := o.viewer.call("GET", at, nil).ok(200); got["state"] != "stopped" || got["ended_at"] == nil {
			o.Errorf("%v", got)
		}
		list := o.viewer.call("GET", v1+"/store-jobs?store=garden-example", nil).ok(200)["data"].([]any)
		if len(list) != 2 {
			o.Errorf("%d jobs are listed", len(list))
		}
		o.viewer.call("GET", v1+"/store-jobs?store=nowhere", nil).problem(422, "invalid", "store")
		o.viewer.call("GET", v1+"/store-jobs/job_99", nil).problem(404, "not_found", "")
		o.viewer.call("GET", v1+"/store-jobs/job_99/drift", nil).problem(404, "not_found", "")

		o.compared()
		drift := o.viewer.call("GET", v1+"/store-jobs/job_3/drift", nil).ok(200)["data"].([]any)
		if len(drift) != 2 || drift[1].(object)["field"] != "value" || drift[1].(object)["theirs"] != "100.00" ||
			drift[0].(object)["kind"] != "missing" || drift[0].(object)["order"] != nil {
			o.Errorf("%v", drift)
		}
		done := o.viewer.call("GET", v1+"/store-jobs/job_3", nil).ok(200)
		if done["sentence"] != "Of 12 orders that changed since "+done["from"].(string)[11:16]+", 2 did not agree: "+
			"1 missing, 1 different. They are as in the store now." {
			o.Errorf("%v", done["sentence"])
		}
	})
}
