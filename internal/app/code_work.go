package app

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// fewItems is how many codes somebody waits for: of more, half of the store's budget is left to others.
const fewItems = 100

// couponClient gives the client by which codes are made and changed in a store. Without one why is the reason, as a
// sentence with its remedy: what is to be done there is done by hand.
func (a *App) couponClient(ctx context.Context, store affiliate.Store) (client CouponClient, why string, err error) {
	access, err := a.DB.StoreAccess(ctx, store.ID)
	guide := a.Platforms.Guide(store.Platform)
	switch {
	case affiliate.KindOf(err) == affiliate.NotFound:
		return nil, "The store's API is not connected: connect it on the store's page.", nil
	case err != nil:
		return nil, "", err
	case guide.Access != nil:
		for _, need := range guide.Access.CodeNeeds {
			if slices.Contains(strings.Fields(access.Missing), need) {
				return nil, "The store's keys may not make codes: allow them " + need + " and connect the store again.",
					nil
			}
		}
	}
	one, err := a.clientOf(store, access)
	if err != nil {
		return nil, "", a.asked(ctx, store.ID, err)
	}
	client, ok := one.(CouponClient)
	if !ok {
		return nil, "Codes of " + guide.Name + " stores cannot be made from here.", nil
	}
	return client, "", nil
}

// forRun is for what is done on behalf of whoever started a run.
func forRun(ctx context.Context, run affiliate.CodeRun) context.Context {
	return As(ctx, affiliate.Principal{Name: run.Actor})
}

// codeWork does the items of a store.
type codeWork struct {
	app    *App
	store  affiliate.Store
	client CouponClient // nil: by hand
	why    string
	runs   map[affiliate.CodeRunID]affiliate.CodeRun
}

func (a *App) codeWork(ctx context.Context, store affiliate.Store) (*codeWork, error) {
	client, why, err := a.couponClient(ctx, store)
	return &codeWork{app: a, store: store, client: client, why: why,
		runs: map[affiliate.CodeRunID]affiliate.CodeRun{}}, err
}

// run gives the run of an item.
func (w *codeWork) run(ctx context.Context, item affiliate.CodeItem) (affiliate.CodeRun, error) {
	run, ok := w.runs[item.RunID]
	if ok {
		return run, nil
	}
	run, err := w.app.DB.CodeRun(ctx, item.RunID)
	if err == nil {
		w.runs[item.RunID] = run
	}
	return run, err
}

// itemsDue says whether codes are to be made or changed in a store.
func (a *App) itemsDue(s storage.AskedStore) bool {
	return s.Connected && s.Items && !a.rests.resting(s.StoreID, a.now())
}

// workItems makes and changes the codes of a store that runs ask for, group by group, until none is left or others are
// to have their turn.
func (a *App) workItems(ctx context.Context, s storage.AskedStore) error {
	if !a.itemsDue(s) {
		return nil
	}
	store, err := a.DB.Store(ctx, s.StoreID)
	if err != nil {
		return err
	}
	w, err := a.codeWork(ctx, store)
	if err != nil || w.client == nil {
		return err
	}
	for ctx.Err() == nil {
		items, err := a.DB.OpenCodeItems(ctx, store.ID, true, fewItems+1)
		if err != nil || len(items) == 0 {
			return err
		}
		asking := ctx
		if len(items) <= fewItems {
			asking = affiliate.InForeground(ctx)
		}
		err = w.group(asking, items)
		a.touched([]affiliate.StoreID{store.ID})
		if err != nil {
			if ctx.Err() == nil {
				a.rests.rest(store.ID, a.now())
			}
			return err
		}
		a.rests.woken(store.ID)
		if turnOver(ctx) {
			return nil
		}
	}
	return ctx.Err()
}

// group does the first of some items, with those that go with it in one request.
func (w *codeWork) group(ctx context.Context, items []affiliate.CodeItem) error {
	first, err := w.run(ctx, items[0])
	if err != nil {
		return err
	}
	var same []affiliate.CodeItem
	for _, item := range items {
		run, err := w.run(ctx, item)
		if err != nil {
			return err
		}
		if len(same) == w.client.CouponsAtOnce() {
			break
		}
		alike := item.Step == items[0].Step && item.State == items[0].State && run.Action == first.Action
		twice := slices.ContainsFunc(same, func(i affiliate.CodeItem) bool { return i.Folded == item.Folded })
		if alike && !twice {
			same = append(same, item)
		}
	}
	switch {
	case items[0].Step == affiliate.StepChange:
		return w.change(ctx, same, first.Action)
	case items[0].State == affiliate.ItemAsked:
		return w.lookFor(ctx, same)
	}
	return w.make(ctx, same)
}

