package storage

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

func newMailRow(m affiliate.Mail) mailRow {
	fields, _ := json.Marshal(m.Fields) // strings alone
	return mailRow{ID: m.ID, SendID: m.SendID, CreatorID: m.CreatorID, OfferMemberID: m.OfferMemberID,
		Creator: m.Creator, Address: m.Address, Fields: string(fields), State: m.State,
		Tries: m.Tries, NextAt: At(m.NextAt), Code: m.Code,
		Answer: m.Answer, MessageID: m.MessageID, CreatedAt: At(m.CreatedAt), SentAt: At(m.SentAt),
		UpdatedAt: At(m.UpdatedAt)}
}

// MailText gives what the brand has written for a purpose; NotFound where it has not.
func (q queries) MailText(ctx context.Context, p affiliate.MailPurpose) (affiliate.MailText, error) {
	return getOne[affiliate.MailText](ctx, q, named("text for "+string(p)), `SELECT `+columnsOf[affiliate.MailText]().of("")+`
		FROM mail_texts WHERE purpose = ?`, string(p))
}

// SetMailText writes the text of a purpose in place of the one of version t.Version, 0 being the one that comes with
// the program, and counts the version up. Conflict when it is another by now.
func (tx *Tx) SetMailText(ctx context.Context, t affiliate.MailText) (affiliate.MailText, error) {
	t.Version++
	n, err := tx.exec(ctx, `INSERT INTO mail_texts (purpose, subject, body, version, author, updated_at) VALUES (?, ?, ?, ?, ?, ?)
		ON CONFLICT (purpose) DO UPDATE SET subject = excluded.subject, body = excluded.body, version = excluded.version,
			author = excluded.author, updated_at = excluded.updated_at
		WHERE mail_texts.version = ?`, string(t.Purpose), t.Subject, t.Body, t.Version, t.Author, At(t.UpdatedAt), t.Version-1)
	if err == nil && n == 0 {
		err = ChangedMeanwhile(named("the text"))
	}
	return t, err
}

// DropMailText takes away what the brand has written for a purpose.
func (tx *Tx) DropMailText(ctx context.Context, p affiliate.MailPurpose) error {
	_, err := tx.exec(ctx, `DELETE FROM mail_texts WHERE purpose = ?`, string(p))
	return err
}

// MailSendOf gives the mailing of a key; NotFound when there is none.
func (q queries) MailSendOf(ctx context.Context, key string) (affiliate.MailSend, error) {
	return getOne[affiliate.MailSend](ctx, q, named("mailing of this key"), `SELECT `+mailSendColumns.of("")+`
		FROM mail_sends WHERE key = ?`, key)
}

// CreateMailSend writes a mailing with its mails, which get its id. Conflict when its key has one already.
func (tx *Tx) CreateMailSend(ctx context.Context, s affiliate.MailSend,
	mails []affiliate.Mail) (affiliate.MailSend, error) {
	err := mailSendTable.create(ctx, tx, s, &s.ID, "ON CONFLICT (key) DO NOTHING")
	if err != nil {
		return s, taken(err, "key", "this mailing was sent already")
	}
	rows := make([]mailRow, len(mails))
	for i, m := range mails {
		m.SendID = s.ID
		rows[i] = newMailRow(m)
	}
	return s, mailTable.insert(ctx, tx, rows, "", nil, nil)
}

// HoldMailSend gives a mailing as it stands, and makes others who want to hold it wait until this transaction ends.
func (tx *Tx) HoldMailSend(ctx context.Context, id affiliate.MailSendID) (affiliate.MailSend, error) {
	return getOne[affiliate.MailSend](ctx, tx.queries, id, `SELECT `+mailSendColumns.of("")+` FROM mail_sends WHERE id = ?`+tx.d.lockRows, id)
}

