package fakestore

import (
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// coupon is a code of the shop, or a discount with one code.
type coupon struct {
	id            int64
	code          string // as the platform keeps it
	title         string // or description
	percent       int64  // hundredths of a percent
	starts, ends  time.Time
	made, updated time.Time
	extra         map[string]any // what else was sent, by the platform's names
}

// couponByCode finds one without regard to case.
func (s *Shop) couponByCode(code string) *coupon {
	for _, c := range s.coupons {
		if affiliate.FoldCode(c.code) == affiliate.FoldCode(code) {
			return c
		}
	}
	return nil
}

// uses is how many orders a code is on.
func (s *Shop) uses(code string) (n int64) {
	for _, o := range s.orders {
		for _, used := range o.Codes {
			if strings.EqualFold(used, code) {
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
	s.coupons = append(s.coupons,
		&coupon{id: s.nextID(), code: code, percent: percent, starts: at, made: at, updated: at})
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
