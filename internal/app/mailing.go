package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
	"github.com/tributaryhq/tributary/internal/money"
	"github.com/tributaryhq/tributary/internal/storage"
)

// MostMails bounds a mailing: its mails are written down in one transaction.
const MostMails = 20_000

// maxMailKey bounds what tells mailings apart, in bytes.
const maxMailKey = 200

// recipient is one whom a mailing is for, before it is known whether they can get it.
type recipient struct {
	creator affiliate.Creator
	member  affiliate.OfferMemberID
	fields  map[affiliate.MailField]string
	skipped string // why they do not get it, as a sentence; empty: they do
}

// mailing is what is asked for, read and looked up.
type mailing struct {
	app        *App
	in         NewMailing
	text       affiliate.MailText
	settings   affiliate.Settings
	zone       *time.Location
	now        time.Time
	recipients []recipient          // by name
	paid       []affiliate.PayoutID // that MailPaid tells of
}

// planMailing looks up whom a mailing goes to, and what stands for the fields of its text. It changes nothing.
func (a *App) planMailing(ctx context.Context, in NewMailing) (*mailing, error) {
	m := &mailing{app: a, in: in, now: a.now()}
	if err := affiliate.CheckWord("purpose", in.Purpose); err != nil {
		return nil, err
	}
	if len(in.Key) > maxMailKey {
		return nil, affiliate.FieldErrorf("key", "must have at most %d bytes", maxMailKey)
	}
	var err error
	if m.text, err = a.MailText(ctx, in.Purpose); err != nil {
		return nil, err
	}
	m.text.Subject, m.text.Body = cmp.Or(in.Subject, m.text.Subject), cmp.Or(in.Body, m.text.Body)
	if m.text, err = affiliate.ParseMailText(m.text); err != nil {
		return nil, err
	}
	if m.settings, err = a.DB.Settings(ctx); err != nil {
		return nil, err
	}
	if m.zone, err = affiliate.LoadZone(m.settings.Timezone); err != nil {
		return nil, err
	}
	if err := m.find(ctx); err != nil {
		return nil, err
	}
	switch n := len(m.recipients); {
	case n == 0:
		return nil, affiliate.FieldErrorf("to", "is nobody; choose other creators")
	case n > MostMails:
		return nil, affiliate.FieldErrorf("to", "is %d creators, and a mailing has at most %d; divide it", n, MostMails)
	}
	slices.SortStableFunc(m.recipients, func(a, b recipient) int {
		return cmp.Or(cmp.Compare(strings.ToLower(a.creator.Name), strings.ToLower(b.creator.Name)),
			cmp.Compare(a.creator.ID, b.creator.ID))
	})
	return m, m.skip(ctx)
}

// find looks up the recipients, each once, with what stands for the fields.
func (m *mailing) find(ctx context.Context) error {
	to, purpose := m.in.To, m.in.Purpose
	named := 0
	for _, is := range []bool{to.Offer != 0, len(to.Creators) > 0, to.Run != 0, to.Due} {
		if is {
			named++
		}
	}
	fits := to.Run != 0
	switch purpose {
	case affiliate.MailChanged:
		return affiliate.FieldErrorf("purpose", "%s is sent by itself alone, as payment details are changed", purpose)
	case affiliate.MailCode:
		fits = to.Offer != 0
	case affiliate.MailDetails, affiliate.MailStatement:
		fits = to.Due || len(to.Creators) > 0
	case affiliate.MailMessage:
		fits = to.Offer != 0 || len(to.Creators) > 0
	}
	if named != 1 || !fits {
		return affiliate.FieldErrorf("to", "must be one of these: members of an offer, for their code or link and for "+
			"messages; creators, for messages, statements and missing payment details; a payout run, for "+
			"payments; or all to whom something is due, for statements and missing payment details")
	}
	var err error
	switch {
	case to.Offer != 0:
		err = m.findMembers(ctx)
	case to.Run != 0:
		err = m.findPaid(ctx)
	default:
		err = m.findOwed(ctx)
	}
	if err != nil {
		return err
	}
	for i := range m.recipients {
		m.recipients[i].common(m.settings.Name)
	}
	if purpose == affiliate.MailStatement {
		return m.addStatements(ctx)
	}
	return nil
}

