package app_test

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// TestOrderStory: each delivery of an order tells what it has changed, and all are read at once.
func TestOrderStory(t *testing.T) {
	eachRig(t, func(r *rig) {
		for version := range int64(5) {
			r.apply(orderBody("1", version+1, func(s *affiliate.Snapshot) { s.Merchandise += version * 100 }))
		}
		o, err := r.db.FindOrder(r.Context(), "shop", "1")
		r.ok(err)
		rows, _, err := r.db.ListDeliveries(r.Context(), storage.DeliveryFilter{Orders: []string{"1"}}, storage.Page{})
		r.ok(err)
		queries := 0
		r.db.Note(func(statement string) { queries += strings.Count(statement, "FROM deliveries") })
		story, err := r.app.OrderStory(r.Context(), o.Order, rows)
		r.ok(err)
		if queries != 1 || len(story) != 5 {
			r.Errorf("%d queries of deliveries for %d that are told of, want 1 for 5", queries, len(story))
		}
		for i, row := range rows {
			told := story[row.ID]
			if told.After == nil || told.After.Value != 10000+int64(len(rows)-1-i)*100 {
				r.Errorf("%s tells %+v", row.ID, told)
			}
			if i+1 < len(rows) && told.Before != story[rows[i+1].ID].After {
				r.Errorf("%s does not begin with what was known", row.ID)
			}
		}
	})
}
