package history

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sort"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/tributaryhq/tributary/integrations/shopify"
	"github.com/tributaryhq/tributary/integrations/woocommerce"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// tale is one order with all that ever happened to it.
type tale struct {
	serial    int // of all orders, from 0
	store     *store
	owner     *owner // nil: without a creator
	codeID    affiliate.CodeID
	click     *storage.Click // that led to it
	first     affiliate.Snapshot
	state     affiliate.OrderState
	view      affiliate.OrderView
	approvals affiliate.Approvals
	revision  int64
	changedAt time.Time
	earned    []earning
}

// earning is what a conversion's commission became at some moment, in minor units of the order's currency.
type earning struct {
	revision   int64
	at         time.Time
	commission int64
}

// fate is what becomes of an order.
type fate int

const (
	fateSold fate = iota
	fatePartlyRefunded
	fateRefunded
	fateCanceled
	fatePaidThenCanceled
	fatePending
	fateRejected
	fateHeld
	fateReleased
)

// fates is how often each happens, in a thousand.
var fates = [...]int{fateSold: 843, fatePartlyRefunded: 45, fateRefunded: 38, fateCanceled: 24, fatePaidThenCanceled: 6,
	fatePending: 20, fateRejected: 14, fateHeld: 7, fateReleased: 3}

func drawFate(r *rand.Rand) fate {
	n := r.IntN(1000)
	for f, often := range fates {
		if n -= often; n < 0 {
			return fate(f)
		}
	}
	return fateSold
}

// teller tells the orders of one day in the order in which they were placed.
type teller struct {
	*world
	random  *rand.Rand
	clicks  *rand.Rand
	day     day
	open    []int // campaigns that one may join on this day
	weights []float64
}

func (w *world) teller(i int) *teller {
	t := &teller{world: w, random: w.random(streamOrders, i), clicks: w.random(streamClicks, i), day: w.days[i]}
	sum := 0.0
	for i := range w.campaigns {
		c := &w.campaigns[i]
		if !c.StartsAt.After(t.day.start) && (c.EndsAt.IsZero() || !c.EndsAt.Before(t.day.end)) {
			sum += c.weight
			t.open, t.weights = append(t.open, i), append(t.weights, sum)
		}
	}
	return t
}

// tell makes up the day's orders one after the other.
func (t *teller) tell(each func(*tale) error) error {
	credited := make([]bool, t.day.orders())
	for i := range t.day.conversions {
		credited[i] = true
	}
	t.random.Shuffle(len(credited), func(i, j int) { credited[i], credited[j] = credited[j], credited[i] })
	for i, at := range t.day.times(t.random, len(credited)) {
		o := &tale{serial: t.day.firstOrder + i, first: affiliate.Snapshot{PlacedAt: at, Version: at.UnixMilli()}}
		if credited[i] {
			t.credit(o)
		} else {
			t.leave(o)
		}
		if err := each(o); err != nil {
			return err
		}
	}
	return nil
}

// pickOwner chooses somebody who sells at a moment; by is false for those that will not do.
func (t *teller) pickOwner(r *rand.Rand, at time.Time, fits func(*owner) bool) *owner {
	for {
		c := &t.campaigns[t.open[pick(r, t.weights)]]
		for range 4 {
			if o := &t.owners[c.first+pick(r, c.reach)]; o.sells(at) && fits(o) {
				return o
			}
		}
		for i := range c.reach { // the first member always sells
			if o := &t.owners[c.first+i]; o.sells(at) && fits(o) {
				return o
			}
		}
	}
}

// pick chooses an index by growing sums of weights.
func pick(r *rand.Rand, sums []float64) int {
	n := r.Float64() * sums[len(sums)-1]
	return min(sort.SearchFloat64s(sums, n), len(sums)-1)
}

func anybody(*owner) bool { return true }

// credit makes up an order of a creator.
func (t *teller) credit(o *tale) {
	r := t.random
	o.owner = t.pickOwner(r, o.first.PlacedAt, anybody)
	at := 0
	if len(o.owner.stores) > 1 && r.IntN(5) == 0 {
		at = 1
	}
	o.store = &t.stores[o.owner.stores[at]]
	what := drawFate(r)
	t.describe(o)
	byCode := o.owner.code != ""
	if byCode {
		o.codeID = o.owner.codeIDs[at]
		o.first.Codes = []string{o.owner.code}
	}
	if o.owner.slug != "" && (!byCode || r.IntN(4) == 0) {
		t.visit(o)
	}
	held := ""
	if what == fateHeld || what == fateReleased {
		o.first.CustomerHash, held = o.owner.EmailHash, affiliate.HeldSelfReferral
	}
	o.approvals = affiliate.Fresh(held)
	t.live(o, what)
}

