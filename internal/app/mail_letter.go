package app

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// letter is a mail of a mailing as it goes to a server: the same, byte for byte, however often it is made.
func (a *App) letter(m affiliate.Mail, s affiliate.MailSend) affiliate.OutgoingMail {
	o := affiliate.OutgoingMail{From: s.Sender, To: affiliate.Mailbox(m.Creator, m.Address), MessageID: m.MessageID,
		Date: m.CreatedAt.UTC()}
	if !s.Purpose.AboutMoney() {
		o.Unsubscribe = a.UnsubscribeAddress(m.ID)
	}
	return written(o, affiliate.MailText{Purpose: s.Purpose, Subject: s.Subject, Body: s.Body}, m.Fields)
}

// written fills a text into a mail.
func written(o affiliate.OutgoingMail, t affiliate.MailText,
	fields map[affiliate.MailField]string) affiliate.OutgoingMail {
	subject, body := t.Fill(fields)
	brand := fields[affiliate.FieldBrand]
	o.Subject, o.Text = subject, affiliate.MailPlain(brand, body, o.Unsubscribe)
	o.HTML = affiliate.MailHTML(brand, body, o.Unsubscribe)
	return o
}

// Letter is a mail as its recipient reads it.
func (a *App) Letter(ctx context.Context, id affiliate.MailID) (affiliate.OutgoingMail, error) {
	m, err := a.DB.Mail(ctx, id)
	if err != nil {
		return affiliate.OutgoingMail{}, err
	}
	s, err := a.DB.MailSend(ctx, m.SendID)
	if err != nil {
		return affiliate.OutgoingMail{}, err
	}
	return a.letter(m, s), nil
}

// SampleLetter is a text with made-up fields, as a recipient would read it. Errors are Invalid, of subject or body.
func (a *App) SampleLetter(ctx context.Context, t affiliate.MailText) (affiliate.OutgoingMail, error) {
	t, err := affiliate.ParseMailText(t)
	if err != nil {
		return affiliate.OutgoingMail{}, err
	}
	settings, err := a.DB.Settings(ctx)
	if err != nil {
		return affiliate.OutgoingMail{}, err
	}
	o := affiliate.OutgoingMail{From: a.MailFrom, To: affiliate.Mailbox("Anna Keller", "anna@creators.example"),
		MessageID: a.newMessageID(), Date: a.now()}
	if !t.Purpose.AboutMoney() {
		o.Unsubscribe = a.UnsubscribeAddress(0) // of no mail: nobody unsubscribes by it
	}
	return written(o, t, affiliate.SampleMailFields(settings.Name)), nil
}

// SendTestMail sends a text at once to an address of the brand, with made-up fields, and gives what the server says
// against it as an error.
func (a *App) SendTestMail(ctx context.Context, t affiliate.MailText, to string) error {
	name, address, err := affiliate.ParseMailbox("to", affiliate.Clean(to))
	if err != nil {
		return err
	}
	if a.Mailer == nil {
		return errNoMailServer
	}
	o, err := a.SampleLetter(ctx, t)
	if err != nil {
		return err
	}
	o.To = affiliate.Mailbox(name, address)
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error { // written down first: it is a mail to whatever address
		return a.audit(ctx, tx, "mail_text.test", mailTextSubject(t.Purpose), nil, facts{"to": address})
	})
	if err != nil {
		return err
	}
	connection, err := a.Mailer.Open(ctx)
	if err != nil {
		return affiliate.Errorf(affiliate.Unavailable, "%s", serverTrouble(err))
	}
	err = connection.Send(ctx, o, func() error { return nil })
	_ = connection.Close() // what was sent is sent
	var answer affiliate.MailAnswer
	switch {
	case errors.As(err, &answer):
		return affiliate.Errorf(affiliate.Conflict, "the mail server does not take it: %d %s", answer.Code,
			affiliate.Clip(affiliate.MailLine(answer.Words), 300))
	case err != nil:
		return affiliate.Errorf(affiliate.Unavailable, "%s", serverTrouble(err))
	}
	return nil
}

// serverTrouble says as a sentence that the mail server cannot be used, and what helps.
func serverTrouble(err error) string {
	var answer affiliate.MailAnswer
	if errors.As(err, &answer) {
		return fmt.Sprintf("The mail server takes no mails: %d %s. Mails wait; look at user and password in SMTP_URL, "+
			"and at what the server asks for.", answer.Code, affiliate.Clip(affiliate.MailLine(answer.Words), 300))
	}
	return fmt.Sprintf("The mail server cannot be used: %s. Mails wait; look at SMTP_URL and MAIL_FROM.",
		affiliate.Clip(affiliate.MailLine(err.Error()), 300))
}

// MailState is how sending stands, for people.
type MailState struct {
	Ready   bool   // a server is set
	Demo    bool   // mails go nowhere but onto the page
	Sender  string // name <address>
	Why     string // why mails wait, as a sentence with its remedy: no server is set, or it does not answer
	Waiting int64  // mails
}

