package sepa

import (
	"bytes"
	"encoding/xml"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
)

// payer is the brand of the tests.
var payer = affiliate.Payer{Name: "Müller & Söhne GmbH", IBAN: "DE02120300000000202051"}

func anna() affiliate.Payment {
	return affiliate.Payment{Ref: "TRB-1001-K7Q2M9", Amount: 10000, Currency: "EUR", Creator: "Anna",
		Details: affiliate.PaymentDetails{Holder: "Änne Łukaszewska", IBAN: "FR1420041010050500013M02606",
			BIC: "GIBAATWWXXX", Address: &affiliate.PayeeAddress{Street: "Rue de l'Été", Building: "7 bis",
				PostCode: "75001", Town: "Paris", Country: "FR"}},
		Note: "My brand creator payout TRB-1001-K7Q2M9"}
}

func fileOf(version affiliate.PainVersion, list ...affiliate.Payment) affiliate.PaymentFile {
	return affiliate.PaymentFile{Reference: "TRB-R42-1-K7Q2M9", Variant: string(version), Currency: "EUR",
		MadeAt: time.Date(2026, 11, 28, 20, 15, 0, 123456, time.UTC), ExecuteOn: "2026-11-30", Payer: payer,
		Payments: list}
}

func TestFile(t *testing.T) {
	ben := anna()
	ben.Ref, ben.Amount = "TRB-1002-K7Q2M9", 3805
	ben.Details = affiliate.PaymentDetails{Holder: "Mina Sol", IBAN: "AT61 1904 3002 3457 3201"}
	name, body, err := File{}.Write(fileOf(affiliate.Pain09, anna(), ben))
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"><CstmrCdtTrfInitn>
<GrpHdr><MsgId>TRB-R42-1-K7Q2M9</MsgId><CreDtTm>2026-11-28T20:15:00</CreDtTm><NbOfTxs>2</NbOfTxs>` +
		`<CtrlSum>138.05</CtrlSum><InitgPty><Nm>Mueller + Soehne GmbH</Nm></InitgPty></GrpHdr>
<PmtInf><PmtInfId>TRB-R42-1-K7Q2M9</PmtInfId><PmtMtd>TRF</PmtMtd><BtchBookg>true</BtchBookg><NbOfTxs>2</NbOfTxs>` +
		`<CtrlSum>138.05</CtrlSum><PmtTpInf><SvcLvl><Cd>SEPA</Cd></SvcLvl></PmtTpInf><ReqdExctnDt><Dt>2026-11-30</Dt></ReqdExctnDt>
<Dbtr><Nm>Mueller + Soehne GmbH</Nm></Dbtr><DbtrAcct><Id><IBAN>DE02120300000000202051</IBAN></Id></DbtrAcct>` +
		`<DbtrAgt><FinInstnId><Othr><Id>NOTPROVIDED</Id></Othr></FinInstnId></DbtrAgt><ChrgBr>SLEV</ChrgBr>
<CdtTrfTxInf><PmtId><EndToEndId>TRB-1001-K7Q2M9</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">100.00</InstdAmt></Amt>` +
		`<CdtrAgt><FinInstnId><BICFI>GIBAATWWXXX</BICFI></FinInstnId></CdtrAgt><Cdtr><Nm>Aenne Lukaszewska</Nm>` +
		`<PstlAdr><StrtNm>Rue de l'Ete</StrtNm><BldgNb>7 bis</BldgNb><PstCd>75001</PstCd><TwnNm>Paris</TwnNm>` +
		`<Ctry>FR</Ctry></PstlAdr></Cdtr><CdtrAcct><Id><IBAN>FR1420041010050500013M02606</IBAN></Id></CdtrAcct>` +
		`<RmtInf><Ustrd>My brand creator payout TRB-1001-K7Q2M9</Ustrd></RmtInf></CdtTrfTxInf>
<CdtTrfTxInf><PmtId><EndToEndId>TRB-1002-K7Q2M9</EndToEndId></PmtId><Amt><InstdAmt Ccy="EUR">38.05</InstdAmt></Amt>` +
		`<Cdtr><Nm>Mina Sol</Nm></Cdtr><CdtrAcct><Id><IBAN>AT611904300234573201</IBAN></Id></CdtrAcct>` +
		`<RmtInf><Ustrd>My brand creator payout TRB-1001-K7Q2M9</Ustrd></RmtInf></CdtTrfTxInf>
</PmtInf></CstmrCdtTrfInitn></Document>
`
	if err != nil || name != "TRB-R42-1-K7Q2M9.xml" || string(body) != want {
		t.Errorf("%s, %v:\n%s\nwant:\n%s", name, err, body, want)
	}
	older := fileOf(affiliate.Pain03, anna())
	older.Payer.BIC = "BYLADEM1001"
	_, body, err = File{}.Write(older)
	for _, part := range []string{"pain.001.001.03", "<ReqdExctnDt>2026-11-30</ReqdExctnDt>", "<BIC>GIBAATWWXXX</BIC>",
		"<DbtrAgt><FinInstnId><BIC>BYLADEM1001</BIC></FinInstnId></DbtrAgt>"} {
		if err != nil || !strings.Contains(string(body), part) {
			t.Errorf("%v, there is no %s in\n%s", err, part, body)
		}
	}
}

