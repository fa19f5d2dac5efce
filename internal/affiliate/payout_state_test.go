package affiliate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestPayoutState_anyOrder: what providers say of a payout that was handed over may arrive late, twice and in any
// order; in the end it is what the newest of it says.
func TestPayoutState_anyOrder(t *testing.T) {
	histories := [][]PayoutState{
		{PayoutSent, PayoutPaid},
		{PayoutSent, PayoutPending, PayoutPaid},
		{PayoutSent, PayoutPending, PayoutFailed},
		{PayoutSent, PayoutPending, PayoutUnclaimed, PayoutPaid},
		{PayoutSent, PayoutPending, PayoutUnclaimed, PayoutReturned},
		{PayoutSent, PayoutPending, PayoutPaid, PayoutReturned},
		{PayoutSent, PayoutUnclaimed, PayoutPaid, PayoutReturned},
	}
	rapid.Check(t, func(t *rapid.T) {
		history := rapid.SampledFrom(histories).Draw(t, "history")
		said := slices.Clone(history)
		for range rapid.IntRange(0, 4).Draw(t, "repeated") {
			said = append(said, rapid.SampledFrom(history).Draw(t, "again"))
		}
		said = rapid.Permutation(said).Draw(t, "said")
		state := PayoutReady
		for _, s := range said {
			then, ok := state.Then(s)
			if !ok {
				t.Fatalf("%s is refused after %s", s, state)
			}
			state = then
		}
		if want := history[len(history)-1]; state != want {
			t.Fatalf("%v told as %v ends as %s, want %s", history, said, state, want)
		}
	})
}

// TestPayoutState_Then: of all pairs of states, which one counts. What was canceled stays so, and nobody can say that
// a payout is ready or canceled.
func TestPayoutState_Then(t *testing.T) {
	said := []PayoutState{PayoutSent, PayoutPending, PayoutUnclaimed, PayoutPaid, PayoutFailed, PayoutReturned}
	for _, test := range []struct {
		from PayoutState
		to   []PayoutState // after each of said
	}{
		{PayoutReady, said},
		{PayoutSent, said},
		{PayoutPending, []PayoutState{PayoutPending, PayoutPending, PayoutUnclaimed, PayoutPaid, PayoutFailed,
			PayoutReturned}},
		{PayoutUnclaimed, []PayoutState{PayoutUnclaimed, PayoutUnclaimed, PayoutUnclaimed, PayoutPaid, PayoutFailed,
			PayoutReturned}},
		{PayoutPaid, []PayoutState{PayoutPaid, PayoutPaid, PayoutPaid, PayoutPaid, PayoutReturned, PayoutReturned}},
		{PayoutFailed, []PayoutState{PayoutFailed, PayoutFailed, PayoutFailed, PayoutPaid, PayoutFailed, PayoutFailed}},
		{PayoutReturned, []PayoutState{PayoutReturned, PayoutReturned, PayoutReturned, PayoutReturned, PayoutReturned,
			PayoutReturned}},
	} {
		for i, s := range said {
			if got, ok := test.from.Then(s); !ok || got != test.to[i] {
				t.Errorf("%s then %s is %s, %v; want %s", test.from, s, got, ok, test.to[i])
			}
		}
	}
	for _, s := range PayoutState("").Words() {
		for _, pair := range [][2]PayoutState{{PayoutCanceled, s}, {s, PayoutCanceled}, {s, PayoutReady}} {
			got, ok := pair[0].Then(pair[1])
			if want := pair[0] == pair[1]; got != pair[0] || ok != want {
				t.Errorf("%s then %s is %s, %v; want it as it is, %v", pair[0], pair[1], got, ok, want)
			}
		}
	}
}

