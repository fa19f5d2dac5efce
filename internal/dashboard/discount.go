package dashboard

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// discountForm are the fields of what codes give, as people type them. The template "discount-fields" shows them.
type discountForm struct {
	Kind, Percent, Amount, Currency, Minimum, UsageLimit string
	Starts, Ends                                         string // times of the account's zone: "2026-11-20T13:00"
	Once, Combines                                       bool
	Limits                                               []limitFields
	Currencies                                           []string // of the stores, to choose from
	Zone                                                 string
	Errors                                               fieldErrors
}

// limitFields say what a discount is for in one store: the store's own ids, with commas between them.
type limitFields struct {
	Store                 affiliate.Store
	Guide                 affiliate.CouponGuide
	Products, Collections string
}

// openStores are those that are not ended, in the order of their names in addresses.
func (r *request) openStores() (open []affiliate.Store, err error) {
	all, err := storage.All(func(p storage.Page) ([]affiliate.Store, string, error) {
		return r.d.App.DB.Stores(r.Request.Context(), p)
	})
	for _, s := range all {
		if s.State != affiliate.StoreStateEnded {
			open = append(open, s)
		}
	}
	return open, err
}

// couponGuide says how codes are made in a store.
func (r *request) couponGuide(s affiliate.Store) affiliate.CouponGuide {
	g := r.d.App.Platforms.Guide(s.Platform).Coupons
	for _, word := range []struct {
		text  *string
		usual string
	}{{&g.Name, "code"}, {&g.Products, "Products"}, {&g.Collections, "Collections"}} {
		if *word.text == "" {
			*word.text = word.usual
		}
	}
	return g
}

// discountFormOf fills the fields with a discount.
func (r *request) discountFormOf(d affiliate.OfferDiscount, stores []affiliate.Store) discountForm {
	f := discountForm{Kind: string(d.Kind), Currency: string(d.Currency), Once: d.OncePerCustomer, Combines: d.Combines,
		Starts: r.localTime(d.StartsAt), Ends: r.localTime(d.EndsAt), Zone: r.settings.Timezone}
	if d.Percent != 0 {
		f.Percent = affiliate.FormatPercent(d.Percent)
	}
	if d.Amount != 0 {
		f.Amount = money.Format(d.Amount, d.Currency)
	}
	if d.Minimum != 0 {
		f.Minimum = money.Format(d.Minimum, d.Currency)
	}
	if d.UsageLimit != 0 {
		f.UsageLimit = strconv.FormatInt(d.UsageLimit, 10)
	}
	f.place(r, stores)
	for i := range f.Limits {
		for _, l := range d.Limits {
			if l.Store == f.Limits[i].Store.ID {
				f.Limits[i].Products, f.Limits[i].Collections = strings.Join(l.Products, ", "),
					strings.Join(l.Collections, ", ")
			}
		}
	}
	return f
}

// place gives the form a pair of fields for each store.
func (f *discountForm) place(r *request, stores []affiliate.Store) {
	seen := map[money.Currency]bool{}
	for _, s := range stores {
		f.Limits = append(f.Limits, limitFields{Store: s, Guide: r.couponGuide(s)})
		if !seen[s.Currency] {
			seen[s.Currency] = true
			f.Currencies = append(f.Currencies, s.Currency.Code())
		}
	}
}

// discountForm takes over what was typed.
func (r *request) discountForm(stores []affiliate.Store) discountForm {
	f := discountForm{Kind: r.field("kind"), Percent: r.field("percent"), Amount: r.field("amount"),
		Currency: r.field("currency"), Minimum: r.field("minimum"), UsageLimit: r.field("usage_limit"),
		Starts: r.field("starts_at"), Ends: r.field("ends_at"), Once: r.field("once_per_customer") != "",
		Combines: r.field("combines") != "", Zone: r.settings.Timezone}
	f.place(r, stores)
	for i := range f.Limits {
		l := &f.Limits[i]
		l.Products, l.Collections = r.field("products-"+l.Store.ID.String()),
			r.field("collections-"+l.Store.ID.String())
	}
	return f
}

