package affiliate

import (
	"fmt"
	"math/big"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/money"
)

func shown(n *int64) string {
	if n == nil {
		return "—"
	}
	return fmt.Sprint(*n)
}

func TestSums_orders(t *testing.T) {
	s := Sums{Conversions: 70, Pending: 1, Canceled: 2, Refunded: 3, Held: 4, Rejected: 5, Sales: 10005}
	if n := s.Orders(); n != 85 {
		t.Errorf("%d orders, want 85", n)
	}
}

func TestGrowth(t *testing.T) {
	for _, test := range []struct {
		now, before int64
		want        string
	}{
		{100, 80, "2500"}, {80, 100, "-2000"}, {100, 100, "0"}, {0, 100, "-10000"}, {5, 0, "—"}, {0, 0, "—"},
		{1, 3, "-6667"}, {2, 3, "-3333"}, {-50, -100, "5000"}, {-150, -100, "-5000"}, {50, -100, "15000"},
	} {
		if got := shown(Growth(test.now, test.before)); got != test.want {
			t.Errorf("from %d to %d: got %s, want %s", test.before, test.now, got, test.want)
		}
		if got := shown(GrowthOf(&test.now, &test.before)); got != test.want {
			t.Errorf("of pointers from %d to %d: got %s, want %s", test.before, test.now, got, test.want)
		}
	}
	one := int64(1)
	if GrowthOf(nil, &one) != nil || GrowthOf(&one, nil) != nil {
		t.Error("the change of something undefined is defined")
	}
}

func TestROI(t *testing.T) {
	for _, test := range []struct {
		gmv, products, payments int64
		want                    string
	}{{50000, 10000, 2500, "40000"}, {0, 100, 0, "0"}, {100, 0, 300, "3333"}, {100, 0, 0, "—"}} {
		if got := shown(ROI(test.gmv, test.products, test.payments)); got != test.want {
			t.Errorf("%d on %d + %d: got %s, want %s", test.gmv, test.products, test.payments, got, test.want)
		}
	}
}

func TestPayable(t *testing.T) {
	for _, test := range []struct {
		name                           string
		balance, onHold, minimum, want int64
		due                            bool
	}{
		{"all of it", 1000, 0, 0, 1000, true},
		{"a part is on hold", 1000, 300, 0, 700, true},
		{"a reversal counts before its hold ends", 400, -600, 0, 400, true},
		{"all on hold", 1000, 1000, 0, 0, false},
		{"nothing", 0, 0, 0, 0, false},
		{"owed by the creator", -500, 0, 0, -500, false},
		{"the minimum is enough", 2500, 0, 2500, 2500, true},
		{"below the minimum", 2499, 0, 2500, 2499, false},
	} {
		got := Payable(test.balance, test.onHold)
		if got != test.want || Due(got, test.minimum) != test.due {
			t.Errorf("%s: got %d, due %v", test.name, got, Due(got, test.minimum))
		}
	}
}

// TestAverageIsExact compares with rational numbers.
func TestAverageIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		total := rapid.Int64Range(-money.Limit, money.Limit).Draw(t, "total")
		n := rapid.Int64Range(1, 1_000_000).Draw(t, "n")
		got := new(big.Rat).SetInt64(*Average(total, n))
		off := new(big.Rat).Sub(got, big.NewRat(total, n))
		switch half := big.NewRat(1, 2); off.Abs(off).Cmp(half) {
		case 1:
			t.Fatalf("%d ÷ %d: got %s", total, n, got)
		case 0:
			if exact := big.NewRat(total, n); got.Abs(got).Cmp(exact.Abs(exact)) < 0 {
				t.Fatalf("%d ÷ %d was rounded towards zero", total, n)
			}
		}
	})
}

func TestSums_plus(t *testing.T) {
	var a, b Sums
	for i := range a.Fields() {
		*a.Fields()[i].At, *b.Fields()[i].At = int64(i+1), int64(100*(i+1))
	}
	for i, f := range new(a.Plus(b)).Fields() {
		if want := int64(101 * (i + 1)); *f.At != want {
			t.Errorf("%s: got %d, want %d", f.Name, *f.At, want)
		}
	}
	if none := a.Plus(a.Negative()); none != (Sums{}) || a.Clicks != 1 {
		t.Errorf("of %v taken away there is %v left", a, none)
	}
}

// TestKPIs_fields finds a number that was added to the struct and not to the list of its fields.
func TestKPIs_fields(t *testing.T) {
	var k KPIs
	listed := map[string]any{}
	for _, f := range k.Fields() {
		listed[strings.ReplaceAll(f.Name, "_", "")] = f.At
	}
	of := reflect.ValueOf(&k).Elem()
	there := 0
	for _, field := range reflect.VisibleFields(of.Type()) {
		if field.Anonymous {
			continue
		}
		there++
		if listed[strings.ToLower(field.Name)] != of.FieldByIndex(field.Index).Addr().Interface() {
			t.Errorf("%s is not in the list of fields by its name", field.Name)
		}
	}
	if there != len(listed) {
		t.Errorf("%d fields are listed, and there are %d", len(listed), there)
	}
}