// itemsAtOnce is how many items are changed in one transaction: each takes a dozen statements, and deliveries wait.
const itemsAtOnce = 20

// commit changes items that are as they were read, in transactions that are alone in changing the catalog. Those that
// others have changed meanwhile are left out. each may change its item, the at-th of all; what it changes besides is
// kept with it. With an error, items of earlier transactions are changed.
func (w *codeWork) commit(ctx context.Context, items []affiliate.CodeItem,
	each func(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem, at int) error) (kept []affiliate.CodeItem,
	err error) {
	for from := 0; from < len(items); from += itemsAtOnce {
		part, err := w.commitPart(ctx, items[from:min(len(items), from+itemsAtOnce)], from, each)
		if err != nil {
			return kept, err
		}
		kept = append(kept, part...)
		w.app.letOthersIn(ctx, from+itemsAtOnce < len(items))
	}
	return kept, nil
}

// commitPart is commit of some items, the first of which is the from-th of all.
func (w *codeWork) commitPart(ctx context.Context, items []affiliate.CodeItem, from int,
	each func(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem, at int) error) ([]affiliate.CodeItem,
	error) {
	for _, item := range items { // not while others wait for the catalog
		if _, err := w.run(ctx, item); err != nil {
			return nil, err
		}
	}
	var kept []affiliate.CodeItem
	err := w.app.changeCatalog(storage.ForWork(ctx), func(tx *storage.Tx) error {
		kept = kept[:0]
		ids := make([]affiliate.CodeItemID, len(items))
		for i, item := range items {
			ids[i] = item.ID
		}
		now, err := tx.HoldCodeItems(ctx, ids)
		if err != nil {
			return err
		}
		for i, item := range items {
			at := slices.IndexFunc(now, func(n affiliate.CodeItem) bool { return n.ID == item.ID })
			if at < 0 || now[at].State != item.State || now[at].Step != item.Step {
				continue
			}
			run, err := w.run(ctx, item)
			if err != nil {
				return err
			}
			changed := now[at]
			changed.At = w.app.now()
			if err := each(forRun(ctx, run), tx, &changed, from+i); err != nil {
				return err
			}
			if err := w.canceled(ctx, tx, &changed); err != nil {
				return err
			}
			kept = append(kept, changed)
		}
		return tx.SaveCodeItems(ctx, kept)
	})
	return kept, err
}

// canceled ends an item that would go on, where its run was canceled.
func (w *codeWork) canceled(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem) error {
	if item.State != affiliate.ItemWaiting && item.State != affiliate.ItemByHand {
		return nil
	}
	run, err := tx.CodeRun(ctx, item.RunID)
	if err != nil || run.State != affiliate.RunCanceled {
		return err
	}
	if item.State = affiliate.ItemCanceled; item.NewID != 0 {
		item.State = affiliate.ItemDone
		item.Trouble = "The run was canceled after the code was made; what was to follow was left."
	}
	return nil
}

// told notes on items why they do not go on, and gives the error back.
func (w *codeWork) told(ctx context.Context, items []affiliate.CodeItem, why error) error {
	_, sentence := storeTrouble(why)
	if sentence == "" || ctx.Err() != nil {
		return why
	}
	_, err := w.commit(ctx, items, func(_ context.Context, _ *storage.Tx, item *affiliate.CodeItem, _ int) error {
		item.Trouble = clipNote(sentence)
		return nil
	})
	return errors.Join(why, err)
}

// make asks the store for the codes of items, whose every code is written down first.
func (w *codeWork) make(ctx context.Context, items []affiliate.CodeItem) error {
	asked, err := w.commit(ctx, items, w.ask)
	if err != nil {
		return err
	}
	asked = slices.DeleteFunc(asked, func(i affiliate.CodeItem) bool { return i.State != affiliate.ItemAsked })
	if len(asked) == 0 {
		return nil
	}
	list, err := w.newCoupons(ctx, asked)
	if err != nil {
		return err
	}
	outcomes, err := w.client.MakeCoupons(ctx, list)
	if w.app.asked(ctx, w.store.ID, err) != nil {
		return w.told(ctx, asked, err)
	}
	// A code that is taken may be ours all the same: of a request that was sent twice on its way.
	var doubtful []string
	for i, o := range outcomes {
		if couponCode(o.Err) == affiliate.CouponTaken {
			doubtful = append(doubtful, list[i].Code)
		}
	}
	if err := w.recognize(ctx, doubtful, asked, outcomes); err != nil {
		return w.told(ctx, asked, err)
	}
	_, err = w.commit(ctx, asked, func(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem, at int) error {
		return w.made(ctx, tx, item, list[at].Discount, outcomes[at])
	})
	return err
}

