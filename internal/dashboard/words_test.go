package dashboard

import (
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestChoices: pages offer every status and every approval that there is.
func TestChoices(t *testing.T) {
	if got, want := len(statusChoices()), len(affiliate.Words[affiliate.OrderStatus]()); got != want {
		t.Errorf("%d statuses to choose from, there are %d", got, want)
	}
	if got, want := len(conversionSearch{}.Approvals()), len(affiliate.Words[affiliate.Approval]()); got != want {
		t.Errorf("%d approvals to choose from, there are %d", got, want)
	}
	if got := wordChoices("set_aside")[0]; got != (choice{"set_aside", "Set aside"}) {
		t.Error(got)
	}
}
