package dashboard

import (
	"context"
	"net/http"
	"net/mail"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

// postOffice is a mail server that takes everything, but for addresses that it refuses.
type postOffice struct {
	mu     sync.Mutex
	took   []affiliate.OutgoingMail
	refuse map[string]affiliate.MailAnswer // by address
}

func (p *postOffice) Open(context.Context) (app.MailConnection, error) { return p, nil }
func (p *postOffice) Close() error                                     { return nil }

func (p *postOffice) Send(_ context.Context, m affiliate.OutgoingMail, ending func() error) error {
	to, err := mail.ParseAddress(m.To)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if answer, refused := p.refuse[to.Address]; refused {
		return answer
	}
	if err := ending(); err != nil {
		return err
	}
	p.took = append(p.took, m)
	return nil
}

// texts are the addresses and subjects of what the server took.
func (p *postOffice) texts() (list []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, m := range p.took {
		list = append(list, m.To+": "+m.Subject)
	}
	return list
}

// postOffice sets a mail server.
func (h *house) postOffice() *postOffice {
	p := &postOffice{refuse: map[string]affiliate.MailAnswer{}}
	h.app.Mailer, h.app.MailFrom = p, "Northwind <creators@northwind.example>"
	return p
}

// sendMails hands over whatever is due, as the worker does.
func (h *house) sendMails() {
	h.Helper()
	for range 4 {
		_, err := h.app.SendMails(h.Context())
		h.must(err)
		h.clock.advance(3 * time.Second) // a mail a second
	}
}

// sentMail is a mail of a mailing to all of the offer Ten percent; asked for again it is the same one.
func (h *house) sentMail() affiliate.Mail {
	h.Helper()
	s, err := h.app.SendMailing(h.as(affiliate.RoleManager), app.NewMailing{Purpose: affiliate.MailCode,
		To: app.MailTo{Offer: 1}, Key: "to all of Ten percent"})
	h.must(err)
	mails, _, err := h.db.Mails(h.Context(), storage.MailFilter{Send: s.ID}, storage.Page{Limit: 10})
	h.must(err)
	return mails[0]
}

// mailings counts those that there are.
func (h *house) mailings() int {
	h.Helper()
	list, _, err := h.db.MailSends(h.Context(), storage.Page{Limit: 10})
	h.must(err)
	return len(list)
}

// carried are the names and values of the fields of a form, to be sent again.
func (e element) carried() (form []string) {
	for _, field := range e.all("input") {
		if field.attr("name") != "" {
			form = append(form, field.attr("name"), field.attr("value"))
		}
	}
	for _, field := range e.all("textarea") {
		form = append(form, field.attr("name"), field.node.FirstChild.Data)
	}
	for _, o := range e.all("select option[selected]") {
		form = append(form, element{o.node.Parent}.attr("name"), o.attr("value"))
	}
	return form
}

// retyped replaces the value of a field of a form.
func retyped(form []string, name, value string) []string {
	form = slices.Clone(form)
	for i := 0; i < len(form); i += 2 {
		if form[i] == name {
			form[i+1] = value
			return form
		}
	}
	return append(form, name, value)
}

// TestMailWords: each purpose, field, state and reason that there is has its words.
func TestMailWords(t *testing.T) {
	for _, p := range affiliate.Words[affiliate.MailPurpose]() {
		if w := mailPurposes[p]; w.Title == "" || w.About == "" {
			t.Errorf("the purpose %s has no words", p)
		}
		for _, f := range mailFields(p) {
			if f.About == "" {
				t.Errorf("the field %s has no words", f.Mark)
			}
		}
	}
	for _, s := range affiliate.Words[affiliate.MailSendState]() {
		if mailingBadges[s].Text == "" {
			t.Errorf("the state %s of mailings has no words", s)
		}
	}
	for _, s := range affiliate.Words[affiliate.MailState]() {
		if mailBadges[s].Text == "" {
			t.Errorf("the state %s of mails has no words", s)
		}
	}
	for _, r := range affiliate.Words[affiliate.SuppressionReason]() {
		if suppressionBadges[r].Text == "" {
			t.Errorf("the reason %s has no words", r)
		}
	}
}

// TestProse: paragraphs, lines and web addresses of a plain text, as mail programs show them.
func TestProse(t *testing.T) {
	words := func(text string) span { return span{Text: text} }
	link := func(address string) span { return span{address, address} }
	for text, want := range map[string][]paragraph{
		"":                             nil,
		"\n\n \n":                      nil,
		"Hi Anna,\r\n\r\nbye\n":        {{{words("Hi Anna,")}}, {{words("bye")}}},
		"a\nb":                         {{{words("a")}, {words("b")}}},
		"see https://a.example/x?y=1.": {{{words("see "), link("https://a.example/x?y=1"), words(".")}}},
		"(https://a.example)":          {{{words("("), link("https://a.example"), words(")")}}},
		"javascript:alert(1) <b>":      {{{words("javascript:alert(1) <b>")}}},
		`http://a.example/"on=x`:       {{{link("http://a.example/"), words(`"on=x`)}}},
	} {
		if got := proseOf(text); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestMail_texts: a text is read, tried, changed and given up again; what it may not say is told at the field.
func TestMail_texts(t *testing.T) {
	h := newHouse(t)
	office := h.postOffice()
	m := h.manager()
	m.get("/mail/texts").is(http.StatusOK).says("Code or link", "Payment sent", "Payment details missing", "Statement",
		"Message", "comes with Tributary")
	const at = "/mail/texts/payment_sent"
	m.get("/mail/texts/nonsense").is(http.StatusNotFound)
	page := m.get(at).is(http.StatusOK).says("Payment sent", "As a creator reads it", "the payment's reference")
	if page.has("form[action=" + at + "/reset]") {
		t.Error("the text that comes with the program can be given up")
	}
	if to := page.one("input[name=to]").attr("value"); to != people[1].Email {
		t.Errorf("a test mail would go to %s", to)
	}
	text := func(subject, body string) []string {
		return []string{"version", "0", "subject", subject, "body", body, "to", "max@northwind.example"}
	}
	m.post(at+"/sample", text("Paid: {{amount}}", "Dear {{creator.name}},\r\n\r\nsee https://pay.example/x")...).
		is(http.StatusOK).says("Dear ", "see https://pay.example/x")
	m.post(at+"/sample", text("Paid: {{nonsense}}", "x")...).is(http.StatusUnprocessableEntity).
		says("nonsense", "It shows once the text is right")
	m.post(at, text("Paid", "your code is {{code}}")...).is(http.StatusUnprocessableEntity).says("{{code}}")
	m.post(at+"/test", text("Try {{amount}}", "x")...).is(http.StatusOK).
		says("A test mail is on its way to max@northwind.example")
	if got := office.texts(); len(got) != 1 || !strings.Contains(got[0], "max@northwind.example>: Try ") {
		t.Errorf("the server got %q", got)
	}
	m.post(at+"/test", retyped(text("a", "b"), "to", "nobody")...).is(http.StatusUnprocessableEntity)
	m.get(at).hides("Try ") // nothing is saved by it

	m.post(at, text("Paid: {{amount}}", "Dear {{creator.name}}")...).is(http.StatusOK).at(at).says("The text is saved.")
	page = m.get(at)
	if v := page.one("input[name=version]").attr("value"); v == "0" {
		t.Error("the text has no version of its own")
	}
	m.get("/mail/texts").says("by Max Manager")
	form := page.one("form[action=" + at + "]").carried()
	h.owner().post(at, retyped(form, "subject", "Other")...).is(http.StatusOK)
	m.post(at, retyped(form, "subject", "Mine")...).is(http.StatusUnprocessableEntity).
		says("Somebody else changed this meanwhile")
	m.post(at + "/reset").at(at).says("It is the text again that comes with Tributary.").hides("Dear {{creator.name}}")
	h.owner().get("/settings/audit").says("changed the text of mails for Payment sent",
		"took up the usual text again of mails for Payment sent", "sent a test mail for Payment sent").
		hides("mail_text")
}

// TestMailing: a mailing is written, looked at and sent once however often it is asked for; what became of each mail is
// told, and what they read is shown.
func TestMailing(t *testing.T) {
	h := newHouse(t)
	office := h.postOffice()
	m := h.manager()
	m.get("/mail").is(http.StatusOK).says("Nothing was sent yet")
	to := m.get("/mail/new").is(http.StatusOK).says("To whom?", "Spring · Ten percent")
	if o := to.all("select[name=offer] option"); len(o) != 2 {
		t.Fatalf("%d offers can be chosen", len(o))
	}
	form := m.get("/mail/new?offer=off_1").is(http.StatusOK).says("To: All 2 creators of Ten percent", "Code or link")
	fields := form.one("form[action=/mail/new]").carried()
	preview := m.post("/mail/new", append(fields, "do", "preview")...).is(http.StatusOK).
		says("Send 2 mails?", "Nothing is sent yet", "ANNA10", "BEN5", "Anna Ahlers", "anna@creators.example")
	if len(office.texts()) > 0 || h.mailings() != 0 {
		t.Fatal("a preview sends")
	}
	fields = preview.one("form[action=/mail/new]").carried()
	changed := m.post("/mail/new", append(fields, "do", "edit")...).is(http.StatusOK)
	if changed.one("textarea").text() == "" {
		t.Error("the text is gone")
	}
	sent := m.post("/mail", fields...).is(http.StatusOK).at("/mail/snd_1").says("It has begun", "0 of 2 mails sent",
		"Waiting")
	m.post("/mail", fields...).is(http.StatusOK).at("/mail/snd_1") // a second click
	if n := h.mailings(); n != 1 {
		t.Fatalf("%d mailings", n)
	}
	if !sent.has("#mailing[data-every]") {
		t.Error("the page does not follow what is sent")
	}
	h.sendMails()
	done := m.get("/mail/snd_1").says("2 of 2 mails sent", "Done", "Sent 2", "Ten percent")
	if done.has("#mailing[data-every]") {
		t.Error("the page still looks for what is sent")
	}
	m.get("/mail").says("Done", "by Max Manager")
	m.get("/mail/snd_1?q=ben").says("Ben Botha").hides("Anna Ahlers")
	m.get("/mail/snd_1?state=refused").says("No mail is found")
	m.get("/mail/snd_1?state=nonsense").is(http.StatusUnprocessableEntity)
	letter := m.get("/mail/snd_1/mai_1").is(http.StatusOK).says("Northwind", "creators@northwind.example")
	if links := letter.all(".letter a"); len(links) == 0 || !strings.Contains(links[len(links)-1].attr("href"), "/u/") {
		t.Error("the letter does not say how to unsubscribe")
	}
	m.get("/mail/snd_1/mai_9").is(http.StatusNotFound)
	m.get("/mail/snd_9/mai_1").is(http.StatusNotFound)
	inbox := m.get("/mail/inbox").is(http.StatusOK).says("Your code for Ten percent", "Anna Ahlers", "Ben Botha")
	if n := len(inbox.all("#inbox tbody tr")); n != 2 {
		t.Errorf("%d mails are listed", n)
	}
	m.get("/mail/inbox?creator=cre_1").says("Anna Ahlers").hides("Ben Botha")
	m.get("/mail/inbox?state=refused").says("None matches.")
	anna := creatorAddress(h.creator("Anna Ahlers").ID)
	m.get(anna).says("Mails", "Your code for Ten percent", "E-mail…")
	h.viewer().get(anna).hides("Your code for Ten percent", "E-mail…")
	h.viewer().get("/mail").is(http.StatusForbidden)
	h.owner().get("/settings/audit").says("sent the mailing", "purpose code or link")
}

// TestMailing_leftOut: who gets no mail is named with the reason before anything is sent.
func TestMailing_leftOut(t *testing.T) {
	h := newHouse(t)
	h.postOffice()
	ben, ctx := h.creator("Ben Botha"), h.as(affiliate.RoleManager)
	_, err := h.app.ChangeCreator(ctx, ben.ID, app.AnyVersion, func(c *affiliate.Creator) error {
		c.Email = ""
		return nil
	})
	h.must(err)
	m := h.manager()
	fields := m.get("/mail/new?offer=off_1").one("form[action=/mail/new]").carried()
	m.post("/mail/new", append(fields, "do", "preview")...).says("Send 1 mail?", "Left out: 1", "Ben Botha",
		"They have no e-mail address")
	if m.get(creatorAddress(ben.ID)).has("a[href=/mail/new?ids=" + ben.ID.String() + "]") {
		t.Error("somebody without an address can be written to")
	}
	// The offer is of links: nothing stands for a code.
	fields = m.get("/mail/new?offer=off_2").one("form[action=/mail/new]").carried()
	fields = retyped(fields, "body", "Your code is {{code}}")
	m.post("/mail/new", append(fields, "do", "preview")...).says("Send 0 mails?",
		"“their code; of several all, with commas”")
	m.post("/mail", fields...).is(http.StatusUnprocessableEntity)
	m.post("/mail/new", append(retyped(fields, "body", "{{nonsense}}"), "do", "preview")...).
		is(http.StatusUnprocessableEntity).says("nonsense")
}

// TestMailing_withoutServer: without a mail server the texts can be copied, and taken along as a file.
func TestMailing_withoutServer(t *testing.T) {
	h := newHouse(t)
	m := h.manager()
	m.get("/mail").says("No mail server is set", "SMTP_URL", "MAIL_FROM")
	if m.get("/mail/texts/message").has("[formaction=/mail/texts/message/test]") {
		t.Error("a test mail can be sent")
	}
	fields := m.get("/mail/new?offer=off_1").one("form[action=/mail/new]").carried()
	preview := m.post("/mail/new", append(fields, "do", "preview")...).says("Texts for 2 creators", "ANNA10", "BEN5")
	if preview.has("[formaction=/mail]") {
		t.Error("there is a button to send")
	}
	var copies []string
	for _, b := range preview.all("button[data-copy]") {
		copies = append(copies, b.attr("data-copy"))
	}
	if len(copies) != 6 || copies[0] != "anna@creators.example" || copies[1] != "Your code for Ten percent" ||
		!strings.Contains(copies[2], "ANNA10") {
		t.Errorf("can be copied: %q", copies)
	}
	file := m.post("/mail/new", append(fields, "do", "csv")...).is(http.StatusOK)
	if kind := file.header.Get("Content-Type"); !strings.HasPrefix(kind, "text/csv") ||
		!strings.Contains(file.body, "Name,Address,Subject,Text") ||
		!strings.Contains(file.body, "Ben Botha,ben@creators.example,Your code for Ten percent,") {
		t.Errorf("the file is %s:\n%s", kind, file.body)
	}
	m.post("/mail", fields...).is(http.StatusUnprocessableEntity).says("mail server is set")
	h.app.MailShown = true
	h.postOffice()
	m.get("/mail").says("mails go to nobody").hides("No mail server is set")
}

// TestMailing_refused: what a server refuses is told in its words, and tried again; the rest can be canceled.
func TestMailing_refused(t *testing.T) {
	h := newHouse(t)
	office := h.postOffice()
	office.refuse["anna@creators.example"] = affiliate.MailAnswer{Code: 554, Enhanced: "5.7.1",
		Words: "we <b>dislike</b> it"}
	m := h.manager()
	h.sentMail()
	h.sendMails()
	page := m.get("/mail/snd_1").says("1 of 2 mails sent", "1 refused", "Done, some refused", "we <b>dislike</b> it")
	if page.has(".note b") {
		t.Error("the server's words become markup")
	}
	delete(office.refuse, "anna@creators.example")
	m.post("/mail/snd_1/retry").is(http.StatusOK).at("/mail/snd_1").says("1 mail is tried again.")
	h.clock.advance(time.Hour)
	h.sendMails()
	m.get("/mail/snd_1").says("2 of 2 mails sent").hides("refused")
	m.post("/mail/snd_1/retry").is(http.StatusUnprocessableEntity).says("No mail of this mailing was refused")
	m.post("/mail/snd_1/retry", "ids", "mai_99").is(http.StatusNotFound)
	m.post("/mail/snd_1/cancel").is(http.StatusUnprocessableEntity)

	s, err := h.app.SendMailing(h.as(affiliate.RoleManager), app.NewMailing{Purpose: affiliate.MailMessage,
		Subject: "News", Body: "Hello", To: app.MailTo{Creators: []affiliate.CreatorID{1, 2}}})
	h.must(err)
	m.post(mailingAddress(s.ID)+"/cancel").is(http.StatusOK).says("The rest is canceled", "2 canceled")
	h.sendMails()
	if n := len(office.texts()); n != 2 {
		t.Errorf("the server took %d mails, want those of the first mailing", n)
	}
	h.owner().get("/settings/audit").says("tried again the mail to Anna Ahlers",
		"canceled the rest of the mailing News")
}

// TestSuppressions: addresses are taken out and let in again, and the creator's page says so.
func TestSuppressions(t *testing.T) {
	h := newHouse(t)
	h.postOffice()
	m := h.manager()
	const at = "/mail/suppressions"
	m.get(at).is(http.StatusOK).says("Everybody may get mail")
	m.post(at, "address", "nobody", "note", "asked us").is(http.StatusUnprocessableEntity)
	m.post(at, "address", "ANNA@creators.example", "note", "asked us").at(at).
		says("anna@creators.example gets no mail", "Stopped by hand", "asked us", "by Max Manager")
	m.get(at + "?q=nobody").says("No address is found")
	m.get(at + "?q=anna").says("anna@creators.example")
	anna := creatorAddress(h.creator("Anna Ahlers").ID)
	m.get(anna).says("Stopped by hand")
	fields := m.get("/mail/new?offer=off_1").one("form[action=/mail/new]").carried()
	m.post("/mail/new", append(fields, "do", "preview")...).says("Left out: 1", "Anna Ahlers")
	m.post(at+"/end", "address", "anna@creators.example", "back", at+"?q=anna").at(at + "?q=anna").
		says("anna@creators.example gets mail again.")
	m.get(anna).hides("Stopped by hand")
	h.owner().get("/settings/audit").says("stopped mails to anna@creators.example",
		"allowed mails again to anna@creators.example")
}

// TestMailing_recipients: whoever is chosen on another page is whom the mailing is for.
func TestMailing_recipients(t *testing.T) {
	h := busyHouse(t)
	m := h.owner()
	due := m.get("/payouts")
	if !due.has("button[formaction=/mail/new]") {
		t.Error("payments due have no button to ask for details")
	}
	ids := due.all("input[name=ids]")
	if len(ids) == 0 {
		t.Fatal("nothing is due")
	}
	form := []string{"purpose", "payment_details_missing"}
	for _, id := range ids {
		form = append(form, "ids", id.attr("value"))
	}
	asked := m.post("/mail/new", form...).is(http.StatusOK)
	if got := asked.one("form[action=/mail/new] input[name=purpose]").attr("value"); got != form[1] {
		t.Errorf("the mailing is for %s", got)
	}
	if n := len(asked.all("[name=other]")); n != 3 {
		t.Errorf("%d purposes can be chosen", n)
	}
	preview := m.post("/mail/new", append(asked.one("form[action=/mail/new]").carried(), "do", "preview")...).
		is(http.StatusOK).says("USD")
	if !preview.has("[formaction=/mail]") {
		t.Error("it cannot be sent")
	}
	m.post("/mail/new", append(form, "other", "statement")...).says("Month", "October 2026")
	m.get("/mail/new?due=1").says("Everybody to whom something is due now")
	m.post("/mail/new").is(http.StatusUnprocessableEntity).says("Nobody is selected")
	m.post("/mail").is(http.StatusUnprocessableEntity).says("Nobody is selected")

	run, err := h.app.SendPayouts(h.as(affiliate.RoleOwner), app.NewPayoutRun{Elsewhere: true, Reference: "SEPA 7",
		Method: "bank transfer", Payouts: []app.NewPayout{{Creator: h.creator("Ben Botha").ID}}})
	h.must(err)
	m.get(payoutRunAddress(run.ID)).says("Tell them by e-mail…")
	paid := m.get("/mail/new?payout_run=" + run.ID.String()).says("Everybody whom the payout run of")
	m.post("/mail/new", append(paid.one("form[action=/mail/new]").carried(), "do", "preview")...).is(http.StatusOK).
		says("SEPA 7", "Ben Botha").hides("Anna Ahlers")

	m.get("/mail/new?ids=cre_1").says("To: Anna Ahlers", "Message", "Statement")
	m.post("/mail/new", "offer", "off_1", "ids", "cre_2").says("To: 1 creator of Ten percent")
	m.post("/mail/new", "offer", "off_1", "ids", "ofm_1", "ids", "ofm_2").says("To: 2 creators of Ten percent")
	m.post("/mail/new", "offer", "off_1", "all", "1", "q", "ben", "ids", "ofm_1").
		says("To: The one creator of Ten percent that the list found")
	m.post("/mail/new", "offer", "off_1", "ids", "cre_99").is(http.StatusUnprocessableEntity)
	for _, wrong := range []string{"ids=ofm_x", "ids=cre_99", "payout_run=run_99", "payout_run=x", "run=cru_99",
		"run=1", "offer=off_99", "offer=x"} {
		if a := m.get("/mail/new?" + wrong); a.status != http.StatusUnprocessableEntity &&
			a.status != http.StatusNotFound {
			t.Errorf("%s gives %d", wrong, a.status)
		}
	}
}

// TestMailing_ofRun: the page of a code run that is done leads to a mailing to those whose codes it made.
func TestMailing_ofRun(t *testing.T) {
	h := newHouse(t)
	h.postOffice()
	ctx, m := h.as(affiliate.RoleManager), h.manager()
	run := h.draftedRun()
	link := "/mail/new?run=" + run.ID.String()
	if m.get(codeRunAddress(run.ID)).has("a[href=" + link + "]") {
		t.Error("a draft leads to a mailing")
	}
	m.get(link).is(http.StatusUnprocessableEntity).says("nobody's codes yet")
	_, err := h.app.StartCodeRun(ctx, run.ID)
	h.must(err)
	h.must(h.app.WorkCodeRuns(ctx))
	_, err = h.app.DoneByHand(ctx, run.ID, nil)
	h.must(err)
	h.must(h.app.WorkCodeRuns(ctx))
	if !m.get(codeRunAddress(run.ID)).says("E-mail their codes…").has("a[href=" + link + "]") {
		t.Error("the run leads to no mailing")
	}
	mailing := m.get(link).is(http.StatusOK).one("form[action=/mail/new]").carried()
	m.post("/mail/new", append(mailing, "do", "preview")...).is(http.StatusOK).says("Ben Botha")
}

// TestAttack_mailText: what people write into texts and names stays text in letters, and in addresses.
func TestAttack_mailText(t *testing.T) {
	h := newHouse(t)
	h.postOffice()
	const evil = `<script>alert(1)</script><img src=x> https://a.example/"onmouseover="alert(1) javascript:alert(1)`
	s, err := h.app.SendMailing(h.as(affiliate.RoleManager), app.NewMailing{Purpose: affiliate.MailMessage,
		Subject: "<b>News</b>", Body: evil, To: app.MailTo{Creators: []affiliate.CreatorID{1}}})
	h.must(err)
	for _, address := range []string{mailingAddress(s.ID), mailingAddress(s.ID) + "/mai_1", "/mail", "/mail/inbox"} {
		a := h.manager().get(address).is(http.StatusOK)
		if a.has("main b") || a.has("main img") || a.has("main script") || runsScript.MatchString(a.body) {
			t.Errorf("%s has markup that somebody typed", address)
		}
		for _, link := range a.all(".letter a") {
			if !strings.HasPrefix(link.attr("href"), "http") {
				t.Errorf("%s leads to %s", address, link.attr("href"))
			}
		}
	}
}

// TestMail_browser: a click puts a field into the text where somebody was typing. What a mailing would be is accessible
// on a phone, and so is the list of those who get no mail.
func TestMail_browser(t *testing.T) {
	h := newHouse(t)
	h.postOffice()
	b := h.browse(affiliate.RoleManager)
	b.open("/mail/texts/message")
	var text string
	b.eval(`(() => {
		document.querySelector("#text-fields").open = true;
		const field = document.querySelector("#body");
		field.value = "Hi !";
		field.focus();
		field.setSelectionRange(3, 3);
		document.querySelector("[data-insert='{{creator.name}}']").click();
		return field.value;
	})()`, &text)
	if text != "Hi {{creator.name}}!" {
		t.Errorf("the text is %q", text)
	}
	_, err := h.app.Suppress(h.as(affiliate.RoleOwner), "ben@creators.example", "asked us")
	h.must(err)
	b.viewport(390, 900)
	b.open("/mail/new?offer=off_1")
	b.click("form[action='/mail/new'] button.primary")
	b.says("Send 1 mail?")
	for _, fault := range b.inaccessible() {
		t.Error(fault)
	}
	if n := b.overflow(); n > 0 {
		t.Errorf("the preview is %d pixels wider than a phone: %s", n, b.widest())
	}
	b.inspect("mail-suppressions", "/mail/suppressions")
}
