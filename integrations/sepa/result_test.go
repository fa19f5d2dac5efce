package sepa

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tributaryhq/tributary/internal/affiliate"
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
			`TRB-R1-1-K7Q2M9 failed 0 "RJCT, rejected; AM05, it was sent before"`,
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
		entry("CRDT", "BOOK", ""): `1 TRB-1-K7Q2M9 returned 750EUR "it came back"`,
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