// readDiscount reads the fields. Those of the other kind are left out, as is a currency that no amount is in; without a
// kind there is no discount.
func (r *request) readDiscount(f discountForm) (d affiliate.OfferDiscount, err error) {
	if f.Kind == "" {
		return d, nil
	}
	d.Kind, d.OncePerCustomer, d.Combines = affiliate.DiscountKind(f.Kind), f.Once, f.Combines
	if d.Kind == affiliate.DiscountPercent {
		text, err := r.readNumber("percent", f.Percent)
		if err != nil {
			return d, err
		}
		if d.Percent, err = affiliate.ParsePercent("percent", text); err != nil {
			return d, err
		}
	}
	if d.Kind == affiliate.DiscountFixed || f.Minimum != "" {
		if d.Currency, err = money.ParseCurrency(f.Currency); err != nil {
			return d, affiliate.FieldErrorf("currency", "%v", err)
		}
	}
	for _, amount := range []struct {
		field, text string
		into        *int64
		wanted      bool
	}{{"amount", f.Amount, &d.Amount, d.Kind == affiliate.DiscountFixed}, {"minimum", f.Minimum, &d.Minimum,
		f.Minimum != ""}} {
		if !amount.wanted {
			continue
		}
		text, err := r.readNumber(amount.field, amount.text)
		if err != nil {
			return d, err
		}
		if *amount.into, err = affiliate.ParseAmount(amount.field, text, d.Currency); err != nil {
			return d, err
		}
	}
	if f.UsageLimit != "" {
		if d.UsageLimit, err = strconv.ParseInt(f.UsageLimit, 10, 64); err != nil || d.UsageLimit < 1 {
			return d, affiliate.FieldErrorf("usage_limit", "must be a whole number from 1 on, or empty for no limit")
		}
	}
	if d.StartsAt, err = r.readTime("starts_at", f.Starts); err != nil {
		return d, err
	}
	if d.EndsAt, err = r.readTime("ends_at", f.Ends); err != nil {
		return d, err
	}
	for _, l := range f.Limits {
		if limit := (affiliate.StoreLimit{Store: l.Store.ID, Products: listedIDs(l.Products),
			Collections: listedIDs(l.Collections)}); len(limit.Products)+len(limit.Collections) > 0 {
			d.Limits = append(d.Limits, limit)
		}
	}
	return d, d.Validate()
}

// listedIDs reads ids with commas or spaces between them.
func listedIDs(text string) []string {
	return strings.FieldsFunc(text, func(c rune) bool {
		return c == ',' || c == ';' || c == ' ' || c == '\n' ||
			c == '\t'
	})
}

// localLayout is how browsers write a time of a day into a field.
const localLayout = "2006-01-02T15:04"

// localTime writes a time of the account's zone as a field has it; empty for none.
func (r *request) localTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(r.zone).Format(localLayout)
}

// readTime reads a time of the account's zone that was typed into a field; zero for none.
func (r *request) readTime(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{localLayout, localLayout + ":05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, r.zone); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, affiliate.FieldErrorf(field, "must be a day and a time such as 2026-11-30 18:00")
}

// patternExample is what a pattern gives for a member of the offer, to be seen before anything is made.
type patternExample struct {
	Name, Code string
	Trouble    string // why it gives none
}

// patternExample renders the pattern for the first member of an offer; nil without a pattern or a member.
func (r *request) patternExample(o affiliate.Offer, campaign string) (*patternExample, error) {
	if o.CodePattern == "" {
		return nil, nil
	}
	members, _, err := r.d.App.DB.OfferMemberPage(r.Request.Context(), storage.OfferMemberSearch{Offer: o.ID,
		Active: true}, r.d.App.Now(), storage.Page{Limit: 1})
	if err != nil || len(members) == 0 {
		return nil, err
	}
	m := members[0]
	example := &patternExample{Name: m.Creator}
	example.Code, err = o.CodePattern.Render(affiliate.CodeSubject{Name: m.Creator, Handle: m.Handle,
		Campaign: campaign,
		Offer:    o.Name, Discount: o.Discount.Discount}, affiliate.DefaultCodeLength, affiliate.RandomCodeText)
	if err != nil {
		example.Trouble = sentenceOf("", err.Error())
	}
	return example, nil
}

// changeDiscount sets what the codes of an offer give, and how they are made.
func (r *request) changeDiscount() error {
	o, err := r.offerOfCampaign()
	if err != nil {
		return err
	}
	stores, err := r.openStores()
	if err != nil {
		return err
	}
	form, pattern := r.discountForm(stores), r.field("code_pattern")
	version, _ := strconv.Atoi(r.field("version")) // 0, which is any, where there is none
	before := o.Discount.Text()
	discount, err := r.readDiscount(form)
	var kept affiliate.CodePattern
	if err == nil && pattern != "" {
		kept, err = affiliate.ParseCodePattern("code_pattern", pattern)
	}
	if err == nil {
		o, err = r.d.App.ChangeOffer(r.Request.Context(), o.ID, version, func(o *affiliate.Offer) error {
			o.Discount, o.CodePattern = discount, kept
			return nil
		})
	}
	if err == nil {
		return r.discountChanged(o, before)
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.offerSettings(o)
	if err != nil {
		return err
	}
	p.Gives, p.Pattern = &form, pattern
	p.Gives.Errors = errs
	r.render(http.StatusUnprocessableEntity, "offer_settings.html", &p)
	return nil
}

// discountChanged says what comes of it: codes that are there go on as they are.
func (r *request) discountChanged(o affiliate.Offer, before string) error {
	notice := "It is saved; new codes are made so."
	if o.Discount.Text() != before {
		codes, err := r.d.App.DB.OfferCodeCounts(r.Request.Context(), []affiliate.OfferID{o.ID}, r.d.App.Now())
		if err != nil {
			return err
		}
		if n := codes[o.ID]; n > 0 {
			notice += " " + counted(n, "code that is there gives", "codes that are there give") +
				" what they gave before, until you bring them to this below."
		}
	}
	return r.done(offerSettingsAddress(o)+"#gives", notice)
}