// MailState says how sending stands.
func (a *App) MailState(ctx context.Context) (MailState, error) {
	s := MailState{Ready: a.Mailer != nil, Demo: a.MailShown, Sender: a.MailFrom}
	var err error
	if s.Waiting, err = a.DB.CountWaitingMails(ctx); err != nil {
		return s, err
	}
	if !s.Ready {
		s.Why = "No mail server is set: set SMTP_URL and MAIL_FROM, and start the server again."
		return s, nil
	}
	lease, err := a.DB.MailLease(ctx)
	s.Why = lease.Trouble
	return s, err
}

// UnsubscribeAddress is where a recipient of a mail can unsubscribe: PublicURL/u/TOKEN. The token says which mail it
// is, and nothing about whoever got it.
func (a *App) UnsubscribeAddress(id affiliate.MailID) string {
	return a.PublicURL + "/u/" + unsubscribeToken(a.Sealer, id)
}

func unsubscribeToken(s *Sealer, id affiliate.MailID) string {
	n := strconv.FormatInt(int64(id), 36)
	return n + "-" + s.Hash(HashUnsubscribe, n)
}

// mailOf gives the mail of a token, which must be right; NotFound where it is not.
func (a *App) mailOf(ctx context.Context, token string) (affiliate.Mail, error) {
	n, _, _ := strings.Cut(token, "-")
	id, err := strconv.ParseInt(n, 36, 64)
	if err != nil || id <= 0 ||
		subtle.ConstantTimeCompare([]byte(token), []byte(unsubscribeToken(a.Sealer, affiliate.MailID(id)))) != 1 {
		return affiliate.Mail{}, errNoUnsubscribe
	}
	m, err := a.DB.Mail(ctx, affiliate.MailID(id))
	if affiliate.KindOf(err) == affiliate.NotFound {
		return m, errNoUnsubscribe
	}
	return m, err
}

var errNoUnsubscribe = affiliate.Errorf(affiliate.NotFound,
	"this address is of no mail; open the link in the mail again, or reply to the mail")

// Unsubscriber says whose address a token of UnsubscribeAddress is of, with all but its ends covered, and whether it
// is unsubscribed already; NotFound for one that is none.
func (a *App) Unsubscriber(ctx context.Context, token string) (masked string, done bool, err error) {
	m, err := a.mailOf(ctx, token)
	if err != nil {
		return "", false, err
	}
	folded := affiliate.FoldEmail(m.Address)
	found, err := a.DB.SuppressionsOf(ctx, []string{folded})
	_, done = found[folded]
	return affiliate.MaskEmail(m.Address), done, err
}

// Unsubscribe notes that the address of a token wants no more mails but those about money. Again changes nothing.
func (a *App) Unsubscribe(ctx context.Context, token string) error {
	m, err := a.mailOf(ctx, token)
	if err != nil {
		return err
	}
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		_, err := tx.AddSuppression(ctx, affiliate.Suppression{Address: affiliate.FoldEmail(m.Address),
			Reason: affiliate.Unsubscribed, Note: m.SendID.String(), CreatedAt: a.now()})
		return err
	})
}

// addressSubject is an address in the audit log.
type addressSubject string

func (s addressSubject) String() string { return string(s) }

// maxSuppressionNote bounds a note on an address, in bytes.
const maxSuppressionNote = 500

// Suppress notes that an address gets no mail; AllowMail that it gets some again.
func (a *App) Suppress(ctx context.Context, address, note string) (affiliate.Suppression, error) {
	_, parsed, err := affiliate.ParseMailbox("address", affiliate.Clean(address))
	if err != nil {
		return affiliate.Suppression{}, err
	}
	s := affiliate.Suppression{Address: affiliate.FoldEmail(parsed), Reason: affiliate.SuppressedByHand,
		Note: strings.TrimSpace(cleanText(note)), Author: actor(ctx), CreatedAt: a.now()}
	if len(s.Note) > maxSuppressionNote {
		return s, affiliate.FieldErrorf("note", "must have at most %d characters", maxSuppressionNote)
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		added, err := tx.AddSuppression(ctx, s)
		if err != nil {
			return err
		}
		if !added {
			found, err := tx.SuppressionsOf(ctx, []string{s.Address})
			s = found[s.Address]
			return err
		}
		return a.audit(ctx, tx, "mail.suppress", addressSubject(s.Address), nil, facts{"note": s.Note})
	})
	return s, err
}

// AllowMail takes an address off the list of those that get no mail. Again changes nothing.
func (a *App) AllowMail(ctx context.Context, address string) error {
	address = affiliate.FoldEmail(address)
	return a.DB.InTx(ctx, func(tx *storage.Tx) error {
		dropped, err := tx.DropSuppression(ctx, address)
		if err != nil || !dropped {
			return err
		}
		return a.audit(ctx, tx, "mail.allow", addressSubject(address), nil, nil)
	})
}
