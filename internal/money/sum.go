package money

import "cmp"

// Sum adds amounts with all the digits that a store wrote, so that they are rounded once and not each by itself: three
// lines of 3.3333 are 10.00. The zero value is nothing. Digits beyond the ninth after the currency's own are dropped.
type Sum struct {
	minor int64 // minor units, rounded down
	rest  int64 // 0 … restUnit − 1, in units of 10^-restDigits of a minor unit
}

// ParseSum reads a decimal string as Parse does, without rounding it.
func ParseSum(s string, c Currency) (Sum, error) {
	negative, n, rest, err := parse(s, c.Digits())
	if err != nil {
		return Sum{}, err
	}
	if negative {
		return Sum{-n, 0}.Minus(Sum{0, rest}), nil
	}
	return Sum{n, rest}, nil
}

// SumOf makes a sum of minor units.
func SumOf(minor int64) Sum { return Sum{minor: minor} }

// Plus adds.
func (s Sum) Plus(o Sum) Sum {
	s.minor, s.rest = s.minor+o.minor, s.rest+o.rest
	if s.rest >= restUnit {
		s.minor, s.rest = s.minor+1, s.rest-restUnit
	}
	return s
}

// Minus takes away.
func (s Sum) Minus(o Sum) Sum {
	s.minor, s.rest = s.minor-o.minor, s.rest-o.rest
	if s.rest < 0 {
		s.minor, s.rest = s.minor-1, s.rest+restUnit
	}
	return s
}

// Times multiplies by a number of units of at most 10^9. The result must stay within int64.
func (s Sum) Times(units int64) Sum {
	rest := s.rest * units
	return Sum{s.minor*units + rest/restUnit, rest % restUnit}
}

// Compare says which of two sums is greater, as cmp.Compare does.
func (s Sum) Compare(o Sum) int {
	return cmp.Or(cmp.Compare(s.minor, o.minor), cmp.Compare(s.rest, o.rest))
}

// Round gives minor units, half away from zero.
func (s Sum) Round() int64 {
	half := int64(restUnit / 2)
	if s.minor < 0 && s.rest > half || s.minor >= 0 && s.rest >= half {
		return s.minor + 1
	}
	return s.minor
}
