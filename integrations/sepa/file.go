package sepa

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// File writes credit transfers (pain.001) in the version that is the file's variant.
type File struct{}

// NameAs says how a name stands in the file.
func (File) NameAs(name string) string { return Text(name, mostName) }

// id is what references may be made of: the characters of identifiers that every bank takes.
var id = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{0,34}$`)

// bic03 is what the older schema takes for a BIC; the newer one takes all that affiliate.ParseBIC does.
var bic03 = regexp.MustCompile(`^[A-Z]{6}[A-Z2-9][A-NP-Z0-9]([A-Z0-9]{3})?$`)

var country = regexp.MustCompile(`^[A-Z]{2}$`)

// mostAmount is the largest amount of a SEPA transfer, in cents.
const mostAmount = 999_999_999_99

// Write gives the file of one order: all its payments are booked as one sum, and executed on one day. Its message id is
// the reference of the file, which a bank takes once, so that no file is executed twice.
func (File) Write(f affiliate.PaymentFile) (string, []byte, error) {
	w := &writer{file: f, newer: f.Variant == string(affiliate.Pain09)}
	if err := w.check(); err != nil {
		return "", nil, err
	}
	var payments strings.Builder
	sum := int64(0)
	for _, p := range f.Payments {
		text, err := w.payment(p)
		if err != nil {
			return "", nil, err
		}
		payments.WriteString(text)
		sum += p.Amount
	}
	return f.Reference + ".xml", []byte(w.begin(sum) + payments.String() +
		"</PmtInf></CstmrCdtTrfInitn></Document>\n"), nil
}

// writer writes one file. All texts in it went through Text or were checked: none has a character that XML escapes.
type writer struct {
	file  affiliate.PaymentFile
	newer bool // version 09, not 03
}

func (w *writer) check() error {
	f := w.file
	switch {
	case !w.newer && f.Variant != string(affiliate.Pain03):
		return affiliate.FieldErrorf("variant", "there is no version %q of SEPA files", affiliate.Clip(f.Variant, 40))
	case f.Currency != "EUR":
		return affiliate.FieldErrorf("currency", "SEPA files are in EUR, not in %s", f.Currency)
	case len(f.Payments) == 0:
		return affiliate.FieldErrorf("payments", "there are none")
	case !id.MatchString(f.Reference):
		return affiliate.FieldErrorf("reference", "%q cannot be the id of a message", affiliate.Clip(f.Reference, 40))
	case !legible(Text(f.Payer.Name, mostName)):
		return affiliate.FieldErrorf("sepa_name", "nothing of %q can be written for a bank; set the holder of the "+
			"account that SEPA files pay from", affiliate.Clip(f.Payer.Name, 40))
	}
	if _, err := affiliate.ParseIBAN("sepa_account", f.Payer.IBAN); err != nil {
		return err
	}
	if _, err := affiliate.ParseBIC("sepa_bank", f.Payer.BIC); err != nil {
		return err
	}
	if _, err := time.Parse(time.DateOnly, f.ExecuteOn); err != nil {
		return affiliate.FieldErrorf("execute_on", "%q is not a day", affiliate.Clip(f.ExecuteOn, 40))
	}
	return nil
}

// begin is all that stands before the payments, whose sum is given in cents.
func (w *writer) begin(sum int64) string {
	f, day := w.file, w.file.ExecuteOn
	if w.newer {
		day = "<Dt>" + day + "</Dt>"
	}
	count := fmt.Sprintf("<NbOfTxs>%d</NbOfTxs><CtrlSum>%s</CtrlSum>", len(f.Payments), money.Format(sum, "EUR"))
	name := element("Nm", Text(f.Payer.Name, mostName))
	agent := "<FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId>" // the schema wants one
	if bank := w.bank(f.Payer.BIC); bank != "" {
		agent = bank
	}
	return `<?xml version="1.0" encoding="UTF-8"?>` + "\n" +
		`<Document xmlns="urn:iso:std:iso:20022:tech:xsd:` + f.Variant + `"><CstmrCdtTrfInitn>` + "\n<GrpHdr>" +
		element("MsgId", f.Reference) +
		element("CreDtTm", f.MadeAt.UTC().Format("2006-01-02T15:04:05")) + // the strictest banks take no zone
		count + "<InitgPty>" + name + "</InitgPty></GrpHdr>\n<PmtInf>" + element("PmtInfId", f.Reference) +
		"<PmtMtd>TRF</PmtMtd><BtchBookg>true</BtchBookg>" + count +
		"<PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf><ReqdExctnDt>" + day + "</ReqdExctnDt>\n<Dbtr>" + name +
		"</Dbtr><DbtrAcct><Id>" + element("IBAN", f.Payer.IBAN) + "</Id></DbtrAcct><DbtrAgt>" + agent +
		"</DbtrAgt><ChrgBr>SLEV</ChrgBr>\n"
}

// payment writes one payment. Its end-to-end id is our reference, which comes back in results.
func (w *writer) payment(p affiliate.Payment) (string, error) {
	refuse := func(format string, args ...any) (string, error) {
		return "", affiliate.FieldErrorf("payments", "%s to %s: %s; cancel this payout, or have the details corrected "+
			"first and pay it with the next run", p.Ref, affiliate.Clip(p.Creator, 60), fmt.Sprintf(format, args...))
	}
	d, holder := p.Details, Text(p.Holder(), mostName)
	iban, err := affiliate.ParseIBAN("iban", d.IBAN)
	if err == nil {
		_, err = affiliate.ParseBIC("bic", d.BIC)
	}
	switch {
	case err != nil:
		return refuse("%v", err)
	case !affiliate.InSEPA(iban[:2]):
		return refuse("the account is in %s, where SEPA transfers do not go", iban[:2])
	case !id.MatchString(p.Ref):
		return refuse("%q cannot be the id of a payment", affiliate.Clip(p.Ref, 40))
	case !legible(holder):
		return refuse("nothing of the holder %q can be written for a bank", affiliate.Clip(p.Holder(), 40))
	case p.Currency != "EUR" || p.Amount <= 0 || p.Amount > mostAmount:
		return refuse("%s %s is no amount of a SEPA transfer", money.Format(p.Amount, p.Currency), p.Currency)
	}
	text := "<CdtTrfTxInf><PmtId>" + element("EndToEndId", p.Ref) + `</PmtId><Amt><InstdAmt Ccy="EUR">` +
		money.Format(p.Amount, p.Currency) + "</InstdAmt></Amt>"
	if bank := w.bank(d.BIC); bank != "" {
		text += "<CdtrAgt>" + bank + "</CdtrAgt>"
	}
	text += "<Cdtr>" + element("Nm", holder) + address(d.Address) + "</Cdtr><CdtrAcct><Id>" + element("IBAN", iban) +
		"</Id></CdtrAcct>"
	if note := noteOf(p); note != "" {
		text += "<RmtInf>" + element("Ustrd", note) + "</RmtInf>"
	}
	return text + "</CdtTrfTxInf>\n", nil
}

// noteOf is what the recipient reads on the statement of the account. Where it is too long, our reference stays.
func noteOf(p affiliate.Payment) string {
	note := Text(p.Note, 4*mostNote)
	if len(note) <= mostNote {
		return note
	}
	return Text(note[:mostNote-len(p.Ref)-1], mostNote) + " " + p.Ref
}

// bank names a bank by its BIC. It is empty where that is, and where the version does not take it: banks find each
// other by the IBAN.
func (w *writer) bank(bic string) string {
	bic, _ = affiliate.ParseBIC("", bic) // it was checked
	switch {
	case bic == "" || !w.newer && !bic03.MatchString(bic):
		return ""
	case w.newer:
		return "<FinInstnId>" + element("BICFI", bic) + "</FinInstnId>"
	}
	return "<FinInstnId>" + element("BIC", bic) + "</FinInstnId>"
}

// address writes a structured postal address, or none: unstructured ones are refused since 15 November 2026
// (europeanpaymentscouncil.eu/node/27691), and town and country are needed.
func address(a *affiliate.PayeeAddress) string {
	if a == nil || !legible(Text(a.Town, mostID)) || !country.MatchString(a.Country) {
		return ""
	}
	return "<PstlAdr>" + element("StrtNm", Text(a.Street, mostName)) + element("BldgNb", Text(a.Building, 16)) +
		element("PstCd", Text(a.PostCode, 16)) + element("TwnNm", Text(a.Town, mostID)) + element("Ctry", a.Country) +
		"</PstlAdr>"
}

// element writes an element; nothing where it would be empty.
func element(name, text string) string {
	if text == "" {
		return ""
	}
	return "<" + name + ">" + text + "</" + name + ">"
}
