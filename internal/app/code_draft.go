package app

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// DraftCodeRun makes a run as a draft: with an item for each code, as it would be made or changed, and nothing done.
// Items that there is nothing to do for are skipped, with the reason. The error names the field.
func (a *App) DraftCodeRun(ctx context.Context, in NewCodeRun) (affiliate.CodeRun, error) {
	d := &drafting{app: a, in: in, now: a.now()}
	if err := d.prepare(ctx); err != nil {
		return affiliate.CodeRun{}, err
	}
	if err := d.fill(ctx); err != nil {
		return affiliate.CodeRun{}, err
	}
	switch n := len(d.items); {
	case n == 0 && in.Action == affiliate.CodeTakeOver:
		return d.run, affiliate.FieldErrorf("takes", "none of the store's codes that nobody owns is certainly a "+
			"member's")
	case n == 0:
		return d.run, affiliate.FieldErrorf("members", "there is no code to do this with: the offer has no such "+
			"members, or they have no codes in these stores")
	case n > MostCodeItems:
		return d.run, affiliate.FieldErrorf("members", "are too many: a run has at most %d codes; choose some of "+
			"them, or one store after the other", MostCodeItems)
	}
	err := a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		d.run, err = tx.CreateCodeRun(ctx, d.run, d.items)
		return err
	})
	return d.run, err
}

// drafting is the making of one draft.
type drafting struct {
	app      *App
	in       NewCodeRun
	now      time.Time
	run      affiliate.CodeRun
	offer    affiliate.Offer
	campaign affiliate.Campaign
	discount affiliate.OfferDiscount
	pattern  affiliate.CodePattern
	stores   []affiliate.Store
	reserved []string
	items    []affiliate.CodeItem
}

// prepare reads and checks what was asked for.
func (d *drafting) prepare(ctx context.Context) (err error) {
	in := d.in
	if err := affiliate.CheckWord("action", in.Action); err != nil {
		return err
	}
	if err := d.readOffer(ctx); err != nil {
		return err
	}
	if d.stores, err = d.app.storesOf(ctx, in.Stores); err != nil {
		return err
	}
	if in.Action == affiliate.CodeTakeOver && len(in.Stores) != 1 {
		return affiliate.FieldErrorf("stores", "must name the one store whose codes are taken over")
	}
	switch {
	case in.OverlapDays < 0 || in.OverlapDays > MostOverlapDays:
		return affiliate.FieldErrorf("overlap_days", "must be between 0 and %d", MostOverlapDays)
	case in.OverlapDays > 0 && in.Action != affiliate.CodeRefresh:
		return affiliate.FieldErrorf("overlap_days", "goes with %s only", affiliate.CodeRefresh)
	case !in.At.IsZero() && in.At.Before(d.now.Add(-time.Minute)):
		return affiliate.FieldErrorf("at", "must not be in the past")
	}
	if err := d.readGift(); err != nil {
		return err
	}
	settings, err := d.app.DB.Settings(ctx)
	if err != nil {
		return err
	}
	d.reserved = settings.ReservedWords()
	d.run = affiliate.CodeRun{Action: in.Action, State: affiliate.RunDraft, OfferID: d.offer.ID,
		Pattern: string(d.pattern), OverlapDays: in.OverlapDays, Actor: actor(ctx), CreatedAt: d.now}
	if in.Action.Makes() || in.Action == affiliate.CodeDiscount {
		d.run.Discount = d.discount.Text()
	}
	d.run.Offered = in.Action == affiliate.CodeDiscount && in.Discount != nil && len(in.Members)+len(in.Codes) == 0
	if !in.At.IsZero() {
		d.run.At = in.At.UTC().Truncate(time.Microsecond)
	}
	return nil
}

