package history

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// scribe turns tales into rows, and gives them away in heaps.
type scribe struct {
	*world
	rows storage.Rows
	give func(storage.Rows)
}

func (s *scribe) flush() {
	if len(s.rows.Orders)+len(s.rows.Clicks) > 0 {
		s.give(s.rows)
		s.rows = storage.Rows{}
	}
}

// write writes one day.
func (s *scribe) write(i int) error {
	t := s.teller(i)
	sold, entries := t.day.firstSale, t.day.firstEntry
	led := 0 // conversions that a click led to
	err := t.tell(func(o *tale) error {
		order, trace, err := s.order(t, o)
		if err != nil {
			return err
		}
		s.rows.Orders = append(s.rows.Orders, order)
		if o.owner == nil {
			s.unowned(order, o)
		} else {
			c, err := s.conversion(t, o, order, trace)
			if err != nil {
				return err
			}
			c.ID = s.firstID.conversion + affiliate.ConversionID(sold)
			sold++
			for _, e := range t.entries(o, c.ID) {
				c.LedgerCommission += e.Amount
				e.ID = s.firstID.entry + affiliate.LedgerEntryID(entries)
				entries++
				s.rows.LedgerEntries = append(s.rows.LedgerEntries, storage.LedgerRow{LedgerEntry: e,
					Day: affiliate.Day(e.CreatedAt, s.zone)})
				if run, settled := s.settledBy(e); settled {
					s.rows.RunEntries = append(s.rows.RunEntries, storage.RunEntry{Entry: e.ID, Run: run})
				}
			}
			s.rows.Conversions = append(s.rows.Conversions, c)
		}
		if o.click != nil {
			led++
			s.rows.Clicks = append(s.rows.Clicks, *o.click)
		}
		if len(s.rows.Orders) >= loadSize {
			s.flush()
		}
		return nil
	})
	if err != nil {
		return err
	}
	s.idleClicks(t, t.day.conversions*s.plan.Clicks-led)
	return nil
}

// order makes the row of an order with whose sale it is, and why.
func (s *scribe) order(t *teller, o *tale) (storage.Order, affiliate.Verdict, error) {
	v := o.view
	row := storage.Order{ID: s.firstID.order + affiliate.OrderID(o.serial), StoreID: o.store.ID, Revision: o.revision,
		Number: v.Number, Status: v.Status, Currency: v.Currency, Value: v.Value, OriginalValue: v.OriginalValue,
		Total: v.Total, Refunded: v.Refunded, RefundPending: v.RefundPending, Test: v.Test,
		PlacedAt: storage.At(v.PlacedAt), UpdatedAt: storage.At(v.UpdatedAt), Day: t.day.text,
		Evidence: v.EvidenceFingerprint(), ChangedAt: storage.At(o.changedAt)}
	row.SetDoubts(v.Doubts)
	row.ExternalID = externalID(o.store.Platform, row.ID)
	verdict := affiliate.Attribute(v, o.known())
	switch {
	case (verdict.Winner == nil) != (o.owner == nil), o.owner != nil &&
		verdict.Winner.OfferMemberID != o.owner.OfferMemberID:
		return row, verdict, fmt.Errorf("order %d is not credited as was planned: %s", o.serial,
			verdict.Trace.Sentences())
	case verdict.Winner == nil:
		row.NotCredited = &verdict.Reason
	}
	state, err := json.Marshal(o.state)
	if err != nil {
		return row, verdict, err
	}
	trace, err := json.Marshal(verdict.Trace)
	if err != nil {
		return row, verdict, err
	}
	codes, err := json.Marshal(append([]string{}, v.Codes...))
	row.State, row.Trace, row.Codes = string(state), string(trace), string(codes)
	return row, verdict, err
}

// externalID is the store's own id of an order, of about the length that its platform gives.
func externalID(p affiliate.Platform, id affiliate.OrderID) string {
	if p == shopify.Name {
		return strconv.FormatInt(7_000_000_000_000+int64(id)*17, 10)
	}
	return strconv.FormatInt(1_000_000+int64(id), 10)
}

