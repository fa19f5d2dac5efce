package affiliate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// PayoutState says whether a payout stands.
type PayoutState string

const (
	PayoutPaid     PayoutState = "paid"
	PayoutCanceled PayoutState = "canceled" // the money never arrived, or it was entered by mistake: it is owed again
)

// Words lists the states there are.
func (PayoutState) Words() []PayoutState { return []PayoutState{PayoutPaid, PayoutCanceled} }

// Payout is the record of a payment to a creator; the money itself moves elsewhere. It is of all that was payable to
// them in one currency at that moment, over all their accounts, debts included. There are no partial payouts: which
// entries a payout pays needs no bookkeeping of its own, as it leaves every account with a payable balance of 0.
type Payout struct {
	ID        PayoutID
	BatchID   PayoutBatchID // with which others it was recorded; 0: with none
	CreatorID CreatorID
	Amount    int64 // minor units of Currency, positive
	Currency  money.Currency
	State     PayoutState
	Method    string    // "bank transfer"; may be empty
	Reference string    // by which the payment is found at the bank; may be empty
	Author    string    // who issued it
	CreatedAt time.Time // when it was recorded and posted to the ledger
	PaidAt    time.Time // when the money moved: then, or the begin of an earlier day in the account's zone
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
	if p.State != PayoutPaid && p.State != PayoutCanceled {
		return FieldErrorf("state", "must be %s or %s", PayoutPaid, PayoutCanceled)
	}
	return validPayoutTexts(payoutText{"method", p.Method}, payoutText{"reference", p.Reference})
}

// payoutText is a field of a payout, or of a batch of them, that people fill.
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

// Cancel takes a payout back and gives the ledger entries that undo issued, those it was issued with. Nothing is given,
// and nothing changes, when it is canceled already.
func (p *Payout) Cancel(issued []LedgerEntry, author, reason string, at time.Time) []LedgerEntry {
	if p.State == PayoutCanceled {
		return nil
	}
	p.State = PayoutCanceled
	undo := make([]LedgerEntry, len(issued))
	for i, e := range issued {
		a := Account{CreatorID: e.CreatorID, CampaignID: e.CampaignID, OfferMemberID: e.OfferMemberID}
		undo[i] = LedgerEntry{CreatorID: e.CreatorID, CampaignID: e.CampaignID, OfferMemberID: e.OfferMemberID,
			Kind: e.Kind, Currency: e.Currency, Amount: -e.Amount, Cause: fmt.Sprintf("%s:cancel:%s", p.ID, a.Name()),
			PayoutID: p.ID, Note: reason, Author: author, CreatedAt: at, PayableAt: at}
	}
	return undo
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
