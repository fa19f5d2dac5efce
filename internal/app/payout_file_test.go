package app_test

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/paypal"
	"github.com/tributaryhq/tributary/integrations/sepa"
	"github.com/tributaryhq/tributary/integrations/wise"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// counter is a till with the files of all rails, and an account that SEPA files pay from.
type counter struct{ *till }

func eachCounter(t *testing.T, test func(c counter)) {
	eachTill(t, func(c *till) {
		c.PaymentFiles = map[affiliate.Rail]app.PaymentFiles{affiliate.RailPayPalFile: paypal.File{},
			affiliate.RailWiseFile: wise.File{}, affiliate.RailSEPAFile: sepa.File{},
			affiliate.RailCSVFile: app.PaymentsCSV{}}
		c.ResultReaders = []app.ResultReader{paypal.Activity{}, wise.Transfers{}, sepa.Answers{}, sepa.Entries{},
			app.ResultsCSV{}}
		c.set("sepa_account", "DE02120300000000202051")
		test(counter{c})
	})
}

// owed makes a creator who is paid so and to whom that many cents in EUR are due.
func (c counter) owed(name string, amount int64, d affiliate.PaymentDetails) affiliate.CreatorID {
	c.Helper()
	om := c.promoter(name)
	c.earnIn("EUR", account(om), amount, 0)
	plain, err := json.Marshal(d)
	must(c.desk, plain, err)
	masked := d.Email
	if d.IBAN != "" {
		masked = d.IBAN[:4] + " … " + d.IBAN[len(d.IBAN)-4:]
	}
	err = c.DB.InTx(c.ctx, func(tx *storage.Tx) error {
		_, err := tx.AddPaymentDetails(c.ctx, storage.PaymentDetails{CreatorID: om.CreatorID, Method: d.Method,
			Details: c.Sealer.Seal(app.SealPaymentDetails, plain), Masked: masked, Holder: d.Holder,
			Country: d.Country(), HasIban: d.IBAN != "", Recipient: d.Recipient != "", UsableAt: c.now(),
			Author: "the test", CreatedAt: c.now()})
		return err
	})
	must(c.desk, err, err)
	return om.CreatorID
}

var (
	annas = affiliate.PaymentDetails{Method: affiliate.MethodBank, Holder: "Anna Ärger",
		IBAN: "FR1420041010050500013M02606"}
	bens = affiliate.PaymentDetails{Method: affiliate.MethodBank, Holder: "Ben", IBAN: "AT611904300234573201"}
)

// byPayPal are details of an address at PayPal.
func byPayPal(email string) affiliate.PaymentDetails {
	return affiliate.PaymentDetails{Method: affiliate.MethodPayPal, Email: email}
}

// sent confirms a run of all that is due, and gives its parts.
func (c counter) sent() (affiliate.PayoutRun, []affiliate.PayoutPart) {
	c.Helper()
	run, err := c.SendPayouts(c.ctx, app.NewPayoutRun{All: true})
	must(c.desk, run, err)
	parts, err := c.DB.PayoutParts(c.ctx, run.ID)
	return run, must(c.desk, parts, err)
}

func (c counter) file(id affiliate.PayoutPartID) string {
	c.Helper()
	_, body, err := c.PayoutFile(c.ctx, id, false)
	return string(must(c.desk, body, err))
}

// states tells what became of the payouts of a run: "Anna paid, Ben sent".
func (c counter) states(run affiliate.PayoutRunID) string {
	c.Helper()
	list, _, err := c.DB.Payouts(c.ctx, storage.PayoutFilter{Run: run}, storage.Page{})
	must(c.desk, list, err)
	words := make([]string, len(list))
	for i, p := range list {
		words[len(list)-1-i] = p.Creator + " " + string(p.State)
	}
	return strings.Join(words, ", ")
}

// payout gives the payout of a run to a creator.
func (c counter) payout(run affiliate.PayoutRunID, creator affiliate.CreatorID) affiliate.Payout {
	c.Helper()
	list, err := c.DB.PayoutsOf(c.ctx, run)
	must(c.desk, list, err)
	for _, p := range list {
		if p.CreatorID == creator {
			return p
		}
	}
	c.Fatalf("%s has no payout to %s", run, creator)
	return affiliate.Payout{}
}

