package storage

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/testservers"
)

// eachOlden runs a test on both databases, as they were before payments.
func eachOlden(t *testing.T, test func(old olden)) {
	for name, o := range map[string]Options{"sqlite": {Path: filepath.Join(t.TempDir(), "t.db")},
		"postgres": {URL: testservers.Database(t)}} {
		t.Run(name, func(t *testing.T) {
			db, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			old := olden{t, db}
			old.exec(`CREATE TABLE migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)`)
			for done := ""; done != "0016_offers_that_act.sql"; {
				if done, err = db.migrateNext(t.Context()); err != nil || done == "" {
					t.Fatalf("after %q: %v", done, err)
				}
			}
			test(old)
		})
	}
}

// TestMigrate_payments: payouts of before get their runs, each entry the payout that has paid it, and nothing is due
// that was not.
func TestMigrate_payments(t *testing.T) {
	eachOlden(t, func(old olden) {
		t, db := old.T, old.db
		old.write()
		before := old.payable()
		if applied, err := db.Migrate(t.Context()); err != nil ||
			applied[0] != "0017_payments.sql" {
			t.Fatalf("applied %v, %v", applied, err)
		}
		err := db.InTx(t.Context(), func(tx *Tx) error { return tx.RebuildRollups(t.Context()) })
		if err != nil {
			t.Fatal(err)
		}
		findings, err := db.Check(t.Context())
		if err != nil || len(findings) > 0 {
			t.Errorf("found %+v, %v", findings, err)
		}
		for _, want := range []string{
			"pay_1: 1 earned 500, 2 earned -100, 3 paid -400", // canceled later: what took it back is paid by pay_3
			"pay_2: 4 earned 900, 5 paid -900",
			"pay_3: 6 back 400, 7 earned 50, 10 paid -450", // its run is newer than that of pay_4
			"pay_4: 8 earned 300, 12 paid -300",
			"pay_5: 11 earned 70, 13 earned -20, 14 paid -50", // taken back on hold counts at once
			"pay_6: ", // something came while it was paid: all of it stays open
		} {
			id, _, _ := strings.Cut(want, ":")
			if got := old.settled(id); got != want {
				t.Errorf("settled %q, want %q", got, want)
			}
		}
		after, _, err := db.PayoutRuns(t.Context(), Page{})
		if err != nil || len(after) != 5 || after[0].State != affiliate.PayRunSettled {
			t.Errorf("runs %+v, %v", after, err)
		}
		balances, err := db.Balances(t.Context(), []affiliate.CreatorID{1, 2, 3}, old.at(90))
		var now []string
		for _, b := range balances {
			now = append(now, fmt.Sprintf("%s %d", b.CreatorID, b.Payable))
		}
		if err != nil || !slices.Equal(now, before) {
			t.Errorf("payable are %v, %v; were %v", now, err, before)
		}
		old.pay()
	})
}

