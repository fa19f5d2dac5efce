package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

func asError(err error, e **affiliate.Error) bool { return errors.As(err, e) }

// codeItem gives one item with its run.
func codeItem(ctx context.Context, tx *storage.Tx, id affiliate.CodeItemID) (item affiliate.CodeItem,
	run affiliate.CodeRun, err error) {
	list, err := tx.HoldCodeItems(ctx, []affiliate.CodeItemID{id})
	if err == nil && len(list) == 0 {
		err = affiliate.NoSuch(id)
	}
	if err != nil {
		return item, run, err
	}
	run, err = tx.HoldCodeRun(ctx, list[0].RunID)
	return list[0], run, err
}

// SetDraftItem has an item of a draft make another code, or, with an empty one, takes it out of the draft; taken out, a
// code puts it back.
func (a *App) SetDraftItem(ctx context.Context, id affiliate.CodeItemID,
	code string) (item affiliate.CodeItem, err error) {
	err = a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		var run affiliate.CodeRun
		if item, run, err = codeItem(ctx, tx, id); err != nil {
			return err
		}
		if run.State != affiliate.RunDraft {
			return affiliate.ForPeople(affiliate.Errorf(affiliate.Conflict, "%s was started", run.ID),
				"it was started by now")
		}
		item.At = a.now()
		if code = affiliate.Clean(code); code == "" && item.State == affiliate.ItemSkipped {
			return nil
		}
		if code == "" {
			item.State = affiliate.ItemCanceled
			return tx.SaveDraftItems(ctx, []affiliate.CodeItem{item})
		}
		if item.State == affiliate.ItemSkipped {
			return affiliate.Errorf(affiliate.Conflict, "there is nothing to do for this code: %s", item.Trouble)
		}
		if item.Step != affiliate.StepMake {
			if affiliate.FoldCode(code) != item.Folded {
				return affiliate.FieldErrorf("code", "can be chosen for codes that are made only")
			}
			item.State = affiliate.ItemWaiting
			return tx.SaveDraftItems(ctx, []affiliate.CodeItem{item})
		}
		if err := a.freeCode(ctx, tx, item, code); err != nil {
			return err
		}
		item.State, item.Trouble, item.Tries = affiliate.ItemWaiting, "", 0
		item.Base, item.Code, item.Folded = code, code, affiliate.FoldCode(code)
		return tx.SaveDraftItems(ctx, []affiliate.CodeItem{item})
	})
	return item, err
}

// freeCode refuses a code that cannot be made for an item.
func (a *App) freeCode(ctx context.Context, tx *storage.Tx, item affiliate.CodeItem, code string) error {
	if err := affiliate.ValidateTypedCode(code); err != nil {
		return err
	}
	folded := affiliate.FoldCode(code)
	if folded == item.Folded && item.State != affiliate.ItemFailed {
		return nil
	}
	store, err := tx.Store(ctx, item.StoreID)
	if err != nil {
		return err
	}
	taken, err := a.takenCodes(ctx, tx, []affiliate.Store{store}, []string{folded}, nil)
	if err == nil && taken[folded] {
		err = affiliate.ConflictErrorf("code", "%s is taken in this store; choose another", affiliate.Shown(code))
	}
	if err != nil {
		return err
	}
	twice, err := tx.DraftHasCode(ctx, item, folded)
	if err == nil && twice {
		err = affiliate.ConflictErrorf("code", "%s is made for somebody else already; choose another",
			affiliate.Shown(code))
	}
	return err
}

// StartCodeRun starts a draft. One that was started is given as it is.
func (a *App) StartCodeRun(ctx context.Context, id affiliate.CodeRunID) (run affiliate.CodeRun, err error) {
	err = a.changeCatalog(ctx, func(tx *storage.Tx) (err error) {
		if run, err = tx.HoldCodeRun(ctx, id); err != nil || run.State != affiliate.RunDraft {
			return err
		}
		counts, err := tx.CodeItemCounts(ctx, []affiliate.CodeRunID{id})
		if err != nil {
			return err
		}
		if counts[id][affiliate.ItemWaiting] == 0 {
			return affiliate.Errorf(affiliate.Conflict, "there is nothing to do: no code is left in it")
		}
		run.State, run.Actor = affiliate.RunWaiting, actor(ctx)
		if !run.At.After(a.now()) {
			if err := a.beginRun(ctx, tx, &run); err != nil {
				return err
			}
		}
		if err := tx.SaveCodeRun(ctx, run); err != nil {
			return err
		}
		return a.audit(ctx, tx, "code_run.start", run.ID, nil, runFacts(run, counts[id][affiliate.ItemWaiting]))
	})
	if err == nil {
		a.runTouched(ctx, id)
	}
	return run, err
}

