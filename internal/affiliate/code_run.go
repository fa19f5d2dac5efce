package affiliate

import (
	"time"
)

// CodeRunID names a code run, CodeItemID one of its items.
type (
	CodeRunID  int64
	CodeItemID int64
)

func (id CodeRunID) String() string  { return prefixed("cru_", int64(id)) }
func (id CodeItemID) String() string { return prefixed("cit_", int64(id)) }

// CodeAction is what a code run does with codes, in the stores and here.
type CodeAction string

const (
	CodeMake       CodeAction = "make"       // a new code for each member who has none in the store
	CodeRefresh    CodeAction = "refresh"    // a new code, and the end of the old one
	CodeActivate   CodeAction = "activate"   // the store takes it again
	CodeDeactivate CodeAction = "deactivate" // the store takes it from nobody; its owner stays
	CodeEnd        CodeAction = "end"        // the store takes it from nobody, and it is nobody's from then on
	CodeDiscount   CodeAction = "discount"   // it gives another discount
	CodeTakeOver   CodeAction = "take_over"  // a code that the store has already becomes a member's, with its orders
)

// Words lists the actions there are.
func (CodeAction) Words() []CodeAction {
	return []CodeAction{CodeMake, CodeRefresh, CodeActivate, CodeDeactivate, CodeEnd, CodeDiscount,
		CodeTakeOver}
}

// Makes says whether the action makes codes.
func (a CodeAction) Makes() bool { return a == CodeMake || a == CodeRefresh }

// CodeRunState is how far a code run has come.
type CodeRunState string

const (
	RunDraft    CodeRunState = "draft"    // a preview: nothing is done until somebody starts it
	RunWaiting  CodeRunState = "waiting"  // for its time
	RunRunning  CodeRunState = "running"  // there are items left to do
	RunDone     CodeRunState = "done"     // all items have ended; some may have failed
	RunCanceled CodeRunState = "canceled" // by a person: what was not begun is not done
)

// Words lists the states there are.
func (CodeRunState) Words() []CodeRunState {
	return []CodeRunState{RunDraft, RunWaiting, RunRunning, RunDone, RunCanceled}
}

// CodeRun is one action on the codes of an offer's members, for one, some or all, in one or all stores. Its items are
// what is done, one for each member and store.
type CodeRun struct {
	ID      CodeRunID
	Action  CodeAction
	State   CodeRunState
	OfferID OfferID // 0 of codes that are taken over for members of several offers
	Pattern string  // of new codes, or by which codes were matched to members
	// OverlapDays is how long an old code goes on beside its new one; 0: it ends at once.
	OverlapDays int
	// Discount is what the codes give, as JSON of OfferDiscount, of runs that make codes or change discounts.
	Discount string
	// Offered says that the offer's own discount becomes Discount when the run begins: it is for all members.
	Offered   bool
	At        time.Time // when it begins; zero: at once
	Actor     string    // who asked for it, as in the audit log
	CreatedAt time.Time
	StartedAt time.Time // when its work began
	EndedAt   time.Time
}

// CodeItemState is how far an item has come.
type CodeItemState string

const (
	ItemWaiting  CodeItemState = "waiting"  // nothing of its step was asked for yet
	ItemAsked    CodeItemState = "asked"    // the store was asked, and what it answered is not known yet
	ItemByHand   CodeItemState = "by_hand"  // somebody is to do it in the store's admin, and to say so
	ItemDone     CodeItemState = "done"     // Trouble may still say what to look at
	ItemFailed   CodeItemState = "failed"   // Trouble says why; it can be tried again
	ItemSkipped  CodeItemState = "skipped"  // there is nothing to do: Trouble says why
	ItemCanceled CodeItemState = "canceled" // with its run, or taken out of it
)

// Words lists the states there are.
func (CodeItemState) Words() []CodeItemState {
	return []CodeItemState{ItemWaiting, ItemAsked, ItemByHand, ItemDone, ItemFailed, ItemSkipped, ItemCanceled}
}

// CodeStep is what an item is at. Steps follow one another: make, credit, stop.
type CodeStep string

const (
	StepMake   CodeStep = "make"   // the new code in the store, and its owner here
	StepCredit CodeStep = "credit" // orders that came with it before its owner was known here
	StepChange CodeStep = "change" // of the code that is there: stop, start, discount
	StepOwn    CodeStep = "own"    // its owner here, and the orders that carry it
)

// CodeItem is one code of a code run: of one member in one store.
type CodeItem struct {
	ID            CodeItemID
	RunID         CodeRunID
	OfferMemberID OfferMemberID
	StoreID       StoreID
	OldCodeID     CodeID // the code that the action is about; 0 of CodeMake
	Code          string // that is made; of other actions the code itself
	Folded        string
	Base          string // of a code that is made: as it was wanted first; Code may differ where that was taken
	// Mark is what stands in the store's own record of a code that the item makes. It is random and never used twice.
	Mark  string
	Step  CodeStep
	State CodeItemState
	Tries int    // how many codes were tried since those before were taken
	NewID CodeID `db:"new_code_id"` // the code that was made; 0 before
	// Orders are those that carry the code without being credited: how many there were when the run was drafted, and
	// how many of them were credited once the item is done.
	Orders  int64
	EndsAt  time.Time // of the old code: zero until that is known
	Trouble string    // why it failed, was skipped, or waits, as a sentence with its remedy; may be empty
	At      time.Time `db:"updated_at"`
}

// CouponTrouble is how a code in a store is not as it should be.
type CouponTrouble string

const (
	TroubleGone    CouponTrouble = "gone"    // it belongs to somebody, and the store has it no more
	TroubleStopped CouponTrouble = "stopped" // it belongs to somebody, and the store takes it from nobody
	TroubleChanged CouponTrouble = "changed" // it gives another discount than it was given here
	TroubleRunning CouponTrouble = "running" // it was ended or deactivated here, and the store still takes it
	TroubleUses    CouponTrouble = "uses"    // the store has counted other orders than came here, for a while now
)

// Words lists the troubles there are.
func (CouponTrouble) Words() []CouponTrouble {
	return []CouponTrouble{TroubleGone, TroubleStopped, TroubleChanged, TroubleRunning, TroubleUses}
}