// SetMailSend writes how far a mailing is; a zero time is one that has not ended.
func (tx *Tx) SetMailSend(ctx context.Context, id affiliate.MailSendID, s affiliate.MailSendState,
	ended time.Time) error {
	_, err := tx.exec(ctx, `UPDATE mail_sends SET state = ?, ended_at = ? WHERE id = ?`, string(s), At(ended), id)
	return err
}

// waitingMails is the condition of mails that are still to be sent.
const waitingMails = `state IN ('queued', 'sending', 'ending')`

// CancelMails ends the mails of a mailing that wait, but for one that is being handed over.
func (tx *Tx) CancelMails(ctx context.Context, id affiliate.MailSendID, now time.Time) error {
	_, err := tx.exec(ctx, `UPDATE mails SET state = 'canceled', next_at = NULL, updated_at = ?
		WHERE send_id = ? AND state IN ('queued', 'ending')`, At(now), id)
	return err
}

// EndMailSend notes that a mailing is done, if none of its mails is to be sent any more.
func (tx *Tx) EndMailSend(ctx context.Context, id affiliate.MailSendID, now time.Time) error {
	_, err := tx.exec(ctx, `UPDATE mail_sends SET state = 'done', ended_at = ? WHERE id = ? AND state = 'sending'
		AND NOT EXISTS (SELECT 1 FROM mails m WHERE m.send_id = mail_sends.id AND m.`+waitingMails+`)`, At(now), id)
	return err
}

// SaveMail writes how far a mail is, with its address and fields; false when it is in none of the states given.
func (tx *Tx) SaveMail(ctx context.Context, m affiliate.Mail, from ...affiliate.MailState) (bool, error) {
	var f Filter
	f.And("id = ?", m.ID)
	In(&f, "state", from)
	r := newMailRow(m)
	n, err := tx.exec(ctx, `UPDATE mails SET address = ?, fields = ?, state = ?, tries = ?, next_at = ?, code = ?, answer = ?, sent_at = ?, updated_at = ?`+
		f.Where(), append([]any{r.Address, r.Fields, string(r.State), r.Tries, r.NextAt, r.Code, r.Answer, r.SentAt,
		r.UpdatedAt}, f.Args...)...)
	return n > 0, err
}

// RequeueMails puts back what somebody was handing over who has ended meanwhile: the server has not got the last line
// of those, and takes nothing without it.
func (tx *Tx) RequeueMails(ctx context.Context) error {
	_, err := tx.exec(ctx, `UPDATE mails SET state = CASE WHEN (SELECT s.state FROM mail_sends s WHERE s.id = mails.send_id) = 'canceled'
		THEN 'canceled' ELSE 'queued' END WHERE state = 'sending'`)
	return err
}

// DueMails gives mails whose turn it is, in their order.
func (q queries) DueMails(ctx context.Context, now time.Time, limit int) ([]affiliate.Mail, error) {
	var rows []mailRow
	err := q.List(ctx, &rows, `SELECT `+mailColumns.of("")+` FROM mails WHERE `+waitingMails+` AND next_at <= ? ORDER BY next_at, id LIMIT ?`, At(now), limit)
	return domains[mailRow](rows), err
}

// CountWaitingMails counts mails that are still to be sent.
func (q queries) CountWaitingMails(ctx context.Context) (n int64, err error) {
	return n, q.Get(ctx, &n, `SELECT COUNT(*) FROM mails WHERE `+waitingMails)
}

// MailLease says who sends mails, and when the next one may go.
type MailLease struct {
	Holder       string // empty: nobody
	Until        Time
	NextAt       Time   // zero: at once
	Trouble      string // why mails wait that could go, in the server's words; empty: they do not
	TroubleSince Time
}

// MailLease gives the lease as it stands.
func (q queries) MailLease(ctx context.Context) (MailLease, error) {
	var l MailLease
	err := q.Get(ctx, &l, `SELECT holder, until, next_at, trouble, trouble_since FROM mail_lease WHERE id = 1`)
	return l, err
}

