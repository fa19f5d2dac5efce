package report_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/report"
)

// value is a figure as text; undefined ones are "—".
func value(key report.Key, k affiliate.KPIs) string {
	n := report.FigureOf(key).Value(k)
	if n == nil {
		return "—"
	}
	return fmt.Sprint(*n)
}

func TestFigure_value(t *testing.T) {
	k := affiliate.KPIs{Sums: affiliate.Sums{Clicks: 300, Conversions: 70, Linked: 7, Pending: 1, Canceled: 2,
		Refunded: 3, Held: 4, Rejected: 5, Sales: 10005, Commissions: 1001}, Members: 9, MembersWithConversions: 2}
	derived := func(k affiliate.KPIs) string {
		return value(report.KeyConversionRate, k) + " " + value(report.KeyAverageSale, k) + " " +
			value(report.KeySalesPerMember, k) + " " + value(report.KeyCommissionPerMember, k)
	}
	// 7 of 70 came by link: 7 ÷ 300 is 2.33 %; 100.05 ÷ 70 is 1.43; 100.05 ÷ 2 and 10.01 ÷ 2 end in half a cent, which
	// goes up.
	if got, want := derived(k), "233 143 5003 501"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	byCode := affiliate.KPIs{Sums: affiliate.Sums{Clicks: 4, Conversions: 9}}
	if rate := value(report.KeyConversionRate, byCode); rate != "0" {
		t.Errorf("4 clicks that sold nothing have a rate of %s", rate)
	}
	if got := derived(affiliate.KPIs{}); got != "— — — —" {
		t.Errorf("without anything: %s", got)
	}
}

// TestFigures_names: figures follow from numbers that there are, and each has a key and a title of its own.
func TestFigures_names(t *testing.T) {
	numbers, seen := map[string]bool{"": true}, map[string]bool{}
	for _, f := range new(affiliate.KPIs).Fields() {
		numbers[f.Name] = true
	}
	for _, f := range report.Figures() {
		if f.Of == "" || !numbers[f.Of] || !numbers[f.Per] {
			t.Errorf("%s is %q per %q", f.Key, f.Of, f.Per)
		}
		if f.Title == "" || seen[string(f.Key)] || seen[f.Title] {
			t.Errorf("the key %q and the title %q are another figure's", f.Key, f.Title)
		}
		seen[string(f.Key)], seen[f.Title] = true, true
	}
}

// TestFigures_everywhere: what a list can be sorted by is on its page and in its file.
func TestFigures_everywhere(t *testing.T) {
	for _, f := range report.Listed() {
		is := func(other report.Figure) bool { return other.Key == f.Key }
		if !slices.ContainsFunc(report.OnPage(), is) || !slices.ContainsFunc(report.InFiles(), is) {
			t.Errorf("%s is not on the page or not in the file", f.Key)
		}
	}
}
