package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// issued issues the statements of the last month that is over, and gives those that are new.
func (c *till) issued() []affiliate.Statement {
	c.Helper()
	done, err := c.IssueStatements(c.ctx, affiliate.MonthBefore(c.now(), time.UTC).Month)
	return must(c.desk, done, err).Statements
}

// nextMonth waits until the statements of the present month can be issued.
func (c *till) nextMonth() {
	now := c.now()
	c.pass(time.Date(now.Year(), now.Month()+1, 1, 1, 0, 0, 0, time.UTC).Sub(now))
}

func saysOf(list []affiliate.Statement) string {
	var words []string
	for _, s := range list {
		words = append(words, fmt.Sprintf("%s %s %s %d+%d-%d=%d of %d", s.Serial(), s.Name, s.Currency, s.Opening,
			s.Earned, s.Paid, s.Closing, s.Entries))
	}
	return strings.Join(words, "; ")
}

func TestStatements(t *testing.T) {
	eachTill(t, func(c *till) {
		anna, ben := c.promoter("Anna"), c.promoter("Ben")
		c.promoter("Cleo") // nothing is earned
		c.earn(account(anna), 1000, 0)
		c.earnIn("GBP", account(anna), 70, 0)
		month := c.now().Format("2006-01")
		_, err := c.IssueStatements(c.ctx, month)
		c.want(err, affiliate.Conflict, "month", "is not over yet")
		for _, wrong := range []string{"", "2026", "2026-13", "soon", "2026-1"} {
			_, err := c.IssueStatements(c.ctx, wrong)
			c.want(err, affiliate.Invalid, "month", "it looks like 2026-10")
		}
		c.nextMonth()
		if open, err := c.UnissuedMonth(c.ctx); must(c.desk, open, err) != month {
			c.Errorf("the month that is not issued is %q, want %s", open, month)
		}
		year := c.now().Year()
		c.is("first", saysOf(c.issued()), strings.ReplaceAll(
			"Y-00001 Anna GBP 0+70-0=70 of 1; Y-00002 Anna USD 0+1000-0=1000 of 1", "Y", fmt.Sprint(year)))
		if again := c.issued(); len(again) != 0 {
			c.Errorf("issued again: %s", saysOf(again))
		}
		if open, err := c.UnissuedMonth(c.ctx); must(c.desk, open, err) != "" {
			c.Errorf("%q is not issued", open)
		}
		if n := len(c.audited("account", "statements.issue")); n != 1 {
			c.Errorf("%d entries in the audit log", n)
		}

		p := c.pay(anna.CreatorID)
		c.earn(account(ben), 500, 0)
		c.earn(account(anna), -40, 0)
		_, err = c.CancelPayout(c.ctx, p.ID, "account closed")
		must(c.desk, p, err)
		c.pay(ben.CreatorID)
		c.nextMonth()
		second := c.issued()
		// Issued in January, they begin the series of another year.
		c.is("second", saysOf(second), strings.ReplaceAll("Y-00001 Anna GBP 70+0-0=70 of 0; "+
			"Y-00002 Anna USD 1000+-40-0=960 of 3; Y-00003 Ben USD 0+500-500=0 of 2", "Y", fmt.Sprint(c.now().Year())))
		list, _, err := c.DB.Statements(c.ctx, storage.StatementFilter{Search: "2027-00002"}, storage.Page{})
		if must(c.desk, list, err); len(list) != 1 || list[0].Name != "Anna" {
			c.Errorf("found by the number: %s", saysOf(list))
		}
		payouts, err := c.DB.PayoutsOfStatement(c.ctx, list[0])
		if must(c.desk, payouts, err); len(payouts) != 1 || payouts[0].ID != p.ID {
			c.Errorf("its payouts are %+v", payouts)
		}
		var file bytes.Buffer
		wrote, err := c.ExportIssued(c.ctx, &file, list[0], app.ExportOptions{Format: "csv"})
		if must(c.desk, wrote, err); wrote.Rows != 3 || !strings.Contains(file.String(), "9.60") {
			c.Errorf("%d rows: %s", wrote.Rows, file.String())
		}
		c.nextMonth()
		if third := c.issued(); len(third) != 2 { // Ben has no balance and no entry
			c.Errorf("third: %s", saysOf(third))
		}
	})
}