// TakeMailLease gives the sending of mails to a holder for some time; false while another has it. A holder is a word
// that nobody else uses.
func (tx *Tx) TakeMailLease(ctx context.Context, holder string, now time.Time, lasts time.Duration) (bool, error) {
	n, err := tx.exec(ctx, `UPDATE mail_lease SET holder = ?, until = ? WHERE id = 1
		AND (holder = ? OR until IS NULL OR until <= ? OR until > ?)`, holder, At(now.Add(lasts)), holder, At(now),
		At(now.Add(longestLease)))
	return n > 0, err
}

// RenewMailLease prolongs a lease; false when the holder has it no more.
func (db *DB) RenewMailLease(ctx context.Context, holder string, until time.Time) (bool, error) {
	n, err := db.exec(ctx, `UPDATE mail_lease SET until = ? WHERE id = 1 AND holder = ?`, At(until), holder)
	return n > 0, err
}

// KeepMailLease writes when the next mail may go, and the trouble that there is; false when the holder has the lease no
// more. Nobody else takes the lease until the transaction ends.
func (tx *Tx) KeepMailLease(ctx context.Context, l MailLease) (bool, error) {
	n, err := tx.exec(ctx, `UPDATE mail_lease SET next_at = ?, trouble = ?, trouble_since = ? WHERE id = 1 AND holder = ?`,
		l.NextAt, l.Trouble, l.TroubleSince, l.Holder)
	return n > 0, err
}

// FreeMailLease gives a lease back, if the holder still has it.
func (db *DB) FreeMailLease(ctx context.Context, holder string) error {
	_, err := db.exec(ctx, `UPDATE mail_lease SET holder = '', until = NULL WHERE id = 1 AND holder = ?`, holder)
	return err
}

// SuppressionsOf gives those of some addresses, as they are folded, that get no mail.
func (q queries) SuppressionsOf(ctx context.Context, addresses []string) (map[string]affiliate.Suppression, error) {
	found := map[string]affiliate.Suppression{}
	for part := range slices.Chunk(addresses, 1000) {
		rows, err := listOf[affiliate.Suppression](ctx, q, `SELECT `+suppressionColumns.of("")+` FROM mail_suppressions WHERE address IN (?)`, part)
		if err != nil {
			return nil, err
		}
		for _, s := range rows {
			found[s.Address] = s
		}
	}
	return found, nil
}

// AddSuppression notes that an address gets no mail. One that gets none but those about money may come to get none at
// all, never the other way round; false where nothing changes.
func (tx *Tx) AddSuppression(ctx context.Context, s affiliate.Suppression) (bool, error) {
	n, err := tx.exec(ctx, `INSERT INTO mail_suppressions (address, reason, note, author, created_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (address) DO UPDATE SET reason = excluded.reason, note = excluded.note, author = excluded.author,
			created_at = excluded.created_at
		WHERE mail_suppressions.reason = 'unsubscribed' AND excluded.reason <> 'unsubscribed'`, s.Address, string(s.Reason), s.Note, s.Author, At(s.CreatedAt))
	return n > 0, err
}

// DropSuppression takes an address off the list; false where it was not on it.
func (tx *Tx) DropSuppression(ctx context.Context, address string) (bool, error) {
	n, err := tx.exec(ctx, `DELETE FROM mail_suppressions WHERE address = ?`, address)
	return n > 0, err
}

// CreatorsByID gives those of some creators that there are, without their handles.
func (q queries) CreatorsByID(ctx context.Context, ids []affiliate.CreatorID) ([]affiliate.Creator, error) {
	list := []affiliate.Creator{}
	for part := range slices.Chunk(ids, 1000) {
		rows, err := listOf[affiliate.Creator](ctx, q, `SELECT `+creatorColumns.of("")+` FROM creators WHERE id IN (?) ORDER BY name, id`, part)
		if err != nil {
			return nil, err
		}
		list = append(list, rows...)
	}
	return list, nil
}
