package dashboard

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/app"
	"github.com/tributaryhq/tributary/internal/storage"
)

func mailRoutes() []route {
	change := may(affiliate.MayChangeCatalog)
	return []route{
		{http.MethodGet, "/mail", change, (*request).mailPage},
		{http.MethodPost, "/mail", change, (*request).sendMailing},
		{http.MethodGet, "/mail/new", change, (*request).newMailingPage},
		{http.MethodPost, "/mail/new", change, (*request).askForMailing},
		{http.MethodGet, "/mail/inbox", change, (*request).inboxPage},
		{http.MethodGet, "/mail/texts", change, (*request).mailTextsPage},
		{http.MethodGet, "/mail/texts/:purpose", change, (*request).mailTextPage},
		{http.MethodPost, "/mail/texts/:purpose", change, (*request).saveMailText},
		{http.MethodPost, "/mail/texts/:purpose/sample", change, (*request).sampleMailText},
		{http.MethodPost, "/mail/texts/:purpose/test", change, (*request).testMailText},
		{http.MethodPost, "/mail/texts/:purpose/reset", change, (*request).resetMailText},
		{http.MethodGet, "/mail/suppressions", change, (*request).suppressionsPage},
		{http.MethodPost, "/mail/suppressions", change, (*request).suppress},
		{http.MethodPost, "/mail/suppressions/end", change, (*request).allowMail},
		{http.MethodGet, "/mail/:send", change, (*request).mailingPage},
		{http.MethodPost, "/mail/:send/cancel", change, (*request).cancelMailing},
		{http.MethodPost, "/mail/:send/retry", change, (*request).retryMails},
		{http.MethodGet, "/mail/:send/:mail", change, (*request).letterPage},
	}
}

func mailingAddress(id affiliate.MailSendID) string { return "/mail/" + id.String() }

func letterAddress(m affiliate.Mail) string { return mailingAddress(m.SendID) + "/" + m.ID.String() }

// mailHead is what the pages about mail share.
type mailHead struct {
	layout
	Tab   string // mailings, texts, suppressions, inbox
	State app.MailState
}

// Off says whether no mail can be sent from here: no server is set, and it is no demo.
func (h mailHead) Off() bool { return !h.State.Ready && !h.State.Demo }

func (r *request) mailHead(tab, title string) (mailHead, error) {
	state, err := r.d.App.MailState(r.Request.Context())
	state.Why = sentenceOf("", state.Why)
	return mailHead{layout: r.layout(title, "mail"), Tab: tab, State: state}, err
}

// mailingBadges are the states of mailings.
var mailingBadges = map[affiliate.MailSendState]badge{affiliate.MailSending: {"info", "refresh", "Sending"},
	affiliate.MailSendDone: {"good", "check", "Done"}, affiliate.MailSendCanceled: {"", "cross", "Canceled"}}

// mailBadges are the states of mails.
var mailBadges = map[affiliate.MailState]badge{affiliate.MailQueued: {"", "clock", "Waiting"},
	affiliate.MailTrying: {"info", "refresh", "Being sent"},
	affiliate.MailEnding: {"info", "refresh", "Awaits the answer"}, affiliate.MailSent: {"good", "check", "Sent"},
	affiliate.MailRefused: {"bad", "alert", "Refused"}, affiliate.MailSkipped: {"warn", "minus", "Left out"},
	affiliate.MailCanceled: {"", "cross", "Canceled"}}

// suppressionBadges say why an address gets no mail.
var suppressionBadges = map[affiliate.SuppressionReason]badge{
	affiliate.Unsubscribed: {"warn", "minus", "Unsubscribed"}, affiliate.Bounced: {"bad", "alert", "No such address"},
	affiliate.SuppressedByHand: {"warn", "pause", "Stopped by hand"}}

// mailingLine is a mailing as lists show it.
type mailingLine struct {
	affiliate.MailSend
	Address string
	Title   string // what it is for
	Badge   badge
	By      string
	Made    string
	Ended   string
	Counts  map[affiliate.MailState]int64
}