func TestPayoutFile(t *testing.T) {
	eachCounter(t, func(c counter) {
		c.set("name", "My brand")
		c.set("paypal_decimals", "comma")
		anna, ben := c.owed("Anna", 10000, annas), c.owed("Ben", 3805, bens)
		carl := c.owed("Carl", 700, byPayPal("carl@example.com"))
		run, parts := c.sent()
		if len(parts) != 2 || parts[0].State != affiliate.PartReady {
			c.Fatalf("parts %+v", parts)
		}
		// Who is canceled before the file is made is not in it.
		canceled, err := c.CancelPayout(c.ctx, c.payout(run.ID, ben).ID, "not yet")
		must(c.desk, canceled, err)
		c.pass(time.Hour)
		made := c.now()
		file := c.file(parts[0].ID)
		ref := c.payout(run.ID, anna).Ref
		for _, part := range []string{"<NbOfTxs>1</NbOfTxs><CtrlSum>100.00</CtrlSum>", "<EndToEndId>" + ref +
			"</EndToEndId>",
			"<Ustrd>My brand creator payout " + ref + "</Ustrd>", "<MsgId>" + parts[0].Reference + "</MsgId>",
			"<Nm>Anna Aerger</Nm>", "<Dt>2026-11-23</Dt>"} { // the desk opens on a Saturday
			if !strings.Contains(file, part) {
				c.Errorf("there is no %s in\n%s", part, file)
			}
		}
		c.is("states", c.states(run.ID), "Anna sent, Ben canceled, Carl ready")

		// From then on it stays as it is, whatever changes.
		c.pass(48 * time.Hour)
		c.set("name", "Other brand")
		name, again, err := c.PayoutFile(c.ctx, parts[0].ID, false)
		must(c.desk, again, err)
		c.is("the file again", string(again), file)
		c.is("its name", name, parts[0].Reference+".xml")
		part, err := c.DB.PayoutPart(c.ctx, parts[0].ID)
		must(c.desk, part, err)
		if part.State != affiliate.PartSent || part.SentBy != "the test" || !part.SentAt.Equal(made) ||
			part.FileName != name || part.Amount != 10000 || part.Payouts != 1 {
			c.Errorf("the part is %+v", part)
		}
		saved, err := c.DB.PayoutRun(c.ctx, run.ID)
		if must(c.desk, saved, err); saved.State != affiliate.PayRunSent || !saved.SentAt.Equal(made) {
			c.Errorf("the run is %+v", saved)
		}
		if log := c.audited(part.ID.String(), "payout_part.download"); len(log) != 2 ||
			strings.Contains(log[0].After, annas.IBAN) {
			c.Errorf("the audit log has %+v", log)
		}
		_, err = c.CancelPayout(c.ctx, c.payout(run.ID, anna).ID, "too late")
		c.want(err, affiliate.Conflict, "state", "sent")

		rows, err := csv.NewReader(strings.NewReader(c.file(parts[1].ID))).ReadAll()
		must(c.desk, rows, err)
		ref = c.payout(run.ID, carl).Ref
		c.is("the file for PayPal", fmt.Sprint(rows),
			fmt.Sprintf("[[carl@example.com 7,00 EUR %s Other brand creator payout %s PAYPAL]]", ref, ref))
		_, _, err = c.PayoutFile(c.ctx, 99, false)
		c.want(err, affiliate.NotFound, "", "prt_99")
	})
}

