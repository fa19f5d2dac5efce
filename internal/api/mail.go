package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
	"github.com/tributaryhq/tributary/internal/web"
)

// registerMail declares the operations on mails to creators.
func (a *API) registerMail(api huma.API) {
	const may = affiliate.MayChangeCatalog
	register(a, api, operation{http.MethodGet, "/mail/state", "get-mail-state", may,
		"Say whether mails are sent, and why they wait"}, a.getMailState)
	register(a, api, operation{http.MethodGet, "/mail/texts", "list-mail-texts", may,
		"List what mails say, by what they are for"}, a.listMailTexts)
	register(a, api, operation{http.MethodGet, "/mail/texts/{purpose}", "get-mail-text", may,
		"Read what mails for a purpose say"}, a.getMailText)
	register(a, api, operation{http.MethodPut, "/mail/texts/{purpose}", "set-mail-text", may,
		"Write what mails for a purpose say from now on"}, a.setMailText)
	register(a, api, operation{http.MethodDelete, "/mail/texts/{purpose}", "reset-mail-text", may,
		"Take up the text again that comes with the program"}, a.resetMailText)
	register(a, api, operation{http.MethodPost, "/mail/texts/{purpose}/test", "test-mail-text", may,
		"Send a text at once to an address of the brand, with made-up fields"}, a.testMailText)
	register(a, api, operation{http.MethodPost, "/mailings/preview", "preview-mailing", may,
		"Say whom a mailing would go to and what it would say; nothing is sent"}, a.previewMailing)
	register(a, api, operation{http.MethodPost, "/mailings", "create-mailing", may,
		"Send a text to many creators, one mail to each"}, a.createMailing)
	register(a, api, operation{http.MethodGet, "/mailings", "list-mailings", may,
		"List mailings, newest first"}, a.listMailings)
	register(a, api, operation{http.MethodGet, "/mailings/{id}", "get-mailing", may,
		"Read a mailing with how far its mails are"}, a.getMailing)
	register(a, api, operation{http.MethodPost, "/mailings/{id}/cancel", "cancel-mailing", may,
		"Stop a mailing; what was not sent by then is not"}, a.cancelMailing)
	register(a, api, operation{http.MethodGet, "/mails", "list-mails", may,
		"List mails to single creators, newest first"}, a.listMails)
	register(a, api, operation{http.MethodPost, "/mails/{id}/retry", "retry-mail", may,
		"Try a mail again that was refused, or skipped for a reason that is gone"}, a.retryMail)
	register(a, api, operation{http.MethodGet, "/mail/suppressions", "list-mail-suppressions", may,
		"List addresses that get no mail"}, a.listSuppressions)
	register(a, api, operation{http.MethodPost, "/mail/suppressions", "create-mail-suppression", may,
		"Have an address get no mail"}, a.createSuppression)
	register(a, api, operation{http.MethodDelete, "/mail/suppressions/{address}", "delete-mail-suppression", may,
		"Have an address get mails again"}, a.deleteSuppression)
}

type mailStateJSON struct {
	Ready   bool    `json:"ready" doc:"A mail server is set"`
	Sender  string  `json:"sender" example:"\"Brand\" <creators@brand.example>"`
	Waiting int64   `json:"waiting" doc:"Mails that are still to be sent"`
	Why     *string `json:"why" doc:"Why they wait, and what helps; null where nothing is wrong"`
}

func (a *API) getMailState(ctx context.Context, _ *struct{}) (*output[mailStateJSON], error) {
	s, err := a.App.MailState(ctx)
	return one(s, err, func(s app.MailState) mailStateJSON {
		return mailStateJSON{s.Ready, s.Sender, s.Waiting, orNull(s.Why)}
	})
}

// MailTextJSON is what mails for a purpose say.
type MailTextJSON struct {
	Purpose   affiliate.MailPurpose `json:"purpose"`
	Subject   string                `json:"subject" example:"Your code for {{offer.name}}"`
	Body      string                `json:"body" doc:"Plain text; what HTML mails say is made of it"`
	Fields    []affiliate.MailField `json:"fields" nullable:"false" doc:"What may stand in it between {{ and }}"`
	Usual     bool                  `json:"usual" doc:"It is the text that comes with the program"`
	Version   int                   `json:"version" doc:"0: the text that comes with the program"`
	Author    *string               `json:"author"`
	UpdatedAt *time.Time            `json:"updated_at"`
}

