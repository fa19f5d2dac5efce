package api

import (
	"context"
	"errors"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/web"
)

// DiscountJSON is what a code gives to the customer who enters it.
type DiscountJSON struct {
	Kind            affiliate.DiscountKind `json:"kind"`
	Percent         string                 `json:"percent,omitempty" example:"12.50" doc:"Of kind percent"`
	Amount          string                 `json:"amount,omitempty" example:"5.00" doc:"Of kind fixed: off the whole order"`
	Currency        string                 `json:"currency,omitempty" example:"EUR" doc:"Of amount and minimum; left out without either"`
	Minimum         string                 `json:"minimum,omitempty" example:"20.00" doc:"What the order must come to"`
	OncePerCustomer bool                   `json:"once_per_customer" required:"false"`
	UsageLimit      int64                  `json:"usage_limit,omitempty" minimum:"0" doc:"Over all customers; 0 or left out: none"`
	StartsAt        *time.Time             `json:"starts_at,omitempty" doc:"Left out: from the beginning"`
	EndsAt          *time.Time             `json:"ends_at,omitempty" doc:"Left out: without an end"`
	Combines        bool                   `json:"combines" required:"false" doc:"Customers can enter it beside other discounts"`
}

// OfferDiscountJSON is what the codes of an offer give: the same in all stores, but for the products it is for.
type OfferDiscountJSON struct {
	DiscountJSON
	Limits []StoreLimitJSON `json:"limits,omitempty" doc:"What it is for, by store; a store without an entry: all that it sells"`
}

// StoreLimitJSON is what a discount is for in one store.
type StoreLimitJSON struct {
	Store       string   `json:"store" example:"str_1" doc:"Its id or slug"`
	Products    []string `json:"products,omitempty" doc:"The store's own ids"`
	Collections []string `json:"collections,omitempty" doc:"The store's own ids; WooCommerce calls them categories"`
}

// StoreDiscountJSON is what a code gives in one store.
type StoreDiscountJSON struct {
	DiscountJSON
	Products    []string `json:"products,omitempty" doc:"The store's own ids of what it is for; with neither it is for all"`
	Collections []string `json:"collections,omitempty"`
}

func discountView(d affiliate.Discount) DiscountJSON {
	v := DiscountJSON{Kind: d.Kind, OncePerCustomer: d.OncePerCustomer, UsageLimit: d.UsageLimit,
		StartsAt: web.TimeOrNull(d.StartsAt), EndsAt: web.TimeOrNull(d.EndsAt), Combines: d.Combines}
	if d.Percent != 0 {
		v.Percent = affiliate.FormatPercent(d.Percent)
	}
	if d.Amount != 0 {
		v.Amount = money.Format(d.Amount, d.Currency)
	}
	if d.Minimum != 0 {
		v.Minimum = money.Format(d.Minimum, d.Currency)
	}
	if d.Amount != 0 || d.Minimum != 0 {
		v.Currency = d.Currency.Code()
	}
	return v
}

// OfferDiscountView is how the API and the command line show what an offer's codes give; nil for none.
func OfferDiscountView(d affiliate.OfferDiscount) *OfferDiscountJSON {
	if d.None() {
		return nil
	}
	v := &OfferDiscountJSON{DiscountJSON: discountView(d.Discount)}
	for _, l := range d.Limits {
		v.Limits = append(v.Limits, StoreLimitJSON{l.Store.String(), l.Products, l.Collections})
	}
	return v
}

// StoreDiscountView is how they show what a code gives in a store; nil where that is not known.
func StoreDiscountView(d affiliate.Discount) *StoreDiscountJSON {
	if d.Kind == "" {
		return nil
	}
	return &StoreDiscountJSON{discountView(d), d.Products, d.Collections}
}

// offerDiscount reads what an offer's codes are to give; nil is none. Errors name the field below discount.
func (a *API) offerDiscount(ctx context.Context, in *OfferDiscountJSON) (affiliate.OfferDiscount, error) {
	if in == nil {
		return affiliate.OfferDiscount{}, nil
	}
	d, err := ReadDiscount(in.DiscountJSON)
	if err != nil {
		return d, withinDiscount(err)
	}
	for _, l := range in.Limits {
		store, err := a.storeNamed(ctx, l.Store)
		if err != nil {
			return d, aboutLimit(err)
		}
		d.Limits = append(d.Limits, affiliate.StoreLimit{Store: store.ID, Products: l.Products,
			Collections: l.Collections})
	}
	return d, withinDiscount(d.Validate())
}

// aboutLimit names the limits as the field of a store that there is not.
func aboutLimit(err error) error {
	if affiliate.KindOf(err) == affiliate.Invalid {
		return affiliate.AboutField("discount.limits", err)
	}
	return err
}

// ReadDiscount reads a discount as the API and the command line write it: amounts and percentages as decimal strings.
// Its error names the field.
func ReadDiscount(in DiscountJSON) (d affiliate.OfferDiscount, err error) {
	d.Kind, d.OncePerCustomer, d.UsageLimit, d.Combines = in.Kind, in.OncePerCustomer, in.UsageLimit, in.Combines
	if in.StartsAt != nil {
		d.StartsAt = in.StartsAt.UTC()
	}
	if in.EndsAt != nil {
		d.EndsAt = in.EndsAt.UTC()
	}
	if in.Percent != "" {
		if d.Percent, err = affiliate.ParsePercent("percent", in.Percent); err != nil {
			return d, err
		}
	}
	if in.Currency == "" && (in.Amount != "" || in.Minimum != "") {
		return d, affiliate.FieldErrorf("currency", "is needed beside an amount or a minimum, such as EUR")
	}
	if in.Currency != "" {
		if d.Currency, err = affiliate.ParseCurrency("currency", in.Currency); err != nil {
			return d, err
		}
	}
	for _, amount := range []struct {
		field, text string
		to          *int64
	}{{"amount", in.Amount, &d.Amount}, {"minimum", in.Minimum, &d.Minimum}} {
		if amount.text == "" {
			continue
		}
		if *amount.to, err = affiliate.ParseAmount(amount.field, amount.text, d.Currency); err != nil {
			return d, err
		}
	}
	return d, nil
}

// withinDiscount names the field of a discount's error as it stands in a body: discount.percent.
func withinDiscount(err error) error {
	var e *affiliate.Error
	if !errors.As(err, &e) || e.Kind != affiliate.Invalid {
		return err
	}
	field := "discount"
	if e.Field != "" && e.Field != field {
		field += "." + e.Field
	}
	return affiliate.AboutField(field, err)
}
