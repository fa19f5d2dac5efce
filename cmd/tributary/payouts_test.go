package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/config"
	"github.com/tributaryhq/tributary/internal/storage"
)

// owe makes two creators and posts what is owed to them.
func (s shell) owe(amounts ...int64) {
	s.Helper()
	cfg, err := config.Load(func(name string) string { return s.env[name] })
	if err != nil {
		s.Fatal(err)
	}
	a, end, err := openApp(s.Context(), cfg)
	if err != nil {
		s.Fatal(err)
	}
	defer end()
	for _, amount := range amounts {
		creator, err := a.AddCreator(s.Context(), affiliate.Creator{Name: "Anna"})
		if err != nil {
			s.Fatal(err)
		}
		now := time.Now()
		if err := a.DB.InTx(s.Context(), func(tx *storage.Tx) error {
			return tx.AddLedger(s.Context(), []affiliate.LedgerEntry{{CreatorID: creator.ID, Kind: affiliate.Bonus,
				Currency: "USD", Amount: amount, Cause: creator.ID.String(), CreatedAt: now, PayableAt: now}})
		}); err != nil {
			s.Fatal(err)
		}
	}
}

func TestPayoutsCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		if out := s.run("payouts", "due").exits(0).stdout; out != "Nothing is due.\n" {
			s.Error(out)
		}
		s.owe(12000, 500, 80)
		due := s.run("payouts", "due", "--json").exits(0).json()["due"].([]any)
		if d := due[0].(map[string]any); len(due) != 3 || d["creator"] != "cre_1" || d["amount"] != "120.00" ||
			d["accounts"] != 1.0 {
			s.Errorf("due: %v", due)
		}
		if out := s.run("payouts", "due").exits(0).stdout; !strings.Contains(out, "cre_2") ||
			!strings.HasSuffix(out, "In all: 125.80 USD\n") {
			s.Error(out)
		}
		s.run("payouts", "due", "--currency", "QQQ").exits(2, "QQQ")
		s.run("payouts", "issue").exits(2, "CREATOR-ID")
		s.run("payouts", "issue", "cre_1", "--amount", "100").exits(1,
			"--amount 120.00 USD is due to Anna (cre_1), not 100.00; look again")
		s.run("payouts", "issue", "cre_1", "cre_2", "--amount", "100").exits(2, "--amount goes with one creator")
		s.run("payouts", "issue", "cre_1", "cre_9").exits(1, "there is no cre_9")
		s.run("payouts", "issue", "anna").exits(1, "cre_1")
		paid := s.run("payouts", "issue", "cre_1", "--amount", "120", "--method", "cash",
			"--json").exits(0).json()["payouts"].([]any)
		if p := paid[0].(map[string]any); len(paid) != 1 || p["id"] != "pay_1" || p["amount"] != "120.00" ||
			p["run"] != "run_1" ||
			p["method"] != "cash" || p["state"] != "paid" {
			s.Errorf("paid: %v", paid)
		}
		if out := s.run("payouts", "issue", "cre_3", "cre_2").exits(0).stdout; !strings.Contains(out,
			": 0.80 USD to cre_3.\n") || !strings.Contains(out, ": 5.00 USD to cre_2.\n") {
			s.Error(out)
		}
		s.run("payouts", "issue", "cre_1").exits(1, "nothing is due to Anna (cre_1)")
		s.run("payouts", "cancel", "pay_1").exits(2, "missing: --reason")
		s.run("payouts", "cancel", "pay_1", "--reason", " ").exits(1, "--reason must say why")
		s.run("payouts", "cancel", "pay_9", "--reason", "typo").exits(1, "there is no pay_9")
		if out := s.run("payouts", "cancel", "pay_1", "--reason", "account closed").exits(0).
			stdout; out != "Payout pay_1 is canceled; 120.00 USD is owed to cre_1 again.\n" {
			s.Error(out)
		}
		if p := s.run("payouts", "cancel", "pay_1", "--reason", "again",
			"--json").exits(0).json(); p["state"] != "canceled" {
			s.Errorf("canceled: %v", p)
		}
		s.run("payouts", "issue", "cre_1", "--currency", "usd").prints("Run run_3: ", "1 payout.",
			": 120.00 USD to cre_1.")
		s.run("payouts", "run", "run_3").prints("of 1 creator: settled")
		s.run("payouts", "cancel", "run_", "--reason", "typo").exits(1, "run_1")
		s.run("payouts", "cancel", "run_9", "--reason", "typo").exits(1, "there is no run_9")
		if out := s.run("payouts", "cancel", "run_2", "--reason", "refused").exits(0).
			stdout; !strings.HasPrefix(out, "The run run_2 (") || !strings.Contains(out, "2 payouts) is canceled") {
			s.Error(out)
		}
		if out := s.run("payouts", "due").exits(0).stdout; !strings.HasSuffix(out, "In all: 5.80 USD\n") {
			s.Error(out)
		}
	})
}