// readOffer reads the offer that was named, or that of the first of the codes.
func (d *drafting) readOffer(ctx context.Context) error {
	offer := d.in.Offer
	if offer == 0 && len(d.in.Codes) > 0 {
		code, err := d.app.DB.Code(ctx, d.in.Codes[0])
		if err != nil {
			return asField("codes", err)
		}
		owner, err := d.app.DB.OfferMember(ctx, code.OfferMemberID)
		if err != nil {
			return err
		}
		offer = owner.OfferID
	}
	if offer == 0 && d.in.Action == affiliate.CodeTakeOver && d.in.Takes != nil {
		return nil
	}
	var err error
	if d.offer, err = d.app.DB.Offer(ctx, offer); err != nil {
		return asField("offer", err)
	}
	d.campaign, err = d.app.DB.Campaign(ctx, d.offer.CampaignID)
	return err
}

// readGift settles by which pattern codes are made, and what they give.
func (d *drafting) readGift() (err error) {
	text := d.in.Pattern
	if text == "" && d.in.Action.Makes() {
		text = string(d.offer.CodePattern)
	}
	switch {
	case text != "":
		if d.pattern, err = affiliate.ParseCodePattern("pattern", text); err != nil {
			return err
		}
	case d.in.Action.Makes():
		return affiliate.FieldErrorf("pattern", "is missing, and the offer has none: it says how codes are made, such "+
			"as {{handle}}10")
	}
	if d.discount = d.offer.Discount; d.in.Discount != nil {
		d.discount = *d.in.Discount
	}
	if !d.in.Action.Makes() && d.in.Action != affiliate.CodeDiscount {
		return nil
	}
	if err := d.discount.Validate(); err != nil {
		return err
	}
	if d.discount.None() {
		return affiliate.FieldErrorf("discount", "is missing: the offer does not say what its codes give; say it on "+
			"the offer first")
	}
	return nil
}

// storesOf gives stores that are not ended: some, or all.
func (a *App) storesOf(ctx context.Context, ids []affiliate.StoreID) ([]affiliate.Store, error) {
	all, err := storage.All(func(p storage.Page) ([]affiliate.Store, string, error) { return a.DB.Stores(ctx, p) })
	if err != nil {
		return nil, err
	}
	var list []affiliate.Store
	for _, id := range distinctIDs(ids) {
		i := slices.IndexFunc(all, func(s affiliate.Store) bool { return s.ID == id })
		switch {
		case i < 0:
			return nil, asField("stores", affiliate.NoSuch(id))
		case all[i].State == affiliate.StoreStateEnded:
			return nil, affiliate.ConflictErrorf("stores", "store %s was ended", all[i].Slug)
		}
		list = append(list, all[i])
	}
	if len(ids) == 0 {
		list = slices.DeleteFunc(all, func(s affiliate.Store) bool { return s.State == affiliate.StoreStateEnded })
	}
	if len(list) == 0 {
		return nil, affiliate.FieldErrorf("stores", "there is none yet; connect a store first")
	}
	return list, nil
}

// fill makes the items.
func (d *drafting) fill(ctx context.Context) error {
	switch {
	case d.in.Action == affiliate.CodeTakeOver:
		return d.takeOver(ctx)
	case d.in.Action == affiliate.CodeMake:
		members, err := d.members(ctx)
		if err != nil {
			return err
		}
		return d.make(ctx, members)
	}
	return d.change(ctx)
}

// members gives those that it is for.
func (d *drafting) members(ctx context.Context) ([]storage.OfferMemberItem, error) {
	search := storage.OfferMemberSearch{Offer: d.offer.ID, IDs: d.in.Members, Active: len(d.in.Members) == 0}
	list, err := storage.All(func(p storage.Page) ([]storage.OfferMemberItem, string, error) {
		return d.app.DB.OfferMemberPage(ctx, search, d.now, p)
	})
	if err != nil {
		return nil, err
	}
	current := make(map[affiliate.OfferMemberID]bool, len(list))
	for _, m := range list {
		current[m.ID] = true
	}
	for _, id := range d.in.Members {
		if !current[id] {
			return nil, affiliate.ForPeople(affiliate.FieldErrorf("members", "%s is no current member of %s", id,
				d.offer.ID), "somebody who was chosen is no member of the offer any more; load the page again")
		}
	}
	return list, nil
}

