package affiliate

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// PayoutRun is a set of payouts that were confirmed together, such as all of a month. It is frozen: which payouts it
// has, their amounts, where they go and the ledger entries that they pay never change.
type PayoutRun struct {
	ID        PayoutRunID
	Payouts   int    // how many, canceled ones included
	Day       string // on which they were confirmed, or paid elsewhere: 2026-11-29, in the account's zone
	Method    string // of what was paid elsewhere, as the reference
	Reference string
	Note      string // for people; may be empty
	Author    string
	Form      string // by which it was confirmed: one form makes one run; empty: none
	State     PayoutRunState
	Mark      string    // random: it stands in all files and requests, so that those of two servers never meet
	UntilAt   time.Time // only what was posted before is paid; zero: all that was due
	About     string    // of whom it was made, for people: "all active offers", "Spring sale", "12 creators"
	Tell      bool      // creators get a mail once they are paid
	SentAt    time.Time // when the first file was downloaded, or the first provider had it
	EndedAt   time.Time // when it was settled or canceled
	CreatedAt time.Time
}

// PayoutRunState says how far a run has come.
type PayoutRunState string

const (
	PayRunConfirmed PayoutRunState = "confirmed" // its money is in payment; nothing was sent yet
	PayRunSent      PayoutRunState = "sent"      // a file was downloaded, or a provider was asked
	PayRunSettled   PayoutRunState = "settled"   // the state of each payout is final
	PayRunCanceled  PayoutRunState = "canceled"  // as one, before anything was sent
)

// Words lists the states there are.
func (PayoutRunState) Words() []PayoutRunState {
	return []PayoutRunState{PayRunConfirmed, PayRunSent, PayRunSettled, PayRunCanceled}
}

// Name is what people and files call a run: "2026-11-29 · 69 payouts".
func (b PayoutRun) Name() string {
	if b.Payouts == 1 {
		return b.Day + " · 1 payout"
	}
	return fmt.Sprintf("%s · %d payouts", b.Day, b.Payouts)
}

// maxRunForm bounds what tells forms apart, in bytes.
const maxRunForm = 100

// Validate gives an error that names the field that is wrong.
func (b PayoutRun) Validate() error {
	if len(b.Form) > maxRunForm {
		return FieldErrorf("form", "must have at most %d bytes", maxRunForm)
	}
	return validPayoutTexts(payoutText{"method", b.Method}, payoutText{"reference", b.Reference},
		payoutText{"note", b.Note})
}

// NewRunMark draws the mark of a run: six letters and digits that are not taken for each other.
func NewRunMark() string { return strings.ToUpper(rand.Text()[:6]) }

// Refs fit into the narrowest field that they must pass: 18 characters of letters, digits and hyphens as long as there
// are fewer than ten million payouts.

// PayoutRef is the id of a payout in files and requests: TRB-1001-K7Q2M9.
func (b PayoutRun) PayoutRef(id PayoutID) string { return fmt.Sprintf("TRB-%d-%s", int64(id), b.Mark) }

// payoutRef is how our references of payouts look.
var payoutRef = regexp.MustCompile(`(?i)\bTRB-[0-9]{1,19}-[A-Z0-9]{6}\b`)

// FindPayoutRef gives the first reference of a payout that stands in a text, such as in a note; empty without any.
func FindPayoutRef(text string) string { return strings.ToUpper(payoutRef.FindString(text)) }

// PartRef is the id of a part of the run, the nth of all: TRB-R42-1-K7Q2M9.
func (b PayoutRun) PartRef(n int) string { return fmt.Sprintf("TRB-R%d-%d-%s", int64(b.ID), n, b.Mark) }

// PayoutPartID names a part of a payout run.
type PayoutPartID int64

func (id PayoutPartID) String() string { return prefixed("prt_", int64(id)) }

