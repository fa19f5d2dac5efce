package simulate

import (
	"strconv"
	"time"
)

// writer appends JSON to a buffer. It does not escape: the generator's own words need no escaping.
type writer struct {
	b        []byte
	currency string
	digits   int
}

func (w *writer) raw(s string) *writer {
	w.b = append(w.b, s...)
	return w
}

func (w *writer) int(n int64) *writer {
	w.b = strconv.AppendInt(w.b, n, 10)
	return w
}

func (w *writer) bool(v bool) *writer {
	w.b = strconv.AppendBool(w.b, v)
	return w
}

// text writes a quoted string.
func (w *writer) text(s string) *writer {
	w.b = append(append(append(w.b, '"'), s...), '"')
	return w
}

// amount writes minor units as a decimal without quotes.
func (w *writer) amount(n int64) *writer {
	if n < 0 {
		w.b = append(w.b, '-')
		n = -n
	}
	unit := int64(1)
	for range w.digits {
		unit *= 10
	}
	w.b = strconv.AppendInt(w.b, n/unit, 10)
	if w.digits == 0 {
		return w
	}
	w.b = append(w.b, '.')
	for unit /= 10; unit > 0; unit /= 10 {
		w.b = append(w.b, byte('0'+n/unit%10))
	}
	return w
}

// money writes minor units as a quoted decimal.
func (w *writer) money(n int64) *writer {
	w.b = append(w.b, '"')
	w.amount(n)
	w.b = append(w.b, '"')
	return w
}

// set writes one of Shopify's "_set" fields: the amount in the shop's currency and in the customer's.
func (w *writer) set(n int64) *writer {
	w.raw(`{"shop_money":{"amount":`).money(n).raw(`,"currency_code":`).text(w.currency)
	return w.raw(`},"presentment_money":{"amount":`).money(n).raw(`,"currency_code":`).text(w.currency).raw(`}}`)
}

// both writes a field and its "_set" twin, as Shopify does.
func (w *writer) both(name string, n int64) *writer {
	w.raw(`,"`).raw(name).raw(`":`).money(n)
	return w.raw(`,"`).raw(name).raw(`_set":`).set(n)
}

func (w *writer) time(at time.Time, layout string) *writer {
	w.b = append(w.b, '"')
	w.b = at.AppendFormat(w.b, layout)
	w.b = append(w.b, '"')
	return w
}
