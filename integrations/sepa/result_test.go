package sepa

import (
	"cmp"
	"fmt"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// told are results in words.
func told(list []affiliate.PaymentResult) string {
	words := make([]string, len(list))
	for i, r := range list {
		words[i] = fmt.Sprintf("%d %s%s %s %d%s %q", r.Line, r.Ref, r.Part, r.State, r.Amount, r.Currency, r.Words)
	}
	return strings.Join(words, "; ")
}

func TestAnswers(t *testing.T) {
	const group, order = `<OrgnlGrpInfAndSts><OrgnlMsgId>TRB-R1-1-K7Q2M9</OrgnlMsgId>`,
		`<OrgnlPmtInfAndSts><OrgnlPmtInfId>TRB-R1-1-K7Q2M9</OrgnlPmtInfId>`
	for body, want := range map[string]string{
		group + `<GrpSts>ACTC</GrpSts></OrgnlGrpInfAndSts>`: `1 ` +
			`TRB-R1-1-K7Q2M9 pending 0 "ACTC, the form was checked"`,
		group + `<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>AM05</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>`: `1 ` +
			`TRB-R1-1-K7Q2M9  0 "` + repeatWords + `; AM05, it was sent before"`,
		group + `<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>FF01</Cd></Rsn></StsRsnInf></OrgnlGrpInfAndSts>`: `1 ` +
			`TRB-R1-1-K7Q2M9 failed 0 "RJCT, rejected; FF01, the file's form is wrong"`,
		group + `<GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>` + order +
			`<PmtInfSts>ACSC</PmtInfSts><TxInfAndSts><OrgnlEndToEndId>TRB-1-K7Q2M9</OrgnlEndToEndId>` +
			`<TxSts>RJCT</TxSts><StsRsnInf><Rsn><Prtry>X1</Prtry></Rsn><AddtlInf>no ` +
			`such</AddtlInf><AddtlInf>account</AddtlInf></StsRsnInf>` +
			`<OrgnlTxRef><Amt><InstdAmt ` +
			`Ccy="EUR">7.5</InstdAmt></Amt></OrgnlTxRef></TxInfAndSts></OrgnlPmtInfAndSts>`: `1 TRB-1-K7Q2M9 ` +
			`failed 750EUR "RJCT, rejected; X1, no such account"; 2 TRB-R1-1-K7Q2M9 paid 0 "ACSC, settled"`,
		group + `<GrpSts>ACSC</GrpSts></OrgnlGrpInfAndSts>` + order +
			`<TxInfAndSts><OrgnlEndToEndId>TRB-1-K7Q2M9</OrgnlEndToEndId></TxInfAndSts>` +
			`<TxInfAndSts><OrgnlEndToEndId>TRB-2-K7Q2M9</OrgnlEndToEndId><TxSts>WHAT</TxSts></TxInfAndSts></OrgnlPmtInfAndSts>`: `1 TRB-1-K7Q2M9 paid 0 "ACSC, settled"; 2 TRB-2-K7Q2M9  0 "the state WHAT is not known"; 3 TRB-R1-1-K7Q2M9 paid 0 "ACSC, settled"`,
	} {
		for _, space := range []string{"pain.002.001.03", "pain.002.001.14"} {
			file := `<?xml version="1.0" encoding="ISO-8859-1"?><Document xmlns="urn:iso:std:iso:20022:tech:xsd:` +
				space + `"><CstmrPmtStsRpt><GrpHdr/>` +
				body + `</CstmrPmtStsRpt></Document>`
			list, err := Answers{}.Read("x.xml", []byte(file))
			if got := told(list); err != nil || got != want {
				t.Errorf("%v, %s, want %s", err, got, want)
			}
		}
	}
	for file, want := range map[string]string{"": "no XML", "a,b": "no XML", "<a>": "broken",
		"<Document/>": "is a pain.002",
		`<!DOCTYPE a [<!ENTITY b "c">]><Document><CstmrPmtStsRpt>&b;</CstmrPmtStsRpt></Document>`: "broken"} {
		if _, err := (Answers{}).Read("x", []byte(file)); affiliate.KindOf(err) != affiliate.Invalid ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", file, err)
		}
	}
}

