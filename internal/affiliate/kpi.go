package affiliate

import "github.com/tributaryhq/tributary/internal/money"

// Sums are what reports add up over a range. Counts are of conversions; each is in exactly one of the six classes.
// Amounts are minor units of one currency, which stands beside them.
type Sums struct {
	Clicks      int64
	Conversions int64 // accepted: paid, and neither rejected nor held
	Linked      int64 // of the conversions, those credited by a link
	Pending     int64
	Canceled    int64
	Refunded    int64
	Held        int64
	Rejected    int64
	Sales       int64 // value of the accepted conversions
	Commissions int64 // earned by them
	Refunds     int64 // money that went back, of orders whose conversion is not rejected
	Payouts     int64 // paid to creators
}

// SumField is one of the numbers of Sums, with the name of its column in the tables of sums.
type SumField struct {
	Name string
	At   *int64
}

// sumFields is how many numbers Sums has. Fields is an array of so many, not a list, since that costs no memory: charts
// and lists add up by the ten thousand.
const sumFields = 12

// Fields lists the numbers. Whatever takes them one by one reads this list: adding, and the columns of SQL.
func (s *Sums) Fields() [sumFields]SumField {
	return [...]SumField{
		{"clicks", &s.Clicks},
		{"conversions", &s.Conversions},
		{"linked", &s.Linked},
		{"pending", &s.Pending},
		{"canceled", &s.Canceled},
		{"refunded", &s.Refunded},
		{"held", &s.Held},
		{"rejected", &s.Rejected},
		{"sales", &s.Sales},
		{"commissions", &s.Commissions},
		{"refunds", &s.Refunds},
		{"payouts", &s.Payouts},
	}
}

// SumNames gives the names of all fields in their order.
func SumNames() []string {
	var names []string
	for _, f := range new(Sums).Fields() {
		names = append(names, f.Name)
	}
	return names
}

// Plus adds two sums in the same currency.
func (s Sums) Plus(o Sums) Sums {
	more := o.Fields()
	for i, f := range s.Fields() {
		*f.At += *more[i].At
	}
	return s
}

// Negative is what takes sums away when it is added.
func (s Sums) Negative() Sums {
	for _, f := range s.Fields() {
		*f.At = -*f.At
	}
	return s
}

// Orders counts the conversions of all classes.
func (s Sums) Orders() int64 {
	return s.Conversions + s.Pending + s.Canceled + s.Refunded + s.Held + s.Rejected
}

// KPIs are the key figures of the account, a campaign, an offer or a creator over a range. A member is a creator in an
// offer: who is in two offers counts twice.
type KPIs struct {
	Sums
	Members                int64
	MembersWithConversions int64 // at least one accepted conversion in the range
	PaymentsDue            int64 // minor units; as of now, whatever the range
	MembersWithPaymentsDue int64 // as of now
}

// Fields lists all numbers with their names: those of the sums and the others.
func (k *KPIs) Fields() []SumField {
	sums := k.Sums.Fields()
	return append(sums[:],
		SumField{"members", &k.Members},
		SumField{"members_with_conversions", &k.MembersWithConversions},
		SumField{"payments_due", &k.PaymentsDue},
		SumField{"members_with_payments_due", &k.MembersWithPaymentsDue})
}

// Average is total ÷ n, rounded half away from zero; nil for n = 0.
func Average(total, n int64) *int64 {
	if n == 0 {
		return nil
	}
	average := money.MulDiv(total, 1, n)
	return &average
}

// Share is part ÷ whole in 1/10000, rounded half away from zero; nil for whole = 0.
func Share(part, whole int64) *int64 {
	if whole == 0 {
		return nil
	}
	share := money.MulDiv(part, RuleScale, whole)
	return &share
}

// Growth is by how much a figure grew since the period before, as a share of what it was then, in 1/10000: from 80 to
// 100 is 2500, from 100 to 80 is -2000. It is nil when there was nothing to grow from.
func Growth(now, before int64) *int64 {
	if before < 0 {
		return Share(now-before, -before)
	}
	return Share(now-before, before)
}

// GrowthOf is Growth for figures that may be undefined: nil when one of them is.
func GrowthOf(now, before *int64) *int64 {
	if now == nil || before == nil {
		return nil
	}
	return Growth(*now, *before)
}

// ROI is the return on a campaign's costs in 1/10000: the gross merchandise value of its accepted conversions ÷
// (product values + payments issued), all in one currency. It is nil, not infinite, while there is no cost.
func ROI(gmv, productValues, payments int64) *int64 { return Share(gmv, productValues+payments) }

// Payable is what of a balance may be paid out now. onHold is the sum of its entries that are not payable yet: money
// that is taken back counts at once, also where its entry has to wait.
func Payable(balance, onHold int64) int64 { return balance - max(0, onHold) }

// Due says whether a creator is to be paid: by their payable balance over all accounts, with the account's minimum.
func Due(payable, minimum int64) bool { return payable > 0 && payable >= minimum }