func mailTextView(t affiliate.MailText) MailTextJSON {
	return MailTextJSON{t.Purpose, t.Subject, t.Body, t.Purpose.Fields(), t.Version == 0, t.Version, orNull(t.Author),
		web.TimeOrNull(t.UpdatedAt)}
}

type mailTextsJSON struct {
	Data []MailTextJSON `json:"data" nullable:"false"`
}

func (a *API) listMailTexts(ctx context.Context, _ *struct{}) (*output[mailTextsJSON], error) {
	v := mailTextsJSON{Data: []MailTextJSON{}}
	for _, p := range affiliate.MailPurpose("").Words() {
		t, err := a.App.MailText(ctx, p)
		if err != nil {
			return nil, err
		}
		v.Data = append(v.Data, mailTextView(t))
	}
	return one(v, nil, func(v mailTextsJSON) mailTextsJSON { return v })
}

// MailTextPath names a text.
type MailTextPath struct {
	Purpose affiliate.MailPurpose `path:"purpose"`
}

func (a *API) getMailText(ctx context.Context, in *MailTextPath) (*output[MailTextJSON], error) {
	t, err := a.App.MailText(ctx, in.Purpose)
	return one(t, err, mailTextView)
}

type setMailTextInput struct {
	MailTextPath
	Body struct {
		Subject string `json:"subject"`
		Body    string `json:"body"`
		Version int    `json:"version,omitempty" doc:"Of the text that was read; a change that was made meanwhile is then told and not written over"`
	}
}

func (a *API) setMailText(ctx context.Context, in *setMailTextInput) (*output[MailTextJSON], error) {
	t, err := a.App.SaveMailText(ctx, affiliate.MailText{Purpose: in.Purpose, Subject: in.Body.Subject,
		Body: in.Body.Body, Version: in.Body.Version})
	return one(t, err, mailTextView)
}

func (a *API) resetMailText(ctx context.Context, in *MailTextPath) (*output[MailTextJSON], error) {
	t, err := a.App.ResetMailText(ctx, in.Purpose)
	return one(t, err, mailTextView)
}

type testMailTextInput struct {
	MailTextPath
	Body struct {
		To      string `json:"to" example:"me@brand.example"`
		Subject string `json:"subject,omitempty" doc:"The text's, unless it is given"`
		Body    string `json:"body,omitempty" doc:"The text's, unless it is given"`
	}
}

type testedMailJSON struct {
	To string `json:"to"`
}

func (a *API) testMailText(ctx context.Context, in *testMailTextInput) (*output[testedMailJSON], error) {
	t, err := a.App.MailText(ctx, in.Purpose)
	if err != nil {
		return nil, err
	}
	if in.Body.Subject != "" {
		t.Subject = in.Body.Subject
	}
	if in.Body.Body != "" {
		t.Body = in.Body.Body
	}
	err = a.App.SendTestMail(ctx, t, in.Body.To)
	return one(in.Body.To, err, func(to string) testedMailJSON { return testedMailJSON{to} })
}

// NewMailingJSON asks for a mailing.
type NewMailingJSON struct {
	Purpose   affiliate.MailPurpose `json:"purpose"`
	Subject   string                `json:"subject,omitempty" doc:"The text's of the purpose, unless it is given"`
	Text      string                `json:"text,omitempty" doc:"The text's of the purpose, unless it is given"`
	Offer     string                `json:"offer,omitempty" example:"off_1" doc:"Its current and active members, or those named"`
	Members   []string              `json:"members,omitempty" example:"ofm_1" doc:"With offer: those alone"`
	Search    string                `json:"q,omitempty" doc:"With offer: members with this in their name, handles or codes"`
	Creators  []string              `json:"creators,omitempty" example:"cre_1"`
	PayoutRun string                `json:"payout_run,omitempty" example:"run_1" doc:"Whom it paid; for payment_sent"`
	Due       bool                  `json:"due,omitempty" doc:"All to whom something is due now"`
	Month     string                `json:"month,omitempty" example:"2026-11" doc:"Of statements, in the account's time zone"`
	Key       string                `json:"key,omitempty" maxLength:"200" doc:"Whoever asks with the same key again gets the same mailing, and nobody another mail"`
}

