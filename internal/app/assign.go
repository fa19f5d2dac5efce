package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// AssignCode asks for a code that is seen on orders without credit: an offer member becomes its owner and is credited
// with those orders. Without ValidFrom the ownership begins as early as it may: it was always theirs when nobody owned
// the code before, else since it was last free.
type AssignCode struct {
	NewCode
	Preview bool              // do everything and take it back
	After   affiliate.OrderID // go on behind this order; 0: from the first one
	Most    int               // how many orders to look at; 0: all

	own affiliate.CodeID // the interval to credit, which is there; 0: that of NewCode
}

// CodeAssignment is what assigning a code did, or would do. Orders that have the code and yet go to nobody, or to
// somebody else, are left as they are.
type CodeAssignment struct {
	Code        affiliate.Code // without an id when it was only tried
	Applied     bool
	Credited    int
	Held        int             // of the credited: by a rule, until a person releases them
	Ambiguous   int             // of the credited: with codes of several owners, for review
	Totals      []AssignedTotal // by currency
	Orders      []AssignedOrder // the first of the credited
	NotCredited int
	Reasons     []NotAssigned     // of all that are not credited, most frequent first
	Refused     []RefusedOrder    // the first of them
	Next        affiliate.OrderID // ask again with it as After; 0 when all orders were looked at
}

// AssignedTotal sums up the credited orders of one currency that count: paid ones that are not held. Amounts are in its
// minor units.
type AssignedTotal struct {
	Currency   money.Currency
	Orders     int
	Sales      int64
	Commission int64
}

// AssignedOrder is an order with the credit that it got.
type AssignedOrder struct {
	Order      storage.Order
	Conversion storage.Conversion
	Sentence   string
}

// NotAssigned counts the orders that are not credited for one reason.
type NotAssigned struct {
	Reason string
	Orders int
}

// RefusedOrder is an order that has the code but is not credited by it.
type RefusedOrder struct {
	Order    storage.Order
	Reason   string
	Sentence string
}

// assignExamples bounds the orders that an assignment names.
const assignExamples = 50

// AssignCode makes an offer member the owner of a code and credits the orders that wait for it, in transactions of a
// few hundred orders, the first of which makes the code. A run that was cut short is completed by asking again: a code
// that is theirs already is no Conflict. A preview does the same and takes each transaction back. report is called
// behind each with how many orders were looked at; it may be nil.
func (a *App) AssignCode(ctx context.Context, in AssignCode, report func(done int)) (CodeAssignment, error) {
	run := assigning{app: a, in: in, reasons: map[string]int{}, totals: map[money.Currency]*AssignedTotal{}}
	run.result.Applied = !in.Preview
	for {
		batch, err := run.batch(ctx)
		if err != nil {
			return run.result, fmt.Errorf("assign a code: %w", err)
		}
		run.count(batch)
		if report != nil {
			report(run.seen)
		}
		if len(run.waiting) == 0 {
			return run.finish(), nil
		}
		a.letOthersIn(ctx, true)
	}
}

// assigning is one run of AssignCode.
type assigning struct {
	app     *App
	in      AssignCode
	begun   bool
	waiting []storage.Order // keys of those that are still to be looked at
	more    bool            // behind those there are others, which this run leaves
	seen    int
	last    affiliate.OrderID
	reasons map[string]int
	totals  map[money.Currency]*AssignedTotal
	result  CodeAssignment
}

// assignedBatch is what one transaction did.
type assignedBatch struct {
	code     affiliate.Code
	tried    bool // the code is gone again
	looked   []storage.Order
	credited []AssignedOrder
	refused  []RefusedOrder
}

// batch makes the code where it is missing, and credits the next orders, in one transaction.
func (run *assigning) batch(ctx context.Context) (b assignedBatch, err error) {
	waiting, more := run.waiting, run.more
	err = run.app.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		lock := tx.ShareCatalog // a code that is only tried can stand in nobody's way
		if !run.begun && !run.in.Preview {
			lock = tx.LockCatalog
		}
		if err := lock(ctx); err != nil {
			return err
		}
		made := false
		if b.code, made, err = run.ownCode(ctx, tx); err != nil {
			return err
		}
		b.tried = made && run.in.Preview
		if !run.begun { // only now: an order that comes later sees the code
			most := cmp.Or(run.in.Most, math.MaxInt32)
			waiting, err = tx.OrdersCarryingCode(ctx, b.code.StoreID, b.code.Code, run.in.After, most+1)
			if err != nil {
				return err
			}
			if more = len(waiting) > most; more {
				waiting = waiting[:most]
			}
		}
		b.looked = waiting[:min(len(waiting), reattributeBatch)]
		if err := run.credit(ctx, tx, &b); err != nil {
			return err
		}
		if run.in.Preview {
			return errRollBack
		}
		return nil
	})
	if errors.Is(err, errRollBack) {
		err = nil
	}
	if err == nil {
		run.begun, run.waiting, run.more = true, waiting[len(b.looked):], more
	}
	return b, err
}

