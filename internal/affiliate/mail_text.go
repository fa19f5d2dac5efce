package affiliate

import (
	"cmp"
	"fmt"
	"html"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Limits of a mail's text, in bytes.
const (
	maxMailSubject = 200
	maxMailBody    = 20_000
)

// Fields are what may stand in texts of a purpose, between {{ and }}.
func (p MailPurpose) Fields() []MailField {
	fields := []MailField{FieldCreatorName, FieldFirstName, FieldBrand}
	switch p {
	case MailCode, MailMessage: // a message to people who are in no offer has nothing to put for those of offers
		return append(fields, FieldOffer, FieldCampaign, FieldCode, FieldLink, FieldCodeOrLink, FieldCommission)
	case MailPaid:
		return append(fields, FieldAmount, FieldPaidOn, FieldReference, FieldPaidBy, FieldPaidTo, FieldStatement)
	case MailChanged:
		return append(fields, FieldDetails, FieldDetailsWere, FieldChangedOn, FieldPaidFrom)
	case MailDetails:
		return append(fields, FieldAmountDue)
	case MailStatement:
		return append(fields, FieldPeriod, FieldStatement, FieldAmountDue)
	}
	return fields
}

// DefaultMailText is the text of a purpose that comes with the program.
func DefaultMailText(p MailPurpose) MailText {
	t := MailText{Purpose: p}
	switch p {
	case MailCode:
		t.Subject = "Your code for {{offer.name}}"
		t.Body = `Hi {{creator.first_name}},

here is what you share with your followers for {{offer.name}}:

{{code_or_link}}

Every order that comes with it is yours, and you earn {{commission}} of it.

Thank you for working with us. If anything is unclear, just reply to this mail.

{{brand.name}}`
	case MailPaid:
		t.Subject = "We have paid you {{amount}}"
		t.Body = `Hi {{creator.first_name}},

on {{paid_on}} we paid you {{amount}}: {{paid_to}}. The reference is {{reference}}.

This is what the payment is made of:

{{statement}}

Depending on your bank it can take a few days to arrive. If it does not, just reply to this mail.

Thank you,
{{brand.name}}`
	case MailDetails:
		t.Subject = "Where may we send your {{amount_due}}?"
		t.Body = `Hi {{creator.first_name}},

you have earned {{amount_due}}, and we do not know yet where to send it.

Please reply to this mail and tell us how you would like to be paid.

Thank you,
{{brand.name}}`
	case MailChanged:
		t.Subject = "Your payment details were changed"
		t.Body = `Hi {{creator.first_name}},

on {{changed_on}} it was changed where we pay you.

Until now: {{payment_details_before}}
From now on: {{payment_details}}

We pay nothing to new details before {{usable_from}}. If you have not asked for this, reply to this mail at once, or
better, call us.

{{brand.name}}`
	case MailStatement:
		t.Subject = "Your statement for {{period}}"
		t.Body = `Hi {{creator.first_name}},

this is what you earned and were paid in {{period}}:

{{statement}}

If anything looks wrong to you, just reply to this mail.

Thank you,
{{brand.name}}`
	case MailMessage:
		t.Subject = "News from {{brand.name}}"
		t.Body = `Hi {{creator.first_name}},

…

Thank you,
{{brand.name}}`
	}
	return t
}

// SampleMailFields are made-up values of all fields, to show what a text looks like.
func SampleMailFields(brand string) map[MailField]string {
	return map[MailField]string{FieldCreatorName: "Anna Keller", FieldFirstName: "Anna", FieldBrand: brand,
		FieldOffer: "Spring collection", FieldCampaign: "Spring", FieldCode: "ANNA10",
		FieldLink: "https://links.example/l/anna", FieldCodeOrLink: "ANNA10", FieldCommission: "10 %",
		FieldAmount: "120.00 EUR", FieldPaidOn: "29 November 2026", FieldReference: "INV-2026-11",
		FieldPaidBy: "bank transfer", FieldAmountDue: "120.00 EUR", FieldPeriod: "November 2026",
		FieldPaidTo: "PayPal, a•••@example.com", FieldDetails: "Bank account, FR14 … 2606",
		FieldDetailsWere: "PayPal, a•••@example.com", FieldChangedOn: "29 November 2026",
		FieldPaidFrom: "2 December 2026",
		FieldStatement: "3 Nov  Commission  #1042  +12.50 EUR\n9 Nov  Commission  #1077  +7.50 EUR\n" +
			"Sum  +20.00 EUR"}
}

// mailPart is a part of a text: words, or a field.
type mailPart struct {
	text  string
	field MailField
}

// mailParts takes a text apart. The error says what is wrong with a field.
func (p MailPurpose) mailParts(text string) (list []mailPart, err error) {
	for text != "" {
		before, behind, open := strings.Cut(text, "{{")
		if before != "" {
			list = append(list, mailPart{text: before})
		}
		if !open {
			break
		}
		inner, after, closed := strings.Cut(behind, "}}")
		if !closed {
			return nil, Errorf(Invalid, "%q is not closed; write it like {{creator.name}}", Shown("{{"+behind))
		}
		field := MailField(strings.ToLower(Clean(inner)))
		if !slices.Contains(p.Fields(), field) {
			return nil, Errorf(Invalid, "there is no %q in such a mail; between double braces may stand %s",
				Shown("{{"+inner+"}}"), p.fieldList())
		}
		list = append(list, mailPart{field: field})
		text = after
	}
	return list, nil
}

func (p MailPurpose) fieldList() string {
	var names []string
	for _, f := range p.Fields() {
		names = append(names, "{{"+string(f)+"}}")
	}
	return strings.Join(names[:len(names)-1], ", ") + " or " + names[len(names)-1]
}

// ParseMailText gives a text as it is kept: lines end in \n, and nothing invisible is around it. Errors name subject or
// body, and say which fields there are.
func ParseMailText(t MailText) (MailText, error) {
	if err := CheckWord("purpose", t.Purpose); err != nil {
		return t, err
	}
	t.Subject = Clean(strings.ToValidUTF8(t.Subject, "�"))
	t.Body = Clean(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(t.Body, "�")))
	for _, part := range []struct {
		field, text string
		most        int
	}{{"subject", t.Subject, maxMailSubject}, {"body", t.Body, maxMailBody}} {
		switch {
		case part.text == "":
			return t, FieldErrorf(part.field, "must not be empty")
		case len(part.text) > part.most:
			return t, FieldErrorf(part.field, "must not have more than %d characters", part.most)
		}
		if _, err := t.Purpose.mailParts(part.text); err != nil {
			return t, AboutField(part.field, err)
		}
	}
	if strings.ContainsFunc(t.Subject, unicode.IsControl) {
		return t, FieldErrorf("subject", "must be one line")
	}
	if strings.ContainsFunc(t.Body, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		return t, FieldErrorf("body", "has characters that cannot be seen; type it anew, or paste it as plain text")
	}
	return t, nil
}