// PayoutPart is those of a run's payouts that one file or one request to a provider has: all of one rail and currency.
type PayoutPart struct {
	ID          PayoutPartID
	RunID       PayoutRunID
	Rail        Rail
	Currency    money.Currency
	Number      int64  // 1, 2, … of the same rail and currency
	Variant     string // which of the rail's forms: see RailVariants; empty where it has one
	Payouts     int64
	Amount      int64  // their sum, minor units of Currency
	Reference   string // ours, unique
	State       PayoutPartState
	StoreID     StoreID // in which it is given; 0: none
	FileName    string  // empty until it was made
	ProviderRef string  // such as PayPal's payout_batch_id
	Fee         int64   // that the provider took for all of it, minor units of FeeCurrency
	FeeCurrency money.Currency
	Tries       int64
	Account     string    // hash of the provider's account that was asked; empty: none was
	FirstAt     time.Time // when it was tried first
	NextAt      time.Time // when the provider is asked next; zero: not
	UntilAt     time.Time // until when it is asked
	Trouble     string    // why it does not get on; empty: it does
	SentAt      time.Time
	SentBy      string // who downloaded the file first
}

// PayoutPartState says how far a part has come.
type PayoutPartState string

const (
	PartReady    PayoutPartState = "ready"
	PartTrying   PayoutPartState = "trying"   // it was asked for; whether the provider has it is not known
	PartSent     PayoutPartState = "sent"     // the file was downloaded, or the provider has it
	PartRefused  PayoutPartState = "refused"  // the provider does not take it, or has paid nothing of it
	PartCanceled PayoutPartState = "canceled" // with its run
)

// Words lists the states there are.
func (PayoutPartState) Words() []PayoutPartState {
	return []PayoutPartState{PartReady, PartTrying, PartSent, PartRefused, PartCanceled}
}

// LeftOut says why something payable is not paid in a run.
type LeftOut string

const (
	LeftNoMethod   LeftOut = "no_method"        // nobody knows where to
	LeftMinimum    LeftOut = "below_minimum"    // it waits until more is due
	LeftHeld       LeftOut = "held"             // the payment details were changed, and are on hold
	LeftCurrency   LeftOut = "currency"         // the way to pay does not take this currency
	LeftExcluded   LeftOut = "excluded"         // by whoever confirmed the run
	LeftNegative   LeftOut = "negative_balance" // they owe; it is carried on
	LeftNoRail     LeftOut = "no_rail"          // the way to pay is not set up
	LeftIncomplete LeftOut = "incomplete"       // the payment details lack what the rail needs, or it does not go there
)

// Words lists the reasons there are.
func (LeftOut) Words() []LeftOut {
	return []LeftOut{LeftNoMethod, LeftMinimum, LeftHeld, LeftCurrency, LeftExcluded, LeftNegative, LeftNoRail,
		LeftIncomplete}
}

// Sentence says the reason to people.
func (l LeftOut) Sentence() string {
	return map[LeftOut]string{
		LeftNoMethod:   "nobody has entered where to pay them",
		LeftMinimum:    "less than the smallest payout; it waits for more",
		LeftHeld:       "the payment details are new and on hold",
		LeftCurrency:   "the way they are paid does not take this currency",
		LeftExcluded:   "left out by hand",
		LeftNegative:   "refunds took more back than was earned since; it is carried on",
		LeftNoRail:     "the way they are paid is not set up here",
		LeftIncomplete: "the payment details lack what this way of paying needs, or it does not go to their country",
	}[l]
}

// RunSums is what a run's payouts of one currency add up to, by their state. Amounts are its minor units:
// Sent = Paid + Pending + Unclaimed + Failed + Returned, and Amount = Sent + Ready + Canceled.
type RunSums struct {
	Currency  money.Currency
	Payouts   int64
	Amount    int64
	Ready     int64 // not handed over yet
	Canceled  int64
	Sent      int64
	Pending   int64 // handed over, and nobody has said yet what became of it
	Unclaimed int64
	Paid      int64
	Failed    int64
	Returned  int64
}

// Add counts a payout, or several of one state.
func (s *RunSums) Add(state PayoutState, payouts, amount int64) {
	s.Payouts += payouts
	s.Amount += amount
	sum := map[PayoutState]*int64{PayoutReady: &s.Ready, PayoutCanceled: &s.Canceled, PayoutSent: &s.Pending,
		PayoutPending: &s.Pending, PayoutUnclaimed: &s.Unclaimed, PayoutPaid: &s.Paid, PayoutFailed: &s.Failed,
		PayoutReturned: &s.Returned}[state]
	*sum += amount
	if state != PayoutReady && state != PayoutCanceled {
		s.Sent += amount
	}
}

// ByCurrency orders sums.
func ByCurrency(a, b RunSums) int { return cmp.Compare(a.Currency, b.Currency) }