// common fills the fields that every mail has.
func (r *recipient) common(brand string) {
	if r.fields == nil {
		r.fields = map[affiliate.MailField]string{}
	}
	first, _, _ := strings.Cut(r.creator.Name, " ")
	r.fields[affiliate.FieldCreatorName], r.fields[affiliate.FieldFirstName] = r.creator.Name, first
	r.fields[affiliate.FieldBrand] = brand
}

// findMembers finds members of an offer.
func (m *mailing) findMembers(ctx context.Context) error {
	to := m.in.To
	if len(to.Members) > MostMails {
		return affiliate.FieldErrorf("members", "are %d, and a mailing has at most %d; divide it", len(to.Members),
			MostMails)
	}
	search := to.Search
	search.Offer = to.Offer
	var items []storage.OfferMemberItem
	page := func(search storage.OfferMemberSearch) error {
		list, err := storage.All(func(p storage.Page) ([]storage.OfferMemberItem, string, error) {
			return m.app.DB.OfferMemberPage(ctx, search, m.now, p)
		})
		items = append(items, list...)
		return err
	}
	if to.Members == nil {
		search.Active = true
		if err := page(search); err != nil {
			return err
		}
	}
	members := slices.Compact(slices.Sorted(slices.Values(to.Members)))
	for part := range slices.Chunk(members, 1000) {
		if err := page(storage.OfferMemberSearch{Offer: to.Offer, IDs: part}); err != nil {
			return err
		}
	}
	if len(members) > len(items) {
		at := slices.IndexFunc(members, func(id affiliate.OfferMemberID) bool {
			return !slices.ContainsFunc(items, func(i storage.OfferMemberItem) bool { return i.ID == id })
		})
		return affiliate.FieldErrorf("members", "%s is no current member of the offer", members[at])
	}
	fields, err := m.app.memberFields(ctx, to.Offer, items, m.now)
	if err != nil {
		return err
	}
	creators := make([]affiliate.CreatorID, len(items))
	for i, item := range items {
		creators[i] = item.CreatorID
	}
	known, err := m.creators(ctx, creators)
	for _, item := range items {
		m.recipients = append(m.recipients, recipient{creator: known[item.CreatorID], member: item.ID,
			fields: fields[item.ID]})
	}
	return err
}

// creators reads creators; Invalid for one that there is not.
func (m *mailing) creators(ctx context.Context,
	ids []affiliate.CreatorID) (map[affiliate.CreatorID]affiliate.Creator, error) {
	list, err := m.app.DB.CreatorsByID(ctx, ids)
	if err != nil {
		return nil, err
	}
	known := make(map[affiliate.CreatorID]affiliate.Creator, len(list))
	for _, c := range list {
		known[c.ID] = c
	}
	for _, id := range ids {
		if _, ok := known[id]; !ok {
			return nil, affiliate.AboutField("creators", affiliate.NoSuch(id))
		}
	}
	return known, nil
}

