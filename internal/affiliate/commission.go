package affiliate

import (
	"math"

	"github.com/tributaryhq/tributary/internal/money"
)

// RuleScale is the unit of commission rates: 10 % is 1000, 7.25 % is 725.
const RuleScale = 10_000

// Rule is how a commission is computed: a share of the value, an amount per order, or both.
type Rule struct {
	Percent int64 `json:"percent"` // share of the value, in 1/10000
	Flat    int64 `json:"flat"`    // per order, in 1/10000 of the order currency's main unit (1.50 is 15000)
	Version int   `json:"version"` // grows with every change of the offer's or member's rule
}

// MaxPercent and MaxFlat bound a rule: 100 %, and a billion per order.
const (
	MaxPercent = RuleScale
	MaxFlat    = 1_000_000_000 * RuleScale
)

// Validate gives an error that names the field that is out of bounds.
func (r Rule) Validate() error {
	if r.Percent < 0 || r.Percent > MaxPercent {
		return FieldErrorf("commission_percent", "must be between 0 and 100")
	}
	if r.Flat < 0 || r.Flat > MaxFlat {
		return FieldErrorf("commission_flat", "must be between 0 and 1000000000")
	}
	return nil
}

// Commission is what a conversion earns now, in minor units of the order's currency: percent of the remaining value
// plus the flat amount, rounded once, half away from zero. It is 0 unless the order is paid and the conversion
// approved. The flat amount stays whole after a partial refund and is due on a paid order of 0.00.
func Commission(c money.Currency, value int64, r Rule, a Approval, s OrderStatus) int64 {
	if s != Paid || a != Approved {
		return 0
	}
	flat := r.Flat
	for range c.Digits() {
		flat = 10 * min(flat, math.MaxInt64/20) // of a currency with many digits
	}
	// Both parts in 1/10000 of a minor unit; money.MulDiv keeps the product from overflowing.
	whole, part := value/RuleScale*r.Percent, value%RuleScale*r.Percent
	return whole + money.MulDiv(part+flat, 1, RuleScale)
}