func (m NewMailingJSON) asked() (in app.NewMailing, err error) {
	in = app.NewMailing{Purpose: m.Purpose, Subject: m.Subject, Body: m.Text, Month: m.Month, Key: m.Key,
		To: app.MailTo{Due: m.Due, Search: storage.OfferMemberSearch{Text: m.Search}}}
	if in.To.Offer, err = affiliate.OptionalID[affiliate.OfferID]("offer", "off_", m.Offer); err != nil {
		return in, err
	}
	if in.To.Run, err = affiliate.OptionalID[affiliate.PayoutRunID]("payout_run", "run_", m.PayoutRun); err != nil {
		return in, err
	}
	for _, text := range m.Members {
		id, err := affiliate.ParseID[affiliate.OfferMemberID]("ofm_", text)
		if err != nil {
			return in, affiliate.AboutField("members", err)
		}
		in.To.Members = append(in.To.Members, id)
	}
	for _, text := range m.Creators {
		id, err := affiliate.ParseID[affiliate.CreatorID]("cre_", text)
		if err != nil {
			return in, affiliate.AboutField("creators", err)
		}
		in.To.Creators = append(in.To.Creators, id)
	}
	return in, nil
}

type previewMailingInput struct {
	Body struct {
		NewMailingJSON
		Limit int `json:"limit,omitempty" minimum:"0" maximum:"500" doc:"Of mails, at most; 20, unless it is given"`
	}
}

type mailingPreviewJSON struct {
	Mails   int64           `json:"mails" doc:"That would be sent"`
	Skipped int64           `json:"skipped"`
	Drafts  []mailDraftJSON `json:"drafts" nullable:"false" doc:"By name"`
}

type mailDraftJSON struct {
	Creator string  `json:"creator" example:"cre_1"`
	Name    string  `json:"creator_name"`
	Address string  `json:"address"`
	Subject string  `json:"subject"`
	Text    string  `json:"text"`
	Skipped *string `json:"skipped" doc:"Why it would not be sent; null: it would be"`
}

func (a *API) previewMailing(ctx context.Context, in *previewMailingInput) (*output[mailingPreviewJSON], error) {
	asked, err := in.Body.asked()
	if err != nil {
		return nil, err
	}
	limit := in.Body.Limit
	if limit == 0 {
		limit = 20
	}
	p, err := a.App.PreviewMailing(ctx, asked, limit)
	return one(p, err, func(p app.MailingPreview) mailingPreviewJSON {
		v := mailingPreviewJSON{p.Mails, p.Skipped, make([]mailDraftJSON, len(p.Drafts))}
		for i, d := range p.Drafts {
			v.Drafts[i] = mailDraftJSON{d.Creator.String(), d.Name, d.Address, d.Subject, d.Text, orNull(d.Skipped)}
		}
		return v
	})
}

// MailingJSON is one text to many.
type MailingJSON struct {
	ID        string                        `json:"id" example:"snd_1"`
	Purpose   affiliate.MailPurpose         `json:"purpose"`
	Subject   string                        `json:"subject"`
	Text      string                        `json:"text"`
	Sender    string                        `json:"sender"`
	State     affiliate.MailSendState       `json:"state"`
	Offer     *string                       `json:"offer" example:"off_1"`
	PayoutRun *string                       `json:"payout_run" example:"run_1"`
	Mails     int64                         `json:"mails" doc:"Skipped ones included"`
	States    map[affiliate.MailState]int64 `json:"states" doc:"How many mails are in which state"`
	Actor     string                        `json:"actor" doc:"Who sent it"`
	CreatedAt time.Time                     `json:"created_at"`
	EndedAt   *time.Time                    `json:"ended_at"`
}