// TestStatements_zone: months that were issued in different zones leave nothing out, and count nothing twice.
func TestStatements_zone(t *testing.T) {
	eachTill(t, func(c *till) {
		anna := c.promoter("Anna")
		c.earn(account(anna), 1000, 0)
		c.nextMonth()
		first := c.issued()[0]
		c.set("timezone", "Pacific/Auckland")
		c.earn(account(anna), 7, 0)
		c.pass(40 * 24 * time.Hour)
		done, err := c.IssueStatements(c.ctx, first.ToAt.Format("2006-01"))
		second := must(c.desk, done, err).Statements[0]
		if !second.FromAt.Equal(first.ToAt) || second.Opening != first.Closing || second.Closing != 1007 ||
			second.Zone != "Pacific/Auckland" {
			c.Errorf("%+v after %+v", second, first)
		}
		if again, err := c.IssueStatements(c.ctx, first.Month); err != nil || len(again.Statements) != 0 ||
			again.Before != 1 {
			c.Errorf("again: %+v %v", again, err)
		}
	})
}

// TestStatements_changed: what the ledger is made to say of the past afterwards is found.
func TestStatements_changed(t *testing.T) {
	eachDesk(t, func(d *desk) {
		c := &till{desk: d}
		anna := c.promoter("Anna")
		c.earn(account(anna), 1000, 0)
		at := c.now()
		c.nextMonth()
		s := c.issued()[0]
		if now, err := c.DB.StatementNow(c.ctx, s); err != nil || now != s {
			c.Errorf("%+v %v, want %+v", now, err, s)
		}
		undone := errors.New("undone")
		err := c.DB.InTx(c.ctx, func(tx *storage.Tx) error {
			if err := tx.AddLedger(c.ctx, []affiliate.LedgerEntry{{CreatorID: anna.CreatorID, Kind: affiliate.Bonus,
				Currency: "USD", Amount: 5, Cause: "late", CreatedAt: at, PayableAt: at}}); err != nil {
				return err
			}
			if now, err := tx.StatementNow(c.ctx, s); err != nil || now == s || now.Earned != 1005 {
				c.Errorf("%+v %v", now, err)
			}
			findings, err := tx.Check(c.ctx)
			if !slices.ContainsFunc(findings, func(f storage.Finding) bool {
				return f.Rule == "a statement says what the ledger says" && f.Count == 1
			}) {
				c.Errorf("the check finds %+v %v", findings, err)
			}
			return undone
		})
		if !errors.Is(err, undone) {
			c.Error(err)
		}
	})
}

// TestStatementsAtOnce_race: whoever issues at the same time, each statement is issued once, and numbers have no gaps.
func TestStatementsAtOnce_race(t *testing.T) {
	eachTill(t, func(c *till) {
		for n := range 4 {
			c.earn(account(c.promoter(fmt.Sprint("Creator", n))), 100, 0)
		}
		month := c.now().Format("2006-01")
		c.nextMonth()
		var work sync.WaitGroup
		for range 4 {
			work.Go(func() {
				if _, err := c.IssueStatements(context.WithoutCancel(c.ctx), month); err != nil {
					c.Error(err)
				}
			})
		}
		work.Wait()
		list, _, err := c.DB.Statements(c.ctx, storage.StatementFilter{}, storage.Page{})
		if must(c.desk, list, err); len(list) != 4 || list[0].Number != 4 {
			c.Errorf("issued: %s", saysOf(list))
		}
	})
}

