package affiliate

import (
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// DiscountKind is how a discount is reckoned.
type DiscountKind string

const (
	DiscountPercent DiscountKind = "percent" // a share of the price
	DiscountFixed   DiscountKind = "fixed"   // an amount off the order
)

// Words lists the kinds there are.
func (DiscountKind) Words() []DiscountKind { return []DiscountKind{DiscountPercent, DiscountFixed} }

// Discount is what a code gives to the customer who enters it, in one store. Its zero value is none.
type Discount struct {
	Kind            DiscountKind   `json:"kind"`
	Percent         int64          `json:"percent,omitempty"`  // 1/10000: 1250 is 12.5 %
	Amount          int64          `json:"amount,omitempty"`   // minor units of Currency, off the whole order
	Currency        money.Currency `json:"currency,omitempty"` // of Amount and Minimum; empty where neither is set
	Minimum         int64          `json:"minimum,omitempty"`  // minor units: what the order must come to; 0: anything
	OncePerCustomer bool           `json:"once_per_customer,omitempty"`
	UsageLimit      int64          `json:"usage_limit,omitempty"` // over all customers; 0: none
	StartsAt        time.Time      `json:"starts_at,omitzero"`    // zero: from the beginning
	EndsAt          time.Time      `json:"ends_at,omitzero"`      // zero: without an end
	Combines        bool           `json:"combines,omitempty"`    // with other discounts
	// Products and Collections are the store's own ids of what it is for, as decimal strings in ascending order. With
	// both empty it is for all. WooCommerce calls collections categories.
	Products    []string `json:"products,omitempty"`
	Collections []string `json:"collections,omitempty"`
}

// OfferDiscount is what the codes of an offer give: the same in all stores, but for the products it is for.
type OfferDiscount struct {
	Discount
	Limits []StoreLimit `json:"limits,omitempty"`
}

// StoreLimit is what a discount is for in one store, by the store's own ids.
type StoreLimit struct {
	Store       StoreID  `json:"store"`
	Products    []string `json:"products,omitempty"`
	Collections []string `json:"collections,omitempty"`
}

// Coupon is a code as it stands in a store, with the discount that it gives there.
type Coupon struct {
	ID       string // the store's, of what is changed when the code is: of a discount, where the store has those
	Code     string // as the store writes it
	Discount Discount
	// Other is what the discount is in the store's words, where Discount cannot say it: "free shipping", "buy X get
	// Y". Discount then has what is known of it. Such a coupon is never changed but for its end.
	Other string
	Mark  string // that we made it with; empty where we did not
	Title string // or description, as people wrote it
	// Stopped says that the store takes it from nobody, whatever its time: it is switched off, a draft, in the trash.
	// One whose EndsAt has passed is not stopped for that.
	Stopped bool
	// Shared says that other codes have the same discount in the store: changing it changes theirs.
	Shared    bool
	Uses      int64     // how often the store counted it
	MadeAt    time.Time // by the store's clock, UTC
	ChangedAt time.Time // likewise
}

// Works says whether customers can use it at a time.
func (c Coupon) Works(at time.Time) bool {
	d := c.Discount
	return !c.Stopped && !d.StartsAt.After(at) && (d.EndsAt.IsZero() || at.Before(d.EndsAt))
}

// CouponPage is one answer with coupons.
type CouponPage struct {
	Coupons []Coupon
	Next    string // continues after this page, also in another process; empty after the last one
}

// NewCoupon is a code to be made in a store.
type NewCoupon struct {
	Code     string
	Mark     string // stands in the store's own record, so that it is known again
	Title    string // for people who read the store's admin: "Anna Keller · Spring"
	Discount Discount
}

// CouponStep is one change of a coupon in a store.
type CouponStep string

const (
	CouponStop     CouponStep = "stop"     // it ends at Until, or at once; the code stays taken
	CouponStart    CouponStep = "start"    // it works again, until Discount.EndsAt
	CouponDiscount CouponStep = "discount" // it gives Discount, all of it
)

// CouponChange is one change of one coupon.
type CouponChange struct {
	Coupon   Coupon // as it was read last; ID says which it is
	Step     CouponStep
	Until    time.Time // of CouponStop; zero: now, by the store's clock
	Discount Discount  // of CouponStart and CouponDiscount
}

// CouponOutcome is what became of one coupon.
type CouponOutcome struct {
	Coupon Coupon // as the store has it now; with Err what is known of it
	Err    error  // of this coupon alone; its codes are those below
}

// Codes of the errors about one coupon. Each message is a sentence with its remedy.
const (
	CouponTaken   = "coupon_taken"   // there is such a code already, which is not the one with our mark
	CouponGone    = "coupon_gone"    // the store has it no more
	CouponRefused = "coupon_refused" // the store does not take it as it is: too long, a wrong end, too many
)
