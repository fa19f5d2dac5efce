package app

import (
	"context"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// couponStep is what an action does with the coupon of a code that is there.
func couponStep(a affiliate.CodeAction) affiliate.CouponStep {
	switch a {
	case affiliate.CodeActivate:
		return affiliate.CouponStart
	case affiliate.CodeDiscount:
		return affiliate.CouponDiscount
	}
	return affiliate.CouponStop
}

// change changes the codes of items in the store, and then here. What it asks for may be asked for again.
func (w *codeWork) change(ctx context.Context, items []affiliate.CodeItem, action affiliate.CodeAction) error {
	asked, err := w.commit(ctx, items, w.askChange)
	if err != nil {
		return err
	}
	asked = slices.DeleteFunc(asked, func(i affiliate.CodeItem) bool { return i.State != affiliate.ItemAsked })
	if len(asked) == 0 {
		return nil
	}
	codes, err := w.codes(ctx, asked)
	if err != nil {
		return err
	}
	known, err := w.coupons(ctx, asked, codes, couponStep(action))
	if err != nil {
		return w.told(ctx, asked, err)
	}
	var changes []affiliate.CouponChange
	var changed []affiliate.CodeItem
	outcomes := make(map[affiliate.CodeItemID]affiliate.CouponOutcome, len(asked))
	for _, item := range asked {
		row, ok := known[item.Folded]
		if !ok {
			outcomes[item.ID] = affiliate.CouponOutcome{Err: &affiliate.Error{Kind: affiliate.NotFound,
				Code: affiliate.CouponGone, Message: "The store has no code " + item.Code + "."}}
			continue
		}
		change, needed, err := w.changeOf(ctx, item, codes[item.OldCodeID], row, action)
		switch {
		case err != nil:
			outcomes[item.ID] = affiliate.CouponOutcome{Coupon: row.InStore(), Err: err}
		case !needed:
			outcomes[item.ID] = affiliate.CouponOutcome{Coupon: row.InStore()}
		default:
			changes, changed = append(changes, change), append(changed, item)
		}
	}
	if len(changes) > 0 {
		answers, err := w.client.ChangeCoupons(ctx, changes)
		if w.app.asked(ctx, w.store.ID, err) != nil {
			return w.told(ctx, asked, err)
		}
		for i, item := range changed {
			outcomes[item.ID] = answers[i]
		}
	}
	_, err = w.commit(ctx, asked, func(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem, _ int) error {
		return w.changed(ctx, tx, item, action, outcomes[item.ID])
	})
	return err
}

// askChange notes that the store is asked to change the code of an item, and when an old code is to end. An item whose
// code is somebody else's by now is skipped.
func (w *codeWork) askChange(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem, _ int) error {
	run, err := w.run(ctx, *item)
	if err != nil {
		return err
	}
	why, err := w.lost(ctx, tx, *item, run.Action)
	if err != nil {
		return err
	}
	if why != "" {
		if item.State, item.Trouble = affiliate.ItemSkipped, why; item.NewID != 0 {
			item.State = affiliate.ItemDone
		}
		return nil
	}
	if run.Action == affiliate.CodeDiscount {
		if _, err := w.gift(run); err != nil {
			item.State, item.Trouble = affiliate.ItemFailed, sentenceOf(err)
			return nil
		}
	}
	w.app.endsAt(item, run)
	item.State, item.Trouble = affiliate.ItemAsked, ""
	return nil
}

// endsAt settles when the old code of a refreshed one ends that goes on for some days.
func (a *App) endsAt(item *affiliate.CodeItem, run affiliate.CodeRun) {
	if run.Action == affiliate.CodeRefresh && run.OverlapDays > 0 && item.EndsAt.IsZero() {
		item.EndsAt = a.now().AddDate(0, 0, run.OverlapDays).Truncate(time.Second)
	}
}

// lost says why the code that an item is about is not to be touched: it has been given to somebody else, who has it in
// the store as it is, or is to be activated and was ended. Empty where it is.
func (w *codeWork) lost(ctx context.Context, tx *storage.Tx, item affiliate.CodeItem,
	action affiliate.CodeAction) (string, error) {
	code, err := tx.Code(ctx, item.OldCodeID)
	if err != nil {
		return "", err
	}
	if action == affiliate.CodeActivate && !code.ValidTo.IsZero() && !code.ValidTo.After(w.app.now()) {
		return code.Code + " was ended by now.", nil
	}
	history, err := tx.CodeHistory(ctx, w.store.ID, code.Code)
	if err != nil {
		return "", err
	}
	for _, c := range history {
		if c.ID != code.ID && c.OwnedAt(w.app.now()) {
			owner, err := tx.OwnerName(ctx, c.OfferMemberID)
			return code.Code + " belongs to " + owner.Creator + " by now, and was left as it is.", err
		}
	}
	return "", nil
}

// codes are those that items change: of refreshed ones the old one.
func (w *codeWork) codes(ctx context.Context, items []affiliate.CodeItem) (map[affiliate.CodeID]affiliate.Code, error) {
	ids := make([]affiliate.CodeID, len(items))
	for i, item := range items {
		ids[i] = item.OldCodeID
	}
	list, err := w.app.DB.CodesByID(ctx, ids)
	codes := make(map[affiliate.CodeID]affiliate.Code, len(list))
	for _, c := range list {
		codes[c.ID] = c
	}
	return codes, err
}

// coupons gives what the store has of the codes that items change, by the items' folded codes. What was not read from
// the store before is looked for there, and what is to be stopped and had ended when it was read: somebody may have
// started it since.
func (w *codeWork) coupons(ctx context.Context, items []affiliate.CodeItem,
	codes map[affiliate.CodeID]affiliate.Code, step affiliate.CouponStep) (map[string]storage.Coupon, error) {
	texts, folded := make([]string, len(items)), make([]string, len(items))
	for i, item := range items {
		texts[i] = codes[item.OldCodeID].Code
		folded[i] = affiliate.FoldCode(texts[i])
	}
	rows, err := w.app.DB.Coupons(ctx, w.store.ID, folded)
	if err != nil {
		return nil, err
	}
	known := map[string]storage.Coupon{}
	for _, r := range rows {
		if r.Known() && (step != affiliate.CouponStop || r.EndsAt.IsZero()) {
			known[r.Folded] = r
		}
	}
	var missing []string
	for i, f := range folded {
		if _, ok := known[f]; !ok {
			missing = append(missing, texts[i])
		}
	}
	if len(missing) > 0 {
		found, err := w.client.CouponsByCode(ctx, missing)
		if w.app.asked(ctx, w.store.ID, err) != nil {
			return nil, err
		}
		for _, c := range found {
			row := storage.NewCouponRow(w.store.ID, c, w.app.now())
			if i := slices.IndexFunc(rows, func(r storage.Coupon) bool { return r.Folded == row.Folded }); i >= 0 {
				rows[i].Read(c, w.app.now())
				row = rows[i]
			}
			known[row.Folded] = row
		}
	}
	byItem := make(map[string]storage.Coupon, len(items))
	for i, item := range items {
		if row, ok := known[folded[i]]; ok {
			byItem[item.Folded] = row
		}
	}
	return byItem, nil
}

// changeOf is what the store is asked for; not needed where it is so already.
func (w *codeWork) changeOf(ctx context.Context, item affiliate.CodeItem, code affiliate.Code, row storage.Coupon,
	action affiliate.CodeAction) (change affiliate.CouponChange, needed bool, err error) {
	now := w.app.now()
	change = affiliate.CouponChange{Coupon: row.InStore(), Step: couponStep(action), Until: item.EndsAt}
	ends := change.Coupon.Discount.EndsAt
	switch change.Step {
	case affiliate.CouponStop:
		if !ends.IsZero() && !ends.After(now) {
			return change, false, nil
		}
		if !change.Until.IsZero() && !change.Until.After(now) {
			change.Until = time.Time{} // its time has come meanwhile
		}
		return change, change.Until.IsZero() || ends.IsZero() || ends.After(change.Until), nil
	case affiliate.CouponStart:
		if change.Discount = row.Given(); change.Discount.Kind == "" {
			change.Discount = change.Coupon.Discount
			change.Discount.EndsAt = time.Time{}
		}
		if ends := &change.Discount.EndsAt; !code.ValidTo.IsZero() && (ends.IsZero() || ends.After(code.ValidTo)) {
			*ends = code.ValidTo // it was refreshed, and goes on until then only
		}
		return change, true, nil
	}
	run, err := w.run(ctx, item)
	if err != nil {
		return change, false, err
	}
	if change.Discount, err = w.gift(run); err == nil && row.Halted {
		change.Discount.EndsAt = ends // it stays as it is until it is activated
	}
	return change, true, err
}

// changed books what became of a change.
func (w *codeWork) changed(ctx context.Context, tx *storage.Tx, item *affiliate.CodeItem, action affiliate.CodeAction,
	o affiliate.CouponOutcome) error {
	ending := action == affiliate.CodeEnd || action == affiliate.CodeRefresh
	gone := couponCode(o.Err) == affiliate.CouponGone
	item.Trouble = ""
	switch {
	case gone && couponStep(action) == affiliate.CouponStop:
		item.Trouble = "The store has it no more."
	case o.Err != nil:
		item.State, item.Trouble = affiliate.ItemFailed, clipNote(sentenceOf(o.Err))
		return nil
	}
	run, err := w.run(ctx, *item)
	if err != nil {
		return err
	}
	old, err := tx.Code(ctx, item.OldCodeID)
	if err != nil {
		return err
	}
	if !gone {
		if err := w.keep(ctx, tx, o.Coupon, func(c *storage.Coupon) {
			c.Accepted = ""
			switch action {
			case affiliate.CodeActivate:
				c.Halted = !old.ValidTo.IsZero() // one that was refreshed still ends when it was to
			case affiliate.CodeDiscount:
				if d, err := w.gift(run); err == nil {
					c.Give(d)
				}
			default:
				c.Halted = true
			}
		}); err != nil {
			return err
		}
	}
	item.State = affiliate.ItemDone
	if !ending {
		return w.app.audit(ctx, tx, "code."+map[affiliate.CodeAction]string{affiliate.CodeActivate: "resume",
			affiliate.CodeDeactivate: "halt", affiliate.CodeDiscount: "discount"}[action], item.OldCodeID, nil,
			facts{"store": w.store.Slug, "code": item.Code})
	}
	ends := o.Coupon.Discount.EndsAt
	if now := w.app.now(); gone || ends.Before(now) {
		ends = now
	}
	item.EndsAt = ends
	return w.app.endOwnership(ctx, tx, item.OldCodeID, ends)
}

// endOwnership ends whose a code is at a time, or now where that has passed. That it has ended, or ends before, is no
// error.
func (a *App) endOwnership(ctx context.Context, tx *storage.Tx, id affiliate.CodeID, at time.Time) error {
	if !at.After(a.now()) {
		at = time.Time{}
	}
	ended, err := a.endCode(ctx, tx, id, at)
	if refusable(err) && !at.IsZero() && ended.ValidTo.IsZero() { // its time has passed just now
		_, err = a.endCode(ctx, tx, id, time.Time{})
	}
	if refusable(err) {
		return nil
	}
	return err
}
