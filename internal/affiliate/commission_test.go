package affiliate

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/money"
)

func TestCommission(t *testing.T) {
	for _, c := range []struct {
		name     string
		currency money.Currency
		value    int64
		rule     Rule
		approval Approval
		status   OrderStatus
		want     int64
	}{
		{"ten percent", "USD", 5069, Rule{Percent: 1000}, Approved, Paid, 507},
		{"half a cent goes up", "USD", 5, Rule{Percent: 1000}, Approved, Paid, 1},
		{"percent and flat are rounded once", "EUR", 6242, Rule{Percent: 725, Flat: 15000}, Approved, Paid, 603},
		{"yen have no decimals", "JPY", 4032, Rule{Percent: 1000}, Approved, Paid, 403},
		{"flat in yen", "JPY", 4032, Rule{Flat: 15000}, Approved, Paid, 2},
		{"dinar have three", "KWD", 22050, Rule{Percent: 1250, Flat: 5000}, Approved, Paid, 3256},
		{"flat is due on a paid order of nothing", "USD", 0, Rule{Flat: 40000}, Approved, Paid, 400},
		{"pending", "USD", 5000, Rule{Percent: 1000}, Approved, Pending, 0},
		{"canceled", "USD", 0, Rule{Flat: 40000}, Approved, Canceled, 0},
		{"refunded", "USD", 0, Rule{Flat: 40000}, Approved, Refunded, 0},
		{"rejected", "USD", 5000, Rule{Percent: 1000}, Rejected, Paid, 0},
		{"held", "USD", 5000, Rule{Percent: 1000}, Held, Paid, 0},
	} {
		if got := Commission(c.currency, c.value, c.rule, c.approval, c.status); got != c.want {
			t.Errorf("%s: got %d, want %d", c.name, got, c.want)
		}
	}
}

func TestCommissionIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		currency := rapid.SampledFrom([]money.Currency{"JPY", "USD", "KWD"}).Draw(t, "currency")
		value := rapid.Int64Range(0, money.Limit).Draw(t, "value")
		rule := Rule{Percent: rapid.Int64Range(0, MaxPercent).Draw(t, "percent"), Flat: rapid.Int64Range(0,
			MaxFlat).Draw(t, "flat")}
		got := Commission(currency, value, rule, Approved, Paid)
		scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(currency.Digits())), nil)
		exact := new(big.Int).Add(new(big.Int).Mul(big.NewInt(value), big.NewInt(rule.Percent)),
			new(big.Int).Mul(big.NewInt(rule.Flat), scale))
		// Half up, as all parts are positive: (2×exact + scale) ÷ (2×scale).
		want := new(big.Int).Div(exact.Add(exact.Lsh(exact, 1), big.NewInt(RuleScale)), big.NewInt(2*RuleScale))
		if want.Cmp(big.NewInt(got)) != 0 {
			t.Fatalf("Commission(%s, %d, %+v) = %d, want %s", currency, value, rule, got, want)
		}
	})
}

func TestDifferencesMakeTheLedgerFit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		account := rapid.Custom(func(t *rapid.T) Account {
			n := rapid.Int64Range(1, 3).Draw(t, "member")
			return Account{CreatorID: CreatorID(n), CampaignID: 1, OfferMemberID: OfferMemberID(n)}
		})
		ledger := map[Account]int64{}
		for range rapid.IntRange(1, 10).Draw(t, "steps") {
			credited, commission := account.Draw(t, "credited"), rapid.Int64Range(0, 1000).Draw(t, "commission")
			for _, p := range Differences(credited, commission, ledger) {
				if p.Amount == 0 || (p.Kind == Reversal) != (p.Amount < 0) {
					t.Fatalf("posting %+v", p)
				}
				ledger[p.Account] += p.Amount
			}
			for a, n := range ledger {
				want := int64(0)
				if a == credited {
					want = commission
				}
				if n != want {
					t.Fatalf("account %v holds %d, want %d", a, n, want)
				}
			}
		}
	})
}
