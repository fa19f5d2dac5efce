package affiliate

import (
	"cmp"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

const (
	wholePercent  = 100_00 // 100 %, in units of Discount.Percent
	mostUses      = 1_000_000_000
	mostLimits    = 250 // ids of products, or of collections, in one store
	longestIDText = 20  // digits of an id
)

// Validate gives an error that names the field that is wrong: discount, percent, amount, currency, minimum,
// usage_limit, starts_at, ends_at or limits. No discount at all is right.
func (d OfferDiscount) Validate() error {
	if d.None() {
		return nil
	}
	if d.Kind == "" {
		return FieldErrorf("discount", "has conditions, and gives nothing; say whether it is %s, and how much",
			WordList[DiscountKind]())
	}
	for _, check := range []func() error{d.validGift, d.validCurrency, d.validTimes, d.validLimits} {
		if err := check(); err != nil {
			return err
		}
	}
	if d.UsageLimit < 0 || d.UsageLimit > mostUses {
		return FieldErrorf("usage_limit", "must be between 1 and %d, or 0 for no limit", mostUses)
	}
	return nil
}

// validGift checks what it gives.
func (d OfferDiscount) validGift() error {
	switch d.Kind {
	case DiscountPercent:
		switch {
		case d.Percent <= 0 || d.Percent > wholePercent:
			return FieldErrorf("percent", "must be more than 0 and at most 100")
		case d.Amount != 0:
			return FieldErrorf("amount", "does not go with a discount in percent; leave it out, or say that the "+
				"discount is %s", DiscountFixed)
		}
	case DiscountFixed:
		switch {
		case d.Amount <= 0 || d.Amount > money.Limit:
			return FieldErrorf("amount", "must be more than 0")
		case d.Percent != 0:
			return FieldErrorf("percent", "does not go with a discount of an amount; leave it out, or say that the "+
				"discount is %s", DiscountPercent)
		}
	}
	return CheckWord("discount", d.Kind)
}

// validCurrency checks the least order, and the currency of amounts.
func (d OfferDiscount) validCurrency() error {
	if d.Minimum < 0 || d.Minimum > money.Limit {
		return FieldErrorf("minimum", "must not be negative; 0 is for any order")
	}
	if d.Amount == 0 && d.Minimum == 0 {
		if d.Currency != "" {
			return FieldErrorf("currency", "is of an amount or a smallest order, and there is neither; leave it out")
		}
		return nil
	}
	c, err := ParseCurrency("currency", string(d.Currency))
	if err == nil && c != d.Currency {
		err = FieldErrorf("currency", "must be %q", c)
	}
	return err
}

func (d OfferDiscount) validTimes() error {
	for _, t := range []struct {
		field string
		at    time.Time
	}{{"starts_at", d.StartsAt}, {"ends_at", d.EndsAt}} {
		if year := t.at.UTC().Year(); !t.at.IsZero() && (year < 2000 || year > 2999) {
			return FieldErrorf(t.field, "must be a time of the years 2000 to 2999")
		}
	}
	if !d.EndsAt.IsZero() && !d.EndsAt.After(d.StartsAt) {
		return FieldErrorf("ends_at", "must be after starts_at (%s)", d.StartsAt.UTC().Format(time.RFC3339))
	}
	return nil
}

func (d OfferDiscount) validLimits() error {
	if len(d.Products) > 0 || len(d.Collections) > 0 {
		return FieldErrorf("limits", "must say of which store products and collections are; ids are its own")
	}
	seen := map[StoreID]bool{}
	for _, l := range d.Limits {
		switch {
		case l.Store <= 0:
			return FieldErrorf("limits", "must say of which store they are")
		case seen[l.Store]:
			return FieldErrorf("limits", "has %s twice; put its products and collections together", l.Store)
		case len(l.Products) == 0 && len(l.Collections) == 0:
			return FieldErrorf("limits", "has neither products nor collections of %s; leave the store out when the "+
				"discount is for all that it sells", l.Store)
		}
		seen[l.Store] = true
		for _, ids := range [][]string{l.Products, l.Collections} {
			if err := validStoreIDs(ids); err != nil {
				return err
			}
		}
	}
	return nil
}

// validStoreIDs checks ids of products or of collections.
func validStoreIDs(ids []string) error {
	if len(ids) > mostLimits {
		return FieldErrorf("limits", "must not have more than %d products, nor collections, of one store; make a "+
			"collection of them in the store's admin", mostLimits)
	}
	for i, id := range ids {
		switch {
		case id == "" || len(id) > longestIDText || strings.Trim(id, "0123456789") != "" || id[0] == '0':
			return FieldErrorf("limits", "%q is not the id of a product or a collection, which is a number such as "+
				"812345", Clip(id, 40))
		case slices.Contains(ids[:i], id):
			return FieldErrorf("limits", "has %s twice; leave one of them out", id)
		}
	}
	return nil
}

// None says whether it is no discount.
func (d OfferDiscount) None() bool { return reflect.DeepEqual(d.tidy(), OfferDiscount{}) }

// tidy gives the discount in its one form: ids ascending, times in UTC, and what is empty nil.
func (d OfferDiscount) tidy() OfferDiscount {
	d.Discount = d.Discount.tidy()
	limits := d.Limits
	d.Limits = nil
	for _, l := range limits {
		d.Limits = append(d.Limits, StoreLimit{l.Store, sortedIDs(l.Products), sortedIDs(l.Collections)})
	}
	slices.SortFunc(d.Limits, func(a, b StoreLimit) int { return cmp.Compare(a.Store, b.Store) })
	return d
}

func (d Discount) tidy() Discount {
	d.Products, d.Collections = sortedIDs(d.Products), sortedIDs(d.Collections)
	for _, t := range []*time.Time{&d.StartsAt, &d.EndsAt} {
		if *t = t.UTC(); t.IsZero() {
			*t = time.Time{}
		}
	}
	return d
}

// sortedIDs gives ids in ascending order, as numbers.
func sortedIDs(ids []string) []string {
	if len(ids) == 0 {
		return nil
	}
	ids = slices.Clone(ids)
	slices.SortFunc(ids, func(a, b string) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return ids
}

// In gives the discount as one store is to have it. Amounts cannot be converted: the error says that the store sells in
// another currency, and the remedy.
func (d OfferDiscount) In(s Store) (Discount, error) {
	if d.Currency != "" && d.Currency != s.Currency {
		what := "the discount is an amount in"
		if d.Kind == DiscountPercent {
			what = "the discount's smallest order is in"
		}
		return Discount{}, FieldErrorf("currency", "%s %s, and the store %s sells in %s; give a percentage without a "+
			"smallest order, or make an offer in %s for this store", what, d.Currency, s.Name, s.Currency, s.Currency)
	}
	in := d.Discount
	for _, l := range d.Limits {
		if l.Store == s.ID {
			in.Products, in.Collections = l.Products, l.Collections
		}
	}
	return in.tidy(), nil
}

// Sentence says what it gives, with times of a zone: "10 % off orders from 20.00 EUR, once per customer, until 31 Dec
// 2026". Its numbers are marked: see money.Marked.
func (d Discount) Sentence(zone *time.Location) string {
	if d.Kind == "" {
		return "no discount"
	}
	parts := []string{d.gift() + " off"}
	if d.Minimum > 0 {
		parts[0] += " " + d.orders()
	}
	if of := d.things(); of != "" {
		parts = append(parts, "for "+of)
	}
	if d.OncePerCustomer {
		parts = append(parts, d.customers())
	}
	if d.UsageLimit > 0 {
		parts = append(parts, d.uses())
	}
	if !d.StartsAt.IsZero() {
		parts = append(parts, d.start(zone))
	}
	if !d.EndsAt.IsZero() {
		parts = append(parts, d.end(zone))
	}
	if d.Combines {
		parts = append(parts, d.others())
	}
	return strings.Join(parts, ", ")
}

// Differences says in what two discounts differ, one short sentence each, with times of a zone: "10 % here, 20 % in the
// store". It is empty when they give the same. Their numbers are marked: see money.Marked.
//
// Where ours has no start, the store's is not looked at: Shopify gives each discount one, the moment in which it was
// made.
func (ours Discount) Differences(theirs Discount, zone *time.Location) (list []string) {
	differ := func(here, there string) {
		if here != there {
			list = append(list, here+" here, "+there+" in the store")
		}
	}
	differ(ours.gift(), theirs.gift())
	differ(ours.orders(), theirs.orders())
	differ(ours.customers(), theirs.customers())
	differ(ours.uses(), theirs.uses())
	// Where clocks are set back, two times read the same.
	differAt := func(here, there time.Time, text func(Discount, *time.Location) string) {
		if in := zone; here.Unix() != there.Unix() {
			if text(ours, in) == text(theirs, in) {
				in = time.UTC
			}
			differ(text(ours, in), text(theirs, in))
		}
	}
	if !ours.StartsAt.IsZero() {
		differAt(ours.StartsAt, theirs.StartsAt, Discount.start)
	}
	differAt(ours.EndsAt, theirs.EndsAt, Discount.end)
	differ(ours.others(), theirs.others())
	ours, theirs = ours.tidy(), theirs.tidy()
	if slices.Equal(ours.Products, theirs.Products) && slices.Equal(ours.Collections, theirs.Collections) {
		return list
	}
	here, there := ours.sold(), theirs.sold()
	if here == there {
		there = "others"
	}
	differ(here, there)
	return list
}

// gift is what it gives: "10 %", "5.00 EUR".
func (d Discount) gift() string {
	switch d.Kind {
	case DiscountPercent:
		return money.Marked(trimDecimals(FormatPercent(d.Percent))) + " %"
	case DiscountFixed:
		return markedAmount(d.Amount, d.Currency)
	}
	return "no discount"
}

func markedAmount(minor int64, c money.Currency) string {
	return money.Marked(money.Format(minor, c)) + " " + c.Code()
}

// orders are those that it is given on.
func (d Discount) orders() string {
	if d.Minimum == 0 {
		return "any order"
	}
	return "orders from " + markedAmount(d.Minimum, d.Currency)
}

func (d Discount) customers() string {
	if d.OncePerCustomer {
		return "once per customer"
	}
	return "as often as a customer likes"
}

func (d Discount) uses() string {
	switch d.UsageLimit {
	case 0:
		return "without a limit"
	case 1:
		return "once in all"
	}
	return markedCount(d.UsageLimit) + " times in all"
}

func (d Discount) start(zone *time.Location) string {
	if d.StartsAt.IsZero() {
		return "from the beginning"
	}
	text := "from " + d.StartsAt.In(zone).Format("2 Jan 2006")
	if !startsDay(d.StartsAt, zone) {
		text += clock(d.StartsAt, zone)
	}
	return text
}

// end names the last day where the end is the start of the next one.
func (d Discount) end(zone *time.Location) string {
	switch {
	case d.EndsAt.IsZero():
		return "without an end"
	case startsDay(d.EndsAt, zone):
		return "until " + d.EndsAt.Add(-time.Second).In(zone).Format("2 Jan 2006")
	}
	return "until " + d.EndsAt.In(zone).Format("2 Jan 2006") + clock(d.EndsAt, zone)
}

func (d Discount) others() string {
	if d.Combines {
		return "together with other discounts"
	}
	return "not with other discounts"
}

// things are what it is for: "2 products and 1 collection"; empty for all.
func (d Discount) things() string {
	var list []string
	for _, c := range []struct {
		n         int
		one, many string
	}{{len(d.Products), "product", "products"}, {len(d.Collections), "collection", "collections"}} {
		switch {
		case c.n == 1:
			list = append(list, markedCount(1)+" "+c.one)
		case c.n > 1:
			list = append(list, markedCount(int64(c.n))+" "+c.many)
		}
	}
	return strings.Join(list, " and ")
}

func (d Discount) sold() string {
	if of := d.things(); of != "" {
		return "for " + of
	}
	return "for all products"
}

// startsDay says whether a day begins at a time, to the second.
func startsDay(t time.Time, zone *time.Location) bool {
	t = t.Truncate(time.Second)
	return Day(t, zone) != Day(t.Add(-time.Second), zone)
}

// clock is the time of the day, behind a day: ", 15:04", with seconds only where there are some.
func clock(t time.Time, zone *time.Location) string {
	if t.Second() == 0 {
		return t.In(zone).Format(", 15:04")
	}
	return t.In(zone).Format(", 15:04:05")
}

// ParseOfferDiscount reads a discount as it is kept: JSON, empty for none. It does not validate.
func ParseOfferDiscount(text string) (d OfferDiscount, err error) {
	if text == "" {
		return d, nil
	}
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		return OfferDiscount{}, FieldErrorf("discount", "cannot be read: %v", err)
	}
	if d = d.tidy(); max(d.StartsAt.Year(), d.EndsAt.Year()) > 9999 { // in UTC, which JSON cannot say
		return OfferDiscount{}, FieldErrorf("discount", "has a time beyond the year 9999; give an earlier one")
	}
	return d, nil
}

// Text gives the discount as it is kept, the same text for discounts that give the same; empty for none.
func (d OfferDiscount) Text() string {
	if d.None() {
		return ""
	}
	text, err := json.Marshal(d.tidy())
	if err != nil {
		panic(fmt.Sprintf("a discount: %v", err)) // of a time that neither Validate nor ParseOfferDiscount takes
	}
	return string(text)
}
