package affiliate

import (
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// RewardRuleID names a reward rule, RewardID a reward.
type (
	RewardRuleID int64
	RewardID     int64
)

func (id RewardRuleID) String() string { return prefixed("rrl_", int64(id)) }
func (id RewardID) String() string     { return prefixed("rwd_", int64(id)) }

// RewardKind is what a reward consists of.
type RewardKind string

const (
	RewardCash    RewardKind = "cash"    // an amount that is owed with the commissions
	RewardProduct RewardKind = "product" // goods that are sent
	RewardCode    RewardKind = "code"    // a coupon code for the creator's own shopping
)

// Words lists the kinds there are.
func (RewardKind) Words() []RewardKind { return []RewardKind{RewardCash, RewardProduct, RewardCode} }

// RewardTrigger says what earns a reward.
type RewardTrigger string

const (
	ByFirstConversion  RewardTrigger = "first_conversion"
	ByConversions      RewardTrigger = "conversions"       // once, when there are Count of them
	ByEveryConversions RewardTrigger = "every_conversions" // again with each Count of them
	BySales            RewardTrigger = "sales"             // once, when they come to Threshold
	ByEverySales       RewardTrigger = "every_sales"       // again with each Threshold
	ByFirstOrder       RewardTrigger = "first_order"       // once, when the first order comes to Threshold
	ByAnyOrder         RewardTrigger = "any_order"         // once, when some order comes to Threshold
)

// Words lists the triggers there are.
func (RewardTrigger) Words() []RewardTrigger {
	return []RewardTrigger{ByFirstConversion, ByConversions, ByEveryConversions, BySales, ByEverySales, ByFirstOrder,
		ByAnyOrder}
}

// RewardApproval says who approves what a rule gives.
type RewardApproval string

const (
	ApprovedByRule   RewardApproval = "rule"   // it is approved as soon as it is earned
	ApprovedByPerson RewardApproval = "person" // it waits for somebody
)

// Words lists the approvals there are.
func (RewardApproval) Words() []RewardApproval {
	return []RewardApproval{ApprovedByRule, ApprovedByPerson}
}

// RewardRule is what members of an offer get beside their commissions, and for what. A rule is never changed, so that
// what it gives does not depend on when that is looked at: it is ended, and another one made.
type RewardRule struct {
	ID        RewardRuleID
	OfferID   OfferID
	Name      string
	Kind      RewardKind
	Trigger   RewardTrigger `db:"earned_by"`
	Count     int64         // of conversions; 0 of triggers that count none
	Threshold int64         // of sales or of an order, in minor units of Currency; 0 of triggers without one
	Currency  money.Currency
	// Amount is minor units of Currency: of cash what is earned, of a product or code what it costs the brand.
	Amount    int64
	Product   string        // what is sent
	Discount  OfferDiscount // what the code gives
	Approval  RewardApproval
	FromAt    time.Time // orders placed from then on count; zero: all
	ToAt      time.Time // orders placed before count; zero: all
	EndedAt   time.Time // orders placed from then on do not count; zero: it has not ended
	Author    string
	CreatedAt time.Time
}

// RewardSale is a conversion as rewards count it: paid, and neither rejected nor held.
type RewardSale struct {
	Conversion ConversionID
	PlacedAt   time.Time
	Value      int64 // minor units of the rule's currency, by the rate of the order's day
}

// EarnedReward is one that a rule gives for some sales.
type EarnedReward struct {
	Nth         int64        // from 1 on
	Conversion  ConversionID // that reached the mark
	At          time.Time    // when its order was placed
	Conversions int64        // how many there were with it
	Sales       int64        // what they came to, in minor units of the rule's currency
}

// RewardDecision is what was decided about a reward.
type RewardDecision string

const (
	RewardWaiting  RewardDecision = "waiting"
	RewardApproved RewardDecision = "approved"
	RewardRejected RewardDecision = "rejected"
)

// Words lists the decisions there are.
func (RewardDecision) Words() []RewardDecision {
	return []RewardDecision{RewardWaiting, RewardApproved, RewardRejected}
}

// Reward is what a member of an offer has earned by a rule for the nth time. While it is earned and approved it counts:
// cash is in the ledger, goods are a cost of the campaign. A reward that refunds or rejections undo stays, with its
// decision, and counts again when it is earned again.
type Reward struct {
	ID            RewardID
	RuleID        RewardRuleID
	OfferMemberID OfferMemberID
	Nth           int64
	OfferID       OfferID
	CampaignID    CampaignID
	CreatorID     CreatorID
	Kind          RewardKind
	Currency      money.Currency
	Amount        int64 // minor units of Currency; see RewardRule
	Earned        bool
	Decision      RewardDecision
	DecidedBy     string // empty: by rule
	DecidedAt     time.Time
	Reason        string    // of a rejection
	GivenAt       time.Time // when the product was sent, or the code handed over; zero: it was not yet
	GivenBy       string
	Note          string       // such as the number of the parcel
	Code          string       // that was handed over
	ConversionID  ConversionID // that reached the mark; 0: none does any more
	Conversions   int64        // how many there were with it
	Sales         int64        // what they came to
	EarnedAt      time.Time    // when that order was placed
	UndoneAt      time.Time    // since when it is no longer earned; zero while it is
	Revision      int64        // of its ledger entries
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// RewardState is how a reward stands, from what is earned, decided and given.
type RewardState string

const (
	RewardToApprove RewardState = "to_approve" // it is earned, and waits for somebody
	RewardToGive    RewardState = "to_give"    // a product or code that is approved, and not given yet
	RewardGiven     RewardState = "given"      // it was given; cash: it is in the ledger
	RewardDeclined  RewardState = "declined"   // somebody has rejected it
	RewardUndone    RewardState = "undone"     // no longer earned, and never given
	RewardKept      RewardState = "kept"       // no longer earned, but the product or code was given before
)

// Words lists the states there are.
func (RewardState) Words() []RewardState {
	return []RewardState{RewardToApprove, RewardToGive, RewardGiven, RewardDeclined, RewardUndone, RewardKept}
}

// State is how the reward stands.
func (r Reward) State() RewardState {
	switch {
	case !r.Earned && !r.GivenAt.IsZero():
		return RewardKept
	case !r.Earned:
		return RewardUndone
	case r.Decision == RewardRejected:
		return RewardDeclined
	case r.Decision == RewardWaiting:
		return RewardToApprove
	case r.Kind == RewardCash, !r.GivenAt.IsZero():
		return RewardGiven
	}
	return RewardToGive
}

// Counts says whether the reward is owed, or was given: cash is in the ledger, goods are a cost.
func (r Reward) Counts() bool {
	if r.Kind != RewardCash && !r.GivenAt.IsZero() {
		return true // what was sent is gone
	}
	return r.Earned && r.Decision == RewardApproved
}

// Cash is what the ledger is to hold for the reward, in minor units of its currency.
func (r Reward) Cash() int64 {
	if r.Kind != RewardCash || !r.Counts() {
		return 0
	}
	return r.Amount
}