// TestPayoutFile_owedAgain: a file whose payouts are owed again could pay them twice; whoever knows that gets it all
// the same, byte for byte.
func TestPayoutFile_owedAgain(t *testing.T) {
	eachCounter(t, func(c counter) {
		anna := c.owed("Anna", 10000, annas)
		c.owed("Ben", 3805, bens)
		run, parts := c.sent()
		file := c.file(parts[0].ID)
		done, err := c.MarkPayouts(c.ctx, []affiliate.PayoutID{c.payout(run.ID, anna).ID}, affiliate.PayoutFailed,
			"it was never handed in", "")
		must(c.desk, done, err)
		_, _, err = c.PayoutFile(c.ctx, parts[0].ID, false)
		c.want(err, affiliate.Conflict, "owed_again", "1 of its payouts")
		_, again, err := c.PayoutFile(c.ctx, parts[0].ID, true)
		must(c.desk, again, err)
		c.is("the file again", string(again), file)
	})
}

// TestPayoutFile_refused: a payment that cannot be in a file is named, and nothing is sent.
func TestPayoutFile_refused(t *testing.T) {
	eachCounter(t, func(c counter) {
		flames := annas
		flames.Holder = "\U0001f525"
		anna := c.owed("Anna", 1000, flames)
		c.owed("Ben", 2000, bens)
		run, parts := c.sent()
		p := c.payout(run.ID, anna)
		_, _, err := c.PayoutFile(c.ctx, parts[0].ID, false)
		c.want(err, affiliate.Invalid, "payments", p.Ref, "Anna", "cancel this payout")
		c.is("states", c.states(run.ID), "Anna ready, Ben ready")
		canceled, err := c.CancelPayout(c.ctx, p.ID, "no name")
		must(c.desk, canceled, err)
		c.is("count", fmt.Sprint(strings.Count(c.file(parts[0].ID), "<CdtTrfTxInf>")), "1")

		c.PaymentFiles = nil
		c.owed("Carl", 2000, bens)
		_, parts = c.sent()
		_, _, err = c.PayoutFile(c.ctx, parts[0].ID, false)
		c.want(err, affiliate.Conflict, "rail", "SEPA file")
		canceledRun, err := c.CancelRun(c.ctx, parts[0].RunID, "again")
		must(c.desk, canceledRun, err)
		_, _, err = c.PayoutFile(c.ctx, parts[0].ID, false)
		c.want(err, affiliate.Conflict, "state", "canceled")
	})
}

func TestNameInFile(t *testing.T) {
	a := &app.App{PaymentFiles: map[affiliate.Rail]app.PaymentFiles{affiliate.RailSEPAFile: sepa.File{},
		affiliate.RailWiseFile: wise.File{}}}
	for rail, want := range map[affiliate.Rail]string{affiliate.RailSEPAFile: "Aenne", affiliate.RailWiseFile: "Änne",
		affiliate.RailCSVFile: "Änne"} {
		if got := a.NameInFile(rail, "Änne"); got != want {
			t.Errorf("%s has %q, want %q", rail, got, want)
		}
	}
}

// answered is a pain.002 about a part: what it says of all, and of single payments.
func answered(part, all string, single map[string]string) string {
	text := `<Document ` +
		`xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><OrgnlGrpInfAndSts><OrgnlMsgId>` +
		part + `</OrgnlMsgId><GrpSts>` + all + `</GrpSts></OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>` +
		part +
		`</OrgnlPmtInfId>`
	for ref, state := range single {
		text += `<TxInfAndSts><OrgnlEndToEndId>` + ref + `</OrgnlEndToEndId><TxSts>` + state +
			`</TxSts><StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf></TxInfAndSts>`
	}
	return text + `</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`
}

// read reads a file of results, and tells what became of its lines.
func (c counter) read(name, body string) string {
	c.Helper()
	f, _, err := c.ReadResults(c.ctx, name, []byte(body))
	must(c.desk, f, err)
	lines, _, err := c.DB.ResultLines(c.ctx, storage.ResultLineFilter{File: f.ID},
		storage.Page{Limit: storage.MaxLimit})
	must(c.desk, lines, err)
	words := make([]string, len(lines))
	for i, l := range lines {
		words[i] = strings.TrimSpace(fmt.Sprintf("%d %s %s %s", l.Line, l.Creator, l.Outcome, l.Reason))
	}
	return strings.Join(words, "; ")
}

