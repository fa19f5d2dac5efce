package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

const (
	// All codes of a store are read every hour, and for each thousand of them an hour later, every day at the latest:
	// only so are those found that it has no more, and how often each was used. Those that were changed are read as
	// often as orders are compared.
	allCouponsEvery = time.Hour
	allCouponsLast  = 24 * time.Hour
	manyCoupons     = 1000
	// usesRest is how long the store's count of a code may differ from ours: stores count late, and orders are under
	// way.
	usesRest = time.Hour
	// couponsMissing bounds how many codes are found missing in one transaction.
	couponsMissing = 100
)

// couponsDue says whether codes of a store are to be read.
func (a *App) couponsDue(s storage.AskedStore) bool {
	if !s.Connected || a.rests.resting(s.StoreID, a.now()) {
		return false
	}
	now := a.now()
	return s.CouponsWanted || !s.CouponsFrom.IsZero() || a.allCouponsDue(s) ||
		now.Sub(s.CouponsSince).Abs() >= CompareEvery
}

// allCouponsDue says whether all codes of a store are to be read.
func (a *App) allCouponsDue(s storage.AskedStore) bool {
	rest := min(allCouponsLast, allCouponsEvery*time.Duration(1+s.CouponsCount/manyCoupons))
	return s.CouponsWanted || s.CouponsAt.IsZero() || a.now().Sub(s.CouponsAt).Abs() >= rest
}

// readCoupons reads the codes of a store when it is time, page by page, and goes on where it was after a restart.
func (a *App) readCoupons(ctx context.Context, s storage.AskedStore) error {
	if !a.couponsDue(s) {
		return nil
	}
	store, err := a.DB.Store(ctx, s.StoreID)
	if err != nil {
		return err
	}
	w, err := a.codeWork(ctx, store)
	if err != nil {
		return err
	}
	r := &couponReading{codeWork: w, at: s.StoreWork}
	if w.client == nil {
		return r.through(ctx) // until somebody gives other keys
	}
	if r.at.CouponsFrom.IsZero() || r.at.CouponsWanted && !r.at.CouponsWhole {
		if err := r.save(ctx, func(*storage.Tx) error {
			r.at.CouponsFrom, r.at.CouponsCursor, r.at.CouponsWanted = a.now(), "", false
			if r.at.CouponsWhole = a.allCouponsDue(s); r.at.CouponsWhole {
				r.at.CouponsCount = 0
			}
			return nil
		}); err != nil {
			return err
		}
	}
	for ctx.Err() == nil {
		more, err := r.page(ctx)
		if err != nil {
			if ctx.Err() == nil {
				a.rests.rest(store.ID, a.now())
			}
			return err
		}
		a.rests.woken(store.ID)
		a.touched([]affiliate.StoreID{store.ID})
		if !more || turnOver(ctx) {
			return nil
		}
	}
	return ctx.Err()
}

// couponReading is the reading of a store's codes.
type couponReading struct {
	*codeWork
	at storage.StoreWork
}

// page reads the next page and says whether there is more.
func (r *couponReading) page(ctx context.Context) (more bool, err error) {
	var since time.Time
	if !r.at.CouponsWhole {
		since = r.at.CouponsSince.Add(-compareOverlap)
	}
	page, err := r.client.Coupons(ctx, since, r.at.CouponsCursor)
	if r.app.asked(ctx, r.store.ID, err) != nil {
		return false, err
	}
	read := map[string]affiliate.Coupon{}
	for _, c := range page.Coupons {
		folded := affiliate.FoldCode(c.Code)
		if before, ok := read[folded]; folded != "" && (!ok || before.Stopped || !c.Stopped) {
			read[folded] = c // of two with one code, the one that works
		}
	}
	err = r.save(ctx, func(tx *storage.Tx) error {
		if err := r.judge(ctx, tx, read, nil); err != nil {
			return err
		}
		if r.at.CouponsCursor = page.Next; r.at.CouponsWhole {
			r.at.CouponsCount += int64(len(read))
		}
		return nil
	})
	if err != nil || page.Next != "" {
		return err == nil, err
	}
	if r.at.CouponsWhole {
		if err := r.missing(ctx); err != nil {
			return false, err
		}
		r.at.CouponsAt = r.at.CouponsFrom
	}
	r.at.CouponsSince = r.at.CouponsFrom
	return false, r.through(ctx)
}