// memberFields gives what stands for the fields of an offer in mails to some of its members.
func (a *App) memberFields(ctx context.Context, id affiliate.OfferID, items []storage.OfferMemberItem,
	now time.Time) (map[affiliate.OfferMemberID]map[affiliate.MailField]string, error) {
	offer, err := a.DB.Offer(ctx, id)
	if err != nil {
		return nil, affiliate.AboutField("offer", err)
	}
	campaign, err := a.DB.Campaign(ctx, offer.CampaignID)
	if err != nil {
		return nil, err
	}
	codes, links := map[affiliate.OfferMemberID][]string{}, map[affiliate.OfferMemberID]string{}
	rules := map[affiliate.OfferMemberID]affiliate.Rule{}
	for part := range slices.Chunk(items, 1000) {
		ids := make([]affiliate.OfferMemberID, len(part))
		for i, item := range part {
			ids[i] = item.ID
		}
		owned, err := a.DB.CodesOf(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, c := range owned {
			if c.OwnedAt(now) && !slices.Contains(codes[c.OfferMemberID], c.Code) { // the same in two stores is one
				codes[c.OfferMemberID] = append(codes[c.OfferMemberID], c.Code)
			}
		}
		published, err := a.DB.LinksOf(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, l := range published {
			if l.EndedAt.IsZero() && l.Kind == affiliate.LinkSales && links[l.OfferMemberID] == "" {
				links[l.OfferMemberID] = a.PublicURL + "/l/" + l.Slug
			}
		}
		commissions, err := a.DB.OfferCommissions(ctx, id, ids...)
		if err != nil {
			return nil, err
		}
		for _, member := range ids {
			rules[member] = affiliate.RuleAt(commissions.Offers[id], commissions.Members[member], now)
		}
	}
	fields := make(map[affiliate.OfferMemberID]map[affiliate.MailField]string, len(items))
	for _, item := range items {
		code, link := strings.Join(codes[item.ID], ", "), links[item.ID]
		fields[item.ID] = map[affiliate.MailField]string{affiliate.FieldOffer: offer.Name,
			affiliate.FieldCampaign: campaign.Name, affiliate.FieldCode: code, affiliate.FieldLink: link,
			affiliate.FieldCodeOrLink: strings.Trim(code+"\n"+link, "\n"),
			affiliate.FieldCommission: commissionWords(rules[item.ID])}
	}
	return fields, nil
}

// commissionWords says what a rule gives: "10 %", "3.00 per order".
func commissionWords(r affiliate.Rule) string {
	var parts []string
	if r.Percent != 0 || r.Flat == 0 {
		percent := affiliate.FormatPercent(r.Percent)
		parts = append(parts, strings.TrimSuffix(strings.TrimRight(percent, "0"), ".")+" %")
	}
	if r.Flat != 0 {
		parts = append(parts, affiliate.FormatFlat(r.Flat)+" per order")
	}
	return strings.Join(parts, " and ")
}

// amountText says an amount with its currency: "120.00 EUR".
func amountText(n int64, c money.Currency) string { return money.Format(n, c) + " " + c.Code() }

// joined adds a word to others behind a comma, once.
func joined(list, word string) string {
	if list == "" || word == "" || slices.Contains(strings.Split(list, ", "), word) {
		return cmp.Or(list, word)
	}
	return list + ", " + word
}

// findPaid finds whom a payout run has paid.
func (m *mailing) findPaid(ctx context.Context) error {
	run, err := m.app.DB.PayoutRun(ctx, m.in.To.Run)
	if err != nil {
		return affiliate.AboutField("payout_run", err)
	}
	payouts, err := m.app.DB.PayoutsOf(ctx, run.ID)
	if err != nil {
		return err
	}
	payouts = slices.DeleteFunc(payouts, func(p affiliate.Payout) bool { return p.State != affiliate.PayoutPaid })
	m.paid = payoutIDs(payouts)
	m.recipients, err = m.app.paidRecipients(ctx, payouts, m.zone, m.text.Uses(affiliate.FieldStatement))
	return err
}

// findOwed finds the creators named, or all to whom something is due, with what that is.
func (m *mailing) findOwed(ctx context.Context) error {
	ids := slices.Compact(slices.Sorted(slices.Values(m.in.To.Creators)))
	if len(ids) > MostMails {
		return affiliate.FieldErrorf("creators", "are %d, and a mailing has at most %d; divide it", len(ids), MostMails)
	}
	due := map[affiliate.CreatorID]string{}
	read := func(part []affiliate.CreatorID) error {
		filter := storage.DueFilter{Creators: part}
		return m.app.DB.EachDue(ctx, m.settings, filter, "", m.now, func(d *storage.Due) error {
			if due[d.CreatorID] != "" {
				due[d.CreatorID] += " and "
			} else if m.in.To.Due {
				ids = append(ids, d.CreatorID)
			}
			due[d.CreatorID] += amountText(d.Amount, d.Currency)
			return nil
		})
	}
	var err error
	if m.in.To.Due {
		err = read(nil)
	} else if m.in.Purpose.AboutMoney() {
		for part := range slices.Chunk(ids, 1000) {
			if err == nil {
				err = read(part)
			}
		}
	}
	if err != nil {
		return err
	}
	if m.in.To.Due && m.in.Purpose == affiliate.MailDetails {
		has, err := m.app.DB.CreatorsWithDetails(ctx, ids)
		if err != nil {
			return err
		}
		ids = slices.DeleteFunc(ids, func(id affiliate.CreatorID) bool { return has[id] })
	}
	known, err := m.creators(ctx, ids)
	for _, id := range ids {
		amount := due[id]
		if amount == "" && m.in.Purpose == affiliate.MailStatement {
			amount = "nothing"
		}
		m.recipients = append(m.recipients, recipient{creator: known[id],
			fields: map[affiliate.MailField]string{affiliate.FieldAmountDue: amount}})
	}
	return err
}

// mostStatementLines is how many entries a mail lists one by one; of more it has the sums by what they are.
const mostStatementLines = 50

// entryList is entries of one creator as a mail lists them.
type entryList struct {
	lines []string
	kinds []string // by title and currency, in the order in which they came
	count map[string]int64
	sums  map[string]int64
	of    map[string]money.Currency
	total map[money.Currency]int64
}

func (s *entryList) add(l *storage.LedgerLine, zone *time.Location) {
	if s.total == nil {
		s.count, s.sums = map[string]int64{}, map[string]int64{}
		s.of, s.total = map[string]money.Currency{}, map[money.Currency]int64{}
	}
	what := l.Title()
	kind := what + " " + l.Currency.Code()
	if s.count[kind] == 0 {
		s.kinds = append(s.kinds, kind)
	}
	s.count[kind]++
	s.sums[kind] += l.Amount
	s.of[kind] = l.Currency
	s.total[l.Currency] += l.Amount
	if len(s.lines) <= mostStatementLines {
		if l.Number != "" {
			what += "  " + affiliate.MailLine(l.Number)
		}
		s.lines = append(s.lines, fmt.Sprintf("%s  %s  %s", l.CreatedAt.In(zone).Format("2 Jan"), what,
			signedText(l.Amount, l.Currency)))
	}
}

// text lists entries or their sums, and what all of them come to; empty where there are none.
func (s *entryList) text() string {
	if len(s.lines) == 0 {
		return ""
	}
	lines := s.lines
	if len(lines) > mostStatementLines {
		lines = nil
		for _, kind := range s.kinds {
			what := strings.TrimSuffix(kind, " "+s.of[kind].Code())
			lines = append(lines, fmt.Sprintf("%d × %s  %s", s.count[kind], what, signedText(s.sums[kind], s.of[kind])))
		}
	}
	for _, kind := range s.kinds {
		if c := s.of[kind]; s.total != nil {
			if sum, left := s.total[c]; left {
				lines = append(lines, "Sum  "+signedText(sum, c))
				delete(s.total, c)
			}
		}
	}
	return strings.Join(lines, "\n")
}

func signedText(n int64, c money.Currency) string {
	if n > 0 {
		return "+" + amountText(n, c)
	}
	return amountText(n, c)
}

// addStatements fills the fields of statements, with one reading of the month's entries.
func (m *mailing) addStatements(ctx context.Context) error {
	from, err := time.ParseInLocation("2006-01", m.in.Month, m.zone)
	if err != nil {
		return affiliate.FieldErrorf("month", "%q is not a month; it looks like 2026-11",
			affiliate.Clip(m.in.Month, 40))
	}
	if from.After(m.now) {
		return affiliate.FieldErrorf("month", "has not begun; choose one that has")
	}
	filter := storage.LedgerFilter{From: from, To: from.AddDate(0, 1, 0)}
	if len(m.recipients) == 1 {
		filter.Creator = m.recipients[0].creator.ID
	}
	all := make(map[affiliate.CreatorID]*entryList, len(m.recipients))
	for _, r := range m.recipients {
		all[r.creator.ID] = &entryList{}
	}
	err = m.app.DB.EachLedgerEntry(ctx, filter, func(l *storage.LedgerLine) error {
		if s := all[l.CreatorID]; s != nil {
			s.add(l, m.zone)
		}
		return nil
	})
	for _, r := range m.recipients {
		r.fields[affiliate.FieldPeriod] = from.Format("January 2006")
		r.fields[affiliate.FieldStatement] = all[r.creator.ID].text()
	}
	return err
}

// skip says of recipients why they do not get the mail.
func (m *mailing) skip(ctx context.Context) error {
	addresses := make([]string, len(m.recipients))
	for i, r := range m.recipients {
		addresses[i] = affiliate.FoldEmail(r.creator.Email)
	}
	suppressed, err := m.app.DB.SuppressionsOf(ctx, addresses)
	for i := range m.recipients {
		r := &m.recipients[i]
		if !r.creator.RemovedAt.IsZero() && !m.in.Purpose.AboutMoney() {
			r.skipped = "They have left the community."
			continue
		}
		r.skipped = whyNoMail(m.text, r.creator.Email, r.fields, suppressed[addresses[i]])
	}
	return err
}

// whyNoMail says as a sentence why a text is not sent to an address; empty: it can be.
func whyNoMail(t affiliate.MailText, address string, fields map[affiliate.MailField]string,
	s affiliate.Suppression) string {
	if address == "" {
		return "They have no e-mail address."
	}
	if _, _, err := affiliate.ParseMailbox("email", address); err != nil {
		return "Their e-mail address is none that mail can be sent to."
	}
	if why := whySuppressed(t.Purpose, s); why != "" {
		return why
	}
	if missing := t.Lacks(fields); len(missing) > 0 {
		return fmt.Sprintf("There is nothing to put for {{%s}}.", missing[0])
	}
	return ""
}

// whySuppressed says as a sentence why an address gets no mail of a purpose; empty: it does.
func whySuppressed(p affiliate.MailPurpose, s affiliate.Suppression) string {
	switch {
	case s.Reason == affiliate.Unsubscribed && !p.AboutMoney():
		return "They have unsubscribed."
	case s.Reason == affiliate.Bounced:
		return "Their mail server says that there is no such address."
	case s.Reason == affiliate.SuppressedByHand:
		return "Their address is on the list of those that get no mail."
	}
	return ""
}

// PreviewMailing says what a mailing would be, and sends nothing. Of mails it gives at most limit; of those that would
// not be sent all that come before.
func (a *App) PreviewMailing(ctx context.Context, in NewMailing, limit int) (MailingPreview, error) {
	var p MailingPreview
	m, err := a.planMailing(ctx, in)
	if err != nil {
		return p, err
	}
	for _, r := range m.recipients {
		if r.skipped != "" {
			p.Skipped++
		} else {
			p.Mails++
		}
		if p.Mails > int64(limit) {
			continue
		}
		d := DraftMail{Creator: r.creator.ID, Name: r.creator.Name, Address: r.creator.Email, Skipped: r.skipped}
		d.Subject, d.Text = m.text.Fill(r.fields)
		p.Drafts = append(p.Drafts, d)
	}
	return p, nil
}

// SendMailing writes mails down, which are sent as soon as it is their turn. NoMailServer where none is set.
func (a *App) SendMailing(ctx context.Context, in NewMailing) (affiliate.MailSend, error) {
	if in.Key != "" {
		if s, err := a.DB.MailSendOf(ctx, in.Key); affiliate.KindOf(err) != affiliate.NotFound {
			return s, err
		}
	}
	if a.Mailer == nil {
		return affiliate.MailSend{}, errNoMailServer
	}
	m, err := a.planMailing(ctx, in)
	if err != nil {
		return affiliate.MailSend{}, err
	}
	if !slices.ContainsFunc(m.recipients, func(r recipient) bool { return r.skipped == "" }) {
		return affiliate.MailSend{}, affiliate.FieldErrorf("to", "nobody of %d would get this mail. %s",
			len(m.recipients), m.recipients[0].skipped)
	}
	send := affiliate.MailSend{Purpose: in.Purpose, Subject: m.text.Subject, Body: m.text.Body, Sender: a.MailFrom,
		State: affiliate.MailSending, OfferID: in.To.Offer, PayoutRunID: in.To.Run, Mails: int64(len(m.recipients)),
		Key: cmp.Or(in.Key, rand.Text()), Actor: actor(ctx), CreatedAt: m.now}
	mails := a.mailsTo(m.recipients, m.now)
	err = a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		if send, err = tx.CreateMailSend(ctx, send, mails); err != nil {
			return err
		}
		if send.PayoutRunID != 0 { // what was told by hand is not told again by itself
			if _, err := tx.LockPayoutRun(ctx, send.PayoutRunID); err != nil {
				return err
			}
			if err := tx.TellPayouts(ctx, m.paid, m.now); err != nil {
				return err
			}
		}
		return a.audit(ctx, tx, "mailing.send", send.ID, nil, mailSendFacts(send))
	})
	if affiliate.KindOf(err) == affiliate.Conflict && in.Key != "" { // somebody else asked for the same at once
		return a.DB.MailSendOf(ctx, in.Key)
	}
	return send, err
}