// N is how many of its mails are in a state.
func (l mailingLine) N(state string) int64 { return l.Counts[affiliate.MailState(state)] }

// Waiting is how many of its mails are still to be sent.
func (l mailingLine) Waiting() int64 {
	return l.Counts[affiliate.MailQueued] + l.Counts[affiliate.MailTrying] + l.Counts[affiliate.MailEnding]
}

// Total is how many mails there are, without those that were left out.
func (l mailingLine) Total() (n int64) {
	for state, count := range l.Counts {
		if state != affiliate.MailSkipped {
			n += count
		}
	}
	return n
}

// Over is how many of them are done with, well or not.
func (l mailingLine) Over() int64 { return l.Total() - l.Waiting() }

// Open says whether something is still to be sent.
func (l mailingLine) Open() bool { return l.State == affiliate.MailSending }

func (r *request) mailingLine(s affiliate.MailSend, counts map[affiliate.MailState]int64) mailingLine {
	l := mailingLine{MailSend: s, Address: mailingAddress(s.ID), Title: mailPurposes[s.Purpose].Title,
		Badge: mailingBadges[s.State], By: actorText(s.Actor), Made: r.moment(s.CreatedAt), Ended: r.moment(s.EndedAt),
		Counts: counts}
	if s.State == affiliate.MailSendDone && counts[affiliate.MailRefused] > 0 {
		l.Badge = badge{"bad", "alert", "Done, some refused"}
	}
	return l
}

// mailPage tells how sending stands, and lists the mailings.
type mailPage struct {
	mailHead
	Rows  []mailingLine
	Open  bool // some are being sent
	Pager pager
}

func (r *request) mailPage() error {
	ctx := r.Request.Context()
	head, err := r.mailHead("mailings", "Mail")
	if err != nil {
		return err
	}
	p := mailPage{mailHead: head}
	list, next, err := r.d.App.DB.MailSends(ctx, r.page())
	if err != nil {
		return err
	}
	ids := make([]affiliate.MailSendID, len(list))
	for i, s := range list {
		ids[i] = s.ID
	}
	counts, err := r.d.App.DB.MailCounts(ctx, ids)
	if err != nil {
		return err
	}
	for _, s := range list {
		line := r.mailingLine(s, counts[s.ID])
		p.Open = p.Open || line.Open()
		p.Rows = append(p.Rows, line)
	}
	p.Pager = r.pager(next)
	return r.show("mail.html", &p)
}

// mailLine is a mail as lists show it.
type mailLine struct {
	affiliate.Mail
	Profile string // address of the creator
	Letter  string // address of what they read; empty where nothing was written to them
	Badge   badge
	Words   string // the server's
	Why     string // it is not sent, or not yet
	Sent    string
	Next    string // when it is tried again
	Again   bool   // it can be tried again
}

func (r *request) mailLines(list []affiliate.Mail) (lines []mailLine) {
	for _, m := range list {
		l := mailLine{Mail: m, Profile: creatorAddress(m.CreatorID), Badge: mailBadges[m.State],
			Sent: r.moment(m.SentAt)}
		if m.State != affiliate.MailSkipped {
			l.Letter, l.Words = letterAddress(m), m.Answer
		} else {
			l.Why = plainReason(m.Answer)
		}
		if m.State == affiliate.MailQueued && m.Tries > 0 {
			l.Next = r.moment(m.NextAt)
		}
		l.Again = m.State == affiliate.MailRefused || m.State == affiliate.MailSkipped
		lines = append(lines, l)
	}
	return lines
}

// mailingPage is one mailing: how far it has come, and what became of each mail.
type mailingPage struct {
	mailHead
	Mailing mailingLine
	About   string // the offer or payout run that it is about, by name; empty for none
	Behind  string // its address
	Rows    []mailLine
	Filters []itemFilter
	Chosen  affiliate.MailState
	Text    string
	Pager   pager
	Here    string
}

