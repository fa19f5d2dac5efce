package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// MaxDecidedAll bounds how many conversions DecideAll decides about.
const MaxDecidedAll = 20_000

// CodeListChanged is the code of the error of a decision about a list that is no longer what was confirmed.
const CodeListChanged = "list_changed"

// Decidable is what a decision about all conversions of a filter would change.
type Decidable struct {
	Conversions int64
	Sums        []storage.ConversionSum // what they show now
}

// Confirm is a text that is the same as long as the conversions are as many and show the same sums: who has seen them
// gives it to DecideAll.
func (d Decidable) Confirm() string {
	parts := []string{fmt.Sprint(d.Conversions)}
	for _, s := range d.Sums {
		parts = append(parts, fmt.Sprintf("%s:%d:%d:%d", s.Currency, s.Conversions, s.Value, s.Commission))
	}
	return strings.Join(parts, " ")
}

// ToDecide says what a decision about all conversions of a filter would change: to reject concerns those that are not
// rejected, to undo those that are, to release those that are held, and to keep those that are approved, have several
// owned codes on the order and are undecided.
func (a *App) ToDecide(ctx context.Context, f storage.ConversionFilter, d Decision) (Decidable, error) {
	f, some, err := concerned(f, d)
	if err != nil || !some {
		return Decidable{}, err
	}
	return decidable(ctx, a.DB, f)
}

// sumsConversions is a database, or a moment of it.
type sumsConversions interface {
	SumConversions(context.Context, storage.ConversionFilter) ([]storage.ConversionSum, error)
}

// decidable is an error where there are too many conversions to be decided about at once.
func decidable(ctx context.Context, q sumsConversions, f storage.ConversionFilter) (d Decidable, err error) {
	d.Sums, err = q.SumConversions(ctx, f)
	for _, s := range d.Sums {
		d.Conversions += s.Conversions
	}
	if err == nil && d.Conversions > MaxDecidedAll {
		err = affiliate.Errorf(affiliate.Invalid,
			"at most %d conversions can be decided about at once, and these are %d; narrow the list", MaxDecidedAll,
			d.Conversions)
	}
	return d, err
}

// concerned narrows a filter to the conversions that a decision changes; false when there can be none.
func concerned(f storage.ConversionFilter, d Decision) (storage.ConversionFilter, bool, error) {
	if err := d.validate(); err != nil {
		return f, false, err
	}
	of := map[Decision][]affiliate.Approval{Reject: {affiliate.Approved, affiliate.Held}, Undo: {affiliate.Rejected},
		Release: {affiliate.Held}, Keep: {affiliate.Approved}}[d]
	if len(f.Approvals) > 0 {
		of = slices.DeleteFunc(of, func(w affiliate.Approval) bool { return !slices.Contains(f.Approvals, w) })
	}
	f.Approvals = of
	if d == Keep {
		f.Ambiguous, f.Undecided = true, true
	}
	return f, len(of) > 0, nil
}

// DecideAll decides about all conversions of a filter that the decision changes, part by part, and says how many it has
// changed. Where they are no longer what confirmed says, which is the Confirm of ToDecide, it changes nothing: the
// error is a Conflict with the code CodeListChanged. What somebody else decides about meanwhile, or what is no longer
// credited, is left as it is. It goes on when the asker has gone, and may be called again: what is done stays done.
func (a *App) DecideAll(ctx context.Context, f storage.ConversionFilter, d Decision, reason,
	confirmed string) (changed int64, err error) {
	f, some, err := concerned(f, d)
	if err != nil {
		return 0, err
	}
	var ids []affiliate.ConversionID
	err = a.DB.InSnapshot(ctx, func(s *storage.Snapshot) error {
		var now Decidable
		if some {
			if now, err = decidable(ctx, s, f); err != nil {
				return err
			}
		}
		switch {
		case now.Confirm() != confirmed:
			return &affiliate.Error{Kind: affiliate.Conflict, Code: CodeListChanged,
				Message: "the list has changed meanwhile; look at it again, then repeat the decision"}
		case now.Conversions > 0:
			ids, err = s.ConversionIDs(ctx, f, MaxDecidedAll)
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	return a.decideListed(context.WithoutCancel(ctx), ids, f, d, reason)
}

// decideListed decides about listed conversions, part by part, and says how many it has changed. Those that are no
// longer as the filter wants them are left as they are.
func (a *App) decideListed(ctx context.Context, ids []affiliate.ConversionID, f storage.ConversionFilter, d Decision,
	reason string) (changed int64, err error) {
	still := func(c storage.Conversion) (bool, error) {
		return c.Credited && slices.Contains(f.Approvals, c.Approval) && (!f.Ambiguous || c.Ambiguous) &&
			(!f.Undecided || c.ApprovalBy == ""), nil
	}
	for part := range slices.Chunk(ids, MaxDecided) {
		_, n, err := a.decide(ctx, part, d, reason, still)
		if err != nil {
			return changed, err
		}
		changed += n
	}
	return changed, nil
}
