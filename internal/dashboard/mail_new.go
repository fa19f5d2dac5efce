package dashboard

import (
	"crypto/rand"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/export"
	"github.com/tributaryhq/tributary/internal/storage"
)

// recipients is whom a mailing goes to, as a form or an address says it.
type recipients struct {
	To       app.MailTo
	Who      string                  // in words: "All 12 creators of Ten percent"
	Purposes []affiliate.MailPurpose // that it may be for, the usual one first
	Fields   []hiddenField           // that say the same in another form
	Back     string                  // where they were chosen
}

// recipientFields say in forms and addresses whom a mailing is for. The ids are those of offer members, of creators, or
// of payments that are due (dueValue); with an offer, those of creators are its members.
var recipientFields = []string{"offer", "ids", "all", "q", "without", "payout_run", "due", "run"}

// recipients reads whom a mailing is for. Nobody is named: all its fields are empty.
func (r *request) recipients() (who recipients, err error) {
	who.Fields = hiddenFields(r.either, recipientFields...)
	switch {
	case r.one("run") != "":
		err = r.recipientsOfRun(&who)
	case r.one("payout_run") != "":
		err = r.recipientsOfPayoutRun(&who)
	case r.one("offer") != "":
		err = r.recipientsOfOffer(&who)
	case len(r.either("ids")) > 0:
		err = r.recipientsByID(&who)
	case r.one("due") != "":
		who.To.Due, who.Who, who.Back = true, "Everybody to whom something is due now", "/payouts"
		who.Purposes = []affiliate.MailPurpose{affiliate.MailDetails, affiliate.MailStatement}
	}
	return who, err
}

// recipientsOfRun are those whose codes a code run made or changed.
func (r *request) recipientsOfRun(who *recipients) error {
	id, err := affiliate.ParseID[affiliate.CodeRunID]("cru_", r.one("run"))
	if err != nil {
		return affiliate.FieldErrorf("run", "names no code run; open the page of the run again")
	}
	ctx := r.Request.Context()
	run, err := r.d.App.DB.CodeRun(ctx, id)
	if err != nil {
		return err
	}
	if run.OfferID == 0 {
		return affiliate.FieldErrorf("run", "is of several offers; choose the creators on the page of an offer")
	}
	items, err := storage.All(func(p storage.Page) ([]storage.CodeItemRow, string, error) {
		return r.d.App.DB.CodeItemPage(ctx, storage.CodeItemFilter{Run: id,
			States: []affiliate.CodeItemState{affiliate.ItemDone}}, p)
	})
	if err != nil {
		return err
	}
	who.To.Offer = run.OfferID
	for _, item := range items {
		if !slices.Contains(who.To.Members, item.OfferMemberID) {
			who.To.Members = append(who.To.Members, item.OfferMemberID)
		}
	}
	if len(who.To.Members) == 0 {
		return affiliate.FieldErrorf("run", "has changed nobody's codes yet")
	}
	who.Who = counted(int64(len(who.To.Members)), "creator", "creators") + " whose codes the run has changed"
	who.Purposes, who.Back = ofOffers, codeRunAddress(id)
	return nil
}

// ofOffers are what mails to members of an offer are for.
var ofOffers = []affiliate.MailPurpose{affiliate.MailCode, affiliate.MailMessage}

// recipientsOfPayoutRun are those whom a payout run paid.
func (r *request) recipientsOfPayoutRun(who *recipients) error {
	id, err := affiliate.ParseID[affiliate.PayoutRunID]("run_", r.one("payout_run"))
	if err != nil {
		return affiliate.FieldErrorf("payout_run", "names no payout run; open its page again")
	}
	b, err := r.d.App.DB.PayoutRun(r.Request.Context(), id)
	if err != nil {
		return err
	}
	who.To.Run, who.Who = id, "Everybody whom the payout run of "+r.payoutRunLine(b).Title+" paid"
	who.Purposes, who.Back = []affiliate.MailPurpose{affiliate.MailPaid}, payoutRunAddress(id)
	return nil
}