// TestPayoutRunCommands: a run is looked at before it is sent, what was seen is sent, or nothing, and it is shown with
// what became of it.
func TestPayoutRunCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		s.run("payouts", "runs").prints("There is no payout run yet.")
		s.run("payouts", "preview").prints("Nothing would be paid.")
		s.run("payouts", "send", "--yes").exits(1, "nobody can be paid")
		s.owe(12000, 500, 80)
		s.run("payouts", "send").exits(1, "Not paid: Anna (cre_2), 5.00 USD: nobody has entered where to pay them",
			"Nothing would be paid.", "nobody can be paid: 3 creators (125.80 USD): nobody has entered where to pay")
		for _, option := range []string{"--creators", "--offer", "--campaign", "--currency", "--until", "--exclude"} {
			for _, command := range []string{"preview", "send"} { // an empty one is no choice of all
				s.run("payouts", command, option, " ", "--elsewhere").exits(2, strings.TrimPrefix(option, "--"),
					"it is empty; leave the option out to mean all")
			}
		}
		a := s.app()
		ok(s.T, a.DB.InTx(s.Context(), func(tx *storage.Tx) error {
			_, err := tx.AddPaymentDetails(s.Context(), storage.PaymentDetails{CreatorID: 1,
				Method:  affiliate.MethodPayPal,
				Details: []byte("sealed"), Masked: "anna@creators.example", UsableAt: time.Now().Add(-time.Hour),
				CreatedAt: time.Now()})
			return err
		}))
		s.run("payouts", "preview").prints("Of all that is due:", "anna@creators.example",
			"PayPal file: 1 payout, 120.00 USD",
			"Not paid: Anna (cre_2), 5.00 USD: nobody has entered where to pay them")
		s.run("payouts", "preview", "--creators", "cre_2,cre_3", "--elsewhere").prints("Of 2 creators:",
			"Paid elsewhere: 2 payouts, 5.80 USD")
		seen := s.run("payouts", "preview", "--rail", "paypal=csv_file", "--json").exits(0).json()
		if rails := seen["rails"].([]any)[0].(map[string]any); rails["rail"] != "csv_file" ||
			rails["amount"] != "120.00" {
			s.Errorf("preview: %v", seen)
		}
		s.run("payouts", "preview", "--rail", "paypal").exits(2, "paypal=paypal_file")
		s.run("payouts", "preview", "--rail", "paypal=gold").exits(1, "gold")
		s.run("payouts", "preview", "--until", "soon").exits(1, "--until")
		s.run("payouts", "preview", "--offer", "off_9").exits(1, "off_9")
		s.run("payouts", "send", "--reference", "SEPA 1").exits(2, "go with --elsewhere")
		s.run("payouts", "send").exits(2, "Send 1 payout, 120.00 USD? Type yes:", "--yes")
		s.typed("no\n").run("payouts", "send").exits(1, "Nothing was done.")
		s.run("payouts", "runs").prints("There is no payout run yet.")

		s.typed("yes\n").run("payouts", "send", "--rail", "paypal=csv_file", "--note", "May").prints("Run run_1 (",
			"of all that is due: confirmed", "120.00 USD: ready 120.00",
			"Part prt_1: CSV file 1, 1 payout, 120.00 USD, ready; "+
				"get it: tributary payouts file prt_1", "Not paid: 2 creators, 5.80 USD")
		s.run("payouts", "send", "--creators", "cre_2,cre_3", "--elsewhere", "--reference", "SEPA 2", "--yes").prints(
			"Run run_2 (", "settled", "sent 5.80 = paid 5.80")
		if run := s.run("payouts", "run", "run_2", "--payouts",
			"--json").exits(0).json(); run["reference"] != "SEPA 2" ||
			len(run["list"].([]any)) != 2 {
			s.Errorf("run: %v", run)
		}
		s.run("payouts", "run", "run_1", "--payouts").prints("pay_1", "anna@creators.example", "TRB-1-")
		s.run("payouts", "run", "run_9").exits(1, "there is no run_9")
		s.run("payouts", "runs").prints("run_1", "run_2", "all that is due", "confirmed", "120.00 USD")
		if runs := s.run("payouts", "runs", "--limit", "1", "--json").exits(0).json()["runs"].([]any); len(runs) != 1 ||
			runs[0].(map[string]any)["id"] != "run_2" {
			s.Errorf("runs: %v", runs)
		}
		s.run("payouts", "file", "prt_9", "-o", s.file("there", "")).exits(1, "is there already")
		s.run("payouts", "file", "first").exits(1, "prt_1")
		s.run("payouts", "mark", "pay_1").exits(2, "missing: --state")
		s.run("payouts", "mark", "pay_1", "--state", "gold").exits(1, "--state")
		s.run("payouts", "results", "no-such-file").exits(1, "no-such-file")
		s.run("payouts", "cancel", "run_1", "--reason", "typo").prints("is canceled")
		s.run("payouts", "preview").prints("PayPal file: 1 payout, 120.00 USD")
	})
}

