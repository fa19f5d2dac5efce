package affiliate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// PayoutState says what became of a payout.
type PayoutState string

const (
	PayoutReady     PayoutState = "ready"     // confirmed; nobody was asked to pay it yet
	PayoutSent      PayoutState = "sent"      // its file was downloaded, or its provider was asked to pay it
	PayoutPending   PayoutState = "pending"   // the provider works on it
	PayoutUnclaimed PayoutState = "unclaimed" // the recipient has to accept it
	PayoutPaid      PayoutState = "paid"
	PayoutFailed    PayoutState = "failed"   // nothing was paid: it is owed again
	PayoutReturned  PayoutState = "returned" // it came back, perhaps weeks later: it is owed again
	PayoutCanceled  PayoutState = "canceled" // before it was sent, or as recorded by mistake: it is owed again
)

// Words lists the states there are.
func (PayoutState) Words() []PayoutState {
	return []PayoutState{PayoutReady, PayoutSent, PayoutPending, PayoutUnclaimed, PayoutPaid, PayoutFailed,
		PayoutReturned, PayoutCanceled}
}

// Back says whether the money of a payout is owed again.
func (s PayoutState) Back() bool {
	return s == PayoutFailed || s == PayoutReturned || s == PayoutCanceled
}

// Final says whether nothing more is waited for. A paid one may still come back.
func (s PayoutState) Final() bool { return s == PayoutPaid || s.Back() }

// Then gives the state that a payout has after somebody has said another one of it. Whoever says it may be late: what
// is known already is kept where the other is out of date. False where it cannot be.
func (s PayoutState) Then(said PayoutState) (PayoutState, bool) {
	switch {
	case s == said:
		return s, true
	case s == PayoutCanceled || said == PayoutCanceled || said == PayoutReady:
		return s, false
	case said == PayoutSent, said == PayoutPending, said == PayoutUnclaimed:
		if s.Final() || said == PayoutSent && s != PayoutReady || said == PayoutPending && s == PayoutUnclaimed {
			return s, true
		}
		return said, true
	case said == PayoutPaid && s == PayoutReturned: // it was, before it came back
		return s, true
	case said == PayoutFailed && s == PayoutPaid: // it was on its way, and did not arrive
		return PayoutReturned, true
	case s == PayoutFailed && said == PayoutReturned, s == PayoutReturned && said == PayoutFailed:
		return s, true // the money is back either way
	}
	return said, true
}

// Hear takes what is said of a payout, and gives the state that follows; p is not changed but for what was heard. ref
// is the provider's of the payment that it speaks of, empty where it is not said or a person speaks. why is a sentence
// where it cannot be believed: what says that money is back is paid once more, so it must be sure. A provider that says
// what it has said before says nothing new: a person may have paid since, or marked it. What a person said to be paid
// is no provider's to take back, and no payment that failed takes back another one that was paid with our reference,
// such as when a file was handed in twice.
func (p *Payout) Hear(said PayoutState, ref string, byHand bool) (then PayoutState, why string) {
	heard := strings.TrimSpace(string(said) + " " + ref)
	if !byHand && p.Heard == heard {
		return p.State, ""
	}
	then, ok := p.State.Then(said)
	switch {
	case !ok:
		return p.State, fmt.Sprintf("the payout is %s here, and cannot be %s", p.State, said)
	case byHand:
		return then, ""
	case p.State != PayoutPaid || !then.Back():
	case p.ByHand:
		return p.State, fmt.Sprintf("somebody has said by hand that it was paid, and this says that it is %s: look at "+
			"both, and say by hand which is right", said)
	case ref != "" && p.ProviderRef != "" && ref != p.ProviderRef:
		return p.State, fmt.Sprintf("it was paid by %s, and this says that %s is %s: look at both", p.ProviderRef, ref,
			said)
	}
	p.Heard = heard
	return then, ""
}

