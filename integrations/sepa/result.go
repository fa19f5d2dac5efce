package sepa

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"strings"
	"time"

	"golang.org/x/net/html/charset"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// Answers reads what a bank says of a file: pain.002, of any version.
type Answers struct{}

// Kind says which files they are.
func (Answers) Kind() affiliate.ResultKind { return affiliate.ResultPain }

// reason is why something is in its state.
type reason struct {
	Code  string   `xml:"Rsn>Cd"`
	Own   string   `xml:"Rsn>Prtry"`
	Words []string `xml:"AddtlInf"`
}

// report is a pain.002; elements of all versions have these names.
type report struct {
	Group struct {
		Message string   `xml:"OrgnlMsgId"`
		State   string   `xml:"GrpSts"`
		Reasons []reason `xml:"StsRsnInf"`
	} `xml:"OrgnlGrpInfAndSts"`
	Orders []struct {
		ID       string   `xml:"OrgnlPmtInfId"`
		State    string   `xml:"PmtInfSts"`
		Reasons  []reason `xml:"StsRsnInf"`
		Payments []struct {
			Ref     string   `xml:"OrgnlEndToEndId"`
			State   string   `xml:"TxSts"`
			Reasons []reason `xml:"StsRsnInf"`
			Bank    string   `xml:"AcctSvcrRef"`
			Amount  amount   `xml:"OrgnlTxRef>Amt>InstdAmt"`
			IBAN    string   `xml:"OrgnlTxRef>CdtrAcct>Id>IBAN"`
			Name    string   `xml:"OrgnlTxRef>Cdtr>Nm"`
			Newer   string   `xml:"OrgnlTxRef>Cdtr>Pty>Nm"`
		} `xml:"TxInfAndSts"`
	} `xml:"OrgnlPmtInfAndSts"`
}

type amount struct {
	Currency string `xml:"Ccy,attr"`
	Number   string `xml:",chardata"`
}

// read gives an amount; 0 where none is said.
func (a amount) read() (int64, money.Currency, error) {
	if a.Number == "" {
		return 0, "", nil
	}
	c, err := money.ParseCurrency(a.Currency)
	if err != nil {
		return 0, "", err
	}
	n, err := money.Parse(strings.TrimSpace(a.Number), c)
	return n, c, err
}

// answerStates are the states of payments (external code set of payment transaction statuses). A bank that has checked
// or accepted a payment has not paid it yet.
var answerStates = map[string]affiliate.PayoutState{"ACSC": affiliate.PayoutPaid, "ACCC": affiliate.PayoutPaid,
	"RJCT": affiliate.PayoutFailed, "CANC": affiliate.PayoutFailed, "ACTC": affiliate.PayoutPending,
	"ACCP": affiliate.PayoutPending, "ACWC": affiliate.PayoutPending, "ACSP": affiliate.PayoutPending,
	"ACWP": affiliate.PayoutPending, "PDNG": affiliate.PayoutPending, "RCVD": affiliate.PayoutPending,
	"ACFC": affiliate.PayoutPending, "PATC": affiliate.PayoutPending}

// answerWords say the states to people.
var answerWords = map[string]string{"ACSC": "settled", "ACCC": "credited to the recipient", "RJCT": "rejected",
	"CANC": "canceled", "ACTC": "the form was checked", "ACCP": "accepted", "ACWC": "accepted with a change",
	"ACSP": "in settlement", "ACWP": "accepted, not credited yet", "PDNG": "waiting", "RCVD": "received",
	"ACFC": "the funds were checked", "PATC": "partly authorized"}

// reasonWords say the reasons for rejections and returns that are most seen (external code sets, and the EPC's guidance
// on reason codes).
var reasonWords = map[string]string{"AC01": "the account number is wrong", "AC03": "the account number is wrong",
	"AC04": "the account is closed", "AC06": "the account is blocked", "AC07": "the account is closed",
	"AC13": "the account is of a wrong kind", "AG01": "the account takes no such payments",
	"AG02": "the bank does not take such payments", "AM02": "the amount is not allowed",
	"AM03": "the currency is not allowed", "AM04": "there is too little money on the account",
	"AM05": "it was sent before", "AM09": "the amount is wrong", "BE01": "name and account do not fit together",
	"BE04": "the address lacks something", "BE05": "who initiated it is not known", "CUST": "the customer asked for it",
	"DUPL": "it was sent twice", "FF01": "the file's form is wrong", "FOCR": "it was called back",
	"FRAD": "it may be a fraud", "MD07": "the recipient is deceased", "MS02": "the recipient does not want it",
	"MS03": "no reason was given", "NARR": "see the bank's words", "RC01": "the bank's code is wrong",
	"RR01": "the sender's account number is missing", "RR02": "the sender's name or address is missing",
	"RR03": "the recipient's name or address is missing", "RR04": "a law forbids it", "TM01": "it came too late"}