// make has one code made for each member, the same in all stores, where they have none.
func (d *drafting) make(ctx context.Context, members []storage.OfferMemberItem) error {
	current, err := d.current(ctx, members)
	if err != nil {
		return err
	}
	var wishes []wish
	for _, m := range members {
		w := wish{member: m}
		for _, s := range d.stores {
			item := d.item(m.ID, s.ID, affiliate.StepMake)
			has := slices.IndexFunc(current[m.ID], func(c affiliate.Code) bool { return c.StoreID == s.ID })
			if has >= 0 && !d.in.Another {
				code := current[m.ID][has].Code
				item.Code, item.Folded, item.State = code, affiliate.FoldCode(code), affiliate.ItemSkipped
				item.Trouble = "They have a code in this store already."
			}
			w.items = append(w.items, item)
		}
		wishes = append(wishes, w)
	}
	return d.choose(ctx, wishes)
}

// current gives the codes of members that are theirs now.
func (d *drafting) current(ctx context.Context,
	members []storage.OfferMemberItem) (map[affiliate.OfferMemberID][]affiliate.Code, error) {
	ids := make([]affiliate.OfferMemberID, len(members))
	for i, m := range members {
		ids[i] = m.ID
	}
	current := map[affiliate.OfferMemberID][]affiliate.Code{}
	for part := range slices.Chunk(ids, storage.MaxLimit) {
		codes, err := d.app.DB.CodesOf(ctx, part)
		if err != nil {
			return nil, err
		}
		for _, c := range codes {
			if c.ValidTo.IsZero() || c.ValidTo.After(d.now) {
				current[c.OfferMemberID] = append(current[c.OfferMemberID], c)
			}
		}
	}
	return current, nil
}

// item begins an item.
func (d *drafting) item(member affiliate.OfferMemberID, store affiliate.StoreID,
	step affiliate.CodeStep) affiliate.CodeItem {
	item := affiliate.CodeItem{OfferMemberID: member, StoreID: store, Step: step, State: affiliate.ItemWaiting,
		At: d.now}
	if step == affiliate.StepMake {
		item.Mark = newMark()
	}
	return item
}

// newMark gives a word that no other code in any store is marked with.
func newMark() string { return strings.ToLower(rand.Text()[:20]) }

// wish is a code that is to be made for a member, in one or several stores.
type wish struct {
	member storage.OfferMemberItem
	items  []affiliate.CodeItem
	base   string
	code   string
	tries  int
}

// open says whether there is anything to make.
func (w wish) open() bool {
	return slices.ContainsFunc(w.items, func(i affiliate.CodeItem) bool { return i.State == affiliate.ItemWaiting })
}

// mostTries is how many codes are tried for one that is taken.
const mostTries = 50

// choose finds a code for each wish that is taken nowhere, and keeps the items.
func (d *drafting) choose(ctx context.Context, wishes []wish) error {
	for i := range wishes {
		w := &wishes[i]
		if !w.open() {
			continue
		}
		code, err := d.pattern.Render(affiliate.CodeSubject{Name: w.member.Creator, Handle: w.member.Handle,
			Campaign: d.campaign.Name, Offer: d.offer.Name, Discount: d.discount.Discount}, affiliate.DefaultCodeLength,
			affiliate.RandomCodeText)
		if err != nil {
			w.fail(err)
			continue
		}
		w.base, w.code = code, code
	}
	here := map[string]bool{} // codes of this draft
	for round := 0; ; round++ {
		var asked []string
		for _, w := range wishes {
			if w.code != "" {
				asked = append(asked, affiliate.FoldCode(w.code))
			}
		}
		taken, err := d.app.takenCodes(ctx, d.app.DB, d.stores, asked, d.reserved)
		if err != nil {
			return err
		}
		again := false
		for i := range wishes {
			w := &wishes[i]
			if w.code == "" {
				continue
			}
			if folded := affiliate.FoldCode(w.code); !taken[folded] && !here[folded] {
				here[folded] = true
				w.settle()
				continue
			}
			if w.tries++; w.tries > mostTries {
				w.fail(affiliate.Errorf(affiliate.Conflict, "%s and all that follow it are taken; use another pattern",
					w.base))
				continue
			}
			w.code, again = affiliate.NextCode(w.base, w.tries, affiliate.DefaultCodeLength), true
		}
		if !again {
			break
		}
	}
	for _, w := range wishes {
		d.items = append(d.items, w.items...)
	}
	return nil
}

