package affiliate

import (
	"time"

	"github.com/tributaryhq/tributary/internal/money"
)

// Rail is a way by which payouts are sent.
type Rail string

const (
	RailElsewhere   Rail = "elsewhere"    // somebody has paid it by other means; here it is recorded
	RailPayPal      Rail = "paypal"       // PayPal Payouts API
	RailPayPalFile  Rail = "paypal_file"  // a file for PayPal's page of payouts
	RailWiseFile    Rail = "wise_file"    // a batch file for Wise
	RailSEPAFile    Rail = "sepa_file"    // a credit transfer file for a bank (ISO 20022 pain.001)
	RailCSVFile     Rail = "csv_file"     // a file for whoever pays by other means
	RailStoreCredit Rail = "store_credit" // credit in a store of the brand
	RailGiftCard    Rail = "gift_card"    // a gift card of a store of the brand
)

// Words lists the rails there are.
func (Rail) Words() []Rail {
	return []Rail{RailElsewhere, RailPayPal, RailPayPalFile, RailWiseFile, RailSEPAFile, RailCSVFile, RailStoreCredit,
		RailGiftCard}
}

// Title is what people call a rail.
func (r Rail) Title() string {
	return map[Rail]string{RailElsewhere: "Paid elsewhere", RailPayPal: "PayPal", RailPayPalFile: "PayPal file",
		RailWiseFile: "Wise file", RailSEPAFile: "SEPA file", RailCSVFile: "CSV file", RailStoreCredit: "Store credit",
		RailGiftCard: "Gift card"}[r]
}

// ByFile says whether the rail is a file that somebody hands on; by the others we pay ourselves, but for what is paid
// elsewhere.
func (r Rail) ByFile() bool {
	return r == RailPayPalFile || r == RailWiseFile || r == RailSEPAFile || r == RailCSVFile
}

// InStore says whether the rail gives something in a store.
func (r Rail) InStore() bool { return r == RailStoreCredit || r == RailGiftCard }

// PaymentMethod is how a creator wants to be paid.
type PaymentMethod string

const (
	MethodPayPal      PaymentMethod = "paypal"
	MethodBank        PaymentMethod = "bank"
	MethodWise        PaymentMethod = "wise"
	MethodStoreCredit PaymentMethod = "store_credit"
	MethodGiftCard    PaymentMethod = "gift_card"
	MethodOther       PaymentMethod = "other" // said in words
)

// Words lists the methods there are.
func (PaymentMethod) Words() []PaymentMethod {
	return []PaymentMethod{MethodPayPal, MethodBank, MethodWise, MethodStoreCredit, MethodGiftCard, MethodOther}
}

// Title is what people call a method.
func (m PaymentMethod) Title() string {
	return map[PaymentMethod]string{MethodPayPal: "PayPal", MethodBank: "Bank account", MethodWise: "Wise",
		MethodStoreCredit: "Store credit", MethodGiftCard: "Gift card", MethodOther: "Something else"}[m]
}

// Rails are those by which a method can be paid, the usual one first.
func (m PaymentMethod) Rails() []Rail {
	switch m {
	case MethodPayPal:
		return []Rail{RailPayPal, RailPayPalFile, RailCSVFile}
	case MethodBank:
		return []Rail{RailSEPAFile, RailWiseFile, RailCSVFile}
	case MethodWise:
		return []Rail{RailWiseFile, RailCSVFile}
	case MethodStoreCredit:
		return []Rail{RailStoreCredit}
	case MethodGiftCard:
		return []Rail{RailGiftCard}
	case MethodOther:
		return []Rail{RailCSVFile}
	}
	return nil
}

// PayeeType says whether a payee is a person or a business: Wise asks.
type PayeeType string

const (
	PayeePerson   PayeeType = "person"
	PayeeBusiness PayeeType = "business"
)

// Words lists the types there are.
func (PayeeType) Words() []PayeeType { return []PayeeType{PayeePerson, PayeeBusiness} }

