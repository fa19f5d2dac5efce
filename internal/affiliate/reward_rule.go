package affiliate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

const (
	// MostRewards is how often one member is rewarded by one rule; what would be earned after that is not. It bounds
	// what a threshold of a cent can do.
	MostRewards = 10_000
	// mostCounted bounds the conversions that a rule asks for.
	mostCounted = 1_000_000
)

// counts says whether a trigger counts conversions, sums says whether it looks at an amount of sales.
func (t RewardTrigger) counts() bool { return t == ByConversions || t == ByEveryConversions }

func (t RewardTrigger) sums() bool {
	return t == BySales || t == ByEverySales || t == ByFirstOrder || t == ByAnyOrder
}

// Validate gives an error that names the field that is wrong: name, kind, trigger, count, threshold, currency, amount,
// product, discount, approval or to.
func (r RewardRule) Validate() error {
	if err := validName("name", r.Name); err != nil {
		return err
	}
	switch {
	case !slices.Contains(Words[RewardKind](), r.Kind):
		return FieldErrorf("kind", "must be %s", WordList[RewardKind]())
	case !slices.Contains(Words[RewardTrigger](), r.Trigger):
		return FieldErrorf("trigger", "must be %s", WordList[RewardTrigger]())
	case !slices.Contains(Words[RewardApproval](), r.Approval):
		return FieldErrorf("approval", "must be %s", WordList[RewardApproval]())
	}
	if _, err := ParseCurrency("currency", string(r.Currency)); err != nil {
		return err
	}
	if err := r.validMark(); err != nil {
		return err
	}
	if err := r.validGift(); err != nil {
		return err
	}
	if !r.ToAt.IsZero() && !r.ToAt.After(r.FromAt) {
		return FieldErrorf("to", "must be after from, or be left out for a rule without an end")
	}
	return nil
}

// validMark checks what is to be reached.
func (r RewardRule) validMark() error {
	switch {
	case r.Trigger.counts() && (r.Count < 1 || r.Count > mostCounted):
		return FieldErrorf("count", "must say how many conversions, between 1 and %d", mostCounted)
	case !r.Trigger.counts() && r.Count != 0:
		return FieldErrorf("count", "goes with %s and %s alone; leave it out", ByConversions, ByEveryConversions)
	case r.Trigger.sums() && (r.Threshold <= 0 || r.Threshold > money.Limit):
		return FieldErrorf("threshold", "must say what sales or an order come to, more than 0")
	case !r.Trigger.sums() && r.Threshold != 0:
		return FieldErrorf("threshold", "goes with sales and orders alone; leave it out")
	}
	return nil
}

// validGift checks what is given.
func (r RewardRule) validGift() error {
	switch {
	case r.Amount < 0 || r.Amount > money.Limit:
		return FieldErrorf("amount", "must not be negative")
	case r.Kind == RewardCash && r.Amount == 0:
		return FieldErrorf("amount", "must be more than 0: it is what is earned")
	case r.Kind == RewardProduct && (strings.TrimSpace(r.Product) == "" || len(r.Product) > MaxName ||
		strings.ContainsFunc(r.Product, isControl)):
		return FieldErrorf("product", "must say what is sent, in 1 to %d characters without line ends", MaxName)
	case r.Kind != RewardProduct && r.Product != "":
		return FieldErrorf("product", "goes with the kind %s alone; leave it out", RewardProduct)
	case r.Kind != RewardCode && !r.Discount.None():
		return FieldErrorf("discount", "goes with the kind %s alone; leave it out", RewardCode)
	case r.Kind == RewardCode && r.Discount.None():
		return FieldErrorf("discount", "must say what the code gives")
	}
	if err := r.Discount.Validate(); err != nil {
		return FieldErrorf("discount", "%v", err)
	}
	return nil
}