// mailsTo makes the mails of a mailing: queued, or skipped where there is a reason.
func (a *App) mailsTo(recipients []recipient, now time.Time) []affiliate.Mail {
	mails := make([]affiliate.Mail, len(recipients))
	for i, r := range recipients {
		mails[i] = affiliate.Mail{CreatorID: r.creator.ID, OfferMemberID: r.member, Creator: r.creator.Name,
			Address: r.creator.Email, Fields: r.fields, State: affiliate.MailQueued, NextAt: now,
			MessageID: a.newMessageID(), CreatedAt: now, UpdatedAt: now}
		if r.skipped != "" {
			mails[i].State, mails[i].Answer, mails[i].NextAt = affiliate.MailSkipped, r.skipped, time.Time{}
		}
	}
	return mails
}

// mailByItself writes a mailing that nobody asks for by hand, in the transaction of what it tells. The mailing given
// has its purpose, its key, and what it is about; recipients have the fields of the purpose alone. Those who cannot get
// it are written down as skipped. Nothing is written where no mail server is set. Conflict where the key has one
// already.
func (a *App) mailByItself(ctx context.Context, tx *storage.Tx, settings affiliate.Settings, send affiliate.MailSend,
	recipients []recipient) error {
	if a.Mailer == nil {
		return nil
	}
	text, err := tx.MailText(ctx, send.Purpose)
	if affiliate.KindOf(err) == affiliate.NotFound {
		text, err = affiliate.DefaultMailText(send.Purpose), nil
	}
	if err != nil {
		return err
	}
	addresses := make([]string, len(recipients))
	for i, r := range recipients {
		addresses[i] = affiliate.FoldEmail(r.creator.Email)
	}
	suppressed, err := tx.SuppressionsOf(ctx, addresses)
	if err != nil {
		return err
	}
	now := a.now()
	send.Subject, send.Body, send.Sender = text.Subject, text.Body, a.MailFrom
	send.Actor, send.CreatedAt, send.Mails = "system", now, int64(len(recipients))
	send.State, send.EndedAt = affiliate.MailSendDone, now
	for i := range recipients {
		r := &recipients[i]
		r.common(settings.Name)
		r.skipped = whyNoMail(text, r.creator.Email, r.fields, suppressed[addresses[i]])
		if r.skipped == "" {
			send.State, send.EndedAt = affiliate.MailSending, time.Time{}
		}
	}
	send, err = tx.CreateMailSend(ctx, send, a.mailsTo(recipients, now))
	if err != nil {
		return err
	}
	return a.audit(ctx, tx, "mailing.send", send.ID, nil, mailSendFacts(send))
}