// visit lets the customer come by the owner's link, up to three days before, and within the window.
func (t *teller) visit(o *tale) {
	r, n := t.random, &o.first
	slug := affiliate.LinkEvidence{Kind: affiliate.EvidenceSlug, Value: o.owner.slug, Source: "landing_site"}
	if o.store.Platform == woocommerce.Name {
		slug.Source = "session_entry"
	}
	ago := time.Duration(20+r.IntN(1200)) * time.Second
	if r.IntN(3) == 0 {
		ago += time.Duration(r.IntN((min(4, o.owner.WindowDays)-1)*24*3600+3600)) * time.Second
	}
	at := n.PlacedAt.Add(-ago)
	if r.IntN(8) == 0 || at.Before(o.owner.from) { // the click id was lost on the way
		n.Links = []affiliate.LinkEvidence{slug}
		return
	}
	o.click = t.newClick(r, o.owner, at, false)
	click := slug
	click.Kind, click.Value = affiliate.EvidenceClick, o.click.ID
	n.Links = []affiliate.LinkEvidence{click, slug}
}

func (t *teller) newClick(r *rand.Rand, o *owner, at time.Time, bot bool) *storage.Click {
	var id ulid.ULID
	_ = id.SetTime(ulid.Timestamp(at)) // fits until the year 10889
	random := [10]byte{}
	for i, n := 0, r.Uint64(); i < 8; i++ {
		random[i] = byte(n >> (8 * i))
	}
	random[8], random[9] = byte(r.Uint32()), byte(r.Uint32())
	_ = id.SetEntropy(random[:]) // ten bytes are right
	text := make([]byte, ulid.EncodedSize)
	_ = id.MarshalTextTo(text) // 26 bytes are right
	for i, b := range text {
		if b >= 'A' && b <= 'Z' {
			text[i] = b + 'a' - 'A'
		}
	}
	return &storage.Click{ID: string(text), LinkID: o.linkID, At: at, Day: affiliate.Day(at, t.zone),
		ReferrerHost: referrers[r.IntN(len(referrers))], Bot: bot, Visitor: hexadecimal(r)}
}

// hexadecimal makes up a keyed hash.
func hexadecimal(r *rand.Rand) string { return fmt.Sprintf("%016x%016x", r.Uint64(), r.Uint64()) }

// leave makes up an order that is nobody's: without a code, with one of the brand's own, or by a link of others.
func (t *teller) leave(o *tale) {
	r := t.random
	at := 0
	for at+1 < len(t.stores) && r.IntN(2) == 0 {
		at++
	}
	o.store = &t.stores[at]
	what := drawFate(r)
	switch what {
	case fateRejected, fateHeld, fateReleased:
		what = fateSold
	}
	t.describe(o)
	switch n := r.IntN(100); {
	case n < 45:
	case n < 88:
		o.first.Codes = []string{ownerless[r.IntN(len(ownerless))]}
	case n < 98:
		o.first.Links = []affiliate.LinkEvidence{{Kind: affiliate.EvidenceSlug, Value: "friend-" +
			strconv.Itoa(r.IntN(500)),
			Source: "landing_site"}}
	default:
		o.first.Test = true
	}
	t.live(o, what)
}

// describe fills in the goods and the customer.
func (t *teller) describe(o *tale) {
	r, n := t.random, &o.first
	n.Currency = o.store.Currency
	for items := 1 + min(r.IntN(5), r.IntN(5)); items > 0; items-- {
		n.Merchandise += o.store.price(int64(800+min(r.IntN(9000), r.IntN(9000))), n.Currency)
	}
	shipping := o.store.price([]int64{0, 0, 495, 495, 995}[r.IntN(5)], n.Currency)
	n.Total = n.Merchandise + money.MulDiv(n.Merchandise, 8, 100) + shipping
	n.CustomerHash, n.Country = hexadecimal(r), countries[r.IntN(len(countries))]
	n.Number = strconv.Itoa(10_000 + o.serial)
	if o.store.Platform == shopify.Name {
		n.Number = "#" + n.Number
	}
	n.RefundsComplete = o.store.Platform == woocommerce.Name
}

// words are what the stores call a status.
var words = map[affiliate.Platform]map[fate]string{
	shopify.Name: {fateSold: "paid", fatePartlyRefunded: "partially_refunded", fateRefunded: "refunded",
		fateCanceled: "voided", fatePending: "pending"},
	woocommerce.Name: {fateSold: "completed", fatePartlyRefunded: "completed", fateRefunded: "refunded",
		fateCanceled: "cancelled", fatePending: "on-hold"},
}

