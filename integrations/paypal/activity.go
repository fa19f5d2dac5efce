package paypal

import (
	"cmp"
	"slices"
	"strings"

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

// activityStates are the statuses of payouts; the states of the API are among them. One that is canceled was not sent
// yet, and one that has expired was not accepted in time: affiliate.PaymentResult has the rule.
var activityStates = map[string]affiliate.PayoutState{"completed": affiliate.PayoutPaid,
	"success":   affiliate.PayoutPaid,
	"unclaimed": affiliate.PayoutUnclaimed, "returned": affiliate.PayoutReturned, "refunded": affiliate.PayoutReturned,
	"reversed": affiliate.PayoutReturned, "expired": affiliate.PayoutReturned,
	"canceled": affiliate.PayoutFailed, "cancelled": affiliate.PayoutFailed,
	"denied": affiliate.PayoutFailed, "failed": affiliate.PayoutFailed, "blocked": affiliate.PayoutFailed,
	"pending": affiliate.PayoutPending, "processing": affiliate.PayoutPending,
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

// activityType is what the type of a line says of it, in PayPal's words, which nobody else can write.
type activityType struct {
	said   bool // the report says types
	payout bool // a payout, or what becomes of one
	back   bool // something is given back
	aside  bool // it moves no money between us and others: a fee, a hold, another currency, the bank
}

func typeOf(text string) activityType {
	kind := strings.ToLower(strings.NewReplacer(" ", "", "-", "").Replace(text))
	says := func(list ...string) bool {
		return slices.ContainsFunc(list, func(word string) bool { return strings.Contains(kind, word) })
	}
	return activityType{said: kind != "", payout: says("masspay", "payout"), back: says("return", "refund", "revers"),
		aside: says("fee", "hold", "conversion", "authorization", "deposit", "withdrawal", "chargeback", "dispute")}
}

// activityLine reads a line; false for one that is about no payout.
//
// Notes, invoices and the like of a line are written by whoever pays, and creators know our references: they prove
// nothing of money that comes in. A payout has come back where PayPal says so itself, by the type of the line, and then
// which one, by the id of its transaction.
func activityLine(t sheet.Table, row sheet.Row, day string) (affiliate.PaymentResult, bool) {
	text := func(column string) string { return t.Text(row, column) }
	r := affiliate.PaymentResult{Line: row.Line, Destination: text("to"), Name: text("name"), ProviderRef: text("id"),
		Day: day, Words: text("status")}
	kind := typeOf(text("type"))
	ours := kind.payout // PayPal says that it is a payout
	for _, column := range []string{"customer", "custom", "invoice", "note", "subject"} {
		if r.Ref = affiliate.FindPayoutRef(text(column)); r.Ref != "" {
			ours = ours || column == "customer" // payouts alone have that id
			break
		}
	}
	signed := text("gross") // what leaves the account is below 0
	about := r.Ref != "" || kind.payout || kind.back && text("of") != "" || !kind.said && strings.HasPrefix(signed, "-")
	if !about || kind.aside {
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
	if r.Amount, err = money.ParseWritten(cmp.Or(signed, text("amount")), r.Currency); err != nil {
		return refuse(err.Error())
	}
	if fee, err := money.ParseWritten(text("fee"), r.Currency); err == nil {
		r.Fee, r.FeeCurrency = max(fee, -fee), r.Currency
	}
	status := strings.ToLower(r.Words)
	state, known := activityStates[status]
	of := text("of")
	switch in := signed != "" && r.Amount > 0; {
	case in && kind.said && !kind.payout && !kind.back: // a sale
		return r, false
	case in && known && status != "completed": // it is not here
		return r, false
	case in && kind.payout && !kind.back && r.Ref == "" && of == "": // somebody else's payout, to us
		return r, false
	case !in && kind.back && !kind.payout: // a sale that is given back
		return r, false
	case !known:
		return refuse("the status " + affiliate.Clip(r.Words, 40) + " is not known of payouts")
	case r.Amount == 0:
		return refuse("it has no amount")
	case in && kind.back && (kind.payout || of != ""):
		r.State, r.Words, r.ProviderRef = affiliate.PayoutReturned, text("type"), of // its own id is another one
		if r.Destination = text("from"); !kind.payout {                              // who wrote its texts is not known
			r.Ref, r.Destination = "", ""
		}
		r.Fee, r.FeeCurrency = 0, ""
		return r, true
	case in:
		return refuse("money came in, and PayPal does not say that it is a payout which came back: look at it, and " +
			"say by hand what became of the payout")
	case signed == "" && r.Amount > 0 && !ours:
		return refuse("the report does not say whether it was paid or came in: download it with the column Gross")
	case state.Back() && !ours:
		return refuse("the report does not call it a payout: download it with the column Type, or look at it, and " +
			"say by hand what became of the payout")
	}
	r.State, r.Amount = state, max(r.Amount, -r.Amount)
	return r, true
}