func TestReadResults_pain(t *testing.T) {
	eachCounter(t, func(c counter) {
		anna, ben := c.owed("Anna", 10000, annas), c.owed("Ben", 3805, bens)
		c.owed("Carl", 200, annas)
		run, parts := c.sent()
		a, b := c.payout(run.ID, anna), c.payout(run.ID, ben)
		early := answered(parts[0].Reference, "ACSC", nil)
		c.is("before it was sent", c.read("early.xml", early),
			"1 Anna refused nobody was asked to pay it yet: its file "+
				"was not downloaded here; 1 Ben refused nobody was asked to pay it yet: its file was not "+
				"downloaded here; "+
				"1 Carl refused nobody was asked to pay it yet: its file was not downloaded here")
		c.file(parts[0].ID)
		unheard, _, err := c.DB.Payouts(c.ctx, storage.PayoutFilter{Run: run.ID, Open: true}, storage.Page{})
		if must(c.desk, unheard, err); len(unheard) != 3 {
			c.Errorf("nobody has said yet what became of %d", len(unheard))
		}

		c.is("checked", c.read("1.xml", answered(parts[0].Reference, "ACTC", nil)),
			"1 Anna changed; 1 Ben changed; 1 Carl changed")
		final := answered(parts[0].Reference, "ACSC", map[string]string{b.Ref: "RJCT"})
		const want = "1 Ben changed; 2 Anna changed; 2 Carl changed"
		c.is("settled", c.read(" C:\\files\\2.xml ", final), want)
		c.is("states", c.states(run.ID), "Anna paid, Ben failed, Carl paid")
		c.is("owed again", c.due(), "Ben 3805 EUR over 1")
		if p := c.payout(run.ID, ben); p.Words != "RJCT, rejected; AC04, the account is closed" {
			c.Errorf("the bank says %q", p.Words)
		}
		settled, err := c.DB.PayoutRun(c.ctx, run.ID)
		if must(c.desk, settled, err); settled.State != affiliate.PayRunSettled {
			c.Errorf("the run is %s", settled.State)
		}

		// The same bytes are the same file. What comes late, in other bytes, changes nothing.
		c.is("read twice", c.read("other name.xml", final), want)
		c.is("late", c.read("3.xml", answered(parts[0].Reference, "ACSP", nil)), "1 Anna same; 1 Ben same; 1 Carl same")
		c.is("all is settled, says a later one", c.read("4.xml", answered(parts[0].Reference, "ACSC", nil)+" "),
			"1 Anna same; 1 Ben same; 1 Carl same")
		c.is("states", c.states(run.ID), "Anna paid, Ben failed, Carl paid")
		files, _, err := c.DB.ResultFiles(c.ctx, storage.Page{Limit: 3})
		must(c.desk, files, err)
		if len(files) != 3 || files[2].Name != "2.xml" || files[2].Kind != affiliate.ResultPain ||
			files[2].Lines != 3 || files[2].Author != "the test" {
			c.Errorf("files %+v", files)
		}
		counts, err := c.DB.ResultCounts(c.ctx, files[2].ID)
		if must(c.desk, counts, err); counts[files[2].ID][affiliate.ResultChanged] != 3 {
			c.Errorf("counts %+v", counts)
		}
		if log := c.audited(files[2].ID.String(), "result_file.read"); len(log) != 1 {
			c.Errorf("the audit log has %+v", log)
		}

		// Weeks later a payment comes back.
		c.pass(20 * 24 * time.Hour)
		back := `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn><Ntfctn><Ntry>` +
			`<CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-12-11</Dt></BookgDt><NtryDtls><TxDtls>` +
			`<Refs><EndToEndId>` + a.Ref + `</EndToEndId></Refs><Amt Ccy="EUR">100.00</Amt><RtrInf><Rsn><Cd>MD07</Cd></Rsn>` +
			`</RtrInf></TxDtls></NtryDtls></Ntry></Ntfctn></BkToCstmrDbtCdtNtfctn></Document>`
		c.is("back", c.read("camt.xml", back), "1 Anna changed")
		c.is("states", c.states(run.ID), "Anna returned, Ben failed, Carl paid")
		c.is("owed again", c.due(), "Anna 10000 EUR over 1, Ben 3805 EUR over 1")
	})
}