func (r *request) mailing() (affiliate.MailSend, error) {
	id, err := idParam[affiliate.MailSendID](r, "send", "snd_")
	if err != nil {
		return affiliate.MailSend{}, err
	}
	return r.d.App.DB.MailSend(r.Request.Context(), id)
}

func (r *request) mailingPage() error {
	s, err := r.mailing()
	if err != nil {
		return err
	}
	p, err := r.readMailing(s)
	if err != nil {
		return err
	}
	return r.show("mailing.html", p)
}

func (r *request) readMailing(s affiliate.MailSend) (*mailingPage, error) {
	ctx, db := r.Request.Context(), r.d.App.DB
	head, err := r.mailHead("mailings", s.Subject)
	if err != nil {
		return nil, err
	}
	p := &mailingPage{mailHead: head, Text: strings.TrimSpace(r.Query("q")),
		Chosen: affiliate.MailState(r.Query("state")), Here: r.here()}
	if p.Chosen != "" {
		if err := affiliate.CheckWord("state", p.Chosen); err != nil {
			return nil, err
		}
	}
	if p.About, p.Behind, err = r.mailingAbout(s); err != nil {
		return nil, err
	}
	counts, err := db.MailCounts(ctx, []affiliate.MailSendID{s.ID})
	if err != nil {
		return nil, err
	}
	p.Mailing = r.mailingLine(s, counts[s.ID])
	mails, next, err := db.Mails(ctx, storage.MailFilter{Send: s.ID, State: p.Chosen, Search: p.Text}, r.page())
	if err != nil {
		return nil, err
	}
	p.Rows, p.Pager = r.mailLines(mails), r.pager(next)
	p.Filters = []itemFilter{{Title: "All", Address: r.with("state", ""), Chosen: p.Chosen == ""}}
	for _, state := range affiliate.Words[affiliate.MailState]() {
		if n := p.Mailing.Counts[state]; n > 0 || state == p.Chosen {
			p.Filters[0].N += n
			p.Filters = append(p.Filters, itemFilter{Title: mailBadges[state].Text, Address: r.with("state",
				string(state)), N: n, Chosen: state == p.Chosen})
		}
	}
	return p, nil
}

// mailingAbout gives name and address of the offer or the payout run that a mailing is about.
func (r *request) mailingAbout(s affiliate.MailSend) (name, address string, err error) {
	ctx, db := r.Request.Context(), r.d.App.DB
	switch {
	case s.OfferID != 0:
		o, err := db.Offer(ctx, s.OfferID)
		return o.Name, offerAddress(o), err
	case s.PayoutRunID != 0:
		b, err := db.PayoutRun(ctx, s.PayoutRunID)
		return "Payout run of " + r.payoutRunLine(b).Title, payoutRunAddress(s.PayoutRunID), err
	}
	return "", "", nil
}

// onMailing does something with a mailing and goes back to it, or shows it again with why nothing was done.
func (r *request) onMailing(do func(affiliate.MailSend) (notice string, err error)) error {
	s, err := r.mailing()
	if err != nil {
		return err
	}
	notice, err := do(s)
	if err == nil {
		return r.done(back(r.field("back"), mailingAddress(s.ID)), notice)
	}
	if r.GetHeader("X-Quiet") != "" {
		return err
	}
	errs, err := formErrors(err)
	if err != nil {
		return err
	}
	p, err := r.readMailing(s)
	if err != nil {
		return err
	}
	p.Failure = unseenError(errs)
	r.render(http.StatusUnprocessableEntity, "mailing.html", p)
	return nil
}

func (r *request) cancelMailing() error {
	return r.onMailing(func(s affiliate.MailSend) (string, error) {
		_, err := r.d.App.CancelMailing(r.Request.Context(), s.ID)
		return "The rest is canceled. What was sent stays sent.", err
	})
}