// TestCheck_payoutRuns: what payout runs settle, and what payouts have posted, is looked at.
func TestCheck_payoutRuns(t *testing.T) {
	eachOlden(t, func(old olden) {
		old.write()
		if _, err := old.db.Migrate(old.Context()); err != nil {
			old.Fatal(err)
		}
		old.exec(`INSERT INTO payout_parts (run_id, rail, currency, number, variant, payouts, amount, reference, state, file_name,
			provider_ref, fee, fee_currency, tries, account, trouble, sent_by) VALUES (1, 'elsewhere', 'EUR', 1, '', 1, 900, 'TRB', 'sent', '', '', 0, '', 0, '', '', '')`)
		old.exec(`UPDATE payouts SET part_id = 1 WHERE id = 2`)
		for _, fault := range []struct{ make, mend, rule string }{
			{`DELETE FROM payout_run_entries WHERE ledger_entry_id = 4`, `INSERT INTO payout_run_entries (ledger_entry_id, run_id) VALUES (4, 1)`,
				"of an account and a payout run the ledger entries that it settles add up to 0"},
			{`UPDATE payouts SET state = 'failed' WHERE id = 3`, `UPDATE payouts SET state = 'paid' WHERE id = 3`,
				"the ledger entries of a payout add up to what its state says"},
			{`UPDATE payouts SET currency = 'USD' WHERE id = 3`, `UPDATE payouts SET currency = 'EUR' WHERE id = 3`,
				"the ledger entries of a payout add up to what its state says"},
			{`UPDATE payout_runs SET state = 'sent' WHERE id = 1`, `UPDATE payout_runs SET state = 'settled' WHERE id = 1`,
				"a payout run has its payouts, and is settled once all of them are final"},
			{`UPDATE payout_runs SET payouts = 3 WHERE id = 1`, `UPDATE payout_runs SET payouts = 2 WHERE id = 1`,
				"a payout run has its payouts, and is settled once all of them are final"},
			{`UPDATE payout_parts SET amount = 901`, `UPDATE payout_parts SET amount = 900`, "a part of a payout run has its payouts"},
			{`UPDATE payout_parts SET state = 'canceled'`, `UPDATE payout_parts SET state = 'sent'`, "a part of a payout run has its payouts"},
		} {
			old.exec(fault.make)
			if got := old.findings(); !slices.Equal(got, []string{fault.rule}) {
				old.Errorf("after %s it finds %q, want %q", fault.make, got, fault.rule)
			}
			old.exec(fault.mend)
			if got := old.findings(); len(got) > 0 {
				old.Fatalf("after %s it finds %q", fault.mend, got)
			}
		}
	})
}

// findings are the rules that do not hold.
func (o olden) findings() (rules []string) {
	o.Helper()
	findings, err := o.db.Check(o.Context())
	if err != nil {
		o.Fatal(err)
	}
	for _, f := range findings {
		rules = append(rules, f.Rule)
	}
	return rules
}

// olden is a database of before, with payouts of three creators.
type olden struct {
	*testing.T
	db *DB
}

func (o olden) at(hours int) time.Time {
	return time.Date(2026, 10, 1, 12, 0, 0, 0, time.UTC).Add(time.Duration(hours) * time.Hour)
}

func (o olden) exec(query string, args ...any) {
	o.Helper()
	if _, err := o.db.exec(o.Context(), query, args...); err != nil {
		o.Fatalf("%s: %v", query, err)
	}
}

func (o olden) payout(batch any, creator, amount int64, state string, hours int) {
	o.exec(`INSERT INTO payouts (creator_id, amount, currency, state, method, reference, author, created_at, paid_at, batch_id)
		VALUES (?, ?, 'EUR', ?, 'bank', '', 'Mia', ?, ?, ?)`, creator, amount, state, At(o.at(hours)), At(o.at(hours)), batch)
}

// entry posts an amount, payable after hold hours; of a payout where payout is not nil.
func (o olden) entry(creator, amount int64, cause string, payout any, hours, hold int) {
	kind := "bonus"
	if payout != nil {
		kind = "payout"
	}
	o.exec(`INSERT INTO ledger_entries (creator_id, kind, currency, amount, cause, created_at, day, payable_at, payout_id)
		VALUES (?, ?, 'EUR', ?, ?, ?, '2026-10-01', ?, ?)`, creator, kind, amount, cause, At(o.at(hours)), At(o.at(hours+hold)), payout)
}