// recognize puts right the outcomes of codes that are taken by what we made.
func (w *codeWork) recognize(ctx context.Context, codes []string, items []affiliate.CodeItem,
	outcomes []affiliate.CouponOutcome) error {
	if len(codes) == 0 {
		return nil
	}
	found, err := w.client.CouponsByCode(ctx, codes)
	if w.app.asked(ctx, w.store.ID, err) != nil {
		return err
	}
	for _, c := range found {
		for i, item := range items {
			if item.Folded == affiliate.FoldCode(c.Code) && item.Mark == c.Mark {
				outcomes[i] = affiliate.CouponOutcome{Coupon: c}
			}
		}
	}
	return nil
}

// ask settles which code an item makes, and notes that the store is asked for it. An item that there is nothing left to
// do for is skipped.
func (w *codeWork) ask(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem, _ int) error {
	again := item.State == affiliate.ItemAsked
	item.State, item.Trouble = affiliate.ItemAsked, ""
	run, err := w.run(ctx, *item)
	if err != nil {
		return err
	}
	if why, err := w.needless(ctx, tx, *item, run); err != nil || why != "" {
		item.State, item.Trouble = affiliate.ItemSkipped, why
		return err
	}
	if _, err := w.gift(run); err != nil {
		item.State, item.Trouble = affiliate.ItemFailed, sentenceOf(err)
		return nil
	}
	if again {
		return nil // it may have been made: another one would be its second
	}
	for {
		taken, err := w.isTaken(ctx, tx, *item)
		if err != nil || !taken || !w.next(item) {
			return err
		}
	}
}

// isTaken says whether the code of an item is taken, as far as is known here. Of several items that are to make the
// same one the first has it. What the store has with the item's own mark was made by a request whose answer is lost.
func (w *codeWork) isTaken(ctx context.Context, tx *storage.Tx, item affiliate.CodeItem) (bool, error) {
	made, err := tx.Coupons(ctx, w.store.ID, []string{item.Folded})
	if err != nil {
		return false, err
	}
	if len(made) > 0 && made[0].Known() && made[0].Mark == item.Mark {
		owned, err := tx.OwnedCodes(ctx, w.store.ID, []string{item.Folded})
		return len(owned) > 0, err
	}
	taken, err := w.app.takenCodes(ctx, exceptItems{tx}, []affiliate.Store{w.store}, []string{item.Folded}, nil)
	if err != nil || taken[item.Folded] {
		return true, err
	}
	others, err := tx.CodesUnderWay(ctx, w.store.ID, []string{item.Folded})
	return slices.ContainsFunc(others, func(o affiliate.CodeItem) bool {
		return o.ID < item.ID || o.ID != item.ID && o.State == affiliate.ItemAsked
	}), err
}

// exceptItems reads which codes are taken but for those that runs are about to make.
type exceptItems struct{ *storage.Tx }

func (exceptItems) CodesUnderWay(context.Context, affiliate.StoreID, []string) ([]affiliate.CodeItem, error) {
	return nil, nil
}

// next has an item try the code that follows; false when it has failed with that.
func (w *codeWork) next(item *affiliate.CodeItem) bool {
	most := cmp.Or(w.app.Platforms.Guide(w.store.Platform).Coupons.MostLength, affiliate.DefaultCodeLength)
	if item.Tries++; item.Tries > mostTries {
		item.State, item.Trouble = affiliate.ItemFailed, item.Base+" and all that follow it are taken in the store."
		return false
	}
	item.Code = affiliate.NextCode(item.Base, item.Tries, max(affiliate.DefaultCodeLength, min(most, len(item.Base)+4)))
	item.Folded = affiliate.FoldCode(item.Code)
	return true
}