// settle gives a wish the code that was found.
func (w *wish) settle() {
	for i := range w.items {
		if item := &w.items[i]; item.State == affiliate.ItemWaiting {
			item.Base, item.Code, item.Folded, item.Tries = w.base, w.code, affiliate.FoldCode(w.code), w.tries
		}
	}
	w.code = ""
}

// fail says why no code can be made.
func (w *wish) fail(err error) {
	for i := range w.items {
		if item := &w.items[i]; item.State == affiliate.ItemWaiting {
			item.State, item.Trouble = affiliate.ItemFailed, sentenceOf(err)
		}
	}
	w.code = ""
}

// codeReader reads what says which codes are taken.
type codeReader interface {
	OwnedCodes(context.Context, affiliate.StoreID, []string) ([]affiliate.Code, error)
	Coupons(context.Context, affiliate.StoreID, []string) ([]storage.Coupon, error)
	CodesUnderWay(context.Context, affiliate.StoreID, []string) ([]affiliate.CodeItem, error)
	CodesOnOrders(context.Context, affiliate.StoreID, []string) ([]string, error)
}

// takenCodes says which of some codes, as they are folded, cannot be made in stores, as far as is known here: they are
// or were somebody's, the store has them, orders carry them, somebody has said that they are no creator's, a run is
// about to make them, or they are reserved.
func (a *App) takenCodes(ctx context.Context, q codeReader, stores []affiliate.Store, folded []string,
	reserved []string) (map[string]bool, error) {
	taken := map[string]bool{}
	for _, code := range folded {
		if affiliate.ReservedCode(code, reserved) {
			taken[code] = true
		}
	}
	for _, s := range stores {
		for part := range slices.Chunk(folded, storage.MaxLimit) {
			codes, err := q.OwnedCodes(ctx, s.ID, part)
			if err != nil {
				return nil, err
			}
			coupons, err := q.Coupons(ctx, s.ID, part)
			if err != nil {
				return nil, err
			}
			items, err := q.CodesUnderWay(ctx, s.ID, part)
			if err != nil {
				return nil, err
			}
			seen, err := q.CodesOnOrders(ctx, s.ID, part)
			if err != nil {
				return nil, err
			}
			for _, c := range codes {
				taken[affiliate.FoldCode(c.Code)] = true
			}
			for _, c := range coupons {
				taken[c.Folded] = true
			}
			for _, i := range items {
				taken[i.Folded] = true
			}
			for _, code := range seen {
				taken[code] = true
			}
		}
	}
	return taken, nil
}

// change makes an item for each code that the run is about, and for refresh a new one beside it.
func (d *drafting) change(ctx context.Context) error {
	codes, members, err := d.codes(ctx)
	if err != nil {
		return err
	}
	stopped := map[affiliate.CodeID]bool{}
	if d.in.Action == affiliate.CodeActivate && len(d.in.Codes) == 0 {
		if stopped, err = d.stopped(ctx, codes); err != nil {
			return err
		}
	}
	var wishes []wish
	for _, c := range codes {
		item := d.item(c.OfferMemberID, c.StoreID, affiliate.StepChange)
		item.OldCodeID, item.Code, item.Folded = c.ID, c.Code, affiliate.FoldCode(c.Code)
		// One that was ended here may still have to be ended in the store.
		stops := d.in.Action == affiliate.CodeEnd || d.in.Action == affiliate.CodeDeactivate
		if !c.ValidTo.IsZero() && !c.ValidTo.After(d.now) && !stops {
			item.State, item.Trouble = affiliate.ItemSkipped, "It was ended already."
		} else if d.in.Action == affiliate.CodeActivate && len(d.in.Codes) == 0 && !stopped[c.ID] {
			item.State, item.Trouble = affiliate.ItemSkipped, "It was not deactivated."
		}
		if d.in.Action != affiliate.CodeRefresh {
			d.items = append(d.items, item)
			continue
		}
		item.Step, item.Mark = affiliate.StepMake, newMark()
		wishes = append(wishes, wish{member: members[c.OfferMemberID], items: []affiliate.CodeItem{item}})
	}
	return d.choose(ctx, together(wishes))
}

