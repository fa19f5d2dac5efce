package api_test

import "testing"

// TestAPI_memberChanges: an action on members says beforehand what it would do, does it with a result for each, and
// does nothing when it is asked for again. A commission that is to come is listed, and can be taken back until then.
func TestAPI_memberChanges(t *testing.T) {
	eachOffice(t, func(o *office) {
		o.sold()
		const changes = v1 + "/offers/off_1/members/changes"
		m := o.manager
		counts := func(answer object) [3]any { return [3]any{answer["changed"], answer["same"], answer["failed"]} }
		add := object{"action": "add", "creators": []string{"cre_1", "cre_2", "cre_99"}}
		if got := counts(m.call("POST", changes+"/preview", add).ok(200)); got != [3]any{1.0, 1.0, 1.0} {
			o.Errorf("the preview counts %v", got)
		}
		done := m.call("POST", changes, add).ok(200)
		if got := counts(done); got != [3]any{1.0, 1.0, 1.0} {
			o.Errorf("added: %v", got)
		}
		if why := done["results"].([]any)[2].(object)["why"]; why != "There is no cre_99." {
			o.Errorf("who does not exist: %v", why)
		}
		if got := counts(m.call("POST", changes, add).ok(200)); got != [3]any{0.0, 2.0, 1.0} {
			o.Errorf("added again: %v", got)
		}
		rule := object{"action": "commission", "all": true, "commission": object{"percent": "20"},
			"from": "2026-06-01T00:00:00Z"}
		if got := m.call("POST", changes+"/preview", rule).ok(200); got["changed"] != 2.0 || got["orders"] == nil {
			o.Errorf("the preview of a commission: %v", got)
		}
		if got := counts(m.call("POST", changes, rule).ok(200)); got != [3]any{2.0, 0.0, 0.0} {
			o.Errorf("a commission: %v", got)
		}
		rule["from"] = "2026-05-01T00:00:00Z"
		m.call("POST", changes, rule).problem(422, "invalid", "from")
		m.call("POST", changes, object{"action": "remove"}).problem(422, "invalid", "members")
		planned := o.viewer.call("GET", v1+"/offers/off_1/commission-rules", nil).ok(200)["data"].([]any)[0].(object)
		if planned["from"] != "2026-06-01T00:00:00Z" || planned["commission"].(object)["percent"] != "20.00" {
			o.Errorf("planned: %v", planned)
		}
		m.call("DELETE", v1+"/commission-rules/"+planned["id"].(string), nil).ok(200)
		m.call("DELETE", v1+"/commission-rules/crl_1", nil).problem(409, "conflict", "")
		if got := m.call("DELETE", v1+"/offer-members/ofm_1", nil).ok(200); got["removed_at"] == nil ||
			got["inactive_since"] == nil {
			o.Errorf("removed: %v", got)
		}
		if got := counts(m.call("POST", changes, add).ok(200)); got != [3]any{1.0, 1.0, 1.0} {
			o.Errorf("taken back: %v", got)
		}
		o.viewer.call("POST", changes, add).problem(403, "forbidden", "")
	})
}
