package sepa

import (
	"bytes"
	"cmp"
	"encoding/xml"
	"slices"
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
	Orders []orderReport `xml:"OrgnlPmtInfAndSts"`
}

type orderReport struct {
	ID       string          `xml:"OrgnlPmtInfId"`
	State    string          `xml:"PmtInfSts"`
	Reasons  []reason        `xml:"StsRsnInf"`
	Payments []paymentReport `xml:"TxInfAndSts"`
}

type paymentReport struct {
	Ref     string   `xml:"OrgnlEndToEndId"`
	State   string   `xml:"TxSts"`
	Reasons []reason `xml:"StsRsnInf"`
	Bank    string   `xml:"AcctSvcrRef"`
	Amount  amount   `xml:"OrgnlTxRef>Amt>InstdAmt"`
	IBAN    string   `xml:"OrgnlTxRef>CdtrAcct>Id>IBAN"`
	Name    string   `xml:"OrgnlTxRef>Cdtr>Nm"`
	Newer   string   `xml:"OrgnlTxRef>Cdtr>Pty>Nm"`
}

// tidy gives each payment a state and reasons: those of its order, and of the file, where it has none of its own. A
// file or an order that is rejected without a reason, while something in it is rejected as a repeat, is taken for one.
func (r *report) tidy() {
	g := &r.Group
	g.State = strings.ToUpper(strings.TrimSpace(g.State))
	var repeated []reason
	for i := range r.Orders {
		o := &r.Orders[i]
		o.State = strings.ToUpper(strings.TrimSpace(o.State))
		var inside []reason
		for n := range o.Payments {
			p := &o.Payments[n]
			p.State = strings.ToUpper(strings.TrimSpace(p.State))
			inside = append(inside, repeatsOf(p.Reasons)...)
		}
		if len(o.Reasons) == 0 && (o.State != "" || len(g.Reasons) == 0) {
			o.Reasons = inside
		}
		repeated = append(repeated, repeatsOf(o.Reasons)...)
	}
	if len(g.Reasons) == 0 {
		g.Reasons = repeated
	}
	for i := range r.Orders {
		o := &r.Orders[i]
		state := cmp.Or(o.State, g.State)
		if len(o.Reasons) == 0 && state == g.State {
			o.Reasons = g.Reasons
		}
		for n := range o.Payments {
			p := &o.Payments[n]
			if p.State = cmp.Or(p.State, state); len(p.Reasons) == 0 && p.State == state {
				p.Reasons = o.Reasons
			}
		}
	}
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
	"DU01": "the file was sent before", "DU02": "the order was sent before", "DU03": "it was sent before",
	"DU04": "its reference was sent before", "DU05": "its reference was sent before", "DUPL": "it was sent twice",
	"FF01": "the file's form is wrong", "FOCR": "it was called back",
	"FRAD": "it may be a fraud", "MD07": "the recipient is deceased", "MS02": "the recipient does not want it",
	"MS03": "no reason was given", "NARR": "see the bank's words", "RC01": "the bank's code is wrong",
	"RR01": "the sender's account number is missing", "RR02": "the sender's name or address is missing",
	"RR03": "the recipient's name or address is missing", "RR04": "a law forbids it", "TM01": "it came too late"}

// repeatCodes are the reasons by which a bank refuses what it has already (external code set of status reasons).
var repeatCodes = []string{"AM05", "DUPL", "DU01", "DU02", "DU03", "DU04", "DU05"}

const repeatWords = "the bank refuses a repeat of what it has already; what it said of the first one counts"

// repeatsOf are the reasons that say that the bank has it already.
func repeatsOf(reasons []reason) (list []reason) {
	for _, r := range reasons {
		if slices.Contains(repeatCodes, r.code()) {
			list = append(list, r)
		}
	}
	return list
}

func (r reason) code() string { return strings.ToUpper(strings.TrimSpace(cmp.Or(r.Code, r.Own))) }

// answer is the state that a code says, with its words. That a repeat is refused says nothing of the payments: the
// first one is paid, or not.
func answer(code string, reasons []reason) (state affiliate.PayoutState, words string) {
	state, known := answerStates[code]
	if !known {
		return "", "the state " + affiliate.Clip(code, 20) + " is not known"
	}
	why := said(reasons)
	if state == affiliate.PayoutFailed && len(repeatsOf(reasons)) > 0 {
		return "", strings.Join(append([]string{repeatWords}, why...), "; ")
	}
	return state, strings.Join(append([]string{code + ", " + answerWords[code]}, why...), "; ")
}