// recipientsOfOffer are members of an offer: some, or all that a search finds.
func (r *request) recipientsOfOffer(who *recipients) error {
	id, err := affiliate.ParseID[affiliate.OfferID]("off_", r.one("offer"))
	if err != nil {
		return affiliate.FieldErrorf("offer", "names no offer; choose one")
	}
	ctx := r.Request.Context()
	o, err := r.d.App.DB.Offer(ctx, id)
	if err != nil {
		return err
	}
	who.To.Offer, who.Purposes, who.Back = id, ofOffers, offerCodesAddress(o)
	if ids := r.either("ids"); len(ids) > 0 && r.one("all") == "" {
		if who.To.Members, err = r.membersNamed(o, ids); err != nil {
			return err
		}
		who.Who = counted(int64(len(who.To.Members)), "creator", "creators") + " of " + o.Name
		return nil
	}
	who.To.Search = r.memberSearchOf(o)
	n, err := r.d.App.DB.CountOfferMembers(ctx, who.To.Search, r.d.App.Now())
	if err != nil {
		return err
	}
	who.Who = "All " + counted(n, "creator", "creators") + " of " + o.Name
	if n == 1 {
		who.Who = "The one creator of " + o.Name
	}
	if r.one("q")+r.one("without") != "" {
		who.Who += " that the list found"
	}
	who.Fields = slices.DeleteFunc(who.Fields, func(f hiddenField) bool { return f.Name == "ids" })
	return nil
}

// membersNamed are members of an offer by their own ids or by those of the creators.
func (r *request) membersNamed(o affiliate.Offer, ids []string) (list []affiliate.OfferMemberID, err error) {
	if !slices.ContainsFunc(ids, func(id string) bool { return strings.HasPrefix(id, "cre_") }) {
		return affiliate.ParseIDs[affiliate.OfferMemberID]("ids", "ofm_", ids)
	}
	creators, err := affiliate.ParseIDs[affiliate.CreatorID]("ids", "cre_", ids)
	if err != nil {
		return nil, err
	}
	members, err := storage.All(func(p storage.Page) ([]storage.OfferMemberItem, string, error) {
		return r.d.App.DB.OfferMemberPage(r.Request.Context(), storage.OfferMemberSearch{Offer: o.ID}, r.d.App.Now(), p)
	})
	for _, m := range members {
		if slices.Contains(creators, m.CreatorID) {
			list = append(list, m.ID)
		}
	}
	if err == nil && len(list) == 0 {
		err = affiliate.FieldErrorf("ids", "none of them is in the offer any more; open the list again")
	}
	return list, err
}

