package paypal

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

func payment(email string, amount int64) affiliate.Payment {
	return affiliate.Payment{Ref: "TRB-1001-K7Q2M9", Amount: amount, Currency: "EUR", Creator: "Anna",
		Details: affiliate.PaymentDetails{Email: email}, Note: "My \"brand\",\n payout"}
}

func TestFile(t *testing.T) {
	f := affiliate.PaymentFile{Reference: "TRB-R1-1-K7Q2M9", Currency: "EUR",
		Payments: []affiliate.Payment{payment("anna@example.com", 10050), payment("ben@example.com", 5)}}
	f.Payments[1].Details.PayPalID = "ABCDEFGHIJKLM"
	for comma, want := range map[bool]string{
		false: "anna@example.com,100.50,EUR,TRB-1001-K7Q2M9,\"My \"\"brand\"\", payout\",PAYPAL\n" +
			"ABCDEFGHIJKLM,0.05,EUR,TRB-1001-K7Q2M9,\"My \"\"brand\"\", payout\",PAYPAL\n",
		true: "anna@example.com,\"100,50\",EUR,TRB-1001-K7Q2M9,\"My \"\"brand\"\", payout\",PAYPAL\n" +
			"ABCDEFGHIJKLM,\"0,05\",EUR,TRB-1001-K7Q2M9,\"My \"\"brand\"\", payout\",PAYPAL\n",
	} {
		f.Payer.Comma = comma
		if name, body, err := (File{}).Write(f); err != nil || string(body) != want || name != "TRB-R1-1-K7Q2M9.csv" {
			t.Errorf("%s, %v:\n%s\nwant\n%s", name, err, body, want)
		}
	}
}

func TestFile_refused(t *testing.T) {
	for want, change := range map[string]func(p *affiliate.Payment){
		"email: is missing": func(p *affiliate.Payment) { p.Details.Email = "" },
		`email: "=1@x"`:     func(p *affiliate.Payment) { p.Details.Email = "=1@x" },
		`email: "a b@x"`:    func(p *affiliate.Payment) { p.Details.Email = "a b@x" },
		"ref: ":             func(p *affiliate.Payment) { p.Ref = strings.Repeat("x", 31) },
		"amount: 1.00 USD":  func(p *affiliate.Payment) { p.Currency = "USD" },
	} {
		p := payment("anna@example.com", 100)
		change(&p)
		_, _, err := File{}.Write(affiliate.PaymentFile{Currency: "EUR", Payments: []affiliate.Payment{p}})
		if affiliate.KindOf(err) != affiliate.Invalid || !strings.Contains(err.Error(), "to Anna: "+want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	for _, n := range []int{0, fileRows + 1} {
		_, _, err := File{}.Write(affiliate.PaymentFile{Currency: "EUR", Payments: make([]affiliate.Payment, n)})
		if err == nil || !strings.Contains(err.Error(), "1 to 5000") {
			t.Error(n, err)
		}
	}
}

// TestFile_property: whatever the notes, there is a line for each payment, with six columns and its amount.
func TestFile_property(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		c := rapid.SampledFrom([]money.Currency{"EUR", "JPY"}).Draw(r, "currency")
		f := affiliate.PaymentFile{Currency: c}
		for range rapid.IntRange(1, 5).Draw(r, "payments") {
			p := payment("anna@example.com", rapid.Int64Range(1, money.Limit).Draw(r, "amount"))
			p.Currency, p.Note = c, rapid.String().Draw(r, "note")
			f.Payments = append(f.Payments, p)
		}
		_, body, err := File{}.Write(f)
		if err != nil {
			r.Fatal(err)
		}
		rows, err := csv.NewReader(strings.NewReader(string(body))).ReadAll()
		if err != nil || len(rows) != len(f.Payments) || strings.Count(string(body), "\n") != len(rows) {
			r.Fatalf("%v in %q", err, body)
		}
		for i, row := range rows {
			if amount, err := money.Parse(row[1], c); err != nil || amount != f.Payments[i].Amount || len(row) != 6 ||
				len([]rune(row[4])) > fileNote || strings.ContainsAny(row[4][:min(1, len(row[4]))], "=+-@") {
				r.Fatal(row, err)
			}
		}
	})
}

