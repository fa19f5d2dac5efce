package app

import (
	"bytes"
	"cmp"
	"context"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/sheet"
)

// PaymentsCSV writes a file with all that is known of payments, for whoever pays them by other means. A text that a
// spreadsheet could take for a formula has an apostrophe before it.
type PaymentsCSV struct{}

// paymentColumns are the columns of PaymentsCSV.
var paymentColumns = []string{"ref", "creator", "email", "method", "holder", "type", "paypal_email", "paypal_id",
	"iban",
	"bic", "account", "routing", "recipient", "street", "building", "post_code", "town", "country", "how", "amount",
	"currency", "note"}

// Write gives the file.
func (PaymentsCSV) Write(f affiliate.PaymentFile) (string, []byte, error) {
	columns := make([]export.Column, len(paymentColumns))
	for i, name := range paymentColumns {
		columns[i].Name = name
		if name == "amount" {
			columns[i].Kind, columns[i].NoSum = export.Amount, true
		}
	}
	var body bytes.Buffer
	t, err := export.New(context.Background(), &body, columns, export.Options{Format: export.CSV})
	if err != nil {
		return "", nil, err
	}
	for _, p := range f.Payments {
		d, a := p.Details, affiliate.PayeeAddress{}
		if d.Address != nil {
			a = *d.Address
		}
		for _, text := range []string{p.Ref, p.Creator, p.Email, d.Method.Title(), p.Holder(),
			string(cmp.Or(d.Type, affiliate.PayeePerson)), d.Email, d.PayPalID, d.IBAN, d.BIC, d.Account, d.Routing,
			d.Recipient, a.Street, a.Building, a.PostCode, a.Town, a.Country, d.Words} {
			t.Text(text)
		}
		t.Amount(p.Amount, p.Currency)
		t.Text(p.Currency.Code())
		t.Text(p.Note)
		if err := t.EndRow(); err != nil {
			return "", nil, err
		}
	}
	if err := t.Close(); err != nil {
		return "", nil, err
	}
	return f.Reference + ".csv", body.Bytes(), nil
}

// ResultsCSV reads results that somebody has written down: our reference and the state of each payment, and where they
// are known the amount, the currency, the reason, the fee, the provider's reference and the day.
type ResultsCSV struct{}

// Kind says which files they are.
func (ResultsCSV) Kind() affiliate.ResultKind { return affiliate.ResultCSV }

var csvResultColumns = sheet.Columns{"ref": {"ref", "reference", "our reference"}, "state": {"state", "status",
	"result"},
	"reason": {"reason", "words", "message"}, "amount": {"amount"}, "currency": {"currency"}, "fee": {"fee"},
	"fee_currency": {"fee_currency"}, "provider_ref": {"provider_ref", "transaction", "transaction_id"},
	"date": {"date", "day", "paid_on"}}

// Read gives the results of a file.
func (ResultsCSV) Read(_ string, body []byte) ([]affiliate.PaymentResult, error) {
	t, err := sheet.ReadTable(body, csvResultColumns)
	if err != nil {
		return nil, affiliate.FieldErrorf("file", "%v", err)
	}
	if lacks := t.Lacks("ref", "state"); len(lacks) > 0 {
		return nil, affiliate.FieldErrorf("file", "a table of results has the columns ref and state; there is no %s",
			strings.Join(lacks, ", "))
	}
	days, results := t.Days("date"), make([]affiliate.PaymentResult, len(t.Rows))
	for i, row := range t.Rows {
		results[i] = csvResult(t, row)
		results[i].Day = days[i]
	}
	return results, nil
}

func csvResult(t sheet.Table, row sheet.Row) affiliate.PaymentResult {
	text := func(column string) string { return t.Text(row, column) }
	r := affiliate.PaymentResult{Line: row.Line, Ref: cmp.Or(affiliate.FindPayoutRef(text("ref")), text("ref")),
		Words: text("reason"), ProviderRef: text("provider_ref")}
	refuse := func(err error) affiliate.PaymentResult {
		r.State, r.Words = "", err.Error()
		return r
	}
	var err error
	if code := text("currency"); code != "" {
		if r.Currency, err = affiliate.ParseCurrency("currency", code); err != nil {
			return refuse(err)
		}
	}
	if amount := text("amount"); amount != "" && r.Currency != "" {
		if r.Amount, err = money.ParseWritten(amount, r.Currency); err != nil {
			return refuse(affiliate.FieldErrorf("amount", "%v", err))
		}
	}
	if fee := text("fee"); fee != "" {
		currency, err := affiliate.ParseCurrency("fee_currency", cmp.Or(text("fee_currency"), r.Currency.Code()))
		if err != nil {
			return refuse(err)
		}
		if r.Fee, err = money.ParseWritten(fee, currency); err != nil || r.Fee < 0 {
			return refuse(affiliate.FieldErrorf("fee", "%q is not a fee", affiliate.Clip(fee, 40)))
		}
		r.FeeCurrency = currency
	}
	state := affiliate.PayoutState(strings.ToLower(text("state")))
	switch state {
	case affiliate.PayoutPaid, affiliate.PayoutPending, affiliate.PayoutUnclaimed, affiliate.PayoutFailed,
		affiliate.PayoutReturned:
		r.State = state
	default:
		return refuse(affiliate.FieldErrorf("state", "%q is none of paid, pending, unclaimed, failed, returned",
			affiliate.Clip(text("state"), 40)))
	}
	return r
}
