package affiliate

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/money"
)

// inUTC reads a time.
func inUTC(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestOfferDiscount_Validate(t *testing.T) {
	at := inUTC(t, "2026-12-01T00:00:00Z")
	of := func(change func(d *OfferDiscount)) OfferDiscount {
		d := OfferDiscount{Discount: Discount{Kind: DiscountPercent, Percent: 10_00}}
		change(&d)
		return d
	}
	amount := func(d *OfferDiscount) {
		d.Kind, d.Percent, d.Amount, d.Currency = DiscountFixed, 0, 5_00, "EUR"
	}
	limited := func(limits ...StoreLimit) OfferDiscount { return of(func(d *OfferDiscount) { d.Limits = limits }) }
	many := make([]string, mostLimits+1)
	for i := range many {
		many[i] = "1" + strings.Repeat("0", i%19)
	}
	for name, c := range map[string]struct {
		d     OfferDiscount
		field string // of the error; empty: none
	}{
		"none":                    {OfferDiscount{}, ""},
		"a percentage":            {of(func(*OfferDiscount) {}), ""},
		"all":                     {of(func(d *OfferDiscount) { d.Percent = 100_00 }), ""},
		"an amount":               {of(amount), ""},
		"a smallest order":        {of(func(d *OfferDiscount) { d.Minimum, d.Currency = 20_00, "EUR" }), ""},
		"limits":                  {limited(StoreLimit{1, []string{"1"}, nil}, StoreLimit{2, nil, []string{"1"}}), ""},
		"times":                   {of(func(d *OfferDiscount) { d.StartsAt, d.EndsAt = at, at.Add(time.Second) }), ""},
		"conditions alone":        {OfferDiscount{Discount: Discount{OncePerCustomer: true}}, "discount"},
		"another kind":            {of(func(d *OfferDiscount) { d.Kind = "gift" }), "discount"},
		"no percentage":           {of(func(d *OfferDiscount) { d.Percent = 0 }), "percent"},
		"a negative percentage":   {of(func(d *OfferDiscount) { d.Percent = -1 }), "percent"},
		"more than all":           {of(func(d *OfferDiscount) { d.Percent = 100_01 }), "percent"},
		"both, in percent":        {of(func(d *OfferDiscount) { d.Amount, d.Currency = 1, "EUR" }), "amount"},
		"both, an amount":         {of(func(d *OfferDiscount) { amount(d); d.Percent = 1 }), "percent"},
		"no amount":               {of(func(d *OfferDiscount) { amount(d); d.Amount = 0 }), "amount"},
		"endless":                 {of(func(d *OfferDiscount) { amount(d); d.Amount = money.Limit + 1 }), "amount"},
		"no currency":             {of(func(d *OfferDiscount) { amount(d); d.Currency = "" }), "currency"},
		"a currency of nothing":   {of(func(d *OfferDiscount) { d.Currency = "EUR" }), "currency"},
		"a small currency":        {of(func(d *OfferDiscount) { amount(d); d.Currency = "eur" }), "currency"},
		"no currency of smallest": {of(func(d *OfferDiscount) { d.Minimum = 1 }), "currency"},
		"a negative smallest":     {of(func(d *OfferDiscount) { d.Minimum, d.Currency = -1, "EUR" }), "minimum"},
		"negative uses":           {of(func(d *OfferDiscount) { d.UsageLimit = -1 }), "usage_limit"},
		"an early start":          {of(func(d *OfferDiscount) { d.StartsAt = at.AddDate(-1000, 0, 0) }), "starts_at"},
		"a late end":              {of(func(d *OfferDiscount) { d.EndsAt = at.AddDate(9000, 0, 0) }), "ends_at"},
		"ending as it starts":     {of(func(d *OfferDiscount) { d.StartsAt, d.EndsAt = at, at }), "ends_at"},
		"products of no store":    {of(func(d *OfferDiscount) { d.Products = []string{"1"} }), "limits"},
		"store 0":                 {limited(StoreLimit{0, []string{"1"}, nil}), "limits"},
		"a store twice":           {limited(StoreLimit{1, []string{"1"}, nil}, StoreLimit{Store: 1}), "limits"},
		"no products":             {limited(StoreLimit{1, nil, nil}), "limits"},
		"no id":                   {limited(StoreLimit{1, []string{"gid://1"}, nil}), "limits"},
		"an id of 0":              {limited(StoreLimit{1, []string{"01"}, nil}), "limits"},
		"an id twice":             {limited(StoreLimit{1, nil, []string{"7", "7"}}), "limits"},
		"too many":                {limited(StoreLimit{1, many, nil}), "limits"},
	} {
		err := c.d.Validate()
		var e *Error
		if errors.As(err, &e); (err == nil) != (c.field == "") || e != nil && e.Field != c.field {
			t.Errorf("%s: %v, want an error of %q", name, err, c.field)
		}
		if c.d.None() != (name == "none") {
			t.Errorf("%s: none is %t", name, c.d.None())
		}
	}
	if d := (OfferDiscount{Limits: []StoreLimit{}, Discount: Discount{Products: []string{}}}); !d.None() {
		t.Error("empty lists are something")
	}
}

func TestOfferDiscount_In(t *testing.T) {
	eur := Store{ID: 1, Name: "North", Currency: "EUR"}
	usd := Store{ID: 2, Name: "South", Currency: "USD"}
	percent := OfferDiscount{Discount: Discount{Kind: DiscountPercent, Percent: 10_00},
		Limits: []StoreLimit{{1, []string{"100", "20"}, []string{"3"}}}}
	north, err := percent.In(eur)
	if want := (Discount{Kind: DiscountPercent, Percent: 10_00, Products: []string{"20", "100"},
		Collections: []string{"3"}}); err != nil || !reflect.DeepEqual(north, want) {
		t.Errorf("in its store %+v, %v", north, err)
	}
	south, err := percent.In(usd)
	if err != nil || !reflect.DeepEqual(south, percent.Discount) {
		t.Errorf("in another store %+v, %v", south, err)
	}
	if !slices.Equal(percent.Limits[0].Products, []string{"100", "20"}) {
		t.Errorf("what was given is changed: %v", percent.Limits)
	}
	for says, d := range map[string]Discount{
		"is an amount in EUR, and the store South sells in USD; give a percentage": {Kind: DiscountFixed, Amount: 5_00,
			Currency: "EUR"},
		"smallest order is in EUR, and the store South sells in USD": {Kind: DiscountPercent, Percent: 1, Minimum: 1,
			Currency: "EUR"},
	} {
		if _, err := (OfferDiscount{Discount: d}).In(eur); err != nil {
			t.Errorf("%+v: %v", d, err)
		}
		if _, err := (OfferDiscount{Discount: d}).In(usd); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%+v: %v, want %q", d, err, says)
		}
	}
	if d, err := (OfferDiscount{}).In(usd); err != nil || !reflect.DeepEqual(d, Discount{}) {
		t.Errorf("none is %+v, %v", d, err)
	}
}

