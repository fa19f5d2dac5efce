package fakestore

import (
	"html"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// coupon is a code of the shop, with the discount that it gives.
type coupon struct {
	id            int64
	code          string // as the platform keeps it
	title         string // or description
	mark          string // by which whoever made it by the API knows it again
	discount      affiliate.Discount
	status        couponStatus
	made, updated time.Time
	extra         map[string]any // what else was sent, by the platform's names
	rule          *rule          // of a Shopify shop: what discount cannot say, and several codes may share
}

// couponStatus says whether a coupon can be used, beside its time.
type couponStatus string

const (
	inUse   couponStatus = ""
	stopped couponStatus = "stopped" // switched off, or a draft
	binned  couponStatus = "binned"  // in the trash
)

func (c *coupon) works(at time.Time) bool {
	d := c.discount
	return c.status == inUse && !d.StartsAt.After(at) && (d.EndsAt.IsZero() || at.Before(d.EndsAt))
}

// couponByCode finds one that is in use without regard to case, the newest of those with the same code.
func (s *Shop) couponByCode(code string) *coupon {
	for i := len(s.coupons) - 1; i >= 0; i-- {
		if c := s.coupons[i]; c.status == inUse && affiliate.FoldCode(c.code) == affiliate.FoldCode(code) {
			return c
		}
	}
	return nil
}

// uses is how many orders a code is on, but for canceled ones.
func (s *Shop) uses(code string) (n int64) {
	for _, o := range s.orders {
		for _, used := range o.Codes {
			if o.status != canceled && affiliate.FoldCode(used) == affiliate.FoldCode(code) {
				n++
			}
		}
	}
	return n
}

// MakeCoupon makes a code for a percentage, in hundredths of a percent, as somebody in the admin would.
func (s *Shop) MakeCoupon(code string, percent int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.now()
	s.coupons = append(s.coupons, &coupon{id: s.nextID(), code: code, made: at, updated: at,
		discount: affiliate.Discount{Kind: affiliate.DiscountPercent, Percent: percent, Combines: true}})
}

// EditCoupon changes what a code gives, as somebody in the admin would; without the code nothing happens.
func (s *Shop) EditCoupon(code string, edit func(*affiliate.Discount)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.couponByCode(code); c != nil {
		edit(&c.discount)
		c.updated = s.now()
	}
}

// StopCoupon switches a code off, as somebody in the admin would: a draft, where the platform has no switch.
func (s *Shop) StopCoupon(code string) { s.endCoupon(code, stopped) }

// TrashCoupon moves a code to the trash; it is gone for good where the platform has none.
func (s *Shop) TrashCoupon(code string) { s.endCoupon(code, binned) }

func (s *Shop) endCoupon(code string, as couponStatus) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.couponByCode(code)
	if c == nil {
		return
	}
	c.updated = s.now()
	if _, dated := s.face.(*shopify); dated && as == stopped { // there is no other switch
		c.discount.EndsAt = s.now().Truncate(time.Second)
		return
	}
	c.status = as
}

// CouponCodes are all codes that there are.
func (s *Shop) CouponCodes() (codes []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.coupons {
		codes = append(codes, c.code)
	}
	return codes
}

// CouponWorks says whether customers can use a code at a time.
func (s *Shop) CouponWorks(code string, at time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.couponByCode(code)
	return c != nil && c.works(at)
}

// CouponTruth is a coupon as the shop has it, whatever its API says.
type CouponTruth struct {
	ID, Code, Mark, Title string // the code without the platform's escapes
	Discount              affiliate.Discount
	Works                 bool // now
	Uses                  int64
}

// Coupons are all that there are, also stopped ones and those in the trash, in the order in which they were made.
func (s *Shop) Coupons() []CouponTruth {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]CouponTruth, 0, len(s.coupons))
	for _, c := range s.coupons {
		t := CouponTruth{ID: formatID(c.id), Code: html.UnescapeString(c.code), Mark: c.mark, Title: c.title,
			Discount: c.discount, Works: c.works(s.now()), Uses: s.uses(c.code)}
		if d := &t.Discount; d.Kind == affiliate.DiscountPercent {
			d.Amount = 0
		} else {
			d.Percent = 0
		}
		if d := &t.Discount; d.Amount != 0 || d.Minimum != 0 {
			d.Currency = s.Currency
		}
		list = append(list, t)
	}
	return list
}
