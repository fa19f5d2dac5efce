package app_test

import (
	"cmp"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/integrations/paypal"
	"github.com/tributaryhq/tributary/integrations/sepa"
	"github.com/tributaryhq/tributary/integrations/wise"
	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/fakepaypal"
)

// TestResultStates: what each status of each provider is taken for. The rule is that of affiliate.PaymentResult: failed
// is what never left, returned what was out and came back.
func TestResultStates(t *testing.T) {
	const ref = "TRB-1-K7Q2M9"
	file := func(reader app.ResultReader, before, after string) func(string) affiliate.PaymentResult {
		return func(status string) affiliate.PaymentResult {
			list, err := reader.Read("x", []byte(before+status+after))
			if err != nil || len(list) != 1 {
				t.Fatalf("%s: %+v, %v", status, list, err)
			}
			return list[0]
		}
	}
	entry := func(before, after string) func(string) affiliate.PaymentResult {
		return file(sepa.Entries{}, `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt>`+
			`<Ntry><Sts><Cd>BOOK</Cd></Sts>`+before, after+`</Ntry></Stmt></BkToCstmrStmt></Document>`)
	}
	const payment = `<NtryDtls><TxDtls><Refs><EndToEndId>` + ref + `</EndToEndId></Refs><Amt Ccy="EUR">7.00</Amt>`
	for _, reader := range []struct {
		name   string
		read   func(status string) affiliate.PaymentResult
		states map[affiliate.PayoutState]string // the statuses of each state; of none: a person looks at it
	}{
		{"PayPal's API", ofPayPal(t), map[affiliate.PayoutState]string{
			affiliate.PayoutPaid: "SUCCESS", affiliate.PayoutPending: "PENDING ONHOLD NEW",
			affiliate.PayoutUnclaimed: "UNCLAIMED", affiliate.PayoutFailed: "BLOCKED FAILED",
			affiliate.PayoutReturned: "RETURNED REFUNDED REVERSED"}},
		{"PayPal's activity", file(paypal.Activity{}, "Status,Type,Currency,Gross,Transaction ID\n",
			",Mass Pay Payment,EUR,-7,T1\n"), map[affiliate.PayoutState]string{
			affiliate.PayoutPaid:      "Completed Success",
			affiliate.PayoutPending:   "Pending Processing Held On-Hold OnHold Placed",
			affiliate.PayoutUnclaimed: "Unclaimed", affiliate.PayoutFailed: "Denied Failed Blocked Canceled Cancelled",
			affiliate.PayoutReturned: "Returned Refunded Reversed Expired", "": "Dreaming"}},
		{"Wise's list", file(wise.Transfers{}, "ID,Target currency,Reference,Status\n1,EUR,"+ref+",", "\n"),
			map[affiliate.PayoutState]string{
				affiliate.PayoutPaid: "COMPLETED outgoing_payment_sent sent",
				affiliate.PayoutPending: "incoming_payment_waiting incoming_payment_initiated processing " +
					"funds_converted pending waiting",
				affiliate.PayoutUnclaimed: "waiting_for_recipient waiting_recipient_input",
				affiliate.PayoutFailed:    "CANCELLED canceled failed",
				affiliate.PayoutReturned:  "bounced_back funds_refunded REFUNDED charged_back", "": "dreaming"}},
		{"pain.002", file(sepa.Answers{}, `<Document><CstmrPmtStsRpt><OrgnlPmtInfAndSts><TxInfAndSts><OrgnlEndToEndId>`+
			ref+`</OrgnlEndToEndId><TxSts>`, `</TxSts></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`),
			map[affiliate.PayoutState]string{affiliate.PayoutPaid: "ACSC ACCC",
				affiliate.PayoutPending: "ACTC ACCP ACWC ACSP ACWP PDNG RCVD ACFC PATC",
				affiliate.PayoutFailed:  "RJCT CANC", "": "PART NEW"}},
		{"pain.002, rejected for", file(sepa.Answers{}, `<Document><CstmrPmtStsRpt><OrgnlPmtInfAndSts><TxInfAndSts>`+
			`<OrgnlEndToEndId>`+ref+`</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><Rsn><Cd>`,
			`</Cd></Rsn></StsRsnInf></TxInfAndSts></OrgnlPmtInfAndSts></CstmrPmtStsRpt></Document>`),
			map[affiliate.PayoutState]string{affiliate.PayoutFailed: "AC01 AM04 MS03 FF01",
				"": "AM05 DUPL DU01 DU02 DU03 DU04 DU05"}},
		{"camt, booked as", entry("<CdtDbtInd>", "</CdtDbtInd>"+payment+"</TxDtls></NtryDtls>"),
			map[affiliate.PayoutState]string{affiliate.PayoutPaid: "DBIT", "": "CRDT"}},
		{"camt, returned for", entry("<CdtDbtInd>CRDT</CdtDbtInd>"+payment+"<RtrInf><Rsn><Cd>",
			"</Cd></Rsn></RtrInf></TxDtls></NtryDtls>"), map[affiliate.PayoutState]string{
			affiliate.PayoutReturned: "AC04 MD07 NEW", "": "AM05 DUPL"}},
		{"camt, money in of the family", entry("<CdtDbtInd>CRDT</CdtDbtInd><BkTxCd><Domn><Fmly><SubFmlyCd>",
			"</SubFmlyCd></Fmly></Domn></BkTxCd>"+payment+"</TxDtls></NtryDtls>"), map[affiliate.PayoutState]string{
			affiliate.PayoutReturned: "RRTN", "": "ESCT OTHR"}},
		{"a table", file(app.ResultsCSV{}, "ref,state\n"+ref+",", "\n"), map[affiliate.PayoutState]string{
			affiliate.PayoutPaid: "paid PAID", affiliate.PayoutPending: "pending",
			affiliate.PayoutUnclaimed: "unclaimed", affiliate.PayoutFailed: "failed",
			affiliate.PayoutReturned: "returned", "": "canceled cancelled ready sent dreaming"}},
	} {
		for want, statuses := range reader.states {
			for _, status := range strings.Fields(statuses) {
				r := reader.read(strings.ReplaceAll(status, "On-Hold", "On Hold"))
				if r.State != want || r.State == "" && r.Words == "" {
					t.Errorf("%s: %s is %q (%s), want %q", reader.name, status, r.State, r.Words, want)
				}
			}
		}
	}
}

