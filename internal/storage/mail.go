package storage

import (
	"context"
	"encoding/json"

	"github.com/tributaryhq/tributary/internal/affiliate"
)

// mailRow is a mail as its table has it.
type mailRow struct {
	ID            affiliate.MailID
	SendID        affiliate.MailSendID
	CreatorID     affiliate.CreatorID
	OfferMemberID affiliate.OfferMemberID
	Creator       string
	Address       string
	Fields        string // JSON
	State         affiliate.MailState
	Tries         int64
	NextAt        Time
	Code          int64
	Answer        string
	MessageID     string
	CreatedAt     Time
	SentAt        Time
	UpdatedAt     Time
}

var (
	mailTextTable      = tableOf[affiliate.MailText]("mail_texts")
	mailSendTable      = tableOf[affiliate.MailSend]("mail_sends", "offer_id", "payout_run_id")
	mailSendColumns    = columnsOf[affiliate.MailSend]()
	mailTable          = tableOf[mailRow]("mails", "offer_member_id")
	mailColumns        = columnsOf[mailRow]()
	suppressionTable   = tableOf[affiliate.Suppression]("mail_suppressions")
	suppressionColumns = columnsOf[affiliate.Suppression]()
)

func (r mailRow) domain() affiliate.Mail {
	m := affiliate.Mail{ID: r.ID, SendID: r.SendID, CreatorID: r.CreatorID, OfferMemberID: r.OfferMemberID,
		Creator: r.Creator, Address: r.Address, State: r.State, Tries: r.Tries, NextAt: r.NextAt.Time, Code: r.Code,
		Answer: r.Answer, MessageID: r.MessageID, CreatedAt: r.CreatedAt.Time, SentAt: r.SentAt.Time,
		UpdatedAt: r.UpdatedAt.Time}
	_ = json.Unmarshal([]byte(r.Fields), &m.Fields) // written by newMailRow
	return m
}

// MailSend gives one mailing; NotFound when there is none.
func (q queries) MailSend(ctx context.Context, id affiliate.MailSendID) (affiliate.MailSend, error) {
	return getOne[affiliate.MailSend](ctx, q, id, `SELECT `+mailSendColumns.of("")+` FROM mail_sends WHERE id = ?`, id)
}

// MailSends lists mailings, the newest first.
func (q queries) MailSends(ctx context.Context, p Page) ([]affiliate.MailSend, string, error) {
	return paged[affiliate.MailSend](ctx, q, `SELECT `+mailSendColumns.of("")+` FROM mail_sends`, Filter{}, newestRun, p)
}

// MailCounts counts the mails of mailings by state.
func (q queries) MailCounts(ctx context.Context,
	sends []affiliate.MailSendID) (map[affiliate.MailSendID]map[affiliate.MailState]int64, error) {
	counts := make(map[affiliate.MailSendID]map[affiliate.MailState]int64, len(sends))
	if len(sends) == 0 {
		return counts, nil
	}
	var rows []struct {
		SendID affiliate.MailSendID
		State  affiliate.MailState
		N      int64
	}
	err := q.ListIn(ctx, &rows, `SELECT send_id, state, COUNT(*) AS n FROM mails WHERE send_id IN (?) GROUP BY send_id, state`, sends)
	for _, r := range rows {
		if counts[r.SendID] == nil {
			counts[r.SendID] = map[affiliate.MailState]int64{}
		}
		counts[r.SendID][r.State] = r.N
	}
	return counts, err
}

// MailFilter narrows a list of mails; zero fields do not.
type MailFilter struct {
	Send    affiliate.MailSendID
	Creator affiliate.CreatorID
	State   affiliate.MailState
	Search  string // in the creator's name or the address
}

func (w MailFilter) conditions() (f Filter) {
	Is(&f, "send_id", w.Send)
	Is(&f, "creator_id", w.Creator)
	Is(&f, "state", string(w.State))
	if w.Search != "" {
		like := Containing(w.Search)
		f.And(`(LOWER(creator) LIKE LOWER(?) ESCAPE '\' OR LOWER(address) LIKE LOWER(?) ESCAPE '\')`, like, like)
	}
	return f
}

// Mail gives one mail; NotFound when there is none.
func (q queries) Mail(ctx context.Context, id affiliate.MailID) (affiliate.Mail, error) {
	return oneOf[mailRow](ctx, q, id, `SELECT `+mailColumns.of("")+` FROM mails WHERE id = ?`, id)
}

// Mails lists mails, the newest first.
func (q queries) Mails(ctx context.Context, w MailFilter, p Page) ([]affiliate.Mail, string, error) {
	return listPage[mailRow](ctx, q, `SELECT `+mailColumns.of("")+` FROM mails`, w.conditions(), newestRun, p)
}

// Suppressions lists addresses that get no mail, by address.
func (q queries) Suppressions(ctx context.Context, search string, p Page) ([]affiliate.Suppression, string, error) {
	var f Filter
	if search != "" {
		f.And(`address LIKE ? ESCAPE '\'`, Containing(affiliate.FoldEmail(search)))
	}
	return paged[affiliate.Suppression](ctx, q, `SELECT `+suppressionColumns.of("")+` FROM mail_suppressions`, f,
		Keyset{Keys: []Key{{SQL: "address", Column: "address", Kind: TextKey}}}, p)
}