// TestStatements_add: whatever was posted and paid, a statement's entries add up to the difference of its balances,
// each opens with what the one before closed with, and together they are the ledger.
func TestStatements_add(t *testing.T) {
	eachTill(t, func(c *till) {
		accounts := []affiliate.Account{account(c.promoter("Anna")), account(c.promoter("Ben"))}
		rapid.Check(t, func(t *rapid.T) {
			closing := map[string]int64{}
			before, _, err := c.DB.Statements(c.ctx, storage.StatementFilter{}, storage.Page{Limit: storage.MaxLimit})
			if err != nil {
				t.Fatal(err)
			}
			key := func(s affiliate.Statement) string { return fmt.Sprint(s.CreatorID, s.Currency) }
			for i := len(before) - 1; i >= 0; i-- {
				closing[key(before[i])] = before[i].Closing
			}
			for range rapid.IntRange(0, 6).Draw(t, "events") {
				a := rapid.SampledFrom(accounts).Draw(t, "account")
				currency := rapid.SampledFrom([]money.Currency{"USD", "GBP"}).Draw(t, "currency")
				if rapid.Bool().Draw(t, "pays") {
					p, err := c.IssuePayout(c.ctx, app.NewPayout{Creator: a.CreatorID, Currency: currency})
					if err == nil && rapid.Bool().Draw(t, "cancels") {
						_, err = c.CancelPayout(c.ctx, p.ID, "it came back")
					}
					if err != nil && affiliate.KindOf(err) != affiliate.Conflict {
						t.Fatal(err)
					}
				} else {
					c.earnIn(currency, a, rapid.Int64Range(-900, 2000).Draw(t, "amount"), 0)
				}
			}
			c.nextMonth()
			for _, s := range c.issued() {
				sum, n, last := s.Opening, int64(0), s.Opening
				err := c.DB.EachLineOf(c.ctx, s, func(l *storage.LedgerLine) error {
					sum, n, last = sum+l.Amount, n+1, l.Balance
					return nil
				})
				if err != nil || sum != s.Closing || last != s.Closing || n != s.Entries ||
					s.Closing != s.Opening+s.Earned-s.Paid {
					t.Fatalf("lines add up to %d (%d of them, %v): %+v", sum, n, err, s)
				}
				if was, ok := closing[key(s)]; ok && was != s.Opening {
					t.Fatalf("%+v opens with another balance than %d", s, was)
				}
				sums, err := c.DB.LedgerSums(c.ctx, storage.LedgerFilter{Creator: s.CreatorID, Currency: s.Currency})
				if err != nil || sums[s.Currency] != s.Closing {
					t.Fatalf("the ledger has %v: %+v", sums, s)
				}
			}
		})
	})
}

// TestPayees: totals of a year are those of the payouts that were paid in it, in the account's zone, and did not come
// back.
func TestPayees(t *testing.T) {
	eachTill(t, func(c *till) {
		anna, ben := c.promoter("Anna"), c.promoter("Ben")
		c.set("timezone", "Pacific/Auckland")
		for _, amount := range []int64{1000, 200} {
			c.earn(account(anna), amount, 0)
			c.pay(anna.CreatorID)
		}
		c.earn(account(ben), 500, 0)
		p := c.pay(ben.CreatorID)
		_, err := c.CancelPayout(c.ctx, p.ID, "account closed")
		must(c.desk, p, err)
		zone, err := time.LoadLocation("Pacific/Auckland")
		must(c.desk, zone, err)
		year := c.now().In(zone).Year()
		f, got, err := c.PayeeYear(c.ctx, 0, "")
		if must(c.desk, f, err); got != year || !f.From.Equal(time.Date(year, 1, 1, 0, 0, 0, 0, zone)) {
			c.Errorf("%d: %+v", got, f)
		}
		list, next, err := c.DB.PayeeTotals(c.ctx, f, storage.Page{})
		if must(c.desk, list, err); len(list) != 1 || next != "" || list[0].Creator != "Anna" || list[0].Payouts != 2 ||
			list[0].Amount != 1200 || list[0].Rail != affiliate.RailElsewhere {
			c.Errorf("payees: %+v", list)
		}
		sums, n, err := c.DB.SumPayees(c.ctx, f)
		if must(c.desk, sums, err); n != 1 || len(sums) != 1 || sums[0].Amount != 1200 || sums[0].Payouts != 2 {
			c.Errorf("sums: %+v of %d", sums, n)
		}
		var file bytes.Buffer
		wrote, err := c.ExportPayees(c.ctx, &file, f, app.ExportOptions{Format: "csv"})
		if must(c.desk, wrote, err); wrote.Rows != 1 || !strings.Contains(file.String(), "elsewhere,2,12.00,USD") {
			c.Errorf("%s", file.String())
		}
		before, _, err := c.PayeeYear(c.ctx, year-1, "")
		must(c.desk, before, err)
		if list, _, err := c.DB.PayeeTotals(c.ctx, before, storage.Page{}); err != nil || len(list) != 0 {
			c.Errorf("the year before has %+v %v", list, err)
		}
		for _, wrong := range []int{1999, 9999, -1} {
			_, _, err := c.PayeeYear(c.ctx, wrong, "")
			c.want(err, affiliate.Invalid, "year", "such as 2026")
		}
	})
}
