package app

import (
	"context"
	"errors"
	"slices"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// workHere does the items of a store that need no API: orders are credited, codes taken over. Where there is no API,
// what is to be typed into the store's admin is prepared.
func (a *App) workHere(ctx context.Context, store affiliate.Store) error {
	w, err := a.codeWork(ctx, store)
	if err != nil {
		return nil // it is told with the store; when its keys cannot be read, nothing is done by hand either
	}
	if store.State == affiliate.StoreStateEnded {
		return errors.Join(w.each(ctx, false, w.giveUp), w.each(ctx, true, w.giveUp))
	}
	if err := w.each(ctx, false, w.credit); err != nil || w.client != nil {
		return err
	}
	return w.each(ctx, true, w.byHand)
}

// giveUp ends items of a store that was ended.
func (w *codeWork) giveUp(ctx context.Context, items []affiliate.CodeItem) error {
	_, err := w.commit(ctx, items, func(_ context.Context, _ *storage.Tx, item *affiliate.CodeItem, _ int) error {
		item.State, item.Trouble = affiliate.ItemFailed, "The store was ended."
		return nil
	})
	return err
}

// each does the open items of the store, some at a time.
func (w *codeWork) each(ctx context.Context, asking bool,
	do func(context.Context, []affiliate.CodeItem) error) error {
	for ctx.Err() == nil {
		items, err := w.app.DB.OpenCodeItems(ctx, w.store.ID, asking, jobPage)
		if err != nil || len(items) == 0 {
			return err
		}
		if err := do(ctx, items); err != nil {
			return err
		}
		w.app.touched([]affiliate.StoreID{w.store.ID})
		w.app.letOthersIn(ctx, true)
	}
	return ctx.Err()
}

// credit gives codes to members, with the orders that carry them: each in transactions of its own.
func (w *codeWork) credit(ctx context.Context, items []affiliate.CodeItem) error {
	for _, item := range items {
		run, err := w.run(ctx, item)
		if err != nil {
			return err
		}
		in := AssignCode{NewCode: NewCode{OfferMember: item.OfferMemberID, Store: w.store.ID, Code: item.Code}}
		if item.Step == affiliate.StepCredit {
			in.own = item.NewID // it may have been ended by now, and stays so
		}
		done, failed := w.app.AssignCode(forRun(ctx, run), in, nil)
		if failed != nil && !refusable(failed) {
			return failed
		}
		_, err = w.commit(ctx, []affiliate.CodeItem{item}, func(ctx context.Context, tx *storage.Tx,
			item *affiliate.CodeItem, _ int) error {
			if item.Trouble = ""; failed != nil {
				item.State, item.Trouble = affiliate.ItemFailed, clipNote(sentenceOf(failed))
				return nil
			}
			item.Orders, item.NewID = int64(done.Credited), done.Code.ID
			if item.Step == affiliate.StepOwn {
				if err := w.takenOver(ctx, tx, *item); err != nil {
					return err
				}
			}
			return w.forward(ctx, item, false)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// takenOver holds what a code that was taken over gives in the store to be what it is to give.
func (w *codeWork) takenOver(ctx context.Context, tx *storage.Tx, item affiliate.CodeItem) error {
	rows, err := tx.Coupons(ctx, w.store.ID, []string{item.Folded})
	if err != nil || len(rows) == 0 {
		return err
	}
	row := rows[0]
	row.Give(row.InStore().Discount)
	row.Halted, row.Accepted = false, ""
	return tx.SaveCoupons(ctx, []storage.Coupon{row})
}

// byHand prepares what is to be typed into the store's admin: a code that is made belongs to its member from now on.
func (w *codeWork) byHand(ctx context.Context, items []affiliate.CodeItem) error {
	_, err := w.commit(ctx, items, func(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem, _ int) error {
		run, err := w.run(ctx, *item)
		if err != nil {
			return err
		}
		asked := item.State == affiliate.ItemAsked
		if item.Step == affiliate.StepMake {
			err = w.ask(ctx, tx, item, 0)
		} else {
			err = w.askChange(ctx, tx, item, 0)
		}
		if err != nil || item.State != affiliate.ItemAsked {
			return err
		}
		item.State, item.Trouble = affiliate.ItemByHand, w.why
		if asked {
			item.Trouble = "The store was asked for it before its API was disconnected, and may have done it: look " +
				"there first."
		}
		if item.Step == affiliate.StepMake {
			if err := w.handed(ctx, tx, item, run); err != nil || item.State != affiliate.ItemByHand {
				return err
			}
		}
		w.app.endsAt(item, run)
		return nil
	})
	return err
}

// handed makes an item's member the owner of a code that somebody is to type.
func (w *codeWork) handed(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem, run affiliate.CodeRun) error {
	discount, err := w.gift(run)
	if err != nil {
		return err
	}
	history, err := tx.CodeHistory(ctx, w.store.ID, item.Code)
	if err != nil {
		return err
	}
	code, err := w.own(ctx, tx, *item, affiliate.FreeSince(history))
	if refusable(err) {
		item.State, item.Trouble = affiliate.ItemFailed, clipNote(sentenceOf(err))
		return nil
	}
	if err != nil {
		return err
	}
	item.NewID = code.ID
	row := storage.Coupon{StoreID: w.store.ID, Folded: item.Folded, Code: item.Code}
	known, err := tx.Coupons(ctx, w.store.ID, []string{item.Folded})
	if err != nil {
		return err
	}
	if len(known) > 0 {
		row = known[0]
	}
	row.Give(discount)
	row.Halted, row.Accepted = false, ""
	return tx.SaveCoupons(ctx, []storage.Coupon{row})
}

// typed books what somebody says to have done in the store's admin.
func (a *App) typed(ctx context.Context, tx *storage.Tx, run affiliate.CodeRun, item *affiliate.CodeItem) error {
	item.State, item.Trouble, item.At = affiliate.ItemDone, "", a.now()
	oldCode := item.Code
	if item.OldCodeID != 0 {
		code, err := tx.Code(ctx, item.OldCodeID)
		if err != nil {
			return err
		}
		oldCode = code.Code
	}
	old := affiliate.FoldCode(oldCode)
	store, err := tx.Store(ctx, item.StoreID)
	if err != nil {
		return err
	}
	rows, err := tx.Coupons(ctx, item.StoreID, slices.Compact([]string{old, item.Folded}))
	if err != nil {
		return err
	}
	note := func(code string, change func(*storage.Coupon)) error {
		folded := affiliate.FoldCode(code)
		row := storage.Coupon{StoreID: item.StoreID, Folded: folded, Code: code}
		if i := slices.IndexFunc(rows, func(r storage.Coupon) bool { return r.Folded == folded }); i >= 0 {
			row = rows[i]
		}
		change(&row)
		return tx.SaveCoupons(ctx, []storage.Coupon{row})
	}
	if run.Action.Makes() {
		if err := note(item.Code, func(c *storage.Coupon) { c.ByHand = byHandMade }); err != nil {
			return err
		}
	}
	if run.Action != affiliate.CodeMake {
		step := couponStep(run.Action)
		if err := note(oldCode, func(c *storage.Coupon) {
			c.ByHand = step
			switch step {
			case affiliate.CouponStop:
				c.Halted = true
			case affiliate.CouponStart:
				c.Halted = false
			case affiliate.CouponDiscount:
				w := &codeWork{app: a, store: store}
				if given, err := w.gift(run); err == nil {
					c.Give(given)
				}
			}
		}); err != nil {
			return err
		}
	}
	if run.Action == affiliate.CodeEnd || run.Action == affiliate.CodeRefresh {
		if err := a.endOwnership(ctx, tx, item.OldCodeID, item.EndsAt); err != nil { // zero: now
			return err
		}
	}
	subject := item.OldCodeID
	if subject == 0 {
		subject = item.NewID
	}
	return a.audit(ctx, tx, "code.typed", subject, nil, facts{"action": string(run.Action), "code": item.Code})
}

// byHandMade says that somebody typed the code itself.
const byHandMade affiliate.CouponStep = "make"

// TypedItems says what is to be typed for items that are done by hand, as they are listed.
func (a *App) TypedItems(ctx context.Context, run affiliate.CodeRun, items []storage.CodeItemRow) ([]TypedItem, error) {
	owners := make([]affiliate.OfferMemberID, len(items))
	for i, item := range items {
		owners[i] = item.OfferMemberID
	}
	names, err := a.DB.OwnerNames(ctx, owners)
	if err != nil {
		return nil, err
	}
	list := make([]TypedItem, 0, len(items))
	works := map[affiliate.StoreID]*codeWork{}
	for _, item := range items {
		w := works[item.StoreID]
		if w == nil {
			store, err := a.DB.Store(ctx, item.StoreID)
			if err != nil {
				return nil, err
			}
			w = &codeWork{app: a, store: store, runs: map[affiliate.CodeRunID]affiliate.CodeRun{run.ID: run}}
			works[item.StoreID] = w
		}
		guide := a.Platforms.Guide(w.store.Platform).Coupons
		typed := TypedItem{CodeItemRow: item, StoreName: w.store.Name, Platform: w.store.Platform, Menu: guide.Menu}
		if run.Discount != "" && guide.Typed != nil {
			c, err := w.coupon(ctx, item.CodeItem, names[item.OfferMemberID])
			if err != nil && !refusable(err) {
				return nil, err
			}
			if err == nil {
				typed.Fields = guide.Typed(c)
			}
		}
		switch couponStep(run.Action) {
		case affiliate.CouponStop:
			if run.Action != affiliate.CodeMake {
				typed.Sentence = guide.Stop
			}
		case affiliate.CouponStart:
			typed.Sentence = guide.Start
		}
		list = append(list, typed)
	}
	return list, nil
}