func TestReadResults_PayPal(t *testing.T) {
	eachCounter(t, func(c counter) {
		anna, ben := c.owed("Anna", 10000, byPayPal("Anna@example.com")), c.owed("Ben", 3805,
			byPayPal("ben@example.com"))
		c.owed("Carl", 700, byPayPal("two@example.com"))
		c.owed("Dora", 700, byPayPal("two@example.com"))
		run, parts := c.sent()
		c.file(parts[0].ID)
		const header = "Date,Name,Type,Status,Currency,Gross,Fee,From Email Address,To Email Address,Transaction ID," +
			"Reference Txn ID,Custom Number\n"
		got := c.read("activity.csv", header+
			"11/21/2026,Anna,Mass Pay Payment,Completed,EUR,-100.00,-0.25,us@example.com,anna@example.com,T1,,\n"+
			"11/21/2026,Ben,Mass Pay Payment,Unclaimed,EUR,\"-38.05\",-0.25,us@example.com,x@example.com,T2,,"+
			c.payout(run.ID, ben).Ref+"\n"+
			"11/21/2026,A,Express Checkout Payment,Completed,EUR,7.00,0,a@example.com,us@example.com,T3,,\n"+
			"11/21/2026,Carl,Mass Pay Payment,Completed,EUR,-7.00,0,us@example.com,two@example.com,T4,,\n"+
			"11/21/2026,Eve,Mass Pay Payment,Completed,EUR,-9.00,0,us@example.com,eve@example.com,T5,,\n"+
			"11/21/2026,Eve,Mass Pay Payment,Completed,EUR,-9.00,0,us@example.com,eve@example.com,T6,,TRB-1-AAAAAA\n"+
			"11/21/2026,Eve,Mass Pay Payment,Dreaming,EUR,-100.00,0,us@example.com,anna@example.com,T1,,\n")
		c.is("lines", got, "2 Anna changed; 3 Ben changed; 5  unmatched 2 payouts that wait for a result go to this "+
			"recipient with this amount; 6  unmatched no payout that waits for a result goes to this recipient "+
			"with this "+
			"amount; 7  unmatched no payout here has this reference; "+
			"8 Anna refused the status Dreaming is not known of payouts")
		c.is("states", c.states(run.ID), "Anna paid, Ben unclaimed, Carl sent, Dora sent")
		if p := c.payout(run.ID, anna); p.ProviderRef != "T1" || p.Fee != 25 || p.FeeCurrency != "EUR" ||
			affiliate.Day(p.PaidAt, time.UTC) != "2026-11-21" {
			c.Errorf("Anna's payout is %+v", p)
		}
		// A month later Ben's money is back; it is found by PayPal's reference.
		c.pass(31 * 24 * time.Hour)
		c.is("back", c.read("later.csv", header+
			"12/22/2026,Ben,Mass Pay Reversal,Completed,EUR,38.05,0,x@example.com,us@example.com,T9,T2,\n"),
			"2 Ben changed")
		c.is("owed again", c.due(), "Ben 3805 EUR over 1")
		// Anna is owed the same amount again: her first payment is not taken for the second.
		c.earnIn("EUR", affiliate.Account{CreatorID: anna}, 10000, 0)
		again, more := c.sent()
		c.file(more[0].ID)
		c.is("the first one again", c.read("whole year.csv", header+
			"11/21/2026,Anna,Mass Pay Payment,Completed,EUR,-100.00,0,us@example.com,anna@example.com,T1,,\n"+
			"11/21/2026,Anna,Mass Pay Payment,Completed,EUR,-38.05,0,us@example.com,ben@example.com,T77,,\n"),
			"2 Anna same; 3  unmatched no payout that waits for a result goes to this recipient with this amount")
		c.is("states", c.states(again.ID), "Anna sent, Ben sent")
	})
}