// TestAnswers_repeat: nothing has failed where a bank refuses what it has already, wherever it says so, and in
// whatever words for it.
func TestAnswers_repeat(t *testing.T) {
	const own, code, other = `<StsRsnInf><Rsn><Prtry>dupl</Prtry></Rsn></StsRsnInf>`,
		`<StsRsnInf><Rsn><Cd>AM05</Cd></Rsn></StsRsnInf>`, `<StsRsnInf><Rsn><Cd>AC04</Cd></Rsn></StsRsnInf>`
	const rejected = "<%s>RJCT</%[1]s>"
	for _, c := range []struct{ group, order, first, second, want string }{
		{rejected + code, "", "", "", "--r"},
		{rejected + own, rejected, rejected, rejected, "rrr"},
		{rejected, rejected + own, rejected, rejected, "rrr"},
		{rejected, rejected, rejected + code, "", "rrr"}, // the file is refused for it
		{rejected, own, rejected, rejected, "rrr"},
		{"", rejected + code, "", "", "rrr"},
		{"<%s>PART</%[1]s>", "", rejected + code, rejected + other, "rf-"},
		{rejected + other, "", rejected + code, rejected, "rff"},
		{rejected + code, "", rejected + other, "<%s>ACSC</%[1]s>", "fpr"},
		{rejected, "", rejected, "", "fff"},
	} {
		at := func(text, name string) string {
			if strings.HasPrefix(text, "<%s") {
				return fmt.Sprintf(text, name)
			}
			return text
		}
		file := `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10"><CstmrPmtStsRpt><OrgnlGrpInfAndSts>` +
			`<OrgnlMsgId>PART</OrgnlMsgId>` + at(c.group, "GrpSts") + `</OrgnlGrpInfAndSts>`
		if c.order+c.first+c.second != "" || c.group == "" {
			file += `<OrgnlPmtInfAndSts><OrgnlPmtInfId>PART</OrgnlPmtInfId>` + at(c.order, "PmtInfSts")
			for n, payment := range []string{c.first, c.second} {
				file += fmt.Sprintf(`<TxInfAndSts><OrgnlEndToEndId>TRB-%d-K7Q2M9</OrgnlEndToEndId>%s</TxInfAndSts>`, n+1,
					at(payment, "TxSts"))
			}
			file += `</OrgnlPmtInfAndSts>`
		}
		list, err := Answers{}.Read("x.xml", []byte(file+`</CstmrPmtStsRpt></Document>`))
		if err != nil {
			t.Fatal(err)
		}
		got := map[string]string{"TRB-1-K7Q2M9": "-", "TRB-2-K7Q2M9": "-", "PART": "-"}
		for _, r := range list {
			got[r.Ref+r.Part] = map[affiliate.PayoutState]string{"": "?", affiliate.PayoutFailed: "f",
				affiliate.PayoutPaid: "p"}[r.State]
			if strings.HasPrefix(r.Words, repeatWords) && r.State == "" {
				got[r.Ref+r.Part] = "r"
			}
		}
		if text := got["TRB-1-K7Q2M9"] + got["TRB-2-K7Q2M9"] + got["PART"]; text != c.want {
			t.Errorf("%+v is %s: %s", c, text, told(list))
		}
	}
}

func TestEntries(t *testing.T) {
	entry := func(direction, state, more string) string {
		return `<Ntry><Amt Ccy="EUR">7.50</Amt><CdtDbtInd>` + direction + `</CdtDbtInd><Sts>` + state +
			`</Sts><BookgDt><Dt>2026-12-11</Dt></BookgDt>` +
			`<NtryDtls><TxDtls><Refs><EndToEndId>TRB-1-K7Q2M9</EndToEndId></Refs><Amt Ccy="EUR">7.50</Amt>` + more +
			`</TxDtls></NtryDtls></Ntry>`
	}
	for body, want := range map[string]string{
		entry("DBIT", "BOOK", ""):          `1 TRB-1-K7Q2M9 paid 750EUR "booked"`,
		entry("DBIT", "<Cd>PDNG</Cd>", ""): "",
		entry("CRDT", "<Cd>BOOK</Cd>", "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"): `1 TRB-1-K7Q2M9 returned ` +
			`750EUR "it came back; AC04, the account is closed"`,
		entry("CRDT", "BOOK", "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn>"+
			"</BkTxCd>"): `1 TRB-1-K7Q2M9 returned 750EUR "it came back"`,
		entry("CRDT", "BOOK", "<RtrInf><Rsn><Cd>AM05</Cd></Rsn></RtrInf>"): `1 TRB-1-K7Q2M9  750EUR "it came back as a ` +
			`repeat: look at what became of the first one, and say it by hand; AM05, it was sent before"`,
		entry("DBIT", "BOOK", "<RtrInf><Rsn><Cd>AC04</Cd></Rsn></RtrInf>"): `1 TRB-1-K7Q2M9  750EUR "money that had ` +
			`come in with this reference went back: that says nothing of the payout"`,
		strings.ReplaceAll(entry("DBIT", "BOOK", ""), "TRB-1-K7Q2M9", "NOTPROVIDED"): "",
	} {
		for _, space := range [][3]string{{"camt.053.001.02", "BkToCstmrStmt", "Stmt"}, {"camt.054.001.08",
			"BkToCstmrDbtCdtNtfctn", "Ntfctn"}} {
			file := `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:` + space[0] + `"><` + space[1] + `><` +
				space[2] + `>` + body +
				`</` + space[2] + `></` + space[1] + `></Document>`
			list, err := Entries{}.Read("x.xml", []byte(file))
			if got := told(list); err != nil || got != want {
				t.Errorf("%v, %s, want %s", err, got, want)
			}
		}
	}
	if _, err := (Entries{}).Read("x", []byte("<Document/>")); affiliate.KindOf(err) != affiliate.Invalid {
		t.Error(err)
	}
}