// through notes that a reading has come to its end.
func (r *couponReading) through(ctx context.Context) error {
	return r.save(ctx, func(*storage.Tx) error {
		if r.client == nil {
			r.at.CouponsAt, r.at.CouponsSince, r.at.CouponsWanted = r.app.now(), r.app.now(), false
		}
		r.at.CouponsFrom, r.at.CouponsWhole, r.at.CouponsCursor = time.Time{}, false, ""
		return nil
	})
}

// save writes how far the reading is, with what change does.
func (r *couponReading) save(ctx context.Context, change func(*storage.Tx) error) error {
	before := r.at
	err := r.app.changeCatalog(storage.ForWork(ctx), func(tx *storage.Tx) error {
		r.at = before
		now, err := tx.StoreWork(ctx, r.store.ID)
		if err != nil {
			return err
		}
		r.at.CouponsWanted = now.CouponsWanted // what somebody asks for meanwhile is a reading of its own
		if err := change(tx); err != nil {
			return err
		}
		return tx.SaveCouponReading(ctx, r.at)
	})
	if err != nil {
		r.at = before
	}
	return err
}

// missing finds the codes that the store has no more: those that were there before, and those that are somebody's here
// and never were. The store is asked for each of somebody's once more.
func (r *couponReading) missing(ctx context.Context) error {
	for ctx.Err() == nil {
		rows, err := r.app.DB.CouponsUnseen(ctx, r.store.ID, r.at.CouponsFrom, couponsMissing)
		if err != nil {
			return err
		}
		codes, err := r.app.DB.CodesWithoutCoupon(ctx, r.store.ID, r.app.now(), couponsMissing)
		if err != nil || len(rows)+len(codes) == 0 {
			return err
		}
		texts := map[string]string{}
		for _, row := range rows {
			texts[row.Folded] = row.Code
		}
		for _, c := range codes {
			texts[affiliate.FoldCode(c.Code)] = c.Code
		}
		if err := r.confirm(ctx, texts); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// confirm asks the store for codes that were not found, and notes those that are gone.
func (r *couponReading) confirm(ctx context.Context, texts map[string]string) error {
	read, gone := map[string]affiliate.Coupon{}, map[string]string{}
	var asked []string
	folded := make([]string, 0, len(texts))
	for f := range texts {
		folded = append(folded, f)
	}
	slices.Sort(folded)
	owned, err := r.app.DB.OwnedCodes(ctx, r.store.ID, folded)
	if err != nil {
		return err
	}
	for _, f := range folded {
		gone[f] = texts[f]
		if slices.ContainsFunc(owned, func(c affiliate.Code) bool { return affiliate.FoldCode(c.Code) == f }) {
			asked = append(asked, texts[f])
		}
	}
	for part := range slices.Chunk(asked, r.client.CouponsAtOnce()) {
		found, err := r.client.CouponsByCode(ctx, part)
		if r.app.asked(ctx, r.store.ID, err) != nil {
			return err
		}
		for _, c := range found {
			f := affiliate.FoldCode(c.Code)
			read[f] = c
			delete(gone, f)
		}
	}
	return r.save(ctx, func(tx *storage.Tx) error { return r.judge(ctx, tx, read, gone) })
}

// judge keeps codes as they were read, and those that are gone, and says what is wrong with them.
func (r *couponReading) judge(ctx context.Context, tx *storage.Tx, read map[string]affiliate.Coupon,
	gone map[string]string) error {
	folded := make([]string, 0, len(read)+len(gone))
	for f := range read {
		folded = append(folded, f)
	}
	for f := range gone {
		folded = append(folded, f)
	}
	if len(folded) == 0 {
		return nil
	}
	slices.Sort(folded)
	known, err := tx.Coupons(ctx, r.store.ID, folded)
	if err != nil {
		return err
	}
	codes, err := tx.OwnedCodes(ctx, r.store.ID, folded)
	if err != nil {
		return err
	}
	history := map[string][]affiliate.Code{}
	var owned []string
	for _, c := range codes {
		f := affiliate.FoldCode(c.Code)
		if len(history[f]) == 0 {
			owned = append(owned, f)
		}
		history[f] = append(history[f], c)
	}
	uses := map[string]storage.CodeUse{}
	if r.at.CouponsWhole {
		if uses, err = tx.CodeUses(ctx, r.store.ID, owned); err != nil {
			return err
		}
	}
	_, zone, err := tx.Account(ctx)
	if err != nil {
		return err
	}
	now := r.app.now()
	seen := now
	if r.at.CouponsFrom.After(now) { // another process began, whose clock is ahead
		seen = r.at.CouponsFrom
	}
	rows := make([]storage.Coupon, len(folded))
	for i, f := range folded {
		row := storage.Coupon{StoreID: r.store.ID, Folded: f, Code: gone[f]}
		if at := slices.IndexFunc(known, func(c storage.Coupon) bool { return c.Folded == f }); at >= 0 {
			row = known[at]
		}
		if c, ok := read[f]; ok {
			row.Read(c, seen)
		} else if row.SeenAt = seen; row.GoneAt.IsZero() {
			row.GoneAt = now
		}
		if use, counted := uses[f]; r.at.CouponsWhole && len(history[f]) > 0 {
			row.Orders, row.MostOrders = use.Orders, use.All
			countUses(&row, use, counted, now)
		}
		trouble, told := couponTrouble(row, history[f], now, zone)
		if trouble != row.Accepted {
			row.Accepted = "" // what was accepted is over
		} else {
			trouble, told = "", ""
		}
		if trouble != row.Trouble {
			row.TroubleAt = now
		}
		if row.Trouble, row.Told = trouble, clipNote(told); trouble == "" {
			row.TroubleAt = time.Time{}
		}
		rows[i] = row
	}
	return tx.SaveCoupons(ctx, rows)
}

// countUses notes whether the store has counted other orders than are here. Some stores take canceled ones back, others
// do not.
func countUses(row *storage.Coupon, use storage.CodeUse, counted bool, now time.Time) {
	theirs := row.Uses - row.UsesKnown
	switch {
	case theirs >= use.Orders && theirs <= use.All:
		row.UsesOffAt = time.Time{}
	case counted && now.Sub(use.Newest).Abs() < usesRest:
		// one is just under way
	case row.UsesOffAt.IsZero():
		row.UsesOffAt = now
	}
}

// couponTrouble says what is wrong with a code in a store, by whose it was and is here, with a sentence for people.
func couponTrouble(row storage.Coupon, history []affiliate.Code, now time.Time,
	zone *time.Location) (affiliate.CouponTrouble, string) {
	if len(history) == 0 {
		return "", ""
	}
	var owner *affiliate.Code
	for i, c := range history {
		if c.OwnedAt(now) {
			owner = &history[i]
		}
	}
	coupon, given := row.InStore(), row.Given()
	works := row.Known() && coupon.Works(now)
	ends := coupon.Discount.EndsAt
	halted := row.Halted && owner != nil && owner.ValidTo.IsZero() // deactivated, not about to end
	switch {
	case owner != nil && !row.Halted && !row.Known():
		return affiliate.TroubleGone, "The store has no such code any more: customers cannot use it."
	case owner != nil && !row.Halted && coupon.Stopped:
		return affiliate.TroubleStopped, "The store takes it from nobody: somebody has switched it off there."
	case owner != nil && !row.Halted && !ends.IsZero() && !ends.After(now) && !sameSecond(ends, given.EndsAt):
		return affiliate.TroubleStopped, "It ended in the store on " + ends.In(zone).Format("2 January 2006, 15:04") +
			", and is still somebody's here."
	case works && halted:
		return affiliate.TroubleRunning, "It was deactivated here, and the store still takes it."
	case works && owner == nil && !history[len(history)-1].ValidFrom.After(now):
		return affiliate.TroubleRunning, "It was ended here, and the store still takes it: its orders are credited " +
			"to nobody."
	}
	if row.Known() && row.Wanted != "" && owner != nil {
		if row.Halted {
			given.EndsAt = ends
		}
		if list := given.Differences(coupon.Discount, zone); len(list) > 0 {
			return affiliate.TroubleChanged, "It gives something else in the store: " + strings.Join(list, "; ") + "."
		}
	}
	if !row.UsesOffAt.IsZero() && now.Sub(row.UsesOffAt) >= usesRest {
		return affiliate.TroubleUses, usesTold(row)
	}
	return "", ""
}

func sameSecond(a, b time.Time) bool { return a.Truncate(time.Second).Equal(b.Truncate(time.Second)) }

// usesTold says how the store's count differs from ours.
func usesTold(row storage.Coupon) string {
	theirs := row.Uses - row.UsesKnown
	if theirs > row.MostOrders {
		return fmt.Sprintf("The store has counted %s, and %s with it came here: %s never reached us.",
			usesCount(row.Uses), ordersCount(row.MostOrders), ordersCount(theirs-row.MostOrders))
	}
	return fmt.Sprintf("The store has counted %s, and %s with it came here that are not canceled: %s without a use "+
		"may have been changed by hand, or the code made anew there.", usesCount(row.Uses), ordersCount(row.Orders),
		ordersCount(row.Orders-theirs))
}

func usesCount(i int64) string {
	if i == 1 {
		return "one use"
	}
	return money.Marked(fmt.Sprint(i)) + " uses"
}

func ordersCount(i int64) string {
	if i == 1 {
		return "one order"
	}
	return money.Marked(fmt.Sprint(i)) + " orders"
}

// ReadCoupons has all codes of a store read at once, in the background. Conflict where its API is not asked.
func (a *App) ReadCoupons(ctx context.Context, id affiliate.StoreID) error {
	store, err := a.DB.Store(ctx, id)
	if err != nil {
		return err
	}
	client, why, err := a.couponClient(ctx, store)
	if err == nil && client == nil {
		err = affiliate.Errorf(affiliate.Conflict, "%s", why)
	}
	if err != nil {
		return err
	}
	if err := a.DB.InTx(ctx, func(tx *storage.Tx) error { return tx.WantCoupons(ctx, id) }); err != nil {
		return err
	}
	a.rests.woken(id)
	a.touched([]affiliate.StoreID{id})
	return nil
}

// AcceptCoupon takes a code as the store has it for right: what it gives there, that it is gone, or how often it was
// counted. Its trouble is over until it changes again.
func (a *App) AcceptCoupon(ctx context.Context, store affiliate.StoreID, code string) error {
	err := a.changeCatalog(ctx, func(tx *storage.Tx) error {
		rows, err := tx.Coupons(ctx, store, []string{affiliate.FoldCode(code)})
		if err != nil {
			return err
		}
		if len(rows) == 0 {
			return affiliate.Errorf(affiliate.NotFound, "there is no such code in the store")
		}
		row := rows[0]
		if row.Trouble == "" {
			return nil
		}
		before := row.Trouble
		switch row.Trouble {
		case affiliate.TroubleChanged:
			row.Give(row.InStore().Discount)
		case affiliate.TroubleUses:
			if theirs := row.Uses - row.UsesKnown; theirs > row.MostOrders {
				row.UsesKnown += theirs - row.MostOrders
			} else {
				row.UsesKnown += theirs - row.Orders
			}
			row.UsesOffAt = time.Time{}
		default:
			row.Accepted = row.Trouble
		}
		row.Trouble, row.Told, row.TroubleAt = "", "", time.Time{}
		if err := tx.SaveCoupons(ctx, []storage.Coupon{row}); err != nil {
			return err
		}
		return a.audit(ctx, tx, "coupon.accept", store, nil, facts{"code": row.Code, "trouble": string(before)})
	})
	if err == nil {
		a.touched([]affiliate.StoreID{store})
	}
	return err
}

// CouponReading gives how far the codes of a store were read.
func (a *App) CouponReading(ctx context.Context, store affiliate.Store) (CouponReading, error) {
	client, why, err := a.couponClient(ctx, store)
	if err != nil && !IsStoreTrouble(err) {
		return CouponReading{}, err
	}
	work, err := a.DB.StoreWork(ctx, store.ID)
	r := CouponReading{Can: client != nil, Why: why, ReadAt: work.CouponsAt,
		UnderWay: work.CouponsWanted || !work.CouponsFrom.IsZero()}
	if client == nil {
		r.ReadAt, r.UnderWay = time.Time{}, false
	}
	return r, err
}
