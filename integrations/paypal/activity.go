package paypal

import (
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/sheet"
)

// Activity reads activity reports of a business account. Whoever downloads one chooses its columns; their names are
// those of the default fields since 2018 (as in simonmichael/hledger's rules for PayPal).
type Activity struct{}

// Kind says which files they are.
func (Activity) Kind() affiliate.ResultKind { return affiliate.ResultPayPal }

var activityColumns = sheet.Columns{"date": {"Date"}, "name": {"Name"}, "type": {"Type", "Transaction type"},
	"status": {"Status", "Transaction status"}, "currency": {"Currency", "Currency code"}, "gross": {"Gross"},
	"amount": {"Amount"}, "fee": {"Fee", "Fee amount"}, "from": {"From Email Address"},
	"to": {"To Email Address", "Recipient Email", "Receiver", "Email"}, "id": {"Transaction ID"},
	"of": {"Reference Txn ID", "Reference Transaction ID"}, "custom": {"Custom Number", "Custom"},
	"invoice": {"Invoice Number", "Invoice ID"}, "customer": {"Customer ID", "Unique ID", "Sender Item ID"},
	"subject": {"Subject"}, "note": {"Note"}}

// activityStates are the statuses of payouts; the states of the API are among them.
var activityStates = map[string]affiliate.PayoutState{"completed": affiliate.PayoutPaid,
	"success":   affiliate.PayoutPaid,
	"unclaimed": affiliate.PayoutUnclaimed, "returned": affiliate.PayoutReturned, "refunded": affiliate.PayoutReturned,
	"reversed": affiliate.PayoutReturned, "canceled": affiliate.PayoutReturned, "cancelled": affiliate.PayoutReturned,
	"denied": affiliate.PayoutFailed, "failed": affiliate.PayoutFailed, "blocked": affiliate.PayoutFailed,
	"expired": affiliate.PayoutReturned, "pending": affiliate.PayoutPending, "processing": affiliate.PayoutPending,
	"held": affiliate.PayoutPending, "on hold": affiliate.PayoutPending, "onhold": affiliate.PayoutPending,
	"placed": affiliate.PayoutPending}

// Read gives the payouts of a report; its other lines, such as sales, are passed over.
func (Activity) Read(_ string, body []byte) ([]affiliate.PaymentResult, error) {
	t, err := sheet.ReadTable(body, activityColumns)
	if err != nil {
		return nil, affiliate.FieldErrorf("file", "%v", err)
	}
	lacks := t.Lacks("status", "currency", "id")
	if len(t.Lacks("gross", "amount")) == 2 {
		lacks = append(lacks, "gross")
	}
	if len(lacks) > 0 {
		return nil, affiliate.FieldErrorf("file", "a PayPal activity report has the columns Status, Currency, "+
			"Transaction ID and Gross; there is no %s", strings.Join(lacks, ", "))
	}
	days, results := t.Days("date"), []affiliate.PaymentResult{}
	for i, row := range t.Rows {
		if r, payout := activityLine(t, row, days[i]); payout {
			results = append(results, r)
		}
	}
	return results, nil
}

// activityLine reads a line; false for one that is about no payout.
func activityLine(t sheet.Table, row sheet.Row, day time.Time) (affiliate.PaymentResult, bool) {
	text := func(column string) string { return t.Text(row, column) }
	r := affiliate.PaymentResult{Line: row.Line, Destination: text("to"), Name: text("name"), ProviderRef: text("id"),
		At: day, Words: text("status")}
	for _, column := range []string{"customer", "custom", "invoice", "note", "subject"} {
		if r.Ref = affiliate.FindPayoutRef(text(column)); r.Ref != "" {
			break
		}
	}
	signed := text("gross") // what leaves the account is below 0
	written := signed
	if written == "" {
		written = text("amount")
	}
	kind := strings.ToLower(text("type"))
	if r.Ref == "" && !strings.Contains(kind, "mass pay") && !strings.Contains(kind, "payout") &&
		(kind != "" || !strings.HasPrefix(signed, "-")) || strings.Contains(kind, "fee") {
		return r, false
	}
	refuse := func(words string) (affiliate.PaymentResult, bool) {
		r.State, r.Words, r.Amount = "", words, max(r.Amount, -r.Amount)
		return r, true
	}
	var err error
	if r.Currency, err = money.ParseCurrency(text("currency")); err != nil {
		return refuse(err.Error())
	}
	if r.Amount, err = money.ParseWritten(written, r.Currency); err != nil {
		return refuse(err.Error())
	}
	if fee, err := money.ParseWritten(text("fee"), r.Currency); err == nil {
		r.Fee, r.FeeCurrency = max(fee, -fee), r.Currency
	}
	state, known := activityStates[strings.ToLower(r.Words)]
	if !known {
		return refuse("the status " + affiliate.Clip(r.Words, 40) + " is not known of payouts")
	}
	if signed != "" && r.Amount > 0 { // it came in: a payout that is given back
		if state == affiliate.PayoutPending {
			return r, false
		}
		r.State, r.Words = affiliate.PayoutReturned, text("type")
		if r.Destination = text("from"); text("of") != "" {
			r.ProviderRef = text("of")
		}
		r.Fee, r.FeeCurrency = 0, ""
		return r, true
	}
	r.State, r.Amount = state, max(r.Amount, -r.Amount)
	return r, true
}