func runFacts(r affiliate.CodeRun, codes int64) facts {
	f := facts{"action": string(r.Action), "codes": codes}
	if r.OfferID != 0 {
		f["offer"] = r.OfferID.String()
	}
	if r.Pattern != "" {
		f["pattern"] = r.Pattern
	}
	if r.OverlapDays > 0 {
		f["overlap_days"] = r.OverlapDays
	}
	if !r.At.IsZero() {
		f["at"] = auditTime(r.At)
	}
	if r.Discount != "" {
		f["discount"] = r.Discount
	}
	return f
}

// beginRun sets a run going whose time has come.
func (a *App) beginRun(ctx context.Context, tx *storage.Tx, run *affiliate.CodeRun) error {
	run.State, run.StartedAt = affiliate.RunRunning, a.now()
	if run.Offered {
		discount, err := affiliate.ParseOfferDiscount(run.Discount)
		if err != nil {
			return err
		}
		_, err = a.amendOffer(ctx, tx, run.OfferID, AnyVersion, "change", func(o *affiliate.Offer) error {
			o.Discount = discount
			return nil
		})
		if err != nil {
			return err
		}
	}
	return tx.BeginCodeItems(ctx, run.ID)
}

// runTouched has pages follow that show a run.
func (a *App) runTouched(ctx context.Context, id affiliate.CodeRunID) {
	stores, err := a.DB.StoresOfRun(ctx, id)
	if err != nil {
		return // they follow with the next change
	}
	for _, s := range stores {
		a.rests.woken(s)
	}
	a.touched(stores)
}

// CancelCodeRun ends a run: what was not begun is not done. Items whose outcome is not known yet are asked about to the
// end. A run that has ended is given as it is; of a draft nothing is kept.
func (a *App) CancelCodeRun(ctx context.Context, id affiliate.CodeRunID) (run affiliate.CodeRun, err error) {
	err = a.changeCatalog(ctx, func(tx *storage.Tx) (err error) {
		if run, err = tx.HoldCodeRun(ctx, id); err != nil || run.State == affiliate.RunDone ||
			run.State == affiliate.RunCanceled {
			return err
		}
		if run.State == affiliate.RunDraft { // nothing was done that somebody may want to read about
			run.State, run.EndedAt = affiliate.RunCanceled, a.now()
			return tx.DropCodeRun(ctx, id)
		}
		n, err := tx.SetCodeItems(ctx, id, []affiliate.CodeItemState{affiliate.ItemWaiting, affiliate.ItemByHand},
			affiliate.ItemCanceled, a.now())
		if err != nil {
			return err
		}
		run.State, run.EndedAt = affiliate.RunCanceled, a.now()
		if err := tx.SaveCodeRun(ctx, run); err != nil {
			return err
		}
		return a.audit(ctx, tx, "code_run.cancel", run.ID, nil, facts{"codes": n})
	})
	if err == nil {
		a.runTouched(ctx, id)
	}
	return run, err
}

// RetryCodeRun has the items go on that failed, but for those that no code could be chosen for. Conflict when there are
// none, or the run was canceled.
func (a *App) RetryCodeRun(ctx context.Context, id affiliate.CodeRunID) (run affiliate.CodeRun, err error) {
	err = a.changeCatalog(ctx, func(tx *storage.Tx) (err error) {
		if run, err = tx.HoldCodeRun(ctx, id); err != nil {
			return err
		}
		if run.State != affiliate.RunRunning && run.State != affiliate.RunDone {
			return affiliate.Errorf(affiliate.Conflict, "nothing of it can be tried again: it is %s", run.State)
		}
		n, err := tx.SetCodeItems(ctx, id, []affiliate.CodeItemState{affiliate.ItemFailed}, affiliate.ItemWaiting,
			a.now())
		if err != nil {
			return err
		}
		if n == 0 {
			return affiliate.Errorf(affiliate.Conflict, "nothing of it has failed that can be tried again")
		}
		run.State, run.EndedAt = affiliate.RunRunning, time.Time{}
		if err := tx.SaveCodeRun(ctx, run); err != nil {
			return err
		}
		return a.audit(ctx, tx, "code_run.retry", run.ID, nil, facts{"codes": n})
	})
	if err == nil {
		a.runTouched(ctx, id)
	}
	return run, err
}