// needless says why there is nothing left to do for an item that makes a code; empty where there is.
func (w *codeWork) needless(ctx context.Context, tx *storage.Tx, item affiliate.CodeItem,
	run affiliate.CodeRun) (string, error) {
	owner, err := tx.OfferMember(ctx, item.OfferMemberID)
	if err != nil {
		return "", err
	}
	member, err := tx.Member(ctx, owner.MemberID)
	if err != nil {
		return "", err
	}
	if !member.RemovedAt.IsZero() {
		return "They are no member of the campaign any more.", nil
	}
	others, err := tx.ItemsUnderWay(ctx, item.OfferMemberID, item.StoreID)
	if err != nil {
		return "", err
	}
	if slices.ContainsFunc(others, func(o affiliate.CodeItem) bool {
		first := o.ID < item.ID || o.ID != item.ID && o.State != affiliate.ItemWaiting
		return o.Step == affiliate.StepMake && o.OldCodeID == item.OldCodeID && first ||
			o.Step != affiliate.StepMake && o.Mark != "" && o.OldCodeID == item.OldCodeID && item.OldCodeID != 0
	}) {
		return "Another run is making this code for them already.", nil
	}
	if run.Action == affiliate.CodeRefresh {
		old, err := tx.Code(ctx, item.OldCodeID)
		if err == nil && !old.ValidTo.IsZero() {
			return old.Code + " was ended by now.", nil
		}
		return "", err
	}
	codes, err := tx.CodesOf(ctx, []affiliate.OfferMemberID{item.OfferMemberID})
	if err != nil {
		return "", err
	}
	for _, c := range codes {
		// A code that was there when the run was drafted was no reason against another.
		if c.StoreID == item.StoreID && c.OwnedAt(w.app.now()) && c.CreatedAt.After(run.CreatedAt) {
			return "They have " + c.Code + " in this store by now.", nil
		}
	}
	return "", nil
}

// gift is what the codes of a run give in the store.
func (w *codeWork) gift(run affiliate.CodeRun) (affiliate.Discount, error) {
	all, err := affiliate.ParseOfferDiscount(run.Discount)
	if err != nil {
		return affiliate.Discount{}, err
	}
	return all.In(w.store)
}