// TestEntries_older: camt.053.001.02 and camt.054.001.02 have amounts at other places, and codes at entries.
func TestEntries_older(t *testing.T) {
	const code = `<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>`
	const asked = `<AmtDtls><InstdAmt><Amt Ccy="EUR">9.00</Amt></InstdAmt></AmtDtls>`
	const moved = `<AmtDtls><InstdAmt><Amt Ccy="EUR">9.00</Amt></InstdAmt><TxAmt><Amt Ccy="EUR">7.50</Amt></TxAmt></AmtDtls>`
	payment := func(n int, more string) string {
		return fmt.Sprintf(`<TxDtls><Refs><EndToEndId>TRB-%d-K7Q2M9</EndToEndId></Refs>%s</TxDtls>`, n, more)
	}
	for _, c := range []struct{ direction, code, payments, want string }{
		{"CRDT", code, payment(1, ""), `returned 12.00`},
		{"CRDT", code, payment(1, moved), `returned 7.50`},
		{"CRDT", code, payment(1, asked), `returned 12.00`}, // fees were taken off
		{"CRDT", code, payment(1, "") + payment(2, moved), `? 0.00, returned 7.50`},
		{"CRDT", "", payment(1, moved), `? 7.50`},
		{"DBIT", "", payment(1, ""), `paid 12.00`},
		{"DBIT", "", payment(1, moved), `paid 9.00`},
		{"DBIT", "", payment(1, "") + payment(2, asked), `paid 0.00, paid 9.00`},
		{"CRDT", code, payment(1, `<AmtDtls><TxAmt><Amt Ccy="EUR">0.00</Amt></TxAmt></AmtDtls>`), `? 0.00`},
	} {
		file := `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt><Stmt><Ntry>` +
			`<Amt Ccy="EUR">12.00</Amt><CdtDbtInd>` + c.direction + `</CdtDbtInd><Sts>BOOK</Sts><BookgDt>` +
			`<DtTm>2026-12-31T23:30:00+01:00</DtTm></BookgDt>` + c.code + `<NtryDtls>` + c.payments +
			`</NtryDtls></Ntry></Stmt></BkToCstmrStmt></Document>`
		list, err := Entries{}.Read("x.xml", []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		var words []string
		for _, r := range list {
			words = append(words, fmt.Sprintf("%s %s", cmp.Or(string(r.State), "?"), money.Format(r.Amount, "EUR")))
			if r.Day != "2026-12-31" {
				t.Errorf("the day is %q", r.Day)
			}
		}
		if got := strings.Join(words, ", "); got != c.want {
			t.Errorf("%+v is %s", c, got)
		}
	}
}

// TestAttack_camt: whoever pays something in with our reference makes nothing come back.
func TestAttack_camt(t *testing.T) {
	for _, more := range []string{"", "<RmtInf><Ustrd>TRB-1-K7Q2M9 RRTN return</Ustrd></RmtInf>",
		"<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>"} {
		file := `<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.054.001.08"><BkToCstmrDbtCdtNtfctn><Ntfctn><Ntry>` +
			`<Amt Ccy="EUR">0.01</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts><NtryDtls><TxDtls><Refs>` +
			`<EndToEndId>TRB-1-K7Q2M9</EndToEndId></Refs>` + more + `</TxDtls></NtryDtls></Ntry></Ntfctn>` +
			`</BkToCstmrDbtCdtNtfctn></Document>`
		list, err := Entries{}.Read("x.xml", []byte(file))
		if err != nil || len(list) != 1 || list[0].State != "" || !strings.Contains(list[0].Words, "by hand") {
			t.Errorf("%s: %v, %s", more, err, told(list))
		}
	}
}