// Lacks are the fields of the text that have no value, in their order.
func (t MailText) Lacks(values map[MailField]string) (missing []MailField) {
	for _, text := range []string{t.Subject, t.Body} {
		parts, _ := t.Purpose.mailParts(text)
		for _, p := range parts {
			if p.field != "" && values[p.field] == "" && !slices.Contains(missing, p.field) {
				missing = append(missing, p.field)
			}
		}
	}
	return missing
}

// Uses says whether a field stands in the text.
func (t MailText) Uses(f MailField) bool { return slices.Contains(t.Lacks(nil), f) }

// Fill puts values in the places of fields, once: what looks like a field in a value stays as it is. The subject is one
// line whatever the values are. The text was parsed by ParseMailText.
func (t MailText) Fill(values map[MailField]string) (subject, body string) {
	fill := func(text string) string {
		parts, _ := t.Purpose.mailParts(text)
		var b strings.Builder
		for _, p := range parts {
			b.WriteString(cmp.Or(p.text, mailValue(values[p.field])))
		}
		return b.String()
	}
	return MailLine(fill(t.Subject)), fill(t.Body)
}

// mailValue gives a value without characters that end lines or steer, but for \n and \t.
func mailValue(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
}

// MailLine gives a text as one line, as headers have it: what ends a line, or steers, is a space.
func MailLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "�"))
	return strings.Join(strings.Fields(s), " ")
}