// Payout is a payment to a creator. It is of all that was payable to them in one currency at that moment, or of what
// was posted before the cut-off of its run, over all their accounts, debts included. Its run knows which ledger entries
// it pays.
type Payout struct {
	ID          PayoutID
	RunID       PayoutRunID
	CreatorID   CreatorID
	Amount      int64 // minor units of Currency, positive
	Currency    money.Currency
	State       PayoutState
	Rail        Rail
	PartID      PayoutPartID // the file or request that it is in; 0: none
	Destination []byte       // sealed PaymentDetails, as they were; none of what was paid elsewhere
	Masked      string       // the destination as people are shown it: "anna@example.com", "FR14 … 2606"
	Ref         string       // ours, in files and requests; empty of what was paid elsewhere
	ProviderRef string       // the provider's; may be empty
	Fee         int64        // that the provider took for it, minor units of FeeCurrency; not part of Amount
	FeeCurrency money.Currency
	Heard       string    // what the provider has said last, see Hear
	ByHand      bool      // a person has said its state
	Words       string    // of whoever said its state last: "AC04, the account is closed"
	Revision    int64     // how often it was taken back or posted again
	Method      string    // "bank transfer"; may be empty
	Reference   string    // by which the payment is found at the bank; may be empty
	Author      string    // who confirmed it
	CreatedAt   time.Time // when it was confirmed and posted to the ledger
	PaidAt      time.Time // when the money moved, or the begin of an earlier day in the account's zone; zero: not yet
	UntilAt     time.Time // the cut-off of its run, or when it was confirmed
	StateAt     time.Time // since when it has its state
	ToldAt      time.Time // when a mail about it was written; zero: none was
	Asked       []byte    // sealed: what was written down before a store was asked for it; empty: none was
}

// MaxPayoutText bounds the method and the reference of a payout, in bytes.
const MaxPayoutText = 200

// Validate gives an error that names the field that is wrong.
func (p Payout) Validate() error {
	if p.CreatorID <= 0 {
		return FieldErrorf("creator", "is missing")
	}
	if p.Amount <= 0 {
		return FieldErrorf("amount", "must be more than 0")
	}
	if _, err := money.ParseCurrency(string(p.Currency)); err != nil {
		return FieldErrorf("currency", "%v", err)
	}
	if err := CheckWord("state", p.State); err != nil {
		return err
	}
	if err := CheckWord("rail", p.Rail); err != nil {
		return err
	}
	return validPayoutTexts(payoutText{"method", p.Method}, payoutText{"reference", p.Reference})
}

// payoutText is a field of a payout, or of a payout run of them, that people fill.
type payoutText struct{ field, value string }

func validPayoutTexts(texts ...payoutText) error {
	for _, text := range texts {
		if len(text.value) > MaxPayoutText || strings.ContainsFunc(text.value, isControl) {
			return FieldErrorf(text.field, "must have at most %d bytes, without line ends or control characters",
				MaxPayoutText)
		}
	}
	return nil
}

// MinimumIn is the least amount that is paid out in a currency, in its minor units. The minimum is one of the account's
// currency; what is left in another, from before the account's changed, is paid whatever it is.
func (s Settings) MinimumIn(c money.Currency) int64 {
	if c == s.Currency {
		return s.MinimumPayout
	}
	return 0
}

// Settle gives what a payout of everything that is payable amounts to, and the postings that bring every account's
// payable balance to 0: they sum to −amount. The balances are those of one creator, in minor units of one currency; an
// account with a debt is settled out of the others.
func Settle(payable map[Account]int64) (amount int64, postings []Posting) {
	for account, balance := range payable {
		if balance != 0 {
			amount += balance
			postings = append(postings, Posting{Account: account, Kind: PaidOut, Amount: -balance})
		}
	}
	slices.SortFunc(postings, func(a, b Posting) int {
		return cmp.Or(cmp.Compare(a.Account.OfferMemberID, b.Account.OfferMemberID), cmp.Compare(a.Account.CampaignID,
			b.Account.CampaignID))
	})
	return amount, postings
}