// PaymentDetails say where a creator is paid. They are sealed at rest. Which fields are needed depends on the method:
// see ParsePaymentDetails.
type PaymentDetails struct {
	Method    PaymentMethod `json:"method"`
	Holder    string        `json:"holder,omitempty"` // as the account has it: banks compare it with the number
	Type      PayeeType     `json:"type,omitempty"`   // empty: a person
	Email     string        `json:"email,omitempty"`  // of PayPal and Wise; of the customer in a store
	PayPalID  string        `json:"paypal_id,omitempty"`
	IBAN      string        `json:"iban,omitempty"` // without spaces, upper case
	BIC       string        `json:"bic,omitempty"`
	Account   string        `json:"account,omitempty"` // number of a bank account without an IBAN
	Routing   string        `json:"routing,omitempty"` // BSB, sort code, routing number: beside Account
	Recipient string        `json:"recipient,omitempty"`
	StoreID   StoreID       `json:"store_id,omitempty"`
	Address   *PayeeAddress `json:"address,omitempty"`
	Words     string        `json:"words,omitempty"` // of MethodOther: how they are paid
}

// PayeeAddress is a structured postal address; town and country at least.
type PayeeAddress struct {
	Street   string `json:"street,omitempty"`
	Building string `json:"building,omitempty"`
	PostCode string `json:"post_code,omitempty"`
	Town     string `json:"town"`
	Country  string `json:"country"` // ISO 3166 alpha-2
}

// PaymentDetailsID names payment details as they were entered once.
type PaymentDetailsID int64

func (id PaymentDetailsID) String() string { return prefixed("pdt_", int64(id)) }

// Payment is one payout as a rail is asked to pay it.
type Payment struct {
	PayoutID PayoutID
	Ref      string // ours: PayoutRef
	Amount   int64  // minor units of Currency
	Currency money.Currency
	Creator  string // name
	Email    string // of the creator; may be empty
	Details  PaymentDetails
	Note     string // to the recipient: "My brand creator payout TRB-1001-K7Q2M9"
}

// Holder is the name on the account, or the creator's.
func (p Payment) Holder() string {
	if p.Details.Holder != "" {
		return p.Details.Holder
	}
	return p.Creator
}

// PaymentFile is what a file of payments says besides them. Made of the same it is the same, byte for byte.
type PaymentFile struct {
	Reference string // ours: PartRef
	Variant   string
	Currency  money.Currency
	MadeAt    time.Time // UTC
	ExecuteOn string    // the bank day on which it is to be executed: 2026-11-30
	Payer     Payer
	Payments  []Payment
}

// Payer is from what payouts are paid.
type Payer struct {
	Name     string         // of the brand, or of the account's holder
	IBAN     string         // of a SEPA file
	BIC      string         // may be empty
	Currency money.Currency // of the balance at Wise; empty: that of the payments
	Comma    bool           // PayPal wants amounts with a decimal comma
}

// PaymentResult is what a provider says of one payment. Readers of all providers' files and answers tell failed from
// returned by one rule: a payment has failed that never left, such as one that was rejected, denied or blocked, or
// canceled before it was sent; it is returned when it was out and came back, as what nobody has accepted in time does.
// Either is owed again, but of one that has failed a later word that it is paid is believed, and of one that is
// returned it is not: PayoutState.Then. What cannot be told for sure has no state, and a person looks at it.
type PaymentResult struct {
	Line        int    // of a file, from 1
	Ref         string // ours, as it came back; may be empty
	Part        string // where Ref is empty, our reference of a part: all of its payments without a result of their own
	Destination string // e-mail address or IBAN; may be empty
	Name        string // of the recipient; may be empty
	Amount      int64  // minor units of Currency; 0: it is not said
	Currency    money.Currency
	State       PayoutState // paid, pending, unclaimed, failed, returned; empty: it cannot be read, and Words say why
	Words       string      // the provider's, for people: "AC04, the account is closed"
	ProviderRef string
	Fee         int64 // minor units of FeeCurrency
	FeeCurrency money.Currency
	At          time.Time // when it happened; zero: not said, or Day says it
	Day         string    // on which it happened, 2026-11-29, where no time is said, in the zone of whoever says it
}

// Before says whether it happened, by its day in whatever zone, before a time; false where nobody has said when.
func (r PaymentResult) Before(t time.Time) bool {
	end := r.At
	if day, err := time.Parse(time.DateOnly, r.Day); err == nil {
		end = day.Add(36 * time.Hour) // it ends there 12 hours after it does in UTC
	}
	return !end.IsZero() && end.Before(t)
}

// Dated says whether anybody has said when it happened.
func (r PaymentResult) Dated() bool { return r.Day != "" || !r.At.IsZero() }

