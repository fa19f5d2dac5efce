package wise

import (
	"bytes"
	"encoding/csv"
	"strings"
	"unicode"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// File writes batch files, by the template that is the file's variant.
type File struct{}

// mostRows is how many transfers a batch has at most.
const mostRows = 1000

// headers are the columns of the templates. Wise takes none that is renamed or at another place.
var headers = map[string]string{
	affiliate.WiseRecipients: "recipientId,name,recipientEmail,recipientDetail,sourceCurrency,targetCurrency," +
		"amountCurrency,amount,paymentReference,referenceNumber,receiverType",
	affiliate.WiseEmail: "name,recipientEmail,paymentReference,receiverType,amountCurrency,amount,sourceCurrency," +
		"targetCurrency",
	affiliate.WiseBank: "name,recipientEmail,paymentReference,referenceNumber,receiverType,amountCurrency,amount," +
		"sourceCurrency,targetCurrency",
}

// bankColumns follow in the template of bank accounts, by the currency that arrives.
var bankColumns = map[money.Currency]string{"EUR": ",IBAN", "AUD": ",accountNumber,bsbCode"}

// Write gives the file. The recipient gets exactly the amount (amountCurrency target): the fee is the sender's.
func (File) Write(f affiliate.PaymentFile) (string, []byte, error) {
	header, known := headers[f.Variant]
	if f.Variant == affiliate.WiseBank {
		columns, takes := bankColumns[f.Currency]
		if !takes {
			return "", nil, affiliate.FieldErrorf("currency", "there is no template of bank accounts in %s here; have "+
				"recipients saved at Wise, or paid by e-mail", f.Currency)
		}
		header += columns
	}
	if !known {
		return "", nil, affiliate.FieldErrorf("variant", "there is no template %q", affiliate.Clip(f.Variant, 40))
	}
	if len(f.Payments) == 0 || len(f.Payments) > mostRows {
		return "", nil, affiliate.FieldErrorf("payments", "a file for Wise has 1 to %d, not %d", mostRows,
			len(f.Payments))
	}
	columns := strings.Split(header, ",")
	var body bytes.Buffer
	w := csv.NewWriter(&body)
	_ = w.Write(columns) // a buffer takes all
	for _, p := range f.Payments {
		cells, err := cellsOf(f, p)
		if err != nil {
			return "", nil, affiliate.FieldErrorf("payments", "%s to %s: %v; cancel this payout, or have the details "+
				"corrected first and pay it with the next run", p.Ref, affiliate.Clip(p.Creator, 60), err)
		}
		row := make([]string, len(columns))
		for i, c := range columns {
			row[i] = cells[c]
		}
		_ = w.Write(row)
	}
	w.Flush()
	return f.Reference + ".csv", body.Bytes(), w.Error()
}

// cellsOf gives what a payment has in each column; the error is of its details.
func cellsOf(f affiliate.PaymentFile, p affiliate.Payment) (map[string]string, error) {
	d, email := p.Details, p.Details.Email
	if email == "" {
		email = p.Email
	}
	from := f.Payer.Currency
	if from == "" {
		from = p.Currency
	}
	kind := "PERSON"
	if d.Type == affiliate.PayeeBusiness {
		kind = "BUSINESS"
	}
	holder := affiliate.Clean(p.Holder())
	cells := map[string]string{"recipientId": d.Recipient, "name": holder, "recipientEmail": email,
		// Our reference alone: some routes take no more than its 18 characters.
		"paymentReference": p.Ref, "receiverType": kind, "amountCurrency": "target",
		"amount": money.Format(p.Amount, p.Currency), "sourceCurrency": from.Code(),
		"targetCurrency": p.Currency.Code(),
		"IBAN":           d.IBAN, "accountNumber": d.Account, "bsbCode": d.Routing}
	need := map[string][]string{affiliate.WiseRecipients: {"recipientId"}, affiliate.WiseEmail: {"recipientEmail"},
		affiliate.WiseBank: {"accountNumber", "bsbCode"}}[f.Variant]
	if f.Variant == affiliate.WiseBank && f.Currency == "EUR" {
		need = []string{"IBAN"}
	}
	for _, column := range append(need, "name") {
		if cells[column] == "" {
			return nil, affiliate.FieldErrorf(column, "is missing")
		}
	}
	switch {
	case p.Currency != f.Currency || p.Amount <= 0:
		return nil, affiliate.FieldErrorf("amount", "%s %s cannot stand in a file of payments in %s", cells["amount"],
			p.Currency, f.Currency)
	case kind == "PERSON" && strings.ContainsFunc(holder, unicode.IsDigit):
		return nil, affiliate.FieldErrorf("holder",
			"%q has digits, and Wise refuses a person with such a name; set the "+
				"holder as the account has it, or say that it is a business", affiliate.Clip(holder, 60))
	}
	for column, text := range cells {
		// Whoever looks at the file in a spreadsheet must not run a formula.
		if strings.ContainsFunc(text, unicode.IsControl) || strings.ContainsAny(text[:min(1, len(text))], "=+-@") {
			return nil, affiliate.FieldErrorf(column, "%q cannot stand in a file for Wise", affiliate.Clip(text, 60))
		}
	}
	return cells, nil
}
