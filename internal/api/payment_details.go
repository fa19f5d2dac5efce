package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

func (a *API) registerPaymentDetails(api huma.API) {
	const path = "/creators/{id}/payment-details"
	register(a, api, operation{http.MethodGet, path, "get-payment-details", affiliate.MayRead,
		"Say where a creator is paid, with what is secret of it covered"}, a.getPaymentDetails)
	register(a, api, operation{http.MethodPut, path, "set-payment-details", affiliate.MayPay,
		"Say where a creator is paid from now on. Nothing is paid to details that replace others before usable_at, " +
			"and the creator gets a mail"}, a.setPaymentDetails)
	register(a, api, operation{http.MethodDelete, path, "delete-payment-details", affiliate.MayPay,
		"Take away where a creator is paid"}, a.deletePaymentDetails)
}

// EnteredDetailsJSON are payment details as they were entered once.
type EnteredDetailsJSON struct {
	Method      *string    `json:"method" example:"bank" doc:"null: there are none"`
	Destination *string    `json:"destination" doc:"Covered" example:"FR14 … 2606"`
	Holder      *string    `json:"holder"`
	Country     *string    `json:"country" doc:"Of the bank account" example:"FR"`
	StoreID     *string    `json:"store_id" doc:"In which it is given" example:"str_1"`
	UsableAt    *time.Time `json:"usable_at" doc:"Nothing is paid there before"`
	Author      *string    `json:"author"`
	CreatedAt   *time.Time `json:"created_at"`
}

type paymentDetailsJSON struct {
	CreatorID string `json:"creator_id" example:"cre_1"`
	EnteredDetailsJSON
	Before []EnteredDetailsJSON `json:"before" nullable:"false" doc:"What was entered before, newest first"`
}

func enteredDetails(d storage.PaymentDetails) EnteredDetailsJSON {
	v := EnteredDetailsJSON{Method: orNull(string(d.Method)), Destination: orNull(d.Masked), Holder: orNull(d.Holder),
		Country: orNull(d.Country), UsableAt: web.TimeOrNull(d.UsableAt), Author: orNull(d.Author),
		CreatedAt: web.TimeOrNull(d.CreatedAt)}
	if d.StoreID != 0 {
		v.StoreID = orNull(d.StoreID.String())
	}
	return v
}

func (a *API) getPaymentDetails(ctx context.Context, in *CreatorPath) (*output[paymentDetailsJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if _, err := a.App.DB.Creator(ctx, id); err != nil {
		return nil, err
	}
	list, err := a.App.DB.PaymentDetailsOf(ctx, id)
	return one(list, err, func(list []storage.PaymentDetails) paymentDetailsJSON {
		v := paymentDetailsJSON{CreatorID: id.String(), Before: []EnteredDetailsJSON{}}
		for i, d := range list {
			if i == 0 {
				v.EnteredDetailsJSON = enteredDetails(d)
			} else {
				v.Before = append(v.Before, enteredDetails(d))
			}
		}
		return v
	})
}

// PayeeAddressJSON is where the holder of an account lives.
type PayeeAddressJSON struct {
	Street   string `json:"street,omitempty"`
	Building string `json:"building,omitempty"`
	PostCode string `json:"post_code,omitempty"`
	Town     string `json:"town"`
	Country  string `json:"country" example:"DE"`
}

type setPaymentDetailsInput struct {
	CreatorPath
	Body struct {
		Method    affiliate.PaymentMethod `json:"method"`
		Holder    string                  `json:"holder,omitempty" doc:"As the account has it; needed with a bank account"`
		Type      affiliate.PayeeType     `json:"type,omitempty" doc:"Without it: a person"`
		Email     string                  `json:"email,omitempty" doc:"Of the account at PayPal or Wise, or of the customer in the store"`
		PayPalID  string                  `json:"paypal_id,omitempty" doc:"Instead of an e-mail address"`
		IBAN      string                  `json:"iban,omitempty" example:"FR1420041010050500013M02606"`
		BIC       string                  `json:"bic,omitempty"`
		Account   string                  `json:"account,omitempty" doc:"Number of a bank account without an IBAN"`
		Routing   string                  `json:"routing,omitempty" doc:"Routing number, sort code or BSB: beside account"`
		Recipient string                  `json:"recipient,omitempty" doc:"Id of a recipient that is saved at Wise"`
		StoreID   string                  `json:"store_id,omitempty" doc:"Of store credit and gift cards" example:"str_1"`
		Address   *PayeeAddressJSON       `json:"address,omitempty"`
		Words     string                  `json:"words,omitempty" doc:"Of other: how they are paid"`
	}
}

func (a *API) setPaymentDetails(ctx context.Context, in *setPaymentDetailsInput) (*output[paymentDetailsJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	b := in.Body
	d := affiliate.PaymentDetails{Method: b.Method, Holder: b.Holder, Type: b.Type, Email: b.Email,
		PayPalID: b.PayPalID, IBAN: b.IBAN, BIC: b.BIC, Account: b.Account, Routing: b.Routing,
		Recipient: b.Recipient, Words: b.Words}
	if d.StoreID, err = affiliate.OptionalID[affiliate.StoreID]("store_id", "str_", b.StoreID); err != nil {
		return nil, err
	}
	if b.Address != nil {
		d.Address = new(affiliate.PayeeAddress(*b.Address))
	}
	if _, err := a.App.SetPaymentDetails(ctx, id, d); err != nil {
		return nil, err
	}
	return a.getPaymentDetails(ctx, &in.CreatorPath)
}

func (a *API) deletePaymentDetails(ctx context.Context, in *CreatorPath) (*output[paymentDetailsJSON], error) {
	id, err := in.id()
	if err != nil {
		return nil, err
	}
	if _, err := a.App.RemovePaymentDetails(ctx, id); err != nil {
		return nil, err
	}
	return a.getPaymentDetails(ctx, in)
}
