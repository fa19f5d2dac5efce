package dashboard

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
)

// mailPurposes say what mails are for.
var mailPurposes = map[affiliate.MailPurpose]struct{ Title, About string }{
	affiliate.MailCode: {"Code or link", "Their code or link of an offer, and what they earn with it. Sent from the " +
		"page of an offer, or once codes are made."},
	affiliate.MailPaid: {"Payment sent", "A payout was sent: how much, how, and with which reference. Sent by " +
		"itself as payouts of a run arrive, where that was ticked, or from the page of the run."},
	affiliate.MailDetails: {"Payment details missing", "Money is due, and you do not know where to. Sent from the " +
		"payments due."},
	affiliate.MailChanged: {"Payment details changed", "Somebody has changed where they are paid. Sent by itself, " +
		"also to the address of the details before."},
	affiliate.MailStatement: {"Statement", "What they earned and were paid in a month, line by line."},
	affiliate.MailMessage: {"Message", "Whatever you have to say. Each has its own text; this is what it begins " +
		"with."},
}

// mailFieldWords say what stands in a mail for a field.
var mailFieldWords = map[affiliate.MailField]string{
	affiliate.FieldCreatorName: "their name",
	affiliate.FieldFirstName:   "their first name",
	affiliate.FieldOffer:       "the offer's name",
	affiliate.FieldCampaign:    "the campaign's name",
	affiliate.FieldCode:        "their code; of several all, with commas",
	affiliate.FieldLink:        "their link, as a whole address",
	affiliate.FieldCommission:  "what they earn, such as 10 %",
	affiliate.FieldBrand:       "your brand's name",
	affiliate.FieldAmountDue:   "what is due to them",
	affiliate.FieldAmount:      "what was paid",
	affiliate.FieldReference:   "the payment's reference",
	affiliate.FieldPaidOn:      "the day of the payment",
	affiliate.FieldStatement:   "the lines of the statement, or of what was paid, with their sum",
	affiliate.FieldPeriod:      "the month of the statement",
	affiliate.FieldPaidBy:      "how it was paid",
	affiliate.FieldPaidTo:      "where the payment went, covered, such as Bank account, FR14 … 2606",
	affiliate.FieldDetails:     "where they are paid from now on, covered",
	affiliate.FieldDetailsWere: "where they were paid until now, covered",
	affiliate.FieldChangedOn:   "the day of the change",
	affiliate.FieldPaidFrom:    "the day before which nothing is paid there",
	affiliate.FieldCodeOrLink:  "their code, or their link where they have no code",
}

// plainReason says why somebody gets no mail, with the fields in it in words.
func plainReason(text string) string {
	var pairs []string
	for field, words := range mailFieldWords {
		pairs = append(pairs, "{{"+string(field)+"}}", "“"+words+"”")
	}
	return sentenceOf("", strings.NewReplacer(pairs...).Replace(text))
}

// mailField is a field that a text may have.
type mailField struct{ Mark, About string }

func mailFields(p affiliate.MailPurpose) (list []mailField) {
	for _, f := range p.Fields() {
		list = append(list, mailField{"{{" + string(f) + "}}", mailFieldWords[f]})
	}
	return list
}

// mailTextsPage lists what mails are for.
type mailTextsPage struct {
	mailHead
	Rows []mailTextLine
}

type mailTextLine struct {
	affiliate.MailText
	Title, About string
	Address      string
	Changed      string // when; empty for the text that comes with the program
}

func mailTextAddress(p affiliate.MailPurpose) string { return "/mail/texts/" + string(p) }

func (r *request) mailTextLine(t affiliate.MailText) mailTextLine {
	words := mailPurposes[t.Purpose]
	l := mailTextLine{MailText: t, Title: words.Title, About: words.About, Address: mailTextAddress(t.Purpose)}
	if t.Version > 0 {
		l.Changed = r.moment(t.UpdatedAt)
	}
	return l
}

func (r *request) mailTextsPage() error {
	head, err := r.mailHead("texts", "Texts of mails")
	if err != nil {
		return err
	}
	p := mailTextsPage{mailHead: head}
	for _, purpose := range affiliate.Words[affiliate.MailPurpose]() {
		t, err := r.d.App.MailText(r.Request.Context(), purpose)
		if err != nil {
			return err
		}
		p.Rows = append(p.Rows, r.mailTextLine(t))
	}
	return r.show("mail_texts.html", &p)
}