func TestDiscount_Sentence(t *testing.T) {
	berlin, err := LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for want, d := range map[string]Discount{
		"no discount": {},
		"10 % off":    {Kind: DiscountPercent, Percent: 10_00},
		"12.5 % off":  {Kind: DiscountPercent, Percent: 12_50},
		"100 % off":   {Kind: DiscountPercent, Percent: 100_00},
		"5.00 EUR off orders from 20.00 EUR": {Kind: DiscountFixed, Amount: 5_00, Minimum: 20_00,
			Currency: "EUR"},
		"500 JPY off, for 1 product": {Kind: DiscountFixed, Amount: 500, Currency: "JPY",
			Products: []string{"1"}},
		"10 % off orders from 20.00 EUR, once per customer, until 31 Dec 2026": {Kind: DiscountPercent, Percent: 10_00,
			Minimum: 20_00, Currency: "EUR", OncePerCustomer: true, EndsAt: inUTC(t, "2026-12-31T23:00:00Z")},
		"10 % off, for 2 products and 1 collection, 100 times in all, from 1 Dec 2026, until 2 Dec 2026, 13:30, " +
			"together with other discounts": {Kind: DiscountPercent, Percent: 10_00, Products: []string{"1", "2"},
			Collections: []string{"1"}, UsageLimit: 100, StartsAt: inUTC(t, "2026-11-30T23:00:00Z"),
			EndsAt: inUTC(t, "2026-12-02T12:30:00Z"), Combines: true},
		"10 % off, once in all, from 1 Dec 2026, 00:00:01": {Kind: DiscountPercent, Percent: 10_00, UsageLimit: 1,
			StartsAt: inUTC(t, "2026-11-30T23:00:01Z")},
	} {
		if got := money.Plain(d.Sentence(berlin)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	marked := Discount{Kind: DiscountFixed, Amount: 1234_50, Currency: "EUR", UsageLimit: 1000}.Sentence(berlin)
	if want := money.Marked("1234.50") + " EUR off, " + money.Marked("1000") + " times in all"; marked != want {
		t.Errorf("numbers are not marked: %q", marked)
	}
}

func TestDiscount_Differences(t *testing.T) {
	berlin, err := LoadZone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := inUTC(t, "2026-10-25T00:30:00Z") // 02:30 in Berlin, as an hour later, when clocks are set back
	ours := Discount{Kind: DiscountPercent, Percent: 10_00, StartsAt: at, Products: []string{"2", "10"}}
	for _, c := range []struct {
		change func(d *Discount)
		want   []string
	}{
		{func(*Discount) {}, nil},
		{func(d *Discount) { d.Products = []string{"10", "2"} }, nil},
		{func(d *Discount) { d.Collections = []string{} }, nil},
		{func(d *Discount) { d.StartsAt = at.Add(time.Second / 2).In(berlin) }, nil},
		{func(d *Discount) { d.Percent = 20_00 }, []string{"10 % here, 20 % in the store"}},
		{func(d *Discount) { d.Percent = 10_01 }, []string{"10 % here, 10.01 % in the store"}},
		{func(d *Discount) { d.Kind, d.Percent, d.Amount, d.Currency = DiscountFixed, 0, 10_00, "EUR" },
			[]string{"10 % here, 10.00 EUR in the store"}},
		{func(d *Discount) { *d = Discount{StartsAt: at, Products: d.Products} },
			[]string{"10 % here, no discount in the store"}},
		{func(d *Discount) { d.Minimum, d.Currency = 20_00, "EUR" },
			[]string{"any order here, orders from 20.00 EUR in the store"}},
		{func(d *Discount) { d.OncePerCustomer = true },
			[]string{"as often as a customer likes here, once per customer in the store"}},
		{func(d *Discount) { d.UsageLimit = 5 }, []string{"without a limit here, 5 times in all in the store"}},
		{func(d *Discount) { d.StartsAt = at.Add(time.Hour) },
			[]string{"from 25 Oct 2026, 00:30 here, from 25 Oct 2026, 01:30 in the store"}},
		{func(d *Discount) { d.StartsAt = time.Time{} },
			[]string{"from 25 Oct 2026, 02:30 here, from the beginning in the store"}},
		{func(d *Discount) { d.EndsAt = inUTC(t, "2026-11-01T23:00:00Z") },
			[]string{"without an end here, until 1 Nov 2026 in the store"}},
		{func(d *Discount) { d.Combines = true },
			[]string{"not with other discounts here, together with other discounts in the store"}},
		{func(d *Discount) { d.Products = nil }, []string{"for 2 products here, for all products in the store"}},
		{func(d *Discount) { d.Products = []string{"2", "11"} }, []string{"for 2 products here, others in the store"}},
		{func(d *Discount) { d.Percent, d.Combines = 5_00, true }, []string{"10 % here, 5 % in the store",
			"not with other discounts here, together with other discounts in the store"}},
	} {
		theirs := ours
		c.change(&theirs)
		var got []string
		for _, text := range ours.Differences(theirs, berlin) {
			got = append(got, money.Plain(text))
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
	if list := (Discount{Kind: DiscountPercent, Percent: 1}).Differences(Discount{Kind: DiscountPercent, Percent: 1,
		StartsAt: at}, berlin); len(list) > 0 {
		t.Errorf("a start that was not asked for differs: %q", list)
	}
}

// TestOfferDiscount_Text: what is kept is read back, is the same text for what gives the same, and differs in nothing.
func TestOfferDiscount_Text(t *testing.T) {
	ids := rapid.SliceOfNDistinct(rapid.StringMatching(`[1-9][0-9]{0,5}`), 0, 4, rapid.ID[string])
	when := rapid.Custom(func(t *rapid.T) time.Time {
		at := time.Unix(rapid.Int64Range(1, 4_000_000_000).Draw(t, "seconds"), 0)
		return rapid.SampledFrom([]time.Time{{}, at, at.UTC(), at.In(time.FixedZone("", 3600))}).Draw(t, "time")
	})
	rapid.Check(t, func(t *rapid.T) {
		d := OfferDiscount{Discount: Discount{Kind: rapid.SampledFrom(Words[DiscountKind]()).Draw(t, "kind"),
			Percent: rapid.Int64().Draw(t, "percent"), Amount: rapid.Int64().Draw(t, "amount"),
			Currency: rapid.SampledFrom([]money.Currency{"", "EUR", "BTC:8"}).Draw(t, "currency"),
			Minimum:  rapid.Int64().Draw(t, "minimum"), OncePerCustomer: rapid.Bool().Draw(t, "once"),
			UsageLimit: rapid.Int64().Draw(t, "limit"), StartsAt: when.Draw(t, "start"), EndsAt: when.Draw(t, "end"),
			Combines: rapid.Bool().Draw(t, "combines")}}
		for id := range rapid.IntRange(0, 3).Draw(t, "stores") {
			d.Limits = append(d.Limits,
				StoreLimit{StoreID(id + 1), ids.Draw(t, "products"), ids.Draw(t, "collections")})
		}
		text := d.Text()
		read, err := ParseOfferDiscount(text)
		if err != nil || read.Text() != text || text == "" {
			t.Fatalf("%s is read as %s, %v", text, read.Text(), err)
		}
		if list := d.Differences(read.Discount, time.UTC); len(list) > 0 {
			t.Fatalf("%s differs: %q", text, list)
		}
		other := d
		other.Limits = slices.Clone(d.Limits)
		slices.Reverse(other.Limits)
		for i := range other.Limits {
			other.Limits[i].Products = slices.Clone(other.Limits[i].Products)
			slices.Reverse(other.Limits[i].Products)
		}
		if other.Text() != text {
			t.Fatalf("%s in another order is %s", text, other.Text())
		}
	})
	if text := (OfferDiscount{}).Text(); text != "" {
		t.Errorf("none is %q", text)
	}
	if d, err := ParseOfferDiscount(""); err != nil || !d.None() {
		t.Errorf("nothing is %+v, %v", d, err)
	}
	for _, text := range []string{"{", `{"percent":"10"}`, `{"kind":"percent","ends_at":"9999-12-31T23:59:59-05:00"}`} {
		d, err := ParseOfferDiscount(text)
		if e := (*Error)(nil); !errors.As(err, &e) || e.Field != "discount" || !d.None() {
			t.Errorf("%s gives %+v, %v", text, d, err)
		}
	}
}