// TestPayoutFileCommands: the file of a part is written once to one place, and what became of its payouts is said by
// hand and read from a file.
func TestPayoutFileCommands(t *testing.T) {
	eachShell(t, func(s shell) {
		s.owe(12000, 500)
		a := s.app()
		ctx := app.As(s.Context(), commandLine())
		for _, id := range []affiliate.CreatorID{1, 2} {
			_, err := a.SetPaymentDetails(ctx, id, affiliate.PaymentDetails{Method: affiliate.MethodPayPal,
				Email: "anna@creators.example"})
			ok(s.T, err)
		}
		s.run("payouts", "send", "--rail", "paypal=paypal_file", "--yes").prints("Part prt_1: PayPal file 1, 2 payouts")
		to := filepath.Join(s.TempDir(), "may.csv")
		s.run("payouts", "file", "prt_1", "-o", to).prints("may.csv", "count as sent")
		written, err := os.ReadFile(to)
		ok(s.T, err)
		s.run("payouts", "file", "prt_1", "-o", to).exits(1, "is there already")
		if out := s.run("payouts", "file", "prt_1", "-o", "-").exits(0).stdout; out != string(written) ||
			!strings.Contains(out, "anna@creators.example,120.00,USD,TRB-1-") {
			s.Errorf("it is written as %q, then %q", written, out)
		}
		s.run("payouts", "mark", "pay_1", "--state", "failed").exits(1, "--reason")
		s.run("payouts", "mark", "pay_1", "--state", "failed", "--reason", "never handed in").exits(0)
		s.run("payouts", "file", "prt_1", "-o", "-").exits(1, "owed again")
		s.run("payouts", "file", "prt_1", "-o", "-", "--owed-again").prints("anna@creators.example,120.00")
		s.run("payouts", "mark", "pay_1", "--state", "paid").prints("Payout pay_1 is paid.")
		s.run("payouts", "mark", "pay_1", "--state", "paid").prints("Payout pay_1 is paid, as it was.")
		s.run("payouts", "mark", "pay_9", "--state", "paid").exits(1, "pay_9")
		s.run("payouts", "results", s.file("notes.txt", "hello\n")).exits(1)
		large := s.file("large.xml", "")
		ok(s.T, os.Truncate(large, app.MaxResults+1))
		s.run("payouts", "results", large).exits(1, "large.xml is larger than 32 MB")
		s.typed("hello\n").run("payouts", "results", "-").exits(1, "is of no kind that is known")
		s.run("payouts", "run", "run_1").prints("sent 125.00 = paid 120.00 + pending 5.00")
	})
}