// Covers says whether orders placed at a time count.
func (r RewardRule) Covers(placed time.Time) bool {
	return !placed.Before(r.FromAt) && (r.ToAt.IsZero() || placed.Before(r.ToAt)) &&
		(r.EndedAt.IsZero() || placed.Before(r.EndedAt))
}

// Earned gives what a member has earned by the rule for their sales, which may come in any order. Those outside of the
// rule's period do not count. The rewards are numbered from 1 on, without gaps, at most MostRewards.
func (r RewardRule) Earned(sales []RewardSale) []EarnedReward {
	counted := make([]RewardSale, 0, len(sales))
	for _, s := range sales {
		if r.Covers(s.PlacedAt) {
			counted = append(counted, s)
		}
	}
	slices.SortFunc(counted, func(a, b RewardSale) int {
		return cmp.Or(a.PlacedAt.Compare(b.PlacedAt), cmp.Compare(a.Conversion, b.Conversion))
	})
	var earned []EarnedReward
	var sum int64
	for i, s := range counted {
		sum = min(sum, money.Limit*1000) + s.Value // far beyond any threshold, and far from the end of int64
		n := int64(i + 1)
		for due := min(r.reached(n, sum, s.Value), MostRewards); int64(len(earned)) < due; {
			earned = append(earned, EarnedReward{Nth: int64(len(earned) + 1), Conversion: s.Conversion, At: s.PlacedAt,
				Conversions: n, Sales: sum})
		}
	}
	return earned
}

// reached is how many rewards there are to be, at least, with the nth sale: sum is what all up to it come to, value
// what it comes to by itself.
func (r RewardRule) reached(n, sum, value int64) int64 {
	once := func(is bool) int64 {
		if is {
			return 1
		}
		return 0
	}
	switch r.Trigger {
	case ByFirstConversion:
		return 1
	case ByConversions:
		return once(n >= r.Count)
	case ByEveryConversions:
		return n / r.Count
	case BySales:
		return once(sum >= r.Threshold)
	case ByEverySales:
		return sum / r.Threshold
	case ByFirstOrder:
		return once(n == 1 && value >= r.Threshold)
	case ByAnyOrder:
		return once(value >= r.Threshold)
	}
	return 0
}

// Sentence says what is given, and for what: "50.00 EUR for every 10 conversions". Its numbers are marked: see
// money.Marked. Times of a code's discount are those of a zone.
func (r RewardRule) Sentence(zone *time.Location) string { return r.gift(zone) + " for " + r.mark() }

func (r RewardRule) gift(zone *time.Location) string {
	switch r.Kind {
	case RewardCash:
		return markedAmount(r.Amount, r.Currency)
	case RewardProduct:
		return r.Product
	}
	return "a code (" + r.Discount.Sentence(zone) + ")"
}

func (r RewardRule) mark() string {
	amount := markedAmount(r.Threshold, r.Currency)
	switch r.Trigger {
	case ByFirstConversion:
		return "the first conversion"
	case ByConversions:
		return conversionsText(r.Count)
	case ByEveryConversions:
		if r.Count == 1 {
			return "every conversion"
		}
		return "every " + conversionsText(r.Count)
	case BySales:
		return "sales of " + amount
	case ByEverySales:
		return "every " + amount + " of sales"
	case ByFirstOrder:
		return "a first order of at least " + amount
	}
	return "an order of at least " + amount
}

// Why says how a reward was earned; order is the number of the order that reached the mark: "10 conversions with sales
// of 812.50 EUR, reached with order #1041". Its numbers are marked: see money.Marked.
func (r Reward) Why(order string) string {
	had := fmt.Sprintf("%s with sales of %s", conversionsText(r.Conversions), markedAmount(r.Sales, r.Currency))
	if !r.Earned {
		return "no longer earned: it had come to " + had + ", and refunds or rejections have taken some back"
	}
	return had + ", reached with order " + order
}

func conversionsText(n int64) string {
	count, word, _ := strings.Cut(counted(n, "conversion", "conversions"), " ")
	return money.Marked(count) + " " + word
}