func TestFile_refused(t *testing.T) {
	for want, change := range map[string]func(f *affiliate.PaymentFile, p *affiliate.Payment){
		"payments: TRB-1001-K7Q2M9 to Anna: iban": func(_ *affiliate.PaymentFile, p *affiliate.Payment) {
			p.Details.IBAN = "FR1520041010050500013M02606"
		},
		"to Anna: the account is in TR, where SEPA transfers do not go": func(_ *affiliate.PaymentFile,
			p *affiliate.Payment) {
			p.Details.IBAN = "TR330006100519786457841326"
		},
		"payments: TRB-1001-K7Q2M9 to Anna: bic": func(_ *affiliate.PaymentFile, p *affiliate.Payment) {
			p.Details.BIC = "NO"
		},
		"nothing of the holder": func(_ *affiliate.PaymentFile, p *affiliate.Payment) {
			p.Details.Holder = "\U0001f525\u202e"
		},
		"no amount of a SEPA transfer": func(_ *affiliate.PaymentFile,
			p *affiliate.Payment) {
			p.Amount = mostAmount + 1
		},
		"cannot be the id of a payment": func(_ *affiliate.PaymentFile, p *affiliate.Payment) { p.Ref = "TRB<1>" },
		"in EUR, not in USD":            func(f *affiliate.PaymentFile, _ *affiliate.Payment) { f.Currency = "USD" },
		"sepa_account":                  func(f *affiliate.PaymentFile, _ *affiliate.Payment) { f.Payer.IBAN = "" },
		"sepa_bank":                     func(f *affiliate.PaymentFile, _ *affiliate.Payment) { f.Payer.BIC = "X" },
		"sepa_name":                     func(f *affiliate.PaymentFile, _ *affiliate.Payment) { f.Payer.Name = "" },
		"execute_on": func(f *affiliate.PaymentFile,
			_ *affiliate.Payment) {
			f.ExecuteOn = "soon"
		},
		"cannot be the id of a message": func(f *affiliate.PaymentFile, _ *affiliate.Payment) { f.Reference = "a b" },
		`no version "pain.001.001.99" of`: func(f *affiliate.PaymentFile,
			_ *affiliate.Payment) {
			f.Variant = "pain.001.001.99"
		},
	} {
		p := anna()
		f := fileOf(affiliate.Pain09)
		change(&f, &p)
		f.Payments = []affiliate.Payment{p}
		if _, _, err := (File{}).Write(f); affiliate.KindOf(err) != affiliate.Invalid ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "",
		" a\u00a0 b\r\n\tc ":      "a b c",
		"Müller & Söhne":          "Mueller + Soehne",
		"Łódź, Ñandú, Çelik":      "Lodz, Nandu, Celik",
		"e\u0301te\u0301":         "ete", // letters with their accents behind them
		"anna_k@example.com":      "anna-k(at)example.com",
		"<b>\"x\"</b>; 5 € | 7 %": "(b)'x'(/b), 5 E / 7 .",
		"Иван Петров":             "Ivan Petrov",
		"\u202eanna\u200b\ufeff":  "anna",
		"\U0001f525 fire":         "? fire",
		"\xff":                    "?",
		strings.Repeat("ü", 50):   strings.Repeat("ue", 35),
	} {
		if got := Text(text, mostName); got != want {
			t.Errorf("%q is written %q, want %q", text, got, want)
		}
	}
	if got := (File{}).NameAs("Łucja"); got != "Lucja" {
		t.Error(got)
	}
}