// Entries gives the ledger entries of a payout that is issued with some postings. They are of the moment at which it is
// recorded, also where the money moved on an earlier day: what was posted before never changes.
func (p Payout) Entries(postings []Posting) []LedgerEntry {
	entries := make([]LedgerEntry, len(postings))
	for i, posted := range postings {
		a := posted.Account
		entries[i] = LedgerEntry{CreatorID: a.CreatorID, CampaignID: a.CampaignID, OfferMemberID: a.OfferMemberID,
			Kind: posted.Kind, Currency: p.Currency, Amount: posted.Amount, Cause: fmt.Sprintf("%s:%s", p.ID, a.Name()),
			PayoutID: p.ID, Author: p.Author, CreatedAt: p.CreatedAt, PayableAt: p.CreatedAt}
	}
	return entries
}

// Turn gives a payout another state, and the ledger entries that follow from it: those that undo what it was issued
// with where its money is owed again, and the same again where it is paid after all. posted are all entries of the
// payout so far, which sum to its negative amount, or to 0 where it is back. Nothing is given where nothing changes.
func (p *Payout) Turn(state PayoutState, posted []LedgerEntry, author, reason string, at time.Time) []LedgerEntry {
	before := p.State
	if before == state {
		return nil
	}
	p.State, p.StateAt = state, at
	if before.Back() == state.Back() {
		return nil
	}
	p.Revision++
	type place struct{ a Account }
	issued, order := map[place]int64{}, []place(nil)
	for _, e := range posted { // the first postings: what it was issued with
		key := place{Account{CreatorID: e.CreatorID, CampaignID: e.CampaignID, OfferMemberID: e.OfferMemberID}}
		if _, seen := issued[key]; !seen {
			issued[key], order = e.Amount, append(order, key)
		}
	}
	entries := make([]LedgerEntry, 0, len(order))
	for _, key := range order {
		a, amount := key.a, issued[key]
		if state.Back() {
			amount = -amount
		}
		entries = append(entries, LedgerEntry{CreatorID: a.CreatorID, CampaignID: a.CampaignID,
			OfferMemberID: a.OfferMemberID, Kind: PaidOut, Currency: p.Currency, Amount: amount,
			Cause: fmt.Sprintf("%s:%s:%d:%s", p.ID, state, p.Revision, a.Name()), PayoutID: p.ID, Note: reason,
			Author: author, CreatedAt: at, PayableAt: at})
	}
	return entries
}

// Name tells an account from the others of its creator: it is the offer member's id, or else that of the campaign or
// the creator, to whom bonuses are given.
func (a Account) Name() string {
	switch {
	case a.OfferMemberID != 0:
		return a.OfferMemberID.String()
	case a.CampaignID != 0:
		return a.CampaignID.String()
	}
	return a.CreatorID.String()
}

// Forgive gives the postings that bring a creator's balance up to 0 where it is below, over all of their accounts. The
// balances are in minor units of one currency. Accounts below 0 are walked in one order, until the whole is forgiven:
// what other accounts hold counts against what is owed.
func Forgive(balances map[Account]int64) (postings []Posting) {
	var accounts []Account
	owed := int64(0)
	for account, balance := range balances {
		owed -= balance
		if balance < 0 {
			accounts = append(accounts, account)
		}
	}
	slices.SortFunc(accounts, func(a, b Account) int {
		return cmp.Or(cmp.Compare(a.OfferMemberID, b.OfferMemberID), cmp.Compare(a.CampaignID, b.CampaignID))
	})
	for _, account := range accounts {
		if owed <= 0 {
			break
		}
		amount := min(owed, -balances[account])
		owed -= amount
		postings = append(postings, Posting{Account: account, Kind: WriteOff, Amount: amount})
	}
	return postings
}