// Fresh is a reward of a member by the rule that was not there before. It is not earned until Earn says so.
func (r RewardRule) Fresh(m OfferMember, nth int64, now time.Time) Reward {
	w := Reward{RuleID: r.ID, OfferMemberID: m.ID, Nth: nth, OfferID: m.OfferID, CampaignID: m.CampaignID,
		CreatorID: m.CreatorID, Kind: r.Kind, Currency: r.Currency, Amount: r.Amount, Decision: RewardWaiting,
		CreatedAt: now, UpdatedAt: now}
	if r.Approval == ApprovedByRule {
		w.Decision, w.DecidedAt = RewardApproved, now
	}
	return w
}

// Earn says what the reward is earned by now.
func (r *Reward) Earn(e EarnedReward) {
	r.Earned, r.UndoneAt = true, time.Time{}
	r.ConversionID, r.EarnedAt, r.Conversions, r.Sales = e.Conversion, e.At, e.Conversions, e.Sales
}

// Undo says that the reward is no longer earned. What it was earned by, but for the order, stays to be read.
func (r *Reward) Undo(at time.Time) {
	if r.Earned {
		r.Earned, r.UndoneAt, r.ConversionID = false, at, 0
	}
}

// Decide says what somebody has decided about the reward. It gives an error where that cannot be: what was given is
// gone.
func (r *Reward) Decide(d RewardDecision, by, reason string, at time.Time) error {
	if r.Decision == d && (d != RewardRejected || r.Reason == reason) {
		return nil
	}
	if !r.GivenAt.IsZero() && d != RewardApproved {
		return Errorf(Conflict, "it was given already")
	}
	r.Decision, r.DecidedBy, r.DecidedAt, r.Reason = d, by, at, ""
	switch d {
	case RewardRejected:
		r.Reason = reason
	case RewardWaiting:
		r.DecidedBy, r.DecidedAt = "", time.Time{}
	}
	return nil
}

// Give notes that a product was sent, or a code handed over. What was given may be noted anew, such as with another
// number of the parcel; when it was given stays.
func (r *Reward) Give(code, note, by string, at time.Time) error {
	switch {
	case r.Kind == RewardCash:
		return Errorf(Conflict, "it is cash, which is owed with the commissions; there is nothing to give")
	case r.Kind == RewardCode && code == "":
		return FieldErrorf("code", "must be the code that was handed over")
	case r.Kind != RewardCode && code != "":
		return FieldErrorf("code", "goes with rewards that are codes; leave it out")
	case r.GivenAt.IsZero() && !r.Earned:
		return Errorf(Conflict, "it is no longer earned")
	case r.GivenAt.IsZero() && r.Decision != RewardApproved:
		return Errorf(Conflict, "it is not approved; approve it first")
	case !r.GivenAt.IsZero() && r.Code == code && r.Note == note:
		return nil
	}
	if r.Code, r.Note = code, note; r.GivenAt.IsZero() {
		r.GivenAt, r.GivenBy = at, by
	}
	return nil
}

// Entry gives the ledger entry that is missing where the ledger holds an amount of the reward, and counts its revision
// up; false for none. first is when the first entry is payable, zero without any: a reward has one hold, as a
// conversion has. name is its rule's.
func (r *Reward) Entry(held int64, first time.Time, name, author string, holdDays int,
	now time.Time) (LedgerEntry, bool) {
	difference := r.Cash() - held
	if difference == 0 {
		return LedgerEntry{}, false
	}
	r.Revision++
	payable := now
	switch {
	case first.IsZero():
		payable = now.AddDate(0, 0, holdDays)
	case first.After(now):
		payable = first
	}
	return LedgerEntry{CreatorID: r.CreatorID, CampaignID: r.CampaignID, OfferMemberID: r.OfferMemberID, Kind: Bonus,
		Currency: r.Currency, Amount: difference, RewardID: r.ID, Note: name, Author: author, CreatedAt: now,
		PayableAt: payable}, true
}
