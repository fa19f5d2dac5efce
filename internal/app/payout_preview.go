package app

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// PayoutLine is one of those to whom something is payable, or who owe, in a preview of a run.
type PayoutLine struct {
	storage.Payee
	Rail    affiliate.Rail
	Variant string            // of the rail's file
	Reason  affiliate.LeftOut // why they are not paid; empty: they are
}

// PayoutSum is what a preview's payouts of one rail and currency add up to.
type PayoutSum struct {
	Rail     affiliate.Rail
	Currency money.Currency
	Payouts  int64
	Amount   int64 // minor units of Currency
}

// LeftOutSum is what was left out for one reason in one currency.
type LeftOutSum struct {
	Reason   affiliate.LeftOut
	Currency money.Currency
	Creators int64
	Amount   int64
}

// MethodChoice is a method of the creators of a preview with the rails by which it can be paid.
type MethodChoice struct {
	Method  affiliate.PaymentMethod
	Rail    affiliate.Rail // that is chosen
	Rails   []affiliate.Rail
	Payouts int64
}

// PayoutPreview is what a run would pay, and to whom it would pay nothing. Nothing is changed by it.
type PayoutPreview struct {
	At       time.Time // of which moment it is
	Until    time.Time // only what was posted before is paid; zero: all
	Pay      []PayoutLine
	LeftOut  []PayoutLine
	Sums     []PayoutSum
	LeftSums []LeftOutSum
	Methods  []MethodChoice
	Totals   []PayoutSum // by currency, without rail
	// Fingerprint tells previews apart that would pay something else, or elsewhere.
	Fingerprint string
}

// PreviewPayouts says what SendPayouts would do now. Errors: Invalid for a filter or rails that cannot be, and for
// creators that there are not.
func (a *App) PreviewPayouts(ctx context.Context, in NewPayoutRun) (PayoutPreview, error) {
	settings, err := a.DB.SavedSettings(ctx)
	if err != nil {
		return PayoutPreview{}, err
	}
	if in, err = in.tidy(settings); err != nil {
		return PayoutPreview{}, err
	}
	return a.preview(ctx, a.DB, in, settings, a.now())
}

// payeeReader reads what is payable, in a transaction or outside of any.
type payeeReader interface {
	Payees(ctx context.Context, w storage.DueFilter, now time.Time) ([]storage.Payee, error)
	AskableStores(ctx context.Context) ([]storage.AskableStore, error)
}

func (a *App) preview(ctx context.Context, q payeeReader, in NewPayoutRun, s affiliate.Settings,
	now time.Time) (p PayoutPreview, err error) {
	p.At, p.Until = now, in.Filter.Until
	set, err := a.railSet(ctx, q, s)
	if err != nil {
		return p, err
	}
	filter := in.Filter
	asked := map[debt]bool{}
	if !in.All {
		filter = storage.DueFilter{Until: in.Filter.Until}
		for _, n := range in.Payouts {
			asked[n.debt()] = true
			if len(in.Payouts) <= storage.MaxLimit { // of more, all that is payable is looked through
				filter.Creators = append(filter.Creators, n.Creator)
			}
		}
	}
	payees, err := q.Payees(ctx, filter, now)
	if err != nil {
		return p, fmt.Errorf("read what is payable: %w", err)
	}
	excluded := map[affiliate.CreatorID]bool{}
	for _, id := range in.Exclude {
		excluded[id] = true
	}
	for _, payee := range payees {
		if !in.All && !asked[debt{payee.CreatorID, payee.Currency}] {
			continue
		}
		line := PayoutLine{Payee: payee}
		line.judge(in, s, set, excluded[payee.CreatorID], now)
		if line.Reason == "" {
			p.Pay = append(p.Pay, line)
		} else {
			p.LeftOut = append(p.LeftOut, line)
		}
	}
	p.addUp(in, set)
	return p, nil
}

