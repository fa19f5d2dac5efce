package affiliate

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var payday = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func TestPayout_Validate(t *testing.T) {
	good := Payout{CreatorID: 7, Amount: 1, Currency: "EUR", State: PayoutPaid, Rail: RailElsewhere,
		Method:    "bank transfer",
		Reference: "SEPA 2026-11"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		field string
		spoil func(*Payout)
	}{
		{"creator", func(p *Payout) { p.CreatorID = 0 }},
		{"amount", func(p *Payout) { p.Amount = 0 }},
		{"amount", func(p *Payout) { p.Amount = -1 }},
		{"currency", func(p *Payout) { p.Currency = "QQQ" }},
		{"state", func(p *Payout) { p.State = "draft" }},
		{"rail", func(p *Payout) { p.Rail = "pigeon" }},
		{"method", func(p *Payout) { p.Method = "bank\ntransfer" }},
		{"reference", func(p *Payout) { p.Reference = strings.Repeat("x", MaxPayoutText+1) }},
	} {
		p := good
		c.spoil(&p)
		if err, ok := p.Validate().(*Error); !ok || err.Kind != Invalid || err.Field != c.field {
			t.Errorf("got %v, want an Invalid about %s", p.Validate(), c.field)
		}
	}
}

func TestMinimumIn(t *testing.T) {
	s := Settings{Currency: "EUR", MinimumPayout: 2500}
	if eur, usd := s.MinimumIn("EUR"), s.MinimumIn("USD"); eur != 2500 || usd != 0 {
		t.Errorf("the minimum is %d EUR and %d USD, want 2500 and 0", eur, usd)
	}
}

// A debt of one account is settled out of the others, and causes tell a creator's accounts apart.
func TestPayoutIssuedAndCanceled(t *testing.T) {
	account := func(campaign CampaignID, member OfferMemberID) Account { return Account{7, campaign, member} }
	amount, postings := Settle(map[Account]int64{account(2, 4): 5000, account(2, 3): -1200, account(2, 9): 0,
		account(2, 0): 300, account(0, 0): 100})
	if amount != 4200 {
		t.Errorf("the payout is of %d, want 4200", amount)
	}
	p := Payout{ID: 12, CreatorID: 7, Amount: amount, Currency: "EUR", State: PayoutPaid, Author: "Olga",
		CreatedAt: payday, PaidAt: payday}
	entry := func(campaign CampaignID, member OfferMemberID, amount int64, cause string) LedgerEntry {
		return LedgerEntry{CreatorID: 7, CampaignID: campaign, OfferMemberID: member, Kind: PaidOut, Currency: "EUR",
			Amount: amount, Cause: cause, PayoutID: 12, Author: "Olga", CreatedAt: payday, PayableAt: payday}
	}
	issued := p.Entries(postings)
	want := []LedgerEntry{entry(0, 0, -100, "pay_12:cre_7"), entry(2, 0, -300, "pay_12:cmp_2"),
		entry(2, 3, 1200, "pay_12:ofm_3"), entry(2, 4, -5000, "pay_12:ofm_4")}
	if !reflect.DeepEqual(issued, want) {
		t.Errorf("issued %+v,\nwant %+v", issued, want)
	}
	later := payday.Add(time.Hour)
	undo := p.Turn(PayoutCanceled, issued, "Max", "account closed", later)
	for i := range want {
		want[i].Amount, want[i].Cause = -want[i].Amount, strings.Replace(want[i].Cause, ":", ":canceled:1:", 1)
		want[i].Note, want[i].Author, want[i].CreatedAt, want[i].PayableAt = "account closed", "Max", later, later
	}
	if !reflect.DeepEqual(undo, want) || p.State != PayoutCanceled {
		t.Errorf("canceled to %s with %+v,\nwant %+v", p.State, undo, want)
	}
	if again := p.Turn(PayoutCanceled, issued, "Max", "again", later); again != nil {
		t.Errorf("canceled again: %v", again)
	}
}

func TestSettleLeavesNothingPayable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payable := rapid.MapOf(rapid.Custom(func(t *rapid.T) Account {
			return Account{7, CampaignID(rapid.IntRange(0, 3).Draw(t, "campaign")),
				OfferMemberID(rapid.IntRange(0, 5).Draw(t, "member"))}
		}), rapid.Int64Range(-1_000_000, 1_000_000)).Draw(t, "payable")
		var total int64
		nonZero := 0
		for _, balance := range payable {
			total += balance
			if balance != 0 {
				nonZero++
			}
		}
		amount, postings := Settle(payable)
		if amount != total || len(postings) != nonZero {
			t.Fatalf("a payout of %d with %d postings, want %d with %d", amount, len(postings), total, nonZero)
		}
		for _, p := range postings {
			payable[p.Account] += p.Amount
			total += p.Amount
		}
		for account, left := range payable {
			if left != 0 {
				t.Fatalf("%s is left with %d", account.Name(), left)
			}
		}
		if total != 0 {
			t.Fatalf("amount and postings sum to %d", total)
		}
	})
}