// TestPayout_Turn: however often a payout is taken back and paid after all, its entries add up to what its state says,
// on each account, and no cause is posted twice.
func TestPayout_Turn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payable := map[Account]int64{}
		for n := range rapid.IntRange(1, 4).Draw(t, "accounts") {
			a := Account{CreatorID: 1, OfferMemberID: OfferMemberID(n + 1)}
			payable[a] = rapid.Int64Range(-50, 200).Draw(t, "balance")
		}
		amount, postings := Settle(payable)
		p := Payout{ID: 7, CreatorID: 1, Amount: amount, Currency: "EUR", State: PayoutReady}
		posted := p.Entries(postings)
		for range rapid.IntRange(1, 8).Draw(t, "turns") {
			state := rapid.SampledFrom(PayoutState("").Words()).Draw(t, "state")
			was := p.State
			entries := p.Turn(state, posted, "Mia", "because", p.CreatedAt)
			if p.State != state || (len(entries) > 0) != (was.Back() != state.Back() && len(postings) > 0) {
				t.Fatalf("from %s to %s it posts %v", was, state, entries)
			}
			posted = append(posted, entries...)
			left, causes := map[OfferMemberID]int64{}, map[string]bool{}
			for _, e := range posted {
				left[e.OfferMemberID] += e.Amount
				if causes[e.Cause] {
					t.Fatalf("%s is posted twice", e.Cause)
				}
				causes[e.Cause] = true
			}
			for a, balance := range payable {
				want := -balance
				if state.Back() {
					want = 0
				}
				if left[a.OfferMemberID] != want {
					t.Fatalf("%s, %s: the entries add up to %d, want %d", fmt.Sprint(posted), state,
						left[a.OfferMemberID], want)
				}
			}
		}
	})
}

// TestPayout_Hear: what says that money is back counts only where it is new and about the payment that was paid, and
// never against a person who has said that it was paid.
func TestPayout_Hear(t *testing.T) {
	type say struct {
		state  PayoutState
		ref    string
		byHand bool
		then   PayoutState
		why    string // a part of it
	}
	const hand = true
	for name, list := range map[string][]say{
		"an old failure after a person paid otherwise": {
			{PayoutFailed, "T1", false, PayoutFailed, ""},
			{PayoutPaid, "", hand, PayoutPaid, ""},
			{PayoutFailed, "T1", false, PayoutPaid, ""},
		},
		"a first failure after a person paid": {
			{PayoutPaid, "", hand, PayoutPaid, ""},
			{PayoutFailed, "T1", false, PayoutPaid, "look at both"},
			{PayoutReturned, "T1", false, PayoutPaid, "look at both"},
			{PayoutReturned, "", hand, PayoutReturned, ""},
		},
		"a provider that agrees with a person, and takes it back": {
			{PayoutPaid, "", hand, PayoutPaid, ""},
			{PayoutPaid, "T1", false, PayoutPaid, ""},
			{PayoutReturned, "T1", false, PayoutReturned, ""},
		},
		"a file that was handed in twice, canceled and paid": {
			{PayoutFailed, "T1", false, PayoutFailed, ""},
			{PayoutPaid, "T2", false, PayoutPaid, ""},
			{PayoutFailed, "T1", false, PayoutPaid, "T1 is failed"},
		},
		"paid, then canceled the second one": {
			{PayoutPaid, "T2", false, PayoutPaid, ""},
			{PayoutFailed, "T1", false, PayoutPaid, "paid by T2"},
			{PayoutReturned, "T2", false, PayoutReturned, ""},
			{PayoutPaid, "T2", false, PayoutReturned, ""},
		},
		"a bank that says of its payments no reference": {
			{PayoutPaid, "", false, PayoutPaid, ""},
			{PayoutReturned, "B7", false, PayoutReturned, ""},
		},
		"what cannot be": {{PayoutCanceled, "", hand, PayoutSent, "cannot be canceled"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := Payout{State: PayoutSent}
			for _, s := range list {
				then, why := p.Hear(s.state, s.ref, s.byHand)
				if then != s.then || (why == "") != (s.why == "") || !strings.Contains(why, s.why) {
					t.Fatalf("%+v after %s gives %s, %q", s, p.State, then, why)
				}
				if then != p.State {
					p.ByHand = s.byHand
				} else if why == "" && then == s.state {
					p.ByHand = p.ByHand && s.byHand
				}
				if p.State = then; why == "" && !s.byHand && then == s.state {
					p.ProviderRef = s.ref
				}
			}
		})
	}
}