// said are reasons in words.
func said(reasons []reason) (list []string) {
	for _, r := range reasons {
		code := r.code()
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
	doc.Report.tidy()
	var single, rest []affiliate.PaymentResult
	g, whole := doc.Report.Group, true
	for _, o := range doc.Report.Orders {
		for _, p := range o.Payments {
			r := affiliate.PaymentResult{Ref: strings.TrimSpace(p.Ref), Destination: strings.TrimSpace(p.IBAN),
				Name: cmp.Or(p.Name, p.Newer), ProviderRef: p.Bank}
			r.State, r.Words = answer(p.State, p.Reasons)
			var err error
			if r.Amount, r.Currency, err = p.Amount.read(); err != nil {
				r.State, r.Words = "", err.Error()
			}
			single = append(single, r)
		}
		if o.State != "" && o.State != "PART" {
			whole = false // it says more than what is said of the file
			rest = append(rest, ofPart(o.ID, o.State, o.Reasons))
		}
	}
	if whole && g.State != "" && g.State != "PART" {
		rest = append(rest, ofPart(g.Message, g.State, g.Reasons))
	}
	return numbered(append(single, rest...)), nil
}

// ofPart is what is said of all payments of a file of which nothing else is said.
func ofPart(reference, state string, reasons []reason) affiliate.PaymentResult {
	r := affiliate.PaymentResult{Part: strings.TrimSpace(reference)}
	r.State, r.Words = answer(state, reasons)
	return r
}

// Entries reads the entries of an account (camt.053 and camt.054, of any version): what was paid out of it, and what
// came back, which may be weeks later.
type Entries struct{}

// Kind says which files they are.
func (Entries) Kind() affiliate.ResultKind { return affiliate.ResultCamt }

type entry struct {
	Amount    amount `xml:"Amt"`
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
	Family   string         `xml:"BkTxCd>Domn>Fmly>SubFmlyCd"`
	Payments []entryPayment `xml:"NtryDtls>TxDtls"`
}

type entryPayment struct {
	Ref       string `xml:"Refs>EndToEndId"`
	Bank      string `xml:"Refs>AcctSvcrRef"`
	Amount    amount `xml:"Amt"` // since version 03
	Moved     amount `xml:"AmtDtls>TxAmt>Amt"`
	Asked     amount `xml:"AmtDtls>InstdAmt>Amt"` // what was ordered; fees may have been taken off since
	Direction string `xml:"CdtDbtInd"`            // since version 03
	Family    string `xml:"BkTxCd>Domn>Fmly>SubFmlyCd"`
	Return    *struct {
		reason
	} `xml:"RtrInf"`
	Name  string   `xml:"RltdPties>Cdtr>Nm"`
	Newer string   `xml:"RltdPties>Cdtr>Pty>Nm"`
	IBAN  string   `xml:"RltdPties>CdtrAcct>Id>IBAN"`
	Notes []string `xml:"RmtInf>Ustrd"`
}

// returned is the sub-family of bank transaction codes of what comes back.
const returned = "RRTN"

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
		for _, p := range e.Payments {
			if r, ours := e.result(p); ours {
				results = append(results, r)
			}
		}
	}
	return numbered(results), nil
}

// day is when an entry was booked; empty where it is not said.
func (e entry) day() string {
	text := cmp.Or(e.Day.Time, e.Day.Date)
	text = text[:min(len(text), len(time.DateOnly))]
	if _, err := time.Parse(time.DateOnly, text); err != nil {
		return ""
	}
	return text
}

// result reads a payment of an entry; false for one that is about no payout. Whoever pays something in may write our
// reference to it: what came back is known by what the bank alone says, why it did, or that it did.
func (e entry) result(p entryPayment) (affiliate.PaymentResult, bool) {
	r := affiliate.PaymentResult{Ref: affiliate.FindPayoutRef(p.Ref), ProviderRef: p.Bank, Day: e.day(),
		Name: cmp.Or(p.Name, p.Newer), Destination: p.IBAN}
	back := p.Return != nil || cmp.Or(p.Family, e.Family) == returned
	if r.Ref == "" && back { // some banks repeat the note alone
		r.Ref = affiliate.FindPayoutRef(strings.Join(p.Notes, ""))
	}
	if r.Ref == "" {
		return r, false
	}
	var why []reason
	if p.Return != nil {
		why = []reason{p.Return.reason}
	}
	amounts, in := []amount{p.Asked, p.Amount, p.Moved}, cmp.Or(p.Direction, e.Direction) == "CRDT"
	if in {
		amounts = amounts[1:] // what has arrived
	}
	switch {
	case in && !back:
		r.Words = "money came in with this reference, and the bank does not say that it is a return: look at it, and " +
			"say by hand what became of the payout"
	case in && len(repeatsOf(why)) > 0:
		r.Words = strings.Join(append([]string{"it came back as a repeat: look at what became of the first one, and " +
			"say it by hand"}, said(why)...), "; ")
	case in:
		r.State, r.Words = affiliate.PayoutReturned, strings.Join(append([]string{"it came back"}, said(why)...), "; ")
		r.ProviderRef = "" // of the entry; the payment had another one
	case back:
		r.Words = "money that had come in with this reference went back: that says nothing of the payout"
	case e.Reversal:
		return r, false // the reversal of a return: what it means only the bank can say
	default:
		r.State, r.Words = affiliate.PayoutPaid, "booked"
	}
	if len(e.Payments) == 1 {
		amounts = append(amounts, e.Amount)
	}
	for _, a := range amounts {
		if a.Number == "" {
			continue
		}
		var err error
		if r.Amount, r.Currency, err = a.read(); err != nil {
			r.State, r.Words = "", err.Error()
		}
		break
	}
	if r.State == affiliate.PayoutReturned && r.Amount <= 0 {
		r.State, r.Words = "", "the bank does not say how much came back: look at it, and say by hand what became of "+
			"the payout"
	}
	return r, true
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
