package app

import (
	"context"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/storage"
)

// Mailer hands mails to a server.
type Mailer interface {
	// Open connects. Its errors are affiliate.MailAnswer where the server answers, for all that is to be sent.
	Open(ctx context.Context) (MailConnection, error)
}

// MailConnection is a connection to a mail server. It is used by one at a time.
type MailConnection interface {
	// Send hands over one mail. Just before its last line, after which the server may have taken it, it calls ending,
	// and hands over nothing more where that fails. Errors of type affiliate.MailAnswer are the server's answer: it has
	// not taken the mail. Any other error leaves open whether it has, once ending was called; the connection is of no
	// use after it.
	Send(ctx context.Context, m affiliate.OutgoingMail, ending func() error) error
	Close() error
}

// MailText gives what mails of a purpose say: what the brand has written, or the text that comes with the program.
func (a *App) MailText(ctx context.Context, p affiliate.MailPurpose) (affiliate.MailText, error) {
	if err := affiliate.CheckWord("purpose", p); err != nil {
		return affiliate.MailText{}, err
	}
	t, err := a.DB.MailText(ctx, p)
	if affiliate.KindOf(err) == affiliate.NotFound {
		return affiliate.DefaultMailText(p), nil
	}
	return t, err
}

// mailTextSubject names a text in the audit log.
type mailTextSubject affiliate.MailPurpose

func (s mailTextSubject) String() string { return "mail_text_" + string(s) }

func mailTextFacts(t affiliate.MailText) facts { return facts{"subject": t.Subject, "body": t.Body} }

// SaveMailText writes what mails of a purpose say from now on; the version is that of the text that the caller has
// seen, or AnyVersion. A field that there is not, or not for the purpose, is Invalid.
func (a *App) SaveMailText(ctx context.Context, t affiliate.MailText) (affiliate.MailText, error) {
	seen := t.Version
	t, err := affiliate.ParseMailText(affiliate.MailText{Purpose: t.Purpose, Subject: t.Subject, Body: t.Body})
	if err != nil {
		return t, err
	}
	err = a.changeMailText(ctx, t.Purpose, seen, "save", func(tx *storage.Tx, before affiliate.MailText) (err error) {
		if before.Version > 0 && before.Subject == t.Subject && before.Body == t.Body {
			t = before
			return nil
		}
		t.Version, t.Author, t.UpdatedAt = before.Version, actor(ctx), a.now()
		t, err = tx.SetMailText(ctx, t)
		return err
	})
	return t, err
}

// ResetMailText takes up the text again that comes with the program.
func (a *App) ResetMailText(ctx context.Context, p affiliate.MailPurpose) (affiliate.MailText, error) {
	if err := affiliate.CheckWord("purpose", p); err != nil {
		return affiliate.MailText{}, err
	}
	err := a.changeMailText(ctx, p, AnyVersion, "reset", func(tx *storage.Tx, _ affiliate.MailText) error {
		return tx.DropMailText(ctx, p)
	})
	return affiliate.DefaultMailText(p), err
}

// changeMailText changes the text of a purpose, if it is of the version that the caller has seen, and writes down what
// was before and is after where those differ.
func (a *App) changeMailText(ctx context.Context, p affiliate.MailPurpose, seen int, action string,
	change func(tx *storage.Tx, before affiliate.MailText) error) error {
	read := func(tx *storage.Tx) (affiliate.MailText, error) {
		t, err := tx.MailText(ctx, p)
		if affiliate.KindOf(err) == affiliate.NotFound {
			return affiliate.DefaultMailText(p), nil
		}
		return t, err
	}
	return a.changeCatalog(ctx, func(tx *storage.Tx) error {
		before, err := read(tx)
		if err != nil {
			return err
		}
		if err := checkVersion(ctx, mailTextSubject(p), before.Version, seen); err != nil {
			return err
		}
		if err := change(tx, before); err != nil {
			return err
		}
		after, err := read(tx)
		if err != nil || after.Version == before.Version {
			return err
		}
		return a.audit(ctx, tx, "mail_text."+action, mailTextSubject(p), mailTextFacts(before), mailTextFacts(after))
	})
}

// MailTo says to whom a mailing goes: one of these.
type MailTo struct {
	Offer    affiliate.OfferID // members of it: Members, or all current and active ones that Search finds
	Members  []affiliate.OfferMemberID
	Search   storage.OfferMemberSearch
	Creators []affiliate.CreatorID // whoever they are
	Run      affiliate.PayoutRunID // whom it paid; of MailPaid
	Due      bool                  // whoever something is due to now, of MailStatement; of MailDetails, who has none
}

// NewMailing asks for a text to many.
type NewMailing struct {
	Purpose affiliate.MailPurpose
	Subject string // empty with Body: the text of the purpose
	Body    string
	To      MailTo
	Month   string // of MailStatement: 2026-11, in the account's zone
	Key     string // whoever asks with the same key again gets the same mailing, and nobody another mail; may be empty
}

// DraftMail is a mail as it would be sent to one recipient.
type DraftMail struct {
	Creator affiliate.CreatorID
	Name    string
	Address string
	Subject string
	Text    string
	Skipped string // why it would not be sent, as a sentence; empty: it would be
}

// MailingPreview is what a mailing would be.
type MailingPreview struct {
	Mails   int64 // that would be sent
	Skipped int64
	Drafts  []DraftMail // in the order of names
}