// mailTextPage changes what mails of a purpose say.
type mailTextPage struct {
	mailHead
	Text   mailTextLine
	Own    bool // the brand has written it
	Fields []mailField
	Sample *letterOf // nil while the text has a fault
	To     string    // where a test mail goes
	Errors fieldErrors
}

// mailTextOf reads the text that the path names.
func (r *request) mailTextOf() (affiliate.MailText, error) {
	purpose := affiliate.MailPurpose(r.Param("purpose"))
	if affiliate.CheckWord("purpose", purpose) != nil {
		return affiliate.MailText{}, affiliate.Errorf(affiliate.NotFound, "there is nothing at this address")
	}
	return r.d.App.MailText(r.Request.Context(), purpose)
}

func (r *request) mailTextPage() error {
	t, err := r.mailTextOf()
	if err != nil {
		return err
	}
	return r.showMailText(http.StatusOK, t, t.Version > 0, "", nil)
}

// showMailText shows a text as it is, or as it was typed.
func (r *request) showMailText(status int, t affiliate.MailText, own bool, notice string, errs fieldErrors) error {
	head, err := r.mailHead("texts", mailPurposes[t.Purpose].Title)
	if err != nil {
		return err
	}
	p := mailTextPage{mailHead: head, Text: r.mailTextLine(t), Own: own, Fields: mailFields(t.Purpose),
		To: r.user.Email, Errors: errs}
	if to := r.field("to"); to != "" {
		p.To = to
	}
	if notice != "" {
		p.Notice = r.said(notice)
	}
	sample, err := r.d.App.SampleLetter(r.Request.Context(), t)
	if err == nil {
		p.Sample = newLetter(sample)
	} else if found, err := formErrors(err); err != nil {
		return err
	} else if p.Errors == nil {
		p.Errors, status = found, http.StatusUnprocessableEntity
	}
	r.render(status, "mail_text.html", &p)
	return nil
}

// typedMailText is the text of the path as the form has it. Its version is that which the form began with.
func (r *request) typedMailText() (t affiliate.MailText, own bool, err error) {
	if t, err = r.mailTextOf(); err != nil {
		return t, false, err
	}
	own = t.Version > 0
	t.Subject, t.Body = r.field("subject"), unixLines(r.field("body"))
	if t.Version, err = strconv.Atoi(r.field("version")); err != nil {
		t.Version, err = app.AnyVersion, nil
	}
	return t, own, nil
}

func (r *request) saveMailText() error {
	t, own, err := r.typedMailText()
	if err != nil {
		return err
	}
	if _, err = r.d.App.SaveMailText(r.Request.Context(), t); err == nil {
		return r.done(mailTextAddress(t.Purpose), "The text is saved. Mails that were sent stay as they are.")
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	return r.showMailText(http.StatusUnprocessableEntity, t, own, "", errs)
}

// sampleMailText shows a text as it was typed, as a recipient would read it; nothing is saved.
func (r *request) sampleMailText() error {
	t, own, err := r.typedMailText()
	if err != nil {
		return err
	}
	return r.showMailText(http.StatusOK, t, own, "", nil)
}

// testMailText sends a text as it was typed to an address of the brand; nothing is saved.
func (r *request) testMailText() error {
	t, own, err := r.typedMailText()
	if err != nil {
		return err
	}
	to := r.field("to")
	if err = r.d.App.SendTestMail(r.Request.Context(), t, to); err == nil {
		return r.showMailText(http.StatusOK, t, own, "A test mail is on its way to "+to+". Nothing is saved yet.", nil)
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	return r.showMailText(http.StatusUnprocessableEntity, t, own, "", errs)
}

func (r *request) resetMailText() error {
	t, err := r.mailTextOf()
	if err == nil {
		_, err = r.d.App.ResetMailText(r.Request.Context(), t.Purpose)
	}
	if err != nil {
		return err
	}
	return r.done(mailTextAddress(t.Purpose), "It is the text again that comes with Tributary.")
}