// MailPlain is the plain part of a mail: its text, and how to get no more of them where there is a way.
func MailPlain(brand, body, unsubscribe string) string {
	if unsubscribe == "" {
		return body + "\n"
	}
	return body + "\n\n-- \nNo more such mails from " + MailLine(brand) + ": " + unsubscribe + "\n"
}

// MailHTML is the HTML part of a mail that says the same as its plain text: paragraphs, with links that can be clicked.
// All of the text is escaped.
func MailHTML(brand, body, unsubscribe string) string {
	var b strings.Builder
	brand = html.EscapeString(MailLine(brand))
	fmt.Fprintf(&b, `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>%s</title></head>
<body style="margin:0;padding:24px;background:#f5f5f4">
<div style="max-width:600px;margin:0 auto;padding:32px;background:#ffffff;border-radius:8px;`+
		`font:16px/1.5 -apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;color:#1c1917">
<p style="margin:0 0 24px;font-weight:600">%s</p>
`, brand, brand)
	for paragraph := range strings.SplitSeq(body, "\n\n") {
		if paragraph = strings.Trim(paragraph, "\n"); paragraph != "" {
			fmt.Fprintf(&b, "<p style=\"margin:0 0 16px\">%s</p>\n",
				strings.ReplaceAll(linked(paragraph), "\n", "<br>\n"))
		}
	}
	b.WriteString("</div>\n")
	if unsubscribe != "" {
		fmt.Fprintf(&b, `<p style="max-width:600px;margin:16px auto 0;text-align:center;font:13px/1.5 sans-serif;`+
			`color:#78716c">You get this mail because you work with %s.<br>
<a href="%s" style="color:#78716c">No more such mails</a></p>
`, brand, html.EscapeString(unsubscribe))
	}
	b.WriteString("</body></html>\n")
	return b.String()
}

// mailAddress finds web addresses in text.
var mailAddress = regexp.MustCompile(`https?://[^\s<>"']+`)

// linked escapes a text and makes its web addresses links. What ends a sentence is no part of an address.
func linked(text string) string {
	var b strings.Builder
	at := 0
	for _, found := range mailAddress.FindAllStringIndex(text, -1) {
		address := strings.TrimRight(text[found[0]:found[1]], ".,;:!?)]}")
		b.WriteString(html.EscapeString(text[at:found[0]]))
		escaped := html.EscapeString(address)
		b.WriteString(`<a href="` + escaped + `">` + escaped + `</a>`)
		at = found[0] + len(address)
	}
	b.WriteString(html.EscapeString(text[at:]))
	return b.String()
}

// ParseMailbox reads "Brand <creators@brand.example>" or an address alone, and gives both parts. Only addresses of
// ASCII are taken: servers need an extension for others (SMTPUTF8, RFC 6531).
func ParseMailbox(field, text string) (name, address string, err error) {
	parsed, err := mail.ParseAddress(text)
	if err != nil || ValidateEmail(parsed.Address) != nil || parsed.Address == "" ||
		strings.ContainsFunc(parsed.Address, func(r rune) bool { return r > unicode.MaxASCII }) {
		return "", "", FieldErrorf(field, "is no address for mails; it looks like Brand <creators@brand.example>")
	}
	return MailLine(parsed.Name), parsed.Address, nil
}

// Mailbox writes name and address as one: "Brand" <creators@brand.example>.
func Mailbox(name, address string) string {
	return (&mail.Address{Name: MailLine(name), Address: address}).String()
}

// MaskEmail gives an address with all but its ends covered: a…r@c…s.example. It is for whoever has the address anyway.
func MaskEmail(address string) string {
	local, domain, _ := strings.Cut(address, "@")
	name, rest, _ := strings.Cut(domain, ".")
	ends := func(s string) string {
		runes := []rune(s)
		if len(runes) < 3 {
			return "…"
		}
		return string(runes[0]) + "…" + string(runes[len(runes)-1])
	}
	return ends(local) + "@" + ends(name) + "." + rest
}