// answer is the state that a code says, with its words.
func answer(code string, reasons []reason) (state affiliate.PayoutState, words string) {
	code = strings.ToUpper(strings.TrimSpace(code))
	state, known := answerStates[code]
	if !known {
		return "", "the state " + affiliate.Clip(code, 20) + " is not known"
	}
	why := said(reasons)
	return state, strings.Join(append([]string{code + ", " + answerWords[code]}, why...), "; ")
}

// said are reasons in words.
func said(reasons []reason) (list []string) {
	for _, r := range reasons {
		code := strings.ToUpper(strings.TrimSpace(cmp.Or(r.Code, r.Own)))
		words := reasonWords[code]
		if extra := affiliate.Clean(strings.Join(strings.Fields(strings.Join(r.Words, " ")), " ")); extra != "" {
			words = extra
		}
		switch {
		case code == "":
			code = words
		case words != "":
			code += ", " + words
		}
		if code != "" {
			list = append(list, affiliate.Clip(code, 150))
		}
	}
	return list
}

// Read gives the answers to single payments, and then those to all others of an order or of a file.
func (Answers) Read(_ string, body []byte) ([]affiliate.PaymentResult, error) {
	var doc struct {
		XMLName xml.Name
		Report  *report `xml:"CstmrPmtStsRpt"`
	}
	if err := decode(body, &doc); err != nil {
		return nil, err
	}
	if doc.Report == nil {
		return nil, affiliate.FieldErrorf("file", "an answer of a bank to a SEPA file is a pain.002")
	}
	var single, rest []affiliate.PaymentResult
	one := func(code, or string, reasons, orReasons []reason, r affiliate.PaymentResult) affiliate.PaymentResult {
		if code == "" {
			code, reasons = or, orReasons
		}
		r.State, r.Words = answer(code, reasons)
		return r
	}
	g, whole := doc.Report.Group, true
	for _, o := range doc.Report.Orders {
		state, reasons := o.State, o.Reasons
		if state == "" {
			state, reasons = g.State, g.Reasons
		}
		for _, p := range o.Payments {
			r := affiliate.PaymentResult{Ref: strings.TrimSpace(p.Ref), Destination: strings.TrimSpace(p.IBAN),
				Name: cmp.Or(p.Name, p.Newer), ProviderRef: p.Bank}
			var err error
			r = one(p.State, state, p.Reasons, reasons, r)
			if r.Amount, r.Currency, err = p.Amount.read(); err != nil {
				r.State, r.Words = "", err.Error()
			}
			single = append(single, r)
		}
		if o.State != "" && o.State != "PART" {
			whole = false // it says more than what is said of the file
			rest = append(rest, one(o.State, "", o.Reasons, nil,
				affiliate.PaymentResult{Part: strings.TrimSpace(o.ID)}))
		}
	}
	if whole && g.State != "" && g.State != "PART" {
		rest = append(rest, one(g.State, "", g.Reasons, nil,
			affiliate.PaymentResult{Part: strings.TrimSpace(g.Message)}))
	}
	return numbered(append(single, rest...)), nil
}

// Entries reads the entries of an account (camt.053 and camt.054, of any version): what was paid out of it, and what
// came back, which may be weeks later.
type Entries struct{}

// Kind says which files they are.
func (Entries) Kind() affiliate.ResultKind { return affiliate.ResultCamt }