// stopped says which codes were deactivated from here, or do not work in their store as far as it was read.
func (d *drafting) stopped(ctx context.Context, codes []affiliate.Code) (map[affiliate.CodeID]bool, error) {
	folded := map[affiliate.StoreID][]string{}
	for _, c := range codes {
		folded[c.StoreID] = append(folded[c.StoreID], affiliate.FoldCode(c.Code))
	}
	type key struct {
		store  affiliate.StoreID
		folded string
	}
	off := map[key]bool{}
	for store, list := range folded {
		for part := range slices.Chunk(list, storage.MaxLimit) {
			rows, err := d.app.DB.Coupons(ctx, store, part)
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				off[key{store, row.Folded}] = row.Halted // or as it is in the store, which is known
				if row.Known() {
					off[key{store, row.Folded}] = !row.InStore().Works(d.now)
				}
			}
		}
	}
	stopped := make(map[affiliate.CodeID]bool, len(codes))
	for _, c := range codes {
		stopped[c.ID] = off[key{c.StoreID, affiliate.FoldCode(c.Code)}]
	}
	return stopped, nil
}

// together joins the wishes of a member that replace the same code in several stores: the new one is the same, too.
func together(wishes []wish) (list []wish) {
	type key struct {
		member affiliate.OfferMemberID
		folded string
	}
	at := map[key]int{}
	for _, w := range wishes {
		item := w.items[0]
		k := key{item.OfferMemberID, item.Folded}
		if i, ok := at[k]; ok && item.State == affiliate.ItemWaiting {
			list[i].items = append(list[i].items, item)
			continue
		}
		at[k] = len(list)
		list = append(list, w)
	}
	return list
}