// newCoupons are what the store is asked for, one for each item.
func (w *codeWork) newCoupons(ctx context.Context, items []affiliate.CodeItem) ([]affiliate.NewCoupon, error) {
	owners := make([]affiliate.OfferMemberID, len(items))
	for i, item := range items {
		owners[i] = item.OfferMemberID
	}
	names, err := w.app.DB.OwnerNames(ctx, owners)
	if err != nil {
		return nil, err
	}
	list := make([]affiliate.NewCoupon, len(items))
	for i, item := range items {
		if list[i], err = w.coupon(ctx, item, names[item.OfferMemberID]); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// coupon is what the store is asked for by an item of an owner.
func (w *codeWork) coupon(ctx context.Context, item affiliate.CodeItem,
	owner storage.OwnerName) (affiliate.NewCoupon, error) {
	run, err := w.run(ctx, item)
	if err != nil {
		return affiliate.NewCoupon{}, err
	}
	discount, err := w.gift(run)
	return affiliate.NewCoupon{Code: item.Code, Mark: item.Mark, Title: owner.Creator + " · " + owner.Offer,
		Discount: discount}, err
}

// couponCode is the code of an error about one coupon; empty without one.
func couponCode(err error) string {
	var e *affiliate.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// lookFor looks for the codes of items that the store was asked for, without its answer having come here.
func (w *codeWork) lookFor(ctx context.Context, items []affiliate.CodeItem) error {
	codes := make([]string, len(items))
	for i, item := range items {
		codes[i] = item.Code
	}
	found, err := w.client.CouponsByCode(ctx, codes)
	if w.app.asked(ctx, w.store.ID, err) != nil {
		return w.told(ctx, items, err)
	}
	_, err = w.commit(ctx, items, func(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem, _ int) error {
		i := slices.IndexFunc(found, func(c affiliate.Coupon) bool { return affiliate.FoldCode(c.Code) == item.Folded })
		switch {
		case i < 0:
			item.State, item.Trouble = affiliate.ItemWaiting, ""
			return nil
		case found[i].Mark != item.Mark:
			w.taken(item)
			return nil
		}
		run, err := w.run(ctx, *item)
		if err != nil {
			return err
		}
		discount, err := w.gift(run)
		if err != nil { // the store has another currency by now
			discount = found[i].Discount
		}
		return w.made(ctx, tx, item, discount, affiliate.CouponOutcome{Coupon: found[i]})
	})
	return err
}

// taken has an item go on with the code that follows.
func (w *codeWork) taken(item *affiliate.CodeItem) {
	item.State, item.Trouble = affiliate.ItemWaiting, ""
	w.next(item)
}

// made books what became of a code that the store was asked for: whose it is from its making on.
func (w *codeWork) made(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem, discount affiliate.Discount,
	o affiliate.CouponOutcome) error {
	item.Trouble = ""
	switch code := couponCode(o.Err); {
	case code == affiliate.CouponTaken:
		w.taken(item)
		return nil
	case o.Err != nil && o.Coupon.ID != "" && o.Coupon.Mark == item.Mark &&
		affiliate.FoldCode(o.Coupon.Code) == item.Folded:
		item.Trouble = clipNote(sentenceOf(o.Err)) // it was made, but not just as it was to be
	case o.Err != nil:
		item.State, item.Trouble = affiliate.ItemFailed, clipNote(sentenceOf(o.Err))
		return nil
	}
	if err := w.keep(ctx, tx, o.Coupon, func(c *storage.Coupon) {
		c.Give(discount)
		c.Halted, c.Accepted = false, ""
	}); err != nil {
		return err
	}
	code, err := w.own(ctx, tx, *item, o.Coupon.MadeAt)
	if refusable(err) {
		item.State, item.Trouble = affiliate.ItemFailed, clipNote("The store has "+item.Code+" now, but here "+
			sentenceOf(err))
		return nil
	}
	if err != nil {
		return err
	}
	item.NewID = code.ID
	waiting, err := tx.OrdersWithCode(ctx, code.StoreID, code.Code, code.ValidFrom, code.ValidTo)
	if err != nil {
		return err
	}
	return w.forward(ctx, item, waiting > 0)
}

// refusable says whether an error is the answer to what was asked for, and not a failure.
func refusable(err error) bool {
	k := affiliate.KindOf(err)
	return k == affiliate.Conflict || k == affiliate.Invalid || k == affiliate.NotFound
}

// own makes an item's member the owner of its code from a time on, by the store's clock, or from when it was last free.
func (w *codeWork) own(ctx context.Context, tx *storage.Tx, item affiliate.CodeItem, from time.Time) (affiliate.Code,
	error) {
	history, err := tx.CodeHistory(ctx, w.store.ID, item.Code)
	if err != nil {
		return affiliate.Code{}, err
	}
	owned, occupied := affiliate.Occupant(history, w.app.now())
	if occupied && owned.OfferMemberID == item.OfferMemberID && owned.ValidTo.IsZero() {
		return owned, nil
	}
	if free := affiliate.FreeSince(history); free.After(from) {
		from = free
	}
	return w.app.addCode(ctx, tx, NewCode{OfferMember: item.OfferMemberID, Store: w.store.ID, Code: item.Code,
		ValidFrom: from}, w.store)
}

// forward has an item whose code was made go on to what comes next.
func (w *codeWork) forward(ctx context.Context, item *affiliate.CodeItem, credit bool) error {
	run, err := w.run(ctx, *item)
	if err != nil {
		return err
	}
	switch {
	case credit && item.Step == affiliate.StepMake:
		item.Step, item.State = affiliate.StepCredit, affiliate.ItemWaiting
	case run.Action == affiliate.CodeRefresh && item.Step != affiliate.StepChange:
		item.Step, item.State = affiliate.StepChange, affiliate.ItemWaiting
	default:
		item.State = affiliate.ItemDone
	}
	return nil
}

// keep writes a coupon as the store has it now, with what is changed of it here.
func (w *codeWork) keep(ctx context.Context, tx *storage.Tx, c affiliate.Coupon, change func(*storage.Coupon)) error {
	known, err := tx.Coupons(ctx, w.store.ID, []string{affiliate.FoldCode(c.Code)})
	if err != nil {
		return err
	}
	row := storage.NewCouponRow(w.store.ID, c, w.app.now())
	if len(known) > 0 {
		row = known[0]
		row.Read(c, w.app.now())
	}
	change(&row)
	row.Trouble, row.Told, row.TroubleAt = "", "", time.Time{}
	return tx.SaveCoupons(ctx, []storage.Coupon{row})
}
