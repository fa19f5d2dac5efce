package wise

import (
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/sheet"
)

// Transfers reads the list of transfers that Wise gives as CSV: ID, Status, Direction, …, Reference, as in public files
// of 2026.
type Transfers struct{}

// Kind says which files they are.
func (Transfers) Kind() affiliate.ResultKind { return affiliate.ResultWise }

var transferColumns = sheet.Columns{"id": {"ID", "Transfer ID", "transferId"}, "status": {"Status", "Transfer status"},
	"direction": {"Direction"}, "at": {"Finished on", "Created on"}, "fee": {"Source fee amount"},
	"fee_currency": {"Source fee currency"}, "name": {"Target name", "Recipient name", "name"},
	"email":    {"recipientEmail"},
	"amount":   {"Target amount (after fees)", "Target amount"},
	"currency": {"Target currency", "targetCurrency"}, "ref": {"Reference", "paymentReference"}}

// transferStates are the statuses of lists, and those of the API (docs.wise.com, "transfer statuses").
var transferStates = map[string]affiliate.PayoutState{"completed": affiliate.PayoutPaid,
	"outgoing payment sent": affiliate.PayoutPaid, "sent": affiliate.PayoutPaid,
	"refunded": affiliate.PayoutReturned, "funds refunded": affiliate.PayoutReturned,
	"bounced back": affiliate.PayoutReturned, "charged back": affiliate.PayoutReturned,
	"failed": affiliate.PayoutFailed, "cancelled": affiliate.PayoutFailed, "canceled": affiliate.PayoutFailed,
	"incoming payment waiting": affiliate.PayoutPending, "incoming payment initiated": affiliate.PayoutPending,
	"processing": affiliate.PayoutPending, "funds converted": affiliate.PayoutPending,
	"pending": affiliate.PayoutPending, "waiting": affiliate.PayoutPending,
	"waiting for recipient": affiliate.PayoutUnclaimed, "waiting recipient input": affiliate.PayoutUnclaimed}

// Read gives the transfers of a list that go out; those without any reference of ours are found by nothing else but
// their ids, and are given all the same.
func (Transfers) Read(_ string, body []byte) ([]affiliate.PaymentResult, error) {
	t, err := sheet.ReadTable(body, transferColumns)
	if err != nil {
		return nil, affiliate.FieldErrorf("file", "%v", err)
	}
	if lacks := t.Lacks("id", "status", "currency", "ref"); len(lacks) > 0 {
		return nil, affiliate.FieldErrorf("file", "a list of transfers from Wise has the columns ID, Status, Target "+
			"currency and Reference; there is no %s", strings.Join(lacks, ", "))
	}
	days, results := t.Days("at"), []affiliate.PaymentResult{}
	for i, row := range t.Rows {
		if d := strings.ToUpper(t.Text(row, "direction")); d == "" || d == "OUT" {
			results = append(results, transfer(t, row, days[i]))
		}
	}
	return results, nil
}

func transfer(t sheet.Table, row sheet.Row, day string) affiliate.PaymentResult {
	text := func(column string) string { return t.Text(row, column) }
	status := strings.ToLower(strings.ReplaceAll(text("status"), "_", " "))
	r := affiliate.PaymentResult{Line: row.Line, Ref: affiliate.FindPayoutRef(text("ref")), Destination: text("email"),
		Name: text("name"), ProviderRef: text("id"), Day: day, Words: text("status")}
	var err error
	if r.Currency, err = money.ParseCurrency(text("currency")); err != nil {
		r.Words = err.Error()
		return r
	}
	if amount := text("amount"); amount != "" {
		if r.Amount, err = money.ParseWritten(amount, r.Currency); err != nil {
			r.Words = err.Error()
			return r
		}
	}
	if c, err := money.ParseCurrency(text("fee_currency")); err == nil {
		if fee, err := money.ParseWritten(text("fee"), c); err == nil && fee >= 0 {
			r.Fee, r.FeeCurrency = fee, c
		}
	}
	state, known := transferStates[status]
	if !known {
		r.Words = "the status " + affiliate.Clip(r.Words, 40) + " is not known of transfers"
	}
	r.State = state
	return r
}