// live lets happen to an order what is its fate, as far as it has come by now.
func (t *teller) live(o *tale, what fate) {
	n := o.first
	word := words[o.store.Platform]
	learned := t.learned(n.PlacedAt, 0)
	switch what {
	case fatePending:
		n.Status, n.RawStatus = affiliate.StorePending, word[fatePending]
	case fateCanceled:
		n.Status, n.RawStatus, n.Canceled = affiliate.StoreCanceled, word[fateCanceled], true
	default:
		n.Status, n.RawStatus, n.PaymentDate, n.Captured = affiliate.StorePaid, word[fateSold], true, n.Total
	}
	t.merge(o, n, learned)
	switch what {
	case fatePartlyRefunded, fateRefunded:
		t.refund(o, n, what)
	case fatePaidThenCanceled:
		if at := t.learned(n.PlacedAt, 5); !at.After(t.plan.Now) {
			n.Status, n.RawStatus, n.Canceled, n.Version = affiliate.StoreCanceled, word[fateCanceled], true,
				at.UnixMilli()
			t.merge(o, n, at)
		}
	case fateRejected:
		if at := t.learned(n.PlacedAt, 20); !at.After(t.plan.Now) {
			o.approvals.Reject(author, "code was published on a coupon site", at)
			t.earn(o, at)
		}
	case fateReleased:
		if at := t.learned(n.PlacedAt, 10); !at.After(t.plan.Now) {
			if err := o.approvals.Release(author, at); err != nil {
				panic(err) // only a rejected one cannot be released
			}
			t.earn(o, at)
		}
	}
}

// learned is when we hear of what happens to an order within some days after it was placed. With no days it is at once.
func (t *teller) learned(placed time.Time, days int) time.Time {
	if days == 0 {
		at := placed.Add(time.Duration(1+t.random.IntN(20)) * time.Second)
		if at.After(t.plan.Now) {
			return t.plan.Now
		}
		return at
	}
	return placed.Add(time.Duration(60+t.random.IntN(days*24*3600)) * time.Second)
}

// refund gives back a part of an order, by its lines, or all of it.
func (t *teller) refund(o *tale, n affiliate.Snapshot, what fate) {
	at := t.learned(n.PlacedAt, 40)
	part := int64(20 + t.random.IntN(60))
	if at.After(t.plan.Now) {
		return
	}
	refund := affiliate.Refund{ID: strconv.Itoa(900_000_000 + o.serial), Version: at.UnixMilli(), At: at,
		Status: affiliate.RefundSettled, Currency: n.Currency, Amount: n.Total, ByLines: true, Lines: n.Merchandise}
	if what == fateRefunded {
		n.Status = affiliate.StoreRefunded
	} else {
		refund.Lines = money.MulDiv(n.Merchandise, part, 100)
		refund.Amount = refund.Lines + money.MulDiv(refund.Lines, 8, 100)
	}
	n.RawStatus, n.Version, n.Refunds = words[o.store.Platform][what], at.UnixMilli(), []affiliate.Refund{refund}
	t.merge(o, n, at)
}

// merge applies what the store tells, as a worker does.
func (t *teller) merge(o *tale, n affiliate.Snapshot, at time.Time) {
	h := fnv.New64a()
	fmt.Fprint(h, o.serial, n.Version, n.Status) // a hash is a writer that never fails
	n.Hash = fmt.Sprintf("%016x", h.Sum64())
	o.state = o.state.Merge(affiliate.Event{Snapshot: &n})
	o.view, _ = o.state.View(affiliate.OrderRules{})
	t.earn(o, at)
}

// earn notes what the conversion earns from now on.
func (t *teller) earn(o *tale, at time.Time) {
	o.revision++
	o.changedAt = at
	if o.owner != nil {
		o.earned = append(o.earned, earning{o.revision, at,
			affiliate.Commission(o.view.Currency, o.view.Value, o.owner.Rule, o.approvals.Approval, o.view.Status)})
	}
}

// rate gives the rate that holds for an order, zero when there is none, and the day on which it was published.
func (t *teller) rate(o *tale) storage.Quote {
	return t.quotes[storage.RateKey{From: o.store.Currency, To: t.settings.Currency, Day: t.day.text}]
}

// entries gives what the order posted to the ledger, without ids. Its sum is what the conversion earns in the end.
func (t *teller) entries(o *tale, conversion affiliate.ConversionID) (list []affiliate.LedgerEntry) {
	rate := t.rate(o).Rate
	if o.owner == nil || rate.IsZero() {
		return nil
	}
	account := o.owner.account()
	held := map[affiliate.Account]int64{}
	for _, e := range o.earned {
		amount := rate.Convert(e.commission, o.store.Currency, t.settings.Currency)
		for _, p := range affiliate.Differences(account, amount, held) {
			list = append(list, affiliate.LedgerEntry{CreatorID: account.CreatorID, CampaignID: account.CampaignID,
				OfferMemberID: account.OfferMemberID, ConversionID: conversion, Kind: p.Kind,
				Currency: t.settings.Currency, Amount: p.Amount, Cause: fmt.Sprintf("%s:%d:%s", conversion, e.revision,
					account.OfferMemberID),
				CreatedAt: e.at, PayableAt: e.at.AddDate(0, 0, t.settings.HoldDays)})
		}
		held[account] = amount
	}
	return list
}