// mailingViews shows mailings with how far their mails are.
func (a *API) mailingViews(ctx context.Context,
	list []affiliate.MailSend) (map[affiliate.MailSendID]MailingJSON, error) {
	ids := make([]affiliate.MailSendID, len(list))
	for i, s := range list {
		ids[i] = s.ID
	}
	counts, err := a.App.DB.MailCounts(ctx, ids)
	views := make(map[affiliate.MailSendID]MailingJSON, len(list))
	for _, s := range list {
		v := MailingJSON{ID: s.ID.String(), Purpose: s.Purpose, Subject: s.Subject, Text: s.Body, Sender: s.Sender,
			State: s.State, Mails: s.Mails, States: counts[s.ID], Actor: s.Actor, CreatedAt: s.CreatedAt.UTC(),
			EndedAt: web.TimeOrNull(s.EndedAt)}
		if s.OfferID != 0 {
			v.Offer = orNull(s.OfferID.String())
		}
		if s.PayoutRunID != 0 {
			v.PayoutRun = orNull(s.PayoutRunID.String())
		}
		views[s.ID] = v
	}
	return views, err
}

func (a *API) mailingView(ctx context.Context, s affiliate.MailSend, err error) (*output[MailingJSON], error) {
	if err != nil {
		return nil, err
	}
	views, err := a.mailingViews(ctx, []affiliate.MailSend{s})
	return one(views[s.ID], err, func(v MailingJSON) MailingJSON { return v })
}

type createMailingInput struct{ Body NewMailingJSON }

func (a *API) createMailing(ctx context.Context, in *createMailingInput) (*output[MailingJSON], error) {
	asked, err := in.Body.asked()
	if err != nil {
		return nil, err
	}
	s, err := a.App.SendMailing(ctx, asked)
	return a.mailingView(ctx, s, err)
}

type listMailingsInput struct{ PageInput }

func (a *API) listMailings(ctx context.Context, in *listMailingsInput) (*listOutput[MailingJSON], error) {
	list, next, err := a.App.DB.MailSends(ctx, in.page())
	if err != nil {
		return nil, err
	}
	views, err := a.mailingViews(ctx, list)
	return listPage(list, next, err, func(s affiliate.MailSend) MailingJSON { return views[s.ID] })
}

// MailingPath names a mailing.
type MailingPath struct {
	ID string `path:"id" example:"snd_1"`
}

func (a *API) getMailing(ctx context.Context, in *MailingPath) (*output[MailingJSON], error) {
	id, err := idPath[affiliate.MailSendID]("snd_", in.ID)
	if err != nil {
		return nil, err
	}
	s, err := a.App.DB.MailSend(ctx, id)
	return a.mailingView(ctx, s, err)
}

func (a *API) cancelMailing(ctx context.Context, in *MailingPath) (*output[MailingJSON], error) {
	id, err := idPath[affiliate.MailSendID]("snd_", in.ID)
	if err != nil {
		return nil, err
	}
	s, err := a.App.CancelMailing(ctx, id)
	return a.mailingView(ctx, s, err)
}

// MailJSON is one mail to one creator.
type MailJSON struct {
	ID          string              `json:"id" example:"mai_1"`
	Mailing     string              `json:"mailing" example:"snd_1"`
	Creator     string              `json:"creator" example:"cre_1"`
	CreatorName string              `json:"creator_name"`
	OfferMember *string             `json:"offer_member" example:"ofm_1"`
	Address     string              `json:"address"`
	State       affiliate.MailState `json:"state" doc:"ending: all of it but its last line was handed over, so that the server may have it"`
	Tries       int64               `json:"tries"`
	Code        *int64              `json:"code" doc:"Of the server's last answer"`
	Answer      *string             `json:"answer" doc:"The server's words, or why it is not sent"`
	MessageID   string              `json:"message_id"`
	NextAt      *time.Time          `json:"next_at" doc:"When it is tried next"`
	SentAt      *time.Time          `json:"sent_at"`
	CreatedAt   time.Time           `json:"created_at"`
}

