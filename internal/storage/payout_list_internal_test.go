package storage

import (
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// TestPayoutStates: the sets of states in SQL are those that the rules say.
func TestPayoutStates(t *testing.T) {
	quoted := func(is func(affiliate.PayoutState) bool) string {
		var list []string
		for _, s := range affiliate.Words[affiliate.PayoutState]() {
			if is(s) {
				list = append(list, "'"+string(s)+"'")
			}
		}
		return strings.Join(list, ", ")
	}
	for got, want := range map[string]string{
		openStates: quoted(func(s affiliate.PayoutState) bool { return !s.Final() && s != affiliate.PayoutReady }),
		backStates: quoted(affiliate.PayoutState.Back),
		waitStates: quoted(func(s affiliate.PayoutState) bool { return !s.Final() }),
	} {
		if got != want {
			t.Errorf("%s is to be %s", got, want)
		}
	}
}
