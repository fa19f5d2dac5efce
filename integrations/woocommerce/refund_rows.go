package woocommerce

import (
	"slices"
	"strings"

	"github.com/tributaryhq/tributary/integrations/jsonwalk"
	"github.com/tributaryhq/tributary/internal/money"
)

// units is how many units a row has: 1 where it does not say, or not in whole ones.
func units(quantity jsonwalk.Value) int64 {
	s := text(quantity)
	if n, err := money.ParseScaled(s, 0); err == nil && n > 1 && !strings.Contains(s, ".") {
		return n
	}
	return 1
}

// mostSums bounds the sums of rows that are looked at for an order's refunds: hundreds of different rows have too many.
const mostSums = 100_000

// rowsOf finds the merchandise of a refund of which only amount and tax are told: that of the rows whose sums they are.
// Whole rows come first, single units of a line only where no whole rows fit. It is not found where nothing fits, or
// where rows of different merchandise do. Where nothing else fits, what a
// coupon should have taken off is given back of the merchandise.
func (g *goods) rowsOf(amount, tax int64) (merchandise int64, found bool) {
	for _, divided := range []bool{false, true} {
		at, fits := g.sums(amount, divided)[sum{amount, tax}]
		if fits || g.budget <= 0 {
			return at.merchandise, fits && !at.several && g.budget > 0
		}
	}
	if tax == 0 && slices.Contains(g.missed, amount) {
		return amount, true
	}
	return 0, false
}

// sum is what a set of rows adds up to, with tax and the tax alone.
type sum struct{ gross, tax int64 }

// worth is the merchandise of the rows that add up to a sum; several when they differ in it.
type worth struct {
	merchandise int64
	several     bool
}

// sums gives the sums of all sets of rows, or of units of lines as well, up to an amount. It gives up when the budget
// is spent.
func (g *goods) sums(amount int64, divided bool) map[sum]worth {
	reached := map[sum]worth{{}: {}}
	for _, negative := range []bool{true, false} { // discounts first: what follows only grows
		for _, r := range g.rows {
			if r.gross < 0 == negative && g.budget > 0 {
				reached = g.extend(reached, r, amount, divided)
			}
		}
	}
	return reached
}

// extend adds the sums with one more row, or with some units of it.
func (g *goods) extend(reached map[sum]worth, r row, amount int64, divided bool) map[sum]worth {
	units := int64(1)
	if divided {
		units = r.units
	}
	next := make(map[sum]worth, 2*len(reached))
	for k := range units + 1 {
		// As the form for refunds in the store's admin reckons it: the shares of the units, net and tax rounded apart.
		// Half a cent goes up or down there (recording 116).
		net, tax := money.MulDiv(r.gross-r.tax, k, units), money.MulDiv(r.tax, k, units)
		nets := []int64{net}
		if (r.gross-r.tax)*k*2%(units*2) == units {
			nets = append(nets, net-1)
		}
		for _, net := range nets {
			for at, have := range reached {
				if g.budget--; g.budget <= 0 {
					return next
				}
				to := sum{at.gross + net + tax, at.tax + tax}
				if to.gross > amount {
					continue
				}
				one := worth{have.merchandise + min(money.MulDiv(r.merchandise, k, units), max(net, 0)), have.several}
				if r.merchandise < 0 {
					one.merchandise = have.merchandise + money.MulDiv(r.merchandise, k, units)
				}
				if old, ok := next[to]; ok {
					one.several = one.several || old.several || old.merchandise != one.merchandise
				}
				next[to] = one
			}
		}
	}
	return next
}