// TestReadResults_resumed: what a process that died has taken of a file is not taken again, and the rest is.
func TestReadResults_resumed(t *testing.T) {
	eachCounter(t, func(c counter) {
		anna, ben := c.owed("Anna", 10000, annas), c.owed("Ben", 3805, bens)
		run, parts := c.sent()
		c.file(parts[0].ID)
		body := "ref,state\n" + c.payout(run.ID, anna).Ref + ",paid\n" + c.payout(run.ID, ben).Ref + ",paid\n"
		hash := sha256.Sum256([]byte(body))
		err := c.DB.InTx(c.ctx, func(tx *storage.Tx) error {
			f, err := tx.CreateResultFile(c.ctx, affiliate.ResultFile{Name: "half.csv", Kind: affiliate.ResultCSV,
				Hash: hex.EncodeToString(hash[:]), Lines: 2, CreatedAt: c.now()})
			if err != nil {
				return err
			}
			return tx.AddResultLines(c.ctx, []affiliate.ResultLine{{FileID: f.ID, Line: 2,
				Outcome: affiliate.ResultSame}})
		})
		must(c.desk, err, err)
		for range 2 {
			c.is("lines", c.read("half.csv", body), "2  same; 3 Ben changed")
			c.is("states", c.states(run.ID), "Anna sent, Ben paid")
		}
	})
}

// TestReadResults_race: two who read the same file at once take each of its lines once.
func TestReadResults_race(t *testing.T) {
	eachCounter(t, func(c counter) {
		anna, ben := c.owed("Anna", 10000, annas), c.owed("Ben", 3805, bens)
		run, parts := c.sent()
		c.file(parts[0].ID)
		body := "ref,state\n" + c.payout(run.ID, anna).Ref + ",failed\n" + c.payout(run.ID, ben).Ref + ",paid\n"
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				if _, _, err := c.ReadResults(c.ctx, "x.csv", []byte(body)); err != nil {
					c.Error(err)
				}
			})
		}
		group.Wait()
		c.is("lines", c.read("x.csv", body), "2 Anna changed; 3 Ben changed")
		c.is("owed again", c.due(), "Anna 10000 EUR over 1")
	})
}

// TestReadResults_lies: nothing changes by a file that says what cannot be.
func TestReadResults_lies(t *testing.T) {
	eachCounter(t, func(c counter) {
		anna, ben := c.owed("Anna", 10000, annas), c.owed("Ben", 3805, byPayPal("ben@example.com"))
		run, parts := c.sent()
		for _, p := range parts {
			c.file(p.ID)
		}
		a, b := c.payout(run.ID, anna), c.payout(run.ID, ben)
		got := c.read("lies.csv", "ref;state;amount;currency;fee\n"+
			a.Ref+";paid;99,99;EUR;\n"+a.Ref+";paid;100,00;USD;\n"+a.Ref+";canceled;100,00;EUR;\n"+
			a.Ref[:len(a.Ref)-6]+"ZZZZZZ;paid;;;\n"+a.Ref+";paid;a;EUR;\n"+a.Ref+";paid;100;EUR;-1\n;failed;;;\n")
		c.is("lines", got, "2 Anna refused the file says 99.99 EUR, and the payout is of 100.00 EUR; "+
			"3 Anna refused the file says 100.00 USD, and the payout is of 100.00 EUR; "+
			`4 Anna refused state: "canceled" is none of paid, pending, unclaimed, failed, returned; `+
			"5  unmatched no payout here has this reference; "+
			`6 Anna refused amount: "a" is not an amount in EUR; write it like 1234.50; `+
			`7 Anna refused fee: "-1" is not a fee; `+
			"8  unmatched it has neither a reference of ours nor recipient and amount")
		c.is("another rail", c.read("2.xml", answered("x", "PART", map[string]string{b.Ref: "RJCT"})),
			"1 Ben refused the payout goes another way: PayPal file")
		c.is("another server", c.read("3.xml", answered("TRB-R1-1-AAAAAA", "RJCT", nil)),
			"1  unmatched no file from here has this reference")
		c.is("states", c.states(run.ID), "Anna sent, Ben sent")
		for name, body := range map[string]string{"empty": "", "a picture": "\x89PNG\x00\x00",
			"a page":  "<html></html>",
			"a table": "a,b\n1,2\n"} {
			_, _, err := c.ReadResults(c.ctx, name, []byte(body))
			c.want(err, affiliate.Invalid, "file", "no kind that is known")
		}
		_, _, err := c.ReadResults(c.ctx, "x", make([]byte, app.MaxResults+1))
		c.want(err, affiliate.Invalid, "file", "MB")
		c.is("a good one", c.read("good.csv", "Our "+
			"reference,Status,Reason\n"+a.Ref+",PAID,\n"+b.Ref+",failed,blocked\n"),
			"2 Anna changed; 3 Ben changed")
	})
}