// hostile draws texts of all of Unicode, with what XML, terminals and writing from right to left make of them.
func hostile() *rapid.Generator[string] {
	return rapid.OneOf(rapid.String(), rapid.StringN(0, 500, -1), rapid.StringMatching(`[\pL\pM\pN ]{0,80}`),
		rapid.SampledFrom([]string{"", " ", "]]>", "<!--", "&amp;", "&#0;", "<![CDATA[x]]>", "\x00\x01\x1f\x7f\u0085",
			"\u202eRTL\u202c", "مرحبا بالعالم", "שלום", "漢字かな", "👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿", "\xff\xfe", "\ufffe\uffff",
			"e\u0301\u0301\u0301",
			strings.Repeat("\U0001f525", 500), strings.Repeat("ﷺ", 500), "/", "//", "'; DROP", "%n%s", "=1+1"}))
}

// hostilePayment draws a payment with nothing but its references, amount and numbers as they must be.
func hostilePayment(r *rapid.T, n int) affiliate.Payment {
	p := anna()
	p.Ref = fmt.Sprintf("TRB-%d-K7Q2M9", 1000+n)
	p.Amount = rapid.Int64Range(1, mostAmount).Draw(r, "amount")
	p.Creator, p.Note = hostile().Draw(r, "creator"), hostile().Draw(r, "note")
	p.Details.Holder = hostile().Draw(r, "holder")
	if !legible(Text(p.Holder(), mostName)) {
		p.Details.Holder += "A"
	}
	if !legible(Text(p.Holder(), mostName)) { // cut off
		p.Details.Holder = "A" + p.Details.Holder
	}
	p.Details.BIC = rapid.SampledFrom([]string{"", "GIBAATWWXXX", "A1BCDE1O", "byladem1"}).Draw(r, "bic")
	if rapid.Bool().Draw(r, "addressed") {
		p.Details.Address = &affiliate.PayeeAddress{Street: hostile().Draw(r, "street"),
			Building: hostile().Draw(r, "building"), PostCode: hostile().Draw(r, "code"),
			Town: hostile().Draw(r, "town"), Country: rapid.OneOf(rapid.Just("DE"), hostile()).Draw(r, "country")}
	}
	return p
}

// node is an element of a file.
type node struct {
	name string
	text string
	kids []*node
}

func (n *node) at(path string) (list []*node) {
	list = []*node{n}
	for name := range strings.SplitSeq(path, "/") {
		var next []*node
		for _, one := range list {
			for _, k := range one.kids {
				if k.name == name {
					next = append(next, k)
				}
			}
		}
		list = next
	}
	return list
}

func (n *node) one(t interface{ Fatalf(string, ...any) }, path string) string {
	list := n.at(path)
	if len(list) != 1 {
		t.Fatalf("there are %d of %s/%s", len(list), n.name, path)
	}
	return list[0].text
}

func parse(body []byte) (*node, error) {
	root := &node{}
	stack := []*node{root}
	d := xml.NewDecoder(bytes.NewReader(body))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		top := stack[len(stack)-1]
		switch token := token.(type) {
		case xml.StartElement:
			k := &node{name: token.Name.Local}
			top.kids, stack = append(top.kids, k), append(stack, k)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" {
				top.text += string(token)
			}
		}
	}
}

// order is in which order the schemas want the elements that are written.
var order = map[string]string{
	"Document": "CstmrCdtTrfInitn", "CstmrCdtTrfInitn": "GrpHdr PmtInf",
	"GrpHdr": "MsgId CreDtTm NbOfTxs CtrlSum InitgPty",
	"PmtInf": "PmtInfId PmtMtd BtchBookg NbOfTxs CtrlSum PmtTpInf ReqdExctnDt Dbtr DbtrAcct DbtrAgt ChrgBr " +
		"CdtTrfTxInf",
	"CdtTrfTxInf": "PmtId Amt CdtrAgt Cdtr CdtrAcct RmtInf", "Cdtr": "Nm PstlAdr",
	"PstlAdr": "StrtNm BldgNb PstCd TwnNm Ctry"}

var lengths = map[string]int{"MsgId": 35, "PmtInfId": 35, "EndToEndId": 35, "Nm": 70, "Ustrd": 140, "StrtNm": 70,
	"BldgNb": 16, "PstCd": 16, "TwnNm": 35, "Ctry": 2, "IBAN": 34, "BIC": 11, "BICFI": 11}

var characters = regexp.MustCompile(`^[A-Za-z0-9+?/:().,' -]*$`)