// CodeNoMailServer is the code of the error where mails cannot be sent.
const CodeNoMailServer = "no_mail_server"

// errNoMailServer is NoMailServer.
var errNoMailServer error = &affiliate.Error{Kind: affiliate.Conflict, Code: CodeNoMailServer,
	Message: "no mail server is set: set SMTP_URL and MAIL_FROM, and start the server again"}

func mailSendFacts(s affiliate.MailSend) facts {
	return facts{"purpose": s.Purpose, "subject": s.Subject, "mails": s.Mails}
}

// newMessageID is one that no other mail has, at the sender's domain.
func (a *App) newMessageID() string {
	_, address, _ := affiliate.ParseMailbox("sender", a.MailFrom) // checked at the start
	_, domain, _ := strings.Cut(address, "@")
	return strings.ToLower(rand.Text()) + "@" + cmp.Or(domain, "localhost")
}

// CancelMailing stops a mailing: what was not sent by then is not.
func (a *App) CancelMailing(ctx context.Context, id affiliate.MailSendID) (affiliate.MailSend, error) {
	var s affiliate.MailSend
	err := a.DB.InTx(ctx, func(tx *storage.Tx) (err error) {
		if s, err = tx.HoldMailSend(ctx, id); err != nil || s.State == affiliate.MailSendCanceled {
			return err
		}
		if s.State == affiliate.MailSendDone {
			return affiliate.Errorf(affiliate.Conflict, "all its mails have gone; there is nothing left to cancel")
		}
		s.State, s.EndedAt = affiliate.MailSendCanceled, a.now()
		if err := tx.SetMailSend(ctx, id, s.State, s.EndedAt); err != nil {
			return err
		}
		if err := tx.CancelMails(ctx, id, s.EndedAt); err != nil {
			return err
		}
		return a.audit(ctx, tx, "mailing.cancel", id, nil, mailSendFacts(s))
	})
	return s, err
}