// known is what the database knows of the evidence on an order.
func (o *tale) known() affiliate.Candidates {
	if o.owner == nil {
		return affiliate.Candidates{}
	}
	var k affiliate.Candidates
	if o.codeID != 0 {
		owner := affiliate.CodeOwner{CodeID: o.codeID, Code: o.owner.code, Membership: o.owner.Membership}
		k.Codes = map[string][]affiliate.CodeOwner{affiliate.FoldCode(o.owner.code): {owner}}
	}
	if len(o.view.Links) > 0 {
		k.Links = map[string]affiliate.LinkOwner{o.owner.slug: {LinkID: o.owner.linkID, Slug: o.owner.slug,
			Membership: o.owner.Membership}}
	}
	if o.click != nil {
		k.Clicks = map[string]affiliate.Click{o.click.ID: {ID: o.click.ID, Slug: o.owner.slug, At: o.click.At}}
	}
	return k
}

// unowned notes what was found on an order that is nobody's.
func (s *scribe) unowned(order storage.Order, o *tale) {
	if o.view.Test {
		return
	}
	note := func(kind, value string) {
		s.rows.Unowned = append(s.rows.Unowned, storage.UnownedEvidence{OrderID: order.ID, StoreID: order.StoreID,
			Kind: kind, Value: value})
	}
	for _, code := range o.view.Codes {
		note("code", affiliate.FoldCode(code))
	}
	for _, l := range o.view.Links {
		note("slug", l.Value)
	}
}

// conversion makes the row of a conversion, but for its id and what the ledger holds.
func (s *scribe) conversion(t *teller, o *tale, order storage.Order,
	verdict affiliate.Verdict) (storage.Conversion, error) {
	w := verdict.Winner
	c := storage.Conversion{OrderID: order.ID, StoreID: order.StoreID, CampaignID: w.CampaignID, CreatorID: w.CreatorID,
		OfferID: w.OfferID, OfferMemberID: w.OfferMemberID, Credited: true, Method: w.Method, CodeID: pointer(w.CodeID),
		LinkID: pointer(w.LinkID), ClickID: pointer(w.ClickID), Evidence: w.Evidence, Ambiguous: w.Ambiguous,
		Percent: w.Rule.Percent, Flat: w.Rule.Flat, RuleVersion: w.Rule.Version, Status: order.Status,
		Currency: order.Currency, Value: order.Value, OriginalValue: order.OriginalValue, Refunded: order.Refunded,
		Commission: o.earned[len(o.earned)-1].commission, AccountCurrency: s.settings.Currency,
		LedgerCurrency: s.settings.Currency, PlacedAt: order.PlacedAt, Day: order.Day}
	c.SetApprovals(o.approvals)
	if w.HeldReason != o.approvals.HeldReason {
		return c, fmt.Errorf("order %d is held for %q, not for %q as was planned", o.serial, w.HeldReason,
			o.approvals.HeldReason)
	}
	if q := t.rate(o); !q.Rate.IsZero() {
		rate := q.Rate.String()
		in := func(amount int64) *int64 { n := q.Rate.Convert(amount, c.Currency, s.settings.Currency); return &n }
		c.Rate, c.RateDate, c.LedgerRate = &rate, &q.Date, &rate
		c.AccountValue, c.AccountCommission, c.AccountRefunded = in(c.Value), in(c.Commission), in(c.Refunded)
	}
	return c, nil
}

func pointer[T comparable](v T) *T {
	var zero T
	if v == zero {
		return nil
	}
	return &v
}

// idleClicks adds clicks that led to nothing, a few of them made by programs.
func (s *scribe) idleClicks(t *teller, n int) {
	if n <= 0 {
		return
	}
	for _, at := range t.day.times(t.clicks, n) {
		o := t.pickOwner(t.clicks, at, func(o *owner) bool { return o.slug != "" })
		s.rows.Clicks = append(s.rows.Clicks, *t.newClick(t.clicks, o, at, t.clicks.IntN(12) == 0))
	}
	slices.SortFunc(s.rows.Clicks, func(a, b storage.Click) int { return time.Time.Compare(a.At, b.At) })
}
