package affiliate

import "testing"

// TestReconciled: a refund that stands in the parent and in its parts counts once, by the side that knows its rows.
func TestReconciled(t *testing.T) {
	known := func(amount, merchandise int64) PartRefund {
		return PartRefund{Amount: amount, Merchandise: merchandise}
	}
	guess := func(amount, merchandise int64) PartRefund {
		return PartRefund{Amount: amount, Merchandise: merchandise, Unclear: true}
	}
	for _, c := range []struct {
		name                string
		own, parts          []PartRefund
		amount, merchandise int64
		unclear             bool
	}{
		{"of the parent alone", []PartRefund{known(500, 400)}, nil, 500, 400, false},
		{"of a part alone", nil, []PartRefund{guess(500, 400)}, 500, 400, true},
		{"two that are not the same", []PartRefund{known(500, 400)}, []PartRefund{known(300, 200)}, 800, 600, false},
		{"the part knows its rows", []PartRefund{guess(4760, 3810)}, []PartRefund{known(4760, 4000)}, 4760,
			4000, false},
		{"the parent knows them", []PartRefund{known(4760, 4000)}, []PartRefund{guess(4760, 3810)}, 4760, 4000, false},
		{"several parts in one", []PartRefund{guess(3000, 2900)}, []PartRefund{known(2000, 2000), known(1000, 1000)},
			3000, 3000, false},
		{"one part in several", []PartRefund{guess(1000, 900), guess(1000, 900)}, []PartRefund{known(2000, 2000)}, 2000,
			2000, false},
		{"one in several, beside another", []PartRefund{known(700, 700), guess(1000, 900), guess(500, 400)},
			[]PartRefund{known(1500, 1500), known(200, 100)}, 2400, 2300, false},
		{"equal ones, each with its own", []PartRefund{guess(500, 1), guess(500, 1)},
			[]PartRefund{known(500, 400), known(500, 300)}, 1000, 700, false},
		{"nothing went back", []PartRefund{known(0, 0)}, []PartRefund{known(0, 0)}, 0, 0, false},
	} {
		var amount, merchandise int64
		unclear := false
		for _, r := range reconciled(c.own, c.parts) {
			amount, merchandise, unclear = amount+r.Amount, merchandise+r.Merchandise, unclear || r.Unclear
		}
		if amount != c.amount || merchandise != c.merchandise || unclear != c.unclear {
			t.Errorf("%s: amount %d, merchandise %d, unclear %v; want %d, %d, %v", c.name, amount, merchandise, unclear,
				c.amount, c.merchandise, c.unclear)
		}
	}
}