// retryMails tries one mail again, or all of a mailing that were refused, but for those that would come to nothing.
func (r *request) retryMails() error {
	return r.onMailing(func(s affiliate.MailSend) (string, error) {
		ctx := r.Request.Context()
		ids, err := affiliate.ParseIDs[affiliate.MailID]("ids", "mai_", r.PostFormArray("ids"))
		if err != nil {
			return "", err
		}
		all := len(ids) == 0
		if all {
			if ids, err = r.refusedMails(s.ID); err != nil {
				return "", err
			}
		}
		var vain error
		n := int64(0)
		for _, id := range ids {
			m, err := r.d.App.DB.Mail(ctx, id)
			if err == nil && m.SendID != s.ID {
				err = affiliate.NoSuch(id)
			}
			if err == nil {
				_, err = r.d.App.RetryMail(ctx, id)
			}
			switch {
			case err == nil:
				n++
			case all && affiliate.KindOf(err) == affiliate.Conflict:
				vain = err
			default:
				return "", err
			}
		}
		if n == 0 && vain != nil {
			return "", vain
		}
		return counted(n, "mail is", "mails are") + " tried again.", nil
	})
}

// refusedMails are those of a mailing that a server did not take.
func (r *request) refusedMails(id affiliate.MailSendID) (ids []affiliate.MailID, err error) {
	mails, err := storage.All(func(p storage.Page) ([]affiliate.Mail, string, error) {
		return r.d.App.DB.Mails(r.Request.Context(), storage.MailFilter{Send: id, State: affiliate.MailRefused}, p)
	})
	for _, m := range mails {
		ids = append(ids, m.ID)
	}
	if err == nil && len(ids) == 0 {
		err = affiliate.Errorf(affiliate.Conflict, "no mail of this mailing was refused")
	}
	return ids, err
}

// letterOf is a mail as its recipient reads it, for a page: the text as prose, in which addresses can be followed.
type letterOf struct {
	affiliate.OutgoingMail
	Prose []paragraph
}

func newLetter(m affiliate.OutgoingMail) *letterOf { return &letterOf{m, proseOf(m.Text)} }

// paragraph is a list of lines, each of words and addresses.
type paragraph [][]span

// span is a piece of a line. Link is empty for one that leads nowhere.
type span struct{ Text, Link string }

// webAddress is an address in a text. What ends a sentence is no part of it.
var webAddress = regexp.MustCompile(`https?://[^\s<>"]*[^\s<>".,;:!?)\]]`)

// proseOf reads a plain text as mail programs show it.
func proseOf(text string) (all []paragraph) {
	for _, block := range regexp.MustCompile(`\n[ \t]*\n`).Split(strings.ReplaceAll(text, "\r\n", "\n"), -1) {
		if block = strings.Trim(block, "\n"); strings.TrimSpace(block) == "" {
			continue
		}
		var p paragraph
		for line := range strings.SplitSeq(block, "\n") {
			var spans []span
			from := 0
			for _, at := range webAddress.FindAllStringIndex(line, -1) {
				if at[0] > from {
					spans = append(spans, span{Text: line[from:at[0]]})
				}
				spans = append(spans, span{line[at[0]:at[1]], line[at[0]:at[1]]})
				from = at[1]
			}
			if from < len(line) {
				spans = append(spans, span{Text: line[from:]})
			}
			p = append(p, spans)
		}
		all = append(all, p)
	}
	return all
}

// letterPage is one mail as its recipient reads it.
type letterPage struct {
	mailHead
	Mail    mailLine
	Mailing mailingLine
	Letter  *letterOf
	Dated   string
	Here    string
}

func (r *request) letterPage() error {
	ctx := r.Request.Context()
	s, err := r.mailing()
	if err != nil {
		return err
	}
	id, err := idParam[affiliate.MailID](r, "mail", "mai_")
	if err != nil {
		return err
	}
	m, err := r.d.App.DB.Mail(ctx, id)
	if err == nil && m.SendID != s.ID {
		err = affiliate.NoSuch(id)
	}
	if err != nil {
		return err
	}
	letter, err := r.d.App.Letter(ctx, id)
	if err != nil {
		return err
	}
	p := letterPage{Mail: r.mailLines([]affiliate.Mail{m})[0], Mailing: r.mailingLine(s, nil),
		Letter: newLetter(letter), Dated: r.moment(letter.Date), Here: r.here()}
	if p.mailHead, err = r.mailHead("mailings", fmt.Sprintf("%s to %s", letter.Subject, m.Creator)); err != nil {
		return err
	}
	return r.show("mail_letter.html", &p)
}