// TestReadResults_repeat: a bank that refuses the second upload of a file says nothing of the first one.
func TestReadResults_repeat(t *testing.T) {
	eachCounter(t, func(c counter) {
		anna := c.owed("Anna", 10000, annas)
		c.owed("Ben", 3805, bens)
		run, parts := c.sent()
		c.file(parts[0].ID)
		repeat := func(part, single string) string {
			return `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><OrgnlGrpInfAndSts>` +
				`<OrgnlMsgId>` + part + `</OrgnlMsgId><GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>AM05</Cd></Rsn></StsRsnInf>` +
				`</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts>` + single + `</OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`
		}
		const words = "the bank refuses a repeat of what it has already; what it said of the first one counts; AM05, " +
			"it was sent before"
		c.is("before an answer", c.read("1.xml", repeat(parts[0].Reference, "")), "1  refused "+words)
		c.is("settled", c.read("2.xml", answered(parts[0].Reference, "ACSC", nil)), "1 Anna changed; 1 Ben changed")
		c.is("after it", c.read("3.xml", repeat(parts[0].Reference, `<TxInfAndSts><OrgnlEndToEndId>`+
			c.payout(run.ID, anna).Ref+`</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts>`)), "1 Anna refused "+words+
			"; 2  refused "+words)
		c.is("another server", c.read("4.xml", repeat("TRB-R1-1-AAAAAA", "")),
			"1  unmatched no file from here has this reference")
		c.is("states", c.states(run.ID), "Anna paid, Ben paid")
		c.is("owed again", c.due(), "")
	})
}

// TestReadResults_day: a day is one of the account's, wherever that is, and none before the payout was confirmed.
func TestReadResults_day(t *testing.T) {
	for zone, begin := range map[string]string{"America/New_York": "2027-01-01T05:00:00Z",
		"Pacific/Auckland": "2026-12-31T11:00:00Z"} {
		t.Run(zone, func(t *testing.T) {
			eachCounter(t, func(c counter) {
				c.set("timezone", zone)
				anna, ben := c.owed("Anna", 10000, annas), c.owed("Ben", 3805, byPayPal("ben@example.com"))
				dora := c.owed("Dora", 3806, bens)
				carl := c.owed("Carl", 700, affiliate.PaymentDetails{Method: affiliate.MethodWise,
					Email: "c@x.example"})
				run, parts := c.sent()
				for _, p := range parts {
					c.file(p.ID)
				}
				c.pass(60 * 24 * time.Hour)
				a, b, w := c.payout(run.ID, anna), c.payout(run.ID, ben), c.payout(run.ID, carl)
				c.is("by table", c.read("1.csv", "ref,state,date\n"+a.Ref+",paid,2027-01-01\n"), "2 Anna changed")
				c.is("by activity", c.read("2.csv", "Date,Status,Type,Currency,Gross,Transaction ID,Note\n01/13/2026,"+
					"Completed,Sale,EUR,5,T0,\n01/01/2027,Completed,Payout,EUR,-38.05,T1,"+b.Ref+"\n"), "3 Ben changed")
				c.is("by Wise", c.read("3.csv", "ID,Status,Finished on,Target currency,Reference\n1,COMPLETED,"+
					"2027-01-01 00:10:00,EUR,"+w.Ref+"\n"), "2 Carl changed")
				c.is("by a statement", c.read("4.xml", `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02">`+
					`<BkToCstmrStmt><Stmt><Ntry><Amt Ccy="EUR">38.06</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts>`+
					`<BookgDt><Dt>2027-01-01</Dt></BookgDt><NtryDtls><TxDtls><Refs><EndToEndId>`+
					c.payout(run.ID, dora).Ref+`</EndToEndId></Refs></TxDtls></NtryDtls></Ntry></Stmt></BkToCstmrStmt>`+
					`</Document>`), "1 Dora changed")
				for _, id := range []affiliate.CreatorID{anna, ben, carl, dora} {
					c.is("paid at", c.payout(run.ID, id).PaidAt.UTC().Format(time.RFC3339), begin)
				}
				c.earnIn("EUR", affiliate.Account{CreatorID: anna}, 500, 0)
				again, more := c.sent()
				c.file(more[0].ID)
				c.read("5.csv", "ref,state,date\n"+c.payout(again.ID, anna).Ref+",paid,2027-01-01\n")
				if p := c.payout(again.ID, anna); !p.PaidAt.Equal(p.CreatedAt) {
					c.Errorf("paid at %s, and confirmed at %s", p.PaidAt, p.CreatedAt)
				}
			})
		})
	}
}

