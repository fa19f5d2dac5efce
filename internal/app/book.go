package app

import (
	"context"
	"fmt"
	"reflect"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// book keeps conversions and the ledger: whatever changes a conversion enters it here, as it was and as it is to be.
// post reckons the commissions, converts them, saves the conversions, and posts what the ledger lacks. The orders of
// all conversions must be locked.
type book struct {
	tx       *storage.Tx
	settings affiliate.Settings
	now      time.Time
	pages    []bookPage
}

type bookPage struct {
	before   *storage.Conversion
	after    *storage.Conversion
	revision int64 // of the order; no two changes of a conversion have the same
}

func newBook(tx *storage.Tx, s affiliate.Settings, now time.Time) *book {
	return &book{tx: tx, settings: s, now: now}
}

// enter takes a change. before is nil for a new conversion.
func (b *book) enter(before, after *storage.Conversion, revision int64) {
	b.pages = append(b.pages, bookPage{before, after, revision})
}

// post writes all that was entered. The conversions then hold what was reckoned, and their ids.
func (b *book) post(ctx context.Context) error {
	if len(b.pages) == 0 {
		return nil
	}
	var existing []affiliate.ConversionID
	for _, p := range b.pages {
		if p.before != nil {
			existing = append(existing, p.before.ID)
		}
	}
	posted, err := b.tx.Posted(ctx, existing)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	firstPayable, err := b.tx.FirstPayable(ctx, existing)
	if err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	if err := b.reckon(ctx, posted); err != nil {
		return fmt.Errorf("reckon commissions: %w", err)
	}
	var changes []storage.ConversionChange
	for _, p := range b.pages {
		if p.before == nil || !reflect.DeepEqual(*p.before, *p.after) {
			changes = append(changes, storage.ConversionChange{Before: p.before, After: *p.after})
		}
	}
	if len(changes) == 0 {
		return nil
	}
	ids, err := b.tx.SaveConversions(ctx, changes, b.now)
	if err != nil {
		return fmt.Errorf("save conversions: %w", err)
	}
	var entries []affiliate.LedgerEntry
	for _, p := range b.pages {
		if p.after.ID == 0 {
			p.after.ID = ids[p.after.OrderID]
		}
		entries = append(entries, b.entries(*p.after, posted[p.after.ID], firstPayable[p.after.ID], p.revision)...)
	}
	if err := b.tx.AddLedger(ctx, entries); err != nil {
		return fmt.Errorf("post to the ledger: %w", err)
	}
	var members []affiliate.OfferMemberID
	for _, c := range changes {
		members = append(members, c.Rewarded()...)
	}
	if err := b.tx.WantRewards(ctx, distinct(members)); err != nil {
		return fmt.Errorf("have rewards reckoned: %w", err)
	}
	return nil
}

// reckon fills in what follows from value, approval, status and rates.
func (b *book) reckon(ctx context.Context, posted map[affiliate.ConversionID]map[affiliate.Account]int64) error {
	var keys []storage.RateKey
	for _, p := range b.pages {
		c := p.after
		c.Commission = 0
		if c.Credited {
			c.Commission = affiliate.Commission(c.Currency, c.Value, c.Rule(), c.Approval, c.Status)
		}
		if len(posted[c.ID]) == 0 {
			// nothing is posted: it may still follow the account
			c.LedgerCurrency, c.LedgerRate = b.settings.Currency, nil
		}
		keys = append(keys, c.RateKeys(b.settings.Currency)...)
		if c.LedgerCurrency != b.settings.Currency && c.LedgerRate == nil {
			keys = append(keys, storage.RateKey{From: c.Currency, To: c.LedgerCurrency, Day: c.RateDay()})
		}
	}
	quotes, err := b.tx.Quotes(ctx, keys)
	if err != nil {
		return err
	}
	for _, p := range b.pages {
		if err := b.convert(p.after, quotes); err != nil {
			return err
		}
	}
	return nil
}

// convert puts a conversion's amounts into the account's currency and the ledger's, each by the rate that was once
// found: refunds are converted by the rate of the sale.
func (b *book) convert(c *storage.Conversion, quotes map[storage.RateKey]storage.Quote) error {
	day := c.RateDay()
	if err := c.Convert(b.settings.Currency, quotes); err != nil {
		return err
	}
	switch q, ok := quotes[storage.RateKey{From: c.Currency, To: c.LedgerCurrency, Day: day}]; {
	case c.LedgerCurrency == c.AccountCurrency:
		c.LedgerRate = c.Rate
	case c.LedgerRate == nil && ok:
		rate := q.Rate.String()
		c.LedgerRate = &rate
	}
	c.LedgerCommission = 0
	if c.LedgerRate != nil {
		rate, err := money.ParseRate(*c.LedgerRate)
		if err != nil {
			return fmt.Errorf("%s has a rate that cannot be read: %w", c.ID, err)
		}
		c.LedgerCommission = rate.Convert(c.Commission, c.Currency, c.LedgerCurrency)
	}
	return nil
}

// entries gives what must be posted so that the ledger holds the conversion's commission. Nothing stays posted while it
// waits for an exchange rate. A conversion has one hold, from its first entry on: what changes it later is payable with
// that one, or at once, so that what is taken back never leaves the rest payable too early.
func (b *book) entries(c storage.Conversion, posted map[affiliate.Account]int64, firstPayable time.Time,
	revision int64) []affiliate.LedgerEntry {
	payable := b.now.AddDate(0, 0, b.settings.HoldDays)
	switch {
	case firstPayable.After(b.now):
		payable = firstPayable
	case !firstPayable.IsZero():
		payable = b.now
	}
	var entries []affiliate.LedgerEntry
	for _, p := range affiliate.Differences(c.Account(), c.LedgerCommission, posted) {
		entries = append(entries, affiliate.LedgerEntry{CreatorID: p.Account.CreatorID,
			CampaignID: p.Account.CampaignID, OfferMemberID: p.Account.OfferMemberID, ConversionID: c.ID, Kind: p.Kind,
			Currency: c.LedgerCurrency, Amount: p.Amount, Cause: fmt.Sprintf("%s:%d:%s", c.ID, revision,
				p.Account.OfferMemberID),
			CreatedAt: b.now, PayableAt: payable})
	}
	return entries
}

// revise changes conversions outside of a delivery, in one transaction: it locks their orders, reads them, lets change
// alter each, and posts. Live pages learn of it after the commit. It gives the conversions as they are then, in the
// order of ids; NotFound when one does not exist. after runs in the same transaction; it may be nil.
func (a *App) revise(ctx context.Context, ids []affiliate.ConversionID, change func(*storage.Conversion) error,
	after func(*storage.Tx, []storage.ConversionChange) error) ([]storage.Conversion, error) {
	var result []storage.Conversion
	err := a.DB.InTx(ctx, func(tx *storage.Tx) error {
		if err := tx.ShareCatalog(ctx); err != nil {
			return err
		}
		settings, err := tx.Settings(ctx)
		if err != nil {
			return err
		}
		list, err := tx.LockConversions(ctx, ids)
		if err != nil {
			return err
		}
		changes, err := reviseAll(ctx, newBook(tx, settings, a.now()), list, change)
		if err != nil {
			return err
		}
		for _, c := range changes {
			result = append(result, c.After)
		}
		if after != nil {
			if err := after(tx, changes); err != nil {
				return err
			}
		}
		a.announceConversions(tx, changes)
		return nil
	})
	return result, err
}

// reviseAll lets change alter conversions and posts what came of it.
func reviseAll(ctx context.Context, b *book, list []storage.Conversion,
	change func(*storage.Conversion) error) ([]storage.ConversionChange, error) {
	orders := make([]affiliate.OrderID, len(list))
	for i, c := range list {
		orders[i] = c.OrderID
	}
	revisions, err := b.tx.NextRevisions(ctx, orders)
	if err != nil {
		return nil, err
	}
	changes := make([]storage.ConversionChange, len(list))
	for i := range list {
		before := list[i]
		changes[i] = storage.ConversionChange{Before: &before, After: before}
		if err := change(&changes[i].After); err != nil {
			return nil, err
		}
		b.enter(&before, &changes[i].After, revisions[before.OrderID])
	}
	return changes, b.post(ctx)
}

// announceConversions tells open pages which conversions changed, once the transaction is committed.
func (a *App) announceConversions(tx *storage.Tx, changes []storage.ConversionChange) {
	var list []affiliate.Change
	for _, c := range changes {
		if !reflect.DeepEqual(*c.Before, c.After) {
			list = append(list, affiliate.Change{Store: c.After.StoreID, Order: c.After.OrderID,
				Campaign: c.After.CampaignID})
		}
	}
	a.announce(tx, list)
}

// announce tells open pages what changed, once the transaction is committed.
func (a *App) announce(tx *storage.Tx, changes []affiliate.Change) {
	if len(changes) > 0 {
		tx.AfterCommit(func() { a.Live.Publish(changes) })
	}
}