// Moment is the time at which it happened to a payout that was confirmed at a time: of a day its begin in a zone, or
// now where that is today. It is never before the payout was confirmed, nor after now; the zero time where nobody has
// said it.
func (r PaymentResult) Moment(confirmed, now time.Time, zone *time.Location) time.Time {
	at := r.At
	if day, err := time.Parse(time.DateOnly, r.Day); err == nil {
		at = dayStart(day, zone)
		if r.Day == Day(now, zone) {
			at = now
		}
	}
	switch {
	case at.IsZero():
		return at
	case at.Before(confirmed):
		at = confirmed
	}
	if at.After(now) {
		return now
	}
	return at
}

// ResultKind says what a file of results is.
type ResultKind string

const (
	ResultPayPal ResultKind = "paypal_activity"
	ResultWise   ResultKind = "wise_result"
	ResultPain   ResultKind = "pain_002"
	ResultCamt   ResultKind = "camt" // entries of an account
	ResultCSV    ResultKind = "csv"
)

// Words lists the kinds there are.
func (ResultKind) Words() []ResultKind {
	return []ResultKind{ResultPayPal, ResultWise, ResultPain, ResultCamt, ResultCSV}
}

// Title is what people call a file of results.
func (k ResultKind) Title() string {
	return map[ResultKind]string{ResultPayPal: "PayPal activity", ResultWise: "Wise transfers",
		ResultPain: "Bank's answer (pain.002)", ResultCamt: "Account statement (camt)", ResultCSV: "CSV"}[k]
}

// Of says whether such a file may tell what became of payouts of a rail.
func (k ResultKind) Of(r Rail) bool {
	switch k {
	case ResultPayPal:
		return r == RailPayPal || r == RailPayPalFile
	case ResultWise:
		return r == RailWiseFile
	case ResultPain:
		return r == RailSEPAFile
	case ResultCamt:
		return r == RailSEPAFile || r == RailCSVFile
	}
	return r.ByFile()
}

// ResultFileID names a file of results that was read.
type ResultFileID int64

func (id ResultFileID) String() string { return prefixed("rsf_", int64(id)) }

// ResultFile is a file of results that was read.
type ResultFile struct {
	ID        ResultFileID
	Name      string
	Kind      ResultKind
	Hash      string // SHA-256 of its bytes, as hex digits: the same file is read once
	Lines     int64
	Author    string
	CreatedAt time.Time
}

// ResultOutcome says what a line of results has changed.
type ResultOutcome string

const (
	ResultChanged   ResultOutcome = "changed"
	ResultSame      ResultOutcome = "same"      // it says what was known, or what is out of date
	ResultUnmatched ResultOutcome = "unmatched" // no payout of ours is it
	ResultRefused   ResultOutcome = "refused"   // it is one, but what it says cannot be
)

// Words lists the outcomes there are.
func (ResultOutcome) Words() []ResultOutcome {
	return []ResultOutcome{ResultChanged, ResultSame, ResultUnmatched, ResultRefused}
}

// ResultLine is one line of a file of results with what it was taken for.
type ResultLine struct {
	ID       int64
	FileID   ResultFileID
	Line     int64
	Ref      string
	Masked   string // of the destination
	Amount   int64
	Currency money.Currency
	State    PayoutState
	Words    string
	PayoutID PayoutID // 0: none
	Outcome  ResultOutcome
	Reason   string // of unmatched and refused, for people
}

// PartResults is what a provider says of a part as a whole and of each of its payments.
type PartResults struct {
	Denied      string          // why nothing of it was paid; empty: it was not denied
	Working     bool            // it has not gone through all of them yet
	Payments    []PaymentResult // of those that the provider tells; Ref is ours
	Fee         int64           // for all of it, minor units of FeeCurrency
	FeeCurrency money.Currency
}

// ProviderError is the error of a request that a provider has answered, or that never reached it. Unless Known names
// what it has, nothing was begun by this request.
type ProviderError struct {
	Words string // the provider's, for people
	// Unpaid says that nothing was paid, nor will be, of what was asked for: it was understood and refused.
	Unpaid bool
	// Known is the provider's id of what it was sent before under the same reference; empty: none.
	Known string
}

func (e *ProviderError) Error() string { return e.Words }