// TestReadResults_undated: a line without reference and day is of no payout for sure where there was another one like
// it, also one that has ended.
func TestReadResults_undated(t *testing.T) {
	eachCounter(t, func(c counter) {
		anna := c.owed("Anna", 10000, byPayPal("anna@example.com"))
		const header, line = "Status,Type,Currency,Gross,To Email Address,Transaction ID\n",
			"Completed,Payout,EUR,-100.00,anna@example.com,T1\n"
		run, parts := c.sent()
		c.file(parts[0].ID)
		c.is("alone", c.read("1.csv", header+line), "2 Anna changed")
		marked, err := c.MarkPayouts(c.ctx, []affiliate.PayoutID{c.payout(run.ID, anna).ID}, affiliate.PayoutReturned,
			"it came back", "T0")
		must(c.desk, marked, err)
		again, more := c.sent()
		c.file(more[0].ID)
		const want = "2  unmatched 2 payouts went to this recipient with this amount, and the line has no day that " +
			"tells which it is"
		second := strings.Replace(line, "T1", "T2", 1)
		c.is("with another before", c.read("2.csv", header+second), want)
		c.is("states", c.states(again.ID), "Anna sent")
		c.is("with a day", c.read("3.csv", "Date,"+header+"2026-11-25,"+second), "2 Anna changed")
	})
}

// BenchmarkPayoutFile makes the files of a run of 20,000 payouts: half of them by SEPA, half for PayPal's page.
func BenchmarkPayoutFile(b *testing.B) {
	const payouts = 20_000
	made := affiliate.PaymentFile{Reference: "TRB-R1-1-K7Q2M9", Variant: string(affiliate.Pain09), Currency: "EUR",
		MadeAt: deskStart, ExecuteOn: "2026-11-23",
		Payer: affiliate.Payer{Name: "Brand", IBAN: "DE02120300000000202051"}}
	for i := range payouts {
		p := affiliate.Payment{Ref: fmt.Sprintf("TRB-%d-K7Q2M9", i), Amount: int64(i + 1), Currency: "EUR",
			Creator: "Anna", Details: annas, Note: "My brand creator payout"}
		p.Details.Email = "anna@example.com"
		made.Payments = append(made.Payments, p)
	}
	b.ReportAllocs()
	for b.Loop() {
		for rest := range slices.Chunk(made.Payments[:payouts/2], affiliate.RailSEPAFile.Most()) {
			writeFile(b, sepa.File{}, made, rest)
		}
		for rest := range slices.Chunk(made.Payments[payouts/2:], affiliate.RailPayPalFile.Most()) {
			writeFile(b, paypal.File{}, made, rest)
		}
	}
}

func writeFile(b *testing.B, files app.PaymentFiles, f affiliate.PaymentFile, list []affiliate.Payment) {
	b.Helper()
	f.Payments = list
	if _, body, err := files.Write(f); err != nil || len(body) == 0 {
		b.Fatal(err)
	}
}