// ofPayPal asks a fake PayPal about a payment of a status.
func ofPayPal(t *testing.T) func(status string) affiliate.PaymentResult {
	return func(status string) affiliate.PaymentResult {
		server := httptest.NewServer(fakepaypal.New(fakepaypal.Options{Fate: func(string) []fakepaypal.Step {
			return []fakepaypal.Step{{After: -time.Hour, Status: status}}
		}}))
		defer server.Close()
		client := paypal.New(server.URL, fakepaypal.ClientID, fakepaypal.Secret, fakepaypal.WebhookID)
		id, err := client.Send(t.Context(), affiliate.PaymentFile{Reference: "TRB-R1-1-K7Q2M9", Currency: "EUR",
			Payments: []affiliate.Payment{{Ref: "TRB-1-K7Q2M9", Amount: 700, Currency: "EUR",
				Details: affiliate.PaymentDetails{Email: "anna@example.com"}}}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := client.Results(t.Context(), id)
		if err != nil || len(r.Payments) != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		return r.Payments[0]
	}
}

// TestWorkPayouts_unwritable: who has an address that PayPal does not take keeps the others waiting with words that say
// who it is, and fails alone once somebody says so.
func TestWorkPayouts_unwritable(t *testing.T) {
	eachPayRig(t, fakepaypal.Options{}, func(r *payRig) {
		r.earn(account(r.payee("Anna")), 1000, 0)
		om := r.payee("Ben", "b@"+strings.Repeat("x", 126))
		r.earn(account(om), 2000, 0)
		run := r.confirm()
		r.work()
		list, err := r.DB.PayoutsOf(r.ctx, run.ID)
		must(r.desk, list, err)
		ben := list[0]
		if list[1].CreatorID == om.CreatorID {
			ben = list[1]
		}
		if p := r.part(run); p.State != affiliate.PartReady || !strings.Contains(p.Trouble, ben.Ref) {
			r.Fatalf("%+v", p)
		}
		r.is("nobody has failed", r.states(run), "sent 2")
		done, err := r.MarkPayouts(r.ctx, []affiliate.PayoutID{ben.ID}, affiliate.PayoutFailed,
			"the address is too long", "")
		must(r.desk, done, err)
		r.days(1)
		r.is("at last", r.states(run), "paid 1, failed 1")
		r.is("due", r.due(), "Ben 2000 USD over 1")
		if items := r.fake.Items(); len(items) != 1 || cmp.Or(r.part(run).Trouble, "none") != "none" {
			r.Errorf("%+v, %+v", items, r.part(run))
		}
	})
}