// codes gives the codes that the run is about, with the members they belong to.
func (d *drafting) codes(ctx context.Context) (codes []affiliate.Code,
	members map[affiliate.OfferMemberID]storage.OfferMemberItem, err error) {
	members = map[affiliate.OfferMemberID]storage.OfferMemberItem{}
	for _, id := range d.in.Codes {
		code, err := d.app.DB.Code(ctx, id)
		if err != nil {
			return nil, nil, asField("codes", err)
		}
		owner, err := d.app.DB.OfferMember(ctx, code.OfferMemberID)
		if err != nil {
			return nil, nil, err
		}
		if owner.OfferID != d.offer.ID {
			return nil, nil, affiliate.ForPeople(affiliate.FieldErrorf("codes", "%s is not of %s; make a run for each "+
				"offer", id, d.offer.ID), "the codes are of several offers: choose those of one")
		}
		creator, err := d.app.DB.Creator(ctx, owner.CreatorID)
		if err != nil {
			return nil, nil, err
		}
		codes = append(codes, code)
		members[owner.ID] = storage.OfferMemberItem{ID: owner.ID, MemberID: owner.MemberID, CreatorID: creator.ID,
			Creator: creator.Name, Handle: creator.BestHandle()}
	}
	if len(d.in.Codes) > 0 {
		return codes, members, nil
	}
	list, err := d.members(ctx)
	if err != nil {
		return nil, nil, err
	}
	current, err := d.current(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	for _, m := range list {
		members[m.ID] = m
		for _, c := range current[m.ID] {
			within := slices.ContainsFunc(d.stores, func(s affiliate.Store) bool { return s.ID == c.StoreID })
			ending := d.in.Action == affiliate.CodeRefresh && !c.ValidTo.IsZero() // it was refreshed already
			if within && !ending {
				codes = append(codes, c)
			}
		}
	}
	return codes, members, nil
}

// takeOver makes an item for each code that is to become a member's.
func (d *drafting) takeOver(ctx context.Context) error {
	takes, err := d.in.Takes, error(nil)
	if takes == nil {
		if takes, err = d.certain(ctx); err != nil {
			return err
		}
	}
	store, seen := d.stores[0], map[string]bool{}
	for part := range slices.Chunk(takes, storage.MaxLimit) {
		var folded []string
		for _, t := range part {
			if err := affiliate.ValidateCode(affiliate.Clean(t.Code)); err != nil {
				return affiliate.FieldErrorf("takes", "%q is no code", affiliate.Clip(t.Code, 40))
			}
			folded = append(folded, affiliate.FoldCode(t.Code))
		}
		waiting, err := d.app.DB.OrdersWithCodes(ctx, store.ID, folded)
		if err != nil {
			return err
		}
		histories, err := d.app.DB.OwnedCodes(ctx, store.ID, folded)
		if err != nil {
			return err
		}
		for i, t := range part {
			if _, err := d.app.DB.OfferMember(ctx, t.OfferMember); err != nil {
				return asField("takes", err)
			}
			item := d.item(t.OfferMember, store.ID, affiliate.StepOwn)
			item.Code, item.Folded, item.Orders = affiliate.Clean(t.Code), folded[i], waiting[folded[i]]
			if seen[folded[i]] {
				return affiliate.FieldErrorf("takes", "name %s more than once", affiliate.Shown(item.Code))
			}
			seen[folded[i]] = true
			var history []affiliate.Code
			for _, c := range histories {
				if affiliate.FoldCode(c.Code) == folded[i] {
					history = append(history, c)
				}
			}
			if owned, ok := affiliate.Occupant(history, d.now); ok {
				item.State, item.Trouble = affiliate.ItemSkipped, "It belongs to somebody already."
				if owned.OfferMemberID == t.OfferMember {
					item.Trouble = "It is theirs already."
				}
			}
			d.items = append(d.items, item)
		}
	}
	return nil
}

// certain gives the store's codes of nobody that certainly are some member's.
func (d *drafting) certain(ctx context.Context) ([]Take, error) {
	var takes []Take
	cursor := ""
	var codes []string
	for {
		list, next, err := d.app.DB.CouponPage(ctx, storage.CouponFilter{Store: d.stores[0].ID,
			Set: storage.CouponsUnowned, Sort: storage.CouponsByCode}, d.now,
			storage.Page{Limit: storage.MaxLimit, Cursor: cursor})
		if err != nil {
			return nil, err
		}
		for _, c := range list {
			codes = append(codes, c.Code)
		}
		if cursor = next; cursor == "" {
			break
		}
	}
	matches, err := d.app.SuggestOwners(ctx, d.offer.ID, string(d.pattern), codes)
	if err != nil {
		return nil, err
	}
	for i, m := range matches {
		if m.Certain {
			takes = append(takes, Take{codes[i], m.Owner})
		}
	}
	return takes, nil
}

// SuggestOwners suggests whose codes are, among the current members of an offer, in the order of the codes.
func (a *App) SuggestOwners(ctx context.Context, offer affiliate.OfferID, pattern string,
	codes []string) ([]affiliate.CodeMatch, error) {
	var p affiliate.CodePattern
	if pattern != "" {
		var err error
		if p, err = affiliate.ParseCodePattern("pattern", pattern); err != nil {
			return nil, err
		}
	}
	members, err := storage.All(func(p storage.Page) ([]storage.OfferMemberItem, string, error) {
		return a.DB.OfferMemberPage(ctx, storage.OfferMemberSearch{Offer: offer}, a.now(), p)
	})
	if err != nil {
		return nil, err
	}
	handles, err := a.DB.HandlesOfOffer(ctx, offer)
	if err != nil {
		return nil, err
	}
	owners := make([]affiliate.PossibleOwner, len(members))
	for i, m := range members {
		owners[i] = affiliate.PossibleOwner{Member: m.ID, Name: m.Creator, Handles: handles[m.CreatorID]}
	}
	return affiliate.MatchCodes(codes, owners, p), nil
}

// sentenceOf gives an error that may be shown to people as a sentence.
func sentenceOf(err error) string {
	var e *affiliate.Error
	text := err.Error()
	if asError(err, &e) {
		text = e.Message
	}
	text = affiliate.Clip(text, 500)
	text = strings.ToUpper(text[:min(1, len(text))]) + text[min(1, len(text)):]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}
