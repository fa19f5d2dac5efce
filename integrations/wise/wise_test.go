package wise

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func payment() affiliate.Payment {
	return affiliate.Payment{Ref: "TRB-1001-K7Q2M9", Amount: 10050, Currency: "EUR", Creator: "anna_k",
		Email: "anna@example.com",
		Details: affiliate.PaymentDetails{Holder: "Anna Keller", IBAN: "FR1420041010050500013M02606", Recipient: "4711",
			Email: "pay@example.com"}}
}

func TestFile(t *testing.T) {
	for variant, want := range map[string]string{
		affiliate.WiseRecipients: "recipientId,name,recipientEmail,recipientDetail,sourceCurrency," +
			"targetCurrency,amountCurrency,amount,paymentReference,referenceNumber,receiverType\n" +
			"4711,Anna Keller,pay@example.com,,USD,EUR,target,100.50,TRB-1001-K7Q2M9,,PERSON\n",
		affiliate.WiseEmail: "name,recipientEmail,paymentReference,receiverType,amountCurrency,amount,sourceCurrency," +
			"targetCurrency\nAnna Keller,pay@example.com,TRB-1001-K7Q2M9,PERSON,target,100.50,USD,EUR\n",
		affiliate.WiseBank: "name,recipientEmail,paymentReference,referenceNumber,receiverType,amountCurrency,amount," +
			"sourceCurrency,targetCurrency,IBAN\nAnna " +
			"Keller,pay@example.com,TRB-1001-K7Q2M9,,PERSON,target,100.50,USD,EUR," +
			"FR1420041010050500013M02606\n",
	} {
		_, body, err := File{}.Write(affiliate.PaymentFile{Variant: variant, Currency: "EUR",
			Payer: affiliate.Payer{Currency: "USD"}, Payments: []affiliate.Payment{payment()}})
		if err != nil || string(body) != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", variant, err, body, want)
		}
	}
	aud := payment()
	aud.Currency = "AUD"
	aud.Details = affiliate.PaymentDetails{Holder: "Studio 54 Pty", Type: affiliate.PayeeBusiness, Account: "12345678",
		Routing: "062000"}
	name, body, err := File{}.Write(affiliate.PaymentFile{Reference: "TRB-R1-1-K7Q2M9", Variant: affiliate.WiseBank,
		Currency: "AUD", Payments: []affiliate.Payment{aud}})
	if err != nil || !strings.HasSuffix(string(body), ",accountNumber,bsbCode\nStudio 54 Pty,anna@example.com,"+
		"TRB-1001-K7Q2M9,,BUSINESS,target,100.50,AUD,AUD,12345678,062000\n") || name != "TRB-R1-1-K7Q2M9.csv" {
		t.Errorf("%s, %v\n%s", name, err, body)
	}
}

func TestFile_refused(t *testing.T) {
	for want, change := range map[string]func(f *affiliate.PaymentFile, p *affiliate.Payment){
		"to anna_k: holder: \"R2D2\" has digits": func(_ *affiliate.PaymentFile,
			p *affiliate.Payment) {
			p.Details.Holder = "R2D2"
		},
		"IBAN: is missing": func(_ *affiliate.PaymentFile,
			p *affiliate.Payment) {
			p.Details.IBAN = ""
		},
		"name: \"=HYPERLINK()\" cannot stand": func(_ *affiliate.PaymentFile,
			p *affiliate.Payment) {
			p.Details.Holder = "=HYPERLINK()"
		},
		"amount: 100.50 USD": func(_ *affiliate.PaymentFile,
			p *affiliate.Payment) {
			p.Currency = "USD"
		},
		"no template of bank accounts in GBP": func(f *affiliate.PaymentFile,
			_ *affiliate.Payment) {
			f.Currency = "GBP"
		},
		"no template \"cheque\"": func(f *affiliate.PaymentFile,
			_ *affiliate.Payment) {
			f.Variant = "cheque"
		},
	} {
		f, p := affiliate.PaymentFile{Variant: affiliate.WiseBank, Currency: "EUR"}, payment()
		change(&f, &p)
		f.Payments = []affiliate.Payment{p}
		if _, _, err := (File{}).Write(f); affiliate.KindOf(err) != affiliate.Invalid ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, _, err := (File{}).Write(affiliate.PaymentFile{Variant: affiliate.WiseEmail,
		Payments: make([]affiliate.Payment, mostRows+1)}); err == nil || !strings.Contains(err.Error(), "1 to 1000") {
		t.Error(err)
	}
}

func TestTransfers(t *testing.T) {
	const header = "ID,Status,Direction,Created on,Finished on,Source fee amount,Source fee currency,Target name," +
		"Target amount (after fees),Target currency,Reference\n"
	for line, want := range map[string]string{
		`TRANSFER-1,COMPLETED,OUT,2026-11-28 20:15:00,2026-11-29 ` +
			`08:00:00,0.45,USD,Anna,100.50,EUR,TRB-1001-K7Q2M9`: "TRB-1001-K7Q2M9 paid 10050 EUR fee 45 USD " +
			"TRANSFER-1 2026-11-29",
		`1,outgoing_payment_sent,,,,,,Anna,,EUR,TRB-1001-K7Q2M9`: "TRB-1001-K7Q2M9 paid 0 EUR fee 0  1 ",
		`1,funds_refunded,OUT,,,,,Anna,7,EUR,x`:                  " returned 700 EUR fee 0  1 ",
		`1,bounced_back,OUT,,,,,Anna,7,EUR,x`:                    " returned 700 EUR fee 0  1 ",
		`1,PROCESSING,OUT,,,,,Anna,7,EUR,x`:                      " pending 700 EUR fee 0  1 ",
		`1,MARVELLOUS,OUT,,,,,Anna,7,EUR,x`:                      "  700 EUR fee 0  1 ",
		`1,COMPLETED,IN,,,,,Us,7,EUR,x`:                          "",
	} {
		list, err := Transfers{}.Read("x.csv", []byte(header+line+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, r := range list {
			got += fmt.Sprintf("%s %s %d %s fee %d %s %s %s", r.Ref, r.State, r.Amount, r.Currency, r.Fee,
				r.FeeCurrency,
				r.ProviderRef, r.Day)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", line, got, want)
		}
	}
	for _, file := range []string{"", "ID,Status\n1,2\n", "%PDF"} {
		if _, err := (Transfers{}).Read("x", []byte(file)); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("%q: %v", file, err)
		}
	}
}
