package tables

import (
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
)

// RewardState is the state of rewards of a kind as people read it.
func RewardState(s affiliate.RewardState, kind affiliate.RewardKind) string {
	if s == affiliate.RewardGiven && kind == affiliate.RewardCash {
		return "Credited" // it is in the ledger
	}
	return map[affiliate.RewardState]string{affiliate.RewardToApprove: "To approve",
		affiliate.RewardToGive: "To give", affiliate.RewardGiven: "Given", affiliate.RewardDeclined: "Rejected",
		affiliate.RewardUndone: "Taken back", affiliate.RewardKept: "Kept"}[s]
}

// Rewards are what members of offers earned beside their commissions. What counts is owed, or was given: the others
// add up to nothing.
func Rewards() Table[storage.RewardItem] {
	type row = storage.RewardItem
	return Table[row]{
		Title:  "Rewards",
		OnPage: []string{"creator", "offer", "reward", "earned", "decided", "given", "state", "amount"},
		Columns: []Column[row]{
			{Key: "creator", Title: "Creator", Fixed: true, File: "Name",
				Write: func(t *Cells, r *row) { t.Text(r.Creator) }},
			{File: "Handle", Write: func(t *Cells, r *row) { t.Text(r.Handle) }},
			{File: "Campaign", Write: func(t *Cells, r *row) { t.Text(r.Campaign) }},
			{Key: "offer", Title: "Offer", File: "Offer", Write: func(t *Cells, r *row) { t.Text(r.Offer) }},
			{Key: "reward", Title: "Reward", Fixed: true, File: "Rule",
				Write: func(t *Cells, r *row) { t.Text(r.Rule) }},
			{File: "Kind", Write: func(t *Cells, r *row) { t.Text(string(r.Kind)) }},
			{File: "Number", Kind: export.Integer, NoSum: true, Write: func(t *Cells, r *row) { t.Integer(r.Nth) }},
			{Key: "amount", Title: "Amount", Fixed: true, File: "Amount", Kind: export.Amount, NoSum: true,
				Write: func(t *Cells, r *row) { t.Amount(r.Amount, r.Currency) }},
			{File: "Counted", Kind: export.Amount, Write: func(t *Cells, r *row) { t.Amount(counted(r), r.Currency) }},
			{File: "Currency", Write: func(t *Cells, r *row) { t.Text(r.Currency.Code()) }},
			{Key: "state", Title: "State", Fixed: true, File: "State",
				Write: func(t *Cells, r *row) { t.Text(RewardState(r.State(), r.Kind)) }},
			{Key: "earned", Title: "Earned by", File: "Conversions", Kind: export.Integer, NoSum: true,
				Write: func(t *Cells, r *row) { t.Integer(r.Conversions) }},
			{File: "Sales", Kind: export.Amount, NoSum: true,
				Write: func(t *Cells, r *row) { t.Amount(r.Sales, r.Currency) }},
			{File: "Order", Write: func(t *Cells, r *row) { t.Text(r.Order) }},
			{File: "Earned", Kind: export.Moment, Write: func(t *Cells, r *row) { t.Moment(r.EarnedAt) }},
			{File: "Taken Back", Kind: export.Moment, Write: func(t *Cells, r *row) { t.Moment(r.UndoneAt) }},
			{Key: "decided", Title: "Decided by", Extra: true, File: "Decided By",
				Write: func(t *Cells, r *row) { t.Text(r.DecidedBy) }},
			{File: "Decided", Kind: export.Moment, Write: func(t *Cells, r *row) { t.Moment(r.DecidedAt) }},
			{File: "Reason", Write: func(t *Cells, r *row) { t.Text(r.Reason) }},
			{Key: "given", Title: "What was given", Extra: true, File: "Given",
				Write: func(t *Cells, r *row) { t.Text(strings.TrimSpace(r.Product + r.Code)) }},
			{File: "Note", Write: func(t *Cells, r *row) { t.Text(r.Note) }},
			{File: "Given On", Kind: export.Moment, Write: func(t *Cells, r *row) { t.Moment(r.GivenAt) }},
			{File: "Reward ID", Write: func(t *Cells, r *row) { t.Text(r.ID.String()) }},
			{File: "Creator ID", Write: func(t *Cells, r *row) { t.Text(r.CreatorID.String()) }},
		},
	}
}

// counted is the amount of a reward that counts, or nothing.
func counted(r *storage.RewardItem) int64 {
	if r.Counts() {
		return r.Amount
	}
	return 0
}