// judge says by which rail a line is paid, or why it is not.
func (l *PayoutLine) judge(in NewPayoutRun, s affiliate.Settings, set affiliate.RailSet, excluded bool,
	now time.Time) {
	l.Rail = affiliate.RailElsewhere
	if !in.Elsewhere {
		l.Rail = cmp.Or(in.Rails[l.Method], set.Usual(l.Method))
	}
	switch {
	case excluded:
		l.Reason = affiliate.LeftExcluded
	case l.Amount < 0:
		l.Reason = affiliate.LeftNegative
	case !affiliate.Due(l.Amount, s.MinimumIn(l.Currency)):
		l.Reason = affiliate.LeftMinimum
	case !in.Elsewhere && l.Method == "":
		l.Reason = affiliate.LeftNoMethod
	case !in.Elsewhere && l.UsableAt.After(now):
		l.Reason = affiliate.LeftHeld
	default:
		l.Variant, l.Reason = set.Takes(l.Rail, affiliate.Payee{Method: l.Method, Country: l.Country,
			HasIBAN: l.HasIban, Recipient: l.Recipient, StoreID: l.StoreID}, l.Currency)
	}
}

// addUp adds the lines of a preview up.
func (p *PayoutPreview) addUp(in NewPayoutRun, set affiliate.RailSet) {
	sums, totals := map[PayoutSum]*PayoutSum{}, map[PayoutSum]*PayoutSum{}
	left := map[LeftOutSum]*LeftOutSum{}
	methods := map[affiliate.PaymentMethod]int64{}
	hash := sha256.New()
	for _, l := range p.Pay {
		for _, at := range []struct {
			in  map[PayoutSum]*PayoutSum
			key PayoutSum
		}{{sums, PayoutSum{Rail: l.Rail, Currency: l.Currency}}, {totals, PayoutSum{Currency: l.Currency}}} {
			sum := at.in[at.key]
			if sum == nil {
				sum = &PayoutSum{Rail: at.key.Rail, Currency: at.key.Currency}
				at.in[at.key] = sum
			}
			sum.Payouts++
			sum.Amount += l.Amount
		}
		fmt.Fprintf(hash, "%d %s %d %s %s %x\n", l.CreatorID, l.Currency, l.Amount, l.Rail, l.Variant, l.Details)
	}
	for _, l := range p.LeftOut {
		key := LeftOutSum{Reason: l.Reason, Currency: l.Currency}
		if left[key] == nil {
			left[key] = &LeftOutSum{Reason: l.Reason, Currency: l.Currency}
		}
		left[key].Creators++
		left[key].Amount += l.Amount
	}
	for _, list := range [][]PayoutLine{p.Pay, p.LeftOut} {
		for _, l := range list {
			if l.Method != "" && l.Amount > 0 {
				methods[l.Method]++
			}
		}
	}
	p.Fingerprint = hex.EncodeToString(hash.Sum(nil)[:16])
	p.Sums, p.Totals = sortedSums(sums), sortedSums(totals)
	for _, sum := range left {
		p.LeftSums = append(p.LeftSums, *sum)
	}
	slices.SortFunc(p.LeftSums, func(a, b LeftOutSum) int {
		return cmp.Or(cmp.Compare(a.Reason, b.Reason), cmp.Compare(a.Currency, b.Currency))
	})
	for _, m := range affiliate.Words[affiliate.PaymentMethod]() {
		if n := methods[m]; n > 0 && !in.Elsewhere {
			p.Methods = append(p.Methods, MethodChoice{m, cmp.Or(in.Rails[m], set.Usual(m)), m.Rails(), n})
		}
	}
}

func sortedSums(sums map[PayoutSum]*PayoutSum) (list []PayoutSum) {
	for _, sum := range sums {
		list = append(list, *sum)
	}
	slices.SortFunc(list, func(a, b PayoutSum) int {
		return cmp.Or(cmp.Compare(a.Rail, b.Rail), cmp.Compare(a.Currency, b.Currency))
	})
	return list
}

// railSet says what is set up here.
func (a *App) railSet(ctx context.Context, q payeeReader, s affiliate.Settings) (affiliate.RailSet, error) {
	set := affiliate.RailSet{PayPal: a.PayPal != nil, SEPA: s.SEPAAccount != "", Pain: s.SEPAVersion,
		Stores: map[affiliate.StoreID]money.Currency{}}
	stores, err := q.AskableStores(ctx)
	for _, store := range stores {
		if access := a.Platforms.Guide(store.Platform).Access; access.GivesCredit(strings.Fields(store.Missing)) {
			set.Stores[store.ID] = store.Currency
		}
	}
	return set, err
}