func TestActivity(t *testing.T) {
	const header = "\ufeff\"Transaction ID\",\"Date\",\"STATUS\",\"Type\",\"Currency\",\"Gross\",\"Fee\",\"To " +
		"Email Address\",\"Note\"\n"
	for line, want := range map[string]string{
		`T1,29/11/2026,Completed,Mass Pay Payment,EUR,"-1.234,50","-0,25",a@x.example,`: "paid 123450 EUR fee 25 " +
			"a@x.example T1 2026-11-29",
		`T1,29/11/2026,Completed,,EUR,-7,0,a@x.example,"Brand payout trb-1-k7q2m9"`: "TRB-1-K7Q2M9 paid 700 " +
			"EUR fee 0 a@x.example T1 2026-11-29",
		`T1,29/11/2026,Held,Payout,EUR,-7,,a@x.example,`: "pending 700 EUR " +
			"a@x.example T1 2026-11-29",
		`T1,29/11/2026,Denied,Payout,EUR,-7,,a@x.example,`: "failed 700 EUR " +
			"a@x.example T1 2026-11-29",
		`T1,29/11/2026,Reversed,Payout,EUR,-7,,a@x.example,`: "returned 700 EUR " +
			"a@x.example T1 2026-11-29",
		`T1,29/11/2026,Completed,Mass Pay Reversal,EUR,7,,a@x.example,`: "returned 700 EUR  " +
			"2026-11-29",
		`T1,29/11/2026,Completed,Payout,EUR,x,,a@x.example,`: "? 0 EUR a@x.example T1 " +
			"2026-11-29",
		`T1,29/11/2026,Completed,Payout,XX,7,,a@x.example,`: "? 0  a@x.example T1 " +
			"2026-11-29",
		`T1,29/11/2026,Canceled,Payout,EUR,-7,,a@x.example,`:          "failed 700 EUR a@x.example T1 2026-11-29",
		`T1,29/11/2026,Expired,Payout,EUR,-7,,a@x.example,`:           "returned 700 EUR a@x.example T1 2026-11-29",
		`T1,29/11/2026,Completed,Payout,EUR,0.00,,a@x.example,`:       "? 0 EUR a@x.example T1 2026-11-29",
		`T1,29/11/2026,Completed,Website Payment,EUR,7,,a@x.example,`: "",
		`T1,29/11/2026,Completed,Mass Pay Fee,EUR,-7,,a@x.example,`:   "",
		`T1,29/11/2026,Pending,Mass Pay Reversal,EUR,7,,a@x.example,`: "",
	} {
		list, err := Activity{}.Read("x.csv", []byte(header+line+"\n"))
		if err != nil {
			t.Fatal(line, err)
		}
		var words []string
		for _, r := range list {
			text := r.Ref + " " + string(r.State)
			if r.State == "" {
				text = "?"
			}
			text += fmt.Sprintf(" %d %s", r.Amount, r.Currency)
			if r.FeeCurrency != "" {
				text += fmt.Sprintf(" fee %d", r.Fee)
			}
			words = append(words, strings.TrimSpace(text+" "+r.Destination)+" "+r.ProviderRef+" "+
				""+r.Day)
		}
		if got := strings.TrimSpace(strings.Join(words, "; ")); got != want {
			t.Errorf("%s is %q, want %q", line, got, want)
		}
	}
	for _, file := range []string{"", "Date,Status\n1,2\n", "<a></a>", "ref,state\nTRB,paid\n"} {
		if _, err := (Activity{}).Read("x", []byte(file)); affiliate.KindOf(err) != affiliate.Invalid {
			t.Errorf("%q: %v", file, err)
		}
	}
}

