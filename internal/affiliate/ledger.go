package affiliate

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// EntryKind sorts ledger entries.
type EntryKind string

const (
	Accrual    EntryKind = "accrual"    // a commission was earned or grew
	Reversal   EntryKind = "reversal"   // a commission shrank: refund, cancellation, rejection
	Adjustment EntryKind = "adjustment" // by a person, with a reason
	Bonus      EntryKind = "bonus"
	PaidOut    EntryKind = "payout" // negative: a payout; positive where one was canceled, or carried a debt in
	WriteOff   EntryKind = "write_off"
)

// entryKinds are the kinds there are, with what people call them.
func entryKinds() []entryKind {
	return []entryKind{{Accrual, "Commission"}, {Reversal, "Commission taken back"}, {Adjustment, "Adjustment"},
		{Bonus, "Bonus"}, {PaidOut, "Payout"}, {WriteOff, "Write-off"}}
}

type entryKind struct {
	kind  EntryKind
	title string
}

// Words lists the kinds there are.
func (EntryKind) Words() (words []EntryKind) {
	for _, k := range entryKinds() {
		words = append(words, k.kind)
	}
	return words
}

// LedgerEntry is one append-only line of money owed to a creator (positive) or taken back or paid (negative), in minor
// units of Currency, the account's currency when it was posted.
type LedgerEntry struct {
	ID            LedgerEntryID
	CreatorID     CreatorID
	CampaignID    CampaignID
	OfferMemberID OfferMemberID
	ConversionID  ConversionID // 0 for bonuses, payouts and the like
	Kind          EntryKind
	Currency      money.Currency
	Amount        int64
	Cause         string   // unique: the same cause never posts twice
	PayoutID      PayoutID // of kind payout, and of the entries that one settles
	RewardID      RewardID // of bonuses that are rewards, and of what takes them back
	Note          string   // why, in a person's words
	Author        string   // empty: posted by rule
	CreatedAt     time.Time
	PayableAt     time.Time
}

// Title says to people what an entry is.
func (e LedgerEntry) Title() string {
	switch {
	case e.Kind == PaidOut && strings.Contains(e.Cause, ":"+string(PayoutFailed)+":"):
		return "Payout failed"
	case e.Kind == PaidOut && strings.Contains(e.Cause, ":"+string(PayoutReturned)+":"):
		return "Payout came back"
	case e.Kind == PaidOut && (strings.Contains(e.Cause, ":"+string(PayoutCanceled)+":") ||
		strings.Contains(e.Cause, ":cancel:")):
		return "Payout canceled"
	case e.Kind == PaidOut && e.Amount > 0:
		return "Debt settled by a payout"
	case e.RewardID != 0 && e.Amount < 0:
		return "Reward taken back"
	case e.RewardID != 0:
		return "Reward"
	}
	kinds := entryKinds()
	return kinds[slices.IndexFunc(kinds, func(k entryKind) bool { return k.kind == e.Kind })].title
}

// Account names whom and under which membership a conversion's money belongs to.
type Account struct {
	CreatorID     CreatorID
	CampaignID    CampaignID
	OfferMemberID OfferMemberID
}

// Posting is a difference to post to one account.
type Posting struct {
	Account Account
	Kind    EntryKind
	Amount  int64
}

// Differences gives what must be posted so that a conversion's entries sum to its commission on the account that it is
// credited to, and to zero on every account that it was credited to before. held is what the ledger holds per account.
func Differences(credited Account, commission int64, held map[Account]int64) []Posting {
	var postings []Posting
	for account, amount := range held {
		if account != credited && amount != 0 {
			postings = append(postings, posting(account, -amount))
		}
	}
	if d := commission - held[credited]; d != 0 {
		postings = append(postings, posting(credited, d))
	}
	slices.SortFunc(postings, func(a, b Posting) int {
		return cmp.Or(cmp.Compare(a.Account.OfferMemberID, b.Account.OfferMemberID), cmp.Compare(a.Amount, b.Amount))
	})
	return postings
}

func posting(a Account, amount int64) Posting {
	if amount < 0 {
		return Posting{Account: a, Kind: Reversal, Amount: amount}
	}
	return Posting{Account: a, Kind: Accrual, Amount: amount}
}

// EntryBatchID names a batch of entries that were posted by hand.
type EntryBatchID int64

func (id EntryBatchID) String() string { return prefixed("ebt_", int64(id)) }
