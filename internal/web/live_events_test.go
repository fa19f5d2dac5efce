package web

import (
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestLiveEvents: one event of each kind at most. A change of all figures is told as such, and one of the account's
// settings, which changes no order, is not told.
func TestLiveEvents(t *testing.T) {
	for _, c := range []struct {
		changes []affiliate.Change
		want    string
	}{
		{nil, ""},
		{[]affiliate.Change{{Account: true}}, ""},
		{[]affiliate.Change{{Figures: true}, {Account: true}, {Figures: true}}, "event: figures\ndata: all\n\n"},
		{[]affiliate.Change{{Store: 1, Order: 2, Campaign: 3}, {Store: 4}},
			`event: orders` + "\n" + `data: [{"store":"str_1","order":"ord_2","campaign":"cmp_3"}]` + "\n\n" +
				`event: deliveries` + "\n" + `data: [{"store":"str_4"}]` + "\n\n"},
	} {
		if got := liveEvents(c.changes); got != c.want {
			t.Errorf("%+v: %q, want %q", c.changes, got, c.want)
		}
	}
}