// TestAttack_activity: creators know the references of their payouts, and can pay us, with any note; what they pay, and
// what becomes of that, makes no payout come back, nor fail. PayPal's own words, types and ids of transactions, do.
func TestAttack_activity(t *testing.T) {
	const header = "Transaction ID,Status,Type,Currency,Gross,Amount,From Email Address,Reference Txn ID,Note," +
		"Customer ID\n"
	const ref = "TRB-1-K7Q2M9"
	for line, want := range map[string]string{
		// They buy something, by an electronic cheque that bounces, or pay what fails.
		`X1,Completed,eCheck,EUR,7,,a@x.example,,` + ref + `,`:            "",
		`X1,Failed,eCheck,EUR,7,,a@x.example,,` + ref + `,`:               "",
		`X1,Reversed,Website Payment,EUR,7,,a@x.example,,` + ref + `,`:    "",
		`X1,Denied,,EUR,7,,a@x.example,,` + ref + `,`:                     "",
		`X1,Completed,Website Payment,EUR,7,,a@x.example,Q1,` + ref + `,`: "",
		`X2,Completed,Payment Refund,EUR,-7,,a@x.example,X1,` + ref + `,`: "", // and are given it back
		`X2,Denied,Payment Reversal,EUR,-7,,a@x.example,X1,` + ref + `,`:  "",
		`X2,Canceled,Invoice Received,EUR,-7,,a@x.example,,` + ref + `,`:  ref + " ? X2",
		`X2,Refunded,,EUR,-7,,a@x.example,,` + ref + `,`:                  ref + " ? X2",
		`X1,Completed,,EUR,7,,a@x.example,,` + ref + `,`:                  ref + " ? X1",
		`X1,Completed,,EUR,7,,a@x.example,Q1,` + ref + `,`:                ref + " ? X1",
		`X1,Refunded,,EUR,,7,a@x.example,,` + ref + `,`:                   ref + " ? X1", // paid or received?
		`X1,Completed,Website Payment,EUR,,7,a@x.example,,` + ref + `,`:   ref + " ? X1",
		`X1,Completed,Mass Pay Payment,EUR,7,,a@x.example,,` + ref + `,`:  ref + " ? X1",
		`X1,Completed,Mass Pay Payment,EUR,7,,a@x.example,,,`:             "",
		// A payout in another currency moves money between our own balances, under its id.
		`C1,Completed,General Currency Conversion,EUR,7,,,Q1,` + ref + `,`: "",
		`C1,Completed,Bank Deposit to PP Account,EUR,7,,,Q1,` + ref + `,`:  "",
		`C1,Completed,Reversal of General Account Hold,EUR,7,,,Q1,,`:       "",
		`C1,Completed,Payout Hold,EUR,-7,,,Q1,,` + ref:                     "",
		// What PayPal says itself.
		`R1,Completed,Payment Refund,EUR,7,,a@x.example,Q1,` + ref + `,`:    " returned Q1",
		`R1,Completed,Payment Refund,EUR,7,,a@x.example,,` + ref + `,`:      ref + " ? R1",
		`R1,Pending,Payment Refund,EUR,7,,a@x.example,Q1,` + ref + `,`:      "",
		`R1,Completed,Mass Pay Reversal,EUR,7,,a@x.example,Q1,` + ref + `,`: ref + " returned Q1 a@x.example",
		`R1,Completed,MassPay Refund,EUR,7,,a@x.example,,,` + ref:           ref + " returned  a@x.example",
		`R1,Completed,Payout return,EUR,7,,a@x.example,Q1,,`:                " returned Q1 a@x.example",
		`P1,Failed,,EUR,,7,,,,` + ref:                                       ref + " failed P1",
		`P1,Completed,General Payment,EUR,-7,,,,` + ref + `,`:               ref + " paid P1",
	} {
		list, err := Activity{}.Read("x.csv", []byte(header+line+"\n"))
		if err != nil {
			t.Fatal(line, err)
		}
		got := ""
		for _, r := range list {
			got += strings.TrimRight(fmt.Sprintf("%s %s %s %s", r.Ref, cmp.Or(string(r.State), "?"), r.ProviderRef,
				r.Destination), " ")
			if r.Amount != 700 {
				t.Errorf("%s: the amount is %d", line, r.Amount)
			}
		}
		if got != want {
			t.Errorf("%s is %q, want %q", line, got, want)
		}
	}
}