// DoneByHand notes that somebody did in the stores' admins what items of a run ask for; without ids, all of them. It
// says how many there were.
func (a *App) DoneByHand(ctx context.Context, id affiliate.CodeRunID, items []affiliate.CodeItemID) (n int, err error) {
	if len(items) == 0 {
		rows, err := storage.All(func(p storage.Page) ([]storage.CodeItemRow, string, error) {
			return a.DB.CodeItemPage(ctx, storage.CodeItemFilter{Run: id,
				States: []affiliate.CodeItemState{affiliate.ItemByHand}}, p)
		})
		if err != nil {
			return 0, err
		}
		for _, r := range rows {
			items = append(items, r.ID)
		}
	}
	for part := range slices.Chunk(items, jobPage) {
		done, err := a.doneByHand(ctx, id, part)
		if err != nil {
			return n, err
		}
		n += done
	}
	if n > 0 {
		a.runTouched(ctx, id)
	}
	return n, a.endRuns(ctx)
}

func (a *App) doneByHand(ctx context.Context, id affiliate.CodeRunID, ids []affiliate.CodeItemID) (n int, err error) {
	err = a.changeCatalog(ctx, func(tx *storage.Tx) error {
		run, err := tx.HoldCodeRun(ctx, id)
		if err != nil {
			return err
		}
		items, err := tx.HoldCodeItems(ctx, ids)
		if err != nil {
			return err
		}
		n = 0
		for _, item := range items {
			if item.RunID != id || item.State != affiliate.ItemByHand {
				continue
			}
			if err := a.typed(ctx, tx, run, &item); err != nil {
				return err
			}
			if err := tx.SaveCodeItems(ctx, []affiliate.CodeItem{item}); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// WorkCodeRuns does one round of what code runs need no store's API for: it begins those whose time has come, gives
// codes that are taken over to their members, prepares what people are to type, and ends runs that are through.
func (a *App) WorkCodeRuns(ctx context.Context) error {
	if err := a.beginRuns(ctx); err != nil {
		return err
	}
	stores, err := a.DB.OpenItemStores(ctx)
	if err != nil {
		return err
	}
	var failed error // of one store, which holds up no other
	for _, id := range stores {
		store, err := a.DB.Store(ctx, id)
		if err != nil {
			return err
		}
		failed = errors.Join(failed, a.workHere(ctx, store))
	}
	if _, err := a.DB.DropCodeDrafts(ctx, a.now().Add(-CodeDraftsKept), draftsAtOnce); err != nil {
		return err
	}
	return errors.Join(failed, a.endRuns(ctx))
}

// draftsAtOnce is how many drafts are forgotten at once.
const draftsAtOnce = 10

// beginRuns begins the runs whose time has come, one transaction for each.
func (a *App) beginRuns(ctx context.Context) error {
	open, err := a.DB.OpenCodeRuns(ctx)
	if err != nil {
		return err
	}
	for _, r := range open {
		if r.State != affiliate.RunWaiting || r.At.After(a.now()) {
			continue
		}
		err := a.changeCatalog(forRun(ctx, r), func(tx *storage.Tx) error {
			run, err := tx.HoldCodeRun(ctx, r.ID)
			if err != nil || run.State != affiliate.RunWaiting {
				return err
			}
			if err := a.beginRun(forRun(ctx, r), tx, &run); err != nil {
				return err
			}
			return tx.SaveCodeRun(ctx, run)
		})
		if err != nil {
			return err
		}
		a.runTouched(ctx, r.ID)
	}
	return nil
}

// endRuns ends the runs that are through.
func (a *App) endRuns(ctx context.Context) error {
	idle, err := a.DB.IdleCodeRuns(ctx)
	if err != nil {
		return err
	}
	for _, id := range idle {
		err := a.DB.InTx(ctx, func(tx *storage.Tx) error {
			run, err := tx.HoldCodeRun(ctx, id)
			if err != nil || run.State != affiliate.RunRunning {
				return err
			}
			idle, err := tx.IdleCodeRuns(ctx)
			if err != nil || !slices.Contains(idle, id) {
				return err // some of it is tried again by now
			}
			run.State, run.EndedAt = affiliate.RunDone, a.now()
			return tx.SaveCodeRun(ctx, run)
		})
		if err != nil {
			return err
		}
		a.runTouched(ctx, id)
	}
	return nil
}

// ProveCodes ends items that wait for somebody to type a code once an order has come with it.
func (a *App) ProveCodes(ctx context.Context) error {
	items, err := a.DB.ProvedCodeItems(ctx, jobPage)
	if err != nil || len(items) == 0 {
		return err
	}
	for _, item := range items {
		run, err := a.DB.CodeRun(ctx, item.RunID)
		if err != nil {
			return err
		}
		if _, err := a.doneByHand(forRun(ctx, run), run.ID, []affiliate.CodeItemID{item.ID}); err != nil {
			return err
		}
		a.runTouched(ctx, run.ID)
	}
	return nil
}