func (o olden) write() {
	for _, name := range []string{"Anna", "Ben", "Cleo"} {
		o.exec(`INSERT INTO creators (name, created_at, updated_at) VALUES (?, ?, ?)`, name, At(o.at(0)), At(o.at(0)))
	}
	for n, payouts := range []int64{2, 1} {
		o.exec(`INSERT INTO payout_batches (payouts, day, method, reference, note, author, form, created_at)
			VALUES (?, '2026-10-02', 'bank', '', '', 'Mia', ?, ?)`, payouts, fmt.Sprint("form ", n), At(o.at(24)))
	}
	o.payout(1, 1, 400, "canceled", 10)
	o.payout(1, 2, 900, "paid", 10)
	o.payout(nil, 1, 450, "paid", 30)
	o.payout(2, 1, 300, "paid", 50)
	o.payout(nil, 3, 50, "paid", 60)
	o.payout(nil, 2, 10, "paid", 70)
	o.entry(1, 500, "a", nil, 1, 0)
	o.entry(1, -100, "b", nil, 2, 0)
	o.entry(1, -400, "pay_1:cre_1", 1, 10, 0)
	o.entry(2, 900, "c", nil, 3, 0)
	o.entry(2, -900, "pay_2:cre_2", 2, 10, 0)
	o.entry(1, 400, "pay_1:cancel:cre_1", 1, 20, 0)
	o.entry(1, 50, "d", nil, 21, 0)
	o.entry(1, 300, "e", nil, 22, 24) // on hold when pay_3 was paid
	o.entry(1, 25, "f", nil, 23, 240) // still on hold
	o.entry(1, -450, "pay_3:cre_1", 3, 30, 0)
	o.entry(3, 70, "g", nil, 31, 0)
	o.entry(1, -300, "pay_4:cre_1", 4, 50, 0)
	o.entry(3, -20, "h", nil, 55, 240)
	o.entry(3, -50, "pay_5:cre_3", 5, 60, 0)
	o.entry(2, 10, "i", nil, 61, 0)
	o.entry(2, 3, "j", nil, 69, 0) // in the same moment as pay_6, which has not seen it
	o.entry(2, -10, "pay_6:cre_2", 6, 70, 0)
	if err := o.db.InTx(o.Context(), func(tx *Tx) error { return tx.RebuildRollups(o.Context()) }); err != nil {
		o.Fatal(err)
	}
}

// payable is what was due to each creator, as it was reckoned then.
func (o olden) payable() (list []string) {
	var rows []struct {
		Creator affiliate.CreatorID
		Payable int64
	}
	if err := o.db.List(o.Context(), &rows, `SELECT b.creator_id AS creator, CAST(b.balance - COALESCE((SELECT CASE WHEN SUM(e.amount) > 0 THEN SUM(e.amount) END
		FROM ledger_entries e WHERE e.creator_id = b.creator_id AND e.payable_at > ?), 0) AS BIGINT) AS payable FROM balances b ORDER BY 1`, At(o.at(90))); err != nil {
		o.Fatal(err)
	}
	for _, r := range rows {
		list = append(list, fmt.Sprintf("%s %d", r.Creator, r.Payable))
	}
	return list
}

// settled tells the entries that the run of a payout settles of its creator: "pay_1: 1 earned 500, 3 paid -400".
func (o olden) settled(payout string) string {
	var rows []affiliate.LedgerEntry
	err := o.db.List(o.Context(), &rows, `SELECT e.id, e.kind, e.amount FROM payout_run_entries s JOIN ledger_entries e ON e.id = s.ledger_entry_id
		JOIN payouts p ON p.run_id = s.run_id AND p.creator_id = e.creator_id WHERE 'pay_' || p.id = ? ORDER BY e.id`, payout)
	if err != nil {
		o.Fatal(err)
	}
	var words []string
	for _, e := range rows {
		word := "earned"
		switch {
		case e.Kind == affiliate.PaidOut && e.Amount > 0:
			word = "back"
		case e.Kind == affiliate.PaidOut:
			word = "paid"
		}
		words = append(words, fmt.Sprintf("%d %s %d", int64(e.ID), word, e.Amount))
	}
	return payout + ": " + strings.Join(words, ", ")
}

// pay settles all that is open in one more run: it is what the balances hold.
func (o olden) pay() {
	o.Helper()
	err := o.db.InTx(o.Context(), func(tx *Tx) error {
		now := o.at(2400)
		run, err := tx.CreatePayoutRun(o.Context(), affiliate.PayoutRun{Day: "2026-12-31",
			State: affiliate.PayRunSettled, CreatedAt: now})
		if err != nil {
			return err
		}
		if err := tx.FreezeEntries(o.Context(), run.ID, []affiliate.CreatorID{1, 2, 3}, now, time.Time{}); err != nil {
			return err
		}
		frozen, err := tx.FrozenAccounts(o.Context(), run.ID)
		for _, f := range frozen {
			if want := map[affiliate.CreatorID]int64{1: 25, 2: 3}[f.CreatorID]; f.Amount != want {
				o.Errorf("%d stays open for %s, want %d", f.Amount, f.CreatorID, want)
			}
		}
		return err
	})
	if err != nil {
		o.Error(err)
	}
}
