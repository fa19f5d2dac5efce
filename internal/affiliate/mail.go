package affiliate

import (
	"time"
)

// MailSendID names a mailing, MailID one mail of it.
type (
	MailSendID int64
	MailID     int64
)

func (id MailSendID) String() string { return prefixed("snd_", int64(id)) }
func (id MailID) String() string     { return prefixed("mai_", int64(id)) }

// MailPurpose is what a mail to a creator is for.
type MailPurpose string

const (
	MailCode      MailPurpose = "code_or_link"            // their code or link of an offer
	MailPaid      MailPurpose = "payment_sent"            // a payout was sent
	MailDetails   MailPurpose = "payment_details_missing" // money is due, and nobody knows where to
	MailChanged   MailPurpose = "payment_details_changed" // where they are paid was changed; sent by itself alone
	MailStatement MailPurpose = "statement"               // what they earned and were paid in a period
	MailMessage   MailPurpose = "message"                 // whatever the brand has to say
)

// Words lists the purposes there are.
func (MailPurpose) Words() []MailPurpose {
	return []MailPurpose{MailCode, MailPaid, MailDetails, MailChanged, MailStatement, MailMessage}
}

// AboutMoney says whether the mail is about money that is owed: from those nobody can unsubscribe, and they carry no
// advertising.
func (p MailPurpose) AboutMoney() bool {
	return p == MailPaid || p == MailDetails || p == MailChanged || p == MailStatement
}

// MailField is what stands in a text for what differs from creator to creator, between {{ and }}.
type MailField string

const (
	FieldCreatorName MailField = "creator.name"
	FieldFirstName   MailField = "creator.first_name"
	FieldOffer       MailField = "offer.name"
	FieldCampaign    MailField = "campaign.name"
	FieldCode        MailField = "code"       // several: with commas between
	FieldLink        MailField = "link"       // the whole address
	FieldCommission  MailField = "commission" // "10 %"
	FieldBrand       MailField = "brand.name"
	FieldAmountDue   MailField = "amount_due" // with its currency
	FieldAmount      MailField = "amount"     // of the payment, with its currency
	FieldReference   MailField = "reference"  // of the payment
	FieldPaidOn      MailField = "paid_on"    // a day
	FieldStatement   MailField = "statement"  // lines of entries with their sum
	FieldPeriod      MailField = "period"     // of the statement
	FieldPaidBy      MailField = "method"     // of the payment
	FieldCodeOrLink  MailField = "code_or_link"
	FieldPaidTo      MailField = "paid_to"         // where a payment went, covered: "PayPal, a•••@example.com"
	FieldDetails     MailField = "payment_details" // where they are paid from now on, covered
	FieldDetailsWere MailField = "payment_details_before"
	FieldChangedOn   MailField = "changed_on"  // a day
	FieldPaidFrom    MailField = "usable_from" // the day before which nothing is paid to changed details
)

// MailText is what mails of a purpose say: plain text, with fields in it. The HTML part is made of it.
type MailText struct {
	Purpose   MailPurpose
	Subject   string
	Body      string
	Version   int // 0: the text that comes with the program
	Author    string
	UpdatedAt time.Time
}

// MailSendState is how far a mailing has come.
type MailSendState string

const (
	MailSending      MailSendState = "sending"
	MailSendDone     MailSendState = "done"
	MailSendCanceled MailSendState = "canceled" // by somebody: what was not sent by then is not
)

// Words lists the states there are.
func (MailSendState) Words() []MailSendState {
	return []MailSendState{MailSending, MailSendDone, MailSendCanceled}
}

// MailSend is one text to many: its mails are written down with it, one to each creator.
type MailSend struct {
	ID          MailSendID
	Purpose     MailPurpose
	Subject     string // with its fields, as it was when it was sent
	Body        string
	Sender      string // name <address>
	State       MailSendState
	OfferID     OfferID     // 0: not about one offer
	PayoutRunID PayoutRunID // 0: not about a payout run
	Mails       int64
	Key         string // unique: whoever asks for the same again gets this one
	Actor       string
	CreatedAt   time.Time
	EndedAt     time.Time
}

// MailState is how far one mail has come.
type MailState string

const (
	MailQueued   MailState = "queued"   // it waits for its turn, or to be tried again
	MailTrying   MailState = "sending"  // it is being handed to the server
	MailEnding   MailState = "ending"   // all of it was handed over but its last line: the server may have it
	MailSent     MailState = "sent"     // the server has taken it
	MailRefused  MailState = "refused"  // the server does not take it, with its words in Answer
	MailSkipped  MailState = "skipped"  // it is not sent, for the reason in Answer
	MailCanceled MailState = "canceled" // with its mailing
)

// Words lists the states there are.
func (MailState) Words() []MailState {
	return []MailState{MailQueued, MailTrying, MailEnding, MailSent, MailRefused, MailSkipped, MailCanceled}
}

// Mail is one mail to one creator.
type Mail struct {
	ID            MailID
	SendID        MailSendID
	CreatorID     CreatorID
	OfferMemberID OfferMemberID // 0: not about one membership
	Creator       string        // name
	Address       string
	Fields        map[MailField]string
	State         MailState
	Tries         int64
	NextAt        time.Time
	Code          int64  // of the server's last answer; 0: none
	Answer        string // the server's words, or why it is not sent
	MessageID     string // the same however often it is tried
	CreatedAt     time.Time
	SentAt        time.Time
	UpdatedAt     time.Time
}

// SuppressionReason says why an address gets no mail.
type SuppressionReason string

const (
	Unsubscribed     SuppressionReason = "unsubscribed" // it gets mails about money alone
	Bounced          SuppressionReason = "bounced"      // its server says that there is no such address: it gets none
	SuppressedByHand SuppressionReason = "by_hand"      // it gets none
)

// Words lists the reasons there are.
func (SuppressionReason) Words() []SuppressionReason {
	return []SuppressionReason{Unsubscribed, Bounced, SuppressedByHand}
}

// Suppression is an address that gets no mail.
type Suppression struct {
	Address   string // folded
	Reason    SuppressionReason
	Note      string
	Author    string // empty: the recipient, or their server
	CreatedAt time.Time
}

// OutgoingMail is one mail as it goes to a server. Tried again it is the same, byte for byte.
type OutgoingMail struct {
	From        string // name <address>
	To          string // name <address>
	Subject     string
	Text        string // plain
	HTML        string
	MessageID   string // without angle brackets
	Date        time.Time
	Unsubscribe string // address for List-Unsubscribe with one click (RFC 8058); empty: about money
}

// MailAnswer is the error of a mail server that does not take a mail.
type MailAnswer struct {
	Code     int    // SMTP's: 450, 550
	Enhanced string // such as 5.1.1; may be empty
	Words    string // the server's
}

func (a MailAnswer) Error() string { return a.Words }

// ForGood says whether it is of no use to try again.
func (a MailAnswer) ForGood() bool { return a.Code >= 500 && a.Code < 600 }

// NoSuchAddress says whether the server has no such mailbox.
func (a MailAnswer) NoSuchAddress() bool {
	return a.ForGood() && (a.Enhanced == "5.1.1" || a.Enhanced == "" && a.Code == 550)
}