// inboxPage is what creators got: all mails, or those to one of them.
type inboxPage struct {
	mailHead
	Rows     []inboxLine
	Filter   storage.MailFilter
	Creator  string // name of the one whose mails alone are shown; empty for all
	States   []choice
	Everyone string // address without a creator
	Pager    pager
}

// inboxLine is a mail with its subject.
type inboxLine struct {
	mailLine
	Subject string
	Made    string
}

func (r *request) inboxPage() error {
	ctx, db := r.Request.Context(), r.d.App.DB
	head, err := r.mailHead("inbox", "What creators got")
	if err != nil {
		return err
	}
	p := inboxPage{mailHead: head, Everyone: r.with("creator", ""), Filter: storage.MailFilter{
		State: affiliate.MailState(r.Query("state")), Search: strings.TrimSpace(r.Query("q"))}}
	if p.Filter.State != "" {
		if err := affiliate.CheckWord("state", p.Filter.State); err != nil {
			return err
		}
	}
	if p.Filter.Creator, err = affiliate.OptionalID[affiliate.CreatorID]("creator", "cre_",
		r.Query("creator")); err != nil {
		return err
	}
	if p.Filter.Creator != 0 {
		c, err := db.Creator(ctx, p.Filter.Creator)
		if err != nil {
			return err
		}
		p.Creator = c.Name
	}
	for _, s := range affiliate.Words[affiliate.MailState]() {
		p.States = append(p.States, choice{string(s), mailBadges[s].Text})
	}
	mails, next, err := db.Mails(ctx, p.Filter, r.page())
	if err != nil {
		return err
	}
	if p.Rows, err = r.inboxLines(mails); err != nil {
		return err
	}
	p.Pager = r.pager(next)
	return r.show("mail_inbox.html", &p)
}

// inboxLines gives mails their subjects, with what stands for the fields in them.
func (r *request) inboxLines(mails []affiliate.Mail) (lines []inboxLine, err error) {
	sends := map[affiliate.MailSendID]affiliate.MailSend{}
	for _, m := range mails {
		if _, known := sends[m.SendID]; !known {
			if sends[m.SendID], err = r.d.App.DB.MailSend(r.Request.Context(), m.SendID); err != nil {
				return nil, err
			}
		}
	}
	for _, l := range r.mailLines(mails) {
		send, at := sends[l.SendID], l.SentAt
		if at.IsZero() {
			at = l.CreatedAt
		}
		subject, _ := affiliate.MailText{Purpose: send.Purpose, Subject: send.Subject}.Fill(l.Fields)
		lines = append(lines, inboxLine{l, subject, r.moment(at)})
	}
	return lines, nil
}

// fewMails is how many mails the page of a creator names.
const fewMails = 5

// creatorMail is what the page of a creator tells of mails.
type creatorMail struct {
	Rows  []inboxLine
	All   string // address of all mails to them
	Stops *badge // why their address gets no mail; nil where it does
}

// mailOf reads what the page of a creator tells of mails.
func (r *request) mailOf(c affiliate.Creator) (*creatorMail, error) {
	mails, _, err := r.d.App.DB.Mails(r.Request.Context(), storage.MailFilter{Creator: c.ID},
		storage.Page{Limit: fewMails})
	if err != nil {
		return nil, err
	}
	m := &creatorMail{All: "/mail/inbox?creator=" + c.ID.String()}
	if m.Rows, err = r.inboxLines(mails); err != nil || c.Email == "" {
		return m, err
	}
	address := affiliate.FoldEmail(c.Email)
	found, err := r.d.App.DB.SuppressionsOf(r.Request.Context(), []string{address})
	if s, stopped := found[address]; stopped {
		b := suppressionBadges[s.Reason]
		m.Stops = &b
	}
	return m, err
}