type entry struct {
	Direction string `xml:"CdtDbtInd"`
	Reversal  bool   `xml:"RvslInd"`
	State     struct {
		Older string `xml:",chardata"`
		Newer string `xml:"Cd"`
	} `xml:"Sts"`
	Day struct {
		Date string `xml:"Dt"`
		Time string `xml:"DtTm"`
	} `xml:"BookgDt"`
	Payments []struct {
		Ref    string `xml:"Refs>EndToEndId"`
		Bank   string `xml:"Refs>AcctSvcrRef"`
		Amount amount `xml:"Amt"`
		Detail amount `xml:"AmtDtls>InstdAmt>Amt"` // where fees were taken off
		Return *struct {
			reason
		} `xml:"RtrInf"`
		Name  string   `xml:"RltdPties>Cdtr>Nm"`
		Newer string   `xml:"RltdPties>Cdtr>Pty>Nm"`
		IBAN  string   `xml:"RltdPties>CdtrAcct>Id>IBAN"`
		Notes []string `xml:"RmtInf>Ustrd"`
	} `xml:"NtryDtls>TxDtls"`
}

// Read gives the entries that have a reference of a payout; all others of the account are passed over.
func (Entries) Read(_ string, body []byte) ([]affiliate.PaymentResult, error) {
	var doc struct {
		XMLName       xml.Name
		Statements    []entry `xml:"BkToCstmrStmt>Stmt>Ntry"`
		Notifications []entry `xml:"BkToCstmrDbtCdtNtfctn>Ntfctn>Ntry"`
	}
	if err := decode(body, &doc); err != nil {
		return nil, err
	}
	if space := doc.XMLName.Space; !strings.Contains(space, ":camt.053.") && !strings.Contains(space, ":camt.054.") {
		return nil, affiliate.FieldErrorf("file", "entries of an account are a camt.053 or a camt.054")
	}
	results := []affiliate.PaymentResult{}
	for _, e := range append(doc.Statements, doc.Notifications...) {
		if state := cmp.Or(e.State.Newer, strings.TrimSpace(e.State.Older)); state != "BOOK" && state != "" {
			continue // it is announced only
		}
		day, _ := time.Parse(time.DateOnly, e.Day.Date[:min(len(e.Day.Date), 10)])
		if e.Day.Time != "" {
			day, _ = time.Parse(time.DateOnly, e.Day.Time[:min(len(e.Day.Time), 10)])
		}
		for _, p := range e.Payments {
			r := affiliate.PaymentResult{Ref: affiliate.FindPayoutRef(p.Ref), ProviderRef: p.Bank, At: day,
				Name: cmp.Or(p.Name, p.Newer), Destination: p.IBAN}
			if r.Ref == "" && p.Return != nil { // some banks repeat the note alone
				r.Ref = affiliate.FindPayoutRef(strings.Join(p.Notes, ""))
			}
			if r.Ref == "" {
				continue
			}
			in := e.Direction == "CRDT"
			switch {
			case p.Return != nil || in:
				r.State, r.Words = affiliate.PayoutReturned, "it came back"
				if p.Return != nil {
					r.Words = strings.Join(append([]string{r.Words}, said([]reason{p.Return.reason})...), "; ")
				}
			case e.Reversal:
				continue // the reversal of a return: what it means only the bank can say
			default:
				r.State, r.Words = affiliate.PayoutPaid, "booked"
			}
			said := p.Amount
			if p.Detail.Number != "" {
				said = p.Detail
			}
			var err error
			if r.Amount, r.Currency, err = said.read(); err != nil {
				r.State, r.Words = "", err.Error()
			}
			results = append(results, r)
		}
	}
	return numbered(results), nil
}

// numbered gives results the lines that they have in no file of XML: which they are, from 1.
func numbered(list []affiliate.PaymentResult) []affiliate.PaymentResult {
	for i := range list {
		list[i].Line = i + 1
	}
	return list
}

// decode reads XML in whatever encoding it says.
func decode(body []byte, into any) error {
	if !bytes.HasPrefix(bytes.TrimLeft(body, "\ufeff \t\r\n"), []byte("<")) {
		return affiliate.FieldErrorf("file", "this is no XML")
	}
	d := xml.NewDecoder(bytes.NewReader(body))
	d.CharsetReader = charset.NewReaderLabel
	if err := d.Decode(into); err != nil {
		return affiliate.FieldErrorf("file", "this is broken XML: %s", affiliate.Clip(err.Error(), 100))
	}
	return nil
}
