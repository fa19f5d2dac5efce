package paypal

import (
	"bytes"
	"encoding/csv"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// File writes files for PayPal's page of payouts (developer.paypal.com, "use the web UI", read on 2026-09-10): no
// header, at most 5,000 rows, one currency; recipient, amount, currency, our id, note, wallet.
type File struct{}

const (
	fileRows      = 5000
	fileRecipient = 127
	fileID        = 30 // without spaces
	fileNote      = 400
)

// Write gives the file.
func (File) Write(f affiliate.PaymentFile) (string, []byte, error) {
	if len(f.Payments) == 0 || len(f.Payments) > fileRows {
		return "", nil, affiliate.FieldErrorf("payments", "a file for PayPal has 1 to %d, not %d", fileRows,
			len(f.Payments))
	}
	var body bytes.Buffer
	w := csv.NewWriter(&body)
	for _, p := range f.Payments {
		row, err := fileRow(f, p)
		if err != nil {
			return "", nil, affiliate.FieldErrorf("payments", "%s to %s: %v; cancel this payout, or have the details "+
				"corrected first and pay it with the next run", p.Ref, affiliate.Clip(p.Creator, 60), err)
		}
		_ = w.Write(row) // a buffer takes all
	}
	w.Flush()
	return f.Reference + ".csv", body.Bytes(), w.Error()
}

func fileRow(f affiliate.PaymentFile, p affiliate.Payment) ([]string, error) {
	to := p.Details.Email
	if p.Details.PayPalID != "" {
		to = p.Details.PayPalID
	}
	amount := money.Format(p.Amount, p.Currency)
	switch {
	case to == "":
		return nil, affiliate.FieldErrorf("email", "is missing")
	case len(to) > fileRecipient || strings.ContainsAny(to, " \t\r\n,;\"") || strings.ContainsAny(to[:1], "=+-@"):
		// Whoever looks at the file in a spreadsheet must not run a formula.
		return nil, affiliate.FieldErrorf("email", "%q cannot stand in a file for PayPal", affiliate.Clip(to, 60))
	case p.Ref == "" || len(p.Ref) > fileID || strings.ContainsAny(p.Ref, " \t\r\n"):
		return nil, affiliate.FieldErrorf("ref", "%q cannot stand in a file for PayPal", affiliate.Clip(p.Ref, 40))
	case p.Currency != f.Currency || p.Amount <= 0:
		return nil, affiliate.FieldErrorf("amount", "%s %s cannot stand in a file of payments in %s", amount,
			p.Currency,
			f.Currency)
	}
	if f.Payer.Comma {
		amount = strings.Replace(amount, ".", ",", 1) // it is quoted then
	}
	return []string{to, amount, p.Currency.Code(), p.Ref, lineOf(p.Note), "PAYPAL"}, nil
}

// lineOf writes a note on one line. A sign that begins a formula in spreadsheets does not begin it.
func lineOf(note string) string {
	note = strings.Join(strings.Fields(strings.ToValidUTF8(note, "")), " ")
	note = strings.TrimLeft(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, note), "=+-@ ")
	if runes := []rune(note); len(runes) > fileNote {
		note = string(runes[:fileNote])
	}
	return note
}