// structure is what is wrong with an element and those in it.
func (n *node) structure() (faults []string) {
	if len(n.kids) == 0 && n.text == "" {
		faults = append(faults, n.name+" is empty")
	}
	if !characters.MatchString(n.text) || n.text != strings.TrimSpace(n.text) {
		faults = append(faults, fmt.Sprintf("%s is %q", n.name, n.text))
	}
	if most := lengths[n.name]; most > 0 && len(n.text) > most {
		faults = append(faults, fmt.Sprintf("%s has %d characters", n.name, len(n.text)))
	}
	known, last := strings.Fields(order[n.name]), 0
	for _, k := range n.kids {
		if len(known) > 0 {
			at := slices.Index(known, k.name)
			if at < last {
				faults = append(faults, k.name+" stands at the wrong place of "+n.name)
			}
			last = at
		}
		faults = append(faults, k.structure()...)
	}
	return faults
}

// TestFile_structure checks what banks and the schemas ask for, of payments with any names, notes and addresses.
func TestFile_structure(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		f := fileOf(rapid.SampledFrom([]affiliate.PainVersion{affiliate.Pain03, affiliate.Pain09}).Draw(r, "version"))
		sum := int64(0)
		for i := range rapid.IntRange(1, 5).Draw(r, "payments") {
			f.Payments = append(f.Payments, hostilePayment(r, i))
			sum += f.Payments[i].Amount
		}
		f.Payer.Name = rapid.OneOf(rapid.Just("Brand"), rapid.Map(hostile(), func(s string) string {
			return "B" +
				s
		})).Draw(r, "payer")
		_, body, err := File{}.Write(f)
		if err != nil {
			r.Fatal(err)
		}
		if _, again, _ := (File{}).Write(f); !bytes.Equal(body, again) {
			r.Fatal("written again it is another file")
		}
		root, err := parse(body)
		if err != nil {
			r.Fatal(err)
		}
		if faults := root.kids[0].structure(); len(faults) > 0 {
			r.Fatalf("%v in\n%s", faults, body)
		}
		all := root.at("Document/CstmrCdtTrfInitn")[0]
		for _, at := range []string{"GrpHdr", "PmtInf"} {
			count, total := all.one(r, at+"/NbOfTxs"), all.one(r, at+"/CtrlSum")
			if count != fmt.Sprint(len(f.Payments)) || total != money.Format(sum, "EUR") {
				r.Fatalf("%s counts %s of %s, want %d of %d cents", at, count, total, len(f.Payments), sum)
			}
		}
		all.one(r, "PmtInf/DbtrAgt/FinInstnId")
		for i, p := range all.at("PmtInf/CdtTrfTxInf") {
			if p.one(r, "PmtId/EndToEndId") != f.Payments[i].Ref ||
				p.one(r, "Amt/InstdAmt") != money.Format(f.Payments[i].Amount, "EUR") ||
				p.one(r, "CdtrAcct/Id/IBAN") != f.Payments[i].Details.IBAN || p.one(r, "Cdtr/Nm") == "" {
				r.Fatalf("payment %d is\n%s", i, body)
			}
			if a := p.at("Cdtr/PstlAdr"); len(a) > 0 && (a[0].one(r, "TwnNm") == "" || len(a[0].one(r, "Ctry")) != 2) {
				r.Fatalf("the address lacks town or country:\n%s", body)
			}
		}
	})
}

var into = flag.String("pain", "", "write files of 10,000 hostile payments into this folder, to be checked with "+
	"the schemas")

// TestFile_hostile writes the files that are checked against the published schemas, which are not part of this
// repository: xmllint --noout --schema pain.001.001.09.xsd FILES.
func TestFile_hostile(t *testing.T) {
	const files, each = 20, 500
	payments := rapid.Custom(func(r *rapid.T) []affiliate.Payment {
		var list []affiliate.Payment
		for i := range 25 {
			list = append(list, hostilePayment(r, i))
		}
		return list
	})
	n := 2
	if *into != "" {
		n = files
	}
	for _, version := range []affiliate.PainVersion{affiliate.Pain03, affiliate.Pain09} {
		for i := range n {
			f := fileOf(version)
			for seed := 0; len(f.Payments) < each && (*into != "" || seed == 0); seed++ {
				for _, p := range payments.Example(i*1000 + seed) {
					p.Ref = fmt.Sprintf("TRB-%d-K7Q2M9", 1000+len(f.Payments))
					f.Payments = append(f.Payments, p)
				}
			}
			_, body, err := File{}.Write(f)
			if err != nil {
				t.Fatal(err)
			}
			root, err := parse(body)
			if err != nil || len(root.kids[0].structure()) > 0 {
				t.Fatal(err, root.kids[0].structure())
			}
			if *into == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(*into, fmt.Sprintf("%s-%d.xml", version, i)), body,
				0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}
