package affiliate

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

// TestMailText_defaults: the texts that come with the program are right, and say something for every sample.
func TestMailText_defaults(t *testing.T) {
	samples := SampleMailFields("Brand")
	for _, p := range Words[MailPurpose]() {
		text, err := ParseMailText(DefaultMailText(p))
		if err != nil || text != DefaultMailText(p) || len(text.Lacks(samples)) > 0 {
			t.Errorf("%s: %+v lacks %v, %v", p, text, text.Lacks(samples), err)
		}
		for _, f := range p.Fields() {
			if samples[f] == "" {
				t.Errorf("%s has no sample", f)
			}
		}
	}
}

// TestParseMailText: what is wrong is told with its field, and what may stand there.
func TestParseMailText(t *testing.T) {
	for _, c := range []struct {
		purpose             MailPurpose
		subject, body, want string // of the error
	}{
		{"luck", "x", "x", "purpose: "},
		{MailCode, "", "x", "subject: must not be empty"},
		{MailCode, "x", " \n ", "body: must not be empty"},
		{MailCode, strings.Repeat("x", 201), "x", "subject: must not have more than 200"},
		{MailCode, "x\nBcc: y", "x", "subject: must be one line"},
		{MailCode, "x", "a\x00b", "body: has characters"},
		{MailCode, "{{code", "x", `subject: "{{code" is not closed`},
		{MailCode, "x", "{{portal}}", `body: there is no "{{portal}}" in such a mail; between double braces may stand`},
		{MailCode, "x", "{{amount_due}}", "{{code}}"},
		{MailStatement, "x", "{{code}}", "{{statement}}"},
		{MailCode, "{{ Code }}", "a\r\nb\r{{CREATOR.name}}", ""},
	} {
		_, err := ParseMailText(MailText{Purpose: c.purpose, Subject: c.subject, Body: c.body})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q, %q: %v", c.subject, c.body, err)
		}
	}
}

// TestAttack_mail_values: whatever a value is, the subject stays one line, the HTML has no element of the value's, and
// nothing in it is taken for a field.
func TestAttack_mail_values(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"<script>alert(1)</script>", "a\r\nBcc: x@y",
			"{{code}}", `"><img src=x>`, "https://x.example/<b>", "https://x.example/\" onclick=\"x", "javascript:alert(1)"})).
			Draw(t, "value")
		text := MailText{Purpose: MailCode, Subject: "For {{creator.name}}", Body: "Hi {{creator.name}}\n\n{{code}}"}
		subject, body := text.Fill(map[MailField]string{FieldCreatorName: value, FieldCode: "ANNA10"})
		if strings.ContainsFunc(subject, unicode.IsControl) || !strings.HasPrefix(subject, "For") {
			t.Fatalf("the subject is %q", subject)
		}
		if strings.Count(body, "ANNA10") != 1+strings.Count(value, "ANNA10") {
			t.Fatalf("the body is %q", body)
		}
		page := MailHTML(value, body, "https://x.example/u/1")
		for part := range strings.SplitSeq(page, "<") {
			name, _, _ := strings.Cut(part, ">")
			name, _, _ = strings.Cut(name, " ")
			if known := []string{"", "!doctype", "html", "head", "meta", "title", "/title", "/head", "body", "div",
				"p", "/p", "br", "a", "/a", "/div", "/body", "/html"}; !slices.Contains(known, name) {
				t.Fatalf("the page has <%s of %q", name, value)
			}
		}
		if strings.Contains(page, "onclick=\"") || strings.Contains(page, `href="javascript`) {
			t.Fatalf("the page is %s", page)
		}
	})
}

// TestMailHTML_links: addresses can be clicked, and what ends the sentence is no part of them.
func TestMailHTML_links(t *testing.T) {
	page := MailHTML("B & B", "See https://x.example/l/anna?a=1&b=2.\nBye", "")
	const address = `https://x.example/l/anna?a=1&amp;b=2`
	for _, want := range []string{`<a href="` + address + `">` + address + `</a>.<br>`, "B &amp; B"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in %s", want, page)
		}
	}
	if strings.Contains(page, "No more") {
		t.Error("a mail about money can be unsubscribed from")
	}
}

// TestMaskEmail: of an address only its ends are left.
func TestMaskEmail(t *testing.T) {
	for in, want := range map[string]string{"anna@creators.example": "a…a@c…s.example", "a@b.de": "…@….de"} {
		if got := MaskEmail(in); got != want {
			t.Errorf("%s is %s", in, got)
		}
	}
}