func mailView(m affiliate.Mail) MailJSON {
	v := MailJSON{ID: m.ID.String(), Mailing: m.SendID.String(), Creator: m.CreatorID.String(), CreatorName: m.Creator,
		Address: m.Address, State: m.State, Tries: m.Tries, Answer: orNull(m.Answer), MessageID: m.MessageID,
		NextAt: web.TimeOrNull(m.NextAt), SentAt: web.TimeOrNull(m.SentAt), CreatedAt: m.CreatedAt.UTC()}
	if m.OfferMemberID != 0 {
		v.OfferMember = orNull(m.OfferMemberID.String())
	}
	if m.Code != 0 {
		v.Code = &m.Code
	}
	return v
}

type listMailsInput struct {
	PageInput
	Mailing string              `query:"mailing" example:"snd_1"`
	Creator string              `query:"creator" example:"cre_1"`
	State   affiliate.MailState `query:"state"`
	Search  string              `query:"q" doc:"In the creator's name or the address"`
}

func (a *API) listMails(ctx context.Context, in *listMailsInput) (*listOutput[MailJSON], error) {
	f := storage.MailFilter{State: in.State, Search: in.Search}
	var err error
	if f.Send, err = affiliate.OptionalID[affiliate.MailSendID]("mailing", "snd_", in.Mailing); err != nil {
		return nil, err
	}
	if f.Creator, err = affiliate.OptionalID[affiliate.CreatorID]("creator", "cre_", in.Creator); err != nil {
		return nil, err
	}
	list, next, err := a.App.DB.Mails(ctx, f, in.page())
	return listPage(list, next, err, mailView)
}

// MailPath names a mail.
type MailPath struct {
	ID string `path:"id" example:"mai_1"`
}

func (a *API) retryMail(ctx context.Context, in *MailPath) (*output[MailJSON], error) {
	id, err := idPath[affiliate.MailID]("mai_", in.ID)
	if err != nil {
		return nil, err
	}
	m, err := a.App.RetryMail(ctx, id)
	return one(m, err, mailView)
}

// SuppressionJSON is an address that gets no mail.
type SuppressionJSON struct {
	Address   string                      `json:"address" example:"anna@creators.example"`
	Reason    affiliate.SuppressionReason `json:"reason" doc:"unsubscribed: it gets mails about money alone; bounced and by_hand: it gets none"`
	Note      string                      `json:"note" doc:"The server's words, or somebody's"`
	Author    *string                     `json:"author" doc:"null: the recipient, or their server"`
	CreatedAt time.Time                   `json:"created_at"`
}

func suppressionView(s affiliate.Suppression) SuppressionJSON {
	return SuppressionJSON{s.Address, s.Reason, s.Note, orNull(s.Author), s.CreatedAt.UTC()}
}

type listSuppressionsInput struct {
	PageInput
	Search string `query:"q" doc:"Somewhere in the address"`
}

func (a *API) listSuppressions(ctx context.Context,
	in *listSuppressionsInput) (*listOutput[SuppressionJSON], error) {
	list, next, err := a.App.DB.Suppressions(ctx, in.Search, in.page())
	return listPage(list, next, err, suppressionView)
}

type createSuppressionInput struct {
	Body struct {
		Address string `json:"address" example:"anna@creators.example"`
		Note    string `json:"note,omitempty"`
	}
}

func (a *API) createSuppression(ctx context.Context, in *createSuppressionInput) (*output[SuppressionJSON], error) {
	s, err := a.App.Suppress(ctx, in.Body.Address, in.Body.Note)
	return one(s, err, suppressionView)
}

type deleteSuppressionInput struct {
	Address string `path:"address"`
}

type allowedMailJSON struct {
	Address string `json:"address"`
}

func (a *API) deleteSuppression(ctx context.Context, in *deleteSuppressionInput) (*output[allowedMailJSON], error) {
	err := a.App.AllowMail(ctx, in.Address)
	return one(in.Address, err, func(address string) allowedMailJSON { return allowedMailJSON{address} })
}