// recipientsByID are creators, whatever they are in. What is due to somebody stands for whoever it is due to.
func (r *request) recipientsByID(who *recipients) (err error) {
	var ids []string
	for _, id := range r.either("ids") {
		if id, _, _ = strings.Cut(id, "."); !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	if who.To.Creators, err = affiliate.ParseIDs[affiliate.CreatorID]("ids", "cre_", ids); err != nil {
		return err
	}
	who.Who, who.Back = counted(int64(len(ids)), "creator", "creators"), "/creators"
	if len(ids) == 1 {
		c, err := r.d.App.DB.Creator(r.Request.Context(), who.To.Creators[0])
		if err != nil {
			return err
		}
		who.Who, who.Back = c.Name, creatorAddress(c.ID)
	}
	who.Purposes = []affiliate.MailPurpose{affiliate.MailMessage, affiliate.MailStatement, affiliate.MailDetails}
	return nil
}

// newMailingPage asks what a mailing says, or, while nobody is chosen, to whom it goes.
type newMailingPage struct {
	mailHead
	recipients
	Purpose       affiliate.MailPurpose
	About         string // what the purpose is for
	Choices       []choice
	Subject, Body string
	Own           mailTextLine // the text that all mails of the purpose begin with
	Fields        []mailField  // that the text may have
	Hidden        []hiddenField
	Month         string
	Months        []choice // of a statement; none of anything else
	Key           string
	Offers        []choice // to choose from while nobody is chosen
	Errors        fieldErrors
}

func (r *request) newMailingPage() error {
	who, err := r.recipients()
	if err != nil {
		return err
	}
	if len(who.Purposes) == 0 {
		return r.chooseRecipients(http.StatusOK, "")
	}
	p, err := r.newMailing(who)
	if err != nil {
		return err
	}
	return r.show("mail_new.html", p)
}

// chooseRecipients asks to whom a mailing goes.
func (r *request) chooseRecipients(status int, failure string) error {
	head, err := r.mailHead("mailings", "New mailing")
	if err != nil {
		return err
	}
	p := newMailingPage{mailHead: head}
	p.Failure = failure
	offers, _, err := r.d.App.DB.Offers(r.Request.Context(), 0, storage.Page{Limit: storage.MaxLimit})
	if err != nil {
		return err
	}
	campaigns, err := r.campaignChoices()
	if err != nil {
		return err
	}
	for _, o := range offers {
		title := o.Name
		if i := slices.IndexFunc(campaigns, func(c choice) bool { return c.Value == o.CampaignID.String() }); i >= 0 {
			title = campaigns[i].Title + " · " + o.Name
		}
		p.Offers = append(p.Offers, choice{o.ID.String(), title})
	}
	r.render(status, "mail_to.html", &p)
	return nil
}

// newMailing fills the form: with what was typed, or with the text of the purpose.
func (r *request) newMailing(who recipients) (*newMailingPage, error) {
	p := &newMailingPage{recipients: who, Purpose: who.Purposes[0], Subject: r.field("subject"),
		Body: unixLines(r.field("body")), Key: r.field("key"), Month: r.one("month")}
	wanted := affiliate.MailPurpose(r.one("purpose"))
	if other := affiliate.MailPurpose(r.field("other")); other != "" {
		wanted, p.Subject, p.Body = other, "", ""
	}
	if slices.Contains(who.Purposes, wanted) {
		p.Purpose = wanted
	}
	var err error
	if p.mailHead, err = r.mailHead("mailings", "New mailing"); err != nil {
		return nil, err
	}
	text, err := r.d.App.MailText(r.Request.Context(), p.Purpose)
	if err != nil {
		return nil, err
	}
	if p.Own = r.mailTextLine(text); p.Subject == "" && p.Body == "" {
		p.Subject, p.Body = text.Subject, text.Body
	}
	if p.Key == "" {
		p.Key = rand.Text()
	}
	p.About, p.Fields, p.Hidden = mailPurposes[p.Purpose].About, mailFields(p.Purpose), who.Fields
	for _, purpose := range who.Purposes {
		p.Choices = append(p.Choices, choice{string(purpose), mailPurposes[purpose].Title})
	}
	if p.Purpose == affiliate.MailStatement {
		r.statementMonths(p)
	}
	return p, nil
}

// statementMonths offers the months that a statement may be of; the usual one is that which has ended last.
func (r *request) statementMonths(p *newMailingPage) {
	const months = 24
	now := r.d.App.Now().In(r.zone)
	for n := range months {
		month := time.Date(now.Year(), now.Month()-time.Month(n), 1, 0, 0, 0, 0, time.UTC)
		p.Months = append(p.Months, choice{month.Format("2006-01"), month.Format("January 2006")})
	}
	if p.Month == "" {
		p.Month = p.Months[1].Value
	}
}

// asked is what the form asks for.
func (p *newMailingPage) asked() app.NewMailing {
	in := app.NewMailing{Purpose: p.Purpose, Subject: p.Subject, Body: p.Body, To: p.To, Key: p.Key}
	if p.Purpose == affiliate.MailStatement {
		in.Month = p.Month
	}
	return in
}

// How much of a mailing its preview looks through, and how much of that it shows.
const (
	previewed    = 500
	shownDrafts  = 3  // of those that would be sent
	copiedDrafts = 50 // where there is no server, and people copy the texts
	shownLeavers = 100
)

// mailPreviewPage shows what a mailing would be.
type mailPreviewPage struct {
	*newMailingPage
	Mails   int64
	Skipped int64
	Drafts  []draftLine
	LeftOut []leftOutMails
	More    int64 // that are left out, and not named
}

// draftLine is a mail that would be sent.
type draftLine struct {
	app.DraftMail
	Prose []paragraph
	ID    string // of its text, within the page
}

// leftOutMails are recipients to whom nothing is sent, for one reason.
type leftOutMails struct {
	Why   string
	Names []leaver
}

// leaver is a creator who is left out.
type leaver struct{ Name, Address string }

// askForMailing shows the form, or what the mailing would be, or gives all its mails as a file.
func (r *request) askForMailing() error {
	who, err := r.recipients()
	if err != nil {
		return err
	}
	if len(who.Purposes) == 0 {
		return r.chooseRecipients(http.StatusUnprocessableEntity, "Nobody is selected; choose to whom it goes.")
	}
	p, err := r.newMailing(who)
	if err != nil {
		return err
	}
	switch r.field("do") {
	case "preview":
		return r.previewMailing(p)
	case "csv":
		return r.sendDrafts(p)
	}
	return r.show("mail_new.html", p)
}

// refuseMailing shows the form again, with what is wrong with it.
func (r *request) refuseMailing(p *newMailingPage, err error) error {
	if p.Errors, err = formErrors(err); err != nil {
		return err
	}
	p.Failure = unseenError(p.Errors, "", "subject", "body", "month")
	r.render(http.StatusUnprocessableEntity, "mail_new.html", p)
	return nil
}

func (r *request) previewMailing(p *newMailingPage) error {
	preview, err := r.d.App.PreviewMailing(r.Request.Context(), p.asked(), previewed)
	if err != nil {
		return r.refuseMailing(p, err)
	}
	page := mailPreviewPage{newMailingPage: p, Mails: preview.Mails, Skipped: preview.Skipped, More: preview.Skipped}
	shown := shownDrafts
	if p.Off() {
		shown = copiedDrafts
	}
	for _, d := range preview.Drafts {
		switch {
		case d.Skipped != "" && preview.Skipped-page.More < shownLeavers:
			page.leaveOut(d)
		case d.Skipped == "" && len(page.Drafts) < shown:
			page.Drafts = append(page.Drafts, draftLine{d, proseOf(d.Text), "text-" + d.Creator.String()})
		}
	}
	return r.show("mail_preview.html", &page)
}

// leaveOut names somebody among those who are left out for the same reason.
func (p *mailPreviewPage) leaveOut(d app.DraftMail) {
	who, why := leaver{d.Name, creatorAddress(d.Creator)}, plainReason(d.Skipped)
	p.More--
	if i := slices.IndexFunc(p.LeftOut, func(l leftOutMails) bool { return l.Why == why }); i >= 0 {
		p.LeftOut[i].Names = append(p.LeftOut[i].Names, who)
		return
	}
	p.LeftOut = append(p.LeftOut, leftOutMails{why, []leaver{who}})
}

// sendDrafts gives all mails of a mailing as a file, for whoever sends them from elsewhere.
func (r *request) sendDrafts(p *newMailingPage) error {
	ctx := r.Request.Context()
	preview, err := r.d.App.PreviewMailing(ctx, p.asked(), math.MaxInt32)
	if err != nil {
		return r.refuseMailing(p, err)
	}
	return r.download(export.CSV, affiliate.Range{}, func(o app.ExportOptions) error {
		w, err := o.Begin(preview.Mails)
		if err != nil {
			return err
		}
		t, err := export.New(ctx, w, []export.Column{{Name: "Name"}, {Name: "Address"}, {Name: "Subject"},
			{Name: "Text"}}, export.Options{Format: o.Format, BOM: o.BOM})
		if err != nil {
			return err
		}
		for _, d := range preview.Drafts {
			if d.Skipped != "" {
				continue
			}
			for _, text := range []string{d.Name, d.Address, d.Subject, d.Text} {
				t.Text(text)
			}
			if err := t.EndRow(); err != nil {
				return err
			}
		}
		return t.Close()
	}, "mails")
}

// sendMailing sends what was previewed. The key in the form has a second click send nothing more.
func (r *request) sendMailing() error {
	who, err := r.recipients()
	if err != nil {
		return err
	}
	if len(who.Purposes) == 0 {
		return r.chooseRecipients(http.StatusUnprocessableEntity, "Nobody is selected; choose to whom it goes.")
	}
	p, err := r.newMailing(who)
	if err != nil {
		return err
	}
	s, err := r.d.App.SendMailing(r.Request.Context(), p.asked())
	if err != nil {
		return r.refuseMailing(p, err)
	}
	return r.done(mailingAddress(s.ID), "It has begun; you may leave this page. What becomes of each mail shows here.")
}

// unixLines ends lines as texts here do; browsers send them with a carriage return.
func unixLines(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }
