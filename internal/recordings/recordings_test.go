package recordings

import (
	"slices"
	"strings"
	"testing"
)

func TestAll(t *testing.T) {
	sets, err := All()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range sets {
		t.Run(set.Store.Slug, func(t *testing.T) {
			known := map[string]bool{}
			for _, r := range set.Requests {
				known[r.File] = true
			}
			accounted := map[string]bool{}
			for _, o := range set.Orders {
				for _, file := range o.Files {
					accounted[file] = true
				}
				if len(o.Compare) == 0 {
					t.Errorf("nothing is compared of order %s", o.ExternalID)
				}
			}
			for _, n := range set.NotOrders {
				accounted[n.File] = true
			}
			for file := range known {
				if !accounted[file] {
					t.Errorf("%s is expected to give neither an order nor none", file)
				}
			}
			for file := range accounted {
				if !known[file] {
					t.Errorf("%s is expected but not recorded", file)
				}
			}
		})
	}
}

func TestDifferences(t *testing.T) {
	reason := "no_evidence"
	want := Expected{Status: "paid", Value: "1.00", Total: "2.00", TotalAnyOf: []string{"3.00", "4.00"},
		NotCredited: nil, Credit: &Credit{Creator: "Anna", Method: "code", Code: "Anna10", Commission: "0.10"},
		Compare: []string{"status", "value", "total", "credit", "commission", "not_credited"}}
	fits := Order{Status: "paid", Value: "1.00", Total: "4.00",
		Conversion: &Conversion{Creator: "Anna", Method: "code", Code: "ANNA10", Commission: "0.10"}}
	if got := want.Differences(fits); len(got) != 0 {
		t.Errorf("differences of an order that fits: %q", got)
	}
	other := Order{Status: "pending", Value: "1.00", Total: "2.00", NotCredited: &reason}
	got := strings.Join(want.Differences(other), "; ")
	for _, part := range []string{"status: got pending, want paid", "total: got 2.00, want 3.00 or 4.00",
		"credit: got nothing, want Anna by code Anna10", "commission: got nothing, want 0.10",
		"not_credited: got no_evidence, want nothing"} {
		if !strings.Contains(got, part) {
			t.Errorf("differences %q do not say %q", got, part)
		}
	}
	if strings.Contains(got, "value: got 1.00") {
		t.Errorf("differences %q name a field that fits", got)
	}
}

func TestDifferences_names_what_it_cannot_compare(t *testing.T) {
	if got := (Expected{Compare: []string{"colour"}}).Differences(Order{}); len(got) != 1 {
		t.Errorf("differences for an unknown field: %q, want one", got)
	}
}

func TestShuffled(t *testing.T) {
	sets, err := All()
	if err != nil {
		t.Fatal(err)
	}
	list := sets[0].Requests
	files := func(list []Request) (names []string) {
		for _, r := range list {
			names = append(names, r.File)
		}
		return names
	}
	once, again, other := files(Shuffled(list, 1)), files(Shuffled(list, 1)), files(Shuffled(list, 2))
	if !slices.Equal(once, again) {
		t.Error("the same seed gives two orders")
	}
	if slices.Equal(once, other) {
		t.Error("two seeds give the same order")
	}
	if len(once) <= len(list) {
		t.Errorf("%d requests of %d, want some twice", len(once), len(list))
	}
	slices.Sort(once)
	if distinct := slices.Compact(once); len(distinct) != len(list) {
		t.Errorf("%d of %d requests are left", len(distinct), len(list))
	}
	if n := len(Repeated(list, 4)); n <= len(list) {
		t.Errorf("%d requests of %d, want some twice", n, len(list))
	}
}