// ownCode gives the offer member's interval of the code: the one there is, or a new one.
func (run *assigning) ownCode(ctx context.Context, tx *storage.Tx) (code affiliate.Code, made bool, err error) {
	if run.in.own != 0 {
		code, err = tx.Code(ctx, run.in.own)
		return code, false, err
	}
	in := run.in.NewCode
	store, err := tx.Store(ctx, in.Store)
	if err != nil {
		return code, false, asField("store", err)
	}
	if _, err := tx.OfferMember(ctx, in.OfferMember); err != nil {
		return code, false, asField("offer_member", err)
	}
	history, err := tx.CodeHistory(ctx, in.Store, in.Code)
	if err != nil {
		return code, false, err
	}
	owned, occupied := affiliate.Occupant(history, run.app.now())
	theirs := owned.OfferMemberID == in.OfferMember && owned.ValidTo.IsZero() && (in.ValidFrom.IsZero() ||
		in.ValidFrom.Equal(owned.ValidFrom))
	if occupied && theirs {
		return owned, false, nil
	}
	if !occupied && in.ValidFrom.IsZero() && len(history) > 0 {
		// an interval that never began is in nobody's way
		in.ValidFrom = firstTime(affiliate.FreeSince(history), time.Unix(0, 0))
	}
	code, err = run.app.addCode(ctx, tx, in, store)
	return code, true, err
}

// credit decides a batch of orders again and writes those that the code wins. Of the others some may be somebody else's
// by now; to credit those is not what was asked for.
func (run *assigning) credit(ctx context.Context, tx *storage.Tx, b *assignedBatch) error {
	if len(b.looked) == 0 {
		return nil
	}
	settings, zone, err := tx.Account(ctx)
	if err != nil {
		return err
	}
	m := newMerger(tx, run.app, settings, zone, run.app.Now())
	open, err := m.reopen(ctx, b.looked)
	if err != nil {
		return err
	}
	var won []*mergedOrder
	for _, o := range open {
		if w := o.verdict.Winner; w != nil && w.CodeID == b.code.ID {
			o.accept()
			won = append(won, o)
			continue
		}
		reason, sentence := refusedBy(o.verdict.Trace, b.code)
		b.refused = append(b.refused, RefusedOrder{o.row, reason, sentence})
	}
	if len(won) == 0 {
		return nil
	}
	if err := m.write(ctx); err != nil {
		return err
	}
	for _, o := range won {
		b.credited = append(b.credited, AssignedOrder{o.row, *o.conversion, o.verdict.Trace.Sentences()[0]})
	}
	return run.app.audit(ctx, tx, "code.credit_orders", b.code.ID, nil,
		facts{"orders": len(won), "first": won[0].row.ID.String(), "last": won[len(won)-1].row.ID.String()})
}

// refusedBy says why an order is not credited by a code, as a reason and in words.
func refusedBy(t affiliate.Trace, code affiliate.Code) (reason, sentence string) {
	sentences := t.Sentences() // the decision, then each candidate but the winner
	at := 1
	for i, c := range t.Candidates {
		if i == t.Winner {
			continue
		}
		if c.Method == affiliate.ByCode && affiliate.FoldCode(c.Value) == affiliate.FoldCode(code.Code) {
			return cmp.Or(c.Lost, t.Reason), sentences[at]
		}
		at++
	}
	return t.Reason, sentences[0]
}

func (run *assigning) count(b assignedBatch) {
	r := &run.result
	r.Code = b.code
	if b.tried {
		r.Code.ID = 0
	}
	run.seen += len(b.looked)
	if len(b.looked) > 0 {
		run.last = b.looked[len(b.looked)-1].ID
	}
	r.Credited += len(b.credited)
	for _, o := range b.credited {
		c := o.Conversion
		switch c.Class() {
		case affiliate.ClassHeld:
			r.Held++
		case affiliate.ClassConversion:
			t := run.totals[c.Currency]
			if t == nil {
				t = &AssignedTotal{Currency: c.Currency}
				run.totals[c.Currency] = t
			}
			t.Orders, t.Sales, t.Commission = t.Orders+1, t.Sales+c.Value, t.Commission+c.Commission
		}
		if c.Ambiguous {
			r.Ambiguous++
		}
	}
	r.NotCredited += len(b.refused)
	for _, o := range b.refused {
		run.reasons[o.Reason]++
	}
	r.Orders = append(r.Orders, b.credited[:min(len(b.credited), assignExamples-len(r.Orders))]...)
	r.Refused = append(r.Refused, b.refused[:min(len(b.refused), assignExamples-len(r.Refused))]...)
}

func (run *assigning) finish() CodeAssignment {
	r := run.result
	for _, t := range run.totals {
		r.Totals = append(r.Totals, *t)
	}
	slices.SortFunc(r.Totals, func(a, b AssignedTotal) int { return cmp.Compare(a.Currency, b.Currency) })
	for reason, n := range run.reasons {
		r.Reasons = append(r.Reasons, NotAssigned{reason, n})
	}
	slices.SortFunc(r.Reasons, func(a, b NotAssigned) int {
		return cmp.Or(cmp.Compare(b.Orders, a.Orders), cmp.Compare(a.Reason, b.Reason))
	})
	if run.more {
		r.Next = run.last
	}
	return r
}