// RetryMail tries a mail again that was refused, or skipped for a reason that is gone.
func (a *App) RetryMail(ctx context.Context, id affiliate.MailID) (affiliate.Mail, error) {
	var m affiliate.Mail
	if a.Mailer == nil {
		return m, errNoMailServer
	}
	m, err := a.DB.Mail(ctx, id)
	if err != nil {
		return m, err
	}
	creator, err := a.DB.Creator(ctx, m.CreatorID)
	if err != nil {
		return m, err
	}
	fields := m.Fields
	if m.OfferMemberID != 0 { // what was missing may be there by now
		member, err := a.DB.OfferMember(ctx, m.OfferMemberID)
		if err != nil {
			return m, err
		}
		all, err := a.memberFields(ctx, member.OfferID, []storage.OfferMemberItem{{ID: member.ID}}, a.now())
		if err != nil {
			return m, err
		}
		fields = all[member.ID]
		r := recipient{creator: creator, fields: fields}
		r.common(m.Fields[affiliate.FieldBrand])
	}
	err = a.DB.InTx(ctx, func(tx *storage.Tx) error {
		send, err := tx.HoldMailSend(ctx, m.SendID)
		if err != nil {
			return err
		}
		if send.State == affiliate.MailSendCanceled {
			return affiliate.Errorf(affiliate.Conflict, "its mailing was canceled; send another one")
		}
		if m, err = tx.Mail(ctx, id); err != nil {
			return err
		}
		if m.State != affiliate.MailRefused && m.State != affiliate.MailSkipped {
			return affiliate.Errorf(affiliate.Conflict,
				"this mail is %s; only what was refused or skipped is tried again", m.State)
		}
		address := creator.Email
		if send.Purpose == affiliate.MailChanged { // it may go to the address of the details before
			address = m.Address
		}
		folded := affiliate.FoldEmail(address)
		suppressed, err := tx.SuppressionsOf(ctx, []string{folded})
		if err != nil {
			return err
		}
		text := affiliate.MailText{Purpose: send.Purpose, Subject: send.Subject, Body: send.Body}
		if why := whyNoMail(text, address, fields, suppressed[folded]); why != "" {
			return affiliate.Errorf(affiliate.Conflict, "it would be skipped again. %s", why)
		}
		m.Address, m.Fields, m.State, m.Tries, m.Code, m.Answer = address, fields, affiliate.MailQueued, 0, 0, ""
		m.NextAt, m.UpdatedAt = a.now(), a.now()
		if _, err := tx.SaveMail(ctx, m); err != nil {
			return err
		}
		if err := tx.SetMailSend(ctx, send.ID, affiliate.MailSending, time.Time{}); err != nil {
			return err
		}
		return a.audit(ctx, tx, "mail.retry", id, nil, facts{"mailing": send.ID.String(),
			"creator": m.CreatorID.String()})
	})
	return m, err
}
